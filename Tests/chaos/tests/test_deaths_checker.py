"""What processes say of trouble, and what becomes of it."""

import json

import pytest

from checkers import deaths
from hand_written import Written, sentences
from machine import logs


class Logged:
    """A process that has written these lines and nothing else."""

    def __init__(self, *lines):
        self.name = "runner1"
        self.log = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)


def line(level, message, reason=""):
    return {"time": "2026-05-21T03:42:11.482Z", "level": level, "message": message, "reason": reason}


FULL = "Redis refused the command: OOM command not allowed when used memory > 'maxmemory'."


@pytest.mark.parametrize("written", [
    line("error", "What nobody knows"), line("warning", "A script failed", "WRONGTYPE Operation against a key"),
    line("warning", "Leases could not be renewed; trying again", FULL), "Fatal error: Index out of range",
], ids=lambda written: json.dumps(written)[-40:])
def test_what_no_fault_explains(written):
    [sentence] = logs.troubles(Logged(line("info", "Started"), written, written))
    assert sentence.startswith("runner1 wrote: ")


@pytest.mark.parametrize("written", [
    line("warning", "What nobody knows"), line("error", "A sweep failed", FULL),
    line("error", "Request failed", "the change is on 0 replicas, fewer than wanted; it is lost if the primary fails"),
    line("warning", "Leases could not be renewed; trying again", "the connection to Redis was lost"), "not JSON", "",
], ids=lambda written: json.dumps(written)[-40:])
def test_what_faults_explain(written):
    assert logs.troubles(Logged(written)) == []


def test_each_sentence_is_a_violation():
    written = Written()
    assert deaths.check(written.history) == []
    written.history.deaths.append("node1 ended with status -11")
    assert sentences(deaths.check(written.history)) == "deaths: the run: node1 ended with status -11"
