"""What each process holds, looked at from outside while the run goes on."""

import os
import threading
import time

from history import Sample, now_ns

INTERVAL_S = 0.5
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ESTABLISHED = "01"


class Sampler(threading.Thread):
    """Takes samples of a single Redis, the nodes and the runners, and of the clocks, until it is stopped. Of several
    servers each has as many connections as it is a primary or a replica, which says nothing of leaks."""

    def __init__(self, cluster, history):
        super().__init__(name="sampler", daemon=True)
        self._cluster = cluster
        self._history = history
        self._stopping = threading.Event()

    def run(self):
        while not self._stopping.wait(INTERVAL_S):
            self._history.clock.append((now_ns(), time.time_ns()))
            served = _client_sockets({node.port for node in self._cluster.nodes})
            for process in self._cluster.processes():
                if process.alive and (len(self._cluster.servers) == 1 or process not in self._cluster.servers):
                    self.take(process.name, process.pid, served)

    def end(self):
        self._stopping.set()
        self.join()

    def take(self, name, pid, served):
        """Adds a sample of a process, unless it is ending; `served` are the sockets of clients of the nodes."""
        at_ns = now_ns()
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
            links = []
            for descriptor in descriptors:
                try:
                    links.append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
                except FileNotFoundError:
                    pass  # It was closed meanwhile.
            with open(f"/proc/{pid}/statm") as file:
                resident_bytes = int(file.read().split()[1]) * PAGE_BYTES
        except OSError:
            return  # The process ended meanwhile.
        if not resident_bytes:
            return  # It is ending: its memory goes before its descriptors.
        sockets = {link for link in links if link.startswith("socket:")}
        self._history.samples.append(Sample(
            at_ns, name, pid, len(links) - len(sockets & served), resident_bytes, len(sockets - served)))


def _client_sockets(ports):
    """The sockets, as /proc names them, of the connections that clients have to these ports."""
    found = set()
    with open("/proc/net/tcp") as file:
        next(file)
        for line in file:
            fields = line.split()
            # sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode.
            if fields[3] == ESTABLISHED and int(fields[1].rpartition(":")[2], 16) in ports:
                found.add(f"socket:[{fields[9]}]")
    return found
