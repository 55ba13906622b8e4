"""Choices that many faults make alike: whom to strike, and for how long."""

from faults.fault import NoTarget


def one_of(random, candidates, what):
    """One of some candidates; `what` names them all if there are none."""
    candidates = list(candidates)
    if not candidates:
        raise NoTarget(f"there is no {what}")
    return random.choice(candidates)


def alive(servers):
    """Those of some nodes or runners that have not ended."""
    return [server for server in servers if server.alive]


def all_servers(cluster):
    """The nodes and runners, each of which has a proxy between itself and Redis."""
    return [*cluster.nodes, *cluster.runners]


def around_the_timeouts(cluster, random):
    """A time in ms that is short, or around the lock's time to live, or around the lease's: up to three times it."""
    scale = random.choice((50, cluster.settings["lock_ttl"], cluster.settings["lease_ttl"]))
    return max(50, round(scale * random.uniform(0.5, 3.0)))


def until_restarted(cluster, random):
    """How long in ms what was killed stays away: not at all, or up to twice the lease."""
    return random.choice((0, random.randint(0, 2 * cluster.settings["lease_ttl"])))
