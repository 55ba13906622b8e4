"""What the checkers make of failovers, on histories written by hand."""

import pytest

from checkers import answers, convergence, fates, limits, losses, presence, stops, transcripts
from checkers.failovers import overlap_ms
from hand_written import MS, ROOM, Written, sentences
from history import Acknowledged

ALL = (presence, fates, answers, limits, stops, transcripts)


def found(written):
    return [violation for checker in ALL for violation in checker.check(written.history)]


def written(wait_replicas=0, **options):
    """A failover after 10 s: its window is from 9 to 14.2 s."""
    history = Written(wait_replicas=wait_replicas, **options)
    history.failover(10_000, 10_200)
    return history


def segment(history, at_ms):
    history.history.acknowledged.append(Acknowledged(ROOM, "a", 1, "a:1", "Good morning.", at_ms * MS))


# What waits for replicas is never lost.

@pytest.mark.parametrize("kind, sentence", [("reinvite", "no event tells"), ("create_bot", "no event tells"),
                                            ("stop", "no bot was stopping")])
def test_what_is_lost_though_replicas_are_waited_for(kind, sentence):
    history = written(wait_replicas=2)
    accept(history, kind, 9_900)
    assert sentence in sentences(found(history))
    assert losses.measured(history.history).dispatches == losses.measured(history.history).stops == 0


def accept(history, kind, at_ms):
    if kind == "reinvite":
        history.reinvite(at_ms, at_ms + 50, at_ms=at_ms + 20)
    elif kind == "create_bot":
        history.create_bot(at_ms, at_ms + 50, 201, meeting_id="other")
    else:
        history.stop(at_ms, at_ms + 50, 202)


@pytest.mark.parametrize("kind", ["reinvite", "create_bot", "stop"])
def test_what_is_lost_where_nothing_waits_is_counted(kind):
    history = written()
    accept(history, kind, 9_900)
    assert found(history) == []
    measured = losses.measured(history.history)
    assert (measured.failovers, measured.dispatches, measured.stops) == (1, int(kind != "stop"), int(kind == "stop"))
    assert (measured.of_dispatches, measured.of_stops) == (measured.dispatches, measured.stops)


@pytest.mark.parametrize("at_ms", [5_000, 20_000])
@pytest.mark.parametrize("kind", ["reinvite", "create_bot", "stop"])
def test_what_is_lost_when_there_was_no_failover(kind, at_ms):
    history = written()
    accept(history, kind, at_ms)
    assert len(found(history)) >= 1
    assert losses.measured(history.history).of_dispatches == 0


def test_a_fault_that_may_make_a_failover_counts_as_one():
    history = Written()
    history.fault("split-brain", 9_500, 12_000, "redis-0")
    accept(history, "reinvite", 9_900)
    assert found(history) == []


def test_two_requests_for_one_dispatch_are_none_the_less_found():
    history = written()
    for sent_ms in (9_900, 9_910):
        history.reinvite(sent_ms, 9_990, at_ms=9_950)
    history.dispatched(9_950, "a")
    assert "were accepted for one dispatch" in sentences(found(history))


# Reads and refusals.

@pytest.mark.parametrize("wait_replicas", [0, 2])
def test_what_was_read_around_a_failover_may_be_gone(wait_replicas):
    history = written(wait_replicas)
    history.get_meeting(9_900, 9_910, "LIVE/active", "lost")
    history.bots_status(9_900, 9_910, ("lost", "active"))
    history.create_bot(12_000, 12_010, 409)
    history.stop(12_000, 12_010, 404)
    history.reinvite(12_000, 12_010, code=12108)
    assert found(history) == []


def test_what_was_read_long_after_it_is_not():
    history = written(2)
    history.create_bot(20_000, 20_010, 409)
    assert "fits no state" in sentences(found(history))


