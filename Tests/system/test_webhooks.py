"""Webhooks: what receivers are sent, how it is signed, when it is sent again, and where it is never sent."""

import base64
import contextlib
import hashlib
import hmac
import socket
import threading
import time

import pytest
import standardwebhooks
import svix.webhooks as svix

from harness.bots_user import BotsUser
from harness.receiver import Receiver
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
# How often a test begins anew that has to be done while an attempt lasts.
MOST_TIMES = 3
ALL = ["meeting.started", "meeting.status_change", "meeting.completed", "bot.failed", "transcription.ready",
       "recording.ready", "meeting.scheduled", "meeting.missed"]


@pytest.fixture(scope="module")
def redis_server(module_servers):
    return module_servers.redis()


@pytest.fixture(scope="module")
def redis(redis_server):
    return redis_server.client


@pytest.fixture(scope="module")
def nodes(module_servers, redis_server):
    """Two nodes that may tell receivers on this machine."""
    return [module_servers.node(redis_server, WEBHOOK_ALLOW="127.0.0.1") for _ in range(2)]


@pytest.fixture
def user(nodes):
    return BotsUser(Admin(nodes[0]))


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def set_webhook(user, url, events=ALL, secret=SECRET, status=200):
    body = {"webhook_url": url, "webhook_secret": secret, "webhook_events": dict.fromkeys(events, True)}
    answer = user.request("PUT", "/user/webhook", body)
    assert answer.status == status, answer
    return answer


def held(user, redis):
    """A meeting that a bot was in, from beginning to end."""
    meeting = user.send_bot()
    user.play(redis, meeting, "joining", "active", "completed")
    return user.wait_for_status(meeting, "completed")


def in_order(deliveries):
    """As things happened: they arrive in whatever order."""
    return sorted(deliveries, key=lambda delivery: (delivery.json["sequence"], delivery.type))


def test_a_meeting_is_told_as_it_goes(user, redis, receiver):
    set_webhook(user, receiver.url())
    meeting = held(user, redis)
    wait_for(lambda: len(receiver.deliveries) >= 7, "all that is to be told, in whatever order")
    told = in_order(receiver.deliveries)
    assert [(delivery.json["sequence"], delivery.type) for delivery in told] == [
        (1, "meeting.status_change"), (2, "meeting.status_change"), (3, "meeting.started"),
        (3, "meeting.status_change"), (4, "meeting.completed"), (4, "meeting.status_change"),
        (5, "transcription.ready")]
    assert len({delivery.event_id for delivery in told}) == len(told)
    steps = [(delivery.json["data"]["status_change"]["old_status"], delivery.json["data"]["status_change"]["new_status"])
             for delivery in told if delivery.type == "meeting.status_change"]
    assert steps == [(None, "requested"), ("requested", "joining"), ("joining", "active"), ("active", "completed")]
    # Each says what was so then.
    shown = [delivery.json["data"]["meeting"] for delivery in told]
    assert [one["status"] for one in shown] == ["requested", "joining", "active", "active", "completed", "completed",
                                                "completed"]
    assert [one["start_time"] is None for one in shown] == [True, True, False, False, False, False, False]
    assert [one["end_time"] is None for one in shown] == [True, True, True, True, False, False, False]
    ended = user.meeting(meeting)
    last = receiver.of_type("meeting.completed")[0].json["data"]["meeting"]
    for name in ("id", "user_id", "platform", "native_meeting_id", "constructed_meeting_url", "start_time", "end_time",
                 "completion_reason", "created_at"):
        assert last[name] == ended[name], name
    for delivery in told:
        assert delivery.json["api_version"] == "2026-03-01"
        assert delivery.json["event_id"] == delivery.headers["webhook-id"]
        assert delivery.headers["content-type"] == "application/json"


