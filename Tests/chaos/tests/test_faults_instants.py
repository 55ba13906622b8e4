"""Nodes and runners that die or stop between two steps of one decision do so, and are healed."""

import secrets

import pytest

from harness.background import InBackground
from harness.waiting import DEADLINE_S, wait_for
from harness.workspace import random_meet_code
from small_cluster import inject, running


@pytest.fixture(scope="module")
def cluster():
    """One whose locks and leases last until a test has seen what it is about, however slow the machine is."""
    with running(lock_ttl=20_000, lease_ttl=12_000) as started:
        yield started


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """However slow the machine is, the command that is waited for comes in time."""
    monkeypatch.setattr("faults.border.BORDER_S", DEADLINE_S)


def assert_works(cluster):
    cluster.remove(cluster.bot_in_its_room())


def once_armed(cluster, server, call):
    """A call in the background as soon as a fault waits at this server; its connection may break. It is made again while
    it comes to nothing and the fault waits: a node of a busy machine refuses what takes too long."""
    faults = cluster.proxy_of(server)._faults

    def attempt():
        wait_for(lambda: faults, "the fault's waiting")
        return wait_for(last, "an answer, or the fault's striking", interval_s=0.1)

    def last():
        try:
            answer = call()
        except OSError:
            answer = "no answer"
        return answer if not faults or (answer != "no answer" and answer.status < 400) else None
    return InBackground(attempt)


def asked(cluster, code):
    return cluster.user.request("POST", "/bots", {"platform": "google_meet", "native_meeting_id": code})


def ended_meeting(cluster):
    """A meeting whose bot has left."""
    meeting = cluster.bot_in_its_room()
    cluster.remove(meeting)
    return cluster.wait_for_status(meeting, "completed")


def record(cluster, meeting):
    return cluster.user.fields(cluster.redis.client, meeting)


def dispatches(cluster, meeting):
    return [event for event in cluster.user.events(cluster.redis.client, meeting) if event["what"] == "restarted"]


def end_lock(cluster):
    """The lock of the workspace has an end, which comes now."""
    client, lock = cluster.redis.client, cluster.user.keys.lock
    left_ms = client.call("PTTL", lock)
    # -2 once it has come, -1 if there is none.
    assert left_ms == -2 or 0 <= left_ms <= cluster.settings["lock_ttl"]
    client.call("PEXPIRE", lock, 1)
    wait_for(lambda: not client.call("EXISTS", lock), "the lock's expiry")


@pytest.mark.parametrize("fate", ["late", "lost"])
def test_a_node_is_killed_after_the_lock(cluster, fate):
    meeting = ended_meeting(cluster)
    call = once_armed(cluster, cluster.node, lambda: cluster.user.reinvite(meeting, {"force_restart": True}))
    fault, target, detail = inject(cluster, "node-kill-after-lock", fate)
    assert (target, detail) == ("node", f"dispatch is {fate}")
    assert not cluster.node.alive and call.answer == "no answer"
    if fate == "late":
        wait_for(lambda: dispatches(cluster, meeting), "the dispatch of the dead node")
    else:
        assert not dispatches(cluster, meeting)
        assert cluster.redis.client.call("EXISTS", cluster.user.keys.lock) == 1
        end_lock(cluster)
    fault.heal(cluster)
    wait_for(lambda: invited(cluster, meeting), "the bot's being there or on its way", interval_s=0.05)
    cluster.wait_for_status(meeting, "active")
    assert len(dispatches(cluster, meeting)) == 1
    cluster.remove(meeting)


def invited(cluster, meeting):
    answer = cluster.user.reinvite(meeting, {"force_restart": True})
    return answer.status == 202 or answer.code in (12103, 12104, 12107)


