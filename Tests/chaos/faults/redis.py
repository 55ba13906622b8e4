"""Redis that dies, stops, forgets its scripts, drops its clients, makes them wait, or refuses to write."""

import string

from faults.choice import alive, around_the_timeouts, one_of, until_restarted
from faults.fault import Fault, NoTarget
from harness.bots_user import BotsUser
from harness.resp import RedisClient, RedisError
from harness.transcripts import STREAM as SEGMENTS
from harness.workspace import API, Admin

# How long Redis may be silent; beyond that it is stopped by another fault.
SILENCE_S = 1.0
# How long a tenant waits for an answer.
ASKING_S = 2.0


def order(server, *command):
    """Has Redis run a command that belongs to a fault. Raises NoTarget, and orders nothing, if it does not answer."""
    try:
        client = RedisClient(server.address, SILENCE_S, server.tls)
        client.call("PING")
    except (OSError, RedisError) as error:
        raise NoTarget(f"Redis does not answer: {error}") from error
    client.close()
    # It has just answered, and nobody else stops it meanwhile.
    client = RedisClient(server.address, tls=server.tls)
    try:
        return client.call(*command)
    finally:
        client.close()


def order_if_it_lives(cluster, *command):
    """For healing: a Redis that was restarted has forgotten the fault; one that is stopped obeys when it goes on."""
    _order_if_it_lives(cluster.redis, *command)


def _order_if_it_lives(server, *command):
    try:
        client = RedisClient(server.address, SILENCE_S, server.tls)
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


class RedisFilled(Fault):
    """Another tenant writes notes until Redis has no room for more, and keeps what room there is from then on."""

    name = "redis-filled"
    ROOM_BYTES = 1 << 19
    NOTE = "n" * 32_000
    # Several times as many as there is room for.
    MOST_NOTES = 100

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        node = one_of(random, alive(cluster.nodes), "node that runs")
        try:
            tenant = BotsUser(Admin(node, is_hasty=True))
        except (OSError, AssertionError) as error:
            raise NoTarget(f"no tenant can be made: {error}") from error
        servers = [cluster.redis] if cluster.deployment == "standalone" else cluster.redis.data
        for server in servers:
            order(server, "CONFIG", "SET", "maxmemory", self._used(server) + self.ROOM_BYTES,
                  "maxmemory-policy", "noeviction")
        statuses = [status for status in self._fill(tenant) if status is not None]
        for server in servers:
            order(server, "CONFIG", "SET", "maxmemory", self._used(server) - self.ROOM_BYTES)
        return node.name, f"{len(statuses)} notes until {statuses[-1] if statuses else 'nobody answered'}"

    @staticmethod
    def _used(server):
        memory = order(server, "INFO", "memory")
        return int(next(line.partition(":")[2] for line in memory.splitlines() if line.startswith("used_memory:")))

    def _fill(self, tenant):
        """The statuses of the answers until one says that there is no room; None where there was no answer."""
        for number in range(self.MOST_NOTES):
            code = f"abc-full-{string.ascii_lowercase[number // 10]}{string.ascii_lowercase[number % 10]}x"
            try:
                made = tenant.request("POST", f"{API}/{tenant.workspace_id}/meetings", {
                    "meeting_url": f"https://meet.google.com/{code}"}, timeout_s=ASKING_S)
                noted = tenant.request("PATCH", f"/meetings/google_meet/{code}", {"data": {"notes": self.NOTE}},
                                       timeout_s=ASKING_S) if made.status == 201 else made
            except OSError:
                yield None
                return
            yield noted.status
            if noted.status != 200:
                return

    def heal(self, cluster):
        for server in [cluster.redis] if cluster.deployment == "standalone" else cluster.redis.data:
            _order_if_it_lives(server, "CONFIG", "SET", "maxmemory", "0")


class StreamPoison(Fault):
    """A bot writes what no node can use, and what costs more the more there is of it, to the stream of segments."""

    name = "stream-poison"
    PAYLOADS = (
        '{"type":"transcription","meeting_id":1,"segments":[' + "0," * 2_500_000 + "0]}",
        '{"type":"transcription","meeting_id":1,"segments":' + "[" * 200_000 + "]" * 200_000 + "}",
        '{"type":"transcription","meeting_id":1,"segments":[{"text":"' + "x" * 5_000_000 + '"}]}',
    )

    def inject(self, cluster, random):
        candidates = [cluster.redis] if cluster.deployment == "standalone" else cluster.redis.of_bots
        number = random.randrange(len(self.PAYLOADS))
        for server in candidates:
            try:
                order(server, "XADD", SEGMENTS, "*", "payload", self.PAYLOADS[number])
                return server.name, f"kind {number + 1}"
            except RedisError:
                continue  # A replica, or full.
        raise NoTarget("no Redis takes segments")
