"""Every mutant is caught by the checker that it names, in a scenario that is without a violation without it."""

import concurrent.futures
import json
import subprocess
import sys

import pytest

from checkers import CHECKERS
from mutants import build, scenarios, trial
from mutants.catalogue import MUTANTS
from mutants.mutant import Edit
from mutants.scripts import SCRIPTS
from mutants.steps import STEPS

SCENARIOS = tuple(dict.fromkeys(mutant.scenario for mutant in MUTANTS.values()))
# Trials mostly wait, so more of them than processors run side by side.
TRIALS_AT_ONCE = 3
DEADLINE_S = 300


class Trials:
    """The trials that the session's tests ask for, each played once and in a process of its own."""

    def __init__(self, items):
        build.build()
        self._pool = concurrent.futures.ThreadPoolExecutor(TRIALS_AT_ONCE)
        wanted = [item.callspec.params for item in items if "trials" in getattr(item, "fixturenames", ())]
        self._results = {}
        for parameters in wanted:
            mutant = parameters.get("mutant")
            key = (MUTANTS[mutant].scenario, mutant) if mutant else (parameters["scenario"], None)
            self._results[key] = self._pool.submit(play, *key)

    def violations(self, scenario, mutant=None):
        """By checker, as sentences."""
        return self._results[scenario, mutant].result()

    def end(self):
        self._pool.shutdown(cancel_futures=True)


def play(scenario, mutant):
    arguments = [sys.executable, trial.__file__, scenario, *([mutant] if mutant else [])]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, f"the trial of {scenario} with {mutant or 'no mutant'} failed:\n{done.stderr[-8000:]}"
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def trials(request):
    started = Trials(request.session.items)
    yield started
    started.end()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_a_mutant_nothing_is_found(trials, scenario):
    found = trials.violations(scenario)
    assert not any(found.values()), "\n".join(sum(found.values(), []))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_mutant_is_caught(trials, mutant):
    found = trials.violations(MUTANTS[mutant].scenario, mutant)
    assert found[MUTANTS[mutant].checker], f"{mutant} survives. {MUTANTS[mutant].breaks} Found: {found}"


def test_mutants_are_well_named():
    assert len(MUTANTS) == len(SCRIPTS) + len(STEPS) >= 14
    for mutant in MUTANTS.values():
        assert mutant.checker in CHECKERS and hasattr(scenarios, mutant.scenario), mutant.name


@pytest.mark.parametrize("text", ["nothing of it", "a check; a check;"])
def test_what_an_edit_replaces_must_be_there_once(text):
    with pytest.raises(ValueError):
        Edit("any.lua", "a check;", "").applied(text, "any")


def test_an_edit_of_a_step_asks_which_mutant_runs():
    assert Edit("any.swift", "check()", "check() || MUTANT").applied("if check() {", "any") == (
        'if check() || Mutant.isOn("any") {')
