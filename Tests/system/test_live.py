"""The live feed: GET /ws, streams of events and GET /transcripts?after=, on several nodes."""

import hashlib
import re
import signal
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.keys import WorkspaceKeys
from harness.live import EventStream, LiveClient, name
from harness.metrics import Scrape
from harness.transcripts import post, read, segment, write_message
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

CURSOR = re.compile(r"\d+-\d+")


@pytest.fixture
def room(user, redis):
    """A meeting object and its bot, which is in the room."""
    meeting = user.send_bot(language="en")
    return meeting, user.play(redis, meeting, "joining", "active")


def say(user, bot, *segments):
    answer = post(user.node, bot, {"segments": list(segments)})
    assert answer.status == 200, answer


def retract(user, bot, *ids):
    answer = post(user.node, bot, {"type": "transcript_retract", "segment_ids": list(ids)})
    assert answer.status == 200, answer


def path(meeting, rest="", query=""):
    return f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}{rest}{query}"


class Screen:
    """What a viewer shows, by the rules of the protocol."""

    def __init__(self):
        self.confirmed = {}
        self.pending = {}
        self.cursor = None

    def take(self, message):
        self.cursor = message["cursor"]
        if message["type"] == "transcript":
            for each in message["confirmed"]:
                self.confirmed[each["segment_id"]] = each["text"]
            self.pending[message["speaker"]] = {each["segment_id"]: each["text"] for each in message["pending"]}
        if message["type"] == "transcript_retract":
            for each in message["segment_ids"]:
                self.confirmed.pop(each, None)
                for drafts in self.pending.values():
                    drafts.pop(each, None)

    @property
    def shown(self):
        return self.confirmed | {key: text for drafts in self.pending.values() for key, text in drafts.items()}


def shown(user, meeting):
    return {each["segment_id"]: each["text"] for each in read(user, meeting)["segments"]}


# MARK: The socket


def test_the_protocol(user, nodes, redis, room):
    meeting, bot = room
    with LiveClient(nodes[-1], user.token) as client:
        assert client.ask("subscribe", name(meeting)) == {"type": "subscribed", "meetings": [name(meeting)]}
        assert client.ask("subscribe", name(meeting)) == {"type": "subscribed", "meetings": [name(meeting)]}
        client.send({"action": "ping"})
        assert client.next() == {"type": "pong"}
        say(user, bot, segment("1", "Hel", completed=False))
        draft = client.next()
        assert draft["type"] == "transcript" and draft["meeting"] == {"id": meeting["id"]}
        assert (draft["speaker"], draft["confirmed"]) == ("Anna", []) and CURSOR.fullmatch(draft["cursor"])
        assert draft["pending"] == read(user, meeting)["segments"]
        say(user, bot, segment("2", "second draft", 3, 4, completed=False))
        assert [each["segment_id"] for each in client.next()["pending"]] == ["1", "2"]
        say(user, bot, segment("1", "Hello"))
        done = client.next()
        assert [each["text"] for each in done["confirmed"]] == ["Hello"]
        assert [each["segment_id"] for each in done["pending"]] == ["2"]
        retract(user, bot, "2")
        gone = client.next()
        assert (gone["type"], gone["segment_ids"]) == ("transcript_retract", ["2"])
        assert client.next()["pending"] == []
        bot.tell(user.node, "completed", completion_reason="left_alone")
        told = [client.next(), client.next()]
        full = next(each for each in told if "meeting" in each)
        unasked = next(each for each in told if "meeting_id" in each)
        assert full["payload"] == {"status": "completed"} and full["user_id"] == meeting["user_id"]
        assert full["meeting"] == {
            "id": meeting["id"], "platform": meeting["platform"], "native_id": meeting["native_meeting_id"]}
        assert {key: unasked[key] for key in ("type", "meeting_id", "native", "status")} == {
            "type": "meeting.status", "meeting_id": meeting["id"], "native": meeting["native_meeting_id"],
            "status": "completed"}
        assert client.ask("unsubscribe", name(meeting)) == {"type": "unsubscribed", "meetings": [name(meeting)]}
        assert client.ask("unsubscribe", name(meeting)) == {"type": "unsubscribed", "meetings": []}


