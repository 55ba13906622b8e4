"""The Bots API as its document says: requests, refusals, lists and data."""

import re
from urllib.parse import quote

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.keys import WorkspaceKeys
from harness.played_bot import Commands
from harness.times import iso
from harness.waiting import wait_for
from harness.workspace import random_meet_code

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

TEAMS_URL = "https://teams.microsoft.com/meet/9398850880426?p=RBZCWdxyp85TpcKna8&anon=true"
THREAD = "19:meeting_MjQ1@thread.v2"
THREAD_URL = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_MjQ1%40thread.v2/0?context=%7b%7d"

ENDPOINTS = [
    ("POST", "/bots", "member"), ("GET", "/bots", "viewer"), ("GET", "/bots/status", "viewer"),
    ("GET", "/bots/id/1", "viewer"), ("DELETE", "/bots/google_meet/abc-defg-hij", "member"),
    ("PUT", "/bots/google_meet/abc-defg-hij/config", "member"), ("GET", "/meetings", "viewer"),
    ("GET", "/meetings/1", "viewer"), ("GET", "/transcripts/by-id/1", "viewer"), ("GET", "/auth/me", "viewer"),
    ("PATCH", "/meetings/google_meet/abc-defg-hij", "member"),
    ("DELETE", "/meetings/google_meet/abc-defg-hij", "member"), ("PUT", "/user/webhook", "manager"),
    ("GET", "/user/webhook", "manager"), ("GET", "/user/webhook/deliveries", "manager"), ("POST", "/webhooks", "manager"),
    ("GET", "/webhooks", "manager"), ("GET", "/webhooks/w", "manager"), ("PATCH", "/webhooks/w", "manager"),
    ("DELETE", "/webhooks/w", "manager"), ("POST", "/webhooks/w/rotate", "manager"),
    ("POST", "/webhooks/w/test", "manager"), ("GET", "/webhooks/w/deliveries", "manager"),
    ("POST", "/webhooks/w/deliveries/e/redeliver", "manager"), ("POST", "/webhooks/w/redeliver", "manager"),
]
ROLES = ["viewer", "member", "manager", "owner"]


def post(user, **body):
    return user.request("POST", "/bots", body)


# Who may do what


@pytest.mark.parametrize("method, path, _", ENDPOINTS)
@pytest.mark.parametrize("headers", [
    {}, {"X-API-Key": ""}, {"X-API-Key": "unknown"}, {"Authorization": "Bearer unknown"}, {"Authorization": "Basic x"},
], ids=str)
def test_401(node, method, path, _, headers):
    answer = node.request(method, path, body={}, headers=headers)
    assert_bots_error(answer, 401, "Unauthorized", names="X-API-Key")


@pytest.mark.parametrize("method, path, minimum", ENDPOINTS)
def test_scope_and_role(admin, workspace, method, path, minimum):
    def status(key):
        return workspace.node.request(method, path, body={}, headers={"Authorization": f"Bearer {key}"})

    assert_bots_error(status(workspace.key), 403, "Forbidden", names="bots")
    for role in ROLES:
        answer = status(workspace.member_key(role, scopes=["bots"]))
        if ROLES.index(role) < ROLES.index(minimum):
            assert_bots_error(answer, 403, "Forbidden", names=minimum)
        else:
            assert answer.status in (200, 404, 422), answer


def test_the_workspace_is_the_keys_own(user, admin):
    meeting = user.send_bot()
    other = BotsUser(admin)
    assert other.running() == [] and other.request("GET", "/meetings").json["meetings"] == []
    assert_bots_error(other.request("GET", f"/meetings/{meeting['id']}"), 404, "Meeting not found")
    assert_bots_error(other.request("DELETE", other.bot_path(meeting)), 404, "Bot not found")
    assert_bots_error(
        other.request("PATCH", f"{other.meeting_path(meeting)}?meeting_id={meeting['id']}", {"data": {"name": "Mine"}}),
        404, "Meeting not found")
    # The room is another one in another workspace.
    assert other.send_bot(meeting["native_meeting_id"])["id"] != meeting["id"]


def test_errors_of_the_http_layer_have_the_same_form(node):
    assert_bots_error(node.request("GET", "/bots/nothing/at/all/here"), 404, "Not found")
    assert_bots_error(node.request("DELETE", "/bots"), 405, "Method not allowed")
    assert_bots_error(node.request("POST", "/bots", raw_body=b" " * 70_000), 413, "Request too large")


# Requests


def test_the_documents_own_body(user):
    body = {
        "platform": "google_meet", "native_meeting_id": "abc-defg-hij", "passcode": "optional_passcode",
        "meeting_url": "https://meet.google.com/abc-defg-hij", "bot_name": "Vexa Transcription Bot", "language": "en"}
    answer = post(user, **body)
    assert answer.status == 201, answer
    meeting = answer.json
    assert TIME.match(meeting["created_at"]) and TIME.match(meeting["updated_at"])
    assert meeting["status"] == "requested" and meeting["user_id"] == user.user["id"]
    assert "optional_passcode" not in answer.body.decode()
    assert len(meeting["data"]["meeting_id"]) == 32


