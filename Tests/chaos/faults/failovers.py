"""Faults of several servers of Redis: failovers that are asked for or forced, split brains, moved slots, no Sentinels.

Each needs a Redis that is whole, so that only one of them lasts at a time: two at once may take away more than replicas
are to bear. Each lasts until Redis is whole again.
"""

from faults.choice import alive, one_of
from faults.fault import Fault, NoTarget
from harness.keys import WorkspaceKeys
from harness.waiting import wait_for
from history import now_ns

# How long Redis may take to settle by itself, before the machine makes the rest of it.
SETTLING_S = 12.0
# Who is on the side of a primary that is cut off.
ALONE, WITH_SOME = "alone", "with"


class TopologyFault(Fault):
    """A fault of the servers and of who is the primary."""

    deployments = ("sentinel", "cluster")
    weight = 3
    # Long enough for a failover, or too short for one.
    lasts_ms = (200, 5_000)

    def require_whole(self, cluster):
        if cluster.topology_fault is not None:
            raise NoTarget(f"{cluster.topology_fault.name} still lasts")
        if not cluster.redis.is_whole():
            raise NoTarget("Redis is not whole")
        cluster.topology_fault = self

    def shard(self, cluster, random):
        """(primary, replicas) of one shard, of a Redis that is whole."""
        return one_of(random, cluster.redis.shards(), "shard")

    def inject(self, cluster, random):
        self.require_whole(cluster)
        try:
            return self.strike(cluster, random)
        except NoTarget:
            cluster.topology_fault = None
            raise

    def strike(self, cluster, random):
        """Does what `inject` is to do, to a Redis that is whole."""
        raise NotImplementedError

    def heal(self, cluster):
        cluster.topology_fault = None
        self.undo(cluster)
        try:
            wait_for(cluster.redis.is_whole, "", SETTLING_S, interval_s=0.2)
        except AssertionError:
            cluster.redis.make_whole()

    def undo(self, cluster):
        """Takes back what was done; the rest Redis does by itself."""


class FailoverAsked(TopologyFault):
    """An operator has a replica take the place of its primary, which goes on running. Sentinels do not coordinate that
    with the primary; a Cluster does, unless it is told not to (FORCE, TAKEOVER)."""

    name = "failover-asked"
    lasts_ms = (500, 3_000)

    def strike(self, cluster, random):
        said = cluster.redis.ask_failover(random)
        if said is None:
            raise NoTarget("nobody wants to fail over")
        return "redis", said


class PrimaryKilled(TopologyFault):
    """SIGKILL; it comes back, perhaps before anybody has noticed, with what its append-only file has."""

    name = "primary-killed"

    def strike(self, cluster, random):
        self._server, _ = self.shard(cluster, random)
        self._server.kill()
        return self._server.name, ""

    def undo(self, cluster):
        cluster.restart(self._server)


class PrimaryPaused(TopologyFault):
    """SIGSTOP, and SIGCONT when a replica may have taken its place, of which it knows nothing."""

    name = "primary-paused"

    def strike(self, cluster, random):
        self._server, _ = self.shard(cluster, random)
        self._server.pause()
        return self._server.name, ""

    def undo(self, cluster):
        self._server.resume()


class ReplicaKilled(TopologyFault):
    """SIGKILL of a replica: what waits for all replicas fails meanwhile."""

    name = "replica-killed"
    weight = 1

    def strike(self, cluster, random):
        _, replicas = self.shard(cluster, random)
        self._server = random.choice(replicas)
        self._server.kill()
        return self._server.name, ""

    def undo(self, cluster):
        cluster.restart(self._server)


class SplitBrain(TopologyFault):
    """A primary is cut off from all other servers of Redis, and not from nodes, runners and bots. Behind Sentinels, a
    node and a runner may be on its side: they are cut off from the Sentinels, and hear nothing of the failover."""

    name = "split-brain"
    lasts_ms = (1_000, 7_000)

    @classmethod
    def is_available(cls, cluster):
        return super().is_available(cluster) and cluster.network is not None

    def strike(self, cluster, random):
        primary, _ = self.shard(cluster, random)
        self._cut_off = []
        with_it = random.choice((ALONE, WITH_SOME, WITH_SOME)) if cluster.deployment == "sentinel" else ALONE
        if with_it == WITH_SOME:
            self._cut_off = [one_of(random, alive(cluster.nodes), "node that runs"),
                             one_of(random, alive(cluster.runners), "runner that runs")]
        cluster.network.cut(primary, [server for server in cluster.servers if server is not primary])
        for server in self._cut_off:
            cluster.proxy_of(server).cut(refuse=True)
        return primary.name, " ".join([with_it, *(server.name for server in self._cut_off)])

    def undo(self, cluster):
        cluster.network.mend()
        for server in self._cut_off:
            cluster.proxy_of(server).accept()


class SlotMoved(TopologyFault):
    """The slot of a workspace's partition goes to another primary, key by key, while it is worked with."""

    name = "slot-moved"
    deployments = ("cluster",)
    lasts_ms = (0, 0)

    def strike(self, cluster, random):
        key = WorkspaceKeys(random.choice(cluster.workspaces)).dispatch
        source, _ = cluster.redis.owner(key)
        target = one_of(random, [primary for primary, _ in cluster.redis.shards() if primary is not source], "target")
        cluster.redis.move_slot(key, source, target)
        self.struck_ns = now_ns()
        return source.name, f"{key} to {target.name}"


class SentinelsDown(TopologyFault):
    """All Sentinels are killed: the connections that are there go on, and new ones find no primary."""

    name = "sentinels-down"
    deployments = ("sentinel",)
    weight = 1

    def strike(self, cluster, random):
        for sentinel in cluster.redis.sentinels:
            sentinel.kill()
        return ", ".join(sentinel.name for sentinel in cluster.redis.sentinels), ""

    def undo(self, cluster):
        for sentinel in cluster.redis.sentinels:
            cluster.restart(sentinel)
