"""Transcripts through the stream and by HTTP, with bots that the test plays."""

import re
from datetime import datetime

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.transcripts import STREAM, post, read, segment, texts, wait_for_texts, write, write_message
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MEMBERS = {
    "id", "platform", "native_meeting_id", "constructed_meeting_url", "status", "start_time", "end_time", "notes",
    "recordings", "data", "segments", "cursor"}
SEGMENT_MEMBERS = {
    "start", "end", "text", "language", "speaker", "completed", "segment_id", "created_at", "absolute_start_time",
    "absolute_end_time", "session_uid"}


@pytest.fixture
def room(user, redis):
    """A meeting object and its bot, which is in the room."""
    meeting = user.send_bot(language="en")
    return meeting, user.play(redis, meeting, "joining", "active")


def test_the_transcript_object(user, redis, room):
    meeting, bot = room
    empty = read(user, meeting)
    assert set(empty) == MEMBERS
    assert empty["id"] == meeting["id"] and empty["status"] == "active"
    assert empty["segments"] == [] and empty["recordings"] == [] and empty["notes"] is None
    assert empty["data"]["meeting_id"] == meeting["data"]["meeting_id"]
    answer = post(user.node, bot, {"segments": [
        segment("b", "there", 3, 4.5), segment("a", "Hi", 1, 2, language="de", completed=False)]})
    assert answer.status == 200 and answer.json == {"accepted": 2, "changed": 2}
    first, second = read(user, meeting)["segments"]
    assert set(first) == set(second) == SEGMENT_MEMBERS
    assert (first["text"], first["language"], first["completed"], first["speaker"]) == ("Hi", "de", False, "Anna")
    assert (second["segment_id"], second["start"], second["end"]) == ("b", 3, 4.5)
    assert second["language"] == "en" and second["session_uid"] == bot.bot_id
    for name in ("created_at", "absolute_start_time", "absolute_end_time"):
        assert TIME.fullmatch(second[name]), second
    assert first["absolute_start_time"] < second["absolute_start_time"] < second["absolute_end_time"]
    bot.tell(user.node, "completed", completion_reason="left_alone")
    over = read(user, meeting)
    assert over["status"] == "completed" and TIME.fullmatch(over["end_time"])
    assert over["data"]["participants"] == ["Anna"] and sorted(over["data"]["languages"]) == ["de", "en"]
    assert over["segments"] == [first, second]


def test_the_stream(user, redis, nodes, room):
    """Drafts, confirmed forms and a retraction; every node shows the same."""
    meeting, bot = room
    write_message(redis, {
        "type": "session_start", "session_uid": bot.bot_id, "meeting_id": meeting["id"], "platform": "google_meet",
        "start_time": "2026-01-01T00:00:00Z"})
    write(redis, meeting, segment("1", "Hel", completed=False), segment("2", "mistake", 5, 6))
    wait_for_texts(user, meeting, ["Hel", "mistake"])
    write(redis, meeting, segment("1", "Hello"))
    write_message(redis, {"type": "transcript_retract", "meeting_id": meeting["id"], "segment_ids": ["2"]})
    wait_for_texts(user, meeting, ["Hello"])
    write_message(redis, {"type": "session_end", "session_uid": bot.bot_id})
    assert all(texts(user, meeting, node=node) == ["Hello"] for node in nodes)


def test_what_todays_bots_send(user, redis, room):
    """Seconds since 1970, the meeting's number as digits, a line of the chat, and what rides along."""
    meeting, bot = room
    began = int(user.fields(redis, meeting)["start_time"]) / 1_000
    words = [{"word": "Hi", "start": began + 1, "end": began + 1.5, "probability": 0.5}]
    write(redis, meeting, segment("a", "Hi", began + 1, began + 2.5, confidence=0.75, source="caption",
                                  speaker_key="k", words=words), meeting_id=str(meeting["id"]))
    post(user.node, bot, {"meeting_id": str(meeting["id"]), "segments": [
        segment("b", "a link", began + 3, began + 3, source="chat")]})
    wait_for_texts(user, meeting, ["Hi", "a link"])
    first, second = read(user, meeting)["segments"]
    assert set(first) == SEGMENT_MEMBERS | {"confidence", "source", "speaker_key", "words"}
    assert (first["start"], first["end"], second["start"], second["end"]) == (1, 2.5, 3, 3)
    assert (first["confidence"], first["source"], first["speaker_key"]) == (0.75, "caption", "k")
    assert first["words"] == [{"word": "Hi", "start": 1, "end": 1.5, "probability": 0.5}]
    assert second["source"] == "chat"
    for each in (first, second):
        absolute = datetime.fromisoformat(each["absolute_start_time"]).timestamp()
        assert abs(absolute - began - each["start"]) < 0.001


