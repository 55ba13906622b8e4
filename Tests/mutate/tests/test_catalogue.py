"""The list of mutants is fresh: what they replace is there, and so are the tests that they name."""

import os
import re

from build import Build
from catalogue import MUTANTS
from mutate import HOOKS, ROOT
from trial import is_system_test

MODULES = {
    "API", "BotWire", "EventLoop", "HTTP", "JSON", "Log", "Metrics", "Processes", "Redis", "Runner", "SimulatedBot",
    "TLS", "Usher", "UsherCommand",
}


def test_every_original_is_found_exactly_once(tmp_path):
    Build(ROOT, str(tmp_path), MUTANTS, HOOKS).files()


def test_every_module_has_mutants_and_each_a_name_of_its_own():
    assert {mutant.module for mutant in MUTANTS} == MODULES
    titles = [mutant.title for mutant in MUTANTS]
    assert len(set(titles)) == len(titles) >= 60


def test_every_test_that_is_named_is_there():
    declared = set()
    for place, _, names in os.walk(os.path.join(ROOT, "Tests")):
        for name in names:
            if name.endswith(".swift"):
                with open(os.path.join(place, name)) as file:
                    declared |= set(re.findall(r"\b(?:struct|class|func) (\w+)", file.read()))
    for mutant in MUTANTS:
        assert mutant.tests, mutant.title
        for test in mutant.tests:
            if is_system_test(test):
                assert os.path.exists(os.path.join(ROOT, "Tests", "system", test.split()[0])), mutant.title
            else:
                # A suite may be told from others by its module, before a dot.
                assert set(test.rpartition(".")[2].split("/")) <= declared, f"{mutant.title}: {test}"
