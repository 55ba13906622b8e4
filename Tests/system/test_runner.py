"""Runners with real (simulated) bots: issue 3, sections 3 and 6."""

import json
import os
import re

import pytest

from harness import wire
from harness.bots_user import BotsUser
from harness.node import REPOSITORY
from harness.resp import RedisError
from harness.runner import Runner
from harness.waiting import wait_for
from harness.workspace import Admin

# Short enough for a test, long enough for a busy machine to keep.
LEASE_MS = 9000
QUICK = {"SIMULATE_JOIN_MS": 50, "SIMULATE_LOBBY_MS": 50, "SIMULATE_SEGMENT_MS": 100}


@pytest.fixture
def start(servers):
    """Starts a runner beside a node; both have the short lease."""
    redis = servers.redis()
    node = servers.node(redis, LEASE_TTL_MS=LEASE_MS, MAX_CONCURRENT_BOTS=100)
    started = []

    def start(**options):
        options.setdefault("SIMULATE_PRESENCE", servers.folder)
        runner = servers.add(Runner(
            servers.folder, redis.url, node, name=f"runner{len(started)}", LEASE_TTL_MS=LEASE_MS, **options))
        started.append(runner)
        return runner.start()

    start.redis, start.node, start.servers = redis, node, servers
    return start


@pytest.fixture
def bots_user(start):
    return BotsUser(Admin(start.node), max_concurrent_bots=100)


def statuses(user, meetings):
    return [user.meeting(meeting)["status"] for meeting in meetings]


def stays(servers, meeting):
    """bot_id -> (entered, last seen) of the bots that were in a room, by the boot clock in nanoseconds."""
    path = os.path.join(servers.folder, f"google_meet:{meeting['native_meeting_id']}.log")
    if not os.path.exists(path):
        return {}
    result = {}
    with open(path) as file:
        for line in file:
            time, bot_id = line.split()[:2]
            entered, _ = result.get(bot_id, (int(time), 0))
            result[bot_id] = (entered, int(time))
    return result


def assert_never_two(servers, meetings):
    """No two bots were in a room at one time."""
    for meeting in meetings:
        times = sorted(stays(servers, meeting).values())
        for (_, left), (entered, _) in zip(times, times[1:]):
            assert left < entered, f"two bots in {meeting['native_meeting_id']}: {stays(servers, meeting)}"


def processes(servers, meetings):
    """The ids of the processes that were in the rooms."""
    found = set()
    for meeting in meetings:
        path = os.path.join(servers.folder, f"google_meet:{meeting['native_meeting_id']}.log")
        if os.path.exists(path):
            with open(path) as file:
                found |= {int(line.split()[2]) for line in file}
    return found


def test_a_whole_life_with_the_rights_of_the_readme(start, bots_user):
    """Section 3: a Redis user that can do only what the wire needs, by the README's own line."""
    with open(os.path.join(REPOSITORY, "README.md")) as file:
        line = re.search(r"^ACL SETUSER .*$", file.read(), re.MULTILINE).group(0)
    password = "a-password-of-the-bots"
    words = line.replace("PASSWORD", password).split()
    arguments, rest = [], words
    while rest:  # A selector in parentheses is one argument.
        end = next(i for i, word in enumerate(rest) if word.endswith(")")) if rest[0].startswith("(") else 0
        arguments.append(" ".join(rest[:end + 1]))
        rest = rest[end + 1:]
    start.redis.client.call(*arguments)
    user_name = arguments[2]
    config = os.path.join(start.servers.folder, "config")
    start(BOT_REDIS=f"redis+unix://{user_name}:{password}@{start.redis.socket_path}",
          launch=f'printf %s "$VEXA_BOT_CONFIG" >{config}; exec {{usher}}', **QUICK)
    meeting = bots_user.send_bot(language="zh")
    wait_for(lambda: bots_user.meeting(meeting)["status"] == "active", "the bot's entering")
    with open(config) as file:
        wire.check_config(json.load(file))
    answer = bots_user.request("PUT", bots_user.bot_path(meeting) + "/config", {"language": "es"})
    assert answer.status == 202, answer
    transcript = f"/transcripts/google_meet/{meeting['native_meeting_id']}"
    wait_for(lambda: any(segment["language"] == "es" for segment in bots_user.request("GET", transcript).json["segments"]),
             "a segment in Spanish")
    assert bots_user.request("DELETE", bots_user.bot_path(meeting)).status == 202
    wait_for(lambda: bots_user.meeting(meeting)["status"] == "completed", "the end")
    assert bots_user.request("GET", transcript).json["segments"]

    bot = start.redis.connect()
    bot.call("AUTH", user_name, password)
    for refused in (
        ("GET", "usher:number:1"), ("SCAN", "0"), ("XRANGE", "transcription_segments", "-", "+"),
        ("XADD", "usher:{p0}:dispatch", "*", "a", "b"), ("PUBLISH", "bot_commands:meeting:1", "{}"),
        ("SUBSCRIBE", "tc:meeting:1:mutable"), ("FLUSHALL",), ("EVAL", "return 1", "0"), ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
    ):
        with pytest.raises(RedisError, match="NOPERM"):
            bot.call(*refused)


