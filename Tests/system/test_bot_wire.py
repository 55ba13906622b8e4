"""JSON on the bot's wire, field by field: what a bot is told, and what is taken from it."""

import json
import os
import re

import pytest

from harness import wire
from harness.bots_user import BotsUser
from harness.node import ADMIN_KEY
from harness.played_bot import Commands
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

# A bot that writes down what it was told, and then stays. Renamed when it is whole, so that no half of it is read.
NOTING_BOT = """#!/bin/bash
cat /proc/self/environ > "$0-$1.part"
mv "$0-$1.part" "$0-$1"
exec sleep 1000000
"""


@pytest.fixture(scope="module")
def scene(module_servers):
    return Scene(module_servers)


class Scene:
    def __init__(self, servers):
        self.redis = servers.redis()
        self.node = servers.node(self.redis, LEASE_TTL_MS=9000)
        self.user = BotsUser(Admin(self.node), max_concurrent_bots=100)
        self.program = os.path.join(servers.folder, "noting-bot")
        with open(self.program, "w") as file:
            file.write(NOTING_BOT)
        os.chmod(self.program, 0o755)
        settings = {
            "LEASE_TTL_MS": 9000, "LAUNCH": f"'{self.program}' {{number}}", "BOT_NAME": "The default name",
            "PASS_ENVIRONMENT": "ALLOWED*", "WAITING_ROOM_TIMEOUT_MS": 11000, "NO_ONE_JOINED_TIMEOUT_MS": 12000,
            "EVERYONE_LEFT_TIMEOUT_MS": 13000}
        runner = servers.runner(self.redis, self.node, start=False, **settings)
        runner.environment |= {"ALLOWED_ONE": "1", "FORBIDDEN": "2", "USHER_ADMIN_KEY": ADMIN_KEY}
        runner.start()

    def send(self, **body):
        answer = self.user.request("POST", "/bots", body)
        assert answer.status == 201, answer
        return answer.json

    def environment(self, meeting):
        """The environment of a meeting's bot."""
        path = f"{self.program}-{meeting['id']}"
        wait_for(lambda: os.path.exists(path), f"the start of the bot of meeting {meeting['id']}")
        with open(path, "rb") as file:
            pairs = file.read().decode().split("\0")
        return dict(pair.split("=", 1) for pair in pairs if pair)

    def config(self, meeting):
        config = json.loads(self.environment(meeting)["VEXA_BOT_CONFIG"])
        wire.check_config(config)
        # A user of its own, whose password nobody knows beforehand.
        login = f"//usher-bot-{config['connectionId']}:[0-9a-f]{{64}}@"
        config["redisUrl"], count = re.subn(login, "//", config["redisUrl"])
        assert count == 1
        return config

    def common(self, meeting):
        """What every bot of this runner is told, whatever it was asked for."""
        bot_id = self.user.bot_id(self.redis.client, meeting)
        return {
            "redisUrl": self.redis.bot_url, "connectionId": bot_id, "meeting_id": meeting["id"],
            "container_name": f"usher-{bot_id}", "transcribeEnabled": True,
            "meetingApiCallbackUrl": f"http://127.0.0.1:{self.node.port}/internal/bots/{bot_id}/status",
            "automaticLeave": {"waitingRoomTimeout": 11000, "noOneJoinedTimeout": 12000, "everyoneLeftTimeout": 13000},
        }

    def report(self, config, **fields):
        return self.node.request(
            "POST", config["meetingApiCallbackUrl"].partition(str(self.node.port))[2],
            body={"connection_id": config["connectionId"], **fields},
            headers={"x-internal-secret": config["internalSecret"]})


def test_everything_that_was_asked_for(scene):
    name = 'Notes "é" \\ 😀'
    meeting = scene.send(platform="google_meet", native_meeting_id="abc-defg-hij", bot_name=name, language="es",
                         task="translate", passcode="a code")
    config = scene.config(meeting)
    secret = config.pop("internalSecret")
    assert len(secret) >= 32
    assert config == scene.common(meeting) | {
        "platform": "google_meet", "nativeMeetingId": "abc-defg-hij",
        "meetingUrl": "https://meet.google.com/abc-defg-hij", "botName": name, "language": "es",
        "task": "translate", "passcode": "a code"}
    # Only its hash is in Redis; a secret is for one bot.
    assert all(secret not in str(scene.redis.client.value(key)) for key in scene.redis.client.scan("*"))
    other = scene.send(platform="google_meet", native_meeting_id=random_meet_code())
    assert scene.config(other)["internalSecret"] != secret


