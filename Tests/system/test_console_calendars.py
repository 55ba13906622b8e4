"""Calendars in the console: added, read, changed and removed, and how they stand."""

import pytest
from playwright.sync_api import expect

from harness.console import key_of
from harness.feed_server import FeedServer, event, feed, utc
from harness.waiting import wait_for
from harness.workspace import random_meet_code

HOUR = 3600
PATH = "/private-5ec2e7/basic.ics"


@pytest.fixture
def server():
    server = FeedServer()
    yield server
    server.end()


def add(tab, server, name="Work"):
    tab.go("/calendars")
    tab.page.get_by_label("Name", exact=True).fill(name)
    tab.page.get_by_label("Address of its iCalendar feed").fill(server.url(PATH))
    tab.button("Add the calendar").click()
    tab.see(f"{name} was added.")


def test_a_calendar_is_added_read_changed_disabled_and_removed(tab, owner, server):
    code = random_meet_code()
    weekly = event("weekly", utc(26 * HOUR), code, title="Weekly <b>")
    server.feeds[PATH] = feed(weekly, ["BEGIN:VEVENT", "UID:none", f"DTSTART:{utc(HOUR):%Y%m%dT%H%M%SZ}", "END:VEVENT"])
    tab.sign_in(owner.token)
    tab.page.get_by_role("link", name="Calendars").click()
    tab.see("No calendars yet")
    add(tab, server)
    expect(tab.row("Work")).to_contain_text("Enabled")
    expect(tab.row("Work")).to_contain_text(f"http://127.0.0.1:{server.port}/********")
    tab.row("Work").get_by_role("link").click()
    expect(tab.heading("Work")).to_be_visible()
    expect(tab.row("Weekly <b>")).to_be_visible()
    tab.see("1 planned, 0 changed, 0 cancelled")
    tab.see("1 without a link to a meeting")

    server.feeds[PATH] = feed(weekly, event("new", utc(25 * HOUR), random_meet_code(), title="Sooner"))
    tab.button("Read it now").click()
    expect(tab.page.locator("li.row")).to_contain_text(["Sooner", "Weekly <b>"])
    # What somebody else has changed since, and nobody touches here, stays.
    [calendar] = owner.request("GET", "/user/calendars").json["calendars"]
    tab.page.get_by_label("Bot's name").fill("Nora")
    tab.page.get_by_label("Bots come by themselves").uncheck()
    tab.button("Save").click()
    tab.see("The calendar was changed.")
    [changed] = owner.request("GET", "/user/calendars").json["calendars"]
    assert (changed["name"], changed["bot_name"], changed["auto_join"]) == ("Work", "Nora", False)
    tab.page.get_by_label("Name", exact=True).fill("Home")
    tab.button("Save").click()
    expect(tab.heading("Home")).to_be_visible()

    tab.button("Disable").click()
    tab.button("Disable", tab.dialog()).click()
    expect(tab.page.locator(".state")).to_contain_text("Disabled")
    assert tab.button("Read it now").count() == 0
    tab.see("Nothing is planned of this calendar.")
    wait_for(lambda: owner.request("GET", "/meetings").json["meetings"] == [], "the end of what was planned", interval_s=0.1)
    tab.button("Enable").click()
    expect(tab.row("Weekly <b>")).to_be_visible()
    tab.row("Weekly <b>").get_by_role("link").click()
    expect(tab.heading("Weekly <b>")).to_be_visible()
    tab.go(f"/calendars/{calendar['id']}")
    tab.button("Remove").click()
    expect(tab.button("Leave it", tab.dialog())).to_be_focused()
    tab.button("Remove", tab.dialog()).click()
    tab.see("The calendar was removed.")
    tab.see("No calendars yet")
    assert owner.request("GET", "/user/calendars").json == {"calendars": []}


def test_a_calendar_that_cannot_be_read_says_why(tab, owner, server):
    tab.sign_in(owner.token)
    add(tab, server)
    expect(tab.row("Work")).to_contain_text("Trouble")
    expect(tab.row("Work")).to_contain_text("404")
    tab.row("Work").get_by_role("link").click()
    tab.see("What was planned stays. It is tried again by itself.")
    server.feeds[PATH] = feed(event("one", utc(HOUR), random_meet_code(), title="At last"))
    tab.button("Read it now").click()
    expect(tab.row("At last")).to_be_visible()
    expect(tab.page.locator(".state")).to_contain_text("Enabled")
    tab.go("/calendars/cal_0123456789abcdef0123456789abcdef")
    expect(tab.page.get_by_role("alert")).to_contain_text("404 · Calendar not found")


def test_the_address_is_nowhere_on_the_page(tab, owner, server):
    server.feeds[PATH] = feed()
    tab.sign_in(owner.token)
    add(tab, server)
    expect(tab.page.get_by_label("Address of its iCalendar feed")).to_have_value("")
    shown = lambda: tab.page.evaluate("document.body.outerHTML + location.href + JSON.stringify({...sessionStorage})")
    expect(tab.row("Work")).to_contain_text("Enabled")
    assert "private-5ec2e7" not in shown()
    tab.row("Work").get_by_role("link").click()
    address = tab.page.get_by_label("Address of its iCalendar feed")
    expect(address).to_have_value("")
    expect(address).to_have_attribute("type", "password")
    tab.see("Nothing is planned of this calendar.")
    assert "private-5ec2e7" not in shown()


def test_viewers_have_no_calendars(tab, owner):
    tab.sign_in(key_of(owner, "viewer"))
    assert tab.page.get_by_role("link", name="Calendars").count() == 0
    tab.go("/calendars")
    tab.see("This needs the role member in the workspace, or a higher one. You are its viewer.")
