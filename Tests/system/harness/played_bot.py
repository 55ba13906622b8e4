"""A bot that the test plays itself: claimed by the service's own script, then speaking the bots' wire."""

import hashlib
import json
import os
import secrets

from harness.keys import WorkspaceKeys
from harness.node import REPOSITORY
from harness.transcripts import STREAM

# Longer than any test: nobody renews the lease of a played bot.
LEASE_MS = 3_600_000


def script(name):
    """A script of `lua/` with its includes put in."""
    def read(path):
        with open(os.path.join(REPOSITORY, "lua", path)) as file:
            lines = file.read().splitlines()
        expanded = []
        for line in lines:
            if line.startswith("-- include: "):
                expanded += read(f"includes/{line.removeprefix('-- include: ')}.lua")
            else:
                expanded.append(line)
        return expanded
    return "\n".join(read(f"{name}.lua"))


def latest_dispatch(redis, keys, meeting_id):
    """The newest entry of a meeting that waits to be claimed: (id, fields)."""
    entries = [entry for entry in redis.stream(keys.dispatch) if entry[1]["meeting_id"] == meeting_id]
    assert entries, f"no dispatch of meeting {meeting_id} waits to be claimed"
    return entries[-1]


class PlayedBot:
    """The bot of a meeting's latest dispatch, claimed by a runner that is the test itself."""

    def __init__(self, redis, workspace_id, meeting_id, runner="played-runner", dispatch=None, stream=True):
        """`dispatch` is an entry that was read before; by default the meeting's latest one. `stream`: whether the bot
        is told to write to the segment stream."""
        keys = WorkspaceKeys(workspace_id)
        self.entry, dispatch = dispatch or latest_dispatch(redis, keys, meeting_id)
        self.redis = redis
        self.meeting_id = meeting_id
        self.workspace_id = workspace_id
        self.bot_id = dispatch["bot_id"]
        self.secret = secrets.token_hex(32)
        self.container = f"bot-{self.bot_id[:8]}"
        # As its runner would ask: where the segment stream is.
        about = redis.call("XINFO", "STREAM", STREAM) if redis.call("EXISTS", STREAM) else []
        position = dict(zip(about[::2], about[1::2])).get("last-generated-id", "0-0")
        self.reply = redis.call(
            "EVAL", script("claim"), 5, keys.meeting(meeting_id), keys.bot(self.bot_id),
            keys.in_flight(dispatch["room"]), f"{keys.partition}:leases", keys.dispatch,
            self.bot_id, dispatch["epoch"], runner, LEASE_MS, hashlib.sha256(self.secret.encode()).hexdigest(),
            self.entry, self.container, int(stream), position)

    @classmethod
    def of(cls, redis, workspace_id, meeting):
        """The bot of a meeting object of the Bots API."""
        return cls(redis, workspace_id, meeting["data"]["meeting_id"])

    @property
    def is_claimed(self):
        return self.reply[0] == "claimed"

    def report(self, node, status, secret=None, bot_id=None, **fields):
        """Sends a status report and returns the answer."""
        body = {"connection_id": self.bot_id, "status": status, "container_id": self.container, **fields}
        return node.request(
            "POST", f"/internal/bots/{bot_id or self.bot_id}/status", body=body,
            headers={"x-internal-secret": self.secret if secret is None else secret})

    def tell(self, node, *statuses, **fields):
        """Reports one status after the other, each of which must be accepted."""
        for status in statuses:
            answer = self.report(node, status, **(fields if status == statuses[-1] else {}))
            assert answer.status == 200, f"the report {status}: {answer}"
        return self


class Commands:
    """What is published for the bot of a meeting from now on."""

    def __init__(self, redis_server, number):
        self._client = redis_server.connect()
        kind, _, _ = self._client.call("SUBSCRIBE", f"bot_commands:meeting:{number}")
        assert kind == "subscribe"

    def next(self):
        kind, _, payload = self._client.receive()
        assert kind == "message"
        return json.loads(payload)

    def close(self):
        self._client.close()