def test_what_a_bot_was_told_and_how_it_failed_is_told(user, redis, receiver):
    set_webhook(user, receiver.url())
    meeting = user.send_bot(
        task="translate", transcribe_enabled=False, automatic_leave={"no_one_joined_timeout": 60_000}, bot_name="Nora")
    bot = user.play(redis, meeting, "joining")
    bot.tell(user.node, "failed", completion_reason="join_failure", exit_code=3, error_details="no button")
    failed, = receiver.wait_for("bot.failed")
    told = failed.json["data"]["meeting"]
    assert told == user.meeting(meeting) and told["data"]["error_details"] == "no button"
    first = in_order(receiver.wait_for("meeting.status_change", 3))[0].json["data"]["meeting"]["data"]
    assert (first["task"], first["transcribe_enabled"]) == ("translate", False)
    assert first["automatic_leave"] == {"no_one_joined_timeout": 60_000} and "exit_code" not in first


def test_only_what_was_chosen_is_told(user, redis, receiver):
    answer = user.request("PUT", "/user/webhook", {"webhook_url": receiver.url()})
    assert answer.json["data"] == {"webhook_url": receiver.url()}
    held(user, redis)
    receiver.wait_for("meeting.completed")
    set_webhook(user, receiver.url(), ["meeting.completed", "transcription.ready"])
    held(user, redis)
    # The later event of the second meeting is there, so the earlier ones of both would be.
    receiver.wait_for("transcription.ready")
    receiver.wait_for("meeting.completed", 2)
    assert {delivery.type for delivery in receiver.deliveries} == {"meeting.completed", "transcription.ready"}
    # Without a secret before, with one now.
    first, second = receiver.of_type("meeting.completed")
    assert "webhook-signature" not in first.headers and "x-webhook-signature" not in first.headers
    assert "webhook-signature" in second.headers


