"""Meetings: create, list and get, beside the endpoint and in its style."""

import re

import pytest

from harness.envelope import assert_error
from harness.http_client import NO_BODY
from harness.keys import meeting_owner, room
from harness.workspace import random_meet_code

CODE = "abc-defg-hij"

# (a link, its platform, what names the room on that platform, the passcode it carries)
LINKS = [
    (f"https://meet.google.com/{CODE}", "google_meet", CODE, None),
    (f"https://meet.google.com/{CODE}/", "google_meet", CODE, None),
    (f"https://meet.google.com/{CODE}?authuser=0&hs=179", "google_meet", CODE, None),
    (f"https://meet.google.com/{CODE}/?pli=1", "google_meet", CODE, None),
    (f"https://meet.google.com/{CODE}#fragment", "google_meet", CODE, None),
    (f"HTTPS://MEET.Google.COM/{CODE}", "google_meet", CODE, None),
    (f"https://meet.google.com/u/0/{CODE}", "google_meet", CODE, None),
    (f"https://meet.google.com/u/1/{CODE}?hs=1", "google_meet", CODE, None),
    (f"http://meet.google.com/{CODE}", "google_meet", CODE, None),
    (f"meet.google.com/{CODE}", "google_meet", CODE, None),
    ("https://meet.google.com/ABC-DEFG-HIJ", "google_meet", CODE, None),
    ("https://meet.google.com/abcdefghij", "google_meet", CODE, None),
    ("https://teams.live.com/meet/9387654321098?p=AbCdEf123", "teams", "9387654321098", "AbCdEf123"),
    ("https://teams.microsoft.com/meet/2345678901234?p=Secret9", "teams", "2345678901234", "Secret9"),
    ("https://us02web.zoom.us/j/12345678901?pwd=QWxhZGRpbg", "zoom", "12345678901", "QWxhZGRpbg"),
    ("https://zoom.us/j/12345678901", "zoom", "12345678901", None),
    ("https://acme.zoomgov.com/j/1612345678", "zoom", "1612345678@zoomgov.com", None),
    (f" <https://meet.google.com/{CODE}>.\r\n", "google_meet", CODE, None),
    (f"https://www.google.com/url?q=https%3A%2F%2Fmeet.google.com%2F{CODE}&sa=D", "google_meet", CODE, None),
]

UNSUPPORTED = [
    "", "nonsense", "https://example.com/abc-defg-hij", "https://meet.google.com/", "https://meet.google.com",
    "https://meet.google.com/abc", "https://meet.google.com.example.com/abc-defg-hij",
    "https://example.com/?u=https://meet.google.com/abc-defg-hij", "https://meet.google.com@example.com/abc-defg-hij",
    "https://..zoom.us/j/12345678901", "ftp://meet.google.com/abc-defg-hij", "javascript:alert(1)", "https://zoom.us/j/notanumber",
    "https://evilzoom.us/j/12345678901", "https://meet.google.com/abc-defg-hij/more", "https://meet.google.com/a\nb",
    "https://teams.microsoft.com/", "x" * 5000,
]


@pytest.mark.parametrize("url, platform, native_id, passcode", LINKS, ids=[link[0] for link in LINKS])
def test_links_are_understood(redis, workspace, url, platform, native_id, passcode):
    meeting = workspace.create_meeting(url)
    record = meeting.record
    assert re.fullmatch("[0-9a-f]{32}", record["meeting_id"])
    assert isinstance(record["number"], int)
    assert (record["workspace_id"], record["platform"], record["native_meeting_id"]) == (
        workspace.id, platform, native_id)
    assert record["status"] == "INITIAL"
    fields = meeting.fields(redis)
    assert (fields["id"], fields["platform"], fields["native_meeting_id"]) == (meeting.id, platform, native_id)
    assert fields.get("passcode") or None == passcode
    assert (fields["status"], fields["number"]) == ("INITIAL", str(record["number"]))
    # The other keys of a meeting (docs/architecture.md, "Keys").
    keys = workspace.keys
    assert redis.call("GET", meeting_owner(meeting.id)) == workspace.id
    assert redis.call("ZSCORE", keys.meetings, meeting.id) == str(record["number"])
    assert redis.call("GET", keys.latest(room(native_id, platform))) == meeting.id


