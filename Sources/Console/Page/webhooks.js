// The webhooks of the workspace, and how one is made.

import { change, get } from "/console/api.js";
import { field, h, rows, said } from "/console/dom.js";
import { follow } from "/console/feed.js";
import { moment, pill } from "/console/format.js";
import { act, noticePlace, secretPlace, troubleOf } from "/console/notices.js";
import { texts } from "/console/texts.js";

const eventNames = [
  "meeting.started", "meeting.status_change", "meeting.completed", "meeting.scheduled", "meeting.missed", "bot.failed", "transcription.ready", "recording.ready",
];

export function webhooksPage(main) {
  const place = noticePlace();
  const list = h("ul", { class: "rows", "aria-label": texts.webhooks });
  const empty = h("p", { class: "empty", hidden: true }, texts.noWebhooks);
  const draw = rows(list, (webhook) => webhook.id, (webhook) => [
    h("div", { class: "grow" },
      h("a", { class: "name", href: `#/webhooks/${webhook.id}`, "data-focus": "name" }, said(webhook.url)),
      webhook.description ? h("p", {}, said(webhook.description)) : null,
      h("p", { class: "faint" }, webhook.events.join(", "))),
    h("div", { class: "state" }, webhookPill(webhook)),
  ]);
  main.append(h("h1", {}, texts.webhooks), h("p", {}, texts.webhooksWords), newForm(() => feed.again()), place.element, list, empty);
  place.sayLeft();

  const feed = follow((signal) => get("/webhooks", { signal }), {
    show({ webhooks }) {
      draw(webhooks);
      empty.hidden = webhooks.length > 0;
    },
    trouble: troubleOf(place),
  });
  return () => feed.stop();
}

export function webhookPill(webhook) {
  if (!webhook.enabled) return pill(webhook.disabled_because ? texts.disabledBecause(webhook.disabled_because) : texts.disabled, "bad");
  return webhook.failing_since
    ? h("span", {}, pill(texts.failing, "bad"), " ", h("span", { class: "faint" }, texts.since, " ", moment(webhook.failing_since)))
    : pill(texts.enabled, "live");
}

function newForm(onMade) {
  const place = noticePlace();
  const secrets = secretPlace();
  const url = h("input", { type: "text", required: true, inputmode: "url", autocomplete: "off", spellcheck: "false", placeholder: "https://example.com/hooks/usher" });
  const description = h("input", { type: "text", maxlength: "256", autocomplete: "off" });
  const boxes = eventNames.map((name) => h("input", { type: "checkbox", value: name }));
  const button = h("button", { class: "main" }, texts.makeWebhook);
  const form = h("form", { class: "card" },
    h("h2", {}, texts.newWebhook),
    h("div", { class: "fields" }, field(texts.url, url, texts.urlHint), field(texts.description, description)),
    h("fieldset", {}, h("legend", {}, texts.events), h("p", { class: "hint" }, texts.eventsHint),
      h("div", { class: "checks" }, boxes.map((box) => h("label", { class: "check" }, box, box.value)))),
    button, place.element, secrets.element);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(button, place, async () => {
      const body = { url: url.value.trim(), events: boxes.filter((box) => box.checked).map((box) => box.value) };
      if (description.value.trim()) body.description = description.value.trim();
      const made = await change("POST", "/webhooks", { body });
      form.reset();
      secrets.show(texts.webhookMade, texts.secretOnce, made.secret);
      onMade();
    });
  });
  return form;
}
