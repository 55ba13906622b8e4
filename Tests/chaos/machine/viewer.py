"""Who follows a workspace live, and goes from node to node where it was."""

import contextlib
import http.client
import socket
import threading

from checkers import views
from harness.live import EventStream
from harness.waiting import wait_for
from history import Viewed, now_ns

# A stream that says nothing for so long is given up: a comment comes more often.
SILENCE_S = 5.0
# One without an event for so long is begun anew, elsewhere.
QUIET_S = 30.0
EVENTS_OF_A_CONNECTION = (1, 25)
PAUSE_S = (0.0, 0.5)
LOOK_AGAIN_S = 0.1
# Until all that was said has come, once nothing breaks any more.
PATIENCE_S = 60.0


class Viewer(threading.Thread):
    def __init__(self, cluster, random, user, history, events=EVENTS_OF_A_CONNECTION, pause_s=PAUSE_S, has_missed=None):
        """`events`, `pause_s`: from the least to the most of a connection, and from one to the next. `has_missed`: called
        when it leaves, returns what says whether there is by now what it has missed; it is away until then."""
        super().__init__(name="viewer", daemon=True)
        self._cluster, self._random, self._user, self._history = cluster, random, user, history
        self._events, self._pause_s, self._has_missed = events, pause_s, has_missed
        self._cursor = None
        # How often it went on where it was.
        self.returns = 0
        self._screens = {}
        # The meetings of which not all that ever was is on the screens; None for all.
        self._anew = set()
        self._repeated = []
        self._stopping = threading.Event()
        self._socket = None
        self.failure = None

    def begin(self):
        """Returns once it would miss nothing any more."""
        self.start()
        wait_for(lambda: self._cursor, "the beginning of a live feed")

    def run(self):
        try:
            while not self._stopping.is_set():
                try:
                    self._follow(self._random.choice(self._cluster.nodes), self._random.randint(*self._events))
                except (OSError, ValueError, http.client.HTTPException):
                    pass  # Goes on elsewhere.
                self._stopping.wait(self._random.uniform(*self._pause_s))
                with contextlib.suppress(OSError):
                    self._miss_something()
        except Exception as failure:  # Raised by `end`, in the machine's main thread.
            self.failure = failure

    def _miss_something(self):
        missed = self._has_missed and self._has_missed()
        # `settle` takes it back.
        while missed and self._has_missed and not missed() and not self._stopping.is_set():
            self._stopping.wait(LOOK_AGAIN_S)

    def _follow(self, node, count):
        told = {}
        with EventStream(node, "/events", self._user.token, self._cursor, silence_s=SILENCE_S) as events:
            # Before it looks whether it is to end: `settle` says so first, and then shuts this.
            self._socket = events.socket
            if events.status != 200 or self._stopping.is_set():
                return
            self.returns += self._cursor is not None
            for _ in range(count):
                event = events.next(deadline_s=QUIET_S)
                if event is None or self._stopping.is_set():
                    return
                self._take(event, told)
                self._cursor = events.last

    def _take(self, event, told):
        meeting = event.get("meeting", {}).get("id")
        screen = self._screens.setdefault(meeting, Screen())
        if event["type"] == "reset":
            # It does not fetch anew what was there, and so does not know all of it.
            told.clear()
            self._anew.add(meeting)
            for each in self._screens.values() if meeting is None else [screen]:
                each.clear()
        elif event["type"] == "transcript":
            for each in event["confirmed"]:
                one = (meeting, each["segment_id"], each["text"])
                at_ns = now_ns()
                if one in told:
                    self._repeated.append(
                        (told[one], at_ns, f"segment {each['segment_id']} of meeting {meeting} was told twice"))
                told[one] = at_ns
            screen.show(event)
        elif event["type"] == "transcript_retract":
            screen.retract(event["segment_ids"])

    @property
    def _viewed(self):
        return Viewed(self._user.workspace_id, {meeting: screen.shown for meeting, screen in self._screens.items()},
                      list(self._anew), self._repeated)

    def settle(self):
        """Waits until it has seen what there is, but not for long, and ends. `history` has what it saw then."""
        def has_all():
            self._history.viewed = [self._viewed]
            return not views.check(self._history)
        # It is not away any more.
        self._events, self._pause_s, self._has_missed = (1_000_000, 1_000_000), (0.0, 0.0), None
        try:
            wait_for(has_all, "all that was said", PATIENCE_S, interval_s=0.2)
        except AssertionError:
            pass  # Told by the checker.
        self._stopping.set()
        # It may wait for what nobody says any more.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join(SILENCE_S + 30)
        assert not self.is_alive(), "the viewer did not end"
        if self.failure:
            raise self.failure


class Screen:
    """What is shown of a meeting, by the rules of docs/live.md."""

    def __init__(self):
        self.clear()

    def clear(self):
        self._confirmed, self._drafts = {}, {}

    def show(self, event):
        self._confirmed |= {each["segment_id"]: each["text"] for each in event["confirmed"]}
        self._drafts[event["speaker"]] = {each["segment_id"]: each["text"] for each in event["pending"]}

    def retract(self, segment_ids):
        for shown in (self._confirmed, *self._drafts.values()):
            for segment_id in segment_ids:
                shown.pop(segment_id, None)

    @property
    def shown(self):
        return {key: text for drafts in list(self._drafts.values()) for key, text in drafts.items()} | self._confirmed
