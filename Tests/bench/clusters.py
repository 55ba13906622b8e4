"""The request path on a Redis Cluster beside one Redis: what a dispatch costs, and what a node holds.

Both are reached through TCP, and run on this machine, so that what is compared is the path: where each command goes is
looked up, and the commands of one turn leave in a write for each primary.
"""

import binascii
import contextlib
import dataclasses
import itertools
import os

import footprint
import load
import sides
from processes import BenchError, Node, Redis, free_port, wait_until
from records import DispatchRequests

SLOTS = 16384
PRIMARIES = 3
# What a node holds is measured with so many primaries, and requests of so many workspaces.
GROWTH_PRIMARIES = [1, 3, 6]
GROWTH_WORKSPACES = [100, 2_000]
GROWTH_SECONDS = 5


def slot(key):
    """The slot of a key: of its hash tag, if it has one (Redis Cluster specification, "Key distribution model")."""
    tag = key.partition("{")[2].partition("}")[0] or key
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


def owner(key, primaries):
    """Which of so many primaries, each with an equal part of the slots, has a key."""
    return slot(key) * primaries // SLOTS


class OneRedis(Redis):
    """A Redis that is reached through TCP, as the nodes of a cluster are."""

    def __init__(self, folder, append_only, *arguments):
        os.makedirs(folder)
        self.port = free_port()
        super().__init__(folder, append_only, "--port", str(self.port), *arguments)
        self.url = f"redis://127.0.0.1:{self.port}"

    def connections(self):
        """How many clients it has, but for the one that asks."""
        about = dict(line.partition(":")[::2] for line in self.command("INFO", "clients").splitlines())
        return int(about["connected_clients"]) - 1


class Cluster:
    """So many primaries, without replicas, each with an equal part of the slots."""

    def __init__(self, folder, append_only, primaries):
        self.folder, self.append_only, self.count = folder, append_only, primaries

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.members = []
            for number in range(self.count):
                bus = str(free_port())
                member = stack.enter_context(OneRedis(
                    f"{self.folder}/{number}", self.append_only, "--cluster-enabled", "yes", "--cluster-port", bus))
                self.members.append(member)
                member.wait_ready()
                first, last = (-(-(number + more) * SLOTS // self.count) for more in (0, 1))
                member.command("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
                member.command("CLUSTER", "ADDSLOTSRANGE", str(first), str(last - 1))
                self.members[0].command("CLUSTER", "MEET", "127.0.0.1", str(member.port), bus)
            self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{member.port}" for member in self.members)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def wait_ready(self):
        for member in self.members:
            wait_until(
                lambda: {"cluster_state:ok", f"cluster_known_nodes:{self.count}"}
                <= set(member.command("CLUSTER", "INFO").split()), "the cluster's agreement")

    def owner(self, key):
        return self.members[owner(key, self.count)]

    def load(self, path):
        """Empties all primaries and fills each with those commands in a file whose key is its own."""
        parts = {member: open(f"{path}.{number}", "w", encoding="ascii", newline="")
                 for number, member in enumerate(self.members)}
        with open(path, encoding="ascii", newline="") as seed:
            for head in seed:
                # Of each word the length and the word; the second word is the key.
                lines = list(itertools.islice(seed, 2 * int(head[1:])))
                parts[self.owner(lines[3].rstrip())].write(head + "".join(lines))
        for member, part in parts.items():
            part.close()
            member.load(part.name)

    def processor_seconds(self):
        return sum(member.processor_seconds() for member in self.members)

    def stream_entries(self, partitions):
        return sum(self.owner(f"{{p{number:x}}}").stream_entries([number]) for number in partitions)

    def connections(self):
        return sum(member.connections() for member in self.members)


@dataclasses.dataclass
class Held:
    """What a node holds after dispatches for so many workspaces."""

    primaries: int
    workspaces: int
    connections: int
    resident_bytes: int


@dataclasses.dataclass
class Clusters:
    one: sides.Side
    cluster: sides.Side
    held: list

    @property
    def phases(self):
        return self.one.phases + self.cluster.phases

    @property
    def problems(self):
        return [problem for phase in self.phases for problem in phase.problems]


def measure(binary, folder, options, say):
    with contextlib.ExitStack() as stack:
        one = sides.Side("dispatch, one Redis", stack.enter_context(OneRedis(f"{folder}/one", options.aof)))
        cluster = sides.Side(
            f"dispatch, {PRIMARIES} primaries",
            stack.enter_context(Cluster(f"{folder}/cluster", options.aof, PRIMARIES)))
        for side in one, cluster:
            side.redis.wait_ready()
        sides.measure([one, cluster], binary, f"{folder}/sides", options, say)
    return Clusters(one, cluster, [
        hold(binary, folder, options, primaries, workspaces)
        for primaries in GROWTH_PRIMARIES for workspaces in GROWTH_WORKSPACES])


def hold(binary, folder, options, primaries, workspaces):
    seed, requests_path = f"{folder}/held.resp", f"{folder}/held.requests"
    requests = DispatchRequests(sides.REQUESTS_A_SECOND * GROWTH_SECONDS, seed, requests_path, workspaces)
    folder = f"{folder}/held-{primaries}-{workspaces}"
    with (OneRedis(folder, options.aof) if primaries == 1 else Cluster(folder, options.aof, primaries)) as redis:
        redis.wait_ready()
        redis.load(seed)
        with Node(binary, folder, redis, options.loops) as node:
            node.wait_ready()
            phase = load.dispatches("held", node, redis, options, requests, requests_path, GROWTH_SECONDS)
            if phase.requests < workspaces:
                raise BenchError(f"{phase.requests} dispatches are too few for {workspaces:,} workspaces")
            return Held(primaries, workspaces, redis.connections(), footprint.settled_resident_bytes(node))


def cost_rows(done):
    return sides.cost_rows(done.one, done.cluster, "a dispatch on the cluster, to one on one Redis")


def held_rows(done):
    rows = [("what a node holds: primaries", "workspaces", "connections", "resident MiB")]
    for held in done.held:
        rows.append((str(held.primaries), f"{held.workspaces:,}", str(held.connections),
                     f"{held.resident_bytes / 2**20:.1f}"))
    return rows
