"""Redis killed, paused, and absent at the start, under load (docs/architecture.md, "Failures")."""

import collections
import signal
import time

import pytest

from harness.background import InBackground
from harness.envelope import assert_error
from harness.load import Load
from harness.waiting import wait_for
from harness.workspace import Admin

# What a request may be answered while Redis is away: tried in vain, or not tried at all.
AWAY = {(500, 12109), (503, 503), (503, 12109), (503, 12108)}


def outcome(answer):
    return answer.status, None if answer.status == 202 else answer.code


@pytest.fixture
def durable(servers):
    """A Redis that loses nothing it has answered, two nodes on it, and meetings enough for a load."""
    server = servers.redis(durable=True)
    nodes = [servers.node(server, LOCK_TTL_MS=500) for _ in range(2)]
    admin = Admin(nodes[0])
    workspaces = [admin.create_workspace() for _ in range(4)]
    return server, nodes, workspaces


class Reinvitations:
    """Re-invites ever new meetings, each until it is dispatched, and keeps every answer with its begin and end."""

    def __init__(self, nodes, workspaces, count):
        self._nodes = nodes
        self.meetings = [workspaces[number % len(workspaces)].create_meeting() for number in range(count)]
        self.accepted = set()

    def __call__(self, number):
        meeting = self.meetings[number % len(self.meetings)]
        node = self._nodes[number // len(self.meetings) % len(self._nodes)]
        started = time.monotonic()
        answer = meeting.workspace.reinvite(meeting, node=node)
        if answer.status == 202:
            assert meeting.id not in self.accepted, "a second 202 for one meeting"
            self.accepted.add(meeting.id)
        return started, time.monotonic(), answer


def assert_every_202_is_in_the_stream(server, reinvitations):
    streams = {meeting.workspace.keys.dispatch for meeting in reinvitations.meetings}
    entries = collections.Counter(
        fields["meeting_id"] for stream in streams for _, fields in server.client.stream(stream))
    assert all(entries[meeting] == 1 for meeting in reinvitations.accepted), "a 202 without its stream entry"
    assert all(count == 1 for count in entries.values()), "two entries for one meeting"


def test_redis_killed_and_restarted_under_load(durable):
    """Errors only while it is away; the nodes are back by themselves; no 202 without its stream entry."""
    server, nodes, workspaces = durable
    reinvitations = Reinvitations(nodes, workspaces, 150)
    load = Load(reinvitations, threads=4).start()
    absences = []
    for _ in range(3):
        load.wait_for_more(30, "the load before the fault")
        killed = time.monotonic()
        server.kill()
        load.wait_for_more(10, "answers while Redis is away")
        server.start()
        wait_for(lambda: all(is_serving(workspaces[0], node) for node in nodes), "the recovery of both nodes")
        absences.append((killed, time.monotonic()))
    load.wait_for_more(30, "the load after the fault")
    results = load.stop()
    failures = [result for result in results if outcome(result[2]) in AWAY - {(503, 12108)}]
    assert failures, "the fault was not seen by any request"
    for started, ended, answer in failures:
        assert any(killed <= ended and started <= recovered for killed, recovered in absences), (
            f"{answer} while Redis was there")
    for _, _, answer in results:
        assert outcome(answer) in AWAY | {(202, None), (409, 12107)}, answer
    assert_every_202_is_in_the_stream(server, reinvitations)
    # Retried to the end, every meeting is dispatched exactly once.
    for meeting in reinvitations.meetings:
        final = wait_for(lambda: not_busy(meeting.workspace.reinvite(meeting, node=nodes[1])), "a final answer")
        assert outcome(final) in {(202, None), (409, 12107)}, final
        assert len(meeting.dispatches(server.client)) == 1


def is_serving(workspace, node):
    return workspace.request("GET", workspace.meetings_path, node=node).status == 200


def not_busy(answer):
    return None if outcome(answer) == (503, 12108) else answer


def test_redis_paused(servers):
    """Slow without end: every answer comes, by the request's own deadline, and the nodes recover."""
    server = servers.redis()
    node = servers.node(server, REDIS_TIMEOUT_MS=5000, REQUEST_TIMEOUT_MS=8000, LOCK_TTL_MS=500)
    workspace = Admin(node).create_workspace()
    meetings = [workspace.create_meeting() for _ in range(5)]
    server.pause()
    try:
        # The client's own 30 s are what tells a hang from a slow machine.
        calls = [InBackground(lambda meeting=meeting: workspace.reinvite(meeting, node=node, timeout_s=30.0))
                 for meeting in meetings]
        for answer in [call.answer for call in calls]:
            assert outcome(answer) in AWAY, answer
            assert_error(answer, answer.status, answer.code)
        assert node.is_healthy(), "/healthz is about the node and not about Redis"
    finally:
        server.resume()
    for meeting in meetings:
        answer = wait_for(lambda: in_table(workspace.reinvite(meeting)), "a final answer after the pause")
        assert outcome(answer) in {(202, None), (409, 12107)}, answer
        assert len(meeting.dispatches(server.client)) == 1


def in_table(answer):
    return None if outcome(answer) in AWAY else answer


def test_redis_absent_at_start(servers):
    """A node whose Redis is not there says so and serves as soon as it comes."""
    server = servers.redis(start=False)
    node = servers.node(server, start=False)
    node.spawn()
    wait_for(lambda: server.socket_path in node.log, "a line in the log that names the missing Redis")
    wait_for(node.is_healthy, "a node that is alive without Redis")
    probe = {"X-API-Key": "unknown"}
    assert_error(node.request("GET", "/api/v1/public/meeting/unknown/meetings", headers=probe), 503)
    server.start()
    wait_for(node.is_serving, "a node that serves once Redis is there")
    workspace = Admin(node).create_workspace()
    assert workspace.reinvite(workspace.create_meeting()).status == 202


def test_redis_that_refuses_writes(servers):
    """Redis answers, but with errors (out of memory): 500/12109, nothing changed, and it is safe to retry."""
    server = servers.redis()
    node = servers.node(server, LOCK_TTL_MS=500)
    workspace = Admin(node).create_workspace()
    meeting = workspace.create_meeting()
    server.client.call("CONFIG", "SET", "maxmemory", "1")
    answer = workspace.reinvite(meeting)
    assert outcome(answer) in {(500, 12109), (503, 503), (503, 12109)}, answer
    server.client.call("CONFIG", "SET", "maxmemory", "0")
    answer = wait_for(lambda: in_table(workspace.reinvite(meeting)), "a final answer")
    assert answer.status == 202
    assert len(meeting.dispatches(server.client)) == 1


def test_sigterm_while_redis_is_paused(servers):
    """A node ends within its deadline even if Redis never answers again."""
    server = servers.redis()
    node = servers.node(server, DRAIN_TIMEOUT_MS=1000)
    server.pause()
    try:
        node.signal(signal.SIGTERM)
        assert node.wait() == 0, node.log
    finally:
        server.resume()
