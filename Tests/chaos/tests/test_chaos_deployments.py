"""A bounded run of the machine on each kind of Redis of several servers: with a failover or more, nothing is lost."""

import pytest

from checkers import check_all
from faults import FAULTS
from faults.failovers import TopologyFault
from machine import settings
from machine.run import run

SECONDS = 8
# (deployment, on how many replicas what is acknowledged is to be, seed)
RUNS = [("sentinel", 2, 1), ("cluster", 1, 1)]
# What takes a moment only; other runs have the rest.
NAMES = ("failover-asked", "primary-killed")


def seen(history):
    """As in `test_chaos`."""
    return {
        "faults": bool(history.faults),
        "failovers": bool(history.failovers),
        "every outcome": {operation.outcome for operation in history.operations} == {"ok", "failed", "unknown"},
        "bots": bool(history.stays),
        "what bots heard": bool(history.acknowledged),
        "samples": {sample.process for sample in history.samples} == {"node1", "node2", "node3", "runner1", "runner2"},
    }


@pytest.mark.parametrize("deployment, wait_replicas, seed", RUNS)
def test_nothing_is_violated(deployment, wait_replicas, seed):
    try:
        history = run(seed, SECONDS, faults=NAMES, deployment=deployment, wait_replicas=wait_replicas,
                      is_enough=lambda history: all(seen(history).values()))
    finally:
        settings.use("standalone", 0)
    found = check_all(history)
    assert not found, "\n".join(map(str, found))
    assert all(issubclass(FAULTS[fault.name], TopologyFault) for fault in history.faults)
    # What the end of the run waits for.
    assert history.told and history.operators_told
    assert [what for what, is_seen in seen(history).items() if not is_seen] == []
