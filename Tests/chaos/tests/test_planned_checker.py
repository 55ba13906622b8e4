"""The checker of planned meetings on histories written by hand."""

import pytest

from checkers import planned
from hand_written import MEETING, MS, ROOM, WALL_MS, WORKSPACE, Written, sentences
from history import FaultRecord, Planned

LEAD, LATE = 1_000, 20_000
TIME = 10_000


@pytest.fixture
def written():
    """A meeting that is planned for TIME."""
    written = Written(join_lead=LEAD, join_late=LATE)
    written.history.planned.append(Planned(MEETING, 7, WORKSPACE, ROOM, WALL_MS + TIME))
    written.created(1_000)
    return written


def found(written):
    return sentences(planned.check(written.history))


def send(written, at_ms, bot="bot"):
    return written.dispatched(at_ms, bot, why="plan")


def test_one_that_is_sent_its_bot(written):
    send(written, TIME - LEAD)
    written.joined(TIME)
    written.completed(TIME + 500)
    assert found(written) == ""


def test_one_that_is_missed(written):
    written.history.looked_ns = 5_000 * MS
    written.history.faults.append(FaultRecord("node-kill", "node", 0, 40_000 * MS))
    written.event(TIME + LATE + 1, "missed", "INITIAL/", why="too_late")
    assert found(written) == ""


def test_too_early(written):
    send(written, TIME - LEAD - 1)
    assert "was sent its bot 1 ms too early" in found(written)


def test_missed_too_early(written):
    written.event(TIME + LATE, "missed", "INITIAL/", why="too_late")
    assert "was missed 0 ms too early" in found(written)


def test_twice(written):
    send(written, TIME)
    written.failed(TIME + 100)
    send(written, TIME + 200, "other")
    assert "was decided several times: dispatched" in found(written)


def test_what_others_ask_for_is_theirs(written):
    send(written, TIME)
    written.joined(TIME + 10)
    written.completed(TIME + 100)
    written.dispatched(TIME + 200, "other", what="restarted", why="user 1")
    assert found(written) == ""


def test_never(written):
    assert "was neither sent a bot nor missed" in found(written)
    written.history.looked_ns = TIME * MS
    assert found(written) == ""


def test_too_late(written):
    send(written, TIME + 15_000)
    assert "was decided 16000 ms after it was due" in found(written)
    written.history.faults.append(FaultRecord("node-kill", "node", 1_000 * MS, 14_000 * MS))
    assert found(written) == ""


def test_one_that_was_planned_again_after_it_was_due(written):
    """The first time was lost by a failover, before the user was told of it."""
    written.history.events.clear()
    written.created(TIME + 10_000)
    send(written, TIME + 15_000)
    assert found(written) == ""


def test_one_that_was_planned_again_and_left_alone(written):
    written.history.events.clear()
    written.created(TIME + 1_000)
    send(written, TIME + 16_000)
    assert "was decided 15000 ms after it was due" in found(written)


def test_a_clock_that_was_set_back(written):
    written.history.faults.append(FaultRecord("redis-clock-back", "redis", 1_000 * MS, 2_000 * MS))
    assert found(written) == ""
