"""Steady work for a small cluster, so that every command that decides comes again and again."""

import threading
import time

from harness.waiting import DEADLINE_S
from harness.workspace import random_meet_code

PAUSE_S = 0.02


class Traffic:
    """Sends a bot to a room, stops it, and invites it there again: over and over, whatever the answers are."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._stopping.set()
        self._thread.join(DEADLINE_S)

    def _run(self):
        while not self._stopping.is_set():
            try:
                self._visit()
            except OSError:
                time.sleep(PAUSE_S)  # The node is away.

    def _visit(self):
        user = self._cluster.user
        answer = user.request("POST", "/bots", {
            "platform": "google_meet", "native_meeting_id": random_meet_code()}, timeout_s=5.0)
        if answer.status != 201:
            return time.sleep(PAUSE_S)
        meeting = answer.json
        for _ in range(2):
            if not self._reaches(meeting, "active", "failed"):
                return None
            user.request("DELETE", user.bot_path(meeting), timeout_s=5.0)
            if not self._reaches(meeting, "completed", "failed"):
                return None
            user.reinvite(meeting, {"force_restart": True})
        user.request("DELETE", user.bot_path(meeting), timeout_s=5.0)

    def _reaches(self, meeting, *statuses):
        for _ in range(100):
            answer = self._cluster.user.request("GET", f"/meetings/{meeting['id']}", timeout_s=5.0)
            if answer.status == 200 and answer.json["status"] in statuses:
                return True
            if self._stopping.wait(PAUSE_S):
                return False
        return False
