#!/usr/bin/env python3
"""What a bot that attends takes, beside 2, 4 and 8 others who each send a voice and a moving picture of 640 by 360; how
long it takes from a request until it asks to join; and from the last word until nodes show its confirmed segment. All of
it in the lab, on this machine, whose other load counts too: `make attend-bench`.

The others of the first part are in browsers of the bench's own. The speech service answers at once: what a real one needs for
an utterance comes on top.
"""

import argparse
import os
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TESTS, "system")]

from conftest import Servers  # noqa: E402
from harness.attending import Scene  # noqa: E402
from harness.lab import AttendingBot, Lab  # noqa: E402
from harness.process import Process, session_members  # noqa: E402
from harness.simulated_bot import Callbacks  # noqa: E402
from harness.speech import CHROMIUM, FLAGS, Speaker, SpeechService, write_tones  # noqa: E402
from harness.waiting import wait_for  # noqa: E402
from harness.workspace import random_meet_code  # noqa: E402

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Until a browser has grown to its size.
SETTLE_S = 20
LEAD_S, TONE_S = 0.3, 1.5


class Crowd(Process):
    """People in a room, in one browser."""

    def __init__(self, folder, room, count):
        names = ",".join(f"P{number}" for number in range(1, count + 1))
        page = f"{room.lab.url}/files/crowd.html?room={room.code}&names={names}"
        super().__init__(f"crowd of {count}", [
            CHROMIUM, f"--user-data-dir={folder}/profile of {count}", *FLAGS, "--disable-renderer-backgrounding",
            "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", page],
            {"HOME": folder}, folder)


def processor_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_A_SECOND


def mebibytes(pids, kind):
    """Each page of memory once: of all kinds (`Pss`), or of one."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith(f"{kind}:"))
    return total / 1024


def measure_bot(count, seconds):
    """(MiB, MiB without files that other bots share, processors) of a bot and its browser beside so many others."""
    servers, speech = Servers(), SpeechService()
    try:
        redis, callbacks = servers.redis(), Callbacks()
        lab = servers.add(Lab(servers.folder, sounds=os.path.join(TESTS, "lab"))).start()
        room = lab.room(random_meet_code(), "open")
        servers.add(Crowd(servers.folder, room, count)).spawn()
        wait_for(lambda: len(room.people) == count, f"{count} people", interval_s=0.1)
        bot = servers.add(AttendingBot(servers.folder, redis.url, callbacks, lab.url, number=count, config={
            "nativeMeetingId": room.code, "transcriptionServiceUrl": speech.url})).start()
        wait_for(lambda: len(bot.said("Hears a voice")) == count, "its hearing all of them", interval_s=0.1)
        time.sleep(SETTLE_S)
        pids = [bot.pid, *(pid for pid in session_members(bot.pid) if pid != bot.pid)]
        before, began = processor_seconds(pids), time.monotonic()
        time.sleep(seconds)
        processors = (processor_seconds(pids) - before) / (time.monotonic() - began)
        return mebibytes(pids, "Pss"), mebibytes(pids, "Pss_Anon") + mebibytes(pids, "Pss_Shmem"), processors
    finally:
        speech.end()
        servers.end()


def measure_times(times):
    """Two lists of seconds: until it asks, and until the segment is there."""
    servers, speech = Servers(), SpeechService()
    try:
        write_tones(os.path.join(servers.folder, "ana.wav"), (None, LEAD_S), (330, TONE_S), (None, 1.0))
        scene = Scene(servers, speech.url, BOT_OUTPUT="show")
        asked = [until_it_asks(scene) for _ in range(times)]
        meeting = scene.attend()
        ana = servers.add(Speaker(servers.folder, scene.room, "Ana", "ana.wav")).start()
        wait_for(lambda: scene.runner.said("Hears a voice"), "its hearing her", interval_s=0.1)
        return asked, [until_it_is_written(scene, meeting, ana, number) for number in range(1, times + 1)]
    finally:
        speech.end()
        servers.end()


def until_it_asks(scene):
    room = scene.lab.room(random_meet_code())
    began = time.time()
    meeting = scene.user.send_bot(room.code)
    asked = room.wait_for("Usher", "asking")["asked_at"] - began
    scene.user.request("DELETE", scene.user.bot_path(meeting))
    scene.user.wait_for_status(meeting, "completed")
    return asked


def until_it_is_written(scene, meeting, ana, number):
    last_word = ana.say() + LEAD_S + TONE_S
    wait_for(lambda: len(scene.segments(meeting)) >= number, f"segment {number}", interval_s=0.02)
    return time.time() - last_word


def percentiles(values):
    values = sorted(values)
    return values[len(values) // 2], values[min(len(values) - 1, len(values) * 99 // 100)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[2, 4, 8], help="beside how many others (at most 8 each)")
    parser.add_argument("--seconds", type=float, default=30, help="for how long each is watched")
    parser.add_argument("--times", type=int, default=20, help="how many bots ask, and how often somebody speaks")
    arguments = parser.parse_args()
    for count in arguments.people:
        memory, own, processors = measure_bot(count, arguments.seconds)
        print(f"beside {count}: {memory:.0f} MiB, {own:.0f} of them its own, {processors:.2f} processors, "
              f"{1 / processors:.1f} bots a core; load {os.getloadavg()[0]:.1f}", flush=True)
    if arguments.times:
        of_what = ("request to \"asked to join\"", "last word to confirmed segment")
        for what, values in zip(of_what, measure_times(arguments.times)):
            p50, p99 = percentiles(values)
            print(f"{what}: p50 {p50:.2f} s, p99 {p99:.2f} s, of {len(values)}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
