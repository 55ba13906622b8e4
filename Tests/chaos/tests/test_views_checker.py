"""The checker of live views on histories written by hand."""

import pytest

from checkers import views
from hand_written import MEETING, MS, ROOM, WORKSPACE, Written, sentences
from history import FaultRecord, FinalMeeting, Viewed

NUMBER = 7


@pytest.fixture
def written():
    written = Written()
    written.history.meetings.append(
        FinalMeeting(ROOM, WORKSPACE, {"meeting_id": MEETING, "number": NUMBER}, None, {"a:1": "Hello", "a:2": "all"}))
    return written


def found(written, shown, anew=(), repeated=(), workspace=WORKSPACE):
    written.history.viewed.append(Viewed(workspace, shown, list(anew), list(repeated)))
    return sentences(views.check(written.history))


def test_all_is_seen(written):
    assert found(written, {NUMBER: {"a:1": "Hello", "a:2": "all"}, None: {}}) == ""


def test_nobody_looks(written):
    assert views.check(written.history) == []


def test_another_workspaces_are_not_seen(written):
    assert found(written, {}, workspace="another") == ""


def test_who_was_told_to_look_anew_need_not_have_seen_all(written):
    for anew in ([None], [NUMBER]):
        assert found(written, {NUMBER: {"a:2": "all"}}, anew) == ""
    assert "a:1 of meeting 7 was not shown" in found(written, {NUMBER: {"a:2": "all"}}, [8])
    written.history.viewed.clear()
    assert "was shown as 'else'" in found(written, {NUMBER: {"a:2": "else"}}, [None])


def test_what_is_missing(written):
    assert "segment a:2 of meeting 7 was not shown" in found(written, {NUMBER: {"a:1": "Hello"}})
    assert "segment a:1 of meeting 7 was not shown" in found(written, {})


def test_what_reads_otherwise(written):
    shown = {NUMBER: {"a:1": "Hel", "a:2": "all"}}
    assert "is 'Hello', and was shown as 'Hel'" in found(written, shown)


def test_what_is_in_no_transcript(written):
    assert "a:3 of meeting 7 is None" in found(written, {NUMBER: {"a:1": "Hello", "a:2": "all", "a:3": "x"}})
    assert "a:1 of meeting 8 is None" in found(written, {8: {"a:1": "Hello"}})


def test_a_failover_may_lose_what_was_told(written):
    written.history.faults.append(FaultRecord("primary-killed", "redis1", 1 * MS, healed_ns=2 * MS))
    assert found(written, {NUMBER: {"a:1": "Hello", "a:2": "all", "a:3": "lost"}}) == ""
    assert "a:2 of meeting 7 was not shown" in found(written, {NUMBER: {"a:1": "Hello"}})


def test_what_is_told_twice(written):
    repeated = [(1 * MS, 2 * MS, "segment a:1 was told twice")]
    assert found(written, {NUMBER: {"a:1": "Hello", "a:2": "all"}}, repeated=repeated) == (
        f"views: workspace {WORKSPACE}: segment a:1 was told twice")


def test_what_a_failover_lost_is_told_again(written):
    written.history.faults.append(FaultRecord("primary-killed", "redis1", 100_000 * MS, healed_ns=100_001 * MS))
    shown = {NUMBER: {"a:1": "Hello", "a:2": "all"}}
    across = (1 * MS, 200_000 * MS, "segment a:1 was told twice")
    before = (1 * MS, 2 * MS, "segment a:2 was told twice")
    after = (200_000 * MS, 200_001 * MS, "segment a:2 was told twice")
    assert found(written, shown, repeated=[across]) == ""
    for other in before, after:
        assert "segment a:2 was told twice" in found(written, shown, repeated=[across, other])
        written.history.viewed.clear()
