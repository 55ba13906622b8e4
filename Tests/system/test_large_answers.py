"""Answers that are large, or made from much: bounded in bytes, written in pieces, and shared out fairly."""

import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.bots_user import BotsUser
from harness.http_client import request_bytes
from harness.records import add_meetings, add_segments
from harness.transcripts import read
from harness.waiting import wait_for
from harness.workspace import API, Admin

PAGE_BYTES = 1_048_576


def walk(user, path, between=lambda: None):
    """The pages of a list, by its cursors."""
    pages, cursor = [], ""
    while cursor is not None:
        answer = user.request("GET", f"{path}{'&' if '?' in path else '?'}limit=100{cursor and '&cursor=' + cursor}")
        assert answer.status == 200, answer
        page = answer.json
        # The last record, and the batch that it came with, may go beyond.
        assert len(answer.body) < PAGE_BYTES + 300_000
        assert page["has_more"] == (page["next_cursor"] is not None)
        pages.append(page["meetings"])
        cursor = page["next_cursor"]
        between()
    return pages


@pytest.fixture(params=["bots", "meetings", "reinvite"])
def list_path(request, user):
    return f"{API}/{user.workspace_id}/meetings" if request.param == "reinvite" else f"/{request.param}"


def test_a_page_ends_before_it_has_too_many_bytes(user, redis):
    add_meetings(redis, user.keys, 60, notes="n" * 60_000, bot_status="failed", status="OFFLINE")
    made = [61]

    def make():
        add_meetings(redis, user.keys, 1, first=made[0])
        made[0] += 1

    pages = walk(user, "/meetings", make)
    assert [meeting["id"] for page in pages for meeting in page] == list(range(60, 0, -1))
    assert 3 <= len(pages) <= 8 and all(page for page in pages)
    # Who goes on by offsets, as before there were cursors, misses none either.
    first = user.request("GET", "/meetings?status=failed").json
    rest = user.request("GET", f"/meetings?status=failed&offset={len(first['meetings'])}").json
    assert first["has_more"] and rest["meetings"][0]["id"] == first["meetings"][-1]["id"] - 1


def test_cursors_lead_over_each_meeting_once(user, redis, list_path):
    add_meetings(redis, user.keys, 250)
    numbers = [meeting.get("number", meeting.get("id")) for page in walk(user, list_path) for meeting in page]
    assert numbers == list(range(250, 0, -1))


def test_what_few_meetings_have_is_found_by_cursors(user, redis):
    """Each answer looks at 2,000 meetings at most."""
    add_meetings(redis, user.keys, 2, bot_status="failed", status="OFFLINE")
    add_meetings(redis, user.keys, 2_500, first=3, bot_status="completed", status="OFFLINE")
    pages = walk(user, "/meetings?status=failed")
    assert [[meeting["id"] for meeting in page] for page in pages] == [[], [2, 1]]


def test_planned_meetings_can_be_left_out(user, redis):
    add_meetings(redis, user.keys, 3)
    add_meetings(redis, user.keys, 2, first=4, bot_status="failed", status="OFFLINE")
    for path in ("/bots", "/meetings"):
        for value, wanted in [("true", [5, 4]), ("True", [5, 4]), ("false", [5, 4, 3, 2, 1])]:
            page = user.request("GET", f"{path}?exclude_planned={value}").json
            assert [meeting["id"] for meeting in page["meetings"]] == wanted
        assert user.request("GET", f"{path}?exclude_planned=maybe").status == 422


def test_a_cursor_that_is_none_is_refused(user, list_path):
    for query in ("cursor=", "cursor=x", "cursor=-1", "cursor=1&offset=1"):
        answer = user.request("GET", f"{list_path}?{query}")
        assert answer.status == 422, (query, answer)


@pytest.fixture
def long_transcript(user, redis):
    meeting = user.send_bot()
    add_segments(redis, user.keys, meeting["data"]["meeting_id"], 5_000, "x" * 200)
    return meeting


