"""A user of the Bots API: a personal workspace, and a token with every scope."""

from harness.http_client import NO_BODY, request_bytes
from harness.keys import WorkspaceKeys
from harness.played_bot import PlayedBot, latest_dispatch
from harness.waiting import wait_for
from harness.workspace import API, Workspace, random_meet_code


class BotsUser:
    def __init__(self, admin, **fields):
        self.admin = admin
        self.node = admin.node
        self.user = admin.create_user(**fields)
        self.workspace_id = self.user["workspace_id"]
        self.keys = WorkspaceKeys(self.workspace_id)
        self.token = admin.create(f"/admin/users/{self.user['id']}/tokens", {})["token"]
        # Asks again when it hears that the records cannot be reached: each of a node's connections follows a failover by
        # itself, in its time.
        self.is_patient = False

    @property
    def headers(self):
        return {"X-API-Key": self.token}

    def request(self, method, path, body=NO_BODY, node=None, **options):
        options.setdefault("headers", self.headers)
        def answered():
            answer = (node or self.node).request(method, path, body=body, **options)
            return None if self.is_patient and answer.status == 503 else answer
        return wait_for(answered, f"an answer to {method} {path} but 503", interval_s=0.05)

    def bytes(self, method, path, body=NO_BODY):
        """A request for a `Burst`."""
        return request_bytes(method, path, body, self.headers)

    def send_bot(self, code=None, **fields):
        """A bot on its way to a Google Meet room, by default one of its own; its meeting object."""
        answer = self.request("POST", "/bots", {
            "platform": "google_meet", "native_meeting_id": code or random_meet_code(), **fields})
        assert answer.status == 201, answer
        return answer.json

    def dispatch(self, redis, meeting):
        """The entry of a meeting object's bot, as a runner reads it."""
        return latest_dispatch(redis, self.keys, meeting["data"]["meeting_id"])

    def play(self, redis, meeting, *statuses):
        """Claims the bot of a meeting object, and reports these statuses on the first node."""
        bot = PlayedBot.of(redis, self.workspace_id, meeting)
        assert bot.is_claimed, bot.reply
        return bot.tell(self.node, *statuses)

    def bot_path(self, meeting):
        return f"/bots/{meeting['platform']}/{meeting['native_meeting_id']}"

    def meeting_path(self, meeting):
        return f"/meetings/{meeting['platform']}/{meeting['native_meeting_id']}"

    def meeting(self, meeting):
        """The meeting object as it is now."""
        answer = self.request("GET", f"/meetings/{meeting['id']}")
        assert answer.status == 200, answer
        return answer.json

    def wait_for_status(self, meeting, *statuses):
        """The meeting object once its status is one of these."""
        def changed():
            found = self.meeting(meeting)
            return found if found["status"] in statuses else None
        return wait_for(changed, f"the status {' or '.join(statuses)} of meeting {meeting['id']}", interval_s=0.05)

    def record(self, meeting):
        """The meeting as the Re-invite API shows it."""
        path = f"{API}/{self.workspace_id}/meetings/{meeting['data']['meeting_id']}"
        answer = self.request("GET", path)
        assert answer.status == 200, answer
        return answer.json

    def fields(self, redis, meeting):
        """The meeting's hash."""
        return redis.hash(self.keys.meeting(meeting["data"]["meeting_id"]))

    def bot_id(self, redis, meeting):
        return self.fields(redis, meeting)["bot_id"]

    def events(self, redis, meeting):
        """The meeting's status changes, oldest first, from the stream of its partition."""
        return [fields for _, fields in redis.stream(self.keys.events)
                if fields["meeting_id"] == meeting["data"]["meeting_id"]]

    def life(self, redis, meeting):
        """The statuses of its bots, in order: what each event led to."""
        return [event["to"].partition("/")[2] for event in self.events(redis, meeting) if event["from"] != event["to"]]

    def running(self):
        answer = self.request("GET", "/bots/status")
        assert answer.status == 200, answer
        return answer.json["running_bots"]

    def reinvite(self, meeting, body=NO_BODY, node=None):
        path = f"{API}/{self.workspace_id}/meetings/{meeting['data']['meeting_id']}/reinvite_bot"
        return self.request("POST", path, body, node=node)

    def as_workspace(self):
        """The same workspace in the words of the Re-invite API's tests."""
        workspace = Workspace.__new__(Workspace)
        workspace.admin, workspace.node, workspace.id = self.admin, self.node, self.workspace_id
        workspace.owner, workspace.key, workspace.keys = self.user, self.token, self.keys
        return workspace
