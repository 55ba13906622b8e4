"""What a chaos run was seen to do, from outside: the one thing that the checkers read.

Every time is nanoseconds of CLOCK_BOOTTIME, the clock of the bots' presence files, so that all of it can be put into
one order.
"""

import dataclasses
import time


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@dataclasses.dataclass
class Room:
    """A room, the meeting that the clients know for it, and whose it is."""
    workspace_id: str
    native_meeting_id: str
    platform: str = "google_meet"

    @property
    def name(self):
        return f"{self.platform}:{self.native_meeting_id}"


@dataclasses.dataclass
class Operation:
    """One request of a client, and what came of it.

    `kind` is one of: reinvite (force_restart in `arguments`), create_bot, stop, configure, get_meeting, bots_status.
    """
    number: int
    client: str
    kind: str
    workspace_id: str
    room: str
    meeting_id: str | None
    node: str
    sent_ns: int
    arguments: dict = dataclasses.field(default_factory=dict)
    # None if no answer came: the request may have had its effect, may never have it, or may have it later.
    answered_ns: int | None = None
    status: int | None = None
    # `code` of the Re-invite API's envelope; None for the Bots API.
    code: int | None = None
    answer: dict | None = None
    # Its idempotency key, which is the id of its trace too, and when the first request with it was sent.
    key: str | None = None
    asked_ns: int | None = None

    @property
    def since_ns(self):
        """Since when what it asks for may have been done: the first request with its key may have."""
        return self.sent_ns if self.asked_ns is None else self.asked_ns

    @property
    def outcome(self):
        """ok, failed (refused for certain, without an effect) or unknown.

        12109, a 500 of the Bots API and 503 without 12108 may have gone through.
        """
        if self.status is None:
            return "unknown"
        if 200 <= self.status < 300:
            return "ok"
        if self.status >= 500 and self.code != 12108:
            return "unknown"
        return "failed"


@dataclasses.dataclass
class FaultRecord:
    """A fault that was injected: from when to when, into what."""
    name: str
    target: str
    injected_ns: int
    healed_ns: int | None = None
    detail: str = ""
    # When it took hold, if that is later than `injected_ns`, as it had to wait for its moment.
    struck_ns: int | None = None


@dataclasses.dataclass
class Failover:
    """A server of Redis that was seen to be a replica, and then a primary."""
    server: str
    # When it was last seen to be the one, and first seen to be the other.
    replica_ns: int
    primary_ns: int


@dataclasses.dataclass
class HeldLock:
    """A time in which a request is known to have held a workspace's lock: Redis had the key, and the request was kept
    from going on."""
    workspace_id: str
    from_ns: int
    to_ns: int


@dataclasses.dataclass
class Stay:
    """A bot's presence in a room, by its own file: its first and last line, and whether it said that it left."""
    room: str
    bot_id: str
    pid: int
    first_ns: int
    last_ns: int
    left: bool
    # The ns of all its lines, in order.
    lines_ns: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Acknowledged:
    """A confirmed transcript segment whose entry Redis acknowledged to a bot, by the bot's own file."""
    room: str
    bot_id: str
    number: int
    segment_id: str
    text: str
    at_ns: int


@dataclasses.dataclass
class Told:
    """A request to the receiver of a webhook."""
    at_ns: int
    event_id: str
    # The event's type, and the number of its meeting.
    kind: str
    meeting: int
    sequence: int
    # The bot's status after the change, where the event has it.
    to: str | None


@dataclasses.dataclass
class Viewed:
    """What somebody saw who followed a workspace live from before its first meeting on."""
    workspace_id: str
    # The number of a meeting -> texts by segment_id.
    shown: dict
    # The numbers of meetings that it was told to look at anew, which it does not; None stands for all.
    anew: list[int | None]
    # What it was told twice on one connection: (when first, when again, the sentence), in ns.
    repeated: list[tuple[int, int, str]]


@dataclasses.dataclass
class Planned:
    """A meeting that was planned, acknowledged, and its time by Redis' clock."""
    meeting_id: str
    number: int
    workspace_id: str
    room: str
    scheduled_ms: int


