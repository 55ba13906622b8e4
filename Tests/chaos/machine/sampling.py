"""What each process holds, looked at from outside while the run goes on."""

import os
import threading
import time

from history import Sample, now_ns

INTERVAL_S = 1.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ESTABLISHED = "01"
# A node keeps as many connections to the operator's endpoint for the next event (Deliverer.swift), and no more.
TO_OPERATOR = 64
# How long one reading of both clocks may take, in ns, and how many are made until one does not take longer.
READING_NS = 5_000_000
READINGS = 20


def both_clocks(boot_ns=now_ns, wall_ns=time.time_ns):
    """(boot, wall) of one instant, in ns: a process may stand still between any two looks."""
    found = []
    while len(found) < READINGS and (not found or min(found)[0] > READING_NS):
        before, wall, after = boot_ns(), wall_ns(), boot_ns()
        found.append((after - before, (before + after) // 2, wall))
    return min(found)[1:]


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
            self._history.clock.append(both_clocks())
            served, to_operator = self._sockets()
            for process in self._cluster.processes():
                if process.alive and (len(self._cluster.servers) == 1 or process not in self._cluster.servers):
                    self.take(process.name, process.pid, served, to_operator)

    def end(self):
        self._stopping.set()
        self.join()

    def _sockets(self):
        """Those of clients of the nodes, and those to the operator's endpoint."""
        nodes, operators = {node.port for node in self._cluster.nodes}, self._cluster.operators
        served, to_operator = set(), set()
        for own_port, other_port, socket in _established():
            if own_port in nodes:
                served.add(socket)
            elif operators and other_port == operators.port:
                to_operator.add(socket)
        return served, to_operator

    def take(self, name, pid, served, to_operator):
        """Adds a sample of a process, unless it is ending; `served` and `to_operator` are sockets that are kept for
        others to use, and so are not counted."""
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
        kept = len(sockets & served) + min(TO_OPERATOR, len(sockets & to_operator))
        self._history.samples.append(Sample(at_ns, name, pid, len(links) - kept, resident_bytes, len(sockets) - kept))


def _established():
    """(its own end's port, the other end's, the socket as /proc names it) of each connection."""
    with open("/proc/net/tcp") as file:
        next(file)
        for line in file:
            # sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode.
            fields = line.split()
            if fields[3] == ESTABLISHED:
                own_port, other_port = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
                yield own_port, other_port, f"socket:[{fields[9]}]"
