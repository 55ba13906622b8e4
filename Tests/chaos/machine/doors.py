"""Links to servers of Redis that can be cut, each for one of those who use it: a node or runner, or all bots."""

import asyncio

from harness.link import Link


class Doors(Link):
    """A port for each of some servers, by which one node or runner reaches them: its way to the Sentinels."""

    def __init__(self, name, servers):
        super().__init__(name)
        self._servers = servers
        self.addresses = []
        self._doors = []

    # What runs in the link's thread.

    async def listen(self):
        for server in self._servers:
            door = await asyncio.start_server(self._to(server), "127.0.0.1", 0)
            self._doors.append(door)
            self.addresses.append(door.sockets[0].getsockname())
        return self

    def close(self):
        for door in self._doors:
            door.close()

    def _to(self, server):
        return lambda reader, writer: self.serve(reader, writer, server)

    async def reach(self, server):
        return await asyncio.open_connection(*server.address)


class PrimaryFollower(Link):
    """Leads to whichever server is the primary. Bots know one plain address, so it is in place of the proxy that they are
    to be given; it adds nothing to what they say."""

    def __init__(self, scheme):
        super().__init__("primary-follower")
        self._scheme = scheme
        self.address = None
        self.port = None

    @property
    def url(self):
        return f"{self._scheme}://127.0.0.1:{self.port}/0"

    def follow(self, address):
        """New connections go there, and those to another server are closed."""
        if address != self.address:
            self.address = address
            self.cut()

    # What runs in the link's thread.

    async def listen(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def reach(self):
        if self.address is None:
            raise ConnectionRefusedError("no primary is known")
        return await asyncio.open_connection(*self.address)
