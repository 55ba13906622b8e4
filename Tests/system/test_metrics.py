"""`GET /metrics` of nodes and runners: that what happens is counted, exactly, and that nothing else grows."""

import re
import signal
import socket
import time

import pytest

from harness.bots_user import BotsUser
from harness.feed_server import FeedServer, feed
from harness.http_client import Connection, request, request_bytes
from harness.metrics import Scrape
from harness.receiver import Receiver
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin

REINVITE = "/api/v1/public/meeting/{workspace_id}/meetings/{meeting_id}/reinvite_bot"


@pytest.fixture
def scene_redis(servers):
    return servers.redis()


def outcomes(before, after, api):
    """What the dispatches of an API came to between two scrapes: the codes that were counted, with how often."""
    counted = {}
    for name, labels in after.series:
        labels = dict(labels)
        if name == "usher_dispatches_total" and labels["api"] == api:
            growth = after.value(name, **labels) - (before.value(name, **labels) or 0)
            if growth:
                counted[labels["code"]] = growth
    return counted


def test_each_request_is_counted_once_whichever_loop_serves_it(servers, scene_redis):
    node = servers.node(scene_redis, LOOPS=3)
    workspace = Admin(node).create_workspace()
    meetings = [workspace.create_meeting() for _ in range(4)]
    before = Scrape(node.port)
    for meeting in meetings:
        assert workspace.reinvite(meeting).status == 202
        assert workspace.reinvite(meeting).code == 12107
    assert workspace.reinvite(meetings[0], {"force_restart": 1}).status == 422
    assert workspace.reinvite(meetings[0], key="nobody's").status == 401
    after = Scrape(node.port)

    assert outcomes(before, after, "reinvite") == {"202": 4, "12107": 4, "422": 1, "401": 1}
    assert outcomes(before, after, "bots") == {}
    name, route = "usher_http_requests_total", {"method": "POST", "route": REINVITE}
    assert after.value(name, **route, status="409", code="12107") == 4
    assert after.value(name, **route, status="202", code="202") == 4
    assert after.sum(name, **route) == 10 == after.value("usher_http_request_duration_seconds_count", **route)
    # What is read from Redis may be a second old.
    def with_the_queue():
        scrape = Scrape(node.port)
        return scrape if scrape.value("usher_dispatch_queue_length") == 4 else None
    waiting = wait_for(with_the_queue, "the count of the waiting dispatches")
    assert 0 <= waiting.value("usher_dispatch_queue_oldest_age_seconds") < 600
    assert after.value("usher_event_loops") == 3 == after.value("usher_redis_connected", client="records")
    assert after.value("usher_http_connections_limit", serves="api, admin, internal, metrics") == 10_000


def test_locks(servers, scene_redis):
    node = servers.node(scene_redis, LOCK_WAIT_MS=20)
    workspace = Admin(node).create_workspace()
    meeting = workspace.create_meeting()
    lock = workspace.keys.lock
    scene_redis.client.call("SET", lock, "another's", "PX", 60000)
    assert workspace.reinvite(meeting).code == 12108
    scrape = Scrape(node.port)
    assert scrape.value("usher_lock_waits_total") == 1 == scrape.value("usher_lock_refusals_total")
    assert scrape.value("usher_lock_expiries_total") == 0
    assert outcomes(scrape, scrape, "reinvite") == {} and scrape.value(
        "usher_dispatches_total", api="reinvite", code="12108") == 1


