"""The checker of limits on histories written by hand."""

import pytest

from checkers import limits
from hand_written import Written, sentences


@pytest.fixture
def written():
    """Two bots, in two rooms, in a workspace that may have two."""
    written = Written(limit=2)
    for number in (1, 2):
        written.create_bot(1000, 1010, 201, f"m{number}", room=f"room{number}")
        written.dispatched(1000 + number, f"b{number}", meeting_id=f"m{number}", room=f"room{number}")
    return written


def found(written):
    return limits.check(written.history)


def third(written, at_ms):
    written.create_bot(at_ms - 5, at_ms + 5, 201, "m3", room="room3")
    written.dispatched(at_ms, "b3", meeting_id="m3", room="room3")


# Good.

def test_as_many_as_may_be(written):
    assert found(written) == []


def test_another_one_once_one_has_ended(written):
    written.failed(1500, meeting_id="m1", room="room1")
    third(written, 2000)
    assert found(written) == []


def test_a_replacement_takes_the_place_of_the_other(written):
    written.event(1500, "replaced", "INITIAL/requested", "b1b", meeting_id="m1", room="room1")
    written.failed(1600, meeting_id="m2", room="room2")
    third(written, 2000)
    assert found(written) == []


def test_a_reinvitation_is_not_refused_by_the_limit(written):
    written.created(1100, meeting_id="m3", room="room3")
    written.reinvite(1995, 2005, at_ms=2000, meeting_id="m3", room="room3")
    written.dispatched(2000, "b3", meeting_id="m3", room="room3")
    assert found(written) == []


def test_a_refusal_when_it_is_reached(written):
    written.create_bot(2000, 2010, 429, room="room3")
    assert found(written) == []


def test_a_refusal_while_one_ends(written):
    written.create_bot(2000, 2010, 429, room="room3")
    written.failed(2002, meeting_id="m1", room="room1")
    assert found(written) == []


# Bad.

def test_one_too_many(written):
    third(written, 2000)
    assert "when 2 bots were there: 2 are allowed" in sentences(found(written))


def test_one_too_many_without_an_answer(written):
    written.create_bot(1995, room="room3")
    written.dispatched(2000, "b3", meeting_id="m3", room="room3")
    assert len(found(written)) == 1


def test_a_planned_meeting_is_no_way_round(written):
    written.created(1100, meeting_id="m3", room="room3")
    third(written, 2000)
    assert len(found(written)) == 1


def test_reinvited_bots_count(written):
    written.failed(1500, meeting_id="m1", room="room1")
    written.created(1600, meeting_id="m4", room="room4")
    written.reinvite(1695, 1705, at_ms=1700, meeting_id="m4", room="room4")
    written.dispatched(1700, "b4", meeting_id="m4", room="room4")
    third(written, 2000)
    assert len(found(written)) == 1


def test_a_refusal_though_there_is_a_place(written):
    written.failed(1500, meeting_id="m1", room="room1")
    written.create_bot(2000, 2010, 429, room="room3")
    assert "at most 1 bots were there" in sentences(found(written))
