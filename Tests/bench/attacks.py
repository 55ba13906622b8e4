"""The worst that one tenant, or one of its bots, was found to be able to do to the others.

Each has the records that it begins with, written straight into Redis where the service would refuse to make them by now;
and steps, each one request, which tell how they were answered.
"""

import itertools
import json
import socket
import time
import uuid

from bot_records import RunningBot
from processes import ADMIN_KEY
from records import CREATED_AT_MS, USER, native_id, resp

# Of what is asked for without an end, an answer is waited for no longer.
PATIENCE_S = 30.0
FIRST_NUMBER = 1_000


class Client:
    """A connection that is kept. Answers are read as they come and thrown away."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self._socket.makefile("rb")

    def request(self, method, path, secret, body=None):
        """The status. `secret` is a header. Raises OSError where there is no whole answer."""
        body = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{secret}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        line = self._input.readline()
        if not line:
            raise ConnectionResetError("no answer")
        length, is_chunked, is_closed = 0, False, False
        while (field := self._input.readline().strip().lower()):
            name, _, value = field.partition(b":")
            length = int(value) if name == b"content-length" else length
            is_chunked = is_chunked or name == b"transfer-encoding"
            is_closed = is_closed or (name == b"connection" and value.strip() == b"close")
        if is_chunked:
            while (size := int(self._input.readline() or b"", 16)):
                self._skip(size + 2)
            self._skip(2)
        else:
            self._skip(length)
        if is_closed:
            raise ConnectionResetError(f"closed after {line.split()[1].decode()}")
        return int(line.split()[1])

    def _skip(self, count):
        while count:
            taken = len(self._input.read(min(count, 65_536)))
            if not taken:
                raise ConnectionResetError("the answer was cut")
            count -= taken


class Attacker:
    """What one has that says nothing else."""

    # As a sentence that begins with "a tenant that".
    name = ""
    at_once = 2
    redis_memory = "0"
    # Whether nobody reads the node's log meanwhile.
    stalls_log = False

    def records(self, tenant):
        return []

    def steps(self, port, redis_socket, tenant):
        client = Client(port)
        for request in self.requests(tenant):
            yield client.request(*request)

    def requests(self, tenant):
        """What `Client.request` takes, one after the other."""
        raise NotImplementedError


def key(tenant):
    return f"X-API-Key: {tenant.key}"


def meeting(tenant, number, **fields):
    """A meeting that was held, as the version before would have written it."""
    identifier, room = f"{number:032x}", native_id(number)
    words = [word for name, value in fields.items() for word in (name, value)]
    return (
        resp("SET", f"usher:meeting:{identifier}", tenant.id)
        + resp("SET", f"usher:number:{number}", f"{tenant.id} {identifier}")
        + resp("HSET", f"{tenant.prefix}:meeting:{identifier}", "id", identifier, "number", str(number), "status",
               "OFFLINE", "bot_status", "completed", "created_at", CREATED_AT_MS, "updated_at", CREATED_AT_MS,
               "workspace_id", tenant.id, "platform", "google_meet", "native_meeting_id", room, "meeting_url",
               f"https://meet.google.com/{room}", "created_by", USER, *words)
        + resp("ZADD", f"{tenant.prefix}:ws:{tenant.id}:meetings", str(number), identifier)
        + resp("SET", f"{tenant.prefix}:ws:{tenant.id}:latest:google_meet:{room}", identifier))


def segments(bot, count, letters):
    """The transcript of a bot's meeting, as `ingest_segments` writes it."""
    key = f"{bot.workspace.prefix}:meeting:{bot.meeting}:segments"
    for index in range(count):
        said = {"completed": True, "end": index + 0.5, "segment_id": f"s{index}", "speaker": f"Speaker {index % 9}",
                "start": index, "text": "w" * letters}
        value = f"{CREATED_AT_MS}-0 c {index * 1000} {index * 1000 + 500} en {json.dumps(said, separators=(',', ':'))}"
        yield resp("HSET", key, f"{bot.id}:s{index}", value)


class LargeRecords(Attacker):
    name = "lists 1,000 meetings with 126 KB each"
    at_once = 4

    def records(self, tenant):
        notes, people = "n" * 62_000, json.dumps(["p" * 190] * 330)
        return (meeting(tenant, FIRST_NUMBER + index, notes=notes, participants=people) for index in range(1_000))

    def requests(self, tenant):
        return itertools.repeat(("GET", "/meetings", key(tenant)))


class FilteredLists(Attacker):
    name = "looks for what none of 100,000 meetings is"
    at_once = 8

    def records(self, tenant):
        return (meeting(tenant, FIRST_NUMBER + index) for index in range(100_000))

    def requests(self, tenant):
        return itertools.repeat(("GET", "/meetings?status=failed", key(tenant)))