def test_nothing_but_the_room(scene):
    """What was not asked for is left out: bots refuse null."""
    code = random_meet_code()
    meeting = scene.send(platform="google_meet", native_meeting_id=code)
    config = scene.config(meeting)
    del config["internalSecret"]
    assert config == scene.common(meeting) | {
        "platform": "google_meet", "nativeMeetingId": code, "meetingUrl": f"https://meet.google.com/{code}",
        "botName": "The default name"}


def test_teams_keeps_its_url(scene):
    url = "https://teams.live.com/meet/9398850880426?p=RBZCWdxyp85TpcKna8"
    config = scene.config(scene.send(meeting_url=url))
    assert (config["platform"], config["nativeMeetingId"], config["meetingUrl"], config["passcode"]) == (
        "teams", "9398850880426", url, "RBZCWdxyp85TpcKna8")


def test_the_environment_has_nothing_else(scene):
    environment = scene.environment(scene.send(platform="google_meet", native_meeting_id=random_meet_code()))
    # Bash adds these three itself.
    names = set(environment) - {"PWD", "SHLVL", "_"}
    assert names <= {"PATH", "HOME", "LANG", "VEXA_BOT_CONFIG", "TRACEPARENT", "ALLOWED_ONE"}, names
    assert environment["ALLOWED_ONE"] == "1"


def test_commands(scene):
    meeting = scene.send(platform="google_meet", native_meeting_id=random_meet_code())
    config = scene.config(meeting)
    commands = Commands(scene.redis, meeting["id"])
    for status in ("joining", "active"):
        assert scene.report(config, status=status).status == 200
    path = f"{scene.user.bot_path(meeting)}/config"
    # The node tells the change at once; what has no place on the wire is told to nobody.
    for change in ({"language": "zh-TW"}, {"task": "translate"}):
        assert scene.user.request("PUT", path, change).status == 202
        wait_for_commands(commands, {"action": "reconfigure", **change})
    # Should that be lost, the runner tells all of it after its next renewal.
    assert scene.user.request("PUT", path, {"language": "es", "bot_name": "Not for the wire"}).status == 202
    wait_for_commands(commands, {"action": "reconfigure", "language": "es"},
                      {"action": "reconfigure", "language": "es", "task": "translate"})
    assert scene.user.request("DELETE", scene.user.bot_path(meeting)).status == 202
    wait_for_commands(commands, {"action": "leave"})
    commands.close()


def wait_for_commands(commands, *wanted):
    """Waits for these commands, in whatever order; all that come meanwhile must be of the wire."""
    missing = list(wanted)
    while missing:
        command = commands.next()
        wire.check_command(command)
        if command in missing:
            missing.remove(command)


def test_reports_with_more_than_the_wire_has(scene):
    """Unknown fields are tolerated, at every step of a life."""
    meeting = scene.send(platform="google_meet", native_meeting_id=random_meet_code())
    config = scene.config(meeting)
    unknown = {"a_new_field": {"deep": [1, None, "x"]}, "status_code": 7, "": 0, "epoch": "9"}
    known = {
        "container_id": config["container_name"], "reason": None, "timestamp": "2026-01-01T00:00:00Z",
        "bot_resources": {"cpu": 0.5, "memory": [1, 2]}, "speaker_events": [{"speaker": "Ana", "at": 1}],
        "bot_logs": ["one", "two"], "error_details": {"why": "none"}}
    for status in ("joining", "awaiting_admission", "needs_help", "active"):
        answer = scene.report(config, status=status, **known, **unknown)
        assert answer.status == 200, answer
        assert scene.user.meeting(meeting)["status"] == status
        # Told twice, it changes nothing.
        before = scene.user.fields(scene.redis.client, meeting)
        assert scene.report(config, status=status, **unknown).status == 200
        assert scene.user.fields(scene.redis.client, meeting) == before
    answer = scene.report(config, status="completed", completion_reason="left_alone", exit_code=0, **known, **unknown)
    assert answer.status == 200, answer
    assert scene.user.wait_for_status(meeting, "completed")["completion_reason"] == "left_alone"
    assert not set(unknown) & set(scene.user.fields(scene.redis.client, meeting)) - {"epoch"}
    assert scene.user.fields(scene.redis.client, meeting)["epoch"] == "1"
