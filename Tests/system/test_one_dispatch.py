"""At most one bot for a room: 64 parallel requests over three nodes, 200 rounds of each scenario."""

import collections

import pytest

from harness.burst import Burst
from harness.http_client import NO_BODY, request_bytes
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

ROUNDS = 200
REQUESTS = 64
# With commands that travel apart; fewer, because every command takes its time.
SLOW_ROUNDS = 20


@pytest.fixture
def burst(nodes):
    burst = Burst(nodes, REQUESTS)
    yield burst
    burst.close()


def reinvite_bytes(workspace, meeting, body=NO_BODY):
    return request_bytes("POST", workspace.reinvite_path(meeting), body, workspace.headers())


def outcomes(answers):
    """How often each (status, code) came; a 202 has no code."""
    return collections.Counter(
        (answer.status, None if answer.status == 202 else answer.code) for answer in answers)


def run_rounds(redis, burst, workspace, make_round, allowed, round_count=ROUNDS):
    """Each round must have exactly one 202, and the stream exactly one entry for its meetings.

    `make_round` gives a round's meetings and requests.
    """
    total = collections.Counter()
    rounds = []
    for number in range(round_count):
        meetings, requests = make_round()
        answers = burst.send(requests)
        counts = outcomes(answers)
        assert counts[(202, None)] == 1, f"round {number}: {counts}"
        assert set(counts) <= {(202, None)} | allowed, f"round {number}: {counts}"
        winner = next(answer.json["meeting_id"] for answer in answers if answer.status == 202)
        assert winner in {meeting.id for meeting in meetings}
        rounds.append((winner, meetings))
        total += counts
    entries = collections.Counter(fields["meeting_id"] for _, fields in redis.stream(workspace.keys.dispatch))
    for winner, meetings in rounds:
        assert {meeting.id: entries[meeting.id] for meeting in meetings} == {
            meeting.id: int(meeting.id == winner) for meeting in meetings}
    assert redis.call("ZCARD", workspace.keys.bots) == round_count
    wait_for(lambda: not redis.call("EXISTS", workspace.keys.lock), "the last lock's being given back")
    print(f"\n{round_count} rounds of {REQUESTS}: {dict(total)}")
    return total


def test_one_meeting(redis, burst, workspace):
    def make_round():
        meeting = workspace.create_meeting()
        return [meeting], [reinvite_bytes(workspace, meeting)] * REQUESTS

    run_rounds(redis, burst, workspace, make_round, {(409, 12107), (503, 12108)})


def test_two_meetings_that_share_a_room(redis, burst, workspace):
    def make_round():
        code = random_meet_code()
        meetings = [workspace.create_meeting(f"https://meet.google.com/{code}"),
                    workspace.create_meeting(f"http://MEET.google.com/{code}/?hs=179")]
        one, other = (reinvite_bytes(workspace, meeting) for meeting in meetings)
        return meetings, [one, other] * (REQUESTS // 2)

    run_rounds(redis, burst, workspace, make_round, {(409, 12107), (503, 12108)})


def test_forced_restart_of_an_offline_meeting(redis, burst, workspace):
    """A request that saw OFFLINE before another one restarted it may also be told of the change (12110)."""
    def make_round():
        meeting = workspace.create_meeting()
        meeting.set(redis, status="OFFLINE", bot_status="completed")
        return [meeting], [reinvite_bytes(workspace, meeting, {"force_restart": True})] * REQUESTS

    run_rounds(redis, burst, workspace, make_round, {(409, 12107), (503, 12108), (409, 12110)})


def test_commands_that_travel_apart(servers):
    """Each command travels by itself, so that other nodes' commands come between a lock and its script."""
    server = servers.redis()
    proxies = [servers.proxy(server) for _ in range(3)]
    slow_nodes = [servers.node(proxy, LOCK_TTL_MS=60_000) for proxy in proxies]
    workspace = Admin(servers.node(server)).create_workspace()
    for proxy in proxies:
        proxy.part(0.001)

    def make_round():
        meeting = workspace.create_meeting()
        meeting.set(server.client, status="OFFLINE", bot_status="completed")
        return [meeting], [reinvite_bytes(workspace, meeting, {"force_restart": True})] * REQUESTS

    burst = Burst(slow_nodes, REQUESTS)
    allowed = {(409, 12107), (503, 12108), (409, 12110)}
    counts = run_rounds(server.client, burst, workspace, make_round, allowed, SLOW_ROUNDS)
    burst.close()
    assert counts[(503, 12108)], "no request ever met a lock that another one held: parting them had no effect"
