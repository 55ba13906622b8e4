// What happened to a meeting, bot by bot: what, why, when and by whom; and what a bot saw that could not go on.

import { Refusal, get } from "/console/api.js";
import { h, said } from "/console/dom.js";
import { momentWithSeconds, plural, stateOf } from "/console/format.js";
import { texts } from "/console/texts.js";

const troubled = ["failed", "needs_help"];

export function timeline({ caller, mayAs }) {
  let [form, picture, isStopped] = [null, null, false];
  const list = h("ol", { class: "timeline" });
  const forgotten = h("p", { class: "faint", hidden: true });
  const frame = h("div");
  const outline = h("pre", { tabindex: "0" });
  const seen = h("figure", { hidden: true }, h("figcaption", {}, texts.pictureWords), frame, outline);
  const element = h("section", { "aria-labelledby": "timeline" },
    h("h2", { id: "timeline" }, texts.timeline), forgotten, list, seen);

  /** Reads it anew where the meeting is another one than before. */
  async function show(meeting) {
    const next = JSON.stringify(meeting);
    if (next === form) return;
    form = next;
    // What was asked for an older form of the meeting may come later, and counts no more.
    const isNewest = () => form === next && !isStopped;
    try {
      const found = await get(`/bots/id/${meeting.id}/timeline`);
      if (!isNewest()) return;
      draw(found);
      await look(meeting, isNewest);
    } catch {
      // The page says itself that no answer comes; it is asked again with the next change.
      if (form === next) form = null;
    }
  }

  function draw({ events, forgotten: count }) {
    forgotten.hidden = count === 0;
    forgotten.textContent = plural(count, texts.forgottenForms);
    const bots = [...new Set(events.map((event) => event.bot_id).filter(Boolean))];
    let current = null;
    list.replaceChildren(...events.flatMap((event) => {
      const isNext = event.bot_id && event.bot_id !== current;
      current = event.bot_id ?? current;
      return [isNext ? heading(bots.indexOf(event.bot_id) + 1, event) : null,
        h("li", {}, h("span", { class: "faint" }, momentWithSeconds(event.at)), " ", h("strong", {}, texts.happened(event.what)), " ", why(event))];
    }).filter(Boolean));
    element.hidden = events.length === 0 && count === 0;
  }

  /** A bot, and the trace of its dispatch, which all that happens to it has. */
  function heading(number, event) {
    return h("li", { class: "bot" }, texts.botNumber(number), " ", h("code", {}, event.bot_id),
      event.trace_id ? [" · ", texts.trace, " ", h("code", {}, event.trace_id)] : null);
  }

  function why(event) {
    const user = /^user (\d+)$/.exec(event.why)?.[1];
    if (user) return said(Number(user) === caller.user_id ? texts.byYou : texts.byUser(user));
    return event.why ? said(texts.because(event.why)) : "";
  }

  /** May show what others said, so that it takes a manager. */
  async function look(meeting, isNewest) {
    const isThere = mayAs("manager") && troubled.includes(stateOf(meeting));
    let blob = null;
    try {
      if (isThere) blob = await get(`/bots/id/${meeting.id}/screenshot`, { read: (answer) => answer.blob() });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    if (!isNewest()) return;
    outline.textContent = (isThere && meeting.data?.page_outline) || "";
    outline.hidden = !outline.textContent;
    forget();
    if (blob) picture = URL.createObjectURL(blob);
    frame.replaceChildren(...(picture ? [h("img", { alt: texts.pictureOf, src: picture })] : []));
    seen.hidden = !picture && outline.hidden;
  }

  function forget() {
    if (picture) URL.revokeObjectURL(picture);
    picture = null;
  }

  return {
    element,
    show,
    stop() {
      isStopped = true;
      forget();
    },
  };
}
