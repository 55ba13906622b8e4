"""Transcripts of meetings that are over move to an archive, and are read, deleted and added to as before."""

import base64
import gzip
import json
import os
import random
import stat
import time

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.metrics import Scrape
from harness.proxy import is_script_with
from harness.transcripts import post, read, segment, texts, write
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin

FORMATS = ("txt", "md", "srt", "vtt")
WORDS = """about after again all also always and any are as ask back because been before better but by call can case change
check clear come could customer day deal did different do done down each end even every feature few find first for from get
give go good great had happen have hear help here how idea if important in issue it just keep know last later let like list
little long look made make many maybe mean meeting might minute month more morning most move much need never new next no not
now of off on one only open or other our out over part people plan point possible problem product project put question
quick quite rather ready really remember report right same say see send set share should side since so some soon sort start
still such sure take talk team tell test than thank that the their them then there these they thing think this those three
through time today together tomorrow too try two until up us use very want was way we week well were what when where which
while who why will with without word work would year yes yesterday yet you your""".split()
# As many segments as a meeting may have, and how many a bot tells of at once.
LONG, AT_ONCE = 50_000, 1_000


class Folder:
    def __init__(self, path):
        self.path = path
        os.mkdir(path)
        self.settings = {"ARCHIVE": path, "ARCHIVE_AFTER_MS": 0}

    def files(self):
        """The paths of all files, from the folder on."""
        return sorted(os.path.relpath(os.path.join(folder, name), self.path)
                      for folder, _, names in os.walk(self.path) for name in names)

    def only(self):
        names = self.files()
        assert len(names) == 1, names
        return names[0]

    def bytes(self, name):
        with open(os.path.join(self.path, name), "rb") as file:
            return file.read()

    def spoil(self, name, bytes):
        with open(os.path.join(self.path, name), "wb") as file:
            file.write(bytes)

    def lose(self, name):
        os.unlink(os.path.join(self.path, name))


class Kept:
    """Objects in Redis itself, with the names that their files would have."""

    settings = {"ARCHIVE": "redis:", "ARCHIVE_AFTER_MS": 0}

    def __init__(self, store):
        self._store = store

    def files(self):
        return sorted(self._keys())

    only = Folder.only

    def bytes(self, name):
        parts = self._store.hash(self._keys()[name])
        return b"".join(base64.b64decode(parts[str(number)]) for number in range(len(parts)))

    def spoil(self, name, bytes):
        self._store.call("HSET", self._keys()[name], 0, base64.b64encode(bytes).decode())

    def lose(self, name):
        self._store.call("DEL", self._keys()[name])

    def _keys(self):
        found = {}
        for key in self._store.scan("usher:{p?}:meeting:*:object:*"):
            meeting, _, object_ = key.split(":")[3:]
            workspace = self._store.call("HGET", key.split(":object:")[0], "workspace_id")
            found[f"{workspace}/{meeting}-{object_}.jsonl.gz"] = key
        return found


@pytest.fixture
def folder(servers):
    return Folder(os.path.join(servers.folder, "archive"))


@pytest.fixture(params=["folder", "redis"])
def place(request, servers, store):
    return Folder(os.path.join(servers.folder, "archive")) if request.param == "folder" else Kept(store)


@pytest.fixture
def redis_of(servers):
    return servers.redis()


@pytest.fixture
def store(redis_of):
    return redis_of.client


@pytest.fixture
def archiving(servers, redis_of, place):
    return servers.node(redis_of, **place.settings)


@pytest.fixture
def someone(archiving):
    return BotsUser(Admin(archiving))


def segments_key(user, meeting):
    return user.keys.meeting(meeting["data"]["meeting_id"]) + ":segments"


def record(user, store, meeting):
    return user.fields(store, meeting)


def hold(user, store, *spoken):
    """A meeting that is over, in which this was said."""
    meeting = user.send_bot()
    bot = user.play(store, meeting, "joining", "active")
    say(user, bot, *spoken)
    bot.tell(user.node, "completed", completion_reason="left_alone")
    return meeting, bot


