"""Webhooks: from a change that is recorded to the request that tells it, at a steady rate; how many a node sends; what those
that are dead do to the others; and what a dispatch costs whose workspace has one.

Changes are written into the outbox as `includes/events.lua` does. The receiver is a process of its own that reads as little
as it can; how much of a processor it takes is told, since it is the bench's own cost.
"""

import asyncio
import contextlib
import datetime
import dataclasses
import multiprocessing
import re
import statistics
import time

import load
from bot_records import Workspace, workspaces
from processes import Node, RedisConnection, processor_seconds, wait_until
from records import CREATED_AT_MS, DispatchRequests, native_id, resp

RATES = (100, 1_000)
OWNERS, BACKLOG = 100, 20_000
MANY, MANY_RATE, MANY_S = 1_000, 200, 20
REQUESTS_A_SECOND = 20_000
ALLOWED = {"USHER_WEBHOOK_ALLOW": "127.0.0.1"}
CREATED_AT = re.compile(rb'"created_at":"([^"]+)"')


@dataclasses.dataclass
class Pace:
    """Times in ms. `told` of so many as were recorded."""
    name: str
    recorded: int
    told: int
    p50_ms: float
    p99_ms: float
    node_us: float
    redis_us: float
    receiver_us: float


@dataclasses.dataclass
class Hooks:
    paces: list
    a_second: float
    backlog_us: tuple
    costs: list


class Receiver:
    """Takes what comes to `/quick`, and never answers what comes to `/dead`."""

    def __init__(self):
        self._pipe, own = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_receive, args=(own,), daemon=True)
        self._process.start()
        self.pid, self.port = self._process.pid, self._pipe.recv()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.join()

    def count(self):
        self._pipe.send("count")
        return self._pipe.recv()

    def take(self):
        """How long each took, in ms, since the last time that this was asked."""
        self._pipe.send("take")
        return sorted(self._pipe.recv())


class _Connection(asyncio.Protocol):
    taken = []

    def connection_made(self, transport):
        self._transport, self._data = transport, b""

    def data_received(self, data):
        self._data += data
        while True:
            head, end, body = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            if len(body) < length:
                return
            self._data = body[length:]
            if head.startswith(b"POST /quick"):
                self.taken.append((time.time(), CREATED_AT.search(body)[1]))
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def _receive(pipe):
    def told():
        if pipe.recv() == "count":
            pipe.send(len(_Connection.taken))
            return
        pipe.send([(at - datetime.datetime.fromisoformat(began.decode()).timestamp()) * 1e3
                   for at, began in _Connection.taken])
        _Connection.taken.clear()

    async def serve():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=4096)
        loop.add_reader(pipe.fileno(), told)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()
    asyncio.run(serve())


