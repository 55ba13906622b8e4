"""Recordings in a folder: how they come into the record and go from it, and `GET /recordings/{id}`. The bots are simulated
ones, with a launcher that makes the file which one that attends would make."""

import os
import signal
import time
import uuid

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.receiver import Receiver
from harness.recordings import SOUND, Scene
from harness.runner import processes_of
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

@pytest.fixture
def scene(servers):
    return Scene(servers)


def test_a_recording_is_told_of_once_its_bot_has_ended(scene):
    with Receiver() as receiver:
        answer = scene.user.request("POST", "/webhooks", {"url": receiver.url(), "events": ["recording.ready"]})
        assert answer.status == 201, answer
        meeting = scene.record()
        assert meeting["data"]["recording_enabled"] is True
        wait_for(lambda: scene.files, "its file")
        assert scene.recordings(meeting) == []
        bot_id = scene.user.bot_id(scene.redis.client, meeting)
        scene.stop(meeting)
        [recording] = scene.wait_for_recordings(meeting)
        [file] = recording.pop("media_files")
        assert file == {"id": recording["id"], "type": "audio", "format": "wav", "file_size_bytes": len(SOUND),
                        "duration_seconds": (len(SOUND) - 44) // 32 / 1000}
        began = scene.user.meeting(meeting)["start_time"]
        assert recording == {"id": f"{meeting['id']}-{bot_id}", "session_uid": bot_id, "source": "bot",
                             "status": "completed", "created_at": began}
        answer = scene.fetch(recording)
        assert (answer.status, answer.header("Content-Type"), answer.body) == (200, "audio/wav", SOUND)
        [delivery] = receiver.wait_for("recording.ready")
        assert delivery.json["data"]["meeting"]["id"] == meeting["id"] and "status_change" not in delivery.json["data"]


def test_a_restart_keeps_the_earlier_recording(scene):
    meeting, first = scene.recorded()
    wait_for(lambda: scene.user.record(meeting)["status"] == "OFFLINE", "the meeting's end")
    assert scene.user.reinvite(meeting, {"force_restart": True}).status == 202
    scene.user.wait_for_status(meeting, "active")
    scene.stop(meeting)
    both = scene.wait_for_recordings(meeting, 2)
    assert both[0] == first and both[1]["session_uid"] != first["session_uid"]
    assert [scene.fetch(each).body for each in both] == [SOUND, SOUND]


def test_the_next_runner_tells_of_what_a_killed_one_left(scene):
    meeting = scene.record()
    bot_id = scene.user.bot_id(scene.redis.client, meeting)
    os.kill(scene.runner.pid, signal.SIGKILL)
    wait_for(lambda: not processes_of(bot_id), "the end of its bot")
    scene.start_runner()
    # Not before the lease has told the record that the bot is gone.
    scene.user.wait_for_status(meeting, "failed")
    [recording] = scene.wait_for_recordings(meeting)
    assert scene.fetch(recording).body == SOUND


@pytest.mark.parametrize("asked, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=255999-", 255_999, 255_999), ("bytes=-10", 255_990, 255_999),
    ("bytes=65530-131080", 65_530, 131_080), ("bytes=5-99999999999999999999999", 5, 255_999), ("BYTES=1-2", 1, 2),
    ("bytes=-999999999", 0, 255_999),
])
def test_a_part_of_it(scene_once, asked, first, last):
    scene, recording = scene_once
    answer = scene.fetch(recording, Range=asked)
    assert (answer.status, answer.body) == (206, SOUND[first:last + 1]), answer.headers
    assert answer.header("Content-Range") == f"bytes {first}-{last}/{len(SOUND)}"
    assert answer.header("Content-Length") == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=2-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,4-5", "pages=1-2", "bytes=0 -1"])
def test_what_is_no_part_is_passed_over(scene_once, asked):
    scene, recording = scene_once
    answer = scene.fetch(recording, Range=asked)
    assert (answer.status, len(answer.body)) == (200, len(SOUND))
    assert answer.header("Accept-Ranges") == "bytes" and answer.header("Content-Length") == str(len(SOUND))


@pytest.mark.parametrize("asked", ["bytes=256000-", "bytes=-0", "bytes=99999999999999999999-"])
def test_a_part_that_is_not_there(scene_once, asked):
    scene, recording = scene_once
    answer = scene.fetch(recording, Range=asked)
    assert_bots_error(answer, 416, "Range not satisfiable")
    assert answer.header("Content-Range") == f"bytes */{len(SOUND)}"


def test_a_part_only_if_it_is_the_same(scene_once):
    scene, recording = scene_once
    tag = scene.fetch(recording).header("ETag")
    assert scene.fetch(recording, Range="bytes=1-2", If_Range=tag).status == 206
    assert scene.fetch(recording, Range="bytes=1-2", If_Range='"another"').status == 200
    head = scene.user.request("HEAD", f"/recordings/{recording['id']}", headers={
        **scene.user.headers, "Range": "bytes=1-2"})
    assert (head.status, head.body, head.header("Content-Length")) == (200, b"", str(len(SOUND)))


