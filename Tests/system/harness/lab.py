"""The lab's meetings (`usher lab`), the bots that attend them, and who was seen in them."""

import os

from harness.http_client import request
from harness.node import BINARY
from harness.process import Process, session_members
from harness.simulated_bot import SimulatedBot
from harness.waiting import wait_for


class Lab(Process):
    """A server of meetings on a port of its own."""

    def __init__(self, folder, name="lab", sounds=None):
        """`sounds`: the folder of files that its pages may ask for."""
        arguments = [BINARY, "lab", "--lab-port", "0"] + (["--lab-files", sounds] if sounds else [])
        super().__init__(name, arguments, {}, folder)

    def start(self):
        self.spawn()
        self.url = wait_for(lambda: self.output.strip(), f"the address of {self.name}\n{self.log}")
        self.port = int(self.url.rpartition(":")[2])
        return self

    def room(self, code, mode="lobby"):
        room = Room(self, code)
        if mode != "lobby":
            room.post("mode", mode=mode)
        return room


class Room:
    """One room of the lab, in the hands of its host."""

    def __init__(self, lab, code):
        self.lab = lab
        self.code = code

    def post(self, what, **body):
        answer = request(self.lab.port, "POST", f"/{what}", body={"room": self.code, **body})
        assert answer.status == 200, answer
        return answer.json

    @property
    def people(self):
        """All that have come, in order: their names, states and times."""
        return request(self.lab.port, "GET", f"/rooms/{self.code}").json["people"]

    @property
    def lost_s(self):
        """How many seconds of sound the page of the one who lost most has missed until now."""
        return max(person["lost_s"] for person in self.people if person["state"] == "in")

    def has_lost(self, before_s):
        """Whether a page has missed some since then. Each tells once a second, or later where it has no time for that."""
        try:
            return wait_for(lambda: self.lost_s > before_s, "a loss of sound", 5.0, interval_s=0.1)
        except AssertionError:
            return False

    def state(self, name):
        """Of the one who came last under a name; None before that."""
        return ([person["state"] for person in self.people if person["name"] == name] or [None])[-1]

    def add_ghost(self, name):
        """Somebody in the room, without a page."""
        return self.post("ask", name=name, is_ghost=True)["id"]

    def wait_for(self, name, state):
        def found():
            people = [person for person in self.people if person["name"] == name and person["state"] == state]
            return people[-1] if people else None
        return wait_for(found, f"{name} to be {state} in {self.code}", interval_s=0.05)

    def do(self, what, person):
        """`admit`, `deny`, `remove`, `say`, `hang` (the page), or `leave` in its place."""
        self.post(what, id=person["id"] if isinstance(person, dict) else person)

    def admit(self, name="Usher"):
        self.do("admit", self.wait_for(name, "asking"))
        return self.wait_for(name, "in")


class AttendingBot(SimulatedBot):
    """One `usher attend` process without a runner, whose meetings are the lab's."""

    COMMAND = "attend"

    def __init__(self, folder, redis_url, callbacks, lab_url, **options):
        self.temporary = os.path.join(folder, f"{options.get('name', 'bot')}-temporary")
        os.makedirs(self.temporary, exist_ok=True)
        settings = {"LAB": lab_url} if lab_url else {}
        super().__init__(folder, redis_url, callbacks, **{**settings, **options})
        self.environment["TMPDIR"] = self.temporary

    @property
    def leftovers(self):
        """What is left of it: files, and processes by their session or, as crash handlers have one of their own, their line."""
        return os.listdir(self.temporary) + session_members(self.pid) + [
            pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.bot_id.encode() in command_line(pid)]

    @property
    def browser(self):
        """The processes of its browser: its own, and those of its pages."""
        own, pages = [], []
        for pid in session_members(self.pid):
            line = command_line(pid)
            if b"--type=renderer" in line:
                pages.append(pid)
            elif b"--type=" not in line and b"--remote-debugging-pipe" in line:
                own.append(pid)
        return own, pages


def command_line(pid):
    """Of a process, its words with NUL bytes between them; empty if it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""
