"""`GET /ws` as RFC 6455 has it, against peers that speak it by themselves: `wsproto`, `websockets`, a browser, HAProxy."""

import http.server
import json
import os
import signal
import socket
import struct
import threading

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Pong, Request, TextMessage

from harness.balancer import Balancer
from harness.bots_user import BotsUser
from harness.live import EventStream, LiveClient, name
from harness.process import Process
from harness.speech import CHROMIUM
from harness.transcripts import post, segment
from harness.waiting import wait_for
from harness.workspace import Admin

DEADLINE_S = 60.0
HANDSHAKE = (
    "GET /ws?api_key={key} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n")


@pytest.fixture
def raw(node, user):
    """Opens a socket whose bytes the test writes."""
    sockets = []

    def open_socket(more="", then=b""):
        client = socket.create_connection(("127.0.0.1", node.port), timeout=DEADLINE_S)
        sockets.append(client)
        client.sendall(HANDSHAKE.format(key=user.token, more=more).encode() + then)
        file = client.makefile("rb")
        head = []
        while (line := file.readline().strip()):
            head.append(line.decode())
        return client, file, head

    yield open_socket
    for each in sockets:
        each.close()


def frame(opcode, payload=b"", first=0x80, mask=b"\x01\x02\x03\x04"):
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes([first | opcode]) + length + mask + bytes(
        byte ^ mask[index & 3] for index, byte in enumerate(payload))


def read_frame(file):
    """(opcode, payload) of a frame of the server's, which has no mask."""
    first, second = file.read(2)
    assert first & 0x80 and not first & 0x70 and not second & 0x80
    length = second & 0x7F
    if length >= 126:
        length = int.from_bytes(file.read(2 if length == 126 else 8), "big")
    return first & 0x0F, file.read(length)


def closing(file):
    """The code that the server closes with, after whatever it says before."""
    while True:
        opcode, payload = read_frame(file)
        if opcode == 8:
            assert file.read() == b""
            return int.from_bytes(payload[:2], "big") if payload else None


def test_the_handshake(raw):
    client, file, head = raw("Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n")
    fields = {line.split(":")[0].lower(): line.partition(": ")[2] for line in head[1:]}
    assert head[0] == "HTTP/1.1 101 Switching Protocols"
    assert fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert (fields["upgrade"], fields["connection"]) == ("websocket", "Upgrade")
    assert not {"sec-websocket-extensions", "sec-websocket-protocol", "content-length", "content-type",
                "transfer-encoding"} & set(fields)
    client.sendall(frame(8, b"\x03\xe8"))
    assert closing(file) == 1000


def test_what_comes_behind_the_handshake_at_once_is_read(raw):
    client, file, _ = raw(then=frame(1, b'{"action":"ping"}') + frame(9, b"hello"))
    assert {read_frame(file), read_frame(file)} == {(1, b'{"type":"pong"}'), (10, b"hello")}
    for byte in frame(1, b'{"action"', first=0) + frame(9, b"x") + frame(0, b':"ping"}'):
        client.sendall(bytes([byte]))
    assert {read_frame(file), read_frame(file)} == {(1, b'{"type":"pong"}'), (10, b"x")}


@pytest.mark.parametrize(("sent", "code"), [
    (frame(1, b"\xff"), 1007), (frame(2, b"\x00"), 1003), (b"\x81\x00", 1002), (frame(3), 1002),
    (frame(1, b"a", first=0xC0), 1002), (frame(9, b"", first=0), 1002), (frame(0, b"a"), 1002),
    (b"\x81\xff" + struct.pack(">Q", 1 << 40), 1009), (b"\x81\xff" + struct.pack(">Q", 1 << 63), 1002),
    (frame(8, b"\x03"), 1002), (frame(8, struct.pack(">H", 1005)), 1002), (frame(8), None),
    (frame(8, struct.pack(">H", 4999) + b"bye"), 4999)])
def test_what_is_malformed_is_closed_with_its_code(raw, sent, code):
    client, file, _ = raw()
    client.sendall(sent)
    assert closing(file) == code


