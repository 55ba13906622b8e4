"""Planned meetings: a bot is sent in time, once, or the record says why not."""

import datetime

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.receiver import Receiver
from harness.times import iso
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

# The nodes' own: what is planned for the next minute is due at once.
LEAD_MS = 60_000
FUTURE = "2100-01-01T09:00:00Z"


@pytest.fixture(scope="module")
def redis_server(module_servers):
    return module_servers.redis()


@pytest.fixture(scope="module")
def redis(redis_server):
    return redis_server.client


@pytest.fixture(scope="module")
def nodes(module_servers, redis_server):
    """All of them sweep: each plan is found by several at once."""
    return [module_servers.node(redis_server, LEASE_TTL_MS=2000, WEBHOOK_ALLOW="127.0.0.1") for _ in range(3)]


@pytest.fixture
def user(nodes):
    return BotsUser(Admin(nodes[0]))


def plan(user, status=201, **fields):
    body = {"meeting_url": f"https://meet.google.com/{random_meet_code()}", **fields}
    answer = user.request("POST", "/meetings", body)
    assert answer.status == status, answer
    return answer.json


def plans(redis, user):
    return {member.split()[1] for member in redis.call("ZRANGE", f"{user.keys.partition}:plans", "0", "-1")
            if member.startswith(user.workspace_id)}


def make_due(redis, user, meeting):
    member = f"{user.workspace_id} {meeting['data']['meeting_id']}"
    assert redis.call("ZADD", f"{user.keys.partition}:plans", "XX", "CH", "1", member) == 1


# Making, changing, removing

def test_a_plan_is_shown_by_both_apis(user, redis):
    time = iso(3600)
    meeting = plan(user, title="Weekly", scheduled_at=time, bot_name="Nora", language="de", task="translate")
    assert meeting["status"] == "scheduled", meeting
    data = meeting["data"]
    assert datetime.datetime.fromisoformat(data["scheduled_at"]) == datetime.datetime.fromisoformat(time)
    assert (data["auto_join"], data["name"], data["bot_name"], data["planned"]) == (True, "Weekly", "Nora", True)
    assert data["task"] == "translate" and plans(redis, user) == {data["meeting_id"]}
    record = user.record(meeting)
    assert record["status"] == "INITIAL" and record["scheduled_at"] == time.partition("+")[0], record
    assert record["auto_join"] is True and record["auto_join_error"] is None and record["missed_at"] is None

    other = user.as_workspace().create_meeting(scheduled_at=time, bot_name="Nora", task="translate")
    shown = user.request("GET", f"/meetings/{other.record['number']}").json
    assert shown["status"] == "scheduled" and shown["data"]["scheduled_at"] == data["scheduled_at"]
    assert (shown["data"]["bot_name"], shown["data"]["task"]) == ("Nora", "translate")
    without = plan(user)
    assert without["status"] == "idle" and "scheduled_at" not in without["data"]
    assert plans(redis, user) == {data["meeting_id"], other.id}
    for status, expected in (("scheduled", [other.record["number"], meeting["id"]]), ("idle", [without["id"]]),
                             ("requested", []), ("active", [])):
        listed = user.request("GET", f"/meetings?status={status}").json["meetings"]
        assert [one["id"] for one in listed] == expected, status
    room = meeting["native_meeting_id"]
    assert user.request("GET", f"/transcripts/google_meet/{room}").json["status"] == "scheduled"


@pytest.mark.parametrize("text, means", [
    ("T09:00:00Z", "T09:00:00.000Z"), ("T09:00:00", "T09:00:00.000Z"), ("T09:00", "T09:00:00.000Z"),
    ("T09:00:00+02:00", "T07:00:00.000Z"), ("T09:00+02:00", "T07:00:00.000Z"), ("T09:00:00.123456", "T09:00:00.123Z"),
])
def test_a_time_without_a_zone_is_utc(user, text, means):
    day = iso(100 * 86_400).partition("T")[0]
    assert plan(user, scheduled_at=day + text)["data"]["scheduled_at"] == day + means


