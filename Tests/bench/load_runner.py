#!/usr/bin/env python3
"""A load runner: it claims, renews, reports and speaks for thousands of bots, without a process for any of them.

It sends what runners and bots send, at their pace, by the service's own scripts and the bots' wire; nobody attends
anything, and no lease is enforced. `fleet` starts it, with what it is to do as JSON in the first line of its standard
input; it ends with that, and says then what it did, as JSON.
"""

import hashlib
import heapq
import http.client
import itertools
import json
import os
import sys
import threading
import time
import traceback

from bot_records import SEGMENT_STREAM, WORDS, RunningBot, Workspace
from clusters import owner
from records import PARTITIONS, native_id

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))

from harness.played_bot import script  # noqa: E402
from harness.resp import RedisClient  # noqa: E402

RUNNER = "bench"
LEASE_MS, RENEWAL_S = 15_000, 5
# What a runner has room for: it renews its own bots alone, in one call a partition.
PLACES = 100
# Each bot says a segment so often, and stays for so long.
SEGMENT_S, STAY_S = 10, 3_600
# So many connections bring reports.
REPORTERS = 8
# When a bot that was claimed says what, in seconds.
ENTRANCE = [(1, "joining"), (2, "awaiting_admission"), (4, "active")]
TICK_S = 0.01


class Servers:
    """Connections to one Redis, or to the primaries of a cluster; of one thread."""

    def __init__(self, addresses):
        self._clients = [RedisClient(tuple(each) if isinstance(each, list) else each) for each in addresses]

    def call(self, key, *words):
        return self.pipeline([(key, words)])[0]

    def pipeline(self, commands):
        """Sends commands, each with its key, and returns their answers. An error is raised."""
        answers = [None] * len(commands)
        for number, client in enumerate(self._clients):
            own = [index for index, (key, _) in enumerate(commands) if owner(key, len(self._clients)) == number]
            for index, answer in zip(own, client.pipeline([commands[index][1] for index in own]) if own else []):
                answers[index] = answer
        return answers

    def load(self, text):
        """Has all of them know a script. Returns its digest."""
        return [client.call("SCRIPT", "LOAD", text) for client in self._clients][0]


class Counts:
    """What was done, and how late."""

    def __init__(self):
        self.renewed = self.refused = self.segments = self.claimed = self.reports = self.failed = 0
        self.latest_s = 0.0
        # When each bot that another asked for was claimed, by the machine's clock, in ms.
        self.claims = []

    def late(self, due):
        self.latest_s = max(self.latest_s, time.monotonic() - due)


