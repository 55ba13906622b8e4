"""Ports of their own for `/admin`, `/internal` and `/metrics`: what is there, and what is not."""

import json
import os
import signal
import socket

import pytest

from harness.http_client import Connection, request, request_bytes
from harness.node import ADMIN_KEY
from harness.ports import free_port, free_ports
from harness.up import Up
from harness.waiting import wait_for

ADMIN = ("GET", "/admin/users")
REPORT = ("POST", "/internal/bots/1b4e28ba-2fa1-11d2-883f-0016d3cca427/status")
API = ("GET", "/bots/status")
HEALTH = ("GET", "/healthz")
SURFACES = {"api", "admin", "internal", "metrics"}


@pytest.fixture
def redis_of_ports(servers):
    return servers.redis()


def ports_of(node):
    """By what they serve: the ports of a node, as its log tells them, each soon after it is open."""
    def told():
        return {line["serves"]: int(line["port"]) for line in node.said("Listening")}
    wait_for(lambda: {what for serves in told() for what in serves.split(", ")} == SURFACES, "the node's ports")
    return told()


def found(port):
    """Which of the parts of a node are on a port: everything else is 404 there, with the usual body."""
    answers = {what: request(port, *what, headers={"X-Admin-API-Key": ADMIN_KEY}, **options) for what, options in
               ((ADMIN, {}), (REPORT, {"body": {}}), (API, {}), (HEALTH, {}))}
    for what, answer in answers.items():
        if answer.status == 404:
            assert "nothing is served there" in answer.json["detail"], (what, answer)
    return {what for what, answer in answers.items() if answer.status != 404}


def test_a_surface_is_on_its_own_port_and_on_no_other(servers, redis_of_ports):
    node = servers.node(redis_of_ports, ADMIN_PORT=0, INTERNAL_PORT=0, METRICS_PORT=0, LOOPS=2)
    ports = ports_of(node)
    assert ports["api"] == node.port and len(set(ports.values())) == 4
    assert found(ports["api"]) == {API, HEALTH}
    assert found(ports["admin"]) == {ADMIN, HEALTH}
    assert found(ports["internal"]) == {REPORT, HEALTH}
    assert found(ports["metrics"]) == {HEALTH}


def test_surfaces_share_a_port_at_the_private_address(servers, redis_of_ports):
    port = free_port()
    node = servers.node(redis_of_ports, ADMIN_PORT=port, INTERNAL_PORT=port, PRIVATE_HOST="127.0.0.2")
    assert found(node.port) == {API, HEALTH}
    with pytest.raises(ConnectionRefusedError):
        request(port, *HEALTH)
    [line] = node.says("Listening", port=str(port))
    assert (line["host"], line["serves"]) == ("127.0.0.2", "admin, internal")


def test_a_variable_that_is_no_setting_is_told_in_the_log(servers, redis_of_ports):
    node = servers.node(redis_of_ports, PROT=1)
    assert node.says('The variable "USHER_PROT" is not a setting and has no effect; is USHER_PORT meant?')


def test_a_metrics_port_is_not_shared_with_another_node(servers, redis_of_ports):
    first = servers.node(redis_of_ports, METRICS_PORT=0)
    port = ports_of(first)["metrics"]
    second = servers.node(redis_of_ports, start=False, METRICS_PORT=port)
    second.spawn()
    assert second.wait() == 1
    errors = [line for line in map(json.loads, second.log.splitlines()) if line["level"] == "error"]
    assert len(errors) == 1 and f"127.0.0.1:{port} is in use" in errors[0]["message"], second.log
    # A stopped node gives it back.
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert ports_of(servers.node(redis_of_ports, METRICS_PORT=port))["metrics"] == port


def refusal(node):
    """The one error of the log with which a node refuses to start."""
    node.spawn()
    assert node.wait() == 1
    [error] = [line["message"] for line in map(json.loads, node.log.splitlines()) if line["level"] == "error"]
    return error


def second_node(servers, first, redis, **settings):
    """Another one on the first one's port."""
    node = servers.node(redis, start=False, **{"PORT": first.port, **settings})
    node.port = first.port
    return node


