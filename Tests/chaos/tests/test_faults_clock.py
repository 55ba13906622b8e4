"""The wall clock of nodes, runners and bots is wrong as long as a fault says so, and harms nobody."""

import datetime
import email.utils
import json
import shutil

import pytest

from faults.clock import COMPILER
from faults.fault import NoTarget
from harness.waiting import wait_for
from small_cluster import inject

needs_compiler = pytest.mark.skipif(shutil.which(COMPILER) is None, reason="no C compiler: install the package gcc")


def lines(server):
    """The whole lines of a server's log."""
    return [json.loads(line) for line in server.log.splitlines() if line.startswith("{") and line.endswith("}")]


def shift_h(time):
    """By how many hours a time is wrong that was told just now."""
    return (time - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600


def log_shift_h(line):
    return shift_h(datetime.datetime.fromisoformat(line["time"]))


def date_shift_h(node):
    return shift_h(email.utils.parsedate_to_datetime(node.request("GET", "/healthz").header("Date")))


def assert_logs_by(server, before, hours):
    """What it logs after so many lines is wrong by so much, once the process before has written its last."""
    def tells():
        return any(abs(log_shift_h(line) - hours) < 0.1 for line in lines(server)[before:])
    wait_for(tells, f"a line of {server.name}'s log that is {hours} h wrong")
    assert abs(log_shift_h(lines(server)[-1]) - hours) < 0.1


def assert_works_with(cluster, server, hours):
    """Wrong as the clock may be, a bot is sent, and enters its room. The server says by which clock."""
    before = len(lines(server))
    meeting = cluster.bot_in_its_room()
    if server is cluster.node:
        # Which is made once a second.
        wait_for(lambda: abs(date_shift_h(server) - hours) < 0.1, f"a Date that is {hours} h wrong")
    else:
        started = wait_for(lambda: [line for line in lines(server)[before:] if line["message"] == "Started a bot"],
                           "the line of the bot's start")
        assert abs(log_shift_h(started[-1]) - hours) < 0.1, started[-1]
        # The bot's own clock is wrong with it.
        [bot] = [pid for bot_id, pid, _, _ in cluster.bots() if bot_id == started[-1]["bot_id"]]
        with open(f"/proc/{bot}/maps") as file:
            assert "wrong_clock.so" in file.read()
    cluster.remove(meeting)


@needs_compiler
@pytest.mark.parametrize("kind", ["node", "runner"])
def test_a_server_is_started_with_a_wrong_clock(cluster, kind):
    server = getattr(cluster, kind)
    before = len(lines(server))
    fault, target, detail = inject(cluster, f"{kind}-wrong-clock")
    hours = float(detail.removesuffix(" h"))
    assert target == server.name and abs(hours) >= 1
    assert_logs_by(server, before, hours)
    assert_works_with(cluster, server, hours)
    before = len(lines(server))
    fault.heal(cluster)
    assert_logs_by(server, before, 0)
    assert_works_with(cluster, server, 0)


@needs_compiler
@pytest.mark.parametrize("kind", ["node", "runner"])
def test_a_clock_jumps_and_comes_back(cluster, kind):
    server = getattr(cluster, kind)
    fault, target, detail = inject(cluster, f"{kind}-clock-jump")
    running = server.pid
    assert target == server.name
    assert_works_with(cluster, server, float(detail.removesuffix(" h")))
    fault.heal(cluster)
    assert_works_with(cluster, server, 0)
    # The second time, it needs no new start.
    again, _, _ = inject(cluster, f"{kind}-clock-jump", seed=1)
    again.heal(cluster)
    assert server.pid == running


def test_without_a_compiler_there_is_no_wrong_clock(cluster, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("faults.clock.library_path", lambda folder: "nowhere")
    before = cluster.node.pid, dict(cluster.node.environment)
    with pytest.raises(NoTarget, match="no C compiler: install the package"):
        inject(cluster, "node-wrong-clock")
    assert (cluster.node.pid, cluster.node.environment) == before
