"""Bots that attend, from `POST /bots` to the transcript, by nodes and a runner; and whoever dies first, nothing is left."""

import os
import re
import signal

import pytest

from harness.attending import Scene
from harness.lab import Lab
from harness.process import descendants, is_running
from harness.runner import processes_of
from harness.speech import Speaker, SpeechService, write_tones
from harness.up import Up, run_curl, run_usher
from harness.waiting import wait_for


@pytest.fixture
def speech():
    service = SpeechService()
    yield service
    service.end()


@pytest.fixture
def scene(servers, speech):
    write_tones(os.path.join(servers.folder, "ana.wav"), (None, 0.3), (330, 2.0), (None, 0.5))
    return Scene(servers, speech.url)


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


def test_usher_up_attends(servers):
    lab = servers.add(Lab(servers.folder)).start()
    up = Up(servers.folder, "--attend", "--lab", lab.url, nodes=1, environment={"TMPDIR": servers.folder})
    servers.add(up).start()
    assert "simulated" not in up.output
    [code] = re.findall(r"https://meet.google.com/(\S+)", up.output)
    assert f"  {lab.url}/m/{code}?host&name=You\n" in up.output
    [reading] = re.findall(r"  (curl .*/transcripts/.*)", up.output)
    assert run_curl(reading)[0] == 200
    room = lab.room(code)
    assert run_curl(up.reinvitations[0])[0] == 202
    room.admit()
    up.signal(signal.SIGTERM)
    assert up.wait() == 0 and room.wait_for("Usher", "left")
    wait_for(lambda: not [name for name in os.listdir(servers.folder) if name.startswith("usher-attend-")],
             "the removal of its bot's profile")


def test_usher_up_says_what_it_needs_to_attend():
    status, _, text = run_usher("up", "--attend", "--chromium", "/nowhere/chromium")
    assert status == 2 and "apt-get install chromium" in text
