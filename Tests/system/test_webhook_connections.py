"""How receivers are connected to: by which address, with which certificate, in which version of HTTP."""

import os

import pytest

from harness.bots_user import BotsUser
from harness.certificates import Certificates
from harness.http2_receiver import HTTP2Receiver
from harness.ports import free_port
from harness.receiver import Receiver
from harness.waiting import wait_for
from harness.workspace import Admin

# $HOSTS is what the node finds names in.
WITH_NAMES = ("unshare", "--mount", "sh", "-c", 'mount --bind "$HOSTS" /etc/hosts && exec "$@"', "sh")


def ask(user, status, method, path, *body):
    answer = user.request(method, path, *body)
    assert answer.status == status, answer
    return answer.json


def attempt(user, webhook):
    """A new event's first attempt."""
    event = ask(user, 202, "POST", f"/webhooks/{webhook['id']}/test")["event_id"]

    def found():
        deliveries = ask(user, 200, "GET", f"/webhooks/{webhook['id']}/deliveries")["deliveries"]
        return next((one["attempts"][0] for one in deliveries if one["event_id"] == event and one["attempts"]), None)
    return wait_for(found, "the attempt", interval_s=0.02)


def test_https_is_verified(servers, tmp_path):
    certificates = Certificates(tmp_path)
    redis_server = servers.redis()
    user = BotsUser(Admin(servers.node(
        redis_server, WEBHOOK_ALLOW="127.0.0.0/8,::1", WEBHOOK_CERTIFICATES=certificates.authority)))
    with Receiver(certificate=certificates.own) as receiver:
        # The name in the certificate, and another one of the same machine.
        for host, is_taken in (("localhost", True), ("127.0.0.1", False)):
            made = attempt(user, ask(user, 201, "POST", "/webhooks", {"url": receiver.url(host=host)}))
            assert (made["outcome"] == "delivered") == is_taken, made
            assert is_taken or "certificate" in made["problem"], made
        assert len(receiver.deliveries) == 1


def test_a_receiver_that_speaks_http_2(servers, tmp_path):
    certificates = Certificates(tmp_path)
    user = BotsUser(Admin(servers.node(
        servers.redis(), WEBHOOK_ALLOW="127.0.0.0/8,::1", WEBHOOK_CERTIFICATES=certificates.authority)))
    with HTTP2Receiver(certificates.own) as receiver:
        webhook = ask(user, 201, "POST", "/webhooks", {"url": receiver.url(host="localhost")})
        made = [attempt(user, webhook) for _ in range(3)]
        assert [(one["outcome"], one["status_code"]) for one in made] == [("delivered", 200)] * 3
        told = receiver.of_type("webhook.test")
        assert len({delivery.event_id for delivery in told}) == 3
        assert all(delivery.headers["webhook-id"] == delivery.event_id for delivery in told)
        assert list(receiver.streams.values()) == [3], "one connection has them all"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a node names of its own, for which it has to be root")
def test_a_name_that_comes_to_lead_elsewhere(servers, tmp_path):
    """It was allowed, and taken, when it led to another address."""
    hosts = tmp_path / "hosts"
    node = servers.node(servers.redis(), start=False, WEBHOOK_ALLOW="127.0.0.2")
    node.arguments = [*WITH_NAMES, *node.arguments]
    node.environment["HOSTS"] = str(hosts)
    port = free_port()
    with Receiver(address=("127.0.0.2", port)) as receiver, Receiver(address=("127.0.0.1", port)) as private:
        hosts.write_text("127.0.0.2 hooks.example.com\n")
        user = BotsUser(Admin(node.start()))
        webhook = ask(user, 201, "POST", "/webhooks", {"url": receiver.url(host="hooks.example.com")})
        assert attempt(user, webhook)["outcome"] == "delivered"
        node.kill()
        for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1"):
            hosts.write_text(f"{address} hooks.example.com\n")
            node.start()
            made = attempt(user, webhook)
            assert (made["outcome"], made["problem"]) == ("blocked", "its address is not one of the internet"), made
            node.kill()
        # One that leads to several is told at the one that is allowed alone.
        hosts.write_text("127.0.0.1 hooks.example.com\n127.0.0.2 hooks.example.com\n")
        node.start()
        assert attempt(user, webhook)["outcome"] == "delivered"
        assert private.deliveries == [] and len(receiver.deliveries) == 2
