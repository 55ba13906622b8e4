"""A workspace that is exported and imported answers as it did, and what is spoilt is refused before anything is written."""

import gzip
import json
import os
import secrets
import signal
import socket
import stat
import subprocess
import uuid

import pytest

from harness.bots_user import BotsUser
from harness.feed_server import FeedServer, event, feed, utc
from harness.node import BINARY
from harness.times import iso
from harness.transcripts import post, segment
from harness.up import PATIENCE, run_usher
from harness.waiting import wait_for
from harness.workspace import API, Admin, random_meet_code

HOUR = 3600
# Archives what is over, or only reads what was.
AT_ONCE, NEVER = 0, 315_360_000_000


class Source:
    """A deployment with a workspace that has something of everything, and its export."""

    def __init__(self, servers):
        self.servers = servers
        self.redis = servers.redis()
        self.archive = os.path.join(servers.folder, "archive")
        os.mkdir(self.archive)
        self.feeds = FeedServer()
        self.node = servers.node(self.redis, ARCHIVE=self.archive, ARCHIVE_AFTER_MS=NEVER, WEBHOOK_ALLOW="127.0.0.1")
        self.user = BotsUser(Admin(self.node), name="Olga", max_concurrent_bots=7)
        self.hold_meetings()
        self.add_the_rest()
        self.file = os.path.join(servers.folder, "export.gz")
        assert self.export("--out", self.file)[0] == 0

    def hold_meetings(self):
        user, store = self.user, self.redis.client
        self.moved = self.hold("Hello", "there, \"Ä\"\n", "\u0001")
        self.move(self.moved, self.archive)
        self.packed = self.hold("Packed", "where it is")
        self.move(self.packed, "redis:")
        self.held = self.hold("Good", "morning")
        notes = {"data": {"notes": "Noted", "name": "Weekly"}}
        assert user.request("PATCH", user.meeting_path(self.held), notes).status == 200
        failed = user.send_bot()
        user.play(store, failed, "joining").tell(self.node, "failed", completion_reason="join_failure")
        self.plan = user.request("POST", "/meetings", {
            "meeting_url": f"https://meet.google.com/{random_meet_code()}", "scheduled_at": iso(2 * HOUR)}).json
        self.meetings = [self.moved, self.packed, self.held, failed, self.plan]

    def move(self, meeting, archive):
        mover = self.servers.node(self.redis, ARCHIVE=archive, ARCHIVE_AFTER_MS=AT_ONCE)
        wait_for(lambda: "archived" in self.user.fields(self.redis.client, meeting), "a move", interval_s=0.05)
        mover.end()

    def hold(self, *spoken):
        """A meeting that is over, in which this was said."""
        meeting = self.user.send_bot()
        bot = self.user.play(self.redis.client, meeting, "joining", "active")
        assert post(self.node, bot, {"segments": [
            segment(f"s{index}", text, index + 1, index + 2) for index, text in enumerate(spoken)]}).status == 200
        bot.tell(self.node, "completed", completion_reason="left_alone")
        wait_for(lambda: self.user.record(meeting)["status"] == "OFFLINE", "the end of a meeting", interval_s=0.05)
        return meeting

    def add_the_rest(self):
        user = self.user
        viewer = user.admin.create_user(name="Vera")
        user.admin.set_role(user.workspace_id, viewer["id"], "viewer")
        self.viewer_key = user.admin.create_key(
            user.workspace_id, viewer["id"], ("bots", "seameet"), label="ends", expires_at=iso(HOUR))["key"]
        hook = user.request("POST", "/webhooks", {
            "url": "http://127.0.0.1:9/hook", "events": ["meeting.started"], "description": "A hook"})
        assert hook.status == 201, hook
        self.feeds.feeds["/work"] = feed(event("e1", utc(24 * HOUR), random_meet_code()))
        calendar = user.request("POST", "/user/calendars", {"name": "Work", "ics_url": self.feeds.url("/work")})
        assert calendar.status == 201, calendar
        wait_for(lambda: user.request("GET", "/user/calendars").json["calendars"][0]["last_sync"],
                 "what a calendar plans", interval_s=0.05)

    def export(self, *arguments, workspace=None):
        return run_usher("export", workspace or self.user.workspace_id, *arguments,
                         environment={"USHER_REDIS": self.redis.url, "USHER_ARCHIVE": self.archive})


@pytest.fixture(scope="module")
def source(module_servers):
    source = Source(module_servers)
    yield source
    source.feeds.end()


