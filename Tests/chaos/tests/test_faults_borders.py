"""The faults that are put beside a command strike there, and are healed."""

import pytest

from faults.commands import DECISIONS, name_of
from faults.fault import NoTarget
from harness.link import TO_CLIENT
from harness.proxy import Proxy
from harness.resp import RedisClient, RedisError, encode
from harness.waiting import DEADLINE_S, wait_for
from small_cluster import inject
from traffic import Traffic


@pytest.fixture(scope="module")
def traffic(cluster):
    # One that stays, whose lease is renewed.
    cluster.bot_in_its_room()
    working = Traffic(cluster)
    yield working
    working.end()


@pytest.fixture
def patience(monkeypatch):
    """However slow the machine is, the command that was chosen comes in time."""
    monkeypatch.setattr("faults.border.BORDER_S", DEADLINE_S)
    monkeypatch.setattr("faults.borders.PATIENCE_S", DEADLINE_S)


def assert_works(cluster):
    cluster.remove(cluster.bot_in_its_room())


BY_NODES = {"lock", "dispatch", "request_bot", "report", "stop"}


@pytest.mark.parametrize("wanted", DECISIONS)
def test_every_command_that_decides_is_found(cluster, traffic, patience, wanted):
    """By the hash of its script, and held until it is released."""
    fault, target, found = inject(cluster, "redis-hold", wanted)
    assert found == wanted
    # The node's sweep loses bots too.
    assert target == "node" if wanted in BY_NODES else target in ("runner", "node")
    fault.heal(cluster)


def test_scripts_are_found_by_their_text_too(cluster, traffic):
    """After a SCRIPT FLUSH, a script comes with its text, once."""
    cluster.redis.client.call("SCRIPT", "FLUSH")
    texts = []

    def comes_with_its_text(command):
        if command[0].upper() == b"EVAL" and name_of(command):
            texts.append(name_of(command))
            return True
        return False
    proxy = cluster.proxy_of(cluster.node)
    held = proxy.hold(comes_with_its_text)
    held.wait_until_struck("a script's text")
    held.release()
    assert texts


@pytest.mark.parametrize("name", [
    "redis-cut-after-execution", "redis-cut-before-execution", "redis-cut-within-pipeline", "redis-hold",
    "redis-hold-answer", "redis-hold-within-pipeline"])
def test_the_cluster_works_after_it(cluster, traffic, monkeypatch, name):
    # A lock that a cut leaves behind holds up the traffic for as long as it lasts.
    monkeypatch.setattr("faults.border.BORDER_S", DEADLINE_S)
    for seed in range(2):
        fault, target, found = inject(cluster, name, seed=seed)
        assert target in ("node", "runner") and found
        fault.heal(cluster)
    assert_works(cluster)


def test_commands_that_do_not_come_are_no_target(cluster, monkeypatch):
    monkeypatch.setattr("faults.border.BORDER_S", 0.1)
    monkeypatch.setattr("faults.commands._script_names", {})
    monkeypatch.setattr("faults.borders.DECISIONS", ("claim",))
    with pytest.raises(NoTarget, match="no claim or another command that decides came within 0.1 s"):
        inject(cluster, "redis-hold")
    assert cluster.proxy_of(cluster.node)._faults == []


# What the proxy's own faults do, on connections of the test's own.


@pytest.fixture
def proxy(cluster):
    started = Proxy(cluster.redis.socket_path, cluster.folder, "proxy-of-the-test").start()
    yield started
    started.end()


@pytest.fixture
def through(cluster, proxy):
    cluster.redis.client.call("DEL", "first", "second")
    client = RedisClient(proxy.socket_path)
    yield client
    client.close()


def is_second(command):
    return command[1:] == [b"second"]


TWO = [("INCR", "first"), ("INCR", "second")]


def values(cluster):
    return cluster.redis.client.call("MGET", "first", "second")


def test_an_answer_is_held(cluster, proxy, through):
    held = proxy.hold_answer(is_second)
    through._socket.sendall(b"".join(encode(*command) for command in TWO))
    held.wait_until_struck("the second command's answer")
    assert through.receive() == 1 and values(cluster) == ["1", "1"]
    through._socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        through.receive()
    held.release()
    through._socket.settimeout(30.0)
    assert through.receive() == 1


def test_what_a_dead_client_had_sent_goes_on(cluster, proxy, through):
    """Though it is not there to hear the answer to what came before."""
    held = proxy.hold(is_second)
    proxy.half_open((TO_CLIENT,))
    through._socket.sendall(b"".join(encode(*command) for command in TWO))
    held.wait_until_struck("the second command")
    # Before it could send this answer, Redis would drop a client that is gone, with all that is unread of it.
    wait_for(lambda: [one.answers for one in proxy.connections] == [1], "the first command's answer")
    assert values(cluster) == ["1", None]
    through.close()
    proxy.flow()
    held.release()
    wait_for(lambda: values(cluster) == ["1", "1"], "the second command's execution")


def test_only_what_follows_in_a_pipeline_is_lost(cluster, proxy, through):
    lost = proxy.lose_command(lambda command: command[0] == b"INCR", follows=True)
    assert through.call("INCR", "first") == 1 and not lost.has_struck
    with pytest.raises(ConnectionError):
        through.pipeline(TWO)
    assert lost.has_struck and values(cluster) == ["2", None]


def test_a_fault_that_has_not_struck_can_be_taken_back(proxy, through):
    waiting = proxy.lose_command(is_second)
    assert proxy.forget(waiting) and not proxy.forget(waiting)
    assert through.call("INCR", "second") == 1


@pytest.mark.parametrize("extent, which", [("for all", "all connections"), ("for one", "new connections")])
def test_a_replica_answers_in_the_place_of_redis(cluster, through, extent, which):
    """It has what Redis has, and refuses to write."""
    cluster.redis.client.call("SET", "second", 7)
    servers = [cluster.node, cluster.runner]
    before = [RedisClient(cluster.proxy_of(server).socket_path) for server in servers]
    for client in before:
        client.call("PING")
    fault, target, detail = inject(cluster, "redis-read-only", extent, which, cluster.node)
    assert (target, detail) == ("node, runner" if extent == "for all" else "node", which)
    for server, old in zip(servers, before):
        if which == "all connections":
            with pytest.raises(ConnectionError):
                old.call("PING")
        else:
            assert old.call("SET", "second", 7) == "OK"
        client = RedisClient(cluster.proxy_of(server).socket_path)
        assert client.call("GET", "second") == "7"
        if server.name in target:
            with pytest.raises(RedisError, match="READONLY"):
                client.call("INCR", "second")
        else:
            assert client.call("SET", "second", 7) == "OK"
        client.close()
    fault.heal(cluster)
    for server in servers:
        assert RedisClient(cluster.proxy_of(server).socket_path).call("SET", "second", 7) == "OK"
    assert_works(cluster)
