"""Each planned meeting is sent one bot by itself, or counts as missed: never both, never twice, never before its time,
and as late as faults explain. Times are by Redis' own clock, which is what decides."""

import collections

from checkers import failovers, patience
from checkers.table import DISPATCHES
from checkers.timeline import Timeline
from history import Violation

# What an event says of a bot that was sent by itself.
WHY = "plan"


def check(history):
    if not history.planned:
        return []
    return list(_violations(history))


def _violations(history):
    decided, created_ms = collections.defaultdict(list), {}
    for event in history.events:
        if event.what == "created":
            created_ms[event.meeting_id] = event.time_ms
        if event.what == "missed" or event.what in DISPATCHES and event.why == WHY:
            decided[event.meeting_id].append(event)
    clock = Timeline(history).clock
    for plan in history.planned:
        for sentence in _about(history, plan, created_ms.get(plan.meeting_id, 0), decided[plan.meeting_id], clock):
            yield Violation("planned", f"meeting {plan.number}", sentence)


def _about(history, plan, created_ms, events, clock):
    settings = history.settings
    due_ms = plan.scheduled_ms - settings["join_lead"]
    if len(events) > 1:
        yield "was decided several times: " + ", ".join(f"{event.what} (event {event.entry})" for event in events)
    for event in events:
        at_ms = event.at_ms or event.time_ms
        if event.what != "missed" and at_ms < due_ms:
            yield f"was sent its bot {due_ms - at_ms} ms too early (event {event.entry})"
        if event.what == "missed" and at_ms <= plan.scheduled_ms + settings["join_late"]:
            yield f"was missed {plan.scheduled_ms + settings['join_late'] - at_ms} ms too early (event {event.entry})"
    # A clock that was set back takes an hour until it is due.
    if any("clock" in fault.name for fault in history.faults):
        return
    # A failover loses what was written and not confirmed: its user asks again, and by then it may be due at once.
    to_be_sent_ms = max(due_ms, created_ms)
    due_ns = clock.interval(to_be_sent_ms)[1]
    allowed_ms = 2 * patience.sweep_pause_ms(settings) + patience.RECONNECTION + patience.SLACK
    deadline = patience.deadline_ns(history, due_ns, allowed_ms)
    if not events:
        if deadline <= (history.looked_ns or 0) and not failovers.may_be_lost(history, due_ns):
            yield "was neither sent a bot nor missed"
    elif clock.interval(events[0].time_ms)[0] > deadline:
        late_ms = (events[0].at_ms or events[0].time_ms) - to_be_sent_ms
        yield f"was decided {late_ms} ms after it was due (event {events[0].entry}): {allowed_ms} ms are allowed"
