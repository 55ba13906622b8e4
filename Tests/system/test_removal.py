"""Workspaces and users that are removed: what is asked of them from then on, and what is left."""

import os

from harness.background import InBackground
from harness.bots_user import BotsUser
from harness.envelope import assert_error
from harness.feed_server import FeedServer, event, feed, utc
from harness.keys import WorkspaceKeys
from harness.proxy import is_script_with
from harness.receiver import Receiver
from harness.records import add_meetings
from harness.waiting import wait_for
from harness.workspace import API, Admin, random_meet_code
from test_archive import Folder

DEPLOYMENT = os.environ.get("USHER_TEST_DEPLOYMENT", "standalone")
SETTINGS = {"WEBHOOK_ALLOW": "127.0.0.1"}


class Tenant(BotsUser):
    """A user of a workspace that is not personal."""

    def __init__(self, admin):
        super().__init__(admin)
        workspace = admin.create("/admin/workspaces", {"name": "Sales", "owner_user_id": self.user["id"]})
        self.workspace_id = workspace["id"]
        self.keys = WorkspaceKeys(self.workspace_id)
        self.token = admin.create_key(self.workspace_id, self.user["id"], scopes=("seameet", "bots"))["key"]
        self.path = f"/admin/workspaces/{self.workspace_id}"

    def remove(self):
        return self.admin.request("DELETE", self.path)


def naming(redis, text):
    """The keys that have a text in their names, or in what they hold."""
    return {key for key in redis.scan("*") if text in key or text in str(redis.value(key))}


def hasten(redis, tenant):
    """Has the removal be gone on with now, and be of a time from which nothing comes any more."""
    for key in ("removing", "removed"):
        redis.call("ZADD", f"{tenant.keys.partition}:{key}", "XX", 1, tenant.workspace_id)


def is_gone(redis, tenant):
    hasten(redis, tenant)
    return naming(redis, tenant.workspace_id) == {f"{tenant.keys.partition}:removed"}


def dispatch_until_refused(tenant):
    while True:
        answer = tenant.request("POST", "/bots", {"platform": "google_meet", "native_meeting_id": random_meet_code()})
        if answer.status not in (201, 429):
            return answer


def test_nothing_is_left_of_it(servers):
    server = servers.redis()
    redis = server.client
    folder = Folder(f"{servers.folder}/archive")
    proxy = servers.proxy(server)
    node = servers.node(proxy, **folder.settings, **SETTINGS)
    servers.runner(server, node)
    admin = Admin(node)
    tenant, other = Tenant(admin), Tenant(admin)
    kept = other.send_bot()
    other.wait_for_status(kept, "active")
    feeds = FeedServer()
    with Receiver() as receiver:
        for one in (tenant, other):
            assert one.request("POST", "/webhooks", {"url": receiver.url()}).status == 201
        feeds.feeds["/a"] = feed(event("1", utc(7200), random_meet_code()))
        calendar = {"name": "Work", "ics_url": feeds.url("/a")}
        assert tenant.request("POST", "/user/calendars", calendar).status == 201
        wait_for(lambda: redis.call("ZCARD", tenant.keys.meetings), "the calendar's plan")
        ended = tenant.send_bot(deduplication_key="once")
        tenant.wait_for_status(ended, "active")
        assert tenant.request("DELETE", tenant.bot_path(ended)).status < 300
        wait_for(folder.files, "a transcript in the archive", interval_s=0.05)
        running = tenant.send_bot()
        tenant.wait_for_status(running, "active")
        add_meetings(redis, tenant.keys, 400, first=100_000)
        if DEPLOYMENT == "standalone":
            middle = redis.call("ZRANGE", tenant.keys.meetings, 200, 200)[0]
            proxy.hold(is_script_with(b":" + middle.encode() + b":segments", b":removals"))
        late = InBackground(lambda: dispatch_until_refused(tenant))
        assert tenant.remove().status == 204
        assert tenant.request("GET", "/meetings").status == 401
        assert late.answer.status in (401, 403, 404), late.answer
        # Another node goes on where one was killed.
        wait_for(lambda: redis.call("ZCARD", tenant.keys.meetings) < 400, "the removal of meetings")
        node.kill()
        assert DEPLOYMENT != "standalone" or redis.call("ZCARD", tenant.keys.meetings) >= 200
        assert naming(redis, tenant.workspace_id)
        admin.node = other.node = servers.node(server, **folder.settings, **SETTINGS)
        assert tenant.remove().status == 204
        hasten(redis, tenant)
        wait_for(lambda: not redis.call("EXISTS", tenant.keys.meetings), "the removal of all meetings", interval_s=0.05)
        wait_for(lambda: is_gone(redis, tenant), "the end of all that it had", interval_s=0.2)
    feeds.end()
    assert folder.files() == []
    assert_error(tenant.remove(), 404)
    assert other.meeting(kept)["status"] == "active"
    assert len(other.request("GET", "/webhooks").json["webhooks"]) == 1


