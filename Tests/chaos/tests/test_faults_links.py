"""The faults of the network do what they say, and are healed."""

import socket
import threading
import time

import pytest

from harness.resp import RedisClient, encode
from harness.waiting import DEADLINE_S, wait_for
from faults.proxies import ApiProxy
from small_cluster import inject

# Long enough for what passes to have passed, were it let through.
SILENCE_S = 0.2

# Of what was under way while nothing passed.
FATES = pytest.mark.parametrize("fate", ["late", "lost"])


@pytest.fixture(autouse=True)
def mended(cluster):
    yield
    cluster.mend()


@pytest.fixture
def server(request, cluster):
    """Whose way to Redis is disturbed; the proxies of all servers are alike."""
    return getattr(cluster, getattr(request, "param", "node"))


@pytest.fixture
def through(cluster, server):
    """A connection to Redis by the way that the server's own ones take."""
    client = RedisClient(cluster.proxy_of(server).socket_path)
    yield client
    client.close()


@pytest.fixture
def counter(cluster):
    """Reads the counter of the tests from Redis itself."""
    client = cluster.redis.connect()
    client.call("DEL", "counter", "list")
    yield lambda: client.call("GET", "counter")
    client.close()


def is_closed(client):
    try:
        client.receive()
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def assert_silent(client, *command):
    """No answer comes to a command."""
    client._socket.settimeout(SILENCE_S)
    with pytest.raises(TimeoutError):
        client.call(*command)
    client._socket.settimeout(DEADLINE_S)


def strike(cluster, name, server, *wanted):
    fault, target, detail = inject(cluster, name, server, *wanted)
    assert target == server.name
    return fault, detail


def assert_works(cluster):
    cluster.remove(cluster.bot_in_its_room())


@pytest.mark.parametrize("server", ["node", "runner"], indirect=True)
def test_the_way_to_redis_is_cut(cluster, server, through):
    through.call("PING")
    fault, _ = strike(cluster, "redis-link-cut", server)
    assert is_closed(through)
    with pytest.raises(ConnectionError):
        RedisClient(cluster.proxy_of(server).socket_path).call("PING")
    wait_for(lambda: cluster.node.is_serving() == (server is not cluster.node), "a node that serves unless it is cut off")
    fault.heal(cluster)
    assert_works(cluster)


def is_blocked(cluster, command):
    clients = cluster.redis.client.call("CLIENT", "LIST").splitlines()
    return any(f" cmd={command} " in client and " flags=b" in client for client in clients)


@FATES
def test_commands_do_not_arrive_while_answers_do(cluster, server, through, counter, fate):
    listening = RedisClient(cluster.proxy_of(server).socket_path)
    listening._socket.sendall(encode("BLPOP", "list", 0))
    wait_for(lambda: is_blocked(cluster, "blpop"), "the wait for an entry")
    fault, _ = strike(cluster, "redis-link-half-open-to", server, fate)
    cluster.redis.client.call("RPUSH", "list", "entry")
    assert listening.receive() == ["list", "entry"]
    assert_silent(through, "INCR", "counter")
    assert counter() is None
    fault.heal(cluster)
    assert_ends(cluster, through, counter, fate, lost=None)
    listening.close()


@FATES
def test_commands_arrive_while_answers_do_not(cluster, server, through, counter, fate):
    fault, _ = strike(cluster, "redis-link-half-open-from", server, fate)
    assert_silent(through, "INCR", "counter")
    wait_for(lambda: counter() == "1", "the command's execution")
    fault.heal(cluster)
    assert_ends(cluster, through, counter, fate, lost="1")


def assert_ends(cluster, through, counter, fate, lost):
    """What was under way came late, or is lost with its connection and leaves the counter as it was."""
    if fate == "late":
        assert through.receive() == 1 and counter() == "1"
    else:
        assert is_closed(through)
        assert_works(cluster)
        assert counter() == lost


def test_nothing_passes_either_way(cluster, server, through, counter):
    fault, _ = strike(cluster, "redis-link-half-open", server)
    assert_silent(through, "INCR", "counter")
    assert counter() is None
    fault.heal(cluster)
    assert_works(cluster)


def test_commands_are_late(cluster, server, through):
    fault, detail = strike(cluster, "redis-link-delay", server, 5)
    begin = time.monotonic()
    through.call("PING")
    assert detail == "5 ms" and time.monotonic() - begin >= 0.005
    # Slow as it is, everything works.
    assert_works(cluster)
    fault.heal(cluster)


def pieces(receiver, size):
    """In how many pieces so many bytes came."""
    count = 0
    while size > 0:
        size -= len(receiver.recv(65536))
        count += 1
    return count


