// What a bot heard, in step with what is written. The key goes out in a header, so that the sound is fetched, and in parts:
// of a day-long meeting too no more than one part is held.

import { NoAnswer, Refusal, get } from "/console/api.js";
import { field, h, option } from "/console/dom.js";
import { clockOf } from "/console/format.js";
import { texts } from "/console/texts.js";

const headBytes = 44;
const partSeconds = 300;

/** @param onTime gets the session and the seconds in it that are to be heard. */
export function sound(place, onTime) {
  let [parts, form, at, url, loading, isStopped] = [[], "[]", null, null, null, false];
  const audio = h("audio", { controls: true, "aria-label": texts.sound });
  const select = h("select");
  const listen = h("button", { type: "button", onclick: () => play(parts[select.selectedIndex], 0) }, texts.listen);
  const element = h("div", { class: "inline", hidden: true }, field(texts.sound, select), listen, audio);
  audio.hidden = true;

  audio.addEventListener("timeupdate", () => at && onTime(at.session, at.from + audio.currentTime));
  audio.addEventListener("ended", () => {
    const index = indexOf(at);
    if (index >= 0 && index + 1 < parts.length) play(parts[index + 1], 0);
  });

  /** Where a part is, also once there are more recordings than before; -1 if its recording is gone. */
  function indexOf(part) {
    return parts.findIndex((one) => one.id === part?.id && one.from === part.from);
  }

  /** The recordings that there are, as a transcript names them. */
  function show(recordings) {
    const next = JSON.stringify(recordings);
    if (next === form) return;
    form = next;
    const chosen = parts[select.selectedIndex];
    parts = recordings.flatMap((recording, index) => {
      const seconds = recording.media_files[0]?.duration_seconds ?? 0;
      return Array.from({ length: Math.ceil(seconds / partSeconds) }, (_, part) => ({
        id: recording.id, session: recording.session_uid, number: index + 1, from: part * partSeconds,
        to: Math.min((part + 1) * partSeconds, seconds),
      }));
    });
    select.replaceChildren(...parts.map((part, index) =>
      option(index, texts.soundPart(recordings.length > 1 ? part.number : null, clockOf(part.from), clockOf(part.to)))));
    if (indexOf(chosen) >= 0) select.selectedIndex = indexOf(chosen);
    element.hidden = parts.length === 0;
    if (!parts.length || (at && indexOf(at) < 0)) silence();
  }

  /** What was asked for last counts: a part that is on its way then is dropped. */
  async function play(part, seconds) {
    if (isStopped || !part) return;
    loading?.abort();
    const mine = new AbortController();
    loading = mine;
    place.clear();
    try {
      if (!at || indexOf(part) !== indexOf(at)) await load(part, mine.signal);
      if (mine.signal.aborted) return;
      audio.currentTime = seconds;
      // A browser may want a click first: the controls are there.
      await audio.play().catch(() => {});
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      place.refuse(error);
    }
  }

  /** A part with the head of the whole, which says how the sound is written (RIFF WAVE). */
  async function load(part, signal) {
    const path = `/recordings/${encodeURIComponent(part.id)}`;
    const bytes = (first, last) => get(path, { range: `bytes=${first}-${last}`, signal, read: (answer) => answer.arrayBuffer() });
    const head = new DataView(await bytes(0, headBytes - 1));
    const [perSecond, perFrame] = [head.getUint32(28, true), head.getUint16(32, true) || 1];
    const place = (time) => headBytes + Math.floor(time * perSecond / perFrame) * perFrame;
    const samples = await bytes(place(part.from), place(part.to) - 1);
    if (signal.aborted) return;
    head.setUint32(4, samples.byteLength + headBytes - 8, true);
    head.setUint32(40, samples.byteLength, true);
    quiet();
    url = URL.createObjectURL(new Blob([head.buffer, samples], { type: "audio/wav" }));
    at = part;
    select.selectedIndex = indexOf(part);
    audio.src = url;
    audio.hidden = false;
  }

  function silence() {
    loading?.abort();
    quiet();
  }

  function quiet() {
    audio.pause();
    if (url) URL.revokeObjectURL(url);
    [url, at] = [null, null];
  }

  return {
    element,
    show,
    stop() {
      isStopped = true;
      silence();
    },
    /** Whether there is sound of a session at this time, and what plays it from there. */
    from(session, seconds) {
      const part = parts.find((one) => one.session === session && one.from <= seconds && seconds < one.to);
      return part && (() => play(part, seconds - part.from));
    },
  };
}
