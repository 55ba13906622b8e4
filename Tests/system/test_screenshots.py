"""`GET /bots/id/{number}/screenshot`: what bots send of the pages that they need help with or fail at."""

import base64

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256))
SENT = {"image": base64.b64encode(PICTURE).decode(), "outline": "\"Sign in\", buttons: Next\n"}


def path(meeting):
    return f"/bots/id/{meeting['id']}/screenshot"


@pytest.mark.parametrize("statuses", [("joining", "awaiting_admission", "needs_help"), ("joining", "failed")])
def test_what_a_bot_saw_is_shown_to_managers(user, redis, statuses):
    meeting = user.send_bot()
    assert_bots_error(user.request("GET", path(meeting)), 404, "Screenshot not found")
    user.play(redis, meeting).tell(user.node, *statuses, screenshot=SENT)
    answer = user.request("GET", path(meeting))
    assert (answer.status, answer.body, answer.header("Content-Type")) == (200, PICTURE, "image/jpeg")
    assert answer.header("X-Content-Type-Options") == "nosniff" and answer.header("Cache-Control") == "no-store"
    assert user.meeting(meeting)["data"]["page_outline"] == "\"Sign in\", buttons: Next"
    for role, status in (("viewer", 403), ("member", 403), ("manager", 200)):
        key = user.as_workspace().member_key(role, scopes=["bots"])
        assert user.request("GET", path(meeting), headers={"X-API-Key": key}).status == status, role
        for shown in (f"/meetings/{meeting['id']}", f"/bots/id/{meeting['id']}"):
            data = user.request("GET", shown, headers={"X-API-Key": key}).json["data"]
            assert ("page_outline" in data) is (status == 200), role
    # Not among many, nor beside a transcript: those are read by anybody, and often.
    for shown in ("/meetings", "/bots", f"/transcripts/google_meet/{meeting['native_meeting_id']}"):
        assert b"page_outline" not in user.request("GET", shown).body


def test_what_is_on_the_page_is_told_while_it_needs_help(user, redis):
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "awaiting_admission")
    bot.tell(user.node, "needs_help", screenshot=SENT)
    assert "page_outline" in user.meeting(meeting)["data"]
    bot.tell(user.node, "active")
    assert "page_outline" not in user.meeting(meeting)["data"]


def test_another_workspace_sees_nothing_of_it(user, admin, redis):
    meeting = user.send_bot()
    user.play(redis, meeting).tell(user.node, "joining", "failed", screenshot=SENT)
    assert_bots_error(BotsUser(admin).request("GET", path(meeting)), 404, "Meeting not found")
    assert user.request("GET", "/bots/id/x/screenshot").status in (400, 404)


@pytest.mark.parametrize("sent", [
    None, 5, "x", [], {}, {"image": None}, {"image": "no base64"}, {"image": base64.b64encode(b"<svg/>").decode()},
    {"image": SENT["image"], "outline": 5}, {"image": base64.b64encode(b"\xff\xd8\xff" + bytes(200_000)).decode()}], ids=str)
def test_what_is_no_picture_costs_no_report(user, redis, sent):
    meeting = user.send_bot()
    user.play(redis, meeting).tell(user.node, "joining", "failed", screenshot=sent)
    assert user.meeting(meeting)["status"] == "failed"
    assert_bots_error(user.request("GET", path(meeting)), 404, "Screenshot not found")


def test_it_goes_with_what_the_meeting_left(user, redis):
    meeting = user.send_bot()
    user.play(redis, meeting).tell(user.node, "joining", "failed", screenshot=SENT)
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    assert user.request("GET", path(meeting)).status == 404
    assert "page_outline" not in user.meeting(meeting)["data"]


def test_what_the_next_bot_sees_is_its_own(user, redis):
    meeting = user.send_bot()
    user.play(redis, meeting).tell(user.node, "joining", "failed", screenshot=SENT)
    assert user.reinvite(meeting).status == 202
    assert "page_outline" not in user.meeting(meeting)["data"]
