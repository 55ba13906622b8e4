"""A proxy between a node and Redis that understands RESP, so that a fault can be put at a command's border."""

import asyncio
import os
import threading

from harness.link import Connection, Link
from harness.resp import parse
from harness.waiting import DEADLINE_S


def is_lock(command):
    """The command that takes a workspace's lock."""
    return command[0].upper() == b"SET" and command[1].endswith(b":lock")


def is_script_with(*pieces):
    """Tells a script by what its keys have in them, each piece in some key."""
    def is_it(command):
        return command[0].upper() in (b"EVALSHA", b"EVAL") and all(
            any(piece in part for part in command[3:]) for piece in pieces)
    return is_it


# The script that dispatches: the only one that is given a workspace's lock and a dispatch stream.
is_dispatch_script = is_script_with(b":lock", b":dispatch")


class Fault:
    """A fault that waits for one command. It strikes once, at the first command that matches.

    With `follows`, only a command that came in one piece with the one before it matches: inside a pipeline.
    """

    def __init__(self, kind, matches, follows=False):
        self.kind = kind
        self.matches = matches
        self.follows = follows
        self.command = None
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
        """Lets what is held, and what follows it, go on."""
        self._loop.call_soon_threadsafe(self._opened.set)


class Proxy(Link):
    """Listens on a Unix socket and passes everything on to the server's one, except where a fault says otherwise."""

    def __init__(self, server_path, folder, name="proxy"):
        super().__init__(name)
        self.socket_path = os.path.join(folder, f"{name}.sock")
        self.url = f"redis+unix://{self.socket_path}"
        self._server_path = server_path
        self._faults = []
        self._parting_s = 0.0

    # What tests call, from their own thread.

    def hold(self, matches, follows=False):
        """Holds the first command that matches, and what follows it on its connection, until released."""
        return self._add(Fault("hold", matches, follows))

    def hold_answer(self, matches, follows=False):
        """Has Redis run the first command that matches, and holds its answer and what follows it until released."""
        return self._add(Fault("hold_answer", matches, follows))

    def lose_answer(self, matches, follows=False):
        """Cuts the connection once Redis has run the first command that matches, before its answer is passed on."""
        return self._add(Fault("lose_answer", matches, follows))

    def lose_command(self, matches, follows=False):
        """Cuts the connection in place of passing on the first command that matches."""
        return self._add(Fault("lose_command", matches, follows))

    def forget(self, fault):
        """Takes back a fault; False if a command has matched it already."""
        return self.in_loop(self._forget(fault))

    def settle(self):
        """Returns once what was let go before is passed on."""
        self.in_loop(self._settle())

    def part(self, seconds):
        """Passes each command on by itself, this long after the one before it."""
        self._parting_s = seconds

    def switch(self, server_path):
        """New connections go to another server from now on; those that are there stay until they are cut."""
        self._server_path = server_path

    # What runs in the proxy's thread.

    def _add(self, fault):
        fault._loop, fault._opened = self.loop, asyncio.Event()
        self._faults.append(fault)
        return fault

    async def _forget(self, fault):
        if fault not in self._faults:
            return False
        self._faults.remove(fault)
        return True

    async def _settle(self):
        # Each step of those that go on is a turn of the loop.
        for _ in range(10):
            await asyncio.sleep(0)

    async def listen(self):
        return await asyncio.start_unix_server(self.serve, self.socket_path)

    async def reach(self):
        return await asyncio.open_unix_connection(self._server_path)

    def connect(self, *streams):
        return _Connection(*streams)

    async def pass_to_server(self, connection, data):
        buffer = connection.commands_buffer
        buffer += data
        follows = False
        while step := parse(buffer):
            command, end = step
            raw = bytes(buffer[:end])
            del buffer[:end]
            if not await self._pass_command(connection, command, raw, follows):
                return False
            follows = True
        return True

    async def _pass_command(self, connection, command, raw, follows):
        """Passes one command on as the faults allow; False if it ends the connection."""
        fault = self._take_fault(command, follows)
        connection.commands += 1
        if fault and fault.kind == "hold":
            fault._struck.set()
            await fault._opened.wait()
        elif fault and fault.kind == "lose_command":
            fault._struck.set()
            return False
        elif fault:
            connection.faulty_answers[connection.commands] = fault
        if self._parting_s:
            await asyncio.sleep(self._parting_s)
        return await self.send_to_server(connection, raw)

    async def pass_to_client(self, connection, data):
        buffer = connection.answers_buffer
        buffer += data
        while step := parse(buffer):
            connection.answers += 1
            fault = connection.faulty_answers.pop(connection.answers, None)
            if fault:
                fault._struck.set()
            if fault and fault.kind == "lose_answer":
                return False
            if fault:
                await fault._opened.wait()
            raw = bytes(buffer[:step[1]])
            del buffer[:step[1]]
            await self.send_to_client(connection, raw)
        return True

    def _take_fault(self, command, follows):
        for fault in self._faults:
            if (follows or not fault.follows) and fault.matches(command):
                self._faults.remove(fault)
                fault.command = command
                return fault
        return None


class _Connection(Connection):
    """With how many commands and answers went through."""

    def __init__(self, *streams):
        super().__init__(*streams)
        self.commands = self.answers = 0
        self.commands_buffer, self.answers_buffer = bytearray(), bytearray()
        # By the command's number, those whose answer is held or lost.
        self.faulty_answers = {}