@pytest.mark.parametrize("body, room, url", [
    ({"meeting_url": "https://meet.google.com/xyz-abcd-efg"}, ("google_meet", "xyz-abcd-efg"), None),
    ({"meeting_url": "HTTPS://Meet.Google.com/u/0/XYZ-abcd-efg?pli=1"}, ("google_meet", "xyz-abcd-efg"),
     "https://meet.google.com/xyz-abcd-efg"),
    ({"platform": "teams", "native_meeting_id": "9398850880426", "passcode": "p"}, ("teams", "9398850880426"),
     "https://teams.live.com/meet/9398850880426?p=p"),
    ({"meeting_url": TEAMS_URL}, ("teams", "9398850880426"), None),
    ({"platform": "teams", "native_meeting_id": "9398850880426", "meeting_url": TEAMS_URL},
     ("teams", "9398850880426"), None),
    ({"platform": "teams", "passcode": "p", "meeting_url": "https://gov.teams.microsoft.us/meet/9398850880426"},
     ("teams", "9398850880426"), "https://gov.teams.microsoft.us/meet/9398850880426?p=p"),
    ({"meeting_url": THREAD_URL}, ("teams", THREAD), None),
    # Where a link names a thread, the thread is the room.
    ({"platform": "teams", "native_meeting_id": "9398850880426", "passcode": "p", "meeting_url": THREAD_URL},
     ("teams", THREAD), None),
    ({"platform": "teams", "native_meeting_id": THREAD, "meeting_url": THREAD_URL}, ("teams", THREAD), None),
    ({"platform": "teams", "native_meeting_id": THREAD}, ("teams", THREAD),
     "https://teams.microsoft.com/l/meetup-join/19%3Ameeting_MjQ1%40thread.v2/0"),
    # As the ecosystem's MCP server sends it.
    ({"platform": "teams", "native_meeting_id": "0f1e2d3c4b5a6978", "passcode": None, "meeting_url": THREAD_URL},
     ("teams", THREAD), None),
    ({"platform": "teams", "native_meeting_id": "9398850880426", "passcode": "p",
      "teams_base_host": "teams.microsoft.com"}, ("teams", "9398850880426"),
     "https://teams.microsoft.com/meet/9398850880426?p=p"),
    ({"meeting_url": f"\n <{THREAD_URL}>. "}, ("teams", THREAD), THREAD_URL),
    ({"meeting_url": "https://a.zoomgov.com/j/1612345678", "native_meeting_id": "1612345678"},
     ("zoom", "1612345678@zoomgov.com"), None),
    ({"platform": "google_meet", "native_meeting_id": "AAA-OOOO-AAA"}, ("google_meet", "aaa-oooo-aaa"),
     "https://meet.google.com/aaa-oooo-aaa"),
    ({"platform": "zoom", "native_meeting_id": "12345678901", "passcode": "p"}, ("zoom", "12345678901"),
     "https://zoom.us/j/12345678901?pwd=p"),
    ({"platform": "google_meet", "native_meeting_id": "abc-defg-hij", "task": "translate", "language": "zh-TW",
      "unknown": {"field": 1}, "bot_name": None}, ("google_meet", "abc-defg-hij"), None),
], ids=lambda value: str(value)[:60])
def test_201(user, body, room, url):
    answer = post(user, **body)
    assert answer.status == 201, answer
    meeting = answer.json
    assert (meeting["platform"], meeting["native_meeting_id"]) == room
    assert meeting["constructed_meeting_url"] == (
        url or body.get("meeting_url") or f"https://meet.google.com/{room[1]}")
    path = f"/bots/{room[0]}/{quote(room[1], safe='')}"
    assert user.request("DELETE", path).status == 202


MEET = {"platform": "google_meet", "native_meeting_id": "abc-defg-hij"}


@pytest.mark.parametrize("body", [
    {"platform": "google_meet", "native_meeting_id": ""},
    {"platform": "google_meet", "native_meeting_id": "abc-defg-hi1"},
    {"platform": "google_meet", "native_meeting_id": " abc-defg-hij"},
    {"platform": "google_meet", "native_meeting_id": "abc-defg-hij\n"},
    {"platform": "google_meet", "native_meeting_id": "a" * 5000},
    {"platform": "google_meet", "native_meeting_id": "https://meet.google.com/abc-defg-hij"},
    {"platform": "teams", "native_meeting_id": "abc-defg-hij", "passcode": "p"},
    {"platform": "teams", "native_meeting_id": "939 885 088 0426", "passcode": "p"},
    {"platform": "teams", "native_meeting_id": "9398850880426"},
    {"platform": "teams", "native_meeting_id": "0f1e2d3c4b5a6978"},
    {"meeting_url": "https://teams.live.com/meet/9398850880426"},
    {"platform": "zoom", "native_meeting_id": "1234"},
    {"platform": "google_meet", "native_meeting_id": "bad", "meeting_url": "https://meet.google.com/bad"},
], ids=lambda value: str(value)[:70])
def test_400(user, redis, body):
    before = redis.scan(f"*{user.workspace_id}*")
    assert_bots_error(post(user, **body), 400, "Invalid meeting ID format")
    assert redis.scan(f"*{user.workspace_id}*") == before


