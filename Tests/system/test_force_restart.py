"""`force_restart` resets exactly status, start_time, end_time, duration and flag, and keeps everything else."""

import pytest

from harness.workspace import dump

RUNTIME_FIELDS = {"status", "start_time", "end_time", "duration", "flag"}
# `events` names the entries of the meeting's history, and is shown by no object.
DISPATCH_FIELDS = {"bot_status", "bot_id", "epoch", "dispatched_at", "events"}

# What a meeting has after a recording, by the rules of docs/architecture.md, "A meeting's state", and configuration
# that the document names (language, participants, transcriptions, NLP results, etc.), some of it in fields of later
# versions.
ENDED = {
    "status": "OFFLINE", "bot_status": "completed", "start_time": "1700000000000", "end_time": "1700003600000",
    "duration": "3600000", "flag": "reviewed", "epoch": "4", "bot_id": "0b2b7f2c-7c7c-4a47-9c5c-111111111111",
    "dispatched_at": "1699999990000", "title": "Weekly Überblick 会議", "language": "zh-TW", "passcode": "s3cret",
    "participants": '["Ann","Bob"]', "nlp": '{"summary":"…"}', "a_field_of_a_later_version": "kept",
}


@pytest.fixture
def ended(redis, workspace):
    """A meeting that has ended, with a transcript in a key of its own."""
    meeting = workspace.create_meeting()
    meeting.set(redis, **ENDED)
    redis.call("HSET", f"{meeting.hash_key}:segments", "segment-1", '{"text":"hello"}')
    return meeting


def test_restart_changes_exactly_the_documented_fields(redis, workspace, ended):
    before, keys_before = ended.fields(redis), dump(redis, workspace, ended)
    answer = workspace.reinvite(ended, {"force_restart": True})
    assert (answer.status, answer.json["action"]) == (202, "restarted")
    after, keys_after = ended.fields(redis), dump(redis, workspace, ended)

    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == RUNTIME_FIELDS | DISPATCH_FIELDS
    assert after["status"] == "INITIAL"
    # As on a new meeting: either no field, or an empty one.
    fresh = workspace.create_meeting().fields(redis)
    for name in RUNTIME_FIELDS - {"status"}:
        assert after.get(name) == fresh.get(name), f"{name} is not as on a new meeting"
    assert after["epoch"] == str(int(before["epoch"]) + 1)

    # No other key of the workspace changed but those of the dispatch.
    keys = workspace.keys
    changed_keys = {key for key in keys_before.keys() | keys_after.keys()
                    if keys_before.get(key) != keys_after.get(key)}
    assert changed_keys == {ended.hash_key, ended.in_flight_key, ended.room_key, keys.bots,
                            keys.bot(after["bot_id"]), keys.dispatch, keys.events} | keys.feeds(ended.id)


def test_force_on_an_initial_meeting_resets_nothing(redis, workspace):
    """The table: "202 - bot dispatched (no reset)"."""
    meeting = workspace.create_meeting()
    meeting.set(redis, start_time="1700000000000", end_time="1700003600000", duration="3600000", flag="reviewed")
    before = meeting.fields(redis)
    answer = workspace.reinvite(meeting, {"force_restart": True})
    assert (answer.status, answer.json["action"]) == (202, "dispatched")
    after = meeting.fields(redis)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == DISPATCH_FIELDS


def test_refused_restart_resets_nothing(redis, workspace, ended):
    """A room that is taken refuses the restart before anything is reset."""
    redis.call("SET", ended.in_flight_key, "another-bot", "PX", 600000)
    before = dump(redis, workspace, ended)
    assert workspace.reinvite(ended, {"force_restart": True}).code == 12107
    assert dump(redis, workspace, ended) == before
