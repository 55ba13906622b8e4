"""Redis that dies, stops, forgets its scripts, drops its clients, makes them wait, or refuses to write."""

from faults.choice import around_the_timeouts, until_restarted
from faults.fault import Fault, NoTarget
from harness.resp import RedisClient, RedisError

# How long Redis may be silent; beyond that it is stopped by another fault.
SILENCE_S = 1.0


def order(server, *command):
    """Has Redis run a command that belongs to a fault. Raises NoTarget, and orders nothing, if it does not answer."""
    try:
        client = RedisClient(server.address, timeout_s=SILENCE_S)
        client.call("PING")
    except (OSError, RedisError) as error:
        raise NoTarget(f"Redis does not answer: {error}") from error
    client.close()
    # It has just answered, and nobody else stops it meanwhile.
    client = RedisClient(server.address)
    try:
        return client.call(*command)
    finally:
        client.close()


def order_if_it_lives(cluster, *command):
    """For healing: a Redis that was restarted has forgotten the fault; one that is stopped obeys when it goes on."""
    try:
        client = RedisClient(cluster.redis.address, timeout_s=SILENCE_S)
    except OSError:
        return
    try:
        client.call(*command)
    except (OSError, RedisError):
        pass
    finally:
        client.close()


def any_server(cluster, random):
    """One of those that have records."""
    return random.choice([cluster.redis] if cluster.deployment == "standalone" else cluster.redis.data)


class RedisKill(Fault):
    """SIGKILL; started again with what its append-only file has."""

    name = "redis-kill"
    deployments = ("standalone",)

    def duration_ms(self, cluster, random):
        return until_restarted(cluster, random)

    def inject(self, cluster, random):
        if not cluster.redis.alive:
            raise NoTarget("Redis does not run")
        cluster.redis.kill()
        return cluster.redis.name, ""

    def heal(self, cluster):
        if not cluster.redis.alive:
            cluster.restart(cluster.redis)


class RedisPause(Fault):
    """SIGSTOP, and SIGCONT at the end."""

    name = "redis-pause"
    deployments = ("standalone",)

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        if not cluster.redis.alive:
            raise NoTarget("Redis does not run")
        cluster.redis.pause()
        return cluster.redis.name, ""

    def heal(self, cluster):
        cluster.redis.resume()


class RedisScriptFlush(Fault):
    """Every script is forgotten."""

    name = "redis-script-flush"

    def inject(self, cluster, random):
        server = any_server(cluster, random)
        order(server, "SCRIPT", "FLUSH")
        return server.name, ""


class RedisClientKillNormal(Fault):
    """Every connection but those of subscribers is closed, the tests' own too."""

    name = "redis-client-kill-normal"
    kind = "normal"

    def inject(self, cluster, random):
        server = any_server(cluster, random)
        count = order(server, "CLIENT", "KILL", "TYPE", self.kind)
        return server.name, f"closed {count} connections"


class RedisClientKillPubSub(RedisClientKillNormal):
    """Every connection of a subscriber is closed."""

    name = "redis-client-kill-pubsub"
    kind = "pubsub"


class RedisClientPause(Fault):
    """Redis makes its clients wait, all of them or those that write, and goes on by itself."""

    name = "redis-client-pause"
    deployments = ("standalone",)

    def duration_ms(self, cluster, random):
        self._ms = around_the_timeouts(cluster, random)
        return self._ms

    def inject(self, cluster, random):
        mode = random.choice(("ALL", "WRITE"))
        order(cluster.redis, "CLIENT", "PAUSE", self._ms, mode)
        return cluster.redis.name, f"{mode} for {self._ms} ms"

    def heal(self, cluster):
        # In case that it is healed before its time.
        order_if_it_lives(cluster, "CLIENT", "UNPAUSE")


class RedisFullMemory(Fault):
    """No memory is left, and nothing may be evicted: every command that could need more is refused."""

    name = "redis-full-memory"
    deployments = ("standalone",)

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        order(cluster.redis, "CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
        return cluster.redis.name, ""

    def heal(self, cluster):
        order_if_it_lives(cluster, "CONFIG", "SET", "maxmemory", "0")