def say(user, bot, *spoken):
    assert post(user.node, bot, {"segments": [
        segment(f"s{index}", text, index + 1, index + 2) for index, text in enumerate(spoken)]}).status == 200


def wait_until_moved(user, store, meeting):
    wait_for(lambda: "archived" in record(user, store, meeting) and not store.call("EXISTS", segments_key(user, meeting)),
             "the transcript's move to the archive", interval_s=0.05)


def in_all_forms(user, meeting):
    path = f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}?meeting_id={meeting['id']}"
    as_json = read(user, meeting)
    del as_json["cursor"]
    return as_json, [user.request("GET", f"{path}&format={form}").body for form in FORMATS]


def test_it_reads_as_before(servers, redis_of, store, place):
    plain = servers.node(redis_of)
    user = BotsUser(Admin(plain))
    meeting, _ = hold(user, store, "Hello", "there", "Ä \"quoted\" word")
    wait_for(lambda: record(user, store, meeting)["status"] == "OFFLINE", "the record's being finalised")
    before = in_all_forms(user, meeting)
    taken = int(store.call("HGET", user.keys.workspace, "bytes"))
    user.node = servers.node(redis_of, **place.settings)
    wait_until_moved(user, store, meeting)
    assert in_all_forms(user, meeting) == before
    assert read(user, meeting, query="?offset=1&limit=1")["segments"] == before[0]["segments"][1:2]
    assert int(store.call("HGET", user.keys.workspace, "bytes")) < taken
    lines = [json.loads(line) for line in gzip.decompress(place.bytes(place.only())).splitlines()]
    assert lines[0]["number"] == meeting["id"] and len(lines) == 4
    # A node that was given no archive says so, and shows no empty transcript; but for what Redis keeps.
    path = f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}"
    answer = user.request("GET", path, node=plain)
    if isinstance(place, Folder):
        assert_bots_error(answer, 503, "Service unavailable")
    else:
        assert answer.json["segments"] == before[0]["segments"]


def test_files_are_for_their_owner_alone(servers, redis_of, store, folder):
    user = BotsUser(Admin(servers.node(redis_of, **folder.settings)))
    meeting, _ = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    assert stat.S_IMODE(os.stat(os.path.join(folder.path, folder.only())).st_mode) == 0o600


def test_an_archive_in_redis_takes_a_part_of_the_memory_and_of_the_quota(servers, redis_of, store):
    """By what Redis itself counts, of segments with text that is said only once."""
    user = BotsUser(Admin(servers.node(redis_of)))
    chance = random.Random(5)
    spoken = [" ".join(chance.choice(WORDS) for _ in range(26)) for _ in range(200)]
    meeting, _ = hold(user, store, *spoken)
    key = segments_key(user, meeting)
    took, counted = (int(number) for number in (
        store.call("MEMORY", "USAGE", key, "SAMPLES", 0), store.call("HGET", user.keys.workspace, "bytes")))
    kept = Kept(store)
    user.node = servers.node(redis_of, **kept.settings)
    wait_until_moved(user, store, meeting)
    takes = sum(store.call("MEMORY", "USAGE", key) for key in store.scan("usher:{p?}:meeting:*:object:*"))
    counts = int(store.call("HGET", user.keys.workspace, "bytes"))
    assert texts(user, meeting) == spoken
    assert takes < took / 2 and 1000 + takes / 2 < counts < counted / 2, (took, takes, counted, counts)
    # What the meeting left is given back as a whole.
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    assert int(store.call("HGET", user.keys.workspace, "bytes")) == 1000


