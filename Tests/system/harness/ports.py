"""Ports for servers that cannot let the kernel choose. Nothing outside the standard library: `make bench` uses it too."""

import random
import socket

# Below those that the kernel gives to connections: one of those could take a port between the probe and its use.
PORTS = range(20_000, 32_000)
_given = set()


def free_port():
    """A port that nothing uses now. `up` must find it wholly free, so it can't be held like a node's."""
    return free_ports(1)


def free_ports(count):
    """The first of some ports in a row that nothing uses now, and that were not given to anyone before."""
    while True:
        first = random.choice(PORTS)
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
