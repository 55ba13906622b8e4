"""Nodes behind a real HAProxy, set up as in compose.yaml: updated and lost under load."""

import functools
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from harness.balancer import Balancer
from harness.bots_user import BotsUser
from harness.http_client import NO_BODY, Connection, request, request_bytes
from harness.load import Load
from harness.node import ADMIN_KEY
from harness.proxy import is_dispatch_script, is_script_with
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

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


def test_admin_and_internal_are_not_for_the_public(servers):
    """As compose.yaml has it: bots report by a port of the balancer's that is not published, users by the other."""
    redis = servers.redis()
    nodes = [servers.node(redis, ADMIN_PORT=0, INTERNAL_PORT=0) for _ in range(2)]
    ports = [{serves: int(line["port"]) for serves in ("admin", "internal")
              for line in node.says("Listening", serves=serves)} for node in nodes]
    balancer = servers.add(Balancer(
        servers.folder, [node.port for node in nodes], internal_ports=[port["internal"] for port in ports])).start(ready=2)
    for path in ("/admin/users", "/internal/bots/x/status"):
        assert balancer.request("POST", path, headers={"X-Admin-API-Key": ADMIN_KEY}).status == 404
    runner = servers.runner(redis, nodes[0], API_URL=f"http://127.0.0.1:{balancer.internal_port}")
    user = BotsUser(Admin(SimpleNamespace(request=functools.partial(request, ports[0]["admin"]))))
    user.node = balancer
    meeting = user.send_bot()
    user.wait_for_status(meeting, "active")
    assert runner.started and balancer.requests("internal") > 0


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
            # The POST before it must not fail either.
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


def test_killed_nodes_fail_no_request(fleet):
    """What was in them is asked of another node, by the same idempotency key, and done once."""
    load = Load(Users(fleet), threads=4).start()
    for node in fleet.nodes:
        load.wait_for_more(30, "the load before a kill")
        node.kill()
        fleet.wait_until_ready(2)
        node.start()
        fleet.wait_until_ready(3)
    load.wait_for_more(30, "the load after the kills")
    results = load.stop()
    assert not failures(results), f"{len(failures(results))} of {len(results)}: {failures(results)[:3]}"
    sent = [answer.json["meeting_id"] for method, answer in results if method == "POST"]
    assert len(set(sent)) == len(sent)
    dispatched = [fields["meeting_id"] for _, fields in fleet.redis.client.stream(fleet.workspace.keys.dispatch)]
    assert sorted(dispatched) == sorted(sent)
    assert fleet.redis.client.call("ZCARD", fleet.workspace.keys.meetings) == len(sent)


class Pair:
    """A node that reaches its Redis through a proxy and one that does not, behind the balancer."""

    def __init__(self, servers):
        self.redis = servers.redis()
        self.proxy = servers.proxy(self.redis)
        self.victim = servers.node(self.proxy, REDIS_TIMEOUT_MS=60_000, REQUEST_TIMEOUT_MS=60_000, LOCK_TTL_MS=60_000)
        other = servers.node(self.redis)
        self.balancer = servers.add(Balancer(servers.folder, [self.victim.port, other.port])).start(ready=2)
        # What is to be there before goes past the balancer, which gives each node its turn.
        admin = Admin(other)
        self.workspace = admin.create_workspace()
        self.workspace.key = admin.create_key(
            self.workspace.id, self.workspace.owner["id"], scopes=("seameet", "bots"))["key"]

    def lose(self, script, prepare, ask):
        """Asks until the victim has had Redis run the script, and kills it before it answers. Gives what `prepare`
        made, and the answer."""
        held = self.proxy.hold_answer(script)
        with ThreadPoolExecutor(1) as pool:
            for _ in range(20):
                prepared = prepare()
                answer = pool.submit(ask, prepared)
                wait_for(lambda: answer.done() or held.has_struck, "an answer, or the script at the proxy")
                if held.has_struck:
                    self.victim.kill()
                    return prepared, answer.result()
        raise AssertionError("the balancer sent nothing to the node that was to be killed")

    def ask(self, method, path, body=NO_BODY):
        return self.workspace.request(method, path, body, node=self.balancer)


@pytest.fixture
def pair(servers):
    return Pair(servers)


def test_a_dispatch_that_a_killed_node_did_is_answered_by_another(pair):
    workspace = pair.workspace
    meeting, answer = pair.lose(
        is_dispatch_script, workspace.create_meeting, lambda meeting: workspace.reinvite(meeting, node=pair.balancer))
    assert answer.status == 202 and answer.json["action"] == "dispatched"
    assert len(meeting.dispatches(pair.redis.client)) == 1
    state = workspace.request("GET", f"{workspace.meetings_path}/{meeting.id}").json
    assert answer.json["dispatched_at"] == state["dispatched_at"]
    assert workspace.reinvite(meeting).json["code"] == 12107


def test_a_bot_that_a_killed_node_sent_is_answered_by_another(pair):
    workspace = pair.workspace

    def send(room):
        return pair.ask("POST", "/bots", {"platform": "google_meet", "native_meeting_id": room})

    room, answer = pair.lose(is_script_with(b":latest:", b":dispatch"), random_meet_code, send)
    assert answer.status == 201 and answer.json["native_meeting_id"] == room
    entries = pair.redis.client.stream(workspace.keys.dispatch)
    assert sum(fields["room"].endswith(room) for _, fields in entries) == 1
    assert send(room).status == 409