def test_texts_that_were_cut_inside_an_emoji(user, redis, room):
    """As Node.js writes them: a half of a surrogate pair, which is no text, and no reason to lose the others."""
    meeting, bot = room
    write(redis, meeting, segment("1", "whole"), segment("2", "cut \ud83d"))
    wait_for_texts(user, meeting, ["whole", "cut \ufffd"])
    assert post(user.node, bot, {"segments": [segment("3", "\ude00 cut", 5, 6)]}).status == 200
    bot.tell(user.node, "failed", completion_reason="evicted", error_details="cut \ud83d", bot_logs=["cut \ud83d"])
    shown = user.meeting(meeting)
    assert (shown["completion_reason"], shown["data"]["error_details"]) == ("evicted", "cut \ufffd")
    assert texts(user, meeting) == ["whole", "cut \ufffd", "\ufffd cut"]


def test_poison_in_the_stream(user, redis, room):
    """What is too much is buried by its size, without any node reading it; others' segments flow meanwhile."""
    meeting, _ = room
    peak = user.node.peak_memory
    before = int(redis.call("GET", "usher:dead_letters:count") or 0)
    flood = '{"type":"transcription","meeting_id":%d,"segments":[%s]}' % (
        meeting["id"], ",".join(["0"] * 2_500_000))
    deep = '{"type":"transcription","meeting_id":%d,"segments":%s%s}' % (meeting["id"], "[" * 400_000, "]" * 400_000)
    many = '{"type":"transcription","meeting_id":%d,"segments":[%s]}' % (meeting["id"], ",".join(["0"] * 500_000))
    entries = []
    for number in range(4):
        for payload in (flood, deep, many):
            entries.append(redis.call("XADD", STREAM, "*", "payload", payload))
        write(redis, meeting, segment(str(number), str(number), number))
    wait_for_texts(user, meeting, ["0", "1", "2", "3"])
    wait_for(lambda: int(redis.call("GET", "usher:dead_letters:count")) == before + len(entries), "the dead letters")
    wait_for(lambda: redis.call("XLEN", STREAM) == redis.call("XPENDING", STREAM, "usher")[0]
             == redis.call("EXISTS", "usher:{transcription_segments}:attempts") == 0, "the last XDEL")
    letters = [fields for _, fields in redis.stream("usher:dead_letters") if fields["entry"] in entries]
    assert len(letters) == len(entries) and max(len(letter["payload"]) for letter in letters) == 4_096
    assert {letter["reason"].partition(":")[0] for letter in letters} == {
        f"must have at most 1048576 bytes, and has {len(flood)}", "must have at most 32 levels",
        "must have at most 50000 values"}
    # Of 5 MB each, and ten times as much decoded.
    assert user.node.peak_memory - peak < 32 << 20


def test_a_new_language_holds_for_the_next_segment(user, redis, room):
    meeting, bot = room
    post(user.node, bot, {"segments": [segment("1", "one", 1, 2)]})
    assert user.request("PUT", f"{user.bot_path(meeting)}/config", {"language": "es"}).status == 202
    post(user.node, bot, {"segments": [segment("2", "dos", 2, 3)]})
    assert [each["language"] for each in read(user, meeting)["segments"]] == ["en", "es"]


def test_who_may_write(user, redis, room):
    meeting, bot = room
    other = user.send_bot()
    other_bot = user.play(redis, other, "joining", "active")
    body = {"segments": [segment("1", "mine")]}
    for secret in ("", "x", other_bot.secret, bot.secret + "0"):
        assert_bots_error(post(user.node, bot, body, secret=secret), 401, "Unauthorized")
    answer = user.node.request("POST", f"/internal/bots/{bot.bot_id}/segments", body=body)
    assert_bots_error(answer, 401, "Unauthorized")
    # A bot can't write into another's meeting either.
    answer = post(user.node, bot, {"type": "transcription", "meeting_id": other["id"], **body})
    assert_bots_error(answer, 422, "Invalid request", "meeting_id")
    assert texts(user, meeting) == texts(user, other) == []


