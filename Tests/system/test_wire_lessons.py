"""What users of the Bots API ran into elsewhere, and must not run into here."""

import pytest

from harness.bots_user import BotsUser
from harness.burst import Burst
from harness.envelope import assert_bots_error, assert_error
from harness.http_client import Connection
from harness.keys import meeting_owner
from harness.played_bot import PlayedBot
from harness.workspace import Admin, random_meet_code

PARALLEL = 10
ROUNDS = 50


@pytest.fixture
def burst(nodes):
    burst = Burst(nodes, PARALLEL)
    yield burst
    burst.close()


def statuses(answers):
    return sorted(answer.status for answer in answers)


def new_bot(code=None):
    return {"platform": "google_meet", "native_meeting_id": code or random_meet_code()}


def everything(redis):
    """All that Redis holds, but for the counter that gives out numbers, of which a refused request may use one up, for
    the buckets of the rate limits, which refused requests are for, and for the nodes' heartbeats."""
    return {key: redis.value(key) for key in redis.scan("*")
            if key != "usher:seq:meeting" and not key.startswith(("usher:rate:", "usher:{nodes}"))}


def test_parallel_requests_for_one_meeting_make_one_bot(admin, redis, burst):
    """Elsewhere: up to four 201s for ten requests, and as many bots in the room."""
    user = BotsUser(admin, max_concurrent_bots=ROUNDS)
    for number in range(ROUNDS):
        body = new_bot()
        answers = burst.send([user.bytes("POST", "/bots", body)] * PARALLEL)
        assert statuses(answers) == [201] + [409] * (PARALLEL - 1), answers
        (accepted,) = [answer.json for answer in answers if answer.status == 201]
        for answer in answers:
            if answer.status == 409:
                assert_bots_error(answer, 409, "Bot already in meeting", names=f"meeting {accepted['id']}")
                assert answer.json["meeting_id"] == accepted["id"]
        assert redis.call("ZCARD", user.keys.bots) == number + 1
        assert redis.call("ZCARD", user.keys.meetings) == number + 1
    mine = [fields for _, fields in redis.stream(user.keys.dispatch) if fields["workspace_id"] == user.workspace_id]
    assert len(mine) == ROUNDS


def test_the_limit_holds_under_concurrency(admin, redis, burst):
    """Elsewhere: the limit was read, then acted on, so that two requests passed a limit of one. And the same limit
    answered 429 or 403 depending on the moment."""
    user = BotsUser(admin, max_concurrent_bots=1)
    for _ in range(10):
        answers = burst.send([user.bytes("POST", "/bots", new_bot()) for _ in range(PARALLEL)])
        assert statuses(answers) == [201] + [429] * (PARALLEL - 1), answers
        for answer in answers:
            if answer.status == 429:
                assert_bots_error(answer, 429, "Too many concurrent bots", names="1")
                assert int(answer.header("Retry-After")) > 0
        assert redis.call("ZCARD", user.keys.bots) == 1
        (accepted,) = [answer.json for answer in answers if answer.status == 201]
        assert user.request("DELETE", user.bot_path(accepted)).status == 202


def test_a_request_refused_by_the_limit_leaves_nothing_behind(servers):
    """Elsewhere: such a meeting was stuck in "requested" for ever."""
    redis = servers.redis()
    node = servers.node(redis)
    user = BotsUser(Admin(node), max_concurrent_bots=1)
    user.send_bot()
    before = everything(redis.client)
    burst = Burst([node], PARALLEL)
    answers = burst.send([user.bytes("POST", "/bots", new_bot()) for _ in range(PARALLEL)])
    burst.close()
    assert statuses(answers) == [429] * PARALLEL
    assert everything(redis.client) == before


