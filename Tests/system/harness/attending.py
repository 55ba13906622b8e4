"""All that it takes for bots to attend: nodes, a runner, a lab and a user."""

import os

from harness.bots_user import BotsUser
from harness.lab import Lab
from harness.node import BINARY
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code


class Scene:
    """Two nodes, a runner of attending bots, a lab, and a user. `recordings`: the folder of those, if there is one."""

    def __init__(self, servers, speech_url, recordings=None, **settings):
        self.redis = servers.redis()
        shared = {"RECORDINGS": recordings} if recordings else {}
        self.nodes = [servers.node(self.redis, **shared) for _ in range(2)]
        self.lab = servers.add(Lab(servers.folder, sounds=servers.folder)).start()
        self.temporary = os.path.join(servers.folder, "temporary")
        os.makedirs(self.temporary)
        profile = f"{self.temporary}/usher-attend-{{bot_id}}"
        self.runner = servers.runner(
            self.redis, self.nodes[0], start=False, LAUNCH=f"'{BINARY}' attend", LAB=self.lab.url,
            PASS_ENVIRONMENT="USHER_LAB,TMPDIR", CLEAN_UP=f"rm -rf '{profile}' '{profile}.lock'",
            TRANSCRIPTION_URL=speech_url, MAX_ATTEMPTS=1, **shared, **settings)
        self.runner.environment["TMPDIR"] = self.temporary
        self.runner.start()
        self.user = BotsUser(Admin(self.nodes[1]))
        self.room = self.lab.room(random_meet_code())

    def attend(self, **wishes):
        """Sends a bot into the room, and lets it in; its meeting."""
        meeting = self.user.send_bot(self.room.code, **wishes)
        self.user.wait_for_status(meeting, "awaiting_admission")
        self.room.admit()
        return self.user.wait_for_status(meeting, "active")

    def transcript(self):
        """Of the room's meeting."""
        answer = self.user.request("GET", f"/transcripts/google_meet/{self.room.code}", node=self.nodes[0])
        assert answer.status == 200, answer
        return answer.json

    def segments(self, meeting):
        """Those that nothing replaces any more."""
        return [segment for segment in self.transcript()["segments"] if segment["completed"]]

    def texts(self, meeting):
        return [(segment["speaker"], segment["text"]) for segment in self.segments(meeting)]

    def wait_for_texts(self, meeting, count):
        return wait_for(lambda: len(self.texts(meeting)) == count and self.texts(meeting), f"{count} segments",
                        interval_s=0.1)
