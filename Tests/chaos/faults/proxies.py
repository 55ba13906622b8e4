"""The proxy between bots and nodes: a link that takes every connection to one of the nodes, as a balancer does."""

import asyncio
import threading

from harness.link import Connection, Link


class Loss:
    """Waits for one exchange, and strikes once."""

    def __init__(self, of_answer, matches):
        self.of_answer = of_answer
        self.matches = matches
        self.struck = threading.Event()


class ApiProxy(Link):
    """Listens on a port of 127.0.0.1. Each connection goes to the next of the given ports that accepts it."""

    def __init__(self, ports, name="api-proxy"):
        super().__init__(name)
        self._ports = list(ports)
        self._next = 0
        self._losses = []
        self.port = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def lose_answer(self, matches=lambda request: True):
        """Cuts the connection of the next request that matches once a node has begun to answer it."""
        return self._add(Loss(True, matches))

    def lose_request(self, matches=lambda request: True):
        """Cuts the connection in place of passing on the next request that matches."""
        return self._add(Loss(False, matches))

    def forget(self, loss):
        """Takes back what waits; False if it has struck."""
        return self.in_loop(self._forget(loss))

    # What runs in the proxy's thread.

    def _add(self, loss):
        self._losses.append(loss)
        return loss

    async def _forget(self, loss):
        if loss not in self._losses:
            return False
        self._losses.remove(loss)
        return True

    async def listen(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", self.port or 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def reach(self):
        for _ in self._ports:
            self._next = (self._next + 1) % len(self._ports)
            try:
                return await asyncio.open_connection("127.0.0.1", self._ports[self._next])
            except OSError as error:
                failure = error
        raise failure

    def connect(self, *streams):
        return _Exchanges(*streams)

    async def pass_to_server(self, connection, data):
        if connection.is_answered:
            connection.request, connection.is_answered = bytearray(), False
        connection.request += data
        return not self._is_lost(connection, False) and await self.send_to_server(connection, data)

    async def pass_to_client(self, connection, data):
        if not connection.is_answered and self._is_lost(connection, True):
            return False
        connection.is_answered = True
        return await self.send_to_client(connection, data)

    def _is_lost(self, connection, of_answer):
        for loss in self._losses:
            if loss.of_answer == of_answer and loss.matches(bytes(connection.request)):
                self._losses.remove(loss)
                loss.struck.set()
                return True
        return False


class _Exchanges(Connection):
    """With the bytes of the latest request, and whether its answer has begun."""

    def __init__(self, *streams):
        super().__init__(*streams)
        self.request, self.is_answered = bytearray(), False
