"""What the phases of the bots put into Redis, as Usher's own scripts leave it, and the requests that go with them."""

import dataclasses
import hashlib
import json
import random
import uuid

from records import CREATED_AT_MS, USER, WORKSPACES, native_id, partition, resp

# As many as the sweep never ends: leases of bots that no runner keeps.
LEASE_END_MS = "4102444800000"
SEGMENTS_A_MESSAGE = 10
SEGMENT_STREAM = "transcription_segments"
WORDS = "so the next step is to send the draft to everyone and to ask for comments by friday at the latest"


@dataclasses.dataclass
class Workspace:
    """A workspace with one member, an owner, and an API key of this one's."""

    id: str
    key: str

    @property
    def prefix(self):
        return partition(self.id)

    def commands(self):
        digest = hashlib.sha256(self.key.encode()).hexdigest()
        return (
            resp("HSET", f"{self.prefix}:ws:{self.id}", "id", self.id, "name", "bench", "max_concurrent_bots",
                 "100000", "created_at", CREATED_AT_MS)
            + resp("HSET", f"{self.prefix}:ws:{self.id}:members", USER, "owner")
            + resp("HSET", f"usher:key:{digest}", "id", digest[:32], "workspace_id", self.id, "user_id", USER,
                   "scopes", "bots", "created_at", CREATED_AT_MS))


@dataclasses.dataclass
class RunningBot:
    """A bot in a room, as its meeting's number names it."""

    workspace: Workspace
    number: int

    @property
    def meeting(self):
        return f"{self.number:032x}"

    @property
    def id(self):
        # Its last digit is its partition.
        return str(uuid.UUID(int=self.number << 4))[:-1] + self.workspace.prefix[-2]

    @property
    def secret(self):
        return f"{self.number:064x}"

    def commands(self):
        """What `request_bot`, `claim` and a bot's reports leave behind."""
        prefix, workspace, room = self.workspace.prefix, self.workspace.id, native_id(self.number)
        at, container, number = CREATED_AT_MS, f"usher-{self.id}", str(self.number)
        digest = hashlib.sha256(self.secret.encode()).hexdigest()
        return "".join([
            resp("SET", f"usher:meeting:{self.meeting}", workspace),
            resp("SET", f"usher:number:{number}", f"{workspace} {self.meeting}"),
            resp("HSET", f"{prefix}:meeting:{self.meeting}", "id", self.meeting, "number", number, "workspace_id",
                 workspace, "status", "LIVE", "created_at", at, "updated_at", at, "platform", "google_meet",
                 "native_meeting_id", room, "meeting_url", f"https://meet.google.com/{room}", "created_by", USER,
                 "bot_name", "Bench", "language", "en", "epoch", "1", "bot_status", "active", "bot_id", self.id,
                 "dispatched_at", at, "bot_container_id", container, "start_time", at, "sessions",
                 f"{self.id}={at}"),
            resp("HSET", f"{prefix}:bot:{self.id}", "meeting_id", self.meeting, "workspace_id", workspace, "room",
                 f"google_meet:{room}", "epoch", "1", "attempts", "1", "desired", "run", "config_version", "0",
                 "dispatched_at", at, "entry", f"{at}-0", "runner", "bench", "claimed_at", at, "secret", digest,
                 "container", container, "reported", "active", "active_at", at),
            resp("ZADD", f"{prefix}:ws:{workspace}:meetings", number, self.meeting),
            resp("ZADD", f"{prefix}:ws:{workspace}:bots", at, self.id),
            resp("ZADD", f"{prefix}:leases", LEASE_END_MS, self.id),
            resp("SET", f"{prefix}:ws:{workspace}:room:google_meet:{room}", self.meeting),
            resp("SET", f"{prefix}:ws:{workspace}:latest:google_meet:{room}", self.meeting),
        ])


def workspaces(count, seed=1):
    generator = random.Random(seed)

    def random_hex():
        return f"{generator.getrandbits(128):032x}"

    return [Workspace(str(uuid.UUID(random_hex())), f"usher_{random_hex()}{random_hex()}") for _ in range(count)]


def beside(workspace):
    """Another workspace, whose records are in the same partition."""
    return next(other for other in workspaces(1000, seed=2) if other.prefix == workspace.prefix)


def write_seed(path, owners, bots):
    with open(path, "w", encoding="ascii", newline="") as seed:
        seed.writelines(owner.commands() for owner in owners)
        seed.writelines(bot.commands() for bot in bots)


class BotRequests:
    """A request for a bot in a room of its own, `count` times, over 1,000 workspaces."""

    def __init__(self, count, path):
        self.count, self.path = count, path
        self.owners = workspaces(WORKSPACES)
        with open(path, "w", encoding="ascii", newline="") as requests:
            for number in range(count):
                request = self.request(number)
                requests.write(request)
        self.request_bytes = len(request)

    def request(self, number):
        return post("/bots", {
            "X-API-Key": self.owners[number % WORKSPACES].key, "Content-Type": "application/json",
        }, {"platform": "google_meet", "native_meeting_id": native_id(number), "bot_name": "Bench", "language": "en"})


class SegmentMessages:
    """Messages of ten confirmed segments each, all of them different, over the meetings of some bots."""

    def __init__(self, count, bots):
        self.count, self.bots = count, bots

    def write_stream(self, path):
        """As bots write them to the stream, one XADD a message."""
        with open(path, "w", encoding="ascii", newline="") as commands:
            for number in range(self.count):
                bot = self.bots[number % len(self.bots)]
                payload = {"type": "transcription", "meeting_id": bot.number,
                           "native_meeting_id": native_id(bot.number), "segments": self.segments(number)}
                commands.write(resp("XADD", SEGMENT_STREAM, "*", "payload", json.dumps(payload)))

    def write_requests(self, path):
        """As bots send them by HTTP. Returns the bytes of a request."""
        with open(path, "w", encoding="ascii", newline="") as requests:
            for number in range(self.count):
                bot = self.bots[number % len(self.bots)]
                request = post(f"/internal/bots/{bot.id}/segments", {
                    "x-internal-secret": bot.secret, "Content-Type": "application/json",
                }, {"segments": self.segments(number)})
                requests.write(request)
        return len(request)

    def segments(self, number):
        """Always of the same length."""
        first = (number // len(self.bots)) * SEGMENTS_A_MESSAGE
        return [
            {"segment_id": f"segment-{first + index:08}", "speaker": f"Speaker {index % 4}", "text": WORDS,
             "start": 1000.5 + (first + index) % 8000, "end": 1003.5 + (first + index) % 8000, "language": "en",
             "completed": True}
            for index in range(SEGMENTS_A_MESSAGE)
        ]


def post(path, headers, body):
    text = json.dumps(body)
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines + [f"Content-Length: {len(text)}", "", text])
