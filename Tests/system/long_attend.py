"""A long stay in a room: `make attend-test MINUTES=60`. What a bot takes stays as it was, and its clock goes right."""

import os
import time

import pytest

from harness.lab import Lab
from harness.process import session_members
from harness.speech import SpeechService, write_tones
from test_attend_speech import LEAD_S, TONE_S, Meeting, since_1970

MINUTES = float(os.environ.get("MINUTES", "60"))
BEAT_S = 15
# What is said is right within so much; a quarter of a second of what was before belongs to it.
RIGHT_S = 0.5
BEFORE_S = 0.25


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


def test_a_long_stay(meeting):
    said, memory = [], []
    end = time.monotonic() + MINUTES * 60
    while time.monotonic() < end:
        beat = time.monotonic() + BEAT_S
        said.append(meeting.people["Ana"].say())
        meeting.wait_for_segments(len(said))
        memory.append(memory_mib(meeting.bot.pid))
        # Not to wait for anything: this is how often somebody speaks.
        time.sleep(max(0, beat - time.monotonic()))
    segments = meeting.segments
    late = [since_1970(segment["absolute_start_time"]) + BEFORE_S - at - LEAD_S for segment, at in zip(segments, said)]
    fifth = max(1, len(memory) // 5)
    # The first fifth is for what grows to its size once.
    before, after = mean(memory[fifth:2 * fifth] or memory), mean(memory[-fifth:])
    print(f"{len(said)} utterances in {MINUTES:g} minutes; at first {late[0]:.2f} s late, at last {late[-1]:.2f} s, at most "
          f"{max(map(abs, late)):.2f} s; memory {before:.0f} MiB, at last {after:.0f} MiB")
    assert len(segments) == len(said) and all(segment["text"] == "apple" for segment in segments)
    assert abs(late[-1]) < RIGHT_S, late
    assert after < 1.1 * before + 10, memory
