"""The answers are such as the documents' tables allow: a linearizability check of each room.

The specification of a room is the table of changes in docs/architecture.md, "A meeting's state", and, for each state, the
answers that the two API documents give in it. The bots' own changes (joined, ended, replaced, ...) are not guessed: the event stream tells
every change in the order in which Redis applied it, so the chain of states is known, and what is searched for is a
place in this chain for each request (`checkers.linearizability`). A request that changed something must be the cause
of an event: an accepted one of the very event that its answer names, one of unknown outcome of any later one that it
could have caused, or of none. So a change that nobody asked for is found as well as an answer that fits no state.

Why no alarm is false: a request stands between its sending and its answer, an event where Redis' clock puts it,
brought to the boot clock with a tolerance (`checkers.clock`), and both may be anywhere in there. What was accepted with
an idempotency key may have been done since the first request with it. Answers that rest on
more than one look at Redis are held to less: 12110 needs two states that differ, and a bot may be missing from the
list of those that run if it was replaced in between. What is left out: reads of unknown outcome; everything that
overlaps a fault in which a replica answers, which may be behind, or a failover (`checkers.failovers`); 429, which is of
the whole workspace (`checkers.limits`). In rooms where an unknown create_bot may have made a meeting that the history
cannot place, nothing is checked: `unchecked` tells.

The lock is of the workspace: 12108 needs another re-invitation that was under way, or one of unknown outcome that may
have died with the lock less than its time to live ago. And nothing is dispatched while the lock is another request's,
as far as that is seen from outside: when a fault holds a node's dispatch script back, behind the lock that it has
taken.
"""

import math

from checkers import fates, linearizability, patience, stops
from checkers.failovers import is_out_of_date, may_lack_locators
from checkers import planned
from checkers.requests import described, may_have_caused, without_repetitions
from checkers.table import DISPATCHES, ON_ITS_WAY
from checkers.timeline import Timeline
from history import HeldLock, Violation

# What each request may be answered, (status, code): the documents' tables, and what any request may meet.
ANSWERS = {
    "reinvite": {(202, None), (503, 12108), (500, 12109), *((409, code) for code in (
        12103, 12104, 12105, 12106, 12107, 12110))},
    "create_bot": {(201, None), (409, None), (429, None)},
    "stop": {(202, None), (404, None)},
    "configure": {(200, None), (202, None), (404, None)},
    "get_meeting": {(200, None)},
    "bots_status": {(200, None)},
}
# Too slow a client; what is broken or cannot be reached.
ANY_TIME = {408, 500, 502, 503, 504}
# What is said when Redis is full: to those who want something new.
NO_ROOM = "no room for new records"
WANT_ROOM = ("reinvite", "create_bot")
# Faults that hold a command back before Redis has it; the detail names its script.
HOLDS = ("hold", "redis-hold", "redis-hold-within-pipeline")
# After so many violations a room is left alone.
MAXIMUM_BLAMES = 10


def check(history):
    return [*_against_the_tables(history), *_locks(history), *_ignored_locks(history), *_examine(history)[0]]


def unchecked(history):
    """The rooms about which nothing can be said, as sentences: neither right nor wrong."""
    return _examine(history)[1]


def _against_the_tables(history):
    lacks_locators = may_lack_locators(history)
    gone = {operation.meeting_id for operation in fates.lost(history, Timeline(history))
            if operation.kind == "create_bot"}
    for operation in history.operations:
        if operation.kind not in WANT_ROOM and NO_ROOM in str(operation.answer):
            yield Violation("answers", operation.room or operation.workspace_id,
                            f"{described(operation)} needs no room in Redis: {operation.answer}")
        if operation.status is None or operation.status in ANY_TIME:
            continue
        # A meeting that was made, and that a failover has lost, or what leads to it.
        if operation.status == 404 and operation.meeting_id and (operation.meeting_id in gone or lacks_locators):
            continue
        code = operation.code if operation.kind == "reinvite" else None
        if operation.outcome == "ok":
            code = None
        if (operation.status, code) not in ANSWERS[operation.kind] and not is_out_of_date(history, operation):
            yield Violation("answers", operation.room or operation.workspace_id,
                            f"{described(operation)} is not in the table: {operation.answer}")


