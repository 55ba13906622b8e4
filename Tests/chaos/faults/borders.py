"""Faults of the network that are put exactly beside a command: before Redis runs it, or before its answer comes."""

import time

from faults.border import Border
from faults.choice import alive, all_servers, around_the_timeouts
from faults.commands import DECISIONS, is_about_records, name_of
from faults.fault import Fault
from history import now_ns


# How long the chosen command is waited for until any other that decides is as good.
PATIENCE_S = 1.0


class BorderFault(Fault):
    """A fault beside one of the commands that decide, chosen at random; beside any, if that one does not come."""

    deployments = ("standalone",)
    kind = ""

    def inject(self, cluster, random):
        chosen = random.choice(DECISIONS)
        patience_end = time.monotonic() + PATIENCE_S

        def is_wanted(command):
            name = name_of(command)
            return name == chosen or name in DECISIONS and time.monotonic() > patience_end
        self._border = Border(cluster, alive(all_servers(cluster)), self.kind, is_wanted)
        self._border.wait(f"{chosen} or another command that decides")
        self.struck_ns = now_ns()
        return self._border.server.name, name_of(self._border.command)


class CutAfterExecution(BorderFault):
    """Redis has run the command, and the connection breaks before its answer is there."""

    name, kind = "redis-cut-after-execution", "lose_answer"


class CutBeforeExecution(BorderFault):
    """The connection breaks before the command is there."""

    name, kind = "redis-cut-before-execution", "lose_command"


class Hold(BorderFault):
    """The command is late, and everything behind it on its connection."""

    name, kind = "redis-hold", "hold"

    def duration_ms(self, cluster, random):
        return around_the_timeouts(cluster, random)

    def heal(self, cluster):
        self._border.release()


class HoldAnswer(Hold):
    """The command's answer is late, and everything behind it on its connection."""

    name, kind = "redis-hold-answer", "hold_answer"


class HoldWithinPipeline(Hold):
    """What was sent in one piece is torn apart: a command that follows another one is late."""

    name = "redis-hold-within-pipeline"

    def inject(self, cluster, random):
        self._border = Border(cluster, alive(all_servers(cluster)), self.kind, is_about_records, follows=True)
        self._border.wait("pipeline")
        self.struck_ns = now_ns()
        return self._border.server.name, describe(self._border.command)


class CutWithinPipeline(HoldWithinPipeline):
    """Of what was sent in one piece, the rest is lost with the connection."""

    name, kind = "redis-cut-within-pipeline", "lose_command"

    def duration_ms(self, cluster, random):
        return 0

    def heal(self, cluster):
        """Those who were cut off connect again by themselves."""


def describe(command):
    """A command by what it asks for, without its values."""
    return name_of(command) or command[0].decode(errors="replace").upper()
