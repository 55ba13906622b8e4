// Users, for whoever runs the service: who there is, and a first key for each.

import { change, get } from "/console/api.js";
import { field, h, rows, said } from "/console/dom.js";
import { follow } from "/console/feed.js";
import { moment } from "/console/format.js";
import { act, askFirst, noticePlace, secretPlace, troubleOf } from "/console/notices.js";
import { pager } from "/console/pager.js";
import { removal } from "/console/removal.js";
import { texts } from "/console/texts.js";

const pageSize = 50;
const pauseMilliseconds = 10_000;

export function usersPage(main) {
  const place = noticePlace();
  const secrets = secretPlace();
  const list = h("ul", { class: "rows", "aria-label": texts.users });
  const empty = h("p", { class: "empty", hidden: true }, texts.noUsers);
  const draw = rows(list, (user) => user.id, row);
  const pages = pager(() => feed.again());
  main.append(h("h1", {}, texts.users), ...addForm(), secrets.element, place.element, list, empty, pages.element);

  const feed = follow((signal) => get("/admin/users", { query: { skip: pages.offset(), limit: pageSize }, signal }), {
    every: () => pauseMilliseconds,
    show(users) {
      draw(users);
      empty.hidden = users.length > 0;
      pages.show(users.length === pageSize ? pages.offset() + pageSize : null);
    },
    trouble: troubleOf(place),
  });

  function row(user) {
    return [
      h("div", { class: "grow" }, h("span", { class: "name" }, said(user.email)),
        h("p", { class: "faint" }, `#${user.id}`, user.name ? [" · ", said(user.name)] : null)),
      h("div", { class: "faint" }, h("p", {}, texts.made, " ", moment(user.created_at)),
        h("p", {}, h("a", { href: `#/workspaces/${user.workspace_id}`, "data-focus": "workspace" }, texts.workspace))),
      h("div", { class: "buttons" }, h("button", {
        type: "button", "data-focus": "key", "aria-label": texts.buttonFor(texts.makeKey, user.email), onclick: () => makeKey(user),
      }, texts.makeKey), removal(user.email, texts.removeUserWords, `/admin/users/${user.id}`, place, feed)),
    ];
  }

  function makeKey(user) {
    askFirst({ title: texts.tokenTitle(user.email), words: [texts.tokenWords], yes: texts.makeKey }, async () => {
      const made = await change("POST", `/admin/users/${user.id}/tokens`);
      secrets.show(texts.keyMade, texts.keyOnce, made.token);
    });
  }

  /** Who has the email already is found by it. */
  function addForm() {
    const notice = noticePlace();
    const email = h("input", { type: "email", required: true, maxlength: "254", autocomplete: "off", spellcheck: "false" });
    const name = h("input", { type: "text", maxlength: "200", autocomplete: "off" });
    const found = h("ul", { class: "rows", "aria-label": texts.foundUser });
    const button = h("button", { class: "main" }, texts.addUser);
    const form = h("form", { class: "card" }, h("h2", {}, texts.addUser), h("p", {}, texts.addUserWords),
      h("div", { class: "fields" }, field(texts.email, email), field(texts.userName, name)), button, notice.element);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      act(button, notice, async () => {
        const body = { email: email.value.trim() };
        if (name.value.trim()) body.name = name.value.trim();
        const user = await change("POST", "/admin/users", { body });
        form.reset();
        notice.say(texts.userIsThere(user.email));
        found.replaceChildren(h("li", { class: "row" }, row(user)));
        feed.again();
      });
    });
    return [form, found];
  }

  return () => feed.stop();
}
