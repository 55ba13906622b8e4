"""A stop at every stage of a bot's life is final: with real runners and simulated bots."""

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.runner import processes_of, wait_until_gone
from harness.waiting import wait_for
from harness.workspace import Admin

LEASE_MS = 10_000
GRACE_MS = 10_000
# Longer than any test: the bot stays at this stage until it is told otherwise.
FOR_EVER = 3_600_000

# The stage at which each bot is stopped: its name, which says how it behaves, and the status that it has by then.
STAGES = {
    "not claimed": ("", "requested"),
    "starting": ("SIMULATE=hang-start", "requested"),
    "joining": (f"SIMULATE_JOIN_MS={FOR_EVER}", "joining"),
    "hanging while joining": ("SIMULATE=hang-joining", "joining"),
    "in the lobby": (f"SIMULATE_LOBBY_MS={FOR_EVER}", "awaiting_admission"),
    "ignoring both in the lobby": (f"SIMULATE=ignore-leave,ignore-term SIMULATE_LOBBY_MS={FOR_EVER}",
                                   "awaiting_admission"),
    # Long enough to be stopped while it needs help.
    "needing help": ("SIMULATE=needs-help SIMULATE_LOBBY_MS=10000", "needs_help"),
    "in the room": ("", "active"),
    "ignoring leave": ("SIMULATE=ignore-leave", "active"),
    "ignoring both": ("SIMULATE=ignore-leave,ignore-term", "active"),
    "hanging in the room": ("SIMULATE=hang-active", "active"),
}
IN_ROOM = [stage for stage, (_, status) in STAGES.items() if status == "active"]


@pytest.fixture(scope="module")
def scene(module_servers):
    """A bot stopped at each stage, all at once: the bots end side by side, which saves the tests' time."""
    return Scene(module_servers)


class Scene:
    def __init__(self, servers):
        self.redis = servers.redis()
        self.node = servers.node(self.redis, LEASE_TTL_MS=LEASE_MS)
        self.user = BotsUser(Admin(self.node), max_concurrent_bots=100)
        self.meetings, self.bots, self.answers = {}, {}, {}
        # What is stopped before there is a runner is claimed by nobody.
        self.send("not claimed")
        self.stop("not claimed")
        self.runner = servers.runner(self.redis, self.node, LEASE_TTL_MS=LEASE_MS, STOP_GRACE_MS=GRACE_MS)
        self.presence = self.runner.presence
        waiting = [stage for stage in STAGES if stage != "not claimed"]
        for stage in waiting:
            self.send(stage)
        while waiting:
            wait_for(lambda: any(self.is_there(stage) for stage in waiting), f"a bot's being {waiting}")
            for stage in [stage for stage in waiting if self.is_there(stage)]:
                self.stop(stage)
                waiting.remove(stage)

    def send(self, stage):
        name = STAGES[stage][0]
        self.meetings[stage] = self.user.send_bot(**({"bot_name": name} if name else {}))
        self.bots[stage] = self.user.bot_id(self.redis.client, self.meetings[stage])

    def is_there(self, stage):
        if stage == "starting":
            return processes_of(self.bots[stage])
        return self.user.meeting(self.meetings[stage])["status"] == STAGES[stage][1]

    def stop(self, stage):
        self.answers[stage] = self.user.request("DELETE", self.user.bot_path(self.meetings[stage]))

    def stays(self, stage):
        return self.presence.stays(self.meetings[stage]["native_meeting_id"])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stop_is_final(scene, stage):
    meeting, bot_id, redis = scene.meetings[stage], scene.bots[stage], scene.redis.client
    assert scene.answers[stage].status == 202 and scene.answers[stage].json["message"]
    ended = scene.user.wait_for_status(meeting, "completed")
    assert ended["completion_reason"] == "stopped" and ended["failure_stage"] is None, ended
    wait_until_gone(bot_id)
    life = scene.user.life(redis, meeting)
    assert set(life[life.index("stopping") + 1:]) == {"completed"}, life
    # No other bot took its place, and nothing is left of it.
    assert scene.user.fields(redis, meeting)["epoch"] == "1"
    assert scene.runner.started.count(bot_id) == (stage != "not claimed")
    keys, room = scene.user.keys, f"google_meet:{meeting['native_meeting_id']}"
    assert redis.call("EXISTS", keys.room(room), keys.in_flight(room)) == 0
    assert redis.call("ZSCORE", keys.bots, bot_id) is None
    assert redis.call("ZSCORE", f"{keys.partition}:leases", bot_id) is None
    assert meeting["id"] not in [bot["meeting_id"] for bot in scene.user.running()]
    assert_bots_error(scene.user.request("DELETE", scene.user.bot_path(meeting)), 404, "Bot not found")
    # Its processes are gone, so that this is all that it will ever have written.
    if stage in IN_ROOM:
        [stay] = scene.stays(stage)
        assert stay.bot_id == bot_id
        assert stay.left == (stage in ("in the room", "ignoring leave"))
        wait_for(lambda: scene.user.record(meeting)["status"] == "OFFLINE", "the end of the analysis")
        assert scene.user.record(meeting)["duration"] is not None
    else:
        assert scene.stays(stage) == [], "it entered the room after it was stopped"
        assert scene.user.record(meeting)["status"] == "OFFLINE"
        assert scene.user.record(meeting)["start_time"] is None


def test_the_runner_killed_right_after_the_stop(servers):
    """Nobody is left to tell the bots to leave, and nobody to tell of their end."""
    redis = servers.redis()
    node = servers.node(redis, LEASE_TTL_MS=LEASE_MS)
    runner = servers.runner(redis, node, LEASE_TTL_MS=LEASE_MS)
    user = BotsUser(Admin(node))
    meetings = {
        "awaiting_admission": user.send_bot(bot_name=f"SIMULATE_LOBBY_MS={FOR_EVER}"),
        "active": user.send_bot(bot_name="SIMULATE=ignore-leave"),
    }
    for status, meeting in meetings.items():
        user.wait_for_status(meeting, status)
    bots = [user.bot_id(redis.client, meeting) for meeting in meetings.values()]
    answers = [user.request("DELETE", user.bot_path(meeting)) for meeting in meetings.values()]
    runner.kill()
    assert [answer.status for answer in answers] == [202, 202]
    for bot_id in bots:
        wait_until_gone(bot_id)
    # A runner that could take them up, if they were dispatched again.
    other = servers.runner(redis, node, LEASE_TTL_MS=LEASE_MS)
    for meeting in meetings.values():
        assert user.wait_for_status(meeting, "completed")["completion_reason"] == "stopped"
        assert user.fields(redis.client, meeting)["epoch"] == "1"
    assert runner.presence.stays(meetings["awaiting_admission"]["native_meeting_id"]) == []
    assert len(runner.presence.stays(meetings["active"]["native_meeting_id"])) == 1
    assert other.started == [] and user.running() == []
