"""Nodes behind a real HAProxy, set up as in compose.yaml: updated and lost under load (issue 6, section 2)."""

import signal
import threading

import pytest

from harness.balancer import Balancer
from harness.http_client import Connection, request_bytes
from harness.load import Load
from harness.waiting import wait_for
from harness.workspace import Admin

# For as long as the balancer needs to see it, on a slow machine too: the tests end it by a second signal.
DRAIN_DELAY_MS = 600_000


class Fleet:
    """Three nodes on one Redis, and the balancer in front."""

    def __init__(self, servers):
        self.redis = servers.redis(durable=True)
        self.nodes = [servers.node(self.redis, DRAIN_DELAY_MS=DRAIN_DELAY_MS, LOCK_TTL_MS=500) for _ in range(3)]
        self.balancer = servers.add(Balancer(servers.folder, [node.port for node in self.nodes])).start(ready=3)
        self.workspace = Admin(self.balancer).create_workspace()

    def wait_until_ready(self, count):
        wait_for(lambda: self.balancer.ready_count() == count, f"{count} ready nodes")


@pytest.fixture
def fleet(servers):
    return Fleet(servers)


class Users:
    """Each thread a user with one keep-alive connection, who asks for things in turn and makes bots be sent."""

    def __init__(self, fleet):
        self.fleet = fleet
        self._own = threading.local()

    def __call__(self, number):
        """(what was asked, the answer or what came in its place), each way of asking in turn."""
        workspace = self.fleet.workspace
        if number % 3 == 0:
            return self._ask("GET", workspace.meetings_path + "?limit=1")
        if number % 3 == 1:
            meeting = workspace.create_meeting()
            return self._ask("POST", workspace.reinvite_path(meeting))
        # On a connection of its own.
        answer = workspace.request("GET", workspace.meetings_path + "?limit=1")
        return "GET", answer

    def _ask(self, method, path):
        if not hasattr(self._own, "connection"):
            self._own.connection = Connection(self.fleet.balancer.port)
        self._own.connection.send(request_bytes(method, path, headers=self.fleet.workspace.headers()))
        answer = self._own.connection.receive()
        assert answer is not None, "the balancer closed a connection between two requests"
        return method, answer


EXPECTED = {"GET": {200}, "POST": {202}}


def failures(results):
    return [(method, answer) for method, answer in results if answer.status not in EXPECTED[method]]


def test_rolling_restart_under_load_fails_no_request(fleet):
    load = Load(Users(fleet), threads=4).start()
    for node in fleet.nodes:
        load.wait_for_more(20, "the load before a restart")
        node.signal(signal.SIGTERM)
        fleet.wait_until_ready(2)
        node.signal(signal.SIGTERM)
        assert node.wait() == 0, node.log
        node.start()
        fleet.wait_until_ready(3)
    load.wait_for_more(20, "the load after the restarts")
    results = load.stop()
    assert not failures(results), f"{len(failures(results))} of {len(results)}: {failures(results)[:3]}"
    assert all(node.said("Stopped")[0]["connections_cut"] == "0" for node in fleet.nodes)


def test_a_killed_node_fails_no_reading_request(fleet):
    """Reading requests are asked of another node. What may change something is not sent twice: its user gets 502."""
    users = Users(fleet)
    load = Load(lambda number: users(number * 3), threads=4).start()
    load.wait_for_more(50, "the load before the kill")
    fleet.nodes[0].kill()
    load.wait_for_more(50, "the load after the kill")
    fleet.wait_until_ready(2)
    results = load.stop()
    assert not failures(results), f"{len(failures(results))} of {len(results)}: {failures(results)[:3]}"


def test_what_the_balancer_says_by_itself_is_what_usher_would_say(fleet):
    """JSON with both APIs' members: nobody should have to read HTML."""
    fleet.redis.kill()
    fleet.wait_until_ready(0)
    answer = fleet.workspace.request("GET", fleet.workspace.meetings_path)
    assert answer.status == 503 and answer.header("Retry-After") == "2"
    assert answer.header("Content-Type") == "application/json"
    assert answer.json["code"] == 503 and answer.json["detail"] and answer.json["error"]
    fleet.redis.start()
    fleet.wait_until_ready(3)
    assert fleet.workspace.request("GET", fleet.workspace.meetings_path).status == 200