@pytest.fixture(scope="module")
def scene_once(module_servers):
    scene = Scene(module_servers)
    return scene, scene.recorded()[1]


def test_whose_it_is(scene_once):
    scene, recording = scene_once
    other = BotsUser(Admin(scene.node))
    for id in (recording["id"], "1", "0-x", f"{recording['id']}x", "../" * 3 + "etc", f"99999-{uuid.uuid4()}",
               f"{recording['id'].partition('-')[0]}-{uuid.uuid4()}"):
        path = f"/recordings/{id.replace('/', '%2F')}"
        assert other.request("GET", path).status in (400, 404)
        if id != recording["id"]:
            assert scene.user.request("GET", path).status in (400, 404)
    assert scene.node.request("GET", f"/recordings/{recording['id']}").status == 401
    # A node that has no such folder cannot serve it, and says so.
    elsewhere = scene.servers.node(scene.redis)
    assert_bots_error(scene.user.request("GET", f"/recordings/{recording['id']}", node=elsewhere), 404, "Recording not found")


def test_no_link_is_followed(scene):
    meeting, recording = scene.recorded()
    secret = os.path.join(scene.servers.folder, "secret")
    with open(secret, "w") as file:
        file.write("s3cret")
    [path] = scene.files
    os.unlink(path)
    os.symlink(secret, path)
    assert scene.fetch(recording).status == 404
    os.unlink(path)
    folder = os.path.dirname(path)
    os.rmdir(folder)
    os.symlink(scene.servers.folder, folder)
    os.rename(secret, os.path.join(scene.servers.folder, os.path.basename(path)))
    assert scene.fetch(recording).status == 404


def test_what_is_deleted_is_gone_at_once_and_its_file_soon(scene):
    meeting, recording = scene.recorded()
    stranger = os.path.join(scene.folder, "notes.txt")
    with open(stranger, "w") as file:
        file.write("not ours")
    wait_for(lambda: scene.user.record(meeting)["status"] == "OFFLINE", "the meeting's end")
    assert scene.user.request("DELETE", scene.user.meeting_path(meeting)).status == 200
    assert scene.recordings(meeting) == [] and scene.fetch(recording).status == 404
    wait_for(lambda: os.listdir(scene.folder) == ["notes.txt"], "the removal of its file and folders")


def test_recordings_of_another_redis_are_left_alone(scene):
    place = os.path.join(scene.folder, str(uuid.uuid4()), uuid.uuid4().hex)
    os.makedirs(place)
    path = os.path.join(place, f"{uuid.uuid4()}.wav")
    with open(path, "wb") as file:
        file.write(SOUND)
    # What is new may be of a meeting that a restored backup lacks, however old it says that it is. The keeper has been round
    # once the file of a meeting that was deleted is gone.
    meeting, recording = scene.recorded()
    [of_meeting] = [file for file in scene.files if file != path]
    own = os.path.join(scene.folder, scene.user.workspace_id)
    (old, new) = [os.path.join(own, uuid.uuid4().hex, f"{uuid.uuid4()}.wav") for _ in range(2)]
    for each in (old, new):
        os.makedirs(os.path.dirname(each))
        with open(each, "wb") as file:
            file.write(SOUND)
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    wait_for(lambda: scene.user.record(meeting)["status"] == "OFFLINE", "the meeting's end")
    assert scene.user.request("DELETE", scene.user.meeting_path(meeting)).status == 200
    wait_for(lambda: not os.path.exists(of_meeting), "the removal of what belongs to the deleted meeting")
    scene.start_runner()
    assert sorted(scene.files) == sorted([path, old, new])


def test_where_nothing_is_recorded_a_wish_for_it_is_refused(scene):
    plain = scene.servers.node(scene.redis)
    body = {"platform": "google_meet", "native_meeting_id": random_meet_code(), "recording_enabled": True}
    answer = scene.user.request("POST", "/bots", body, node=plain)
    assert_bots_error(answer, 422, "Invalid request", names="recording_enabled")
    assert scene.user.running() == []
    assert scene.user.request("POST", "/bots", {**body, "recording_enabled": False}, node=plain).status == 201


@pytest.mark.parametrize("command", ["serve", "runner"])
def test_a_folder_that_cannot_be_used_is_told(servers, command):
    path = os.path.join(servers.folder, "file")
    with open(path, "w"):
        pass
    code, _, complaint = run_usher(command, "--recordings", path, *(["--launch", "true"] if command == "runner" else []))
    assert code == 2 and path in complaint and "which is no folder." in complaint, complaint
