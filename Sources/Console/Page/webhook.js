// One webhook: how it stands, and what became of each of its events.

import { change, get } from "/console/api.js";
import { button, facts, fill, h, rows, said } from "/console/dom.js";
import { follow } from "/console/feed.js";
import { moment, pill, plural } from "/console/format.js";
import { act, askFirst, isFinal, noticePlace, sayNext, troubleOf } from "/console/notices.js";
import { texts } from "/console/texts.js";
import { webhookPill } from "/console/webhooks.js";

const kinds = { delivered: "live", queued: "wait", suppressed: "over", blocked: "bad", failed: "bad" };
const shownDeliveries = 50;

export function webhookPage(main, { id, setTitle }) {
  const path = `/webhooks/${encodeURIComponent(id)}`;
  const place = noticePlace();
  const heading = h("h1", {}, texts.titles.webhookPage());
  const state = h("div", { class: "state" });
  const buttons = h("div", { class: "buttons" });
  const details = h("div");
  const list = h("ul", { class: "rows", "aria-label": texts.deliveries });
  const empty = h("p", { class: "empty", hidden: true }, texts.noDeliveries);
  const body = h("div", { hidden: true }, state, buttons, details,
    h("section", { "aria-labelledby": "deliveries" }, h("h2", { id: "deliveries" }, texts.deliveries),
      h("p", { class: "faint" }, texts.deliveriesWords), list, empty));
  const opened = new Set();
  const draw = rows(list, (delivery) => delivery.event_id, row);
  let form = null;
  main.append(h("p", {}, h("a", { href: "#/webhooks" }, texts.allWebhooks)), heading, place.element, body);

  const trouble = troubleOf(place, isFinal);
  const feed = follow(async (signal) => {
    const [webhook, { deliveries }] = await Promise.all([
      get(path, { signal }), get(`${path}/deliveries`, { query: { limit: shownDeliveries }, signal }),
    ]);
    return { webhook, deliveries };
  }, {
    show({ webhook, deliveries }) {
      body.hidden = false;
      const next = JSON.stringify(webhook);
      if (next !== form) drawWebhook(webhook);
      form = next;
      draw(deliveries);
      empty.hidden = deliveries.length > 0;
    },
    trouble(error) {
      trouble(error);
      if (!error || !isFinal(error)) return;
      feed.stop();
      body.hidden = true;
    },
  });

  function drawWebhook(webhook) {
    heading.replaceChildren(said(webhook.url));
    setTitle(webhook.url);
    state.replaceChildren(webhookPill(webhook));
    fill(buttons,
      webhook.enabled ? button(texts.test, "test", test) : null,
      button(webhook.enabled ? texts.disable : texts.enable, "enable", (event) => enable(event, !webhook.enabled)),
      button(texts.remove, "remove", () => remove(webhook), "grave"));
    details.replaceChildren(facts([
      [texts.description, webhook.description ? said(webhook.description) : null],
      [texts.events, webhook.events.join(", ")],
      [texts.secret, h("code", {}, webhook.secret)],
      [texts.facts.made, moment(webhook.created_at)],
      [texts.disabledAt, moment(webhook.disabled_at)],
      [texts.dropped, webhook.dropped_events ? plural(webhook.dropped_events, texts.eventForms) : null],
    ]));
  }

  const test = (event) => act(event.currentTarget, place, async () => {
    await change("POST", `${path}/test`);
    place.say(texts.testSent);
    feed.again();
  });

  const enable = (event, enabled) => act(event.currentTarget, place, async () => {
    await change("PATCH", path, { body: { enabled } });
    place.say(enabled ? texts.isEnabled : texts.isDisabled);
    feed.again();
  });

  function remove(webhook) {
    askFirst({ title: texts.removeTitle(webhook.url), words: texts.removeWords, yes: texts.remove, isGrave: true }, async () => {
      await change("DELETE", path);
      sayNext(texts.removed, place, "#/webhooks");
    });
  }

  function row(delivery) {
    const { event_id: event, attempts } = delivery;
    const again = h("button", {
      type: "button", "data-focus": "again", "aria-label": texts.buttonFor(texts.sendAgain, delivery.event_type),
      onclick: () => act(again, place, async () => {
        await change("POST", `${path}/deliveries/${encodeURIComponent(event)}/redeliver`);
        place.say(texts.sentAgain);
        feed.again();
      }),
    }, texts.sendAgain);
    const more = h("details", {
      open: opened.has(event), ontoggle: () => opened[more.open ? "add" : "delete"](event),
    }, h("summary", { "data-focus": "more" }, plural(attempts.length, texts.attemptForms)),
    h("ol", { class: "attempts" }, attempts.map((attempt) => h("li", {},
      moment(attempt.at), " ", pill(texts.attemptOutcomes[attempt.outcome] ?? attempt.outcome, kinds[attempt.outcome] ?? "over"), " ",
      [attempt.status_code, attempt.problem && said(attempt.problem), texts.milliseconds(attempt.duration_ms)]
        .filter(Boolean).flatMap((part, index) => [index ? " · " : "", part])))),
    delivery.answer ? [h("p", { class: "faint" }, texts.lastAnswer), h("pre", { tabindex: "0" }, delivery.answer)] : null,
    h("p", { class: "faint" }, h("code", {}, event)));
    return [
      h("div", { class: "grow" }, h("span", { class: "name" }, delivery.event_type),
        h("p", { class: "faint" }, moment(delivery.created_at),
          delivery.meeting_id ? [" · ", h("a", { href: `#/meetings/${delivery.meeting_id}` }, texts.titles.meetingPage(delivery.meeting_id))] : null),
        attempts.length || delivery.answer ? more : null),
      h("div", { class: "state" }, pill(texts.outcomes[delivery.outcome] ?? delivery.outcome, kinds[delivery.outcome] ?? "over"),
        delivery.next_attempt_at ? h("p", { class: "faint" }, texts.nextAttempt, " ", moment(delivery.next_attempt_at)) : null),
      h("div", { class: "buttons" }, again),
    ];
  }

  return () => feed.stop();
}
