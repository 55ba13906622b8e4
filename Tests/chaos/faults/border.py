"""Waiting for a command at several proxies at once."""

import threading
import time

from faults.fault import NoTarget

# How long the main thread waits for a command that a fault is put beside.
BORDER_S = 2.0
_LOOK_AGAIN_S = 0.002


class Border:
    """A proxy's fault that waits at several nodes and runners, and strikes at the first command that comes to any."""

    def __init__(self, cluster, servers, kind, matches, follows=False):
        """`kind` is one of the proxy's: hold, hold_answer, lose_answer, lose_command."""
        self._first = threading.Lock()

        def is_first(command):
            return matches(command) and self._first.acquire(blocking=False)
        self._armed = [(server, cluster.proxy_of(server), getattr(cluster.proxy_of(server), kind)(is_first, follows))
                       for server in servers]
        self.server = self.command = None
        self._fault = None

    def wait(self, what, patience_s=None):
        """Returns once a command was struck, at `server`. Raises NoTarget if none comes within BORDER_S, or the time
        that is given."""
        patience_s = BORDER_S if patience_s is None else patience_s
        end = time.monotonic() + patience_s
        while time.monotonic() < end and not any(fault.has_struck for _, _, fault in self._armed):
            time.sleep(_LOOK_AGAIN_S)
        # One that has matched and not struck waits for its answer.
        taken = [(server, fault) for server, proxy, fault in self._armed if not proxy.forget(fault)]
        if not taken:
            raise NoTarget(f"no {what} came within {patience_s:g} s")
        [(self.server, self._fault)] = taken
        self.command = self._fault.command

    def release(self):
        """Lets what is held go on."""
        self._fault.release()
