"""Clients of the live feed: a WebSocket by PyPI's `websockets`, and a stream of Server-Sent Events."""

import json
import socket
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

DEADLINE_S = 60.0


class LiveClient:
    """A client of GET /ws."""

    def __init__(self, node, key=None, in_query=False, receive_bytes=None, ticket=None):
        own = socket.socket()
        if receive_bytes:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        own.settimeout(DEADLINE_S)
        own.connect(("127.0.0.1", node.port))
        headers = {} if key is None or in_query else {"X-API-Key": key}
        query = f"?api_key={key}" if in_query else f"?ticket={ticket}" if ticket else ""
        self._connection = connect(
            f"ws://127.0.0.1:{node.port}/ws{query}", sock=own, additional_headers=headers, open_timeout=DEADLINE_S,
            max_size=None, ping_interval=None)

    def __enter__(self):
        self.socket = self._connection.__enter__()
        return self

    def __exit__(self, *reason):
        return self._connection.__exit__(*reason)

    def send(self, message):
        self.socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def next(self, *types, deadline_s=DEADLINE_S):
        """The next message, or the next of these types. A TimeoutError if it does not come in time."""
        end = time.monotonic() + deadline_s
        while True:
            message = json.loads(self.socket.recv(timeout=max(0, end - time.monotonic())))
            if not types or message["type"] in types:
                return message

    def ask(self, action, *meetings, **fields):
        """What is answered."""
        self.send({"action": action, "meetings": list(meetings), **fields})
        return self.next("subscribed", "unsubscribed", "error")

    def closed(self, deadline_s=DEADLINE_S):
        """(code, reason, messages before it)."""
        messages = []
        end = time.monotonic() + deadline_s
        try:
            while True:
                messages.append(json.loads(self.socket.recv(timeout=max(0, end - time.monotonic()))))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None, closed.rcvd.reason if closed.rcvd else "", messages


def name(meeting, **fields):
    """How a socket's client names a meeting."""
    return {"platform": meeting["platform"], "native_id": meeting["native_meeting_id"], **fields}


class EventStream:
    """A stream of events as a node writes it, read by what the WHATWG says of it."""

    def __init__(self, node, path, key, last=None, silence_s=DEADLINE_S):
        """`silence_s`: after so long without a word reading fails with an OSError, as does all of it without an answer."""
        self.socket = socket.create_connection(("127.0.0.1", node.port), timeout=silence_s)
        self.file = self.socket.makefile("rb")
        self.text = b""
        self.last = None
        try:
            fields = (f"X-API-Key: {key}\r\n" if key else "") + (f"Last-Event-ID: {last}\r\n" if last else "")
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
            self._read_head()
        except Exception:
            self.__exit__()
            raise

    def _read_head(self):
        words = self.file.readline().split()
        if len(words) < 2:
            raise ConnectionError("the connection was closed before an answer")
        self.status = int(words[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            field, _, value = line.decode().partition(":")
            self.headers[field.lower()] = value.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def _line(self):
        """A line of the body, out of its chunks; None at its end."""
        while b"\n" not in self.text:
            size = self.file.readline()
            count = int(size, 16) if size.strip() else 0
            if count == 0:
                return None
            self.text += self.file.read(count)
            self.file.readline()
        line, self.text = self.text.split(b"\n", 1)
        return line.decode()

    def next(self, *types, deadline_s=DEADLINE_S):
        """The next event, or the next of these types; None at the end of the stream. A TimeoutError if it does not come in
        time."""
        data = []
        end = time.monotonic() + deadline_s
        while (line := self._line()) is not None:
            # A stream is never silent for long.
            if time.monotonic() > end:
                raise TimeoutError(f"no {types or 'event'} in {deadline_s} s")
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                self.last = value
            if field == "data":
                data.append(value)
            if line == "" and data:
                event = json.loads("\n".join(data))
                assert event["cursor"] == self.last
                if not types or event["type"] in types:
                    return event
                data = []
        return None
