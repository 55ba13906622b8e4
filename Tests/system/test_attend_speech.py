"""What `usher attend` hears and writes: each voice by itself, with its name and its times, and nothing lost silently."""

import contextlib
import datetime
import json
import os
import signal
import threading
import time
import uuid

import pytest

from harness import wire
from harness.certificates import Certificates
from harness.lab import AttendingBot, Lab
from harness.ports import free_port
from harness.speech import RATE, Speaker, SpeechService, write_tones
from harness.waiting import wait_for
from harness.workspace import random_meet_code

LEAD_S, TONE_S = 0.5, 2.0
# How often all is said again of which a page has lost some, as it does on a machine that has no time for it.
MOST_TIMES = 3


@pytest.fixture(scope="module")
def sounds(module_servers):
    folder = os.path.join(module_servers.folder, "sounds")
    os.makedirs(folder)
    for name, pitch in (("ana", 330), ("ben", 1320)):
        write_tones(os.path.join(folder, f"{name}.wav"), (None, LEAD_S), (pitch, TONE_S), (None, 1.0))
    return folder


@pytest.fixture(scope="module")
def lab(module_servers, sounds):
    return module_servers.add(Lab(module_servers.folder, sounds=sounds)).start()


@pytest.fixture(scope="module")
def redis(module_servers):
    return module_servers.redis()


@pytest.fixture
def speech():
    # Some tests end it, and have another one in its place.
    service = SpeechService(port=free_port())
    yield service
    service.end()


class Meeting:
    """A room with Ana, Ben and a bot in it."""

    def __init__(self, servers, lab, redis, callbacks, speech, names=("Ana", "Ben"), settings=None, folder=None,
                 **config):
        folder = folder or servers.folder
        self.redis, self.speech = redis, speech
        self.room = lab.room(random_meet_code(), "open")
        self.number = uuid.uuid4().int % 10**9 + 1
        self.people = {name: servers.add(Speaker(folder, self.room, name, f"{name.lower()}.wav")).start()
                       for name in names}
        self.bot = servers.add(AttendingBot(folder, redis.url, callbacks, lab.url, number=self.number, config={
            "nativeMeetingId": self.room.code, "transcriptionServiceUrl": speech.url, **config}, **(settings or {}))).start()
        self.bot.wait_for_status(callbacks, "active")
        wait_for(lambda: len(self.bot.said("Hears a voice")) >= len(names), "its hearing all of them")

    def end(self):
        for process in (self.bot, *self.people.values()):
            process.end()

    @property
    def entries(self):
        payloads = [json.loads(fields[1]) for _, fields in
                    self.redis.client.call("XRANGE", "transcription_segments", "-", "+")]
        mine = [entry for entry in payloads if entry.get("meeting_id") == self.number]
        for entry in mine:
            wire.check_entry(entry)
        return mine

    @property
    def segments(self):
        """As a node keeps them: the last of each id, confirmed ones only, in the order of their times."""
        found = {}
        for entry in self.entries:
            for segment in entry.get("segments", []):
                if segment["completed"]:
                    found[segment["segment_id"]] = segment
        return sorted(found.values(), key=lambda segment: segment["start"])

    def wait_for_segments(self, count):
        def found():
            segments = self.segments
            return segments if len(segments) >= count else None
        return wait_for(found, f"{count} segments; {self.bot.log}", interval_s=0.1)

    def tell(self, command):
        channel = f"bot_commands:meeting:{self.number}"
        wait_for(lambda: self.redis.client.call("PUBLISH", channel, json.dumps(command)) == 1, "a bot that listens")


@pytest.fixture
def meet(servers, lab, redis, callbacks, speech):
    return lambda **config: Meeting(servers, lab, redis, callbacks, speech, **config)


