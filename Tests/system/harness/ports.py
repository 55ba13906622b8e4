"""Ports for servers that cannot let the kernel choose. Nothing outside the standard library: `make bench` uses it too."""

import os
import random
import socket

# Below those that the kernel gives to connections: one of those could take a port between the probe and its use. So could
# another run of tests beside this one, for which USHER_TEST_PORTS says FIRST-LAST, or another worker of pytest: each has a
# share of its own.
LEAST, MOST = map(int, os.environ.get("USHER_TEST_PORTS", "20000-31999").split("-"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
SHARE = (MOST - LEAST + 1) // WORKERS
FIRST = LEAST + SHARE * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = range(FIRST, FIRST + SHARE)
_given = set()


def free_port():
    """A port that nothing uses now. `up` must find it wholly free, so it can't be held like a node's."""
    return free_ports(1)


def free_ports(count):
    """The first of some ports in a row that nothing uses now, and that were not given to anyone before."""
    while True:
        first = random.choice(PORTS[:SHARE - count + 1])
        ports = range(first, first + count)
        if not _given.isdisjoint(ports):
            continue
        try:
            for port in ports:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue  # One of them is in use.
        _given.update(ports)
        return first
