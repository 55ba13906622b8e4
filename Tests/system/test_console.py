"""The console: what is served, its keys, what others wrote, and whether everybody can use it."""

import gzip
import json
import os
import re

import pytest
from playwright.sync_api import expect

from harness.bots_user import BotsUser
from harness.console import LATER, key_of, lines, link
from harness.feed_server import FeedServer, event, feed, utc
from harness.http_client import request
from harness.node import REPOSITORY
from harness.receiver import Receiver
from harness.transcripts import post, segment
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

FILES = os.path.join(REPOSITORY, "Sources", "Console", "Page")
MOST_BYTES = 150_000
# Of all of it, compressed.
MOST_PACKED_BYTES = 65_000

# --- What is served -------------------------------------------------------------------------------------------------


def without_comments(text):
    """Lines that are comments alone are empty when they are served."""
    text = re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"^ */\*.*?\*/$", lambda comment: "\n" * comment[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)


def test_the_files_are_small_and_tell_when_they_have_not_changed(console):
    total, packed, names = 0, 0, sorted(os.listdir(FILES))
    for name in names:
        path = "/console" if name == "index.html" else f"/console/{name}"
        answer = console.node.request("GET", path)
        with open(os.path.join(FILES, name)) as file:
            contents = file.read()
        assert answer.status == 200 and answer.body.decode() == without_comments(contents), path
        assert answer.header("X-Content-Type-Options") == "nosniff"
        packed += len(console.node.request("GET", path, headers={"Accept-Encoding": "gzip"}).body)
        total += len(answer.body)
        unchanged = console.node.request("GET", path, headers={"If-None-Match": answer.header("ETag")})
        assert unchanged.status == 304 and unchanged.body == b"" and unchanged.header("ETag") == answer.header("ETag")
        assert "innerHTML" not in contents and "<script>" not in contents and "style=" not in contents, name
    assert total <= MOST_BYTES and packed <= MOST_PACKED_BYTES, (total, packed)
    assert console.node.request("GET", "/console/none.js").status == 404


