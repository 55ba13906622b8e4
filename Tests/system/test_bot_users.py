"""A user of Redis for each bot, and what it may do with it; the segment stream, open and closed."""

import itertools
import json
import os
import re
import signal
import urllib.parse

import pytest

from harness import transcripts
from harness.bots_user import BotsUser
from harness.deployments import RedisCluster, SentinelDeployment
from harness.played_bot import PlayedBot
from harness.resp import RedisClient, RedisError
from harness.runner import processes_of, wait_until_gone
from harness.transcripts import post, segment, texts, wait_for_texts, write, write_message
from harness.waiting import wait_for
from harness.workspace import Admin

CLOSED = {"SHARED_STREAM": "off"}
on_a_single_redis = pytest.mark.skipif(
    os.environ.get("USHER_TEST_DEPLOYMENT", "standalone") != "standalone", reason="has a Redis of its own kind")


def each(redis, *command):
    """A command's answer of each primary: users are what each server keeps to itself."""
    if hasattr(redis, "primaries"):
        return [server.ask(*command) for server in redis.primaries()]
    return [redis.client.call(*command)]


def bots_users(redis):
    """The bots' users, which must be the same everywhere; None while they are not."""
    found = [{name for name in names if name.startswith("usher-bot-")} for names in each(redis, "ACL", "USERS")]
    return found[0] if all(names == found[0] for names in found) else None


def of(*bot_ids):
    return {f"usher-bot-{bot_id}" for bot_id in bot_ids}


def told(bot_id):
    """The configuration of a bot that runs, from its environment."""
    for process in processes_of(bot_id):
        with open(f"/proc/{process}/environ", "rb") as file:
            for variable in file.read().split(b"\0"):
                if variable.startswith(b"VEXA_BOT_CONFIG="):
                    return json.loads(variable.partition(b"=")[2])
    raise AssertionError(f"bot {bot_id} does not run")


def in_room(user, redis, **options):
    """A bot of a runner's in its room."""
    meeting = user.send_bot(**options)
    user.wait_for_status(meeting, "active")
    return meeting, user.bot_id(redis.client, meeting)


def credentials(bot_id):
    name, password = re.match(r"redis[+a-z]*://([^:]*):([^@]*)@", told(bot_id)["redisUrl"]).groups()
    assert name == f"usher-bot-{bot_id}"
    return name, urllib.parse.unquote(password)


def log_in(address, bot_id):
    """A connection with the bot's own credentials."""
    client = RedisClient(address)
    assert client.call("AUTH", *credentials(bot_id)) == "OK"
    return client


def as_bot(redis, bot_id):
    place = urllib.parse.urlsplit(redis.bot_url)
    return log_in(place.path if place.scheme == "redis+unix" else (place.hostname, place.port), bot_id)


def stop(user, meeting):
    assert user.request("DELETE", user.bot_path(meeting)).status == 202
    user.wait_for_status(meeting, "completed")


def test_a_bot_has_a_user_for_as_long_as_it_runs(servers):
    redis = servers.redis()
    node = servers.node(redis)
    runner = servers.runner(redis, node)
    user = BotsUser(Admin(node))
    meeting, bot_id = in_room(user, redis)
    other, other_id = in_room(user, redis)
    assert bots_users(redis) == of(bot_id, other_id)
    wait_for(lambda: texts(user, meeting), "what it says")
    client = as_bot(redis, bot_id)
    number = meeting["id"]
    for allowed in (["PING"], ["XADD", "transcription_segments", "*", "payload", "{}"],
                    ["PUBLISH", f"tc:meeting:{number}:mutable", "x"]):
        client.call(*allowed)
    for command in (
            f"SUBSCRIBE bot_commands:meeting:{other['id']}", f"PUBLISH bot_commands:meeting:{other['id']} x",
            f"PUBLISH tc:meeting:{other['id']}:mutable x", f"SUBSCRIBE tc:meeting:{other['id']}:mutable",
            "PSUBSCRIBE bot_commands:meeting:*", "PSUBSCRIBE *", "XRANGE transcription_segments - +",
            "XLEN transcription_segments", "DEL transcription_segments", "XADD usher:dead_letters * a b",
            "XADD usher:{p0}:dispatch * a b", f"HGETALL usher:bot:{bot_id}", "KEYS *", "ACL LIST", "ACL WHOAMI",
            "CONFIG GET *", "EVAL return(1) 0", "CLIENT LIST", "FLUSHALL", "MULTI"):
        with pytest.raises(RedisError, match="NOPERM"):
            client.call(*command.split())
    assert client.call("SUBSCRIBE", f"bot_commands:meeting:{number}")[0] == "subscribe"
    passwords = [credentials(bot)[1] for bot in (bot_id, other_id)]
    stop(user, meeting)
    wait_until_gone(bot_id)
    wait_for(lambda: bots_users(redis) == of(other_id), "the removal of its user")
    stop(user, other)
    wait_for(lambda: bots_users(redis) == set(), "the removal of the other one")
    refused = [entry for entry in itertools.chain(*each(redis, "ACL", "LOG"))
               if "usher-bot" in str(entry) and "usher-simulated-bot" in str(entry)]
    assert refused == [], "Redis refused something to a bot"
    for password in passwords:
        assert len(password) >= 32 and password not in runner.log + runner.output + node.log
        assert password not in str(user.meeting(meeting)) + str(user.meeting(other))
        assert password not in str(each(redis, "SLOWLOG", "GET", "-1"))


