"""What a quiet tenant gets while another one does its worst, and what that does to the node.

Before each attack the same tenant is measured without one, so that both are seen side by side. It asks at a steady pace;
a request that is late because the one before it was counts from when it was due.
"""

import dataclasses
import multiprocessing
import os
import threading
import time

import attacks
from bot_records import RunningBot, workspaces, write_seed
from processes import BenchError, Node, peak_bytes, wait_until

# The quiet tenant: so many connections, on each of which it asks so often.
CONNECTIONS = 4
PAUSE_S = 0.02
# What is asked for: at most so many times the quiet one's, in ms, and in bytes of the node.
MOST_TIMES, MOST_MS, MOST_BYTES = 2.0, 100.0, 150_000_000


@dataclasses.dataclass
class Waits:
    """How long the quiet tenant waited, in ms; and what it was answered instead of 200, by status."""

    p50_ms: float
    p99_ms: float
    longest_ms: float
    refused: dict


@dataclasses.dataclass
class BesideAttack:
    name: str
    alone: Waits
    beside: Waits | None
    # What the attacker was answered: how often, by status.
    answers: dict
    node_bytes: int
    # Why there is nothing to tell of it: the node's end.
    death: str = ""

    @property
    def problems(self):
        if self.death:
            return [f"{self.name}: {self.death}"]
        found = []
        if self.beside.refused:
            found.append(f"the quiet tenant was refused: {told(self.beside.refused)}")
        if self.beside.p99_ms > MOST_TIMES * self.alone.p99_ms:
            found.append(f"its p99 was {self.beside.p99_ms / self.alone.p99_ms:.1f} times the quiet one")
        if self.beside.longest_ms > MOST_MS:
            found.append(f"its longest wait was {self.beside.longest_ms:.0f} ms")
        if self.node_bytes > MOST_BYTES:
            found.append(f"the node took {self.node_bytes / 1e6:.0f} MB")
        return [f"{self.name}: {problem}" for problem in found]


def measure(binary, folder, redis, options, say):
    measured = []
    for attack in attacks.ALL:
        measured.append(beside(attack(), binary, folder, redis, options))
        say(f"{attack.name}: {'; '.join(measured[-1].problems) or 'within its bounds'}")
    return measured


def beside(attack, binary, folder, redis, options):
    quiet, attacker = workspaces(2)
    seed = f"{folder}/neighbours.resp"
    write_seed(seed, [quiet, attacker], [RunningBot(quiet, 1), RunningBot(attacker, 2)])
    redis.load(seed)
    redis.command("CONFIG", "SET", "maxmemory", attack.redis_memory)
    with open(seed, "w", encoding="utf-8", newline="") as commands:
        commands.writelines(attack.records(attacker))
    redis.feed(seed)
    with Node(binary, folder, redis, options.loops, reads_log=not attack.stalls_log) as node:
        node.wait_ready()
        alone = waits(node, quiet, options.seconds)
        with Attack(attack, node, redis, attacker) as running:
            try:
                wait_until(lambda: running.begun, "the attack", seconds=60)
                found = waits(node, quiet, options.seconds)
                node.require_alive()
            except (BenchError, OSError) as error:
                return BesideAttack(attack.name, alone, None, running.answers, 0, f"the node ended ({error})"[:200])
            size = peak_bytes(node.pid)
        return BesideAttack(attack.name, alone, found, running.answers, size)


class Attack:
    """An attack under way, in processes of its own."""

    def __init__(self, attack, node, redis, attacker):
        self._end = multiprocessing.Event()
        self._counts = multiprocessing.Manager().dict()
        self._lock = multiprocessing.Lock()
        self._processes = [
            multiprocessing.Process(target=self._run, args=(attack, node.port, redis.socket_path, attacker), daemon=True)
            for _ in range(attack.at_once)]

    def __enter__(self):
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *_):
        self.answers = dict(self._counts)
        self._end.set()
        for process in self._processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()

    @property
    def begun(self):
        return sum(self._counts.values()) > 0

    @property
    def answers(self):
        return self._answers if hasattr(self, "_answers") else dict(self._counts)

    @answers.setter
    def answers(self, found):
        self._answers = found

    def _run(self, attack, port, redis_socket, attacker):
        as_if_elsewhere(os.SCHED_IDLE)
        step = attack.steps(port, redis_socket, attacker)
        while not self._end.is_set():
            self._note("begun", 0)
            try:
                self._note(next(step), 1)
            except OSError as error:
                self._note(type(error).__name__, 1)
                step = attack.steps(port, redis_socket, attacker)
                # A node that is gone is not asked in a busy loop.
                time.sleep(0.1)

    def _note(self, answer, count):
        with self._lock:
            self._counts[answer] = self._counts.get(answer, 0) + count


def as_if_elsewhere(policy):
    """Both tenants have machines of their own. So the quiet one is never kept waiting for a processor, where we may see to
    that, and an attacker gets only what all others leave: what is measured is what the node and Redis do for them."""
    try:
        os.sched_setscheduler(0, policy, os.sched_param(1 if policy == os.SCHED_RR else 0))
    except PermissionError:
        print("neighbours: without the right to choose a scheduler the waits count other processes' time too")


def waits(node, tenant, seconds):
    """In a process of its own, at a steady pace."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_ask, args=(node.port, tenant, seconds, sending), daemon=True)
    process.start()
    sending.close()
    try:
        if not receiving.poll(seconds + 60):
            raise BenchError("the quiet tenant was not answered")
        times, refused = receiving.recv()
    except EOFError:
        raise BenchError("the quiet tenant was not answered") from None
    finally:
        process.join(timeout=5)
    times.sort()
    if not times:
        raise BenchError(f"the quiet tenant was never answered: {told(refused)}")
    return Waits(times[len(times) // 2], times[len(times) * 99 // 100], times[-1], refused)


def _ask(port, tenant, seconds, sending):
    as_if_elsewhere(os.SCHED_RR)
    times, refused, lock = [], {}, threading.Lock()

    def ask(number):
        connection = attacks.Client(port)
        begin = time.monotonic() + PAUSE_S * number / CONNECTIONS
        for turn in range(int(seconds / PAUSE_S)):
            due = begin + turn * PAUSE_S
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                status = connection.request("GET", "/bots/status", attacks.key(tenant))
            except OSError as error:
                status, connection = type(error).__name__, attacks.Client(port)
            with lock:
                times.append((time.monotonic() - due) * 1e3)
                if status != 200:
                    refused[status] = refused.get(status, 0) + 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sending.send((times, refused))


def told(answers):
    return ", ".join(f"{count} times {answer}" for answer, count in answers.items() if count) or "nothing"


def rows(measured):
    table = [("beside a tenant that", "p50 ms", "p99 ms", "longest ms", "alone: p99 ms", "times", "node", "it was answered")]
    for entry in measured:
        if entry.death:
            table.append((entry.name, "", "", "", f"{entry.alone.p99_ms:.2f}", "", entry.death, told(entry.answers)))
            continue
        table.append((
            entry.name, f"{entry.beside.p50_ms:.2f}", f"{entry.beside.p99_ms:.2f}", f"{entry.beside.longest_ms:.1f}",
            f"{entry.alone.p99_ms:.2f}", f"{entry.beside.p99_ms / entry.alone.p99_ms:.1f}",
            f"{entry.node_bytes / 1e6:.0f} MB", told(entry.answers)))
    return table
