"""`usher status` and `usher watch` against a real deployment; a watch across a restart of Redis."""

import json
import os
import re
import signal

import pytest

from harness.bots_user import BotsUser
from harness.node import BINARY
from harness.process import Process
from harness.up import PATIENCE, run_usher
from harness.waiting import wait_for
from harness.workspace import Admin

DEPLOYMENT = os.environ.get("USHER_TEST_DEPLOYMENT", "standalone")


class Watch(Process):
    """`usher watch`, with its events as objects."""

    def __init__(self, servers, redis, *arguments, name="watch"):
        super().__init__(name, [BINARY, "watch", "--redis", redis.url, *arguments], PATIENCE, servers.folder)

    @property
    def events(self):
        return [json.loads(line) for line in self.output.splitlines()]

    def saw(self, meeting, what):
        return any(event["what"] == what and event["meeting_id"] == meeting["data"]["meeting_id"]
                   for event in self.events)


def status(redis, *arguments):
    code, output, log = run_usher("status", "--redis", redis.url, *arguments)
    assert code == 0, log
    return output


def overview(redis):
    return json.loads(status(redis, "--json"))


def watch(servers, redis, admin, *arguments, **options):
    """A watch that has begun: an event has been seen."""
    started = servers.add(Watch(servers, redis, *arguments, **options))
    started.spawn()
    if not arguments:
        user = BotsUser(admin)

        def has_begun():
            assert started.alive, started.log
            user.as_workspace().create_meeting()
            return started.output
        wait_for(has_begun, "the watch's first event", interval_s=0.1)
    return started


def test_what_runs_is_shown_at_a_glance(servers):
    redis = servers.redis(durable=True)
    nodes = [servers.node(redis) for _ in range(2)]
    runner = servers.runner(redis, nodes[0], CAPACITY=7)
    user = BotsUser(Admin(nodes[0]))
    wait_for(lambda: len(overview(redis)["nodes"]) == 2 and overview(redis)["runners"], "all to be there",
             interval_s=0.1)
    seen = overview(redis)
    assert {node["process"] for node in seen["nodes"]} == {node.pid for node in nodes}
    assert {node["address"] for node in seen["nodes"]} == {f"127.0.0.1:{node.port}" for node in nodes}
    [there] = seen["runners"]
    assert (there["process"], there["capacity"], there["running"], there["state"]) == (runner.pid, 7, 0, "running")
    assert (seen["rooms"]["held"], seen["queue"]["waiting"], seen["leases"]) == (0, 0, {"live": 0, "overdue": 0})

    meeting = user.send_bot()
    user.wait_for_status(meeting, "active")
    wait_for(lambda: overview(redis)["runners"][0]["running"] == 1, "the runner's word on its bot", interval_s=0.1)
    seen = overview(redis)
    assert seen["rooms"] == {"held": 1, "counted": 1, "by_status": {"active": 1}}
    assert seen["leases"] == {"live": 1, "overdue": 0}
    text = status(redis)
    assert re.search(r"^nodes +2$", text, re.MULTILINE) and re.search(r"^rooms +1 held: 1 active$", text, re.MULTILINE)
    assert "runners   1, with 1 of 7 places taken" in text

    # One that stops in good order says so; one that is killed is gone before long; what waits is counted.
    nodes[1].signal(signal.SIGTERM)
    assert nodes[1].wait() == 0
    assert [node["process"] for node in overview(redis)["nodes"]] == [nodes[0].pid]
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    assert overview(redis)["runners"] == []
    user.send_bot()
    seen = overview(redis)
    assert seen["queue"]["waiting"] == 1 and seen["rooms"]["by_status"] == {"requested": 1}
    nodes[0].kill()
    wait_for(lambda: overview(redis)["nodes"] == [], "the killed node's being gone", interval_s=0.2)

    if DEPLOYMENT == "standalone":
        redis.kill()
        code, output, log = run_usher("status", "--redis", redis.url, "--redis-timeout-ms", "2000")
        assert (code, output) == (1, "") and "does not answer" in log


