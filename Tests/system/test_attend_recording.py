"""What `usher attend` records: every voice at its place, in a file that is whole however the bot ends."""

import datetime
import io
import json
import os
import signal
import struct
import subprocess
import uuid
import wave

import pytest

from harness.attending import Scene
from harness.lab import AttendingBot, Lab
from harness.speech import RATE, Speaker, SpeechService, pitch_of, write_tones
from harness.waiting import wait_for
from harness.workspace import random_meet_code


@pytest.fixture
def speech():
    service = SpeechService()
    yield service
    service.end()


def samples_of(sound):
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))


def pitch_at(samples, second, seconds=1.0):
    return pitch_of(samples[int(second * RATE):int((second + seconds) * RATE)])


def test_two_voices_are_recorded_at_their_places(servers, speech):
    for name, pitch in (("ana", 330), ("ben", 1320)):
        write_tones(os.path.join(servers.folder, f"{name}.wav"), (None, 0.5), (pitch, 2.0), (None, 0.5))
    folder = os.path.join(servers.folder, "recordings")
    os.makedirs(folder)
    scene = Scene(servers, speech.url, recordings=folder, BOT_OUTPUT="show")
    people = [servers.add(Speaker(servers.folder, scene.room, name, f"{name.lower()}.wav")).start()
              for name in ("Ana", "Ben")]
    meeting = scene.attend(recording_enabled=True)
    wait_for(lambda: len(scene.runner.said("Hears a voice")) >= 2, "its hearing both of them")
    # Of which a page has lost some, as it does on a machine that has no time for it, all is said again.
    for _ in range(3):
        lost_before, said = scene.room.lost_s, []
        for person in people:
            before = len(scene.texts(meeting))
            said.append(person.say())
            wait_for(lambda: len(scene.texts(meeting)) > before, f"the words of {person.name}", interval_s=0.1)
        if not scene.room.has_lost(lost_before):
            break
    assert scene.user.request("DELETE", scene.user.bot_path(meeting)).status == 202
    [recording] = wait_for(lambda: scene.transcript()["recordings"], "its recording", interval_s=0.1)
    sound = scene.user.request("GET", f"/recordings/{recording['id']}", node=scene.nodes[1]).body
    samples = samples_of(sound)
    began = datetime.datetime.fromisoformat(recording["created_at"]).timestamp()
    for at, pitch in zip(said, (330, 1320)):
        # The half second before the tone, and half a second of what may be wrong.
        found = pitch_at(samples, at - began + 1.0)
        assert found and abs(found / pitch - 1) < 0.1, (found, pitch, at - began)
    assert abs(recording["media_files"][0]["duration_seconds"] - len(samples) / RATE) < 0.001


