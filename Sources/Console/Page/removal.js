// The button that removes somebody or something for good, once the name is typed.

import { change } from "/console/api.js";
import { field, h } from "/console/dom.js";
import { askFirst } from "/console/notices.js";
import { texts } from "/console/texts.js";

/** Says so in `place` once it is done, and has `feed` look again. */
export function removal(name, words, path, place, feed) {
  return h("button", {
    type: "button", class: "grave", "data-focus": "remove", "aria-label": texts.buttonFor(texts.remove, name),
    onclick() {
      const typed = h("input", { type: "text", autocomplete: "off", spellcheck: "false", oninput: () => typed.setCustomValidity("") });
      askFirst({
        title: texts.removeTitle(name), words: [texts.forGood, words], yes: texts.remove, isGrave: true,
        more: field(texts.typeName(name), typed),
      }, async () => {
        typed.setCustomValidity(typed.value.trim() === name.trim() ? "" : texts.otherName);
        if (!typed.reportValidity()) return false;
        await change("DELETE", path);
        place.say(texts.gone(name));
        feed.again();
      });
    },
  }, texts.remove);
}
