"""Every code of the Re-invite API's error table, with the raw keys: a refusal changes nothing."""

import pytest

from harness.background import InBackground
from harness.envelope import assert_error
from harness.proxy import is_dispatch_script, is_lock
from harness.waiting import wait_for
from harness.workspace import API, Admin, dump, random_meet_code

# Of a node whose commands a test holds for as long as it looks at something.
HELD = {"REDIS_TIMEOUT_MS": 30_000, "REQUEST_TIMEOUT_MS": 30_000}


@pytest.fixture
def meeting(workspace):
    return workspace.create_meeting()


def reinvite_unchanged(redis, workspace, meeting, *others, **options):
    """The answer to a re-invitation, having proved that it changed nothing."""
    before = dump(redis, workspace, meeting, *others)
    answer = workspace.reinvite(meeting, **options)
    assert dump(redis, workspace, meeting, *others) == before, f"{answer} changed something"
    return answer


# 400, 404 and the status table's last line


@pytest.mark.parametrize("meeting_id", ["0" * 32, "2b342a6e177d4b139638bc16bd312291", "nonsense", "a" * 300])
def test_12100_no_such_meeting(workspace, meeting_id):
    path = f"{workspace.meetings_path}/{meeting_id}/reinvite_bot"
    assert_error(workspace.request("POST", path), 404, 12100, meeting_id=meeting_id)


def test_12101_meeting_of_another_workspace(redis, admin, workspace, meeting):
    other = admin.create_workspace()
    before = dump(redis, workspace, meeting), dump(redis, other, meeting)
    assert_error(other.reinvite(meeting), 400, 12101, meeting_id=meeting.id)
    assert (dump(redis, workspace, meeting), dump(redis, other, meeting)) == before


@pytest.mark.parametrize("url", [
    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context=%7b%7d",
    "https://teams.live.com/meet/9387654321098?p=AbCdEf123",
    "https://us02web.zoom.us/j/12345678901?pwd=QWxhZGRpbg",
])
@pytest.mark.parametrize("status", ["INITIAL", "OFFLINE"])
def test_12102_not_google_meet(redis, workspace, url, status):
    meeting = workspace.create_meeting(url)
    meeting.set(redis, status=status)
    answer = reinvite_unchanged(redis, workspace, meeting, body={"force_restart": True})
    assert_error(answer, 400, 12102, meeting_id=meeting.id)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("status", ["GARBAGE", "", "initial", "LIVE "])
def test_12111_unexpected_status(redis, workspace, meeting, status, force):
    meeting.set(redis, status=status)
    answer = reinvite_unchanged(redis, workspace, meeting, body={"force_restart": force})
    assert_error(answer, 409, 12111, meeting_id=meeting.id)


def test_12111_no_status_at_all(redis, workspace, meeting):
    redis.call("HDEL", meeting.hash_key, "status")
    assert_error(reinvite_unchanged(redis, workspace, meeting), 409, 12111, meeting_id=meeting.id)


# The lock


def test_12108_lock_held(redis, workspace, meeting):
    redis.call("SET", workspace.keys.lock, "a-token-of-someone-else", "PX", 600000)
    answer = reinvite_unchanged(redis, workspace, meeting)
    assert_error(answer, 503, 12108, meeting_id=meeting.id)
    assert int(answer.header("Retry-After")) >= 1
    assert redis.call("GET", workspace.keys.lock) == "a-token-of-someone-else"
    assert redis.call("PTTL", workspace.keys.lock) > 0


def test_a_lock_given_back_within_the_wait_is_no_error(redis_server, servers):
    """A request that finds the lock held tries again for a short while."""
    server = servers.redis()
    proxy = servers.proxy(server)
    workspace = Admin(servers.node(proxy, **HELD)).create_workspace()
    meeting = workspace.create_meeting()
    server.client.call("SET", workspace.keys.lock, "other", "PX", 600000)
    # The first attempt meets the lock; the second one is held, and finds it given back.
    for _ in range(20):
        locks = []
        second = proxy.hold(lambda command, locks=locks: is_lock(command) and (locks.append(1) or len(locks) == 2))
        call = InBackground(lambda: workspace.reinvite(meeting))
        wait_for(lambda: second.has_struck or not call.is_alive(), "a second attempt to take the lock, or an answer")
        if second.has_struck:
            break
        proxy.forget(second)  # The node itself was slower than its wait.
    server.client.call("DEL", workspace.keys.lock)
    second.release()
    assert call.answer.status == 202, call.answer


