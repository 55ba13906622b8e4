"""Redis of several servers as the machine breaks it: which server is what, and how it is made whole again."""

import time

from harness.deployments import SERVICE, RedisCluster, SentinelDeployment
from harness.resp import RedisClient, RedisError
from harness.transcripts import STREAM as SEGMENTS
from harness.waiting import wait_for
from machine import settings

# How long one server may be silent before it counts as away.
SILENCE_S = 0.5
# How long it may take until all is as it was at the start, on a busy machine.
WHOLE_S = 60.0
# A server that comes back is given this long by Sentinels until they make it a replica; after that the machine does.
TURN_S = 1.0

# As docs/operations.md advises, but for the lag: such a failover is over in seconds, and so is everything else here.
OPTIONS = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", str(settings.MAX_LAG_S))


def ask(server, *command):
    """An answer, or None of a server that is away, stopped, or refuses."""
    try:
        client = RedisClient(server.address, SILENCE_S, server.tls)
    except OSError:
        return None
    try:
        return client.call(*command)
    except (OSError, RedisError):
        return None
    finally:
        client.close()


class Shards:
    """What both have in common. `data` are the servers with records; a shard is a primary and those that follow it."""

    @staticmethod
    def role(server):
        """What ROLE says, or None of a server that does not answer."""
        return ask(server, "ROLE")

    def roles(self):
        return {server: self.role(server) for server in self.data}

    def shards(self):
        """[(primary, replicas)] as far as each server says so itself. Two may say that they are the primary of one."""
        roles = self.roles()
        by_address = {server.address: server for server in self.data}
        found = {server: [] for server, role in roles.items() if role and role[0] == "master"}
        for server, role in roles.items():
            primary = by_address.get((role[1], role[2])) if role and role[0] == "slave" else None
            if primary in found and role[3] == "connected":
                found[primary].append(server)
        return list(found.items())

    def is_whole(self):
        """Every server is there and in its place, and everybody knows."""
        if not all(server.alive for server in self.servers):
            return False
        shards = self.shards()
        return (len(shards) == self.shard_count and all(len(replicas) == self.replica_count for _, replicas in shards)
                and self._is_agreed(shards))

    def restart(self, server):
        """Starts a dead server with what it has; it answers on return."""
        server.start()

    def make_whole(self):
        """Waits until all is whole, and helps where a server would be waited for."""
        end = time.monotonic() + TURN_S

        def is_whole():
            if time.monotonic() > end:
                self.turn_over()
            return self.is_whole()
        wait_for(is_whole, "a Redis that is whole again", WHOLE_S, interval_s=0.2)

    def turn_over(self):
        """Makes a former primary that has come back a replica of the one that took its place."""


class SentinelRedis(Shards, SentinelDeployment):
    """See SentinelDeployment. Nodes and runners reach the Sentinels through doors (machine/doors.py)."""

    shard_count, replica_count = 1, 2

    def __init__(self, folder, hosts, tls):
        super().__init__(folder, "redis", down_ms=settings.DOWN_MS, options=OPTIONS, hosts=hosts, tls=tls)
        self.data = self.of_bots = self.redis

    def agreed(self):
        """The server that all Sentinels that answer take for the primary, or None."""
        addresses = {tuple(address) for address in (
            ask(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE) for sentinel in self.sentinels) if address}
        return next((server for server in self.data if addresses == {(server.host, str(server.port))}), None)

    def restart(self, server):
        """A former primary comes back as a replica of the present one: so says the configuration that its operator, or
        a Sentinel, has left it."""
        if server in self.data:
            words = server.arguments
            if "--replicaof" in words:
                at = words.index("--replicaof")
                words = words[:at] + words[at + 2:]
            primary = self.agreed()
            if primary not in (None, server):
                words = [*words, "--replicaof", f"{primary.host} {primary.port}"]
            server.arguments = words
        server.start()

    def turn_over(self):
        primary = self.agreed()
        if primary is None or (self.role(primary) or [""])[0] != "master":
            return
        for server in self.data:
            role = self.role(server)
            if server is not primary and role and (role[0] == "master" or (role[1], role[2]) != primary.address):
                ask(server, "REPLICAOF", primary.host, primary.port)

    def ask_failover(self, random):
        """Returns what was asked for, in words; None if the Sentinels do not want to."""
        sentinel = random.choice(self.sentinels)
        return f"asked of {sentinel.name}" if ask(sentinel, "SENTINEL", "FAILOVER", SERVICE) == "OK" else None

    def _is_agreed(self, shards):
        [(primary, _)] = shards
        if self.agreed() is not primary:
            return False
        for sentinel in self.sentinels:
            flat = ask(sentinel, "SENTINEL", "MASTER", SERVICE)
            state = dict(zip(flat[::2], flat[1::2])) if flat else {}
            if (state.get("flags"), state.get("num-slaves"), state.get("num-other-sentinels")) != ("master", "2", "2"):
                return False
        return True


class ClusterRedis(Shards, RedisCluster):
    """See RedisCluster."""

    shard_count, replica_count = 3, 1

    def __init__(self, folder, hosts, tls):
        super().__init__(folder, "redis", node_timeout_ms=settings.DOWN_MS, options=OPTIONS, hosts=hosts, tls=tls)
        self.data = self.servers

    def start(self):
        super().start()
        # Those that bots write to, whichever of them is the primary: this slot is never moved.
        self.of_bots = self.owner(SEGMENTS)
        return self

    def ask_failover(self, random):
        """Returns what was asked for, in words; None if nobody would."""
        replicas = [replica for _, replicas in self.shards() for replica in replicas]
        if not replicas:
            return None
        replica = random.choice(replicas)
        kind = random.choice(((), ("FORCE",), ("TAKEOVER",)))
        is_asked = ask(replica, "CLUSTER", "FAILOVER", *kind) == "OK"
        return " ".join(("asked of", replica.name, *kind)) if is_asked else None

    def _is_agreed(self, shards):
        return all("cluster_state:ok" in (ask(server, "CLUSTER", "INFO") or "").split() for server in self.data)


KINDS = {"sentinel": SentinelRedis, "cluster": ClusterRedis}
