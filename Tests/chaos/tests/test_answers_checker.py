"""The linearizability checker of answers on histories written by hand."""

import math

import pytest

from checkers import answers, linearizability
from hand_written import MS, ROOM, WORKSPACE, Written, sentences
from history import HeldLock


@pytest.fixture
def written():
    """A planned meeting."""
    written = Written()
    written.created(100)
    return written


def found(written):
    violations = answers.check(written.history)
    assert answers.unchecked(written.history) == []
    return violations


def in_state(written, pair):
    """Brings the meeting, with bot a, there by 1000 at the latest."""
    if pair == "INITIAL/":
        return
    written.reinvite(190, 210, at_ms=200)
    written.dispatched(200, "a")
    if pair == "INITIAL/failed":
        written.failed(300)
    if pair in ("LIVE/active", "STOPPING/stopping", "ANALYZING/completed", "OFFLINE/completed"):
        written.joined(300)
    if pair == "STOPPING/stopping":
        written.stop(390, 410, 202)
        written.stopping(400)
    if pair in ("ANALYZING/completed", "OFFLINE/completed"):
        written.event(400, "completed", "ANALYZING/completed", why="left_alone")
    if pair == "OFFLINE/completed":
        written.event(500, "finalised", pair)


STATES = ("INITIAL/", "INITIAL/failed", "INITIAL/requested", "LIVE/active", "STOPPING/stopping", "ANALYZING/completed",
          "OFFLINE/completed")
# (code, force_restart) -> the states that are refused so.
REFUSALS = {
    (12103, False): {"LIVE/active"}, (12104, True): {"LIVE/active"},
    (12105, False): {"STOPPING/stopping", "ANALYZING/completed"},
    (12105, True): {"STOPPING/stopping", "ANALYZING/completed"}, (12106, False): {"OFFLINE/completed"},
    (12107, False): {"INITIAL/requested"}, (12107, True): {"INITIAL/requested"},
    (12103, True): set(), (12104, False): set(), (12106, True): set(), (12110, False): set(), (12110, True): set(),
}


@pytest.mark.parametrize("pair", STATES)
@pytest.mark.parametrize("code, force", REFUSALS)
def test_refusals_by_the_table(written, pair, code, force):
    in_state(written, pair)
    written.reinvite(1000, 1010, code, force_restart=force)
    is_right = pair in REFUSALS[code, force]
    assert (found(written) == []) == is_right, sentences(found(written))


@pytest.mark.parametrize("pair", STATES)
def test_what_reads_show(written, pair):
    in_state(written, pair)
    bot = None if pair == "INITIAL/" else "a"
    written.get_meeting(1000, 1010, pair, bot)
    is_running = pair in ("INITIAL/requested", "LIVE/active", "STOPPING/stopping")
    written.bots_status(1000, 1010, *([("a", pair.partition("/")[2])] if is_running else []))
    assert found(written) == []
    for other in STATES:
        if other != pair:
            stale = Written()
            stale.created(100)
            in_state(stale, pair)
            stale.get_meeting(1000, 1010, other, bot)
            assert len(found(stale)) == 1, other


# Good.

def test_a_whole_life(written):
    in_state(written, "OFFLINE/completed")
    written.reinvite(1000, 1010, at_ms=1005, action="restarted", force_restart=True)
    written.dispatched(1005, "b", what="restarted")
    written.stop(1100, 1110, 202)
    written.stopping(1105)
    written.event(1105, "completed", "OFFLINE/completed", why="stopped")
    written.create_bot(1200, 1210, 201, "second")
    written.dispatched(1205, "c", meeting_id="second")
    written.create_bot(1300, 1310, 409)
    written.stop(1400, 1410, 202)
    written.stopping(1405, meeting_id="second")
    written.stop(1500, 1510, 202)
    assert found(written) == []


def test_a_request_without_an_answer_takes_effect_much_later(written):
    written.reinvite(200)
    written.get_meeting(1000, 1010, "INITIAL/")
    written.dispatched(5000, "a")
    written.reinvite(6000, 6010, 12107)
    assert found(written) == []


def test_a_request_without_an_answer_has_no_effect(written):
    written.reinvite(200)
    written.create_bot(300, 310, 500)
    written.stop(400)
    written.get_meeting(1000, 1010, "INITIAL/")
    assert found(written) == []


