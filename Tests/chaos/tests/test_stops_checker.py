"""The checker of stops on histories written by hand."""

import pytest

from checkers import stops
from hand_written import Written, sentences


@pytest.fixture
def written():
    """A bot that is in the room since 1100."""
    written = Written()
    written.created(100)
    written.reinvite(990, 1010, at_ms=1000)
    written.dispatched(1000, "a")
    written.joined(1100)
    return written


def found(written):
    return stops.check(written.history)


def stopped(written, at_ms=2000):
    written.stop(at_ms - 5, at_ms + 5, 202)
    written.stopping(at_ms)


# Good.

def test_a_stop(written):
    stopped(written)
    written.stay("a", 1090, 2400)
    written.event(2500, "completed", "ANALYZING/completed", why="stopped")
    assert found(written) == []


def test_a_stop_of_a_bot_that_stops(written):
    stopped(written)
    written.stop(2100, 2110, 202)
    written.event(2500, "completed", "ANALYZING/completed", why="stopped")
    assert found(written) == []


def test_a_stop_without_a_bot(written):
    written.completed(1500)
    written.stop(2000, 2010, 404)
    assert found(written) == []


def test_late_because_of_a_fault(written):
    stopped(written)
    written.fault("runner-kill", 2100, 62_000)
    written.event(63_000, "completed", "ANALYZING/completed", why="stopped")
    assert found(written) == []


def test_another_bot_after_the_end(written):
    stopped(written)
    written.event(2500, "completed", "OFFLINE/completed", why="stopped")
    written.dispatched(3000, "b", what="restarted")
    written.stay("b", 3100, 20_000)
    assert found(written) == []


def test_one_line_of_a_frozen_bot(written):
    stopped(written)
    written.fault("bot-and-supervisor-pause", 1900, 30_000, "a")
    written.stay("a", 1090, 30_002, left=False, silent=[(1900, 30_002)])
    written.event(4000, "completed", "ANALYZING/completed", why="stopped")
    assert found(written) == []


# Bad.

def test_a_lost_stop(written):
    written.stop(2000, 2010, 202)
    assert "was lost" in sentences(found(written))


def test_a_stop_that_never_ends(written):
    stopped(written)
    assert "its end never came" in sentences(found(written))


def test_a_stop_that_ends_too_late(written):
    stopped(written)
    written.event(60_000, "completed", "ANALYZING/completed", why="stopped")
    assert "its end came 58.0 s later" in sentences(found(written))


@pytest.mark.parametrize("what, to, bot", [
    ("replaced", "INITIAL/requested", "b"), ("active", "LIVE/active", "a"), ("failed", "OFFLINE/failed", "a"),
    ("completed", "OFFLINE/completed", "b")])
def test_what_must_not_follow_a_stop(written, what, to, bot):
    stopped(written)
    written.event(2100, what, to, bot)
    assert f"{what} came next" in sentences(found(written))


def test_a_bot_that_stays(written):
    stopped(written)
    written.stay("a", 1090, 20_000)
    written.event(2500, "completed", "ANALYZING/completed", why="stopped")
    assert "it was still in the room 18.0 s later" in sentences(found(written))


def test_without_a_clock_the_order_counts(written):
    written.history.clock = []
    written.history.operations.clear()
    written.stopping(2000)
    written.failed(2100, to="OFFLINE/failed")
    assert "failed came next" in sentences(found(written))
