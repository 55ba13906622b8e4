"""Bots that record: simulated ones, with a launcher that makes the file which one that attends would make."""

import os

from harness.bots_user import BotsUser
from harness.node import BINARY
from harness.waiting import wait_for
from harness.workspace import Admin

# A file of the bot's own, locked for as long as the bot lives; `cp` is the sound of a bot of others.
LAUNCHER = """#!/bin/bash
if [ -n "$USHER_BOT_RECORDING" ]; then
  mkdir -p "$(dirname "$USHER_BOT_RECORDING")" && cp '%s' "$USHER_BOT_RECORDING"
  exec 9<"$USHER_BOT_RECORDING"
  flock 9
fi
exec '%s' simulate-bot
"""
SOUND = bytes(range(256)) * 1_000


class Scene:
    """A node and a runner whose bots record, and a user of theirs."""

    def __init__(self, servers, contents=SOUND):
        self.servers = servers
        self.folder = os.path.join(servers.folder, "recordings")
        os.makedirs(self.folder)
        sound, launcher = (os.path.join(servers.folder, name) for name in ("sound.wav", "launch-recorder"))
        with open(sound, "wb") as file:
            file.write(contents)
        with open(launcher, "w") as file:
            file.write(LAUNCHER % (sound, BINARY))
        os.chmod(launcher, 0o755)
        self.redis = servers.redis()
        self.node = servers.node(self.redis, RECORDINGS=self.folder, WEBHOOK_ALLOW="127.0.0.0/8")
        self.launch = f"'{launcher}'"
        self.runner = self.start_runner()
        self.user = BotsUser(Admin(self.node))

    def start_runner(self):
        return self.servers.runner(self.redis, self.node, LAUNCH=self.launch, RECORDINGS=self.folder)

    def record(self):
        """A meeting with a bot in the room that records."""
        meeting = self.user.send_bot(recording_enabled=True)
        return self.user.wait_for_status(meeting, "active")

    def stop(self, meeting):
        assert self.user.request("DELETE", self.user.bot_path(meeting)).status == 202

    def recordings(self, meeting):
        path = f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}?meeting_id={meeting['id']}"
        answer = self.user.request("GET", path)
        assert answer.status == 200, answer
        return answer.json["recordings"]

    def wait_for_recordings(self, meeting, count=1):
        return wait_for(lambda: len(self.recordings(meeting)) == count and self.recordings(meeting),
                        f"{count} recordings", interval_s=0.05)

    def recorded(self):
        """A meeting whose bot has recorded and left, and its recording."""
        meeting = self.record()
        self.stop(meeting)
        return meeting, self.wait_for_recordings(meeting)[0]

    def fetch(self, recording, **headers):
        fields = {**self.user.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.user.request("GET", f"/recordings/{recording['id']}", headers=fields)

    @property
    def files(self):
        return [os.path.join(place, name) for place, _, names in os.walk(self.folder) for name in names]
