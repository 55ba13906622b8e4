// All meetings of the workspace, the newest first.

import { change, get, newWish } from "/console/api.js";
import { field, h, option, rows, said } from "/console/dom.js";
import { follow, listen } from "/console/feed.js";
import { isRunning, moment, nameOf, platformOf, plural, reasonOf, roomPath, span, statePill, stateOf } from "/console/format.js";
import { act, announce, askFirst, noticePlace, troubleOf } from "/console/notices.js";
import { sendForm } from "/console/send.js";
import { texts } from "/console/texts.js";

const pageSize = 50;
// Names and rooms are looked for here, among so many a request and at most so many requests.
const searchSize = 200;
const searchRounds = 10;
const searchPauseMilliseconds = 10_000;
// Of plans, and of what is written to a record, nothing is told.
const toldPauseMilliseconds = 10_000;

export function meetingsPage(main, { mayAs }) {
  let cursors = [null];
  let next = null;
  let counted = null;
  // Whether what is sought takes several requests: then it is not looked for again by itself.
  let isLong = false;
  const place = noticePlace();
  const query = h("input", { type: "search", maxlength: "200", autocomplete: "off" });
  const state = h("select", {}, option("", texts.anyState), option("planned", texts.states.planned),
    texts.sought.map((name) => option(name, texts.states[name])));
  const count = h("p", { class: "faint" });
  const list = h("ul", { class: "rows", "aria-label": texts.meetings });
  const empty = h("div", { class: "empty", hidden: true });
  const newer = h("button", { type: "button", onclick: () => counted ?? turn(cursors.slice(0, -1)) }, texts.newer);
  const older = h("button", { type: "button", onclick: () => counted ?? turn([...cursors, next]) }, texts.older);
  const draw = rows(list, (meeting) => meeting.id, row);

  const isSought = () => query.value.trim() !== "" || state.value === "planned";

  function matches(meeting) {
    if (state.value === "planned" && !meeting.data?.planned) return false;
    const text = [meeting.data?.name, meeting.native_meeting_id, meeting.constructed_meeting_url, platformOf(meeting), `#${meeting.id}`]
      .join("\n").toLocaleLowerCase();
    return query.value.trim().toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  async function ask(signal) {
    let [cursor, looked, meetings] = [cursors.at(-1), 0, []];
    for (let round = 1; ; round++) {
      const page = await get("/meetings", {
        query: {
          limit: isSought() ? searchSize : pageSize, cursor, status: state.value === "planned" ? "" : state.value,
        },
        signal,
      });
      looked += page.meetings.length;
      meetings.push(...(isSought() ? page.meetings.filter(matches) : page.meetings));
      if (meetings.length >= (isSought() ? pageSize : 1) || !page.next_cursor || round === searchRounds) {
        isLong = round > 1;
        return { meetings, next: page.next_cursor, looked };
      }
      cursor = page.next_cursor;
    }
  }

  function show(found) {
    next = found.next;
    draw(found.meetings);
    newer.hidden = cursors.length === 1;
    older.hidden = !next;
    const isFirstVisit = !found.meetings.length && !isSought() && !state.value && cursors.length === 1 && !next;
    empty.hidden = found.meetings.length > 0;
    empty.replaceChildren(h("p", {}, isFirstVisit ? (mayAs("member") ? texts.noMeetings : texts.noMeetingsToRead)
      : next ? texts.notFoundYet(plural(found.looked, texts.meetingForms)) : texts.notFound));
    const text = plural(found.meetings.length, texts.shownForms);
    count.textContent = found.meetings.length ? text : "";
    // Those who do not see it are told what their search has found, and not each turn of the feed.
    if (counted !== null && counted !== text) announce(text);
    counted = null;
  }

  function turn(to) {
    cursors = to;
    counted = "";
    feed.again();
  }

  function seek() {
    clearTimeout(seek.timer);
    seek.timer = setTimeout(() => turn([null]), 250);
  }
  query.addEventListener("input", seek);
  state.addEventListener("change", () => turn([null]));

  function row(meeting) {
    const reason = reasonOf(meeting);
    return [
      h("div", { class: "grow" },
        h("a", { class: "name", href: `#/meetings/${meeting.id}`, "data-focus": "name" }, said(nameOf(meeting))),
        h("p", { class: "faint" }, `#${meeting.id} · ${platformOf(meeting)} · `, said(meeting.native_meeting_id))),
      h("div", { class: "state" }, statePill(meeting), reason ? h("p", { class: "faint" }, reason) : null),
      h("div", { class: "when faint" }, when(meeting)),
      h("div", { class: "buttons" }, buttons(meeting)),
    ];
  }

  function buttons(meeting) {
    if (!mayAs("member")) return null;
    const named = (text, properties) => h("button", {
      type: "button", "aria-label": texts.buttonFor(text, nameOf(meeting)), ...properties,
    }, text);
    if (isRunning(meeting) && meeting.status !== "stopping") {
      return named(texts.stop, { "data-focus": "stop", onclick: () => stop(meeting, place, () => feed.again()) });
    }
    if (meeting.data?.planned) {
      const wish = newWish();
      return named(texts.send, {
        "data-focus": "send",
        onclick: (event) => act(event.currentTarget, place, async () => {
          await change("POST", "/bots", { body: botLike(meeting), wish });
          place.say(texts.sent(nameOf(meeting)));
          feed.again();
        }),
      });
    }
    return null;
  }

  main.append(...[
    h("h1", {}, texts.meetings),
    mayAs("member") ? sendForm(() => turn([null])) : h("p", { class: "notice" }, texts.onlyReads),
    place.element,
    h("section", { "aria-labelledby": "list" },
      h("h2", { id: "list", class: "unseen" }, texts.listTitle),
      h("form", { class: "fields wide-first", role: "search", onsubmit: (event) => event.preventDefault() },
        field(texts.search, query), field(texts.state, state)),
      count, list, empty, h("div", { class: "buttons" }, newer, older)),
  ]);
  newer.hidden = older.hidden = true;
  place.sayLeft();

  let [live, cursor] = [null, null];
  const feed = follow(ask, {
    show,
    every: () => (isSought() ? (isLong ? Infinity : searchPauseMilliseconds) : live?.isTelling() ? toldPauseMilliseconds : 2_500),
    trouble: troubleOf(place),
  });
  live = listen("/events", {
    query: { only: "statuses" },
    after: () => cursor,
    take(message) {
      cursor = message.cursor;
      if (!isSought() && ["meeting.status", "reset"].includes(message.type)) feed.soon();
    },
    turned: (isTelling) => isTelling || feed.again(),
  });
  return () => {
    clearTimeout(seek.timer);
    live.stop();
    feed.stop();
  };
}

function when(meeting) {
  switch (stateOf(meeting)) {
    case "scheduled": case "missed": return [texts.forTime, " ", moment(meeting.data.scheduled_at)];
    case "active": return [texts.since, " ", moment(meeting.start_time)];
    case "completed": case "failed":
      return meeting.start_time
        ? [moment(meeting.start_time), ", ", span(meeting.start_time, meeting.end_time)]
        : moment(meeting.updated_at);
    default: return [texts.made, " ", moment(meeting.created_at)];
  }
}

/** A bot as the meeting's last. The link says more than the room: its host, a passcode, a ticket. */
export function botLike({ constructed_meeting_url: meeting_url, data: { bot_name, language } }) {
  return { meeting_url, bot_name, language };
}

/** Stops the bot of a meeting, once it was asked whether that is meant. */
export function stop(meeting, place, done) {
  const wish = newWish();
  askFirst({ title: texts.stopTitle(nameOf(meeting)), words: texts.stopWords, yes: texts.stop, isGrave: true }, async () => {
    // This meeting's bot: the room may have another by now, or a plan for next week.
    const answer = await change("DELETE", `/bots/${roomPath(meeting)}?meeting_id=${meeting.id}`, { wish });
    place.say(texts.answered(nameOf(meeting), answer.message));
    done();
  });
}