@pytest.mark.parametrize("field, body", [
    ("platform", {"native_meeting_id": "abc-defg-hij"}),
    ("platform", {**MEET, "platform": "webex"}),
    ("platform", {**MEET, "platform": 5}),
    ("platform", {**MEET, "platform": "teams", "meeting_url": "https://meet.google.com/abc-defg-hij"}),
    ("native_meeting_id", {"platform": "google_meet"}),
    ("native_meeting_id", {**MEET, "native_meeting_id": 5}),
    ("native_meeting_id", {**MEET, "meeting_url": "https://meet.google.com/xyz-defg-hij"}),
    ("meeting_url", {"meeting_url": "https://example.com/abc"}),
    ("meeting_url", {**MEET, "meeting_url": "https://meet.google.com/bad"}),
    ("meeting_url", {"meeting_url": "https://meet.google.com/"}),
    ("meeting_url", {"meeting_url": "https://meet.google.com.evil.example/abc-defg-hij"}),
    ("meeting_url", {"meeting_url": ["https://meet.google.com/abc-defg-hij"]}),
    ("native_meeting_id", {"native_meeting_id": "19:other@thread.v2", "meeting_url": THREAD_URL}),
    ("teams_base_host", {"platform": "teams", "native_meeting_id": "123456", "passcode": "p",
                         "teams_base_host": "teams.example.com"}),
    ("teams_base_host", {"meeting_url": TEAMS_URL, "teams_base_host": "teams.live.com"}),
    ("passcode", {"platform": "teams", "passcode": "other", "meeting_url": TEAMS_URL}),
    ("passcode", {**MEET, "passcode": "x" * 101}),
    ("bot_name", {**MEET, "bot_name": ""}),
    ("bot_name", {**MEET, "bot_name": "x" * 101}),
    ("bot_name", {**MEET, "bot_name": "a\nb"}),
    ("language", {**MEET, "language": "english language"}),
    ("language", {**MEET, "language": "e"}),
    ("language", {**MEET, "language": "-"}),
    ("language", {**MEET, "language": ["en"]}),
    ("task", {**MEET, "task": "sing"}),
    ("task", {**MEET, "task": 1}),
], ids=lambda value: str(value)[:70])
def test_422_names_the_field(user, field, body):
    answer = post(user, **body)
    assert_bots_error(answer, 422, "Invalid request", names=field)
    assert answer.json["field"] == field
    assert user.running() == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'"text"', b'{"platform": "\xff"}'], ids=repr)
def test_422_body(user, raw):
    answer = user.request("POST", "/bots", raw_body=raw)
    assert_bots_error(answer, 422, "Invalid request", names="body")


@pytest.mark.parametrize("spelling", ["AAA-OOOO-AAA", "aaaooooaaa", "AAAOOOOAAA", "aaa-oooo-aaa"])
def test_every_route_takes_every_spelling(user, redis, spelling):
    body = {"platform": "google_meet", "native_meeting_id": spelling}
    meeting = post(user, **body).json
    assert_bots_error(post(user, **body), 409, "Bot already in meeting")
    user.play(redis, meeting, "joining", "active")
    assert user.request("PUT", f"/bots/google_meet/{spelling}/config", {"language": "es"}).status == 202
    assert user.request("GET", f"/transcripts/google_meet/{spelling}").json["id"] == meeting["id"]
    change = {"data": {"name": "Weekly"}}
    assert user.request("PATCH", f"/meetings/google_meet/{spelling}", change).json["id"] == meeting["id"]
    assert_bots_error(user.request("DELETE", f"/meetings/google_meet/{spelling}"), 409, "Meeting not over")
    assert user.request("DELETE", f"/bots/google_meet/{spelling}").status == 202


# What a bot is to do


