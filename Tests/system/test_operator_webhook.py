"""The operator's endpoint: told of all workspaces, as their webhooks are, by a setting of nodes."""

import base64
import collections
import json
import threading

import pytest
import standardwebhooks

from harness.bots_user import BotsUser
from harness.metrics import Scrape
from harness.ports import free_port
from harness.receiver import Receiver
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin
from test_removal import Tenant, hasten
from test_webhooks import ask, create, held

SECRET = "whsec_" + base64.b64encode(b"abcdefgh0123456789abcdef").decode()
# Of a meeting that a bot was in from beginning to end.
OF_ONE = 7


def settings(receiver, **more):
    return {"WEBHOOK_ALLOW": "127.0.0.1", "WEBHOOK_URL": receiver.url(path="/all?key=1"), "WEBHOOK_SECRET": SECRET, **more}


def start(servers, server, receiver, **more):
    """A node that tells the receiver of all workspaces, once it has said so."""
    node = servers.node(server, **settings(receiver, **more))
    wait_for(lambda: len(list(server.client.scan("usher:{p?}:operator"))) == 16, "the word that there is an endpoint")
    return node


def of(receiver, user):
    return [one for one in list(receiver.deliveries) if one.json["workspace_id"] == user.workspace_id]


def all_of(receiver, user, count=OF_ONE):
    """What is told of a user's workspace, once it is so much."""
    wait_for(lambda: len({one.event_id for one in of(receiver, user)}) >= count, f"{count} events of the workspace")
    return of(receiver, user)


def due(user):
    return f"{user.keys.workspace}:operator:due"


def pending(user):
    return f"{user.keys.partition}:operator:deliveries"


def make_due(redis, user):
    """What waits for its next attempt waits no more."""
    for event in redis.call("ZRANGE", due(user), 0, -1):
        redis.call("ZADD", due(user), "XX", 1, event)
    redis.call("ZADD", pending(user), 1, f"{user.workspace_id} operator")


def status(node):
    return Admin(node).request("GET", "/admin/status").json["webhooks"].get("operator")


def test_it_is_told_of_all_workspaces(servers):
    server = servers.redis()
    with Receiver() as receiver, Receiver() as own:
        nodes = [start(servers, server, receiver) for _ in range(2)]
        users = [BotsUser(Admin(node)) for node in nodes]
        webhook = create(users[0], own)
        meetings = [held(user, server.client) for user in users]
        told = [all_of(receiver, user) for user in users]
        for user, meeting, events in zip(users, meetings, told):
            assert {one.json["data"]["meeting"]["id"] for one in events} == {meeting["id"]}
            assert sorted({one.json["sequence"] for one in events}) == [1, 2, 3, 4, 5]
            assert len({one.event_id for one in events}) == len(events) == OF_ONE
            for one in events:
                assert one.path == "/all?key=1" and list(one.json)[4] == "workspace_id"
                standardwebhooks.Webhook(SECRET).verify(one.body, one.headers)
                with pytest.raises(standardwebhooks.WebhookVerificationError):
                    standardwebhooks.Webhook(webhook["secret"]).verify(one.body, one.headers)
        # The workspace's own is told the same, and no more.
        wait_for(lambda: len(own.deliveries) >= OF_ONE, "the events of the workspace's webhook")
        assert {one.event_id for one in own.deliveries} == {one.event_id for one in told[0]}
        bodies = {one.event_id: one.json for one in told[0]}
        for one in own.deliveries:
            assert one.json == {name: value for name, value in bodies[one.event_id].items() if name != "workspace_id"}
        # The command shows it, but for its address and secret.
        def shown():
            code, output, log = run_usher("webhooks", users[1].workspace_id, "--redis", server.url)
            assert code == 0, log
            return output if output.count(" delivered ") == OF_ONE else None
        output = wait_for(shown, "all deliveries in what the command shows")
        assert output.startswith("operator  the operator's endpoint: enabled\n") and "127.0.0.1" not in output
        everything = str([server.client.value(key) for key in server.client.scan("*")])
        assert SECRET not in everything and "key=1" not in everything
        assert SECRET not in str([node.log for node in nodes]) and "key=1" not in str([node.log for node in nodes])


