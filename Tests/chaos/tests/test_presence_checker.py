"""The presence checker on histories written by hand."""

import pytest

from checkers import presence
from hand_written import Written, sentences


@pytest.fixture
def written():
    return Written()


def found(written):
    return presence.check(written.history)


# Good.

def test_one_after_the_other(written):
    written.stay("a", 1000, 2000)
    written.stay("b", 2001, 3000)
    assert found(written) == []


def test_two_rooms_at_once(written):
    written.stay("a", 1000, 2000)
    written.stay("b", 1000, 2000, room="google_meet:xyz-defg-hij")
    assert found(written) == []


@pytest.mark.parametrize("name, target", [("bot-and-supervisor-pause", "a"), ("runner-and-bots-pause", "runner1")])
def test_one_line_of_a_frozen_bot_is_a_window(written, name, target):
    written.fault(name, 2000, 6000, target)
    written.stay("a", 1000, 6002, left=False, silent=[(2000, 6002)])
    written.stay("b", 4000, 8000)
    assert found(written) == []
    [window] = presence.windows(written.history)
    assert (window.bot_id, window.writes, window.milliseconds) == ("a", 1, 2002)


def test_a_frozen_bot_may_still_say_that_it_left(written):
    written.fault("bot-and-supervisor-pause", 2000, 6000, "a")
    written.stay("a", 1000, 6052, left=True, silent=[(2000, 6002)])
    written.stay("b", 4000, 8000)
    assert found(written) == []
    assert [window.writes for window in presence.windows(written.history)] == [1]


def test_frozen_by_two_faults_at_once(written):
    written.fault("bot-pause", 2000, 6000, "a")
    written.fault("supervisor-pause", 1900, 6100, "a")
    written.stay("a", 1000, 6002, left=False, silent=[(2000, 6002)])
    written.stay("b", 4000, 8000)
    assert found(written) == []


def test_a_frozen_bot_that_writes_nothing_more_is_a_window_without_writes(written):
    written.fault("bot-and-supervisor-pause", 2000, 6000, "a")
    written.stay("a", 1000, 2000, left=False)
    written.stay("b", 4000, 8000)
    assert found(written) == []
    [window] = presence.windows(written.history)
    assert (window.writes, window.milliseconds) == (0, 2000)


def test_a_bot_frozen_in_the_lobby_enters_for_one_line(written):
    written.fault("bot-and-supervisor-pause", 1000, 6000, "a")
    written.stay("b", 4000, 8000)
    written.stay("a", 6001, 6001, left=False)
    assert found(written) == []
    assert [window.bot_id for window in presence.windows(written.history)] == ["a"]


def test_a_bot_that_ends_before_its_record(written):
    written.a_session(1000, "a", 3000)
    written.stay("a", 1100, 2990)
    assert found(written) == []


# Bad.

def test_an_overlap(written):
    written.stay("a", 1000, 2000)
    written.stay("b", 1950, 3000)
    assert "bot b entered while bot a was there" in sentences(found(written))


def test_a_stay_within_a_stay(written):
    written.stay("a", 1000, 5000)
    written.stay("b", 1500, 1600)
    written.stay("c", 3000, 3100)
    assert len(found(written)) == 2


def test_two_lines_of_a_frozen_bot(written):
    written.fault("bot-and-supervisor-pause", 2000, 6000, "a")
    written.stay("a", 1000, 6052, left=False, silent=[(2000, 6002)])
    written.stay("b", 4000, 8000)
    assert "a wrote 2 lines" in sentences(found(written))
    assert presence.windows(written.history) == []


@pytest.mark.parametrize("name, target", [
    ("bot-pause", "a"), ("supervisor-pause", "a"), ("runner-pause", "runner1"), ("bot-and-supervisor-pause", "b")])
def test_a_fault_that_does_not_freeze_both(written, name, target):
    written.fault(name, 2000, 6000, target)
    written.stay("a", 1000, 6002, left=False, silent=[(2000, 6002)])
    written.stay("b", 4000, 8000)
    assert len(found(written)) == 1


def test_a_bot_that_was_not_silent_was_not_frozen(written):
    written.fault("runner-and-bots-pause", 2000, 6000, "runner2")
    written.stay("a", 1000, 4001, left=False)
    written.stay("b", 4001, 8000)
    assert len(found(written)) == 1


def test_a_bot_in_two_rooms(written):
    written.stay("a", 1000, 2000)
    written.stay("a", 3000, 4000, room="google_meet:xyz-defg-hij")
    assert "the bot was in" in sentences(found(written))


def test_a_bot_that_is_two_processes(written):
    written.stay("a", 1000, 2000, pid=1)
    written.stay("a", 3000, 4000, pid=2)
    assert "two processes" in sentences(found(written))


def test_lines_after_the_end_of_the_record(written):
    written.a_session(1000, "a", 3000)
    written.stay("a", 1100, 3400)
    assert "after its record had ended" in sentences(found(written))


def test_lines_after_the_replacement(written):
    written.dispatched(1000, "a")
    written.event(3000, "replaced", "INITIAL/requested", "b", why="lease_expired")
    written.stay("a", 2500, 3400)
    assert "(replaced, lease_expired)" in sentences(found(written))
