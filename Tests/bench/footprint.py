"""What a node takes: memory, the time until it answers, and the size of its binary."""

import dataclasses
import os
import socket
import statistics
import subprocess

from processes import BenchError, Node, resident_bytes, wait_until

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"


@dataclasses.dataclass
class Footprint:
    """Bytes and seconds."""

    idle_bytes: int
    connections: int
    with_connections_bytes: int
    starts: int
    first_answer_seconds: float
    first_record_seconds: float
    binary_bytes: int
    stripped_bytes: int

    @property
    def bytes_a_connection(self):
        return (self.with_connections_bytes - self.idle_bytes) / self.connections


def settled_resident_bytes(node):
    """The resident memory once it has been the same for ten readings, a twentieth of a second in all."""
    readings = []

    def is_settled():
        readings.append(resident_bytes(node.pid))
        return readings[-1] if len(readings) >= 10 and len(set(readings[-10:])) == 1 else None

    return wait_until(is_settled, "a steady size of the node's memory")


def open_connection(node):
    """A connection that has had one request answered, and is kept."""
    connection = socket.create_connection(("127.0.0.1", node.port), timeout=10)
    connection.sendall(HEALTH)
    if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
        raise BenchError("a connection that was to be kept idle was not answered with 200")
    return connection


def measure(binary, folder, redis, options):
    first_answers, first_records = [], []
    for _ in range(options.starts):
        with Node(binary, folder, redis, options.loops) as node:
            first_answers.append(node.seconds_until("/healthz", 200))
        with Node(binary, folder, redis, options.loops) as node:
            first_records.append(node.wait_ready())
    with Node(binary, folder, redis, options.loops) as node:
        node.wait_ready()
        idle = settled_resident_bytes(node)
        connections = [open_connection(node) for _ in range(options.idle_connections)]
        full = settled_resident_bytes(node)
        for connection in connections:
            connection.close()
    stripped = os.path.join(folder, "usher.stripped")
    subprocess.run(["strip", "-o", stripped, binary], check=True)
    return Footprint(
        idle, options.idle_connections, full, options.starts, statistics.median(first_answers),
        statistics.median(first_records), os.path.getsize(binary), os.path.getsize(stripped))
