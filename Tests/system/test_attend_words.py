"""What two people really say, through WebRTC, Chromium, a bot, a runner, nodes and a real recogniser, is in the transcript."""

import datetime
import os
import sys

import pytest

from harness.attending import Scene
from harness.node import REPOSITORY
from harness.process import Process
from harness.speech import Speaker
from harness.voices import SENTENCES, seconds, words, write_dialogue, wrong_words
from harness.waiting import wait_for


class Recogniser(Process):
    """The lab's speech service, with Whisper's tiny English model."""

    def __init__(self, folder):
        program = os.path.join(REPOSITORY, "Tests", "lab", "speech.py")
        super().__init__("recogniser", [sys.executable, program, "--port", "0"], {"OMP_NUM_THREADS": "1"}, folder)

    def start(self):
        self.spawn()
        self.url = wait_for(lambda: self.output.strip(), f"the start of the recogniser\n{self.log}", deadline_s=180)
        return self


def since_1970(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def test_a_meeting_of_two_is_written_down(servers):
    recogniser = servers.add(Recogniser(servers.folder)).start()
    scene = Scene(servers, recogniser.url)
    said = write_dialogue(servers.folder)
    people = [servers.add(Speaker(servers.folder, scene.room, name, f"{name.lower()}.wav")).start() for name in said]
    meeting = scene.attend()
    wait_for(lambda: len([person for person in scene.room.people if person["state"] == "in"]) == 3, "three in the room")
    ends = {}
    for person in people:
        ends[person.name] = person.say() + seconds(os.path.join(servers.folder, f"{person.name.lower()}.wav"))

    def written():
        texts = scene.texts(meeting)
        return {name: " ".join(text for speaker, text in texts if speaker == name) for name in said}

    def is_whole(name):
        # A clip ends with a bit of silence.
        return any(segment["speaker"] == name and since_1970(segment["absolute_end_time"]) > ends[name] - 1.5
                   for segment in scene.segments(meeting))

    # A recogniser on a busy machine takes its time.
    wait_for(lambda: all(is_whole(name) for name in said), "the last words of both", deadline_s=300, interval_s=0.5)
    found = written()
    assert {speaker for speaker, _ in scene.texts(meeting)} == set(said)
    wrong = sum(wrong_words(" ".join(sentences), found[name]) for name, sentences in said.items())
    total = len(words(" ".join(SENTENCES)))
    assert wrong <= 0.05 * total, f"{wrong} of {total} words are wrong: {found}"


@pytest.mark.parametrize("said, written, wrong", [
    ("Good morning", "good morning!", 0), ("twelve percent", "12%", 0), ("one two three", "one three", 1),
    ("one two", "one too two", 1), ("one two", "one four", 1), ("", "a b", 2), ("a b", "", 2),
])
def test_wrong_words_are_counted(said, written, wrong):
    assert wrong_words(said, written) == wrong