def test_concurrent_requests_in_any_order(written):
    written.reinvite(1000, 2000, 12107)
    written.reinvite(1000, 2000, at_ms=1900)
    written.dispatched(1900, "a")
    written.create_bot(1000, 2000, 409)
    written.stop(1000, 2000, 404)
    assert found(written) == []


def test_a_status_that_changed_meanwhile(written):
    in_state(written, "OFFLINE/completed")
    written.reinvite(1000, 1100, 12110, force_restart=True)
    written.reinvite(1040, 1060, at_ms=1050, action="restarted", force_restart=True)
    written.dispatched(1050, "b", what="restarted")
    assert found(written) == []


def test_a_room_that_another_meeting_holds(written):
    written.create_bot(190, 210, 201, "second")
    written.dispatched(200, "a", meeting_id="second")
    written.joined(300, meeting_id="second")
    written.reinvite(1000, 1010, 12103)
    written.reinvite(1000, 1010, 12103, force_restart=True)
    assert found(written) == []


def test_a_replaced_bot_is_missing_from_the_list(written):
    in_state(written, "INITIAL/requested")
    written.bots_status(1000, 1100)
    written.event(1050, "replaced", "INITIAL/requested", "b", why="lease_expired")
    assert found(written) == []


@pytest.mark.parametrize("rival", [
    dict(sent_ms=990, answered_ms=1005, code=12107), dict(sent_ms=500, meeting_id="other", room="google_meet:other")])
def test_the_lock_is_held_by_another(written, rival):
    in_state(written, "INITIAL/requested")
    written.reinvite(**rival)
    written.reinvite(1000, 1010, 12108)
    assert found(written) == []


def test_without_a_clock_the_order_counts(written):
    written.history.clock = []
    in_state(written, "LIVE/active")
    written.reinvite(1000, 1010, 12103)
    assert found(written) == []


def test_what_a_replica_shows(written):
    in_state(written, "LIVE/active")
    written.fault("redis-read-only", 900, 1100)
    written.get_meeting(1000, 1010, "INITIAL/requested", "a")
    written.stop(1000, 1010, 404)
    assert found(written) == []


def test_a_request_that_is_answered_again(written):
    """By its key it is known to have been asked for before, and none of its answers needs a change of its own."""
    written.reinvite(990, None, key="k")
    written.dispatched(1000, "a")
    written.joined(1500)
    for sent in (2000, 2500):
        written.reinvite(sent, sent + 10, at_ms=1000, key="k", asked_ms=990)
    assert found(written) == []


# Bad.

def test_a_dispatch_that_nobody_asked_for(written):
    written.dispatched(1000, "a")
    assert "no request can have caused it" in sentences(found(written))


def test_one_request_sends_two_bots(written):
    written.reinvite(200)
    written.dispatched(1000, "a")
    written.failed(1100)
    written.dispatched(1200, "b")
    assert "no request can have caused it" in sentences(found(written))


def test_an_accepted_request_without_an_event(written):
    written.reinvite(1000, 1010, at_ms=1005)
    assert "request 1 (reinvite of client at node: 202) fits no state" in sentences(found(written))


def test_a_second_dispatch_to_a_held_room(written):
    in_state(written, "LIVE/active")
    written.create_bot(1000, 1010, 201, "second")
    written.dispatched(1005, "b", meeting_id="second")
    assert "gives the room to bot b while bot a of meeting meeting holds it" in sentences(found(written))


def test_a_report_of_a_bot_that_is_not_the_current_one(written):
    in_state(written, "INITIAL/requested")
    written.event(1000, "replaced", "INITIAL/requested", "b", why="lease_expired")
    written.event(1100, "joining", "INITIAL/joining", "a")
    assert "the meeting's bot is b" in sentences(found(written))


def test_a_step_that_the_table_does_not_have(written):
    in_state(written, "OFFLINE/completed")
    written.event(1000, "active", "LIVE/active")
    assert "which the table does not have" in sentences(found(written))


def test_a_stop_that_was_not_asked_for(written):
    in_state(written, "LIVE/active")
    written.stopping(1000)
    assert "no request can have caused it" in sentences(found(written))


def test_a_stop_that_changed_nothing(written):
    in_state(written, "LIVE/active")
    written.stop(1000, 1010, 202)
    assert "(stop of client at node: 202) fits no state" in sentences(found(written))


def test_a_stop_that_finds_no_bot_though_there_is_one(written):
    in_state(written, "LIVE/active")
    written.stop(1000, 1010, 404)
    assert len(found(written)) == 1


