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


def test_the_bound_of_the_run_counts():
    written = Written(quiet_ms=40_000, agreement=30_000, emptiness=30_000)
    assert found(written) == []


# Bad.

def test_what_is_left_over(written):
    written.history.left_over += ["usher:{p0}:leases has a", "process 17 of bot a"]
    assert len(found(written)) == 2


def test_too_slow():
    written = Written(quiet_ms=30_000, agreement=30_000, emptiness=30_000)
    assert "it took 70000 ms" in sentences(found(written))


def test_what_the_machine_takes_for_itself_does_not_count():
    for own_steps, expected in ((10_000, []), (9_999, ["it took 60001 ms"])):
        written = Written(quiet_ms=30_000, agreement=30_000, emptiness=30_000, own_steps=own_steps)
        assert [text in sentences(found(written)) for text in expected] == [True] * len(found(written))


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
