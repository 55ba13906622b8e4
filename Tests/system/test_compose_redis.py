"""The Redis of compose.yaml, as its own script starts it: who may use it, and what a restart leaves."""

import os
import re
import signal
import subprocess

import pytest

from harness.node import REPOSITORY
from harness.redis_server import RedisServer
from harness.resp import RedisClient, RedisError
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin

SCRIPT = os.path.join(REPOSITORY, "deploy", "start-redis")
PASSWORD = "a-password-of-usher"


class ComposeRedis(RedisServer):
    """Started by the script, in which only paths and the port are changed."""

    def __init__(self, folder, **environment):
        super().__init__(folder, name="compose-redis")
        with open(SCRIPT) as file:
            text = file.read()
        for place, replacement in [
                ("/dev/shm/users.acl", os.path.join(folder, "users.acl")),
                ("--dir /data", f"--dir {folder} --port 0 --unixsocket {self.socket_path}")]:
            assert place in text, f"{SCRIPT} does not have {place}"
            text = text.replace(place, replacement)
        path = os.path.join(folder, "start-redis")
        with open(path, "w") as file:
            file.write(text)
        self.arguments = ["sh", path]
        self.environment |= {"USHER_REDIS_PASSWORD_FILE": self._secret("redis-password", PASSWORD),
                             "USHER_BOT_PASSWORD_FILE": self._secret("bot-password", "another"),
                             "USHER_OPERATOR_PASSWORD_FILE": self._secret("operator-password", "a-third"), **environment}
        self.url = self.url.replace("redis+unix://", f"redis+unix://usher:{PASSWORD}@")

    def _secret(self, name, value):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(value + "\n")
        return path

    def connect(self):
        client = RedisClient(self.socket_path)
        client.call("AUTH", "usher", PASSWORD)
        return client


def test_a_restart_keeps_what_scripts_wrote(servers):
    """Redis reads its append-only file as the user default, whose rights must not be too few for that."""
    redis = servers.add(ComposeRedis(servers.folder)).start()
    node = servers.node(redis)
    workspace = Admin(node).create_workspace()
    meeting = workspace.create_meeting()
    assert workspace.reinvite(meeting).status == 202
    redis.signal(signal.SIGTERM)
    assert redis.wait() == 0
    redis.start()
    wait_for(node.is_serving, "a node that is back")
    answer = workspace.request("GET", f"{workspace.meetings_path}/{meeting.id}")
    assert answer.status == 200, answer
    assert workspace.reinvite(meeting).code == 12107


def fill(redis):
    """Goes well past the limit, which a script may that begins below it: what clients take of the memory varies."""
    redis.client.call("EVAL", "redis.call('SET', KEYS[1], string.rep('x', 10000000))", 1, "usher:filling")
    with pytest.raises(RedisError, match="OOM"):
        redis.client.call("SET", "usher:another", "x")


def test_a_full_redis_refuses_changes_and_is_not_lost(servers):
    """Where it had no limit, the kernel would kill it at its container's, at each start again."""
    redis = servers.add(ComposeRedis(servers.folder, USHER_REDIS_MAXMEMORY="4mb")).start()
    node = servers.node(redis)
    workspace = Admin(node).create_workspace()
    meeting = workspace.create_meeting()
    fill(redis)
    for _ in range(2):
        answer = workspace.reinvite(meeting)
        assert (answer.status, answer.code) == (500, 12109), answer
        answer = workspace.request(
            "POST", workspace.meetings_path, {"meeting_url": "https://meet.google.com/abc-defg-hij"})
        assert answer.status == 503, answer
        assert workspace.request("GET", f"{workspace.meetings_path}/{meeting.id}").status == 200
        _, found, _ = run_usher("doctor", "--redis", redis.url)
        assert re.search(r"warn  memory: .* of 4\.0 MB are used, noeviction: when it is full, new meetings, bots and", found)
        # It can load its file again, and is as full as before.
        redis.signal(signal.SIGTERM)
        assert redis.wait() == 0
        redis.start()
        wait_for(node.is_serving, "a node that is back")
    redis.client.call("DEL", "usher:filling")
    assert workspace.reinvite(meeting).status == 202


