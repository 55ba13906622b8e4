"""A proxy between a node and Redis that understands RESP, so that a fault can be put at a command's border."""

import asyncio
import os
import threading

from harness.resp import parse
from harness.waiting import DEADLINE_S


def is_lock(command):
    """The command that takes a workspace's lock."""
    return command[0].upper() == b"SET" and command[1].endswith(b":lock")


def is_dispatch_script(command):
    """The script that dispatches: the only one that is given a workspace's lock and a dispatch stream."""
    return (command[0].upper() in (b"EVALSHA", b"EVAL")
            and any(part.endswith(b":lock") for part in command)
            and any(part.endswith(b":dispatch") for part in command))


class Fault:
    """A fault that waits for one command. It strikes once, at the first command that matches."""

    def __init__(self, kind, matches):
        self.kind = kind
        self.matches = matches
        self._struck = threading.Event()
        self._loop = None
        self._opened = None

    def wait_until_struck(self, what):
        if not self._struck.wait(DEADLINE_S):
            raise AssertionError(f"{what} did not reach the proxy within {DEADLINE_S:g} s")

    @property
    def has_struck(self):
        return self._struck.is_set()

    def release(self):
        """Lets a held command, and what follows it, go on to Redis."""
        self._loop.call_soon_threadsafe(self._opened.set)


class Proxy:
    """Listens on a Unix socket and passes everything on to the server's one, except where a fault says otherwise."""

    def __init__(self, server_path, folder, name="proxy"):
        self.socket_path = os.path.join(folder, f"{name}.sock")
        self.url = f"redis+unix://{self.socket_path}"
        self._server_path = server_path
        self._faults = []
        self._connections = set()
        self._refusing = False
        self._cuts = 0
        self._delay_s = 0.0
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    # What tests call, from their own thread.

    def start(self):
        self._thread.start()
        self._in_loop(self._listen())
        return self

    def end(self):
        if self._thread.is_alive():
            self._in_loop(self._shut())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(DEADLINE_S)

    def hold(self, matches):
        """Holds the first command that matches, and what follows it on its connection, until released."""
        return self._add(Fault("hold", matches))

    def lose_answer(self, matches):
        """Cuts the connection once Redis has run the first command that matches, before its answer is passed on."""
        return self._add(Fault("lose_answer", matches))

    def lose_command(self, matches):
        """Cuts the connection in place of passing on the first command that matches."""
        return self._add(Fault("lose_command", matches))

    def forget(self, fault):
        """Takes back a fault that has not struck."""
        self._faults.remove(fault)

    def cut(self, refuse=False):
        """Closes every connection now; with `refuse`, new ones too, until `mend`."""
        self._in_loop(self._cut(refuse))

    def half_open(self):
        """From now on nothing passes in either direction, though connections stay and new ones are taken."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def delay(self, seconds):
        """Passes every command on only after this long."""
        self._delay_s = seconds

    def mend(self):
        """Ends `half_open`, `delay` and the refusing of connections."""
        self._refusing = False
        self._delay_s = 0.0
        self._loop.call_soon_threadsafe(self._flowing.set)

    # What runs in the proxy's thread.

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._flowing.set()
        self._loop.run_forever()

    def _in_loop(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE_S)

    def _add(self, fault):
        fault._loop, fault._opened = self._loop, asyncio.Event()
        self._faults.append(fault)
        return fault

    async def _listen(self):
        self._server = await asyncio.start_unix_server(self._serve, self.socket_path)

    async def _cut(self, refuse):
        self._refusing = refuse
        self._cuts += 1
        for connection in list(self._connections):
            connection.close()

    async def _shut(self):
        self._server.close()
        await self._cut(refuse=True)
        current = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not current:
                task.cancel()
        await asyncio.sleep(0)

    async def _serve(self, client_reader, client_writer):
        if self._refusing:
            client_writer.close()
            return
        cuts = self._cuts
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(self._server_path)
        except OSError:
            client_writer.close()
            return
        connection = _Connection(client_reader, client_writer, server_reader, server_writer)
        if self._cuts != cuts:
            connection.close()  # It was cut before it was whole.
            return
        self._connections.add(connection)
        directions = [asyncio.create_task(self._pass_commands(connection)),
                      asyncio.create_task(self._pass_answers(connection))]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # The proxy ends; asyncio reports a cancelled connection as an error otherwise.
        finally:
            # One closed direction ends the other, as Redis and its clients never half-close.
            for direction in directions:
                direction.cancel()
            connection.close()
            self._connections.discard(connection)

    async def _pass_commands(self, connection):
        buffer = bytearray()
        try:
            while data := await connection.client_reader.read(65536):
                buffer += data
                while step := parse(buffer):
                    command, end = step
                    raw = bytes(buffer[:end])
                    del buffer[:end]
                    if not await self._pass_command(connection, command, raw):
                        return
        except OSError:
            return

    async def _pass_command(self, connection, command, raw):
        """Passes one command on as the faults allow; False if it ends the connection."""
        await self._flowing.wait()
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        fault = self._take_fault(command)
        connection.commands += 1
        if fault and fault.kind == "hold":
            fault._struck.set()
            await fault._opened.wait()
        elif fault and fault.kind == "lose_command":
            fault._struck.set()
            return False
        elif fault and fault.kind == "lose_answer":
            connection.lost_answer, connection.lost_by = connection.commands, fault
        connection.server_writer.write(raw)
        await connection.server_writer.drain()
        return True

    async def _pass_answers(self, connection):
        buffer, answers = bytearray(), 0
        try:
            while data := await connection.server_reader.read(65536):
                await self._flowing.wait()
                buffer += data
                while step := parse(buffer):
                    answers += 1
                    if answers == connection.lost_answer:
                        connection.lost_by._struck.set()
                        return
                    connection.client_writer.write(bytes(buffer[:step[1]]))
                    del buffer[:step[1]]
                await connection.client_writer.drain()
        except OSError:
            return

    def _take_fault(self, command):
        for fault in self._faults:
            if fault.matches(command):
                self._faults.remove(fault)
                return fault
        return None


class _Connection:
    """One connection of the node, its other half to Redis, and how many commands went through."""

    def __init__(self, client_reader, client_writer, server_reader, server_writer):
        self.client_reader, self.client_writer = client_reader, client_writer
        self.server_reader, self.server_writer = server_reader, server_writer
        self.commands = 0
        self.lost_answer = None
        self.lost_by = None

    def close(self):
        # Aborted, not closed: what is still buffered must not leak out after a cut.
        self.client_writer.transport.abort()
        self.server_writer.transport.abort()
