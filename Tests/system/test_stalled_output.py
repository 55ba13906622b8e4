"""Standard error and output that nobody reads: whoever writes there goes on with its work."""

import os
import re
import signal

import pytest

from harness.bots_user import BotsUser
from harness.http_client import Connection, request, request_bytes
from harness.process import children
from harness.stalled import PIPE_BYTES, Tap
from harness.up import Up
from harness.waiting import wait_for
from harness.workspace import Admin

LEASE_MS = 1500
# What a writer keeps (`LineWriter.defaultMaximumBytes`).
KEPT_BYTES = 1 << 20
DROPPED = "Lines of the log were dropped: nobody took them"


@pytest.fixture
def tap(servers):
    return servers.add(Tap())


def dropped(node):
    found = re.search(r"^usher_log_lines_dropped_total (\d+)$", node.request("GET", "/metrics").body.decode(), re.M)
    return int(found[1])


def make_lines(node, count):
    """Sends so many requests of which each leaves a line in the log, and sees that each is answered."""
    connection = Connection(node.port)
    for _ in range(count):
        connection.send(request_bytes("POST", "/bots", {}, {"X-API-Key": "nobody's"}))
        assert connection.receive().status == 401
    connection.close()


def test_a_node_goes_on_while_nobody_reads_its_log(servers, tap):
    node = servers.node(servers.redis(), start=False, LOG_LEVEL="debug", ADDRESS_RATE_LIMIT_PER_SECOND=0)
    node.error_tap = tap
    node.start()
    assert dropped(node) == 0
    tap.stall()
    while dropped(node) == 0:
        make_lines(node, 1000)
    assert node.request("GET", "/healthz").status == 200
    lost = dropped(node)
    tap.flow()
    [notice] = wait_for(lambda: node.said(DROPPED), "the line that tells of the others")
    assert notice["level"] == "warning" and lost <= int(notice["lines"]) == dropped(node)
    # What was kept is in order, and about as much as is promised.
    assert KEPT_BYTES - PIPE_BYTES <= len(node.log) <= KEPT_BYTES + 32 * PIPE_BYTES
    before = node.log[:node.log.index(DROPPED)].splitlines()[:-1]
    times = [line[len('{"time":"'):][:24] for line in before]
    assert times == sorted(times) and all(line.endswith("}") for line in before)


def test_a_node_ends_in_its_time_while_nobody_reads_its_log(servers, tap):
    node = servers.node(servers.redis(), start=False, LOG_LEVEL="debug", ADDRESS_RATE_LIMIT_PER_SECOND=0)
    node.error_tap = tap
    node.start()
    tap.stall()
    make_lines(node, 100)
    node.signal(signal.SIGTERM)
    assert node.wait() == 0
    assert not node.said("Stopped")


def test_nothing_is_lost_at_the_end(servers, tap):
    """Of a reader that reads."""
    node = servers.node(servers.redis(), start=False, LOG_LEVEL="debug", ADDRESS_RATE_LIMIT_PER_SECOND=0)
    node.error_tap = tap
    node.start()
    make_lines(node, 300)
    node.signal(signal.SIGTERM)
    assert node.wait() == 0
    wait_for(lambda: node.said("Stopped"), "the last line of the log")
    assert node.log.count('"code":"401"') >= 300


def test_bots_live_on_while_nobody_reads_their_runners_log(servers, tap):
    redis = servers.redis()
    node = servers.node(redis, LEASE_TTL_MS=LEASE_MS)
    user = BotsUser(Admin(node), max_concurrent_bots=100)
    runner = servers.runner(redis, node, start=False, LEASE_TTL_MS=LEASE_MS, LOG_LEVEL="debug")
    runner.error_tap = tap
    runner.start()
    tap.stall()
    tap.fill()
    meetings = [user.send_bot() for _ in range(8)]
    for meeting in meetings:
        user.wait_for_status(meeting, "active")

    def lived_on():
        stays = [runner.presence.stays(meeting["native_meeting_id"]) for meeting in meetings]
        return all(len(stay) == 1 and stay[0].last_ns - stay[0].first_ns > 3e6 * LEASE_MS for stay in stays)
    wait_for(lived_on, "three times a lease in the rooms", interval_s=0.1)
    assert {user.meeting(meeting)["status"] for meeting in meetings} == {"active"}
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    runner.presence.check()


def test_up_goes_on_while_nobody_reads_what_it_says(servers, tap):
    """Neither its announcement nor its log, which is its nodes' and runners' too."""
    up = servers.add(Up(servers.folder))
    up.output_tap, up.error_tap = tap, servers.add(Tap())
    for each in (up.output_tap, up.error_tap):
        each.stall()
        each.fill()
    up.spawn()

    def answers():
        try:
            return request(up.port, "GET", "/readyz").status == 200
        except OSError:
            return False
    wait_for(answers, "the nodes' answer", interval_s=0.05)
    # With its Redis, two nodes and a runner.
    wait_for(lambda: len(children(up.pid)) == 4, "all of its processes", interval_s=0.05)
    before = children(up.pid)
    os.kill(max(before), signal.SIGKILL)
    wait_for(lambda: len(set(children(up.pid)) - set(before)) == 1, "another in the place of one that was killed")
    up.signal(signal.SIGTERM)
    assert up.wait() == 0