def test_what_is_asked_of_a_bot_is_kept(user, redis):
    body = {
        "platform": "google_meet", "native_meeting_id": random_meet_code(), "transcribe_enabled": False,
        "automatic_leave": {"max_wait_for_admission": 1000, "no_one_joined_timeout": 86_400_000,
                            "everyone_left_timeout": 5000, "max_time_left_alone": 5000, "silence_timeout": None}}
    meeting = post(user, **body).json
    assert meeting["data"]["transcribe_enabled"] is False
    assert meeting["data"]["automatic_leave"] == {
        "waiting_room_timeout": 1000, "no_one_joined_timeout": 86_400_000, "everyone_left_timeout": 5000}
    record = redis.hash(user.keys.meeting(meeting["data"]["meeting_id"]))
    assert {name: record[name] for name in record if name.endswith("_ms") or name == "transcribe_enabled"} == {
        "transcribe_enabled": "false", "waiting_room_timeout_ms": "1000", "no_one_joined_timeout_ms": "86400000",
        "everyone_left_timeout_ms": "5000"}
    # A restart is of the same meeting, and so its bot does the same.
    user.play(redis, meeting, "joining", "active", "completed")
    wait_for(lambda: user.meeting(meeting)["status"] == "completed", "the end of the meeting")
    assert user.reinvite(meeting, {"force_restart": True}).status == 202
    assert user.meeting(meeting)["data"]["automatic_leave"]["everyone_left_timeout"] == 5000


@pytest.mark.parametrize("field, wish", [
    ("transcribe_enabled", "no"), ("automatic_leave", []), ("automatic_leave.max_bot_time", {"max_bot_time": 60_000}),
    ("automatic_leave", {"silence_timeout": 60_000}),
    ("automatic_leave.waiting_room_timeout", {"waiting_room_timeout": 999}),
    ("automatic_leave.waiting_room_timeout", {"waiting_room_timeout": 86_400_001}),
    ("automatic_leave.no_one_joined_timeout", {"no_one_joined_timeout": 1.5}),
    ("automatic_leave.no_one_joined_timeout", {"no_one_joined_timeout": "1000"}),
    ("automatic_leave.max_time_left_alone", {"everyone_left_timeout": 1000, "max_time_left_alone": 2000}),
], ids=str)
def test_422_what_a_bot_is_to_do(user, field, wish):
    answer = post(user, **{**MEET, field.partition(".")[0]: wish})
    assert_bots_error(answer, 422, "Invalid request", names=field)
    assert user.running() == []


NOT_YET_THERE = [
    ("start_time", "2027-01-01T00:00:00Z"),
    ("recording_enabled", True), ("webhook_url", "https://hooks.example.com/"), ("webhook_secret", "s" * 20),
    ("webhook_events", {"meeting.completed": True}), ("voice_agent_enabled", True), ("authenticated", True),
    ("continue_meeting", True), ("allowed_languages", ["en"]),
    ("transcription_tier", "deferred"),
]


@pytest.mark.parametrize("member, value", NOT_YET_THERE, ids=str)
def test_422_what_is_not_there_yet(user, workspace, redis, member, value):
    before = redis.scan(f"*{user.workspace_id}*")
    answer = post(user, **MEET, **{member: value})
    assert_bots_error(answer, 422, "Invalid request", names=member)
    assert answer.json["field"] == member
    assert redis.scan(f"*{user.workspace_id}*") == before
    answer = workspace.request("POST", workspace.meetings_path, {**MEET, member: value})
    assert answer.status == 422 and answer.json["parameters"]["field"] == member, answer
    assert redis.call("ZCARD", workspace.keys.meetings) == 0


def test_a_wish_for_what_is_so_anyway_is_taken(user, workspace):
    wishes = {
        **{member: None for member, _ in NOT_YET_THERE}, "recording_enabled": False, "voice_agent_enabled": False,
        "authenticated": False, "continue_meeting": False, "transcription_tier": "realtime", "webhook_url": "",
        "webhook_events": {}, "allowed_languages": [], "transcribe_enabled": True, "automatic_leave": None}
    answer = post(user, **MEET, **wishes, nobody_knows_this=True)
    assert answer.status == 201 and answer.json["data"]["transcribe_enabled"] is True, answer
    assert workspace.request("POST", workspace.meetings_path, {**MEET, **wishes}).status == 201
    for query, status in (("", 200), ("?format=json", 200), ("?since=", 200), ("?format=srt", 200), ("?since=1", 422)):
        answer = user.request("GET", f"/transcripts/google_meet/{MEET['native_meeting_id']}{query}")
        assert answer.status == status, answer


@pytest.mark.parametrize("member, value", [
    ("join_at", "2027-01-01T00:00:00Z"), ("transcribe_enabled", False), ("automatic_leave", {"no_one_joined_timeout": 1000})], ids=str)
def test_422_what_a_plan_cannot_promise(workspace, member, value):
    answer = workspace.request("POST", workspace.meetings_path, {**MEET, member: value})
    assert answer.status == 422 and answer.json["parameters"]["field"] == member, answer


# One room, whatever it is called

LINK = ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_ABC%40thread.v2/0?context=%7b%22Tid%22%3a%22t%22%7d")
NUMBER = "389141384648269"
DIGEST = "0f1e2d3c4b5a6978"
PAIR = {"meeting_url": LINK, "platform": "teams", "native_meeting_id": NUMBER, "passcode": "p"}