def test_a_stop_that_a_killed_node_did_is_answered_by_another(pair):
    workspace = pair.workspace

    def send():
        room = random_meet_code()
        body = {"platform": "google_meet", "native_meeting_id": room}
        assert workspace.request("POST", "/bots", body).status == 201
        return room

    def stop(room):
        return pair.ask("DELETE", f"/bots/google_meet/{room}")

    room, answer = pair.lose(is_script_with(b":ended", b":dispatch"), send, stop)
    assert (answer.status, answer.json) == (202, {"message": "The bot was stopped before it had started."})
    assert stop(room).status == 404


def test_what_cannot_come_twice_is_not_sent_twice(pair):
    """The administration knows no idempotency keys: its user looks, and asks again."""
    admin = Admin(pair.balancer)
    _, answer = pair.lose(
        is_script_with(b"usher:key:"), lambda: None,
        lambda _: admin.request(
            "POST", f"/admin/workspaces/{pair.workspace.id}/keys",
            {"user_id": pair.workspace.owner["id"], "scopes": ["bots"]}))
    assert answer.status == 502 and answer.json["code"] == 502


class Deadly:
    """Takes requests in and closes each connection without an answer, as a node that a request kills; found ready."""

    def __init__(self, seen, name):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._seen, self._name = seen, name
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                head = connection.recv(65536)
                if head.startswith(b"GET /readyz"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                elif head:
                    self._seen.append(self._name)

    def close(self):
        # Wakes the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_a_request_that_kills_its_node_reaches_no_third_one(servers):
    seen = []
    nodes = [Deadly(seen, name) for name in "abcde"]
    try:
        balancer = servers.add(Balancer(servers.folder, [node.port for node in nodes])).start(ready=5)
        for method in ("GET", "POST"):
            seen.clear()
            answer = balancer.request(method, "/bots")
            assert answer.status == 502 and answer.json["code"] == 502
            assert len(seen) == len(set(seen)) == 2, seen
    finally:
        for node in nodes:
            node.close()


def test_what_the_balancer_says_by_itself_is_what_usher_would_say(fleet):
    """JSON with both APIs' members: nobody should have to read HTML."""
    fleet.redis.kill()
    fleet.wait_until_ready(0)
    answer = fleet.workspace.request("GET", fleet.workspace.meetings_path)
    assert answer.status == 503 and answer.header("Retry-After") == "2"
    assert answer.header("Content-Type") == "application/json"
    assert answer.json["code"] == 503 and answer.json["detail"] and answer.json["error"]
    assert len(answer.header("X-Request-Id")) == 36
    for sent, is_kept in [("mine-1", True), ("not/mine", False), ("x" * 129, False)]:
        answer = fleet.balancer.request("GET", "/readyz", headers={"X-Request-Id": sent})
        assert (answer.header("X-Request-Id") == sent) == is_kept and answer.header("X-Request-Id")
    fleet.redis.start()
    fleet.wait_until_ready(3)
    assert fleet.workspace.request("GET", fleet.workspace.meetings_path).status == 200


def test_a_request_that_breaks_off_is_answered_in_json(pair):
    """A chunk that is none; and a body that does not arrive, for which it waits 15 s."""
    head = b"POST /bots HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n"
    chunked, slow = Connection(pair.balancer.port), Connection(pair.balancer.port)
    slow.send(head + b"Content-Length: 10\r\n\r\n{")
    chunked.send(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
    # Once the header section was taken, or HAProxy would not know yet what to answer in.
    wait_for(lambda: pair.balancer.requests() >= 2, "both requests")
    chunked.send(b"no length\r\n")
    for connection, status, error in [(chunked, 400, "Bad request"), (slow, 408, "Request timeout")]:
        answer = connection.receive()
        assert (answer.status, answer.json["code"], answer.json["error"]) == (status, status, error)
        assert answer.json["detail"] and answer.json["parameters"] == {}
        assert answer.header("Content-Type") == "application/json" and answer.header("X-Request-Id") == "mine"


def test_header_sections_that_nodes_take_pass(pair):
    """And one that they do not take is answered by them."""
    for size, status in [(16_000, 200), (17_000, 431)]:
        answer = pair.balancer.request("GET", "/healthz", headers={"X-Long": "x" * size})
        assert answer.status == status, answer


def test_a_request_that_fills_most_of_a_buffer_is_sent_again_too(pair):
    workspace = pair.workspace
    body = b'{"force_restart": false' + b" " * 30_000 + b"}"

    def ask(meeting):
        return pair.balancer.request(
            "POST", workspace.reinvite_path(meeting), raw_body=body, headers=workspace.headers())

    meeting, answer = pair.lose(is_dispatch_script, workspace.create_meeting, ask)
    assert answer.status == 202, answer
    assert len(meeting.dispatches(pair.redis.client)) == 1


@pytest.mark.parametrize("proxy, is_believed", [(None, False), ("127.0.0.1", True), ("127.0.0.2", False)])
def test_only_a_proxy_that_is_named_says_who_the_client_is(servers, proxy, is_believed):
    """Requests without a valid key get one each and address; the next is 429."""
    node = servers.node(
        servers.redis(), TRUSTED_PROXIES="127.0.0.1", ADDRESS_RATE_LIMIT_PER_SECOND=1, ADDRESS_RATE_LIMIT_BURST=1,
        start=False)
    node.spawn()
    balancer = servers.add(Balancer(servers.folder, [node.port], proxy=proxy)).start()

    def ask(client):
        return balancer.request(
            "GET", "/bots/status", headers={"X-API-Key": "unknown", "X-Forwarded-For": client}).status

    wait_for(lambda: ask("198.51.100.1") == 429, "the end of what an address may")
    others = [ask(f"203.0.113.{number}") for number in range(1, 21)]
    assert (others == [401] * 20) == is_believed, others
