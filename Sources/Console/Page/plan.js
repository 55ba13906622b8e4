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
      // What nobody touched is not sent: somebody else may have changed it since. And a field without seconds would move a
      // time that has them.
      const body = {};
      for (const [name, shown, input] of [["title", "name", title], ["bot_name", "bot_name", botName],
        ["language", "language", language]]) {
        const value = input.value.trim();
        if (value !== (data[shown] ?? "")) body[name] = value || null;
      }
      if (autoJoin.checked !== data.auto_join) body.auto_join = autoJoin.checked;
      if (time.value !== localField(data.scheduled_at)) body.scheduled_at = fromLocalField(time.value);
      if (Object.keys(body).length > 0) await change("PATCH", `/meetings/${meeting.id}`, { body });
      const { title: name = data.name, ...others } = body;
      Object.assign(data, others, { name });
      place.say(texts.planChanged);
      onChanged();
    });
  });
  cancel.addEventListener("click", () => askFirst({
    title: texts.cancelTitle(nameOf(meeting)), words: texts.cancelWords, yes: texts.cancelPlan, isGrave: true,
  }, async () => {
    await change("DELETE", `/meetings/${meeting.id}`);
    sayNext(texts.cancelled, place, "#/meetings");
  }));
  return form;
}
