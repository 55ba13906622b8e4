"""An HTTP client for the tests: one request, one answer, nothing hidden."""

import http.client
import json
import socket


class Answer:
    """A whole HTTP answer."""

    def __init__(self, status, headers, body, path=""):
        self.status = status
        self.is_admin = path.startswith("/admin")
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The `code` of an error envelope."""
        return self.json["code"]

    def header(self, name):
        """A header's value, or None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    def __repr__(self):
        return f"<{self.status} {self.body.decode(errors='replace')}>"


# So that `body=None` can stand for JSON's null, "no body at all" needs a value of its own.
NO_BODY = object()


def request(port, method, path, body=NO_BODY, headers=(), raw_body=None, timeout_s=60.0):
    """Sends one request on a connection of its own. `body` is sent as JSON; `raw_body` as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        fields = dict(headers)
        if body is not NO_BODY:
            raw_body = json.dumps(body).encode()
        if raw_body is not None:
            fields.setdefault("Content-Type", "application/json")
        connection.request(method, path, raw_body, fields)
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read(), path)
    finally:
        connection.close()


def request_bytes(method, path, body=NO_BODY, headers=()):
    """A request as the bytes of HTTP/1.1, for connections that the test drives itself."""
    data = b"" if body is NO_BODY else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    if body is not NO_BODY:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def take_answer(buffer):
    """Removes one whole answer (with a Content-Length) from the front of `buffer`; None while it is incomplete."""
    head_end = buffer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    lines = bytes(buffer[:head_end]).decode("latin-1").split("\r\n")
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
    length = next(int(value) for name, value in headers if name.lower() == "content-length")
    end = head_end + 4 + length
    if len(buffer) < end:
        return None
    body = bytes(buffer[head_end + 4:end])
    del buffer[:end]
    return Answer(int(lines[0].split()[1]), headers, body)


class Connection:
    """A keep-alive connection that the test drives by hand: `send`, then `receive`."""

    def __init__(self, port, timeout_s=60.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next answer, or None if the connection was closed cleanly between answers."""
        while True:
            answer = take_answer(self._buffer)
            if answer is not None:
                return answer
            data = self.socket.recv(65536)
            if not data:
                if self._buffer:
                    raise ConnectionError(f"the connection ended inside an answer: {bytes(self._buffer)!r}")
                return None
            self._buffer += data

    def close(self):
        self.socket.close()
