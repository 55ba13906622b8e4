"""Every mutant is caught by the checker that it names, in a scenario that is without a violation without it."""

import json
import subprocess
import sys

import pytest

from checkers import CHECKERS
from harness.waiting import wait_for
from machine import network
from mutants import build, failovers, scenarios, trial
from mutants.catalogue import MUTANTS
from mutants.failovers import FAILOVERS
from mutants.found import FOUND
from mutants.mutant import Edit
from mutants.scripts import SCRIPTS
from mutants.steps import STEPS

SCENARIOS = tuple(dict.fromkeys(mutant.scenario for mutant in MUTANTS.values()))
# Trials mostly wait, so more of them than processors run side by side.
TRIALS_AT_ONCE = 5
# In s, for all of them.
DEADLINE_S = 1_200
# They take a minute and more, so they begin first.
LONG = ("failover_asked", "renewals_that_the_heir_lacks", "asked_again_elsewhere", "viewed_stays", "cancelled_event")


class Trials:
    """The trials that the session's tests ask for, each played once and in a process of its own, some at a time."""

    def __init__(self, items, folder):
        build.build()
        self._folder = folder
        parameters = [item.callspec.params for item in items if "trials" in getattr(item, "fixturenames", ())]
        self._waiting = sorted([_key(**each) for each in parameters], key=lambda key: key[0] not in LONG)
        self._running = {}
        self._ended = {}

    def violations(self, **key):
        """By checker, as sentences."""
        key = _key(**key)
        name = " with ".join(filter(None, key))
        wait_for(lambda: self._advance(key), f"the end of the trial of {name}", DEADLINE_S, interval_s=0.05)
        assert self._ended[key] == 0, f"the trial of {name} failed:\n{_read(self._path(key, 'log'))[-8000:]}"
        return json.loads(_read(self._path(key, "json")))

    def end(self):
        for process in self._running.values():
            process.kill()
            process.wait()

    def _advance(self, key):
        """Starts what may be started, here in the main thread; whether this trial has ended."""
        for each, process in list(self._running.items()):
            if process.poll() is not None:
                self._ended[each] = process.returncode
                del self._running[each]
        while self._waiting and len(self._running) < TRIALS_AT_ONCE:
            each = self._waiting.pop(0)
            with open(self._path(each, "json"), "w") as output, open(self._path(each, "log"), "w") as log:
                self._running[each] = subprocess.Popen(
                    [sys.executable, trial.__file__, *filter(None, each)], stdout=output, stderr=log)
        return key in self._ended

    def _path(self, key, ending):
        return self._folder / f"{key[1] or key[0]}.{ending}"


def _key(scenario=None, mutant=None):
    return scenario or MUTANTS[mutant].scenario, mutant


def _read(path):
    with open(path) as file:
        return file.read()


@pytest.fixture(scope="session")
def trials(request, tmp_path_factory):
    started = Trials(request.session.items, tmp_path_factory.mktemp("trials"))
    yield started
    started.end()


def skip_if_impossible(scenario):
    if hasattr(failovers, scenario) and not network.is_possible():
        pytest.skip("only root can make a network")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_a_mutant_nothing_is_found(trials, scenario):
    skip_if_impossible(scenario)
    found = trials.violations(scenario=scenario)
    assert not any(found.values()), "\n".join(sum(found.values(), []))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_mutant_is_caught(trials, mutant):
    skip_if_impossible(MUTANTS[mutant].scenario)
    found = trials.violations(mutant=mutant)
    assert found[MUTANTS[mutant].checker], f"{mutant} survives. {MUTANTS[mutant].breaks} Found: {found}"


def test_mutants_are_well_named():
    assert set(LONG) <= set(SCENARIOS)
    assert len(MUTANTS) == len(SCRIPTS) + len(STEPS) + len(FOUND) + len(FAILOVERS)
    for mutant in MUTANTS.values():
        played = hasattr(scenarios, mutant.scenario) or hasattr(failovers, mutant.scenario)
        assert mutant.checker in CHECKERS and played, mutant.name


@pytest.mark.parametrize("text", ["nothing of it", "a check; a check;"])
def test_what_an_edit_replaces_must_be_there_once(text):
    with pytest.raises(ValueError):
        Edit("any.lua", "a check;", "").applied(text, "any")


def test_an_edit_of_a_step_asks_which_mutant_runs():
    assert Edit("any.swift", "check()", "check() || MUTANT").applied("if check() {", "any") == (
        'if check() || Mutant.isOn("any") {')
