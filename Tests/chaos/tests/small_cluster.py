"""The smallest cluster that a fault can be shown on: Redis, one node and one runner, with the proxies between them."""

import contextlib
import random
import shutil
import tempfile

from faults import FAULTS
from faults.proxies import ApiProxy
from harness.bots_user import BotsUser
from harness.node import Node
from harness.process import children
from harness.proxy import Proxy
from harness.redis_server import RedisServer
from harness.runner import Runner, processes_of
from harness.stalled import Tap
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

SETTINGS = {"lease_ttl": 4000, "lock_ttl": 3000, "in_flight_ttl": 60000, "stop_grace": 1000}


class SmallCluster:
    """With the names of machine/cluster.py that faults rely on."""

    def __init__(self, **settings):
        """`settings`: those of SETTINGS that are to be others."""
        self.settings = {**SETTINGS, **settings}
        self.deployment = "standalone"
        self.folder = tempfile.mkdtemp(prefix="usher-")
        self.redis = RedisServer(self.folder, durable=True)
        # A variable that is another command's is passed over.
        self._variables = {"REDIS_TIMEOUT_MS": 1000, "REQUEST_TIMEOUT_MS": 3000,
                           **{f"{name.upper()}_MS": value for name, value in self.settings.items()}}
        self.redis_clock = None
        self._proxies = {name: Proxy(self.redis.socket_path, self.folder, f"proxy-of-{name}")
                         for name in ("node", "runner")}
        self.node = Node(self.folder, self._proxies["node"].url, "node", **self._variables)
        self.api_proxy = ApiProxy([self.node.port])

    def start(self):
        self.node.error_tap = Tap()
        for started in (self.redis, *self._proxies.values(), self.node, self.api_proxy):
            started.start()
        self.runner = Runner(
            self.folder, self._proxies["runner"].url, self.api_proxy, "runner", **self._variables)
        self.runner.error_tap = Tap()
        self.runner.start()
        self.nodes, self.runners = [self.node], [self.runner]
        self.user = BotsUser(Admin(self.node), max_concurrent_bots=1000)
        return self

    def end(self):
        for started in (self.runner, self.node, self.api_proxy, *self._proxies.values(), self.redis):
            started.end()
        for server in (self.runner, self.node):
            server.error_tap.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def proxy_of(self, server):
        return self._proxies[server.name]

    def restart(self, server):
        server.start()

    def bots(self):
        found = []
        for supervisor in children(self.runner.pid):
            found += [(bot_id, pid, supervisor, self.runner) for pid in children(supervisor)
                      for bot_id in self.runner.started if pid in processes_of(bot_id)]
        return found

    # What the tests need beside it.

    def bot_in_its_room(self, **fields):
        """The meeting of a new bot that has entered its room, once all is well enough for that."""
        def sent():
            try:
                answer = self.user.request("POST", "/bots", {
                    "platform": "google_meet", "native_meeting_id": random_meet_code(), **fields}, timeout_s=5.0)
            except OSError:
                return None
            return answer.json if answer.status == 201 else None
        meeting = wait_for(sent, "the sending of a bot", interval_s=0.05)
        self.wait_for_status(meeting, "active")
        return meeting

    def wait_for_status(self, meeting, status):
        """The meeting object with this status. A busy machine may be slower than a node's patience with Redis, so an
        answer of 503 is no failure."""
        def changed():
            try:
                answer = self.user.request("GET", f"/meetings/{meeting['id']}", timeout_s=5.0)
            except OSError:
                return None
            return answer.json if answer.status == 200 and answer.json["status"] == status else None
        return wait_for(changed, f"the status {status} of meeting {meeting['id']}", interval_s=0.05)

    def mend(self):
        """Ends what a test that failed has left of its fault."""
        for server in (self.node, self.runner):
            server.error_tap.flow()
        for proxy in (*self._proxies.values(), self.api_proxy):
            proxy.mend()

    def remove(self, meeting):
        """The answer to the stop of a meeting's bot, once a node can say what came of it."""
        def told():
            try:
                answer = self.user.request("DELETE", self.user.bot_path(meeting), timeout_s=5.0)
            except OSError:
                return None
            return answer if answer.status in (202, 404) else None
        return wait_for(told, f"the stop of the bot of meeting {meeting['id']}", interval_s=0.1)


@contextlib.contextmanager
def running(**settings):
    """A SmallCluster that has been started, for as long as it is used."""
    cluster = SmallCluster(**settings)
    try:
        yield cluster.start()
    finally:
        cluster.end()


class Choices(random.Random):
    """Random choices, except that what is wanted is chosen where it can be."""

    def __init__(self, seed, wanted):
        super().__init__(seed)
        self._wanted = wanted

    def choice(self, candidates):
        return super().choice([candidate for candidate in candidates if candidate in self._wanted] or candidates)


def inject(cluster, name, *wanted, seed=0):
    """(the fault, its target, its detail) once it was injected. What is wanted is chosen where there is a choice."""
    fault, choices = FAULTS[name](), Choices(f"{name} {seed}", wanted)
    assert 0 <= fault.duration_ms(cluster, choices) <= 10 * cluster.settings["lease_ttl"]
    target, detail = fault.inject(cluster, choices)
    assert target and isinstance(detail, str)
    return fault, target, detail