@pytest.mark.parametrize("first, second", [
    ({"meeting_url": LINK}, PAIR), (PAIR, {"meeting_url": LINK}),
    (PAIR, {"platform": "teams", "native_meeting_id": NUMBER, "passcode": "p"}),
    ({"platform": "teams", "native_meeting_id": NUMBER, "passcode": "p"}, PAIR),
    ({"meeting_url": LINK}, {"meeting_url": LINK, "platform": "teams", "native_meeting_id": DIGEST, "passcode": None}),
], ids=lambda body: "+".join(body))
def test_one_bot_whatever_the_meeting_is_called(user, first, second):
    meeting = post(user, **first).json
    answer = post(user, **second)
    assert_bots_error(answer, 409, "Bot already in meeting")
    assert answer.json["meeting_id"] == meeting["id"]
    assert [bot["meeting_id"] for bot in user.running()] == [meeting["id"]]


@pytest.mark.parametrize("name", [NUMBER, "19%3Ameeting_ABC%40thread.v2", DIGEST, DIGEST.upper()])
def test_every_route_takes_every_name(user, redis, name):
    meeting = post(user, **PAIR).json
    assert meeting["native_meeting_id"] == "19:meeting_ABC@thread.v2"
    assert user.request("DELETE", f"/bots/teams/{NUMBER}").status == 202
    meeting = post(user, meeting_url=LINK, platform="teams", native_meeting_id=DIGEST).json
    user.play(redis, meeting, "joining", "active")
    assert user.request("PUT", f"/bots/teams/{name}/config", {"language": "es"}).status == 202
    for query in ("", f"?meeting_id={meeting['id']}"):
        assert user.request("GET", f"/transcripts/teams/{name}{query}").json["id"] == meeting["id"]
        change = {"data": {"name": "Weekly"}}
        assert user.request("PATCH", f"/meetings/teams/{name}{query}", change).json["id"] == meeting["id"]
        assert_bots_error(user.request("DELETE", f"/meetings/teams/{name}{query}"), 409, "Meeting not over")
    assert user.request("DELETE", f"/bots/teams/{name}").status == 202


# Planned and ended meetings


def test_a_plan_hides_no_meeting_that_was_held(user, redis):
    held = user.send_bot()
    user.play(redis, held, "joining", "active", "completed")
    code = held["native_meeting_id"]
    workspace = user.as_workspace()
    plan = workspace.create_meeting(f"https://meet.google.com/{code}").record["number"]
    path = f"/meetings/google_meet/{code}"
    assert user.request("GET", f"/transcripts/google_meet/{code}").json["id"] == held["id"]
    assert user.request("PATCH", path, {"data": {"notes": "Said"}}).json["id"] == held["id"]
    wait_for(lambda: user.request("DELETE", path).status == 200, "the end of the meeting")
    assert "notes" not in user.meeting(held)["data"]
    assert user.request("GET", f"/meetings/{plan}").json["data"]["planned"] is True

    # The plan itself is removed by its number; and where nothing was held, by the room.
    assert str(plan) in user.request("DELETE", f"{path}?meeting_id={plan}").json["message"]
    assert_bots_error(user.request("GET", f"/meetings/{plan}"), 404, "Meeting not found")
    assert [meeting["id"] for meeting in user.request("GET", "/meetings").json["meetings"]] == [held["id"]]
    other = workspace.create_meeting()
    path = f"/meetings/google_meet/{other.record['native_meeting_id']}"
    assert user.request("DELETE", path).status == 200
    assert_bots_error(user.request("DELETE", path), 404, "Meeting not found")
    assert workspace.request("GET", f"{workspace.meetings_path}/{other.id}").status == 404


def test_a_planned_meeting_is_taken_over(user, redis):
    code = random_meet_code()
    planned = user.as_workspace().create_meeting(f"https://meet.google.com/{code}", title="Weekly")
    shown = user.request("GET", f"/meetings/{planned.record['number']}").json
    # It has none of the bot's statuses: it is shown as the first of them, and told apart.
    assert shown["status"] == "requested" and shown["data"]["planned"] is True
    assert user.running() == []
    assert_bots_error(user.request("DELETE", f"/bots/google_meet/{code}"), 404, "Bot not found")

    meeting = user.send_bot(code, language="de")
    assert meeting["id"] == planned.record["number"] and meeting["data"]["meeting_id"] == planned.id
    assert meeting["data"]["name"] == "Weekly" and "planned" not in meeting["data"]
    assert redis.call("ZCARD", user.keys.meetings) == 1
    other_api = user.as_workspace().request("GET", f"{user.as_workspace().meetings_path}/{planned.id}").json
    assert other_api["number"] == meeting["id"] and other_api["bot_status"] == "requested"