def test_chat_comes_as_clients_know_it_too(user, node, redis, room):
    meeting, bot = room
    with LiveClient(node, user.token) as client:
        begin = read(user, meeting)["cursor"]
        client.ask("subscribe", name(meeting))
        line = segment("c1", "Hello \"you\"", 3, 3, source="chat", speaker="Ben")
        say(user, bot, segment("1", "said"), {**line, "completed": False})
        # A draft is no message yet.
        assert [client.next()["type"] for _ in range(2)] == ["transcript", "transcript"]
        say(user, bot, line)
        chat = {"type": "chat_message", "meeting": {"id": meeting["id"]}, "sender": "Ben", "text": "Hello \"you\""}
        assert client.next() == chat
        transcript = client.next()
        assert [each["segment_id"] for each in transcript["confirmed"]] == ["c1"] and transcript["pending"] == []
    # Who was away gets it too.
    with LiveClient(node, user.token) as client:
        client.ask("subscribe", {**name(meeting), "after": begin})
        assert client.next("chat_message") == chat


def test_statuses_come_unasked_and_of_the_own_workspace_alone(user, node, redis, room):
    stranger = BotsUser(Admin(node))
    with LiveClient(node, user.token, in_query=True) as client, LiveClient(node, stranger.token) as other:
        other.send({"action": "ping"})
        assert other.next() == {"type": "pong"}
        client.send({"action": "ping"})
        assert client.next() == {"type": "pong"}
        meeting = user.send_bot()
        assert client.next() == client_status(meeting, "requested")
        theirs = stranger.send_bot()
        assert other.next() == client_status(theirs, "requested")
        assert other.ask("subscribe", name(meeting))["error"] == "authorization_service_error"
        assert other.ask("subscribe", name(meeting), name(theirs))["meetings"] == [name(theirs)]


class client_status(dict):
    """An unasked status, whatever its time."""

    def __init__(self, meeting, status):
        super().__init__({
            "type": "meeting.status", "meeting_id": meeting["id"], "native": meeting["native_meeting_id"],
            "status": status})

    def __eq__(self, other):
        return {**other, "when": None} == {**self, "when": None} and re.match(r"\d{4}-", other["when"])

    __hash__ = None


def test_a_socket_is_told_that_statuses_are_lost(user, node, redis, room):
    with LiveClient(node, user.token) as client:
        client.send({"action": "ping"})
        assert client.next() == {"type": "pong"}
        meeting = user.send_bot()
        assert client.next() == client_status(meeting, "requested")
        # Those who read feeds find another one when they are connected again.
        redis.call("DEL", WorkspaceKeys(user.workspace_id).feed)
        for server in redis.servers():
            for line in server.call("CLIENT", "LIST").splitlines():
                if re.search(r" name=\S*feeds-\d", line):
                    server.call("CLIENT", "KILL", "ID", line.split()[0].removeprefix("id="))
        assert client.next() == {"type": "reset"}


@pytest.mark.parametrize(("message", "error"), [
    ("no json", "invalid_json"), ("[]", "invalid_json"), ("1", "invalid_json"), ('"subscribe"', "invalid_json"),
    ("null", "invalid_json"), ("{}", "unknown_action"), ('{"action":"dance"}', "unknown_action"),
    ('{"action":7}', "unknown_action"), ('{"action":"subscribe"}', "invalid_subscribe_payload"),
    ('{"action":"subscribe","meetings":[]}', "invalid_subscribe_payload"),
    ('{"action":"subscribe","meetings":{}}', "invalid_subscribe_payload"),
    ('{"action":"subscribe","meetings":[1]}', "invalid_subscribe_payload"),
    ('{"action":"subscribe","meetings":[{"platform":"zoom"}]}', "invalid_subscribe_payload"),
    ('{"action":"subscribe","meetings":[{"platform":"zoom","native_id":1}]}', "invalid_subscribe_payload"),
    ('{"action":"subscribe","meetings":[{"platform":"zoom","native_id":"1","after":"x"}]}',
     "invalid_subscribe_payload"),
    ('{"action":"subscribe","after":"1-1","meetings":[{"platform":"zoom","native_id":"1"},'
     '{"platform":"zoom","native_id":"2"}]}', "invalid_subscribe_payload"),
    ('{"action":"unsubscribe","meetings":7}', "invalid_unsubscribe_payload"),
    ('{"action":"subscribe","meetings":[{"platform":"zoom","native_id":"12345678901"}]}',
     "authorization_service_error"),
    ('{"action":"subscribe","meetings":[{"platform":"elsewhere","native_id":"x"}]}', "authorization_service_error"),
])
def test_what_is_wrong_is_told_and_closes_nothing(user, node, message, error):
    with LiveClient(node, user.token) as client:
        client.send(message)
        answer = client.next()
        assert (answer["type"], answer["error"]) == ("error", error), answer
        client.send({"action": "ping"})
        assert client.next() == {"type": "pong"}