@pytest.mark.parametrize("url", UNSUPPORTED, ids=lambda url: url[:50] or "empty")
def test_422_unsupported_link(redis, workspace, url):
    answer = workspace.request("POST", workspace.meetings_path, {"meeting_url": url})
    assert_error(answer, 422)
    assert "meeting_url" in answer.json["detail"]
    assert redis.call("ZCARD", workspace.keys.meetings) == 0


def test_platform_and_native_id_in_place_of_a_link(workspace):
    code = random_meet_code()
    answer = workspace.request("POST", workspace.meetings_path, {
        "platform": "google_meet", "native_meeting_id": code})
    assert answer.status == 201, answer
    assert (answer.json["platform"], answer.json["native_meeting_id"]) == ("google_meet", code)
    assert answer.json["meeting_url"] == f"https://meet.google.com/{code}"


@pytest.mark.parametrize("body", [
    {}, {"platform": "google_meet"}, {"native_meeting_id": CODE}, {"platform": "fax", "native_meeting_id": CODE},
    {"platform": "google_meet", "native_meeting_id": "not a code"}, {"meeting_url": 5}, {"meeting_url": None},
    {"meeting_url": f"https://meet.google.com/{CODE}", "title": 5}, [], "text", None,
    {"platform": "google_meet", "native_meeting_id": 5}, {"platform": "zoom", "native_meeting_id": CODE},
])
def test_422_meeting(redis, workspace, body):
    assert_error(workspace.request("POST", workspace.meetings_path, body), 422)
    assert redis.call("ZCARD", workspace.keys.meetings) == 0


@pytest.mark.parametrize("url", [
    "https://teams.microsoft.com/meet/9398850880426?p=abc", f"https://meet.google.com/{CODE}",
])
def test_a_passcode_beside_a_link(redis, workspace, url):
    """It is taken where the link lacks one, as POST /bots does; refused only where the link has another."""
    meeting = workspace.create_meeting(url, passcode="abc")
    fields = meeting.fields(redis)
    assert (fields["meeting_url"], fields["passcode"]) == (url, "abc")


def test_a_passcode_beside_a_bare_link_of_ms_teams_goes_into_it(redis, workspace):
    meeting = workspace.create_meeting("https://teams.microsoft.com/meet/9398850880426", passcode="abc")
    fields = meeting.fields(redis)
    assert (fields["meeting_url"], fields["passcode"]) == ("https://teams.microsoft.com/meet/9398850880426?p=abc", "abc")


def test_422_another_passcode_than_the_links(redis, workspace):
    answer = workspace.request("POST", workspace.meetings_path, {
        "meeting_url": "https://teams.microsoft.com/meet/9398850880426?p=abc", "passcode": "other"})
    assert_error(answer, 422)
    assert "passcode" in answer.json["detail"]
    assert redis.call("ZCARD", workspace.keys.meetings) == 0


def test_get(admin, redis, workspace):
    """12110 tells users to fetch the latest meeting state: what they get is the state in Redis."""
    meeting = workspace.create_meeting(title="Weekly 会議", language="de")
    path = f"{workspace.meetings_path}/{meeting.id}"
    answer = workspace.request("GET", path)
    assert (answer.status, answer.json) == (200, meeting.record)
    assert (answer.json["title"], answer.json["language"]) == ("Weekly 会議", "de")
    meeting.set(redis, status="LIVE", bot_status="active")
    assert workspace.request("GET", path).json["status"] == "LIVE"
    assert_error(workspace.request("GET", f"{workspace.meetings_path}/{'0' * 32}"), 404, 12100)
    foreign = admin.create_workspace().create_meeting()
    assert_error(workspace.request("GET", f"{workspace.meetings_path}/{foreign.id}"), 400, 12101)


def test_dispatch_is_seen_in_the_meeting(workspace):
    meeting = workspace.create_meeting()
    dispatched_at = workspace.reinvite(meeting).json["dispatched_at"]
    record = workspace.request("GET", f"{workspace.meetings_path}/{meeting.id}").json
    assert (record["status"], record["bot_status"]) == ("INITIAL", "requested")
    assert record["dispatched_at"] == dispatched_at


