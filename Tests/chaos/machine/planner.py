"""A user who plans meetings for the next seconds, all the time, each in a room of its own."""

import datetime
import http.client
import threading
import uuid

from harness.bots_user import BotsUser
from harness.waiting import wait_for
from harness.workspace import Admin
from history import Planned
from machine.places import Place, code
from machine.settings import SETTINGS

PAUSE_S = (0.2, 0.8)
# From the asking until the time of the meeting, beside the time by which its bot is sent before that.
AHEAD_S = (0.0, 2.5)
# It joins at once, says a little, and leaves soon.
BOT_NAME = "SIMULATE_JOIN_MS=0 SIMULATE_LOBBY_MS=0 SIMULATE_MEETING_MS=500 SIMULATE_SEGMENT_MS=100"
# Until a node says that it is planned: what replicas have to confirm takes its time while servers fail.
ASKING_S = 90.0
# Until the last plans are due, and a node that was away is back.
PATIENCE_S = 15.0


def plan(user, room_code, in_s, nodes, bot_name=BOT_NAME, another_code=None):
    """Asks node after node until one says that it is planned; for one that planned it and died, it is the same request.
    One that a failover has lost is asked for anew once its time is over, and then for another time, in another room if
    `another_code` makes one: of a plan that was made without a word, the bot may be in this one."""
    def request():
        time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=in_s)
        body = {"meeting_url": f"https://meet.google.com/{room_code}", "bot_name": bot_name,
                "scheduled_at": time.isoformat(timespec="milliseconds")}
        return time, body, {**user.headers, "Idempotency-Key": uuid.uuid4().hex}
    asked = request()
    said = {}

    def planned():
        nonlocal asked, room_code
        for node in nodes:
            try:
                answer = user.request("POST", "/meetings", asked[1], node=node, headers=asked[2], timeout_s=2.0)
            except (OSError, http.client.HTTPException) as error:
                said[node.name] = repr(error)
                continue
            said[node.name] = repr(answer)
            if answer.status == 201:
                return answer.json
            is_over = asked[0] <= datetime.datetime.now(datetime.timezone.utc)
            if answer.status == 422 and answer.json.get("field") == "scheduled_at" and is_over:
                room_code = another_code() if another_code else room_code
                asked = request()
        return None
    try:
        meeting = wait_for(planned, f"the planning of a meeting in {room_code}", ASKING_S, interval_s=0.1)
    except AssertionError as error:
        raise AssertionError(f"{error}; last answers: {said}") from None
    return Planned(meeting["data"]["meeting_id"], meeting["id"], user.workspace_id, f"google_meet:{room_code}",
                   int(asked[0].timestamp() * 1000))


class Planner(threading.Thread):
    def __init__(self, cluster, random, planned):
        super().__init__(name="planner", daemon=True)
        self._cluster, self._random, self._planned = cluster, random, planned
        self.user = BotsUser(Admin(cluster.nodes[0], is_hasty=True), max_concurrent_bots=1000)
        # For what is asked of a workspace as a whole.
        self.place = Place(self.user, code(random))
        self._stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self._stopping.wait(self._random.uniform(*PAUSE_S)):
                nodes = self._cluster.nodes
                first = self._random.randrange(len(nodes))
                in_s = SETTINGS["join_lead"] / 1000 + self._random.uniform(*AHEAD_S)
                self._planned.append(plan(
                    self.user, code(self._random), in_s, nodes[first:] + nodes[:first],
                    another_code=lambda: code(self._random)))
        except Exception as failure:  # Raised by `end`, in the machine's main thread.
            self.failure = failure

    def end(self, deadline_s=ASKING_S + 10):
        self._stopping.set()
        self.join(deadline_s)
        assert not self.is_alive(), f"{self.name} did not end within {deadline_s:g} s"
        if self.failure:
            raise self.failure

    def wait_for_all(self):
        """Until no bot is to be sent any more, or that has been long enough: a clock that was set back takes an hour."""
        settle(self.user, self._planned)


def told(user, path):
    """What a node answers in the end: one that is busy, or has just lost Redis, refuses at first."""
    def answered():
        try:
            answer = user.request("GET", path)
        except (OSError, http.client.HTTPException):
            return None
        return answer if answer.status == 200 else None
    return wait_for(answered, f"an answer to GET {path}", interval_s=0.1).json


def settle(user, planned):
    left = [one.number for one in planned]

    def is_over():
        left[:] = [number for number in left if told(user, f"/meetings/{number}")["status"] == "scheduled"]
        return not left
    try:
        wait_for(is_over, "the sending of all planned bots", PATIENCE_S, interval_s=0.2)
    except AssertionError:
        pass  # Told by the checker.
