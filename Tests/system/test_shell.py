"""`usher users`, `usher meetings` and `usher bots` against a real Redis: what they show, page by page, and what they refuse; and
`usher send` and `usher stop`, which do what the API does."""

import json

import pytest

from harness.bots_user import BotsUser
from harness.up import run_usher
from harness.workspace import Admin


@pytest.fixture(scope="module")
def scene(module_servers):
    redis = module_servers.redis()
    return redis, Admin(module_servers.node(redis))


def listed(redis, *arguments):
    code, output, log = run_usher(*arguments, "--redis", redis.url, "--json")
    assert code == 0, log
    return json.loads(output)


def table(redis, *arguments):
    code, output, log = run_usher(*arguments, "--redis", redis.url)
    assert code == 0, log
    return output.splitlines()


def test_users(scene):
    redis, admin = scene
    made = [admin.create_user(name="Ana") for _ in range(3)]
    found, options = [], []
    while True:
        page = listed(redis, "users", "--limit", "2", *options)
        assert len(page["users"]) <= 2
        found += page["users"]
        if page["next"] is None:
            break
        assert page["next"] == f"--skip {len(found)}"
        options = page["next"].split()
    assert [user["id"] for user in found] == sorted(user["id"] for user in found)
    assert [user for user in found if user["id"] in {user["id"] for user in made}] == [
        {name: user[name] for name in ("id", "email", "name", "workspace_id", "max_concurrent_bots", "created_at")}
        for user in made]
    lines = table(redis, "users", "--limit", "1")
    assert lines[0].split() == ["ID", "EMAIL", "NAME", "WORKSPACE_ID", "MAX_CONCURRENT_BOTS", "CREATED_AT"]
    assert len(lines) == 3 and lines[2] == "more by --skip 1"
    # One whose record is odd is left out, and hides nobody behind it.
    workspace = redis.client.call("HGET", f"usher:user:{made[1]['id']}", "workspace_id")
    redis.client.call("HDEL", f"usher:user:{made[1]['id']}", "workspace_id")
    skip = [user["id"] for user in found].index(made[1]["id"])
    page = listed(redis, "users", "--skip", str(skip), "--limit", "1")
    assert page == {"users": [], "next": f"--skip {skip + 1}"}
    redis.client.call("HSET", f"usher:user:{made[1]['id']}", "workspace_id", workspace)
    # Whatever is in a record makes no lines of its own.
    redis.client.call("HSET", f"usher:user:{made[0]['id']}", "name", "Ana\nB")
    assert any("Ana\\nB" in line for line in table(redis, "users"))


def test_meetings_and_bots(scene):
    redis, admin = scene
    user = BotsUser(admin)
    assert table(redis, "meetings", user.workspace_id) == ["no meetings"]
    assert table(redis, "bots", user.workspace_id) == ["no bots"]
    meetings = [user.send_bot() for _ in range(3)]
    first = listed(redis, "meetings", user.workspace_id, "--limit", "2")
    # Another one does not shift what follows.
    meetings.append(user.send_bot())
    second = listed(redis, "meetings", user.workspace_id, *first["next"].split())
    assert [meeting["number"] for meeting in first["meetings"] + second["meetings"]] == [
        meeting["id"] for meeting in meetings[2::-1]]
    assert second["next"] is None
    [last] = [meeting for meeting in second["meetings"] if meeting["number"] == meetings[0]["id"]]
    assert last == {
        "number": meetings[0]["id"], "id": meetings[0]["data"]["meeting_id"],
        "room": f"google_meet:{meetings[0]['native_meeting_id']}", "status": "INITIAL", "bot_status": "requested",
        "scheduled_at": None, "start_time": None, "end_time": None, "reason": None, "title": None}

    assert user.request("DELETE", user.bot_path(meetings[3])).status == 202
    bots = listed(redis, "bots", user.workspace_id)
    assert [bot["meeting"] for bot in bots["bots"]] == [meeting["id"] for meeting in meetings[:3]]
    assert {bot["status"] for bot in bots["bots"]} == {"requested"} and bots["next"] is None
    lines = table(redis, "bots", user.workspace_id, "--limit", "1")
    assert lines[0].split()[:4] == ["BOT_ID", "MEETING", "ROOM", "STATUS"] and lines[2:] == ["more by a larger --limit"]


@pytest.mark.parametrize("command", ["meetings", "bots"])
def test_a_workspace_that_is_not_there(scene, command):
    redis, _ = scene
    code, output, log = run_usher(command, "nobody", "--redis", redis.url)
    assert (code, output) == (1, "") and 'There is no workspace "nobody".' in log


def test_without_redis():
    code, output, log = run_usher("users", "--redis", "redis://127.0.0.1:1")
    assert (code, output) == (1, "") and "does not answer" in log


def act(scene, *arguments):
    """(exit code, answer, what was complained of)"""
    redis, _ = scene
    code, output, log = run_usher(*arguments, "--redis", redis.url)
    return code, json.loads(output) if output else None, log


def test_a_bot_is_sent_and_stopped(scene):
    _, admin = scene
    user = BotsUser(admin)
    as_user = ("--user-id", str(user.user["id"]))
    link = "https://meet.google.com/xyz-abcd-efg?authuser=0"
    code, sent, log = act(scene, "send", user.workspace_id, link, *as_user)
    assert code == 0, log
    [meeting] = user.request("GET", "/meetings").json["meetings"]
    assert sent == {"outcome": "sent", "room": "google_meet:xyz-abcd-efg", "meeting_id": meeting["data"]["meeting_id"],
                    "bot_id": sent["bot_id"]}
    assert (meeting["status"], meeting["user_id"]) == ("requested", user.user["id"])
    # One bot in a room, whoever asks; and the API says the same.
    code, nothing, log = act(scene, "send", user.workspace_id, "google_meet:xyz-abcd-efg", *as_user)
    assert (code, nothing) == (1, None) and "A bot is in this meeting already" in log
    assert user.request("POST", "/bots", {"meeting_url": link}).status == 409

    code, stopped, log = act(scene, "stop", user.workspace_id, link, *as_user)
    assert code == 0, log
    assert stopped == {**sent, "outcome": "ended"}
    [meeting] = user.request("GET", "/meetings").json["meetings"]
    assert meeting["status"] == "completed"
    code, nothing, log = act(scene, "stop", user.workspace_id, link, *as_user)
    assert (code, nothing) == (1, None) and "There is no active bot for this meeting." in log


def test_nobody_acts_in_anothers_workspace(scene):
    _, admin = scene
    user, other = BotsUser(admin), BotsUser(admin)
    for command in ("send", "stop"):
        code, nothing, log = act(scene, command, user.workspace_id, "google_meet:xyz-abcd-efg", "--user-id",
                                 str(other.user["id"]))
        assert (code, nothing) == (1, None) and "is no member of a workspace" in log
    admin.set_role(user.workspace_id, other.user["id"], "viewer")
    for command in ("send", "stop"):
        code, nothing, log = act(scene, command, user.workspace_id, "google_meet:xyz-abcd-efg", "--user-id",
                                 str(other.user["id"]))
        assert (code, nothing) == (1, None) and "needs a higher role" in log
    assert user.request("GET", "/meetings").json["meetings"] == []