@pytest.mark.parametrize(("key", "error", "code"), [
    (None, "missing_api_key", 4401), ("usher_unknown", "invalid_api_key", 4401)])
def test_who_has_no_key_is_told_in_the_open_socket(node, key, error, code):
    with LiveClient(node, key) as client:
        assert client.closed()[::2] == (code, [{"type": "error", "error": error}])


def test_a_key_of_another_scope_opens_nothing(node):
    workspace = Admin(node).create_workspace()
    with LiveClient(node, workspace.key) as client:
        assert client.closed()[0] == 4403


def ticket(user, **options):
    answer = user.request("POST", "/ws/ticket", **options)
    assert answer.status == 201 and answer.json["expires_in"] == 30, answer
    return answer.json["ticket"]


def test_a_ticket_opens_one_feed_in_place_of_the_key(user, nodes, redis, room):
    meeting, _ = room
    one = ticket(user)
    stored = user.keys.workspace + ":tickets"
    assert redis.call("ZRANGE", stored, "0", "-1") == [hashlib.sha256(one.encode()).hexdigest()]
    assert 0 < redis.call("PTTL", stored) <= 30_000
    with LiveClient(nodes[-1], ticket=one) as client:
        assert client.ask("subscribe", name(meeting))["type"] == "subscribed"
    with LiveClient(nodes[0], ticket=one) as client:
        assert client.closed()[::2] == (4401, [{"type": "error", "error": "invalid_api_key"}])
    two = ticket(user)
    with EventStream(nodes[0], path(meeting, f"/events?ticket={two}"), None) as events:
        assert events.next()["type"] == "subscribed"
    with EventStream(nodes[0], path(meeting, f"/events?ticket={two}"), None) as events:
        assert events.status == 401
    # It may open a feed, and nothing else.
    assert user.request("GET", f"/meetings?ticket={ticket(user)}", headers={}).status == 401


@pytest.mark.parametrize("ahead_ms", [-1, 3_600_000])
def test_a_ticket_ends_by_the_clock_also_where_that_was_set_back(user, node, redis, ahead_ms):
    one = ticket(user)
    end = int(redis.call("TIME")[0]) * 1_000 + ahead_ms
    assert redis.call("ZADD", user.keys.workspace + ":tickets", "CH", end, hashlib.sha256(one.encode()).hexdigest()) == 1
    with LiveClient(node, ticket=one) as client:
        assert client.closed()[0] == 4401


@pytest.mark.parametrize("text", ["ticket", "ticket___", "ticket_a_b_c", "ticket_" + "x" * 400, "usher_unknown"])
def test_what_is_no_ticket_opens_nothing(node, text):
    with LiveClient(node, ticket=text) as client:
        assert client.closed()[0] == 4401


def test_a_workspace_has_so_many_tickets_and_no_more(user, node, redis):
    stored, now = user.keys.workspace + ":tickets", int(redis.call("TIME")[0]) * 1_000
    redis.call("ZADD", stored, *[word for number in range(1_000) for word in (now + 25_000, f"other{number}")])
    answer = user.request("POST", "/ws/ticket")
    assert_bots_error(answer, 429, "Too many requests")
    assert answer.header("Retry-After") == "30" and redis.call("ZCARD", stored) == 1_000
    # Those of others are as before.
    ticket(BotsUser(Admin(node)))
    # One that has ended counts no more.
    redis.call("ZADD", stored, now - 1, "other0")
    ticket(user)


