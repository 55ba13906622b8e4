"""From an accepted request to the bot's process: the time between the dispatch, as the record has it by Redis' clock,
and what the process notes of its own start. Both are the machine's clock."""

import dataclasses
import http.client
import os
import shutil
import subprocess
import threading
import time

from bot_records import BotRequests, write_seed
from processes import BenchError, RedisConnection, Runner, processor_seconds, wait_until

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "note_start.c")
RATE = 100
# A request that takes longer than its share of a second does not hold the next one up.
SENDERS = 8
CAPACITY = 10_000
MOST_SECONDS_UNTIL_STARTED = 60


@dataclasses.dataclass
class Launches:
    """Times in milliseconds."""

    count: int
    # What was asked for, and reached, each second.
    rate: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    # Processor time a bot of the runner alone, without that of the supervisors.
    runner_us: float
    problems: list[str]


def compile_bot(folder):
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        raise BenchError("a C compiler is missing")
    program = os.path.join(folder, "note_start")
    subprocess.run([compiler, "-O2", "-static", "-o", program, SOURCE], check=True)
    return program


def measure(binary, folder, redis, node, options):
    count = RATE * options.launch_seconds
    requests = BotRequests(count, f"{folder}/launches.requests")
    write_seed(f"{folder}/launches.resp", requests.owners, [])
    redis.load(f"{folder}/launches.resp")
    notes = f"{folder}/starts"
    launch = f"{compile_bot(folder)} {notes} {{bot_id}}"
    with Runner(binary, folder, redis, node, CAPACITY, launch) as runner:
        runner.wait_ready()
        # The first of all pays for what is read from the disk, and tells that the runner is at work.
        send(node, requests, [0], time.monotonic(), statuses := [])
        wait_until(lambda: len(read_notes(notes)) == 1, "the start of the first bot")
        before = processor_seconds(runner.pid)
        began = time.monotonic()
        senders = [
            threading.Thread(target=send, args=(node, requests, range(first, count, SENDERS), began, statuses))
            for first in range(1, SENDERS + 1)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        rate = (count - 1) / (time.monotonic() - began)
        problems = []
        accepted = statuses.count(201)
        if accepted != count:
            problems.append(f"launches: {accepted} of {count} requests were accepted")
        try:
            wait_until(lambda: len(read_notes(notes)) >= accepted, "the start of all bots", MOST_SECONDS_UNTIL_STARTED)
        except BenchError as error:
            problems.append(f"launches: {error}")
        seconds = processor_seconds(runner.pid) - before
        starts = read_notes(notes)
        if len(starts) != accepted or len(dict(starts)) != accepted:
            problems.append(f"launches: {accepted} accepted, {len(starts)} starts of {len(dict(starts))} bots")
        waits = sorted(_waits(redis, starts[1:]))
    if not waits:
        raise BenchError("no bot was started")
    return Launches(
        count, rate, waits[len(waits) // 2], waits[min(len(waits) - 1, len(waits) * 99 // 100)], waits[-1],
        seconds / len(waits) * 1e6, problems)


def send(node, requests, numbers, began, statuses, rate=RATE):
    """Sends each request at its time, or as soon as the one before it has been answered."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
    try:
        for number in numbers:
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            head, body = requests.request(number).split("\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
            connection.request("POST", "/bots", body, headers)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
    except OSError as error:
        statuses.append(str(error))
    finally:
        connection.close()


def read_notes(path):
    """The bots that have noted their start: id, and the time in milliseconds since 1970."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as notes:
        lines = [line.split() for line in notes if line.endswith("\n")]
    return [(bot, int(micros) / 1000) for bot, micros in lines]


def _waits(redis, starts):
    with RedisConnection(redis) as connection:
        for bot, started_at in starts:
            dispatched_at = connection.ask("HGET", f"usher:{{p{bot[-1]}}}:bot:{bot}", "dispatched_at")
            yield started_at - float(dispatched_at)
