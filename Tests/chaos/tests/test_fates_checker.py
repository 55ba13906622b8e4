"""The checker of dispatches' fates on histories written by hand."""

import pytest

from checkers import fates
from hand_written import WALL_MS, Written, sentences


@pytest.fixture
def written():
    written = Written()
    written.created(100)
    return written


def found(written):
    return fates.check(written.history)


# Good.

def test_a_bot_that_joins(written):
    written.a_session(1000, "a", 3000)
    assert found(written) == []


def test_a_record_that_says_why_not(written):
    written.reinvite(990, 1010, at_ms=1000)
    written.dispatched(1000, "a")
    written.failed(2000, "awaiting_admission_timeout")
    assert found(written) == []


def test_the_last_of_replaced_bots_counts(written):
    written.create_bot(990, 1010, 201, "meeting")
    written.dispatched(1000, "a")
    written.event(2600, "replaced", "INITIAL/requested", "b", why="lease_expired")
    written.event(4200, "replaced", "INITIAL/requested", "c", why="lease_expired")
    written.joined(4300)
    assert found(written) == []


def test_a_bot_that_entered_but_could_not_report(written):
    written.reinvite(990, 1010, at_ms=1000)
    written.dispatched(1000, "a")
    written.stay("a", 1200, 1300)
    assert found(written) == []


def test_an_expired_dispatch(written):
    written.reinvite(990, 1010, at_ms=1000)
    written.dispatched(1000, "a")
    written.failed(5000, "dispatch_expired")
    assert found(written) == []


def test_late_because_of_a_fault(written):
    written.reinvite(990, 1010, at_ms=1000)
    written.dispatched(1000, "a")
    written.fault("redis-kill", 1100, 61_000)
    written.failed(62_000, "lease_expired")
    assert found(written) == []


def test_not_yet_due(written):
    written.dispatched(95_000, "a")
    assert found(written) == []


def test_a_request_that_is_answered_again(written):
    """The first answer is lost, or comes as well; and when the key's time is over, it is a new request."""
    for at, answered in [(1000, None), (10_000, 10_010)]:
        written.reinvite(at - 10, answered, at_ms=answered and at, key="k")
        written.dispatched(at, "a", trace_id="k")
        written.failed(at + 500)
        written.reinvite(at + 1000, at + 1010, at_ms=at, key="k", asked_ms=at - 10)
    assert found(written) == []


# Bad.

def test_a_dispatch_that_is_never_decided(written):
    written.reinvite(990, 1010, at_ms=1000)
    written.dispatched(1000, "a")
    written.event(1100, "joining", "INITIAL/joining")
    assert "was decided never" in sentences(found(written))


def test_a_dispatch_that_is_decided_too_late(written):
    written.dispatched(1000, "a")
    written.failed(80_000, "lease_expired")
    assert "was decided after 79.0 s" in sentences(found(written))


def test_a_lost_202(written):
    written.reinvite(990, 1010, at_ms=1000)
    assert "was lost" in sentences(found(written))


def test_a_lost_201(written):
    written.create_bot(990, 1010, 201, "second")
    written.dispatched(1000, "a")
    written.failed(1100)
    assert "(create_bot of client at node: 201) was lost" in sentences(found(written))


def test_two_202_for_one_dispatch(written):
    written.a_session(1000, "a", 3000)
    written.reinvite(995, 1015, at_ms=1000)
    assert "were accepted for one dispatch" in sentences(found(written))


def test_a_second_dispatch_to_a_held_room(written):
    written.a_session(1000, "a", 3000)
    written.dispatched(2000, "b", meeting_id="second")
    written.failed(2500, meeting_id="second")
    written.history.events.sort(key=lambda event: event.time_ms)
    assert "was dispatched" in sentences(found(written)) and "LIVE/active" in sentences(found(written))


def test_no_reason(written):
    written.dispatched(1000, "a")
    written.failed(2000, "")
    assert "without a reason" in sentences(found(written))


def test_too_many_attempts(written):
    written.dispatched(1000, "a")
    for number in range(3):
        written.event(2600 + 1600 * number, "replaced", "INITIAL/requested", f"b{number}", why="bot_exited")
    written.failed(8000)
    assert "4 bots were sent" in sentences(found(written))


def test_expired_before_its_time(written):
    written.dispatched(1000, "a")
    written.failed(4000, "dispatch_expired")
    assert "expired after 3005 ms" in sentences(found(written))


@pytest.mark.parametrize("what, to", [("replaced", "INITIAL/requested"), ("failed", "INITIAL/failed")])
def test_a_lease_that_ran_out_before_its_time(written, what, to):
    written.dispatched(1000, "a")
    written.event(1900, what, to, "b" if what == "replaced" else "", why="lease_expired")
    written.failed(2900, "bot_exited")
    assert "ran out 905 ms after its dispatch" in sentences(found(written))


def test_a_202_that_names_another_dispatch(written):
    written.a_session(1000, "a", 3000)
    written.history.events[1].at_ms = WALL_MS + 1003
    assert "was lost" in sentences(found(written))


def test_a_request_that_is_done_twice(written):
    written.reinvite(990, None, key="k")
    written.dispatched(1000, "a", trace_id="k")
    written.failed(1500, to="OFFLINE/failed")
    written.reinvite(1990, 2010, at_ms=2000, action="restarted", key="k", asked_ms=990)
    written.dispatched(2000, "b", "restarted", trace_id="k")
    written.failed(2500)
    assert "one request was done twice, 1000 ms apart" in sentences(found(written))


def test_a_request_that_is_refused_though_it_was_done(written):
    written.reinvite(990, None, key="k")
    written.dispatched(1000, "a", trace_id="k")
    written.joined(1500)
    written.reinvite(2000, 2010, code=12103, key="k", asked_ms=990)
    assert "was refused what it had been granted before" in sentences(found(written))
