// How the whole service is, for whoever runs it.

import { get } from "/console/api.js";
import { charts } from "/console/charts.js";
import { facts, fill, h, rows, said } from "/console/dom.js";
import { follow, seldom } from "/console/feed.js";
import { bytes, duration, moment, number, pill, platformOf, plural, span, timeOfDay } from "/console/format.js";
import { noticePlace, troubleOf } from "/console/notices.js";
import { texts } from "/console/texts.js";

const slowPauseMilliseconds = 60_000;
const levels = { fail: "bad", warn: "wait", ok: "live" };

export function servicePage(main) {
  const place = noticePlace();
  const sum = h("div");
  const [history, findings] = [h("div"), h("div")];
  const part = (id, title, ...children) => h("section", { "aria-labelledby": id }, h("h2", { id }, title), children);
  const list = (title, key, make) => {
    const element = h("ul", { class: "rows", "aria-label": title });
    return { element, draw: rows(element, key, make), empty: h("p", { class: "empty", hidden: true }, texts.none) };
  };
  const nodes = list(texts.nodes, (peer) => peer.id, peerRow);
  const runners = list(texts.runners, (peer) => peer.id, peerRow);
  const failing = list(texts.failingWebhooks, (webhook) => webhook.webhook_id, (webhook) => [
    h("div", { class: "grow" }, h("span", { class: "name" }, said(webhook.host)), h("p", { class: "faint" }, h("code", {}, webhook.webhook_id))),
    h("div", { class: "state" }, pill(texts.failing, "bad"), h("p", { class: "faint" }, texts.since, " ", moment(webhook.failing_since))),
    h("a", { href: `#/workspaces/${webhook.workspace_id}` }, texts.workspace),
  ]);
  const plans = list(texts.plansOfHour, (plan) => plan.meeting_id, (plan) => [
    h("div", { class: "grow" }, h("span", { class: "name" }, said(`${platformOf(plan)} ${plan.native_meeting_id}`)),
      plan.auto_join_error ? h("p", {}, texts.reason(plan.auto_join_error)) : null),
    h("div", { class: "state" }, moment(plan.scheduled_at)),
    h("a", { href: `#/workspaces/${plan.workspace_id}` }, texts.workspace),
  ]);
  main.append(h("h1", {}, texts.service), place.element, sum,
    part("findings", texts.doctor, findings),
    part("nodes", texts.nodes, nodes.element, nodes.empty), part("runners", texts.runners, runners.element, runners.empty),
    part("plans", texts.plansOfHour, plans.element, plans.empty),
    part("failing", texts.failingWebhooks, failing.element, failing.empty),
    part("history", texts.lastHour, h("p", { class: "faint" }, texts.lastHourWords), history));

  const show = ({ draw, empty }, items) => {
    draw(items);
    empty.hidden = items.length > 0;
  };
  const feed = follow(async (signal) => {
    const [status, soon, { webhooks }] = await Promise.all(
      ["status", "plans", "webhooks/failing"].map((path) => get(`/admin/${path}`, { signal })));
    return { status, soon: soon.plans, webhooks };
  }, {
    every: seldom,
    show({ status, soon, webhooks }) {
      fill(sum, sumOf(status));
      show(nodes, status.nodes);
      show(runners, status.runners);
      show(plans, soon);
      show(failing, webhooks);
    },
    trouble: troubleOf(place),
  });
  // Of what these do not answer the other one tells.
  const [looks, past] = [["/admin/findings", (found) => fill(findings, findingsOf(found))],
    ["/admin/history", ({ minutes }) => fill(history, charts(minutes))]].map(([path, show]) =>
    follow((signal) => get(path, { signal }), { every: () => slowPauseMilliseconds, show, trouble() {} }));

  function findingsOf({ at, findings: all }) {
    const line = (finding) => h("li", { class: "row" },
      h("div", { class: "grow" }, h("span", { class: "name" }, said(finding.subject)), h("p", {}, said(finding.found)),
        finding.advice ? h("p", { class: "faint" }, said(finding.advice)) : null),
      h("div", { class: "state" }, pill(texts.levels[finding.level], levels[finding.level])));
    const part = (items) => h("ul", { class: "rows" }, items.map(line));
    const good = all.filter(({ level }) => level === "ok");
    const bad = all.filter(({ level }) => level !== "ok").sort((one, other) => (other.level === "fail") - (one.level === "fail"));
    const isOpen = findings.querySelector("details")?.open;
    return [
      bad.length ? part(bad) : h("p", { class: "notice good" }, texts.allWell),
      h("details", { open: isOpen }, h("summary", { "data-focus": "good" }, plural(good.length, texts.goodForms)), part(good)),
      h("p", { class: "inline" }, h("button", { type: "button", "data-focus": "look", onclick: () => looks.again() }, texts.lookAgain),
        h("span", { class: "faint" }, texts.lookedAt, " ", timeOfDay(at))),
    ];
  }

  return () => [feed, looks, past].forEach((one) => one.stop());
}

function peerRow(peer) {
  return [
    h("div", { class: "grow" }, h("span", { class: "name" }, said(peer.address ?? peer.host)),
      h("p", { class: "faint" }, h("code", {}, peer.id), " · ", said(peer.version)),
      peer.problem ? h("p", {}, said(peer.problem)) : null),
    h("div", { class: "state" }, pill(texts.peerStates[peer.state] ?? peer.state, peer.state === "running" ? "live" : "way"),
      h("p", { class: "faint" }, texts.up, " ", span(peer.started_at))),
    peer.capacity === undefined ? null : h("div", { class: "faint" }, texts.places(number(peer.running ?? 0), number(peer.capacity))),
  ];
}

function sumOf({ rooms, queue, leases, plans, webhooks, redis_memory: memory, runners }) {
  const total = (name) => runners.reduce((sum, runner) => sum + (runner[name] ?? 0), 0);
  const statuses = Object.entries(rooms.by_status).map(([status, count]) => `${number(count)} ${texts.states[status] ?? status}`);
  const share = memory?.limit_bytes ? memory.used_bytes / memory.limit_bytes : 0;
  return facts([
    [texts.roomsHeld, [number(rooms.held), ...statuses].join(" · ")],
    [texts.queue, queue.waiting ? texts.queueWaits(number(queue.waiting), duration(queue.oldest_ms / 1_000)) : texts.queueEmpty],
    [texts.placesTaken, texts.places(number(total("running")), number(total("capacity")))],
    [texts.leases, texts.leasesHeld(number(leases.live), number(leases.overdue))],
    [texts.plansSoon, number(plans.within_hour)],
    [texts.webhooksWait, webhooks.overdue_ms ? texts.overdue(number(webhooks.waiting), duration(webhooks.overdue_ms / 1_000)) : number(webhooks.waiting)],
    [texts.memory, memory && [memory.limit_bytes ? texts.memoryOf(bytes(memory.used_bytes), bytes(memory.limit_bytes)) : texts.memoryFree(bytes(memory.used_bytes)),
      share > 0.9 ? [" ", pill(texts.nearlyFull, "bad")] : null]],
  ]);
}
