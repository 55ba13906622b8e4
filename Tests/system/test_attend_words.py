"""What two people really say, through WebRTC, Chromium, a bot, a runner, nodes and a real recogniser, is in the transcript."""

import datetime
import os
import sys
import time

import pytest

from harness.attending import Scene
from harness.node import REPOSITORY
from harness.process import Process
from harness.speech import Speaker
from harness.voices import SENTENCES, seconds, words, write_dialogue, wrong_words
from harness.waiting import wait_for


# How much lost sound explains words that are missing, and how often all is said again then.
LOST_S = 0.5
MOST_DIALOGUES = 4
LAST_WORDS_S = 600


class Recogniser(Process):
    """The lab's speech service, with Whisper's tiny English model. The browsers, which cannot wait, come first."""

    def __init__(self, folder):
        program = os.path.join(REPOSITORY, "Tests", "lab", "speech.py")
        super().__init__("recogniser", ["nice", "-n", "10", sys.executable, program, "--port", "0"],
                         {"OMP_NUM_THREADS": "1"}, folder)

    def start(self):
        self.spawn()
        self.url = wait_for(lambda: self.output.strip(), f"the start of the recogniser\n{self.log}", deadline_s=180)
        return self


def since_1970(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def hold_dialogue(scene, meeting, people, folder):
    """Has all speak, and waits for their last words. What is written of each, and how much sound was lost meanwhile."""
    lost_before = scene.room.lost_s
    starts = {person.name: person.say() for person in people}
    ends = {name: start + seconds(os.path.join(folder, f"{name.lower()}.wav")) for name, start in starts.items()}

    def segments(name):
        # Those of an earlier dialogue are over by then.
        return [segment for segment in scene.segments(meeting)
                if segment["speaker"] == name and since_1970(segment["absolute_start_time"]) > starts[name] - 0.5]

    def is_whole(name):
        # A clip ends with a bit of silence.
        return any(since_1970(segment["absolute_end_time"]) > ends[name] - 1.5 for segment in segments(name))

    # A recogniser on a busy machine takes its time; words that were lost never come.
    deadline = time.monotonic() + LAST_WORDS_S
    while not all(is_whole(name) for name in ends) and time.monotonic() < deadline:
        time.sleep(0.5)
    written = {name: " ".join(segment["text"] for segment in segments(name)) for name in ends}
    return written, scene.room.lost_s - lost_before


def test_a_meeting_of_two_is_written_down(servers):
    recogniser = servers.add(Recogniser(servers.folder)).start()
    scene = Scene(servers, recogniser.url)
    said = write_dialogue(servers.folder)
    people = [servers.add(Speaker(servers.folder, scene.room, name, f"{name.lower()}.wav")).start() for name in said]
    meeting = scene.attend()
    wait_for(lambda: len([person for person in scene.room.people if person["state"] == "in"]) == 3, "three in the room")
    total = len(words(" ".join(SENTENCES)))
    # Sound is brought as it is said, by three browsers. On a machine that has no time for them some of it never reaches the
    # bot, as their pages tell; then all is said again.
    for _ in range(MOST_DIALOGUES):
        found, lost = hold_dialogue(scene, meeting, people, servers.folder)
        wrong = sum(wrong_words(" ".join(sentences), found[name]) for name, sentences in said.items())
        if wrong <= 0.05 * total or lost < LOST_S:
            break
    assert wrong <= 0.05 * total, f"{wrong} of {total} words are wrong, {lost:.1f} s of sound were lost: {found}"
    assert {speaker for speaker, _ in scene.texts(meeting)} == set(said)


@pytest.mark.parametrize("said, written, wrong", [
    ("Good morning", "good morning!", 0), ("twelve percent", "12%", 0), ("one two three", "one three", 1),
    ("one two", "one too two", 1), ("one two", "one four", 1), ("", "a b", 2), ("a b", "", 2),
])
def test_wrong_words_are_counted(said, written, wrong):
    assert wrong_words(said, written) == wrong