def _locks(history):
    reinvitations = [operation for operation in history.operations if operation.kind == "reinvite"]
    for refused in reinvitations:
        if refused.code == 12108 and not is_out_of_date(history, refused) and not any(
                _may_hold_the_lock(history, other, refused) for other in reinvitations if other is not refused):
            yield Violation("answers", refused.room,
                            f"{described(refused)}: no other re-invitation can have held the workspace's lock")


def _may_hold_the_lock(history, other, refused):
    return other.sent_ns <= refused.answered_ns and _may_hold_from(
        history, other, refused.workspace_id, refused.sent_ns)


def _may_hold_from(history, other, workspace_id, from_ns):
    """Whether a re-invitation may have the lock of a workspace then or later."""
    if other.workspace_id != workspace_id:
        return False
    if other.outcome != "unknown":
        return other.answered_ns >= from_ns
    return patience.settled_ns(history, other) + history.settings["lock_ttl"] * patience.MS >= from_ns


def _ignored_locks(history):
    reinvitations = [operation for operation in history.operations if operation.kind == "reinvite"]
    for lock in [*history.locks, *_locks_behind_scripts(history, reinvitations)]:
        for other in reinvitations:
            if other.workspace_id == lock.workspace_id and other.outcome == "ok" and (
                    lock.from_ns <= other.since_ns and other.answered_ns <= lock.to_ns):
                yield Violation("answers", other.room,
                                f"{described(other)} was accepted while another request held the workspace's lock")


def _locks_behind_scripts(history, reinvitations):
    """The locks of requests whose scripts a fault held back."""
    for fault in history.faults:
        holder = _holder_of_the_lock(history, fault, reinvitations)
        if holder is not None:
            ends_ns = holder.sent_ns + history.settings["lock_ttl"] * patience.MS
            yield HeldLock(holder.workspace_id, _struck_ns(fault), min(fault.healed_ns or ends_ns, ends_ns))


def _struck_ns(fault):
    """A fault that waits for its moment is injected before it."""
    return fault.struck_ns or fault.injected_ns


def _holder_of_the_lock(history, fault, reinvitations):
    """The request that has the lock while its script is held back: the only one that it can be; None without one."""
    if fault.name not in HOLDS or fault.detail != "dispatch":
        return None
    struck_ns = _struck_ns(fault)
    under_way = [operation for operation in reinvitations
                 if operation.node == fault.target and operation.sent_ns <= struck_ns and (
                     operation.answered_ns is None or operation.answered_ns >= (fault.healed_ns or math.inf))]
    if len(under_way) != 1:
        return None
    [holder] = under_way
    # What strikes Redis may have kept it from the lock, and so may another that has it.
    is_struck = any(other is not fault and other.injected_ns <= struck_ns
                    and (other.healed_ns is None or other.healed_ns >= holder.sent_ns) for other in history.faults)
    is_contended = any(other is not holder and other.sent_ns <= struck_ns
                       and _may_hold_from(history, other, holder.workspace_id, holder.sent_ns)
                       for other in reinvitations)
    return None if is_struck or is_contended else holder


def _examine(history):
    timeline = Timeline(history)
    violations, given_up = [], []
    # What a failover has lost has no place in what is left.
    gone = {operation.number for operation in [*fates.lost(history, timeline), *stops.lost(history, timeline)]}
    for story in timeline.stories.values():
        operations = [operation for operation in _operations_of(history, story) if operation.number not in gone]
        lost = [operation for operation in operations
                if operation.kind == "create_bot" and operation.outcome == "unknown"]
        if timeline.unplaced and lost:
            given_up.append(f"{story.room}: {len(timeline.unplaced)} events are of meetings that nobody can place")
            continue
        room = _Room(history, story, operations)
        violations += [Violation("answers", story.room, f"{sentence} (event {event.entry})")
                       for event, sentence in story.breaches]
        violations += room.violations()
        given_up += room.given_up
    return violations, given_up