def test_another_workspaces_lock_does_not_matter(redis, admin, workspace, meeting):
    other = admin.create_workspace()
    redis.call("SET", other.keys.lock, "held", "PX", 600000)
    assert workspace.reinvite(meeting).status == 202


# In flight, and the room


@pytest.mark.parametrize("force", [False, True])
def test_12107_dispatch_in_flight(redis, workspace, meeting, force):
    assert workspace.reinvite(meeting).status == 202
    answer = reinvite_unchanged(redis, workspace, meeting, body={"force_restart": force})
    assert_error(answer, 409, 12107, meeting_id=meeting.id)


def test_12107_ends_when_nothing_claimed_the_bot(servers):
    """"Retry after the in-flight dispatch completes (at most 10 minutes)"; here the ten minutes are a setting."""
    server = servers.redis()
    workspace = Admin(servers.node(server, IN_FLIGHT_TTL_MS=5000)).create_workspace()
    # What it dispatches is looked at for as long as it takes.
    later = servers.node(server)
    meeting = workspace.create_meeting()
    assert workspace.reinvite(meeting).status == 202
    wait_for(lambda: not server.client.call("EXISTS", meeting.in_flight_key), "the in-flight key's expiry")
    first = meeting.fields(server.client)["bot_id"]
    assert workspace.reinvite(meeting, node=later).status == 202
    fields = meeting.fields(server.client)
    assert (fields["epoch"], fields["bot_status"]) == ("2", "requested")
    # The first dispatch is void: its bot is not counted, and no runner can come upon it.
    assert server.client.call("ZRANGE", workspace.keys.bots, 0, -1) == [fields["bot_id"]] != [first]
    assert [entry["bot_id"] for entry in meeting.dispatches(server.client)] == [fields["bot_id"]]


def test_12107_of_another_meeting_ends_too(servers):
    """An expired dispatch of one meeting frees the room for another one."""
    server = servers.redis()
    workspace = Admin(servers.node(server, IN_FLIGHT_TTL_MS=5000)).create_workspace()
    later = servers.node(server)
    first = workspace.create_meeting()
    second = workspace.create_meeting(first.record["meeting_url"])
    assert workspace.reinvite(first).status == 202
    wait_for(lambda: not server.client.call("EXISTS", first.in_flight_key), "the in-flight key's expiry")
    assert workspace.reinvite(second, node=later).status == 202
    assert first.fields(server.client)["bot_status"] == "failed"
    assert server.client.call("GET", second.room_key) == second.id
    assert first.dispatches(server.client) == []


def test_12107_while_a_runner_has_claimed_the_bot(servers):
    """A claimed bot that is not in the room yet keeps the room, whatever became of the in-flight key."""
    server = servers.redis()
    workspace = Admin(servers.node(server)).create_workspace()
    meeting = workspace.create_meeting()
    assert workspace.reinvite(meeting).status == 202
    bot_id = meeting.fields(server.client)["bot_id"]
    server.client.call("HSET", workspace.keys.bot(bot_id), "runner", "a-runner")
    server.client.call("DEL", meeting.in_flight_key)
    answer = reinvite_unchanged(server.client, workspace, meeting)
    assert_error(answer, 409, 12107, meeting_id=meeting.id)


@pytest.fixture
def sharing(workspace):
    """Two meetings of a workspace in one room, by two spellings of its URL."""
    code = random_meet_code()
    return (workspace.create_meeting(f"https://meet.google.com/{code}"),
            workspace.create_meeting(f"HTTPS://Meet.Google.com/{code}/?authuser=1"))


def test_12107_another_meetings_dispatch_in_the_same_room(redis, workspace, sharing):
    first, second = sharing
    assert workspace.reinvite(first).status == 202
    answer = reinvite_unchanged(redis, workspace, second, first)
    assert_error(answer, 409, 12107, meeting_id=second.id, room_meeting_id=first.id)