def test_a_user_that_is_lost_is_made_again(servers):
    """As after a failover: a replica has none of the users, and connections to it are new."""
    redis = servers.redis()
    node = servers.node(redis)
    servers.runner(redis, node, LEASE_TTL_MS=15_000)
    user = BotsUser(Admin(node))
    meeting, bot_id = in_room(user, redis)
    assert each(redis, "ACL", "DELUSER", f"usher-bot-{bot_id}")[-1] == 1
    each(redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_for(lambda: bots_users(redis) == of(bot_id), "the user")
    said = len(texts(user, meeting))
    wait_for(lambda: len(texts(user, meeting)) > said + 2, "what it says then")
    stop(user, meeting)


@on_a_single_redis
@pytest.mark.parametrize("kind", [SentinelDeployment, RedisCluster])
def test_a_bot_has_its_user_after_a_failover(servers, kind):
    """The replica that takes over knows no users; the bot's is made there with the password that it knows."""
    redis = servers.add(kind(servers.folder, "redis")).start()
    node = servers.node(redis)
    servers.runner(redis, node, BOT_REDIS=redis.bot_url)
    user = BotsUser(Admin(node))
    meeting, bot_id = in_room(user, redis)
    if kind is SentinelDeployment:
        former = redis.primary()
        former.kill()
        wait_for(lambda: redis.primary() is not former, "the failover")
    else:
        former, replica = redis.owner(transcripts.STREAM)
        former.kill()
        wait_for(lambda: replica.ask("ROLE")[0] == "master", "the promotion of the replica")
    user.is_patient = True
    wait_for(lambda: bots_users(redis) == of(bot_id), "its user on the new primary")
    assert former not in redis.primaries()
    for server in redis.primaries():
        client = log_in(server.address, bot_id)
        assert client.call("SUBSCRIBE", f"bot_commands:meeting:{meeting['id']}")[0] == "subscribe"
        client.close()
    user.wait_for_status(meeting, "active")
    stop(user, meeting)
    wait_for(lambda: bots_users(redis) == set(), "the removal of its user")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_users_of_a_runner_that_ends(servers, number):
    """It takes them with it; what a killed one leaves the next one removes once the bots' ends are known."""
    redis = servers.redis()
    settings = {"LEASE_TTL_MS": 15_000}
    node = servers.node(redis, **settings)
    runner = servers.runner(redis, node, **settings)
    user = BotsUser(Admin(node))
    rooms = [in_room(user, redis) for _ in range(3)]
    bots = [bot_id for _, bot_id in rooms]
    assert bots_users(redis) == of(*bots)
    runner.signal(number)
    runner.wait()
    if number == signal.SIGTERM:
        assert bots_users(redis) == set()
        return
    for meeting, bot_id in rooms:
        user.wait_for_status(meeting, "failed")
        wait_until_gone(bot_id)
    # As if the minute had passed after which they are anybody's to remove; of two the records are gone.
    redis.client.call("HSET", user.keys.bot(bots[0]), "ended_at", 1)
    for bot_id in bots[1:]:
        redis.client.call("DEL", user.keys.bot(bot_id))
    assert bots_users(redis) == of(*bots)
    servers.runner(redis, node, **settings)
    wait_for(lambda: bots_users(redis) == set(), "their removal")


def test_leftovers_are_removed(servers):
    redis = servers.redis()
    node = servers.node(redis)
    user = BotsUser(Admin(node))
    ended = user.play(redis.client, user.send_bot(), "joining", "failed")
    lately = user.play(redis.client, user.send_bot(), "joining", "failed")
    running = user.play(redis.client, user.send_bot(), "joining")
    redis.client.call("HSET", user.keys.bot(ended.bot_id), "ended_at", 1)
    # A minute after its end has not passed, however slow this machine is.
    now = int(redis.client.call("TIME")[0])
    redis.client.call("HSET", user.keys.bot(lately.bot_id), "ended_at", (now + 600) * 1000)
    gone = "00000000-0000-4000-8000-000000000000"
    for name in (ended.bot_id, lately.bot_id, running.bot_id, "mine"):
        each(redis, "ACL", "SETUSER", f"usher-bot-{name}", "on", ">x")
    # One is left on one server alone, which could not be reached when it was removed.
    (redis.primaries()[-1].ask if hasattr(redis, "primaries") else redis.client.call)(
        "ACL", "SETUSER", f"usher-bot-{gone}", "on", ">x")
    servers.runner(redis, node)
    wait_for(lambda: bots_users(redis) == of(lately.bot_id, running.bot_id, "mine"), "their removal")


@on_a_single_redis
@pytest.mark.parametrize("mode, right", [("auto", ""), ("auto", "+acl|setuser"), ("on", ""), ("off", "")])
def test_where_the_runner_may_make_no_users(servers, mode, right):
    """Or not remove them."""
    redis = servers.redis()
    assert redis.client.call(
        "ACL", "SETUSER", "usher", "on", ">x", "~*", "&*", "+@all", "-acl", *right.split()) == "OK"
    url = redis.url.replace("redis+unix://", "redis+unix://usher:x@")
    node = servers.node(redis)
    runner = servers.runner(redis, node, BOT_REDIS=redis.url, REDIS=url, BOT_REDIS_USERS=mode)
    user = BotsUser(Admin(node))
    meeting = user.send_bot()
    if mode == "on":
        wait_for(lambda: runner.said("A bot's user of Redis could not be made; pausing"), "the error")
        assert user.meeting(meeting)["status"] == "requested"
        assert runner.started == []
        return
    user.wait_for_status(meeting, "active")
    assert told(user.bot_id(redis.client, meeting))["redisUrl"] == redis.url
    assert bots_users(redis) == set()
    if mode == "auto":
        wait_for(lambda: "Bots have no users of Redis of their own" in runner.log, "the runner's word on that")
    assert runner.log.count("Bots have no users of Redis of their own") == (1 if mode == "auto" else 0)
    stop(user, meeting)


def test_a_closed_stream(servers):
    """Bots may not write to it, nobody reads it, and ours send what they hear by HTTP."""
    redis = servers.redis()
    node = servers.node(redis, **CLOSED)
    servers.runner(redis, node, **CLOSED)
    user = BotsUser(Admin(node))
    meeting, bot_id = in_room(user, redis)
    wait_for(lambda: len(texts(user, meeting)) > 2, "what it says")
    with pytest.raises(RedisError, match="NOPERM"):
        as_bot(redis, bot_id).call("XADD", "transcription_segments", "*", "payload", "{}")
    assert redis.client.call("EXISTS", "transcription_segments") == 0
    assert redis.client.hash(user.keys.bot(bot_id))["stream"] == "0"
    stop(user, meeting)
    wait_for(lambda: user.meeting(meeting)["data"].get("participants"), "the participants")


def test_nobody_writes_into_a_meeting_whose_bot_does_not_use_the_stream(servers):
    redis = servers.redis()
    user = BotsUser(Admin(servers.node(redis)))
    meeting, open_meeting = user.send_bot(), user.send_bot()
    bot = played(redis, user, meeting, stream=False)
    played(redis, user, open_meeting, stream=True)
    assert post(user.node, bot, {"segments": [segment("1", "mine")]}).status == 200
    forged = write(redis.client, meeting, segment("2", "forged"))
    retraction = write_message(redis.client, {
        "type": "transcript_retract", "meeting_id": meeting["id"], "segment_ids": ["1"]})
    write(redis.client, open_meeting, segment("3", "told to"))
    wait_for_texts(user, open_meeting, ["told to"])
    wait_for(lambda: redis.client.call("XLEN", transcripts.STREAM) == 0, "the last XDEL")
    assert texts(user, meeting) == ["mine"]
    letters = {fields["entry"]: fields["reason"] for _, fields in redis.client.stream("usher:dead_letters")}
    reason = f"meeting {meeting['id']} has no bot that was told to write here, or its end is long ago"
    assert letters == {forged: reason, retraction: reason}


def test_bots_of_a_runner_of_the_version_before_are_heard(servers):
    """It notes nothing of the stream."""
    redis = servers.redis()
    user = BotsUser(Admin(servers.node(redis)))
    meeting = user.send_bot()
    bot = played(redis, user, meeting, stream=True)
    assert redis.client.call("HDEL", user.keys.bot(bot.bot_id), "stream") == 1
    write(redis.client, meeting, segment("1", "as ever"))
    wait_for_texts(user, meeting, ["as ever"])


def played(redis, user, meeting, stream):
    bot = PlayedBot(redis.client, user.workspace_id, meeting["data"]["meeting_id"], stream=stream)
    assert bot.is_claimed
    return bot.tell(user.node, "joining", "active")
