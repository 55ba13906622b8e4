"""Bots and their supervisors that are killed or stopped, singly and as a group, and a runner with all that it runs."""

import signal

from faults.choice import alive, around_the_timeouts, one_of, until_restarted
from faults.fault import Fault
from faults.handles import Handles
from faults.servers import restart_if_ended
from harness.process import descendants


class BotFault(Fault):
    """A fault of processes of one bot that runs."""

    def processes(self, bot_pid, supervisor_pid):
        """Those that are struck, in this order."""
        raise NotImplementedError

    def choose(self, cluster, random):
        bot_id, bot_pid, supervisor_pid, runner = one_of(random, cluster.bots(), "bot that runs")
        self._handles = Handles(self.processes(bot_pid, supervisor_pid), f"bot {bot_id}")
        return bot_id, runner


class _Bot:
    def processes(self, bot_pid, supervisor_pid):
        return [bot_pid]


class _Supervisor:
    def processes(self, bot_pid, supervisor_pid):
        return [supervisor_pid]


class _BotAndSupervisor:
    def processes(self, bot_pid, supervisor_pid):
        # The supervisor first, so that it does not see its bot stopped.
        return [supervisor_pid, bot_pid]


class _Kill(BotFault):
    def inject(self, cluster, random):
        bot_id, runner = self.choose(cluster, random)
        self._handles.signal(signal.SIGKILL)
        detail = f"killed {self._handles.pids} of {runner.name}"
        self._handles.close()
        return bot_id, detail


class _Pause(BotFault):
    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        bot_id, runner = self.choose(cluster, random)
        self._handles.signal(signal.SIGSTOP)
        return bot_id, f"stopped {self._handles.pids} of {runner.name}"

    def heal(self, cluster):
        self._handles.signal(signal.SIGCONT)
        self._handles.close()


class BotKill(_Bot, _Kill):
    name = "bot-kill"


class BotPause(_Bot, _Pause):
    name = "bot-pause"


class SupervisorKill(_Supervisor, _Kill):
    name = "supervisor-kill"


class SupervisorPause(_Supervisor, _Pause):
    name = "supervisor-pause"


class BotAndSupervisorKill(_BotAndSupervisor, _Kill):
    name = "bot-and-supervisor-kill"


class BotAndSupervisorPause(_BotAndSupervisor, _Pause):
    name = "bot-and-supervisor-pause"


class RunnerAndBotsPause(Fault):
    """A runner, its supervisors and its bots are all stopped, as on a machine that sleeps, and continued in any
    order."""

    name = "runner-and-bots-pause"

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def inject(self, cluster, random):
        self._runner = one_of(random, alive(cluster.runners), "runner that runs")
        # It first, so that it starts nothing while the others are looked for.
        self._runner.pause()
        processes = [self._runner.pid, *descendants(self._runner.pid)]
        random.shuffle(processes)
        self._handles = Handles(processes, self._runner.name)
        self._handles.signal(signal.SIGSTOP)
        return self._runner.name, f"stopped {len(processes)} processes"

    def heal(self, cluster):
        self._handles.signal(signal.SIGCONT)
        self._handles.close()


class RunnerTreeKill(Fault):
    """A runner, its supervisors and its bots are all killed, as on a machine that is lost."""

    name = "runner-tree-kill"

    def duration_ms(self, cluster, random):
        return until_restarted(cluster, random)

    def inject(self, cluster, random):
        self._runner = one_of(random, alive(cluster.runners), "runner that runs")
        self._runner.pause()
        processes = [*descendants(self._runner.pid), self._runner.pid]
        handles = Handles(processes, self._runner.name)
        handles.signal(signal.SIGKILL)
        handles.close()
        self._runner.kill()
        return self._runner.name, f"killed {len(processes)} processes"

    def heal(self, cluster):
        restart_if_ended(cluster, self._runner)