def test_a_bots_life(servers, scene_redis):
    node = servers.node(scene_redis, METRICS_PORT=0)
    [port] = [int(line["port"]) for line in node.says("Listening", serves="metrics")]
    runner = servers.runner(scene_redis, node, METRICS_PORT=0, CAPACITY=7, LEASE_TTL_MS=15_000)
    [runner_port] = [int(line["port"]) for line in runner.says("Listening")]
    assert request(runner_port, "GET", "/healthz").status == 200
    # Whatever is shown is explained, on the scrape and by the command.
    _, explained, _ = run_usher("help", "metrics")
    idle = Scrape(runner_port)
    for scrape in (idle, Scrape(port)):
        shown = re.findall(r"^# TYPE (\w+) (\w+)$", scrape.text, re.MULTILINE)
        assert len(shown) > 15
        for name, kind in shown:
            assert re.search(rf"^  {name}(\{{.+\}})? \({kind}\)$", explained, re.MULTILINE), name
    assert idle.value("usher_runner_capacity") == 7 and idle.value("usher_bots_started_total") == 0

    user = BotsUser(Admin(node))
    meeting = user.send_bot()
    user.wait_for_status(meeting, "active")
    wait_for(lambda: Scrape(runner_port).value("usher_runner_bots", state="in_room") == 1, "the bot's being counted")
    running = Scrape(runner_port)
    assert running.value("usher_bots_started_total") == 1 == running.value("usher_dispatch_to_start_seconds_count")
    assert running.value("usher_dispatch_to_start_seconds_sum") > 0
    assert running.value("usher_lease_renewals_total", outcome="granted") > 0
    nodes = Scrape(port)
    assert nodes.value("usher_bots_running") == 1 and nodes.value("usher_dispatch_queue_length") == 0
    assert nodes.value("usher_dispatches_total", api="bots", code="201") == 1
    assert nodes.value("usher_dispatch_to_live_seconds_count") == 1
    assert nodes.value("usher_dispatch_to_live_seconds_sum") >= running.value("usher_dispatch_to_start_seconds_sum") / 2

    # Its lease is another's: the runner ends it, whatever it does.
    bot = user.bot_id(scene_redis.client, meeting)
    scene_redis.client.call("HSET", user.keys.bot(bot), "runner", "another")
    wait_for(lambda: Scrape(runner_port).value("usher_fenced_bots_total") == 1, "the end of the fenced bot")
    fenced = Scrape(runner_port)
    assert fenced.value("usher_lease_renewals_total", outcome="refused") >= 1
    assert fenced.sum("usher_bots_ended_total") == 1
    assert fenced.value("usher_runner_bots", state="in_room") == 0
    # Nobody renews it any more, so that the node's sweep ends what is left of it.
    wait_for(lambda: Scrape(port).value("usher_lease_expiries_total", outcome="ended") == 1, "the end of the lease")


def test_while_redis_is_away(servers, scene_redis):
    """What is read from Redis is left out; everything else is there, and at once."""
    node = servers.node(scene_redis, REDIS_TIMEOUT_MS=60000)
    assert Scrape(node.port).value("usher_redis_up") == 1
    cluster_wide = ["usher_dispatch_queue_length", "usher_dispatch_queue_oldest_age_seconds", "usher_bots_running"]

    def scrape_without():
        scrape = Scrape(node.port, timeout_s=30)
        assert scrape.value("usher_build_info", version="0.2.0") == 1
        if scrape.value("usher_redis_up") != 0:
            return None
        assert [scrape.value(name) for name in cluster_wide] == [None] * 3
        return scrape

    scene_redis.pause()
    silent = wait_for(scrape_without, "a scrape without Redis")
    assert silent.value("usher_redis_connected", client="records") == 1
    scene_redis.resume()
    wait_for(lambda: Scrape(node.port).value("usher_redis_up") == 1, "Redis' being back")
    scene_redis.kill()
    wait_for(lambda: Scrape(node.port).value("usher_redis_connected", client="records") == 0, "the lost connection")
    wait_for(scrape_without, "a scrape without Redis")
    scene_redis.start()
    wait_for(lambda: Scrape(node.port).value("usher_redis_up") == 1, "Redis' being back")
    back = Scrape(node.port)
    assert back.value("usher_redis_reconnections_total", client="records") >= 1
    assert back.sum("usher_redis_errors_total") > 0


def test_nothing_that_clients_choose_makes_it_grow(servers, scene_redis):
    node = servers.node(scene_redis, METRICS_PORT=0)
    [port] = [int(line["port"]) for line in node.says("Listening", serves="metrics")]
    workspace = Admin(node).create_workspace()

    def flood(begin):
        connection = Connection(node.port)
        for number in range(begin, begin + 100):
            for method in ("GET", f"M{number}", "get"):
                connection.send(request_bytes(method, f"/x{number}/../%41{number}?q={number}"))
                assert connection.receive().status in (400, 404, 405)
            connection.send(request_bytes("GET", f"/api/v1/public/meeting/w{number}/meetings/m{number}",
                                          headers={"Authorization": f"Bearer k{number}"}))
            assert connection.receive().status == 401
            connection.send(request_bytes("GET", f"{workspace.meetings_path}/{number:032x}", headers=workspace.headers()))
            assert connection.receive().status == 404
        connection.close()
        with socket.create_connection(("127.0.0.1", node.port)) as raw:
            raw.sendall(b"\x16\x03\x01 rubbish %d\r\n\r\n" % begin)
            assert raw.recv(12).startswith(b"HTTP/1.1 400")
        wait_for(lambda: Scrape(port).value("usher_http_connections", serves="api, admin, internal") == 0,
                 "the end of the connections")
        return Scrape(port)

    first, second = flood(0), flood(1000)
    assert first.series == second.series
    # Of the requests, not of the scrapes.
    counts = [scrape.sum("usher_http_requests_total") - scrape.sum("usher_http_requests_total", route="/metrics")
              for scrape in (first, second)]
    assert counts[1] - counts[0] == 501
    assert second.sum("usher_http_requests_total", route="unmatched", method="other") > 0