@pytest.mark.parametrize("status, code", [("LIVE", 12103), ("STOPPING", 12105)])
def test_another_meetings_bot_in_the_same_room(redis, workspace, sharing, status, code):
    first, second = sharing
    assert workspace.reinvite(first).status == 202
    # The bot joined, as a runner's report will write it (docs/architecture.md, "A meeting's state").
    first.set(redis, status=status, bot_status="active" if status == "LIVE" else "stopping")
    redis.call("DEL", first.in_flight_key)
    answer = reinvite_unchanged(redis, workspace, second, first)
    assert_error(answer, 409, code, meeting_id=second.id, room_meeting_id=first.id)


def test_the_same_room_in_another_workspace_is_free(admin, workspace):
    code = random_meet_code()
    other = admin.create_workspace()
    for owner in (workspace, other):
        assert owner.reinvite(owner.create_meeting(f"https://meet.google.com/{code}")).status == 202


# A status that changes between the check and the script


@pytest.fixture
def behind_proxy(request, servers):
    """(Redis, proxy, workspace): a node whose commands a test can hold. The parameter is how long its locks last."""
    server = servers.redis()
    proxy = servers.proxy(server)
    node = servers.node(proxy, LOCK_TTL_MS=getattr(request, "param", 60_000), **HELD)
    return server, proxy, Admin(node).create_workspace()


@pytest.mark.parametrize("force, seen, then, code", [
    # The restart is bound to the OFFLINE that was seen: 12110, whatever came instead.
    (True, "OFFLINE", "LIVE", 12110), (True, "OFFLINE", "STOPPING", 12110), (True, "OFFLINE", "GARBAGE", 12110),
    # Without a restart the table is read again, once (docs/architecture.md, "How one bot stays one bot").
    (False, "INITIAL", "LIVE", 12103), (False, "INITIAL", "ANALYZING", 12105), (False, "INITIAL", "OFFLINE", 12106),
    (True, "INITIAL", "LIVE", 12104),
])
def test_12110_status_changed_meanwhile(behind_proxy, force, seen, then, code):
    server, proxy, workspace = behind_proxy
    redis = server.client
    meeting = workspace.create_meeting()
    meeting.set(redis, status=seen)
    held = proxy.hold(is_dispatch_script)
    call = InBackground(lambda: workspace.reinvite(meeting, {"force_restart": force}))
    held.wait_until_struck("the dispatch script")
    meeting.set(redis, status=then)
    before = dump(redis, workspace, meeting)
    del before[workspace.keys.lock]  # The request's own, which it must give back.
    held.release()
    assert_error(call.answer, 409, code, meeting_id=meeting.id)
    assert dump(redis, workspace, meeting) == before


# Redis


@pytest.mark.parametrize("behind_proxy", [1000], indirect=True)
def test_12109_redis_goes_away_before_the_script(behind_proxy):
    server, proxy, workspace = behind_proxy
    meeting = workspace.create_meeting()
    lost = proxy.lose_command(is_dispatch_script)
    answer = workspace.reinvite(meeting)
    assert lost.has_struck
    assert_error(answer, 500, 12109, meeting_id=meeting.id)
    assert meeting.dispatches(server.client) == []
    # "Safe to retry": once the lock that was taken has run out, the retry goes through.
    def retried():
        answer = workspace.reinvite(meeting)
        assert answer.status in (202, 500, 503), answer
        return answer.status == 202
    wait_for(retried, "a 202 after the lock ran out", interval_s=0.1)
    assert len(meeting.dispatches(server.client)) == 1


def test_every_refusal_names_the_endpoints_own_meeting_only(redis, workspace, meeting):
    """`parameters` of the document's sample holds the meeting's id and nothing else."""
    meeting.set(redis, status="OFFLINE")
    answer = workspace.reinvite(meeting)
    assert answer.json["parameters"] == {"meeting_id": meeting.id}
    assert meeting.id in answer.json["detail"]
    assert "force_restart=true" in answer.json["detail"]


def test_unknown_paths_and_methods_have_the_envelope(workspace, meeting):
    assert_error(workspace.request("GET", f"{API}/nowhere"), 404)
    answer = workspace.request("GET", workspace.reinvite_path(meeting))
    assert_error(answer, 405)
    assert "POST" in answer.header("Allow")