def test_a_meeting_whose_object_before_is_elsewhere_holds_up_no_other(servers, redis_of, store, folder):
    user = BotsUser(Admin(servers.node(redis_of, **folder.settings)))
    meeting, bot = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    user.node.end()
    user.node = servers.node(redis_of, **Kept.settings)
    assert post(user.node, bot, {"segments": [segment("late", "late", 50, 51)]}).json["changed"] == 1
    wait_for(lambda: user.node.said("A transcript cannot be moved to the archive"), "the node's notice", interval_s=0.05)
    other, _ = hold(user, store, "there")
    wait_until_moved(user, store, other)
    assert texts(user, other) == ["there"] and store.call("HLEN", segments_key(user, meeting)) == 1
    assert Scrape(user.node.port).value("usher_archive_away") == 0


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_what_redis_keeps_is_read_and_removed_by_all_nodes(servers, redis_of, store, folder, is_elsewhere):
    kept = Kept(store)
    user = BotsUser(Admin(servers.node(redis_of, **kept.settings)))
    meeting, _ = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    user.node.end()
    user.node = servers.node(redis_of, **folder.settings if is_elsewhere else {})
    assert texts(user, meeting) == ["Hello"] and folder.files() == []
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    wait_for(lambda: kept.files() == [], "the object's removal", interval_s=0.05)


def test_what_a_folder_has_is_left_to_nodes_that_have_it(servers, redis_of, store, folder):
    user = BotsUser(Admin(servers.node(redis_of, **folder.settings)))
    meeting, _ = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    user.node.end()
    user.node = servers.node(redis_of, **Kept.settings)
    path = f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}"
    assert_bots_error(user.request("GET", path), 503, "Service unavailable")
    removals = f"{user.keys.partition}:removals"
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    # However many there are, what Redis keeps is removed.
    others = [f"{user.workspace_id}/{meeting['data']['meeting_id']}-{number:032x}" for number in range(600)]
    for name in others:
        store.call("ZADD", removals, 1, name)
    other, _ = hold(user, store, "Hello")
    wait_until_moved(user, store, other)
    assert user.request("DELETE", user.meeting_path(other)).status == 200
    wait_for(lambda: Kept(store).files() == [], "the removal of the other object", interval_s=0.05)
    wait_for(lambda: store.call("ZCARD", removals) == 601, "the noting of that")
    assert len(folder.files()) == 1
    store.call("ZREM", removals, *others)
    servers.node(redis_of, **folder.settings)
    wait_for(lambda: folder.files() == [], "the object's removal", interval_s=0.05)


def test_a_long_one_reads_as_before(servers, redis_of, store, place):
    # It takes this build longer than a request may.
    patience = {"REQUEST_TIMEOUT_MS": 60_000}
    user = BotsUser(Admin(servers.node(redis_of, **patience)))
    meeting = user.send_bot()
    bot = user.play(store, meeting, "joining", "active")
    for first in range(0, LONG, AT_ONCE):
        said = [segment(f"s{index}", f"Größe {index}", index, index + 1)
                for index in range(first, first + AT_ONCE)]
        write(store, meeting, *said)
    wait_for(lambda: store.call("HLEN", segments_key(user, meeting)) == LONG, "all segments")
    bot.tell(user.node, "completed", completion_reason="left_alone")
    wait_for(lambda: record(user, store, meeting)["status"] == "OFFLINE", "the record's being finalised")
    before = read(user, meeting)
    del before["cursor"]
    assert len(before["segments"]) == LONG
    user.node = servers.node(redis_of, **place.settings, **patience)
    wait_until_moved(user, store, meeting)
    after = read(user, meeting)
    del after["cursor"]
    assert after == before
    last = read(user, meeting, query=f"?offset={LONG - 1}&limit=9")["segments"]
    assert last == before["segments"][-1:]
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    wait_for(lambda: place.files() == [], "the object's removal", interval_s=0.05)


def test_a_cursor_from_before_leads_to_all_of_it(someone, store):
    meeting = someone.send_bot()
    bot = someone.play(store, meeting, "joining", "active")
    say(someone, bot, "Hello")
    cursor = read(someone, meeting)["cursor"]
    bot.tell(someone.node, "completed", completion_reason="left_alone")
    wait_until_moved(someone, store, meeting)
    after = read(someone, meeting, query=f"?after={cursor}")
    assert after["reset"] and [one["text"] for one in after["segments"]] == ["Hello"]
    again = read(someone, meeting, query=f"?after={after['cursor']}")
    assert not again["reset"] and again["segments"] == []


