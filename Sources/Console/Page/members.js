// Who is in the workspace, and as what.

import { Refusal, change, get } from "/console/api.js";
import { field, h, option, rows, said } from "/console/dom.js";
import { follow, seldom } from "/console/feed.js";
import { workspaceTabs } from "/console/keys.js";
import { act, askFirst, noticePlace, sayNext, troubleOf } from "/console/notices.js";
import { texts } from "/console/texts.js";

const roles = ["viewer", "member", "manager", "owner"];

export function membersPage(main, { caller, refresh }) {
  const place = noticePlace();
  const list = h("ul", { class: "rows", "aria-label": texts.membersTab });
  const draw = rows(list, (member) => member.user_id, row);
  main.append(h("h1", {}, texts.workspace), workspaceTabs("members"), h("p", {}, texts.membersWords), addForm(), place.element, list);
  place.sayLeft();

  const feed = follow((signal) => get("/workspace/members", { signal }), {
    every: seldom,
    show: ({ members }) => draw(members),
    trouble: troubleOf(place),
  });

  const roleField = (role) => {
    const select = h("select", {}, roles.map((name) => option(name, texts.roles[name])));
    select.value = role;
    return select;
  };
  const path = (member) => `/workspace/members/${member.user_id}`;

  /** What was done to oneself changes what there is to see. */
  async function done(member, text) {
    if (member.user_id === caller.user_id) {
      sayNext(text);
      await refresh();
    } else {
      place.say(text);
      feed.again();
    }
  }

  function row(member) {
    const name = member.name ?? member.email;
    const select = roleField(member.role);
    select.setAttribute("aria-label", texts.roleOf(name));
    const button = h("button", { "data-focus": "role", "aria-label": texts.buttonFor(texts.changeRole, name) }, texts.changeRole);
    const form = h("form", {
      class: "inline",
      onsubmit(event) {
        event.preventDefault();
        act(button, place, async () => {
          try {
            await change("PUT", path(member), { body: { role: select.value } });
          } catch (error) {
            if (error instanceof Refusal) select.value = member.role;
            throw error;
          }
          await done(member, texts.roleChanged(name, texts.roles[select.value]));
        });
      },
    }, select, button);
    return [
      h("div", { class: "grow" },
        h("span", { class: "name" }, said(name)), member.user_id === caller.user_id ? h("span", { class: "tag" }, texts.you) : null,
        member.name ? h("p", { class: "faint" }, said(member.email)) : null),
      form,
      h("div", { class: "buttons" }, h("button", {
        type: "button", class: "grave", "data-focus": "remove", "aria-label": texts.buttonFor(texts.remove, name),
        onclick: () => askFirst({
          title: texts.dropTitle(name), words: [texts.dropWords], yes: texts.remove, isGrave: true,
        }, async () => {
          await change("DELETE", path(member));
          await done(member, texts.memberGone(name));
        }),
      }, texts.remove)),
    ];
  }

  function addForm() {
    const notice = noticePlace();
    const email = h("input", { type: "email", required: true, maxlength: "254", autocomplete: "off", spellcheck: "false" });
    const role = h("select", {}, roles.map((name) => option(name, texts.roles[name])));
    const button = h("button", { class: "main" }, texts.addMember);
    const form = h("form", { class: "card" }, h("h2", {}, texts.addMember),
      h("div", { class: "fields wide-first" }, field(texts.email, email, texts.emailHint), field(texts.role, role)),
      h("dl", { class: "hint" }, roles.map((name) => h("div", {}, h("dt", {}, texts.roles[name]), h("dd", {}, texts.roleWords[name])))),
      button, notice.element);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      act(button, notice, async () => {
        const added = await change("POST", "/workspace/members", { body: { email: email.value.trim(), role: role.value } });
        form.reset();
        notice.say(texts.memberAdded(added.name ?? added.email, texts.roles[added.role]));
        feed.again();
      });
    });
    return form;
  }

  return () => feed.stop();
}