class LongTranscript(Attacker):
    name = "reads a transcript of 50,000 segments"
    count, letters = 50_000, 200

    def records(self, tenant):
        return segments(RunningBot(tenant, 2), self.count, self.letters)

    def requests(self, tenant):
        return itertools.repeat(("GET", f"/transcripts/google_meet/{native_id(2)}", key(tenant)))


class LongSegments(LongTranscript):
    name = "reads a transcript of 5,000 segments of 19 KB"
    count, letters = 5_000, 19_000


def reports(tenant, body):
    bot = RunningBot(tenant, 2)
    return itertools.repeat(("POST", f"/internal/bots/{bot.id}/status", f"x-internal-secret: {bot.secret}", body))


class DeepReports(Attacker):
    name = "has a bot report what is nested 400 deep"

    def requests(self, tenant):
        body = ('{"connection_id":"x","status":"completed","bot_logs":' + "[" * 400 + ",".join(["{}"] * 2_000)
                + "]" * 400 + "}").encode()
        return reports(tenant, body)


class FlatReports(Attacker):
    name = "has a bot report a list of half a million"

    def requests(self, tenant):
        body = b'{"connection_id":"x","status":"completed","error_details":[' + b"0," * 500_000 + b"0]}"
        return reports(tenant, body)


class Poison(Attacker):
    name = "has a bot write entries of 2 MB, which is the most, into the stream"
    at_once = 1

    def steps(self, port, redis_socket, tenant):
        payload = '{"type":"transcription","meeting_id":2,"segments":[' + "0," * 1_000_000 + "0]}"
        command = resp("XADD", "transcription_segments", "*", "payload", payload).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(redis_socket)
            while True:
                connection.sendall(command)
                yield "written" if connection.recv(4096).startswith(b"$") else "refused by Redis"
                time.sleep(0.25)


class ManyKeys(Attacker):
    name = "has ten thousand API keys, and gets more"

    def records(self, tenant):
        for number in range(10_000):
            digest, identifier = f"{number:064x}", f"{number:032x}"
            yield resp("HSET", f"{tenant.prefix}:ws:{tenant.id}:keys", identifier, digest)
            yield resp("SET", f"usher:key:id:{identifier}", digest)
            yield resp("HSET", f"usher:key:{digest}", "id", identifier, "workspace_id", tenant.id, "user_id", USER,
                       "scopes", "bots", "created_at", CREATED_AT_MS)

    def requests(self, tenant):
        path = f"/admin/workspaces/{tenant.id}/keys"
        body = {"user_id": int(USER), "scopes": ["bots"]}
        return itertools.repeat(("POST", path, f"X-Admin-API-Key: {ADMIN_KEY}", body))


class Filling(Attacker):
    name = "fills a Redis of 384 MB"
    redis_memory = "384mb"
    at_once = 4
    count = 12_000

    def records(self, tenant):
        return (meeting(tenant, FIRST_NUMBER + index) for index in range(self.count))

    def requests(self, tenant):
        for index in itertools.cycle(range(self.count)):
            yield "PATCH", f"/meetings/google_meet/{native_id(FIRST_NUMBER + index)}", key(tenant), {
                "data": {"notes": "n" * 32_000}}


class StalledLog(Attacker):
    name = "has lines logged that nobody reads"
    stalls_log = True

    def requests(self, tenant):
        for number in itertools.count(uuid.uuid4().int % 10**9 + 10**9):
            yield "POST", "/bots", key(tenant), {
                "platform": "google_meet", "native_meeting_id": native_id(number), "bot_name": "Bench"}


class OddRecords(Attacker):
    name = "has times at the end of all numbers"

    def records(self, tenant):
        bot = RunningBot(tenant, 2)
        end = 2**63 - 1
        yield resp("HSET", f"{tenant.prefix}:meeting:{bot.meeting}", "sessions", f"{bot.id}={end}", "start_time", str(end))
        yield resp("HSET", f"{tenant.prefix}:meeting:{bot.meeting}:segments", f"{bot.id}:a",
                   f'{CREATED_AT_MS}-0 c {end} {end} en {{"completed":true,"segment_id":"a","text":"x"}}')

    def requests(self, tenant):
        paths = [f"/transcripts/google_meet/{native_id(2)}", "/meetings", "/bots/status"]
        return (("GET", path, key(tenant)) for path in itertools.cycle(paths))


ALL = (LargeRecords, FilteredLists, LongTranscript, LongSegments, DeepReports, FlatReports, Poison, ManyKeys, Filling, StalledLog,
       OddRecords)