def test_a_ticket_is_worth_what_its_key_is(user, node, redis, room):
    meeting, _ = room
    admin = Admin(node)
    key = admin.create_key(user.workspace_id, user.user["id"], scopes=["bots"])
    one, two = (ticket(user, headers={"X-API-Key": key["key"]}) for _ in range(2))
    with LiveClient(node, ticket=one) as client:
        assert client.ask("subscribe", name(meeting))["type"] == "subscribed"
        assert admin.request("DELETE", f"/admin/keys/{key['id']}").status < 300
        assert client.closed()[0] == 4401
    with LiveClient(node, ticket=two) as client:
        assert client.closed()[0] == 4401


def test_a_revoked_key_ends_its_feeds(user, node, redis, room):
    meeting, _ = room
    admin = Admin(node)
    key = admin.create_key(user.workspace_id, user.user['id'], scopes=["bots"])
    with LiveClient(node, key["key"]) as client, EventStream(node, path(meeting, "/events"), key["key"]) as events:
        assert events.next()["type"] == "subscribed"
        assert admin.request("DELETE", f"/admin/keys/{key['id']}").status < 300
        code, _, messages = client.closed()
        assert (code, messages[-1]["error"]) == (4401, "invalid_api_key")
        assert events.next() is None


def test_what_is_no_handshake_is_refused_in_words(user, node):
    answer = user.request("GET", "/ws")
    assert answer.status == 426 and answer.header("Sec-WebSocket-Version") == "13"
    assert node.request("GET", "/ws").status == 401
    odd = user.request("GET", "/ws", headers={**user.headers,
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "short"})
    assert odd.status == 400
    assert user.request("POST", "/ws").status == 405


# MARK: Going on


def test_who_was_away_gets_what_was_missed_from_any_node(user, nodes, redis, room):
    meeting, bot = room
    screen = Screen()
    with LiveClient(nodes[0], user.token) as client:
        client.ask("subscribe", name(meeting))
        say(user, bot, segment("1", "one"), segment("2", "mist", completed=False))
        screen.take(client.next("transcript"))
    say(user, bot, segment("2", "mistake", completed=False), segment("3", "three", 5, 6))
    retract(user, bot, "2")
    say(user, bot, segment("4", "draft", 7, 8, completed=False))
    with LiveClient(nodes[-1], user.token) as client:
        assert client.ask("subscribe", name(meeting, after=screen.cursor))["type"] == "subscribed"
        seen = []
        while screen.shown != shown(user, meeting):
            message = client.next("transcript", "transcript_retract")
            seen += [each["segment_id"] for each in message.get("confirmed", [])]
            screen.take(message)
        assert seen == ["3"]
        say(user, bot, segment("5", "live again", 9, 10))
        while "5" not in screen.shown:
            screen.take(client.next("transcript"))
    assert screen.shown == shown(user, meeting) == {"1": "one", "3": "three", "4": "draft", "5": "live again"}


def test_a_cursor_that_leads_nowhere_is_told(user, node, redis, room):
    meeting, bot = room
    with LiveClient(node, user.token) as client:
        client.ask("subscribe", name(meeting, after="1-1"))
        reset = client.next("reset")
        assert reset["meeting"] == {"id": meeting["id"]}
        say(user, bot, segment("1", "one"))
        assert client.next("transcript")["confirmed"][0]["text"] == "one"
    answer = read(user, meeting, query="?after=1-1")
    assert answer["reset"] is True and [each["text"] for each in answer["segments"]] == ["one"]
    assert read(user, meeting, query=f"?after={answer['cursor']}")["segments"] == []
    say(user, bot, segment("2", "two", 3, 4))
    answer = read(user, meeting, query="?after=1-1&limit=1")
    assert answer["reset"] is True and [each["text"] for each in answer["segments"]] == ["one"]


def test_a_cursor_from_before_the_first_change(user, node, redis, room):
    """It is good until there is more than is kept."""
    meeting, bot = room
    say(user, bot, segment("1", "one"))
    answer = read(user, meeting, query="?after=0-0")
    assert not answer.get("reset") and [each["text"] for each in answer["segments"]] == ["one"]
    feed = f"{WorkspaceKeys(user.workspace_id).meeting(meeting['data']['meeting_id'])}:feed"
    for _ in range(500):
        redis.call("XADD", feed, "*", "what", "status", "to", "LIVE/active", "at", "1")
    assert read(user, meeting, query="?after=0-0")["reset"] is True
    with LiveClient(node, user.token) as client:
        client.ask("subscribe", name(meeting, after="0-0"))
        assert client.next("reset")["meeting"] == {"id": meeting["id"]}


