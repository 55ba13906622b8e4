"""The largest answers there are, asked for several times at once: what they take of the node, and give back; what another
tenant feels; and how long Redis is kept by any one command.
"""

import dataclasses
import threading
import time

import attacks
import neighbours
from bot_records import RunningBot, workspaces, write_seed
from processes import Node, resident_bytes

# What is asked for: memory back to within so many bytes, after so long; the other tenant's p99; a command in Redis.
MOST_BYTES, SETTLED_S, MOST_P99_MS, SLOW_MS = 20_000_000, 10, 20.0, 10
# (what is asked for, how often at once)
CASES = [
    (attacks.LargeRecords, 2), (attacks.LargeRecords, 20), (attacks.FilteredLists, 2), (attacks.FilteredLists, 20),
    (attacks.LongTranscript, 10), (attacks.LongSegments, 10)]


@dataclasses.dataclass
class Overlap:
    name: str
    at_once: int
    before_bytes: int
    peak_bytes: int
    after_bytes: int
    waits: neighbours.Waits
    answers: dict
    slow: int

    @property
    def problems(self):
        found = []
        if self.after_bytes - self.before_bytes > MOST_BYTES:
            found.append(f"{(self.after_bytes - self.before_bytes) / 1e6:.0f} MB are not given back after {SETTLED_S} s")
        if self.waits.p99_ms > MOST_P99_MS:
            found.append(f"another tenant's p99 was {self.waits.p99_ms:.0f} ms")
        if self.slow:
            found.append(f"{self.slow} commands took Redis over {SLOW_MS} ms")
        return [f"{self.at_once} at once, a tenant that {self.name}: {problem}" for problem in found]


def measure(binary, folder, redis, options, say):
    redis.command("CONFIG", "SET", "slowlog-log-slower-than", str(SLOW_MS * 1000))
    measured = []
    for attack, at_once in CASES:
        measured.append(overlap(attack(), at_once, binary, folder, redis, options))
        say(f"{at_once} at once, {attack.name}: {'; '.join(measured[-1].problems) or 'within its bounds'}")
    return measured


def overlap(attack, at_once, binary, folder, redis, options):
    quiet, asking = workspaces(2)
    seed = f"{folder}/overlaps.resp"
    write_seed(seed, [quiet, asking], [RunningBot(quiet, 1), RunningBot(asking, 2)])
    redis.load(seed)
    with open(seed, "w", encoding="utf-8", newline="") as commands:
        commands.writelines(attack.records(asking))
    redis.feed(seed)
    redis.command("SLOWLOG", "RESET")
    with Node(binary, folder, redis, options.loops) as node:
        node.wait_ready()
        # What a node takes up once, with its first answers, is none of what is looked for.
        neighbours.waits(node, quiet, 1)
        ask(attack, node, asking, 1)
        before = resident_bytes(node.pid)
        answers, peak = {}, [0]
        asker = threading.Thread(target=lambda: answers.update(ask(attack, node, asking, at_once)))
        asker.start()
        watcher = threading.Thread(target=watch, args=(node, asker, peak))
        watcher.start()
        waits = neighbours.waits(node, quiet, options.seconds)
        asker.join()
        watcher.join()
        time.sleep(SETTLED_S)
        node.require_alive()
        return Overlap(
            attack.name, at_once, before, peak[0], resident_bytes(node.pid), waits, answers,
            int(redis.command("SLOWLOG", "LEN")))


def ask(attack, node, tenant, at_once):
    """Sends the same request on so many connections at once. Returns how often each status was answered."""
    answers, lock = {}, threading.Lock()

    def one():
        try:
            status = attacks.Client(node.port).request(*next(iter(attack.requests(tenant))))
        except OSError as error:
            status = type(error).__name__
        with lock:
            answers[status] = answers.get(status, 0) + 1

    threads = [threading.Thread(target=one) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def watch(node, asker, peak):
    while asker.is_alive():
        peak[0] = max(peak[0], resident_bytes(node.pid))
        time.sleep(0.01)


def rows(measured):
    table = [("a tenant that", "at once", "before MB", "most MB", f"{SETTLED_S} s later MB", "another's p99 ms",
              "longest ms", f"over {SLOW_MS} ms in Redis", "it was answered")]
    for entry in measured:
        table.append((
            entry.name, str(entry.at_once), f"{entry.before_bytes / 1e6:.0f}", f"{entry.peak_bytes / 1e6:.0f}",
            f"{entry.after_bytes / 1e6:.0f}", f"{entry.waits.p99_ms:.2f}", f"{entry.waits.longest_ms:.1f}",
            str(entry.slow), neighbours.told(entry.answers)))
    return table