def test_a_request_that_loses_the_race_leaves_nothing_behind(servers):
    """Not even what it wrote ahead, before the script refused it."""
    redis = servers.redis()
    nodes = [servers.node(redis) for _ in range(2)]
    user = BotsUser(Admin(nodes[0]), max_concurrent_bots=1000)
    burst = Burst(nodes, PARALLEL)
    for _ in range(20):
        burst.send([user.bytes("POST", "/bots", new_bot(code))
                    for code in (random_meet_code(), random_meet_code()) for _ in range(PARALLEL // 2)])
    burst.close()
    ids = redis.client.call("ZRANGE", user.keys.meetings, 0, -1)
    assert len(ids) == 40
    assert redis.client.scan("usher:meeting:*") == sorted(meeting_owner(meeting_id) for meeting_id in ids)
    assert len(redis.client.scan("usher:number:*")) == len(ids)
    assert len(redis.client.scan("usher:{*}:bot:*")) == len(ids)


STAGES = {
    "requested": None,
    "claimed": [],
    "joining": ["joining"],
    "awaiting_admission": ["joining", "awaiting_admission"],
    "needs_help": ["joining", "awaiting_admission", "needs_help"],
    "active": ["joining", "active"],
}


def agree(user, meeting, is_active):
    """POST's 409, DELETE's 404, the list and the Re-invite API say the same about a room."""
    running = [bot["meeting_id"] for bot in user.running()]
    again = user.request("POST", "/bots", new_bot(meeting["native_meeting_id"]))
    reinvited = user.reinvite(meeting)
    if is_active:
        assert meeting["id"] in running
        assert_bots_error(again, 409, "Bot already in meeting")
        assert reinvited.status == 409 and reinvited.code in (12103, 12105, 12107), reinvited
    else:
        assert meeting["id"] not in running
        assert again.status == 201, again
        assert again.json["id"] != meeting["id"]


@pytest.mark.parametrize("stage", STAGES)
def test_409_and_404_agree(user, redis, stage):
    """Elsewhere: POST said "already active" while DELETE said "not found"."""
    meeting = user.send_bot()
    bot = None if STAGES[stage] is None else user.play(redis, meeting, *STAGES[stage])
    agree(user, meeting, True)
    assert user.request("DELETE", user.bot_path(meeting)).status == 202
    if bot is not None:
        agree(user, meeting, True)
        bot.tell(user.node, "completed")
    assert_bots_error(user.request("DELETE", user.bot_path(meeting)), 404, "Bot not found")
    assert user.meeting(meeting)["status"] == "completed"
    agree(user, meeting, False)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stop_is_never_lost(user, redis, stage):
    """Elsewhere: a stop while the bot was starting was lost, and the bot joined later. Whatever the bot says after it,
    it never gets into the room, and the meeting ends as completed."""
    meeting = user.send_bot()
    bot = None if STAGES[stage] is None else user.play(redis, meeting, *STAGES[stage])
    first = user.request("DELETE", user.bot_path(meeting))
    assert first.status == 202 and first.json["message"]
    if bot is None:
        # No runner gets it any more, not even one that has read the entry already.
        entries = [fields for _, fields in redis.stream(user.keys.dispatch)
                   if fields["meeting_id"] == meeting["data"]["meeting_id"]]
        assert entries == []
    else:
        assert redis.hash(user.keys.bot(bot.bot_id))["desired"] == "leave"
        assert user.meeting(meeting)["status"] == "stopping"
        for status in ("joining", "awaiting_admission", "needs_help", "active"):
            answer = bot.report(user.node, status)
            # What it had said before changes nothing either.
            assert answer.status == 409 or STAGES[stage][-1:] == [status], answer
        assert user.meeting(meeting)["status"] == "stopping"
        assert user.request("DELETE", user.bot_path(meeting)).status == 202
        bot.tell(user.node, "failed", completion_reason="join_failure", exit_code=1)
    ended = user.meeting(meeting)
    assert ended["status"] == "completed" and ended["completion_reason"] == "stopped"
    assert ended["failure_stage"] is None
    assert user.running() == []


def test_a_stop_and_a_claim_at_once(admin, redis):
    """Either the runner never gets the bot, or the bot is told to leave: there is no third way."""
    user = BotsUser(admin, max_concurrent_bots=1000)
    connection = Connection(user.node.port)
    for _ in range(50):
        meeting = user.send_bot()
        dispatch = user.dispatch(redis, meeting)
        connection.send(user.bytes("DELETE", user.bot_path(meeting)))
        bot = PlayedBot(redis, user.workspace_id, meeting["data"]["meeting_id"], dispatch=dispatch)
        answer = connection.receive()
        assert answer.status == 202, answer
        wanted = redis.hash(user.keys.bot(bot.bot_id))["desired"]
        assert wanted == ("leave" if bot.is_claimed else "none")
    connection.close()


def test_the_two_apis_exclude_each_other(admin, redis, nodes):
    """Elsewhere: a manual bot and a scheduled one for the same room were two bots."""
    user = BotsUser(admin, max_concurrent_bots=1000)
    workspace = user.as_workspace()
    burst = Burst(nodes, PARALLEL)
    for _ in range(20):
        code = random_meet_code()
        planned = workspace.create_meeting(f"https://meet.google.com/{code}")
        post = user.bytes("POST", "/bots", new_bot(code))
        reinvite = user.bytes("POST", workspace.reinvite_path(planned))
        answers = burst.send([post, reinvite] * (PARALLEL // 2))
        accepted = [answer for answer in answers if answer.status in (201, 202)]
        assert len(accepted) == 1, answers
        for answer in answers:
            assert answer.status in (201, 202, 409, 503), answer
        bots = [fields for _, fields in redis.stream(user.keys.dispatch) if fields["room"] == f"google_meet:{code}"]
        assert len(bots) == 1
    burst.close()


def test_two_records_of_one_room_get_one_bot(user, redis):
    """The room is what is unique, not the record."""
    workspace = user.as_workspace()
    code = random_meet_code()
    older, newer = [workspace.create_meeting(f"https://meet.google.com/{code}") for _ in range(2)]
    assert workspace.reinvite(older).status == 202
    answer = user.request("POST", "/bots", new_bot(code))
    assert_bots_error(answer, 409, "Bot already in meeting")
    assert answer.json["meeting_id"] == older.record["number"]
    assert_error(workspace.reinvite(newer), 409, 12107, room_meeting_id=older.id)
    # DELETE finds the one that holds the room, though it is not the newest.
    assert user.request("DELETE", f"/bots/google_meet/{code}").status == 202
    taken = user.request("POST", "/bots", new_bot(code))
    assert taken.status == 201 and taken.json["id"] == newer.record["number"], taken
    again = workspace.reinvite(older, {"force_restart": True})
    assert_error(again, 409, 12107, room_meeting_id=newer.id)
