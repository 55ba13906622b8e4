"""Live feeds: what an idle socket takes of a node's memory, and how long it takes from a segment that Redis has stored to the
frame that a viewer has received: for one meeting that many view, and many meetings that one views each.

The time at which it was stored is that of the frame's cursor, which is of Redis' clock, and so of this machine's. Viewers are
processes of their own that read as little as they can; how much of a processor they take is told, since it is the bench's own
cost, and part of the times.
"""

import asyncio
import dataclasses
import http.client
import itertools
import json
import multiprocessing
import re
import time

from bot_records import SegmentMessages, RunningBot, workspaces, write_seed
from footprint import settled_resident_bytes
from processes import BenchError, Node, processor_seconds
from records import native_id

IDLE, VIEWERS, PROCESSES = 10_000, 1_000, 2
# (what is viewed, how many meetings, messages a second)
CASES = ((f"one meeting with {VIEWERS:,} viewers", 1, 2), (f"{VIEWERS:,} meetings with one", VIEWERS, 100))
MANY = {"USHER_LIVE_FEEDS_PER_KEY": "100000", "USHER_LIVE_FEEDS_PER_ADDRESS": "100000", "USHER_MAX_CONNECTIONS": "100000"}
CURSOR = re.compile(rb'"cursor":"(\d+)-')
MASK = bytes(4)
# That frames may be on their way when the last message was sent.
LAST_S = 10


@dataclasses.dataclass
class Told:
    name: str
    messages: int
    frames: int
    expected: int
    p50_ms: float
    p99_ms: float
    node_us: float
    redis_us: float
    viewers_us: float


@dataclasses.dataclass
class Live:
    socket_bytes: float
    told: list


class Viewers:
    """Sockets of a process of its own."""

    def __init__(self, port, key, rooms):
        """`rooms`: what each socket subscribes to; None: nothing."""
        self._pipe, own = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_view, args=(own, port, key, rooms), daemon=True)
        self._process.start()
        self.pid = self._process.pid

    def wait_ready(self):
        if not self._pipe.poll(120) or self._pipe.recv() != "ready":
            raise BenchError("not all viewers were told that they are subscribed")

    def count(self):
        self._pipe.send("count")
        return self._pipe.recv()

    def take(self):
        """How long each frame took, in ms."""
        self._pipe.send("take")
        return self._pipe.recv()

    def end(self):
        self._process.kill()
        self._process.join()


def _frame(text):
    """A short text from a client, masked with zeros."""
    body = text.encode()
    length = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0xfe]) + len(body).to_bytes(2, "big")
    return b"\x81" + length + MASK + body


def _view(pipe, port, key, rooms):
    times = []

    async def view(room):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((
            f"GET /ws HTTP/1.1\r\nHost: bench\r\nX-API-Key: {key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head, head
        if room:
            writer.write(_frame(json.dumps(
                {"action": "subscribe", "meetings": [{"platform": "google_meet", "native_id": room}]})))
            assert b'"subscribed"' in await read(reader)
        return reader, writer

    async def read(reader):
        while True:
            first, second = await reader.readexactly(2)
            length = second & 0x7f
            if length > 125:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
            body = await reader.readexactly(length)
            # Pings may wait.
            if first & 0x0f == 1:
                return body

    async def note(reader):
        while True:
            body = await read(reader)
            at = time.time()
            if b'"type":"transcript"' in body:
                times.append(at * 1e3 - int(CURSOR.search(body)[1]))

    def answer():
        if pipe.recv() == "count":
            pipe.send(len(times))
        else:
            pipe.send(times)

    async def all_of_them():
        sockets = [await view(room) for room in rooms]
        tasks = [asyncio.create_task(note(reader)) for reader, _ in sockets]
        pipe.send("ready")
        asyncio.get_running_loop().add_reader(pipe.fileno(), answer)
        await asyncio.gather(*tasks)
    asyncio.run(all_of_them())


def measure(binary, folder, redis, options, say):
    say("live: idle sockets")
    socket_bytes = measure_idle(binary, folder, redis, options)
    told = []
    for name, meetings, rate in CASES:
        say(f"live: {name}")
        told.append(measure_told(name, meetings, rate, binary, folder, redis, options))
    return Live(socket_bytes, told)


def seeded(folder, redis, meetings):
    [owner] = workspaces(1)
    bots = [RunningBot(owner, number + 1) for number in range(meetings)]
    write_seed(f"{folder}/live.resp", [owner], bots)
    redis.load(f"{folder}/live.resp")
    return owner, bots


def measure_idle(binary, folder, redis, options):
    owner, _ = seeded(folder, redis, 1)
    with Node(binary, folder, redis, options.loops, environment=MANY) as node:
        node.wait_ready()
        before = settled_resident_bytes(node)
        viewers = Viewers(node.port, owner.key, [None] * IDLE)
        try:
            viewers.wait_ready()
            return (settled_resident_bytes(node) - before) / IDLE
        finally:
            viewers.end()


def measure_told(name, meetings, rate, binary, folder, redis, options):
    owner, bots = seeded(folder, redis, meetings)
    rooms = [native_id(bot.number) for bot, _ in zip(itertools.cycle(bots), range(VIEWERS))]
    with Node(binary, folder, redis, options.loops, environment=MANY) as node:
        node.wait_ready()
        all_viewers = [Viewers(node.port, owner.key, rooms[first::PROCESSES]) for first in range(PROCESSES)]
        try:
            for viewers in all_viewers:
                viewers.wait_ready()
            before = costs_of(node, redis, all_viewers)
            messages = rate * options.seconds
            tell(node, bots, messages, rate)
            expected = messages * VIEWERS // meetings
            end = time.monotonic() + LAST_S
            while sum(viewers.count() for viewers in all_viewers) < expected and time.monotonic() < end:
                time.sleep(0.1)
            after = costs_of(node, redis, all_viewers)
            times = sorted(time for viewers in all_viewers for time in viewers.take())
            if not times:
                raise BenchError(f"{name}: nobody was told anything")
            return Told(
                name, messages, len(times), expected, times[len(times) // 2], times[len(times) * 99 // 100],
                *((now - then) * 1e6 / len(times) for now, then in zip(after, before)))
        finally:
            for viewers in all_viewers:
                viewers.end()


def costs_of(node, redis, all_viewers):
    return [processor_seconds(node.pid), redis.processor_seconds(),
            sum(processor_seconds(viewers.pid) for viewers in all_viewers)]


def tell(node, bots, count, rate):
    """Messages of a segment each, of one bot after the other."""
    messages = SegmentMessages(count, bots)
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
    begin = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        bot = bots[number % len(bots)]
        body = json.dumps({"segments": messages.segments(number)[:1]})
        connection.request("POST", f"/internal/bots/{bot.id}/segments", body, {
            "x-internal-secret": bot.secret, "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise BenchError(f"segments were answered {answer.status}")


def rows(measured):
    yield [(f"{IDLE:,} idle sockets", "bytes"), ("memory of the node, each", f"{measured.socket_bytes:,.0f}")]
    yield [("a segment a message", "messages", "frames", "of", "stored to received: p50 ms", "p99 ms", "node µs a frame",
            "Redis µs", "the viewers' µs")] + [
        (one.name, f"{one.messages:,}", f"{one.frames:,}", f"{one.expected:,}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}",
         f"{one.node_us:.0f}", f"{one.redis_us:.0f}", f"{one.viewers_us:.0f}") for one in measured.told]