def test_a_killed_runners_bots_are_gone_and_no_room_is_stuck(start, bots_user):
    """Section 6: twenty bots at all stages; those not in a room join by another runner, those in one end as failed."""
    first = start(
        launch="USHER_SIMULATE_JOIN_MS=$(({number} % 5 * 900)) USHER_SIMULATE_LOBBY_MS=$(({number} % 4 * 900)) "
               "exec {usher}", capacity=20)
    meetings = [bots_user.send_bot() for _ in range(20)]

    def stages():
        found = statuses(bots_user, meetings)
        return found if {"joining", "awaiting_admission", "active"} <= set(found) else None

    wait_for(stages, "bots at all stages")
    first.kill()
    gone = processes(start.servers, meetings)
    first.wait_until_gone(gone, "the end of the bots that were in rooms")
    start(**QUICK)
    wait_for(lambda: set(statuses(bots_user, meetings)) <= {"active", "failed"}, "an end for every room")
    failed = [meeting for meeting in map(bots_user.meeting, meetings) if meeting["status"] == "failed"]
    for meeting in failed:
        assert meeting["completion_reason"] == "lease_expired" and meeting["failure_stage"] == "active", meeting
        assert meeting["end_time"] is not None
    assert 0 < len(failed) < 20
    assert_never_two(start.servers, meetings)
    # None is stuck: each can be asked for again, or be stopped.
    assert len(bots_user.running()) == 20 - len(failed)
    for meeting in failed:
        bots_user.send_bot(meeting["native_meeting_id"])
    for meeting in meetings:
        assert bots_user.request("DELETE", bots_user.bot_path(meeting)).status == 202
    wait_for(lambda: bots_user.running() == [], "the end of all")
    assert_never_two(start.servers, meetings)


@pytest.mark.parametrize("stage", ["requested", "joining", "awaiting_admission", "active"])
def test_a_stop_is_final_at_every_stage(start, bots_user, stage):
    """Section 1: it ends as completed, and the bot is never in the room afterwards."""
    slow = {"requested": {"SIMULATE": "hang-start"}, "joining": {"SIMULATE_JOIN_MS": 3600000},
            "awaiting_admission": {"SIMULATE": "never-admitted", "SIMULATE_JOIN_MS": 0},
            "active": {"SIMULATE_JOIN_MS": 0, "SIMULATE_LOBBY_MS": 0}}[stage]
    start(**slow)
    meeting = bots_user.send_bot()
    wait_for(lambda: bots_user.meeting(meeting)["status"] == stage, f"the stage {stage}")
    if stage == "requested":
        wait_for(lambda: bots_user.meeting(meeting)["bot_container_id"], "the claim")
    assert bots_user.request("DELETE", bots_user.bot_path(meeting)).status == 202
    wait_for(lambda: bots_user.meeting(meeting)["status"] == "completed", "the end")
    assert bots_user.running() == []
    assert bots_user.meeting(meeting)["completion_reason"] == "stopped"
    assert bool(stays(start.servers, meeting)) == (stage == "active")


@pytest.mark.parametrize("behaviour, tries", [("crash-start", 3), ("crash-lobby", 3), ("crash-active", 1)])
def test_crashes_are_told_apart(start, bots_user, behaviour, tries):
    """Section 3: tried again up to three times before the room, never after it; the exit code is kept."""
    start(**{**QUICK, "SIMULATE": behaviour})
    meeting = bots_user.send_bot()
    wait_for(lambda: bots_user.meeting(meeting)["status"] == "failed", "the failure")
    meeting = bots_user.meeting(meeting)
    keys = bots_user.keys
    record = start.redis.client.call("HGETALL", keys.meeting(meeting["data"]["meeting_id"]))
    record = dict(zip(record[::2], record[1::2])) if isinstance(record, list) else record
    assert record["epoch"] == str(tries)
    assert record["exit_code"] == "70"
    assert "simulated" in record["bot_output"]
    assert record["status"] == ("OFFLINE" if behaviour == "crash-active" else "INITIAL")
    assert bots_user.running() == []
