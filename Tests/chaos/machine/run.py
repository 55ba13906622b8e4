"""One run: a cluster, its clients, faults, and what was seen of it all."""

import os
import random
import shutil
import signal
import tempfile
import time

from faults import FAULTS
from harness.node import BINARY
from harness.waiting import wait_for
from history import History, now_ns
from machine import bot_names, clients, collecting, left_over, logs, places, settings, versions, waiting_users
from machine.agreement import Agreement
from machine.cluster import Cluster
from machine.feeds import FeedWriter
from machine.lab_rooms import LIMIT
from machine.listener import Listener
from machine.plan import Injector
from machine.planner import Planner
from machine.sampling import Sampler
from machine.viewer import Viewer
from machine.watch import Watch

# Without faults, before the first and after the last one, in seconds: bots join, and users get through again.
WARM_UP_S = 1.5
CALM_S = 0.5
AFTERMATH_S = 3.0
# Ends that are asked for: SIGKILL, and SIGTERM, after which nodes and runners exit with 0; those that have only just
# been started do not hear it yet, and have nothing to bring to its end.
ASKED = (0, -signal.SIGKILL, -signal.SIGTERM)


def run(seed, seconds, binary=BINARY, faults=None, folder=None, deployment="standalone", wait_replicas=0, beside=None,
        is_encrypted=False, lab_rooms=0, is_enough=None):
    """Breaks a fresh cluster for `seconds`, and returns the History. One process runs one kind of deployment.

    faults         names of the faults to inject; if None all that the deployment has, and the version beside bears
    folder         where logs and data are left; by default they are removed
    deployment     standalone, sentinel or cluster
    wait_replicas  on how many replicas what is acknowledged is to be
    beside         the binary of every second node and runner
    is_encrypted   whether several servers speak TLS alone
    lab_rooms      in how many rooms bots attend in browsers, beside all others
    is_enough      tells of the History so far whether it has what it must have: until then the run goes on
    """
    settings.use(deployment, wait_replicas, is_attending=lab_rooms > 0)
    kept = folder is not None
    # A Unix socket's path may have 107 bytes at most.
    folder = folder or tempfile.mkdtemp(prefix="usher-chaos-")
    os.makedirs(folder, exist_ok=True)
    draw = random.Random(f"{seed}/bots")
    names = [bot_names.draw(draw), bot_names.draw(draw)]
    try:
        # What has moved there the version before cannot read.
        archive = None if beside else ("folder", "redis")[seed % 2]
        made = Run(
            seed, Cluster(folder, binary, names, deployment, beside, is_encrypted, archive, lab_rooms, True))
        if beside:
            faults = made.note_beside(versions.minor(beside), faults)
        return made.perform(seconds, faults, is_enough)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


