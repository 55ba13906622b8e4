"""A long stay in a room: `make attend-test MINUTES=60`. What a bot takes stays as it was, and its clock goes right."""

import os
import time

import pytest

from harness.lab import Lab
from harness.process import session_members
from harness.speech import SpeechService, write_tones
from harness.waiting import wait_for
from test_attend_speech import LEAD_S, TONE_S, Meeting, since_1970

MINUTES = float(os.environ.get("MINUTES", "60"))
BEAT_S = 15
# What is said is right within so much; a quarter of a second of what was before belongs to it.
RIGHT_S = 0.5
BEFORE_S = 0.25
# So much sound that a page did not get tears what is said in two.
LOST_S = 0.5


@pytest.fixture
def meeting(servers, callbacks):
    write_tones(os.path.join(servers.folder, "ana.wav"), (None, LEAD_S), (330, TONE_S), (None, 1.0))
    lab = servers.add(Lab(servers.folder, sounds=servers.folder)).start()
    speech = SpeechService()
    recording = os.path.join(servers.folder, "w", "m", "b.wav")
    yield Meeting(servers, lab, servers.redis(), callbacks, speech, names=("Ana",), recordingEnabled=True,
                  settings={"ATTEND_LONGEST_MS": 86_400_000, "BOT_RECORDING": recording})
    speech.end()


def memory_mib(process):
    """What a bot and its browser take, each page of memory once."""
    total = 0
    for pid in [process] + session_members(process):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            continue  # It ended meanwhile.
    return total / 1024


def mean(values):
    return sum(values) / len(values)


def late(segment, at):
    """How long after it was said, in seconds, by the transcript; negative if before."""
    return since_1970(segment["absolute_start_time"]) + BEFORE_S - at - LEAD_S


def pieces(segments, at):
    """What is written of what was said then."""
    return [segment for segment in segments if -RIGHT_S < late(segment, at) < BEAT_S - RIGHT_S]


def lost_s(room):
    """How much sound the bot's page did not get until now, since the machine was too busy to bring it."""
    return next(person["lost_s"] for person in room.people if person["name"] != "Ana")


def test_a_long_stay(meeting):
    said, lost, memory = [], [lost_s(meeting.room)], []
    end = time.monotonic() + MINUTES * 60
    while time.monotonic() < end:
        beat = time.monotonic() + BEAT_S
        said.append(meeting.people["Ana"].say())
        wait_for(lambda: pieces(meeting.segments, said[-1]), f"the words of utterance {len(said)}", interval_s=0.5)
        memory.append(memory_mib(meeting.bot.pid))
        # Not to wait for anything: this is how often somebody speaks.
        time.sleep(max(0, beat - time.monotonic()))
        lost.append(lost_s(meeting.room))
    segments = meeting.segments
    written = [pieces(segments, at) for at in said]
    lates = [late(found[0], at) for found, at in zip(written, said)]
    torn = [number for number, found in enumerate(written) if len(found) > 1]
    fifth = max(1, len(memory) // 5)
    # The first fifth is for what grows to its size once.
    before, after = mean(memory[fifth:2 * fifth] or memory), mean(memory[-fifth:])
    print(f"{len(said)} utterances in {MINUTES:g} minutes; at first {lates[0]:.2f} s late, at last {lates[-1]:.2f} s, at most "
          f"{max(map(abs, lates)):.2f} s; {len(torn)} torn, as {lost[-1] - lost[0]:.1f} s of sound were lost on the way; memory "
          f"{before:.0f} MiB, at last {after:.0f} MiB")
    assert sum(map(len, written)) == len(segments) and all(segment["text"] == "apple" for segment in segments)
    assert [number for number in torn if lost[number + 1] - lost[number] < LOST_S] == []
    assert abs(lates[-1]) < RIGHT_S, lates
    assert after < 1.1 * before + 10, memory
