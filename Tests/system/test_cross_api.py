"""The two APIs over one record: each status as simulated bots reach it, against the
behaviour table of the Re-invite API, POST's 409, DELETE's 404 and GET /bots/status."""

import os
import signal

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error, assert_error
from harness.runner import processes_of
from harness.waiting import wait_for
from harness.workspace import Admin

FOR_EVER = 3_600_000
LEASE_MS = 15_000
# How often a bot is sent whose stage was over before it could be stopped there.
MOST_TIMES = 3


@pytest.fixture(scope="module")
def scene(module_servers):
    return Scene(module_servers)


class Scene:
    """A node that bots report to, behind a proxy, and one that is asked, on the same Redis; and a runner."""

    def __init__(self, servers):
        self.redis = servers.redis()
        self.proxy = servers.proxy(self.redis)
        reported_to = servers.node(
            self.proxy, LEASE_TTL_MS=LEASE_MS, REDIS_TIMEOUT_MS=60_000, REQUEST_TIMEOUT_MS=60_000, LOCK_TTL_MS=60_000)
        self.node = servers.node(self.redis, LEASE_TTL_MS=LEASE_MS)
        self.user = BotsUser(Admin(self.node), max_concurrent_bots=100)
        self.waiting = self.user.send_bot()
        # What is asked before there is a runner waits.
        self.check_running(self.waiting, "INITIAL", "requested", 12107, 12107)
        assert self.user.request("DELETE", self.user.bot_path(self.waiting)).status == 202
        # Longer than what is looked at in the meantime; the test itself kills what hangs.
        self.runner = servers.runner(self.redis, reported_to, LEASE_TTL_MS=LEASE_MS, STOP_GRACE_MS=60000)

    def send(self, *settings):
        name = {"bot_name": " ".join(settings)} if settings else {}
        return self.user.send_bot(**name)

    def asks(self, meeting, without_force, with_force):
        """Re-invites both ways; each must be refused with the code of the table."""
        for body, code in (({"force_restart": False}, without_force), ({"force_restart": True}, with_force)):
            assert_error(self.user.reinvite(meeting, body), 409, code, meeting_id=meeting["data"]["meeting_id"])

    def statuses(self, meeting):
        record = self.user.record(meeting)
        return record["status"], record["bot_status"]

    def check_running(self, meeting, status, bot_status, without_force, with_force):
        """A bot is there or on its way: everybody says so, and nobody sends another."""
        assert self.statuses(meeting) == (status, bot_status)
        self.asks(meeting, without_force, with_force)
        again = self.user.request("POST", "/bots", {
            "platform": "google_meet", "native_meeting_id": meeting["native_meeting_id"]})
        assert_bots_error(again, 409, "Bot already in meeting", names=f"meeting {meeting['id']}")
        [running] = [bot for bot in self.user.running() if bot["meeting_id"] == meeting["id"]]
        assert running["status"] == running["meeting_status"] == bot_status
        if bot_status != "active":
            path = f"{self.user.bot_path(meeting)}/config"
            assert_bots_error(self.user.request("PUT", path, {"language": "es"}), 404, "Bot not found")
        assert self.statuses(meeting) == (status, bot_status), "asking changed it"

    def check_none(self, meeting):
        """No bot is there: everybody says so."""
        for method, path in (("DELETE", self.user.bot_path(meeting)), ("PUT", f"{self.user.bot_path(meeting)}/config")):
            body = {"language": "es"} if method == "PUT" else {}
            assert_bots_error(self.user.request(method, path, body), 404, "Bot not found")
        assert meeting["id"] not in [bot["meeting_id"] for bot in self.user.running()]

    def end(self, meeting):
        """Stops a bot, and kills it if it hangs."""
        assert self.user.request("DELETE", self.user.bot_path(meeting)).status == 202
        for process in processes_of(self.user.bot_id(self.redis.client, meeting)):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass  # It has left by itself.
        self.user.wait_for_status(meeting, "completed")

    def check_sends_again(self, meeting, action, status="INITIAL"):
        """One re-invitation is accepted, and its bot gets into the room."""
        assert self.statuses(meeting)[0] == status
        answer = self.user.reinvite(meeting, {"force_restart": action == "restarted"})
        assert answer.status == 202, answer
        assert (answer.json["action"], answer.json["status"]) == (action, "INITIAL")
        again = self.user.reinvite(meeting, {"force_restart": action == "restarted"})
        assert again.status == 409 and again.code in (12107, 12103, 12104), again


@pytest.mark.parametrize("behaviour, bot_status", [
    ("SIMULATE=hang-start", "requested"), (f"SIMULATE_JOIN_MS={FOR_EVER}", "joining"),
    (f"SIMULATE_LOBBY_MS={FOR_EVER}", "awaiting_admission")])
def test_a_bot_on_its_way(scene, behaviour, bot_status):
    """INITIAL, with a dispatch in flight until the bot is in the room."""
    meeting = scene.send(behaviour)
    scene.user.wait_for_status(meeting, bot_status)
    if bot_status == "requested":
        bot_id = scene.user.bot_id(scene.redis.client, meeting)
        wait_for(lambda: bot_id in scene.runner.started, "the start of the bot")
    scene.check_running(meeting, "INITIAL", bot_status, 12107, 12107)
    scene.end(meeting)
    assert scene.statuses(meeting) == ("OFFLINE", "completed")
    scene.check_none(meeting)
    assert_error(scene.user.reinvite(meeting), 409, 12106)


