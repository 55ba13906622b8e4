// What went wrong or right, said once: beside what was asked for, and to those who listen.

import { NoAnswer, Refusal } from "/console/api.js";
import { h } from "/console/dom.js";
import { nowOfDay } from "/console/format.js";
import { texts } from "/console/texts.js";

const live = h("div", { class: "unseen", role: "status" });
const banner = h("div", { class: "banner", hidden: true });

/** What stands around every page. */
export const standing = [live, banner];

/** Tells those who do not see the page. */
export function announce(text) {
  live.textContent = text;
}

let isAway = false;

/** Says once that no answer comes any more, and once that they come again. */
export function tellOfFeed(error) {
  const isNews = Boolean(error) !== isAway;
  isAway = Boolean(error);
  if (!isNews) return;
  banner.hidden = !isAway;
  banner.textContent = isAway ? texts.away(nowOfDay()) : "";
  announce(isAway ? texts.away(nowOfDay()) : texts.backAgain);
}

/** Whether trying again by oneself may help. */
export function isPassing(error) {
  return error instanceof NoAnswer || (error instanceof Refusal && (error.status >= 500 || error.status === 429));
}

/** A refusal in the API's own words, with its code; the request's id is for whoever runs the service. */
export function refusalNotice(error) {
  if (!(error instanceof Refusal)) return h("div", { class: "notice bad", role: "alert" }, h("p", {}, texts.noAnswer));
  return h("div", { class: "notice bad", role: "alert" },
    h("p", {}, h("strong", {}, [error.status, error.code].filter(Boolean).join(" · ")), " ", error.message),
    error.meeting ? h("p", {}, h("a", { href: `#/meetings/${error.meeting}` }, texts.seeMeeting(error.meeting))) : null,
    error.requestID ? h("p", { class: "faint" }, texts.requestID(error.requestID)) : null);
}

let left = null;

/** What is to be said on the page that comes next. */
export function sayNext(text) {
  left = text;
}

/** A place for one notice at a time. */
export function noticePlace() {
  const place = h("div", { class: "notice-place" });
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
export function secretNotice(title, words, secret) {
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

/** A question that must be answered before anything is done. */
export function askFirst({ title, words, yes, more = null, isGrave = false }, work) {
  const place = noticePlace();
  const sure = h("button", { class: isGrave ? "grave" : "main", type: "button" }, yes);
  const dialog = h("dialog", { "aria-labelledby": "question" },
    h("h2", { id: "question" }, title), words.map((text) => h("p", {}, text)), more ?? "", place.element,
    h("div", { class: "buttons" }, sure,
      h("button", { type: "button", autofocus: isGrave, onclick: () => dialog.close() }, texts.leaveIt)));
  sure.addEventListener("click", () => act(sure, place, async () => {
    await work();
    dialog.close();
  }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