class LoadRunner:
    def __init__(self, task):
        self._task = task
        self._end, self._renewed = threading.Event(), threading.Event()
        self.counts = Counts()
        owners = [Workspace(*each) for each in task["workspaces"]]
        self._own = {owner.id for owner in owners}
        self._bots = [
            RunningBot(owners[number % len(owners)], number) for number in range(1, task["bots"] + 1)]
        # Whose leases are renewed, with their partitions; who speaks, by number; who has what to report when.
        self._held = {bot.id: bot.workspace.prefix for bot in self._bots}
        self._speaking = {bot.number for bot in self._bots}
        self._arriving = []
        self._lock = threading.Lock()

    def run(self):
        threads = [threading.Thread(target=self._until_end, args=(each,))
                   for each in [self._renew, self._speak, self._claim, self._change] + REPORTERS * [self._report_due]]
        for thread in threads:
            thread.start()
        self._renewed.wait()
        print("ready", flush=True)
        sys.stdin.read()
        self._end.set()
        for thread in threads:
            thread.join()
        return self.counts

    def _until_end(self, work):
        """A thread that fails ends the process: what it did not do would be told as speed."""
        try:
            work(Servers(self._task["redis"]))
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def _paced(self, seconds):
        """How far a round of so many seconds has come, up to 1.0, round after round until the end."""
        began, ticks = time.monotonic(), round(seconds / TICK_S)
        for tick in itertools.count():
            due = began + tick * TICK_S
            time.sleep(max(0.0, due - time.monotonic()))
            if self._end.is_set():
                return
            self.counts.late(due)
            yield (tick % ticks + 1) / ticks

    # MARK: Leases

    def _renew(self, servers):
        """All bots within each round, those of one runner and partition in one call."""
        digest = servers.load(script("renew"))
        calls, done = self._renewals(digest), 0
        servers.pipeline(calls)  # Leases of seeds end in another century.
        self._renewed.set()
        for share in self._paced(RENEWAL_S):
            due = int(len(calls) * share)
            some = calls[done:due]
            for (_, words), answer in zip(some, servers.pipeline(some)):
                bots = words[-(int(words[2]) - 1):]
                answers = answer[1] if answer[0] == "renewed" else [[] for _ in bots]
                self.counts.renewed += sum(map(bool, answers))
                # Those that have ended since the round began have none.
                self.counts.refused += sum(
                    not each and bot in self._held for bot, each in zip(bots, answers))
            done = due
            if share == 1.0:
                calls, done = self._renewals(digest), 0

    def _renewals(self, digest):
        with self._lock:
            held = list(self._held.items())
        calls = []
        for first in range(0, len(held), PLACES):
            by_partition = {}
            for bot, prefix in held[first:first + PLACES]:
                by_partition.setdefault(prefix, []).append(bot)
            for prefix, bots in by_partition.items():
                leases = f"{prefix}:leases"
                keys = [leases, *(f"{prefix}:bot:{bot}" for bot in bots)]
                calls.append((leases, ("EVALSHA", digest, len(keys), *keys, RUNNER, LEASE_MS, *bots)))
        return calls

    # MARK: What is heard

    def _speak(self, servers):
        """Each bot says one confirmed segment in each round, as bots write them to the stream."""
        number = 0
        order, done = sorted(self._speaking), 0
        for share in self._paced(SEGMENT_S):
            due = int(len(order) * share)
            commands = []
            for meeting in order[done:due]:
                number += 1
                payload = {"type": "transcription", "meeting_id": meeting, "segments": [{
                    "segment_id": f"segment-{number:08}", "speaker": f"Speaker {number % 4}", "text": WORDS,
                    "start": 1000.5 + number % 8000, "end": 1003.5 + number % 8000, "language": "en",
                    "completed": True}]}
                commands.append((SEGMENT_STREAM, ("XADD", SEGMENT_STREAM, "*", "payload", json.dumps(payload))))
            if commands:
                servers.pipeline(commands)
            self.counts.segments += len(commands)
            done = due
            if share == 1.0:
                with self._lock:
                    order, done = sorted(self._speaking), 0

    # MARK: Lives

    def _claim(self, servers):
        """Takes every dispatch that waits, as a runner does that has places enough."""
        digest = servers.load(script("claim"))
        streams = [f"usher:{{p{number:x}}}:dispatch" for number in PARTITIONS]
        for stream in streams:
            servers.call(stream, "XGROUP", "CREATE", stream, "runners", "0", "MKSTREAM")
        for _ in self._paced(1):
            reads = [(stream, ("XREADGROUP", "GROUP", "runners", RUNNER, "COUNT", 100, "STREAMS", stream, ">"))
                     for stream in streams]
            claims = []
            for answer in servers.pipeline(reads):
                for stream, entries in answer or []:
                    claims += [self._claiming(digest, stream, entry, fields) for entry, fields in entries]
            answers = servers.pipeline([(stream, words) for *_, stream, words in claims])
            for (bot, workspace, secret, *_), answer in zip(claims, answers):
                assert answer[0] == "claimed", answer
                self.counts.claimed += 1
                if workspace not in self._own:
                    self.counts.claims.append(time.time() * 1000)
                with self._lock:
                    self._held[bot] = f"usher:{{p{bot[-1]}}}"
                for after, status in ENTRANCE:
                    self._schedule(after, bot, secret, status)

    def _claiming(self, digest, stream, entry, flat):
        fields = dict(zip(flat[::2], flat[1::2]))
        bot, prefix = fields["bot_id"], stream.removesuffix(":dispatch")
        secret = hashlib.sha256(bot.encode()).hexdigest()
        keys = [f"{prefix}:meeting:{fields['meeting_id']}", f"{prefix}:bot:{bot}",
                f"{prefix}:ws:{fields['workspace_id']}:inflight:{fields['room']}", f"{prefix}:leases", stream]
        return bot, fields["workspace_id"], secret, stream, (
            "EVALSHA", digest, len(keys), *keys, bot, fields["epoch"], RUNNER, LEASE_MS,
            hashlib.sha256(secret.encode()).hexdigest(), entry, f"usher-{bot}", "1", "0-0")

    def _schedule(self, after, bot, secret, status):
        with self._lock:
            heapq.heappush(self._arriving, (time.monotonic() + after, bot, secret, status))

    def _change(self, _):
        """Bots end, as many as there would be, and others are asked for in their place."""
        node = self._node()
        leaving, owed = iter(self._bots), 0.0
        numbers = itertools.count(10_000_000)
        for _ in self._paced(1):
            owed += len(self._bots) / STAY_S * TICK_S
            while owed >= 1:
                owed -= 1
                bot = next(leaving)
                with self._lock:
                    self._held.pop(bot.id)
                    self._speaking.discard(bot.number)
                self._report(node, bot.id, bot.secret, "completed", completion_reason="left_alone")
                self._ask(node, bot.workspace, native_id(next(numbers)))

    def _report_due(self, _):
        """Those that were claimed tell how they come in."""
        node = self._node()
        for _ in self._paced(1):
            while (due := self._due()) is not None and not self._end.is_set():
                at, *report = due
                self._report(node, *report)
                self.counts.late(at)

    def _due(self):
        with self._lock:
            if self._arriving and self._arriving[0][0] <= time.monotonic():
                return heapq.heappop(self._arriving)
        return None

    def _node(self):
        return http.client.HTTPConnection("127.0.0.1", self._task["port"], timeout=30)

    def _report(self, node, bot, secret, status, **more):
        body = {"connection_id": bot, "status": status, "container_id": f"usher-{bot}", **more}
        self._post(node, f"/internal/bots/{bot}/status", {"x-internal-secret": secret}, body, 200)
        self.counts.reports += 1

    def _ask(self, node, workspace, room):
        self._post(node, "/bots", {"X-API-Key": workspace.key},
                   {"platform": "google_meet", "native_meeting_id": room, "bot_name": "Bench"}, 201)

    def _post(self, node, path, headers, body, expected):
        node.request("POST", path, json.dumps(body), {**headers, "Content-Type": "application/json"})
        answer = node.getresponse()
        text = answer.read()
        if answer.status != expected:
            self.counts.failed += 1
            print(f"{path}: {answer.status} {text[:200]!r}", file=sys.stderr)


def main():
    runner = LoadRunner(json.loads(sys.stdin.readline()))
    print(json.dumps(vars(runner.run())), flush=True)


if __name__ == "__main__":
    main()
