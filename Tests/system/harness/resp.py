"""RESP2, the Redis protocol: as a client of the tests, and as the proxy needs it to see where messages end."""

import socket
import ssl

CRLF = b"\r\n"


class RedisError(Exception):
    """An error reply of Redis."""


def encode(*arguments):
    """A command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def parse(buffer, start=0):
    """One message of `buffer` from `start`: (value, the position after it), or None while it is incomplete.

    Bulk strings are bytes; an error reply is a RedisError as a value, so that nested ones are seen too.
    """
    line_end = buffer.find(CRLF, start)
    if line_end < 0:
        return None
    kind, line, position = buffer[start:start + 1], bytes(buffer[start + 1:line_end]), line_end + 2
    if kind == b"+":
        return line, position
    if kind == b"-":
        return RedisError(line.decode()), position
    if kind == b":":
        return int(line), position
    if kind == b"$":
        length = int(line)
        if length < 0:
            return NIL, position
        if len(buffer) < position + length + 2:
            return None
        return bytes(buffer[position:position + length]), position + length + 2
    if kind == b"*":
        count = int(line)
        if count < 0:
            return NIL, position
        values = []
        for _ in range(count):
            step = parse(buffer, position)
            if step is None:
                return None
            values.append(step[0])
            position = step[1]
        return values, position
    raise ValueError(f"not RESP2: {bytes(buffer[start:start + 40])!r}")


class RedisClient:
    """A blocking connection for the tests themselves. Answers are text, except that errors are raised."""

    def __init__(self, address, timeout_s=30.0, tls=None):
        """`address` is the path of a Unix socket, or a (host, port) pair; `tls` the certificates of a server with TLS."""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._socket.connect(address)
        if tls is not None:
            context = ssl.create_default_context(cafile=tls.authority)
            self._socket = context.wrap_socket(self._socket, server_hostname=address[0])
        self._buffer = bytearray()

    def close(self):
        self._socket.close()

    def call(self, *arguments):
        """Sends one command and returns its answer; an error reply is raised as RedisError."""
        return self.pipeline([arguments])[0]

    def pipeline(self, commands):
        """Sends the commands in one write; answers in order, the first error raised."""
        self._socket.sendall(b"".join(encode(*command) for command in commands))
        answers = [self._read() for _ in commands]
        for answer in answers:
            if isinstance(answer, RedisError):
                raise answer
        return answers

    def receive(self):
        """The next message of a subscription."""
        return self._read()

    def hash(self, key):
        """A hash as a dictionary; empty if there is no such key."""
        flat = self.call("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))

    def stream(self, key):
        """A stream's entries as (id, fields) pairs, oldest first."""
        return [(entry, dict(zip(flat[::2], flat[1::2]))) for entry, flat in self.call("XRANGE", key, "-", "+")]

    def value(self, key):
        """What a key of any type holds, in a form that compares equal only if the key does; None if absent."""
        kind = self.call("TYPE", key)
        if kind == "none":
            return None
        if kind == "stream":
            return kind, self.stream(key)
        read = {
            "string": ("GET", key), "hash": ("HGETALL", key), "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
            "list": ("LRANGE", key, 0, -1), "set": ("SMEMBERS", key),
        }
        answer = self.call(*read[kind])
        if kind == "hash":
            answer = dict(zip(answer[::2], answer[1::2]))
        elif kind == "set":
            answer = sorted(answer)
        return kind, answer

    def servers(self):
        """A client of each server that has a part of the keys."""
        return [self]

    def scan(self, pattern):
        """Every key that matches a glob pattern, sorted."""
        found, cursor = set(), "0"
        while True:
            cursor, keys = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            found.update(keys)
            if cursor == "0":
                return sorted(found)

    def _read(self):
        while True:
            step = parse(self._buffer)
            if step is not None:
                value, position = step
                del self._buffer[:position]
                return _as_text(value)
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("Redis closed the connection")
            self._buffer += data


class _Nil:
    """A nil reply inside the parser, where None already means "incomplete"."""


NIL = _Nil()


def _as_text(value):
    if value is NIL:
        return None
    if isinstance(value, list):
        return [_as_text(element) for element in value]
    return value.decode() if isinstance(value, bytes) else value