def import_into(redis, file):
    return run_usher("import", file, environment={"USHER_REDIS": redis.url})


def lines(path):
    with gzip.open(path, "rb") as file:
        return file.read().splitlines(keepends=True)


def written(path, some):
    with gzip.open(path, "wb") as file:
        file.writelines(some)
    return path


def answers(source, node):
    """What both APIs and the administrator's say of it, but for what is of the node or of the moment."""
    user, admin = source.user, Admin(node)
    paths = ["/bots", "/meetings", "/user", "/webhooks", "/user/webhook", "/workspace/keys", "/workspace/members"]
    paths += [f"{API}/{user.workspace_id}/meetings?limit=100"]
    for meeting in source.meetings:
        room = f"{meeting['platform']}/{meeting['native_meeting_id']}"
        paths += [f"/meetings/{meeting['id']}", f"/bots/id/{meeting['id']}/timeline", f"/transcripts/{room}?format=srt",
                  f"/transcripts/{room}", f"{API}/{user.workspace_id}/meetings/{meeting['data']['meeting_id']}"]
    found = {path: user.request("GET", path, node=node) for path in paths}
    found["/viewer"] = user.request("GET", "/meetings", node=node, headers={"X-API-Key": source.viewer_key})
    for path in (f"/admin/users/email/{user.user['email']}", f"/admin/workspaces/{user.workspace_id}/keys"):
        found[path] = admin.request("GET", path)
    assert {answer.status for answer in found.values()} == {200}, found
    calendars = user.request("GET", "/user/calendars", node=node).json["calendars"]
    shown = {path: answer.body if "format" in path else answer.json for path, answer in found.items()}
    # Where it was imported a calendar is read at once.
    return without(shown, {"cursor", "last_used_at"}), without(calendars, {"last_sync", "is_syncing"})


def without(value, names):
    if isinstance(value, dict):
        return {name: without(part, names) for name, part in value.items() if name not in names}
    return [without(part, names) for part in value] if isinstance(value, list) else value


def test_both_apis_answer_as_before(servers, source):
    before = answers(source, source.node)
    redis = servers.redis()
    code, output, errors = import_into(redis, source.file)
    assert code == 0, errors
    assert "6 meetings" in output
    node = servers.node(redis, WEBHOOK_ALLOW="127.0.0.1", JOIN_LEAD_MS=3_600_000)
    assert answers(source, node) == before
    user = source.user
    # Secrets still sign, numbers go on, and what was taken from it is counted.
    hook = user.keys.webhook(user.request("GET", "/webhooks").json["webhooks"][0]["id"])
    assert redis.client.hash(hook) == source.redis.client.hash(hook)
    new = user.request("POST", "/meetings", {"meeting_url": f"https://meet.google.com/{random_meet_code()}"}, node=node)
    assert new.json["id"] > max(meeting["id"] for meeting in source.meetings)
    assert Admin(node).create_user()["id"] > user.user["id"]
    assert int(redis.client.call("HGET", user.keys.workspace, "bytes")) > 5_000
    # What is planned comes true once it is due, and not before.
    member = f"{user.workspace_id} {source.plan['data']['meeting_id']}"
    due = redis.client.call("ZSCORE", f"{user.keys.partition}:plans", member)
    assert due == source.redis.client.call("ZSCORE", f"{user.keys.partition}:plans", member)
    redis.client.call("ZADD", f"{user.keys.partition}:plans", "XX", "1", member)
    wait_for(lambda: user.request("GET", f"/meetings/{source.plan['id']}", node=node).json["status"] == "requested",
             "the bot of a plan", interval_s=0.05)
    # Another one is refused, and changes nothing.
    code, _, errors = import_into(redis, source.file)
    assert code == 1 and "is there already" in errors


def test_the_file_is_its_owners_alone_and_has_no_key(source):
    assert stat.S_IMODE(os.stat(source.file).st_mode) == 0o600
    text = b"".join(lines(source.file)).decode()
    assert source.user.token not in text and source.viewer_key not in text
    head, *_, end = [json.loads(line) for line in text.splitlines()]
    assert head["with"]["workspace_id"] == source.user.workspace_id
    assert end["with"]["lines"] == str(len(text.splitlines()) - 1)


def replaced(some, old, new):
    changed = [line.replace(old, new) for line in some]
    assert changed != some
    return changed