class Recorder:
    """A bot without a runner that records into a file, or elsewhere, with Ana in its room."""

    def __init__(self, servers, lab, redis, callbacks, path, config=None, **settings):
        self.path = path
        room = lab.room(random_meet_code(), "open")
        self.ana = servers.add(Speaker(servers.folder, room, "Ana", "ana.wav")).start()
        self.bot = AttendingBot(servers.folder, redis.url, callbacks, lab.url, number=uuid.uuid4().int % 10**9 + 1, config={
            "nativeMeetingId": room.code, "transcribeEnabled": False, "recordingEnabled": True,
            **(config or {})}, **settings)
        if path:
            self.bot.environment["USHER_BOT_RECORDING"] = path
        servers.add(self.bot).start()
        self.bot.wait_for_status(callbacks, "active")
        self.callbacks = callbacks

    def size(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def stop(self):
        """Its last report."""
        self.bot.signal(signal.SIGTERM)
        assert self.bot.wait() == 0, self.bot.log
        return self.callbacks.reports[-1]


@pytest.fixture(scope="module")
def lab(module_servers):
    folder = os.path.join(module_servers.folder, "sounds")
    os.makedirs(folder)
    write_tones(os.path.join(folder, "ana.wav"), (330, 2.0))
    return module_servers.add(Lab(module_servers.folder, sounds=folder)).start()


@pytest.fixture(scope="module")
def redis(module_servers):
    return module_servers.redis()


def test_the_file_is_whole_when_the_bot_is_killed(servers, lab, redis, callbacks):
    recorder = Recorder(servers, lab, redis, callbacks, os.path.join(servers.folder, "w", "m", "b.wav"))
    begin = recorder.size()
    recorder.ana.say()
    wait_for(lambda: recorder.size() > begin + 6 * 2 * RATE, "six seconds of sound")
    recorder.bot.kill()
    with open(recorder.path, "rb") as file:
        samples = samples_of(file.read())
    assert len(samples) > 6 * RATE
    assert any(pitch_at(samples, tenth / 10) for tenth in range(len(samples) * 10 // RATE))


def test_a_recording_is_no_longer_than_it_may_be(servers, lab, redis, callbacks):
    path = os.path.join(servers.folder, "w", "m", "b.wav")
    recorder = Recorder(servers, lab, redis, callbacks, path, ATTEND_RECORDING_BYTES=100_000)
    wait_for(lambda: recorder.size() == 100_000, "the recording's end", interval_s=0.1)
    report = recorder.stop()
    assert report["status"] == "completed" and "The recording ends after 3 s" in report["error_details"]
    assert recorder.size() == 100_000


@pytest.fixture
def small_disk(servers):
    """A folder with room for four seconds of sound."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root, to mount a small disk")
    path = os.path.join(servers.folder, "disk")
    os.makedirs(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=132k", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_costs_the_rest_and_not_the_bot(servers, small_disk, lab, redis, callbacks):
    recorder = Recorder(servers, lab, redis, callbacks, os.path.join(small_disk, "w", "m", "b.wav"))
    wait_for(lambda: recorder.bot.said("Sound could not be written"), "a full disk", interval_s=0.1)
    report = recorder.stop()
    assert (report["status"], report["completion_reason"]) == ("completed", "stopped")
    assert "of the recording are missing: No space left on device" in report["error_details"], report
    with open(recorder.path, "rb") as file:
        assert len(samples_of(file.read())) > 2 * RATE


@pytest.mark.parametrize("path, reason", [
    (None, "its runner names no place"), ("/nowhere/w/m/b.wav", "make the folder"), ("/dev/full/m/b.wav", "Not a directory"),
])
def test_what_cannot_be_recorded_is_told_and_the_bot_stays(servers, lab, redis, callbacks, path, reason):
    recorder = Recorder(servers, lab, redis, callbacks, path)
    report = recorder.stop()
    assert (report["status"], report["completion_reason"]) == ("completed", "stopped")
    assert report["error_details"].startswith("Nothing was recorded: ") and reason in report["error_details"], report


class Place(SpeechService):
    """Where parts of recordings are sent to."""

    def words(self, request):
        return {"success": True}

    @property
    def parts(self):
        """What was taken, in order: what was told of each, and its samples."""
        return [(json.loads(request["metadata"]), request["samples"]) for request in self.taken]


@pytest.fixture
def place():
    place = Place()
    place.taken = []

    def answer(request):
        place.taken.append(request)

    place.answer = answer
    yield place
    place.end()


def upload(servers, lab, redis, callbacks, place, **config):
    return Recorder(servers, lab, redis, callbacks, None, config={
        "recordingUploadUrl": place.url, "token": "a-secret", **config})


def test_a_recording_is_sent_where_the_configuration_says(servers, lab, redis, callbacks, place):
    recorder = upload(servers, lab, redis, callbacks, place)
    recorder.ana.say()
    # A part has thirty seconds.
    wait_for(lambda: place.parts, "the first part", interval_s=0.1)
    report = recorder.stop()
    assert "error_details" not in report
    [(first, samples), (last, rest)] = place.parts
    assert (first["chunk_seq"], first["is_final"], len(samples)) == (0, False, 30 * RATE)
    assert (last["chunk_seq"], last["is_final"], last["duration_seconds"]) == (1, True, len(rest) / RATE)
    assert first["session_uid"] == recorder.bot.bot_id and first["meeting_id"] == recorder.bot.number
    assert first["file_size_bytes"] == 44 + 2 * len(samples) and first["sample_rate"] == RATE
    assert place.requests[0]["authorization"] == "Bearer a-secret" and "a-secret" not in recorder.bot.log
    assert any(pitch_at(samples, tenth / 10) for tenth in range(290))


def test_a_place_in_trouble_is_asked_again(servers, lab, redis, callbacks, place):
    take = place.answer
    place.answer = lambda request: (503, {}, b"") if len(place.requests) == 1 else take(request)
    recorder = upload(servers, lab, redis, callbacks, place)
    assert "error_details" not in recorder.stop()
    assert [told["is_final"] for told, _ in place.parts] == [True] and len(place.requests) == 2


@pytest.mark.parametrize("status, reason", [(403, "its place answers 403"), (503, "the bot left before")])
def test_what_its_place_does_not_take_is_told(servers, lab, redis, callbacks, place, status, reason):
    place.answer = lambda request: (status, {}, b"")
    recorder = upload(servers, lab, redis, callbacks, place)
    report = recorder.stop()
    assert report["status"] == "completed" and "recording are missing" in report["error_details"], report
    assert reason in report["error_details"]
