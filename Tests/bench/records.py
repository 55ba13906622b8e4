"""What a run puts into Redis before each phase: the records as Usher's own scripts write them (lua/create_*.lua), and
the requests that go with them."""

import binascii
import hashlib
import math
import random
import string
import uuid

WORKSPACES = 1000
PARTITIONS = range(16)
USER = "1"
CREATED_AT_MS = "1779334931482"
# What stands for a random number in a command of redis-benchmark: twelve digits, below the number given with -r.
RANDOM = "__rand_int__"


def partition(workspace):
    """The hash tag of a workspace: CRC16 (XMODEM) of its id, modulo 16 (docs/architecture.md, "Keys")."""
    return f"usher:{{p{binascii.crc_hqx(workspace.encode(), 0) % 16:x}}}"


def resp(*words):
    """A command in the form in which Redis reads it."""
    parts = [f"*{len(words)}\r\n"]
    parts += [f"${len(word)}\r\n{word}\r\n" for word in words]
    return "".join(parts)


def native_id(number):
    """The code of a Google Meet room, as abc-defg-hij: a different one for each number."""
    letters = []
    for _ in range(10):
        number, letter = divmod(number, 26)
        letters.append(string.ascii_lowercase[letter])
    text = "".join(reversed(letters))
    return f"{text[:3]}-{text[3:7]}-{text[7:]}"


def meeting_commands(prefix, meeting, number, workspace):
    room = native_id(number)
    return resp(
        "HSET", f"{prefix}:meeting:{meeting}", "id", meeting, "number", str(number), "status", "INITIAL",
        "created_at", CREATED_AT_MS, "workspace_id", workspace, "platform", "google_meet", "native_meeting_id", room,
        "meeting_url", f"https://meet.google.com/{room}", "created_by", USER)


class DispatchRequests:
    """Meetings over many workspaces, each with a room of its own, and one request to dispatch each of them."""

    def __init__(self, count, seed_path, requests_path, workspaces=WORKSPACES):
        self.count = count
        generator = random.Random(1)

        def random_hex():
            return f"{generator.getrandbits(128):032x}"

        owners = [(str(uuid.UUID(random_hex())), f"usher_{random_hex()}{random_hex()}") for _ in range(workspaces)]
        # (id of the workspace, API key)
        self.owners = owners
        with open(seed_path, "w", encoding="ascii", newline="") as seed:
            for workspace, key in owners:
                seed.write(self._workspace_commands(workspace, key))
            with open(requests_path, "w", encoding="ascii", newline="") as requests:
                for number in range(1, count + 1):
                    # One workspace after the other, so that requests of one moment seldom share its lock.
                    workspace, key = owners[number % workspaces]
                    meeting = random_hex()
                    seed.write(resp("SET", f"usher:meeting:{meeting}", workspace))
                    seed.write(meeting_commands(partition(workspace), meeting, number, workspace))
                    request = (
                        f"POST /api/v1/public/meeting/{workspace}/meetings/{meeting}/reinvite_bot HTTP/1.1\r\n"
                        f"Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Length: 0\r\n\r\n")
                    requests.write(request)
        self.request_bytes = len(request)

    @staticmethod
    def _workspace_commands(workspace, key):
        digest = hashlib.sha256(key.encode()).hexdigest()
        prefix = partition(workspace)
        return (
            resp("HSET", f"{prefix}:ws:{workspace}", "id", workspace, "name", "bench", "max_concurrent_bots", "10",
                 "created_at", CREATED_AT_MS)
            + resp("HSET", f"{prefix}:ws:{workspace}:members", USER, "owner")
            + resp("HSET", f"usher:key:{digest}", "id", digest[:32], "workspace_id", workspace, "user_id", USER,
                   "scopes", "seameet", "created_at", CREATED_AT_MS))


class ScriptCalls:
    """Records and arguments with which `redis-benchmark` has every call of the dispatch script accepted.

    `redis-benchmark` puts an independent random number at each `__rand_int__`, so no two keys of a call can belong
    together, and it cannot take a lock before each call. The script is content all the same:

    - Meetings are numbered by two random numbers, and each of those is seeded. One that comes again is dispatched
      again, as its status stays INITIAL.
    - In-flight keys and bots are numbered by five and three, so that none comes again: a call that met one would be
      refused, and leave no lock for those after it.
    - One key serves as `lock_key` and as `room_key`, with the same value as the `token` and as the `meeting_id`. The
      script compares and deletes the lock, finds the room free, and in the end sets the holder: the lock of the next
      call. So it runs the very commands of an accepted dispatch, and no lock has to be set between the calls.

    Keys and arguments have the lengths of real ones, and the database has as many keys: the larger it is, the longer
    Redis takes for each.
    """

    PREFIX = "usher:{p0}"
    TOKEN = "0123456789abcdef0123456789abcdef"

    def __init__(self, count, seed_path):
        # As many meetings as the other side has, and some hundreds of workspaces.
        self.range = max(200, math.isqrt(count))
        self.lock = f"{self.PREFIX}:ws:{uuid.UUID(int=0)}:lock"
        with open(seed_path, "w", encoding="ascii", newline="") as seed:
            seed.write(resp("SET", self.lock, self.TOKEN))
            for first in range(self.range):
                for second in range(self.range):
                    number = first * self.range + second + 1
                    meeting = f"00000000{first:012}{second:012}"
                    seed.write(resp("SET", f"usher:meeting:{meeting}", str(uuid.UUID(int=0))))
                    seed.write(meeting_commands(self.PREFIX, meeting, number, str(uuid.UUID(int=0))))

    def words(self, digest):
        """The command, EVALSHA and all."""
        workspace = f"{'0' * 24}{RANDOM}"
        meeting = f"00000000{RANDOM * 2}"
        bot = RANDOM * 3
        room = RANDOM * 2
        keys = [
            self.lock, f"{self.PREFIX}:ws:{RANDOM * 3}:inflight:{room}", self.lock,
            f"{self.PREFIX}:ws:{workspace}:bots", f"{self.PREFIX}:meeting:{meeting}", f"{self.PREFIX}:bot:{bot}",
            f"{self.PREFIX}:dispatch", f"{self.PREFIX}:events", f"{self.PREFIX}:ws:{workspace}:webhooks",
            f"{self.PREFIX}:outbox", f"{self.PREFIX}:meeting:{meeting}:feed", f"{self.PREFIX}:ws:{workspace}:feed",
        ]
        # The one event stream may grow as long as the sixteen of the other side together, so that neither is trimmed.
        events_max_length = str(100_000 * len(PARTITIONS))
        arguments = [
            self.TOKEN, "INITIAL", self.TOKEN, workspace, room, bot, "600000", events_max_length, f"user {USER}",
            f"00-{self.TOKEN}-{self.TOKEN[:16]}-01", "",
        ]
        return ["EVALSHA", digest, str(len(keys)), *keys, *arguments]


def script_digest(folder):
    """The SHA-1 under which a node loads `dispatch.lua`: the text with its includes, without lines of comment
    (Sources/Scripts/Scripts.swift)."""

    def expand(path):
        lines = []
        with open(path, encoding="utf-8") as text:
            for line in text.read().split("\n"):
                if line.startswith("-- include: "):
                    lines.append(expand(f"{folder}/includes/{line.removeprefix('-- include: ')}.lua"))
                elif line and not line.startswith("--"):
                    lines.append(line)
        return "\n".join(lines)

    return hashlib.sha1(expand(f"{folder}/dispatch.lua").encode()).hexdigest()
