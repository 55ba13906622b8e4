// What is said in a meeting, as it is said: drafts as drafts, each speaker in a colour and with a sign of their own.

import { NoAnswer, get } from "/console/api.js";
import { field, h, option, said } from "/console/dom.js";
import { follow, listen } from "/console/feed.js";
import { duration, plural, roomPath, timeOfDay } from "/console/format.js";
import { act, troubleOf } from "/console/notices.js";
import { Segments, isLater, keyOf } from "/console/segments.js";
import { sound } from "/console/sound.js";
import { texts } from "/console/texts.js";

const pageSize = 5_000;
// Of a transcript that is changed further up each time that it is read.
const mostRounds = 5;
const toldPauseMilliseconds = 15_000;
// So many lines are on the page at first, so many come by a button, and no more than so many stay.
const windowSize = 300;
const mostLines = 900;
const signs = ["●", "■", "▲", "◆", "★", "✚", "▼", "◐"];
const nearEnd = 80;

/** @param onStatus is told when the state of the meeting has changed. */
export function transcript(place, { onStatus }) {
  let segments = new Segments();
  let meeting = null;
  // Up to where the changes are known; null: all is to be read anew.
  let cursor = null;
  // Which lines are on the page: from `first` to before `last`; Infinity is all that come.
  let [first, last] = [0, Infinity];
  let [feed, live, drawing] = [null, null, 0];
  let pattern = null;
  let at = -1;
  // The line that is to be heard.
  let spoken = null;
  const known = new Map();

  const player = sound(place, hearing);
  const list = h("ol", { class: "transcript" });
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": texts.whatWasSaid, hidden: true }, list);
  const earlier = h("button", { type: "button", hidden: true, onclick: showEarlier }, texts.earlier);
  const later = h("button", { type: "button", hidden: true, onclick: showLater }, texts.later);
  const query = h("input", { type: "search", maxlength: "200", autocomplete: "off" });
  const found = h("span", { class: "faint", role: "status" });
  const form = h("select", {}, texts.forms.map(([name, text]) => option(name, text)));
  const downloads = h("button", { type: "button", onclick: () => act(downloads, place, download) }, texts.download);
  const count = h("p", { class: "faint" });
  const empty = h("p", { class: "empty" });
  const tools = h("div", { class: "inline", hidden: true },
    field(texts.find, query),
    h("button", { type: "button", onclick: () => step(-1) }, texts.previousMatch),
    h("button", { type: "button", onclick: () => step(1) }, texts.nextMatch), found,
    h("span", { class: "grow" }),
    field(texts.downloadAs, form), downloads);
  const element = h("section", { "aria-labelledby": "transcript" },
    h("h2", { id: "transcript" }, texts.transcript), player.element, tools, count, earlier, scroll, later, empty);

  // MARK: The feed

  const path = () => `/transcripts/${roomPath(meeting)}`;

  /** All of it, and the cursor from which on it is told: what changes meanwhile comes again. */
  async function readAll(signal) {
    let [all, from, rounds] = [new Segments(segments), null, 0];
    for (;;) {
      // A page begins with the last one of the page before: otherwise something came in, or went, further up.
      const count = all.list.length;
      const offset = Math.max(0, count - 1);
      const page = await get(path(), { query: { meeting_id: meeting.id, offset, limit: pageSize }, signal });
      from ??= page.cursor;
      player.show(page.recordings);
      if (count && (!page.segments.length || keyOf(page.segments[0]) !== keyOf(all.list.at(-1)))) {
        if (++rounds > mostRounds) throw new NoAnswer();
        [all, from] = [new Segments(segments), null];
        continue;
      }
      all.append(count ? page.segments.slice(1) : page.segments);
      if (page.segments.length < pageSize) return { all, cursor: from };
      empty.textContent = texts.reading(plural(all.list.length, texts.segmentForms));
    }
  }

  /** What has changed since the cursor. */
  async function ask(signal) {
    if (cursor === null) return readAll(signal);
    const changes = { pages: [], cursor };
    for (;;) {
      const page = await get(path(), { query: { meeting_id: meeting.id, after: changes.cursor, limit: pageSize }, signal });
      player.show(page.recordings);
      if (page.reset) return readAll(signal);
      changes.pages.push(page);
      changes.cursor = page.cursor;
      if (!page.has_more) return changes;
    }
  }

  function take(found) {
    if (found.all) {
      segments = found.all;
      empty.textContent = texts.nothingSaid;
      empty.className = "empty";
    } else {
      // A node has told more since.
      if (cursor === null || isLater(cursor, found.cursor)) return;
      // What one page takes back, the next may write again.
      for (const page of found.pages) {
        if (!retract(page.retracted)) return;
        for (const segment of page.segments) segments.put(segment);
      }
    }
    cursor = found.cursor;
    // What was told while all was read is told again, from there on.
    if (!live) listenOn();
    else if (found.all) live.again();
    draw();
  }

  function retract(ids) {
    if (ids.every((id) => segments.retract(id))) return true;
    readAnew();
    return false;
  }

  function readAnew() {
    cursor = null;
    feed.again();
  }

  function hear(message) {
    if (message.type === "meeting.status") onStatus();
    // Until all is read there is nothing to put it into; then it is told again.
    if (cursor === null) return;
    if (message.type === "reset") return readAnew();
    if (message.type === "transcript_retract" && !retract(message.segment_ids)) return;
    if (message.type === "transcript") {
      segments.putDrafts(message.speaker, message.pending);
      for (const segment of message.confirmed) segments.put(segment);
    }
    cursor = message.cursor;
    if (message.type !== "subscribed") drawSoon();
  }

  function listenOn() {
    live = listen(`${path()}/events`, {
      query: { meeting_id: meeting.id }, after: () => cursor, take: hear, turned: (isTelling) => isTelling || feed.again(),
    });
  }

  /** Shows what is said in a meeting, from the first time on that it is known. */
  function show(found) {
    meeting = found;
    // Where a bot was in the room there is place for what was said, so that nothing jumps once that comes.
    if (!feed && found.start_time) empty.classList.add("wait");
    feed ??= follow(ask, {
      show: take,
      every: () => (live?.isTelling() ? toldPauseMilliseconds : 2_500),
      // Of nodes that are away the meeting's own page tells.
      trouble: troubleOf(place, (error) => error.isOfAPI),
    });
  }

  function stop() {
    cancelAnimationFrame(drawing);
    player.stop();
    live?.stop();
    feed?.stop();
  }

  // MARK: The list

  function drawSoon() {
    cancelAnimationFrame(drawing);
    drawing = requestAnimationFrame(draw);
  }

  function draw() {
    const isFirst = scroll.hidden;
    const isFollowed = last === Infinity && scroll.scrollTop + scroll.clientHeight > scroll.scrollHeight - nearEnd;
    const total = segments.list.length;
    if (isFirst) first = Math.max(0, total - windowSize);
    // Whoever reads further up is not moved.
    if (isFollowed) first = Math.max(first, total - mostLines);
    else if (last === Infinity && total - first > mostLines) last = first + mostLines;
    drawLines();
    if (isFollowed || isFirst) scroll.scrollTop = scroll.scrollHeight;
  }

  function drawLines() {
    const all = segments.list;
    const isEmpty = !all.length;
    scroll.hidden = tools.hidden = count.hidden = isEmpty;
    empty.hidden = !isEmpty;
    first = Math.min(first, Math.max(0, all.length - 1));
    earlier.hidden = first === 0;
    const end = Math.min(last, all.length);
    later.hidden = end === all.length;
    const drafts = segments.draftCount;
    count.textContent = [plural(all.length, texts.segmentForms), drafts ? plural(drafts, texts.draftForms) : ""].filter(Boolean).join(", ");
    let next = list.firstChild;
    const stale = new Set(known.keys());
    for (let index = first; index < end; index++) {
      const segment = all[index];
      const isReturn = index > 0 && all[index - 1].session_uid !== segment.session_uid;
      const line = lineOf(segment, isReturn);
      stale.delete(keyOf(segment));
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
    const form = JSON.stringify([segment, isReturn, pattern?.source, Boolean(player.from(segment.session_uid, segment.start))]);
    let entry = known.get(keyOf(segment));
    if (!entry) {
      entry = { line: h("li") };
      known.set(keyOf(segment), entry);
    }
    if (entry.form === form) return entry.line;
    entry.form = form;
    const number = segments.speaker(segment) % signs.length;
    entry.line.className = [segment.completed ? "" : "draft", spoken === keyOf(segment) ? "spoken" : ""].join(" ").trim();
    entry.line.replaceChildren(...[
      isReturn ? h("p", { class: "session" }, texts.botReturned) : null,
      h("span", { class: `speaker s${number}` }, h("span", { "aria-hidden": "true" }, signs[number], " "),
        said(segment.speaker || texts.someone)),
      " ", timeOf(segment),
      segment.source === "chat" ? h("span", { class: "tag" }, texts.chat) : null,
      segment.completed ? null : h("span", { class: "tag" }, texts.draft),
      h("p", { dir: "auto", lang: segment.language || null }, marked(segment.text)),
    ].filter(Boolean));
    return entry.line;
  }

  /** Where there is sound, the time of a line plays it from there. */
  function timeOf(segment) {
    const time = timeOfDay(segment.absolute_start_time) ?? duration(segment.start);
    const play = player.from(segment.session_uid, segment.start);
    if (!play) return h("span", { class: "faint" }, time);
    return h("button", { type: "button", class: "plain", title: texts.playFrom, onclick: play }, time);
  }

  /** Shows which line is to be heard. */
  function hearing(session, seconds) {
    const index = segments.indexAt(session, seconds);
    const heard = index < 0 ? null : keyOf(segments.list[index]);
    if (heard === spoken) return;
    known.get(spoken)?.line.classList.remove("spoken");
    spoken = heard;
    if (!heard) return;
    showAround(index);
    const { line } = known.get(heard);
    line.classList.add("spoken");
    // The transcript alone: the reader may be elsewhere on the page.
    scroll.scrollTop = line.offsetTop - scroll.offsetTop - scroll.clientHeight / 2;
  }

  function showEarlier() {
    const top = list.firstChild;
    first = Math.max(0, first - windowSize);
    if (Math.min(last, segments.list.length) - first > mostLines) last = first + mostLines;
    drawLines();
    top.scrollIntoView({ block: "start" });
  }

  function showLater() {
    const bottom = list.lastChild;
    last = last + windowSize >= segments.list.length ? Infinity : last + windowSize;
    first = Math.max(first, Math.min(last, segments.list.length) - mostLines);
    drawLines();
    bottom.scrollIntoView({ block: "end" });
  }

  /** Where it is not on the page, what is around it takes the place of what is there. */
  function showAround(index) {
    if (index >= first && index < last) return;
    first = Math.max(0, index - windowSize / 2);
    last = first + windowSize >= segments.list.length ? Infinity : first + windowSize;
    drawLines();
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
    return segments.list.flatMap((segment, index) => (segment.text.search(pattern) >= 0 ? [index] : []));
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
    const { line } = known.get(keyOf(segments.list[all[at]]));
    for (const other of list.querySelectorAll(".at")) other.classList.remove("at");
    line.classList.add("at");
    line.scrollIntoView({ block: "nearest" });
  }

  query.addEventListener("input", () => {
    const text = query.value.trim();
    pattern = text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu") : null;
    at = -1;
    drawLines();
    if (pattern) step(1);
  });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
  });

  // MARK: To take it away

  async function download() {
    const kind = form.value;
    const blob = await get(path(), {
      query: { meeting_id: meeting.id, format: kind }, read: (answer) => answer.blob(),
    });
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: `meeting-${meeting.id}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  return { element, show, stop, isTelling: () => Boolean(live?.isTelling()) };
}