def test_a_cursor_of_a_feed_without_changes_counts_for_an_hour(user, node, redis, room):
    """After that there may have been some that are gone: what a feed tells of is kept for an hour after its last entry."""
    meeting, bot = room
    feed = f"{WorkspaceKeys(user.workspace_id).meeting(meeting['data']['meeting_id'])}:feed"
    redis.call("DEL", feed)
    cursor = read(user, meeting)["cursor"]
    assert cursor.startswith("0-")
    seen_ms = int(cursor.removeprefix("0-"))
    assert abs(seen_ms - time.time() * 1000) < 60_000
    answer = read(user, meeting, query=f"?after={cursor}")
    assert not answer.get("reset") and answer["segments"] == [] and answer["cursor"] == cursor
    say(user, bot, segment("1", "one"))
    answer = read(user, meeting, query=f"?after={cursor}")
    assert not answer.get("reset") and [each["text"] for each in answer["segments"]] == ["one"]
    redis.call("DEL", feed)
    for stale in (seen_ms - 3_600_000, seen_ms + 3_600_000, 2**64 - 1):
        answer = read(user, meeting, query=f"?after=0-{stale}")
        assert answer["reset"] is True and [each["text"] for each in answer["segments"]] == ["one"]
        with LiveClient(node, user.token) as client:
            client.ask("subscribe", name(meeting, after=f"0-{stale}"))
            assert client.next("reset")["meeting"] == {"id": meeting["id"]}


def test_a_deleted_transcript_resets_its_viewers(user, node, redis, room):
    meeting, bot = room
    say(user, bot, segment("1", "secret"))
    bot.tell(user.node, "completed", completion_reason="left_alone")
    wait_for(lambda: user.meeting(meeting)["status"] == "completed", "the end")
    with LiveClient(node, user.token) as client:
        client.ask("subscribe", name(meeting))
        wait_for(lambda: user.request("DELETE", path(meeting).replace("transcripts", "meetings")).status == 200,
                 "the deletion")
        assert client.next("reset")["meeting"] == {"id": meeting["id"]}


def test_polling_after_a_cursor(user, node, redis, room):
    meeting, bot = room
    whole = read(user, meeting)
    say(user, bot, segment("1", "Hel", completed=False), segment("2", "gone", 3, 4))
    say(user, bot, segment("1", "Hello"))
    retract(user, bot, "2")
    answer = user.request("GET", path(meeting, query=f"?after={whole['cursor']}"))
    changes = answer.json
    assert [each["text"] for each in changes["segments"]] == ["Hello"] and changes["retracted"] == ["2"]
    assert changes["reset"] is False and changes["has_more"] is False
    assert set(changes) == set(whole) | {"retracted", "reset", "has_more"}
    etag = answer.header("ETag")
    again = user.request("GET", path(meeting, query=f"?after={whole['cursor']}"), headers={**user.headers, "If-None-Match": etag})
    assert again.status == 304 and again.header("ETag") == etag
    assert user.request("PATCH", path(meeting).replace("transcripts", "meetings"), body={"data": {"notes": "n"}}).status == 200
    again = user.request("GET", path(meeting, query=f"?after={whole['cursor']}"), headers={**user.headers, "If-None-Match": etag})
    assert again.json["notes"] == "n" and again.header("ETag") != etag
    etag = again.header("ETag")
    say(user, bot, segment("3", "new", 5, 6))
    again = user.request("GET", path(meeting, query=f"?after={changes['cursor']}"), headers={**user.headers, "If-None-Match": etag})
    assert [each["text"] for each in again.json["segments"]] == ["new"]
    for query in ("?after=x", f"?after={changes['cursor']}&offset=1", f"?after={changes['cursor']}&format=txt"):
        assert_bots_error(user.request("GET", path(meeting, query=query)), 422, "Invalid request")


# MARK: Events


def test_events_of_a_meeting(user, nodes, redis, room):
    meeting, bot = room
    with EventStream(nodes[-1], path(meeting, "/events"), user.token) as events:
        assert events.status == 200 and events.headers["content-type"] == "text/event-stream"
        assert events.next()["type"] == "subscribed"
        say(user, bot, segment("1", "one"))
        assert events.next()["confirmed"][0]["text"] == "one"
        last = events.last
    say(user, bot, segment("2", "two", 3, 4))
    with EventStream(nodes[0], path(meeting, "/events"), user.token, last) as events:
        assert events.next("transcript")["confirmed"][0]["text"] == "two"
    with EventStream(nodes[0], path(meeting, "/events"), user.token, "1-1") as events:
        assert events.next("reset")["meeting"] == {"id": meeting["id"]}
    assert_bots_error(user.request("GET", path(meeting, "/events"), headers={**user.headers, "Last-Event-ID": "x"}), 422, "Invalid request")
    assert_bots_error(user.request("GET", "/transcripts/google_meet/abc-defg-hij/events"), 404, "Meeting not found")


def test_events_of_all_meetings(user, nodes, redis, room):
    meeting, bot = room
    with EventStream(nodes[-1], "/events", user.token) as events:
        assert events.next()["type"] == "subscribed"
        say(user, bot, segment("1", "one"))
        assert events.next("transcript")["meeting"] == {"id": meeting["id"]}
        last = events.last
    other = user.send_bot()
    second = user.play(redis, other, "joining", "active")
    say(user, second, segment("1", "elsewhere"))
    say(user, bot, segment("2", "two", 3, 4))
    with EventStream(nodes[0], "/events", user.token, last) as events:
        statuses = [events.next("meeting.status")["payload"]["status"] for _ in range(3)]
        assert statuses == ["requested", "joining", "active"]
        told = [(event["meeting"]["id"], event["confirmed"][0]["text"])
                for event in (events.next("transcript"), events.next("transcript"))]
        assert told == [(other["id"], "elsewhere"), (meeting["id"], "two")]


def test_statuses_of_all_meetings_alone(user, nodes, redis, room):
    meeting, bot = room
    told = lambda events: (events["type"], events.get("payload", {}).get("status"))
    with EventStream(nodes[-1], "/events?only=statuses", user.token) as events:
        assert events.next()["type"] == "subscribed"
        last = events.last
        say(user, bot, segment("1", "one"))
        user.send_bot()
        assert told(events.next()) == ("meeting.status", "requested")
    with EventStream(nodes[0], "/events?only=statuses", user.token, last) as events:
        assert events.next()["type"] == "subscribed"
        assert told(events.next()) == ("meeting.status", "requested")
    with EventStream(nodes[0], "/events?only=statuses", user.token, "1-1") as events:
        assert [events.next()["type"] for _ in range(2)] == ["subscribed", "reset"]
    assert_bots_error(user.request("GET", "/events?only=words"), 422, "Invalid request", names="only")


def test_much_that_was_missed_comes_at_the_clients_pace(user, nodes, redis, room):
    """More than waits for a client at once. The first event has its own cursor: cut off, it would go on there."""
    meeting, bot = room
    cursor = read(user, meeting)["cursor"]
    for number in range(0, 200, 20):
        say(user, bot, *(segment(str(each), "x" * 15_000, each, each + 1) for each in range(number, number + 20)))
    with EventStream(nodes[-1], path(meeting, "/events"), user.token, cursor) as events:
        assert events.next() == {"type": "subscribed", "cursor": cursor}
        seen = []
        while len(seen) < 200:
            seen += [each["segment_id"] for each in events.next("transcript")["confirmed"]]
    assert sorted(seen, key=int) == [str(each) for each in range(200)]
    with LiveClient(nodes[-1], user.token, receive_bytes=4_096) as client:
        client.ask("subscribe", name(meeting, after=cursor))
        seen = []
        while len(seen) < 200:
            seen += [each["segment_id"] for each in client.next("transcript")["confirmed"]]
    assert sorted(seen, key=int) == [str(each) for each in range(200)]


def test_a_spoilt_feed_silences_no_other(user, node, redis, room):
    meeting, bot = room
    other = BotsUser(Admin(node))
    second = other.play(redis, other.send_bot(), "joining", "active")
    key = WorkspaceKeys(user.workspace_id).feed
    with EventStream(node, "/events", user.token) as mine, EventStream(node, "/events", other.token) as theirs:
        assert mine.next()["type"] == theirs.next()["type"] == "subscribed"
        redis.call("DEL", key)
        redis.call("SET", key, "spoilt")
        for number in range(3):
            say(other, second, segment(str(number), "heard"))
            assert theirs.next("transcript")["confirmed"][0]["segment_id"] == str(number)
        say(user, bot, segment("1", "unheard"))
        assert shown(user, meeting) == {"1": "unheard"}
        redis.call("DEL", key)
        say(user, bot, segment("2", "heard again"))
        assert mine.next("transcript")["confirmed"][0]["text"] == "heard again"


# MARK: Forms


def test_forms_of_a_transcript(user, node, redis, room):
    meeting, bot = room
    say(user, bot, segment("1", "Hello --> there\nall", 1, 2.5), segment("2", "<b>*Fine*</b>", 3, 4, speaker="Ben"),
        segment("3", "later", 3_723.25, 3_724, speaker="Ben"))

    def text(form, headers=None):
        answer = user.request("GET", path(meeting, query=f"?format={form}" if form else ""), headers={**user.headers, **(headers or {})})
        assert answer.status == 200
        return answer.body.decode(), answer.header("Content-Type")

    assert text("txt")[0] == (
        "[00:00:01] Anna: Hello -> there all\n[00:00:03] Ben: <b>*Fine*</b>\n[01:02:03] Ben: later\n")
    assert text("srt")[0].startswith(
        "1\n00:00:01,000 --> 00:00:02,500\nAnna: Hello -> there all\n\n2\n00:00:03,000 --> 00:00:04,000\n")
    vtt, kind = text("vtt")
    assert kind.startswith("text/vtt") and vtt.startswith("WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<v Anna>")
    assert "&lt;b&gt;*Fine*&lt;/b&gt;" in vtt and "01:02:03.250 --> " in vtt
    assert "\\<b\\>\\*Fine\\*" in text("md")[0]
    assert text(None, {"Accept": "text/vtt"})[0] == vtt
    assert text(None, {"Accept": "text/vtt;q=0.5, application/json"})[1] == "application/json"
    assert_bots_error(user.request("GET", path(meeting, query="?format=pdf")), 422, "Invalid request")


# MARK: Bounds


def test_too_many_feeds_of_a_key(servers, redis_server):
    node = servers.node(redis_server, LIVE_FEEDS_PER_KEY=2)
    user = BotsUser(Admin(node))
    with LiveClient(node, user.token) as one, EventStream(node, "/events", user.token) as events:
        one.send({"action": "ping"})
        assert one.next() == {"type": "pong"} and events.next()["type"] == "subscribed"
        with LiveClient(node, user.token) as another:
            assert another.closed()[::2] == (4429, [{"type": "error", "error": "too_many_sockets"}])
        assert_bots_error(user.request("GET", "/events"), 429, "Too many requests")
        other = BotsUser(Admin(node))
        with LiveClient(node, other.token) as theirs:
            theirs.send({"action": "ping"})
            assert theirs.next() == {"type": "pong"}

    def is_free():
        with LiveClient(node, user.token) as client:
            try:
                client.send({"action": "ping"})
                return client.next() == {"type": "pong"}
            except ConnectionClosed:
                return False

    wait_for(is_free, "a place that was given back")


def test_too_many_feeds_of_an_address(servers, redis_server):
    """Whosever the keys are."""
    node = servers.node(redis_server, LIVE_FEEDS_PER_ADDRESS=2)
    first, second = BotsUser(Admin(node)), BotsUser(Admin(node))
    with LiveClient(node, first.token) as one, EventStream(node, "/events", second.token) as events:
        one.send({"action": "ping"})
        assert one.next() == {"type": "pong"} and events.next()["type"] == "subscribed"
        for user in (first, second):
            with LiveClient(node, user.token) as another:
                assert another.closed()[::2] == (4429, [{"type": "error", "error": "too_many_sockets"}])
            assert_bots_error(user.request("GET", "/events"), 429, "Too many requests")