@pytest.mark.parametrize("body, field", [
    ([], "body"), ({}, "segments"), ({"segments": 7}, "segments"), ({"segments": [7]}, "segments[0]"),
    ({"segments": [segment("1", "x"), {**segment("2", "x"), "start": "1"}]}, "segments[1].start"),
    ({"segments": [segment("", "x")]}, "segments[0].segment_id"),
    ({"segments": [segment("1", "x" * 20_001)]}, "segments[0].text"),
    ({"segments": [segment("1", "x")] * 1_001}, "segments"),
    ({"type": "greeting"}, "type"), ({"type": "transcript_retract", "segment_ids": "1"}, "segment_ids"),
    ({"meeting_id": "x", "segments": []}, "meeting_id"),
    ({"segments": [segment("1", "x", 1.0, 1795864694.5)]}, "segments[0].end"),
    ({"segments": [0] * 200_000}, "body"),
])
def test_what_is_malformed_is_refused_as_a_whole(user, room, body, field):
    meeting, bot = room
    answer = post(user.node, bot, body)
    assert_bots_error(answer, 422, "Invalid request", field + " ")
    assert texts(user, meeting) == []


def test_what_is_sent_again_changes_nothing(user, redis, room):
    meeting, bot = room
    body = {"segments": [segment("1", "one"), segment("2", "two", completed=False)]}
    assert post(user.node, bot, body).json == {"accepted": 2, "changed": 2}
    key = user.keys.meeting(meeting["data"]["meeting_id"]) + ":segments"
    before = redis.hash(key)
    assert post(user.node, bot, body).json == {"accepted": 2, "changed": 0}
    assert redis.hash(key) == before
    retraction = {"type": "transcript_retract", "meeting_id": meeting["id"], "segment_ids": ["1"]}
    assert post(user.node, bot, retraction).json == {"accepted": 1, "changed": 1}
    assert texts(user, meeting) == ["two"]


def test_late_segments_are_taken_and_collected(user, redis, room):
    meeting, bot = room
    bot.tell(user.node, "completed", completion_reason="left_alone")
    assert user.meeting(meeting)["data"]["participants"] == []
    assert post(user.node, bot, {"segments": [segment("1", "bye", speaker="Bo")]}).json["changed"] == 1
    assert texts(user, meeting) == ["bye"]
    wait_for(lambda: user.meeting(meeting)["data"]["participants"] == ["Bo"], "the record's next collection")


def test_a_restart_keeps_the_earlier_transcript(user, redis, room):
    meeting, bot = room
    post(user.node, bot, {"segments": [segment("1", "first")]})
    bot.tell(user.node, "completed", completion_reason="left_alone")
    assert user.reinvite(meeting, {"force_restart": True}).status == 202
    again = user.play(redis, meeting, "joining", "active")
    assert post(user.node, again, {"segments": [segment("1", "second")]}).json["changed"] == 1
    segments = read(user, meeting)["segments"]
    assert [each["text"] for each in segments] == ["first", "second"]
    assert [each["session_uid"] for each in segments] == [bot.bot_id, again.bot_id]


def test_which_meeting_of_the_room(user, redis):
    code = random_meet_code()
    first = user.send_bot(code)
    bot = user.play(redis, first, "joining", "active")
    post(user.node, bot, {"segments": [segment("1", "first")]})
    bot.tell(user.node, "completed", completion_reason="left_alone")
    second = user.send_bot(code)
    other = user.play(redis, second, "joining", "active")
    post(user.node, other, {"segments": [segment("1", "second")]})
    assert second["id"] != first["id"]
    assert texts(user, first) == ["second"]
    assert texts(user, first, query=f"?meeting_id={first['id']}") == ["first"]
    by_number = f"/transcripts/by-id/{first['id']}"
    assert user.request("GET", by_number).json == read(user, first, query=f"?meeting_id={first['id']}")
    assert user.request("GET", f"{by_number}?format=txt").body.decode().endswith("Anna: first\n")


def test_who_may_read(user, admin, room):
    meeting, bot = room
    path = f"/transcripts/google_meet/{meeting['native_meeting_id']}"
    assert_bots_error(user.request("GET", path, headers={}), 401, "Unauthorized")
    stranger = BotsUser(admin)
    assert_bots_error(stranger.request("GET", path), 404, "Meeting not found")
    assert_bots_error(stranger.request("GET", f"{path}?meeting_id={meeting['id']}"), 404, "Meeting not found")
    assert_bots_error(user.request("GET", f"{path}?meeting_id=x"), 422, "Invalid request", "meeting_id")
    assert_bots_error(user.request("GET", "/transcripts/google_meet/xxx-xxxx-xxx"), 404, "Meeting not found")
    assert_bots_error(user.request("GET", "/transcripts/phone/1"), 422, "Invalid request", "platform")
    by_number = f"/transcripts/by-id/{meeting['id']}"
    assert user.request("GET", by_number).status == 200
    assert_bots_error(user.request("GET", by_number, headers={}), 401, "Unauthorized")
    for who, path in ((stranger, by_number), (user, "/transcripts/by-id/x"), (user, f"/transcripts/by-id/{10**15}")):
        assert_bots_error(who.request("GET", path), 404, "Meeting not found")
    assert_bots_error(user.request("GET", f"{by_number}?limit=0"), 422, "Invalid request", "limit")
    assert_bots_error(user.request("GET", f"{by_number}?since=1"), 422, "Invalid request", "since")


