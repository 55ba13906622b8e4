"""One `usher serve` process."""

import os
import socket

from harness.http_client import request
from harness.process import Process
from harness.waiting import wait_for

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARY = os.path.abspath(os.path.join(REPOSITORY, os.environ.get("USHER", ".build/debug/usher")))
ADMIN_KEY = "an-admin-key-of-the-tests"


def reserve_port():
    """A socket that is bound to a free port and never listens.

    The node binds the same port beside it by SO_REUSEPORT, so nothing else can take the port, neither before
    the node starts nor while it is down; the kernel gives connections to listening sockets only.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


class Node(Process):
    """`settings` are environment variables without their prefix: `Node(..., LOCK_TTL_MS=500)`."""

    def __init__(self, folder, redis_url, name="node", **settings):
        self._holder = reserve_port()
        self.port = self._holder.getsockname()[1]
        environment = {
            "USHER_HOST": "127.0.0.1", "USHER_PORT": str(self.port), "USHER_REDIS": redis_url,
            "USHER_ADMIN_KEY": ADMIN_KEY, "USHER_LOOPS": "1",
            # No balancer looks at it, so a stop need not wait for one.
            "USHER_DRAIN_DELAY_MS": "0",
        }
        for setting, value in settings.items():
            if value is None:
                environment.pop(f"USHER_{setting}", None)
            else:
                environment[f"USHER_{setting}"] = str(value)
        super().__init__(name, [BINARY, "serve"], environment, folder)

    def start(self):
        """Starts the node and returns once it is healthy and reaches Redis."""
        self.spawn()
        wait_for(self.is_healthy, f"a 200 of {self.name}'s /healthz")
        # Each of its loops does, not only that of one connection.
        wait_for(lambda: self.request("GET", "/readyz").status == 200, f"{self.name}'s reaching Redis")
        wait_for(self.is_serving, f"{self.name}'s serving")
        return self

    def is_serving(self):
        """Whether it knows from Redis that a key is unknown (401), or that too many were (429); 503 while it can't ask."""
        probe = {"X-API-Key": "unknown"}
        return self.request("GET", "/api/v1/public/meeting/unknown/meetings", headers=probe).status in (401, 429)

    def is_healthy(self):
        if not self.alive:
            raise AssertionError(f"{self.name} ended with status {self._child.returncode}\n{self.output}{self.log}")
        try:
            return request(self.port, "GET", "/healthz", timeout_s=5.0).status == 200
        except OSError:
            return False

    def request(self, method, path, **options):
        return request(self.port, method, path, **options)

    def end(self):
        super().end()
        self._holder.close()
