"""`POST /internal/bots/{bot_id}/status`: what bots report (docs/bot-wire.md, "Reports")."""

import itertools

import pytest

from harness.background import InBackground
from harness.envelope import assert_bots_error
from harness.played_bot import PlayedBot
from harness.waiting import wait_for

STATUSES = ["joining", "awaiting_admission", "needs_help", "active", "completed", "failed"]
# From each status, how a bot gets there and where it may go next.
PATHS = {
    "requested": [],
    "joining": ["joining"],
    "awaiting_admission": ["joining", "awaiting_admission"],
    "needs_help": ["joining", "awaiting_admission", "needs_help"],
    "active": ["joining", "active"],
    "completed": ["joining", "active", "completed"],
    "failed": ["joining", "failed"],
}
LEGAL = {
    "requested": {"joining", "failed"},
    "joining": {"awaiting_admission", "active", "failed"},
    "awaiting_admission": {"active", "needs_help", "failed"},
    "needs_help": {"active", "failed"},
    "active": {"completed", "failed"},
    "completed": set(),
    "failed": set(),
}


@pytest.mark.parametrize("start, status", itertools.product(PATHS, STATUSES))
def test_transitions(user, redis, start, status):
    meeting = user.send_bot()
    bot = user.play(redis, meeting, *PATHS[start])
    key = user.keys.meeting(meeting["data"]["meeting_id"])
    before = redis.hash(key)
    answer = bot.report(user.node, status)
    if status == start:
        assert answer.status == 200 and answer.json == {"status": start}
        assert redis.hash(key) == before
    elif status in LEGAL[start]:
        assert answer.status == 200 and answer.json == {"status": status}
        assert user.meeting(meeting)["status"] == status
    else:
        assert_bots_error(answer, 409, "Illegal transition")
        assert answer.json["to"] == status
        assert answer.json["from"] == ("ended" if start in ("completed", "failed") else start)
        assert redis.hash(key) == before


def test_a_lost_answer_is_asked_for_again(user, redis):
    """The last report, told twice, is 200 both times and changes nothing."""
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    key = user.keys.meeting(meeting["data"]["meeting_id"])
    bot.tell(user.node, "completed", completion_reason="left_alone")
    before = redis.hash(key)
    again = bot.report(user.node, "completed", completion_reason="evicted")
    assert again.status == 200 and redis.hash(key) == before


@pytest.mark.parametrize("secret", ["", "wrong", None])
def test_401(user, redis, secret):
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining")
    headers = {} if secret is None else {"x-internal-secret": secret}
    body = {"connection_id": bot.bot_id, "status": "active"}
    answer = user.node.request("POST", f"/internal/bots/{bot.bot_id}/status", body=body, headers=headers)
    assert_bots_error(answer, 401, "Unauthorized", names="x-internal-secret")
    assert user.meeting(meeting)["status"] == "joining"


def test_a_secret_is_one_bots(user, redis):
    first, second = [user.play(redis, user.send_bot(), "joining") for _ in range(2)]
    answer = first.report(user.node, "active", secret=second.secret)
    assert_bots_error(answer, 401, "Unauthorized")
    # Nor does an API key open this door.
    assert_bots_error(first.report(user.node, "active", secret=user.token), 401, "Unauthorized")
    for unknown in ("00000000-0000-4000-8000-000000000000", "x", "a:b"):
        assert_bots_error(first.report(user.node, "active", bot_id=unknown), 401, "Unauthorized")


def test_an_unclaimed_bot_has_no_secret(user, redis):
    user.send_bot()
    bot_id = redis.call("ZRANGE", user.keys.bots, 0, -1)[0]
    for secret in ("", "x"):
        answer = user.node.request(
            "POST", f"/internal/bots/{bot_id}/status", body={"connection_id": bot_id, "status": "joining"},
            headers={"x-internal-secret": secret})
        assert_bots_error(answer, 401, "Unauthorized")


@pytest.mark.parametrize("change, field", [
    ({"connection_id": None}, "connection_id"), ({"connection_id": 5}, "connection_id"),
    ({"connection_id": "another"}, "connection_id"), ({"status": None}, "status"), ({"status": "stopping"}, "status"),
    ({"status": "requested"}, "status"), ({"status": "JOINING"}, "status"), ({"status": 1}, "status"),
    ({"completion_reason": "Not A Word"}, "completion_reason"), ({"completion_reason": 1}, "completion_reason"),
    ({"failure_stage": "x" * 65}, "failure_stage"),
], ids=str)
def test_422(user, redis, change, field):
    meeting = user.send_bot()
    bot = user.play(redis, meeting)
    body = {"connection_id": bot.bot_id, "status": "joining", **change}
    answer = user.node.request("POST", f"/internal/bots/{bot.bot_id}/status", body=body,
                               headers={"x-internal-secret": bot.secret})
    assert_bots_error(answer, 422, "Invalid request", names=field)
    assert user.meeting(meeting)["status"] == "requested"


DEEP = '"bot_logs":' + "[" * 400 + ",".join(["{}"] * 2_000) + "]" * 400


