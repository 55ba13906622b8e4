// One meeting: how it stands, what can be done about it, and what is said in it.

import { change, get, newWish } from "/console/api.js";
import { button, facts, field, fill, h, outward, said } from "/console/dom.js";
import { follow } from "/console/feed.js";
import {
  isOver, isRunning, moment, nameOf, platformOf, reasonOf, roomPath, span, statePill, stateOf,
} from "/console/format.js";
import { botLike, stop } from "/console/meetings.js";
import { act, announce, askFirst, isFinal, noticePlace, sayNext, troubleOf } from "/console/notices.js";
import { planForm } from "/console/plan.js";
import { texts } from "/console/texts.js";
import { timeline } from "/console/timeline.js";
import { transcript } from "/console/transcript.js";

// Of what is written to a record nothing is told.
const toldPauseMilliseconds = 15_000;

export function meetingPage(main, { id, caller, mayAs, setTitle }) {
  let meeting = null;
  let form = null;
  const place = noticePlace();
  const heading = h("h1", {}, texts.titles.meetingPage(id));
  const state = h("div", { class: "state" });
  const buttons = h("div", { class: "buttons" });
  const plan = h("div");
  const language = languageForm();
  const details = h("div");
  const history = timeline({ caller, mayAs });
  const words = transcript(place, { onStatus: () => feed.soon() });
  const body = h("div", { hidden: true }, state, buttons, plan, language, words.element,
    h("section", { "aria-labelledby": "facts" }, h("h2", { id: "facts" }, texts.factsTitle), details), history.element);
  main.append(h("p", {}, h("a", { href: "#/meetings" }, texts.allMeetings)), heading, place.element, body);
  place.sayLeft();

  const path = `/meetings/${id}`;
  const trouble = troubleOf(place, isFinal);
  const feed = follow((signal) => get(path, { signal }), {
    show,
    every: () => (words.isTelling() ? toldPauseMilliseconds : 2_500),
    trouble(error) {
      trouble(error);
      if (!error || !isFinal(error)) return;
      feed.stop();
      words.stop();
      body.hidden = true;
    },
  });

  function show(found) {
    const next = JSON.stringify(found);
    const before = meeting && stateOf(meeting);
    meeting = found;
    words.element.hidden = Boolean(found.data?.planned);
    words.show(found);
    history.show(found);
    if (next === form) return;
    form = next;
    body.hidden = false;
    heading.replaceChildren(said(nameOf(found)));
    setTitle(nameOf(found));
    const now = stateOf(found);
    const reason = reasonOf(found);
    state.replaceChildren(statePill(found), ...(reason ? [h("span", {}, reason)] : []));
    if (before && before !== now) announce(texts.nowIs(texts.states[now] ?? now));
    if (before !== now) {
      fill(buttons, actions(found));
      language.hidden = !(now === "active" && mayAs("member"));
    }
    // What somebody is about to change stays.
    if (before !== now || !plan.contains(document.activeElement)) {
      const isPlan = found.data?.planned && mayAs("member");
      plan.replaceChildren(...(isPlan ? [planForm(found, () => feed.again())] : []));
    }
    details.replaceChildren(factsOf(found));
  }

  function actions(found) {
    if (isRunning(found) && found.status !== "stopping" && mayAs("member")) {
      return button(texts.stop, "stop", () => stop(found, place, () => feed.again()), "grave");
    }
    if (found.data?.planned && mayAs("member")) {
      const wish = newWish();
      return button(texts.send, "send", (event) => act(event.currentTarget, place, () => send(found, wish)), "main");
    }
    if (!isOver(found)) return null;
    return [mayRestart(found), mayAs("member")
      ? button(texts.sendAnother, "another", () => ask(texts.anotherTitle, texts.anotherWords, texts.sendAnother, (wish) => send(found, wish)))
      : null];
  }

  /** The other API's operation, which has its own scope, role and platform. */
  function mayRestart(found) {
    const missing = found.platform !== "google_meet" ? texts.restartPlatform
      : !mayAs("manager") ? texts.restartRole
        : !caller.scopes.includes("seameet") ? texts.restartScope : null;
    if (missing) return h("p", { class: "faint" }, missing);
    return button(texts.restart, "restart", () => ask(texts.restartTitle, texts.restartWords, texts.restart, async (wish) => {
      const room = `/api/v1/public/meeting/${encodeURIComponent(caller.workspace_id)}/meetings`;
      await change("POST", `${room}/${encodeURIComponent(found.data.meeting_id)}/reinvite_bot`, { body: { force_restart: true }, wish });
      place.say(texts.restarted(nameOf(found)));
      feed.again();
    }), "main");
  }

  function ask(title, words, yes, work) {
    const wish = newWish();
    askFirst({ title: title(nameOf(meeting)), words, yes }, () => work(wish));
  }

  async function send(found, wish) {
    const made = await change("POST", "/bots", { body: botLike(found), wish });
    if (made.id !== found.id) {
      sayNext(texts.sent(nameOf(found)), place, `#/meetings/${made.id}`);
    } else {
      place.say(texts.sent(nameOf(found)));
      feed.again();
    }
  }

  function languageForm() {
    const input = h("input", { type: "text", required: true, maxlength: "35", autocomplete: "off", placeholder: "es" });
    const button = h("button", {}, texts.changeLanguage);
    return h("form", {
      class: "inline", hidden: true,
      onsubmit(event) {
        event.preventDefault();
        act(button, place, async () => {
          await change("PUT", `/bots/${roomPath(meeting)}/config?meeting_id=${id}`, { body: { language: input.value.trim() } });
          place.say(texts.languageChanged(input.value.trim()));
          input.value = "";
          feed.again();
        });
      },
    }, field(texts.languageOfBot, input), button);
  }

  return () => {
    feed.stop();
    words.stop();
    history.stop();
  };
}

function list(texts) {
  return Array.isArray(texts) && texts.length ? texts.map((text, index) => [index ? ", " : "", said(text)]) : null;
}

function factsOf(meeting) {
  const data = meeting.data ?? {};
  const names = texts.facts;
  return facts([
    [names.number, `#${meeting.id}`],
    [names.room, [platformOf(meeting), " ", said(meeting.native_meeting_id)]],
    [names.link, outward(meeting.constructed_meeting_url)],
    [names.made, moment(meeting.created_at)],
    [names.plannedFor, moment(data.scheduled_at)],
    [names.autoJoin, data.planned && data.scheduled_at ? (data.auto_join ? texts.yes : texts.no) : null],
    [names.missed, moment(data.missed_at)],
    [names.start, moment(meeting.start_time)],
    [names.end, moment(meeting.end_time)],
    [names.lasted, meeting.start_time && meeting.end_time ? span(meeting.start_time, meeting.end_time) : null],
    [names.why, reasonOf(meeting)],
    [names.told, data.error_details ? h("pre", { tabindex: "0" }, data.error_details) : null],
    [names.exitCode, data.exit_code],
    [names.exitSignal, data.exit_signal],
    [names.botName, data.bot_name ? said(data.bot_name) : null],
    [names.language, data.language ? said(data.language) : null],
    [names.participants, list(data.participants)],
    [names.languages, list(data.languages)],
    [names.notes, data.notes ? said(data.notes) : null],
    [names.id, h("code", {}, data.meeting_id)],
  ]);
}
