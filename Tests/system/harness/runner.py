"""One `usher runner` process, the bots that it runs, and what they leave in the rooms that they were in."""

import collections
import os

from harness.node import BINARY
from harness.process import Process, children, is_running
from harness.waiting import wait_for

# A simulated bot whose name says how it behaves: "SIMULATE=needs-help SIMULATE_LOBBY_MS=5000". A name without such
# settings makes a good bot.
LAUNCHER = """#!/bin/bash
[[ $VEXA_BOT_CONFIG =~ '"botName":"'([^\\"]*) ]]
for setting in ${BASH_REMATCH[1]}; do
  if [[ $setting == *=* ]]; then export "USHER_$setting"; fi
done
exec '%s' simulate-bot
"""


class Runner(Process):
    """`settings` are environment variables without their prefix: `Runner(..., CAPACITY=2)`."""

    def __init__(self, folder, redis_url, node, name="runner", **settings):
        self.presence = Presence(os.path.join(folder, "presence"))
        launcher = os.path.join(folder, "launch-bot")
        with open(launcher, "w") as file:
            file.write(LAUNCHER % BINARY)
        os.chmod(launcher, 0o755)
        environment = {
            "USHER_REDIS": redis_url, "USHER_API_URL": f"http://127.0.0.1:{node.port}", "USHER_CAPACITY": "50",
            "USHER_LAUNCH": f"'{launcher}'", "USHER_PASS_ENVIRONMENT": "USHER_SIMULATE*",
            "USHER_SIMULATE_PRESENCE": self.presence.folder, "USHER_SIMULATE_JOIN_MS": "50",
            "USHER_SIMULATE_LOBBY_MS": "50", "USHER_SIMULATE_SEGMENT_MS": "200",
            **{f"USHER_{setting}": str(value) for setting, value in settings.items()},
        }
        super().__init__(name, [BINARY, "runner"], environment, folder)

    def start(self):
        self.spawn()
        wait_for(self._is_running_bots, f"the start of {self.name}")
        return self

    def _is_running_bots(self):
        if not self.alive:
            raise AssertionError(f"{self.name} ended with status {self.wait()}\n{self.output}{self.log}")
        return self.said("Running bots")

    @property
    def started(self):
        """The ids of the bots that it started."""
        return [line["bot_id"] for line in self.said("Started a bot")]

    def wait_for_started(self, *bot_ids):
        """The ids of the bots that it started, once these are among them: a line is written soon after what it tells of,
        not with it.
        """
        wait_for(lambda: set(bot_ids) <= set(self.started), f"{self.name}'s word that it started {bot_ids}")
        return self.started

    @property
    def supervisors(self):
        """The ids of its supervisors' processes."""
        return children(self.pid)

    def supervisor_of(self, bot_id):
        """The id of the process that supervises a bot."""
        [process] = processes_of(bot_id)
        [supervisor] = [pid for pid in self.supervisors if process in children(pid)]
        return supervisor


def processes_of(bot_id):
    """The ids of the running processes that carry a bot's configuration."""
    mark = f'"connectionId":"{bot_id}"'.encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                is_one = mark in file.read()
        except OSError:
            continue  # It ended meanwhile.
        if is_one and is_running(int(entry)):
            found.append(int(entry))
    return found


def wait_until_gone(bot_id):
    wait_for(lambda: not processes_of(bot_id), f"the end of the processes of bot {bot_id}", interval_s=0.05)


Stay = collections.namedtuple("Stay", "bot_id pid first_ns last_ns left lines")


class Presence:
    """The presence files: who was in which room and when, told by the bots themselves and not by Redis."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def stays(self, code, platform="google_meet"):
        """Every bot's stay in a room, in the order of their entering; empty if no bot has been there."""
        found = {}
        for at, bot_id, pid, *ending in self._lines(f"{platform}:{code}.log"):
            first, lines = (int(at), 0) if bot_id not in found else (found[bot_id].first_ns, found[bot_id].lines)
            found[bot_id] = Stay(bot_id, int(pid), first, int(at), ending == ["left"], lines + 1)
        return sorted(found.values(), key=lambda stay: stay.first_ns)

    def check(self):
        """Fails if two bots were in a room at once."""
        for name in os.listdir(self.folder):
            code = name.partition(":")[2].removesuffix(".log")
            check_stays(self.stays(code, name.partition(":")[0]), name)

    def _lines(self, name):
        try:
            with open(os.path.join(self.folder, name)) as file:
                text = file.read()
        except FileNotFoundError:
            return []
        # A bot that is killed leaves whole lines behind: each is one write.
        return [line.split() for line in text.splitlines()]


def check_stays(stays, room):
    """Fails if two stays overlap. They must be in the order of entering."""
    for earlier, later in zip(stays, stays[1:]):
        assert earlier.last_ns < later.first_ns, (
            f"{later.bot_id} entered {room} {(earlier.last_ns - later.first_ns) / 1e6:.0f} ms before {earlier.bot_id} "
            "was gone from it")