def test_it_is_none_from_then_on(servers):
    admin = Admin(servers.node(servers.redis()))
    tenant = Tenant(admin)
    number = tenant.user["id"]
    assert tenant.remove().status == tenant.remove().status == 204
    assert_error(admin.request("GET", tenant.path), 404)
    assert_error(admin.request("PATCH", tenant.path, {"max_bytes": 1}), 404)
    assert_error(admin.request("PUT", f"{tenant.path}/members/{number}", {"role": "owner"}), 404)
    assert_error(admin.request("POST", f"{tenant.path}/keys", {"user_id": number, "scopes": ["bots"]}), 404)
    assert admin.request("GET", "/admin/workspaces?search=Sales").json["workspaces"] == []
    assert_error(admin.request("DELETE", "/admin/workspaces/7"), 404)
    # A user's own goes with that user.
    answer = admin.request("DELETE", f"/admin/workspaces/{tenant.user['workspace_id']}")
    assert_error(answer, 409)
    assert f"user {number}," in answer.json["detail"]


def test_a_user_goes_with_what_is_the_users_own(servers):
    server = servers.redis()
    redis = server.client
    node = servers.node(server)
    admin = Admin(node)
    user, other = Tenant(admin), Tenant(admin)
    number, personal = user.user["id"], user.user["workspace_id"]
    admin.set_role(other.workspace_id, number, "owner")
    admin.set_role(personal, other.user["id"], "viewer")
    keys = [admin.create_key(workspace, number)["key"] for workspace in (other.workspace_id, personal)]
    path = f"/admin/users/{number}"
    before = redis.hash(other.keys.members)
    answer = admin.request("DELETE", path)
    assert_error(answer, 409)
    assert user.workspace_id in answer.json["detail"] and personal in answer.json["detail"]
    assert other.workspace_id not in answer.json["detail"] and redis.hash(other.keys.members) == before
    assert user.remove().status == 204
    member = f"/admin/workspaces/{personal}/members/{other.user['id']}"
    assert admin.request("DELETE", member).status == 204
    assert admin.request("DELETE", path).status == 204
    for key in keys:
        assert node.request("GET", f"{API}/{personal}/meetings", headers={"X-API-Key": key}).status == 401
    assert redis.hash(other.keys.members) == {str(other.user["id"]): "owner"}
    assert_error(admin.request("DELETE", path), 404)
    assert_error(admin.request("GET", f"/admin/users/email/{user.user['email']}"), 404)
    assert number not in [one["id"] for one in admin.request("GET", "/admin/users").json]
    # Whoever has the email later is somebody else.
    again = admin.create("/admin/users", {"email": user.user["email"]})
    assert again["id"] != number and again["workspace_id"] != personal
    user.workspace_id, user.keys = personal, WorkspaceKeys(personal)
    wait_for(lambda: is_gone(redis, user), "the end of the personal workspace", interval_s=0.2)
