"""Whether the bots that are in rooms and the records that say so agree, once the faults are over."""

from harness.waiting import wait_for
from machine import collecting, settings

# What a record says while its bot may have a process.
RUNNING = ("requested", "joining", "awaiting_admission", "needs_help", "active", "stopping")
IN_ROOM = ("active", "stopping")
# What a record may say without a process only until its dispatch is claimed, given up, or its bot's end is told.
ON_THE_MOVE = tuple(status for status in RUNNING if status != "active")


class Agreement:
    """Bots come and go while it looks, so each is asked for by itself: it is doubted until it was seen to agree once,
    or is gone."""

    def __init__(self, cluster, places):
        self._cluster = cluster
        self._places = {place.workspace_id: place for place in places}.values()
        self._last_lines = {}
        self._doubts = {}

    def disagreements(self):
        """Waits for agreement, but no longer than the bound; sentences about what did not agree all that time."""
        self._doubts = self._look()
        try:
            wait_for(self._is_settled, "agreement", settings.AGREEMENT / 1000, interval_s=0.3)
        except AssertionError:
            pass  # Told by what is still doubted.
        return sorted(self._doubts.values())

    def _is_settled(self):
        now = self._look()
        self._doubts = {subject: now[subject] for subject in self._doubts if subject in now}
        return not self._doubts

    def _look(self):
        """{subject: sentence} of what does not agree at this moment. At the first look nobody has been seen to write
        a line, so every LIVE record is doubted."""
        records = {record["bot_id"]: record for place in self._places for record in collecting.listed(place)}
        lines = {stay.bot_id: stay.last_ns for stay in collecting.stays(self._cluster.presence.folder)}
        writing = {bot_id for bot_id in self._last_lines if lines[bot_id] != self._last_lines[bot_id]}
        self._last_lines = lines
        found = {}
        for bot_id, record in records.items():
            if record["status"] == "LIVE" and bot_id not in writing:
                found["record", bot_id] = (
                    f"meeting {record['meeting_id']} is LIVE, but its bot {bot_id} shows no presence")
        for bot_id in writing:
            status = records[bot_id]["bot_status"] if bot_id in records else "another bot's"
            if status not in IN_ROOM:
                found["presence", bot_id] = f"bot {bot_id} is in its room, but the record is {status}"
        bots = self._cluster.bots()
        with_process = {bot.bot_id for bot in bots}
        for bot_id, record in records.items():
            if record["bot_status"] in ON_THE_MOVE and bot_id not in with_process:
                found["no process", bot_id] = (
                    f"meeting {record['meeting_id']} is {record['bot_status']}, but its bot {bot_id} has no process")
        for bot in bots:
            status = records[bot.bot_id]["bot_status"] if bot.bot_id in records else "another bot's"
            if status not in RUNNING:
                found["process", bot.pid] = (
                    f"process {bot.pid} of bot {bot.bot_id} runs, but the record is {status}")
        return found
