"""The cluster of real processes that a run breaks."""

import collections
import itertools
import os
import re
import signal

from faults.proxies import ApiProxy
from harness.certificates import Certificates
from harness.deployments import LOOPBACK
from harness.node import BINARY, Node
from harness.proxy import Proxy
from harness.receiver import Receiver
from harness.redis_server import RedisServer
from harness.runner import LAUNCHER, Runner
from harness.stalled import Tap
from machine import deployments, network, settings
from machine.doors import Doors, PrimaryFollower
from machine.lab_rooms import LabRooms

NODES = 3
# How many bots each runner runs at once: the first is soon full, so that dispatches wait and go round.
CAPACITIES = (5, 25)
BOT_MARK = re.compile(rb'"connectionId":"([^"]+)"')

Bot = collections.namedtuple("Bot", "bot_id pid supervisor_pid runner")


class Cluster:
    """Everything a fault can reach.

    redis             RedisServer (Tests/system/harness), durable (but for the machine's end); or several servers, see
                      machine/deployments.py
    deployment        standalone, sentinel or cluster
    network           the PrivateNetwork that all is in, where there are several servers and root makes one; or None
    servers           the processes of Redis, and the Sentinels
    nodes             list of Node, 3
    runners           list of Runner, 2
    proxy_of(process) the RESP proxy that lies between that node or runner and a single Redis (each has its own); the
                      doors to the Sentinels where there are some
    follower          where there are several servers: the proxy that leads bots to the primary
    api_proxy         the TCP proxy between the bots (and runners) and the nodes: what USHER_API_URL names
    bots()            [(bot_id, bot pid, supervisor pid, runner)] of the bot processes that run now
    processes()       servers of Redis, nodes and runners
    restart(process)  starts a dead node, runner or Redis again, with its settings
    redis_clock       the WallClock of a single Redis, once a fault has set it
    topology_fault    the fault of Redis' servers that lasts, of which there is one at a time
    workspaces        the ids of those that clients ask for
    listener          the Listener to the changes of some workspaces, or None
    viewer            the Viewer of a workspace, or None
    lab               the LabRooms in which bots attend in browsers, or None
    feeds             the FeedServer of calendars, or None
    operators         the Receiver of what nodes tell their operator, or None
    presence          Presence: the folder of the files that the bots write themselves
    settings          {name: ms} of the timeouts that nodes and runners were given, by their names in settings.py
    """

    def __init__(self, folder, binary=BINARY, runner_bot_names=("Usher", "Usher"), deployment="standalone",
                 beside=None, is_encrypted=False, archive=None, lab_rooms=0, tells_operator=False):
        """`runner_bot_names`: the names of bots that were asked for without one, for each runner. `beside`: what every
        second node and runner is, with its bots; by default all are `binary`. `is_encrypted`: whether several servers speak
        TLS alone. `archive`: where transcripts move: "folder", "redis" or None. `lab_rooms`: in how many rooms bots attend in
        browsers. `tells_operator`: whether nodes have an operator's endpoint."""
        self.folder = folder
        self._binaries = [os.path.abspath(binary), os.path.abspath(beside or binary)]
        self.settings = settings.SETTINGS
        self.deployment = deployment
        self.archive = {None: None, "redis": settings.KEPT_IN_REDIS, "folder": os.path.join(folder, "archive")}[archive]
        if archive == "folder":
            os.makedirs(self.archive, mode=0o700)
        self.certificates = self.network = self.follower = self.topology_fault = self.listener = self.viewer = self.feeds = None
        self.workspaces = []
        if deployment == "standalone":
            self.redis = RedisServer(folder, durable=True)
            self.servers = [self.redis]
        else:
            if network.is_possible():
                self.network = network.PrivateNetwork().enter()
            hosts = self.network.hosts if self.network else itertools.repeat(LOOPBACK)
            if is_encrypted:
                # Whoever goes through a door or the follower finds the certificate of whom that leads to.
                names = [LOOPBACK, *map(network.HOSTS.format, range(1, network.MOST_HOSTS + 1))]
                self.certificates = Certificates(folder, ",".join(f"IP:{name}" for name in names))
            self.redis = deployments.KINDS[deployment](folder, hosts, self.certificates)
            self.servers = self.redis.servers
            self.follower = PrimaryFollower(self.redis.scheme).start()
        # Where the nodes are, which may be a network of their own.
        self.operators = Receiver() if tells_operator else None
        self.redis_clock = None
        self._proxies = {}
        self.nodes = [self._node(f"node{number}", binary)
                      for number, binary in zip(range(1, NODES + 1), itertools.cycle(self._binaries))]
        # They have ports, which runners are told, once they have started.
        self.api_proxy = ApiProxy([node.port for node in self.nodes]).start()
        self.lab = LabRooms(folder, self._binaries[0], lab_rooms) if lab_rooms else None
        self.runners = [self._runner(f"runner{number}", binary, capacity, name)
                        for number, (binary, capacity, name)
                        in enumerate(zip(self._binaries, CAPACITIES, runner_bot_names), 1)]
        self.presence = self.runners[0].presence
        # The sessions of runners that were killed still tell whose bots were left behind.
        self._runner_of_session = {}
        # Processes that had ended when they were restarted: (name, exit status).
        self.ended = []

    def _url_for(self, name):
        """Where a node or runner of this name is to find Redis."""
        if self.deployment == "standalone":
            self._proxies[name] = Proxy(self.redis.socket_path, self.folder, name=f"{name}-redis")
            return self._proxies[name].url
        if self.deployment == "sentinel":
            self._proxies[name] = Doors(f"{name}-sentinels", self.redis.sentinels).start()
            return self.redis.url_through(self._proxies[name].addresses, self.redis.scheme)
        return self.redis.url

    def _trust(self):
        return {"REDIS_CA": self.certificates.authority} if self.certificates else {}

    def _archive(self):
        return {"ARCHIVE": self.archive, "ARCHIVE_AFTER_MS": self.settings["archive_after"]} if self.archive else {}

    def _operators(self):
        return {"WEBHOOK_URL": self.operators.url()} if self.operators else {}

    def _node(self, name, binary):
        node = Node(
            self.folder, self._url_for(name), name=name, **self._trust(), **self._archive(), **self._operators(),
            **settings.of_node())
        node.arguments[0] = binary
        return node

    def _runner(self, name, binary, capacity, bot_name):
        launcher = os.path.join(self.folder, f"launch-bot-of-{name}")
        with open(launcher, "w") as file:
            file.write(LAUNCHER % binary)
        os.chmod(launcher, 0o755)
        for_bots = {"BOT_REDIS": self.follower.url} if self.follower else {}
        if self.lab:
            launcher = self.lab.launcher(f"{launcher}-of-any-kind", launcher)
            for_bots["CLEAN_UP"] = self.lab.clean_up()
        runner = Runner(
            self.folder, self._url_for(name), self.api_proxy, name=name, CAPACITY=capacity,
            BOT_NAME=bot_name, LAUNCH=f"'{launcher}'", **for_bots, **self._trust(), **settings.of_runner())
        runner.arguments[0] = binary
        return runner

    def start(self):
        """Starts everything, and returns once it works."""
        self.redis.start()
        if self.deployment == "standalone":
            for proxy in self._proxies.values():
                proxy.start()
        else:
            self.redis.make_whole()
            self.follower.follow(self.redis.of_bots[0].address)
        for process in self.nodes + self.runners:
            process.error_tap = Tap()
            process.start()
        self._note_sessions()
        return self

    def end(self):
        """Ends everything, and what is left of it."""
        for process in reversed(self.processes()):
            process.end()
            if process.error_tap:
                process.error_tap.end()
        for pid in self.strays():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # It ended by itself in between.
        for link in [*self.links(), *filter(None, (self.listener, self.feeds, self.lab, self.operators))]:
            link.end()
        if self.network:
            self.network.leave()

    def processes(self):
        return [*self.servers, *self.nodes, *self.runners]

    def links(self):
        return [*self._proxies.values(), self.api_proxy, *([self.follower] if self.follower else [])]

    def proxy_of(self, process):
        return self._proxies[process.name]

    def restart(self, process):
        """Starts a dead process again. Redis answers on return; nodes and runners may still be on their way, since
        what they need may be broken itself."""
        if process.alive:
            return
        self.ended.append((process.name, process.wait()))
        if process is self.redis:
            process.start()
        elif process in self.servers:
            self.redis.restart(process)
        else:
            process.spawn()
        self._note_sessions()

    def make_whole(self):
        """Whatever the faults were: all processes run, all proxies pass everything on, and Redis' servers agree."""
        if self.network:
            self.network.mend()
        for process in self.processes():
            if process.alive:
                process.resume()
            if process.error_tap:
                process.error_tap.flow()
            self.restart(process)
        for bot in self.bots():
            for pid in (bot.supervisor_pid, bot.pid):
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass  # It ended by itself in between.
        for link in self.links():
            link.mend()
        if self.deployment != "standalone":
            self.redis.make_whole()
        self.topology_fault = None

    def bots(self):
        found = []
        for pid, fields, environment in self._descendants():
            mark = BOT_MARK.search(environment)
            if mark:
                parent, session = int(fields[1]), int(fields[3])
                found.append(Bot(mark[1].decode(), pid, parent, self._runner_of_session.get(session)))
        return found

    def strays(self):
        """The ids of the processes that runners started and that still run: supervisors and bots."""
        runners = {runner.pid for runner in self.runners if runner.alive}
        return [pid for pid, _, _ in self._descendants() if pid not in runners]

    def _note_sessions(self):
        self._runner_of_session.update({runner.pid: runner for runner in self.runners})

    def _descendants(self):
        """(pid, fields of its stat file after the name, environment) of the running processes of runners' sessions."""
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
                # After the name: state, parent, process group, session.
                if fields[0] in "ZX" or int(fields[3]) not in self._runner_of_session:
                    continue
                with open(f"/proc/{entry}/environ", "rb") as file:
                    yield int(entry), fields, file.read()
            except (OSError, IndexError):
                continue  # It ended meanwhile.
