"""What a scenario has at hand: a cluster, requests that are taken down, faults at chosen instants, and waiting."""

import random
import secrets
import threading

from faults import FAULTS
from faults.border import Border
from faults.commands import name_of
from harness.feed_server import FeedServer
from harness.keys import WorkspaceKeys
from harness.waiting import DEADLINE_S, wait_for
from history import FaultRecord, HeldLock, now_ns
from machine import clients, collecting, feeds, places, planner
from machine.listener import Listener
from machine.viewer import Viewer

# For what a mutant may keep from happening, and for what it is known to keep from happening.
PATIENCE_S = 40.0
IN_VAIN_S = 12.0
# Without one it happens, however busy the machine is.
PATIENCE_WITHOUT_MUTANT_S = 90.0
# Two bots that are in a room at once are so with a mutant alone.
CROWD_S = 2.0
# What a record says of a meeting that may get a new bot.
ENDED = ("completed", "failed")
# So many lines of one bot while another one is there are no matter of one write.
CROWD_LINES = 5


class Stage:
    def __init__(self, cluster, all_places, recorder, history, mutant=None):
        self.cluster = cluster
        self.nodes = cluster.nodes
        self.runners = cluster.runners
        self._places = all_places
        self._recorder = recorder
        self._history = history
        self._mutant = mutant

    # Requests.

    def rooms(self, limit=100):
        """The places of the workspaces with this limit; each workspace has `places.ROOMS` of them."""
        return [place for index, place in enumerate(self._places) if places.LIMITS[index // places.ROOMS] == limit]

    def send(self, call, node=0):
        """Sends a request through a node once, and returns the operation."""
        return call.send(self._recorder, "scenario", self.nodes[node])

    def send_until_known(self, call, node):
        """The same again, by its idempotency key, while a busy node cannot say what came of it."""
        sent = []

        def is_known():
            sent.append(self.send(call, node))
            return sent[-1].outcome != "unknown"
        self.comes(is_known, interval_s=0.1)
        return sent[-1]

    def send_bot(self, place, name="Usher", node=0):
        return self.send_until_known(clients.create_bot(place, name, secrets.token_hex(16)), node)

    def stop(self, place, node=0):
        return self.send_until_known(clients.stop(place, secrets.token_hex(16)), node)

    def reinvite(self, place, meeting_id, force_restart=None, node=0):
        return self.send_until_known(
            clients.reinvite(place, meeting_id, force_restart, secrets.token_hex(16)), node)

    def plan_meeting(self, place):
        """Another meeting in a place's room; its id."""
        return places.plan_meeting(place)

    def plan_bot(self, place, in_s, bot_name):
        """A meeting in a place's room, to which a bot is sent by itself: when, from now on."""
        found = planner.plan(place.user, place.code, in_s, self.nodes, bot_name)
        self._history.planned.append(found)
        return found

    def calendar(self, place, bot_name):
        """A calendar of a place's user, whose feed says nothing yet."""
        self.cluster.feeds = FeedServer()
        return feeds.Calendar(place.user, self.cluster.feeds, "/work", self._history.calendar_events, bot_name)

    def in_background(self, send):
        """Calls this beside the scenario. `join` of what it returns waits for its end."""
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        return thread

    def restart_once_ended(self, place, meeting_id, node=0):
        """What a user does whose bot was lost: asks for another one until it is granted. False if time ran out."""
        def granted():
            if self.record(place, meeting_id)["bot_status"] not in ENDED:
                return False
            return self.reinvite(place, meeting_id, force_restart=True, node=node).outcome == "ok"
        return self.comes(granted, interval_s=0.2)

    def listen(self, place):
        """Has somebody be told of the changes in a place's workspace."""
        self.cluster.listener = Listener(self._history)
        self.cluster.listener.listen(place)

    def view(self, place):
        """Has somebody follow a place's workspace, who is away until something is missed each time."""
        def stored():
            platform, _, native_id = place.room.partition(":")
            answer = place.user.request("GET", f"/transcripts/{platform}/{native_id}", node=self.nodes[-1])
            return len(answer.json["segments"]) if answer.status == 200 else 0

        def has_missed():
            before = stored()
            return lambda: stored() >= before + 3
        self.cluster.viewer = Viewer(
            self.cluster, random.Random("viewer"), place.user, self._history, events=(2, 3), pause_s=(0.0, 0.0),
            has_missed=has_missed)
        self.cluster.viewer.begin()

    # What is seen.

    def record(self, place, meeting_id):
        """A meeting's record, as soon as a node can show it. No request of the history."""
        def shown():
            answer = place.user.request("GET", f"{place.meetings_path}/{meeting_id}", node=self.nodes[-1])
            return answer.json if answer.status == 200 else None
        return wait_for(shown, f"a 200 to the GET of meeting {meeting_id}", interval_s=0.1)

    def stays(self, place):
        return [stay for stay in collecting.stays(self.cluster.presence.folder) if stay.room == place.room]

    def stays_in_all(self):
        """How many bots have entered any room."""
        return len(collecting.stays(self.cluster.presence.folder))

    def acknowledged(self, place):
        return [segment for segment in collecting.acknowledged(self.cluster.presence.folder)
                if segment.room == place.room]

    def enter(self, place, count=1):
        """Gives bots the time to enter a room, so many in all; the last one's Stay, or None."""
        self.comes(lambda: len(self.stays(place)) >= count)
        return (self.stays(place)[count - 1:] or [None])[0]

    def join(self, place, meeting_id):
        """Waits until a meeting's bot is in the room by the record too, which no mutant keeps it from; its Stay."""
        wait_for(lambda: self.record(place, meeting_id)["status"] == "LIVE" and self.stays(place),
                 f"a bot in {place.room}", interval_s=0.05)
        return self.stays(place)[0]

    def meets(self, place):
        """Whether two bots were in the room at once for a while."""
        found = self.stays(place)
        return any(sum(at > later.first_ns for at in earlier.lines_ns) >= CROWD_LINES
                   for earlier, later in zip(found, found[1:]))

    def meet(self, place):
        """Gives two bots the time to be in the room at once, should both be on their way."""
        return self.comes(lambda: self.meets(place), self._usual_s if self._mutant else CROWD_S)

    def bot(self, bot_id):
        """Its processes and its runner."""
        return wait_for(lambda: next((bot for bot in self.cluster.bots() if bot.bot_id == bot_id), None),
                        f"the process of bot {bot_id}")

    def wait_for_samples(self, count):
        """Waits until so many more were taken of each process. The first may have been under way."""
        looks = self._history.clock
        before = len(looks)
        wait_for(lambda: len(looks) > before + count, f"{count} samples", interval_s=0.05)

    def comes(self, condition, patience_s=None, interval_s=0.02):
        """Gives something the time to happen that a mutant may keep from happening. Whether it did."""
        try:
            wait_for(condition, "it", self._usual_s if patience_s is None else patience_s, interval_s)
            return True
        except AssertionError:
            return False

    @property
    def _usual_s(self):
        if self._mutant is None:
            return PATIENCE_WITHOUT_MUTANT_S
        return IN_VAIN_S if self._mutant.is_in_vain else PATIENCE_S

    def see_lock(self, place):
        """Notes that a request holds the lock of a workspace, from now on. The caller sets `to_ns`."""
        key = WorkspaceKeys(place.workspace_id).lock
        wait_for(lambda: self.cluster.redis.client.call("EXISTS", key), "the taking of the lock")
        lock = HeldLock(place.workspace_id, now_ns(), None)
        self._history.locks.append(lock)
        return lock

    # Faults.

    def fault(self, name, process, detail=""):
        """Notes that a fault strikes a process now. The caller sets `healed_ns`."""
        record = FaultRecord(name, process.name, now_ns(), detail=detail)
        self._history.faults.append(record)
        return record

    def strike(self, name):
        """Injects a fault of the machine. `heal` of what it returns ends it."""
        fault = FAULTS[name]()
        record = FaultRecord(name, "", now_ns())
        self._history.faults.append(record)
        record.target, record.detail = fault.inject(self.cluster, random.Random(name))
        return Strike(self.cluster, fault, record)

    def hold(self, processes, script, matches=lambda command: True):
        """Holds one run of a script on its way to Redis: the first that matches, of whichever process."""
        return Hold(self, script, Border(
            self.cluster, processes, "hold", lambda command: name_of(command) == script and matches(command)))

    def kill(self, process):
        """SIGKILL. `restart` ends the fault."""
        record = self.fault("kill", process)
        process.kill()
        return record

    def restart(self, process, record):
        self.cluster.restart(process)
        record.healed_ns = now_ns()


class Strike:
    def __init__(self, cluster, fault, record):
        self._cluster = cluster
        self._fault = fault
        self._record = record

    def heal(self):
        self._fault.heal(self._cluster)
        self._record.healed_ns = now_ns()


class Hold:
    def __init__(self, stage, script, border):
        self._stage = stage
        self._script = script
        self._border = border
        self._record = None

    def strikes(self):
        """Waits until a command is held; returns the process that sent it."""
        self._border.wait(self._script, DEADLINE_S)
        self._record = self._stage.fault("hold", self._border.server, self._script)
        return self._border.server

    def release(self):
        # Noted first: what follows from the release is later.
        self._record.healed_ns = now_ns()
        self._border.release()