@dataclasses.dataclass
class Said:
    """What a feed says of an event from a moment on: its time by Redis' clock, or that there is none any more."""
    at_ns: int
    scheduled_ms: int | None


@dataclasses.dataclass
class CalendarEvent:
    """An event of a calendar, in a room of its own, and what its feed said of it, one after the other."""
    workspace_id: str
    room: str
    said: list[Said] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Event:
    """An entry of a partition's event stream: time_ms is Redis' own clock, by the entry's id."""
    entry: str
    time_ms: int
    what: str
    meeting_id: str
    bot_id: str
    origin: str
    to: str
    why: str
    # The entry's own field `at`: what a dispatch answers as `dispatched_at`.
    at_ms: int | None = None
    # Where the meeting is, by its record. Empty if it is not known: the checkers then ask the operations and meetings.
    workspace_id: str = ""
    room: str = ""
    # Of the request that it goes back to.
    trace_id: str = ""


@dataclasses.dataclass
class Sample:
    """What a process held at one moment."""
    at_ns: int
    process: str
    pid: int
    descriptors: int
    resident_bytes: int
    # Its connections to Redis and others, apart from those of clients and those kept to the operator's endpoint.
    connections: int


@dataclasses.dataclass
class FinalMeeting:
    """A meeting at the end, by both APIs: the objects as they were answered."""
    room: str
    workspace_id: str
    reinvite: dict
    bots: dict | None
    # Texts by segment_id.
    segments: dict


@dataclasses.dataclass
class History:
    """One run."""
    seed: int
    # Settings of the run, in milliseconds: lease_ttl, lock_ttl, in_flight_ttl, stop_grace, max_attempts, ...; besides
    # them `deployment` and `wait_replicas`, if they are not a single Redis and 0, and in a mixed cluster `beside`, the minor
    # version of every second node and runner.
    settings: dict
    limits: dict = dataclasses.field(default_factory=dict)  # workspace_id -> max_concurrent_bots
    operations: list[Operation] = dataclasses.field(default_factory=list)
    faults: list[FaultRecord] = dataclasses.field(default_factory=list)
    failovers: list[Failover] = dataclasses.field(default_factory=list)
    # Faults that found nothing to strike, as sentences.
    missed: list[str] = dataclasses.field(default_factory=list)
    # Only where a scenario keeps a request from going on.
    locks: list[HeldLock] = dataclasses.field(default_factory=list)
    stays: list[Stay] = dataclasses.field(default_factory=list)
    acknowledged: list[Acknowledged] = dataclasses.field(default_factory=list)
    events: list[Event] = dataclasses.field(default_factory=list)
    # The ids of the workspaces whose changes are told from before their first meeting on, and what was told.
    listeners: list[str] = dataclasses.field(default_factory=list)
    told: list[Told] = dataclasses.field(default_factory=list)
    # What the operator's endpoint was told, of all workspaces; None: there is none.
    operators_told: list[Told] | None = None
    planned: list[Planned] = dataclasses.field(default_factory=list)
    calendar_events: list[CalendarEvent] = dataclasses.field(default_factory=list)
    viewed: list[Viewed] = dataclasses.field(default_factory=list)
    samples: list[Sample] = dataclasses.field(default_factory=list)
    meetings: list[FinalMeeting] = dataclasses.field(default_factory=list)
    # A moment without any fault, long before the first.
    calm_ns: int | None = None
    # When the last fault was healed, and when convergence was looked at.
    quiet_ns: int | None = None
    looked_ns: int | None = None
    # What was left over at `looked_ns`, as sentences: keys of Redis by kind, and processes.
    left_over: list[str] = dataclasses.field(default_factory=list)
    # Readings of both clocks at once, through the run: (CLOCK_BOOTTIME ns, wall clock ns). Redis' TIME is the latter.
    clock: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    # Log lines at level error that no fault explains, and processes that ended unasked, as sentences.
    deaths: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Violation:
    """What a checker found: its own name, what it is about, and a sentence."""
    checker: str
    subject: str
    sentence: str

    def __str__(self):
        return f"{self.checker}: {self.subject}: {self.sentence}"