def test_receivers_can_tell_whose_it_is(user, redis, receiver):
    set_webhook(user, receiver.url())
    held(user, redis)
    delivery, = receiver.wait_for("meeting.completed")
    for library in (standardwebhooks.Webhook(SECRET), svix.Webhook(SECRET)):
        library.verify(delivery.body, delivery.headers)
        with pytest.raises(Exception, match="(?i)signature"):
            library.verify(delivery.body + b" ", delivery.headers)
    # By the recipe of Vexa's documents.
    time_ = delivery.headers["x-webhook-timestamp"]
    code = hmac.new(SECRET.encode(), f"{time_}.".encode() + delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["x-webhook-signature"] == f"sha256={code}"
    assert abs(int(time_) - time.time()) < 60
    assert SECRET not in str(delivery.headers)


def test_what_fails_is_sent_again_with_the_same_id(user, redis):
    failures = [500]

    def answer(delivery):
        return (failures.pop() if failures else 204, {}, b"")

    with Receiver(answer) as receiver:
        set_webhook(user, receiver.url(), ["meeting.completed"])
        held(user, redis)
        first, second = receiver.wait_for("meeting.completed", 2)
    assert first.event_id == second.event_id and first.body == second.body
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert second.at - first.at > 4


@pytest.mark.parametrize("status, fields", [(302, {"location": "/elsewhere"}), (400, {}), (404, {})])
def test_other_refusals_and_redirects_are_final(user, redis, status, fields):
    with Receiver(lambda _: (status, fields, b"no")) as receiver:
        set_webhook(user, receiver.url(), ["meeting.completed"])
        held(user, redis)
        delivery, = receiver.wait_for("meeting.completed")
        assert delivery.path == "/hook"
        wait_for(lambda: not waiting(redis, user), "the end of what waits")
        assert len(receiver.deliveries) == 1


def test_a_receiver_that_is_gone_is_told_no_more(user, redis):
    with Receiver(lambda _: (410, {}, b"")) as receiver:
        set_webhook(user, receiver.url(), ["meeting.completed"])
        held(user, redis)
        receiver.wait_for("meeting.completed")
        key = wait_for(lambda: [key for key in redis.scan(f"{user.keys.workspace}:webhook:*") if key.count(":") == 5],
                       "the webhook")[0]
        fields = wait_for(lambda: redis.hash(key) if redis.hash(key)["enabled"] == "0" else None, "its being disabled")
        assert fields["disabled_because"] == "gone"
        held(user, redis)
        wait_for(lambda: not redis.stream(f"{user.keys.partition}:outbox"), "the filing of what happened since")
        assert len(receiver.deliveries) == 1


def test_no_private_address_is_told(servers):
    """The address that is connected to counts, whatever name led there."""
    # No other node may have taken the delivery.
    redis_server = servers.redis()
    redis = redis_server.client
    node = servers.node(redis_server, WEBHOOK_ALLOW="192.0.2.1")
    user = BotsUser(Admin(node))
    with Receiver() as receiver:
        # A name is looked at when it is connected to, since one may lead to the address that is allowed.
        set_webhook(user, receiver.url(host="localhost"), ["meeting.completed"])
        answer = user.request("PUT", "/user/webhook", {"webhook_url": receiver.url()})
        assert answer.status == 422 and answer.json["field"] == "webhook_url", answer
        held(user, redis)
        done = wait_for(lambda: ended(redis, user), "the end of the delivery")
        assert "blocked" in done and receiver.deliveries == []


def waiting(redis, user):
    return [event for key in redis.scan(f"{user.keys.workspace}:webhook:*:due")
            for event in redis.call("ZRANGE", key, 0, -1)]


def ended(redis, user):
    """The attempts of the events that have ended, as the history has them."""
    return "".join(value for key in redis.scan(f"{user.keys.workspace}:webhook:*:events")
                   for field, value in redis.hash(key).items() if field.endswith(" attempts"))


# The API


def create(user, receiver, **fields):
    answer = user.request("POST", "/webhooks", {"url": receiver.url(), **fields})
    assert answer.status == 201, answer
    return answer.json


def ask(user, status, method, path, *body):
    answer = user.request(method, path, *body)
    assert answer.status == status, answer
    return answer.json if answer.body else None


def test_a_webhooks_life(user, receiver):
    made = create(user, receiver, description="Ours")
    assert made["secret"].startswith("whsec_") and len(made["secret"]) == 38
    assert made["events"] == ["meeting.started", "meeting.status_change", "meeting.completed", "bot.failed",
                              "transcription.ready", "recording.ready", "meeting.scheduled", "meeting.missed"]
    path = f"/webhooks/{made['id']}"
    shown = {**made, "secret": "********" + made["secret"][-4:]}
    assert ask(user, 200, "GET", path) == shown
    assert ask(user, 200, "GET", "/webhooks") == {"webhooks": [shown]}
    assert ask(user, 200, "GET", "/user/webhook")["webhook_url"] == made["url"]
    changed = ask(user, 200, "PATCH", path, {"events": ["bot.failed"], "enabled": False})
    assert changed == {**shown, "events": ["bot.failed"], "enabled": False, "updated_at": changed["updated_at"]}
    assert ask(user, 200, "PATCH", path, {"events": None, "enabled": True})["events"] == made["events"]
    ask(user, 204, "DELETE", path)
    for method, below in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"),
                          ("GET", "/deliveries"), ("POST", "/deliveries/evt_1/redeliver")):
        answer = user.request(method, path + below, {})
        assert answer.status == 404 and answer.json["error"] == "Webhook not found", (method, below, answer)
    assert ask(user, 200, "GET", "/webhooks") == {"webhooks": []}


def test_who_removes_the_first_one_again_removes_no_other(user, receiver):
    ask(user, 200, "PUT", "/user/webhook", {"webhook_url": receiver.url(path="/first")})
    others = [create(user, receiver)["id"] for _ in range(2)]
    for _ in range(2):
        ask(user, 200, "PUT", "/user/webhook", {"webhook_url": None})
        assert ask(user, 200, "GET", "/user/webhook")["webhook_url"] is None
        assert ask(user, 200, "GET", "/user/webhook/deliveries") == {"deliveries": []}
        assert [each["id"] for each in ask(user, 200, "GET", "/webhooks")["webhooks"]] == others
    # Another one takes its place, and is the one that is changed and removed from then on.
    for path in ("/second", "/moved"):
        ask(user, 200, "PUT", "/user/webhook", {"webhook_url": receiver.url(path=path)})
        assert ask(user, 200, "GET", "/user/webhook")["webhook_url"] == receiver.url(path=path)
        assert len(ask(user, 200, "GET", "/webhooks")["webhooks"]) == 3
    second = ask(user, 200, "GET", "/webhooks")["webhooks"][-1]["id"]
    ask(user, 204, "DELETE", f"/webhooks/{second}")
    assert ask(user, 200, "GET", "/user/webhook")["webhook_url"] is None
    for other in others:
        ask(user, 204, "DELETE", f"/webhooks/{other}")
    # As at the beginning: the oldest is the first.
    assert ask(user, 200, "GET", "/user/webhook")["webhook_url"] is None
    made = create(user, receiver)
    assert ask(user, 200, "GET", "/user/webhook")["webhook_url"] == made["url"]


def test_a_first_one_finds_no_room(user, receiver):
    ask(user, 200, "PUT", "/user/webhook", {"webhook_url": receiver.url()})
    create(user, receiver)
    ask(user, 200, "PUT", "/user/webhook", {"webhook_url": None})
    for _ in range(9):
        create(user, receiver)
    answer = user.request("PUT", "/user/webhook", {"webhook_url": receiver.url()})
    assert answer.status == 409 and "10 webhooks" in answer.json["detail"], answer


def test_there_are_at_most_ten(user, receiver):
    for _ in range(10):
        create(user, receiver)
    assert ask(user, 409, "POST", "/webhooks", {"url": receiver.url()})["error"] == "Too many webhooks"


@pytest.mark.parametrize("field, body", [
    ("url", {}), ("url", {"url": "ftp://a.example/"}), ("url", {"url": "http://10.0.0.1/"}),
    ("events", {"url": "https://a.example/", "events": ["meeting.began"]}),
    ("events", {"url": "https://a.example/", "events": "meeting.started"}),
    ("secret", {"url": "https://a.example/", "secret": "whsec_!"}),
    ("enabled", {"url": "https://a.example/", "enabled": "yes"}),
    ("description", {"url": "https://a.example/", "description": "x" * 257}),
], ids=str)
def test_422(user, field, body):
    answer = user.request("POST", "/webhooks", body)
    assert answer.status == 422 and answer.json["field"] == field, answer
    assert ask(user, 200, "GET", "/webhooks") == {"webhooks": []}


def test_no_webhook_is_anothers(user, nodes, receiver):
    made = create(user, receiver)
    other = BotsUser(Admin(nodes[0]))
    for method, below in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"),
                          ("GET", "/deliveries"), ("POST", "/deliveries/evt_1/redeliver")):
        assert other.request(method, f"/webhooks/{made['id']}{below}", {}).status == 404
    assert ask(user, 200, "GET", f"/webhooks/{made['id']}")["url"] == made["url"]


def test_both_secrets_sign_while_one_is_replaced(user, receiver):
    made = create(user, receiver)
    path = f"/webhooks/{made['id']}"
    rotated = ask(user, 200, "POST", f"{path}/rotate")
    assert rotated["secret"] not in (made["secret"], ask(user, 200, "GET", path)["secret"])
    event = ask(user, 202, "POST", f"{path}/test")["event_id"]
    delivery, = receiver.wait_for("webhook.test")
    assert delivery.event_id == event and delivery.json["data"] == {"webhook_id": made["id"]}
    for secret in (made["secret"], rotated["secret"]):
        standardwebhooks.Webhook(secret).verify(delivery.body, delivery.headers)


