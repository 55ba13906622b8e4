"""An update of nodes and runners from the version before to this one, and back, under load, on each kind of Redis:
`make update-test`. As docs/operations.md says ("Updates"), one after the other; nobody notices."""

import itertools
import os
import signal
import time

import pytest

from harness.balancer import Balancer
from harness.bots_user import BotsUser
from harness.deployments import RedisCluster, SentinelDeployment
from harness.load import Load
from harness.node import BINARY
from harness.runner import LAUNCHER
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

# The version before, as Tests/chaos/build-version-before prints it.
BEFORE = os.environ["USHER_BEFORE"]
USERS = 4
# By a signal, once the balancer has seen that a node goes.
DRAIN_DELAY_MS = 600_000
STAY_MS = 3_000
# Of each user after each bot: so that no more are there than runners can start, however fast the nodes are.
PAUSE_S = 0.3

DEPLOYMENTS = {
    "one": (lambda servers: servers.redis(durable=True), 0),
    "sentinel": (lambda servers: servers.add(SentinelDeployment(servers.folder, "redis", down_ms=60_000)).start(), 2),
    "cluster": (lambda servers: servers.add(RedisCluster(servers.folder, "redis", node_timeout_ms=60_000)).start(), 1),
}


class Fleet:
    def __init__(self, servers, redis, replicas):
        self._servers, self._redis, self._replicas = servers, redis, replicas
        self.nodes = [self._node() for _ in range(3)]
        self.balancer = servers.add(Balancer(servers.folder, [node.port for node in self.nodes])).start(ready=3)
        self._numbers = itertools.count()
        self.runners = [self._runner(BEFORE)]

    def _node(self):
        node = self._servers.node(
            self._redis, start=False, DRAIN_DELAY_MS=DRAIN_DELAY_MS, REDIS_WAIT_REPLICAS=self._replicas)
        node.arguments[0] = BEFORE
        return node.start()

    def _runner(self, binary):
        launcher = os.path.join(self._servers.folder, f"launch-{next(self._numbers)}")
        with open(launcher, "w") as file:
            file.write(LAUNCHER % binary)
        os.chmod(launcher, 0o755)
        settings = {"BOT_REDIS": self._redis.bot_url} if hasattr(self._redis, "bot_url") else {}
        runner = self._servers.runner(
            self._redis, self.balancer, start=False, CAPACITY=200, ON_STOP="wait", LAUNCH=f"'{launcher}'",
            REDIS_WAIT_REPLICAS=self._replicas, SIMULATE_MEETING_MS=STAY_MS, **settings)
        runner.arguments[0] = binary
        return runner.start()

    def update(self, binary):
        for node in self.nodes:
            node.signal(signal.SIGTERM)
            wait_for(lambda: self.balancer.ready_count() == 2, "the balancer's leaving it out")
            node.signal(signal.SIGTERM)
            assert node.wait() == 0, node.log
            node.arguments[0] = binary
            node.start()
            wait_for(lambda: self.balancer.ready_count() == 3, "the balancer's taking it in")
        former, new = self.runners[-1], self._runner(binary)
        self.runners.append(new)
        former.signal(signal.SIGTERM)
        assert former.wait() == 0, former.log


@pytest.mark.parametrize("kind", DEPLOYMENTS)
def test_nobody_notices_an_update(servers, kind):
    start, replicas = DEPLOYMENTS[kind]
    fleet = Fleet(servers, start(servers), replicas)
    users = [BotsUser(Admin(fleet.balancer), max_concurrent_bots=1000) for _ in range(USERS)]
    sent = []

    def visit(number):
        """Sends a bot, looks at it, and stops every other one. What each step was answered."""
        user, code = users[number % USERS], random_meet_code()
        answer = user.request("POST", "/bots", {"platform": "google_meet", "native_meeting_id": code})
        if answer.status != 201:
            return [("POST", answer.status, answer.body)]
        sent.append((user, answer.json))
        answers = [("GET", user.request("GET", f"/meetings/{answer.json['id']}").status, 200)]
        if number % 2:
            answers.append(("DELETE", user.request("DELETE", f"/bots/google_meet/{code}").status, 202))
        time.sleep(PAUSE_S)
        return answers

    load = Load(visit, threads=USERS).start()
    load.wait_for_more(50, "requests before the update")
    for binary in (BINARY, BEFORE):
        fleet.update(binary)
        load.wait_for_more(50, f"requests after the update to {binary}")
    odd = [answer for answers in load.stop() for answer in answers if answer[1] != answer[2]]
    assert not odd, odd[:10]
    presence = fleet.runners[0].presence
    for user, meeting in sent:
        ended = user.wait_for_status(meeting, "completed")
        assert ended["completion_reason"] in ("stopped", "left_alone", "normal_completion", "evicted", None), ended
        stays = presence.stays(meeting["native_meeting_id"])
        assert len(stays) <= 1, stays
    for user in users:
        assert user.running() == []