def test_what_a_stop_takes_and_the_process(servers, scene_redis):
    """A counter lives as long as its process, whose own figures are those of the system."""
    node = servers.node(scene_redis)
    scrape = Scrape(node.port)
    assert abs(scrape.value("process_start_time_seconds") - time.time()) < 3600
    assert 1e6 < scrape.value("process_resident_memory_bytes") < scrape.value("process_virtual_memory_bytes")
    assert 5 < scrape.value("process_open_fds") < scrape.value("process_max_fds")
    assert scrape.value("process_cpu_seconds_total") > 0
    node.signal(signal.SIGTERM)
    assert node.wait() == 0
    assert Scrape(node.start().port).value("usher_http_requests_total", method="GET", route="/metrics", status="200",
                                           code="200") is None


def test_what_is_read_of_calendars_is_counted(servers, scene_redis):
    node = servers.node(scene_redis, WEBHOOK_ALLOW="127.0.0.1", CALENDAR_SYNC_MS=3_600_000)
    user = BotsUser(Admin(node))

    def counted():
        scrape = Scrape(node.port)
        return [scrape.value("usher_calendar_syncs_total", outcome=outcome) for outcome in ("read", "unchanged", "failed")]

    assert counted() == [0, 0, 0]
    server = FeedServer()
    try:
        server.feeds["/a"] = feed()
        body = {"name": "Work", "ics_url": server.url("/a")}
        calendar = user.request("POST", "/user/calendars", body).json
        path = f"/user/calendars/{calendar['id']}/sync"
        # What is counted is noted of the calendar only after that.
        wait_for(lambda: not user.request("GET", path).json["is_syncing"], "the first reading")
        for expected in ([1, 1, 0], [1, 1, 1]):
            user.request("POST", path)
            wait_for(lambda: counted() == expected, f"the counts {expected}")
            wait_for(lambda: not user.request("GET", path).json["is_syncing"], "the end of the reading")
            server.feeds["/a"] = b"none"
    finally:
        server.end()


def test_what_nobody_can_use_of_the_stream_is_counted(servers, scene_redis):
    node = servers.node(scene_redis)
    assert Scrape(node.port).value("usher_dead_letters_total") == 0
    for payload in ("none", "{}", '{"type":"transcription","meeting_id":999999999,"segments":[]}'):
        scene_redis.client.call("XADD", "transcription_segments", "*", "payload", payload)
    count = lambda: int(scene_redis.client.call("GET", "usher:dead_letters:count") or 0)
    wait_for(lambda: Scrape(node.port).value("usher_dead_letters_total") == count() == 3, "the count of each")


def test_what_webhooks_are_told_is_counted(servers, scene_redis):
    node = servers.node(scene_redis, WEBHOOK_ALLOW="127.0.0.1")
    user = BotsUser(Admin(node))

    def attempts():
        scrape = Scrape(node.port)
        return {outcome: scrape.value("usher_webhook_attempts_total", outcome=outcome)
                for outcome in ("delivered", "queued", "failed", "blocked")}

    assert attempts() == {"delivered": 0, "queued": 0, "failed": 0, "blocked": 0}
    # What will be tried again comes as late as it can: nothing is told any more after the last.
    statuses = [200, 404, 500, 410]
    with Receiver(lambda _: (statuses.pop(0), {}, b"")) as receiver:
        made = user.request("POST", "/webhooks", {"url": receiver.url()}).json
        for count in range(1, 5):
            assert user.request("POST", f"/webhooks/{made['id']}/test").status == 202
            receiver.wait_for("webhook.test", count)
    wait_for(lambda: attempts() == {"delivered": 1, "queued": 1, "failed": 2, "blocked": 0}, "the count of each")

    def all_told():
        scrape = Scrape(node.port)
        return scrape if (scrape.value("usher_webhooks_disabled_total"), scrape.value("usher_webhook_outbox_length")) == (
            1, 0) else None
    scrape = wait_for(all_told, "the count of the one that was disabled, and an empty outbox")
    assert scrape.value("usher_webhooks_waiting") in (0, 1)
    assert scrape.value("usher_webhook_events_dropped_total") == 0
    assert scrape.value("usher_webhook_overdue_seconds") < 60
