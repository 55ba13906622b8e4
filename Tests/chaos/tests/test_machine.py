"""The parts of the machine that need no cluster."""

import os
import random
import socket
import subprocess
import sys
import threading
from types import SimpleNamespace

from history import FaultRecord, History, Operation
from machine import bot_names, collecting, recovery, tables
from machine.plan import Plan
from machine.sampling import READINGS, Sampler, both_clocks
from machine.viewer import Viewer

SECOND = 1_000_000_000


def operation(number, sent_s, answered_s, status, kind="create_bot", workspace_id="w", client="waiting-user1"):
    answered_ns = None if answered_s is None else int(answered_s * SECOND)
    return Operation(number, client, kind, workspace_id, "room", None, "node", int(sent_s * SECOND),
                     answered_ns=answered_ns, status=status)


def history(*operations, faults=(), limits=("w",), seed=1):
    return History(seed, {}, limits={workspace_id: 1 for workspace_id in limits}, operations=list(operations),
                   faults=list(faults))


def test_a_seed_repeats_the_plan():
    def draws(seed):
        plan = Plan(random.Random(seed), {name: None for name in "abcdef"})
        return [(plan.gap_s(), plan.draw()) for _ in range(5)]
    assert draws(1) == draws(1) != draws(2)


def test_a_plan_has_every_fault_before_any_comes_again():
    plan = Plan(random.Random(1), {name: None for name in "abcdef"})
    drawn = [name for _ in range(40) for name in plan.draw()]
    for start in range(0, len(drawn) - 6, 6):
        # A pair never has one fault twice, for which the order may give way by one place.
        assert len(set(drawn[start:start + 6])) >= 5
    assert set(drawn) == set("abcdef")


def test_pairs_are_of_two_faults():
    plan = Plan(random.Random(1), {"a": None, "b": None})
    pairs = [names for names in (plan.draw() for _ in range(40)) if len(names) == 2]
    assert pairs and all(first != second for first, second in pairs)
    assert all(Plan(random.Random(seed), {"a": None}).draw() == ["a"] for seed in range(10))


def test_a_viewer_goes_on_where_a_node_does_not_answer_and_ends_when_it_is_told():
    event = 'id: 1-0\ndata: {"type":"subscribed","cursor":"1-0"}\n\n'
    answers = [b"", b"HTTP/1.1 200 OK\r\n\r\n" + f"{len(event):x}\r\n{event}\r\n".encode()]
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = []

        def serve():
            for answer in answers:
                client = server.accept()[0]
                client.recv(65_536)
                if answer:
                    client.sendall(answer)
                    clients.append(client)
                else:
                    client.close()
        threading.Thread(target=serve, daemon=True).start()
        cluster = SimpleNamespace(nodes=[SimpleNamespace(port=server.getsockname()[1])])
        viewer = Viewer(cluster, random.Random(1), SimpleNamespace(token="t", workspace_id="w"), history(),
                        events=(100, 100), pause_s=(0.0, 0.0))
        viewer.begin()
        viewer.settle()
        assert not viewer.is_alive() and len(clients) == 1
        clients[0].close()


def test_names_of_bots_fit_and_say_what_they_are():
    draws = [bot_names.draw(random.Random(seed)) for seed in range(300)]
    assert all(len(name) <= 100 and name.isascii() for name in draws)
    assert all(part.startswith("SIMULATE") and "=" in part for name in draws for part in name.split())


def test_a_wait_ends_with_the_first_dispatch_that_was_asked_for_after_the_fault():
    run = history(operation(1, 0.5, 1.5, 201),  # It was on its way before.
                  operation(2, 1.2, 1.4, 409), operation(3, 1.3, None, None), operation(4, 1.6, 3.0, 202),
                  operation(5, 2.0, 2.5, 202, kind="reinvite"), operation(6, 2.1, 2.2, 202, kind="stop"),
                  # A workspace without users who wait: its limit may be what keeps its bots away.
                  operation(7, 1.2, 1.3, 201, workspace_id="other", client="client1"))
    assert recovery.waits_ms(run, SECOND) == {"w": 1500.0}
    assert recovery.waits_ms(run, 4 * SECOND) == {"w": None}
    # A fault that had to wait for its moment, and moments without any fault.
    late = FaultRecord("node-kill-after-lock", "node1", 0, 4 * SECOND, struck_ns=2 * SECOND)
    run.faults, run.calm_ns = [late], 0
    assert recovery.waits_by_fault([run]) == {"node-kill-after-lock": [500.0]}
    assert recovery.calm_waits([run]) == [1500.0]


