"""The events of a history by room and by workspace, and the states that they lead through."""

import dataclasses

from checkers.clock import RedisClock
from checkers.table import DISPATCHES, RUNNING, is_step


@dataclasses.dataclass(frozen=True)
class MeetingState:
    """A meeting's status and bot_status, as "INITIAL/requested", and its bot."""
    pair: str
    bot_id: str = ""

    @property
    def status(self):
        return self.pair.partition("/")[0]

    @property
    def bot_status(self):
        return self.pair.partition("/")[2]

    @property
    def is_running(self):
        return self.pair in RUNNING


@dataclasses.dataclass(frozen=True)
class RoomState:
    """The meetings of a room, and the one whose bot holds it."""
    meetings: dict
    holder: str | None = None

    @property
    def held_by(self):
        """The state of the meeting that holds the room; None if it is free."""
        return self.meetings[self.holder] if self.holder else None

    @property
    def bot_id(self):
        return self.held_by.bot_id if self.holder else None


class Story:
    """What happened in a room of a workspace: its events in Redis' order, and the state before each and after the last.

    An event that is against the table is noted in `breaches` as (event, sentence), and believed all the same.
    """

    def __init__(self, workspace_id, room, events, clock):
        self.workspace_id = workspace_id
        self.room = room
        self.events = events
        self.intervals = [clock.interval(event.time_ms) for event in events]
        self.breaches = []
        self.states = [_first_state(events)]
        self._bots = set()
        for event in events:
            self.states.append(self._after(self.states[-1], event))

    def _after(self, state, event):
        known = state.meetings.get(event.meeting_id, MeetingState("/"))
        for sentence in self._against_the_table(state, known, event):
            self.breaches.append((event, sentence))
        self._bots.add(event.bot_id)
        after = MeetingState(event.to, event.bot_id or known.bot_id)
        holder = state.holder
        if after.is_running:
            holder = event.meeting_id
        elif holder == event.meeting_id:
            holder = None
        return RoomState({**state.meetings, event.meeting_id: after}, holder)

    def _against_the_table(self, state, known, event):
        if known.pair != event.origin:
            yield f"{event.what} says that it comes from {event.origin}, but the meeting was {known.pair}"
        if not is_step(event.what, event.origin, event.to):
            yield f"{event.what} leads from {event.origin} to {event.to}, which the table does not have"
        if event.what in (*DISPATCHES, "replaced"):
            if event.bot_id in self._bots:
                yield f"{event.what} sends bot {event.bot_id}, which was sent before"
        elif event.what != "created" and known.bot_id and event.bot_id != known.bot_id:
            yield f"{event.what} is of bot {event.bot_id}, but the meeting's bot is {known.bot_id}"
        if event.what in DISPATCHES and state.holder:
            yield (f"{event.what} gives the room to bot {event.bot_id} while bot {state.bot_id} of meeting "
                   f"{state.holder} holds it")

    def certainly_before(self, at_ns):
        """How many of the events were over by then, for certain."""
        return _count(self.intervals, lambda interval: interval[1] < at_ns)

    def possibly_by(self, at_ns):
        """How many of the events may have happened by then."""
        return _count(self.intervals, lambda interval: interval[0] <= at_ns)


class Timeline:
    """The stories of all rooms, and the events of each workspace in Redis' order."""

    def __init__(self, history):
        self.clock = RedisClock(history)
        self._places = _places(history)
        rooms, self.workspaces, self.unplaced = {}, {}, []
        for event in sorted(history.events, key=_order):
            place = (event.workspace_id, event.room) if event.room else self._places.get(event.meeting_id)
            if place is None:
                self.unplaced.append(event)
                continue
            rooms.setdefault(place, []).append(event)
            self.workspaces.setdefault(place[0], []).append(event)
        for place in self._places.values():
            rooms.setdefault(place, [])
        for operation in history.operations:
            if operation.room:
                rooms.setdefault((operation.workspace_id, operation.room), [])
        self.stories = {place: Story(*place, events, self.clock) for place, events in sorted(rooms.items())}


def _first_state(events):
    """With the meetings that were there before the first event that tells of them."""
    found = {}
    for event in events:
        if event.meeting_id not in found:
            is_of_new_bot = event.what in ("created", *DISPATCHES, "replaced")
            found[event.meeting_id] = MeetingState(event.origin, "" if is_of_new_bot else event.bot_id)
    there = {meeting: state for meeting, state in found.items() if state.pair != "/"}
    return RoomState(there, next((meeting for meeting, state in there.items() if state.is_running), None))


def _places(history):
    """Where each known meeting is: (workspace_id, room)."""
    found = {}
    for operation in history.operations:
        if operation.meeting_id and operation.room:
            found[operation.meeting_id] = (operation.workspace_id, operation.room)
        if operation.kind == "create_bot" and operation.outcome == "ok":
            found[operation.answer["data"]["meeting_id"]] = (operation.workspace_id, operation.room)
    for meeting in history.meetings:
        found[meeting.reinvite["meeting_id"]] = (meeting.workspace_id, meeting.room)
    return found


def _order(event):
    # An entry's id may stand after the name of its stream.
    milliseconds, _, number = event.entry.rpartition(" ")[2].partition("-")
    return int(milliseconds), int(number or 0)


def _count(intervals, is_so):
    """How many stand before the last of which it is so: a later event of the stream has not happened earlier."""
    count = len(intervals)
    while count and not is_so(intervals[count - 1]):
        count -= 1
    return count
