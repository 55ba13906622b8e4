"""The chaos machine is imported from its folder, and what it stands on from the system tests."""

import os
import sys

import pytest

CHAOS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [CHAOS, os.path.join(os.path.dirname(CHAOS), "system")]

from harness.process import children
from harness.waiting import wait_for
from small_cluster import running


@pytest.fixture(scope="module")
def cluster():
    """A small cluster that a module's faults are injected into, one after the other."""
    with running() as started:
        yield started


@pytest.fixture
def meeting(cluster):
    """A meeting with a bot in its room, the only one there is."""
    # With their supervisors, which have something to report after them.
    wait_for(lambda: not children(cluster.runner.pid), "the end of all earlier bots")
    sent = cluster.bot_in_its_room()
    yield sent
    cluster.remove(sent)