@pytest.mark.parametrize("path, members, problem", [
    ("status", DEEP, "must have at most 32 levels"),
    ("status", '"error_details":[' + ",".join(["0"] * 500_000) + "]", "must have at most 50000 values"),
    ("segments", '"segments":[' + ",".join(["0"] * 500_000) + "]", "must have at most 50000 values"),
    ("segments", '"segments":[' + ",".join(["0"] * 40_000) + "]", "segments must be at most 1000"),
    ("status", '"status":"failed","exit_code":1,"exit_code":2', "status must be there once"),
    ("status", '"exit_code":01', "a number with a zero too many"), ("status", '"x":[1,]', "a comma before ]"),
], ids=lambda value: value[:30])
def test_a_body_that_would_cost_too_much_is_refused(user, redis, path, members, problem):
    """Each of the first three held a loop for seconds: they are refused before anything is made of them."""
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    body = f'{{"connection_id":"{bot.bot_id}","status":"completed",{members}}}'
    answer = user.node.request("POST", f"/internal/bots/{bot.bot_id}/{path}", raw_body=body.encode(),
                               headers={"x-internal-secret": bot.secret})
    assert_bots_error(answer, 422, "Invalid request", names=problem)
    assert user.meeting(meeting)["status"] == "active"


def test_whatever_else_a_report_carries(user, redis):
    """Unknown members, odd types and long logs are taken; what helps is kept, and shown without secrets."""
    meeting = user.send_bot()
    bot = user.play(redis, meeting)
    bot.tell(user.node, "joining", reason=None, exit_code=None, bot_resources={"cpu": 1}, speaker_events=[{"a": 1}],
             timestamp="2026-01-01T00:00:00Z", something_new={"deep": [1, {"x": None}]}, completion_reason=None)
    logs = [f"line {number} é" for number in range(40_000)]
    # A busy machine may take longer than a node's patience with Redis: it is safe to say it again.
    wait_for(lambda: bot.report(
        user.node, "failed", completion_reason="join_failure", failure_stage="joining", exit_code=3,
        error_details={"message": "no \"button\""}, bot_logs=logs).status == 200, "the taking of a report", interval_s=0.1)
    shown = user.meeting(meeting)
    assert shown["status"] == "failed"
    assert (shown["completion_reason"], shown["failure_stage"]) == ("join_failure", "joining")
    assert shown["data"]["exit_code"] == 3
    assert shown["data"]["error_details"] == '{"message":"no \\"button\\""}'
    record = redis.hash(user.keys.meeting(meeting["data"]["meeting_id"]))
    assert record["bot_output"].endswith("line 39999 é") and len(record["bot_output"].encode()) <= 4096
    too_long = bot.report(user.node, "failed", bot_logs="x" * 1_100_000)
    assert_bots_error(too_long, 413, "Request too large")


@pytest.mark.parametrize("status, fields, reason, stage, details", [
    ("completed", {"completion_reason": ""}, None, None, None),
    ("completed", {"completion_reason": "Left-alone"}, None, None, "Left-alone"),
    ("completed", {"failure_stage": "x" * 3000}, None, None, "x" * 2000),
    ("failed", {"failure_stage": "", "completion_reason": "evicted"}, "evicted", "active", None),
    ("failed", {"failure_stage": "In room", "error_details": "gone"}, "no_reason_given", "active", "gone\nIn room"),
], ids=str)
def test_a_last_report_is_not_refused_for_its_wording(user, redis, status, fields, reason, stage, details):
    """The bot has ended: refused, its meeting would be recorded as one whose bot failed without a word."""
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    bot.tell(user.node, status, **fields)
    shown = user.meeting(meeting)
    assert (shown["status"], shown["completion_reason"], shown["failure_stage"]) == (status, reason, stage)
    assert shown["data"].get("error_details") == details


@pytest.mark.parametrize("field", ["completion_reason", "failure_stage"])
def test_a_last_report_of_wrong_types_is_refused(user, redis, field):
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    assert_bots_error(bot.report(user.node, "completed", **{field: 1}), 422, "Invalid request", names=field)
    assert user.meeting(meeting)["status"] == "active"


def test_a_new_bot_of_the_meeting_makes_the_old_ones_reports_stale(user, redis):
    """And nothing of the failure is left in the record of what succeeded."""
    meeting = user.send_bot()
    old = user.play(redis, meeting, "joining").tell(
        user.node, "failed", completion_reason="join_failure", exit_code=3, error_details="no button")
    assert user.reinvite(meeting).status == 202
    assert user.meeting(meeting)["completion_reason"] is None
    for status in STATUSES:
        answer = old.report(user.node, status)
        assert_bots_error(answer, 409, "Illegal transition")
        assert answer.json["from"] == "ended"
    assert user.meeting(meeting)["status"] == "requested"
    new = PlayedBot.of(redis, user.workspace_id, meeting)
    assert new.bot_id != old.bot_id
    new.tell(user.node, "joining", "active", "completed", completion_reason="left_alone")
    shown = user.meeting(meeting)
    assert shown["completion_reason"] == "left_alone" and shown["failure_stage"] is None
    assert not {"exit_code", "error_details"} & set(shown["data"])


def test_the_same_report_from_many_at_once(user, redis, nodes):
    """A bot that sends again because the answer was late: one of them counts."""
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining")
    calls = [InBackground(lambda node=node: bot.report(node, "active")) for node in nodes * 4]
    assert [call.answer.status for call in calls] == [200] * 12
    events = [fields for _, fields in redis.stream(user.keys.events)
              if fields["meeting_id"] == meeting["data"]["meeting_id"]]
    assert [event["what"] for event in events].count("active") == 1
