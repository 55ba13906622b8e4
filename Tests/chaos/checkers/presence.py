"""Never two bots in a room at the same time, by the bots' own files.

A stay lasts from a bot's first line to its last. Two stays in a room must not overlap, no bot may be in two rooms,
and no bot may be two processes. Nor may a bot write more than one line after its record had ended in Redis: from then
on the room may be given to another one.

The one window that leases cannot close: a supervisor and its bot are both frozen, the lease runs out, the room is
given out again, and both are thawed. For those in the meeting the frozen bot sits there all the while, but it cannot
act; and on resuming the supervisor ends it before anything else. So what the two stays share is no violation if the
bot was frozen together with its supervisor by a fault, its file is silent through that time, and it wrote one line at
most after its right had ended, besides the one that says that it left. `windows` returns these apart. Without such a
fault every overlap is a violation, but for a short one after a failover, if nothing waited (`checkers.failovers`).
"""

import dataclasses
import math

from checkers import failovers
from checkers.timeline import Timeline
from history import Violation

# Four of a bot's lines: a bot that is silent for less was not kept from anything.
SILENCE_NS = 200_000_000
# How soon a bot that was frozen in the lobby writes its first line after its thaw, before its supervisor ends it.
THAW_NS = 1_000_000_000
FREEZING_BOT = ("bot-pause", "bot-and-supervisor-pause", "runner-and-bots-pause")
FREEZING_SUPERVISOR = ("supervisor-pause", "bot-and-supervisor-pause", "runner-and-bots-pause")


@dataclasses.dataclass(frozen=True)
class Window:
    """A bot, frozen with its supervisor, was in a room that was another's already."""
    room: str
    bot_id: str
    # From when on the room was another's, and the frozen bot's last line or its thaw.
    from_ns: int
    to_ns: int
    # The lines that it wrote in that time: one at most.
    writes: int

    @property
    def milliseconds(self):
        return (self.to_ns - self.from_ns) / 1e6


def check(history):
    return _examine(history)[0]


def windows(history):
    return _examine(history)[1]


def overlaps(history):
    """For how long, in ms, two bots were in a room, or one that was two processes, each time that a failover had lost
    what nothing waited for."""
    return _examine(history)[2]


def writes_since(stay, at_ns):
    return [line for line in _lines(stay) if line >= at_ns]


def acts_since(stay, at_ns):
    """What it wrote since then as one who is in the room: to say that it left is none."""
    writes = writes_since(stay, at_ns)
    return writes[:-1] if stay.left else writes


def is_frozen_write(history, stay, since_ns):
    """Whether what a bot wrote since then is the one line of a bot that was frozen together with its supervisor."""
    writes = writes_since(stay, since_ns)
    if len(acts_since(stay, since_ns)) > 1:
        return False
    before = [line for line in _lines(stay) if line < since_ns]
    for begin, end in _freezes(history, stay):
        if not before or not writes:
            if begin < since_ns and (not writes or writes[0] <= end + THAW_NS):
                return True
            continue
        silence = writes[0] - before[-1]
        shared = min(end, writes[0]) - max(begin, before[-1])
        if silence >= SILENCE_NS and 2 * shared >= silence:
            return True
    return False


def _examine(history):
    violations, found, shared = [], [], []
    violations += _identities(history)
    rooms = {}
    for stay in sorted(history.stays, key=lambda stay: stay.first_ns):
        rooms.setdefault(stay.room, []).append(stay)
    for room, stays in rooms.items():
        for index, earlier in enumerate(stays):
            for later in stays[index + 1:]:
                if _is_after_failover(history, earlier, later):
                    shared.append(_shared_ms(earlier, later))
                elif later.bot_id != earlier.bot_id:
                    _compare(history, earlier, later, violations, found)
    violations += _after_the_end(history)
    return violations, found, shared


def _shared_ms(earlier, later):
    return (min(earlier.last_ns, later.last_ns) - later.first_ns) / 1e6


def _is_after_failover(history, earlier, later):
    """Whether two were there at once, for no longer than may be after a failover."""
    return (0 < _shared_ms(earlier, later) <= failovers.overlap_ms(history)
            and failovers.may_be_lost(history, later.first_ns))


def _identities(history):
    first = {}
    for stay in history.stays:
        other = first.setdefault(stay.bot_id, stay)
        if other.room != stay.room:
            yield Violation("presence", stay.bot_id, f"the bot was in {other.room} and in {stay.room}")
        if other.pid != stay.pid and not failovers.may_be_lost(history, stay.first_ns):
            yield Violation("presence", stay.bot_id, f"the bot was two processes, {other.pid} and {stay.pid}")


def _compare(history, earlier, later, violations, found):
    if later.first_ns > earlier.last_ns:
        # It may still have sat there, frozen.
        for begin, end in _freezes(history, earlier):
            last = _lines(earlier)[-1]
            if not earlier.left and begin - SILENCE_NS <= last <= begin + SILENCE_NS and later.first_ns < end:
                found.append(Window(earlier.room, earlier.bot_id, later.first_ns, min(end, later.last_ns), 0))
                return
        return
    if is_frozen_write(history, earlier, later.first_ns):
        writes = len(acts_since(earlier, later.first_ns))
        found.append(Window(earlier.room, earlier.bot_id, later.first_ns, earlier.last_ns, writes))
    elif is_frozen_write(history, later, later.first_ns):
        found.append(Window(later.room, later.bot_id, later.first_ns, later.last_ns, len(acts_since(later, 0))))
    else:
        violations.append(Violation(
            "presence", later.room, f"bot {later.bot_id} entered while bot {earlier.bot_id} was there, and they shared "
            f"the room for {_shared_ms(earlier, later):.0f} ms; {earlier.bot_id} wrote "
            f"{len(writes_since(earlier, later.first_ns))} lines in it"))


def _after_the_end(history):
    timeline = Timeline(history)
    ends = {}
    for story in timeline.stories.values():
        for before, event, interval in zip(story.states, story.events, story.intervals):
            state = before.meetings.get(event.meeting_id)
            if event.what in ("completed", "failed", "replaced") and state is not None and interval[1] < math.inf:
                ends.setdefault(state.bot_id, (interval[1], event))
    for stay in history.stays:
        if stay.bot_id not in ends:
            continue
        since, event = ends[stay.bot_id]
        writes = writes_since(stay, since)
        if writes and failovers.may_be_lost(history, since) and (
                writes[-1] - since <= failovers.overlap_ms(history) * 1_000_000):
            continue
        if len(writes) > 1 and not is_frozen_write(history, stay, since):
            yield Violation(
                "presence", stay.bot_id, f"the bot wrote {len(writes)} lines in {stay.room} after its record had ended "
                f"({event.what}, {event.why}), the last {(writes[-1] - since) / 1e6:.0f} ms later")


def _lines(stay):
    return stay.lines_ns or [stay.first_ns, stay.last_ns]


def _freezes(history, stay):
    """The times in which faults had frozen the bot and its supervisor, as far as can be told."""
    of_bot = _intervals(history, stay, FREEZING_BOT)
    of_supervisor = _intervals(history, stay, FREEZING_SUPERVISOR)
    for begin, end in of_bot:
        for other_begin, other_end in of_supervisor:
            both = max(begin, other_begin), min(end, other_end)
            if both[0] < both[1]:
                yield both


def _intervals(history, stay, names):
    bots = {other.bot_id for other in history.stays}
    return [(fault.injected_ns, math.inf if fault.healed_ns is None else fault.healed_ns) for fault in history.faults
            if fault.name in names and (fault.target == stay.bot_id or fault.target not in bots)]
