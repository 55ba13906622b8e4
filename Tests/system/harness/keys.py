"""Every Redis key of docs/architecture.md, "Keys", built here apart from the server's own code."""

import binascii
import hashlib


def partition(workspace_id):
    """`usher:{pX}`, where X is CRC16 (XMODEM) of the workspace's id, modulo 16, in hexadecimal."""
    # binascii's CRC is this very one: polynomial 0x1021, not reflected, starting at the value given.
    number = binascii.crc_hqx(workspace_id.encode(), 0) % 16
    return "usher:{p%x}" % number


def room(native_meeting_id, platform="google_meet"):
    """The place a bot can be in, as the keys name it."""
    return f"{platform}:{native_meeting_id}"


def api_key(key):
    """An API key's record, under the hash of the key."""
    return "usher:key:" + hashlib.sha256(key.encode()).hexdigest()


def bucket(key):
    """What an API key has left of its requests."""
    return f"usher:rate:{{{api_key(key)}}}"


def meeting_owner(meeting_id):
    """The string that tells which workspace a meeting belongs to."""
    return f"usher:meeting:{meeting_id}"


def number_owner(number):
    """Whose meeting has this number, and its id."""
    return f"usher:number:{number}"


class WorkspaceKeys:
    """The keys of one workspace, which all lie in its partition."""

    def __init__(self, workspace_id):
        self.workspace_id = workspace_id
        self.partition = partition(workspace_id)
        self.workspace = f"{self.partition}:ws:{workspace_id}"
        self.members = f"{self.workspace}:members"
        self.lock = f"{self.workspace}:lock"
        self.meetings = f"{self.workspace}:meetings"
        self.bots = f"{self.workspace}:bots"
        self.dispatch = f"{self.partition}:dispatch"
        self.events = f"{self.partition}:events"
        self.feed = f"{self.workspace}:feed"

    def feeds(self, meeting_id):
        """What viewers of a meeting are told, and those of the whole workspace."""
        return {f"{self.meeting(meeting_id)}:feed", self.feed}

    @property
    def webhooks(self):
        return f"{self.workspace}:webhooks"

    def webhook(self, webhook_id):
        return f"{self.workspace}:webhook:{webhook_id}"

    def in_flight(self, room_name):
        return f"{self.workspace}:inflight:{room_name}"

    def room(self, room_name):
        return f"{self.workspace}:room:{room_name}"

    def latest(self, room_name):
        return f"{self.workspace}:latest:{room_name}"

    def meeting(self, meeting_id):
        return f"{self.partition}:meeting:{meeting_id}"

    def bot(self, bot_id):
        return f"{self.partition}:bot:{bot_id}"
