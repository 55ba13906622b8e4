"""Many requests at the same instant, over keep-alive connections to several nodes, from one thread."""

import selectors
import time

from harness.http_client import Connection, take_answer
from harness.waiting import DEADLINE_S


class Burst:
    """`size` open connections, spread evenly over the nodes."""

    def __init__(self, nodes, size):
        self._connections = [Connection(nodes[number % len(nodes)].port) for number in range(size)]
        self._buffers = [bytearray() for _ in self._connections]
        self._selector = selectors.DefaultSelector()
        for number, connection in enumerate(self._connections):
            connection.socket.setblocking(False)
            self._selector.register(connection.socket, selectors.EVENT_READ, number)

    def send(self, requests):
        """Sends one request on each connection, then waits for all answers; they come in the requests' order."""
        assert len(requests) == len(self._connections)
        for connection, data in zip(self._connections, requests):
            # A request is far smaller than an idle connection's send buffer, so this never blocks.
            connection.socket.sendall(data)
        answers = [None] * len(requests)
        left, end = len(requests), time.monotonic() + DEADLINE_S
        while left:
            if time.monotonic() > end:
                raise AssertionError(f"{left} of {len(requests)} answers did not come within {DEADLINE_S:g} s")
            for event, _ in self._selector.select(1.0):
                number = event.data
                data = event.fileobj.recv(65536)
                if not data:
                    raise ConnectionError("a node closed a connection with a request under way")
                self._buffers[number] += data
                answer = take_answer(self._buffers[number])
                if answer is not None:
                    assert answers[number] is None, "two answers to one request"
                    answers[number] = answer
                    left -= 1
        return answers

    def close(self):
        self._selector.close()
        for connection in self._connections:
            connection.close()
