"""Nodes and runners that die or stop at the worst instants: between two steps of one decision."""

import signal

from faults.border import Border
from faults.choice import alive, around_the_timeouts, one_of, until_restarted
from faults.commands import name_of
from faults.fault import Fault
from faults.handles import Handles
from faults.servers import restart_if_ended
from history import now_ns


class InstantFault(Fault):
    """A command or its answer is held; whoever sent it dies or stops meanwhile."""

    deployments = ("standalone",)
    # The attribute of the cluster that lists those it may be, the proxy's fault, and the command.
    among, kind, command = "", "", ""

    def wait_for_instant(self, cluster, random):
        self._border = Border(cluster, alive(getattr(cluster, self.among)), self.kind, self.is_wanted)
        self._border.wait(self.command)
        self._server = self._border.server

    def is_wanted(self, command):
        return name_of(command) == self.command


class KillAtInstant(InstantFault):
    """Killed. What it had sent arrives after its death, or never."""

    def duration_ms(self, cluster, random):
        return until_restarted(cluster, random)

    def inject(self, cluster, random):
        fate = random.choice(("late", "lost"))
        self.wait_for_instant(cluster, random)
        self.struck_ns = now_ns()
        self._server.kill()
        if self.kind == "hold_answer":
            # Nobody is there to hear it.
            fate = "executed"
        elif fate == "lost":
            cluster.proxy_of(self._server).cut()
        self._border.release()
        return self._server.name, f"{self.command} is {fate}"

    def heal(self, cluster):
        restart_if_ended(cluster, self._server)


class PauseAtInstant(InstantFault):
    """Stopped, for up to several times what it holds lives. What it had sent arrives meanwhile, or when it goes on."""

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        fate = random.choice(("held", "delivered"))
        self.wait_for_instant(cluster, random)
        self.struck_ns = now_ns()
        self._server.pause()
        if fate == "delivered":
            self._border.release()
        return self._server.name, f"{self.command} is {fate} meanwhile"

    def heal(self, cluster):
        # Safe to repeat.
        self._border.release()
        self._server.resume()


class NodeKillAfterLock(KillAtInstant):
    """Between taking the lock and dispatching."""

    name, among, kind, command = "node-kill-after-lock", "nodes", "hold", "dispatch"


class NodePauseAfterLock(PauseAtInstant):
    """Between taking the lock and dispatching."""

    name, among, kind, command = "node-pause-after-lock", "nodes", "hold", "dispatch"


class NodeKillAfterRequest(KillAtInstant):
    """Once a bot was asked for and sent, before anybody is told."""

    name, among, kind, command = "node-kill-after-request", "nodes", "hold_answer", "request_bot"


class _AtLastReport:
    """Between a bot's last report and its record."""

    among, kind, command = "nodes", "hold", "report"

    def is_wanted(self, command):
        return super().is_wanted(command) and (b"completed" in command or b"failed" in command)


class NodeKillAtLastReport(_AtLastReport, KillAtInstant):
    name = "node-kill-at-last-report"


class NodePauseAtLastReport(_AtLastReport, PauseAtInstant):
    name = "node-pause-at-last-report"


class RunnerKillAfterClaim(KillAtInstant):
    """Between claiming a bot and starting it."""

    name, among, kind, command = "runner-kill-after-claim", "runners", "hold_answer", "claim"


class RunnerPauseBeforeStart(PauseAtInstant):
    """Between claiming a bot and starting it."""

    name, among, kind, command = "runner-pause-before-start", "runners", "hold_answer", "claim"


class _AtBotEnd:
    """Between a bot's end and its record: a bot is killed, and its runner is struck before it can say so."""

    among, kind, command = "runners", "hold", "lose_bot"

    def wait_for_instant(self, cluster, random):
        bot_id, pid, _, self._server = one_of(
            random, [bot for bot in cluster.bots() if bot[3].alive], "bot of a runner that runs")
        handles = Handles([pid], f"bot {bot_id}")
        self._border = Border(cluster, [self._server], self.kind, self.is_wanted)
        handles.signal(signal.SIGKILL)
        handles.close()
        self._border.wait(self.command)


class RunnerKillAtBotEnd(_AtBotEnd, KillAtInstant):
    name = "runner-kill-at-bot-end"


class RunnerPauseAtBotEnd(_AtBotEnd, PauseAtInstant):
    name = "runner-pause-at-bot-end"
