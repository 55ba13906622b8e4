"""Bots that attend: rooms of a lab, each with somebody in it, and who is in them by the lab's own word."""

import os
import threading
import time

from harness.bots_user import BotsUser
from harness.lab import Lab
from harness.workspace import Admin
from history import now_ns
from machine.places import Place, code, plan_meeting

PREFIX = "lab-"
LIMIT = 50
# Somebody to attend with: alone a bot leaves.
COMPANY = "Somebody"
INTERVAL_S = 0.1
# How late the lab may notice that a page is gone: what is taken down was so this long ago, and still is said to be.
NOTICE_NS = 1_000_000_000
# It is told its own id for a name, so that the lab tells which one is in a room.
LAUNCHER = """#!/bin/bash
[[ $VEXA_BOT_CONFIG =~ '"nativeMeetingId":"'([^\\"]*) ]]
if [[ ${BASH_REMATCH[1]} != %(prefix)s* ]]; then exec '%(simulated)s'; fi
[[ $VEXA_BOT_CONFIG =~ '"connectionId":"'([^\\"]*) ]]
id=${BASH_REMATCH[1]}
[[ $VEXA_BOT_CONFIG =~ '"botName":"'([^\\"]*) ]]
export VEXA_BOT_CONFIG="${VEXA_BOT_CONFIG/"${BASH_REMATCH[0]}"/\\"botName\\":\\"$id}"
export USHER_LAB=%(lab)s TMPDIR='%(temporary)s' USHER_ATTEND_LONGEST_MS=10000
exec '%(binary)s' attend
"""


def is_one(stay):
    return stay.room.startswith(f"google_meet:{PREFIX}")


class LabRooms:
    """The rooms in which bots attend in browsers, with the lab that has them.

    temporary   the folder in which they keep their profiles
    """

    def __init__(self, folder, binary, count):
        self.temporary = os.path.join(folder, "temporary")
        os.makedirs(self.temporary)
        self._binary = binary
        self._count = count
        self._lab = Lab(folder)
        self._lab.arguments[0] = binary
        self._lab.start()
        self._rooms = []

    def end(self):
        self._lab.end()

    def launcher(self, path, simulated):
        """Writes the program that starts a bot of a room by the kind of that; `simulated` starts all others."""
        with open(path, "w") as file:
            file.write(LAUNCHER % {"prefix": PREFIX, "simulated": simulated, "lab": self._lab.url,
                                   "temporary": self.temporary, "binary": self._binary})
        os.chmod(path, 0o755)
        return path

    def clean_up(self):
        """The runners' command that removes what a bot that was killed has kept."""
        profile = f"{self.temporary}/usher-attend-{{bot_id}}"
        return f"rm -rf '{profile}' '{profile}.lock'"

    def make_places(self, node, random):
        user = BotsUser(Admin(node, is_hasty=True), max_concurrent_bots=LIMIT)
        places = [Place(user, PREFIX + code(random)[4:]) for _ in range(self._count)]
        for place in places:
            room = self._lab.room(place.code, "open")
            room.add_ghost(COMPANY)
            self._rooms.append(room)
            plan_meeting(place)
        return places

    def watch(self, presence):
        return RoomWatch(self._rooms, presence)


class RoomWatch(threading.Thread):
    """Writes down who is in the rooms, as simulated bots do it themselves (`Sources/SimulatedBot/Presence.swift`)."""

    def __init__(self, rooms, presence):
        super().__init__(name="room watch", daemon=True)
        self._rooms = rooms
        self._presence = presence
        self._entered = set()
        self._left = set()
        self._stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self._stopping.wait(INTERVAL_S):
                self.look()
        except Exception as failure:  # Raised by `end`, in the machine's main thread.
            self.failure = failure

    def end(self):
        self._stopping.set()
        self.join()
        if self.failure:
            raise self.failure
        self.look()

    def look(self):
        for room in self._rooms:
            # Since 1970 there, since the machine's start here.
            asked_ns, apart_ns = now_ns(), time.time_ns() - now_ns()
            lines = [line for number, person in enumerate(room.people, 1) if self._counts(person)
                     for line in self._lines(number, person, asked_ns, apart_ns)]
            if lines:
                with open(os.path.join(self._presence.folder, f"google_meet:{room.code}.log"), "a") as file:
                    file.write("".join(lines))

    @staticmethod
    def _counts(person):
        """A page that was ended before it listened never was in the meeting, though the lab notices late."""
        return person["name"] != COMPANY and person.get("in_at") and (person["is_ghost"] or person["has_listened"])

    def _lines(self, number, person, asked_ns, apart_ns):
        line = f"{{}} {person['name']} {number}".format
        in_ns = int(person["in_at"] * 1e9) - apart_ns
        if person["id"] not in self._entered:
            self._entered.add(person["id"])
            yield line(in_ns) + "\n"
        if person["state"] == "in":
            yield line(max(in_ns, asked_ns - NOTICE_NS)) + "\n"
        elif person["id"] not in self._left:
            self._left.add(person["id"])
            out_ns = int(person["out_at"] * 1e9) - apart_ns
            yield line(max(in_ns, out_ns - NOTICE_NS)) + " left\n"
