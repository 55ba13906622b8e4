// The API keys of the workspace: the tab that documents of the Re-invite API send people to.

import { change, get } from "/console/api.js";
import { field, h, option, rows, said } from "/console/dom.js";
import { follow, seldom } from "/console/feed.js";
import { fromLocalField, localField, moment, pill } from "/console/format.js";
import { act, askFirst, noticePlace, secretPlace, troubleOf } from "/console/notices.js";
import { texts } from "/console/texts.js";

const scopes = ["seameet", "bots"];

/** The two tabs of a workspace. */
export function workspaceTabs(current) {
  const tab = (name, text) => h("a", { href: `#/workspace/${name}`, "aria-current": current === name ? "page" : null }, text);
  return h("nav", { class: "tabs", "aria-label": texts.workspace }, tab("keys", texts.keysTab), tab("members", texts.membersTab));
}

export function keysPage(main, { caller, refresh, adopt }) {
  const place = noticePlace();
  const secrets = secretPlace();
  const members = new Map();
  let own = null;
  const list = h("ul", { class: "rows", "aria-label": texts.keys });
  const draw = rows(list, (key) => key.id, row);
  const form = newForm({ caller, members: () => [...members.values()], own: () => own }, (made) => {
    adding.hidden = false;
    showKey(made, texts.keyMade);
    feed.again();
  }, () => {
    adding.hidden = false;
    adding.focus();
  });
  const adding = h("button", {
    type: "button", class: "main",
    onclick() {
      place.clear();
      adding.hidden = true;
      form.open();
    },
  }, texts.addKey);
  main.append(h("h1", {}, texts.workspace), workspaceTabs("keys"), h("p", {}, texts.keysWords),
    h("div", { class: "buttons" }, adding), form.element, secrets.element, place.element, list);

  const feed = follow(async (signal) => {
    const [{ keys }, found] = await Promise.all([get("/workspace/keys", { signal }), get("/workspace/members", { signal })]);
    return { keys, found: found.members };
  }, {
    every: seldom,
    show({ keys, found }) {
      members.clear();
      for (const member of found) members.set(member.user_id, member);
      own = keys.find((key) => key.id === caller.key_id) ?? null;
      draw(keys.map((key) => ({ ...key, member: members.get(key.user_id) ?? null, isOwn: key.id === caller.key_id })).reverse());
    },
    trouble: troubleOf(place),
  });

  function showKey(made, words) {
    secrets.show(words, texts.keyOnce, made.key);
  }

  function row(key) {
    const name = nameOf(key);
    const button = (text, work, look) => h("button", {
      type: "button", class: look ?? null, "aria-label": texts.buttonFor(text, name), "data-focus": text, onclick: work,
    }, text);
    return [
      h("div", { class: "grow" },
        h("span", { class: "name" }, said(name)), key.isOwn ? h("span", { class: "tag" }, texts.keyInUse) : null,
        h("p", { class: "faint" }, key.member ? [said(key.member.name ?? key.member.email), " · ", texts.roles[key.member.role]] : texts.noMember),
        h("p", { class: "faint" }, h("code", {}, key.id))),
      h("div", { class: "state" }, key.scopes.map((scope) => [pill(scope, "way"), " "]),
        key.rotated_to ? h("p", { class: "faint" }, texts.replaced) : null),
      h("div", { class: "when faint" },
        h("p", {}, texts.made, " ", moment(key.created_at)),
        h("p", {}, key.last_used_at ? [texts.lastUsed, " ", moment(key.last_used_at)] : texts.neverUsed),
        h("p", {}, key.expires_at ? [texts.expires, " ", moment(key.expires_at)] : texts.neverExpires)),
      h("div", { class: "buttons" },
        key.rotated_to ? null : button(texts.rotate, () => rotate(key, name)),
        button(texts.revoke, () => revoke(key, name), "grave")),
    ];
  }

  function rotate(key, name) {
    // What is under way by the key in use is not to be refused.
    const graces = texts.graces.filter(([seconds]) => seconds > 0 || !key.isOwn);
    const grace = h("select", {}, graces.map(([seconds, text]) => option(seconds, text)));
    grace.value = "86400";
    askFirst({
      title: texts.rotateTitle(name), words: [texts.rotateWords], yes: texts.rotate,
      more: h("div", { class: "fields" }, field(texts.grace, grace)),
    }, async () => {
      if (key.isOwn) feed.hold();
      try {
        const path = `/workspace/keys/${encodeURIComponent(key.id)}/rotate`;
        const made = await change("POST", path, { body: { grace_seconds: Number(grace.value) } });
        // Whoever replaces the key in use goes on with the new one.
        if (key.isOwn) adopt(key.id, made);
        showKey(made, key.isOwn ? texts.ownKeyRotated : texts.keyRotated);
      } finally {
        feed.again();
      }
    });
  }

  function revoke(key, name) {
    askFirst({
      title: texts.revokeTitle(name), words: [texts.revokeWords, ...(key.isOwn ? [texts.revokeOwn] : [])], yes: texts.revoke, isGrave: true,
    }, async () => {
      await change("DELETE", `/workspace/keys/${encodeURIComponent(key.id)}`);
      place.say(texts.revoked(name));
      if (key.isOwn) await refresh();
      else feed.again();
    });
  }

  return () => feed.stop();
}

