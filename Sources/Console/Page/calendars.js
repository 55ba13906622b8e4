// The calendars of the one who is signed in, and how one is added.

import { change, get } from "/console/api.js";
import { field, h, rows, said } from "/console/dom.js";
import { follow, seldom } from "/console/feed.js";
import { moment, pill } from "/console/format.js";
import { act, noticePlace, troubleOf } from "/console/notices.js";
import { texts } from "/console/texts.js";

export function calendarsPage(main) {
  const place = noticePlace();
  const list = h("ul", { class: "rows", "aria-label": texts.calendars });
  const empty = h("p", { class: "empty", hidden: true }, texts.noCalendars);
  const draw = rows(list, (calendar) => calendar.id, (calendar) => [
    h("div", { class: "grow" },
      h("a", { class: "name", href: `#/calendars/${calendar.id}`, "data-focus": "name" }, said(calendar.name)),
      h("p", { class: "faint" }, h("code", {}, calendar.ics_url_masked)),
      calendar.last_error ? h("p", {}, said(texts.trouble(calendar.last_error))) : null),
    h("div", { class: "state" }, calendarState(calendar)),
  ]);
  main.append(h("h1", {}, texts.calendars), h("p", {}, texts.calendarsWords), newForm(() => feed.again()), place.element, list, empty);
  place.sayLeft();

  const feed = follow((signal) => get("/user/calendars", { signal }), {
    every: seldom,
    show({ calendars }) {
      draw(calendars);
      empty.hidden = calendars.length > 0;
    },
    trouble: troubleOf(place),
  });
  return () => feed.stop();
}

/** How a calendar stands, and since when. */
export function calendarState(calendar) {
  const read = calendar.last_sync ? [texts.lastRead, " ", moment(calendar.last_sync)] : texts.neverRead;
  let state = pill(texts.enabled, "live");
  if (!calendar.enabled) state = pill(texts.disabled, "over");
  else if (calendar.last_error) state = pill(texts.hasProblem, "bad");
  else if (!calendar.last_sync) state = pill(texts.waitsForReading, "wait");
  return [state, h("p", { class: "faint" }, read)];
}

/** What a form has of a calendar; without one it is for a new one, whose address is needed. */
export function calendarFields(calendar) {
  const name = h("input", { type: "text", required: true, maxlength: "200", autocomplete: "off", value: calendar?.name });
  // As a password: it is one, and who looks over a shoulder would read the calendar.
  const url = h("input", {
    type: "password", required: !calendar, autocomplete: "off", spellcheck: "false", maxlength: "2048",
    placeholder: calendar?.ics_url_masked,
  });
  const botName = h("input", { type: "text", maxlength: "100", autocomplete: "off", value: calendar?.bot_name });
  const autoJoin = h("input", { type: "checkbox", checked: calendar?.auto_join ?? true });
  return {
    elements: [
      h("div", { class: "fields" }, field(texts.calendarName, name),
        field(texts.calendarURL, url, calendar ? texts.newURLHint : texts.calendarURLHint), field(texts.botName, botName)),
      h("label", { class: "check" }, autoJoin, texts.sendsBots),
    ],
    /** What differs from how it was shown: what nobody touched somebody else may have changed since. */
    wish() {
      const body = {};
      if (name.value.trim() !== (calendar?.name ?? "")) body.name = name.value.trim();
      if (url.value.trim()) body.ics_url = url.value.trim();
      if (botName.value.trim() !== (calendar?.bot_name ?? "")) body.bot_name = botName.value.trim() || null;
      if (autoJoin.checked !== (calendar?.auto_join ?? true)) body.auto_join = autoJoin.checked;
      return body;
    },
  };
}

function newForm(onMade) {
  const place = noticePlace();
  const { elements, wish } = calendarFields(null);
  const button = h("button", { class: "main" }, texts.addCalendar);
  const form = h("form", { class: "card" }, h("h2", {}, texts.newCalendar), elements, button, place.element);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(button, place, async () => {
      const made = await change("POST", "/user/calendars", { body: wish() });
      form.reset();
      place.say(texts.calendarAdded(made.name));
      onMade();
    });
  });
  return form;
}
