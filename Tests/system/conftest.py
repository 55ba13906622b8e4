"""Fixtures: servers that are shared where no fault is injected, and factories for tests that break things."""

import itertools
import os
import shutil
import tempfile

import pytest

from harness.bots_user import BotsUser
from harness.deployments import NoProxy, RedisCluster, SentinelDeployment
from harness.lab import Lab
from harness.node import BINARY, Node
from harness.proxy import Proxy
from harness.redis_server import RedisServer
from harness.runner import Runner
from harness.simulated_bot import Callbacks
from harness.workspace import Admin

# On which kind of Redis the tests run: those in `test_redis_faults.py` and the like need the first.
DEPLOYMENT = os.environ.get("USHER_TEST_DEPLOYMENT", "standalone")

# However busy the machine is, a node gets its answers from Redis: tests of what it does without them set their own.
PATIENCE = {"REDIS_TIMEOUT_MS": 30_000, "REQUEST_TIMEOUT_MS": 30_000}

_live = []


class Servers:
    """Starts servers in one temporary folder, and ends them all with `end`."""

    def __init__(self):
        # A short path of its own: a Unix socket's path may have 107 bytes at most, less than pytest's folders have.
        self.folder = tempfile.mkdtemp(prefix="usher-")
        self._started = []
        self._numbers = itertools.count(1)
        _live.append(self)

    def add(self, server):
        self._started.append(server)
        return server

    def redis(self, durable=False, start=True, fsync="no"):
        """See RedisServer. Several servers are durable anyway."""
        name = f"redis{next(self._numbers)}"
        kinds = {
            "standalone": lambda: RedisServer(self.folder, durable, name, fsync),
            # They are to stay as they are: tests of failovers make deployments of their own.
            "sentinel": lambda: SentinelDeployment(self.folder, name, down_ms=60_000),
            "cluster": lambda: RedisCluster(self.folder, name, node_timeout_ms=60_000),
        }
        server = self.add(kinds[DEPLOYMENT]())
        return server.start() if start else server

    def proxy(self, redis):
        if DEPLOYMENT != "standalone":
            return NoProxy(redis)
        return self.add(Proxy(redis.socket_path, self.folder, name=f"proxy{next(self._numbers)}")).start()

    def node(self, upstream, start=True, **settings):
        """A node on a RedisServer, a Proxy or a URL."""
        if not os.access(BINARY, os.X_OK):
            pytest.fail(f"{BINARY} is not there: build it, or name another in the environment variable USHER")
        url = upstream if isinstance(upstream, str) else upstream.url
        node = self.add(Node(self.folder, url, name=f"node{next(self._numbers)}", **{**PATIENCE, **settings}))
        return node.start() if start else node

    def runner(self, redis, node, start=True, **settings):
        """A runner of simulated bots, which report to this node. `redis` is a RedisServer or a Proxy."""
        if DEPLOYMENT != "standalone":
            settings.setdefault("BOT_REDIS", redis.bot_url)
        runner = self.add(Runner(self.folder, redis.url, node, name=f"runner{next(self._numbers)}", **settings))
        return runner.start() if start else runner

    def logs(self):
        """(name, end of the log) of every process."""
        return [(server.name, (server.output + server.log)[-12000:]) for server in self._started
                if hasattr(server, "log")]

    def end(self):
        for server in reversed(self._started):
            server.end()
        _live.remove(self)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the logs of all servers with a failure."""
    report = yield
    if report.failed:
        for servers in _live:
            report.sections += [(f"log of {name}", text) for name, text in servers.logs()]
    return report


@pytest.fixture
def servers():
    """A test's own servers."""
    started = Servers()
    yield started
    started.end()


@pytest.fixture(scope="module")
def module_servers():
    """A module's own servers."""
    started = Servers()
    yield started
    started.end()


@pytest.fixture(scope="module")
def lab(module_servers):
    """Where meetings of the tests are held in a browser."""
    return module_servers.add(Lab(module_servers.folder)).start()


@pytest.fixture(scope="module")
def console(module_servers):
    """What tests of the console work with."""
    from harness.console import Stage  # A browser's driver is needed here alone.
    stage = Stage(module_servers)
    yield stage
    stage.end()


@pytest.fixture
def owner(console):
    """A user there with a workspace of the test's own."""
    return console.user()


@pytest.fixture
def tab(console):
    """A tab of the test's own, in which nothing may go wrong."""
    tab = console.browser.open(console.node.port)
    yield tab
    tab.end()


@pytest.fixture
def callbacks():
    """A node, as far as a bot's reports go."""
    server = Callbacks()
    yield server
    server.end()


@pytest.fixture(scope="session")
def shared():
    started = Servers()
    yield started
    started.end()


@pytest.fixture(scope="session")
def redis_server(shared):
    return shared.redis()


@pytest.fixture(scope="session")
def redis(redis_server):
    """A connection to the shared Redis."""
    return redis_server.client


@pytest.fixture(scope="session")
def nodes(shared, redis_server):
    """Three nodes on the shared Redis."""
    return [shared.node(redis_server) for _ in range(3)]


@pytest.fixture(scope="session")
def node(nodes):
    return nodes[0]


@pytest.fixture(scope="session")
def admin(node):
    return Admin(node)


@pytest.fixture
def workspace(admin):
    """A workspace of the test's own on the shared servers."""
    return admin.create_workspace()


@pytest.fixture
def user(admin):
    """A user of the Bots API with a personal workspace of the test's own."""
    return BotsUser(admin)
