"""Calendars: what their feeds say is planned, follows what becomes of it, and is planned once."""

import datetime
import socket
import subprocess
import threading

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.feed_server import FeedServer, event, feed, utc
from harness.node import BINARY
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

HOUR = 3600
LINK = "https://calendar.example.com/private-5ec2e7/basic.ics"


@pytest.fixture(scope="module")
def redis_server(module_servers):
    return module_servers.redis()


@pytest.fixture(scope="module")
def redis(redis_server):
    return redis_server.client


@pytest.fixture(scope="module")
def nodes(module_servers, redis_server):
    """Two of them, both of which look after calendars; what is read by itself is read seldom."""
    return [module_servers.node(redis_server, WEBHOOK_ALLOW="127.0.0.1", CALENDAR_SYNC_MS=3_600_000) for _ in range(2)]


@pytest.fixture
def user(nodes):
    return BotsUser(Admin(nodes[0]))


@pytest.fixture
def server():
    server = FeedServer()
    yield server
    server.end()


def add(user, url, status=201, **fields):
    answer = user.request("POST", "/user/calendars", {"name": "Work", "ics_url": url, **fields})
    assert answer.status == status, answer
    return answer.json


def read(user, calendar):
    """Has the feed be read from now on, and waits until it was."""
    path = f"/user/calendars/{calendar['id']}/sync"
    reading = user.request("POST", path).json
    if reading["is_syncing"]:
        reading = wait_for(lambda: (lambda now: not now["is_syncing"] and now)(user.request("GET", path).json),
                           "the reading of a feed")
    return reading


def synced(user, server, path, *events, **fields):
    """A new calendar of these events, and what came of its first reading."""
    server.feeds[path] = feed(*events)
    calendar = add(user, server.url(path), **fields)
    return calendar, wait_for(lambda: (lambda now: now["last_sync"] and now)(status(user, calendar)), "the first reading")


def status(user, calendar):
    return user.request("GET", f"/user/calendars/{calendar['id']}/sync").json


def meetings(user):
    """What the user's list shows, the earliest first, as (status, room, title, time)."""
    listed = user.request("GET", "/meetings?limit=100").json["meetings"]
    return sorted((one["status"], one["native_meeting_id"], one["data"].get("name"), one["data"].get("scheduled_at"))
                  for one in listed)


def shown(time):
    return f"{time:%Y-%m-%dT%H:%M:%S}.000Z"


# The calendars themselves

def test_a_calendar_is_made_changed_and_removed(user):
    calendar = add(user, LINK, enabled=False, bot_name="Nora", auto_join=False)
    assert calendar == {
        "id": calendar["id"], "name": "Work", "ics_url_set": True,
        "ics_url_masked": "https://calendar.example.com/********", "auto_join": False, "bot_name": "Nora",
        "enabled": False, "last_sync": None, "last_error": None}
    path = f"/user/calendars/{calendar['id']}"
    changed = user.request("PATCH", path, {"name": "Home", "bot_name": None, "auto_join": True}).json
    assert (changed["name"], changed["bot_name"], changed["auto_join"]) == ("Home", None, True)
    listed = user.request("GET", "/user/calendars").json["calendars"]
    assert [one["id"] for one in listed] == [calendar["id"]]
    assert user.request("DELETE", path).status == 204
    assert user.request("GET", "/user/calendars").json == {"calendars": []}
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", {})):
        answer = user.request(method, path, **({"body": body} if body else {}))
        assert_bots_error(answer, 404, "Calendar not found")


def test_a_user_has_ten_at_most(user):
    for _ in range(10):
        add(user, LINK, enabled=False)
    answer = user.request("POST", "/user/calendars", {"name": "x", "ics_url": LINK})
    assert_bots_error(answer, 409, "Too many calendars")
    first = user.request("GET", "/user/calendars").json["calendars"][0]
    assert user.request("DELETE", f"/user/calendars/{first['id']}").status == 204
    add(user, LINK, enabled=False)


