"""The Redis that bots are told to use, by a user that can do only what their wire needs."""

import json
import os
import re

import pytest

from harness import transcripts, wire
from harness.bots_user import BotsUser
from harness.node import REPOSITORY
from harness.resp import RedisClient, RedisError
from harness.runner import wait_until_gone
from harness.waiting import wait_for
from harness.workspace import Admin

PASSWORD = "a-password-of-the-bots"


def words_of_the_document():
    """The arguments of its line that makes the user, with our password. Redis puts the parts of a selector, which
    redis-cli passes on one by one, together itself."""
    with open(os.path.join(REPOSITORY, "docs", "operations.md")) as file:
        [line] = re.findall(r"^ACL SETUSER usher-bot .*$", file.read(), re.MULTILINE)
    return line.replace("PASSWORD", PASSWORD).split()


@pytest.fixture
def redis(servers):
    redis = servers.redis()
    assert redis.client.call(*words_of_the_document()) == "OK"
    return redis


@pytest.fixture
def as_bot(redis):
    """A connection of the bots' user."""
    client = RedisClient(redis.socket_path)
    assert client.call("AUTH", "usher-bot", PASSWORD) == "OK"
    yield client
    client.close()


def test_a_whole_life(servers, redis):
    node = servers.node(redis)
    url = redis.url.replace("redis+unix://", f"redis+unix://usher-bot:{PASSWORD}@")
    runner = servers.runner(redis, node, BOT_REDIS=url)
    user = BotsUser(Admin(node))
    listener = redis.connect()
    meeting = user.send_bot(language="en")
    assert listener.call("SUBSCRIBE", f"tc:meeting:{meeting['id']}:mutable")[0] == "subscribe"
    user.wait_for_status(meeting, "active")
    wire.check_live(json.loads(listener.receive()[2]))
    listener.close()

    def languages():
        return {segment["language"] for segment in transcripts.read(user, meeting)["segments"]}

    wait_for(lambda: languages() == {"en"}, "an English segment")
    assert user.request("PUT", f"{user.bot_path(meeting)}/config", {"language": "es"}).status == 202
    wait_for(lambda: languages() == {"en", "es"}, "a Spanish segment")
    assert user.request("DELETE", user.bot_path(meeting)).status == 202
    user.wait_for_status(meeting, "completed")
    bot_id = user.bot_id(redis.client, meeting)
    wait_until_gone(bot_id)
    # It heard the command, and left by itself.
    assert runner.presence.stays(meeting["native_meeting_id"])[0].left
    log = [entry for entry in redis.client.call("ACL", "LOG") if "usher-bot" in entry]
    assert log == [], "Redis refused something to the bot"
    assert PASSWORD not in runner.log and PASSWORD not in node.log


@pytest.mark.parametrize("command", [
    "GET usher:key:0", "SET usher:key:0 1", "HGETALL usher:user:1", "DEL usher:user:1", "KEYS *", "SCAN 0",
    "RANDOMKEY", "DBSIZE", "XADD usher:{p0}:dispatch * bot_id 1", "XADD usher:{p0}:events * what 1",
    "XRANGE transcription_segments - +", "XREAD STREAMS transcription_segments 0", "XLEN transcription_segments",
    "XTRIM transcription_segments MAXLEN 0", "DEL transcription_segments", "GET transcription_segments",
    "COPY transcription_segments a", "RENAME transcription_segments a", "EXPIRE transcription_segments 1",
    'PUBLISH bot_commands:meeting:1 {"action":"leave"}', "PUBLISH other 1", "SUBSCRIBE tc:meeting:1:mutable",
    "SUBSCRIBE other", "PSUBSCRIBE *", "PSUBSCRIBE bot_commands:meeting:*", "PUBSUB CHANNELS", "EVAL return(1) 0",
    "SCRIPT FLUSH", "FUNCTION LIST", "CONFIG GET *", "ACL LIST", "ACL WHOAMI", "CLIENT LIST", "CLIENT KILL 1",
    "MONITOR", "INFO", "FLUSHALL", "SHUTDOWN", "SELECT 1", "MULTI", "WAIT 0 0", "REPLICAOF NO ONE",
])
def test_nothing_else_is_allowed(as_bot, command):
    with pytest.raises(RedisError, match="NOPERM"):
        as_bot.call(*command.split())