def test_only_what_was_chosen_is_told(servers):
    server = servers.redis()
    with Receiver() as receiver:
        node = start(servers, server, receiver, WEBHOOK_EVENTS="meeting.completed,bot.failed")
        user = BotsUser(Admin(node))
        held(user, server.client)
        all_of(receiver, user, 1)
        wait_for(lambda: not server.client.call("XLEN", f"{user.keys.partition}:outbox"), "the filing of all changes")
        assert [one.type for one in receiver.deliveries] == ["meeting.completed"]


def test_one_that_is_away_is_told_when_it_is_back(servers):
    """And holds up no workspace's webhook meanwhile."""
    server = servers.redis()
    with Receiver(address=("127.0.0.1", port := free_port())) as receiver:
        node = start(servers, server, receiver)
    user, other = (BotsUser(Admin(node)) for _ in range(2))
    with Receiver() as own:
        create(user, own)
        held(user, server.client)
        held(other, server.client)
        wait_for(lambda: len(own.deliveries) >= OF_ONE, "the events of the workspace's webhook")

    def both_fail():
        found = status(node) or {}
        return found if "failing_ms" in found and found["waiting"] == 2 else None
    assert wait_for(both_fail, "the failure of what both have to tell")["dropped_events"] == 0
    assert "something waits of 2 workspaces, failing for " in run_usher("status", "--redis", server.url)[1]
    assert node.says("The operator's endpoint has not taken an event")[0]["outcome"] == "queued"
    with Receiver(address=("127.0.0.1", port)) as receiver:
        for each in (user, other):
            make_due(server.client, each)
            events = all_of(receiver, each)
            assert len({one.event_id for one in events}) == OF_ONE
        wait_for(lambda: status(node) == {"waiting": 0, "overdue_ms": 0, "dropped_events": 0}, "the end of what waits")
        scrape = Scrape(node.port)
        delivered = scrape.value("usher_operator_webhook_attempts_total", outcome="delivered")
        assert delivered == len(receiver.deliveries)
        # What was made due in the middle of an attempt is told once more.
        times = collections.Counter(one.event_id for one in receiver.deliveries)
        assert len(times) == 2 * OF_ONE and max(times.values()) <= 2
        assert scrape.value("usher_operator_webhook_attempts_total", outcome="queued") > 0
        assert scrape.value("usher_operator_webhook_waiting") == 0
        assert scrape.value("usher_operator_webhook_failing_seconds") == 0


def test_one_that_says_that_it_is_gone_is_told_on(servers):
    server = servers.redis()
    statuses = [410]
    with Receiver(lambda _: (statuses.pop() if statuses else 200, {}, b"")) as receiver:
        node = start(servers, server, receiver, WEBHOOK_EVENTS="meeting.completed")
        user = BotsUser(Admin(node))
        for count in (1, 2):
            held(user, server.client)
            all_of(receiver, user, count)
        assert len(receiver.deliveries) == 2


def test_a_node_that_dies_before_it_notes_leads_to_the_same_event(servers):
    server = servers.redis()
    redis, killed = server.client, []

    def answer(_):
        if not killed:
            killed.append(first.kill())
        return 200, {}, b""

    with Receiver(answer) as receiver:
        first = start(servers, server, receiver, WEBHOOK_EVENTS="meeting.completed")
        user = BotsUser(Admin(first))
        meeting = user.send_bot()
        user.play(redis, meeting, "joining", "active", "completed")
        sent, = receiver.wait_for("meeting.completed")
        second = start(servers, server, receiver, WEBHOOK_EVENTS="meeting.completed")
        assert redis.call("ZRANGE", due(user), 0, -1) == [sent.event_id]
        # The minute is over.
        make_due(redis, user)
        again = receiver.wait_for("meeting.completed", 2)[1]
        assert (again.event_id, again.body) == (sent.event_id, sent.body)
        assert second.alive


def test_what_waits_goes_to_the_new_address(servers):
    """Also what was recorded while a node without the setting was the only one."""
    server = servers.redis()
    with Receiver() as receiver:
        first = start(servers, server, receiver, WEBHOOK_EVENTS="meeting.completed")
    user = BotsUser(Admin(first))
    held(user, server.client)
    wait_for(lambda: "failing_ms" in (status(first) or {}), "the failure")
    first.kill()
    without = servers.node(server)
    user.node = without
    held(user, server.client)
    wait_for(lambda: server.client.call("ZCARD", due(user)) == 2, "what waits")
    assert status(without)["waiting"] == 1
    with Receiver() as receiver:
        start(servers, server, receiver)
        make_due(server.client, user)
        assert {one.type for one in all_of(receiver, user, 2)} == {"meeting.completed"}


