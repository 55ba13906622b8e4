// To send a bot by pasting a link: now, or at a time.

import { change, newWish } from "/console/api.js";
import { field, h, option } from "/console/dom.js";
import { fromLocalField, localField, nameOf } from "/console/format.js";
import { act, noticePlace } from "/console/notices.js";
import { texts } from "/console/texts.js";

const hourMilliseconds = 3_600_000;

/** @param onSent is told when there is something new to be seen. */
export function sendForm(onSent) {
  const place = noticePlace();
  const link = h("input", {
    type: "text", required: true, inputmode: "url", autocomplete: "off", spellcheck: "false", placeholder: texts.linkExample,
  });
  const when = h("select", {}, option("now", texts.now), option("later", texts.atATime));
  const time = h("input", { type: "datetime-local", required: true });
  const title = h("input", { type: "text", maxlength: "200", autocomplete: "off" });
  const botName = h("input", { type: "text", maxlength: "100", autocomplete: "off" });
  const language = h("input", { type: "text", maxlength: "35", autocomplete: "off", placeholder: "en" });
  const later = h("div", { class: "fields", hidden: true }, field(texts.time, time, texts.timeHint), field(texts.title, title));
  const button = h("button", { class: "main" }, texts.send);
  const form = h("form", { class: "card" },
    h("h2", {}, texts.send),
    h("div", { class: "fields wide-first" }, field(texts.link, link, texts.linkHint), field(texts.when, when)),
    later,
    h("details", {}, h("summary", {}, texts.more),
      h("div", { class: "fields" }, field(texts.botName, botName), field(texts.language, language, texts.languageHint))),
    button, place.element);

  function showWhen() {
    const isLater = when.value === "later";
    later.hidden = !isLater;
    time.disabled = !isLater;
    if (isLater && !time.value) time.value = localField(new Date(Date.now() + hourMilliseconds).toISOString());
    button.textContent = isLater ? texts.plan : texts.send;
  }
  when.addEventListener("change", showWhen);
  showWhen();

  // The same wish, said again because no answer came, is the same wish: nothing is done twice.
  let [wish, wished] = [null, null];
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(button, place, async () => {
      const body = { meeting_url: link.value };
      if (botName.value.trim()) body.bot_name = botName.value.trim();
      if (language.value.trim()) body.language = language.value.trim();
      const isLater = when.value === "later";
      if (isLater) {
        body.scheduled_at = fromLocalField(time.value);
        if (title.value.trim()) body.title = title.value.trim();
      }
      const form = JSON.stringify([isLater, body]);
      if (form !== wished) [wish, wished] = [newWish(), form];
      const meeting = await change("POST", isLater ? "/meetings" : "/bots", { body, wish });
      wished = null;
      link.value = title.value = "";
      place.say(isLater ? texts.planned(nameOf(meeting)) : texts.sent(nameOf(meeting)));
      onSent();
    });
  });
  return form;
}
