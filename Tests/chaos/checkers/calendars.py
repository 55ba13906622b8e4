"""What a calendar says is planned once, follows what becomes of it, and is sent one bot or counts as missed: never two, never
before its time, and not where it was cancelled. What a feed says counts once a node has read it, which takes the pause
between two readings, and longer where faults explain it. Times are by Redis' own clock, which is what decides."""

import collections
import math

from checkers import failovers, patience
from checkers.planned import WHY
from checkers.table import DISPATCHES
from checkers.timeline import Timeline
from history import Violation

# Until a node sees that it is time to read a feed, in ms.
LOOK = 1_000


def check(history):
    if not history.calendar_events:
        return []
    return list(_violations(history))


def _violations(history):
    decided, records = collections.defaultdict(list), collections.defaultdict(list)
    for event in history.events:
        if event.what == "missed" or event.what in DISPATCHES and event.why == WHY:
            decided[event.room].append(event)
    for meeting in history.meetings:
        records[meeting.room].append(meeting.reinvite)
    clock = Timeline(history).clock
    for event in history.calendar_events:
        for sentence in _about(history, event, decided[event.room], records[event.room], clock):
            yield Violation("calendars", event.room, sentence)


def _about(history, event, decided, records, clock):
    sent = [one for one in decided if one.what != "missed"]
    if len(sent) > 1:
        yield "was sent several bots: " + ", ".join(f"event {one.entry}" for one in sent)
    if len(records) > 1:
        yield "was planned several times: " + ", ".join(record["meeting_id"] for record in records)
    # By a clock that is wrong events are over, or far away.
    if any(fault.name.startswith("redis-clock") for fault in history.faults):
        return
    for one in sent:
        yield from _is_right(history, event, one, clock)
    if event.said[-1].scheduled_ms is None:
        yield from _is_cancelled(history, event, records, clock)
    elif not decided:
        yield from _is_decided_later(history, event, clock)


def _reading_ms(history):
    """Until what a feed says has been read and planned."""
    settings = history.settings
    pause_ms = settings["calendar_sync"] * 11 // 10 + LOOK
    # What a node that was struck has begun another one does when its lease is over.
    lease_ms = settings["calendar_lease"] if history.faults else 0
    return 2 * pause_ms + lease_ms + patience.SLACK


def _is_right(history, event, sent, clock):
    """Whether what the feed said at the time, or not longer before than it takes to read it, is that a bot is sent."""
    at_ms = sent.at_ms or sent.time_ms
    earliest_ns, latest_ns = clock.interval(at_ms)
    ends = [said.at_ns for said in event.said[1:]] + [math.inf]
    counts = [said.scheduled_ms for said, end_ns in zip(event.said, ends)
              if said.at_ns <= latest_ns
              and patience.deadline_ns(history, end_ns, _reading_ms(history)) >= earliest_ns]
    times = [time_ms for time_ms in counts if time_ms is not None]
    if not times:
        yield f"was sent a bot though the feed had not said so for long (event {sent.entry})"
    elif at_ms < (due_ms := min(times) - history.settings["join_lead"]):
        yield f"was sent its bot {due_ms - at_ms} ms too early (event {sent.entry})"


def _is_cancelled(history, event, records, clock):
    """What is under way when that is read is nothing to be cancelled any more."""
    over_ns = patience.deadline_ns(history, event.said[-1].at_ns, _reading_ms(history))
    begins_ns = clock.interval(event.said[-2].scheduled_ms)[0]
    if over_ns >= min(begins_ns, history.looked_ns or 0):
        return
    for record in records:
        if record["status"] == "INITIAL" and not record["bot_status"]:
            yield f"was cancelled, and meeting {record['meeting_id']} is planned still"


def _is_decided_later(history, event, clock):
    said = event.said[-1]
    due_ns = max(said.at_ns, clock.interval(said.scheduled_ms - history.settings["join_lead"])[1])
    allowed_ms = _reading_ms(history) + 2 * patience.sweep_pause_ms(history.settings) + patience.RECONNECTION
    deadline = patience.deadline_ns(history, due_ns, allowed_ms)
    if deadline <= (history.looked_ns or 0) and not failovers.may_be_lost(history, due_ns):
        yield "was neither sent a bot nor missed"
