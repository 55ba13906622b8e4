"""Faults of the network that are put exactly beside a command: before Redis runs it, or before its answer comes."""

from faults.border import Border
from faults.choice import alive, all_servers, around_the_timeouts
from faults.commands import COMMANDS, is_about_records
from faults.fault import Fault


class BorderFault(Fault):
    """A fault beside one command, chosen at random; beside any of those that decide, if that one does not come."""

    kind = ""

    def strike(self, cluster, random):
        """Puts it in place, and returns once it has struck: (target, detail)."""
        servers = alive(all_servers(cluster))
        chosen = random.choice(list(COMMANDS))
        passed_over = 0

        def is_wanted(command):
            nonlocal passed_over
            if COMMANDS[chosen](command):
                return True
            if any(matches(command) for matches in COMMANDS.values()):
                passed_over += 1
            # By then there is traffic, of which the chosen command is no part.
            return passed_over > 20 and any(matches(command) for matches in COMMANDS.values())
        self._border = Border(cluster, servers, self.kind, is_wanted)
        self._border.wait(f"{chosen} or another command that decides")
        [found] = [name for name, matches in COMMANDS.items() if matches(self._border.command)]
        return self._border.server.name, found

    def inject(self, cluster, random):
        return self.strike(cluster, random)


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

    def strike(self, cluster, random):
        self._border = Border(cluster, alive(all_servers(cluster)), self.kind, is_about_records, follows=True)
        self._border.wait("pipeline")
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
    for name, matches in COMMANDS.items():
        if matches(command):
            return name
    return command[0].decode(errors="replace").upper()