@pytest.mark.parametrize("fate", ["held", "delivered"])
def test_a_node_is_stopped_after_the_lock(cluster, fate):
    meeting = ended_meeting(cluster)
    call = once_armed(cluster, cluster.node, lambda: cluster.user.reinvite(meeting, {"force_restart": True}))
    fault, target, detail = inject(cluster, "node-pause-after-lock", fate)
    assert (target, detail) == ("node", f"dispatch is {fate} meanwhile")
    if fate == "delivered":
        wait_for(lambda: dispatches(cluster, meeting), "the dispatch of the stopped node")
    else:
        end_lock(cluster)
        assert not dispatches(cluster, meeting)
    fault.heal(cluster)
    assert call.answer.status in (202, 500, 503)
    wait_for(lambda: invited(cluster, meeting), "the bot's being there or on its way", interval_s=0.05)
    assert len(dispatches(cluster, meeting)) == 1
    cluster.wait_for_status(meeting, "active")
    cluster.remove(meeting)


def test_a_node_is_killed_before_it_says_that_a_bot_was_sent(cluster):
    code = random_meet_code()
    call = once_armed(cluster, cluster.node, lambda: asked(cluster, code))
    fault, _, _ = inject(cluster, "node-kill-after-request")
    assert not cluster.node.alive and call.answer == "no answer"
    assert cluster.redis.client.call("EXISTS", cluster.user.keys.room(f"google_meet:{code}")) == 1
    fault.heal(cluster)
    wait_for(lambda: cluster.runner.presence.stays(code), "the bot's entering its room")
    # With a key, so that one that went through without an answer is answered as the first time.
    headers = {**cluster.user.headers, "Idempotency-Key": secrets.token_hex(16)}
    wait_for(lambda: cluster.user.request("DELETE", f"/bots/google_meet/{code}", headers=headers).status == 202,
             "the stop of its bot", interval_s=0.1)


@pytest.mark.parametrize("name, fate", [("node-kill-at-last-report", "lost"), ("node-pause-at-last-report", "held")])
def test_a_node_is_struck_at_the_last_report(cluster, name, fate):
    meeting = cluster.bot_in_its_room()
    once_armed(cluster, cluster.node, lambda: cluster.remove(meeting))
    fault, target, _ = inject(cluster, name, fate)
    assert target == "node" and record(cluster, meeting)["bot_status"] == "stopping"
    fault.heal(cluster)
    wait_for(lambda: is_over(cluster, meeting), "the end of the meeting's record", interval_s=0.05)
    assert_works(cluster)


def is_over(cluster, meeting):
    answer = cluster.user.request("GET", f"/meetings/{meeting['id']}")
    return answer.status == 200 and answer.json["status"] == "completed"


@pytest.mark.parametrize("name", ["runner-kill-after-claim", "runner-pause-before-start"])
def test_a_runner_is_struck_between_claim_and_start(cluster, name):
    sending = once_armed(cluster, cluster.runner, lambda: asked(cluster, random_meet_code()))
    fault, target, _ = inject(cluster, name)
    meeting = sending.answer.json
    bot_id = cluster.user.bot_id(cluster.redis.client, meeting)
    assert target == "runner" and bot_id not in cluster.runner.started
    claimed = cluster.redis.client.hash(cluster.user.keys.bot(bot_id))
    assert claimed["runner"] and cluster.wait_for_status(meeting, "requested")
    fault.heal(cluster)
    # By this bot, or by the one that takes its place when its lease has run out.
    cluster.wait_for_status(meeting, "active")
    cluster.remove(meeting)


@pytest.mark.parametrize("name, fate", [
    ("runner-kill-at-bot-end", "late"), ("runner-kill-at-bot-end", "lost"), ("runner-pause-at-bot-end", "held")])
def test_a_runner_is_struck_between_a_bots_end_and_its_record(cluster, meeting, name, fate):
    fault, target, _ = inject(cluster, name, fate)
    assert target == "runner" and not cluster.bots()
    fault.heal(cluster)
    assert cluster.runner.alive
    cluster.wait_for_status(meeting, "failed")
    assert_works(cluster)
