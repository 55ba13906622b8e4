"""The console for whoever runs the service: how it is, its workspaces and their limits, its users and their first keys."""

import json
import re

import pytest
from playwright.sync_api import expect

from harness.bots_user import BotsUser
from harness.node import ADMIN_KEY
from harness.receiver import Receiver
from harness.times import iso
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

EVIL = "<img src=x onerror=\"document.title='taken'\">"


def sign_in(tab, key=ADMIN_KEY):
    tab.page.goto(f"{tab.origin}/console")
    tab.page.get_by_label("API key").fill(key)
    tab.page.get_by_label("It is the service's admin key").check()
    tab.button("Sign in").click()
    return tab


def fact(tab, name):
    """What stands beside a name in a list of facts."""
    return tab.page.locator(".facts > div", has=tab.page.get_by_text(name, exact=True)).locator("dd")


def minutes(count):
    """The last hour of a node, of so many minutes."""
    return [{"ended_at": f"2026-05-21T03:{minute:02}:11.000Z", "requests": 10 * minute, "failures": minute % 7, "dispatches": 3,
             "waiting_ms": None if minute == 5 else 1_500} for minute in range(count)]


def test_the_admin_key_is_tried_kept_in_the_tab_and_forgotten(tab, owner):
    sign_in(tab, "x" * 20)
    expect(tab.page.get_by_role("alert")).to_contain_text("403")
    # No key of a workspace is one, nor the other way round.
    sign_in(tab, owner.token)
    expect(tab.page.get_by_role("alert")).to_contain_text("403")
    tab.page.goto(f"{tab.origin}/console")
    tab.page.get_by_label("API key").fill(ADMIN_KEY)
    tab.button("Sign in").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("401")
    sign_in(tab)
    expect(tab.heading("Service")).to_be_visible()
    tab.page.reload()
    expect(tab.heading("Service")).to_be_visible()
    kept = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
    assert json.loads(tab.page.evaluate(kept)) == [{"usher.admin-key": ADMIN_KEY}, {}, ""]
    assert ADMIN_KEY not in "".join(tab.paths) + tab.page.url
    # It opens no workspace's pages.
    tab.go("/meetings")
    expect(tab.heading("Service")).to_be_visible()
    assert tab.page.get_by_role("navigation").get_by_role("link").all_inner_texts() == ["Service", "Workspaces", "Users"]
    tab.button("Log out").click()
    expect(tab.page.get_by_label("API key")).to_be_focused()
    assert json.loads(tab.page.evaluate(kept)) == [{}, {}, ""]


def test_an_admin_key_that_counts_no_more_ends_the_session(tab):
    sign_in(tab)
    expect(tab.heading("Service")).to_be_visible()
    refusal = {"error": "Forbidden", "detail": "Send the admin key: X-Admin-API-Key: <key>.", "code": 403, "parameters": {}}
    tab.page.route("**/admin/workspaces?*", lambda route: route.fulfill(status=403, json=refusal))
    tab.go("/workspaces")
    expect(tab.page.get_by_label("API key")).to_be_visible()
    tab.see("Send the admin key")
    assert tab.page.evaluate("sessionStorage.length") == 0


def test_people_of_a_workspace_load_nothing_of_these_pages(tab, owner):
    tab.sign_in(owner.token)
    expect(tab.heading("Meetings")).to_be_visible()
    asked = {path for path in tab.paths if path.startswith("/console/")}
    assert "/console/main.js" in asked
    assert not asked & {f"/console/{name}.js" for name in ("admin", "service", "charts", "workspaces", "users", "pager")}
    assert not [path for path in tab.paths if path.startswith("/admin")]