def spoil(source):
    """Files that are none, with what is said of each."""
    some, number = lines(source.file), source.held["id"]
    yield "cut off", some[:-1], "its last line is missing"
    yield "a byte", replaced(some, b"Noted", b"Voted"), "its checksum"
    yield "a line less", some[:3] + some[4:], "checksum"
    yield "another form", replaced(some, b'"form":"1"', b'"form":"2"'), "another form"
    yield "an unknown kind", [*some[:2], b'{"kind":"what"}\n', *some[2:]], "Line 3 of the export is of an unknown kind"
    yield "deep", [*some[:2], b"[" * 100 + b"\n"], "Line 3 of the export cannot be read"
    yield "an order", [some[0], some[-2], *some[1:]], "Line 2 of the export is not in its place"
    moved = f'"id":"{source.moved["data"]["meeting_id"]}"'.encode()
    without_record = [line for line in some if not (b'"kind":"meeting"' in line and moved in line)]
    yield "segments of no meeting", without_record, "is not in its place"
    yield "an id", replaced(some, source.held["data"]["meeting_id"].encode(), b"a:b"), "of the export"
    yield "a number", replaced(some, f'"number":"{number}"'.encode(), b'"number":"-1"'), "is not of its form"
    high = replaced(some, f'"number":"{number}"'.encode(), b'"number":"9007199254740992"')
    yield "a last number", high, "too few would be left"
    yield "no JSON", replaced(some, b'{\\"completed', b'{\\"completed\\"'), "is not of its form"
    large = b'{"kind":"user","id":"1","fields":{"name":"%s"}}\n' % (b"x" * (1 << 20))
    yield "a large record", [*some[:2], large], "Line 3 of the export is larger than one may be"
    hooks = [line for line in some if b'"kind":"webhook"' in line]
    assert len(hooks) == 1
    place = some.index(hooks[0])
    yield "eleven webhooks", some[:place] + hooks * 11 + some[place:], "more than 10 webhooks"
    yield "a running bot", replaced(some, b'"bot_status":"completed"', b'"bot_status":"active"'), "is not over"
    yield "no export", [b"{}\n"], "This is no export"


@pytest.fixture(scope="module")
def untouched(module_servers):
    """A Redis into which no import comes."""
    return module_servers.redis()


def test_what_is_spoilt_is_refused_before_anything_is_written(source, untouched):
    redis = untouched
    path = os.path.join(source.servers.folder, "spoilt.gz")
    before = redis.client.scan("*")
    for name, some, why in spoil(source):
        code, output, errors = import_into(redis, written(path, some))
        assert (code, output) == (1, "") and why in errors, (name, errors)
    with open(source.file, "rb") as file:
        packed = file.read()
    for part in (packed[:-30], packed[:40] + bytes([packed[40] ^ 1]) + packed[41:], packed + b"more", b"nothing packed"):
        with open(path, "wb") as file:
            file.write(part)
        assert import_into(redis, path)[0] == 1
    assert redis.client.scan("*") == before


@pytest.mark.parametrize("key, value, why", [
    ("usher:number:{number}", "another one", "another meeting with the number"),
    ("usher:user:email:{email}", "77", "The email of user"),
])
def test_what_is_taken_is_refused_before_anything_is_written(source, untouched, key, value, why):
    key = key.format(number=source.held["id"], email=source.user.user["email"])
    untouched.client.call("SET", key, value)
    before = untouched.client.scan("*")
    code, _, errors = import_into(untouched, source.file)
    assert code == 1 and why in errors and "import into" in errors
    assert untouched.client.scan("*") == before
    untouched.client.call("DEL", key)


def test_what_cannot_be_exported_is_said_and_leaves_no_file(source):
    user = source.user
    path = os.path.join(source.servers.folder, "other.gz")
    code, _, errors = source.export("--out", path, workspace="0" * 32)
    assert code == 1 and "There is no workspace" in errors
    code, _, errors = run_usher(
        "export", user.workspace_id, "--out", path, environment={"USHER_REDIS": source.redis.url})
    assert code == 1 and "--archive" in errors
    code, _, errors = source.export("--out", "/dev/full")
    assert code == 1 and "No space left on device" in errors
    code, _, errors = source.export()
    assert code == 2 and "--out" in errors
    other = BotsUser(Admin(source.node))
    running = other.send_bot()
    code, _, errors = source.export("--out", path, workspace=other.workspace_id)
    assert code == 1 and f"meeting {running['id']}" in errors and "--running skip" in errors
    assert not [name for name in os.listdir(source.servers.folder) if name.startswith("other.gz")]
    code, _, errors = source.export("--out", path, "--running", "skip", workspace=other.workspace_id)
    assert code == 0 and running["data"]["meeting_id"] in errors
    assert not [line for line in lines(path) if b'"kind":"meeting"' in line]


