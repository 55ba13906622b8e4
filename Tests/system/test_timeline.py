"""`GET /bots/id/{number}/timeline`: what happened to a meeting, why, when and by whom."""

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.waiting import wait_for
from harness.workspace import random_meet_code


def timeline(user, meeting):
    answer = user.request("GET", f"/bots/id/{meeting['id']}/timeline")
    assert answer.status == 200, answer
    return answer.json


def test_the_life_of_two_bots(user, redis):
    by = f"user {user.user['id']}"
    meeting = user.send_bot()
    first = user.play(redis, meeting, "joining", "awaiting_admission", "active", "completed")
    wait_for(lambda: user.record(meeting)["status"] == "OFFLINE", "the end of the meeting")
    assert user.reinvite(meeting, {"force_restart": True}).status == 202
    second = user.play(redis, meeting, "joining")
    second.tell(user.node, "failed", completion_reason="awaiting_admission_rejected", failure_stage="joining")
    found = timeline(user, meeting)
    assert found["forgotten"] == 0
    assert [(one["what"], one["why"], one["bot_id"]) for one in found["events"]] == [
        ("dispatched", by, first.bot_id), ("joining", "bot", first.bot_id), ("awaiting_admission", "bot", first.bot_id),
        ("active", "bot", first.bot_id), ("completed", "", first.bot_id),
        ("finalised", "transcript collected", first.bot_id), ("restarted", by, second.bot_id),
        ("joining", "bot", second.bot_id), ("failed", "awaiting_admission_rejected", second.bot_id)]
    assert [one["at"] for one in found["events"]] == sorted(one["at"] for one in found["events"])
    steps = found["events"]
    assert all(one["to"] == other["from"] for one, other in zip(steps, steps[1:]))
    assert len({one["trace_id"] for one in steps if one["bot_id"] == first.bot_id}) == 1


def test_events_of_others_in_between_are_not_among_them(user, redis):
    planned = user.request("POST", "/meetings", {"meeting_url": f"https://meet.google.com/{random_meet_code()}"}).json
    other = user.send_bot()
    user.play(redis, other, "joining")
    [event] = timeline(user, planned)["events"]
    assert (event["what"], event["bot_id"], event["trace_id"]) == ("created", None, None)
    assert [one["what"] for one in timeline(user, other)["events"]] == ["dispatched", "joining"]


def test_what_the_stream_has_no_room_for_is_counted(user, redis):
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining")
    last = redis.stream(user.keys.events)[-1][0]
    redis.call("XTRIM", user.keys.events, "MINID", last)
    bot.tell(user.node, "active")
    found = timeline(user, meeting)
    assert [one["what"] for one in found["events"]][-1] == "active" and found["forgotten"] >= 1


def test_who_may_see_it(user, admin, redis):
    meeting = user.send_bot()
    path = f"/bots/id/{meeting['id']}/timeline"
    key = user.as_workspace().member_key("viewer", scopes=["bots"])
    assert user.request("GET", path, headers={"X-API-Key": key}).status == 200
    assert_bots_error(BotsUser(admin).request("GET", path), 404, "Meeting not found")
    assert_bots_error(user.request("GET", "/bots/id/x/timeline"), 404, "Meeting not found")
