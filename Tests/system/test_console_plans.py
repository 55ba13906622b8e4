"""Plans in the console: made, changed, cancelled, and come true."""

import datetime
import zoneinfo

from playwright.sync_api import expect

from harness.bots_user import BotsUser
from harness.console import LATER, ZONE, in_utc, lines, link
from harness.workspace import Admin, random_meet_code


def plan(tab, code, time):
    """Plans a meeting "Weekly", at a time of the reader's zone."""
    tab.page.get_by_label("When").select_option("At a time")
    tab.page.get_by_label("Link to the meeting").fill(link(code))
    tab.page.get_by_label("Time", exact=True).fill(time)
    tab.page.get_by_label("Title").fill("Weekly")
    tab.button("Plan it").click()
    tab.see("Weekly is planned.")


def test_a_plan_is_made_changed_and_cancelled(tab, owner):
    code = random_meet_code()
    tab.sign_in(owner.token)
    plan(tab, code, f"{LATER}T09:30")
    expect(tab.row("Weekly")).to_contain_text("Planned")
    # The reader's zone is Madrid's.
    [meeting] = owner.request("GET", "/meetings").json["meetings"]
    assert meeting["data"]["scheduled_at"] == in_utc(f"{LATER}T09:30")
    tab.row("Weekly").get_by_role("link").click()
    expect(tab.page.get_by_label("Time", exact=True)).to_have_value(f"{LATER}T09:30")
    # What somebody else has changed since, and nobody touches here, stays.
    assert owner.request("PATCH", f"/meetings/{meeting['id']}", {"auto_join": False, "bot_name": "Nora"}).status == 200
    tab.page.get_by_label("Title").fill("Monthly")
    tab.page.get_by_label("Time", exact=True).fill(f"{LATER}T10:00")
    tab.button("Save the plan").click()
    expect(tab.heading("Monthly")).to_be_visible()
    data = owner.meeting(meeting)["data"]
    assert data["scheduled_at"] == in_utc(f"{LATER}T10:00")
    assert data["auto_join"] is False and data["bot_name"] == "Nora"
    assert owner.request("PATCH", f"/meetings/{meeting['id']}", {"auto_join": True}).status == 200
    tab.button("Cancel the plan").click()
    tab.button("Cancel the plan", tab.dialog()).click()
    tab.see("The plan was cancelled.")
    tab.see("No meetings yet")
    assert owner.request("GET", "/meetings").json["meetings"] == []


def test_a_plan_comes_true(console, servers):
    """The time is in minutes, so that the node sends bots so long before it that this one goes in 15 seconds."""
    now = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE))
    time = now.replace(second=0, microsecond=0) + datetime.timedelta(minutes=3)
    lead_ms = int((time - now).total_seconds() * 1_000) - 15_000
    redis = servers.redis()
    node = servers.node(redis, JOIN_LEAD_MS=lead_ms)
    servers.runner(redis, node)
    owner = BotsUser(Admin(node))
    code = random_meet_code()
    tab = console.browser.open(node.port).sign_in(owner.token)
    plan(tab, code, f"{time:%Y-%m-%dT%H:%M}")
    tab.row("Weekly").get_by_role("link").click()
    # Nobody does anything more.
    expect(tab.page.locator(".state")).to_contain_text("In the room")
    expect(lines(tab).nth(2)).to_be_visible()
    expect(tab.button("Save the plan")).to_have_count(0)
    expect(tab.page.locator(".timeline li.bot")).to_have_count(1)
    [meeting] = owner.request("GET", "/meetings").json["meetings"]
    scheduled = in_utc(f"{time:%Y-%m-%dT%H:%M}")
    assert (meeting["status"], meeting["data"]["scheduled_at"]) == ("active", scheduled)
    sent = datetime.datetime.fromisoformat(owner.record(meeting)["dispatched_at"]).replace(tzinfo=datetime.timezone.utc)
    assert sent >= time - datetime.timedelta(milliseconds=lead_ms)
    tab.end()
