"""Redis as real deployments run it, for the tests that pass on all of them: behind Sentinels, and as a Redis Cluster."""

import itertools
import os

import pytest

from harness.ports import free_port
from harness.process import Process
from harness.resp import RedisClient, RedisError
from harness.waiting import wait_for

SERVICE = "records"
LOOPBACK = "127.0.0.1"
# Tests end processes, not machines: what was written before it was answered is there again, without an `fsync` for each.
KEPT = ("--appendonly", "yes", "--appendfsync", "no")


class TCPServer(Process):
    """A `redis-server` on a port of an address of the loopback; `arguments` come after its own. With the certificates `tls`
    it speaks TLS alone.

    What it says to others comes from its address too, so that a rule of the network can be about it alone.
    """

    def __init__(self, folder, name, arguments=(), configuration=None, host=LOOPBACK, tls=None):
        self.host = host
        self.tls = tls
        self.port = free_port()
        self.data = os.path.join(folder, name)
        os.mkdir(self.data)
        words = ["redis-server"]
        if configuration is not None:
            path = os.path.join(self.data, "redis.conf")
            with open(path, "w") as file:
                file.write(configuration)
            words.append(path)
        words += ["--port", self.port] if tls is None else [
            "--port", 0, "--tls-port", self.port, "--tls-cert-file", tls.own[0], "--tls-key-file", tls.own[1],
            "--tls-ca-cert-file", tls.authority, "--tls-auth-clients", "no", "--tls-replication", "yes",
            "--tls-cluster", "yes"]
        words += ["--bind", host, "--bind-source-addr", host, "--protected-mode", "no", "--dir", self.data, "--save", "",
                  *arguments]
        super().__init__(name, words, {}, folder)

    @property
    def address(self):
        return self.host, self.port

    def start(self):
        self.spawn()
        wait_for(self._answers, f"the start of {self.name}")
        return self

    def ask(self, *command, timeout_s=30.0):
        """One command on a connection of its own."""
        client = RedisClient(self.address, timeout_s, self.tls)
        try:
            return client.call(*command)
        finally:
            client.close()

    def _answers(self):
        if not self.alive:
            raise AssertionError(f"{self.name} ended at its start\n{self.output}{self.log}")
        try:
            return self.ask("PING") == "PONG"
        except (RedisError, OSError):
            return False


class Deployment:
    """What the tests see of several servers: one URL for nodes and runners, one for bots, one client."""

    def __init__(self, name, tls=None):
        self.name = name
        self.tls = tls
        self.scheme = "redis" if tls is None else "rediss"
        self.servers = []
        self._client = None

    @property
    def client(self):
        if self._client is None:
            self._client = self.connect()
        return self._client

    def calls(self, command):
        """How often a command has run since the start, on all primaries."""
        prefix = f"cmdstat_{command}:calls="
        return sum(
            int(line[len(prefix):].partition(",")[0])
            for server in self.primaries() for line in server.ask("INFO", "commandstats").splitlines()
            if line.startswith(prefix))

    @property
    def output(self):
        return "".join(server.output for server in self.servers)

    @property
    def log(self):
        return "".join(f"== {server.name}\n{server.log[-2000:]}" for server in self.servers)

    def end(self):
        for server in reversed(self.servers):
            server.end()


class SingleServer(Deployment):
    """One server on a port."""

    def __init__(self, folder, name, options=(), tls=None):
        super().__init__(name, tls)
        self.servers = [TCPServer(folder, name, options, tls=tls)]
        self.url = self.bot_url = f"{self.scheme}://{LOOPBACK}:{self.servers[0].port}/0"

    def start(self):
        self.servers[0].start()
        return self

    def primaries(self):
        return self.servers

    def connect(self):
        return RedisClient(self.servers[0].address, tls=self.tls)


