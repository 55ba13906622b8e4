"""A link between clients and a server whose passing on of bytes a test can disturb: cut, half-open, slow, in pieces."""

import asyncio
import threading

from harness.waiting import DEADLINE_S

TO_SERVER = "to the server"
TO_CLIENT = "to the client"
BOTH = (TO_SERVER, TO_CLIENT)

# In how many pieces at most a message passes that trickles: every byte of a short one is a piece of its own, while a
# long one would keep the test's processor busy for longer than it shows anything.
MAXIMUM_PIECES = 256


class Link:
    """Passes everything on in both directions, in a thread of its own, except where a fault says otherwise.

    A subclass says how to listen (`listen`) and where the server is (`reach`), and may look at what passes
    (`pass_to_server`, `pass_to_client`).
    """

    def __init__(self, name):
        self.name = name
        self.connections = set()
        self.loop = asyncio.new_event_loop()
        self._refusing = False
        self._cuts = 0
        self._delay_s = 0.0
        self._trickling = False
        self._flowing = {direction: asyncio.Event() for direction in BOTH}
        self._thread = threading.Thread(target=self._run, daemon=True)

    # What tests call, from their own thread.

    def start(self):
        self._thread.start()
        self.in_loop(self._start())
        return self

    def end(self):
        if self._thread.is_alive():
            self.in_loop(self._shut())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(DEADLINE_S)

    def cut(self, refuse=False):
        """Closes every connection now; with `refuse`, new ones too, until `accept`. What was on its way is lost."""
        self.in_loop(self._cut(refuse))

    def accept(self):
        """Takes connections again."""
        self._refusing = False

    def half_open(self, directions=BOTH):
        """From now on nothing passes in these directions, though connections stay and new ones are taken."""
        for direction in directions:
            self.loop.call_soon_threadsafe(self._flowing[direction].clear)

    def flow(self, directions=BOTH):
        """Ends `half_open`: what has waited passes now, unless the connection was cut meanwhile."""
        for direction in directions:
            self.loop.call_soon_threadsafe(self._flowing[direction].set)

    def delay(self, seconds):
        """Passes what is read for the server on only after this long, all that was there together; 0 ends it."""
        self._delay_s = seconds

    def trickle(self, on=True):
        """Passes messages on in single bytes, or MAXIMUM_PIECES pieces if they are long."""
        self._trickling = on

    def mend(self):
        """Ends everything above."""
        self.accept()
        self.delay(0.0)
        self.trickle(False)
        self.flow()

    # What runs in the link's thread.

    async def listen(self):
        """Starts an asyncio server with `serve`, and returns it."""
        raise NotImplementedError

    async def reach(self, *where):
        """A connection to the server: (reader, writer). An OSError closes the client's connection. `where` is what
        `serve` was given."""
        raise NotImplementedError

    async def pass_to_server(self, connection, data):
        """Passes on what a client has sent; False ends the connection."""
        return await self.send_to_server(connection, data)

    async def pass_to_client(self, connection, data):
        """Passes on what the server has sent; False ends the connection."""
        return await self.send_to_client(connection, data)

    async def send_to_server(self, connection, message):
        """Passes one message on as the link's state allows."""
        await self._flowing[TO_SERVER].wait()
        return await self._write(connection.server_writer, message)

    async def send_to_client(self, connection, message):
        """The same the other way. A client that is gone hears nothing, but what it had sent goes on to the server."""
        await self._flowing[TO_CLIENT].wait()
        if connection.client_writer.is_closing():
            return True
        try:
            return await self._write(connection.client_writer, message)
        except OSError:
            return True

    async def _write(self, writer, message):
        if self._trickling:
            size = max(1, -(-len(message) // MAXIMUM_PIECES))
            for start in range(0, len(message), size):
                writer.write(message[start:start + size])
                # The other side gets a chance to read this much alone.
                await asyncio.sleep(0)
        else:
            writer.write(message)
        await writer.drain()
        return True

    def in_loop(self, coroutine):
        """Runs a coroutine in the link's thread, and returns what it does."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE_S)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _start(self):
        for event in self._flowing.values():
            event.set()
        self._server = await self.listen()

    async def _cut(self, refuse):
        self._refusing = refuse
        self._cuts += 1
        for connection in list(self.connections):
            connection.close()

    async def _shut(self):
        self._server.close()
        await self._cut(refuse=True)
        current = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not current:
                task.cancel()
        await asyncio.sleep(0)

    async def serve(self, client_reader, client_writer, *where):
        """One connection of a client, to its end. `where`: which server, of a link to several."""
        if self._refusing:
            client_writer.close()
            return
        cuts = self._cuts
        try:
            server_reader, server_writer = await self.reach(*where)
        except OSError:
            client_writer.close()
            return
        connection = self.connect(client_reader, client_writer, server_reader, server_writer)
        if self._cuts != cuts:
            connection.close()  # It was cut before it was whole.
            return
        self.connections.add(connection)
        connection.directions = [
            asyncio.create_task(_pass(client_reader, connection, self._pass_late)),
            asyncio.create_task(_pass(server_reader, connection, self.pass_to_client))]
        try:
            await asyncio.wait(connection.directions, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # The link ends; asyncio reports a cancelled connection as an error otherwise.
        finally:
            # One closed direction ends the other, as neither side ever half-closes.
            connection.close()
            self.connections.discard(connection)

    async def _pass_late(self, connection, data):
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        return await self.pass_to_server(connection, data)

    def connect(self, *streams):
        """The connection as an object of its own, which a subclass may know more about."""
        return Connection(*streams)


async def _pass(reader, connection, pass_on):
    try:
        while data := await reader.read(65536):
            if not await pass_on(connection, data):
                return
    except OSError:
        return


class Connection:
    """One connection of a client, and its other half to the server."""

    def __init__(self, client_reader, client_writer, server_reader, server_writer):
        self.client_reader, self.client_writer = client_reader, client_writer
        self.server_reader, self.server_writer = server_reader, server_writer
        self.directions = []

    def close(self):
        # Aborted, not closed: what is still buffered or held must not leak out after a cut.
        self.client_writer.transport.abort()
        self.server_writer.transport.abort()
        for direction in self.directions:
            direction.cancel()
