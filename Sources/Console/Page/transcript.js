// What is said in a meeting, as it is said: drafts as drafts, each speaker in a colour and with a sign of their own.

import { get } from "/console/api.js";
import { field, h, said } from "/console/dom.js";
import { follow } from "/console/feed.js";
import { duration, nameOf, plural, roomPath, timeOfDay } from "/console/format.js";
import { isPassing, tellOfFeed } from "/console/notices.js";
import { texts } from "/console/texts.js";

const pageSize = 10_000;
// Of the newest, what comes after the first draft is asked for again, and a little before it, since what was confirmed may
// still be mended. Now and then all is, so that a draft that somebody forgot costs no whole transcript each time.
const overlap = 20;
const newest = 400;
const wholeEvery = 30;
// So many lines are on the page at first, so many come by a button, and no more than so many stay.
const windowSize = 300;
const mostLines = 900;
const signs = ["●", "■", "▲", "◆", "★", "✚", "▼", "◐"];
// Of a meeting that is over, the last words come within moments; then there is nothing more to ask for.
const roundsAfterEnd = 8;
const nearEnd = 80;

/** @param current returns the meeting; nothing is asked for before it is known. */
export function transcript(place, current) {
  let segments = [];
  // Which lines are on the page: from `first` to before `last`; Infinity is all that come.
  let [first, last] = [0, Infinity];
  let feed = null;
  let [isRunning, roundsLeft, rounds] = [false, roundsAfterEnd, 0];
  let pattern = null;
  let at = -1;
  const speakers = new Map();
  const known = new Map();

  const list = h("ol", { class: "transcript" });
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": texts.whatWasSaid, hidden: true }, list);
  const earlier = h("button", { type: "button", hidden: true, onclick: showEarlier }, texts.earlier);
  const later = h("button", { type: "button", hidden: true, onclick: showLater }, texts.later);
  const query = h("input", { type: "search", maxlength: "200", autocomplete: "off" });
  const found = h("span", { class: "faint", role: "status" });
  const count = h("p", { class: "faint" });
  const empty = h("p", { class: "empty" }, texts.nothingSaid);
  const tools = h("div", { class: "inline", hidden: true },
    field(texts.find, query),
    h("button", { type: "button", onclick: () => step(-1) }, texts.previousMatch),
    h("button", { type: "button", onclick: () => step(1) }, texts.nextMatch), found,
    h("span", { class: "grow" }),
    h("button", { type: "button", onclick: () => download("txt") }, texts.downloadText),
    h("button", { type: "button", onclick: () => download("json") }, texts.downloadJSON));
  const element = h("section", { "aria-labelledby": "transcript" },
    h("h2", { id: "transcript" }, texts.transcript), tools, count, earlier, scroll, later, empty);

  // MARK: The feed

  const key = (segment) => `${segment.session_uid}:${segment.segment_id}`;

  async function ask(signal) {
    const path = `/transcripts/${roomPath(current())}`;
    const isWhole = rounds++ % wholeEvery === 0 || roundsLeft === 1;
    const draft = segments.findIndex((segment) => !segment.completed);
    let from = isWhole ? 0 : Math.max(0, segments.length - newest, (draft < 0 ? segments.length : draft) - overlap);
    let list = segments.slice(0, from);
    for (;;) {
      const page = await get(path, { query: { meeting_id: current().id, offset: list.length, limit: pageSize }, signal });
      const isShifted = from > 0 && list.length === from && (!page.segments.length || key(page.segments[0]) !== key(segments[from]));
      if (isShifted) {
        // Something came in, or went, further up: all of it is read anew.
        [from, list] = [0, []];
        continue;
      }
      list = list.concat(page.segments);
      if (page.segments.length < pageSize) return list;
    }
  }

  function show(now) {
    const isFollowed = last === Infinity && scroll.scrollTop + scroll.clientHeight > scroll.scrollHeight - nearEnd;
    const isFirst = !segments.length;
    segments = now;
    if (isFirst) first = Math.max(0, segments.length - windowSize);
    // Whoever reads further up is not moved.
    if (isFollowed) first = Math.max(first, segments.length - mostLines);
    draw();
    if (isFollowed || isFirst) scroll.scrollTop = scroll.scrollHeight;
    if (!isRunning && --roundsLeft <= 0) stop();
  }

  function stop() {
    feed?.stop();
    feed = null;
  }

  function isLive(flag) {
    const begins = flag && !isRunning;
    if (!flag && isRunning) [roundsLeft, rounds] = [roundsAfterEnd, 0];
    isRunning = flag;
    if (feed || !(begins || roundsLeft > 0)) return;
    feed = follow(ask, {
      show,
      // The longer it is, the more it costs to look where it ends.
      every: () => 2_000 + segments.length / 2,
      trouble: (error) => error && !isPassing(error) ? place.refuse(error) : tellOfFeed(error),
    });
  }

  // MARK: The list

  function draw() {
    const isEmpty = !segments.length;
    scroll.hidden = tools.hidden = count.hidden = isEmpty;
    empty.hidden = !isEmpty;
    first = Math.min(first, Math.max(0, segments.length - 1));
    earlier.hidden = first === 0;
    const end = Math.min(last, segments.length);
    later.hidden = end === segments.length;
    const drafts = segments.filter((segment) => !segment.completed).length;
    count.textContent = [plural(segments.length, texts.segmentForms), drafts ? plural(drafts, texts.draftForms) : ""].filter(Boolean).join(", ");
    for (const { speaker } of segments) if (!speakers.has(speaker)) speakers.set(speaker, speakers.size % signs.length);
    let next = list.firstChild;
    const stale = new Set(known.keys());
    for (let index = first; index < end; index++) {
      const segment = segments[index];
      const isReturn = index > 0 && segments[index - 1].session_uid !== segment.session_uid;
      const line = lineOf(segment, isReturn);
      stale.delete(key(segment));
      if (line === next) next = next.nextSibling;
      else list.insertBefore(line, next);
    }
    for (const name of stale) {
      known.get(name).line.remove();
      known.delete(name);
    }
    tellFound();
  }

  function lineOf(segment, isReturn) {
    const form = JSON.stringify([segment, isReturn, pattern?.source]);
    let entry = known.get(key(segment));
    if (!entry) {
      entry = { line: h("li") };
      known.set(key(segment), entry);
    }
    if (entry.form === form) return entry.line;
    entry.form = form;
    const number = speakers.get(segment.speaker);
    entry.line.className = segment.completed ? "" : "draft";
    entry.line.replaceChildren(...[
      isReturn ? h("p", { class: "session" }, texts.botReturned) : null,
      h("span", { class: `speaker s${number}` }, h("span", { "aria-hidden": "true" }, signs[number], " "),
        said(segment.speaker || texts.someone)),
      " ", h("span", { class: "faint" }, timeOfDay(segment.absolute_start_time) ?? duration(segment.start)),
      segment.source === "chat" ? h("span", { class: "tag" }, texts.chat) : null,
      segment.completed ? null : h("span", { class: "tag" }, texts.draft),
      h("p", { dir: "auto", lang: segment.language || null }, marked(segment.text)),
    ].filter(Boolean));
    return entry.line;
  }

  function showEarlier() {
    const top = list.firstChild;
    first = Math.max(0, first - windowSize);
    if (Math.min(last, segments.length) - first > mostLines) last = first + mostLines;
    draw();
    top.scrollIntoView({ block: "start" });
  }

  function showLater() {
    const bottom = list.lastChild;
    last = last + windowSize >= segments.length ? Infinity : last + windowSize;
    first = Math.max(first, Math.min(last, segments.length) - mostLines);
    draw();
    bottom.scrollIntoView({ block: "end" });
  }

  /** Where it is not on the page, what is around it takes the place of what is there. */
  function showAround(index) {
    if (index >= first && index < last) return;
    first = Math.max(0, index - windowSize / 2);
    last = first + windowSize >= segments.length ? Infinity : first + windowSize;
    draw();
  }

  // MARK: To find a text

  function marked(text) {
    if (!pattern) return text;
    const parts = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      parts.push(text.slice(end, match.index), h("mark", {}, match[0]));
      end = match.index + match[0].length;
    }
    return [...parts, text.slice(end)];
  }

  function matching() {
    if (!pattern) return [];
    return segments.flatMap((segment, index) => (segment.text.search(pattern) >= 0 ? [index] : []));
  }

  function tellFound() {
    const text = pattern ? plural(matching().length, texts.foundForms) : "";
    if (found.textContent !== text) found.textContent = text;
  }

  function step(by) {
    const all = matching();
    if (!all.length) return;
    at = (at + by + all.length) % all.length;
    showAround(all[at]);
    const { line } = known.get(key(segments[all[at]]));
    for (const other of list.querySelectorAll(".at")) other.classList.remove("at");
    line.classList.add("at");
    line.scrollIntoView({ block: "nearest" });
  }

  query.addEventListener("input", () => {
    const text = query.value.trim();
    pattern = text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu") : null;
    at = -1;
    draw();
    if (pattern) step(1);
  });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
  });

  // MARK: To take it away

  function download(kind) {
    const meeting = current();
    const text = kind === "json" ? JSON.stringify({ meeting, segments }, null, 1) : [nameOf(meeting), "", ...segments.map(plain)].join("\n");
    const url = URL.createObjectURL(new Blob([text, "\n"], { type: kind === "json" ? "application/json" : "text/plain" }));
    h("a", { href: url, download: `meeting-${meeting.id}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  function plain(segment) {
    const time = segment.absolute_start_time ?? duration(segment.start);
    const words = `${segment.speaker || texts.someone}: ${segment.text}`.replace(/\s+/g, " ");
    return `[${time}] ${words}${segment.completed ? "" : ` (${texts.draft})`}`;
  }

  return { element, isLive, stop };
}
