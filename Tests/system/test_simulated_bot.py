"""`usher simulate-bot` as a process of its own: its wire, field by field, and its end."""

import json
import os
import signal

import pytest

from harness import wire
from harness.simulated_bot import SimulatedBot
from harness.waiting import wait_for


@pytest.fixture
def start(servers, callbacks):
    """Starts a bot on a Redis of the test's own."""
    redis = servers.redis()

    def start(name="bot", **options):
        bot = servers.add(SimulatedBot(servers.folder, redis.url, callbacks, name=name, **options))
        bot.redis = redis
        return bot.start()

    return start


def entries(redis):
    """The payloads of the stream of transcripts."""
    return [json.loads(fields[1]) for _, fields in redis.client.call("XRANGE", "transcription_segments", "-", "+")]


def presence(servers):
    with open(os.path.join(servers.folder, "google_meet:abc-defg-hij.log")) as file:
        return file.read().splitlines()


def test_all_that_it_says_is_of_the_wire(start, callbacks, servers):
    bot = start(SIMULATE="needs-help,retractions", SIMULATE_PRESENCE=servers.folder)
    wire.check_config(bot.config)
    wait_for(lambda: any(entry["type"] == "transcript_retract" for entry in entries(bot.redis)), "a retraction")
    assert bot.command_name == "simulated-bot"
    command = {"action": "reconfigure", "language": "es"}
    wire.check_command(command)
    assert bot.redis.client.call("PUBLISH", f"bot_commands:meeting:{bot.number}", json.dumps(command)) == 1
    wait_for(lambda: any(segment["language"] == "es" for entry in entries(bot.redis)
                         for segment in entry.get("segments", [])), "a Spanish segment")
    command = {"action": "leave"}
    wire.check_command(command)
    assert bot.redis.client.call("PUBLISH", f"bot_commands:meeting:{bot.number}", json.dumps(command)) == 1
    assert bot.wait() == 0

    for report in callbacks.reports:
        wire.check_report(report)
    wire.check_sequence(callbacks.statuses)
    assert callbacks.statuses[-1] == "completed" and callbacks.reports[-1]["completion_reason"] == "stopped"
    assert {secret for secret, _ in callbacks.received} == {"secret-bot"}
    for entry in entries(bot.redis):
        wire.check_entry(entry)
    assert [entries(bot.redis)[index]["type"] for index in (0, -1)] == ["session_start", "session_end"]

    lines = presence(servers)
    assert lines[-1].split()[1:] == [bot.bot_id, str(bot.pid), "left"]
    assert all(line.split()[1:] == [bot.bot_id, str(bot.pid)] for line in lines[:-1])
    assert bot.output == ""
    assert all("simulated bot: " in line for line in bot.log.splitlines())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_makes_it_leave(start, callbacks, number):
    bot = start()
    bot.wait_for_status(callbacks, "active")
    bot.signal(number)
    assert bot.wait() == 0
    assert callbacks.reports[-1]["completion_reason"] == "stopped"


@pytest.mark.parametrize("stage, status", [("joining", "joining"), ("active", "active")])
def test_a_crash_has_an_exit_code_and_no_last_report(start, callbacks, stage, status):
    bot = start(SIMULATE=f"crash-{stage}")
    assert bot.wait() == 70
    assert callbacks.statuses[-1] == status


def test_a_hang_ends_only_by_a_kill(start, callbacks, servers):
    bot = start(SIMULATE="hang-active", SIMULATE_PRESENCE=servers.folder)
    bot.wait_for_status(callbacks, "active")
    assert bot.redis.client.call("PUBLISH", f"bot_commands:meeting:{bot.number}", '{"action":"leave"}') == 1
    bot.signal(signal.SIGTERM)
    seen = len(presence(servers))
    # Ten lines are half a second, in which a bot that heeds either would have ended.
    wait_for(lambda: len(presence(servers)) >= seen + 10, "its further presence in the room")
    assert bot.alive
    bot.kill()
    assert callbacks.statuses[-1] == "active" and not presence(servers)[-1].endswith("left")