@pytest.mark.parametrize("wait_replicas, is_violation", [(0, False), (2, True)])
def test_a_meeting_that_was_lost_is_not_there(wait_replicas, is_violation):
    history = written(wait_replicas)
    accept(history, "create_bot", 9_900)
    history.request("get_meeting", 20_000, 20_010, 404, meeting_id="other")
    history.reinvite(20_000, 20_010, code=12100, meeting_id="other").status = 404
    assert ("is not in the table" in sentences(answers.check(history.history))) == is_violation


@pytest.mark.parametrize("deployment, wait_replicas, is_violation", [
    ("cluster", 0, False), ("cluster", 1, True), ("sentinel", 0, True)])
def test_a_meeting_that_nothing_leads_to(deployment, wait_replicas, is_violation):
    """By its number, so that what its bot writes into the stream finds no meeting either."""
    history = written(wait_replicas, deployment=deployment)
    history.created(5_000)
    history.final("INITIAL/")
    history.history.meetings[0].bots = None
    history.reinvite(20_000, 20_010, code=12100).status = 404
    segment(history, 20_000)
    every = sentences([*found(history), *convergence.check(history.history)])
    for sentence in ("is not in the table", "does not show it", "is not in any transcript"):
        assert (sentence in every) == is_violation, every
    assert losses.measured(history.history).unlocated == 1


# Segments, for which nobody has a bot wait.

@pytest.mark.parametrize("wait_replicas", [0, 2])
def test_segments_that_bots_wrote_around_a_failover_are_counted(wait_replicas):
    history = written(wait_replicas)
    segment(history, 9_900)
    assert found(history) == []
    assert (losses.measured(history.history).segments, losses.measured(history.history).of_segments) == (1, 1)


@pytest.mark.parametrize("at_ms", [5_000, 20_000])
def test_other_segments_are_promised(at_ms):
    history = written(2)
    segment(history, at_ms)
    assert "is not in any transcript" in sentences(found(history))


# Two bots.

def two_bots(history, shared_ms, second="b", at_ms=11_000):
    history.stay("a", 5_000, at_ms + shared_ms, left=False)
    history.stay(second, at_ms, at_ms + 5_000, pid=2)


@pytest.mark.parametrize("second", ["a", "b"])
def test_a_former_bot_may_be_there_until_its_renewal(second):
    history = written()
    shared_ms = overlap_ms(history.history) - 100
    two_bots(history, shared_ms, second)
    assert found(history) == []
    assert losses.measured(history.history).overlaps_ms == [shared_ms]


def test_and_no_longer():
    history = written()
    two_bots(history, overlap_ms(history.history) + 100)
    assert "shared the room" in sentences(found(history))


@pytest.mark.parametrize("second, sentence", [("a", "two processes"), ("b", "shared the room")])
def test_nor_at_all_where_replicas_are_waited_for(second, sentence):
    history = written(wait_replicas=2)
    two_bots(history, 200, second)
    assert sentence in sentences(found(history))


@pytest.mark.parametrize("second, sentence", [("a", "two processes"), ("b", "shared the room")])
def test_nor_without_a_failover(second, sentence):
    history = written()
    two_bots(history, 200, second, at_ms=20_000)
    assert sentence in sentences(found(history))


@pytest.mark.parametrize("wait_replicas, lines_ms, is_violation", [(0, 500, False), (0, 4_000, True), (2, 500, True)])
def test_lines_after_the_end_of_a_lease_whose_renewals_were_lost(wait_replicas, lines_ms, is_violation):
    history = written(wait_replicas)
    history.a_session(5_000, "a", 11_000)
    history.stay("a", 5_100, 11_000 + lines_ms, left=False)
    assert bool(presence.check(history.history)) == is_violation


def test_losses_of_several_runs_add_up():
    first, second = written(), written()
    accept(first, "reinvite", 9_900)
    two_bots(second, 300)
    both = losses.measured(first.history) + losses.measured(second.history)
    assert (both.failovers, both.dispatches, both.overlaps_ms) == (2, 1, [300.0])
    assert losses.NONE + both == both
