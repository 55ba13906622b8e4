"""Every dispatch has a fate, none is lost, and none is there twice.

Each 202 of a re-invitation and each 201 of create_bot is an event of its own (`lost`, `twice`); and each dispatch in
the events, acknowledged or not, ends within `patience.fate_ms` as a bot that joined (it is `active`, or its own file
says so) or as a record that says why not: an event to completed or failed with a reason. Bots that were replaced
count to the last one, of which there are `max_attempts` at most. The bound grows by the time in which faults last. No
room is given to a bot while another one holds it. And a reason must be able to be true: a dispatch expires no earlier
than its in-flight key, and a lease runs out no earlier than it could have been taken, less what the supervisor is
early by. What has an idempotency key is done once in the life of an in-flight key, and whoever asks again with it
meanwhile is not refused.
"""

import dataclasses

from checkers import patience
from checkers.failovers import is_out_of_date, may_be_lost
from checkers.requests import described, may_have_caused, without_repetitions
from checkers.table import DISPATCHES, ENDS
from checkers.timeline import Timeline
from history import Violation

# Two clocks' roundings, in ms: the event's and that of what it speaks of.
ROUNDING = 5


@dataclasses.dataclass
class Dispatch:
    """A dispatch, the bots that were sent for it in turn, and the event that decided it."""
    room: str
    event: object
    sent_ns: float
    bots: list
    fate: object = None
    fate_ns: float | None = None


def check(history):
    timeline = Timeline(history)
    dispatches = [dispatch for story in timeline.stories.values() for dispatch in _dispatches_of(story)]
    return [*_acknowledged(history, timeline), *_held(timeline), *_late(history, dispatches), *_unexplained(dispatches),
            *_attempts(history, dispatches), *_reasons(history, timeline), *_repetitions(history, timeline)]


def _dispatches_of(story):
    open_ones = {}
    for event, interval in zip(story.events, story.intervals):
        dispatch = open_ones.get(event.meeting_id)
        if event.what in DISPATCHES:
            dispatch = Dispatch(story.room, event, interval[0], [event.bot_id])
            open_ones[event.meeting_id] = dispatch
            yield dispatch
        elif dispatch is None or dispatch.fate is not None:
            continue
        elif event.what == "replaced":
            dispatch.bots.append(event.bot_id)
        elif event.what in ("active", *ENDS):
            dispatch.fate, dispatch.fate_ns = event, interval[0]


def lost(history, timeline):
    """The accepted requests that no event tells of, where that is no violation."""
    return [operation for operation, _, _ in _without_event(history, timeline)
            if may_be_lost(history, operation.since_ns, operation.answered_ns)]


def _acknowledged(history, timeline):
    """Each accepted request is an event of its own."""
    for operation, event, other in _without_event(history, timeline):
        if event is not None:
            yield Violation("fates", operation.room, f"{described(operation)} and {described(other)} were accepted for "
                            f"one dispatch, event {event.entry}")
        elif not may_be_lost(history, operation.since_ns, operation.answered_ns):
            yield Violation("fates", operation.room, f"{described(operation)} was lost: no event tells of its dispatch")


def _without_event(history, timeline):
    """(accepted request, the event that it shares with another one or None, that other one)"""
    taken = {}
    for operation in sorted(without_repetitions(history.operations), key=lambda operation: operation.sent_ns):
        if operation.outcome != "ok" or operation.kind not in ("reinvite", "create_bot"):
            continue
        story = timeline.stories[operation.workspace_id, operation.room]
        fitting = [event for event, interval in zip(story.events, story.intervals)
                   if interval[0] <= operation.answered_ns and operation.since_ns <= interval[1]
                   and may_have_caused(operation, event)]
        free = [event for event in fitting if (story.room, event.entry) not in taken]
        if not fitting:
            yield operation, None, None
        elif not free:
            yield operation, fitting[0], taken[story.room, fitting[0].entry]
        else:
            taken[story.room, free[0].entry] = operation


def _held(timeline):
    for story in timeline.stories.values():
        for before, event in zip(story.states, story.events):
            if event.what in DISPATCHES and before.holder:
                yield Violation("fates", story.room, f"bot {event.bot_id} was dispatched (event {event.entry}) while "
                                f"bot {before.bot_id} had not ended: {before.held_by.pair}")


