"""Nodes and runners whose wall clock is wrong by hours, or jumps; and a Redis whose clock is set back.

Their calls that read the wall clock are interposed by a small library that is preloaded (`wrong_clock.c`). A time
namespace would not do: it shifts the monotonic clocks, which no clock service ever sets, and not the wall clock.
"""

import os
import shutil
import struct
import subprocess

from faults.choice import alive, around_the_timeouts, one_of, until_restarted
from faults.fault import Fault, NoTarget
from faults.servers import restart_if_ended

COMPILER = "cc"
HOUR_NS = 3_600_000_000_000
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrong_clock.c")
# A runner hands nothing on to its bots that it was not told to.
PASSED_ON = "USHER_PASS_ENVIRONMENT"
VARIABLES = ",LD_PRELOAD,WRONG_CLOCK"


def library_path(folder):
    return os.path.join(folder, "wrong_clock.so")


def library(folder):
    """The path of the library, which is compiled into a folder that lives as long as the cluster."""
    path = library_path(folder)
    if not os.path.exists(path):
        if shutil.which(COMPILER) is None:
            raise NoTarget(f"no C compiler: install the package that has {COMPILER} (gcc)")
        subprocess.run([COMPILER, "-O2", "-shared", "-fPIC", "-o", path, SOURCE, "-ldl"], check=True, timeout=60)
    return path


class WallClock:
    """The wall clock of one node, or of one runner and its bots. It is right until it is set."""

    def __init__(self, server):
        self._server = server
        self._path = os.path.join(server.folder, f"{server.name}.clock")
        self._library = library(server.folder)
        self.set(0)
        environment = server.environment
        environment.update(LD_PRELOAD=self._library, WRONG_CLOCK=self._path)
        if PASSED_ON in environment and VARIABLES not in environment[PASSED_ON]:
            environment[PASSED_ON] += VARIABLES

    @property
    def shift_ns(self):
        with open(self._path, "rb") as file:
            return struct.unpack("=q", file.read())[0]

    @property
    def is_in_use(self):
        """Whether the process was started by it. One that another fault has ended by now was not."""
        try:
            with open(f"/proc/{self._server.pid}/maps") as file:
                return self._library in file.read()
        except FileNotFoundError:
            return False

    def set(self, shift_ns):
        """Takes effect at once."""
        # Written in place, for the file is mapped.
        with open(self._path, "r+b" if os.path.exists(self._path) else "wb") as file:
            file.write(struct.pack("=q", shift_ns))


def hours(random):
    """A shift of an hour to a week, to the past or the future, in ns."""
    return random.choice((-1, 1)) * random.randint(HOUR_NS, 24 * 7 * HOUR_NS)


class ClockFault(Fault):
    """A fault of the wall clock of one server. The library stays in it: a clock that is shifted by nothing."""

    needs = (COMPILER,)
    # The attribute of the cluster that lists those it may be.
    among = ""

    def inject(self, cluster, random):
        self._server = one_of(random, alive(getattr(cluster, self.among)), f"one among the {self.among} that runs")
        self._clock = WallClock(self._server)
        shift_ns = hours(random)
        self.shift(cluster, shift_ns)
        return self._server.name, f"{shift_ns / HOUR_NS:+.1f} h"

    def shift(self, cluster, shift_ns):
        raise NotImplementedError

    def restart(self, cluster, shift_ns):
        self._server.kill()
        self._clock.set(shift_ns)
        cluster.restart(self._server)


class WrongClock(ClockFault):
    """Killed and started again with a wrong clock; at the end killed and started with the right one."""

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random) + until_restarted(cluster, random)

    def shift(self, cluster, shift_ns):
        self.restart(cluster, shift_ns)

    def heal(self, cluster):
        self.restart(cluster, 0)


class ClockJump(ClockFault):
    """The clock jumps away and back while the server runs; the first time, it is started again for that."""

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def shift(self, cluster, shift_ns):
        if not self._clock.is_in_use:
            self.restart(cluster, 0)
        self._clock.set(shift_ns)

    def heal(self, cluster):
        self._clock.set(0)
        restart_if_ended(cluster, self._server)


class NodeWrongClock(WrongClock):
    name, among = "node-wrong-clock", "nodes"


class RunnerWrongClock(WrongClock):
    name, among = "runner-wrong-clock", "runners"


class NodeClockJump(ClockJump):
    name, among = "node-clock-jump", "nodes"


class RunnerClockJump(ClockJump):
    name, among = "runner-clock-jump", "runners"


class RedisClockBack(Fault):
    """The clock of Redis is set back by an hour, and stays so: what it had said of the time is in the future now. The
    first time, Redis is started again for that."""

    name = "redis-clock-back"
    deployments = ("standalone",)
    needs = (COMPILER,)

    def inject(self, cluster, random):
        if not cluster.redis.alive:
            raise NoTarget("Redis does not run")
        if cluster.redis_clock is None:
            cluster.redis_clock = WallClock(cluster.redis)
            cluster.redis.kill()
            cluster.restart(cluster.redis)
        cluster.redis_clock.set(cluster.redis_clock.shift_ns - HOUR_NS)
        return cluster.redis.name, f"{cluster.redis_clock.shift_ns / HOUR_NS:+.0f} h in all"

    def heal(self, cluster):
        pass
