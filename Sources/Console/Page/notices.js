// What went wrong or right, said once: beside what was asked for, and to those who listen.

import { NoAnswer, Refusal } from "/console/api.js";
import { h } from "/console/dom.js";
import { clockTime } from "/console/format.js";
import { texts } from "/console/texts.js";

const live = h("div", { class: "unseen", role: "status" });
const banner = h("aside", { class: "banner", hidden: true });

/** What stands around every page. */
export const standing = [live, banner];

/** Tells those who do not see the page. */
export function announce(text) {
  live.textContent = text;
}

// Who gets no answer, and since when.
const away = new Map();
let awaySince = null;

/** Says once that no answer comes any more, and once that all who ask get answers again. @param who any object. */
export function tellAway(who, isAway) {
  // What a page that was left had been waiting for is the next one's to wait for.
  const before = away.get(null);
  away.delete(null);
  if (!isAway) away.delete(who);
  else if (!away.has(who)) away.set(who, before ?? Date.now());
  const since = away.size ? Math.min(...away.values()) : null;
  if (since === awaySince) return;
  const isNews = (since === null) !== (awaySince === null);
  awaySince = since;
  const text = since === null ? "" : texts.away(clockTime(since));
  banner.hidden = since === null;
  banner.textContent = text;
  if (isNews) announce(text || texts.backAgain);
}

/** Once a page is left nobody waits for its answers. */
export function leaveAway() {
  away.clear();
  if (awaySince !== null) away.set(null, awaySince);
}

/** Tells of the errors of what a page asks again and again: in its place, once, those that are its own. */
export function troubleOf(place, isOwn = (error) => !isPassing(error)) {
  const me = {};
  let [told, notice] = [null, null];
  return (error) => {
    const own = error && isOwn(error);
    tellAway(me, Boolean(error) && !own);
    if (error && !own) return;
    const form = own ? JSON.stringify([error.status, error.code, error.message]) : null;
    if (form === told) return;
    told = form;
    if (!own) {
      notice?.remove();
      return;
    }
    notice = refusalNotice(error);
    place.show(notice);
  };
}

/** Whether trying again by oneself may help. */
export function isPassing(error) {
  return error instanceof NoAnswer || (error instanceof Refusal && (error.status >= 500 || error.status === 429));
}

/** Whether what a page shows is not there, or not for the reader, by the API's own word: a proxy may say so for a moment. */
export function isFinal(error) {
  return error instanceof Refusal && [403, 404].includes(error.status) && error.isOfAPI;
}

/** A refusal in the API's own words, with its code; the request's id is for whoever runs the service. */
export function refusalNotice(error) {
  if (!(error instanceof Refusal)) return h("div", { class: "notice bad", role: "alert" }, h("p", {}, texts.noAnswer));
  return h("div", { class: "notice bad", role: "alert" },
    h("p", {}, h("strong", {}, [error.status, error.code].filter(Boolean).join(" · ")), " ", error.message || texts.noAnswer),
    error.meeting ? h("p", {}, h("a", { href: `#/meetings/${error.meeting}` }, texts.seeMeeting(error.meeting))) : null,
    error.requestID ? h("p", { class: "faint" }, texts.requestID(error.requestID)) : null);
}

let left = null;

/** What is to be said on the page that comes next: that page, if the reader is still at this place. */
export function sayNext(text, place, next) {
  if (place?.element.isConnected === false) return;
  left = text;
  if (next) location.hash = next;
}

/** A place for one notice at a time. */
export function noticePlace() {
  const place = h("div");
  const say = (text) => {
    place.replaceChildren(h("div", { class: "notice good" }, h("p", {}, text)));
    announce(text);
  };
  return {
    element: place,
    say,
    /** Once the page stands. */
    sayLeft() {
      if (left) setTimeout(say, 0, left);
      left = null;
    },
    refuse: (error) => place.replaceChildren(refusalNotice(error)),
    show: (...children) => place.replaceChildren(...children),
    clear: () => place.replaceChildren(),
  };
}

/** Does what a button or a form is for, once at a time; what is refused is said in the place. */
export async function act(button, place, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  place.clear();
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
    place.refuse(error);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** A secret, which is shown this once. */
function secretNotice(title, words, secret) {
  const shown = h("code", { tabindex: "0" }, secret);
  const copy = h("button", {
    type: "button",
    async onclick() {
      try {
        await navigator.clipboard.writeText(secret);
        announce(texts.copied);
        copy.textContent = texts.copied;
      } catch {
        // Without leave, or without HTTPS: it stands there to be copied by hand.
        getSelection().selectAllChildren(shown);
      }
    },
  }, texts.copy);
  return h("div", { class: "notice good" }, h("p", {}, title, " ", words), h("p", { class: "inline" }, shown, copy));
}

/** A place for secrets, which nothing else takes; where the page was left before one came, a dialog shows it. */
export function secretPlace() {
  const place = h("div");
  return {
    element: place,
    show(title, words, secret) {
      const notice = secretNotice(title, words, secret);
      if (place.isConnected) {
        place.replaceChildren(notice);
        announce(title);
        return;
      }
      const dialog = h("dialog", { class: "secret", "aria-label": title, onclose: () => dialog.remove() }, notice,
        h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => dialog.close() }, texts.haveIt)));
      document.body.append(dialog);
      dialog.showModal();
    },
  };
}

/** A question that must be answered before anything is done. @param work returns false where it is still to be answered. */
export function askFirst({ title, words, yes, more = null, isGrave = false }, work) {
  const place = noticePlace();
  const sure = h("button", { class: isGrave ? "grave" : "main", type: "button" }, yes);
  // What is under way could be refused, and would be refused to nobody.
  const leave = (event) => (sure.ariaDisabled ? event.preventDefault() : dialog.close());
  const dialog = h("dialog", { "aria-labelledby": "question", oncancel: leave },
    h("h2", { id: "question" }, title), words.map((text) => h("p", {}, text)), more ?? "", place.element,
    h("div", { class: "buttons" }, sure,
      h("button", { type: "button", autofocus: isGrave, onclick: leave }, texts.leaveIt)));
  sure.addEventListener("click", () => act(sure, place, async () => {
    if (await work() !== false) dialog.close();
  }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
