"""Users, workspaces, keys and meetings, made through the HTTP interface; and what is in Redis about them."""

import random
import secrets
import string

from harness.http_client import NO_BODY
from harness.keys import WorkspaceKeys, meeting_owner, room
from harness.node import ADMIN_KEY
from harness.waiting import wait_for

API = "/api/v1/public/meeting"


def random_meet_code():
    """A Google Meet code such as `abc-defg-hij`."""
    letters = lambda count: "".join(random.choices(string.ascii_lowercase, k=count))
    return f"{letters(3)}-{letters(4)}-{letters(3)}"


class Admin:
    """The administrator's API on one node."""

    def __init__(self, node, key=ADMIN_KEY, is_hasty=False):
        """`is_hasty`: whether the node gives up on Redis so soon that what has become of a change may be unknown."""
        self.node = node
        self.key = key
        self._again = (500, 503) if is_hasty else (503,)

    def request(self, method, path, body=NO_BODY, **options):
        headers = {} if self.key is None else {"X-Admin-API-Key": self.key}
        return self.node.request(method, path, body=body, headers=headers, **options)

    def create(self, path, body):
        """POSTs what must succeed, again while a node cannot say that it has, and returns the record. `body` may be a
        function that makes one for each try."""
        def created():
            tried = body() if callable(body) else body
            answer = self.request("POST", path, tried)
            assert answer.status in (200, 201, *self._again), f"POST {path} {tried}: {answer}"
            return None if answer.status in self._again else answer.json
        return wait_for(created, f"an answer to POST {path} but {self._again}", interval_s=0.1)

    def create_user(self, **fields):
        return self.create("/admin/users", lambda: {"email": f"user-{secrets.token_hex(8)}@example.com", **fields})

    def create_workspace(self, **fields):
        """A workspace of its own with an owner and the owner's key (scope `seameet`)."""
        owner = self.create_user()
        record = self.create("/admin/workspaces", {
            "name": "Tests", "owner_user_id": owner["id"], "max_concurrent_bots": 100000, **fields})
        return Workspace(self, record["id"], owner)

    def set_role(self, workspace_id, user_id, role):
        answer = self.request("PUT", f"/admin/workspaces/{workspace_id}/members/{user_id}", {"role": role})
        assert answer.status in (200, 201, 204), f"PUT of a role: {answer}"

    def create_key(self, workspace_id, user_id, scopes=("seameet",), **fields):
        """A key's record with the key itself under `key`."""
        return self.create(f"/admin/workspaces/{workspace_id}/keys", {
            "user_id": user_id, "scopes": list(scopes), **fields})


class Workspace:
    """A test's own workspace."""

    def __init__(self, admin, workspace_id, owner):
        self.admin = admin
        self.node = admin.node
        self.id = workspace_id
        self.owner = owner
        self.key = admin.create_key(workspace_id, owner["id"])["key"]
        self.keys = WorkspaceKeys(workspace_id)

    def member_key(self, role, **fields):
        """The key of a new user with this role; of one who is no member any more for None."""
        user = self.admin.create_user()
        self.admin.set_role(self.id, user["id"], role or "viewer")
        key = self.admin.create_key(self.id, user["id"], **fields)["key"]
        if role is None:
            answer = self.admin.request("DELETE", f"/admin/workspaces/{self.id}/members/{user['id']}")
            assert answer.status in (200, 204), f"DELETE of a member: {answer}"
        return key

    def headers(self, key=None):
        return {"Authorization": f"Bearer {key or self.key}"}

    def request(self, method, path, body=NO_BODY, node=None, key=None, **options):
        options.setdefault("headers", self.headers(key))
        return (node or self.node).request(method, path, body=body, **options)

    @property
    def meetings_path(self):
        return f"{API}/{self.id}/meetings"

    def reinvite_path(self, meeting):
        return f"{self.meetings_path}/{meeting.id}/reinvite_bot"

    def create_meeting(self, url=None, **fields):
        """A meeting, by default in a Google Meet room of its own."""
        url = url or f"https://meet.google.com/{random_meet_code()}"
        answer = self.request("POST", self.meetings_path, {"meeting_url": url, **fields})
        assert answer.status == 201, f"POST of a meeting at {url}: {answer}"
        return Meeting(self, answer.json)

    def reinvite(self, meeting, body=NO_BODY, **options):
        return self.request("POST", self.reinvite_path(meeting), body, **options)


class Meeting:
    """A meeting, and what Redis holds of it."""

    def __init__(self, workspace, record):
        self.workspace = workspace
        self.record = record
        self.id = record["meeting_id"]
        self.room = room(record["native_meeting_id"], record["platform"])
        keys = workspace.keys
        self.hash_key = keys.meeting(self.id)
        self.in_flight_key = keys.in_flight(self.room)
        self.room_key = keys.room(self.room)

    def set(self, redis, **fields):
        """Writes fields of the hash by hand, as no rule allows."""
        redis.call("HSET", self.hash_key, *[part for pair in fields.items() for part in pair])

    def fields(self, redis):
        return redis.hash(self.hash_key)

    def dispatches(self, redis):
        """This meeting's entries of the dispatch stream, oldest first."""
        entries = redis.stream(self.workspace.keys.dispatch)
        return [fields for _, fields in entries if fields.get("meeting_id") == self.id]


def dump(redis, workspace, *meetings):
    """Everything that Redis holds of a workspace and these meetings, times to live apart.

    Two equal dumps mean that nothing changed. Keys that hold other workspaces' data too (the streams) count
    only with the entries that name this workspace or one of these meetings.
    """
    found = {}
    for name in [workspace.id, *[meeting.id for meeting in meetings]]:
        for key in redis.scan(f"*{name}*"):
            found[key] = redis.value(key)
    names = {workspace.id, *[meeting.id for meeting in meetings]}
    for stream in (workspace.keys.dispatch, workspace.keys.events):
        found[stream] = [entry for entry in redis.stream(stream) if names & set(entry[1].values())]
    for bot_id in redis.call("ZRANGE", workspace.keys.bots, 0, -1):
        found[workspace.keys.bot(bot_id)] = redis.value(workspace.keys.bot(bot_id))
    for meeting in meetings:
        found[meeting_owner(meeting.id)] = redis.value(meeting_owner(meeting.id))
    return found