@pytest.mark.parametrize("fields, names", [
    ({"ics_url": "ftp://example.com/a.ics"}, "ics_url"), ({"ics_url": "https://u:p@example.com/a.ics"}, "ics_url"),
    ({"ics_url": 7}, "ics_url"), ({"name": "x" * 201}, "name"), ({"name": None}, "name"), ({"enabled": "no"}, "enabled"),
    ({"auto_join": 1}, "auto_join"), ({"ics_url": "https://169.254.169.254/feed"}, "ics_url"),
], ids=str)
def test_422_what_is_no_calendar(user, redis, fields, names):
    answer = user.request("POST", "/user/calendars", {"name": "Work", "ics_url": LINK, **fields})
    assert_bots_error(answer, 422, "Invalid request", names=names)
    assert user.request("GET", "/user/calendars").json == {"calendars": []}


def test_others_calendars_are_not_there(nodes, user):
    calendar = add(user, LINK, enabled=False)
    other = BotsUser(Admin(nodes[1]))
    # Nor are they to those of the same workspace: a calendar is a person's.
    key = user.as_workspace().member_key("manager", scopes=["bots"])
    for ask in (other.request, lambda *a, **b: user.request(*a, headers={"X-API-Key": key}, **b)):
        assert ask("GET", "/user/calendars").json == {"calendars": []}
        for method, path in (("PATCH", ""), ("DELETE", ""), ("GET", "/sync"), ("POST", "/sync")):
            body = {"body": {"name": "x"}} if method == "PATCH" else {}
            answer = ask(method, f"/user/calendars/{calendar['id']}{path}", **body)
            assert_bots_error(answer, 404, "Calendar not found")


def test_its_address_is_told_nobody(nodes, user, server):
    """Neither by an answer nor by a log, whether it can be read or not."""
    server.feeds["/5ec2e7/ok.ics"] = feed()
    texts = []
    for path in ("/5ec2e7/ok.ics", "/5ec2e7/none.ics"):
        calendar = add(user, server.url(path))
        wait_for(lambda: status(user, calendar)["last_sync"], "the first reading")
        texts += [str(status(user, calendar)), str(calendar), str(user.request("GET", "/user/calendars").json)]
    assert "its server answers 404" in texts[-1]
    assert not [text for text in texts + [node.log for node in nodes] if "5ec2e7" in text]


# What is planned

def test_an_event_is_planned_moves_is_renamed_and_goes(user, server):
    room, start = random_meet_code(), utc(2 * HOUR)
    calendar, reading = synced(user, server, "/a", event("1", start, room, title="Weekly"), bot_name="Nora")
    assert reading["counts"] == {"created": 1, "updated": 0, "cancelled": 0} and reading["last_error"] is None
    assert meetings(user) == [("scheduled", room, "Weekly", shown(start))]
    number = user.request("GET", "/meetings").json["meetings"][0]["id"]
    assert user.request("GET", f"/meetings/{number}").json["data"]["bot_name"] == "Nora"
    assert status(user, calendar)["next"] == [{"meeting_id": number, "name": "Weekly", "scheduled_at": shown(start)}]

    later = start + datetime.timedelta(minutes=90)
    server.feeds["/a"] = feed(event("1", later, room, title="Moved"))
    assert read(user, calendar)["counts"] == {"created": 0, "updated": 1, "cancelled": 0}
    assert meetings(user) == [("scheduled", room, "Moved", shown(later))]
    assert user.request("GET", "/meetings").json["meetings"][0]["id"] == number

    other = random_meet_code()
    server.feeds["/a"] = feed(event("1", later, other, title="Moved"))
    read(user, calendar)
    assert meetings(user) == [("scheduled", other, "Moved", shown(later))]

    server.feeds["/a"] = feed(event("1", later, other, lines=["STATUS:CANCELLED"]))
    reading = read(user, calendar)
    assert reading["counts"] == {"created": 0, "updated": 0, "cancelled": 1} and reading["skipped"]["cancelled"] == 1
    assert reading["next"] == []
    assert meetings(user) == []


def test_the_command_shows_what_comes_next(redis_server, user, server):
    start = utc(HOUR)
    calendar, _ = synced(user, server, "/5ec2e7/a", event("1", start, random_meet_code(), lines=["RRULE:FREQ=DAILY"]))
    run = subprocess.run([BINARY, "calendars", user.workspace_id, "--redis", redis_server.url], check=True, text=True,
                         capture_output=True)
    lines = run.stdout.splitlines()
    shown_url = f"http://127.0.0.1:{server.port}/********"
    assert lines[0].startswith(f"{calendar['id']}  Work  user {user.user['id']}, {shown_url}, read 2"), run.stdout
    assert len(lines) == 2 + 5 and lines[2].split()[0] == shown(start), run.stdout
    assert "5ec2e7" not in run.stdout


def test_a_feed_that_stays_is_not_read_again(user, server):
    calendar, _ = synced(user, server, "/a", event("1", utc(HOUR), random_meet_code()))
    before = meetings(user)
    assert read(user, calendar)["counts"] == {"created": 0, "updated": 0, "cancelled": 0}
    assert [bool(tag) for _, tag in server.requests] == [False, True]
    assert meetings(user) == before
    # What is changed of the calendar counts for what was planned before.
    user.request("PATCH", f"/user/calendars/{calendar['id']}", {"bot_name": "Otto", "auto_join": False})
    wait_for(lambda: user.request("GET", "/meetings").json["meetings"][0]["data"]["auto_join"] is False, "the change")
    assert user.request("GET", "/meetings").json["meetings"][0]["data"]["bot_name"] == "Otto"


def test_what_is_told_of_a_feed_is_true_again_once_it_can_be_read(user, server):
    """Though its server says that it stays as it was."""
    calendar, _ = synced(user, server, "/a", event("1", utc(HOUR), random_meet_code()))
    body = server.feeds.pop("/a")
    assert read(user, calendar)["last_error"] == "its server answers 404"
    server.feeds["/a"] = body
    assert read(user, calendar)["last_error"] is None
    assert read(user, calendar)["last_error"] is None
    assert [bool(tag) for _, tag in server.requests] == [False, True, False, True]


def test_what_was_stopped_or_removed_is_not_planned_again(user, server):
    rooms = [random_meet_code() for _ in range(3)]
    start = utc(HOUR)
    events = [event(str(number), start, room) for number, room in enumerate(rooms)]
    calendar, _ = synced(user, server, "/a", *events)
    by_room = {one["native_meeting_id"]: one["id"] for one in user.request("GET", "/meetings").json["meetings"]}
    assert user.request("DELETE", f"/bots/google_meet/{rooms[0]}").status in (200, 202)
    assert user.request("DELETE", f"/meetings/{by_room[rooms[1]]}").status == 204
    # Whether they are renamed, gone for a while or moved.
    later = start + datetime.timedelta(minutes=15)
    for number, said in enumerate([[event(str(n), start, room, title="Again") for n, room in enumerate(rooms)], [],
                                   [event(str(n), later, room) for n, room in enumerate(rooms)]]):
        server.feeds["/a"] = feed(*said, event("other", start, random_meet_code(), title=f"{number}"))
        read(user, calendar)
    shown_now = {room: (state, time) for state, room, _, time in meetings(user) if room in rooms}
    assert shown_now == {rooms[0]: ("completed", shown(start)), rooms[2]: ("scheduled", shown(later))}


def test_a_recurring_event_is_planned_for_two_weeks(user, server):
    room, start = random_meet_code(), utc(HOUR)
    calendar, reading = synced(user, server, "/a", event("1", start, room, lines=["RRULE:FREQ=DAILY"]))
    times = [shown(start + datetime.timedelta(days=day)) for day in range(14)]
    assert reading["counts"]["created"] == 14 and [time for _, _, _, time in meetings(user)] == times
    excluded = f"EXDATE:{start + datetime.timedelta(days=3):%Y%m%dT%H%M%SZ}"
    server.feeds["/a"] = feed(event("1", start, room, lines=["RRULE:FREQ=DAILY", excluded]))
    assert read(user, calendar)["counts"] == {"created": 0, "updated": 0, "cancelled": 1}
    assert [time for _, _, _, time in meetings(user)] == times[:3] + times[4:]


def test_what_is_under_way_is_joined_at_once(user, server, redis):
    room = random_meet_code()
    synced(user, server, "/a", event("1", utc(-HOUR), room, minutes=120), event("2", utc(-HOUR), room, minutes=30))
    meeting = wait_for(lambda: user.request("GET", "/meetings?status=requested").json["meetings"], "the dispatch")[0]
    assert meeting["native_meeting_id"] == room and user.fields(redis, meeting)["epoch"] == "1"
    assert len(meetings(user)) == 1


def test_two_calendars_plan_one_meeting(user, server):
    room, start = random_meet_code(), utc(HOUR)
    first, _ = synced(user, server, "/a", event("1", start, room))
    second, reading = synced(user, server, "/b", event("other", start, room), event("own", start, random_meet_code()))
    assert reading["counts"]["created"] == 1 and len(meetings(user)) == 2
    # The one that planned it lets it go: it stays planned, by the other.
    server.feeds["/a"] = feed()
    assert read(user, first)["counts"]["cancelled"] == 1
    wait_for(lambda: ("scheduled", room, "A meeting", shown(start)) in meetings(user), "the other calendar's plan")
    server.feeds["/b"] = feed()
    read(user, second)
    wait_for(lambda: meetings(user) == [], "the end of both plans")


def test_a_plan_by_hand_stays_when_a_calendar_lets_it_go(user, server):
    room, start = random_meet_code(), utc(HOUR)
    body = {"meeting_url": f"https://meet.google.com/{room}", "scheduled_at": shown(start)}
    assert user.request("POST", "/meetings", body).status == 201
    calendar, reading = synced(user, server, "/a", event("1", start, room))
    assert reading["counts"]["created"] == 0
    server.feeds["/a"] = feed()
    assert read(user, calendar)["counts"]["cancelled"] == 0
    assert meetings(user) == [("scheduled", room, None, shown(start))]


@pytest.mark.parametrize("how", ["disabled", "removed", "left"])
def test_without_the_calendar_its_plans_go(nodes, redis, server, how):
    admin = Admin(nodes[0])
    workspace = admin.create_workspace()
    user = admin.create_user()
    admin.set_role(workspace.id, user["id"], "member")
    key = admin.create_key(workspace.id, user["id"], scopes=["bots"])["key"]

    def ask(method, path, body=None):
        more = {} if body is None else {"body": body}
        return nodes[0].request(method, path, headers={"X-API-Key": key}, **more)

    room = random_meet_code()
    server.feeds["/a"] = feed(event("1", utc(HOUR), room))
    calendar = ask("POST", "/user/calendars", {"name": "Work", "ics_url": server.url("/a")}).json
    owner_key = admin.create_key(workspace.id, workspace.owner["id"], scopes=["bots"])["key"]
    planned = lambda: nodes[0].request("GET", "/meetings", headers={"X-API-Key": owner_key}).json["meetings"]
    wait_for(planned, "the plan")
    if how == "disabled":
        assert ask("PATCH", f"/user/calendars/{calendar['id']}", {"enabled": False}).status == 200
    elif how == "removed":
        assert ask("DELETE", f"/user/calendars/{calendar['id']}").status == 204
    else:
        wait_for(lambda: not ask("GET", f"/user/calendars/{calendar['id']}/sync").json["is_syncing"], "the reading")
        assert admin.request("DELETE", f"/admin/workspaces/{workspace.id}/members/{user['id']}").status == 204
        # It is found out when the feed would be read next.
        due = f"{workspace.keys.partition}:calendars"
        assert redis.call("ZADD", due, "XX", "CH", "1", f"{workspace.id} {calendar['id']}") == 1
    wait_for(lambda: not planned(), "the end of the plan")
    left = 1 if how == "disabled" else 0
    key = f"{workspace.keys.partition}:ws:{workspace.id}:calendar:{calendar['id']}"
    wait_for(lambda: redis.call("EXISTS", key) == left, "the end of the calendar")


