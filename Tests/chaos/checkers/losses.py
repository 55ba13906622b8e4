"""What failovers were seen to lose of what nothing waited for: no violations, but figures."""

import dataclasses

from checkers import failovers, fates, presence, stops, transcripts
from checkers.timeline import Timeline


@dataclasses.dataclass(frozen=True)
class Losses:
    """Counts, each of what was lost and of how much was acknowledged around failovers at all."""
    failovers: int
    dispatches: int
    of_dispatches: int
    stops: int
    of_stops: int
    segments: int
    of_segments: int
    # Meetings that are there, and that nothing leads to by their number.
    unlocated: int
    # Two bots in a room at once, or one that is two processes: for how long each time, in ms.
    overlaps_ms: list

    def __add__(self, other):
        return Losses(*(getattr(self, field.name) + getattr(other, field.name) for field in dataclasses.fields(self)))


NONE = Losses(0, 0, 0, 0, 0, 0, 0, 0, [])


def measured(history):
    timeline = Timeline(history)
    exposed = [operation for operation in history.operations if operation.outcome == "ok"
               and failovers.is_within(history, operation.sent_ns, operation.answered_ns)]
    written = [segment for segment in history.acknowledged if failovers.is_within(history, segment.at_ns)]
    return Losses(
        len(history.failovers), len(fates.lost(history, timeline)),
        sum(operation.kind in ("reinvite", "create_bot") for operation in exposed),
        len(stops.lost(history, timeline)), sum(operation.kind == "stop" for operation in exposed),
        len(transcripts.lost(history)), len(written), sum(meeting.bots is None for meeting in history.meetings),
        presence.overlaps(history))
