"""A stop is never lost, and is final.

Each 202 of a stop met a bot that was stopping: one that it, or a request before it, has told to leave. Such a bot is
not heard of as anything else any more: the next event of its meeting is its end, as completed, within
`patience.stop_ms` (longer by what faults last); it is not replaced. By its own file it is out of the room soon after
the stop, faults or not, since its supervisor ends it with its lease: `patience.stop_in_room_ms`. A bot that was
frozen together with its supervisor may write one line more (see `checkers.presence`).
"""

import math

from checkers import patience, presence
from checkers.failovers import may_be_lost
from checkers.requests import described
from checkers.timeline import Timeline
from history import Violation


def check(history):
    return list(_violations(history))


def _violations(history):
    timeline = Timeline(history)
    stays = {stay.bot_id: stay for stay in history.stays}
    for story in timeline.stories.values():
        yield from _acknowledged(history, story)
        for index, event in enumerate(story.events):
            if event.what == "stopping":
                for sentence in _about(history, story, index, stays.get(event.bot_id)):
                    yield Violation("stops", story.room, f"bot {event.bot_id} was told to stop (event {event.entry}), "
                                    f"but {sentence}")


def lost(history, timeline):
    """The acknowledged stops that nothing tells of, where that is no violation."""
    return [operation for story in timeline.stories.values() for operation in _without_effect(history, story)
            if may_be_lost(history, operation.since_ns, operation.answered_ns)]


def _acknowledged(history, story):
    for operation in _without_effect(history, story):
        if not may_be_lost(history, operation.since_ns, operation.answered_ns):
            yield Violation("stops", story.room, f"{described(operation)} was lost: no bot was stopping meanwhile")


def _without_effect(history, story):
    for operation in history.operations:
        if operation.kind != "stop" or operation.outcome != "ok" or (
                operation.workspace_id, operation.room) != (story.workspace_id, story.room):
            continue
        states = story.states[story.certainly_before(operation.since_ns):story.possibly_by(operation.answered_ns) + 1]
        if not any(state.holder and state.held_by.status == "STOPPING" for state in states):
            yield operation


def _about(history, story, index, stay):
    stopped, told_by = story.events[index], story.intervals[index][1]
    later = [(event, interval) for event, interval in zip(story.events[index + 1:], story.intervals[index + 1:])
             if event.meeting_id == stopped.meeting_id]
    next_event, interval = next(
        ((event, interval) for event, interval in later if event.what != "stopping"), (None, None))
    if told_by == math.inf:
        # Without a clock only the order counts.
        deadline = math.inf
    else:
        deadline = patience.deadline_ns(history, told_by, patience.stop_ms(history.settings))
    if next_event is None:
        if history.looked_ns is not None and deadline <= history.looked_ns:
            yield "its end never came"
    elif next_event.what != "completed" or next_event.bot_id != stopped.bot_id:
        yield f"{next_event.what} came next (event {next_event.entry}, bot {next_event.bot_id}, to {next_event.to})"
    elif interval[0] > deadline:
        yield f"its end came {(interval[0] - told_by) / 1e9:.1f} s later"
    if stay is not None and told_by < math.inf:
        allowed = told_by + (patience.stop_in_room_ms(history.settings) + patience.SLACK) * patience.MS
        writes = presence.writes_since(stay, allowed)
        if writes and not presence.is_frozen_write(history, stay, allowed):
            yield f"it was still in the room {(writes[-1] - told_by) / 1e9:.1f} s later"