def test_a_bot_that_needs_help(scene):
    # It needs help for as long again as it was in the lobby: long enough to stop its process there.
    for _ in range(MOST_TIMES):
        meeting = scene.send("SIMULATE=needs-help SIMULATE_LOBBY_MS=5000")
        scene.user.wait_for_status(meeting, "needs_help", "active")
        for process in processes_of(scene.user.bot_id(scene.redis.client, meeting)):
            os.kill(process, signal.SIGSTOP)
        if scene.statuses(meeting) == ("INITIAL", "needs_help"):
            break
        scene.end(meeting)
    scene.check_running(meeting, "INITIAL", "needs_help", 12107, 12107)
    scene.end(meeting)


def test_a_bot_in_the_room_and_stopping(scene):
    meeting = scene.send("SIMULATE=hang-active")
    scene.user.wait_for_status(meeting, "active")
    scene.check_running(meeting, "LIVE", "active", 12103, 12104)
    path = f"{scene.user.bot_path(meeting)}/config"
    assert scene.user.request("PUT", path, {"language": "es"}).status == 202
    # It does not heed the stop, so it is stopping until it is killed.
    assert scene.user.request("DELETE", scene.user.bot_path(meeting)).status == 202
    scene.check_running(meeting, "STOPPING", "stopping", 12105, 12105)
    scene.end(meeting)
    scene.check_none(meeting)


def is_end_of_analysis(meeting):
    """Tells the script that ends a meeting's analysis: of those that know what is analysed, the one that tells it."""
    key = f":meeting:{meeting['data']['meeting_id']}".encode()
    return lambda command: (
        command[0].upper() == b"EVALSHA" and command[2] == b"9" and command[3].endswith(key)
        and command[4].endswith(b":analyzing") and command[5].endswith(b":events"))


def test_a_meeting_that_is_analysed(scene):
    """The node that took the last report is held up in the middle of the analysis; another one ends it."""
    meeting = scene.send()
    scene.user.wait_for_status(meeting, "active")
    held = scene.proxy.hold(is_end_of_analysis(meeting))
    assert scene.user.request("DELETE", scene.user.bot_path(meeting)).status == 202
    held.wait_until_struck("the end of the analysis")
    answers = [scene.user.reinvite(meeting, {"force_restart": force}) for force in (False, True)]
    running = scene.user.running()
    # The sweep of the other node makes it good after some seconds; what was asked before that counts.
    if scene.statuses(meeting)[0] == "ANALYZING":
        for answer in answers:
            assert_error(answer, 409, 12105)
        assert meeting["id"] not in [bot["meeting_id"] for bot in running]
        scene.check_none(meeting)
    wait_for(lambda: scene.statuses(meeting) == ("OFFLINE", "completed"), "the end of the analysis by another node")
    held.release()
    scene.check_sends_again(meeting, "restarted", status="OFFLINE")
    scene.user.wait_for_status(meeting, "active")
    scene.end(meeting)


@pytest.mark.parametrize("behaviour, reason, stage", [
    ("join-failure", "join_failure", "joining"), ("rejected", "awaiting_admission_rejected", "awaiting_admission"),
    ("crash-lobby", "bot_exited", "awaiting_admission")])
def test_a_bot_that_failed_before_the_room(scene, behaviour, reason, stage):
    """INITIAL again: it can be sent again without force."""
    meeting = scene.send(f"SIMULATE={behaviour}")
    failed = scene.user.wait_for_status(meeting, "failed")
    assert (failed["completion_reason"], failed["failure_stage"]) == (reason, stage)
    assert scene.statuses(meeting) == ("INITIAL", "failed")
    scene.check_none(meeting)
    scene.check_sends_again(meeting, "dispatched")


def test_a_bot_that_failed_in_the_room(scene):
    """OFFLINE: it can be restarted, or be sent by the other API, which makes a new record."""
    meeting = scene.send("SIMULATE=crash-active")
    scene.user.wait_for_status(meeting, "failed")
    assert scene.statuses(meeting) == ("OFFLINE", "failed")
    scene.check_none(meeting)
    assert_error(scene.user.reinvite(meeting), 409, 12106)
    newer = scene.user.send_bot(meeting["native_meeting_id"])
    assert newer["id"] != meeting["id"]
    # The room is the newer one's now, also for the other API.
    assert_error(scene.user.reinvite(meeting, {"force_restart": True}), 409, 12107,
                 room_meeting_id=newer["data"]["meeting_id"])
    scene.user.wait_for_status(newer, "active")
    scene.end(newer)


def test_a_meeting_that_was_planned(scene):
    """INITIAL without a bot: sent by the one API, it is in the room for both."""
    workspace = scene.user.as_workspace()
    planned = workspace.create_meeting()
    assert workspace.reinvite(planned).status == 202
    code = planned.record["native_meeting_id"]
    wait_for(lambda: [bot for bot in scene.user.running() if bot["native_meeting_id"] == code
                      and bot["status"] == "active"], "the bot's entering", interval_s=0.05)
    assert_error(workspace.reinvite(planned), 409, 12103)
    assert scene.user.request("DELETE", f"/bots/google_meet/{code}").status == 202


def test_never_two_in_a_room(scene):
    """After all of the above."""
    scene.runner.presence.check()