def test_what_cannot_be_used_is_kept_apart(user, redis, room):
    meeting, _ = room
    count = lambda: int(redis.call("GET", "usher:dead_letters:count") or 0)
    before = count()
    wrong = segment("1", "wrong")
    del wrong["start"]
    entry = write(redis, meeting, segment("2", "right"), wrong)
    unknown = write(redis, {**meeting, "id": 10**15}, segment("1", "nowhere"))
    wait_for(lambda: count() >= before + 2, "the count of dead letters")
    letters = {fields["entry"]: fields["reason"] for _, fields in redis.stream("usher:dead_letters")}
    assert letters[entry] == "segments[1].start is missing"
    assert letters[unknown] == f"unknown meeting {10**15}"
    wait_for_texts(user, meeting, ["right"])


def test_a_deleted_transcript_does_not_come_back(user, redis, room):
    meeting, bot = room
    post(user.node, bot, {"segments": [segment("1", "private")]})
    bot.tell(user.node, "completed", completion_reason="left_alone")
    assert user.request("DELETE", user.meeting_path(meeting)).status == 200
    assert texts(user, meeting) == []
    assert post(user.node, bot, {"segments": [segment("2", "late")]}).json == {"accepted": 0, "changed": 0}
    assert texts(user, meeting) == []


def test_a_node_killed_in_the_middle_of_it(servers):
    """Whatever was acknowledged, by the stream or by HTTP, is readable; what the dead node had read is taken over."""
    server = servers.redis()
    redis = server.client
    proxy = servers.proxy(server)
    nodes = [servers.node(proxy), servers.node(server)]
    user = BotsUser(Admin(nodes[1]))
    meeting = user.send_bot()
    bot = user.play(redis, meeting, "joining", "active")
    acknowledged = []
    held = None

    def say(number):
        name = f"stream-{number:03}"
        write(redis, meeting, segment(name, name, number))
        acknowledged.append(name)
        name = f"http-{number:03}"
        node = nodes[1] if held else nodes[number % 2]
        assert post(node, bot, {"segments": [segment(name, name, number)]}).status == 200
        acknowledged.append(name)

    for number in range(100):
        say(number)

    # What is held is sent by a node that has entries in its hands, and before it has stored what they say.
    held = proxy.hold(lambda command: command[0].upper() == b"HDEL" and command[1].endswith(b":attempts"))
    for number in range(100, 10_000):
        if held.has_struck:
            break
        say(number)
    assert redis.call("XLEN", STREAM) > 0
    nodes[0].kill()
    held.release()
    for number in range(10_000, 10_080):
        say(number)
    wait_for(lambda: sorted(texts(user, meeting)) == sorted(acknowledged), "the whole transcript", deadline_s=120,
             interval_s=0.2)
    assert redis.call("EXISTS", "usher:dead_letters") == 0
    # Entries are acknowledged after they are stored, so the last of them may be readable a moment earlier.
    wait_for(lambda: redis.call("XPENDING", STREAM, "usher")[0] == redis.call("XLEN", STREAM) == 0, "the last XDEL")


def test_retention(servers):
    """A meeting that ended is removed by the sweep when its time is over; one that runs is not."""
    server = servers.redis()
    user = BotsUser(Admin(servers.node(server, RETENTION_MS=1)))
    meeting, running = user.send_bot(), user.send_bot()
    bot = user.play(server.client, meeting, "joining", "active")
    user.play(server.client, running, "joining", "active")
    assert post(user.node, bot, {"segments": [segment("1", "x")]}).status == 200
    bot.tell(user.node, "completed", completion_reason="left_alone")
    path = f"/meetings/{meeting['id']}"
    wait_for(lambda: user.request("GET", path).status == 404, "the removal of the meeting")
    assert_bots_error(user.request("GET", f"/transcripts/google_meet/{meeting['native_meeting_id']}"), 404,
                      "Meeting not found")
    wait_for(lambda: not server.client.scan(f"*{meeting['data']['meeting_id']}*"), "the removal of its keys")
    assert [each["id"] for each in user.request("GET", "/meetings").json["meetings"]] == [running["id"]]