def test_a_subscription_is_a_request_of_the_key(servers, redis_server):
    """Whoever subscribes again and again is told to wait, and keeps what there is."""
    node = servers.node(redis_server, RATE_LIMIT_PER_SECOND=1, RATE_LIMIT_BURST=5)
    user = BotsUser(Admin(node))
    somewhere = {"platform": "google_meet", "native_id": random_meet_code()}
    with LiveClient(node, user.token) as client:
        def answer():
            return client.ask("subscribe", somewhere)
        wait_for(lambda: answer().get("error") == "rate_limited", "the end of its requests", interval_s=0)
        client.send({"action": "ping"})
        assert client.next() == {"type": "pong"}
        wait_for(lambda: answer().get("error") != "rate_limited", "the next request", interval_s=2)


def test_too_many_subscriptions_of_a_socket(user, node, redis, room):
    meeting, _ = room
    names = [name(meeting)] + [{"platform": "google_meet", "native_id": random_meet_code()} for _ in range(100)]
    with LiveClient(node, user.token) as client:
        assert client.ask("subscribe", *names)["error"] == "invalid_subscribe_payload"
        assert client.ask("subscribe", *names[:100])["meetings"] == [name(meeting)]


def test_a_slow_reader_is_closed_and_goes_on(user, node, redis, room):
    """One that takes nothing is cut off, and others see all meanwhile; back again, it goes on where it was."""
    meeting, bot = room
    with LiveClient(node, user.token, receive_bytes=4_096) as slow, LiveClient(node, user.token) as quick:
        for client in (slow, quick):
            client.ask("subscribe", name(meeting))
        seen = set()

        def look():
            while len(seen) < 800:
                seen.update(each["segment_id"] for each in quick.next("transcript")["confirmed"])

        reader = threading.Thread(target=look)
        reader.start()
        # More than the kernel keeps for one that reads nothing.
        for number in range(0, 800, 20):
            say(user, bot, *(segment(str(each), "x" * 15_000, each, each + 1) for each in range(number, number + 20)))
            # The quick one is to stay quick.
            wait_for(lambda: len(seen) >= number + 20, "what the quick one reads")
        reader.join(timeout=60)
        assert len(seen) == 800
        code, _, messages = slow.closed()
        # It may have been cut off before it came to read why.
        assert code in (4408, None)
        cursor = [each["cursor"] for each in messages if "cursor" in each][-1]
    taken = {each["segment_id"] for message in messages for each in message.get("confirmed", [])}
    with LiveClient(node, user.token) as client:
        client.ask("subscribe", name(meeting, after=cursor))
        while len(taken) < 800:
            taken.update(each["segment_id"] for each in client.next("transcript")["confirmed"])


def test_a_node_that_stops_says_so(servers, redis_server):
    node = servers.node(redis_server, DRAIN_DELAY_MS=0)
    user = BotsUser(Admin(node))
    with LiveClient(node, user.token) as client, EventStream(node, "/events", user.token) as events:
        client.send({"action": "ping"})
        assert client.next() == {"type": "pong"} and events.next()["type"] == "subscribed"
        node.signal(signal.SIGTERM)
        assert client.closed()[0] == 1001
        assert events.next() is None
        assert node.wait() == 0


def test_feeds_are_counted(servers, redis_server, redis):
    node = servers.node(redis_server, LIVE_FEEDS_PER_KEY=1)
    user = BotsUser(Admin(node))
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    with LiveClient(node, user.token) as client:
        client.ask("subscribe", name(meeting))
        client.ask("subscribe", name(meeting, after="1-1"))
        assert client.next("reset")
        say(user, bot, segment("1", "one"))
        assert client.next("transcript")
        assert user.request("GET", "/events").status == 429
        scrape = Scrape(node.port)
        # The socket, for statuses, and its subscription.
        assert scrape.value("usher_feed_viewers") == 2
        assert scrape.value("usher_feed_messages_total") == 2 and scrape.value("usher_feed_resets_total") == 1
        assert scrape.value("usher_feeds_refused_total") == 1 and scrape.value("usher_feeds_too_slow_total") == 0
    wait_for(lambda: Scrape(node.port).value("usher_feed_viewers") == 0, "the end of its viewers")