def _operations_of(history, story):
    return without_repetitions([
        operation for operation in history.operations
        if operation.workspace_id == story.workspace_id and operation.room in (story.room, "")])


class _Room:
    """The search in one room."""

    def __init__(self, history, story, operations):
        self.story = story
        self.given_up = []
        self._operations = {operation.number: operation for operation in operations
                            if not is_out_of_date(history, operation) or operation.outcome != "failed"}
        self._out_of_date = {number for number, operation in self._operations.items()
                               if is_out_of_date(history, operation)}

    def violations(self):
        found, excused = [], set()
        requests = self._requests()
        steps = [self._step(index, requests) for index in range(len(self.story.events))]
        for _ in range(MAXIMUM_BLAMES):
            outcome = linearizability.search(steps, [r for r in requests if r.number not in excused])
            if outcome.verdict == "gave up":
                self.given_up.append(f"{self.story.room}: too many orders to try")
            if outcome.verdict != "stuck":
                break
            if outcome.request is not None:
                excused.add(outcome.request.number)
                steps = [self._without(step, outcome.request.number) for step in steps]
                found.append(self._blame_request(outcome.request))
            else:
                step = steps[outcome.step]
                found.append(self._blame_step(outcome.step, step))
                steps[outcome.step] = linearizability.Step(-math.inf, math.inf)
        return found

    def _without(self, step, number):
        """The event of a request that has no place is one that needs no request any more."""
        if step.causes is None or number not in step.causes:
            return step
        causes = [cause for cause in step.causes if cause != number]
        return linearizability.Step(step.call, step.end, causes or None)

    def _blame_request(self, request):
        operation = self._operations[request.number]
        story = self.story
        states = [self._described(index, operation.meeting_id) for index in range(
            story.certainly_before(operation.sent_ns), story.possibly_by(operation.answered_ns) + 1)]
        return Violation("answers", story.room,
                         f"{described(operation)} fits no state of the room meanwhile: {', then '.join(states)}")

    def _blame_step(self, index, step):
        event = self.story.events[index]
        why = "no request can have caused it" if step.causes is not None else "it does not fit the order"
        return Violation("answers", self.story.room,
                         f"event {event.entry} ({event.what} of meeting {event.meeting_id}, bot {event.bot_id}): {why}")

    def _described(self, index, meeting_id):
        state = self.story.states[index]
        room = f"held by {state.holder} {state.held_by.pair}" if state.holder else "free"
        meeting = state.meetings.get(meeting_id)
        return room + (f", the meeting {meeting.pair}" if meeting and meeting_id != state.holder else "")

    # What the search is given.

    def _step(self, index, requests):
        call, end = self.story.intervals[index]
        event = self.story.events[index]
        # What was planned is sent without a request.
        if event.what not in (*DISPATCHES, "stopping") or event.why == planned.WHY:
            return linearizability.Step(call, end)
        return linearizability.Step(call, end, [
            request.number for request in requests
            if request.call <= end and call <= request.end
            and may_have_caused(self._operations[request.number], event)])

    def _requests(self):
        return [request for operation in self._operations.values() for request in self._request(operation)]

    def _request(self, operation):
        """None for what needs no place: unknown reads, and what is checked elsewhere."""
        call, end = operation.sent_ns, operation.answered_ns
        writes = operation.kind in ("reinvite", "create_bot", "stop")
        if operation.outcome == "unknown":
            if writes:
                kind = f"{operation.kind} {operation.meeting_id} {bool(operation.arguments.get('force_restart'))}"
                yield linearizability.Request(
                    operation.number, call, math.inf, _never, must=False, kind=kind)
            return
        if operation.outcome == "ok" and writes:
            call = operation.since_ns
            fits = self._was_stopping if operation.kind == "stop" else _never
            yield linearizability.Request(operation.number, call, end, fits)
        elif (fits := self._fits(operation)) and operation.number not in self._out_of_date:
            yield linearizability.Request(operation.number, call, end, fits)

    def _was_stopping(self, index):
        held = self.story.states[index].held_by
        return held is not None and held.status == "STOPPING"

    def _fits(self, operation):
        """Whether an answer that changed nothing fits the state after so many events; None if it is not checked."""
        states, room = self.story.states, self.story.room
        first = self.story.certainly_before(operation.sent_ns)
        window = lambda index: states[min(first, index):index + 1]
        key = (operation.kind, operation.status)
        if key == ("stop", 404):
            return lambda index: states[index].holder is None
        if key == ("create_bot", 409):
            return lambda index: states[index].holder is not None
        if operation.kind == "configure" and operation.status in (200, 202):
            return lambda index: _is_active(states[index])
        if key == ("configure", 404):
            return lambda index: not _is_active(states[index])
        if key == ("get_meeting", 200):
            return lambda index: _shows(operation.answer, states[index].meetings.get(operation.meeting_id))
        if key == ("bots_status", 200):
            shown = [bot for bot in operation.answer["running_bots"]
                     if f"{bot['platform']}:{bot['native_meeting_id']}" == room]
            return lambda index: _lists(shown, window(index))
        if operation.kind == "reinvite" and operation.status == 409:
            force = bool(operation.arguments.get("force_restart"))
            return lambda index: _refuses(operation.code, force, operation.meeting_id, window(index))
        return None


