"""What a workspace may take, so that one tenant does not fill Redis for all."""

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error, assert_error
from harness.transcripts import post, segment
from harness.workspace import API, Admin, random_meet_code


@pytest.fixture
def scene(servers):
    return Scene(servers)


class Scene:
    def __init__(self, servers):
        server = servers.redis()
        self.redis = server.client
        self.node = servers.node(server, MAX_MEETINGS=3)
        self.admin = Admin(self.node)
        self.user, self.neighbour = BotsUser(self.admin), BotsUser(self.admin)

    def limit(self, **limits):
        answer = self.admin.request("PATCH", f"/admin/workspaces/{self.user.workspace_id}", limits)
        assert answer.status == 200, answer
        return answer.json

    def workspace(self, user=None):
        return self.admin.request("GET", f"/admin/workspaces/{(user or self.user).workspace_id}").json

    def ask(self):
        return self.user.request("POST", "/bots", {
            "platform": "google_meet", "native_meeting_id": random_meet_code()})

    def plan(self):
        return self.user.request("POST", f"{API}/{self.user.workspace_id}/meetings", {
            "meeting_url": f"https://meet.google.com/{random_meet_code()}"})


def test_too_many_meetings(scene):
    """429 on both ways to make one; nobody else feels it, and what is there can still be used."""
    first = scene.user.send_bot()
    scene.user.send_bot()
    assert scene.plan().status == 201
    refused = scene.ask()
    assert_bots_error(refused, 429, "Too many meetings", names="3")
    assert int(refused.header("Retry-After")) > 0
    assert_error(scene.plan(), 429)
    scene.neighbour.send_bot()

    assert scene.user.request("DELETE", scene.user.bot_path(first)).status == 202
    assert scene.limit(max_meetings=4)["max_meetings"] == 4
    assert scene.ask().status == 201
    assert scene.ask().status == 429
    assert scene.limit(max_meetings=None)["max_meetings"] is None


def test_too_many_bytes(scene):
    """413 for records and for what bots write; what is deleted makes room."""
    user = scene.user
    scene.limit(max_meetings=100, max_concurrent_bots=100, max_bytes=300_000)
    meetings = [user.send_bot() for _ in range(16)]
    notes = "n" * 30_000
    statuses = [user.request("PATCH", user.meeting_path(meeting), {"data": {"notes": notes}}).status
                for meeting in meetings]
    fit = statuses.index(413)
    assert statuses == [200] * fit + [413] * (16 - fit)
    taken = scene.workspace()["bytes"]
    assert 270_000 < taken <= 300_000
    refused = user.request("PATCH", user.meeting_path(meetings[-1]), {"data": {"notes": notes}})
    assert_bots_error(refused, 413, "Workspace full")
    assert scene.workspace()["bytes"] == taken
    assert scene.workspace(scene.neighbour)["bytes"] == 0
    scene.neighbour.send_bot()

    shorter = user.request("PATCH", user.meeting_path(meetings[0]), {"data": {"notes": ""}})
    assert shorter.status == 200, shorter
    assert scene.workspace()["bytes"] == taken - 30_000
    assert user.request("PATCH", user.meeting_path(meetings[-1]), {"data": {"notes": "n" * 25_000}}).status == 200


def test_a_bot_in_a_full_workspace(scene):
    """Its words are refused with the reason, its reports are not."""
    user = scene.user
    bot = user.play(scene.redis, user.send_bot(), "joining", "awaiting_admission", "active")
    scene.limit(max_bytes=0)
    assert_bots_error(post(scene.node, bot, {"segments": [segment("a", "x")]}), 413, "Workspace full")
    assert bot.report(scene.node, "completed", completion_reason="left_alone").status == 200
    assert_bots_error(scene.ask(), 413, "Workspace full", names="0")


@pytest.mark.parametrize("body, field", [
    ({"max_meetings": -1}, "max_meetings"), ({"max_bytes": -1}, "max_bytes"), ({"max_bytes": "1"}, "max_bytes"),
    ({"max_meetings": 1.5}, "max_meetings"), ({"max_meetings": 1_000_000_000_001}, "max_meetings"),
    ({"max_concurrent_bots": 0}, "max_concurrent_bots"),
])
def test_limits_that_are_none(scene, body, field):
    before = scene.workspace()
    answer = scene.admin.request("PATCH", f"/admin/workspaces/{scene.user.workspace_id}", body)
    assert_error(answer, 422, field=field)
    assert scene.workspace() == before


def test_a_workspace_that_is_not_there(scene):
    for name in ("none", "00000000-0000-4000-8000-000000000000"):
        assert_error(scene.admin.request("GET", f"/admin/workspaces/{name}"), 404)
        assert_error(scene.admin.request("PATCH", f"/admin/workspaces/{name}", {"max_bytes": 1}), 404)
