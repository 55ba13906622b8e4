"""A Redis that is full takes nothing new, and ends nobody's bots."""

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error, assert_error
from harness.runner import processes_of
from harness.waiting import wait_for
from harness.workspace import API, Admin, random_meet_code

LEASE_MS = 10_000
FULL = "Redis is full: new meetings, bots and segments are refused; what runs goes on and can be stopped"


@pytest.fixture
def scene(servers):
    return Scene(servers)


class Scene:
    """Two users, a runner, and bots in their rooms; then one of the users has filled Redis."""

    def __init__(self, servers):
        self.server = servers.redis()
        self.redis = self.server.client
        self.node = servers.node(self.server, LEASE_TTL_MS=LEASE_MS)
        self.runner = servers.runner(
            self.server, self.node, LEASE_TTL_MS=LEASE_MS, STOP_GRACE_MS=4000, SIMULATE_MEETING_MS=3_600_000)
        self.user, self.neighbour = BotsUser(Admin(self.node)), BotsUser(Admin(self.node))

    def join(self):
        meeting = self.user.send_bot()
        self.user.wait_for_status(meeting, "active")
        return meeting

    def fill(self, limit=1):
        """The limit is what moves: to write as much as Redis may have would take longer."""
        for redis in self.primaries():
            redis.call("CONFIG", "SET", "maxmemory", limit)

    def primaries(self):
        servers = self.server.primaries() if hasattr(self.server, "primaries") else [self.server]
        return [server.connect() for server in servers]

    def records(self):
        """The keys of meetings and bots, and of what leads to them."""
        return [key for pattern in ("usher:*meeting*", "usher:*:bot:*", "usher:number:*", "usher:*:room:*")
                for key in self.redis.scan(pattern)]

    def lease_end(self, bot_id):
        return float(self.redis.call("ZSCORE", f"{self.user.keys.partition}:leases", bot_id) or 0)

    def readiness(self):
        answer = self.node.request("GET", "/readyz")
        assert answer.status == 200, answer
        return answer.json


def test_another_tenants_bots_live_on_and_can_be_stopped(scene):
    stays, ends, stopped = scene.join(), scene.join(), scene.join()
    bots = {meeting["id"]: scene.user.bot_id(scene.redis, meeting) for meeting in (stays, ends, stopped)}
    planned = scene.neighbour.send_bot()
    scene.neighbour.wait_for_status(planned, "active")
    webhook = scene.neighbour.request("POST", "/webhooks", {"url": "https://hooks.example.com/"}).json["id"]
    assert scene.readiness() == {"status": "ready"}

    scene.fill()
    wait_for(lambda: scene.readiness() == {"status": "ready", "redis_memory": "full"}, "readiness to tell")
    wait_for(lambda: scene.node.said(FULL), "the line of the log")
    metrics = scene.node.request("GET", "/metrics").body.decode()
    assert "\nusher_redis_memory_limit_bytes 1\n" in metrics and "\nusher_redis_memory_bytes " in metrics

    # For longer than two leases.
    full_since = {bot: scene.lease_end(bot) for bot in bots.values()}
    wait_for(lambda: all(scene.lease_end(bot) > end + 2 * LEASE_MS for bot, end in full_since.items()),
             "leases to be renewed")
    for meeting in (stays, ends, stopped):
        assert scene.user.meeting(meeting)["status"] == "active"
        assert processes_of(bots[meeting["id"]])

    # What a bot reports, and what users ask of it, goes through.
    scene.redis.call("PUBLISH", f"bot_commands:meeting:{ends['id']}", '{"action":"leave"}')
    assert scene.user.wait_for_status(ends, "completed")["completion_reason"] == "left_unasked"
    answer = scene.user.request("PUT", scene.user.bot_path(stays) + "/config", {"language": "fr"})
    assert answer.status == 202, answer
    assert scene.user.request("DELETE", scene.user.bot_path(stopped)).status == 202
    assert scene.user.wait_for_status(stopped, "completed")["completion_reason"] == "stopped"
    wait_for(lambda: scene.user.record(stopped)["status"] == "OFFLINE", "the record to be finalised")

    # What is new is refused in words, and leaves nothing behind.
    before = scene.records()
    answer = scene.neighbour.request(
        "POST", "/bots", {"platform": "google_meet", "native_meeting_id": random_meet_code()})
    assert_bots_error(answer, 503, "Service unavailable", "no room for new records")
    assert answer.header("Retry-After") == "60"
    answer = scene.neighbour.request("PATCH", scene.neighbour.meeting_path(planned), {"data": {"notes": "x"}})
    assert_bots_error(answer, 503, "Service unavailable", "no room for new records")
    path = f"{API}/{scene.neighbour.workspace_id}/meetings"
    answer = scene.neighbour.request("POST", path, {"meeting_url": "https://meet.google.com/abc-defg-hij"})
    assert_error(answer, 503)
    answer = scene.neighbour.request("POST", f"/webhooks/{webhook}/test", {})
    assert_bots_error(answer, 503, "Service unavailable", "no room for new records")
    assert_error(scene.user.reinvite(stopped, {"force_restart": True}), 500, 12109)
    assert scene.records() == before

    # There is room again.
    scene.fill(0)
    wait_for(lambda: scene.readiness() == {"status": "ready"}, "readiness to tell")
    wait_for(lambda: scene.node.said("Redis has room again"), "the line of the log")
    assert scene.user.reinvite(stopped, {"force_restart": True}).status == 202
    scene.user.wait_for_status(stopped, "active")
    assert scene.user.meeting(stays)["status"] == "active"


def test_a_runner_that_starts_now_takes_what_was_accepted(servers):
    server = servers.redis()
    node = servers.node(server, LEASE_TTL_MS=LEASE_MS)
    user = BotsUser(Admin(node))
    meeting = user.send_bot()
    server.client.call("CONFIG", "SET", "maxmemory", 1)
    servers.runner(server, node, LEASE_TTL_MS=LEASE_MS)
    user.wait_for_status(meeting, "active")
