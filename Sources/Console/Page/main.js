// The frame around the pages: who is signed in, which page is shown, and where the focus goes.

import { calendarPage } from "/console/calendar.js";
import { calendarsPage } from "/console/calendars.js";
import { NoAnswer, get, session } from "/console/api.js";
import { h } from "/console/dom.js";
import { announce, isPassing, leaveAway, refusalNotice, standing, tellAway } from "/console/notices.js";
import { keysPage } from "/console/keys.js";
import { membersPage } from "/console/members.js";
import { meetingPage } from "/console/meeting.js";
import { meetingsPage } from "/console/meetings.js";
import { signInPage } from "/console/signin.js";
import { texts } from "/console/texts.js";
import { webhookPage } from "/console/webhook.js";
import { webhooksPage } from "/console/webhooks.js";

const roles = ["viewer", "member", "manager", "owner"];
const retryMilliseconds = 2_000;

const main = h("main", { id: "main", tabindex: "-1" });
const header = h("header");
let caller = null;
let leave = () => {};
let shown = 0;
// Whether a refusal has ended the session, and nobody's wish.
let isRefused = false;

/** Whether the caller's role is this one or a higher one. */
function mayAs(role) {
  return roles.indexOf(caller.role) >= roles.indexOf(role);
}

const pages = [
  { pattern: /^#\/meetings\/([1-9][0-9]{0,15})$/, make: meetingPage, section: "meetings" },
  { pattern: /^#\/calendars\/(cal_[0-9a-f]{1,64})$/, make: calendarPage, section: "calendars", role: "member" },
  { pattern: /^#\/calendars$/, make: calendarsPage, section: "calendars", role: "member" },
  { pattern: /^#\/webhooks\/(wh_[0-9a-f]{1,64})$/, make: webhookPage, section: "webhooks", role: "manager" },
  { pattern: /^#\/webhooks$/, make: webhooksPage, section: "webhooks", role: "manager" },
  { pattern: /^#\/workspace\/members$/, make: membersPage, section: "workspace", role: "owner" },
  { pattern: /^#\/workspace/, make: keysPage, section: "workspace", role: "owner" },
  { pattern: /^/, make: meetingsPage, section: "meetings" },
];

// Those of whoever has the admin key, which opens no workspace's.
let adminPages = null;

/** Knows the caller from now on, once the pages are there that the caller sees. */
async function know(found, isAdmin) {
  if (isAdmin && !adminPages) {
    adminPages = await import("/console/admin.js").then((module) => module.adminPages, () => { throw new NoAnswer(); });
  }
  return { ...found, isAdmin };
}

function drawHeader(section) {
  const link = (name, text, role = "viewer") => (caller.isAdmin || mayAs(role))
    && h("a", { href: `#/${name}`, "aria-current": section === name ? "page" : null }, text);
  header.replaceChildren(
    h("a", { class: "skip", href: "#main", onclick: skip }, texts.skip),
    h("span", { class: "brand" }, texts.product),
    caller
      ? h("nav", { "aria-label": texts.pages }, caller.isAdmin
        ? ["service", "workspaces", "users"].map((name) => link(name, texts[name]))
        : [link("meetings", texts.meetings), link("calendars", texts.calendars, "member"),
        link("webhooks", texts.webhooks, "manager"), link("workspace", texts.workspace, "owner")])
      : h("span"),
    caller
      ? h("div", { class: "who" },
        h("span", {}, caller.isAdmin ? texts.admin : [h("bdi", {}, caller.workspace_name), " · ", texts.roles[caller.role] ?? caller.role]),
        h("button", { type: "button", onclick: logOut }, texts.signOut))
      : h("a", { href: "/docs" }, texts.docs));
}

function skip(event) {
  event.preventDefault();
  main.focus();
}

/** Shows a page from its beginning, and tells those who do not see it. */
function open(title, section, make) {
  leave();
  leave = () => {};
  leaveAway();
  for (const dialog of document.querySelectorAll("dialog:not(.secret)")) dialog.close();
  document.title = `${title} · ${texts.product}`;
  drawHeader(section);
  main.replaceChildren();
  const end = make(main);
  if (end) leave = end;
  if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  announce(title);
}

function route() {
  if (!caller) return;
  const page = (caller.isAdmin ? adminPages : pages).find(({ pattern }) => pattern.test(location.hash));
  const id = page.pattern.exec(location.hash)[1];
  const title = texts.titles[page.make.name](id);
  if (page.role && !mayAs(page.role)) {
    open(title, page.section, (place) => {
      place.append(h("h1", {}, title), h("p", {}, texts.roleTooLow(texts.roles[page.role], texts.roles[caller.role])));
    });
    return;
  }
  open(title, page.section, (place) => page.make(place, { id, caller, mayAs, setTitle, refresh: resume, adopt }));
}

/** Where a page finds out what it is called. */
function setTitle(text) {
  document.title = `${text} · ${texts.product}`;
}

/** Whoever comes next begins at the beginning. */
function logOut() {
  history.replaceState(null, "", location.pathname);
  signOut();
}

/** The address stays, and is shown to whoever signs in. @param refusal why the key counts no more, if that is the reason. */
function signOut(refusal) {
  session.end();
  caller = null;
  shown += 1;
  isRefused = Boolean(refusal);
  tellAway(main, false);
  open(texts.signIn, null, (place) => signInPage(place, { begin, refusal }));
}

async function begin(key, isAdmin, found) {
  const known = await know(found, isAdmin);
  session.begin(key, isAdmin);
  caller = known;
  route();
}

/** Goes on with the key that has replaced the one of this id, unless somebody has logged out meanwhile. */
function adopt(id, made) {
  if (caller ? caller.key_id !== id : !isRefused) return;
  session.begin(made.key);
  if (caller) caller.key_id = made.id;
  else resume();
}

/** Signs in by the key that the tab has; while no node answers, until one does. */
async function resume() {
  const mine = ++shown;
  try {
    const isAdmin = session.isAdmin();
    const found = await know(await get(isAdmin ? "/admin/status" : "/user"), isAdmin);
    if (mine !== shown) return;
    tellAway(main, false);
    caller = found;
    route();
  } catch (error) {
    if (mine !== shown) return;
    if (!isPassing(error)) return signOut(error);
    tellAway(main, true);
    if (error.status) main.replaceChildren(h("h1", {}, texts.product), refusalNotice(error));
    setTimeout(resume, retryMilliseconds);
  }
}

document.body.replaceChildren(header, ...standing, main);
document.addEventListener("refused", (event) => caller && signOut(event.detail));
window.addEventListener("hashchange", route);
if (session.key()) resume();
else signOut();
