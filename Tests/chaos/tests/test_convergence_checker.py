"""The convergence checker on histories written by hand."""

import pytest

from checkers import convergence
from hand_written import Written, sentences


@pytest.fixture
def written():
    written = Written()
    written.created(100)
    return written


def found(written):
    return convergence.check(written.history)


# Good.

@pytest.mark.parametrize("pair", ["INITIAL/", "LIVE/active", "OFFLINE/completed", "INITIAL/failed"])
def test_settled(written, pair):
    if pair != "INITIAL/":
        written.event(1000, "whatever", pair)
    written.final(pair)
    assert found(written) == []


def test_a_bot_that_leaves_between_the_two_looks(written):
    written.dispatched(1000, "a")
    written.joined(1100)
    written.completed(100_100)
    written.final("LIVE/active", "completed")
    assert found(written) == []


def test_a_meeting_that_no_event_tells_of(written):
    written.final("INITIAL/", meeting_id="older")
    assert found(written) == []


def test_the_bounds_of_the_run_count():
    # Whatever the machine does in between.
    written = Written(quiet_ms=20_000, agreed_ms=30_000, emptied_ms=40_000, agreement=30_000, emptiness=40_000)
    assert found(written) == []


# Bad.

def test_what_is_left_over(written):
    written.history.left_over += ["usher:{p0}:leases has a", "process 17 of bot a"]
    assert len(found(written)) == 2


@pytest.mark.parametrize("took, told", [
    ({"agreed_ms": 30_001}, "it took 30001 ms until bots and records agreed: 30000 ms is the bound"),
    ({"emptied_ms": 40_001}, "it took 40001 ms until nothing was left over: 40000 ms is the bound"),
    ({"agreed_ms": 30_001, "emptied_ms": 70_000}, "it took 70000 ms until nothing was left over"),
])
def test_too_slow(took, told):
    written = Written(agreement=30_000, emptiness=40_000, **took)
    assert len(found(written)) == len(took) and told in sentences(found(written))


def test_without_bounds_of_the_run_those_of_its_settings_count():
    # 4000 + (1500 + 600) + 4000 + 9000 + 5000, and 2500 + (1500 + 600) + 4000 + 5000 + 5000.
    assert found(Written(agreed_ms=24_100, emptied_ms=18_600)) == []
    assert "it took 24101 ms until bots" in sentences(found(Written(agreed_ms=24_101)))
    assert "it took 18601 ms until nothing" in sentences(found(Written(emptied_ms=18_601)))


def test_never_looked_at(written):
    written.history.quiet_ns = None
    assert "was not looked at" in sentences(found(written))


@pytest.mark.parametrize("pair", ["INITIAL/requested", "INITIAL/joining", "STOPPING/stopping", "ANALYZING/completed"])
def test_stuck(written, pair):
    written.event(1000, "whatever", pair)
    written.final(pair)
    assert "neither dispatchable nor live nor ended" in sentences(found(written))


@pytest.mark.parametrize("pair", ["OFFLINE/active", "LIVE/requested", "INITIAL/completed", "LIVE/", "GONE/failed"])
def test_no_pair_of_the_table(written, pair):
    written.event(1000, "whatever", pair)
    written.final(pair)
    assert "which is no pair of the table" in sentences(found(written))


def test_the_two_views_differ(written):
    written.a_session(1000, "a", 3000)
    written.final("OFFLINE/completed", "active")
    assert "the Bots API shows active, the Re-invite API OFFLINE/completed" in sentences(found(written))


def test_the_record_is_not_what_its_events_led_to(written):
    written.a_session(1000, "a", 3000)
    written.final("OFFLINE/failed")
    assert "its events led to OFFLINE/completed" in sentences(found(written))


def test_one_view_is_missing(written):
    written.final("INITIAL/")
    written.history.meetings[0].bots = None
    assert "does not show it" in sentences(found(written))
