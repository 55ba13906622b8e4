"""Floods: one address opens as many connections as it can get and keeps them up, each kind in its own bad manner.

A flood is a process of its own, so that it takes nothing of its test's time. It comes from 127.0.0.2, and whoever is to be
served in spite of it from 127.0.0.1. Nothing outside the standard library: `make bench` uses it too.
"""

import multiprocessing
import selectors
import socket
import time

ADDRESS = "127.0.0.2"
BODY_BYTES = 65_536
TICK_S = 0.5
OPENED_AT_ONCE = 100


class Idle:
    """Sends nothing."""

    name = "idle connections"
    reads = True

    def begin(self):
        return b""

    def tick(self):
        """What each connection sends now and then."""
        return b""

    def answered(self):
        """What it sends when an answer has come."""
        return b""


class SlowHeaders(Idle):
    """Never comes to the end of its header section."""

    name = "slow headers"

    def begin(self):
        return b"GET /healthz HTTP/1.1\r\nHost: flood\r\n"

    def tick(self):
        return b"X-More: x\r\n"


class SlowBodies(Idle):
    """Never comes to the end of its body."""

    name = "slow bodies"

    def begin(self):
        return f"POST /bots HTTP/1.1\r\nHost: flood\r\nContent-Length: {BODY_BYTES}\r\n\r\n".encode()

    def tick(self):
        return b"x"


class SlowReaders(Idle):
    """Asks as long as it is listened to, and takes no answer."""

    name = "slow readers"
    reads = False

    def begin(self):
        return b"GET /healthz HTTP/1.1\r\nHost: flood\r\n\r\n" * 400

    def tick(self):
        return b"GET /healthz HTTP/1.1\r\nHost: flood\r\n\r\n"


class LargeBodies(Idle):
    """Sends the largest body that is taken, again and again."""

    name = "largest bodies"

    def begin(self):
        head = f"POST /bots HTTP/1.1\r\nHost: flood\r\nX-API-Key: usher_wrong\r\nContent-Length: {BODY_BYTES}\r\n\r\n"
        return head.encode() + b"x" * BODY_BYTES

    answered = begin


class InvalidKeys(Idle):
    """Asks with a key that is none, again and again."""

    name = "invalid keys"

    def begin(self):
        return b"GET /bots/status HTTP/1.1\r\nHost: flood\r\nX-API-Key: usher_wrong\r\n\r\n"

    answered = begin


KINDS = [Idle, SlowHeaders, SlowBodies, SlowReaders, LargeBodies, InvalidKeys]


class Flood:
    """`size` connections of a kind, from `with` to its end. `opened` counts those that were opened, also anew."""

    def __init__(self, kind, port, size):
        self.size = size
        self._opened = multiprocessing.Value("i", 0)
        self._process = multiprocessing.get_context("fork").Process(
            target=_run, args=(kind(), port, size, self._opened), daemon=True)

    @property
    def opened(self):
        return self._opened.value

    def __enter__(self):
        self._process.start()
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.join()


def _run(kind, port, size, opened):
    """Until it is killed."""
    selector = selectors.DefaultSelector()
    unsent = {}
    next_tick = time.monotonic() + TICK_S
    while True:
        for _ in range(min(OPENED_AT_ONCE, size - len(unsent))):
            connection = _open(port)
            unsent[connection] = kind.begin()
            _watch(selector, connection, kind, unsent[connection])
            opened.value += 1
        if not selector.get_map():
            time.sleep(0.02)
        for key, ready in selector.select(0.02):
            connection = key.fileobj
            try:
                if ready & selectors.EVENT_READ:
                    if not connection.recv(65_536):
                        raise ConnectionError
                    unsent[connection] = unsent[connection] or kind.answered()
                if ready & selectors.EVENT_WRITE and unsent[connection]:
                    unsent[connection] = unsent[connection][connection.send(unsent[connection]):]
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(connection)
                connection.close()
                del unsent[connection]
                continue
            _watch(selector, connection, kind, unsent[connection])
        if time.monotonic() < next_tick:
            continue
        next_tick += TICK_S
        for connection, rest in unsent.items():
            unsent[connection] = rest or kind.tick()
            _watch(selector, connection, kind, unsent[connection])


def _watch(selector, connection, kind, rest):
    """Waits for what the connection can go on with. Who does not read learns of its end when it sends."""
    wanted = (selectors.EVENT_READ if kind.reads else 0) | (selectors.EVENT_WRITE if rest else 0)
    if connection in selector.get_map():
        selector.unregister(connection)
    if wanted:
        selector.register(connection, wanted)


def _open(port):
    connection = socket.socket()
    # So small that answers that nobody takes soon wait in the node.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.bind((ADDRESS, 0))
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection
