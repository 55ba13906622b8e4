"""Webhooks: what receivers are sent, how it is signed, when it is sent again, and where it is never sent."""

import base64
import hashlib
import hmac
import time

import pytest
import standardwebhooks
import svix.webhooks as svix

from harness.bots_user import BotsUser
from harness.receiver import Receiver
from harness.waiting import wait_for
from harness.workspace import Admin

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
ALL = ["meeting.started", "meeting.status_change", "meeting.completed", "bot.failed", "transcription.ready",
       "recording.ready"]


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


def test_a_meeting_is_told_as_it_goes(user, redis, receiver):
    set_webhook(user, receiver.url())
    meeting = held(user, redis)
    wait_for(lambda: len(receiver.deliveries) >= 7, "all that is to be told, in whatever order")
    told = sorted(receiver.deliveries, key=lambda delivery: (delivery.json["sequence"], delivery.type))
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
