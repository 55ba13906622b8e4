// Times, numbers and states in words: in the reader's zone, and in the language of the texts.

import { h } from "/console/dom.js";
import { language, texts } from "/console/texts.js";

const locale = navigator.languages?.find((one) => one.toLowerCase().startsWith(language)) ?? language;
const whole = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" });
const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const dayOfYear = new Intl.DateTimeFormat(locale, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
});
const second = new Intl.DateTimeFormat(locale, {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const plurals = new Intl.PluralRules(locale);
const numbers = new Intl.NumberFormat(locale);

/** `forms` has `other`, and what the language has besides; # is the number. */
export function plural(count, forms) {
  return (forms[plurals.select(count)] ?? forms.other).replace("#", numbers.format(count));
}

export function number(value) {
  return numbers.format(value);
}

/** A size in the largest unit of which there is one. */
export function bytes(count) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return new Intl.NumberFormat(locale, { style: "unit", unit: units[power], maximumFractionDigits: 1 }).format(count / 1_000 ** power);
}

function parsed(text) {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? null : date;
}

function element(text, format) {
  const date = parsed(text);
  return date && h("time", { datetime: date.toISOString(), title: whole.format(date) }, format.format(date));
}

/** A day and a time; null for what is none. */
export function moment(text) {
  const date = parsed(text);
  return date && element(text, date.getFullYear() === new Date().getFullYear() ? day : dayOfYear);
}

export function momentWithSeconds(text) {
  return element(text, second);
}

export function timeOfDay(text) {
  return element(text, clock);
}

/** @param time milliseconds since 1970. */
export function clockTime(time) {
  return clock.format(new Date(time));
}

/** From one time to another, or to now. */
export function span(from, to) {
  const [start, end] = [parsed(from), to ? parsed(to) : new Date()];
  return start && end && duration((end - start) / 1_000);
}

export function duration(seconds) {
  const total = Math.max(0, Math.round(seconds));
  const parts = [[Math.floor(total / 3_600), "hour"], [Math.floor(total / 60) % 60, "minute"], [total % 60, "second"]];
  const shown = parts.filter(([count]) => count > 0).slice(0, 2);
  return (shown.length ? shown : [[0, "second"]])
    .map(([count, unit]) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(count))
    .join(" ");
}

/** A time in a recording, such as 1:05:00. */
export function clockOf(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3_600);
  return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** What `datetime-local` takes, in the reader's zone. */
export function localField(text) {
  const date = parsed(text);
  if (!date) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The other way round; null for an empty one. */
export function fromLocalField(text) {
  return parsed(text)?.toISOString() ?? null;
}

// MARK: Meetings

/** The state of a meeting: one that had no bot yet is planned, whatever its status is called. */
export function stateOf(meeting) {
  if (!meeting.data?.planned) return meeting.status;
  if (meeting.data.missed_at) return "missed";
  return meeting.data.scheduled_at ? "scheduled" : "idle";
}

const kinds = {
  scheduled: "plan", idle: "plan", missed: "bad", requested: "way", joining: "way", awaiting_admission: "wait",
  needs_help: "wait", active: "live", stopping: "way", completed: "over", failed: "bad",
};

export function statePill(meeting) {
  const state = stateOf(meeting);
  return pill(texts.states[state] ?? state, kinds[state] ?? "over");
}

export function pill(text, kind) {
  return h("span", { class: `pill ${kind}` }, text);
}

export const isRunning = (meeting) =>
  !meeting.data?.planned && !["completed", "failed"].includes(meeting.status);
export const isOver = (meeting) => !meeting.data?.planned && ["completed", "failed"].includes(meeting.status);

/** What people call it. */
export function nameOf(meeting) {
  return meeting.data?.name || meeting.native_meeting_id;
}

export function platformOf(meeting) {
  return texts.platforms[meeting.platform] ?? meeting.platform;
}

/** Why it is as it is, in words; null if there is nothing to say. */
export function reasonOf(meeting) {
  const data = meeting.data ?? {};
  if (data.planned) return data.auto_join_error ? texts.reason(data.auto_join_error) : null;
  if (meeting.status === "failed") {
    const parts = [meeting.failure_stage && texts.failedAt(meeting.failure_stage),
      meeting.completion_reason && texts.reason(meeting.completion_reason)];
    return parts.filter(Boolean).join("; ") || null;
  }
  return meeting.completion_reason ? texts.reason(meeting.completion_reason) : null;
}

/** Its path for the requests that name a room. */
export function roomPath(meeting) {
  return `${encodeURIComponent(meeting.platform)}/${encodeURIComponent(meeting.native_meeting_id)}`;
}