def _late(history, dispatches):
    if history.looked_ns is None:
        return
    entered = {stay.bot_id: stay.first_ns for stay in history.stays}
    for dispatch in dispatches:
        times = [entered[bot] for bot in dispatch.bots if bot in entered]
        decided = min(times + ([] if dispatch.fate is None else [dispatch.fate_ns]), default=None)
        deadline = patience.deadline_ns(history, dispatch.sent_ns, patience.fate_ms(history.settings))
        if (deadline <= history.looked_ns) if decided is None else (decided > deadline):
            when = "never" if decided is None else f"after {(decided - dispatch.sent_ns) / 1e9:.1f} s"
            event = dispatch.event
            yield Violation("fates", dispatch.room, f"the dispatch of bot {event.bot_id} (event {event.entry}, "
                            f"{event.why}) was decided {when}: it was due within "
                            f"{(deadline - dispatch.sent_ns) / 1e9:.1f} s")


def _unexplained(dispatches):
    for dispatch in dispatches:
        if dispatch.fate is not None and dispatch.fate.what in ENDS and not dispatch.fate.why:
            yield Violation("fates", dispatch.room, f"bot {dispatch.fate.bot_id} ended as {dispatch.fate.to} without a "
                            f"reason (event {dispatch.fate.entry})")


def _attempts(history, dispatches):
    most = history.settings["max_attempts"]
    for dispatch in dispatches:
        if len(dispatch.bots) > most:
            yield Violation("fates", dispatch.room, f"{len(dispatch.bots)} bots were sent for the dispatch of bot "
                            f"{dispatch.event.bot_id}: {most} are allowed")


def _reasons(history, timeline):
    """Nothing ends as expired before its time."""
    in_flight, lease = history.settings["in_flight_ttl"], history.settings["lease_ttl"]
    for story in timeline.stories.values():
        dispatched, sent = {}, {}
        for event in story.events:
            at_ms = event.at_ms or event.time_ms
            if event.what in DISPATCHES:
                dispatched[event.meeting_id] = at_ms
            age = at_ms - dispatched.get(event.meeting_id, 0) + ROUNDING
            if event.why == "dispatch_expired" and age < in_flight:
                yield Violation("fates", story.room, f"the dispatch of bot {event.bot_id} expired after {age} ms: its "
                                f"in-flight key lives {in_flight} ms")
            # The lease is taken after the dispatch, and the supervisor is a fifth of it early.
            age = at_ms - sent.get(event.meeting_id, 0) + ROUNDING
            if event.why == "lease_expired" and age < lease - lease // 5:
                yield Violation("fates", story.room, f"the lease of the bot before event {event.entry} ({event.what} "
                                f"of meeting {event.meeting_id}) ran out {age} ms after its dispatch: it lives {lease} "
                                "ms")
            if event.what in (*DISPATCHES, "replaced"):
                sent[event.meeting_id] = at_ms


def _repetitions(history, timeline):
    """By the traces of requests with a key, which are theirs alone."""
    ttl_ms = history.settings["in_flight_ttl"]
    keyed = {}
    for operation in history.operations:
        if operation.key:
            keyed.setdefault(operation.key, []).append(operation)
    for story in timeline.stories.values():
        first = {}
        for event, (earliest_ns, latest_ns) in zip(story.events, story.intervals):
            if event.what not in DISPATCHES or event.trace_id not in keyed:
                continue
            before = first.setdefault(event.trace_id, event)
            if before is not event:
                age = (event.at_ms or event.time_ms) - (before.at_ms or before.time_ms)
                if age < ttl_ms - ROUNDING:
                    yield Violation("fates", story.room, f"one request was done twice, {age} ms apart: events "
                                    f"{before.entry} and {event.entry} (key {event.trace_id})")
                continue
            for operation in keyed[event.trace_id]:
                if operation.outcome == "failed" and latest_ns < operation.sent_ns and (
                        operation.answered_ns < earliest_ns + (ttl_ms - ROUNDING) * patience.MS
                        and not is_out_of_date(history, operation)):
                    yield Violation("fates", story.room, f"{described(operation)} was refused what it had been granted "
                                    f"before: event {event.entry} (key {event.trace_id})")