def listing(workspace, query=""):
    answer = workspace.request("GET", workspace.meetings_path + query)
    assert answer.status == 200, answer
    assert set(answer.json) == {"meetings", "offset", "limit", "has_more", "next_cursor"}
    return answer.json


def test_list_newest_first_in_pages(workspace):
    empty = listing(workspace)
    assert (empty["meetings"], empty["has_more"]) == ([], False)
    meetings = [workspace.create_meeting() for _ in range(5)]
    newest_first = [meeting.id for meeting in reversed(meetings)]
    page = listing(workspace)
    assert [record["meeting_id"] for record in page["meetings"]] == newest_first
    assert page["meetings"][0] == meetings[-1].record
    for offset, limit, more in [(0, 2, True), (2, 2, True), (4, 2, False), (3, 2, False), (5, 2, False),
                                (100, 2, False)]:
        page = listing(workspace, f"?offset={offset}&limit={limit}")
        assert [record["meeting_id"] for record in page["meetings"]] == newest_first[offset:offset + limit]
        assert (page["offset"], page["limit"], page["has_more"]) == (offset, limit, more)


def test_list_by_status(redis, workspace):
    meetings = [workspace.create_meeting() for _ in range(6)]
    for meeting in meetings[::2]:
        meeting.set(redis, status="OFFLINE")
    offline = [meeting.id for meeting in reversed(meetings[::2])]
    page = listing(workspace, "?status=OFFLINE")
    assert [record["meeting_id"] for record in page["meetings"]] == offline
    page = listing(workspace, "?status=OFFLINE&limit=2")
    assert [record["meeting_id"] for record in page["meetings"]] == offline[:2]
    assert page["has_more"] is True
    page = listing(workspace, "?status=OFFLINE&limit=2&offset=2")
    assert ([record["meeting_id"] for record in page["meetings"]], page["has_more"]) == (offline[2:], False)
    assert listing(workspace, "?status=LIVE")["meetings"] == []


@pytest.mark.parametrize("query, field", [
    ("?limit=0", "limit"), ("?limit=-1", "limit"), ("?limit=x", "limit"), ("?limit=", "limit"),
    ("?limit=100000", "limit"), ("?limit=1e2", "limit"), ("?limit=99999999999999999999", "limit"),
    ("?offset=-1", "offset"), ("?offset=x", "offset"), ("?offset=99999999999999999999", "offset"),
    ("?status=NONSENSE", "status"), ("?status=", "status"),
])
def test_422_list(workspace, query, field):
    answer = workspace.request("GET", workspace.meetings_path + query)
    assert_error(answer, 422)
    assert field in answer.json["detail"]


def test_meetings_of_other_workspaces_are_not_listed(admin, workspace):
    admin.create_workspace().create_meeting()
    assert listing(workspace)["meetings"] == []


def test_two_spellings_are_two_meetings_in_one_room(redis, workspace):
    first = workspace.create_meeting(f"https://meet.google.com/{CODE}")
    second = workspace.create_meeting(f"meet.google.com/u/0/{CODE}/?hs=1")
    assert first.id != second.id and first.room == second.room
    assert redis.call("GET", workspace.keys.latest(first.room)) == second.id


def test_access(admin, workspace):
    """No key: 401. Another workspace's key, no scope, no membership: 403; also for what isn't there."""
    meeting = workspace.create_meeting()
    other = admin.create_workspace()
    body = {"meeting_url": f"https://meet.google.com/{CODE}"}
    for method, path, payload in [("GET", workspace.meetings_path, NO_BODY), ("POST", workspace.meetings_path, body),
                                  ("GET", f"{workspace.meetings_path}/{meeting.id}", NO_BODY)]:
        assert_error(workspace.request(method, path, payload, headers={}), 401)
        assert_error(workspace.request(method, path, payload, key=other.key), 403)
        assert_error(workspace.request(method, path, payload, key=workspace.member_key(None)), 403)
        assert_error(workspace.request(method, path, payload, key=workspace.member_key("owner", scopes=["bots"])), 403)
    assert workspace.request("POST", workspace.meetings_path, body, key=workspace.member_key("viewer")).status == 403
    assert workspace.request("GET", workspace.meetings_path, key=workspace.member_key("manager")).status == 200
