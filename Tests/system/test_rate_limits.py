"""Limits of requests: over several nodes, for one key and one address, and nobody else."""

import time
import uuid

import pytest

from harness.bots_user import BotsUser
from harness.burst import Burst
from harness.http_client import request_bytes
from harness.live import LiveClient
from harness.workspace import Admin

# So few a second that who asks one after the other is faster, on any machine.
PER_SECOND, BURST = 1, 60
# Every loop may keep a share at hand: a twentieth of what comes in a second, at least one (`RateLimit.largestShare`).
SHARE = 1


@pytest.fixture
def nodes(servers):
    redis = servers.redis()
    return [
        servers.node(redis, RATE_LIMIT_PER_SECOND=PER_SECOND, RATE_LIMIT_BURST=BURST,
                     ADDRESS_RATE_LIMIT_PER_SECOND=PER_SECOND, ADDRESS_RATE_LIMIT_BURST=BURST)
        for _ in range(3)]


def flood(nodes, data, size):
    """Sends so many at once. Returns the answers, and the seconds that it took."""
    burst = Burst(nodes, size)
    start = time.monotonic()
    try:
        return burst.send([data] * size), time.monotonic() - start
    finally:
        burst.close()


def test_a_key_gets_what_its_bucket_gives_on_all_nodes_together(nodes):
    workspace = Admin(nodes[0]).create_workspace()
    other = Admin(nodes[0]).create_workspace()
    data = request_bytes("GET", workspace.meetings_path, headers=workspace.headers())
    answers, seconds = flood(nodes, data, 150)
    served = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(served) + len(refused) == 150
    # What was at hand on one node when the bucket was empty may have lapsed there.
    assert BURST - len(nodes) * SHARE <= len(served) <= BURST + PER_SECOND * (seconds + 1)
    for answer in refused:
        assert answer.code == 429 and answer.json["parameters"] == {}
        assert int(answer.header("Retry-After")) >= 1
    # Others are served meanwhile, on each node; and who waits as told is served too.
    for node in nodes:
        assert other.request("GET", other.meetings_path, node=node).status == 200
    time.sleep(int(refused[-1].header("Retry-After")))
    assert workspace.request("GET", workspace.meetings_path).status == 200


def test_an_address_without_a_valid_key_is_refused_and_valid_keys_are_not(nodes):
    workspace = Admin(nodes[0]).create_workspace()
    for node in nodes:
        assert workspace.request("GET", workspace.meetings_path, node=node).status == 200
    user = BotsUser(Admin(nodes[0]))
    ticket = user.request("POST", "/ws/ticket").json["ticket"]
    wrong = {"X-API-Key": "usher_wrong"}
    data = request_bytes("GET", "/bots/status", headers=wrong)
    # One after the other: a request that comes while a node asks Redis is let through, one for each node at most.
    passed, start, refused = 0, time.monotonic(), []
    while True:
        answer = nodes[passed % len(nodes)].request("GET", "/bots/status", headers=wrong)
        if answer.status == 429:
            refused.append(answer)
            break
        assert answer.status == 401
        passed += 1
        assert passed <= BURST + PER_SECOND * (time.monotonic() - start + 1) + 2 * len(nodes) * (SHARE + 1)
    # Whoever comes with many at once is not let through for that.
    answers, _ = flood(nodes, data, 150)
    assert {answer.status for answer in answers} <= {401, 429}
    refused += [answer for answer in answers if answer.status == 429]
    assert set(refused[0].json) == {"error", "detail"} and int(refused[0].header("Retry-After")) >= 1
    for node in nodes:
        assert workspace.request("GET", workspace.meetings_path, node=node).status == 200
    # So are tickets, of a workspace of which a key was seen.
    with LiveClient(nodes[0], ticket=ticket) as client:
        client.send({"action": "ping"})
        assert client.next("pong")["type"] == "pong"
    def code_for_a_wrong_ticket():
        with LiveClient(nodes[0], ticket=f"ticket_{uuid.uuid4()}_{'0' * 32}_{'0' * 128}") as client:
            return client.closed()[0]

    # What the seconds since have given is used up first.
    while (code := code_for_a_wrong_ticket()) != 4429:
        assert code == 4401
        passed += 1
        assert passed <= BURST + PER_SECOND * (time.monotonic() - start + 1) + 2 * len(nodes) * (SHARE + 1)


def test_zero_turns_limits_off(servers):
    redis = servers.redis()
    node = servers.node(redis, RATE_LIMIT_PER_SECOND=0, RATE_LIMIT_BURST=1, ADDRESS_RATE_LIMIT_PER_SECOND=0,
                        ADDRESS_RATE_LIMIT_BURST=1)
    workspace = Admin(node).create_workspace()
    answers, _ = flood([node], request_bytes("GET", workspace.meetings_path, headers=workspace.headers()), 100)
    assert {answer.status for answer in answers} == {200}
    answers, _ = flood([node], request_bytes("GET", "/bots/status"), 100)
    assert {answer.status for answer in answers} == {401}
    assert redis.client.scan("usher:rate:*") == []
