"""Where the clients meet: workspaces with rooms so few that they collide."""

import string
import threading

from harness.bots_user import BotsUser
from harness.waiting import wait_for
from harness.workspace import API, Admin

# The most bots at once of each workspace.
LIMITS = (1, 2, 3, 100, 100)
ROOMS = 4
# Meetings of one room that clients still re-invite to.
REMEMBERED = 4


class Place:
    """A room of a workspace, and the meetings that clients know for it. Its code is no other workspace's, so that its
    presence file is that of one room."""

    def __init__(self, user, code):
        self.user = user
        self.workspace_id = user.workspace_id
        self.code = code
        self.room = f"google_meet:{code}"
        self._meetings = []
        self._lock = threading.Lock()

    def learn(self, meeting_id):
        with self._lock:
            if meeting_id not in self._meetings:
                self._meetings.append(meeting_id)

    def meeting(self, random):
        """Mostly the newest meeting; None while none is known."""
        with self._lock:
            if not self._meetings:
                return None
            return self._meetings[-1] if random.random() < 0.7 else random.choice(self._meetings[-REMEMBERED:])

    @property
    def meetings_path(self):
        return f"{API}/{self.workspace_id}/meetings"

    @property
    def bot_path(self):
        return f"/bots/google_meet/{self.code}"


def make(cluster, random):
    """The places of a cluster that has just been started, half of them with a planned meeting."""
    admin = Admin(cluster.nodes[0], is_hasty=True)
    places = []
    for limit in LIMITS:
        user = BotsUser(admin, max_concurrent_bots=limit)
        for number in range(ROOMS):
            place = Place(user, code(random))
            if number % 2:
                plan_meeting(place)
            places.append(place)
    cluster.workspaces = list(dict.fromkeys(place.workspace_id for place in places))
    return places


def plan_meeting(place):
    """Another meeting in a place's room; its id. On a busy machine replicas may not confirm in time what leads to it:
    then it is not made, and is asked for again."""
    def made():
        answer = place.user.request(
            "POST", place.meetings_path, {"meeting_url": f"https://meet.google.com/{place.code}"})
        assert answer.status in (201, 503), f"POST of a meeting: {answer}"
        return answer.json["meeting_id"] if answer.status == 201 else None
    meeting_id = wait_for(made, f"a meeting in {place.room}", interval_s=0.1)
    place.learn(meeting_id)
    return meeting_id


def make_once(user, path, kind, body, known_by):
    """The id of what a POST makes, one alone: where a node could not say what came of it, it may be there already, among
    those of its `kind`, with the same member `known_by`."""
    def made():
        listed = user.request("GET", path)
        if listed.status != 200:
            return None
        for one in listed.json[kind]:
            if one[known_by] == body[known_by]:
                return one["id"]
        answer = user.request("POST", path, body)
        assert answer.status in (201, 503), answer
        return answer.json["id"] if answer.status == 201 else None
    return wait_for(made, f"one of the {kind}", interval_s=0.1)


def limits(places):
    return {place.workspace_id: LIMITS[index // ROOMS] for index, place in enumerate(places)}


def code(random):
    part = lambda length: "".join(random.choices(string.ascii_lowercase, k=length))
    return f"{part(3)}-{part(4)}-{part(3)}"