def test_bytes_come_one_by_one(cluster, server, through):
    fault, _ = strike(cluster, "redis-link-trickle", server)

    def comes_in_pieces():
        through._socket.sendall(encode("ECHO", "x" * 200))
        return pieces(through._socket, len(b"$200\r\n\r\n") + 200) > 1
    # Who reads late finds several in one.
    wait_for(comes_in_pieces, "an answer in pieces")
    assert_works(cluster)
    fault.heal(cluster)
    assert_works(cluster)


# Between bots and nodes.


@pytest.fixture
def bots_way(cluster):
    """A connection to the node by the way that bots take."""
    sock = socket.create_connection(("127.0.0.1", cluster.api_proxy.port), timeout=DEADLINE_S)
    yield sock
    sock.close()


PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_the_way_to_the_nodes_is_cut(cluster, bots_way):
    fault, target, _ = inject(cluster, "api-link-cut")
    assert target == "api-proxy"
    assert ends(bots_way)
    with socket.create_connection(("127.0.0.1", cluster.api_proxy.port)) as another:
        assert ends(another)
    fault.heal(cluster)
    assert_works(cluster)


def ends(sock):
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("name", ["api-link-half-open", "api-link-half-open-to", "api-link-half-open-from"])
@FATES
def test_requests_or_answers_do_not_arrive(cluster, bots_way, name, fate):
    fault, _, _ = inject(cluster, name, fate)
    bots_way.sendall(PROBE)
    bots_way.settimeout(SILENCE_S)
    with pytest.raises(TimeoutError):
        bots_way.recv(1)
    bots_way.settimeout(DEADLINE_S)
    fault.heal(cluster)
    if fate == "late":
        assert bots_way.recv(12) == b"HTTP/1.1 200"
    else:
        assert ends(bots_way)
    assert_works(cluster)


class Peer:
    """A server that shows what arrives at it, and answers each request with a hundred bytes."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 61\r\n\r\n" + b"x" * 61

    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.received = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._answer(connection)

    def _answer(self, connection):
        try:
            while data := connection.recv(65536):
                self.received += data
                if self.received.endswith(b"\r\n\r\n"):
                    connection.sendall(self.ANSWER)
        except OSError:
            pass  # It was cut.

    def close(self):
        # A thread that waits in accept keeps a socket listening that is only closed.
        if self._listening.fileno() >= 0:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()


@pytest.fixture
def peers():
    started = [Peer(), Peer()]
    yield started
    for peer in started:
        peer.close()


@pytest.fixture
def proxy(peers):
    started = ApiProxy([peer.port for peer in peers]).start()
    yield started
    started.end()


def ask(proxy, path="/internal/bots/1/status", method="POST"):
    """A request on a connection of its own; the whole answer, which may be empty."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30.0) as sock:
        sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = b""
        try:
            while len(answer) < len(Peer.ANSWER) and (data := sock.recv(65536)):
                answer += data
        except ConnectionResetError:
            pass
        return answer


def test_connections_go_to_every_node_that_accepts(proxy, peers):
    for _ in range(4):
        assert ask(proxy) == Peer.ANSWER
    assert [peer.received.count(b"POST") for peer in peers] == [2, 2]
    peers[0].close()
    for _ in range(4):
        assert ask(proxy) == Peer.ANSWER
    assert peers[1].received.count(b"POST") == 6


def test_an_answer_is_lost_after_the_request_arrived(proxy, peers):
    loss = proxy.lose_answer(lambda request: b"/status" in request)
    assert ask(proxy, "/healthz", "GET") == Peer.ANSWER and not loss.struck.is_set()
    assert ask(proxy) == b"" and loss.struck.is_set()
    assert sum(peer.received.count(b"POST") for peer in peers) == 1
    assert ask(proxy) == Peer.ANSWER


def test_a_request_is_lost(proxy, peers):
    loss = proxy.lose_request()
    assert ask(proxy) == b"" and loss.struck.is_set()
    assert all(peer.received == b"" for peer in peers)
    assert ask(proxy) == Peer.ANSWER
    assert proxy.forget(proxy.lose_request()) and not proxy.forget(loss)


def test_http_is_late_and_comes_in_bytes(cluster, bots_way):
    slow, _, detail = inject(cluster, "api-link-delay")
    begin = time.monotonic()
    bots_way.sendall(PROBE)
    size = len(bots_way.recv(65536))
    assert time.monotonic() - begin >= int(detail.removesuffix(" ms")) / 1000
    slow.heal(cluster)
    trickling, _, _ = inject(cluster, "api-link-trickle")

    def comes_in_pieces():
        bots_way.sendall(PROBE)
        return pieces(bots_way, size) > 1
    wait_for(comes_in_pieces, "an answer in pieces")
    assert_works(cluster)
    trickling.heal(cluster)