def webhook(owner, number, url, is_enabled=True):
    """What `create_webhook` leaves behind."""
    known, place = f"wh_{number:032x}", f"{owner.prefix}:ws:{owner.id}"
    return "".join([
        resp("HSET", f"{place}:webhook:{known}", "id", known, "created_at", CREATED_AT_MS, "updated_at", CREATED_AT_MS,
             "url", url, "events", "*", "secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "enabled", str(int(is_enabled))),
        resp("ZADD", f"{place}:webhooks", CREATED_AT_MS, known)])


def change(owner, number, at_ms):
    """A bot that is on its way, as it is recorded then."""
    room, at = native_id(number), str(at_ms)
    return resp(
        "XADD", f"{owner.prefix}:outbox", "*", "meeting_id", f"{number:032x}", "bot_id", f"{number:032x}", "what", "joining",
        "from", "INITIAL/requested", "to", "INITIAL/joining", "why", "bot", "at", at, "traceparent", "", "sequence", "2",
        "workspace_id", owner.id, "number", str(number), "platform", "google_meet", "native_meeting_id", room, "meeting_url",
        f"https://meet.google.com/{room}", "created_at", CREATED_AT_MS, "updated_at", at, "dispatched_at", CREATED_AT_MS,
        "bot_name", "Bench", "language", "en")


def now_ms():
    return time.time_ns() // 1_000_000


def measure(binary, folder, redis, options, say):
    with Receiver() as receiver:
        quick, dead = (f"http://127.0.0.1:{receiver.port}/{path}" for path in ("quick", "dead"))
        paces = []
        with fresh(binary, folder, redis, options, [quick] * OWNERS) as (node, owners):
            for rate in RATES:
                say(f"webhooks: {rate:,} a second")
                paces.append(pace(f"{rate:,} a second, of {OWNERS}", owners, rate, options.seconds, node, redis, receiver))
            say("webhooks: a backlog")
            a_second, backlog_us = backlog(owners, node, redis, receiver)
        for name, urls in ((f"{MANY_RATE} a second, of {MANY:,}", [quick] * MANY),
                           ("the same, every second one dead", [quick, dead] * (MANY // 2))):
            say(f"webhooks: {name}")
            with fresh(binary, folder, redis, options, urls) as (node, owners):
                paces.append(pace(name, owners, MANY_RATE, max(MANY_S, options.seconds), node, redis, receiver,
                                  share=urls.count(quick) / len(urls)))
    say("webhooks: dispatches")
    return Hooks(paces, a_second, backlog_us, costs(binary, folder, redis, options))


@contextlib.contextmanager
def fresh(binary, folder, redis, options, urls):
    """A node, and a workspace with a webhook for each address."""
    owners = workspaces(len(urls))
    with open(f"{folder}/hooks.resp", "w", encoding="ascii", newline="") as commands:
        commands.writelines(owner.commands() for owner in owners)
        commands.writelines(webhook(owner, number, url) for number, (owner, url) in enumerate(zip(owners, urls)))
    redis.load(f"{folder}/hooks.resp")
    with Node(binary, folder, redis, options.loops, environment=ALLOWED) as node:
        node.wait_ready()
        yield node, owners
        node.require_alive()


def costs_of(node, redis, receiver):
    return [processor_seconds(node.pid), redis.processor_seconds(), processor_seconds(receiver.pid)]


def pace(name, owners, rate, seconds, node, redis, receiver, share=1.0):
    """Records so many changes a second; `share` of them are to be told."""
    receiver.take()
    before, count = costs_of(node, redis, receiver), rate * seconds
    with RedisConnection(redis) as connection:
        begin = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))
            connection.socket.sendall(change(owners[number % len(owners)], number, now_ms()).encode())
            connection.replies.readline()
            connection.replies.readline()
    told = int(count * share)
    wait_until(lambda: receiver.count() >= told, f"the telling of {told:,} changes", 120)
    after = costs_of(node, redis, receiver)
    times = receiver.take()
    return Pace(name, count, len(times), times[len(times) // 2], times[len(times) * 99 // 100],
                *((now - then) * 1e6 / count for now, then in zip(after, before)))


def backlog(owners, node, redis, receiver):
    """How many a second are told of those that were recorded at once; and what each costs, in µs."""
    receiver.take()
    before, begun = costs_of(node, redis, receiver), time.monotonic()
    with RedisConnection(redis) as connection:
        at_ms = now_ms()
        for first in range(0, BACKLOG, 1_000):
            connection.socket.sendall("".join(
                change(owners[number % len(owners)], number, at_ms) for number in range(first, first + 1_000)).encode())
            for _ in range(2_000):
                connection.replies.readline()
    wait_until(lambda: receiver.count() >= BACKLOG, f"the telling of {BACKLOG:,} changes", 300)
    lasted = time.monotonic() - begun
    return BACKLOG / lasted, tuple(
        (now - then) * 1e6 / BACKLOG for now, then in zip(costs_of(node, redis, receiver), before))


def costs(binary, folder, redis, options):
    """For each round the processor time of node and Redis a dispatch, in µs: without webhooks, and with one in each workspace,
    which is disabled: then changes are recorded, and told to nobody."""
    seed, requests_path, hooks = f"{folder}/hook-seed.resp", f"{folder}/hook-requests", f"{folder}/hook-hooks.resp"
    requests = DispatchRequests(REQUESTS_A_SECOND * options.seconds, seed, requests_path)
    with open(hooks, "w", encoding="ascii", newline="") as commands:
        commands.writelines(
            webhook(Workspace(*owner), number, "http://127.0.0.1:9/", False)
            for number, owner in enumerate(requests.owners))
    found = []
    with Node(binary, folder, redis, options.loops) as node:
        node.wait_ready()
        for number in range(options.rounds):
            both = {}
            for has_hooks in ((False, True) if number % 2 == 0 else (True, False)):
                redis.load(seed)
                if has_hooks:
                    redis.feed(hooks)
                phase = load.dispatches("dispatch", node, redis, options, requests, requests_path, options.seconds)
                both[has_hooks] = phase.node_us, phase.redis_us
            found.append((*both[False], *both[True]))
    return found


def rows(measured):
    """Two tables."""
    yield [("changes recorded", "recorded", "told", "until its request: p50 ms", "p99 ms", "node µs each", "Redis µs",
            "the receiver's µs")] + [
        (one.name, f"{one.recorded:,}", f"{one.told:,}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}", f"{one.node_us:.0f}",
         f"{one.redis_us:.0f}", f"{one.receiver_us:.0f}") for one in measured.paces] + [
        (f"{BACKLOG:,} at once, of {OWNERS}: {measured.a_second:,.0f} told a second", f"{BACKLOG:,}", "", "", "",
         *(f"{us:.0f}" for us in measured.backlog_us))]
    node, redis_us, node_with, redis_with = (statistics.median(column) for column in zip(*measured.costs))
    yield [("a dispatch", "node µs", "Redis µs"), ("without a webhook", f"{node:.1f}", f"{redis_us:.1f}"),
           ("with one, that is disabled", f"{node_with:.1f}", f"{redis_with:.1f}")]