def _never(index):
    return False


def _is_active(state):
    return state.holder is not None and state.held_by.bot_status == "active"


def _shows(answer, meeting):
    """Whether a meeting object, of either API, shows this state."""
    if meeting is None:
        return False
    if "bot_status" in answer:
        return (answer["status"], answer["bot_status"] or "") == (meeting.status, meeting.bot_status) and (
            "bot_id" not in answer or (answer["bot_id"] or "") == meeting.bot_id or not meeting.bot_id)
    return answer["status"] == (meeting.bot_status or "requested")


def _lists(shown, window):
    """Whether the list of running bots shows this of a room, given the states until now."""
    last = window[-1]
    if not shown:
        # Not if one bot was running all the time; one that came later was not looked for.
        return last.holder is None or any(state.bot_id != last.bot_id for state in window)
    return all(last.holder == bot["data"]["meeting_id"] and last.held_by.bot_status == bot["status"]
               and bot["labels"]["bot_id"] == last.bot_id for bot in shown)


def _refuses(code, force, meeting_id, window):
    """Whether the table "Behavior by meeting status" refuses a re-invitation so, given the states until now.

    The room may be held by another meeting of the workspace: then it is that one's status that counts.
    """
    state = window[-1]
    own = state.meetings.get(meeting_id)
    status = own.status if own else None
    held = state.held_by
    if code == 12103:
        was_on_its_way = any(past.held_by and past.held_by.pair in ON_ITS_WAY for past in window)
        return status == "LIVE" and not force or (
            held is not None and held.status == "LIVE" and (state.holder != meeting_id or was_on_its_way))
    if code == 12104:
        return force and status == "LIVE"
    if code == 12105:
        return status in ("STOPPING", "ANALYZING") or held is not None and held.status == "STOPPING"
    if code == 12106:
        return not force and status == "OFFLINE"
    if code == 12107:
        # Or twice a bot that had just left was still there a moment before.
        ends = sum(before.holder is not None and before.bot_id != after.bot_id
                   for before, after in zip(window, window[1:]))
        return held is not None and held.pair in ON_ITS_WAY or ends >= 2
    if code == 12110:
        seen = {past.meetings[meeting_id].status for past in window[:-1] if meeting_id in past.meetings}
        return any(before != status for before in seen & {"INITIAL", "OFFLINE"})
    return True
