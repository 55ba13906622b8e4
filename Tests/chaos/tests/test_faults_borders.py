"""The faults that are put beside a command strike there, and are healed."""

import pytest

from faults.commands import DECISIONS, name_of
from faults.fault import NoTarget
from harness.proxy import Proxy
from harness.resp import RedisClient, RedisError
from harness.waiting import DEADLINE_S
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
    fault, target, found = inject(cluster, "redis-hold", wanted=wanted)
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
def test_the_cluster_works_after_it(cluster, traffic, name):
    for seed in range(2):
        fault, target, found = inject(cluster, name, seed)
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
    client = RedisClient(proxy.socket_path, timeout_s=0.2)
    yield client
    client.close()


def is_second(command):
    return command[1:] == [b"second"]


TWO = [("INCR", "first"), ("INCR", "second")]


def values(cluster):
    return cluster.redis.client.call("MGET", "first", "second")


def test_an_answer_is_held(cluster, proxy, through):
    held = proxy.hold_answer(is_second)
    with pytest.raises(TimeoutError):
        through.pipeline(TWO)
    assert held.has_struck and values(cluster) == ["1", "1"]
    held.release()
    through._socket.settimeout(30.0)
    assert through.receive() == 1


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


def test_new_connections_go_to_another_server(cluster, proxy, through):
    """A replica that answers in the place of Redis refuses to write, and has what Redis has."""
    cluster.redis.client.call("SET", "second", 7)
    assert through.call("GET", "second") == "7"
    for seed in range(8):
        fault, target, detail = inject(cluster, "redis-read-only", seed)
        for server in (cluster.node, cluster.runner):
            client = RedisClient(cluster.proxy_of(server).socket_path)
            assert client.call("GET", "second") == "7"
            if server.name in target.split(", "):
                with pytest.raises(RedisError, match="READONLY"):
                    client.call("INCR", "second")
            else:
                assert client.call("SET", "second", 7) == "OK"
            client.close()
        replica = fault._replica
        fault.heal(cluster)
        assert not replica.alive
        for server in (cluster.node, cluster.runner):
            assert RedisClient(cluster.proxy_of(server).socket_path).call("SET", "second", 7) == "OK"
        if (target, detail) == ("node, runner", "all connections"):
            break
    else:
        raise AssertionError("no choice was for all connections of both")
    assert_works(cluster)