@pytest.mark.parametrize(("fields", "status"), [
    ({"Sec-WebSocket-Version": "12"}, 426), ({"Sec-WebSocket-Version": "13, 13"}, 426), ({"Upgrade": "h2c"}, 426),
    ({"Connection": "close"}, 426), ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ"}, 400),
    ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=*"}, 400), ({"Sec-WebSocket-Key": ""}, 400)])
def test_what_is_no_handshake_is_refused(user, fields, status):
    good = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert user.request("GET", "/ws", headers={**user.headers, **good, **fields}).status == status


def test_wsproto_is_a_peer(node, user, redis):
    meeting = user.send_bot()
    connection = WSConnection(ConnectionType.CLIENT)
    with socket.create_connection(("127.0.0.1", node.port), timeout=DEADLINE_S) as client:
        client.sendall(connection.send(Request(host="a", target=f"/ws?api_key={user.token}")))

        def events():
            while True:
                connection.receive_data(client.recv(65_536) or None)
                yield from connection.events()

        stream = events()
        assert isinstance(next(stream), AcceptConnection)
        client.sendall(connection.send(Ping(payload=b"there?")))
        assert next(stream) == Pong(payload=b"there?")
        message = json.dumps({"action": "subscribe", "meetings": [name(meeting)]})
        client.sendall(connection.send(TextMessage(data=message[:20], message_finished=False)))
        client.sendall(connection.send(TextMessage(data=message[20:])))
        assert json.loads(next(stream).data)["type"] == "subscribed"
        bot = user.play(redis, meeting, "joining", "active")
        post(user.node, bot, {"segments": [segment("1", "Grüße 😀 " * 1_000)]})
        messages, text = [], ""
        while not any("confirmed" in message and "Grüße" in message for message in messages):
            event = next(stream)
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                messages.append(text)
                text = ""
        assert json.loads(messages[-1])["confirmed"][0]["text"].count("😀") == 1_000
        client.sendall(connection.send(CloseConnection(code=1000)))
        closed = next(event for event in stream if isinstance(event, CloseConnection))
        assert closed.code == 1000


def test_a_silent_client_is_asked_and_given_up(servers, redis_server):
    """One that answers pings stays; one that does not is cut off."""
    node = servers.node(redis_server, LIVE_PING_MS=2000)
    user = BotsUser(Admin(node))
    with socket.create_connection(("127.0.0.1", node.port), timeout=DEADLINE_S) as silent, \
            LiveClient(node, user.token) as polite:
        silent.sendall(HANDSHAKE.format(key=user.token, more="").encode())
        file = silent.makefile("rb")
        while file.readline().strip():
            pass
        pings = 0
        while (head := file.read(2)):
            assert head == b"\x89\x00"
            pings += 1
        assert pings >= 1
        polite.send({"action": "ping"})
        assert polite.next() == {"type": "pong"}


def test_through_the_balancer(servers, redis_server, redis):
    """A node that stops sends its clients to the other one, where they go on."""
    nodes = [servers.node(redis_server, DRAIN_DELAY_MS=0) for _ in range(2)]
    balancer = servers.add(Balancer(servers.folder, [node.port for node in nodes])).start(ready=2)
    user = BotsUser(Admin(nodes[0]))
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    with LiveClient(balancer, user.token) as client, \
            EventStream(balancer, f"/transcripts/google_meet/{meeting['native_meeting_id']}/events", user.token) as events:
        assert client.ask("subscribe", name(meeting))["type"] == "subscribed"
        assert events.next()["type"] == "subscribed"
        post(nodes[0], bot, {"segments": [segment("1", "one")]})
        cursor = client.next("transcript")["cursor"]
        assert events.next("transcript")["cursor"] == cursor
        # Whichever has the socket: it says so, and the other one goes on.
        nodes[0].signal(signal.SIGTERM)
        nodes[0].wait()
    post(nodes[1], bot, {"segments": [segment("2", "two", 3, 4)]})
    wait_for(lambda: balancer.ready_count() == 1, "the balancer to see it")
    with LiveClient(balancer, user.token) as client:
        client.ask("subscribe", name(meeting, after=cursor))
        assert client.next("transcript")["confirmed"][0]["text"] == "two"


PAGE = """<!doctype html><script>
const key = "%(key)s", node = "127.0.0.1:%(port)d", cursors = {};
const take = (name) => (event) => {
  const message = JSON.parse(event.data);
  if (message.type !== "transcript" || message.confirmed[0]?.text !== "Grüße 😀") return;
  cursors[name] = message.cursor;
  if (cursors.socket && cursors.events) fetch("/done/" + cursors.socket + "/" + cursors.events);
};
const socket = new WebSocket("ws://" + node + "/ws?api_key=" + key);
socket.onmessage = take("socket");
socket.onopen = () => socket.send(JSON.stringify(
  {action: "subscribe", meetings: [{platform: "google_meet", native_id: "%(code)s", after: "%(cursor)s"}]}));
new EventSource("http://" + node + "/transcripts/google_meet/%(code)s/events?after=%(cursor)s&ticket=%(ticket)s")
  .onmessage = take("events");
</script>"""


class Pages(http.server.ThreadingHTTPServer):
    """Serves one page, and notes what it asks for besides."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Pages.Handler)
        self.page = ""
        self.asked = []
        self.origin = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            body = self.server.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass


def test_a_browser_is_a_peer(servers, redis_server, redis):
    """Chromium's own WebSocket and EventSource, on a page of another origin."""
    pages = Pages()
    node = servers.node(redis_server, CORS_ORIGINS=pages.origin)
    user = BotsUser(Admin(node))
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    path = f"/transcripts/google_meet/{meeting['native_meeting_id']}"
    start = user.request("GET", path).json["cursor"]
    pages.page = PAGE % {
        "key": user.token, "port": node.port, "code": meeting["native_meeting_id"], "cursor": start,
        "ticket": user.request("POST", "/ws/ticket").json["ticket"]}
    assert post(node, bot, {"segments": [segment("1", "Grüße 😀")]}).status == 200
    browser = servers.add(Process("chromium", [
        CHROMIUM, "--headless=new", f"--user-data-dir={os.path.join(servers.folder, 'profile')}", "--no-first-run",
        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad",
        "--disable-background-networking", "--disable-component-update", pages.origin + "/"],
        {"HOME": servers.folder}, servers.folder))
    browser.spawn()
    try:
        done = wait_for(lambda: [each for each in pages.asked if each.startswith("/done/")], "what the page has seen")
        _, _, one, other = done[0].split("/")
        cursor = user.request("GET", path).json["cursor"]
        assert one == other == cursor
    finally:
        pages.shutdown()