@pytest.mark.parametrize("fields, names", [
    ({"scheduled_at": "tomorrow"}, "scheduled_at"), ({"scheduled_at": 1798761600}, "scheduled_at"),
    ({"scheduled_at": "2100-02-30T09:00:00Z"}, "scheduled_at"), ({"scheduled_at": "2020-01-01T09:00:00Z"}, "scheduled_at"),
    ({"scheduled_at": FUTURE, "auto_join": "yes"}, "auto_join"), ({"meeting_url": None}, "meeting_url"),
    ({"meeting_url": "https://example.com/x"}, "meeting_url"), ({"join_at": FUTURE}, "join_at"),
    ({"task": "summarize"}, "task"),
    ({"meeting_url": "https://teams.live.com/meet/9398850880426", "scheduled_at": FUTURE}, "passcode"),
], ids=str)
def test_422_what_cannot_be_planned(user, redis, fields, names):
    answer = user.request("POST", "/meetings", {"meeting_url": "https://meet.google.com/abc-defg-hij", **fields})
    assert_bots_error(answer, 422, "Invalid request", names=names)
    assert plans(redis, user) == set() and redis.call("ZCARD", user.keys.meetings) == 0


def test_a_plan_moves_is_cleared_and_goes(user, redis):
    meeting = plan(user, scheduled_at=iso(3600))
    path = f"/meetings/{meeting['id']}"
    later = iso(7200)
    changed = user.request("PATCH", path, {"scheduled_at": later, "title": "Moved"})
    assert changed.status == 200 and changed.json["data"]["name"] == "Moved", changed
    assert plans(redis, user) == {meeting["data"]["meeting_id"]}
    assert user.request("PATCH", path, {"auto_join": False}).json["data"]["auto_join"] is False
    assert plans(redis, user) == set()
    cleared = user.request("PATCH", path, {"scheduled_at": None, "title": None}).json
    assert cleared["status"] == "idle" and "name" not in cleared["data"]
    for body, names in [({}, "body"), ({"scheduled_at": "x"}, "scheduled_at"), ({"scheduled_at": "2020-01-01"}, "scheduled_at"),
                        ({"meeting_url": "https://meet.google.com/abc-defg-hij"}, "meeting_url")]:
        assert_bots_error(user.request("PATCH", path, body), 422, "Invalid request", names=names)
    assert user.request("DELETE", path).status == 204
    assert_bots_error(user.request("GET", path), 404, "Meeting not found")
    assert_bots_error(user.request("DELETE", path), 404, "Meeting not found")


def test_a_room_has_one_plan_for_a_time(user, redis):
    """A request whose answer was lost, and that is sent again without a key, makes no second bot."""
    body = {"meeting_url": f"https://meet.google.com/{random_meet_code()}", "scheduled_at": iso(3600)}
    first = user.request("POST", "/meetings", body)
    again = user.request("POST", "/meetings", body)
    assert_bots_error(again, 409, "Meeting planned already", names=str(first.json["id"]))
    assert again.json["meeting_id"] == first.json["id"] and len(plans(redis, user)) == 1
    other = user.as_workspace().request("POST", user.as_workspace().meetings_path, body)
    assert other.status == other.json["code"] == 409, other
    assert other.json["parameters"] == {"meeting_id": first.json["data"]["meeting_id"]}
    bot = user.request("POST", "/bots", {"meeting_url": body["meeting_url"], "join_at": body["scheduled_at"]})
    assert_bots_error(bot, 409, "Meeting planned already")
    later = plan(user, meeting_url=body["meeting_url"], scheduled_at=iso(7200))
    answer = user.request("PATCH", f"/meetings/{later['id']}", {"scheduled_at": body["scheduled_at"]})
    assert_bots_error(answer, 409, "Meeting planned already")
    assert user.request("PATCH", f"/meetings/{first.json['id']}", {"scheduled_at": body["scheduled_at"]}).status == 200


@pytest.mark.parametrize("fields", [
    {"join_at": FUTURE}, {"start_time": FUTURE}, {"passcode": "x"}, {"platform": "zoom"}, {"task": "translate"},
    {"scheduled_at": FUTURE}], ids=lambda fields: next(iter(fields)))
