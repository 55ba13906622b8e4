"""Requests with an `Idempotency-Key`: sent again, they get the first one's answer, on any node, and do nothing twice."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.workspace import Admin, dump, random_meet_code


class Keyed:
    """A workspace on several nodes, whose requests carry a key."""

    def __init__(self, redis, nodes):
        self.redis = redis
        self.nodes = nodes
        admin = Admin(nodes[0])
        self.workspace = admin.create_workspace()
        self.workspace.key = admin.create_key(
            self.workspace.id, self.workspace.owner["id"], scopes=("seameet", "bots"))["key"]

    def request(self, method, path, body=None, key=None, node=0):
        headers = {**self.workspace.headers(), **({} if key is None else {"Idempotency-Key": key})}
        return self.nodes[node].request(method, path, body=body or {}, headers=headers)

    def reinvite(self, meeting, key, node=0, **body):
        return self.request("POST", self.workspace.reinvite_path(meeting), body, key, node)

    def send(self, room, key, node=0):
        return self.request("POST", "/bots", {"platform": "google_meet", "native_meeting_id": room}, key, node)

    def stop(self, room, key, node=0):
        return self.request("DELETE", f"/bots/google_meet/{room}", None, key, node)


@pytest.fixture
def keyed(redis, nodes):
    return Keyed(redis, nodes)


def new_key():
    return str(uuid.uuid4())


def test_a_dispatch_is_answered_again_to_the_letter(keyed):
    workspace, key = keyed.workspace, new_key()
    meeting = workspace.create_meeting()
    first = keyed.reinvite(meeting, key)
    assert first.status == 202
    meeting.set(keyed.redis, status="LIVE", bot_status="active")
    before = dump(keyed.redis, workspace, meeting)
    for node in (0, 1):
        again = keyed.reinvite(meeting, key, node)
        assert (again.status, again.body) == (202, first.body)
    assert dump(keyed.redis, workspace, meeting) == before
    assert keyed.reinvite(meeting, new_key()).json["code"] == 12103
    assert len(meeting.dispatches(keyed.redis)) == 1


def test_a_restart_is_answered_again_to_the_letter(keyed):
    meeting, key = keyed.workspace.create_meeting(), new_key()
    meeting.set(keyed.redis, status="OFFLINE")
    refused = keyed.reinvite(meeting, key)
    assert refused.json["code"] == 12106
    first = keyed.reinvite(meeting, key, force_restart=True)
    assert first.json["action"] == "restarted"
    meeting.set(keyed.redis, status="OFFLINE")
    again = keyed.reinvite(meeting, key, 1, force_restart=True)
    assert (again.status, again.body) == (202, first.body)
    assert len(meeting.dispatches(keyed.redis)) == 1


def test_of_requests_that_race_with_one_key_all_are_answered_alike(keyed):
    for _ in range(20):
        room, key = random_meet_code(), new_key()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: keyed.send(room, key, number % 2), range(8)))
        assert {answer.status for answer in answers} == {201}
        assert len({answer.json["id"] for answer in answers}) == 1
        entries = keyed.redis.stream(keyed.workspace.keys.dispatch)
        assert sum(fields["room"].endswith(room) for _, fields in entries) == 1


def test_a_stop_that_comes_late_does_not_meet_the_next_bot(keyed):
    room, key = random_meet_code(), new_key()
    keyed.send(room, new_key())
    first = keyed.stop(room, key)
    assert first.status == 202
    second_bot = keyed.send(room, new_key())
    assert second_bot.status == 201
    late = keyed.stop(room, key, 1)
    assert (late.status, late.body) == (202, first.body)
    assert keyed.send(room, new_key()).status == 409, "the second bot is gone"
    assert keyed.stop(room, new_key()).status == 202


def test_a_meeting_is_made_once(keyed):
    workspace, key = keyed.workspace, new_key()
    body = {"meeting_url": f"https://meet.google.com/{random_meet_code()}"}
    first = keyed.request("POST", workspace.meetings_path, body, key)
    again = keyed.request("POST", workspace.meetings_path, body, key, 1)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    listed = keyed.request("GET", workspace.meetings_path).json["meetings"]
    assert [meeting["meeting_id"] for meeting in listed] == [first.json["meeting_id"]]


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "\xe4"])
def test_a_key_that_cannot_be_used_is_refused_and_changes_nothing(keyed, key):
    workspace = keyed.workspace
    meeting, room = workspace.create_meeting(), random_meet_code()
    before = dump(keyed.redis, workspace, meeting)
    answers = [
        keyed.reinvite(meeting, key), keyed.send(room, key), keyed.stop(room, key),
        keyed.request("POST", workspace.meetings_path, {"meeting_url": f"https://meet.google.com/{room}"}, key)]
    for answer in answers:
        assert answer.status == 422 and "Idempotency-Key" in answer.json["detail"], answer
    assert dump(keyed.redis, workspace, meeting) == before
