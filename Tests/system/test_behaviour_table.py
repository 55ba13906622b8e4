"""The behaviour table of the Re-invite API: every status with and without `force_restart`.

Each row is proved by the HTTP answer and by the raw Redis keys before and after.
"""

import datetime
import re
import uuid

import pytest

from harness.envelope import assert_error
from harness.http_client import NO_BODY
from harness.workspace import dump

DISPATCHED_AT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$")

# Every way to say `force_restart=false`, beside the one way to say true.
BODIES = {
    "absent": dict(body=NO_BODY),
    "empty": dict(raw_body=b""),
    "empty object": dict(body={}),
    "false": dict(body={"force_restart": False}),
    "true": dict(body={"force_restart": True}),
}

# What the document's table says: the action of a 202, or the code of a 409.
TABLE = [
    ("INITIAL", False, "dispatched"), ("INITIAL", True, "dispatched"),
    ("LIVE", False, 12103), ("LIVE", True, 12104),
    ("STOPPING", False, 12105), ("STOPPING", True, 12105),
    ("ANALYZING", False, 12105), ("ANALYZING", True, 12105),
    ("OFFLINE", False, 12106), ("OFFLINE", True, "restarted"),
]
ROWS = [
    pytest.param(status, body, outcome, id=f"{status}-{name}")
    for status, force, outcome in TABLE
    for name, body in BODIES.items() if (name == "true") == force
]


def milliseconds(text):
    """A time of the API as milliseconds since 1970; it is in UTC and says so nowhere."""
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize("status, body, outcome", ROWS)
def test_row(redis, workspace, status, body, outcome):
    meeting = workspace.create_meeting()
    if status != "INITIAL":
        meeting.set(redis, status=status)
    before = dump(redis, workspace, meeting)
    answer = workspace.request("POST", workspace.reinvite_path(meeting), **body)
    after = dump(redis, workspace, meeting)
    if isinstance(outcome, int):
        assert_error(answer, 409, outcome, meeting_id=meeting.id)
        assert after == before, "a refusal changed something"
    else:
        assert_dispatched(redis, workspace, meeting, answer, outcome, before, after)


def assert_dispatched(redis, workspace, meeting, answer, action, before, after):
    assert answer.status == 202, answer
    assert answer.header("Content-Type").startswith("application/json")
    body = answer.json
    assert set(body) == {"meeting_id", "status", "action", "dispatched_at"}
    assert (body["meeting_id"], body["status"], body["action"]) == (meeting.id, "INITIAL", action)
    assert DISPATCHED_AT.match(body["dispatched_at"]), body

    # The meeting (docs/architecture.md, "A meeting's state", "dispatch accepted").
    fields = meeting.fields(redis)
    bot_id = fields["bot_id"]
    assert str(uuid.UUID(bot_id)) == bot_id.lower()
    assert (fields["status"], fields["bot_status"], fields["epoch"]) == ("INITIAL", "requested", "1")
    assert int(fields["dispatched_at"]) == milliseconds(body["dispatched_at"])
    seconds, microseconds = redis.call("TIME")
    assert 0 <= int(seconds) * 1000 + int(microseconds) // 1000 - int(fields["dispatched_at"]) < 600000

    # The room is taken, for at most ten minutes by the dispatch alone (docs/architecture.md, "Keys").
    keys = workspace.keys
    assert redis.call("GET", meeting.in_flight_key) == bot_id
    assert 0 < redis.call("PTTL", meeting.in_flight_key) <= 600000
    assert redis.call("GET", meeting.room_key) == meeting.id
    assert redis.call("ZRANGE", keys.bots, 0, -1, "WITHSCORES") == [bot_id, fields["dispatched_at"]]
    bot = redis.hash(keys.bot(bot_id))
    assert (bot["meeting_id"], bot["epoch"]) == (meeting.id, "1")

    # One stream entry says what to do, one event says what happened, and the lock is given back.
    [entry] = meeting.dispatches(redis)
    assert entry["workspace_id"] == workspace.id
    assert (entry["bot_id"], entry["epoch"], entry["room"]) == (bot_id, "1", meeting.room)
    assert entry["dispatched_at"] == fields["dispatched_at"]
    *earlier, (_, event) = after[keys.events]
    assert earlier == before[keys.events]
    seen = "OFFLINE" if action == "restarted" else "INITIAL"
    assert {name: event[name] for name in ("what", "from", "to", "bot_id", "at")} == {
        "what": action, "from": f"{seen}/", "to": "INITIAL/requested", "bot_id": bot_id,
        "at": fields["dispatched_at"]}
    assert redis.call("EXISTS", keys.lock) == 0

    # Nothing else changed.
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed == {meeting.hash_key, meeting.in_flight_key, meeting.room_key, keys.bots, keys.bot(bot_id),
                       keys.dispatch, keys.events} | keys.feeds(meeting.id)


def test_the_callers_request_id_is_answered(redis, workspace):
    """`X-Request-Id`: the caller's if sane, on a 202 as on a 409."""
    meeting = workspace.create_meeting()
    for status in (202, 409):
        headers = {**workspace.headers(), "X-Request-Id": "a-caller.s_id-1"}
        answer = workspace.reinvite(meeting, headers=headers)
        assert (answer.status, answer.header("X-Request-Id")) == (status, "a-caller.s_id-1")


def test_epochs_grow_with_every_dispatch(redis, workspace):
    """docs/architecture.md, "Words": the epoch grows with every dispatch of the meeting, and the bot is a new one."""
    meeting = workspace.create_meeting()
    bots = set()
    for epoch in ("1", "2", "3"):
        assert workspace.reinvite(meeting, {"force_restart": True}).status == 202
        fields = meeting.fields(redis)
        assert fields["epoch"] == epoch
        bots.add(fields["bot_id"])
        # While it is in flight: afterwards a sweep removes it.
        assert meeting.dispatches(redis)[-1]["epoch"] == epoch
        # The bot's end, as a runner's report will write it (docs/architecture.md, "A meeting's state", "stopped before
        # it was in the room").
        meeting.set(redis, status="OFFLINE", bot_status="completed")
        redis.call("DEL", meeting.in_flight_key, meeting.room_key, workspace.keys.bots)
    assert len(bots) == 3


def test_a_workspace_without_room_for_more_bots_is_no_error_of_this_endpoint(redis, admin):
    """The document's table has no code for a limit; the limit belongs to the Bots API (docs/architecture.md, "How one bot stays one bot")."""
    workspace = admin.create_workspace(max_concurrent_bots=1)
    for _ in range(3):
        assert workspace.reinvite(workspace.create_meeting()).status == 202