def test_422_what_a_plan_cannot_change(user, fields):
    meeting = plan(user, scheduled_at=iso(3600))
    answer = user.request("PATCH", f"/meetings/{meeting['id']}", {"title": "x", **fields})
    assert_bots_error(answer, 422, "Invalid request", names=next(iter(fields)))
    assert user.meeting(meeting) == meeting


def test_no_bot_is_planned_for_a_door_that_it_cannot_pass(user):
    meeting = plan(user, meeting_url="https://teams.live.com/meet/9398850880426", auto_join=False, scheduled_at=iso(3600))
    answer = user.request("PATCH", f"/meetings/{meeting['id']}", {"auto_join": True})
    assert_bots_error(answer, 422, "Invalid request", names="passcode")


def test_viewers_plan_nothing(nodes, user):
    workspace = user.as_workspace()
    key = workspace.member_key("viewer", scopes=["bots"])
    for path, body in (("/meetings", {"meeting_url": "https://meet.google.com/abc-defg-hij"}),
                       ("/bots", {"meeting_url": "https://meet.google.com/abc-defg-hij", "join_at": iso(3600)})):
        answer = user.request("POST", path, body, headers={"X-API-Key": key})
        assert answer.status == 403, answer


def test_what_has_a_bot_is_no_plan(user):
    meeting = user.send_bot()
    path = f"/meetings/{meeting['id']}"
    assert_bots_error(user.request("PATCH", path, {"title": "x"}), 409, "Meeting not planned")
    assert_bots_error(user.request("DELETE", path), 409, "Meeting not over")
    answer = user.request("POST", "/meetings", {"meeting_url": meeting["constructed_meeting_url"]})
    assert_bots_error(answer, 409, "Bot already in meeting")


def test_another_workspaces_plan_is_not_there(nodes, user):
    meeting = plan(user, scheduled_at=iso(3600))
    other = BotsUser(Admin(nodes[1]))
    for method, body in (("GET", {}), ("PATCH", {"title": "x"}), ("DELETE", {})):
        answer = other.request(method, f"/meetings/{meeting['id']}", **({"body": body} if body else {}))
        assert_bots_error(answer, 404, "Meeting not found")


# Sending

def test_a_bot_is_sent_in_time_and_once(user, redis):
    """What is due now is sent within moments, by one of three nodes that all find it."""
    early = plan(user, scheduled_at=iso(3600))
    due = [plan(user, scheduled_at=iso(LEAD_MS / 1000), bot_name="Nora") for _ in range(5)]
    for meeting in due:
        sent = user.wait_for_status(meeting, "requested")
        assert sent["data"]["bot_name"] == "Nora" and "planned" not in sent["data"]
        assert user.life(redis, meeting) == ["", "requested"]
        assert user.events(redis, meeting)[-1]["why"] == "plan"
        assert user.fields(redis, meeting)["epoch"] == "1"
    assert user.meeting(early)["status"] == "scheduled"
    assert plans(redis, user) == {early["data"]["meeting_id"]}
    assert len(user.running()) == 5


def test_never_before_its_time(user, redis):
    meeting = plan(user, scheduled_at=iso(LEAD_MS / 1000 + 2))
    user.wait_for_status(meeting, "requested")
    fields = user.fields(redis, meeting)
    assert int(fields["dispatched_at"]) >= int(fields["scheduled_at"]) - LEAD_MS


def test_join_at_is_the_same_plan(user, redis):
    code = random_meet_code()
    body = {"platform": "google_meet", "native_meeting_id": code, "join_at": iso(3600), "bot_name": "Nora",
            "task": "translate", "automatic_leave": {"everyone_left_timeout": 60_000}}
    answer = user.request("POST", "/bots", body)
    assert answer.status == 201 and answer.json["status"] == "scheduled", answer
    meeting = answer.json
    assert user.running() == [] and plans(redis, user) == {meeting["data"]["meeting_id"]}
    make_due(redis, user, meeting)
    sent = user.wait_for_status(meeting, "requested")
    assert sent["data"]["task"] == "translate"
    assert sent["data"]["automatic_leave"] == {"everyone_left_timeout": 60_000}
    for wrong, names in (({"join_at": "2020-01-01T00:00:00Z"}, "join_at"), ({"join_at": 5}, "join_at"),
                         ({"join_at": None, "scheduled_at": iso(60)}, "scheduled_at")):
        assert_bots_error(user.request("POST", "/bots", {**body, **wrong}), 422, "Invalid request", names=names)