class Run:
    def __init__(self, seed, cluster):
        self._seed = seed
        self._cluster = cluster
        self._history = History(
            seed=seed, settings=settings.of_history())
        self._recorder = clients.Recorder(self._history.operations)
        # Of workspaces that only plan meetings, which end by themselves.
        self._planners = []
        # The Listener to all, if there is one.
        self._operators = None

    def _random(self, purpose):
        return random.Random(f"{self._seed}/{purpose}")

    def note_beside(self, version, faults):
        """Has the checkers know of the version of every second node and runner.

        Returns the names of the faults to inject.
        """
        self._history.settings["beside"] = version
        if faults is not None:
            return faults
        return [name for name in FAULTS if name not in versions.NOT_BORNE.get(version, ())]

    def perform(self, seconds, faults, is_enough=None):
        self._begun_ms = time.time_ns() // 1_000_000
        try:
            self._cluster.start()
            self._listen_for_all()
            self._places = places.make(self._cluster, self._random("places"))
            self._history.limits = places.limits(self._places)
            room_watch = self._attend()
            sampler = Sampler(self._cluster, self._history)
            sampler.start()
            watch = self._watch()
            self._break(seconds, {name: fault for name, fault in FAULTS.items()
                                  if (faults is None or name in faults) and fault.is_available(self._cluster)},
                        is_enough or (lambda history: True))
            self._history.left_over += self._disagreements()
            self._history.left_over += self._stop_all()
            self._history.left_over += self._remains()
            sampler.end()
            for one in filter(None, (watch, room_watch)):
                one.end()
            self._collect()
            return self._history
        finally:
            self._cluster.end()

    def _listen_for_all(self):
        """As the operator, from before the first change on."""
        if self._cluster.operators:
            self._operators = Listener(self._history, operators=self._cluster.operators)
            redis = self._cluster.redis.connect()
            self._operators.wait_until_known(redis)
            redis.close()

    def _watch(self):
        if not self._cluster.follower:
            return None
        watch = Watch(self._cluster.redis, self._history.failovers, self._cluster.follower)
        watch.look()
        watch.start()
        return watch

    def _attend(self):
        lab = self._cluster.lab
        if not lab:
            return None
        found = lab.make_places(self._cluster.nodes[0], self._random("lab"))
        self._places += found
        self._history.limits[found[0].workspace_id] = LIMIT
        watch = lab.watch(self._cluster.presence)
        watch.start()
        return watch

    # The faults.

    def _break(self, seconds, faults, is_enough):
        crowd = [clients.Client(self._seed, number, self._cluster, self._places, self._recorder)
                 for number in range(1, clients.CLIENTS + 1)]
        waiting = waiting_users.make(
            self._cluster, self._places, self._history.limits, self._recorder, self._random("waiting users"))
        planner = Planner(self._cluster, self._random("planner"), self._history.planned)
        # From before its first meeting on, so that all must be told.
        self._cluster.viewer = Viewer(self._cluster, self._random("viewer"), planner.user, self._history)
        self._cluster.viewer.begin()
        self._cluster.listener = Listener(self._history, self._random("listener"))
        self._cluster.listener.listen(planner.place)
        writer = FeedWriter(self._cluster, self._random("feed writer"), self._history.calendar_events)
        self._cluster.feeds = writer.server
        planner.start()
        writer.start()
        # Theirs alone, so that no other client is in the way; but to be stopped in the end like all.
        self._places = self._places + [place for user in waiting for place in user.places]
        for client in crowd + waiting:
            client.start()

        def wake():
            for user in waiting:
                user.wake()

        def has_enough():
            self._collect_stays()
            return is_enough(self._history)
        injector = Injector(self._cluster, self._random("plan"), faults, self._history.faults, wake)
        time.sleep(WARM_UP_S)
        self._history.calm_ns = now_ns()
        wake()
        time.sleep(CALM_S)
        injector.run(seconds, has_enough)
        self._cluster.make_whole()
        self._history.quiet_ns = now_ns()
        self._history.missed = injector.missed
        time.sleep(AFTERMATH_S)
        for client in crowd + waiting + [planner, writer]:
            client.end()
        for one in (planner, writer):
            one.wait_for_all()
            self._planners.append(one.place)
        # Of which none waits for Usher to become whole.
        self._history.settings["own_steps"] = (now_ns() - self._history.quiet_ns) // 1_000_000

    # What follows.

    def _disagreements(self):
        for node in self._cluster.nodes:
            wait_for(node.is_healthy, f"{node.name}'s health after all faults", interval_s=0.05)
            wait_for(node.is_serving, f"{node.name}'s reaching Redis after all faults", interval_s=0.05)
        # A request that a stopped node took in may have its effect for this long.
        over = time.monotonic() + (settings.SETTINGS["request_timeout"] + settings.SETTINGS["redis_timeout"]) / 1000
        sentences = Agreement(self._cluster, self._places).disagreements()
        self._history.settings["agreed_after"] = (now_ns() - self._history.quiet_ns) // 1_000_000
        time.sleep(max(0.0, over - time.monotonic()))
        return sentences

    def _stop_all(self):
        """Stops every bot that there is, by the API; sentences about rooms where that was not possible."""
        found = []
        for place in self._places:
            try:
                wait_for(lambda: self._is_stopped(place), f"the stop of the bot in {place.room}",
                         settings.AGREEMENT / 1000, interval_s=0.2)
            except AssertionError as failure:
                found.append(str(failure))
        self._stopped_ns = now_ns()
        return found

    def _is_stopped(self, place):
        return clients.stop(place).send(self._recorder, "closer", self._cluster.nodes[0]).status in (202, 404)

    def _remains(self):
        """Waits until nothing is left, but no longer than the bound; sentences about what is."""
        redis = self._cluster.redis.connect()
        found = []

        def is_empty():
            found[:] = left_over.everything(redis, self._cluster)
            return not found

        try:
            wait_for(is_empty, "emptiness", settings.EMPTINESS / 1000, interval_s=0.2)
        except AssertionError:
            pass  # Told by what was found.
        self._history.looked_ns = now_ns()
        self._history.settings["emptied_after"] = (self._history.looked_ns - self._stopped_ns) // 1_000_000
        redis.close()
        return found

    def _collect(self):
        history = self._history
        self._collect_stays()
        history.meetings = collecting.meetings(self._places + self._planners)
        if self._cluster.viewer:
            self._cluster.viewer.settle()
        redis = self._cluster.redis.connect()
        for listener in filter(None, (self._cluster.listener, self._operators)):
            listener.hear_all(redis)
        history.events = collecting.events(redis, history.meetings, self._begun_ms)
        collecting.tell_right(history.operations, self._begun_ms)
        redis.close()
        history.deaths = self._deaths()

    def _collect_stays(self):
        folder = self._cluster.presence.folder
        self._history.stays = collecting.stays(folder)
        self._history.acknowledged = collecting.acknowledged(folder)

    def _deaths(self):
        found = []
        struck = {name for fault in self._history.faults for name in fault.target.split(", ")}
        for name, status in self._cluster.ended:
            if status not in ASKED:
                found.append(f"{name} ended with status {status}")
            elif name not in struck and not ("nodes" in struck and name.startswith("node")):
                found.append(f"{name} ended with status {status}, though no fault struck it")
        for process in self._cluster.processes():
            if not process.alive:
                found.append(f"{process.name} had ended with status {process.wait()} after all faults")
            found += logs.troubles(process)
        return found