def memory_of(child):
    """The most that a process has had resident so far, in bytes; 0 once it has ended."""
    with open(f"/proc/{child.pid}/status") as file:
        return sum(int(line.split()[1]) * 1_024 for line in file if line.startswith("VmHWM:"))


def export_to_pipe(source, workspace, path):
    """The most memory that an export had when it was nearly through: it waits for its reader."""
    child = subprocess.Popen([BINARY, "export", workspace, "--out", "-"], stdout=subprocess.PIPE,
                             env={**PATIENCE, "USHER_REDIS": source.redis.url})
    memory = 0
    with open(path, "wb") as file:
        while (piece := child.stdout.read(65_536)):
            file.write(piece)
            memory = max(memory, memory_of(child))
    assert child.wait() == 0
    return memory


def test_a_long_transcript_takes_little_memory_and_an_import_goes_on(servers, source):
    user, store = BotsUser(Admin(source.node)), source.redis.client
    meeting = user.send_bot()
    bot = user.play(store, meeting, "joining", "active")
    bot.tell(source.node, "completed", completion_reason="left_alone")
    wait_for(lambda: user.record(meeting)["status"] == "OFFLINE", "the end of a meeting", interval_s=0.05)
    key = user.keys.meeting(meeting["data"]["meeting_id"]) + ":segments"
    short, long = (os.path.join(servers.folder, name) for name in ("short.gz", "long.gz"))
    memory = []
    for path, count in ((short, 2_000), (long, 10_000)):
        for start in range(0, count, 1_000):
            store.call("HSET", key, *[part for number in range(start, start + 1_000) for part in (
                f"{bot.bot_id}:s{number}", f'1700000000000-0 c 1000 2000 - {{"text":"{secrets.token_hex(100)}"}}')])
        memory.append(export_to_pipe(source, user.workspace_id, path))
    # It takes some 3 MB as it is, and a multiple of that in memory.
    assert memory[1] < memory[0] + 3_000_000, memory

    redis = servers.redis()
    proxy = servers.proxy(redis)
    writes = []

    def is_fifth(command):
        writes.extend([command] if key.encode() in command and command[0].upper() in (b"EVALSHA", b"EVAL") else [])
        return len(writes) == 5
    held = proxy.hold(is_fifth)
    child = subprocess.Popen([BINARY, "import", long], env={**PATIENCE, "USHER_REDIS": proxy.url})
    held.wait_until_struck("a part of an import")
    # All of the file has been read once.
    assert memory_of(child) < memory[0] + 3_000_000, memory
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert 0 < int(redis.client.call("HLEN", key)) < 10_000
    node = servers.node(redis)
    assert user.request("GET", "/meetings", node=node).status == 401
    code, _, errors = import_into(redis, short)
    assert code == 1 and "from another file was interrupted" in errors
    # It may come from a pipe, too.
    run = subprocess.run(["sh", "-c", f"cat '{long}' | '{BINARY}' import -"], timeout=300,
                         env={**PATIENCE, "USHER_REDIS": redis.url})
    assert run.returncode == 0
    assert int(redis.client.call("HLEN", key)) == 10_000
    assert user.request("GET", f"/meetings/{meeting['id']}", node=node).json == user.meeting(meeting)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_export_that_is_ended_leaves_no_file(servers, by):
    folder = os.path.join(servers.folder, f"exports-{by}")
    os.mkdir(folder)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # It waits for a Redis that says nothing.
        child = subprocess.Popen(
            [BINARY, "export", str(uuid.uuid4()), "--out", os.path.join(folder, "a.gz")],
            env={"USHER_REDIS": f"redis://127.0.0.1:{silent.getsockname()[1]}"}, stderr=subprocess.DEVNULL)
        wait_for(lambda: any(folder in name for name in open_files(child.pid)), "the beginning of an export")
        child.send_signal(by)
        assert child.wait(60) == -by
    assert os.listdir(folder) == []


def open_files(process):
    """What the descriptors of a process lead to."""
    folder = f"/proc/{process}/fd"
    found = []
    for name in os.listdir(folder):
        try:
            found.append(os.readlink(os.path.join(folder, name)))
        except FileNotFoundError:
            pass  # It was closed meanwhile.
    return found
