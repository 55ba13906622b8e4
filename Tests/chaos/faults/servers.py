"""Nodes and runners that are killed, stopped and continued, or told to end."""

import signal

from faults.choice import alive, around_the_timeouts, one_of, until_restarted
from faults.fault import Fault
from harness.waiting import wait_for


class ServerFault(Fault):
    """A fault of one node or runner."""

    # The attribute of the cluster that lists those it may be.
    among = ""

    def choose(self, cluster, random):
        return one_of(random, alive(getattr(cluster, self.among)), f"one among the {self.among} that runs")


def restart_if_ended(cluster, server):
    if not server.alive:
        cluster.restart(server)


class Kill(ServerFault):
    """SIGKILL; started again at the end."""

    def duration_ms(self, cluster, random):
        return until_restarted(cluster, random)

    def inject(self, cluster, random):
        self._server = self.choose(cluster, random)
        pid = self._server.pid
        self._server.kill()
        return self._server.name, f"killed process {pid}"

    def heal(self, cluster):
        restart_if_ended(cluster, self._server)


class Pause(ServerFault):
    """SIGSTOP, and SIGCONT at the end."""

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        self._server = self.choose(cluster, random)
        self._server.pause()
        return self._server.name, f"stopped process {self._server.pid}"

    def heal(self, cluster):
        self._server.resume()


class Terminate(ServerFault):
    """SIGTERM; at the end, when it has ended in its own time, it is started again."""

    def duration_ms(self, cluster, random):
        return until_restarted(cluster, random)

    def inject(self, cluster, random):
        self._server = self.choose(cluster, random)
        self._pid = self._server.pid
        self._server.signal(signal.SIGTERM)
        return self._server.name, f"told process {self._pid} to end"

    def heal(self, cluster):
        if self._server.alive and self._server.pid == self._pid:
            # Another fault may have stopped it.
            self._server.resume()
            # A runner lets its bots leave first, for as long as the stop grace.
            self._server.wait()
        restart_if_ended(cluster, self._server)


class LogStalled(ServerFault):
    """Nobody reads what it writes to standard error, which is a pipe that is full."""

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        self._server = self.choose(cluster, random)
        self._server.error_tap.stall()
        self._server.error_tap.fill()
        return self._server.name, ""

    def heal(self, cluster):
        self._server.error_tap.flow()


class NodeKill(Kill):
    name, among = "node-kill", "nodes"


class NodePause(Pause):
    name, among = "node-pause", "nodes"


class NodeTerminate(Terminate):
    name, among = "node-terminate", "nodes"


class RunnerKill(Kill):
    name, among = "runner-kill", "runners"


class RunnerPause(Pause):
    name, among = "runner-pause", "runners"


class RunnerTerminate(Terminate):
    name, among = "runner-terminate", "runners"


class RollingRestart(Fault):
    """Every node is told to end and is started again, one after the other, as an upgrade does it."""

    name = "rolling-restart"

    def inject(self, cluster, random):
        nodes = alive(cluster.nodes)
        one_of(random, nodes, "node that runs")
        for node in nodes:
            node.signal(signal.SIGTERM)
            node.resume()
            node.wait()
            cluster.restart(node)
            wait_for(node.is_healthy, f"a 200 of {node.name}'s /healthz")
        return "nodes", f"restarted {', '.join(node.name for node in nodes)}"


class NodeLogStalled(LogStalled):
    name, among = "node-log-stalled", "nodes"


class RunnerLogStalled(LogStalled):
    name, among = "runner-log-stalled", "runners"
