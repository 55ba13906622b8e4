// To change a plan, and to cancel it.

import { change } from "/console/api.js";
import { field, h } from "/console/dom.js";
import { fromLocalField, localField, nameOf } from "/console/format.js";
import { act, askFirst, noticePlace, sayNext } from "/console/notices.js";
import { texts } from "/console/texts.js";

/** @param onChanged is told when there is something new to be seen. */
export function planForm(meeting, onChanged) {
  const data = meeting.data;
  const place = noticePlace();
  const time = h("input", { type: "datetime-local", value: localField(data.scheduled_at) });
  const autoJoin = h("input", { type: "checkbox", checked: data.auto_join !== false });
  const title = h("input", { type: "text", maxlength: "200", autocomplete: "off", value: data.name ?? "" });
  const botName = h("input", { type: "text", maxlength: "100", autocomplete: "off", value: data.bot_name ?? "" });
  const language = h("input", { type: "text", maxlength: "35", autocomplete: "off", value: data.language ?? "" });
  const save = h("button", { class: "main" }, texts.changePlan);
  const cancel = h("button", { type: "button" }, texts.cancelPlan);
  const form = h("form", { class: "card" },
    h("h2", {}, texts.planTitle),
    h("div", { class: "fields" }, field(texts.time, time, texts.timeHint), field(texts.title, title),
      field(texts.botName, botName), field(texts.language, language)),
    h("label", { class: "check" }, autoJoin, texts.autoJoin),
    h("div", { class: "buttons" }, save, cancel), place.element);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(save, place, async () => {
      const body = {
        title: title.value.trim() || null, auto_join: autoJoin.checked, bot_name: botName.value.trim() || null,
        language: language.value.trim() || null,
      };
      // A field without seconds would move a time that has them, though nobody touched it.
      if (time.value !== localField(data.scheduled_at)) body.scheduled_at = fromLocalField(time.value);
      await change("PATCH", `/meetings/${meeting.id}`, { body });
      data.scheduled_at = "scheduled_at" in body ? body.scheduled_at : data.scheduled_at;
      place.say(texts.planChanged);
      onChanged();
    });
  });
  cancel.addEventListener("click", () => askFirst({
    title: texts.cancelTitle(nameOf(meeting)), words: texts.cancelWords, yes: texts.cancelPlan, isGrave: true,
  }, async () => {
    await change("DELETE", `/meetings/${meeting.id}`);
    sayNext(texts.cancelled);
    location.hash = "#/meetings";
  }));
  return form;
}