def test_how_the_service_is(console, servers):
    redis = servers.redis()
    node = servers.node(redis, WEBHOOK_ALLOW="127.0.0.1")
    runner = servers.runner(redis, node, CAPACITY=7)
    owner = BotsUser(Admin(node))
    meeting = owner.send_bot()
    owner.wait_for_status(meeting, "active")
    tab = sign_in(console.browser.open(node.port))
    expect(fact(tab, "Rooms held")).to_have_text("1 · 1 In the room")
    expect(fact(tab, "Queue")).to_have_text("empty")
    expect(fact(tab, "Leases")).to_have_text("1 live, 0 overdue")
    expect(fact(tab, "Runners' places")).to_have_text("1 of 7 places taken")
    expect(fact(tab, "Redis' memory")).to_contain_text("without a limit")
    expect(tab.row(f"127.0.0.1:{node.port}")).to_contain_text("Running")
    expect(tab.row("1 of 7 places taken")).to_be_visible()
    expect(tab.row("persistence")).to_contain_text("Wrong")
    expect(tab.row("persistence")).to_contain_text("Set `appendonly yes`")
    tab.page.get_by_text(re.compile("things are as they should be")).click()
    expect(tab.row("clock")).to_contain_text("Right")
    tab.see("The node has just begun")
    expect(tab.page.get_by_role("list", name="Bots to be sent within the hour").get_by_role("listitem")).to_have_count(0)
    plan = owner.request("POST", "/meetings", {
        "meeting_url": f"https://meet.google.com/{random_meet_code()}", "scheduled_at": iso(1_800)}).json
    expect(tab.row(plan["native_meeting_id"])).to_contain_text("Google Meet")
    expect(fact(tab, "Plans within the hour")).to_have_text("1")
    with Receiver(lambda delivery: (500, {}, b"")) as receiver:
        webhook = owner.request("POST", "/webhooks", {"url": receiver.url()}).json
        owner.request("POST", f"/webhooks/{webhook['id']}/test")
        expect(tab.row(webhook["id"])).to_contain_text("Failing")
        tab.row(webhook["id"]).get_by_role("link", name="Workspace").click()
    expect(tab.page.get_by_label("Search")).to_have_value(owner.workspace_id)
    expect(tab.row(owner.workspace_id)).to_contain_text("Bots 1 of 10")
    tab.go("/service")
    # What ends is not there any more; what waits is.
    runner.kill()
    owner.send_bot()
    expect(fact(tab, "Queue")).to_contain_text("1 wait, the oldest for")
    node.kill()
    expect(tab.page.locator(".banner")).to_contain_text("No answer from the service since")
    tab.end()


def test_the_last_hour_is_drawn_and_said(tab):
    tab.page.route("**/admin/history", lambda route: route.fulfill(json={"minutes": minutes(60)}))
    sign_in(tab)
    figures = tab.page.locator("figure")
    expect(figures).to_have_count(3)
    expect(figures.nth(0)).to_contain_text("3 in the last minute, 3 at most")
    expect(figures.nth(1)).to_contain_text("590 in the last minute, 590 at most, 174 failed (5xx) in all")
    expect(figures.nth(2)).to_contain_text("2 secs in the last minute, 2 secs at most")
    expect(tab.page.get_by_role("img", name="Requests a minute: 590 in the last minute")).to_be_visible()
    # A minute without any has no bar, and the largest is as high as the drawing.
    assert [figures.nth(number).locator("rect.bar:not(.bad)").count() for number in range(3)] == [60, 59, 59]
    assert figures.nth(1).locator("rect.bar:not(.bad)").last.get_attribute("height") == "60"
    tab.see("every node counts its own")


def test_workspaces_are_sought_and_their_limits_changed(tab, console):
    admin = Admin(console.node)
    owner = admin.create_user()
    made = [admin.create("/admin/workspaces", {"name": f"{EVIL} {number:02}", "owner_user_id": owner["id"]}) for number in range(55)]
    sign_in(tab)
    tab.page.get_by_role("link", name="Workspaces").click()
    rows = tab.page.locator("li.row")
    expect(rows).to_have_count(50)
    assert tab.button("Back").is_hidden()
    tab.button("On").click()
    expect(tab.row(f"{EVIL} 54")).to_be_visible()
    tab.button("Back").click()
    expect(rows).to_have_count(50)
    tab.page.get_by_label("Search").fill("IMG src=x onerror")
    expect(tab.row(f"{EVIL} 00")).to_be_visible()
    tab.page.get_by_label("Search").fill("nobody has this")
    tab.see("Nothing found.")
    tab.page.get_by_label("Search").fill(f"{EVIL} 07")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("0 of what the settings allow")
    tab.button(f"Change the limits: {EVIL} 07").click()
    tab.dialog().get_by_label("Bots at once").fill("0")
    tab.button("Change the limits", tab.dialog()).click()
    expect(tab.dialog().get_by_role("alert")).to_contain_text("422")
    tab.dialog().get_by_label("Bots at once").fill("25")
    tab.dialog().get_by_label("Meetings").fill("1000")
    tab.button("Change the limits", tab.dialog()).click()
    tab.see("were changed.")
    expect(rows).to_contain_text("Bots 0 of 25")
    expect(rows).to_contain_text("Meetings 0 of 1,000")
    path = f"/admin/workspaces/{made[7]['id']}"
    record = admin.request("GET", path).json
    assert (record["max_concurrent_bots"], record["max_meetings"], record["max_bytes"]) == (25, 1000, None)
    tab.button(f"Change the limits: {EVIL} 07").click()
    tab.dialog().get_by_label("Meetings").press_sequentially("e")
    tab.button("Change the limits", tab.dialog()).click()
    expect(tab.dialog().get_by_role("alert")).to_contain_text("422")
    assert admin.request("GET", path).json["max_meetings"] == 1000
    tab.dialog().get_by_label("Meetings").fill("")
    tab.button("Change the limits", tab.dialog()).click()
    wait_for(lambda: admin.request("GET", path).json["max_meetings"] is None, "no limit of its own", interval_s=0.05)
    assert tab.page.locator("main img").count() == 0 and "taken" not in tab.page.title()