def test_percentiles():
    assert recovery.percentile([5], 0.5) == 5
    assert recovery.percentile([1, 2, 3, 4], 0.5) == 2
    assert recovery.percentile([1, 2, 3, 4, 5], 0.5) == 3
    assert recovery.percentile([1, 2, 3, 4], 1.0) == 4


def test_an_operation_meets_a_fault_that_it_overlaps():
    fault = FaultRecord("node-kill", "node1", 2 * SECOND, 4 * SECOND)
    run = history(operation(1, 0.5, 1.5, 201), operation(2, 1.5, 2.5, 201), operation(3, 3, 3.1, 201),
                  operation(4, 3.5, 9, 201), operation(5, 3.5, None, None), operation(6, 1.5, None, None),
                  operation(7, 4.5, 5, 201))
    assert recovery.met(run, fault) == 4


def test_tables():
    fault = FaultRecord("node-kill", "node1", 2 * SECOND, 4 * SECOND)
    first = history(operation(1, 3, 3.1, 201), faults=[fault, fault])
    second = history(operation(1, 3, 3.1, 409), faults=[fault], seed=2)
    rows = tables.faults([first, second], {1: [], 2: ["one", "two"]})
    assert rows == [("node-kill", 3, 3, 2)]
    assert tables.waits([first, second])[0] == ("node-kill", 3, 1100, 1100, 1)
    assert tables.text(("a", "b"), [("x", 10)], markdown=True) == "| a |  b |\n| - | -: |\n| x | 10 |"
    assert tables.text(("a", "b"), [("x", 10)], markdown=False) == "a   b\nx  10"


def test_a_process_that_is_ending_is_not_sampled():
    written = history()
    sampler = Sampler(None, written)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        sampler.take("child", child.pid, set(), set())
        child.kill()
        # It has ended, and its entry under /proc is there until it is waited for.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        sampler.take("child", child.pid, set(), set())
    finally:
        child.kill()
        child.communicate()
    assert [sample.process for sample in written.samples] == ["child"]
    assert written.samples[0].resident_bytes > 0


def read(*stalls_ms):
    """What is read of clocks that stand at 0 and 1000 ms, with a stall before each look at one, and how many stalls are
    left."""
    time_ns, stalls = 0, list(stalls_ms)

    def look(ahead_ns):
        nonlocal time_ns
        time_ns += stalls.pop(0) * 1_000_000
        return time_ns + ahead_ns
    return both_clocks(lambda: look(0), lambda: look(SECOND)), len(stalls)


def test_both_clocks_are_read_without_a_stall_between_them():
    def offset_ms(reading):
        return (reading[1] - reading[0] - SECOND) / 1_000_000
    reading, left = read(0, 0, 2)
    assert offset_ms(reading) == -1 and not left
    # Wherever it is.
    for stalls in ((0, 40, 0), (0, 0, 40)):
        reading, left = read(*stalls, 900, 1, 1)
        assert offset_ms(reading) == 0 and not left
    # The best, where there is none.
    reading, left = read(*(0, 40, 40) * 3, *(0, 10, 6), *(0, 40, 40) * (READINGS - 3))
    assert offset_ms(reading) == 2 and left == 3


def test_a_time_of_a_clock_that_was_set_back_is_told_right():
    begun, hour = 1_000_000_000, 3_600_000
    for later in (0, 5_000, 300_000):
        for hours in range(4):
            assert collecting.told_right(begun + later - hours * hour, begun) == begun + later
    # Clocks are a little apart.
    assert collecting.told_right(begun - 1_000, begun) == begun - 1_000
