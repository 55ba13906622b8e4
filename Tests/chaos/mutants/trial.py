"""Plays one scenario with one mutant, or with none, and prints what the checkers say: a JSON object of sentences.

    python3 trial.py SCENARIO [MUTANT]

A process of its own for each, so that scenarios may change the machine's settings and run side by side.
"""

import json
import os
import shutil
import sys
import tempfile

CHAOS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [CHAOS, os.path.join(os.path.dirname(CHAOS), "system")]

from checkers import CHECKERS
from faults.commands import know_scripts
from history import now_ns
from machine import settings, viewer
from machine.cluster import Cluster
from machine.run import Run
from mutants import build, failovers, scenarios
from mutants.catalogue import MUTANTS
from mutants.stage import Stage

# In ms, of a mutant, which is not waited for at length: from a dispatch to its bot in the room, and from the last fault until
# records and bots agree.
AGREEMENT = 12_000
# In s, until all that was said has come.
VIEW_S = 20.0


class Play(Run):
    """A run whose faults and requests are those of a scenario."""

    def __init__(self, scenario, cluster, mutant):
        super().__init__(scenario.__name__, cluster)
        self._scenario = scenario
        self._mutant = mutant

    def _break(self, seconds, faults, is_enough):
        self._scenario(Stage(self._cluster, self._places, self._recorder, self._history, self._mutant))
        self._cluster.make_whole()
        self._history.quiet_ns = now_ns()


def perform(scenario, mutant=None):
    """The History of a scenario."""
    scenario = getattr(scenarios, scenario, None) or getattr(failovers, scenario)
    settings.use(scenario.deployment, scenario.wait_replicas, others=scenario.settings)
    if mutant:
        settings.AGREEMENT, settings.EMPTINESS = AGREEMENT, scenario.emptiness
        viewer.PATIENCE_S = VIEW_S
    else:
        settings.EMPTINESS = max(settings.EMPTINESS, scenario.emptiness)
    if mutant and MUTANTS[mutant].scripts:
        know_scripts(build.scripts_folder(mutant))
    folder = tempfile.mkdtemp(prefix="usher-mutant-")
    try:
        cluster = Cluster(folder, build.program(mutant), deployment=scenario.deployment,
                          tells_operator=scenario.tells_operator)
        return Play(scenario, cluster, mutant and MUTANTS[mutant]).perform(0, ())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    history = perform(*sys.argv[1:])
    found = {name: [str(violation) for violation in check(history)] for name, check in CHECKERS.items()}
    json.dump(found, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
