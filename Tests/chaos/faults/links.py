"""Faults of the network: between a node or runner and Redis, and between bots and nodes."""

from faults.choice import alive, all_servers, around_the_timeouts, one_of
from faults.fault import Fault
from harness.link import BOTH, TO_CLIENT, TO_SERVER


class LinkFault(Fault):
    """A fault of one link."""

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def choose(self, cluster, random):
        """(name, link)"""
        raise NotImplementedError


class Cut(LinkFault):
    """Every connection is closed, and new ones are refused until the end."""

    def inject(self, cluster, random):
        target, self._link = self.choose(cluster, random)
        self._link.cut(refuse=True)
        return target, ""

    def heal(self, cluster):
        self._link.accept()


class HalfOpen(LinkFault):
    """Nothing passes in some direction though every connection stands. At the end it arrives after all, or is lost
    with the connections."""

    directions = BOTH

    def inject(self, cluster, random):
        target, self._link = self.choose(cluster, random)
        self._fate = random.choice(("late", "lost"))
        self._link.half_open(self.directions)
        return target, f"what is sent is {self._fate}"

    def heal(self, cluster):
        if self._fate == "lost":
            self._link.cut()
        self._link.flow(self.directions)


class HalfOpenTo(HalfOpen):
    """Requests do not arrive, while answers do."""

    directions = (TO_SERVER,)


class HalfOpenFrom(HalfOpen):
    """Requests arrive and are executed, and their answers do not come back."""

    directions = (TO_CLIENT,)


class Delay(LinkFault):
    """What is sent to the server waits before it passes."""

    def inject(self, cluster, random):
        target, self._link = self.choose(cluster, random)
        delay_ms = random.choice((1, 5, 20, 50))
        self._link.delay(delay_ms / 1000)
        return target, f"{delay_ms} ms"

    def heal(self, cluster):
        self._link.delay(0.0)


class Trickle(LinkFault):
    """Messages pass a byte at a time, in both directions."""

    def inject(self, cluster, random):
        target, self._link = self.choose(cluster, random)
        self._link.trickle()
        return target, ""

    def heal(self, cluster):
        self._link.trickle(False)


class _ToRedis:
    deployments = ("standalone",)

    def choose(self, cluster, random):
        server = one_of(random, alive(all_servers(cluster)), "node or runner that runs")
        return server.name, cluster.proxy_of(server)


class _ToNodes:
    def choose(self, cluster, random):
        return cluster.api_proxy.name, cluster.api_proxy


class RedisLinkCut(_ToRedis, Cut):
    name = "redis-link-cut"


class RedisLinkHalfOpen(_ToRedis, HalfOpen):
    name = "redis-link-half-open"


class RedisLinkHalfOpenTo(_ToRedis, HalfOpenTo):
    name = "redis-link-half-open-to"


class RedisLinkHalfOpenFrom(_ToRedis, HalfOpenFrom):
    name = "redis-link-half-open-from"


class RedisLinkDelay(_ToRedis, Delay):
    name = "redis-link-delay"


class RedisLinkTrickle(_ToRedis, Trickle):
    name = "redis-link-trickle"


class ApiLinkCut(_ToNodes, Cut):
    name = "api-link-cut"


class ApiLinkHalfOpen(_ToNodes, HalfOpen):
    name = "api-link-half-open"


class ApiLinkHalfOpenTo(_ToNodes, HalfOpenTo):
    name = "api-link-half-open-to"


class ApiLinkHalfOpenFrom(_ToNodes, HalfOpenFrom):
    name = "api-link-half-open-from"


class ApiLinkDelay(_ToNodes, Delay):
    name = "api-link-delay"


class ApiLinkTrickle(_ToNodes, Trickle):
    name = "api-link-trickle"
