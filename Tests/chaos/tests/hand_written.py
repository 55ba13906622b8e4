"""Histories written by hand: a room's requests and events, with all times in milliseconds.

Redis' clock is ahead of the boot clock by `WALL_MS`, as a wall clock is.
"""

from history import Event, Failover, FaultRecord, FinalMeeting, History, Operation, Stay

MS = 1_000_000
WALL_MS = 1_700_000_000_000
SETTINGS = {"lease_ttl": 1500, "lock_ttl": 600, "in_flight_ttl": 4000, "stop_grace": 2500, "max_attempts": 3,
            "request_timeout": 2000, "redis_timeout": 500}
WORKSPACE, CODE, ROOM, MEETING = "workspace", "abc-defg-hij", "google_meet:abc-defg-hij", "meeting"
LINE_MS = 50


def timestamp(at_ms):
    """As `dispatched_at` has it. The wall clock of WALL_MS is 2023-11-14T22:13:20."""
    seconds, rest = divmod(at_ms, 1000)
    return f"2023-11-14T22:{13 + (20 + seconds) // 60:02}:{(20 + seconds) % 60:02}.{rest:03}"


class Written:
    """A history that grows by calls; each returns what it has added."""

    def __init__(self, limit=None, looked_ms=100_000, quiet_ms=90_000, **settings):
        self.history = History(
            seed=1, settings={**SETTINGS, **settings}, quiet_ns=quiet_ms * MS, looked_ns=looked_ms * MS,
            clock=[(0, WALL_MS * MS), (1_000_000 * MS, (WALL_MS + 1_000_000) * MS)])
        if limit is not None:
            self.history.limits[WORKSPACE] = limit
        self._pairs = {}
        self._bots = {}

    # Requests.

    def request(self, kind, sent_ms, answered_ms=None, status=None, code=None, answer=None, meeting_id=None, room=ROOM,
                **arguments):
        operation = Operation(
            len(self.history.operations) + 1, "client", kind, WORKSPACE, "" if kind == "bots_status" else room,
            meeting_id, "node", sent_ms * MS, arguments, None if answered_ms is None else answered_ms * MS, status,
            code, answer)
        self.history.operations.append(operation)
        return operation

    def reinvite(self, sent_ms, answered_ms=None, code=None, at_ms=None, action="dispatched", meeting_id=MEETING,
                 room=ROOM, key=None, asked_ms=None, **arguments):
        """Accepted if it has `at_ms`, refused if it has a code, without an answer if it has neither. `asked_ms`: when the
        first one with its key was sent, if that was another."""
        operation = self._reinvite(sent_ms, answered_ms, code, at_ms, action, meeting_id, room, arguments)
        operation.key, operation.asked_ns = key, None if asked_ms is None else asked_ms * MS
        return operation

    def _reinvite(self, sent_ms, answered_ms, code, at_ms, action, meeting_id, room, arguments):
        if at_ms is not None:
            answer = {"meeting_id": meeting_id, "status": "INITIAL", "action": action,
                      "dispatched_at": timestamp(at_ms)}
            return self.request("reinvite", sent_ms, answered_ms, 202, None, answer, meeting_id, room, **arguments)
        status = {None: None, 12108: 503, 12109: 500}.get(code, 409)
        return self.request("reinvite", sent_ms, answered_ms, status, code, None, meeting_id, room, **arguments)

    def create_bot(self, sent_ms, answered_ms=None, status=None, meeting_id=None, room=ROOM):
        answer = {"id": 1, "status": "requested", "data": {"meeting_id": meeting_id}} if status == 201 else None
        return self.request("create_bot", sent_ms, answered_ms, status, None, answer, meeting_id, room)

    def stop(self, sent_ms, answered_ms=None, status=None):
        return self.request("stop", sent_ms, answered_ms, status)

    def get_meeting(self, sent_ms, answered_ms, pair, bot_id=None, meeting_id=MEETING):
        answer = meeting_object(pair, bot_id, meeting_id)
        return self.request("get_meeting", sent_ms, answered_ms, 200, None, answer, meeting_id)

    def bots_status(self, sent_ms, answered_ms, *bots):
        """`bots`: (bot_id, bot_status) of the meeting in the room."""
        return self.request("bots_status", sent_ms, answered_ms, 200, None, {"running_bots": [
            {"platform": "google_meet", "native_meeting_id": CODE, "status": status, "labels": {"bot_id": bot_id},
             "data": {"meeting_id": MEETING}} for bot_id, status in bots]})

    # Events.

    def event(
            self, at_ms, what, to, bot_id="", why="bot", meeting_id=MEETING, room=ROOM, origin=None, trace_id=""):
        """It comes from where the meeting's last one led, unless told otherwise, and is of its bot."""
        origin = origin or self._pairs.get(meeting_id, "/")
        bot_id = bot_id or self._bots.get(meeting_id, "")
        self._pairs[meeting_id], self._bots[meeting_id] = to, bot_id
        event = Event(
            f"{WALL_MS + at_ms}-{len(self.history.events)}", WALL_MS + at_ms, what, meeting_id, bot_id, origin, to, why,
            WALL_MS + at_ms, WORKSPACE, room, trace_id)
        self.history.events.append(event)
        return event

    def created(self, at_ms, **options):
        return self.event(at_ms, "created", "INITIAL/", **options)

    def dispatched(self, at_ms, bot_id, what="dispatched", **options):
        return self.event(at_ms, what, "INITIAL/requested", bot_id, **options)

    def joined(self, at_ms, **options):
        """Three events, the last of which at this time."""
        self.event(at_ms - 2, "joining", "INITIAL/joining", **options)
        self.event(at_ms - 1, "awaiting_admission", "INITIAL/awaiting_admission", **options)
        return self.event(at_ms, "active", "LIVE/active", **options)

    def completed(self, at_ms, **options):
        """It was in the room, and its record is finalised."""
        self.event(at_ms, "completed", "ANALYZING/completed", why="left_alone", **options)
        return self.event(at_ms + 1, "finalised", "OFFLINE/completed", **options)

    def failed(self, at_ms, why="join_failure", to="INITIAL/failed", **options):
        return self.event(at_ms, "failed", to, why=why, **options)

    def stopping(self, at_ms, **options):
        return self.event(at_ms, "stopping", "STOPPING/stopping", why="user 1", **options)

    def a_session(self, at_ms, bot_id, until_ms):
        """A re-invitation, the bot's life in the room, and its end."""
        self.reinvite(at_ms - 10, at_ms + 10, at_ms=at_ms)
        self.dispatched(at_ms, bot_id)
        self.joined(at_ms + 100)
        self.completed(until_ms)

    # The rest.

    def stay(self, bot_id, first_ms, last_ms, left=True, room=ROOM, pid=1, silent=()):
        """A line every 50 ms, but for the times (from, to) in which it was silent."""
        lines = [at for at in range(first_ms, last_ms + 1, LINE_MS)
                 if not any(begin < at < end for begin, end in silent)]
        if lines[-1] != last_ms:
            lines.append(last_ms)
        stay = Stay(room, bot_id, pid, first_ms * MS, last_ms * MS, left, [at * MS for at in lines])
        self.history.stays.append(stay)
        return stay

    def fault(self, name, from_ms, to_ms, target="node1", detail=""):
        self.history.faults.append(FaultRecord(
            name, target, from_ms * MS, None if to_ms is None else to_ms * MS, detail))

    def failover(self, replica_ms, primary_ms, server="redis-1"):
        self.history.failovers.append(Failover(server, replica_ms * MS, primary_ms * MS))

    def final(self, pair, bot_status=None, bot_id=None, meeting_id=MEETING, segments=None, bot_name="Usher"):
        """The meeting at the end; `bot_status` is what the Bots API shows, if it is not the pair's."""
        bots = {"status": bot_status or pair.partition("/")[2] or "requested", "data": {"bot_name": bot_name}}
        self.history.meetings.append(FinalMeeting(
            ROOM, WORKSPACE, meeting_object(pair, bot_id, meeting_id), bots, segments or {}))


def meeting_object(pair, bot_id=None, meeting_id=MEETING):
    """As the Re-invite API shows it."""
    status, _, bot_status = pair.partition("/")
    return {"meeting_id": meeting_id, "status": status, "bot_status": bot_status or None, "bot_id": bot_id}


def sentences(violations):
    return "\n".join(map(str, violations))
