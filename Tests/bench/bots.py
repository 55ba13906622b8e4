"""The phases of the bots: asking for them, asking what runs, their transcripts. `launches` has their start."""

import dataclasses
import http.client
import json

import load
from bot_records import (
    SEGMENT_STREAM, SEGMENTS_A_MESSAGE, BotRequests, RunningBot, SegmentMessages, beside, workspaces, write_seed)
from processes import BenchError, RedisConnection, wait_until

WARM_UP_REQUESTS = 2_000
# How many requests are prepared for each second of a phase: more than a good machine gets through.
REQUESTS_A_SECOND = 25_000
MESSAGES_A_SECOND = 16_000
STATUS_SIZES = [1, 100, 10_000]
# Few enough that the largest answers come well within the time that a request may take.
STATUS_CONNECTIONS = 4
SEGMENT_MEETINGS = 1_000
# A request for a status is the same each time; the file begins anew after as many.
STATUS_REQUESTS = 1_000


@dataclasses.dataclass
class StatusPhase:
    """What `GET /bots/status` came to for a workspace with `bots` bots, beside another one with `others`."""

    phase: load.Phase
    bots: int
    others: int
    answer_bytes: int


@dataclasses.dataclass
class RequestPhase:
    """What `POST /bots` came to beside a workspace with `others` bots."""

    phase: load.Phase
    others: int


@dataclasses.dataclass
class BotPhases:
    requests: list[RequestPhase]
    status: list[StatusPhase]
    segments: list[load.Phase]

    @property
    def all(self):
        return [entry.phase for entry in self.requests + self.status] + self.segments


