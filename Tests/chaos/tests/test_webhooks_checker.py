"""The checker of what is told on histories written by hand."""

import pytest

from checkers import check_all, webhooks
from hand_written import MEETING, MS, ROOM, WORKSPACE, Written, sentences
from history import FinalMeeting, Told

NUMBER = 7


@pytest.fixture
def written():
    """A meeting with a bot from its dispatch to its end, of a workspace that is listened to."""
    written = Written()
    written.history.listeners.append(WORKSPACE)
    written.history.meetings.append(
        FinalMeeting(ROOM, WORKSPACE, {"meeting_id": MEETING, "number": NUMBER}, None, {}))
    written.created(1_000)
    written.dispatched(2_000, "bot")
    written.event(3_000, "joining", "INITIAL/joining")
    written.event(4_000, "active", "LIVE/active")
    written.completed(5_000)
    return written


def tell(written, *sequences, kind="meeting.status_change", event_id=None, to=None, meeting=NUMBER):
    for sequence in sequences:
        written.history.told.append(
            Told(sequence * MS, event_id or f"evt_{sequence}", kind, meeting, sequence, to))


def found(written):
    return sentences(webhooks.check(written.history))


def test_all_is_told(written):
    tell(written, 1, 2, 4, 3, 5)
    tell(written, 4, kind="meeting.completed", event_id="evt_other")
    assert found(written) == ""


def test_nobody_is_told_where_nobody_listens(written):
    written.history.listeners.clear()
    assert found(written) == ""


def test_the_operator_is_told_of_all(written):
    written.history.listeners.clear()
    tell(written, 1, 2, 3, 4)
    written.history.told, written.history.operators_told = [], written.history.told
    assert found(written).startswith(f"webhooks: meeting {NUMBER}, to the operator: nobody was told of change 5")
    assert "change 4" not in found(written)


def test_what_is_not_told(written):
    tell(written, 1, 2, 3, 5)
    assert "nobody was told of change 4, completed" in found(written)


def test_what_never_was(written):
    tell(written, 1, 2, 3, 4, 5, 6)
    assert "change 6 was told, and never was" in found(written)
    tell(written, 1, meeting=8)
    assert "meeting 8: change 1 was told, and never was" in found(written)


def test_several_ids(written):
    tell(written, 1, 2, 3, 4, 5)
    tell(written, 3, event_id="evt_x")
    assert "change 3 was told with several ids: ['evt_3', 'evt_x']" in found(written)


def test_another_status(written):
    tell(written, 1, 3, 4, 5)
    tell(written, 2, to="active")
    assert "change 2 was told as one to active, and was joining" in found(written)


def test_twice_is_once_too_often_without_a_fault(written):
    tell(written, 1, 2, 3, 4, 5, 5)
    assert "change 5 was told 2 times, though no fault struck" in found(written)
    written.fault("node-kill", 4_000, 4_500)
    assert found(written) == ""


def test_a_failover_may_lose_what_was_told(written):
    tell(written, 1, 2, 3, 4, 5, 6)
    written.failover(4_000, 4_500)
    assert found(written) == ""


def test_of_a_mixed_cluster_only_that_is_expected_which_both_versions_do(written):
    written.history.meetings[0].reinvite.update(status="OFFLINE", bot_status="completed")
    assert "nobody was told of change 1" in sentences(check_all(written.history))
    written.history.settings["beside"] = "0.1"
    assert "nobody was told" not in sentences(check_all(written.history))
    written.history.settings["beside"] = "0.2"
    assert "nobody was told of change 1" in sentences(check_all(written.history))