def test_what_comes_in_late_is_moved_too(someone, store, place):
    meeting, bot = hold(someone, store, "Hello")
    wait_until_moved(someone, store, meeting)
    first = place.only()
    assert post(someone.node, bot, {"segments": [segment("late", "late", 50, 51)]}).json["changed"] == 1
    assert texts(someone, meeting) == ["Hello", "late"]
    wait_for(lambda: len(place.files()) == 2, "another object", interval_s=0.05)
    wait_until_moved(someone, store, meeting)
    assert texts(someone, meeting) == ["Hello", "late"]
    # The one before is kept for those who read it.
    assert first in place.files()


def test_deletion_takes_the_object_too(someone, store, place):
    meeting, _ = hold(someone, store, "secret")
    wait_until_moved(someone, store, meeting)
    assert someone.request("DELETE", someone.meeting_path(meeting)).status == 200
    assert texts(someone, meeting) == []
    wait_for(lambda: place.files() == [], "the object's removal", interval_s=0.05)
    assert not any(name.startswith("archived") for name in record(someone, store, meeting))


def test_deletion_is_not_forgotten_while_the_archive_is_away(servers, redis_of, store, folder):
    someone = BotsUser(Admin(servers.node(redis_of, **folder.settings)))
    meeting, _ = hold(someone, store, "secret")
    wait_until_moved(someone, store, meeting)
    os.rename(folder.path, folder.path + ".away")
    assert someone.request("DELETE", someone.meeting_path(meeting)).status == 200
    wait_for(lambda: Scrape(someone.node.port).value("usher_archive_away") == 1, "the node's notice", interval_s=0.05)
    os.rename(folder.path + ".away", folder.path)
    # It is tried again a minute later; the test does not wait for that.
    removals = [key for key in store.call("KEYS", "usher:{p*}:removals")]
    assert len(removals) == 1
    name = store.call("ZRANGE", removals[0], 0, -1)[0]
    store.call("ZADD", removals[0], 1, name)
    wait_for(lambda: folder.files() == [], "the object's removal", interval_s=0.05)


def test_retention_takes_the_object_too(servers, redis_of, store, place):
    user = BotsUser(Admin(servers.node(redis_of, **place.settings)))
    meeting, _ = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    servers.node(redis_of, RETENTION_MS=1, **place.settings)
    wait_for(lambda: user.request("GET", f"/meetings/{meeting['id']}").status == 404, "the meeting's removal")
    wait_for(lambda: place.files() == [], "the object's removal", interval_s=0.05)


def test_an_archive_that_is_away_delays_and_loses_nothing(servers, redis_of, store, folder):
    user = BotsUser(Admin(servers.node(redis_of, **folder.settings)))
    moved, _ = hold(user, store, "moved")
    wait_until_moved(user, store, moved)
    os.rename(folder.path, folder.path + ".away")
    waiting, _ = hold(user, store, "waiting")
    wait_for(lambda: Scrape(user.node.port).value("usher_archive_away") == 1, "the node's notice", interval_s=0.05)
    assert texts(user, waiting) == ["waiting"]
    path = f"/transcripts/{moved['platform']}/{moved['native_meeting_id']}"
    answer = user.request("GET", path)
    assert_bots_error(answer, 503, "Service unavailable")
    assert answer.header("Retry-After") == "10"
    code, output, log = run_usher("status", "--redis", redis_of.url)
    assert code == 0 and "cannot open the archive's folder" in output, output + log
    os.rename(folder.path + ".away", folder.path)
    # A lease of two minutes is not waited for.
    key = next(iter(store.call("KEYS", "usher:{p*}:moving")))
    store.call("DEL", key)
    wait_until_moved(user, store, waiting)
    assert texts(user, waiting) == ["waiting"] and texts(user, moved) == ["moved"]