@pytest.mark.parametrize("statuses, status", [
    (["joining", "failed"], "INITIAL"), (["joining", "active", "failed"], "OFFLINE"),
    (["joining", "active", "completed"], "OFFLINE"),
])
def test_an_ended_meeting_is_left_as_it_is(user, redis, statuses, status):
    meeting = user.send_bot()
    user.play(redis, meeting, *statuses)
    key = user.keys.meeting(meeting["data"]["meeting_id"])
    wait_for(lambda: redis.hash(key)["status"] == status, f"the end of the meeting as {status}")
    before = redis.hash(key)
    again = user.send_bot(meeting["native_meeting_id"])
    assert again["id"] > meeting["id"]
    assert redis.hash(key) == before
    assert [shown["id"] for shown in user.request("GET", "/bots").json["meetings"]] == [again["id"], meeting["id"]]


# Configuration


def test_configuration_of_an_active_bot_only(user, redis, redis_server):
    meeting = user.send_bot()
    path = f"{user.bot_path(meeting)}/config"
    change = {"language": "es", "task": "transcribe", "bot_name": "Updated Bot Name"}
    assert_bots_error(user.request("PUT", path, change), 404, "Bot not found")
    bot = user.play(redis, meeting)
    for status in ("joining", "awaiting_admission"):
        bot.tell(user.node, status)
        assert_bots_error(user.request("PUT", path, change), 404, "Bot not found")
    bot.tell(user.node, "active")

    commands = Commands(redis_server, meeting["id"])
    answer = user.request("PUT", path, change)
    assert answer.status == 202 and answer.json["message"]
    assert commands.next() == {"action": "reconfigure", "language": "es", "task": "transcribe"}
    # The name is no part of the wire: it is kept, and the next thing that the bot hears is something else.
    assert user.request("PUT", path, {"bot_name": "Only a name"}).status == 202
    assert user.request("PUT", path, {"language": "fr"}).status == 202
    assert commands.next() == {"action": "reconfigure", "language": "fr"}
    record = redis.hash(user.keys.bot(bot.bot_id))
    assert (record["config_version"], record["language"], record["bot_name"]) == ("3", "fr", "Only a name")
    assert user.meeting(meeting)["data"]["bot_name"] == "Only a name"

    assert user.request("DELETE", user.bot_path(meeting)).status == 202
    assert commands.next() == {"action": "leave"}
    commands.close()
    assert_bots_error(user.request("PUT", path, change), 404, "Bot not found")


def test_of_a_meeting_that_is_named_no_other_bot_is_meant(user, redis):
    """As by a page that has stood open for long."""
    first = user.send_bot()
    named = lambda number, path="": f"{user.bot_path(first)}{path}?meeting_id={number}"
    bot = user.play(redis, first, "joining", "active")
    assert user.request("PUT", named(first["id"], "/config"), {"language": "es"}).status == 202
    again = {**user.headers, "Idempotency-Key": "1"}
    answers = [user.request("DELETE", named(first["id"]), headers=again) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202] and answers[0].json == answers[1].json
    bot.tell(user.node, "completed")
    plan = user.request("POST", "/meetings", {
        "meeting_url": first["constructed_meeting_url"], "scheduled_at": iso(7 * 86_400)}).json
    assert_bots_error(user.request("DELETE", named(first["id"])), 404, "Bot not found")
    second = user.send_bot(first["native_meeting_id"])
    user.play(redis, second, "joining", "active")
    other = user.send_bot()
    for number in (first["id"], plan["id"], other["id"], 10**15):
        assert_bots_error(user.request("DELETE", named(number)), 404, "Bot not found")
        assert_bots_error(user.request("PUT", named(number, "/config"), {"language": "fr"}), 404, "Bot not found")
    assert_bots_error(user.request("DELETE", named("x")), 422, "Invalid request", names="meeting_id")
    assert user.meeting(plan)["status"] == "scheduled" and user.meeting(other)["status"] == "requested"
    assert user.meeting(second)["status"] == "active" and "language" not in user.meeting(second)["data"]
    # The same key for another meeting is another wish.
    assert user.request("DELETE", named(second["id"]), headers=again).status == 202
    assert user.meeting(second)["status"] == "stopping"


@pytest.mark.parametrize("body, field", [
    ({}, "body"), ({"language": None}, "body"), ({"language": "x"}, "language"), ({"task": "sing"}, "task"),
    ({"bot_name": 1}, "bot_name"), ([], "body"),
], ids=str)
def test_configuration_422(user, body, field):
    answer = user.request("PUT", "/bots/google_meet/abc-defg-hij/config", body)
    assert_bots_error(answer, 422, "Invalid request", names=field)


@pytest.mark.parametrize("method, path", [
    ("DELETE", "/bots/webex/1"), ("PUT", "/bots/webex/1/config"), ("PATCH", "/meetings/webex/1"),
    ("DELETE", "/meetings/webex/1"),
])
def test_unknown_platform(user, method, path):
    assert_bots_error(user.request(method, path, {"language": "en"}), 422, "Invalid request", names="platform")


# Lists


def test_lists(admin, redis):
    user = BotsUser(admin, max_concurrent_bots=100)
    meetings = [user.send_bot() for _ in range(7)]
    meetings.append(user.request("POST", "/bots", {
        "platform": "zoom", "native_meeting_id": "12345678901"}).json)
    user.play(redis, meetings[2], "joining")
    newest_first = [meeting["id"] for meeting in reversed(meetings)]

    def ids(path):
        answer = user.request("GET", path)
        assert answer.status == 200, answer
        return [meeting["id"] for meeting in answer.json["meetings"]], answer.json["has_more"]

    for base in ("/bots", "/meetings"):
        assert ids(base) == (newest_first, False)
        assert ids(f"{base}?limit=3") == (newest_first[:3], True)
        assert ids(f"{base}?limit=3&offset=5") == (newest_first[5:], False)
        assert ids(f"{base}?platform=zoom") == (newest_first[:1], False)
        assert ids(f"{base}?status=joining") == ([meetings[2]["id"]], False)
        assert ids(f"{base}?status=requested&limit=6&offset=1") == (
            [number for number in newest_first if number != meetings[2]["id"]][1:], False)
        for query in ("limit=0", "limit=1001", "limit=x", "offset=-1", "platform=webex", "status=OFFLINE"):
            answer = user.request("GET", f"{base}?{query}")
            assert_bots_error(answer, 422, "Invalid request", names=query.partition("=")[0])
    for base in ("/meetings", "/bots/id"):
        assert user.request("GET", f"{base}/{meetings[3]['id']}").json["id"] == meetings[3]["id"]
        for unknown in ("999999999", "0", "x", "-1"):
            assert_bots_error(user.request("GET", f"{base}/{unknown}"), 404, "Meeting not found")


def test_running_bots_of_a_large_workspace(admin, redis):
    """More than one batch; those that have ended are left out, whoever ended them."""
    user = BotsUser(admin, max_concurrent_bots=100_000)
    count = 1203
    commands = []
    for number in range(count):
        bot_id = f"00000000-0000-4000-8000-{number:011d}0"
        meeting_id = f"{user.workspace_id[:8]}{number:024d}"
        status = "completed" if number % 100 == 7 else "active"
        commands += [
            ("ZADD", user.keys.bots, number, bot_id),
            ("HSET", user.keys.bot(bot_id), "meeting_id", meeting_id, "container", f"c{number}"),
            ("HSET", user.keys.meeting(meeting_id), "id", meeting_id, "number", 10**9 + number, "bot_id", bot_id,
             "bot_status", status, "status", "LIVE", "platform", "google_meet", "native_meeting_id", "abc-defg-hij",
             "dispatched_at", 1_700_000_000_000 + number, "start_time", 1_700_000_001_000, "title", 'A "quoted" name'),
        ]
    redis.pipeline(commands)
    running = user.running()
    expected = [10**9 + number for number in range(count) if number % 100 != 7]
    assert [bot["meeting_id"] for bot in running] == expected
    assert running[0]["data"]["name"] == 'A "quoted" name' and running[0]["start_time"] == "2023-11-14T22:13:21.000Z"


# Meeting data


@pytest.mark.parametrize("body, field", [
    ({}, "data"), ({"data": {}}, "data"), ({"data": []}, "data"), ({"data": {"name": ""}}, "name"),
    ({"data": {"participants": "Ann"}}, "data.participants"), ({"data": {"participants": [1]}}, "data.participants"),
    ({"data": {"languages": [""]}}, "data.languages"), ({"data": {"notes": "x" * 40_000}}, "data.notes"),
    ({"data": {"status": "active"}}, "data"),
], ids=lambda value: str(value)[:60])
def test_meeting_data_422(user, body, field):
    meeting = user.send_bot()
    answer = user.request("PATCH", user.meeting_path(meeting), body)
    assert_bots_error(answer, 422, "Invalid request", names=field)


def test_older_meeting_of_a_room_by_its_number(user, redis):
    first = user.send_bot()
    user.play(redis, first, "joining", "failed")
    second = user.send_bot(first["native_meeting_id"])
    path = user.meeting_path(first)
    assert user.request("PATCH", path, {"data": {"name": "Newest"}}).json["id"] == second["id"]
    older = user.request("PATCH", f"{path}?meeting_id={first['id']}", {"data": {"name": "Older"}}).json
    assert (older["id"], older["data"]["name"]) == (first["id"], "Older")
    answer = user.request("DELETE", path)
    assert_bots_error(answer, 409, "Meeting not over")
    assert user.request("DELETE", f"{path}?meeting_id={first['id']}").status == 200
    assert "name" not in user.meeting(first)["data"]
    assert user.meeting(second)["data"]["name"] == "Newest"


def webhooks(redis, workspace):
    """The hashes of its webhooks."""
    keys = WorkspaceKeys(workspace.id)
    return [redis.hash(keys.webhook(name)) for name in redis.call("ZRANGE", keys.webhooks, 0, -1)]


def test_webhook_is_the_workspaces(workspace, admin, redis):
    key = workspace.member_key("manager", scopes=["bots"])
    for url, kept in (("https://hooks.example.com/a", "https://hooks.example.com/a"), (None, None)):
        answer = workspace.request("PUT", "/user/webhook", {"webhook_url": url}, key=key)
        assert answer.status == 200 and answer.json["data"] == ({"webhook_url": kept} if kept else {}), answer
        assert [webhook["url"] for webhook in webhooks(redis, workspace)] == ([kept] if kept else [])
    for body in ({}, {"webhook_url": 1}, {"webhook_url": "https://a.example/#x"}, {"webhook_url": "//a.example"}):
        answer = workspace.request("PUT", "/user/webhook", body, key=key)
        assert_bots_error(answer, 422, "Invalid request", names="webhook_url")


def test_a_webhooks_secret_and_events(workspace, redis):
    key = workspace.member_key("manager", scopes=["bots"])
    url = "https://hooks.example.com/a"
    none = dict.fromkeys(["meeting.started", "meeting.status_change", "meeting.completed", "bot.failed",
                          "transcription.ready", "recording.ready", "meeting.scheduled", "meeting.missed"], False)

    def put(**body):
        answer = workspace.request("PUT", "/user/webhook", body, key=key)
        assert answer.status == 200, answer
        assert "0123456789" not in answer.body.decode()
        return workspace.request("GET", "/user/webhook", key=key).json

    default = {**none, "meeting.completed": True}
    assert put(webhook_url=url) == {
        "webhook_url": url, "webhook_secret_set": False, "webhook_secret": None, "webhook_events": default}
    set_ = {"webhook_url": url, "webhook_secret_set": True, "webhook_secret": "********6789",
            "webhook_events": {**none, "bot.failed": True}}
    assert put(webhook_url=url, webhook_secret="secret-0123456789",
               webhook_events={"bot.failed": True, "meeting.completed": False}) == set_
    # What is not said stays.
    assert put(webhook_url=url, webhook_secret="") == set_
    assert put(webhook_url=url, webhook_secret=None, webhook_events=None) == set_
    assert [webhook["secret"] for webhook in webhooks(redis, workspace)] == ["secret-0123456789"]
    assert put(webhook_url=url, webhook_secret="short")["webhook_secret"] == "********"
    assert put(webhook_url=None) == {
        "webhook_url": None, "webhook_secret_set": False, "webhook_secret": None, "webhook_events": default}
    assert not redis.scan(f"{WorkspaceKeys(workspace.id).workspace}:webhook*")


@pytest.mark.parametrize("field, body", [
    ("webhook_secret", {"webhook_secret": 1}), ("webhook_secret", {"webhook_secret": "x" * 257}),
    ("webhook_secret", {"webhook_secret": "a\nb"}), ("webhook_events", {"webhook_events": ["meeting.completed"]}),
    ("webhook_events", {"webhook_events": {"meeting.began": True}}),
    ("webhook_events.bot.failed", {"webhook_events": {"bot.failed": "yes"}}),
    *[("webhook_url", {"webhook_url": url}) for url in (
        "http://169.254.169.254/", "http://127.1/", "http://[::ffff:10.0.0.1]/", "http://localhost:8080/", "http://redis/",
        "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://metadata.google.internal/")],
], ids=str)
def test_422_webhook(workspace, redis, field, body):
    key = workspace.member_key("manager", scopes=["bots"])
    answer = workspace.request("PUT", "/user/webhook", {"webhook_url": "https://hooks.example.com/", **body}, key=key)
    assert_bots_error(answer, 422, "Invalid request", names=field)
    assert not redis.scan(f"{WorkspaceKeys(workspace.id).workspace}:webhook*")


def test_running_bots_by_pages(user, redis):
    """Each once and in the same order, also where some end between the pages; the plain answer is as it was."""
    sent = [user.send_bot() for _ in range(5)]
    plain = user.request("GET", "/bots/status").json
    assert list(plain) == ["running_bots"] and len(plain["running_bots"]) == 5
    whole = user.request("GET", "/bots/status?limit=5").json
    assert whole == {**plain, "has_more": False, "next_cursor": None}
    first = user.request("GET", "/bots/status?limit=2").json
    assert first["has_more"] and first["running_bots"] == plain["running_bots"][:2]
    user.play(redis, sent[0], "joining").tell(user.node, "failed")
    rest, cursor = [], first["next_cursor"]
    while cursor:
        page = user.request("GET", f"/bots/status?limit=2&cursor={cursor}").json
        rest, cursor = rest + page["running_bots"], page["next_cursor"]
    assert rest == plain["running_bots"][2:]
    for query in ("limit=0", "limit=10001", "limit=x", "cursor=", "cursor=1", "cursor=1_x", f"cursor={'1' * 90}"):
        assert_bots_error(user.request("GET", f"/bots/status?{query}"), 422, "Invalid request", query.partition("=")[0])
