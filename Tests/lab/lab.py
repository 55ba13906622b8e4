#!/usr/bin/env python3
"""A meeting of our own, for tests and for trying: rooms with a lobby, a host's controls and WebRTC between the pages.

    python3 Tests/lab/lab.py [--port 8090] [--sounds FOLDER]

serves http://127.0.0.1:8090/m/<room>. With `?host` one is let in and may admit, deny, remove and end; `?name=Ana` joins at
once; `?sound=ana.wav` speaks that file of the folder instead of a microphone, whenever it is told to. Python's standard
library is all that it needs.

Nothing of it is safe to be reached by others: it listens on loopback alone.
"""

import argparse
import http.server
import itertools
import json
import os
import queue
import threading
import time
import urllib.parse

FOLDER = os.path.dirname(os.path.abspath(__file__))
# How a room receives those who come: see `Rooms.set`.
MODES = ("lobby", "open", "sign_in", "refused", "unanswered", "unknown")
MOST_BODY_BYTES = 1 << 20
PING_S = 1.0


class Rooms:
    """Who is where, and what they are told. Every method takes the lock."""

    def __init__(self):
        self.lock = threading.RLock()
        self.people = {}
        self.modes = {}
        self.numbers = itertools.count(1)

    def set(self, room, mode):
        """`lobby`: a host lets people in; `open`: everybody is in at once; the others show what a page may show instead."""
        assert mode in MODES, mode
        with self.lock:
            self.modes[room] = mode

    def mode(self, room):
        with self.lock:
            return self.modes.get(room, "lobby")

    def ask(self, room, name, is_host=False, is_ghost=False):
        """Someone at the door. A ghost is a name in the room without a page."""
        with self.lock:
            person = {"id": f"p{next(self.numbers)}", "room": room, "name": name[:100], "state": "asking",
                      "is_ghost": is_ghost, "asked_at": time.time(), "in_at": None, "out_at": None, "said": [],
                      "lost_s": 0, "mail": queue.Queue()}
            self.people[person["id"]] = person
            for host in self.inside(room):
                self.tell(host, {"type": "asking", "id": person["id"], "name": person["name"]})
            if is_host or is_ghost or self.mode(room) == "open":
                self.admit(person)
            return person["id"]

    def inside(self, room):
        return [person for person in self.people.values() if person["room"] == room and person["state"] == "in"]

    def tell(self, person, message):
        if not person["is_ghost"]:
            person["mail"].put(message)

    def admit(self, person):
        if person["state"] != "asking":
            return
        others = self.inside(person["room"])
        person["state"], person["in_at"] = "in", time.time()
        self.tell(person, {"type": "admitted", "others": [self.short(other) for other in others]})
        for other in others:
            self.tell(other, {"type": "joined", **self.short(person)})

    def leave(self, person, state="left"):
        if person["state"] not in ("in", "asking"):
            return
        was_in = person["state"] == "in"
        person["state"], person["out_at"] = state, time.time()
        if was_in:
            for other in self.inside(person["room"]):
                self.tell(other, {"type": "left", "id": person["id"]})

    def control(self, person, what):
        """What a host does to somebody."""
        with self.lock:
            if what == "admit":
                self.admit(person)
            elif what in ("deny", "remove"):
                state = {"deny": "denied", "remove": "removed"}[what]
                self.leave(person, state)
                self.tell(person, {"type": state})
            elif what in ("say", "hang"):
                self.tell(person, {"type": what})
            elif what == "leave":
                self.leave(person)

    def end(self, room):
        """The host ends the meeting for everybody."""
        with self.lock:
            for person in self.inside(room):
                self.leave(person, "ended")
                self.tell(person, {"type": "ended"})

    def short(self, person):
        return {"id": person["id"], "name": person["name"], "is_ghost": person["is_ghost"]}

    def list(self, room):
        with self.lock:
            return [{key: value for key, value in person.items() if key != "mail"}
                    for person in self.people.values() if person["room"] == room]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rooms = Rooms()
    sounds = None

    def log_message(self, *arguments):
        pass

    def answer(self, body, kind="application/json", status=200):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        kind, _, rest = url.path.strip("/").partition("/")
        if kind == "m" and rest:
            self.answer(read("meeting.html"), "text/html; charset=utf-8")
        elif kind == "like" and rest in ("google_meet", "teams"):
            self.answer(read(f"like_{rest}.html"), "text/html; charset=utf-8")
        elif kind == "rooms" and rest:
            self.answer({"mode": self.rooms.mode(rest), "people": self.rooms.list(rest)})
        elif kind == "events":
            self.events(urllib.parse.parse_qs(url.query).get("id", [""])[0])
        elif kind == "sounds" and self.sounds and os.path.basename(rest) == rest and rest:
            try:
                with open(os.path.join(self.sounds, rest), "rb") as file:
                    self.answer(file.read(), "audio/wav")
            except FileNotFoundError:
                self.answer({}, status=404)
        else:
            self.answer({}, status=404)

    def events(self, identifier):
        """Server-sent events; whoever stops listening has left."""
        person = self.rooms.people.get(identifier)
        if person is None:
            return self.answer({}, status=404)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                try:
                    message = person["mail"].get(timeout=PING_S)
                except queue.Empty:
                    message = {"type": "ping"}
                self.wfile.write(b"data: " + json.dumps(message).encode() + b"\n\n")
                self.wfile.flush()
        except OSError:
            with self.rooms.lock:
                self.rooms.leave(person)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BODY_BYTES:
            return self.answer({}, status=413)
        body = json.loads(self.rfile.read(length) or b"{}")
        rooms, what = self.rooms, self.path.strip("/")
        person = rooms.people.get(body.get("id", ""))
        if what == "ask":
            identifier = rooms.ask(body["room"], body["name"], bool(body.get("is_host")), bool(body.get("is_ghost")))
            self.answer({"id": identifier})
        elif what == "mode":
            rooms.set(body["room"], body["mode"])
            self.answer({})
        elif what == "end":
            rooms.end(body["room"])
            self.answer({})
        elif what == "chat":
            with rooms.lock:
                for each in rooms.inside(body["room"]):
                    rooms.tell(each, {"type": "chat", "line": body["line"][:200]})
            self.answer({})
        elif person is None:
            self.answer({}, status=404)
        elif what == "to":
            with rooms.lock:
                other = rooms.people.get(body["to"])
                if other is not None and other["room"] == person["room"]:
                    rooms.tell(other, {**body["message"], "from": person["id"]})
            self.answer({})
        elif what == "said":
            with rooms.lock:
                person["said"].append({"at": body["at"], "seconds": body["seconds"]})
            self.answer({})
        elif what == "lost":
            person["lost_s"] = float(body["seconds"])
            self.answer({})
        elif what in ("admit", "deny", "remove", "say", "hang", "leave"):
            rooms.control(person, what)
            self.answer({})
        else:
            self.answer({}, status=404)


def read(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description="A meeting of our own, on loopback.")
    parser.add_argument("--port", type=int, default=8090, help="0 lets the system choose")
    parser.add_argument("--sounds", help="the folder of what pages with ?sound= say")
    arguments = parser.parse_args()
    Handler.sounds = arguments.sounds
    server = Server(("127.0.0.1", arguments.port), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
