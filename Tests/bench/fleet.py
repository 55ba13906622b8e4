"""Thousands of running bots on one Redis, and on three: what their leases, reports and words cost, and what a client feels
meanwhile; then a thousand dispatches within a second. No bot is a process: see `load_runner`.
"""

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import launches
import neighbours
from bot_records import BotRequests, RunningBot, workspaces, write_seed
from clusters import PRIMARIES, Cluster, OneRedis
from load_runner import RENEWAL_S
from processes import BenchError, Node, machine_busy_seconds, processor_seconds, resident_bytes, wait_until
from records import PARTITIONS, resp

SIZES = [1_000, 10_000, 50_000]
BOTS_A_WORKSPACE = 100
BURST = 1_000
SENDERS = 16
# Each lease is renewed three times meanwhile.
SECONDS = 3 * RENEWAL_S


@dataclasses.dataclass
class Fleet:
    """What so many bots came to. Processors that were busy, on average; bytes; times in ms."""

    bots: int
    primaries: int
    redis: float
    node: float
    load: float
    idle: float
    redis_bytes: int
    node_bytes: int
    waits: neighbours.Waits
    beside_burst: neighbours.Waits
    accepted_s: float
    claims_ms: list
    done: dict
    problems: list


def measure(binary, folder, options, say):
    measured = []
    for size, primaries in [(size, 1) for size in SIZES] + [(max(SIZES), PRIMARIES)]:
        measured.append(fleet(size, primaries, binary, f"{folder}/fleet-{size}-{primaries}", options))
        say(f"{name(measured[-1])}: {'; '.join(measured[-1].problems) or 'all leases kept'}")
    return measured


def name(entry):
    return f"{entry.bots:,} bots" + (f", {entry.primaries} primaries" if entry.primaries > 1 else "")


def fleet(size, primaries, binary, folder, options):
    # The last one is the quiet tenant, whose waits are looked at.
    *owners, quiet = workspaces(size // BOTS_A_WORKSPACE + 1, seed=3)
    bots = [RunningBot(owners[number % len(owners)], number) for number in range(1, size + 1)]
    bots.append(RunningBot(quiet, size + 1))
    os.makedirs(folder)
    burst = BotRequests(BURST, f"{folder}/burst.requests")
    seed = f"{folder}/fleet.resp"
    write_seed(seed, owners + [quiet] + burst.owners, bots)
    with open(seed, "a", encoding="ascii", newline="") as more:
        more.write(resp("SET", "usher:seq:meeting", str(size + 1)))
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(
            OneRedis(f"{folder}/one", options.aof) if primaries == 1
            else Cluster(f"{folder}/cluster", options.aof, primaries))
        redis.wait_ready()
        redis.load(seed)
        node = stack.enter_context(Node(binary, folder, redis, options.loops))
        node.wait_ready()
        servers = [redis] if primaries == 1 else redis.members
        runner = stack.enter_context(LoadRunner(servers, node, owners, size))
        meter = Meter(redis, node, runner)
        waits = neighbours.waits(node, quiet, SECONDS)
        busy = meter.busy()
        began = time.time()
        sent = []
        sender = threading.Thread(target=lambda: sent.append(send(node, burst)))
        sender.start()
        beside = neighbours.waits(node, quiet, 5)
        sender.join()
        wait_until(lambda: waiting(redis, primaries) == 0, "the claim of all dispatches", 60)
        redis_bytes = sum(memory(server) for server in servers)
        done = runner.end()
        statuses, accepted_s = sent[0]
        claims = sorted(at - began * 1000 for at in done.pop("claims"))
        return Fleet(
            size, primaries, *busy, redis_bytes, resident_bytes(node.pid), waits, beside, accepted_s, claims, done,
            problems_of(done, statuses, claims, waits))


def problems_of(done, statuses, claims, waits):
    found = []
    if done["refused"]:
        found.append(f"{done['refused']} leases were refused")
    if done["failed"]:
        found.append(f"{done['failed']} requests of bots failed")
    if statuses.count(201) != BURST:
        found.append(f"{statuses.count(201)} of {BURST} dispatches were accepted")
    if len(claims) < BURST:
        found.append(f"{len(claims)} of {BURST} dispatches were claimed")
    if done["latest_s"] > RENEWAL_S:
        found.append(f"the load runner was {done['latest_s']:.1f} s late: no lease tells anything then")
    if waits.refused:
        found.append(f"the quiet tenant was refused: {neighbours.told(waits.refused)}")
    return found


def send(node, requests):
    """Sends all requests within a second, or as fast as they are answered. Returns the statuses, and how long it took."""
    statuses, began = [], time.monotonic()
    senders = [
        threading.Thread(target=launches.send, args=(node, requests, range(first, BURST, SENDERS), began, statuses, BURST))
        for first in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return statuses, time.monotonic() - began


def waiting(redis, primaries):
    """How many dispatches wait to be claimed."""
    streams = [f"usher:{{p{number:x}}}:dispatch" for number in PARTITIONS]
    servers = [redis if primaries == 1 else redis.owner(stream) for stream in streams]
    return sum(int(server.command("XLEN", stream)) for server, stream in zip(servers, streams))


def memory(server):
    about = dict(line.partition(":")[::2] for line in server.command("INFO", "memory").splitlines())
    return int(about["used_memory"])


class LoadRunner:
    """The process that stands for all bots."""

    def __init__(self, servers, node, owners, bots):
        self._task = {
            "redis": [server.socket_path for server in servers], "port": node.port, "bots": bots,
            "workspaces": [[owner.id, owner.key] for owner in owners]}

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), "load_runner.py")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(json.dumps(self._task) + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "ready\n":
            raise BenchError("the load runner did not begin")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def end(self):
        """What it did."""
        self.process.stdin.close()
        text = self.process.stdout.read()
        if self.process.wait() != 0:
            raise BenchError("the load runner failed")
        return json.loads(text)


class Meter:
    """Processors that were busy from now on, on average: with Redis, the node, the load runner; and with nothing."""

    def __init__(self, redis, node, runner):
        self._read = lambda: (
            redis.processor_seconds(), processor_seconds(node.pid), processor_seconds(runner.process.pid),
            machine_busy_seconds(), time.monotonic())
        self._before = self._read()

    def busy(self):
        *seconds, machine, wall = (end - start for start, end in zip(self._before, self._read()))
        return [each / wall for each in seconds] + [max(0.0, os.cpu_count() - machine / wall)]


def rows(measured):
    table = [("running", "Redis", "node", "load", "idle", "Redis MB", "node MB", "p50 ms", "p99 ms", "longest ms",
              f"{BURST:,} accepted s", "claimed p50 ms", "p99 ms", "beside: p99 ms")]
    for entry in measured:
        claims = entry.claims_ms or [0.0]
        table.append((
            name(entry), *(f"{each:.2f}" for each in (entry.redis, entry.node, entry.load, entry.idle)),
            f"{entry.redis_bytes / 1e6:.0f}", f"{entry.node_bytes / 1e6:.0f}", f"{entry.waits.p50_ms:.2f}",
            f"{entry.waits.p99_ms:.2f}", f"{entry.waits.longest_ms:.1f}", f"{entry.accepted_s:.2f}",
            f"{statistics.median(claims):.0f}", f"{claims[len(claims) * 99 // 100]:.0f}",
            f"{entry.beside_burst.p99_ms:.2f}"))
    return table
