"""Bots that attend, from `POST /bots` to the transcript, by nodes and a runner; and whoever dies first, nothing is left."""

import os
import signal

import pytest

from harness.bots_user import BotsUser
from harness.lab import Lab
from harness.node import BINARY
from harness.process import descendants, is_running
from harness.runner import processes_of
from harness.speech import Speaker, SpeechService, write_tones
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code


@pytest.fixture
def speech():
    service = SpeechService()
    yield service
    service.end()


@pytest.fixture
def scene(servers, speech):
    return Scene(servers, speech)


class Scene:
    """Two nodes, a runner of attending bots, a lab, and a user."""

    def __init__(self, servers, speech):
        self.redis = servers.redis()
        self.nodes = [servers.node(self.redis) for _ in range(2)]
        write_tones(os.path.join(servers.folder, "ana.wav"), (None, 0.3), (330, 2.0), (None, 0.5))
        self.lab = servers.add(Lab(servers.folder, sounds=servers.folder)).start()
        self.temporary = os.path.join(servers.folder, "temporary")
        os.makedirs(self.temporary)
        profile = f"{self.temporary}/usher-attend-{{bot_id}}"
        self.runner = servers.runner(
            self.redis, self.nodes[0], start=False, LAUNCH=f"'{BINARY}' attend", LAB=self.lab.url,
            PASS_ENVIRONMENT="USHER_LAB,TMPDIR", CLEAN_UP=f"rm -rf '{profile}' '{profile}.lock'",
            TRANSCRIPTION_URL=speech.url, MAX_ATTEMPTS=1)
        self.runner.environment["TMPDIR"] = self.temporary
        self.runner.start()
        self.user = BotsUser(Admin(self.nodes[1]))
        self.room = self.lab.room(random_meet_code())

    def attend(self):
        """Sends a bot into the room, and lets it in; its meeting."""
        meeting = self.user.send_bot(self.room.code)
        self.user.wait_for_status(meeting, "awaiting_admission")
        self.room.admit()
        return self.user.wait_for_status(meeting, "active")

    def texts(self, meeting):
        answer = self.user.request("GET", f"/transcripts/google_meet/{self.room.code}", node=self.nodes[0])
        assert answer.status == 200, answer
        return [(segment["speaker"], segment["text"]) for segment in answer.json["segments"] if segment["completed"]]

    def wait_for_texts(self, meeting, count):
        return wait_for(lambda: len(self.texts(meeting)) == count and self.texts(meeting), f"{count} segments",
                        interval_s=0.1)


def test_a_meeting_is_attended_transcribed_left_and_attended_again(scene, servers):
    ana = servers.add(Speaker(servers.folder, scene.room, "Ana", "ana.wav")).start()
    meeting = scene.attend()
    wait_for(lambda: [person for person in scene.room.people if person["state"] == "in"][1:], "two in the room")
    ana.say()
    assert scene.wait_for_texts(meeting, 1) == [("Ana", "apple")]
    answer = scene.user.request("DELETE", scene.user.bot_path(meeting))
    assert answer.status == 202, answer
    ended = scene.user.wait_for_status(meeting, "completed")
    assert ended["completion_reason"] == "stopped" and scene.room.state("Usher") == "left"
    wait_for(lambda: not os.listdir(scene.temporary), "the removal of its profile")

    answer = scene.user.reinvite(meeting, {"force_restart": True})
    assert answer.status == 202, answer
    scene.room.admit()
    scene.user.wait_for_status(meeting, "active")
    ana.say()
    assert scene.wait_for_texts(meeting, 2) == [("Ana", "apple")] * 2


@pytest.mark.parametrize("victim", ["bot", "supervisor", "runner"])
def test_whoever_is_killed_nothing_is_left(scene, victim):
    meeting = scene.attend()
    bot_id = scene.user.bot_id(scene.redis.client, meeting)
    supervisor = scene.runner.supervisor_of(bot_id)
    [bot] = processes_of(bot_id)
    processes = descendants(supervisor)
    assert len(processes) > 3
    os.kill({"bot": bot, "supervisor": supervisor, "runner": scene.runner.pid}[victim], signal.SIGKILL)
    wait_for(lambda: not [pid for pid in processes if is_running(pid)], "the end of all that it started")
    wait_for(lambda: not os.listdir(scene.temporary), "the removal of its profile")
    assert scene.room.wait_for("Usher", "left")
    if victim != "runner":
        assert scene.user.wait_for_status(meeting, "failed")
