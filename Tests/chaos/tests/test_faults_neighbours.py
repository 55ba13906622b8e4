"""The faults that one tenant, one bot or one clock makes for everybody do what they say, and are healed."""

import shutil

import pytest

from faults.clock import COMPILER
from harness.transcripts import STREAM
from harness.waiting import wait_for
from small_cluster import inject, running

needs_compiler = pytest.mark.skipif(shutil.which(COMPILER) is None, reason="no C compiler: install the package gcc")


@pytest.fixture(scope="module")
def cluster():
    """One whose renewals have time, however slow the machine is."""
    with running(lease_ttl=12_000, redis_timeout=3000, request_timeout=6000) as started:
        yield started


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """However slow the machine is, a Redis that is not stopped answers in time, and so does a node."""
    monkeypatch.setattr("faults.redis.SILENCE_S", 10.0)
    monkeypatch.setattr("faults.redis.ASKING_S", 30.0)


def assert_works(cluster):
    cluster.remove(cluster.bot_in_its_room())


def stop(cluster, meeting):
    """Whoever asks again is heard in the end, and then the bot leaves."""
    wait_for(lambda: cluster.user.request("DELETE", cluster.user.bot_path(meeting)).status == 202,
             "the taking of a stop", interval_s=0.05)
    cluster.wait_for_status(meeting, "completed")


def assert_renewed(cluster, meeting, times=3):
    """The lease of the meeting's bot, which is in its room, is renewed so often."""
    client = cluster.redis.connect()
    bot_id = cluster.user.bot_id(client, meeting)
    leases = f"{cluster.user.keys.partition}:leases"

    def expiry():
        return float(client.call("ZSCORE", leases, bot_id) or 0)
    for _ in range(times):
        before = expiry()
        assert before
        wait_for(lambda: expiry() > before, "the renewal of the lease")


def test_another_tenant_fills_redis_and_bots_live_on(cluster, meeting):
    fault, _, detail = inject(cluster, "redis-filled")
    assert detail.endswith("until 503"), detail
    assert_renewed(cluster, meeting)
    # What ends bots works too.
    stop(cluster, meeting)
    fault.heal(cluster)
    assert_works(cluster)


@pytest.mark.parametrize("kind", ["node", "runner"])
def test_nobody_reads_a_log_and_bots_live_on(cluster, meeting, kind):
    server = getattr(cluster, kind)
    fault, target, _ = inject(cluster, f"{kind}-log-stalled")
    assert target == server.name
    for _ in range(3):
        cluster.remove(cluster.bot_in_its_room())
    assert_renewed(cluster, meeting)
    fault.heal(cluster)
    assert_works(cluster)


@pytest.mark.parametrize("seed", range(3))
def test_poison_is_put_aside(cluster, seed):
    client = cluster.redis.connect()
    before = int(client.call("GET", "usher:dead_letters:count") or 0)
    pid = cluster.node.pid
    fault, _, _ = inject(cluster, "stream-poison", seed=seed)
    wait_for(lambda: int(client.call("GET", "usher:dead_letters:count") or 0) > before, "a dead letter")
    wait_for(lambda: client.call("XLEN", STREAM) == 0, "the end of the entry")
    fault.heal(cluster)
    assert cluster.node.alive and cluster.node.pid == pid
    assert_works(cluster)


@needs_compiler
def test_the_clock_of_redis_is_set_back(cluster, meeting):
    client = cluster.redis.connect()
    before = int(client.call("TIME")[0])
    fault, _, _ = inject(cluster, "redis-clock-back")
    assert int(cluster.redis.connect().call("TIME")[0]) < before - 3000
    # What was on its way and what comes anew.
    stop(cluster, meeting)
    assert_works(cluster)
    fault.heal(cluster)