def test_what_was_recorded_of_a_workspace_that_is_removed_is_told(servers):
    server = servers.redis()
    release = threading.Event()

    def hang(_):
        release.wait(60)
        return 200, {}, b""

    with Receiver(hang) as receiver:
        node = start(servers, server, receiver)
        user = Tenant(Admin(node))
        held(user, server.client)
        wait_for(lambda: server.client.call("ZCARD", due(user)) == OF_ONE, "what waits")
        assert user.remove().status == 204

        def is_removed():
            hasten(server.client, user)
            return not server.client.call("ZCARD", f"{user.keys.partition}:removing")
        wait_for(is_removed, "the end of the removal")
        release.set()
        all_of(receiver, user)
        wait_for(lambda: not server.client.call("EXISTS", due(user)), "the end of what waits")


def test_a_private_address_is_refused(servers):
    node = ["serve", "--redis", "redis://127.0.0.1:1/", "--webhook-url", "http://10.1.0.1/"]
    code, _, log = run_usher(*node)
    assert code == 2
    assert "--webhook-url must name a host of the internet, or one in a block of --webhook-allow." in log
    # The address that is connected to counts, whatever name led there.
    server = servers.redis()
    with Receiver() as receiver:
        node = servers.node(server, WEBHOOK_ALLOW="192.0.2.1", WEBHOOK_URL=receiver.url(host="localhost"),
                            WEBHOOK_EVENTS="meeting.completed")
        user = BotsUser(Admin(node))
        held(user, server.client)
        line, = wait_for(lambda: node.said("The operator's endpoint has not taken an event"), "the failure in the log")
        assert line["outcome"] == "blocked" and receiver.deliveries == []


def test_a_workspace_with_much_to_tell_keeps_no_other_waiting(servers):
    server = servers.redis()
    redis = server.client
    with Receiver() as receiver:
        node = start(servers, server, receiver, WEBHOOK_EVENTS="meeting.completed")
        busy, other = (BotsUser(Admin(node)) for _ in range(2))
        for user in (busy, other):
            held(user, redis)
            all_of(receiver, user, 1)
            wait_for(lambda: not redis.call("EXISTS", due(user)), "the end of what waits")
        node.kill()
        # As if very much had happened in the one, and something in the other, after all of that.
        many, one = [f"evt_{number:032x}" for number in range(3_000)], "evt_" + "f" * 32
        for user, events, at in ((busy, many, 1), (other, [one], 2)):
            body = of(receiver, user)[0].json
            for event in events:
                redis.call("HSET", f"{user.keys.workspace}:operator:events", event, json.dumps({**body, "event_id": event}))
            redis.call("ZADD", due(user), *[word for event in events for word in (at, event)])
            redis.call("ZADD", pending(user), at, f"{user.workspace_id} operator")
        receiver.deliveries.clear()
        start(servers, server, receiver)
        # A delivery may be repeated.
        told = lambda: list(dict.fromkeys(delivery.event_id for delivery in receiver.deliveries))
        wait_for(lambda: len(told()) > len(many), "all that waits", 600)
        assert set(told()) == {*many, one} and told().index(one) < 300


def test_what_fails_of_one_workspace_holds_up_no_other(servers):
    """Neither one of its own partition, while a request of another one takes long."""
    server = servers.redis()
    ended = threading.Event()
    refused, held_up = set(), set()

    def answer(delivery):
        if delivery.json["workspace_id"] in held_up:
            ended.wait(60)
        return (503 if delivery.json["workspace_id"] in refused else 200), {}, b""
    with Receiver(answer) as receiver:
        node = start(servers, server, receiver, WEBHOOK_EVENTS="meeting.completed")
        first, elsewhere, other = BotsUser(Admin(node)), BotsUser(Admin(node)), BotsUser(Admin(node))
        while elsewhere.keys.partition == first.keys.partition:
            elsewhere = BotsUser(Admin(node))
        while other.keys.partition != first.keys.partition:
            other = BotsUser(Admin(node))
        refused.add(first.workspace_id)
        held(first, server.client)
        wait_for(lambda: node.said("The operator's endpoint has not taken an event"), "the refusal")
        held(elsewhere, server.client)
        all_of(receiver, elsewhere, 1)
        held_up.add(elsewhere.workspace_id)
        held(elsewhere, server.client)
        all_of(receiver, elsewhere, 2)
        held(other, server.client)
        try:
            all_of(receiver, other, 1)
        finally:
            ended.set()
