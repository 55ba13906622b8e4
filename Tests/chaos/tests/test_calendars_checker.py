"""The checker of calendars on histories written by hand."""

import pytest

from checkers import calendars
from hand_written import MEETING, MS, ROOM, WALL_MS, WORKSPACE, Written, sentences
from history import CalendarEvent, Said

LEAD, LATE = 1_000, 20_000
SYNC, LEASE = 1_000, 6_000
# Until what a feed says counts, without faults: two pauses, two looks, and a busy machine.
READING = 9_200
TIME = 30_000


@pytest.fixture
def written():
    """An event that a feed says from 1000 on is at TIME, and its meeting."""
    written = Written(join_lead=LEAD, join_late=LATE, calendar_sync=SYNC, calendar_lease=LEASE)
    written.history.calendar_events.append(CalendarEvent(WORKSPACE, ROOM))
    say(written, 1_000, TIME)
    written.created(2_000)
    return written


def say(written, at_ms, time_ms):
    written.history.calendar_events[0].said.append(
        Said(at_ms * MS, None if time_ms is None else WALL_MS + time_ms))


def send(written, at_ms, bot="bot", **options):
    return written.dispatched(at_ms, bot, why="plan", **options)


def found(written):
    return sentences(calendars.check(written.history))


def test_one_that_is_sent_its_bot(written):
    send(written, TIME - LEAD)
    written.final("OFFLINE/completed")
    assert found(written) == ""


def test_too_early(written):
    send(written, TIME - LEAD - 1)
    assert "was sent its bot 1 ms too early" in found(written)


def test_one_that_is_missed(written):
    written.event(TIME + LATE + 1, "missed", "INITIAL/", why="too_late")
    written.final("INITIAL/")
    assert found(written) == ""


def test_never(written):
    assert "was neither sent a bot nor missed" in found(written)
    # Nobody has looked for long enough.
    written.history.looked_ns = (TIME + 5_000) * MS
    assert found(written) == ""


def test_twice(written):
    send(written, TIME)
    written.failed(TIME + 100)
    send(written, TIME + 200, "other", meeting_id="another")
    assert "was sent several bots: event" in found(written)


def test_two_plans(written):
    send(written, TIME)
    written.final("OFFLINE/completed")
    written.final("INITIAL/", meeting_id="another")
    assert f"was planned several times: {MEETING}, another" in found(written)


def test_one_that_moves(written):
    say(written, 5_000, TIME + 20_000)
    send(written, TIME + 20_000 - LEAD)
    assert found(written) == ""


def test_one_that_is_sent_at_the_time_that_it_had_before(written):
    say(written, 5_000, TIME + 20_000)
    send(written, TIME)
    assert "was sent its bot 19000 ms too early" in found(written)


def test_one_that_moved_a_moment_ago(written):
    say(written, TIME - READING, TIME + 20_000)
    send(written, TIME)
    assert found(written) == ""


def test_one_that_was_cancelled_long_ago(written):
    say(written, 5_000, None)
    assert found(written) == ""
    send(written, TIME)
    assert "was sent a bot though the feed had not said so for long" in found(written)


def test_one_that_was_cancelled_a_moment_ago(written):
    say(written, TIME - READING, None)
    send(written, TIME)
    assert found(written) == ""


def test_faults_explain_more(written):
    say(written, TIME - READING - LEASE, None)
    send(written, TIME)
    assert "had not said so for long" in found(written)
    written.fault("node-kill", 1_000, 2_000)
    assert found(written) == ""


def test_one_that_was_cancelled_and_stays(written):
    say(written, 5_000, None)
    written.final("INITIAL/")
    assert f"was cancelled, and meeting {MEETING} is planned still" in found(written)


def test_one_that_was_cancelled_when_it_was_under_way(written):
    say(written, TIME, None)
    written.final("INITIAL/")
    assert found(written) == ""


def test_a_clock_that_was_wrong(written):
    written.fault("redis-clock-back", 1_000, 2_000)
    assert found(written) == ""
    send(written, TIME)
    send(written, TIME + 1, "other")
    assert "was sent several bots" in found(written)