def test_the_history_is_true(user, redis):
    statuses, has_looked = [503, 200, 200], threading.Event()

    def answer(_):
        # What is tried again is under way for as long as the test looks at what came before.
        if len(statuses) < 3:
            has_looked.wait(60)
        return statuses.pop(0), {}, b"an answer"

    with Receiver(answer) as receiver:
        made = create(user, receiver, events=["meeting.completed"])
        path = f"/webhooks/{made['id']}"
        meeting = held(user, redis)
        receiver.wait_for("meeting.completed")

        def history():
            return ask(user, 200, "GET", f"{path}/deliveries")["deliveries"]

        queued = wait_for(lambda: [one for one in history() if one["attempts"]], "the first attempt in the history")[0]
        assert (queued["outcome"], queued["answer"]) == ("queued", "an answer") and queued["next_attempt_at"]
        has_looked.set()
        receiver.wait_for("meeting.completed", 2)
        done = wait_for(lambda: [one for one in history() if one["outcome"] == "delivered"], "the delivery")[0]
        assert done["meeting_id"] == meeting["id"] and done["event_type"] == "meeting.completed"
        assert [(one["outcome"], one["status_code"], one["problem"]) for one in done["attempts"]] == [
            ("queued", 503, None), ("delivered", 200, None)]
        assert done["next_attempt_at"] is None
        vexas, = ask(user, 200, "GET", "/user/webhook/deliveries?limit=5")["deliveries"]
        assert vexas == {"event_type": "meeting.completed", "event_id": done["event_id"], "target_host": "127.0.0.1",
                         "outcome": "delivered", "status_code": 200, "attempt": 2, "meeting_id": meeting["id"],
                         "created_at": done["created_at"]}
        # Once more, with the same id.
        assert ask(user, 202, "POST", f"{path}/deliveries/{done['event_id']}/redeliver") == {
            "event_id": done["event_id"]}
        assert len({one.event_id for one in receiver.wait_for("meeting.completed", 3)}) == 1
        answer = user.request("POST", f"{path}/deliveries/evt_none/redeliver")
        assert answer.status == 404 and answer.json["error"] == "Event not found"


def test_all_since_a_time_are_sent_once_more(user, redis, receiver):
    made = create(user, receiver, events=["meeting.completed"])
    path = f"/webhooks/{made['id']}"
    for _ in range(2):
        held(user, redis)
    receiver.wait_for("meeting.completed", 2)
    wait_for(lambda: not waiting(redis, user), "the end of what waits")
    assert ask(user, 202, "POST", f"{path}/redeliver", {"since": "2200-01-01T00:00:00Z"}) == {"redelivered": 0}
    assert ask(user, 202, "POST", f"{path}/redeliver", {"since": "2020-01-01T00:00:00Z"}) == {"redelivered": 2}
    assert len({one.event_id for one in receiver.wait_for("meeting.completed", 4)}) == 2
    assert user.request("POST", f"{path}/redeliver", {"since": "yesterday"}).status == 422


def test_a_disabled_one_is_told_nothing_until_it_is_enabled(user, redis, receiver):
    made = create(user, receiver, events=["meeting.completed"])
    path = f"/webhooks/{made['id']}"
    ask(user, 200, "PATCH", path, {"enabled": False})
    held(user, redis)
    assert ask(user, 409, "POST", f"{path}/test")["error"] == "Webhook disabled"
    wait_for(lambda: not redis.call("XLEN", f"{user.keys.partition}:outbox"), "the filing of what happened")
    ask(user, 200, "PATCH", path, {"enabled": True})
    later = held(user, redis)
    told, = receiver.wait_for("meeting.completed")
    assert told.json["data"]["meeting"]["id"] == later["id"]


def test_the_command_shows_them(user, redis, redis_server, receiver):
    made = create(user, receiver, events=["meeting.completed"])
    held(user, redis)
    receiver.wait_for("meeting.completed")

    def shown():
        code, output, log = run_usher("webhooks", user.workspace_id, "--redis", redis_server.url)
        assert code == 0, log
        return output

    output = wait_for(lambda: text if " delivered " in (text := shown()) else None, "the delivery in what is shown")
    assert output.startswith(f"{made['id']}  127.0.0.1: enabled\n") and "meeting.completed" in output
    # A path may be a secret.
    assert "/hook" not in output and made["secret"] not in output


# Receivers and nodes that misbehave


@pytest.mark.parametrize("byte, kept", [(b"x", "x" * 1024), (b"\xff", "\ufffd" * 341)], ids=["text", "no-text"])
def test_a_long_answer_is_an_answer(user, redis, byte, kept):
    with Receiver(lambda _: (200, {}, byte * 1_000_000)) as receiver:
        made = create(user, receiver)
        ask(user, 202, "POST", f"/webhooks/{made['id']}/test")
        receiver.wait_for("webhook.test")
        path = f"/webhooks/{made['id']}/deliveries"
        one = wait_for(lambda: [one for one in ask(user, 200, "GET", path)["deliveries"] if one["attempts"]],
                       "the attempt")[0]
        assert (one["outcome"], one["answer"]) == ("delivered", kept), one["attempts"]