function nameOf(key) {
  return key.label ?? texts.unnamedKey;
}

/** @param onMade gets the new key; `onLeft` is told that none is wanted. */
function newForm({ caller, members, own }, onMade, onLeft) {
  const place = noticePlace();
  const label = h("input", { type: "text", maxlength: "200", autocomplete: "off", required: true });
  const expires = h("input", { type: "datetime-local" });
  const whose = h("select", {});
  // A key gives no more than it has.
  const boxes = scopes.map((name) => h("input", { type: "checkbox", value: name, disabled: !caller.scopes.includes(name) }));
  const missing = scopes.filter((name) => !caller.scopes.includes(name));
  const button = h("button", { class: "main" }, texts.makeKey);
  const hint = h("p", { class: "hint", hidden: true });
  const element = h("form", { class: "card", hidden: true },
    h("h2", {}, texts.addKey),
    h("div", { class: "fields" }, field(texts.keyName, label, texts.keyNameHint), field(texts.keyOf, whose, texts.keyOfHint),
      h("div", {}, field(texts.keyEnd, expires, texts.keyEndHint), hint)),
    h("fieldset", {}, h("legend", {}, texts.scopes),
      missing.length ? h("p", { class: "hint" }, texts.scopesMissing(missing.join(", "))) : null,
      boxes.map((box) => h("label", { class: "check" }, box, h("span", {}, h("code", {}, box.value), " ", texts.scopeWords[box.value])))),
    h("div", { class: "buttons" }, button, h("button", { type: "button", onclick: close }, texts.leaveIt)), place.element);

  function close() {
    element.hidden = true;
    onLeft();
  }

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    act(button, place, async () => {
      const body = { label: label.value.trim(), scopes: boxes.filter((box) => box.checked).map((box) => box.value) };
      if (whose.value) body.user_id = Number(whose.value);
      if (expires.value) body.expires_at = fromLocalField(expires.value);
      const made = await change("POST", "/workspace/keys", { body });
      element.hidden = true;
      onMade(made);
    });
  });

  return {
    element,
    open() {
      element.reset();
      place.clear();
      whose.replaceChildren(...members().map((member) =>
        option(member.user_id, `${member.name ?? member.email} (${texts.roles[member.role]})`)));
      whose.value = String(caller.user_id);
      const end = own()?.expires_at;
      hint.hidden = !end;
      hint.replaceChildren(...(end ? [texts.ownEnd, " ", moment(end), "."] : []));
      expires.value = end ? localField(end) : "";
      element.hidden = false;
      label.focus();
    },
  };
}