@pytest.fixture
def until_whole(servers, lab, redis, callbacks):
    """Plays something with a meeting and a speech service; again with others if it fails where a page lost sound."""
    def run(play, **config):
        for turn in range(MOST_TIMES):
            speech = SpeechService(port=free_port())
            folder = os.path.join(servers.folder, f"turn{turn}")
            os.makedirs(folder)
            callbacks.received.clear()
            meeting = Meeting(servers, lab, redis, callbacks, speech, names=("Ana",), folder=folder, **config)
            lost_before = meeting.room.lost_s
            try:
                return play(meeting, speech)
            except AssertionError:
                if turn == MOST_TIMES - 1 or not meeting.room.has_lost(lost_before):
                    raise
                meeting.end()
            finally:
                speech.end()
    return run


def since_1970(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def heard_of_both(meeting, said):
    """Of what was said at these times, and not before."""
    def heard():
        found = [segment for segment in meeting.segments
                 if since_1970(segment["absolute_start_time"]) > said[segment["speaker"]] - LEAD_S]
        return found if {segment["speaker"] for segment in found} == set(said) else None
    return wait_for(heard, f"words of both; {meeting.bot.log}", interval_s=0.1)


def is_at_its_place(segment, said):
    start, end = since_1970(segment["absolute_start_time"]), since_1970(segment["absolute_end_time"])
    begin = said[segment["speaker"]] + LEAD_S
    # A quarter of a second of what was before, and a fifth of what comes after, belong to it.
    return abs(start + 0.25 - begin) < 0.5 and abs(end - 0.2 - (begin + TONE_S)) < 0.5


def test_each_voice_has_its_name_its_words_and_its_times(meet, speech):
    meeting = meet(transcriptionServiceToken="a-secret", transcriptionModel="small")
    for _ in range(MOST_TIMES):
        lost_before = meeting.room.lost_s
        said = {name: meeting.people[name].say() for name in ("Ana", "Ben")}
        segments = heard_of_both(meeting, said)
        if all(is_at_its_place(segment, said) for segment in segments) or not meeting.room.has_lost(lost_before):
            break
    assert {segment["speaker"]: segment["text"] for segment in segments} == {"Ana": "apple", "Ben": "cheese"}
    for segment in segments:
        assert is_at_its_place(segment, said), (segment, said)
        assert segment["language"] == "en" and segment["source"] == "audio"
    request = speech.requests[0]
    assert (request["path"], request["authorization"], request["model"]) == (speech.PATH, "Bearer a-secret", "small")
    assert "language" not in request
    meeting.bot.signal(signal.SIGTERM)
    assert meeting.bot.wait() == 0
    assert [entry["type"] for entry in meeting.entries][0] == "session_start"
    assert "a-secret" not in meeting.bot.log


def test_a_change_of_language_counts_for_the_next_words(until_whole):
    def play(meeting, speech):
        meeting.people["Ana"].say()
        assert [segment["language"] for segment in meeting.wait_for_segments(1)] == ["fr"]
        meeting.tell({"action": "reconfigure", "language": "es", "task": "translate"})
        wait_for(lambda: meeting.bot.said("Reconfigured"), "its taking the change")
        meeting.people["Ana"].say()
        assert [segment["language"] for segment in meeting.wait_for_segments(2)] == ["fr", "es"]
        assert [request["language"] for request in speech.requests][0] == "fr"
        assert (speech.requests[-1]["language"], speech.requests[-1]["path"]) == ("es", "/v1/audio/translations")
    until_whole(play, language="fr")


@pytest.mark.parametrize("answer", [
    (500, {}, b"down"), (429, {"Retry-After": "1"}, b""), (200, {}, b"nonsense"), (503, {}, b"{}"),
])
def test_a_service_in_trouble_is_asked_again(until_whole, answer):
    def play(meeting, speech):
        # Drafts, which are asked for once, are among them.
        speech.answer = lambda request: answer if len(speech.requests) <= 4 else None
        meeting.people["Ana"].say()
        assert [segment["text"] for segment in meeting.wait_for_segments(1)] == ["apple"]
        assert len(speech.requests) >= 5
    until_whole(play)


def test_a_service_that_is_gone_and_comes_back_gets_all_that_was_said(until_whole):
    def play(meeting, speech):
        speech.end()
        meeting.people["Ana"].say()
        wait_for(lambda: meeting.bot.said("The speech service does not answer"), "its asking in vain")
        meeting.people["Ana"].say()
        wait_until_said(meeting)
        with back(speech):
            assert [segment["text"] for segment in meeting.wait_for_segments(2)] == ["apple", "apple"]
            assert meeting.bot.says("The speech service answers again")
    until_whole(play)


def wait_until_said(meeting):
    said = meeting.room.wait_for("Ana", "in")["said"][-1]
    wait_for(lambda: time.time() > said["at"] + said["seconds"] + 1, "the end of what she says")


@contextlib.contextmanager
def back(speech):
    """Another service in the place of one that has ended."""
    service = SpeechService(port=speech.port)
    try:
        yield
    finally:
        service.end()


def say_while_away(meeting, speech, count):
    """Ana speaks so often while there is no service."""
    speech.end()
    for _ in range(count):
        meeting.people["Ana"].say()
        wait_until_said(meeting)


def waiting_files(pid):
    """Of files that have no name any more: their modes and sizes."""
    folder = f"/proc/{pid}/fd"
    paths = [f"{folder}/{each}" for each in os.listdir(folder)]
    found = [os.stat(path) for path in paths if os.readlink(path).endswith("/waiting-sound (deleted)")]
    return [(oct(each.st_mode & 0o777), each.st_size) for each in found]


def test_sound_waits_on_disk(until_whole):
    def play(meeting, speech):
        say_while_away(meeting, speech, 4)
        # Only the first, which is to be with the service, is in memory.
        [(mode, size)] = waiting_files(meeting.bot.pid)
        assert mode == "0o600" and size > 2 * TONE_S * 32_000
        with back(speech):
            assert [segment["text"] for segment in meeting.wait_for_segments(4)] == 4 * ["apple"]
            wait_for(lambda: waiting_files(meeting.bot.pid) == [("0o600", 0)], "its giving back the disk")
    until_whole(play)


def test_what_waits_beyond_the_bound_is_told_to_be_missing(until_whole):
    gap = "[Not transcribed: the speech service did not answer for too long.]"

    def play(meeting, speech):
        say_while_away(meeting, speech, 4)
        with back(speech):
            # The first one is with the service, and what came last waits.
            segments = meeting.wait_for_segments(4)
        assert [segment["text"] for segment in segments] == ["apple", gap, gap, "apple"]
        assert {segment["speaker"] for segment in segments} == {"Ana"}
        assert all(segment["end"] - segment["start"] > TONE_S for segment in segments)
    until_whole(play, settings={"ATTEND_WAITING_BYTES": int(2.5 * (TONE_S + 0.5) * 32_000)})


def test_a_change_while_somebody_speaks_loses_nothing(meet, speech):
    meeting = meet(names=("Ana",), language="fr")
    meeting.people["Ana"].say()
    meeting.tell({"action": "reconfigure", "language": "es"})
    [first] = meeting.wait_for_segments(1)
    meeting.people["Ana"].say()
    second = meeting.wait_for_segments(2)[-1]
    assert first["text"] == second["text"] == "apple" and second["language"] == "es"


def test_sound_that_the_service_fails_at_holds_up_no_other(meet, speech):
    # The faults begin with Ana's words, and never end for these.
    speech.answer = lambda request: (500, {}, b"") if speech.words(request)["text"].strip() in ("apple", "") else None
    meeting = meet()
    meeting.people["Ana"].say()
    wait_for(lambda: meeting.bot.said("The speech service does not answer"), "its asking in vain")
    meeting.people["Ben"].say()
    # Though hers may not have been given up yet, or have been by now.
    wait_for(lambda: [each for each in meeting.segments if (each["speaker"], each["text"]) == ("Ben", "cheese")],
             "Ben's words")
    gap, _ = meeting.wait_for_segments(2)
    assert gap["text"] == "[Not transcribed: the speech service failed at it: it answers 500.]"


def test_a_draft_that_is_never_answered_holds_up_no_words(until_whole):
    is_over = threading.Event()

    def play(meeting, speech):
        drafts = []

        def answer(request):
            # It has not all that she says, with the quarter of a second before.
            if len(request["samples"]) < (TONE_S + 0.2) * RATE and not drafts:
                drafts.append(request)
                is_over.wait(300)
        speech.answer = answer
        # She speaks for long enough that drafts come first, as a rule.
        for turn in range(MOST_TIMES):
            meeting.people["Ana"].say()
            assert [segment["text"] for segment in meeting.wait_for_segments(turn + 1)] == (turn + 1) * ["apple"]
            if drafts:
                break
        assert drafts and len(drafts[0]["samples"]) < len(speech.requests[-1]["samples"])
    try:
        until_whole(play)
    finally:
        is_over.set()


def test_a_service_that_does_not_know_the_long_form_is_asked_for_the_short_one(meet, speech):
    speech.answer = lambda request: (400, {}, b"") if request["response_format"] == "verbose_json" else None
    meeting = meet(names=("Ana",))
    meeting.people["Ana"].say()
    [segment] = meeting.wait_for_segments(1)
    assert (segment["text"], segment["language"]) == ("apple", None)


def test_what_the_service_refuses_is_told_to_be_missing(meet, speech):
    speech.answer = lambda request: (401, {}, b"")
    meeting = meet(names=("Ana",))
    meeting.people["Ana"].say()
    [segment] = meeting.wait_for_segments(1)
    assert segment["text"] == "[Not transcribed: the speech service refused it: it answers 401.]"
    assert segment["speaker"] == "Ana" and segment["end"] > segment["start"]


def test_what_is_not_transcribed_at_the_end_is_told_to_be_missing(servers, lab, redis, callbacks, speech):
    speech.answer = lambda request: (503, {}, b"")
    meeting = Meeting(servers, lab, redis, callbacks, speech, names=("Ana",), settings={"ATTEND_WORDS_MS": 500})
    meeting.people["Ana"].say()
    wait_for(lambda: meeting.bot.said("The speech service does not answer"), "its asking in vain")
    meeting.tell({"action": "leave"})
    assert meeting.bot.wait() == 0
    [segment] = meeting.segments
    assert "the bot left before" in segment["text"]


def test_without_transcription_nothing_is_sent(meet, speech, servers, lab, redis, callbacks):
    room = lab.room(random_meet_code(), "open")
    ana = servers.add(Speaker(servers.folder, room, "Ana", "ana.wav")).start()
    bot = servers.add(AttendingBot(servers.folder, redis.url, callbacks, lab.url, config={
        "nativeMeetingId": room.code, "transcriptionServiceUrl": speech.url, "transcribeEnabled": False})).start()
    bot.wait_for_status(callbacks, "active")
    ana.say()
    said = ana.room.wait_for("Ana", "in")["said"][0]
    wait_for(lambda: time.time() > said["at"] + said["seconds"], "the end of what she says")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0 and speech.requests == [] and not bot.said("Hears a voice")


@pytest.mark.parametrize("name", ["transcriptionServiceUrl", "recordingUploadUrl"])
@pytest.mark.parametrize("url", ["ftp://a.example/v1", "api.example.com", "https://", "http://a b/"])
def test_an_address_that_is_none_is_refused_at_the_start(servers, lab, redis, callbacks, name, url):
    bot = servers.add(AttendingBot(servers.folder, redis.url, callbacks, lab.url, config={name: url})).start()
    assert bot.wait() == 2
    assert f"{name} must " in bot.log and callbacks.reports == []


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_service_is_asked_by_tls_if_it_is_whom_it_says(servers, lab, redis, callbacks, tmp_path, is_trusted):
    certificates = Certificates(tmp_path)
    speech = SpeechService(certificate=certificates.own)
    settings = {"ATTEND_CERTIFICATES": certificates.authority} if is_trusted else {}
    meeting = Meeting(servers, lab, redis, callbacks, speech, names=("Ana",), settings=settings)
    meeting.people["Ana"].say()
    if is_trusted:
        assert [segment["text"] for segment in meeting.wait_for_segments(1)] == ["apple"]
    else:
        [line, *_] = wait_for(lambda: meeting.bot.said("The speech service does not answer"), "its refusal")
        assert "certificate" in line["reason"] and speech.requests == []
    speech.end()
