"""Who is told of changes is told of each one, and of nothing else.

Of a workspace that has a webhook from before its first meeting on, and of all where the operator has an endpoint: each
change of a meeting's status, as the event stream has it, was told at least once, always with one id; the sequences of a
meeting have no hole, and follow the order of its changes; nothing was told that is no change. Where no fault struck,
nothing was told twice.

A failover may lose what the event stream had, after it was told: see `checkers.failovers`.
"""

import collections

from checkers import failovers
from history import Violation

# One change is several events, of which each has one of these.
FIRST = ("meeting.status_change", "transcription.ready", "meeting.scheduled", "meeting.missed")


def check(history):
    return list(_violations(history))


def _violations(history):
    if failovers.windows(history):
        return
    yield from _of(history, history.listeners, history.told, "")
    if history.operators_told is not None:
        # Of a meeting that is gone nothing is known.
        known = {meeting.reinvite["number"] for meeting in history.meetings}
        yield from _of(history, {meeting.workspace_id for meeting in history.meetings},
                       [one for one in history.operators_told if one.meeting in known], ", to the operator")


def _of(history, workspaces, all_told, whom):
    if not workspaces:
        return
    numbers = {meeting.reinvite["meeting_id"]: meeting.reinvite["number"] for meeting in history.meetings
               if meeting.workspace_id in workspaces}
    changes = collections.defaultdict(list)
    for event in history.events:
        # The making of a record changes no status, and what keeps a planned bot from being sent does not either.
        if event.meeting_id in numbers and event.what not in ("created", "not_sent"):
            changes[numbers[event.meeting_id]].append(event)
    told = collections.defaultdict(list)
    for one in all_told:
        told[one.meeting].append(one)
    for meeting in sorted(set(changes) | set(told)):
        for sentence in _about(history, changes[meeting], told[meeting]):
            yield Violation("webhooks", f"meeting {meeting}{whom}", sentence)


def _about(history, changes, told):
    """Of one meeting."""
    by_sequence = collections.defaultdict(list)
    for one in told:
        if one.kind in FIRST:
            by_sequence[one.sequence].append(one)
    for sequence, event in enumerate(changes, 1):
        found = by_sequence.pop(sequence, [])
        if not found:
            yield f"nobody was told of change {sequence}, {event.what} (event {event.entry})"
        elif len({one.event_id for one in found}) > 1:
            yield f"change {sequence} was told with several ids: {sorted({one.event_id for one in found})}"
        elif any(one.to not in (None, event.to.partition("/")[2]) for one in found):
            yield f"change {sequence} was told as one to {found[0].to}, and was {event.what} (event {event.entry})"
        elif len(found) > 1 and not history.faults:
            yield f"change {sequence} was told {len(found)} times, though no fault struck"
    for sequence in sorted(by_sequence):
        yield f"change {sequence} was told, and never was"
