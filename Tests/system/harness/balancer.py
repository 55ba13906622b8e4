"""A real HAProxy in front of nodes, set up by the file that compose.yaml uses."""

import csv
import io
import os
import re
import socket

from harness.http_client import request
from harness.node import REPOSITORY, reserve_port
from harness.process import Process
from harness.waiting import wait_for

CONFIGURATION = os.path.join(REPOSITORY, "deploy", "haproxy.cfg")


class Balancer(Process):
    """`ports` are those of nodes, which may be there later, or not at all. Only addresses differ from the file.

    `internal_ports` are those where bots report, if nodes have others for that; `proxy` is the address of a proxy in front that it believes, by the line that the file has for that in a comment.
    """

    def __init__(self, folder, ports, name="balancer", internal_ports=(), proxy=None):
        self._holders = [reserve_port(), reserve_port()]
        self.port, self.internal_port = (holder.getsockname()[1] for holder in self._holders)
        self._stats_path = os.path.join(folder, f"{name}.sock")
        path = os.path.join(folder, f"{name}.cfg")
        with open(CONFIGURATION) as file:
            text = file.read()
        for pattern, replacement in [
                (r"(?m)^global$", f"global\n    stats socket {self._stats_path}"),
                # With the descriptors that any shell grants: each connection takes two.
                (r"(?m)^    maxconn .*$", "    maxconn 400"),
                (r"(?m)^resolvers docker\n(    .*\n)+", ""),
                (r"(?m)^    bind :8080$", f"    bind 127.0.0.1:{self.port}"),
                (r"(?m)^    bind :8082$", f"    bind 127.0.0.1:{self.internal_port}"),
                (r"(?m)^    server-template .* node:8080 .*$", self._servers(ports)),
                (r"(?m)^    server-template .* node:8082 .*$", self._servers(internal_ports)),
                *self._trust(proxy)]:
            text, count = re.subn(pattern, replacement, text)
            assert count == 1, f"{CONFIGURATION} has {count} of {pattern}"
        with open(path, "w") as file:
            file.write(text)
        super().__init__(name, ["haproxy", "-db", "-f", path], {}, folder)

    @staticmethod
    def _servers(ports):
        return "\n".join(f"    server node{number} 127.0.0.1:{port}" for number, port in enumerate(ports, 1))

    @staticmethod
    def _trust(proxy):
        if proxy is None:
            return []
        line = "    http-request set-header X-Forwarded-For %[src]"
        return [
            # For the public alone: the first.
            (rf"(?ms)^{re.escape(line)}$\n(?=.*^frontend internal$)", ""),
            (rf"(?m)^    #   ({re.escape(line.strip())} unless {{ src )192.0.2.1 }}$", rf"    \g<1>{proxy} }}")]

    def start(self, ready=1):
        """Returns once that many nodes are found ready."""
        self.spawn()
        wait_for(lambda: self.ready_count() >= ready, f"{ready} ready nodes behind {self.name}")
        return self

    def ready_count(self):
        return sum(server["status"].startswith("UP") for server in self.servers())

    def servers(self):
        """What HAProxy knows of each server; nothing while it starts."""
        return [row for row in self._rows() if row["pxname"] == "nodes" and row["svname"] != "BACKEND"]

    def _rows(self):
        """Those of `show stat`; none while it starts."""
        if not self.alive:
            raise AssertionError(f"haproxy ended at its start\n{self.output}{self.log}")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stats:
                stats.connect(self._stats_path)
                stats.sendall(b"show stat\n")
                text = b"".join(iter(lambda: stats.recv(65536), b"")).decode()
        except OSError:
            return []
        return list(csv.DictReader(io.StringIO(text.removeprefix("# "))))

    def requests(self, frontend="public"):
        """How many requests have come to it."""
        return sum(int(row["req_tot"]) for row in self._rows()
                   if (row["pxname"], row["svname"]) == (frontend, "FRONTEND"))

    def request(self, method, path, **options):
        return request(self.port, method, path, **options)

    def end(self):
        super().end()
        for holder in self._holders:
            holder.close()