def test_a_conflict_in_a_free_room(written):
    in_state(written, "OFFLINE/completed")
    written.create_bot(1000, 1010, 409)
    assert len(found(written)) == 1


def test_a_read_that_goes_back(written):
    """Both fit the time in which the bot joined, but not in this order."""
    written.history.clock = []
    in_state(written, "LIVE/active")
    written.get_meeting(1000, 1010, "LIVE/active", "a")
    written.get_meeting(1020, 1030, "INITIAL/requested", "a")
    assert len(found(written)) == 1


def test_a_bot_that_runs_is_missing_from_the_list(written):
    in_state(written, "LIVE/active")
    written.bots_status(1000, 1010)
    assert len(found(written)) == 1


def test_a_bot_that_has_ended_is_in_the_list(written):
    in_state(written, "OFFLINE/completed")
    written.bots_status(1000, 1010, ("a", "active"))
    assert len(found(written)) == 1


def test_a_lock_that_nobody_can_hold(written):
    in_state(written, "INITIAL/requested")
    written.reinvite(1000, 1010, 12107)
    written.reinvite(1100, 1110, 12108)
    assert "no other re-invitation can have held" in sentences(found(written))


def two_meetings(written, second_sent_ms, second_ms, **fault):
    """The script of the first request is held back; the second one is accepted."""
    written.history.settings["lock_ttl"] = 2000
    written.created(150, meeting_id="other", room="google_meet:other")
    written.fault(**{"name": "hold", "from_ms": 1020, "to_ms": 1500, "target": "node", "detail": "dispatch", **fault})
    written.reinvite(1000, 1510, at_ms=1505)
    written.dispatched(1505, "a")
    written.reinvite(second_sent_ms, second_ms + 5, at_ms=second_ms, meeting_id="other", room="google_meet:other")
    written.dispatched(second_ms, "b", meeting_id="other", room="google_meet:other")
    written.history.events.sort(key=lambda event: event.time_ms)


def test_a_dispatch_while_another_has_the_lock(written):
    two_meetings(written, 1100, 1200)
    assert "while another request held the workspace's lock" in sentences(found(written))


def test_a_dispatch_while_the_lock_is_known_to_be_held(written):
    two_meetings(written, 1100, 1200, detail="claim")
    written.history.locks.append(HeldLock(WORKSPACE, 1020 * MS, 1500 * MS))
    assert "while another request held the workspace's lock" in sentences(found(written))


@pytest.mark.parametrize("sent_ms, at_ms, fault", [
    (1100, 1600, {}), (990, 1200, {}), (1100, 1200, {"detail": "claim"}), (1100, 1200, {"name": "redis-hold-answer"}),
    (1100, 1200, {"target": "another"})])
def test_a_dispatch_while_nobody_is_seen_to_have_the_lock(written, sent_ms, at_ms, fault):
    two_meetings(written, sent_ms, at_ms, **fault)
    assert found(written) == []


@pytest.mark.parametrize("code", [12100, 12101, 12102, 12111])
def test_codes_that_cannot_be(written, code):
    written.reinvite(1000, 1010, code)
    assert "is not in the table" in sentences(found(written))


def test_each_of_several_violations_is_told(written):
    in_state(written, "LIVE/active")
    written.stop(1000, 1010, 404)
    written.create_bot(1100, 1110, 201, "second")
    written.reinvite(1200, 1210, 12106)
    assert len(found(written)) == 3


# What can't be said.

def test_events_of_meetings_that_nobody_can_place(written):
    written.create_bot(1000)
    event = written.dispatched(1100, "a", meeting_id="unheard-of")
    event.room = event.workspace_id = ""
    written.stop(1200, 1210, 202)
    assert answers.check(written.history) == []
    assert ROOM in answers.unchecked(written.history)[0]


def test_the_search_gives_up_when_told_to():
    requests = [linearizability.Request(number, 0, math.inf, lambda index: False, must=False, kind=str(number))
                for number in range(12)]
    steps = [linearizability.Step(0, 1, range(12)) for _ in range(12)] + [linearizability.Step(0, 1, ())]
    assert linearizability.search(steps, requests, 1000).verdict == "gave up"


def test_what_needs_no_room_is_never_refused_for_want_of_it(written):
    full = {"error": "Service unavailable", "detail": "The service has no room for new records at the moment."}
    for kind in ("create_bot", "stop", "configure"):
        written.request(kind, 1000, 1010, 503, answer=full)
    assert sentences(found(written)).count("needs no room in Redis") == 2 == len(found(written))
