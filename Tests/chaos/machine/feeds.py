"""A user whose calendars change all the time: events are added, moved and cancelled, each in a room of its own."""

import datetime
import threading

from harness.bots_user import BotsUser
from harness.feed_server import FeedServer, event, feed, utc
from harness.waiting import wait_for
from harness.workspace import Admin
from history import CalendarEvent, Said, now_ns
from machine.places import Place, code, make_once
from machine.planner import BOT_NAME, PATIENCE_S, told

CALENDARS = 3
PAUSE_S = (0.5, 1.5)
# From a change until the time that it is about; some are far enough away for what a fault explains.
AHEAD_S = (3.0, 25.0)
# What is nearer than this stays as it is.
NEAR_S = 2.0
# What is further away when the changes end is cancelled, so that nobody has to wait for it.
FAR_S = 8.0


class Calendar:
    """A calendar of a user, whose feed says what it is told to. What it says from when on is taken down in `events`."""

    def __init__(self, user, server, path, events, bot_name=BOT_NAME):
        self._user, self._server, self.path, self._events = user, server, path, events
        # What the feed says now: a room's code -> (its event, its time).
        self.now = {}
        self._publish()
        self._id = make_once(user, "/user/calendars", "calendars", {
            "name": path, "ics_url": server.url(path), "bot_name": bot_name}, "name")

    def add(self, room_code, time):
        about = CalendarEvent(self._user.workspace_id, f"google_meet:{room_code}")
        self._events.append(about)
        self._say(room_code, about, time)

    def move(self, room_code, time):
        self._say(room_code, self.now[room_code][0], time)

    def cancel(self, room_code):
        about, _ = self.now.pop(room_code)
        self._publish()
        about.said.append(Said(now_ns(), None))

    def _say(self, room_code, about, time):
        # As a feed has it.
        time = time.replace(microsecond=0)
        self.now[room_code] = about, time
        # As soon as it may be read.
        about.said.append(Said(now_ns(), int(time.timestamp() * 1000)))
        self._publish()

    def _publish(self):
        self._server.feeds[self.path] = feed(*(
            event(room_code, time, room_code) for room_code, (_, time) in self.now.items()))

    def is_read(self):
        """Whether its feed has been read, and nobody is at it."""
        reading = told(self._user, f"/user/calendars/{self._id}/sync")
        return reading["last_sync"] is not None and not reading["is_syncing"]


def planned(user):
    """The rooms of the meetings of a user's workspace that wait for their time."""
    listed = told(user, "/meetings?limit=100")["meetings"]
    return [one["native_meeting_id"] for one in listed if one["status"] == "scheduled"]


class FeedWriter(threading.Thread):
    def __init__(self, cluster, random, events):
        super().__init__(name="feed writer", daemon=True)
        self._random = random
        self._user = BotsUser(Admin(cluster.nodes[0], is_hasty=True), max_concurrent_bots=1000)
        self.place = Place(self._user, code(random))
        self.server = FeedServer()
        self._calendars = [
            Calendar(self._user, self.server, f"/{number}", events) for number in range(CALENDARS)]
        self._stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self._stopping.wait(self._random.uniform(*PAUSE_S)):
                self._change(self._random.choice(self._calendars))
        except Exception as failure:  # Raised by `end`, in the machine's main thread.
            self.failure = failure

    def _change(self, calendar):
        known = self._later_than(calendar, NEAR_S)
        kind = self._random.random()
        if not known or kind < 0.6:
            calendar.add(code(self._random), utc(self._random.uniform(*AHEAD_S)))
        elif kind < 0.8:
            calendar.move(self._random.choice(known), utc(self._random.uniform(*AHEAD_S)))
        else:
            calendar.cancel(self._random.choice(known))

    @staticmethod
    def _later_than(calendar, seconds):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return [room_code for room_code, (_, time) in calendar.now.items() if time > end]

    def end(self, deadline_s=10):
        self._stopping.set()
        self.join(deadline_s)
        assert not self.is_alive(), f"{self.name} did not end within {deadline_s:g} s"
        if self.failure:
            raise self.failure
        for calendar in self._calendars:
            for room_code in self._later_than(calendar, FAR_S):
                calendar.cancel(room_code)

    def wait_for_all(self):
        """Until no bot is to be sent any more, or that has been long enough: a clock that was set back takes an hour."""
        try:
            wait_for(lambda: not planned(self._user), "the sending of all bots of calendars", PATIENCE_S, interval_s=0.2)
        except AssertionError:
            pass  # Told by the checker.
