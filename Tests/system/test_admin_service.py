"""The whole service, as whoever runs it sees it by the administrator's API: what runs, what is wrong, which workspaces."""

import concurrent.futures
import json
import uuid

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_error
from harness.receiver import Receiver
from harness.times import iso
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code


@pytest.fixture(scope="module")
def redis(module_servers):
    return module_servers.redis()


@pytest.fixture(scope="module")
def node(module_servers, redis):
    return module_servers.node(redis, WEBHOOK_ALLOW="127.0.0.1", LOOPS=2)


@pytest.fixture(scope="module")
def runner(module_servers, redis, node):
    return module_servers.runner(redis, node, CAPACITY=7)


@pytest.fixture
def admin(node):
    return Admin(node)


def get(admin, path):
    answer = admin.request("GET", path)
    assert answer.status == 200, answer
    return answer.json


# What runs

def test_the_status_is_what_the_command_prints(redis, node, runner, admin):
    user = BotsUser(admin)
    meeting = user.send_bot()
    user.wait_for_status(meeting, "active")

    def both():
        code, output, log = run_usher("status", "--json", "--redis", redis.url)
        assert code == 0, log
        told, printed = get(admin, "/admin/status"), json.loads(output)
        for one in (told, printed):
            # Of two moments.
            one.pop("at")
            for peer in one["nodes"] + one["runners"]:
                peer.pop("seen_at")
        memory = told.pop("redis_memory", None)
        return told == printed and memory and told["runners"] and told["runners"][0]["running"] == 1 and (told, memory)
    told, memory = wait_for(both, "the same by both ways", interval_s=0.1)
    assert [one["process"] for one in told["nodes"]] == [node.pid]
    assert told["runners"][0]["capacity"] == 7 and told["rooms"]["by_status"] == {"active": 1}
    assert memory["used_bytes"] > 0 and memory["limit_bytes"] == 0
    user.request("DELETE", user.bot_path(meeting))


def test_the_findings_are_the_doctors_and_looked_for_once(redis, node, admin):
    _, output, _ = run_usher("doctor", "--redis", redis.url)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: get(Admin(node), "/admin/findings"), range(8)))
    assert len({one["at"] for one in answers}) == 1
    lines = [line for line in output.splitlines() if line[:4] in ("ok  ", "warn", "FAIL")]
    findings = answers[0]["findings"]
    assert len(findings) == len(lines)
    assert all(line[6:].startswith(f"{one['subject']}: ") for one, line in zip(findings, lines))
    # What was read of another moment may differ, what to do about it not, but for two that a busy machine makes worse.
    lasting = [(one, line) for one, line in zip(findings, lines) if one["subject"] not in ("latency", "clock")]
    assert [one["level"] for one, _ in lasting] == [line[:4].strip().lower() for _, line in lasting]
    assert all(line.endswith(one["advice"] or ".") for one, line in lasting)
    assert all((one["advice"] is None) == (one["level"] == "ok") for one in findings)


def test_the_last_hour_begins_with_the_node(servers):
    # With one of its own: a minute later there is an entry.
    assert get(Admin(servers.node(servers.redis())), "/admin/history") == {"minutes": []}


def test_plans_of_the_next_hour_the_soonest_first(admin):
    """Of all workspaces; those that come later are not among them, nor is what was cancelled."""
    users = [BotsUser(admin), BotsUser(admin)]
    made = {}
    for user, seconds in [(users[0], 3_000), (users[1], 1_200), (users[0], 2_000), (users[1], 9_000)]:
        plan = user.request("POST", "/meetings", {
            "meeting_url": f"https://meet.google.com/{random_meet_code()}", "scheduled_at": iso(seconds)}).json
        made[plan["id"]] = user, plan

    def ours():
        return [plan for plan in get(admin, "/admin/plans")["plans"] if plan["meeting_id"] in made]

    found = ours()
    assert [plan["meeting_id"] for plan in found] == [list(made)[index] for index in (1, 2, 0)]
    for plan in found:
        user, meeting = made[plan["meeting_id"]]
        assert plan == {
            "workspace_id": user.workspace_id, "meeting_id": meeting["id"], "platform": "google_meet",
            "native_meeting_id": meeting["native_meeting_id"], "scheduled_at": meeting["data"]["scheduled_at"],
            "auto_join_error": None}
    for meeting_id, (user, _) in made.items():
        assert user.request("DELETE", f"/meetings/{meeting_id}").status in (200, 204)
    assert ours() == []


def test_failing_webhooks_are_told_by_their_hosts(admin):
    user = BotsUser(admin)
    assert get(admin, "/admin/webhooks/failing") == {"webhooks": []}
    with Receiver(lambda delivery: (500, {}, b"")) as receiver:
        made = user.request("POST", "/webhooks", {"url": receiver.url(path="/5ec2e7")}).json
        user.request("POST", f"/webhooks/{made['id']}/test")
        receiver.wait_for("webhook.test")
        [failing] = wait_for(lambda: get(admin, "/admin/webhooks/failing")["webhooks"], "a failing webhook")
    assert failing == {
        "workspace_id": user.workspace_id, "webhook_id": made["id"], "host": "127.0.0.1",
        "failing_since": user.request("GET", f"/webhooks/{made['id']}").json["failing_since"]}
    user.request("DELETE", f"/webhooks/{made['id']}")
    assert get(admin, "/admin/webhooks/failing") == {"webhooks": []}