def test_who_may_send_no_bots_has_none_sent_by_a_calendar(nodes, redis, server):
    admin = Admin(nodes[0])
    workspace = admin.create_workspace()
    member = admin.create_user()
    admin.set_role(workspace.id, member["id"], "member")
    key = admin.create_key(workspace.id, member["id"], scopes=["bots"])["key"]
    owner_key = admin.create_key(workspace.id, workspace.owner["id"], scopes=["bots"])["key"]
    server.feeds["/a"] = feed(event("1", utc(HOUR), random_meet_code()))
    calendar = nodes[0].request("POST", "/user/calendars", body={"name": "Work", "ics_url": server.url("/a")},
                                headers={"X-API-Key": key}).json
    own = f"{workspace.keys.partition}:ws:{workspace.id}:calendar:{calendar['id']}"

    def planned():
        return nodes[0].request("GET", "/meetings", headers={"X-API-Key": owner_key}).json["meetings"]

    def read_again():
        """It is found out when the feed would be read next."""
        wait_for(lambda: not redis.call("HEXISTS", own, "lease_end"), "the end of a reading")
        due = f"{workspace.keys.partition}:calendars"
        assert redis.call("ZADD", due, "XX", "CH", "1", f"{workspace.id} {calendar['id']}") == 1

    wait_for(planned, "the plan")
    admin.set_role(workspace.id, member["id"], "viewer")
    read_again()
    wait_for(lambda: not planned(), "the end of the plan")
    wait_for(lambda: redis.call("HGET", own, "problem"), "what is told of it")
    assert redis.call("HGET", own, "problem") == "its user may send no bots in this workspace"
    admin.set_role(workspace.id, member["id"], "member")
    read_again()
    wait_for(planned, "the plan, though the feed has stayed as it was")
    wait_for(lambda: not redis.call("HEXISTS", own, "problem"), "the end of what is told")


def test_a_full_workspace_says_so(nodes, user, server):
    answer = Admin(nodes[0]).request("PATCH", f"/admin/workspaces/{user.workspace_id}", {"max_meetings": 1})
    assert answer.status == 200, answer
    start = utc(HOUR)
    events = [event(str(number), start, random_meet_code()) for number in range(3)]
    calendar, reading = synced(user, server, "/a", *events)
    assert reading["last_error"] == "the workspace has 1 meetings, which is the most"
    assert reading["counts"]["created"] == 1 and len(meetings(user)) == 1
    Admin(nodes[0]).request("PATCH", f"/admin/workspaces/{user.workspace_id}", {"max_meetings": 10})
    reading = read(user, calendar)
    assert reading["last_error"] is None and len(meetings(user)) == 3


def test_a_long_calendar_is_read_to_its_end(user, server):
    """Years of somebody who meets a lot. Servers of calendars send all of it."""
    past = [event(str(number), utc(-HOUR * (24 + number)), random_meet_code(), lines=["DESCRIPTION:" + "x" * 2_000])
            for number in range(1_500)]
    _, reading = synced(user, server, "/a", *past, event("next", utc(HOUR), random_meet_code()))
    assert len(server.feeds["/a"]) > 3_000_000
    assert reading["last_error"] is None and len(meetings(user)) == 1


# Feeds that are none, and servers that misbehave

