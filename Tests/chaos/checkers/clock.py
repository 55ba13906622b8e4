"""Redis' clock, which the events tell, on the clock of everything else."""

import bisect
import datetime
import math

# How well one instant is known on both clocks: a reading of the two, and how the wall clock is slewed in between.
READING_NS = 5_000_000
MS = 1_000_000


class RedisClock:
    """From milliseconds of Redis' TIME, the wall clock, to an interval of CLOCK_BOOTTIME nanoseconds.

    By the readings of both clocks that the history has. Without them, by the accepted re-invitations: each was
    dispatched (`dispatched_at`, Redis' clock) between its sending and its answer. Without those, nothing is known but
    order.
    """

    def __init__(self, history):
        self._readings = sorted((boot, wall - boot) for boot, wall in history.clock)
        self._walls = [boot + offset for boot, offset in self._readings]
        self._bounds = None if self._readings else _bounds_by_answers(history.operations)

    def interval(self, time_ms):
        """The earliest and the latest boot time, in ns, of what Redis' clock gives in whole milliseconds."""
        wall = time_ms * MS
        if self._readings:
            place = bisect.bisect(self._walls, wall)
            near = [offset for _, offset in self._readings[max(0, place - 1):place + 1]]
            return wall - max(near) - READING_NS, wall + MS - min(near) + READING_NS
        if self._bounds is None:
            return -math.inf, math.inf
        low, high = self._bounds
        return wall - high - READING_NS, wall + MS - low + READING_NS


def milliseconds(text):
    """A time of either API as milliseconds since 1970."""
    moment = datetime.datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=datetime.timezone.utc)
    return round(moment.timestamp() * 1000)


def _bounds_by_answers(operations):
    """The least and the greatest difference of the two clocks that agrees with every answer; None if none tells."""
    lows, highs = [], []
    for operation in operations:
        if operation.kind == "reinvite" and operation.outcome == "ok":
            at = milliseconds(operation.answer["dispatched_at"]) * MS
            lows.append(at - operation.answered_ns)
            highs.append(at + MS - operation.sent_ns)
    if not lows:
        return None
    # They cross if the wall clock was set meanwhile.
    return min(max(lows), min(highs)), max(max(lows), min(highs))
