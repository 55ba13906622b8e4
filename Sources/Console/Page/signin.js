// The way in: an API key, which is tried before it is kept.

import { get } from "/console/api.js";
import { field, h } from "/console/dom.js";
import { act, noticePlace, refusalNotice } from "/console/notices.js";
import { texts } from "/console/texts.js";

export function signInPage(main, { begin, refusal }) {
  const place = noticePlace();
  const input = h("input", {
    type: "password", required: true, autocomplete: "off", spellcheck: "false", autocapitalize: "off", maxlength: "512",
  });
  const admin = h("input", { type: "checkbox" });
  const button = h("button", { class: "main" }, texts.signIn);
  const form = h("form", { class: "card narrow" }, field(texts.apiKey, input, texts.apiKeyHint),
    h("label", { class: "check" }, admin, texts.isAdminKey), button, place.element);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(button, place, async () => {
      const key = input.value.trim();
      const isAdmin = admin.checked;
      const found = await get(isAdmin ? "/admin/status" : "/user", { key, isAdmin });
      await begin(key, isAdmin, found);
    });
  });
  main.append(
    h("h1", {}, texts.signInTitle), h("p", {}, texts.signInWords), form,
    h("section", { class: "narrow", "aria-labelledby": "where" },
      h("h2", { id: "where" }, texts.whereFrom),
      texts.whereFromWords.map(([words, example]) => [h("p", {}, words), example ? h("pre", { tabindex: "0" }, example) : null])));
  if (refusal) place.show(refusalNotice(refusal));
  input.focus();
}
