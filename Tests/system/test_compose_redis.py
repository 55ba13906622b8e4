"""The Redis of compose.yaml, as its own script starts it: who may use it, and what a restart leaves (issue 6, section 1)."""

import os
import re
import signal

import pytest

from harness.node import REPOSITORY
from harness.redis_server import RedisServer
from harness.resp import RedisClient, RedisError
from harness.waiting import wait_for
from harness.workspace import Admin

SCRIPT = os.path.join(REPOSITORY, "deploy", "start-redis")
PASSWORD = "a-password-of-usher"


class ComposeRedis(RedisServer):
    """Started by the script, in which only paths and the port are changed."""

    def __init__(self, folder):
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
        self.environment |= {"USHER_REDIS_PASSWORD": PASSWORD, "USHER_BOT_PASSWORD": "another"}
        self.url = self.url.replace("redis+unix://", f"redis+unix://usher:{PASSWORD}@")

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


def test_nobody_gets_in_without_a_password(servers):
    redis = servers.add(ComposeRedis(servers.folder)).start()
    client = RedisClient(redis.socket_path)
    for words in (["GET", "usher:key:0"], ["PING"], ["AUTH", "default", ""], ["AUTH", "default", PASSWORD]):
        with pytest.raises(RedisError, match="NOAUTH|WRONGPASS"):
            client.call(*words)
    client.close()


def test_users_are_those_of_the_readme():
    """The rights that it gives Usher and its bots are the ones that the README explains."""
    with open(os.path.join(REPOSITORY, "README.md")) as file:
        documented = dict(re.findall(r"(?m)^ACL SETUSER (\S+) reset on >PASSWORD (.*)$", file.read()))
    with open(SCRIPT) as file:
        given = dict(re.findall(r"(?m)^user (\S+) reset on >\$\w+ (.*)$", file.read()))
    assert given == documented and set(given) == {"usher", "usher-bot"}
