"""The archive in a bucket of a store that speaks S3, which is signed to, slow, away, or lies."""

import concurrent.futures
import signal
import threading

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.metrics import Scrape
from harness.s3_store import SECRET_KEY, S3Store, signature
from harness.transcripts import post, segment, texts
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin


@pytest.fixture
def bucket(servers):
    return servers.add(S3Store())


@pytest.fixture
def redis_of(servers):
    return servers.redis()


@pytest.fixture
def store(redis_of):
    return redis_of.client


def hold(user, store, text):
    """A meeting that is over, in which this was said."""
    meeting = user.send_bot()
    bot = user.play(store, meeting, "joining", "active")
    assert post(user.node, bot, {"segments": [segment("1", text)]}).status == 200
    bot.tell(user.node, "completed", completion_reason="left_alone")
    return meeting


def is_moved(user, store, meeting):
    return "archived" in user.fields(store, meeting)


def wait_until_moved(user, store, meeting):
    # A move that failed is tried again when its lease is over, which is not waited for.
    def moved():
        for key in store.call("KEYS", "usher:{p*}:moving"):
            store.call("DEL", key)
        return is_moved(user, store, meeting)
    wait_for(moved, "the transcript's move to the bucket", interval_s=0.5)


def wait_until_away(user):
    wait_for(lambda: Scrape(user.node.port).value("usher_archive_away") == 1, "the node's notice", interval_s=0.05)


def test_the_check_of_signatures_is_that_of_amazons_example():
    """The GET of "Authenticating Requests: Using the Authorization Header" in the API reference of S3."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    headers = {"host": "examplebucket.s3.amazonaws.com", "range": "bytes=0-9", "x-amz-content-sha256": empty,
               "x-amz-date": "20130524T000000Z"}
    assert signature(
        "GET", "/test.txt", headers, sorted(headers), empty, secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region="us-east-1") == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_it_is_written_read_and_removed(servers, redis_of, store, bucket):
    user = BotsUser(Admin(servers.node(redis_of, **bucket.settings)))
    meeting = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    assert len(bucket.files()) == 1 and bucket.files()[0].startswith(f"usher/test/{user.workspace_id}/")
    assert texts(user, meeting) == ["Hello"]
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    wait_for(lambda: not bucket.objects, "the object's removal", interval_s=0.05)
    assert bucket.refused == []


@pytest.mark.parametrize("mood", ["away", "denied", "forgets", "spoils", "no bucket"])
def test_a_store_that_fails_or_lies_delays_and_loses_nothing(servers, redis_of, store, bucket, mood):
    user = BotsUser(Admin(servers.node(redis_of, **bucket.settings)))
    bucket.mood = mood
    meeting = hold(user, store, "Hello")
    wait_until_away(user)
    assert not is_moved(user, store, meeting) and texts(user, meeting) == ["Hello"]
    code, output, log = run_usher("doctor", "--redis", redis_of.url)
    assert "archive: transcripts stay in Redis" in output, output + log
    bucket.mood = ""
    wait_until_moved(user, store, meeting)
    assert texts(user, meeting) == ["Hello"]
    assert SECRET_KEY not in user.node.log


def test_one_that_is_away_when_it_is_read(servers, redis_of, store, bucket):
    user = BotsUser(Admin(servers.node(redis_of, **bucket.settings)))
    meeting = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    path = f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}"
    for mood in ("away", "no bucket", "lost"):
        bucket.mood = mood
        answer = user.request("GET", path)
        assert_bots_error(answer, 503, "Service unavailable")
        assert "Retry later" in answer.json["detail"]
    bucket.mood = "slow"
    assert texts(user, meeting) == ["Hello"]


@pytest.mark.parametrize("mood", ["lost", "portal", "keeps"])
def test_what_was_deleted_goes_once_the_store_says_that_it_is_gone(servers, redis_of, store, bucket, mood):
    user = BotsUser(Admin(servers.node(redis_of, **bucket.settings)))
    meeting = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    bucket.mood = mood
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    wait_until_away(user)
    bucket.mood = ""
    # It is tried again a minute later; the test does not wait for that.
    removals = f"{user.keys.partition}:removals"
    [name] = store.call("ZRANGE", removals, 0, -1)
    store.call("ZADD", removals, 1, name)
    wait_for(lambda: not bucket.objects, "the object's removal", interval_s=0.05)


def test_what_cannot_be_removed_holds_up_nothing(servers, redis_of, store, bucket):
    user = BotsUser(Admin(servers.node(redis_of, **bucket.settings)))
    bucket.mood = "keeps"
    stuck = [f"{user.workspace_id}/{number:032x}-{number:032x}" for number in range(2000)]
    store.call("ZADD", f"{user.keys.partition}:removals", *(part for name in stuck for part in (1, name)))
    wait_until_away(user)
    meeting = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    assert Scrape(user.node.port).value("usher_archive_away") == 1


def test_a_node_that_ends_does_not_say_that_the_archive_is_away(servers, redis_of, store, bucket):
    user = BotsUser(Admin(servers.node(redis_of, **bucket.settings)))
    bucket.mood = "slow"
    hold(user, store, "Hello")
    wait_for(lambda: store.call("KEYS", "usher:{p*}:moving"), "a move's beginning")
    user.node.signal(signal.SIGTERM)
    assert user.node.wait() == 0
    assert "The archive cannot be used" not in user.node.log


def test_many_readers_are_few_to_the_store(servers, redis_of, store, bucket):
    user = BotsUser(Admin(servers.node(redis_of, **bucket.settings)))
    meeting = hold(user, store, "Hello")
    wait_until_moved(user, store, meeting)
    act, lock, most, readers = bucket.act, threading.Condition(), 64, 100
    asked = {"now": 0, "peak": 0}

    def act_late(*request):
        with lock:
            asked["now"] += 1
            asked["peak"] = max(asked["peak"], asked["now"])
            lock.notify_all()
            # All that come at once are there, and then some if there were no bound.
            lock.wait_for(lambda: asked["peak"] > most, 2 if asked["peak"] < most else 0.5)
        answer = act(*request)
        with lock:
            asked["now"] -= 1
        return answer
    bucket.act = act_late
    with concurrent.futures.ThreadPoolExecutor(readers) as pool:
        found = list(pool.map(lambda _: texts(user, meeting), range(readers)))
    assert found == [["Hello"]] * readers
    assert 1 < asked["peak"] <= most


@pytest.mark.parametrize("settings, said", [
    ({"ARCHIVE_S3_SECRET_KEY": None}, "needs --archive-s3-access-key and --archive-s3-secret-key"),
    ({"ARCHIVE": "s3://x"}, "must be none, redis:, a folder, or s3://BUCKET"), ({"ARCHIVE": "s3://bucket/a/../b"}, "must be none, redis:, a folder"),
    ({"ARCHIVE": "/nowhere/at/all"}, "is not there")])
def test_what_cannot_be_used_is_refused(servers, redis_of, bucket, settings, said):
    node = servers.node(redis_of, start=False, **{**bucket.settings, **settings})
    node.spawn()
    assert node.wait() == 2
    assert said in node.output + node.log