def test_a_slow_receiver_holds_up_no_other(user, nodes):
    assert any(others_are_told_meanwhile(user, nodes) for _ in range(MOST_TIMES)), "an attempt was over, each time"


def others_are_told_meanwhile(user, nodes):
    """False if an attempt at the slow receiver is over before the other one has been told, as it is after 15 s."""
    release = threading.Event()

    def hang(_):
        release.wait(60)
        return (200, {}, b"")

    def tell(webhook):
        ask(user, 202, "POST", f"/webhooks/{webhook['id']}/test")

    with Receiver(hang) as slow, Receiver() as receiver, contextlib.ExitStack() as stack:
        stack.callback(release.set)
        made, quick = create(user, slow), create(user, receiver)
        # Few, as all this is to take less time than an attempt; yet more of them wait for each node.
        for _ in range(3 * len(nodes)):
            tell(made)
        slow.wait_for("webhook.test", len(nodes))
        for count in range(1, 4):
            tell(quick)
            receiver.wait_for("webhook.test", count)
        begun = len(slow.deliveries)
        if any(one["attempts"] for one in ask(user, 200, "GET", f"/webhooks/{made['id']}/deliveries")["deliveries"]):
            return False
        # Each node sends one, and no more before that has been taken.
        assert begun == len(nodes)
        for _ in range(30 - 3 * len(nodes)):
            tell(made)
        release.set()
        slow.wait_for("webhook.test", 30)
        return True


@pytest.mark.parametrize("beginning, problem", [
    (b"HTTP/1.1 200 OK\r\nx: ", "imeout"), (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 90_000 + b"\r\n", "ail"),
    (b"nothing of HTTP\r\n\r\n", "protocol"),
], ids=["a trickle", "a long header", "no HTTP"])
def test_answers_that_are_none_are_cut_off(user, beginning, problem):
    """Each is tried again. What trickles on has the time of an attempt and no more."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:
        stack.callback(is_over.set)

        def answer():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65_536)
                connection.sendall(beginning)
                while not is_over.wait(0.5):
                    connection.sendall(b"y")
        threading.Thread(target=answer, daemon=True).start()
        made = ask(user, 201, "POST", "/webhooks", {"url": f"http://127.0.0.1:{server.getsockname()[1]}/"})
        ask(user, 202, "POST", f"/webhooks/{made['id']}/test")
        path = f"/webhooks/{made['id']}/deliveries"
        attempt = wait_for(lambda: ask(user, 200, "GET", path)["deliveries"][0]["attempts"], "the attempt")[0]
        assert attempt["outcome"] == "queued" and attempt["status_code"] is None, attempt
        assert problem in attempt["problem"], attempt


def test_a_node_that_dies_before_it_notes_leads_to_the_same_event(servers, module_servers):
    """Killed between sending and noting: another sends it again once the lease is over."""
    redis_server = servers.redis()
    first = servers.node(redis_server, WEBHOOK_ALLOW="127.0.0.1")
    redis = redis_server.client
    user = BotsUser(Admin(first))
    killed = []

    def answer(_):
        if not killed:
            killed.append(first.kill())
        return (200, {}, b"")

    with Receiver(answer) as receiver:
        made = create(user, receiver, events=["meeting.completed"])
        meeting = user.send_bot()
        user.play(redis, meeting, "joining", "active", "completed")
        sent, = receiver.wait_for("meeting.completed")
        second = servers.node(redis_server, WEBHOOK_ALLOW="127.0.0.1")
        due = f"{user.keys.webhook(made['id'])}:due"
        # Not while the lease is the dead node's.
        assert redis.call("ZRANGE", due, 0, -1) == [sent.event_id]
        # The minute is over.
        redis.call("ZADD", due, 1, sent.event_id)
        redis.call("ZADD", f"{user.keys.partition}:deliveries", 1, f"{user.workspace_id} {made['id']}")
        again = receiver.wait_for("meeting.completed", 2)[1]
        assert (again.event_id, again.body) == (sent.event_id, sent.body)
        assert second.alive