def test_a_watch_shows_each_change_once(servers):
    redis = servers.redis(durable=True)
    node = servers.node(redis)
    servers.runner(redis, node)
    admin = Admin(node)
    user = BotsUser(admin)
    whole = watch(servers, redis, admin)
    meeting = user.send_bot()
    bots_id = meeting["data"]["meeting_id"]
    one = watch(servers, redis, admin, "--meeting", bots_id, name="watch-one")
    user.wait_for_status(meeting, "active")
    user.request("DELETE", user.bot_path(meeting))
    wait_for(lambda: whole.saw(meeting, "finalised"), "the last event", interval_s=0.05)
    shown = [event for event in whole.events if event["meeting_id"] == bots_id]
    assert [event["what"] for event in shown] == [
        "dispatched", "joining", "awaiting_admission", "active", "stopping", "completed", "finalised"]
    assert len({event["trace_id"] for event in shown}) == 1 and shown[0]["trace_id"]
    wait_for(lambda: one.saw(meeting, "finalised"), "the last event of the one meeting", interval_s=0.05)
    assert {event["meeting_id"] for event in one.events} == {bots_id}
    room = f"google_meet:{meeting['native_meeting_id']}"
    assert {(event["workspace_id"], event["room"]) for event in shown} == {(user.workspace_id, room)}
    # The past is there for who asks for it, and then what comes.
    past = watch(servers, redis, admin, "--since", "1h", "--meeting", bots_id, name="watch-past")
    wait_for(lambda: past.saw(meeting, "finalised"), "the past", interval_s=0.05)
    assert past.events == shown
    for started in (whole, one, past):
        started.signal(signal.SIGINT)
        assert started.wait() == 0, started.log
    code, _, log = run_usher("watch", "--redis", redis.url, "--meeting", "0" * 32)
    assert code == 1 and "there is no meeting" in log


def test_a_watch_of_a_workspace_shows_no_other(servers):
    """Also of those whose events are in the same stream."""
    redis = servers.redis(durable=True)
    admin = Admin(servers.node(redis))
    streams = {}
    while True:
        other = BotsUser(admin).as_workspace()
        if other.keys.events in streams:
            mine = streams[other.keys.events]
            break
        streams[other.keys.events] = other
    started = servers.add(Watch(servers, redis, "--workspace", mine.id))
    started.spawn()

    made = []

    def has_begun():
        assert started.alive, started.log
        other.create_meeting()
        made.append(mine.create_meeting().id)
        return started.output
    wait_for(has_begun, "the watch's first event", interval_s=0.1)
    other.create_meeting()
    made.append(mine.create_meeting().id)
    wait_for(lambda: made[-1] in [event["meeting_id"] for event in started.events], "the last event", interval_s=0.05)
    assert {event["meeting_id"] for event in started.events} <= set(made)


@pytest.mark.skipif(DEPLOYMENT != "standalone", reason="restarts a single Redis")
def test_a_watch_goes_on_after_a_restart_of_redis(servers):
    redis = servers.redis(durable=True)
    node = servers.node(redis)
    admin = Admin(node)
    workspace = BotsUser(admin).as_workspace()
    started = watch(servers, redis, admin)
    made = []
    for _ in range(2):
        made.append(workspace.create_meeting().id)
        redis.kill()
        redis.start()
        wait_for(node.is_serving, "the node's reaching Redis again", interval_s=0.05)
        # The watch may still be away.
        made.append(workspace.create_meeting().id)
    wait_for(lambda: {event["meeting_id"] for event in started.events} >= set(made), "all events", interval_s=0.05)
    mine = [event["meeting_id"] for event in started.events if event["meeting_id"] in made]
    assert mine == made
    assert len({event["id"] for event in started.events}) == len(started.events)