@pytest.mark.parametrize("harm", ["gone", "short", "changed", "another's"])
def test_an_object_that_is_spoilt_is_no_empty_transcript(someone, store, place, harm):
    meeting, _ = hold(someone, store, "Hello")
    wait_until_moved(someone, store, meeting)
    name = place.only()
    bytes_before = place.bytes(name)
    if harm == "gone":
        place.lose(name)
    else:
        place.spoil(name, {
            "short": bytes_before[:-5], "changed": bytes_before[:-9] + b"x" + bytes_before[-8:],
            "another's": gzip.compress(b"{}\n")}[harm])
    answer = someone.request("GET", f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}")
    assert_bots_error(answer, 503, "Service unavailable")
    assert "as it was written" in answer.json["detail"]
    # It can be deleted all the same.
    assert someone.request("DELETE", someone.meeting_path(meeting)).status == 200
    assert texts(someone, meeting) == []


def test_nodes_that_are_killed_in_the_middle_lose_nothing(servers, redis_of, store, place):
    user = BotsUser(Admin(servers.node(redis_of)))
    chance = random.Random(23)
    proxy = servers.proxy(redis_of)
    victim = servers.node(proxy, start=False, **place.settings)
    seen_by_proxy = redis_of.connect()
    meetings = []

    def moving(client=store):
        return sorted(client.call("KEYS", "usher:{p*}:moving"))

    def within_a_move(skipped):
        """Tells one of the scripts of moves that come while there is a lease: the one behind so many."""
        found = []

        def is_it(command):
            if is_script_with(b":moving")(command) and moving(seen_by_proxy):
                found.append(command)
            return len(found) > skipped
        return is_it

    def signs():
        """What a node that moves something changes."""
        return place.files(), moving()

    for turn in range(10):
        meetings += [hold(user, store, f"one {number}", f"two {number}")[0]
                     for number in range(len(meetings), len(meetings) + 3)]
        before = signs()
        # Now at any instant, while it reads, writes, or lets go; now surely while it has a lease.
        held = proxy.hold(within_a_move(turn // 2 % 3)) if turn % 2 else None
        victim.spawn()
        if held:
            held.wait_until_struck("a script of a move")
        else:
            wait_for(lambda: signs() != before, "a move's beginning", interval_s=0.0005)
            time.sleep(chance.uniform(0, 0.005))
        victim.kill()
        # A lease of two minutes is not waited for.
        leases = moving()
        assert leases or not held
        for key in leases:
            store.call("DEL", key)
    user.node = servers.node(redis_of, **place.settings)
    for number, meeting in enumerate(meetings):
        wait_until_moved(user, store, meeting)
        assert texts(user, meeting) == [f"one {number}", f"two {number}"]
    # Whatever else was written is known to have to go.
    kept = {f"{user.workspace_id}/{meeting['data']['meeting_id']}-{record(user, store, meeting)['archived'].split()[0]}"
            for meeting in meetings}
    due = {name for key in store.call("KEYS", "usher:{p*}:removals") for name in store.call("ZRANGE", key, 0, -1)}
    found = {name.removesuffix(".part").replace("/.", "/").removesuffix(".jsonl.gz") for name in place.files()}
    assert kept <= found and found - kept <= due


def test_a_key_of_another_type_holds_up_no_other_partition(someone, store):
    spoilt = [f"usher:{{p{number:x}}}" for number in range(16)]
    spoilt.remove(someone.keys.partition)
    for partition in spoilt:
        store.call("SET", f"{partition}:moving", "x")
        # One whose record is gone: it cannot be moved, nor be left alone for a while.
        store.call("ZADD", f"{partition}:ended", 1, "f" * 32)
    meeting, _ = hold(someone, store, "Hello")
    wait_until_moved(someone, store, meeting)


def test_a_record_that_no_script_takes_is_left_alone_for_a_while(servers, redis_of, store, folder):
    user = BotsUser(Admin(servers.node(redis_of)))
    odd, _ = hold(user, store, "odd")
    wait_for(lambda: record(user, store, odd)["status"] == "OFFLINE", "the record's being finalised")
    store.call("HSET", user.keys.meeting(odd["data"]["meeting_id"]), "segments_revision", "odd")
    node = servers.node(redis_of, **folder.settings)
    wait_for(lambda: node.said("A transcript cannot be moved to the archive"), "the node's notice", interval_s=0.05)
    assert texts(user, odd) == ["odd"]
