"""A node under a flood from one address: others are answered, its memory has a bound, and all is given back.

How fast it is meanwhile, `make bench ARGS="--only floods"` measures.
"""

import os

import pytest

from harness.flood import KINDS, Flood, Idle
from harness.http_client import Connection, request_bytes
from harness.waiting import wait_for
from harness.workspace import Admin

SIZE = 200
# A tenth of it would do for each of these connections; what counts is that it does not grow with what is sent.
MEMORY_BOUND_BYTES = 96 << 20


LISTENING = "0A"


def connections(node):
    """How many of clients the node holds. Not all of its descriptors: those to Redis it opens when it comes to need them."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows
               if row[1].endswith(f":{node.port:04X}") and row[3] != LISTENING}
    return sum(target in sockets for target in targets(f"/proc/{node.pid}/fd"))


def targets(folder):
    """What the links in a folder lead to, but for those that have gone meanwhile."""
    for name in os.listdir(folder):
        try:
            yield os.readlink(os.path.join(folder, name))
        except FileNotFoundError:
            pass


def resident_bytes(node):
    with open(f"/proc/{node.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_others_are_served_during_a_flood(servers, kind):
    node = servers.node(servers.redis(), MAX_CONNECTIONS=1000)
    workspace = Admin(node).create_workspace()
    before, memory = connections(node), resident_bytes(node)
    with Flood(kind, node.port, SIZE) as flood:
        wait_for(lambda: flood.opened >= SIZE and connections(node) >= before + SIZE // 2, "the flood")
        for _ in range(20):
            assert workspace.request("GET", workspace.meetings_path).status == 200
        assert resident_bytes(node) - memory < MEMORY_BOUND_BYTES
    wait_for(lambda: connections(node) <= before, "the end of the flood's connections")
    assert workspace.request("GET", workspace.meetings_path).status == 200


def test_who_is_connected_is_served_when_all_connections_are_taken(servers):
    node = servers.node(servers.redis(), MAX_CONNECTIONS=100)
    workspace = Admin(node).create_workspace()
    data = request_bytes("GET", workspace.meetings_path, headers=workspace.headers())
    connection = Connection(node.port)
    try:
        connection.send(data)
        assert connection.receive().status == 200
        with Flood(Idle, node.port, SIZE):
            wait_for(lambda: node.said("connection limit reached: new connections wait"), "the limit")
            for _ in range(20):
                connection.send(data)
                assert connection.receive().status == 200
        # Whoever had to wait is served when there is room again.
        assert workspace.request("GET", workspace.meetings_path).status == 200
    finally:
        connection.close()


def test_one_address_cannot_take_all_connections(servers):
    node = servers.node(servers.redis(), MAX_CONNECTIONS=100, MAX_CONNECTIONS_PER_ADDRESS=20)
    workspace = Admin(node).create_workspace()
    before = connections(node)
    with Flood(Idle, node.port, SIZE) as flood:
        wait_for(lambda: flood.opened > 2 * SIZE, "connections that were closed, and opened anew")
        for _ in range(20):
            assert workspace.request("GET", workspace.meetings_path).status == 200
        # One that is being closed counts until it is.
        wait_for(lambda: connections(node) <= before + 20 + 2, "no more connections than one address may have")
    wait_for(lambda: connections(node) <= before, "the end of the flood's connections")


def test_trusted_proxies_may_have_any_number_of_connections(servers):
    node = servers.node(
        servers.redis(), MAX_CONNECTIONS=1000, MAX_CONNECTIONS_PER_ADDRESS=20, TRUSTED_PROXIES="127.0.0.2")
    before = connections(node)
    with Flood(Idle, node.port, SIZE):
        wait_for(lambda: connections(node) >= before + SIZE // 2, "connections of a proxy")
