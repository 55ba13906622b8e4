"""The faults of Redis do what they say, and are healed."""

import random
import time

import pytest

from faults import FAULTS
from faults.fault import NoTarget
from harness.resp import RedisError
from harness.waiting import wait_for
from small_cluster import inject


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """However slow the machine is, a Redis that is not stopped answers in time."""
    monkeypatch.setattr("faults.redis.SILENCE_S", 10.0)


def assert_works(cluster):
    cluster.remove(cluster.bot_in_its_room())


def test_redis_is_killed_and_keeps_what_it_answered(cluster, meeting):
    before = cluster.redis.pid
    fault, target, _ = inject(cluster, "redis-kill")
    assert target == cluster.redis.name and not cluster.redis.alive
    fault.heal(cluster)
    assert cluster.redis.pid != before
    assert wait_for(lambda: record(cluster, meeting), "an answer of the node")["id"] == meeting["id"]
    assert_works(cluster)


def record(cluster, meeting):
    answer = cluster.user.request("GET", f"/meetings/{meeting['id']}")
    return answer.json if answer.status == 200 else None


def test_redis_is_stopped_and_continued(cluster):
    fault, _, _ = inject(cluster, "redis-pause")
    with pytest.raises(NoTarget, match="Redis does not answer"):
        inject(cluster, "redis-script-flush")
    fault.heal(cluster)
    assert cluster.redis.connect().call("PING") == "PONG"
    assert_works(cluster)


def test_scripts_are_forgotten(cluster):
    wait_for(lambda: cached_scripts(cluster) > 10, "scripts that Redis has been told")
    # One that nobody tells it again, as a node may do with its own at any time.
    client = cluster.redis.connect()
    own = client.call("SCRIPT", "LOAD", "return 'of this test alone'")
    assert client.call("SCRIPT", "EXISTS", own) == [1]
    fault, _, _ = inject(cluster, "redis-script-flush")
    assert client.call("SCRIPT", "EXISTS", own) == [0]
    fault.heal(cluster)
    assert_works(cluster)


def cached_scripts(cluster):
    lines = cluster.redis.connect().call("INFO", "memory").splitlines()
    return int(next(line.partition(":")[2] for line in lines if line.startswith("number_of_cached_scripts:")))


@pytest.mark.parametrize("kind, name", [("normal", "redis-client-kill-normal"), ("pubsub", "redis-client-kill-pubsub")])
def test_connections_are_closed(cluster, meeting, kind, name):
    # A bot in its room listens for commands.
    before = wait_for(lambda: connections(cluster, kind), f"a {kind} connection")
    fault, _, _ = inject(cluster, name)
    fault.heal(cluster)
    # A connection's id is never used again.
    assert not before & connections(cluster, kind)
    assert_works(cluster)


def connections(cluster, kind):
    """The ids of the connections of this kind, without the one that asks."""
    client = cluster.redis.connect()
    own = str(client.call("CLIENT", "ID"))
    lines = client.call("CLIENT", "LIST", "TYPE", kind).splitlines()
    client.close()
    return {line.split()[0].removeprefix("id=") for line in lines} - {own}


def test_clients_wait_until_the_time_is_over_or_it_is_healed(cluster):
    seen = set()
    for seed in range(6):
        fault, choice = FAULTS["redis-client-pause"](), random.Random(seed)
        lasts_ms = fault.duration_ms(cluster, choice)
        begin = time.monotonic()
        _, detail = fault.inject(cluster, choice)
        mode = detail.split()[0]
        seen.add(mode)
        client = cluster.redis.connect()
        if mode == "WRITE":
            client.call("GET", "probe")
            fault.heal(cluster)
        client.call("SET", "probe", seed)
        assert mode == "WRITE" or time.monotonic() - begin >= (lasts_ms - 2) / 1000
    assert seen == {"ALL", "WRITE"}
    assert_works(cluster)


def test_memory_is_full(cluster):
    fault, _, _ = inject(cluster, "redis-full-memory")
    with pytest.raises(RedisError, match="OOM"):
        cluster.redis.connect().call("SET", "probe", 1)
    assert cluster.redis.connect().call("EXISTS", "nothing") == 0
    fault.heal(cluster)
    cluster.redis.connect().call("SET", "probe", 1)
    assert_works(cluster)