class SentinelDeployment(Deployment):
    """A primary with two replicas, and three Sentinels of which two must agree. `hosts` are the servers' addresses, in
    their order."""

    def __init__(self, folder, name, down_ms=3000, options=(), hosts=itertools.repeat(LOOPBACK), tls=None):
        super().__init__(name, tls)
        hosts = iter(hosts)
        durable = (*KEPT, "--repl-diskless-sync-delay", "0", *options)
        first = TCPServer(folder, f"{name}-0", durable, host=next(hosts), tls=tls)
        self.redis = [first] + [
            TCPServer(folder, f"{name}-{number}", (*durable, "--replicaof", f"{first.host} {first.port}"),
                      host=next(hosts), tls=tls)
            for number in (1, 2)]
        lines = [
            f"sentinel monitor {SERVICE} {first.host} {first.port} 2",
            f"sentinel down-after-milliseconds {SERVICE} {down_ms}", f"sentinel failover-timeout {SERVICE} 5000", "",
        ]
        self.sentinels = [
            TCPServer(folder, f"{name}-sentinel{number}", ("--sentinel",), "\n".join(lines), next(hosts), tls)
            for number in range(3)]
        self.servers = self.redis + self.sentinels
        self.url = self.url_through([sentinel.address for sentinel in self.sentinels], self.scheme)
        self.bot_url = f"{self.scheme}://{first.host}:{first.port}/0"

    @staticmethod
    def url_through(addresses, scheme="redis"):
        """The URL for those who reach the Sentinels there."""
        return f"{scheme}+sentinel://{','.join(f'{host}:{port}' for host, port in addresses)}/{SERVICE}"

    def start(self):
        for server in self.redis:
            server.start()
        for replica in self.redis[1:]:
            wait_for(lambda: "master_link_status:up" in replica.ask("INFO", "replication"), "the first replication")
        # Not before: a Sentinel that finds a primary slow, and no replica, keeps that picture for long.
        for sentinel in self.sentinels:
            sentinel.start()
        for sentinel in self.sentinels:
            wait_for(lambda: "slaves=2,sentinels=3" in sentinel.ask("INFO", "sentinel"), "Sentinels that know all")
        return self

    def primaries(self):
        """The one there is. On a busy machine Sentinels may fail over twice, and then there are two for a moment."""
        def only():
            found = [server for server in self.redis if server.alive and self._is_primary(server)]
            return found if len(found) == 1 else None
        return wait_for(only, "a single primary")

    @staticmethod
    def _is_primary(server):
        """Asked a second time if need be: a Sentinel cuts all connections of a server that it gives another part."""
        try:
            return "role:master" in server.ask("INFO", "replication")
        except ConnectionError:
            return "role:master" in server.ask("INFO", "replication")

    def primary(self):
        """The server that all Sentinels that run take for the primary."""
        def agreed():
            addresses = {
                tuple(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE))
                for sentinel in self.sentinels if sentinel.alive}
            found = [server for server in self.redis if addresses == {(server.host, str(server.port))}]
            return found[0] if found and found[0].alive and self._is_primary(found[0]) else None
        return wait_for(agreed, "a primary that all agree on")

    def connect(self):
        return RedisClient(self.primaries()[0].address, tls=self.tls)