def test_join_at_as_clients_of_others_use_it(user, redis):
    """Recall's, Attendee's: a link, a time in a zone and a key of their own; changed and deleted until the bot is sent."""
    local = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=2))) + datetime.timedelta(hours=1)
    answer = user.request("POST", "/bots", {
        "meeting_url": "https://us02web.zoom.us/j/91234567890?pwd=s3cret", "bot_name": "Notes", "deduplication_key": "event 9",
        "join_at": local.isoformat(timespec="seconds")})
    assert answer.status == 201 and answer.json["status"] == "scheduled", answer
    meeting = answer.json
    at = local.astimezone(datetime.timezone.utc)
    assert meeting["data"]["scheduled_at"] == f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
    later = at + datetime.timedelta(minutes=30)
    moved = user.request("PATCH", f"/meetings/{meeting['id']}", {"scheduled_at": later.isoformat(timespec="seconds")})
    assert moved.status == 200 and moved.json["data"]["scheduled_at"] == f"{later:%Y-%m-%dT%H:%M:%S}.000Z", moved
    make_due(redis, user, meeting)
    sent = user.wait_for_status(meeting, "requested")
    assert sent["constructed_meeting_url"] == "https://us02web.zoom.us/j/91234567890?pwd=s3cret"
    for method, body in (("PATCH", {"body": {"scheduled_at": iso(7200)}}), ("DELETE", {})):
        assert user.request(method, f"/meetings/{meeting['id']}", **body).status == 409, method
    other = user.request("POST", "/bots", {"meeting_url": "https://us02web.zoom.us/j/91234567891", "join_at": iso(3600)}).json
    assert user.request("DELETE", f"/meetings/{other['id']}").status == 204
    assert user.request("GET", f"/meetings/{other['id']}").status == 404 and plans(redis, user) == set()


def test_asked_again_with_the_same_key_it_is_one_plan(user, redis):
    body = {"meeting_url": f"https://meet.google.com/{random_meet_code()}", "scheduled_at": iso(3600)}
    headers = {**user.headers, "Idempotency-Key": "plan-1"}
    first, second = (user.request("POST", "/meetings", body, headers=headers) for _ in range(2))
    assert first.status == second.status == 201 and first.json["id"] == second.json["id"]
    assert len(plans(redis, user)) == 1


def test_a_deduplication_key_is_taken_until_its_meeting_has_ended(user, redis):
    def ask(**fields):
        return user.request("POST", "/bots", {
            "platform": "google_meet", "native_meeting_id": random_meet_code(), "deduplication_key": "event 7", **fields})
    later = ask(join_at=iso(3600))
    assert later.status == 201, later
    for refused in (ask(), ask(join_at=iso(7200))):
        assert_bots_error(refused, 409, "Duplicate meeting", names=str(later.json["id"]))
        assert refused.json["meeting_id"] == later.json["id"]
    assert ask(deduplication_key="event 8").status == 201
    assert user.request("DELETE", user.bot_path(later.json)).status == 202
    now = ask()
    assert now.status == 201, now
    assert_bots_error(ask(), 409, "Duplicate meeting", names=str(now.json["id"]))
    user.play(redis, now.json, "joining", "active", "completed")
    assert ask().status == 201
    assert all("event" not in key for key in redis.scan(f"*{user.workspace_id}*dedup*"))
    assert_bots_error(ask(deduplication_key=""), 422, "Invalid request", names="deduplication_key")


def test_a_bot_sent_by_hand_serves_the_plan(user, redis):
    code = random_meet_code()
    meeting = plan(user, meeting_url=f"https://meet.google.com/{code}", scheduled_at=iso(3600))
    assert user.send_bot(code)["id"] == meeting["id"]
    make_due(redis, user, meeting)
    wait_for(lambda: plans(redis, user) == set(), "the end of the plan")
    assert user.life(redis, meeting) == ["", "requested"]
    # And so does a re-invitation.
    other = plan(user, scheduled_at=iso(3600))
    assert user.reinvite(other).status == 202
    make_due(redis, user, other)
    wait_for(lambda: plans(redis, user) == set(), "the end of the plan")
    assert user.life(redis, other) == ["", "requested"]


@pytest.mark.parametrize("url, passcode", [
    ("https://corp.zoom.us/w/91234567890?tk=ticket&pwd=secret", None),
    ("https://teams.microsoft.com/meet/2398850880426?p=secret", None),
    ("https://teams.microsoft.com/meet/2398850880426", "secret"),
    ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_AAAA%40thread.v2/0?context=%7b%22Tid%22%3a%22t%22%7d", None),
])
def test_a_plans_own_link_is_that_of_the_bot_sent_by_hand(user, redis, url, passcode):
    meeting = plan(user, meeting_url=url, passcode=passcode, scheduled_at=iso(3600))
    room = {"platform": meeting["platform"], "native_meeting_id": meeting["native_meeting_id"]}
    before = user.fields(redis, meeting)
    if "passcode" in before:
        answer = user.request("POST", "/bots", {**room, "passcode": "another"})
        assert_bots_error(answer, 422, "Invalid request", names="passcode")
    if room["platform"] == "teams":
        answer = user.request("POST", "/bots", {**room, "teams_base_host": "teams.live.com"})
        assert_bots_error(answer, 422, "Invalid request", names="teams_base_host")
    assert user.running() == []
    answer = user.request("POST", "/bots", room)
    assert answer.status == 201 and answer.json["id"] == meeting["id"], answer
    after = user.fields(redis, meeting)
    for name in ("meeting_url", "passcode"):
        assert after.get(name) == before.get(name), name


def test_no_bot_is_sent_to_a_plan_whose_door_it_cannot_pass(user, redis):
    meeting = plan(user, meeting_url="https://teams.live.com/meet/9398850880426")
    room = {"platform": "teams", "native_meeting_id": "9398850880426"}
    assert_bots_error(user.request("POST", "/bots", room), 400, "Invalid meeting ID format", names="passcode")
    assert user.running() == [] and "bot_id" not in user.fields(redis, meeting)
    assert user.request("POST", "/bots", {**room, "passcode": "secret"}).json["id"] == meeting["id"]
    assert user.fields(redis, meeting)["passcode"] == "secret"


def test_a_stop_before_its_time_cancels_it(user, redis):
    meeting = plan(user, scheduled_at=iso(3600))
    answer = user.request("DELETE", user.bot_path(meeting))
    assert answer.status == 202, answer
    ended = user.meeting(meeting)
    assert ended["status"] == "completed" and ended["completion_reason"] == "stopped"
    assert plans(redis, user) == set() and user.record(meeting)["status"] == "OFFLINE"
    assert_bots_error(user.request("DELETE", user.bot_path(meeting)), 404, "Bot not found")


def test_a_stop_cancels_what_is_next_in_the_room(user, redis):
    link = f"https://meet.google.com/{random_meet_code()}"
    sooner, later = (plan(user, meeting_url=link, scheduled_at=iso(hours * 3600)) for hours in (5, 10))
    # A bot that is sent by hand meanwhile has nothing to do with them.
    today = user.request("POST", "/bots", {"meeting_url": link}).json
    assert today["id"] not in (sooner["id"], later["id"])
    assert user.request("DELETE", user.bot_path(today)).status == 202
    assert user.meeting(sooner)["status"] == user.meeting(later)["status"] == "scheduled"
    for meeting in (sooner, later):
        assert user.request("DELETE", user.bot_path(meeting)).status == 202
        assert user.meeting(meeting)["completion_reason"] == "stopped"
    assert plans(redis, user) == set()


def test_a_held_room_is_waited_for(user, redis):
    code = random_meet_code()
    first = user.send_bot(code)
    bot = user.play(redis, first, "joining", "active")
    meeting = plan(user, meeting_url=f"https://meet.google.com/{code}", scheduled_at=iso(0))
    wait_for(lambda: user.meeting(meeting)["data"].get("auto_join_error") == "room_taken", "the reason")
    assert user.meeting(meeting)["status"] == "scheduled"
    assert [event["what"] for event in user.events(redis, meeting)] == ["created", "scheduled", "not_sent"]
    bot.tell(user.node, "completed")
    # By itself it comes to its turn half a minute later.
    if user.meeting(meeting)["status"] == "scheduled":
        make_due(redis, user, meeting)
    assert "auto_join_error" not in user.wait_for_status(meeting, "requested")["data"]


def test_each_time_that_a_meeting_gets_is_told(user, redis):
    with Receiver() as receiver:
        assert user.request("POST", "/webhooks", {"url": receiver.url()}).status == 201
        first, second = iso(3600), iso(7200)
        meeting = plan(user, scheduled_at=first)
        for change in ({"title": "Weekly"}, {"scheduled_at": first}, {"scheduled_at": None}, {"auto_join": False},
                       {"scheduled_at": second}):
            assert user.request("PATCH", f"/meetings/{meeting['id']}", change).status == 200
        told = wait_for(lambda: len(receiver.deliveries) > 1 and list(receiver.deliveries), "two events")
    assert [one.json["event_type"] for one in told] == ["meeting.scheduled"] * 2
    found = {one.json["sequence"]: one.json["data"]["meeting"] for one in told}
    times = [found[sequence]["data"]["scheduled_at"] for sequence in (1, 2)]
    assert times == [meeting["data"]["scheduled_at"], user.meeting(meeting)["data"]["scheduled_at"]]
    assert found[1]["status"] == "scheduled" and found[2]["data"]["auto_join"] is False


def test_what_comes_too_late_is_missed_and_told(user, redis):
    with Receiver() as receiver:
        answer = user.request("PUT", "/user/webhook", {
            "webhook_url": receiver.url(), "webhook_events": {"meeting.missed": True}})
        assert answer.status == 200, answer
        meeting = plan(user, scheduled_at=iso(3600))
        redis.call("HSET", user.keys.meeting(meeting["data"]["meeting_id"]), "scheduled_at", "1000")
        make_due(redis, user, meeting)
        [event] = wait_for(lambda: receiver.of_type("meeting.missed"), "the event")
        assert event.json["data"]["meeting"]["data"]["auto_join_error"] == "too_late"
    missed = user.meeting(meeting)
    assert missed["status"] == "idle" and missed["data"]["missed_at"] and missed["data"]["auto_join_error"] == "too_late"
    assert user.record(meeting)["status"] == "INITIAL" and plans(redis, user) == set()
    # It is open to re-invitation, which is what that is for.
    assert user.reinvite(meeting).status == 202


def test_a_full_workspace_waits_and_others_do_not(nodes, redis):
    small = BotsUser(Admin(nodes[0]), max_concurrent_bots=1)
    first = small.send_bot()
    waiting = [plan(small, scheduled_at=iso(0)) for _ in range(3)]
    other = BotsUser(Admin(nodes[1]))
    assert other.wait_for_status(plan(other, scheduled_at=iso(0)), "requested")
    for meeting in waiting:
        wait_for(lambda: small.meeting(meeting)["data"].get("auto_join_error") == "too_many_bots", "the reason")
    assert [bot["meeting_id"] for bot in small.running()] == [first["id"]]


def test_many_at_once_are_sent_once_each(nodes, redis):
    users = [BotsUser(Admin(node), max_concurrent_bots=100) for node in nodes]
    meetings = [(user, plan(user, scheduled_at=iso(0))) for user in users for _ in range(30)]
    for user, meeting in meetings:
        user.wait_for_status(meeting, "requested")
        assert user.life(redis, meeting) == ["", "requested"]
        assert user.fields(redis, meeting)["epoch"] == "1"
