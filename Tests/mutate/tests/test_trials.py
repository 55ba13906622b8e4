"""What the tool says of mutants of a small package, of which it is known which of them its tests notice."""

import os
import shutil

import pytest

from build import Build
from mutant import Mutant
from trial import FAILED, PASSED, TIMED_OUT, Trials

FIXTURE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixture")
FILE = "Sample/Sample.swift"
TESTS = ("SampleTests",)

MUTANTS = (
    (Mutant("the smaller one", FILE, "first > second", "first < second", TESTS), FAILED),
    (Mutant("the same, in another way", FILE, "first > second", "first >= second", TESTS), PASSED),
    (Mutant("no step is counted", FILE, "steps += 1", "", TESTS, is_statement=True), FAILED),
    (Mutant("a crash", FILE, "return «steps»\n", "Int(\"none\")!", TESTS), FAILED),
    (Mutant("it never ends", FILE, "rest -= 1", "", TESTS, is_statement=True), TIMED_OUT),
    (Mutant("a test that does not look", FILE, "var (rest, steps) = «(start, 0)»", "(start, 1)",
            ("theLargerOneIsFound",)), PASSED),
)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    # Not within the repository's folder, whose package it is no part of.
    root = tmp_path_factory.mktemp("mutate")
    shutil.copytree(FIXTURE, root / "package")
    build = Build(str(root / "package"), str(root / "build"), [mutant for mutant, _ in MUTANTS])
    build.make()
    return build


def trials(build, deadline_s=120):
    return Trials(build, "", deadline_s)


def test_without_a_mutant_all_pass(build):
    assert trials(build).run(TESTS).result == PASSED


@pytest.mark.parametrize("index", range(len(MUTANTS)), ids=[mutant.name for mutant, _ in MUTANTS])
def test_a_mutant_is_noticed_if_its_tests_look(build, index):
    mutant, expected = MUTANTS[index]
    # One that never ends is waited for as long as it is given.
    outcome = trials(build, 5 if expected == TIMED_OUT else 120).run(mutant.tests, index + 1)
    assert outcome.result == expected, outcome.log


def test_tests_that_are_not_there_are_an_error(build):
    with pytest.raises(SystemExit, match="no such test"):
        trials(build).run(("NoSuchSuite",))
