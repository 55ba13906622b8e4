"""Redis' clock is set back by an hour: nothing waits until it has caught up (docs/architecture.md, "Keys": all times are
Redis'). Or ahead: no bot ends by that (docs/architecture.md, "Leases")."""

import os
import shutil
import signal
import subprocess

import pytest

from harness.bots_user import BotsUser
from harness.waiting import wait_for
from harness.workspace import Admin

LEASE_MS = 10_000
HOUR_NS = 3_600_000_000_000
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../chaos/faults/wrong_clock.c")

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or os.environ.get("USHER_TEST_DEPLOYMENT", "standalone") != "standalone",
    reason="needs a C compiler, and one Redis that is started here")


@pytest.fixture
def scene(servers):
    return Scene(servers)


class Scene:
    def __init__(self, servers, **settings):
        self.servers = servers
        library = os.path.join(servers.folder, "wrong_clock.so")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True, timeout=300)
        self._clock = os.path.join(servers.folder, "redis.clock")
        with open(self._clock, "wb") as file:
            file.write(bytes(8))
        self.server = servers.redis(start=False)
        self.server.environment.update(LD_PRELOAD=library, WRONG_CLOCK=self._clock)
        self.server.start()
        self.redis = self.server.client
        # Without a limit of requests, whose bucket may be empty for a moment once the clock is set.
        settings = {"RATE_LIMIT_PER_SECOND": 0, **settings}
        self.node = servers.node(self.server, LEASE_TTL_MS=LEASE_MS, **settings)
        self.user = BotsUser(Admin(self.node))

    def runner(self, **settings):
        return self.servers.runner(
            self.server, self.node, LEASE_TTL_MS=LEASE_MS, STOP_GRACE_MS=4000, SIMULATE_MEETING_MS=3_600_000,
            **settings)

    def now(self):
        return int(self.redis.call("TIME")[0]) * 1000

    def lease_end(self, bot_id):
        return float(self.redis.call("ZSCORE", f"{self.user.keys.partition}:leases", bot_id))

    def set_clock(self, shift_ns):
        before = self.now()
        with open(self._clock, "r+b") as file:
            file.write(shift_ns.to_bytes(8, "little", signed=True))
        wait_for(lambda: abs(self.now() - before) > 3_000_000, "the clock to be set")

    def set_clock_back(self):
        self.set_clock(-HOUR_NS)


def test_the_room_of_a_dead_bot_and_a_stop_do_not_wait_for_the_clock(scene):
    runner = scene.runner()
    left, stopped = scene.user.send_bot(), scene.user.send_bot()
    for meeting in (left, stopped):
        scene.user.wait_for_status(meeting, "active")
    runner.signal(signal.SIGKILL)
    scene.set_clock_back()
    assert scene.user.request("DELETE", scene.user.bot_path(stopped)).status == 202
    ended = scene.user.wait_for_status(left, "failed")
    assert ended["completion_reason"] == "lease_expired"
    assert scene.user.wait_for_status(stopped, "completed")["completion_reason"] == "stopped"
    # The rooms are free.
    scene.runner()
    again = scene.user.send_bot(left["native_meeting_id"])
    scene.user.wait_for_status(again, "active")


def test_bots_that_live_go_on(scene):
    scene.runner()
    meeting = scene.user.send_bot()
    scene.user.wait_for_status(meeting, "active")
    bot = scene.user.bot_id(scene.redis, meeting)
    scene.set_clock_back()
    wait_for(lambda: scene.lease_end(bot) < scene.now() + 2 * LEASE_MS, "the lease to follow the clock")
    end = scene.lease_end(bot)
    wait_for(lambda: scene.lease_end(bot) > end + 2 * LEASE_MS, "the lease to be renewed")
    assert scene.user.meeting(meeting)["status"] == "active"
    assert scene.user.bot_id(scene.redis, meeting) == bot


def test_bots_go_on_where_the_clock_is_set_ahead(scene):
    scene.runner()
    there, waiting = scene.user.send_bot(), scene.user.send_bot(bot_name="Usher SIMULATE=hang-lobby")
    statuses = {there["id"]: "active", waiting["id"]: "awaiting_admission"}
    for meeting in (there, waiting):
        scene.user.wait_for_status(meeting, statuses[meeting["id"]])
    bots = [scene.user.bot_id(scene.redis, meeting) for meeting in (there, waiting)]
    scene.set_clock(HOUR_NS)
    end = scene.now() + 3 * LEASE_MS
    for bot in bots:
        wait_for(lambda: scene.lease_end(bot) > end, "the lease to be renewed again and again")
    for meeting, bot in zip((there, waiting), bots):
        assert scene.user.meeting(meeting)["status"] == statuses[meeting["id"]]
        assert scene.user.bot_id(scene.redis, meeting) == bot


def test_a_claim_does_not_wait_for_the_clock(scene):
    """A runner died with a dispatch in its hands: another one takes it over after a lease."""
    meeting = scene.user.send_bot()
    stream = f"{scene.user.keys.partition}:dispatch"
    scene.redis.call("XGROUP", "CREATE", stream, "runners", "0")
    assert scene.redis.call("XREADGROUP", "GROUP", "runners", "dead", "STREAMS", stream, ">")
    scene.set_clock_back()
    scene.runner()
    scene.user.wait_for_status(meeting, "active")


def test_an_active_key_is_not_kept_waiting(servers):
    # So few that who asks one after the other is faster, on any machine.
    scene = Scene(servers, RATE_LIMIT_PER_SECOND=1, RATE_LIMIT_BURST=20)
    assert scene.user.request("GET", "/bots/status").status == 200
    wait_for(lambda: scene.user.request("GET", "/bots/status").status == 429, "the end of what a key may", interval_s=0)
    scene.set_clock_back()
    wait_for(lambda: scene.user.request("GET", "/bots/status").status == 200, "the next request to be let through",
             interval_s=0.05)
