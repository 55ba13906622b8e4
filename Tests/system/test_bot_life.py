"""The README's session with `usher up` and a simulated bot: a bot's whole life, by both APIs."""

import os
import re
import signal

import pytest

from harness import wire
from harness.http_client import request
from harness.keys import WorkspaceKeys
from harness.process import children, session_members
from harness.resp import RedisClient
from harness.up import Up
from harness.waiting import wait_for
from harness.workspace import API

# The document's own.
BODY = {
    "platform": "google_meet",
    "native_meeting_id": "abc-defg-hij",
    "passcode": "optional_passcode",
    "meeting_url": "https://meet.google.com/abc-defg-hij",
    "bot_name": "Vexa Transcription Bot",
    "language": "en",
}
CONFIG = {"language": "es", "task": "transcribe", "bot_name": "Updated Bot Name"}
ROOM = "google_meet/abc-defg-hij"


def confirmed(segments):
    """Those that nothing replaces any more."""
    return [segment for segment in segments if segment["completed"]]


class Session:
    """What a newcomer does with the key that `usher up` prints."""

    def __init__(self, up):
        self.port = up.port
        found = re.search(r"workspace +(\S+), its owner's API key (\S+)", up.output)
        assert found, up.output
        self.workspace_id, self.key = found.groups()

    def ask(self, status, method, path, **options):
        answer = request(self.port, method, path, headers={"X-API-Key": self.key}, **options)
        assert answer.status == status, f"{method} {path}: {answer}"
        return answer.json

    @property
    def running(self):
        return self.ask(200, "GET", "/bots/status")["running_bots"]

    @property
    def segments(self):
        return self.ask(200, "GET", f"/transcripts/{ROOM}")["segments"]

    def wait_for_running(self, status):
        """The running bot, once it has this status."""
        def found():
            bots = [bot for bot in self.running if bot["status"] == status]
            return bots[0] if bots else None
        return wait_for(found, f"a running bot that is {status}", interval_s=0.02)

    def stages_until(self, status):
        """The running bot as it was at each stage that was seen, once it has this status; its events tell of all."""
        stages = {}

        def is_there():
            for bot in self.running:
                if bot["status"] != "requested":
                    stages[bot["status"]] = bot
            return status in stages
        wait_for(is_there, f"a running bot that is {status}", interval_s=0.02)
        return stages.values()

    def wait_for_segments(self, count, language):
        """All segments, once so many of them are confirmed in a language."""
        def found():
            segments = self.segments
            done = [segment for segment in confirmed(segments) if segment["language"] == language]
            return segments if len(done) >= count else None
        return wait_for(found, f"{count} segments in {language}", interval_s=0.05)


@pytest.fixture
def up(servers):
    # Each stage is long enough to be seen, as a rule.
    environment = {"USHER_SIMULATE_JOIN_MS": "3000", "USHER_SIMULATE_LOBBY_MS": "3000",
                   "USHER_SIMULATE_SEGMENT_MS": "200", "USHER_SIMULATE_PRESENCE": servers.folder}
    return servers.add(Up(servers.folder, environment=environment)).start()


def runner_of(up):
    [pid] = [int(found) for found in re.findall(r"runners .*\(process (\d+)\)", up.output)]
    assert pid in children(up.pid)
    return pid


def test_the_session(up):
    session = Session(up)
    # The runner is stopped meanwhile, so that the first status can be seen too.
    runner = runner_of(up)
    os.kill(runner, signal.SIGSTOP)
    meeting = session.ask(201, "POST", "/bots", body=BODY)
    assert meeting["status"] == "requested" and meeting["bot_container_id"] is None
    assert (meeting["start_time"], meeting["end_time"]) == (None, None)
    assert session.wait_for_running("requested")["meeting_id"] == meeting["id"]
    os.kill(runner, signal.SIGCONT)
    for bot in session.stages_until("active"):
        assert (bot["meeting_id"], bot["platform"], bot["native_meeting_id"]) == (
            meeting["id"], BODY["platform"], BODY["native_meeting_id"])
        assert bot["container_id"]
    assert session.ask(409, "POST", "/bots", body=BODY)["meeting_id"] == meeting["id"]

    # The transcript grows, and goes on in Spanish.
    few = session.wait_for_segments(1, "en")
    session.wait_for_segments(3, "en")
    wait_for(lambda: len(session.segments) > len(few), "a transcript that grows", interval_s=0.05)
    session.ask(202, "PUT", f"/bots/{ROOM}/config", body=CONFIG)
    both = session.wait_for_segments(2, "es")
    assert [segment["start"] for segment in both] == sorted(segment["start"] for segment in both)
    languages = [segment["language"] for segment in both]
    # The change is for the segments after it: once it has been made, there is no way back.
    assert languages == sorted(languages) and {"en", "es"} == set(languages)

    session.ask(202, "DELETE", f"/bots/{ROOM}")
    path = f"{API}/{session.workspace_id}/meetings/{meeting['data']['meeting_id']}"
    wait_for(lambda: session.ask(200, "GET", path)["status"] == "OFFLINE", "the end", interval_s=0.05)
    ended = session.ask(200, "GET", f"/meetings/{meeting['id']}")
    assert (ended["status"], ended["completion_reason"], ended["failure_stage"]) == ("completed", "stopped", None)
    assert ended["start_time"] < ended["end_time"]
    assert session.running == []
    session.ask(404, "DELETE", f"/bots/{ROOM}")
    # It is still there, whole: what was confirmed is as it was.
    kept = session.segments
    assert [segment for segment in kept if segment in confirmed(both)] == confirmed(both)
    assert set(ended["data"]["languages"]) == {"en", "es"} and set(ended["data"]["participants"]) <= {
        "Ana", "Ben", "Chen"}

    # The other API restarts the same meeting.
    restarted = session.ask(202, "POST", f"{path}/reinvite_bot", body={"force_restart": True})
    assert (restarted["action"], restarted["status"]) == ("restarted", "INITIAL")
    wait_for(lambda: session.ask(200, "GET", path)["status"] == "LIVE", "the meeting's being live again",
             interval_s=0.05)
    record = session.ask(200, "GET", path)
    assert (record["number"], record["bot_status"], record["end_time"]) == (meeting["id"], "active", None)
    wait_for(lambda: len(session.segments) > len(kept), "a transcript that goes on")
    again = session.segments
    assert [segment for segment in again if segment in confirmed(kept)] == confirmed(kept)

    # What the two bots said of themselves is a life of the wire each.
    redis = RedisClient(os.path.join(up.data, "redis.sock"))
    events = [fields for _, fields in redis.stream(WorkspaceKeys(session.workspace_id).events)
              if fields["meeting_id"] == meeting["data"]["meeting_id"]]
    lives = [[event["what"] for event in events if event["bot_id"] == bot_id]
             for bot_id in dict.fromkeys(event["bot_id"] for event in events)]
    assert lives[0] == ["dispatched", "joining", "awaiting_admission", "active", "stopping", "completed", "finalised"]
    assert lives[1] == ["restarted", "joining", "awaiting_admission", "active"]
    for life in lives:
        wire.check_sequence([status for status in life if status in wire.STATUSES])
    redis.close()

    # Ctrl-C ends all of it, the bot too.
    processes = session_members(up.pid)
    up.signal(signal.SIGINT)
    assert up.wait() == 0, up.log
    assert session_members(up.pid) == [], processes
