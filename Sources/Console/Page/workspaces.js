// All workspaces, with their limits and what they have of them, for whoever runs the service.

import { change, get } from "/console/api.js";
import { field, h, rows, said } from "/console/dom.js";
import { follow } from "/console/feed.js";
import { bytes, number } from "/console/format.js";
import { askFirst, noticePlace, troubleOf } from "/console/notices.js";
import { pager } from "/console/pager.js";
import { removal } from "/console/removal.js";
import { texts } from "/console/texts.js";

const pageSize = 50;
const pauseMilliseconds = 10_000;
const limits = [["max_concurrent_bots", texts.mostBots, 1], ["max_meetings", texts.meetings, 0], ["max_bytes", texts.mostBytes, 0]];

export function workspacesPage(main, { id }) {
  const place = noticePlace();
  const query = h("input", { type: "search", maxlength: "200", autocomplete: "off", value: id });
  const list = h("ul", { class: "rows", "aria-label": texts.workspaces });
  const empty = h("p", { class: "empty", hidden: true }, texts.notFound);
  const draw = rows(list, (workspace) => workspace.id, row);
  const pages = pager(() => feed.again());
  main.append(h("h1", {}, texts.workspaces),
    h("form", { role: "search", class: "narrow", onsubmit: (event) => event.preventDefault() }, field(texts.search, query, texts.searchWorkspaces)),
    place.element, list, empty, pages.element);

  const feed = follow((signal) => get("/admin/workspaces", {
    query: { search: query.value.trim(), offset: pages.offset(), limit: pageSize }, signal,
  }), {
    every: () => pauseMilliseconds,
    show({ workspaces, next_offset: next }) {
      draw(workspaces);
      empty.hidden = workspaces.length > 0;
      pages.show(next);
    },
    trouble: troubleOf(place),
  });
  query.addEventListener("input", () => {
    clearTimeout(feed.timer);
    feed.timer = setTimeout(() => pages.first(), 250);
  });

  function row(workspace) {
    const part = (used, most, form = number) => texts.ofLimit(form(used), most === null ? texts.bySettings : form(most));
    return [
      h("div", { class: "grow" }, h("span", { class: "name" }, said(workspace.name)), h("p", { class: "faint" }, h("code", {}, workspace.id))),
      h("div", { class: "faint" },
        h("p", {}, texts.botsRun, " ", part(workspace.running_bots, workspace.max_concurrent_bots)),
        h("p", {}, texts.meetings, " ", part(workspace.meetings, workspace.max_meetings)),
        h("p", {}, texts.kept, " ", part(workspace.bytes, workspace.max_bytes, bytes))),
      h("div", { class: "buttons" }, h("button", {
        type: "button", "data-focus": "limits", "aria-label": texts.buttonFor(texts.changeLimits, workspace.name), onclick: () => ask(workspace),
      }, texts.changeLimits), removal(workspace.name, texts.removeWorkspaceWords, `/admin/workspaces/${workspace.id}`, place, feed)),
    ];
  }

  function ask(workspace) {
    const inputs = limits.map(([name, , least]) => h("input", { type: "number", min: least, value: workspace[name] }));
    askFirst({
      title: texts.limitsTitle(workspace.name), words: [texts.limitsWords], yes: texts.changeLimits,
      more: h("div", { class: "fields" }, limits.map(([, label], index) => field(label, inputs[index]))),
    }, async () => {
      const body = {};
      for (const [index, [name]] of limits.entries()) {
        const { value: text, validity } = inputs[index];
        let value = text === "" ? null : Number(text);
        // What is no number looks as empty, and does not ask for the limit to be taken away: the API refuses it.
        if (validity.badInput) value = "";
        if (value !== workspace[name]) body[name] = value;
      }
      await change("PATCH", `/admin/workspaces/${workspace.id}`, { body });
      place.say(texts.limitsChanged(workspace.name));
      feed.again();
    });
  }

  return () => {
    clearTimeout(feed.timer);
    feed.stop();
  };
}