def test_its_limit_is_below_that_of_its_container(servers):
    redis = servers.add(ComposeRedis(servers.folder)).start()
    limit = int(re.search(r"maxmemory:(\d+)", redis.client.call("INFO", "memory"))[1])
    with open(os.path.join(REPOSITORY, "compose.yaml")) as file:
        described = file.read()
    mebibytes = int(re.search(r"mem_limit: \$\{USHER_REDIS_MEMORY:-(\d+)m\}", described)[1])
    assert limit == mebibytes * 3 // 4 << 20
    assert f"USHER_REDIS_MAXMEMORY: ${{USHER_REDIS_MAXMEMORY:-{limit >> 20}mb}}" in described


def test_nobody_gets_in_without_a_password(servers):
    redis = servers.add(ComposeRedis(servers.folder)).start()
    client = RedisClient(redis.socket_path)
    for words in (["GET", "usher:key:0"], ["PING"], ["AUTH", "default", ""], ["AUTH", "default", PASSWORD]):
        with pytest.raises(RedisError, match="NOAUTH|WRONGPASS"):
            client.call(*words)
    client.close()


def test_no_bot_writes_an_entry_that_redis_stands_still_over(servers):
    redis = servers.add(ComposeRedis(servers.folder)).start()
    client = RedisClient(redis.socket_path)
    client.call("AUTH", "usher-bot", "another")
    assert client.call("XADD", "transcription_segments", "*", "payload", "x" * (1 << 20))
    with pytest.raises((RedisError, OSError)):
        client.call("XADD", "transcription_segments", "*", "payload", "x" * (2 << 20 | 1))
    client.close()
    assert redis.client.call("XLEN", "transcription_segments") == 1


def test_users_are_those_of_the_document():
    """The rights that it gives are the ones that docs/operations.md explains."""
    documented = dict(re.findall(r"(?m)^ACL SETUSER (\S+) reset on >PASSWORD (.*)$", document()))
    with open(SCRIPT) as file:
        given = dict(re.findall(r"(?m)^user (\S+) reset on >\$\w+ (.*)$", file.read()))
    assert given == documented and set(given) == {"usher", "usher-bot", "usher-operator"}


def document():
    with open(os.path.join(REPOSITORY, "docs", "operations.md")) as file:
        return file.read()


def test_who_looks_after_it_can_do_what_the_document_says(servers):
    """By the words of docs/operations.md, as they are run in the container."""
    redis = servers.add(ComposeRedis(servers.folder)).start()
    redis.client.call("XADD", "usher:dead_letters", "*", "reason", "ended")
    [operate] = re.findall(r"(?m)^\$ operate='(.*)'$", document())

    def run(*words):
        done = subprocess.run(["sh", "-c", operate, "redis", "-s", redis.socket_path, *words], capture_output=True,
                              env=os.environ | redis.environment, timeout=300)
        return done.stdout.strip()

    backup = run("--rdb", "-")
    assert backup.startswith(b"REDIS0") and b"dead_letters" in backup
    assert run("CONFIG", "SET", "maxmemory", "500mb") == b"OK"
    assert run("CONFIG", "GET", "maxmemory") == b"maxmemory\n%d" % (500 << 20)
    assert b"maxmemory:%d" % (500 << 20) in run("INFO", "memory")
    assert b"NOPERM" not in run("SLOWLOG", "GET", "3")
    assert b"ended" in run("XREVRANGE", "usher:dead_letters", "+", "-", "COUNT", "10")
    for words in (["HGETALL", "usher:keys"], ["DEL", "usher:dead_letters"], ["FLUSHALL"], ["ACL", "LIST"]):
        assert run(*words).startswith(b"NOPERM"), words
