"""The console's pages as they are seldom seen: axe finds nothing there either, and nothing is cut off at the side."""

import base64
import struct

import pytest
from playwright.sync_api import expect

from harness.console import key_of, lines
from harness.recordings import Scene
from harness.waiting import wait_for

LOOKS = [pytest.param(width, dark, id=f"{width}-{'dark' if dark else 'light'}") for width in (360, 1280) for dark in (False, True)]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest.fixture(scope="module")
def scene(module_servers):
    """A node whose bots record, and a meeting of which there is sound: of 400 seconds, in two parts."""
    samples = bytes(400 * 32_000)
    head = b"RIFF" + struct.pack("<I", len(samples) + 36) + b"WAVEfmt " + struct.pack(
        "<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16) + b"data" + struct.pack("<I", len(samples))
    scene = Scene(module_servers, head + samples)
    meeting = scene.record()
    wait_for(lambda: scene.user.request("GET", f"/transcripts/google_meet/{meeting['native_meeting_id']}").json["segments"],
             "something said")
    scene.stop(meeting)
    scene.wait_for_recordings(meeting)
    scene.recorded = meeting
    return scene


class Look:
    """A tab in one look, and what is checked of a page there."""

    def __init__(self, console, port, width, dark):
        self.tab = console.browser.open(port, width=width, dark=dark)
        self.name = f"{width}-{'dark' if dark else 'light'}"

    def check(self, name):
        assert self.tab.violations == [], name
        assert self.tab.overflow <= 0, name
        assert self.tab.page.locator("h1").count() == 1, name
        self.tab.picture(f"{name}-{self.name}")


@pytest.mark.parametrize("width, dark", LOOKS)
def test_first_visits_refusals_secrets_and_pictures(console, owner, width, dark):
    look = Look(console, console.node.port, width, dark)
    tab = look.tab
    tab.page.goto(f"{tab.origin}/console")
    tab.page.get_by_label("API key").fill("usher_none")
    tab.button("Sign in").click()
    expect(tab.page.get_by_role("alert")).to_be_visible()
    look.check("sign-in-refused")
    tab.sign_in(owner.token)
    for path, words, name in (("/meetings", "No meetings yet", "first-meetings"), ("/webhooks", "No webhooks yet", "first-webhooks"),
                              ("/calendars", "No calendars yet", "first-calendars")):
        tab.go(path)
        tab.see(words)
        look.check(name)
    tab.go("/webhooks")
    tab.page.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    tab.button("Make the webhook").click()
    tab.see("It is shown this once")
    look.check("webhook-made")
    held = []
    tab.page.route("**/workspace/keys", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    tab.go("/workspace/keys")
    tab.button("Add New Key").click()
    tab.page.get_by_label("Name", exact=True).fill("Left")
    tab.page.get_by_role("checkbox", name="seameet for").check()
    tab.button("Make the key").click()
    wait_for(lambda: tab.page.evaluate("0") or held, "the request", interval_s=0.05)
    tab.go("/meetings")
    expect(tab.heading("Meetings")).to_be_visible()
    held[0].continue_()
    expect(tab.dialog()).to_contain_text("usher_")
    look.check("secret-dialog")
    tab.button("I have it").click()
    tab.page.route("**/meetings?*", lambda route: route.abort())
    expect(tab.page.locator(".banner")).to_be_visible()
    look.check("no-answer")
    tab.page.unroute("**/meetings?*")
    tab.go("/meetings/999")
    expect(tab.page.get_by_role("alert")).to_be_visible()
    look.check("none-such")
    failed = owner.send_bot(bot_name="SIMULATE=rejected")
    owner.wait_for_status(failed, "failed")
    tab.page.route(f"**/bots/id/{failed['id']}/screenshot", lambda route: route.fulfill(body=PIXEL, content_type="image/png"))
    tab.go(f"/meetings/{failed['id']}")
    expect(tab.page.locator("figure img")).to_be_visible()
    look.check("meeting-with-picture")
    tab.button("Log out").click()
    tab.sign_in(key_of(owner, "viewer"))
    look.check("viewer")
    tab.go("/workspace")
    tab.see("This needs the role")
    look.check("role-too-low")
    tab.end()


@pytest.mark.parametrize("width, dark", LOOKS)
def test_sound_restarts_and_a_plan_without_a_time(console, scene, width, dark):
    look = Look(console, scene.node.port, width, dark)
    tab, user = look.tab, scene.user
    tab.sign_in(user.token)
    tab.go(f"/meetings/{scene.recorded['id']}")
    expect(tab.button("Listen")).to_be_visible()
    lines(tab).first.get_by_role("button").click()
    expect(tab.page.locator("audio")).to_be_visible()
    look.check("meeting-with-sound")
    tab.button("Restart").click()
    expect(tab.dialog()).to_contain_text("force_restart")
    look.check("restart-dialog")
    tab.page.route("**/reinvite_bot", lambda route: route.fulfill(status=409, json={
        "detail": "A dispatch for this meeting is already in flight in this workspace.", "code": 12107, "parameters": {}}))
    tab.button("Restart", tab.dialog()).click()
    expect(tab.dialog().get_by_role("alert")).to_contain_text("12107")
    look.check("restart-refused")
    tab.page.keyboard.press("Escape")
    plan = user.request("POST", "/meetings", {"meeting_url": "https://zoom.us/j/91234567890", "title": "Without a time"}).json
    tab.go(f"/meetings/{plan['id']}")
    expect(tab.button("Save the plan")).to_be_visible()
    look.check("plan-without-time")
    tab.end()