@pytest.mark.parametrize("path", ["/console", "/console/main.js", "/console/style.css", "/docs", "/openapi.json"])
def test_what_browsers_load_is_compressed_for_those_who_take_it(console, path):
    def ask(accepted, **headers):
        return console.node.request("GET", path, headers={**({"Accept-Encoding": accepted} if accepted else {}), **headers})
    plain, packed = ask(None), ask("deflate, gzip;q=0.8, br")
    assert plain.header("Content-Encoding") is None and packed.header("Content-Encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < 0.7 * len(plain.body)
    assert packed.header("Content-Type") == plain.header("Content-Type")
    assert packed.header("Content-Security-Policy") == plain.header("Content-Security-Policy")
    tags = plain.header("ETag"), packed.header("ETag")
    assert tags[0] != tags[1] and (plain.header("Vary"), packed.header("Vary")) == ("Accept-Encoding", "Accept-Encoding")
    for accepted, own, other in ((None, *tags), ("gzip", *reversed(tags))):
        unchanged = ask(accepted, **{"If-None-Match": f'"x", W/{own}'})
        assert (unchanged.status, unchanged.body, unchanged.header("ETag")) == (304, b"", own)
        assert unchanged.header("Vary") == "Accept-Encoding"
        # What the caller has in the other form is no use for this one.
        assert ask(accepted, **{"If-None-Match": other}).status == 200
    for refused in ("identity", "gzip;q=0", "br, gzip; Q=0.000", "*;q=0", "gzip;q=x"):
        assert ask(refused).body == plain.body, refused
    head = console.node.request("HEAD", path, headers={"Accept-Encoding": "gzip"})
    assert (head.header("Content-Length"), head.header("ETag")) == (str(len(packed.body)), tags[1])


def test_the_page_may_do_little(console):
    policy = console.node.request("GET", "/console").header("Content-Security-Policy")
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("require-trusted-types-for") == "'script'"
    # What it fetched with the key it shows and plays as its own.
    assert (rules.pop("img-src"), rules.pop("media-src")) == ("'self' blob:", "blob:")
    assert set(rules.values()) == {"'self'", "'none'"}
    assert {name for name, value in rules.items() if value == "'self'"} == {"script-src", "style-src", "connect-src"}


def test_the_root_leads_to_the_console_or_to_the_description(servers, console):
    answer = console.node.request("GET", "/")
    assert (answer.status, answer.header("Location")) == (302, "/console")
    without = servers.node(console.redis, CONSOLE="off")
    answer = without.request("GET", "/")
    assert (answer.status, answer.header("Location")) == (302, "/docs")
    assert without.request("GET", "/console").status == 404
    assert without.request("GET", "/console/main.js").status == 404


def test_with_a_port_of_its_own_it_is_there_and_not_on_the_public_one(servers, console, owner):
    node = servers.node(console.redis, CONSOLE_PORT=0)
    [port] = wait_for(lambda: [line["port"] for line in node.said("Listening") if line["serves"] == "console"], "the port")
    for path in ("/console", "/console/main.js"):
        assert node.request("GET", path).status == 404
        assert request(int(port), "GET", path).status == 200
    assert (node.request("GET", "/").header("Location"), request(int(port), "GET", "/").header("Location")) == ("/docs", "/console")
    # What is for others is not there.
    assert {request(int(port), "GET", path).status for path in ("/admin/users", "/metrics")} == {404}
    tab = console.browser.open(port).sign_in(owner.token)
    tab.see("No meetings yet")
    tab.end()


def test_a_key_tells_whose_it_is(console, owner):
    answer = owner.request("GET", "/user")
    assert answer.status == 200 and answer.json == {
        "user_id": owner.user["id"], "email": owner.user["email"], "name": "Anna", "workspace_id": owner.workspace_id,
        "workspace_name": answer.json["workspace_name"], "role": "owner", "key_id": answer.json["key_id"],
        "scopes": ["seameet", "bots"]}
    [key] = owner.request("GET", "/workspace/keys").json["keys"]
    assert key["id"] == answer.json["key_id"]
    viewer = console.node.request("GET", "/user", headers={"X-API-Key": key_of(owner, "viewer")})
    assert (viewer.json["role"], viewer.json["scopes"]) == ("viewer", ["bots"])
    # As Vexa's clients ask.
    assert owner.request("GET", "/auth/me").json == {
        "user_id": owner.user["id"], "email": owner.user["email"], "scopes": ["seameet", "bots"], "max_concurrent": 10,
        "is_admin": False}
    other = console.node.request("GET", "/user", headers={"X-API-Key": key_of(owner, "owner", ["seameet"])})
    assert other.status == 403 and "bots" in other.json["detail"]


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_tried_kept_in_the_tab_and_forgotten(tab, owner):
    tab.page.goto(f"{tab.origin}/console")
    tab.page.get_by_label("API key").fill("usher_none")
    tab.button("Sign in").click()
    tab.see("401")
    tab.see("Send a valid API key")
    tab.sign_in(owner.token)
    expect(tab.heading("Meetings")).to_be_visible()
    tab.page.reload()
    expect(tab.heading("Meetings")).to_be_visible()
    kept = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
    assert json.loads(tab.page.evaluate(kept)) == [{"usher.key": owner.token}, {}, ""]
    tab.button("Log out").click()
    expect(tab.page.get_by_label("API key")).to_be_focused()
    assert json.loads(tab.page.evaluate(kept)) == [{}, {}, ""]
    tab.page.reload()
    expect(tab.page.get_by_label("API key")).to_be_visible()


def test_a_key_that_is_revoked_while_the_page_is_open(tab, owner):
    record = owner.admin.create_key(owner.workspace_id, owner.user["id"], ["bots"])
    tab.sign_in(record["key"])
    expect(tab.heading("Meetings")).to_be_visible()
    assert owner.admin.request("DELETE", f"/admin/keys/{record['id']}").status == 204
    expect(tab.page.get_by_label("API key")).to_be_visible()
    tab.see("401")
    assert tab.page.evaluate("sessionStorage.length") == 0


def test_a_key_without_the_scope_is_told_so(tab, owner):
    tab.page.goto(f"{tab.origin}/console")
    tab.page.get_by_label("API key").fill(key_of(owner, "owner", ["seameet"]))
    tab.button("Sign in").click()
    tab.see("This API key lacks the scope bots")


# --- What others wrote ----------------------------------------------------------------------------------------------

EVIL = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


def hostile_workspace(redis, node):
    """A user whose meetings have markup in every field: a planned one, and one that is held by a bot."""
    owner = BotsUser(Admin(node), name=EVIL)
    name = EVIL[:90]
    planned = owner.request("POST", "/meetings", {
        "meeting_url": link(random_meet_code()), "title": EVIL, "bot_name": name,
        "scheduled_at": f"{LATER}T07:30:00Z"})
    assert planned.status == 201, planned
    meeting = owner.send_bot(bot_name=name)
    bot = owner.play(redis, meeting, "joining", "active")
    answer = owner.request("PATCH", owner.meeting_path(meeting), {"data": {
        "name": EVIL, "participants": [EVIL, "\u202eevil"], "languages": ["<b>en</b>"], "notes": EVIL}})
    assert answer.status == 200, answer
    answer = post(node, bot, {"segments": [
        segment("1", EVIL, speaker=EVIL), segment("2", "Said \u202ebackwards", start=3.0, end=4.0, speaker="<b>Ben</b>"),
        segment("3", EVIL, start=5.0, end=6.0, completed=False, speaker=None)]})
    assert answer.status in (200, 202, 204), answer
    return owner, planned.json, meeting, bot


def test_what_others_wrote_is_text_everywhere(console, servers):
    redis = servers.redis()
    node = servers.node(redis, WEBHOOK_ALLOW="127.0.0.1")
    owner, planned, meeting, bot = hostile_workspace(redis.client, node)
    tab = console.browser.open(node.port)
    with Receiver(lambda delivery: (400, {}, EVIL.encode())) as receiver:
        made = owner.request("POST", "/webhooks", {
            "url": receiver.url(path="/'onload='x"), "description": EVIL, "secret": EVIL[:60]})
        assert made.status == 201, made
        tab.sign_in(owner.token)
        expect(tab.row("#2")).to_contain_text(EVIL)
        calendar = owner.request("POST", "/user/calendars", {
            "name": EVIL, "bot_name": EVIL[:90], "ics_url": "https://calendar.example/'onload='x.ics"})
        assert calendar.status == 201, calendar
        key = owner.request("POST", "/workspace/keys", {"scopes": ["bots"], "label": EVIL})
        assert key.status == 201, key
        for path in [f"/meetings/{planned['id']}", f"/meetings/{meeting['id']}", "/webhooks", f"/webhooks/{made.json['id']}",
                     "/calendars", f"/calendars/{calendar.json['id']}", "/workspace/keys", "/workspace/members"]:
            tab.go(path)
            expect(tab.page.locator("main")).to_contain_text(EVIL)
            assert tab.overflow <= 0, path
            assert tab.page.locator("main img, main script, main b, main iframe").count() == 0, path
            assert "taken" not in tab.page.title().replace(EVIL, ""), path
        tab.go(f"/webhooks/{made.json['id']}")
        tab.button("Send a test").click()
        expect(tab.row("webhook.test")).to_contain_text("Failed")
        tab.page.get_by_text("1 attempt", exact=True).click()
        expect(tab.row("webhook.test")).to_contain_text("<img src=x")
        tab.go(f"/meetings/{meeting['id']}")
        expect(lines(tab)).to_have_count(3)
        tab.page.get_by_label("Find in it").fill("<script>")
        expect(tab.page.locator("mark").first).to_have_text("<script>")
        tab.page.get_by_label("Find in it").fill("(.*")
        expect(tab.page.locator("mark")).to_have_count(0)
    bot.tell(node, "failed", failure_stage="active", completion_reason="crash", error_details=EVIL)
    expect(tab.page.locator(".state")).to_contain_text("Failed")
    expect(tab.page.locator(".facts pre")).to_have_text(EVIL)
    tab.go("/meetings/<img src=x>")
    expect(tab.heading("Meetings")).to_be_visible()
    assert tab.page.locator("main img").count() == 0
    tab.end()


@pytest.fixture
def feeds():
    server = FeedServer()
    yield server
    server.end()


# --- For everybody --------------------------------------------------------------------------------------------------


def test_by_keyboard_alone(tab, owner):
    tab.page.goto(f"{tab.origin}/console")
    keys = tab.page.keyboard
    expect(tab.page.get_by_label("API key")).to_be_focused()
    keys.type(owner.token)
    keys.press("Enter")
    expect(tab.heading("Meetings")).to_be_visible()
    expect(tab.page.locator("main")).to_be_focused()
    keys.press("Tab")
    expect(tab.page.get_by_label("Link to the meeting")).to_be_focused()
    code = random_meet_code()
    keys.type(link(code))
    keys.press("Enter")
    expect(tab.row(code)).to_contain_text("In the room")
    for _ in range(20):
        keys.press("Tab")
        if tab.page.evaluate("document.activeElement.textContent") == code:
            break
    keys.press("Enter")
    expect(tab.heading(code)).to_be_visible()
    # What a Tab is to go to may come after the heading.
    expect(tab.page.locator("main")).to_be_focused()
    expect(tab.button("Stop")).to_be_visible()
    keys.press("Tab")
    keys.press("Tab")
    expect(tab.button("Stop")).to_be_focused()
    keys.press("Enter")
    expect(tab.dialog()).to_be_visible()
    # What cannot be taken back is not what Enter does by chance.
    expect(tab.button("Leave it", tab.dialog())).to_be_focused()
    keys.press("Escape")
    expect(tab.button("Stop")).to_be_focused()
    keys.press("Enter")
    expect(tab.dialog()).to_be_visible()
    keys.press("Shift+Tab")
    keys.press("Enter")
    expect(tab.page.locator(".state")).to_contain_text("Over")


def test_what_is_said_in_a_meeting_is_not_read_out(tab, owner):
    """Nor its state, as long as that is the same: a screen reader tells what was asked for, and what has changed."""
    meeting = owner.send_bot()
    owner.wait_for_status(meeting, "active")
    tab.sign_in(owner.token)
    tab.go(f"/meetings/{meeting['id']}")
    expect(lines(tab).nth(1)).to_be_visible()
    tab.page.evaluate("""() => {
      window.told = [];
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const region = (target.closest ? target : target.parentElement)?.closest("[role=status], [role=alert], [aria-live]");
          if (region?.textContent) window.told.push(region.textContent);
        }
      }).observe(document.body, { childList: true, characterData: true, subtree: true });
    }""")
    seen = lines(tab).count()
    wait_for(lambda: lines(tab).count() > seen + 5, "more lines", interval_s=0.1)
    assert tab.page.evaluate("window.told") == []
    owner.request("DELETE", owner.bot_path(meeting))
    expect(tab.page.locator(".state")).to_contain_text("Over")
    assert "is now: Over" in tab.page.evaluate("window.told.join()")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_for_everybody(console, owner, feeds, width, dark):
    """axe finds nothing, nothing is cut off at the side, and there is one heading of the page."""
    held = owner.send_bot()
    owner.wait_for_status(held, "active")
    failed = owner.send_bot(bot_name="SIMULATE=rejected")
    owner.wait_for_status(failed, "failed")
    planned = owner.request("POST", "/meetings", {
        "meeting_url": link(random_meet_code()), "title": "Weekly talk about everything that was left over from last week",
        "scheduled_at": f"{LATER}T07:30:00Z"})
    tab = console.browser.open(console.node.port, width=width, dark=dark)
    look = f"{width}-{'dark' if dark else 'light'}"

    def check(name):
        assert tab.violations == [], name
        assert tab.overflow <= 0, name
        assert tab.page.locator("h1").count() == 1, name
        tab.picture(f"{name}-{look}")

    with Receiver(lambda delivery: (500, {}, b"not now")) as receiver:
        webhook = owner.request("POST", "/webhooks", {"url": receiver.url(), "description": "Our archive"}).json
        owner.request("POST", f"/webhooks/{webhook['id']}/test")
        receiver.wait_for("webhook.test")
        feeds.feeds["/work.ics"] = feed(event("1", utc(86_400), random_meet_code(), title="Standup"))
        for name, path in (("Work", "/work.ics"), ("Our holidays, and those of everybody else", "/none.ics")):
            assert owner.request("POST", "/user/calendars", {"name": name, "ics_url": feeds.url(path)}).status == 201
        tab.page.goto(f"{tab.origin}/console")
        expect(tab.page.get_by_label("API key")).to_be_visible()
        check("sign-in")
        tab.sign_in(owner.token)
        expect(tab.row("Weekly")).to_be_visible()
        expect(tab.row(held["native_meeting_id"])).to_contain_text("In the room")
        check("meetings")
        tab.page.get_by_label("When").select_option("At a time")
        tab.page.get_by_text("Bot's name, language").click()
        tab.page.get_by_label("Link to the meeting").fill("nothing")
        tab.button("Plan it").click()
        expect(tab.page.get_by_role("alert")).to_be_visible()
        check("meetings-refused")
        tab.go(f"/meetings/{held['id']}")
        expect(lines(tab).nth(4)).to_be_visible()
        tab.page.get_by_label("Find in it").fill("morning")
        expect(tab.page.locator("mark").first).to_be_visible()
        check("meeting")
        tab.button("Stop").click()
        check("dialog")
        tab.page.keyboard.press("Escape")
        tab.go(f"/meetings/{failed['id']}")
        expect(tab.page.locator(".state")).to_contain_text("Failed")
        check("meeting-failed")
        tab.go(f"/meetings/{planned.json['id']}")
        expect(tab.button("Save the plan")).to_be_visible()
        check("plan")
        tab.go("/webhooks")
        expect(tab.row(receiver.url())).to_be_visible()
        check("webhooks")
        tab.go(f"/webhooks/{webhook['id']}")
        expect(tab.row("webhook.test")).to_be_visible()
        tab.page.locator("li.row summary").first.click()
        check("webhook")
        tab.go("/calendars")
        expect(tab.row("Work")).to_contain_text("Enabled")
        check("calendars")
        tab.row("Work").get_by_role("link").click()
        expect(tab.row("Standup")).to_be_visible()
        check("calendar")
        tab.go("/workspace/keys")
        expect(tab.row("token")).to_be_visible()
        tab.button("Add New Key").click()
        check("keys-new")
        tab.page.get_by_label("Name", exact=True).fill("Calendar of the archive")
        tab.page.get_by_role("checkbox", name="bots for").check()
        tab.button("Make the key").click()
        expect(tab.row("Calendar")).to_be_visible()
        check("keys")
        tab.page.get_by_role("button", name="Rotate: Calendar").click()
        check("keys-dialog")
        tab.page.keyboard.press("Escape")
        tab.go("/workspace/members")
        expect(tab.row("Anna")).to_be_visible()
        check("members")
    owner.request("DELETE", owner.bot_path(held))
    tab.end()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_the_description_is_for_everybody(console, width, dark):
    tab = console.browser.open(console.node.port, width=width, dark=dark)
    tab.page.goto(f"{tab.origin}/docs")
    first = tab.page.locator("main h2").first
    expect(first).to_have_text("How to authenticate")
    assert tab.violations == [] and tab.overflow <= 0
    menu = tab.page.locator("nav").get_by_role("link", name="How to authenticate")
    if width < 1280:
        # It is folded, and what one came for is on the first screen.
        expect(menu).to_be_hidden()
        assert first.bounding_box()["y"] < 300
        tab.page.get_by_text("Contents", exact=True).click()
        expect(menu).to_be_visible()
    else:
        expect(menu).to_be_visible()
        tab.page.locator("nav").get_by_role("link", name="Stop Bot").click()
        # Once the page has been scrolled there.
        wait_for(lambda: tab.page.locator("nav li a").evaluate_all(
            "links => links.filter((link) => getComputedStyle(link).fontWeight === '700').map((link) => link.hash)")
            == ["#stopBot"], "the marking of the part that is read, and of no other", interval_s=0.05)
    text = tab.page.locator("main").inner_text()
    assert "contact support" not in text and "UUID" in text
    tab.picture(f"docs-{width}-{'dark' if dark else 'light'}")
    tab.end()
