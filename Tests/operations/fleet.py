"""What operators run: three nodes and two more that can be added, a durable Redis, and HAProxy in front."""

import os
import shutil
import signal
import tempfile

from harness.balancer import Balancer
from harness.node import Node
from harness.redis_server import RedisServer
from harness.waiting import wait_for
from harness.workspace import Admin

# Until HAProxy has seen that a node is about to stop; the same as in compose.yaml.
DRAIN_DELAY_MS = 5000


class Fleet:
    """To be used in a `with` block, at whose end all processes are gone."""

    def __init__(self, nodes=3, spare=2):
        self.folder = tempfile.mkdtemp(prefix="usher-")
        self.redis = RedisServer(self.folder, durable=True, fsync="always")
        self.nodes = [
            Node(self.folder, self.redis.url, name=f"node{number}", DRAIN_DELAY_MS=DRAIN_DELAY_MS,
                 IDLE_TIMEOUT_MS=120_000, RATE_LIMIT_PER_SECOND=1_000_000, RATE_LIMIT_BURST=10_000_000)
            for number in range(1, nodes + spare + 1)]
        self._count = nodes
        self.balancer = Balancer(self.folder, [node.port for node in self.nodes])

    def __enter__(self):
        try:
            self.redis.start()
            for node in self.nodes[:self._count]:
                node.start()
            self.balancer.start(ready=self._count)
            self.admin = Admin(self.balancer)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in [self.balancer, *self.nodes, self.redis]:
            process.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def running(self):
        return [node for node in self.nodes if node.alive]

    def wait_until_ready(self, count):
        wait_for(lambda: self.balancer.ready_count() == count, f"{count} ready nodes")

    # MARK: What happens to it

    def restart_nodes(self):
        """One after the other, each by SIGTERM, as an update does."""
        count = len(self.running)
        for node in self.running:
            node.signal(signal.SIGTERM)
            assert node.wait() == 0, node.log
            node.start()
            self.wait_until_ready(count)

    def kill_a_node(self):
        """And starts it again once it was missed."""
        count = len(self.running)
        self.nodes[0].kill()
        self.wait_until_ready(count - 1)
        self.nodes[0].start()
        self.wait_until_ready(count)

    def restart_redis(self):
        count = len(self.running)
        self.redis.signal(signal.SIGTERM)
        assert self.redis.wait() == 0, self.redis.log
        self.redis.start()
        self.wait_until_ready(count)

    def add_nodes(self):
        for node in self.nodes[self._count:]:
            node.start()
        self.wait_until_ready(len(self.nodes))


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
