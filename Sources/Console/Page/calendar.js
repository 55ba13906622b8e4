// One calendar: what came of its last reading, what is planned of it next, and how it is changed.

import { calendarFields, calendarState } from "/console/calendars.js";
import { change, get } from "/console/api.js";
import { button, facts, fill, h, said } from "/console/dom.js";
import { follow, seldom } from "/console/feed.js";
import { moment, pill } from "/console/format.js";
import { act, askFirst, isFinal, noticePlace, sayNext, troubleOf } from "/console/notices.js";
import { texts } from "/console/texts.js";

export function calendarPage(main, { id, setTitle }) {
  const path = `/user/calendars/${encodeURIComponent(id)}`;
  const place = noticePlace();
  const heading = h("h1", {}, texts.titles.calendarPage());
  const state = h("div", { class: "state" });
  const buttons = h("div", { class: "buttons" });
  const reading = h("div");
  const form = h("div");
  const next = h("ul", { class: "rows", "aria-label": texts.comesNext });
  const empty = h("p", { class: "empty" }, texts.nothingNext);
  const body = h("div", { hidden: true }, state, buttons, reading,
    h("section", { "aria-labelledby": "next" }, h("h2", { id: "next" }, texts.comesNext), next, empty), h("section", {}, form));
  const shown = {};
  main.append(h("p", {}, h("a", { href: "#/calendars" }, texts.allCalendars)), heading, place.element, body);

  const trouble = troubleOf(place, isFinal);
  const feed = follow(async (signal) => {
    const [found, { calendars }] = await Promise.all([
      get(`${path}/sync`, { signal }), get("/user/calendars", { signal })]);
    return { found, calendar: calendars.find((one) => one.id === id) };
  }, {
    every: seldom,
    show({ found, calendar }) {
      // It went between the two answers: the next one says so.
      if (!calendar) return;
      body.hidden = false;
      if (isNew("reading", found)) drawReading(found);
      if (isNew("state", calendar)) fill(state, calendarState(calendar));
      if (isNew("settings", { ...calendar, last_sync: null, last_error: null })) drawSettings(calendar);
    },
    trouble(error) {
      trouble(error);
      if (!error || !isFinal(error)) return;
      feed.stop();
      body.hidden = true;
    },
  });

  function isNew(name, value) {
    const form = JSON.stringify(value);
    const differs = shown[name] !== form;
    shown[name] = form;
    return differs;
  }

  function drawReading({ last_error: problem, is_syncing: isReading, counts, skipped, next: meetings }) {
    const words = Object.entries(skipped).filter(([, count]) => count > 0)
      .map(([reason, count]) => `${count} ${texts.skipped(reason)}`);
    fill(reading, problem ? h("div", { class: "notice bad" }, h("p", {}, said(texts.trouble(problem))), h("p", {}, texts.plansStay)) : null,
      isReading ? h("p", {}, pill(texts.isReading, "way")) : null,
      facts([
        [texts.lastChanged, texts.changedPlans(counts)],
        [texts.leftOut, words.join(", ") || texts.nothing],
      ]));
    next.replaceChildren(...meetings.map((meeting) => h("li", { class: "row" },
      h("a", { class: "name", href: `#/meetings/${meeting.meeting_id}` }, said(meeting.name ?? texts.titles.meetingPage(meeting.meeting_id))),
      h("span", {}, moment(meeting.scheduled_at)))));
    empty.hidden = meetings.length > 0;
  }

  function drawSettings(calendar) {
    heading.replaceChildren(said(calendar.name));
    setTitle(calendar.name);
    fill(buttons,
      calendar.enabled ? button(texts.readNow, "read", readNow) : null,
      button(calendar.enabled ? texts.disable : texts.enable, "enable", (event) => enable(event, calendar)),
      button(texts.remove, "remove", () => remove(calendar), "grave"));
    const { elements, wish } = calendarFields(calendar);
    const save = h("button", { class: "main", "data-focus": "save" }, texts.saveCalendar);
    const notice = noticePlace();
    fill(form, h("form", {
      class: "card",
      onsubmit(event) {
        event.preventDefault();
        act(save, notice, async () => {
          const body = wish();
          if (Object.keys(body).length > 0) await change("PATCH", path, { body });
          place.say(texts.calendarChanged);
          feed.again();
        });
      },
    }, h("h2", {}, texts.changeCalendar), elements, save, notice.element));
  }

  const readNow = (event) => act(event.currentTarget, place, async () => {
    const found = await change("POST", `${path}/sync`);
    if (!found.is_syncing && !found.last_error) place.say(texts.wasRead);
    feed.again();
  });

  const enable = (event, { enabled }) => {
    if (enabled) {
      askFirst({ title: texts.disableCalendarTitle, words: [texts.disableCalendarWords], yes: texts.disable }, () => switchTo(false));
    } else {
      act(event.currentTarget, place, () => switchTo(true));
    }
  };

  async function switchTo(enabled) {
    await change("PATCH", path, { body: { enabled } });
    place.say(enabled ? texts.calendarEnabled : texts.calendarDisabled);
    feed.again();
  }

  function remove(calendar) {
    askFirst({
      title: texts.removeTitle(calendar.name), words: [texts.removeCalendarWords], yes: texts.remove, isGrave: true,
    }, async () => {
      await change("DELETE", path);
      sayNext(texts.calendarRemoved, place, "#/calendars");
    });
  }

  return () => feed.stop();
}
