"""The clients: threads that ask both APIs for bots, impatiently, and whose connections break."""

import itertools
import json
import random
import threading
import time

from harness.http_client import NO_BODY, Connection, request_bytes
from history import Operation, now_ns
from machine import bot_names

CLIENTS = 6
KINDS = {"reinvite": 32, "create_bot": 30, "stop": 14, "configure": 6, "get_meeting": 12, "bots_status": 6}
LANGUAGES = ("en", "es", "zh")
PAUSE_S = (0.0, 0.15)


class Recorder:
    """Takes down every request and what came of it."""

    def __init__(self, operations):
        self._operations = operations
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def begin(self, **fields):
        with self._lock:
            operation = Operation(number=next(self._numbers), sent_ns=now_ns(), **fields)
            self._operations.append(operation)
        return operation


class Call:
    """One request that a client has made up its mind to send, as often as it may take. With a key (32 hexadecimal
    digits) it says that it is the same one each time."""

    def __init__(self, kind, place, method, path, body=NO_BODY, meeting_id=None, key=None, **arguments):
        self.kind, self.place, self.meeting_id, self.arguments = kind, place, meeting_id, arguments
        self._key, self._first_ns = key, None
        # The events tell of traces, and not of keys.
        fields = {"Idempotency-Key": key, "traceparent": f"00-{key}-{key[:16]}-01"} if key else {}
        self.data = request_bytes(method, path, body, {**place.user.headers, **fields})

    def send(self, recorder, client, node, timeout_s=30.0, manner="whole"):
        """Sends it once. `manner`: `whole`; `half` ends the connection in the middle of the request; `deaf` ends it
        once all is sent. Returns the operation."""
        operation = recorder.begin(
            client=client, kind=self.kind, workspace_id=self.place.workspace_id,
            room="" if self.kind == "bots_status" else self.place.room, meeting_id=self.meeting_id, node=node.name,
            key=self._key, asked_ns=self._first_ns if self._key else None,
            arguments={**self.arguments, **({} if manner == "whole" else {"manner": manner})})
        self._first_ns = self._first_ns or operation.sent_ns
        try:
            connection = Connection(node.port, timeout_s)
        except OSError:
            return operation
        try:
            connection.send(self.data[:len(self.data) // 2] if manner == "half" else self.data)
            answer = connection.receive() if manner == "whole" else None
        except OSError:
            answer = None
        finally:
            connection.close()
        if answer is not None:
            self._take(operation, answer)
        return operation

    def _take(self, operation, answer):
        operation.status = answer.status
        operation.answered_ns = now_ns()
        try:
            operation.answer = json.loads(answer.body) if answer.body else None
        except ValueError:
            operation.answer = {"not JSON": answer.body.decode(errors="replace")}
        if isinstance(operation.answer, dict) and "code" in operation.answer:
            operation.code = operation.answer["code"]
        if self.kind == "create_bot" and answer.status == 201:
            operation.meeting_id = operation.answer["data"]["meeting_id"]
            self.place.learn(operation.meeting_id)


def draw_call(choice, place):
    """What to ask about a place."""
    [kind] = choice.choices(list(KINDS), KINDS.values())
    meeting_id = place.meeting(choice)
    if meeting_id is None and kind in ("reinvite", "get_meeting"):
        kind = "create_bot"
    if kind == "reinvite":
        return reinvite(place, meeting_id, choice.choice((None, False, True, True)), draw_key(choice))
    if kind == "create_bot":
        return create_bot(place, bot_names.draw(choice), draw_key(choice))
    if kind == "stop":
        return stop(place, draw_key(choice))
    if kind == "configure":
        language = choice.choice(LANGUAGES)
        return Call("configure", place, "PUT", f"{place.bot_path}/config", {"language": language}, language=language)
    if kind == "get_meeting":
        return Call("get_meeting", place, "GET", f"{place.meetings_path}/{meeting_id}", meeting_id=meeting_id)
    return Call("bots_status", place, "GET", "/bots/status")


def draw_key(choice):
    """An idempotency key, for one request in two."""
    return f"{choice.getrandbits(127) + 1:032x}" if choice.random() < 0.5 else None


def reinvite(place, meeting_id, force_restart, key=None):
    """`force_restart` None sends no body."""
    body = NO_BODY if force_restart is None else {"force_restart": force_restart}
    path = f"{place.meetings_path}/{meeting_id}/reinvite_bot"
    return Call("reinvite", place, "POST", path, body, meeting_id, key, force_restart=bool(force_restart))


def create_bot(place, bot_name, key=None):
    body = {"platform": "google_meet", "native_meeting_id": place.code, "bot_name": bot_name}
    return Call("create_bot", place, "POST", "/bots", body, key=key, bot_name=bot_name)


def stop(place, key=None):
    return Call("stop", place, "DELETE", place.bot_path, key=key)


class Client(threading.Thread):
    """Goes from place to place and from node to node until it is stopped."""

    def __init__(self, seed, number, cluster, places, recorder):
        super().__init__(name=f"client{number}", daemon=True)
        self._random = random.Random(f"{seed}/client/{number}")
        self._cluster = cluster
        self._places = places
        self._recorder = recorder
        self._stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self._stopping.is_set():
                self._ask()
                self._stopping.wait(self._random.uniform(*PAUSE_S))
        except Exception as failure:  # Raised by `end`, in the machine's main thread.
            self.failure = failure

    def end(self, deadline_s=30.0):
        self._stopping.set()
        self.join(deadline_s)
        assert not self.is_alive(), f"{self.name} did not end within {deadline_s:g} s"
        if self.failure:
            raise self.failure

    def _ask(self):
        choice = self._random
        call = draw_call(choice, choice.choice(self._places))
        for _ in range(choice.choice((1, 1, 2, 3))):
            [manner] = choice.choices(("whole", "half", "deaf"), (90, 4, 6))
            operation = call.send(
                self._recorder, self.name, choice.choice(self._cluster.nodes), self._patience_s(), manner)
            if operation.outcome != "unknown" or self._stopping.is_set():
                return

    def _patience_s(self):
        """Some give up before a node can have answered, some wait for whatever it says."""
        return self._random.choice((0.05, 0.2, 0.5, 1.0, 3.0))