@pytest.mark.parametrize("loops", [1, 2])
def test_a_port_in_use_is_not_shared_unasked(servers, redis_of_ports, loops):
    first = servers.node(redis_of_ports, LOOPS=loops)
    assert refusal(second_node(servers, first, redis_of_ports, LOOPS=loops)) == (
        f"127.0.0.1:{first.port} is in use by another node (process {first.pid}): stop it, choose another port with "
        "--port, or let both share it with --share-port, if they use the same Redis.")
    # Nor is a part of it: an address that takes it in.
    assert f"0.0.0.0:{first.port} is in use by another node" in refusal(
        second_node(servers, first, redis_of_ports, HOST="0.0.0.0"))
    other = second_node(servers, first, redis_of_ports, ADMIN_PORT=first.port, PORT=free_port())
    assert f"127.0.0.1:{first.port} is in use by another node (process {first.pid})" in refusal(other)
    assert "--admin-port" in other.log


def test_a_port_is_shared_by_nodes_of_one_redis(servers, redis_of_ports):
    first = servers.node(redis_of_ports, SHARE_PORT="yes")
    second = second_node(servers, first, redis_of_ports, SHARE_PORT="yes")
    second.spawn()
    wait_for(lambda: second.said("Listening"), "the second one's start")
    # Which may be before it has reached Redis.
    second.says("Connected to Redis", loop="0")
    # As a rolling restart does it.
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert second.is_serving()


def test_a_port_is_not_shared_with_another_redis(servers, redis_of_ports):
    first = servers.node(redis_of_ports, SHARE_PORT="yes")
    other = second_node(servers, first, servers.redis(), SHARE_PORT="yes")
    assert f"is in use by a node (process {first.pid}) with another Redis" in refusal(other)
    assert first.is_serving()


@pytest.mark.parametrize("setting", [{}, {"SHARE_PORT": "yes"}])
def test_a_port_is_not_shared_with_who_knows_whom(servers, redis_of_ports, setting):
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        node = servers.node(redis_of_ports, start=False, PORT=port, **setting)
        error = refusal(node)
        assert f"127.0.0.1:{port} is in use by a" in error and f"program (process {os.getpid()})" in error


@pytest.mark.parametrize("setting", [{}, {"SHARE_PORT": "yes"}])
def test_of_two_that_start_at_once_on_a_port_one_listens(servers, redis_of_ports, setting):
    """Of several Redis, if they may share it."""
    others = servers.redis() if setting else redis_of_ports
    holder = servers.node(redis_of_ports, start=False)
    nodes = [second_node(servers, holder, redis, **setting) for redis in [redis_of_ports, others] * 3]
    for node in nodes:
        node.spawn()
    wait_for(lambda: all(node.said("Listening") or not node.alive for node in nodes), "the start of some")
    listening = [node for node in nodes if node.said("Listening")]
    assert len({node.environment["USHER_REDIS"] for node in listening}) == 1
    assert len(listening) == (3 if setting else 1)


def test_the_flag_alone_means_yes(servers, redis_of_ports):
    first = servers.node(redis_of_ports)
    second = second_node(servers, first, redis_of_ports)
    second.arguments.append("--share-port")
    second.spawn()
    wait_for(lambda: second.said("Listening"), "the second one's start")
    assert first.alive


def test_a_stop_drains_every_port(servers, redis_of_ports):
    """What is under way on a port of its own is answered, as on the public one."""
    node = servers.node(redis_of_ports, ADMIN_PORT=0)
    whole = request_bytes(*ADMIN, headers={"X-Admin-API-Key": ADMIN_KEY})
    connection = Connection(ports_of(node)["admin"])
    connection.send(request_bytes(*HEALTH))
    assert connection.receive().status == 200
    connection.send(whole[:20])
    node.signal(signal.SIGTERM)
    wait_for(lambda: node.said("Stopping: answering what is under way"), "the stop of the node")
    connection.send(whole[20:])
    answer = connection.receive()
    assert (answer.status, answer.header("Connection")) == (200, "close")
    connection.close()
    assert node.wait() == 0


def test_up_gives_each_of_its_nodes_a_metrics_port(servers):
    first = free_ports(2)
    up = servers.add(Up(servers.folder, "--metrics-port", first, "--internal-port", 0, "--runners", 0)).start()
    urls = [f"http://127.0.0.1:{first + number}/metrics" for number in range(2)]
    assert f"  metrics    {', '.join(urls)}\n" in up.output
    for number in range(2):
        assert found(first + number) == {HEALTH}
    assert found(up.port) == {ADMIN, API, HEALTH}