def endless(handler):
    """Two gigabytes, if anybody takes them."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(2 << 30))
    handler.end_headers()
    handler.wfile.write(b"BEGIN:VCALENDAR\r\n")
    for _ in range(2 << 14):
        handler.wfile.write(b"X" * 65_536)


def redirecting(handler):
    handler.answer(302, b"", Location="http://169.254.169.254/latest/meta-data")


def breaking_off(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"BEGIN:VCALENDAR\r\n")
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("body, problem", [
    (endless, "it has more than 10485760 bytes"),
    (redirecting, "its server leads to another address, which is not followed"),
    (breaking_off, "its server cannot be asked: "),
    (None, "its server answers 404"),
    (b"<html>sign in</html>", "it is no iCalendar feed: it does not begin with BEGIN:VCALENDAR"),
    (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n", "it ends early"),
    (b"BEGIN:VCALENDAR\r\n" * 100_000, "it has components that are nested too deep"),
    ("BEGIN:VCALENDAR\r\n".encode("utf-16"), "it is no iCalendar feed: it does not begin with BEGIN:VCALENDAR"),
    (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\n" * 1000, "it has more than 100 time zones"),
], ids=["endless", "redirect", "broken off", "404", "html", "short", "nested", "utf-16", "zones"])
def test_a_feed_that_cannot_be_used_changes_nothing(user, server, body, problem):
    calendar, _ = synced(user, server, "/a", event("1", utc(HOUR), random_meet_code()))
    before = meetings(user)
    assert len(before) == 1
    if body is None:
        del server.feeds["/a"]
    else:
        server.feeds["/a"] = body
    reading = read(user, calendar)
    assert reading["last_error"].startswith(problem), reading
    assert meetings(user) == before
    server.feeds["/a"] = feed()
    assert read(user, calendar)["last_error"] is None
    assert meetings(user) == []


def test_an_event_that_cannot_be_read_keeps_its_plan(user, server):
    rooms = [random_meet_code() for _ in range(2)]
    start = utc(HOUR)
    calendar, _ = synced(user, server, "/a", *[event(room, start, room) for room in rooms])
    endless_rule = event(rooms[0], start, rooms[0], lines=["RRULE:FREQ=SECONDLY"])
    server.feeds["/a"] = feed(endless_rule)
    reading = read(user, calendar)
    assert reading["last_error"] == "an event has a rule that recurs too often" and reading["skipped"]["unreadable"] == 1
    assert [room for _, room, _, _ in meetings(user)] == [rooms[0]]


def test_what_is_no_place_of_the_internet_is_refused(servers):
    """Without the setting nothing on this machine is asked."""
    node = servers.node(servers.redis())
    user = BotsUser(Admin(node))
    server = FeedServer()
    try:
        server.feeds["/a"] = feed()
        for url in (server.url("/a"), f"http://localhost:{server.port}/a", f"http://[::1]:{server.port}/a"):
            answer = user.request("POST", "/user/calendars", {"name": "Work", "ics_url": url})
            assert_bots_error(answer, 422, "Invalid request", names="ics_url")
        assert server.requests == []
    finally:
        server.end()


def test_a_name_that_leads_into_a_private_network_leads_nowhere(servers):
    """Where a private network is allowed any name may be given, and where it leads to is looked at each time."""
    user = BotsUser(Admin(servers.node(servers.redis(), WEBHOOK_ALLOW="10.1.0.0/16")))
    server = FeedServer()
    try:
        calendar = add(user, f"http://localhost:{server.port}/a")
        wait_for(lambda: status(user, calendar)["last_sync"], "the first reading")
        problem = "its server cannot be asked: its address is not one of the internet"
        assert status(user, calendar)["last_error"] == problem and server.requests == []
    finally:
        server.end()


def test_a_server_that_says_nothing_holds_nobody_up(nodes, user, server):
    """While one feed does not come, those of others are read."""
    gate = threading.Event()

    def waiting(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"BEGIN:")
        gate.wait(60)

    try:
        server.feeds["/slow"] = waiting
        slow = [add(user, server.url("/slow")) for _ in range(10)]
        wait_for(lambda: ("/slow", None) in server.requests, "a request for what does not come")
        other = BotsUser(Admin(nodes[1]))
        _, reading = synced(other, server, "/a", event("1", utc(HOUR), random_meet_code()))
        assert reading["last_error"] is None and len(meetings(other)) == 1
        assert [status(user, calendar)["last_sync"] for calendar in slow] == [None] * 10
    finally:
        gate.set()


def test_a_node_that_dies_loses_a_lease(servers, server):
    """Another one goes on where it was, and plans nothing twice."""
    redis = servers.redis()
    settings = {"WEBHOOK_ALLOW": "127.0.0.1", "CALENDAR_SYNC_MS": 3_600_000}
    dying = servers.node(redis, **settings)
    user = BotsUser(Admin(dying))
    events = [event(str(number), utc(HOUR), random_meet_code()) for number in range(300)]
    server.feeds["/a"] = feed(*events)
    calendar = add(user, server.url("/a"))
    wait_for(lambda: redis.client.call("ZCARD", user.keys.meetings) >= 20, "some of the plans")
    dying.kill()
    key = f"{user.keys.partition}:ws:{user.workspace_id}:calendar:{calendar['id']}"
    node = servers.node(redis, **settings)
    # Its lease is over, as it will be in two minutes.
    redis.client.call("HSET", key, "lease_end", "1")
    redis.client.call("ZADD", f"{user.keys.partition}:calendars", "1", f"{user.workspace_id} {calendar['id']}")
    ask = lambda path: node.request("GET", path, headers=user.headers).json
    path = f"/user/calendars/{calendar['id']}/sync"
    wait_for(lambda: not ask(path)["is_syncing"], "the reading by the other node")
    assert ask(path)["last_sync"] and ask(path)["last_error"] is None
    assert redis.client.call("ZCARD", user.keys.meetings) == 300
    assert redis.client.call("HLEN", f"{key}:planned") == 300
