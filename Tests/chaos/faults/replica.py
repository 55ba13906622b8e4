"""A read-only replica that answers in the place of Redis, as after a failover that not everybody has heard of."""

import os

from faults.choice import all_servers, around_the_timeouts
from faults.fault import Fault, NoTarget
from faults.redis import order, order_if_it_lives
from harness.ports import free_port
from harness.redis_server import RedisServer
from harness.waiting import wait_for


class Replica(RedisServer):
    """A server that follows another one, which listens on a port of this machine."""

    def __init__(self, folder, port):
        super().__init__(folder, name=f"replica-{port}")
        self.arguments += ["--replicaof", "127.0.0.1", str(port), "--dbfilename", f"{self.name}.rdb"]

    def start(self):
        """Returns once it has what the other one has."""
        super().start()
        wait_for(self._follows, f"{self.name}'s following")
        return self

    def _follows(self):
        return "master_link_status:up" in self.client.call("INFO", "replication").splitlines()

    def end(self):
        super().end()
        for left in (self.socket_path, os.path.join(self.folder, f"{self.name}.rdb")):
            if os.path.exists(left):
                os.remove(left)


class RedisReadOnly(Fault):
    """Connections go to the replica: new ones only, or all, which are cut for it; of one node or runner, or of all."""

    name = "redis-read-only"
    deployments = ("standalone",)

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        port = free_port()
        order(cluster.redis, "CONFIG", "SET", "bind", "127.0.0.1", "port", port, "repl-diskless-sync-delay", 0)
        self._replica = Replica(cluster.redis.folder, port)
        try:
            self._replica.start()
        except AssertionError as error:
            self._replica.end()
            raise NoTarget(f"no replica could be made: {error}") from error
        servers = all_servers(cluster)
        if random.choice(("for all", "for one")) == "for one":
            servers = [random.choice(servers)]
        which = random.choice(("all connections", "new connections"))
        self._proxies = [cluster.proxy_of(server) for server in servers]
        for proxy in self._proxies:
            proxy.switch(self._replica.socket_path)
            if which == "all connections":
                proxy.cut()
        return ", ".join(server.name for server in servers), which

    def heal(self, cluster):
        for proxy in self._proxies:
            proxy.switch(cluster.redis.socket_path)
            proxy.cut()
        self._replica.end()
        order_if_it_lives(cluster, "CONFIG", "SET", "port", 0)