class Bots:
    """The phases, on one node and one Redis, which is emptied before each."""

    def __init__(self, node, redis, folder, options):
        self.node, self.redis, self.folder, self.options = node, redis, folder, options
        self.seed, self.path = f"{folder}/bots.resp", f"{folder}/bots.requests"

    def run(self, say):
        done = BotPhases([], [], [])
        requests = BotRequests(REQUESTS_A_SECOND * self.options.seconds, self.path)
        for _ in range(self.options.bots_rounds):
            for others in [0, max(STATUS_SIZES)]:
                done.requests.append(RequestPhase(self._requests(requests, others), others))
                say(f"{done.requests[-1].phase.name}: {done.requests[-1].phase.rate:,.0f}/s")
        for _ in range(self.options.bots_rounds):
            for bots, others in [(size, 0) for size in STATUS_SIZES] + [(1, max(STATUS_SIZES))]:
                done.status.append(self._status(bots, others))
                say(f"{done.status[-1].phase.name}: {done.status[-1].phase.rate:,.0f}/s")
        for _ in range(self.options.bots_rounds):
            for phase in [self._stream, self._http_segments]:
                done.segments.append(phase())
                say(f"{done.segments[-1].name}: {done.segments[-1].rate:,.0f}/s")
        return done

    def _requests(self, requests, others):
        """`POST /bots`, beside a workspace of the same partition as the first one that asks, with others' bots."""
        crowd = beside(requests.owners[0])
        # Numbers and rooms that no request uses.
        bots = [RunningBot(crowd, 1_000_000_000 + number) for number in range(others)]
        write_seed(self.seed, requests.owners + [crowd], bots)
        self.redis.load(self.seed)
        phase = load.dispatches(
            f"POST /bots{_beside(others)}", self.node, self.redis, self.options, requests, requests.path,
            self.options.seconds)
        waiting = self.redis.total("ZCARD", [f"{owner.prefix}:ws:{owner.id}:bots" for owner in requests.owners])
        entries = self.redis.stream_entries(range(16))
        if waiting != entries:
            phase.problems.append(f"{phase.name}: {entries} entries in the streams, but {waiting} bots in the records")
        return phase

    def _status(self, bots, others):
        """`GET /bots/status` for a workspace with `bots` bots, beside another of its partition with `others`."""
        owner = workspaces(1)[0]
        crowd = beside(owner)
        running = [RunningBot(owner, number) for number in range(1, bots + 1)]
        running += [RunningBot(crowd, bots + number) for number in range(1, others + 1)]
        write_seed(self.seed, [owner, crowd], running)
        self.redis.load(self.seed)
        answer = self._get_status(owner)
        name = f"GET /bots/status, {bots:,} bot{'s' if bots > 1 else ''}{_beside(others)}"
        found = len(json.loads(answer)["running_bots"])
        request = f"GET /bots/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {owner.key}\r\n\r\n".encode()
        with open(self.path + ".status", "wb") as requests:
            requests.write(request * STATUS_REQUESTS)
        phase, _ = load.http(
            name, self.node, self.redis, self.options, self.path + ".status", len(request), STATUS_REQUESTS,
            self.options.seconds, STATUS_CONNECTIONS)
        if found != bots:
            phase.problems.append(f"{name}: {found} bots in the answer")
        return StatusPhase(phase, bots, others, len(answer))

    def _get_status(self, owner):
        connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=30)
        try:
            connection.request("GET", "/bots/status", headers={"X-API-Key": owner.key})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise BenchError(f"GET /bots/status was answered with {answer.status}: {body[:500]}")
        return body

    def _segment_bots(self):
        """Seeds some meetings that have a bot in their room, over as many workspaces."""
        owners = workspaces(SEGMENT_MEETINGS)
        bots = [RunningBot(owner, number) for number, owner in enumerate(owners, 1)]
        write_seed(self.seed, owners, bots)
        self.redis.load(self.seed)
        return bots

    def _stream(self):
        """Messages are written to the stream as fast as Redis takes them, until the node has taken all of them in."""
        bots = self._segment_bots()
        warm_up = self._take_in(SegmentMessages(WARM_UP_REQUESTS, bots))
        bots = self._segment_bots()
        return self._take_in(SegmentMessages(max(1_000, int(warm_up.rate / 10 * self.options.seconds)), bots))

    def _take_in(self, messages):
        messages.write_stream(self.path + ".stream")
        meter = load.Meter(self.node, self.redis)
        with RedisConnection(self.redis) as redis:
            # The group went with the data, and its reader makes it anew.
            wait_until(lambda: redis.ask("EXISTS", SEGMENT_STREAM), "the group of the segment stream")

            def write_and_wait():
                self.redis.feed(self.path + ".stream")
                wait_until(lambda: redis.ask("XLEN", SEGMENT_STREAM) == 0, "the end of the segment stream", 60)

            meter.measure(write_and_wait)
            buried = redis.ask("EXISTS", "usher:dead_letters")
        count = messages.count * SEGMENTS_A_MESSAGE
        phase = meter.phase("segments by the stream", count / meter.wall, count, None, None, None, [])
        stored = self._stored(messages.bots)
        if stored != count or buried:
            phase.problems.append(f"{phase.name}: {count} written, {stored} stored; dead letters: {bool(buried)}")
        return phase

    def _http_segments(self):
        bots = self._segment_bots()
        messages = SegmentMessages(MESSAGES_A_SECOND * self.options.seconds, bots)
        size = messages.write_requests(self.path + ".segments")
        phase, report = load.http(
            "segments by HTTP", self.node, self.redis, self.options, self.path + ".segments", size, messages.count,
            self.options.seconds)
        if report["requests"] > messages.count:
            phase.problems.append(f"{phase.name}: only {messages.count} requests were prepared")
        accepted = report["requests"] - report["refused"]
        stored = self._stored(bots) // SEGMENTS_A_MESSAGE
        # wrk hangs up on the requests that are under way when its time is over.
        if not accepted <= stored <= accepted + self.options.connections:
            phase.problems.append(f"{phase.name}: {accepted} messages accepted, but {stored} stored")
        # So far a request's figures: of ten segments.
        return dataclasses.replace(
            phase, rate=phase.rate * SEGMENTS_A_MESSAGE, node_us=phase.node_us / SEGMENTS_A_MESSAGE,
            redis_us=phase.redis_us / SEGMENTS_A_MESSAGE, load_us=phase.load_us / SEGMENTS_A_MESSAGE)

    def _stored(self, bots):
        return self.redis.total("HLEN", [f"{bot.workspace.prefix}:meeting:{bot.meeting}:segments" for bot in bots])


def _beside(others):
    return f", beside {others:,} of another" if others else ""