def test_a_long_transcript_comes_whole_and_in_order(user, long_transcript):
    path = f"/transcripts/google_meet/{long_transcript['native_meeting_id']}"
    answer = user.request("GET", path)
    assert answer.status == 200 and answer.header("Transfer-Encoding") == "chunked"
    transcript = answer.json
    assert transcript["id"] == long_transcript["id"] and transcript["data"]["meeting_id"]
    assert [segment["segment_id"] for segment in transcript["segments"]] == [str(number) for number in range(5_000)]
    for query, wanted in [
            ("?limit=3", ["0", "1", "2"]), ("?offset=4998", ["4998", "4999"]), ("?offset=10&limit=1", ["10"]),
            ("?offset=5000", [])]:
        part = read(user, long_transcript, query=query)
        assert [segment["segment_id"] for segment in part["segments"]] == wanted
    for query in ("?limit=0", "?limit=x", "?offset=-1"):
        assert user.request("GET", path + query).status == 422


def test_a_short_transcript_has_a_length(user, redis):
    meeting = user.send_bot()
    add_segments(redis, user.keys, meeting["data"]["meeting_id"], 10, "short")
    answer = user.request("GET", f"/transcripts/google_meet/{meeting['native_meeting_id']}?offset=2&limit=3")
    assert answer.header("Content-Length") == str(len(answer.body))
    assert [segment["segment_id"] for segment in answer.json["segments"]] == ["2", "3", "4"]


def peak_bytes(node):
    """The most memory that the process has had."""
    with open(f"/proc/{node.pid}/status") as file:
        line = next(line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def test_many_large_answers_at_once_stay_within_bounds(servers, redis_server):
    """What they hold is shared out: another workspace has its answer meanwhile, and the process stays small."""
    node = servers.node(redis_server, ANSWER_MEMORY_BYTES=12 << 20, REQUEST_TIMEOUT_MS=60_000)
    redis = redis_server.client
    admin = Admin(node)
    greedy, modest = BotsUser(admin), BotsUser(admin)
    # Larger than they can become any more, as an earlier version let them be.
    add_meetings(redis, greedy.keys, 400, notes="n" * 60_000, participants='["%s"]' % ("p" * 60_000))
    add_meetings(redis, modest.keys, 30, notes="n" * 10_000)
    meeting = greedy.send_bot()
    add_segments(redis, greedy.keys, meeting["data"]["meeting_id"], 20_000, "x" * 500)
    before = peak_bytes(node)

    def ask(number):
        path = "/meetings" if number % 2 else f"/transcripts/google_meet/{meeting['native_meeting_id']}"
        while True:
            answer = greedy.request("GET", path)
            # Its turn may not come in time: then it is asked for again.
            if answer.status != 503:
                return answer

    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(ask, number) for number in range(24)]
        for _ in range(5):
            assert len(modest.request("GET", "/meetings").json["meetings"]) == 30
        for number, answer in enumerate(answers):
            assert answer.result().status == 200, answer.result()
            if number % 2 == 0:
                assert len(answer.result().json["segments"]) == 20_000
    grown = peak_bytes(node) - before
    assert grown < 100 << 20, f"the node grew by {grown >> 20} MiB"


def test_a_large_answer_whose_turn_does_not_come_is_refused(servers, redis_server):
    """By clients that read nothing; small answers never wait."""
    node = servers.node(redis_server, ANSWER_MEMORY_BYTES=4 << 20, REQUEST_TIMEOUT_MS=10_000)
    user = BotsUser(Admin(node))
    add_meetings(redis_server.client, user.keys, 60, notes="n" * 30_000)
    readers = []
    try:
        for _ in range(2):
            reader = socket.socket()
            readers.append(reader)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            reader.connect(("127.0.0.1", node.port))
            for _ in range(8):
                reader.sendall(request_bytes("GET", "/meetings", headers=user.headers))

        def refused():
            answer = user.request("GET", "/meetings")
            return answer if answer.status == 503 and "large answers" in answer.json["detail"] else None

        answer = wait_for(refused, "a large answer that is refused")
        assert answer.header("Retry-After") == "2"
        assert user.request("GET", "/meetings?limit=2").status == 200
    finally:
        for reader in readers:
            # Resets, rather than wait for what nobody reads.
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reader.close()
    wait_for(lambda: user.request("GET", "/meetings").status == 200, "a large answer once they are gone")
