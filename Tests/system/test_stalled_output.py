"""Standard error and output that nobody reads: whoever writes there goes on with its work."""

import os
import re
import signal

import pytest

from harness.bots_user import BotsUser
from harness.http_client import Connection, request, request_bytes
from harness.node import BINARY
from harness.process import children
from harness.stalled import PIPE_BYTES, Tap
from harness.up import Up
from harness.waiting import wait_for
from harness.workspace import Admin

LEASE_MS = 10_000
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
    assert all(line.endswith("}") for line in before)
    # Of those of one loop: two threads take the time by themselves.
    times = [line[len('{"time":"'):][:24] for line in before if '"path":"/bots"' in line]
    assert times and times == sorted(times)


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


class Scene:
    """A node, a user and a runner whose log nobody reads."""

    def __init__(self, servers, tap, **settings):
        redis = servers.redis()
        self.user = BotsUser(Admin(servers.node(redis, LEASE_TTL_MS=LEASE_MS)), max_concurrent_bots=100)
        self.runner = servers.runner(
            redis, self.user.node, start=False, LEASE_TTL_MS=LEASE_MS, LOG_LEVEL="debug", **settings)
        self.runner.error_tap = tap
        self.runner.start()
        tap.stall()
        tap.fill()

    def check_that_bots_live_on(self, count):
        meetings = [self.user.send_bot() for _ in range(count)]
        for meeting in meetings:
            self.user.wait_for_status(meeting, "active")

        def lived_on():
            stays = [self.runner.presence.stays(meeting["native_meeting_id"]) for meeting in meetings]
            return all(len(stay) == 1 and stay[0].last_ns - stay[0].first_ns > 2e6 * LEASE_MS for stay in stays)
        wait_for(lived_on, "two times a lease in the rooms", interval_s=0.1)
        assert {self.user.meeting(meeting)["status"] for meeting in meetings} == {"active"}


def test_bots_live_on_while_nobody_reads_their_runners_log(servers, tap):
    scene = Scene(servers, tap)
    scene.check_that_bots_live_on(8)
    scene.runner.signal(signal.SIGTERM)
    assert scene.runner.wait() == 0
    scene.runner.presence.check()


FLOODS = {
    # For as long as it lives; and before it goes to its meeting, more than is kept of it.
    "keep": "yes flood &", "show": f"yes flood | head -c {3 * KEPT_BYTES} >&2",
}


@pytest.mark.parametrize("output", FLOODS)
def test_a_bot_that_floods_its_output_lives_on(servers, tap, output):
    """Whether its output is kept for the record, or shown where nobody looks."""
    launcher = os.path.join(servers.folder, "flood")
    with open(launcher, "w") as file:
        file.write(f"#!/bin/bash\n{FLOODS[output]}\nexec '{BINARY}' simulate-bot\n")
    os.chmod(launcher, 0o755)
    scene = Scene(servers, tap, LAUNCH=launcher, BOT_OUTPUT=output)
    scene.check_that_bots_live_on(1)
    tap.flow()
    if output == "show":
        [notice] = wait_for(lambda: scene.runner.said(DROPPED), "the line that tells of what was dropped")
        shown = scene.runner.log.count("flood\n")
        assert shown + int(notice["lines"]) >= 3 * KEPT_BYTES // len("flood\n") and shown * 6 <= KEPT_BYTES


def test_what_a_bot_shows_is_passed_on_in_whole_lines(servers):
    """And what its clean-up says."""
    launcher = os.path.join(servers.folder, "talk")
    with open(launcher, "w") as file:
        file.write("#!/bin/bash\nprintf 'a line in '; sleep 0.1; printf 'two parts\\nand one without an end'\n")
    os.chmod(launcher, 0o755)
    redis = servers.redis()
    user = BotsUser(Admin(servers.node(redis)))
    runner = servers.runner(redis, user.node, LAUNCH=launcher, BOT_OUTPUT="show", CLEAN_UP="echo all clean",
                            MAX_ATTEMPTS=1)
    user.wait_for_status(user.send_bot(), "failed")
    wait_for(lambda: "all clean\n" in runner.log, "the clean-up's word")
    assert {"a line in two parts", "and one without an end", "all clean"} <= set(runner.log.splitlines())


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
