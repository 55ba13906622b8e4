// To leaf through a list by offsets.

import { h } from "/console/dom.js";
import { texts } from "/console/texts.js";

/** @param turned is told when another page is wanted. */
export function pager(turned) {
  let [offsets, next] = [[0], null];
  const back = h("button", { type: "button", hidden: true, onclick: () => offsets[1] && turn(offsets.slice(0, -1)) }, texts.previousPage);
  const on = h("button", { type: "button", hidden: true, onclick: () => offsets.at(-1) < next && turn([...offsets, next]) }, texts.nextPage);
  function turn(to) {
    offsets = to;
    turned();
  }
  return {
    element: h("div", { class: "buttons" }, back, on),
    offset: () => offsets.at(-1),
    first: () => turn([0]),
    /** @param offset of the page after the one that is shown; null if there is none. */
    show(offset) {
      next = offset;
      back.hidden = offsets.length === 1;
      on.hidden = next === null;
    },
  };
}