# Workspaces

def all_workspaces(admin, limit, **query):
    pages, offset = [], 0
    while offset is not None:
        search = "".join(f"&{name}={value}" for name, value in query.items())
        page = get(admin, f"/admin/workspaces?limit={limit}&offset={offset}{search}")
        pages.append(page["workspaces"])
        offset = page["next_offset"]
    return pages


def test_workspaces_are_listed_page_by_page_with_what_they_take(admin):
    name = f"Überblick {uuid.uuid4()}"
    owner = admin.create_user()
    made = [admin.create("/admin/workspaces", {"name": f"{name} {number}", "owner_user_id": owner["id"]})
            for number in range(5)]
    pages = all_workspaces(admin, 2)
    assert max(map(len, pages)) == 2
    listed = [one["id"] for page in pages for one in page]
    assert len(listed) == len(set(listed))
    assert [id for id in listed if id in {one["id"] for one in made}] == [one["id"] for one in made]
    assert owner["workspace_id"] in listed

    found = [one for page in all_workspaces(admin, 2, search=name.upper().replace(" ", "%20").replace("Ü", "%C3%9C")) for one in page]
    assert [one["id"] for one in found] == [one["id"] for one in made]
    assert found[0] == {**get(admin, f"/admin/workspaces/{made[0]['id']}"), "meetings": 0, "running_bots": 0}
    assert [one["id"] for one in get(admin, f"/admin/workspaces?search={made[3]['id'][:20]}")["workspaces"]] == [made[3]["id"]]
    # What people see as one letter is found by a part of it too; and how long it takes goes by the bytes.
    made = admin.create("/admin/workspaces", {"name": f"Cafe\u0301 {uuid.uuid4()}", "owner_user_id": owner["id"]})
    assert [one["id"] for page in all_workspaces(admin, 100, search="CAFE") for one in page] == [made["id"]]
    assert get(admin, "/admin/workspaces?search=nobody%20has%20this") == {"workspaces": [], "next_offset": None}
    assert get(admin, f"/admin/workspaces?search={uuid.uuid4()}") == {"workspaces": [], "next_offset": None}
    user = BotsUser(admin)
    user.request("POST", "/meetings", {"meeting_url": "https://meet.google.com/abc-defg-hij"})
    user.send_bot()
    [one] = get(admin, f"/admin/workspaces?search={user.workspace_id}")["workspaces"]
    assert (one["meetings"], one["running_bots"]) == (2, 1)


def test_a_workspace_of_before_is_listed_once_a_key_of_it_is_used(redis, servers, admin):
    user = BotsUser(admin)
    assert redis.client.call("ZREM", "usher:workspaces", user.workspace_id) == 1
    listed = lambda: [one["id"] for page in all_workspaces(admin, 100) for one in page]
    assert user.workspace_id not in listed()
    # By its id it is found all the same.
    for id in (user.workspace_id, user.workspace_id.upper()):
        assert get(admin, f"/admin/workspaces?search={id}")["workspaces"]
    # A node that has not seen the key yet.
    other = servers.node(redis)
    assert user.request("GET", "/meetings", node=other).status == 200
    wait_for(lambda: user.workspace_id in listed(), "the workspace in the list")


def test_a_page_that_has_the_last_ones_leads_nowhere(redis, admin):
    admin.create_user()
    count = redis.client.call("ZCARD", "usher:workspaces")
    assert get(admin, f"/admin/workspaces?limit=1&offset={count - 1}")["next_offset"] is None
    assert get(admin, f"/admin/workspaces?limit=1&offset={count - 2}")["next_offset"] == count - 1


def test_a_page_ends_where_many_are_looked_through(redis, admin):
    """Nobody waits for all workspaces to be searched."""
    begin = 9_000_000_000_000
    ids = [str(uuid.uuid4()) for _ in range(1_100)]
    redis.client.call("ZADD", "usher:workspaces", *[part for at, id in enumerate(ids) for part in (begin + at, id)])
    count = redis.client.call("ZCARD", "usher:workspaces")
    try:
        page = get(admin, f"/admin/workspaces?search=nobody&offset={count - 1_100}")
        assert page == {"workspaces": [], "next_offset": count - 100}
        assert get(admin, f"/admin/workspaces?search=nobody&offset={count - 100}")["next_offset"] is None
    finally:
        redis.client.call("ZREM", "usher:workspaces", *ids)


@pytest.mark.parametrize("query, field", [
    ("limit=0", "limit"), ("limit=201", "limit"), ("offset=-1", "offset"), (f"search={'x' * 201}", "search"),
    ("search=%0A", "search"),
])
def test_422_what_is_no_page(admin, query, field):
    assert_error(admin.request("GET", f"/admin/workspaces?{query}"), 422)
    assert field in admin.request("GET", f"/admin/workspaces?{query}").json["detail"]