class RedisCluster(Deployment):
    """Three primaries with a replica each. `hosts` are the servers' addresses, in their order."""

    def __init__(self, folder, name, node_timeout_ms=5000, options=(), hosts=itertools.repeat(LOOPBACK), tls=None):
        super().__init__(name, tls)
        self.servers = []
        for number, host in zip(range(6), hosts):
            arguments = (
                "--cluster-enabled", "yes", "--cluster-port", free_port(), "--cluster-node-timeout", node_timeout_ms,
                "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0", *KEPT, *options)
            self.servers.append(TCPServer(folder, f"{name}-{number}", arguments, host=host, tls=tls))
        self.url = f"{self.scheme}+cluster://" + ",".join(f"{server.host}:{server.port}" for server in self.servers[:2])
        self.bot_url = None

    def start(self):
        for server in self.servers:
            server.start()
        first = self.servers[0]
        for number, server in enumerate(self.servers[:3]):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.ask("CLUSTER", "ADDSLOTSRANGE", number * 16384 // 3, (number + 1) * 16384 // 3 - 1)
        bus = first.arguments[first.arguments.index("--cluster-port") + 1]
        for server in self.servers[1:]:
            server.ask("CLUSTER", "MEET", first.host, first.port, bus)
        self._wait("cluster_known_nodes:6")
        for primary, replica in zip(self.servers[:3], self.servers[3:]):
            replica.ask("CLUSTER", "REPLICATE", primary.ask("CLUSTER", "MYID"))
        for replica in self.servers[3:]:
            wait_for(lambda: "master_link_status:up" in replica.ask("INFO", "replication"), "the first replication")
        self._wait("cluster_state:ok")
        # Bots know one address; what they write lies in one slot.
        slot = first.ask("CLUSTER", "KEYSLOT", "transcription_segments")
        owner = self.servers[slot * 3 // 16384]
        self.bot_url = f"{self.scheme}://{owner.host}:{owner.port}/0"
        return self

    def _wait(self, line):
        for server in self.servers:
            wait_for(lambda: line in server.ask("CLUSTER", "INFO").split(), f"{line} of {server.name}")

    def primaries(self):
        return [server for server in self.servers
                if server.alive and "role:master" in server.ask("INFO", "replication")]

    def owner(self, key):
        """(the primary that serves a key, another server that follows it)"""
        slot = self.primaries()[0].ask("CLUSTER", "KEYSLOT", key)
        by_address = {server.address: server for server in self.servers}

        def found():
            slots = self.primaries()[0].ask("CLUSTER", "SLOTS")
            [nodes] = [entry[2:] for entry in slots if entry[0] <= slot <= entry[1]]
            return [by_address[node[0], node[1]] for node in nodes] if len(nodes) > 1 else None
        return wait_for(found, "a primary and its replica")[:2]

    def move_slot(self, key, source, target):
        """Gives a key's slot, with all its keys, from one primary to another, as `redis-cli --cluster reshard` does."""
        slot = source.ask("CLUSTER", "KEYSLOT", key)
        identity = target.ask("CLUSTER", "MYID")
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", identity)
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
            source.ask("MIGRATE", target.host, target.port, "", 0, 30000, "KEYS", *keys)
        for server in [target, source, *(other for other in self.primaries() if other not in (target, source))]:
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", identity)

    def connect(self):
        return ClusterClient([server.address for server in self.servers], self.tls)


class NoProxy:
    """Stands where a single Redis has a proxy before it; a test that needs it to do something is skipped."""

    def __init__(self, deployment):
        self.url = deployment.url

    def __getattr__(self, name):
        pytest.skip("commands can be held up, or cut off, only before a single Redis")


class ClusterClient(RedisClient):
    """Sends each command where the cluster says that its key is; without a key, to the first node."""

    def __init__(self, addresses, tls=None):
        self._addresses = addresses
        self._tls = tls
        self._clients = {}

    def close(self):
        for client in self._clients.values():
            client.close()

    def pipeline(self, commands):
        return [self._call(command) for command in commands]

    def servers(self):
        return [self._client(address) for address in self._addresses]

    def receive(self):
        """The next message of a subscription, which is without a key."""
        return self._client(self._addresses[0]).receive()

    def scan(self, pattern):
        found = set()
        for address in self._addresses:
            client = self._client(address)
            if client.call("ROLE")[0] == "master":
                found.update(client.scan(pattern))
        return sorted(found)

    def _call(self, command, attempts=5):
        address = self._addresses[0]
        for _ in range(attempts):
            try:
                return self._client(address).call(*command)
            except RedisError as error:
                kind, _, rest = str(error).partition(" ")
                if kind != "MOVED":
                    raise
                host, _, port = rest.split()[1].rpartition(":")
                address = host, int(port)
        raise AssertionError(f"{command[0]} was redirected {attempts} times")

    def _client(self, address):
        if address not in self._clients:
            self._clients[address] = RedisClient(address, tls=self._tls)
        return self._clients[address]