@pytest.mark.parametrize("config, fault", [
    ({"bot_id": "x"}, 'unknown field "bot_id"'),
    ({"meeting_id": "17"}, "meeting_id must be an integer"),
    ({"platform": "webex"}, "platform must be one of"),
])
def test_a_configuration_that_is_not_of_the_wire_is_refused_at_the_start(start, callbacks, config, fault):
    bot = start(config=config)
    assert bot.wait() == 2
    assert fault in bot.log and bot.log.count("\n") == 1
    assert "secret-bot" not in bot.log and callbacks.received == []
    with pytest.raises(wire.WireError):
        wire.check_config(bot.config)


def test_dozens_live_side_by_side(start, callbacks):
    bots = [start(name=f"bot{number}", number=number, SIMULATE_MEETING_MS=300) for number in range(1, 25)]
    assert [bot.wait() for bot in bots] == [0] * len(bots)
    for bot in bots:
        statuses = [report["status"] for report in callbacks.reports if report["connection_id"] == bot.bot_id]
        wire.check_sequence(statuses)
        assert statuses[-1] == "completed"


# The checks themselves.

GOOD_SEGMENT = {"segment_id": "a:1", "speaker": "Ana", "text": "Hi", "start": 0, "end": 1.5, "language": None,
                "completed": True}


@pytest.mark.parametrize("check, value", [
    (wire.check_config, {"platform": "zoom", "meetingUrl": "u", "botName": "b"}),
    (wire.check_config, {"platform": "zoom", "meetingUrl": "u", "botName": "b", "redisUrl": "r", "epoch": 1}),
    (wire.check_config, {"platform": "zoom", "meetingUrl": "u", "botName": "b", "redisUrl": "r", "language": None}),
    (wire.check_config, {"platform": "zoom", "meetingUrl": "u", "botName": "b", "redisUrl": "r", "meeting_id": True}),
    (wire.check_config, {"platform": "zoom", "meetingUrl": "u", "botName": "b", "redisUrl": "r",
                         "automaticLeave": {"waitingRoomTimeout": 1, "other": 2}}),
    (wire.check_command, {"action": "dance"}), (wire.check_command, {"action": "leave", "now": True}),
    (wire.check_command, ["leave"]), (wire.check_command, {"action": "reconfigure", "task": "sing"}),
    (wire.check_report, {"status": "active"}), (wire.check_report, {"connection_id": "c", "status": "stopping"}),
    (wire.check_report, {"connection_id": "c", "status": "active", "failure_stage": "active"}),
    (wire.check_report, {"connection_id": "c", "status": "completed", "exit_code": "0"}),
    (wire.check_report, {"connection_id": "c", "status": "active", "epoch": 1}),
    (wire.check_entry, {"type": "transcription", "meeting_id": 1, "segments": [{**GOOD_SEGMENT, "end": -1}]}),
    (wire.check_entry, {"type": "transcription", "meeting_id": 1, "segments": [{**GOOD_SEGMENT, "extra": 1}]}),
    (wire.check_entry, {"type": "transcription", "meeting_id": 1, "segments": [{**GOOD_SEGMENT, "start": 2}]}),
    (wire.check_entry, {"type": "session_end"}), (wire.check_entry, {"meeting_id": 1}),
    (wire.check_live, {"type": "transcript"}), (wire.check_sequence, ["active"]),
    (wire.check_sequence, ["joining", "completed"]), (wire.check_sequence, ["joining", "failed", "failed"]),
])
def test_what_is_not_of_the_wire_is_found(check, value):
    with pytest.raises(wire.WireError):
        check(value)


def test_what_is_of_the_wire_passes():
    wire.check_entry({"type": "transcription", "meeting_id": 1, "native_meeting_id": "x", "segments": [GOOD_SEGMENT]})
    wire.check_report({"connection_id": "c", "status": "failed", "failure_stage": "joining", "epoch": 1},
                      unknown_allowed=True)
    wire.check_command({"action": "reconfigure", "language": None, "allowedLanguages": ["es"]})
    wire.check_sequence(["joining", "active", "completed"])
