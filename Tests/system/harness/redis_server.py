"""A real `redis-server` of the test's own, on a Unix socket in a folder of its own."""

import os

from harness.process import Process
from harness.resp import RedisClient, RedisError
from harness.waiting import wait_for


class RedisServer(Process):
    """`durable` writes every change to the append-only file before it is answered. Tests end processes, not machines, so that
    an `fsync` for each is not needed; `fsync` is Redis' `appendfsync`."""

    # It is reached by a socket of this machine.
    tls = None

    def __init__(self, folder, durable=False, name="redis", fsync="no"):
        self.socket_path = os.path.join(folder, f"{name}.sock")
        self.url = f"redis+unix://{self.socket_path}"
        self.bot_url = self.url
        arguments = [
            "redis-server", "--port", "0", "--unixsocket", self.socket_path, "--dir", folder, "--save", "",
            "--appendonly", "yes" if durable else "no", "--appendfsync", fsync,
            "--auto-aof-rewrite-percentage", "0",
        ]
        super().__init__(name, arguments, {}, folder)
        self._client = None

    def start(self):
        """Starts or restarts the server on the same socket and data; returns once it answers."""
        self._client = None
        self.spawn()
        wait_for(self._answers, f"the start of {self.name}")
        return self

    @property
    def address(self):
        return self.socket_path

    def connect(self):
        """A new connection, for a thread of the test's own."""
        return RedisClient(self.socket_path)

    @property
    def client(self):
        """A connection for the test's main thread, made anew after a restart."""
        if self._client is None:
            self._client = self.connect()
        return self._client

    def calls(self, command):
        """How often a command has run since the start."""
        prefix = f"cmdstat_{command}:calls="
        for line in self.client.call("INFO", "commandstats").splitlines():
            if line.startswith(prefix):
                return int(line[len(prefix):].partition(",")[0])
        return 0

    def _answers(self):
        if not self.alive:
            raise AssertionError(f"redis-server ended at its start\n{self.output}{self.log}")
        try:
            client = self.connect()
        except OSError:
            return False
        try:
            return client.call("PING") == "PONG"
        except (RedisError, OSError):
            return False  # It is still loading its data.
        finally:
            client.close()