def test_a_user_is_added_and_gets_a_first_key(tab, console):
    sign_in(tab)
    tab.page.get_by_role("link", name="Users").click()
    email = f"new-{tab.origin.rpartition(':')[2]}@example.com"
    tab.page.get_by_label("Email").fill(email)
    tab.page.get_by_label("Name").fill(EVIL)
    tab.button("Add a user").click()
    tab.see(f"{email} is a user.")
    tab.button(f"Make the key: {email}").first.click()
    tab.button("Make the key", tab.dialog()).click()
    tab.see("It is shown this once")
    key = tab.page.locator(".notice code").text_content()
    answer = console.node.request("GET", "/user", headers={"X-API-Key": key})
    assert (answer.json["email"], answer.json["name"], answer.json["role"]) == (email, EVIL, "owner")
    # Asked for again it is the same one.
    tab.page.get_by_label("Email").fill(email.upper())
    tab.button("Add a user").click()
    tab.see(f"{email} is a user.")
    assert len([one for one in Admin(console.node).request("GET", "/admin/users?limit=1000").json if one["email"] == email]) == 1
    assert tab.page.locator("main img").count() == 0 and "taken" not in tab.page.title()


def remove(tab, name, typed, other):
    """Types another name first, which removes nothing."""
    tab.button(f"Remove: {name}").first.click()
    field = tab.dialog().get_by_label(f"Type {name}")
    for text in (other, typed):
        field.fill(text)
        assert tab.violations == []
        tab.button("Remove", tab.dialog()).click()
        if text == other:
            expect(field).to_be_focused()
    tab.see(f"{name} was removed.")


def test_a_workspace_and_a_user_are_removed_by_their_names(tab, console):
    admin = Admin(console.node)
    user = admin.create_user()
    workspace = admin.create("/admin/workspaces", {"name": f"{EVIL} gone", "owner_user_id": user["id"]})
    sign_in(tab)
    tab.go(f"/workspaces/{workspace['id']}")
    remove(tab, workspace["name"], f" {workspace['name']} ", EVIL)
    tab.see("Nothing found.")
    tab.page.get_by_role("link", name="Users").click()
    tab.page.get_by_label("Email").fill(user["email"])
    tab.button("Add a user").click()
    remove(tab, user["email"], user["email"], user["email"][:-1])
    for path in (f"workspaces/{workspace['id']}", f"users/email/{user['email']}"):
        assert admin.request("GET", f"/admin/{path}").status == 404


def test_where_the_admin_api_has_a_port_of_its_own_the_console_is_there_too(console, servers):
    node = servers.node(servers.redis(), ADMIN_PORT=0)
    [port] = wait_for(lambda: [line["port"] for line in node.said("Listening") if line["serves"] == "admin"], "the port")
    tab = sign_in(console.browser.open(port))
    expect(tab.heading("Service")).to_be_visible()
    tab.end()
    tab = sign_in(console.browser.open(node.port))
    expect(tab.page.get_by_role("alert")).to_contain_text("404")
    tab.end()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_for_everybody(console, owner, width, dark):
    tab = console.browser.open(console.node.port, width=width, dark=dark)
    tab.page.route("**/admin/history", lambda route: route.fulfill(json={"minutes": minutes(45)}))

    def check(name):
        assert tab.violations == [], name
        assert tab.overflow <= 0, name
        assert tab.page.locator("h1").count() == 1, name
        tab.picture(f"{name}-{width}-{'dark' if dark else 'light'}")

    with Receiver(lambda delivery: (500, {}, b"")) as receiver:
        webhook = owner.request("POST", "/webhooks", {"url": receiver.url()}).json
        owner.request("POST", f"/webhooks/{webhook['id']}/test")
        receiver.wait_for("webhook.test")
        sign_in(tab)
        expect(tab.row(webhook["id"])).to_be_visible()
        expect(tab.row("persistence")).to_be_visible()
        tab.page.get_by_text(re.compile("things are as they should be")).click()
        check("service")
        owner.request("DELETE", f"/webhooks/{webhook['id']}")
    tab.go(f"/workspaces/{owner.workspace_id}")
    expect(tab.row(owner.workspace_id)).to_be_visible()
    check("workspaces")
    tab.page.get_by_role("button", name="Change the limits").click()
    check("workspaces-dialog")
    tab.page.keyboard.press("Escape")
    tab.go("/users")
    expect(tab.row(owner.user["email"])).to_be_visible()
    tab.page.get_by_label("Email").fill(owner.user["email"])
    tab.button("Add a user").click()
    tab.see("is a user.")
    check("users")
    tab.end()
