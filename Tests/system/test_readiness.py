"""Readiness, the notice before a stop, and nodes and runners that are there before their Redis."""

import contextlib
import json
import secrets
import signal
import subprocess
import time

from harness.background import InBackground
from harness.http_client import Connection, request_bytes
from harness.node import BINARY
from harness.waiting import wait_for
from harness.workspace import Admin

# What balancers and people go by: a change of these words is a change of the interface.
READY = (200, {"status": "ready"})


def readiness(node):
    answer = node.request("GET", "/readyz")
    assert answer.header("Content-Type") == "application/json"
    return answer.status, answer.json


def reason(node):
    """Why the node is not ready; None if it is."""
    status, body = readiness(node)
    if (status, body) == READY:
        return None
    assert status == 503 and body["status"] == "unready" and body["detail"].endswith("."), body
    return body["reason"]


def test_readiness_follows_redis(servers):
    """Ready; not while Redis is away or silent; ready again by itself. The node is alive all the while."""
    server = servers.redis()
    node = servers.node(server, REDIS_TIMEOUT_MS=300)
    wait_for(lambda: readiness(node) == READY, "a ready node")
    server.kill()
    wait_for(lambda: reason(node) == "redis_unreachable", "a node that cannot reach Redis")
    assert node.is_healthy()
    server.start()
    wait_for(lambda: reason(node) is None, "readiness when Redis is back")
    for _ in range(10):
        server.pause()
        try:
            seen = wait_for(lambda: reason(node), "a node that notices the silence")
            assert node.is_healthy()
        finally:
            server.resume()
        wait_for(lambda: reason(node) is None, "readiness after the pause")
        # Silent first; then the connection is given up: if that is what was seen, the test was slow to look.
        if seen != "redis_unreachable":
            break
    assert seen == "redis_silent"


def test_every_loop_must_reach_redis(servers):
    """A loop that is not connected yet would refuse the requests that come to it, so a node waits for all of its own."""
    proxy = servers.proxy(servers.redis())
    held = proxy.hold(lambda command: b"usher-serve-1" in command)
    node = servers.node(proxy, start=False, LOOPS=2, REDIS_TIMEOUT_MS=60_000)
    node.spawn()
    held.wait_until_struck("the login of the second loop")
    wait_for(lambda: node.said("Connected to Redis"), "the login of the first loop")
    # Each on a connection of its own, which the kernel gives to either loop.
    assert {reason(node) for _ in range(20)} == {"redis_unreachable"}
    held.release()
    wait_for(lambda: reason(node) is None, "a ready node")


def test_a_crowd_of_probes_costs_redis_a_few_pings(servers):
    server = servers.redis()
    node = servers.node(server)
    wait_for(lambda: reason(node) is None, "a ready node")
    before, started = server.calls("ping"), time.monotonic()
    probe = request_bytes("GET", "/readyz", {}, {})

    def crowd():
        connection = Connection(node.port)
        statuses = []
        for _ in range(100):
            connection.send(probe)
            statuses.append(connection.receive().status)
        connection.close()
        return statuses

    answers = [status for thread in [InBackground(crowd) for _ in range(8)] for status in thread.answer]
    elapsed = time.monotonic() - started
    assert answers == [200] * 800
    pings = server.calls("ping") - before
    # An answer counts for 100 ms; the housekeeping's and the examination's PINGs come on top.
    assert pings <= elapsed * 10 + 5 + 110, f"{pings} PINGs in {elapsed:.1f} s"


def test_sigterm_gives_notice_and_serves_on(servers):
    """Not ready at once, everything served as before, new connections too; a second signal ends the wait."""
    server = servers.redis()
    node = servers.node(server, DRAIN_DELAY_MS=600_000)
    workspace = Admin(node).create_workspace()
    kept = Connection(node.port)
    meetings = [workspace.create_meeting() for _ in range(3)]
    node.signal(signal.SIGTERM)
    wait_for(lambda: reason(node) == "draining", "the notice")
    assert workspace.reinvite(meetings[0]).status == 202
    kept.send(request_bytes("POST", workspace.reinvite_path(meetings[1]), {}, workspace.headers()))
    answer = kept.receive()
    assert answer.status == 202 and answer.header("Connection") is None, answer
    node.signal(signal.SIGTERM)
    assert node.wait() == 0, node.log
    assert len(node.said("Stopping: not ready any more, and serving on")) == 1


def test_the_notice_ends_by_itself(servers):
    server = servers.redis()
    node = servers.node(server, DRAIN_DELAY_MS=300)
    started = time.monotonic()
    node.signal(signal.SIGTERM)
    wait_for(lambda: node.said("Stopping: not ready any more, and serving on"), "the notice")
    assert node.wait() == 0, node.log
    assert time.monotonic() - started >= 0.3


def test_ctrl_c_waits_for_no_balancer(servers):
    node = servers.node(servers.redis(), DRAIN_DELAY_MS=600_000)
    node.signal(signal.SIGINT)
    assert node.wait() == 0, node.log
    assert not node.said("Stopping: not ready any more, and serving on")


def probe(*arguments):
    done = subprocess.run([BINARY, "probe", *arguments], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def test_probe_is_a_health_check(servers):
    server = servers.redis(start=False)
    node = servers.node(server, start=False)
    port = ["--port", str(node.port)]
    assert probe(*port)[0] == 1
    node.spawn()
    wait_for(node.is_healthy, "a node")
    assert probe(*port) == (0, "")
    status, said = probe("/readyz", *port)
    assert status == 1 and '"redis_unreachable"' in said
    assert probe("readyz", *port)[0] == 2
    server.start()
    wait_for(lambda: probe("/readyz", *port) == (0, ""), "a ready node")


def test_everything_may_be_there_before_redis(servers):
    """A node and a runner wait, say so once, and say when Redis is there; the first bot then runs."""
    server = servers.redis(start=False)
    node = servers.node(server, start=False)
    node.spawn()
    runner = servers.runner(server, node, start=False)
    runner.spawn()
    for process in (node, runner):
        wait_for(lambda: process.said("No connection to Redis; trying again"), f"{process.name}'s word that it waits")
    wait_for(lambda: reason(node) == "redis_unreachable", "a node that is not ready")
    server.start()
    for process in (node, runner):
        wait_for(lambda: process.said("Connected to Redis"), f"{process.name}'s word that Redis is there")
    wait_for(lambda: reason(node) is None, "a ready node")
    workspace = Admin(node).create_workspace()
    assert workspace.reinvite(workspace.create_meeting()).status == 202
    wait_for(lambda: runner.started, "the first bot")
    # Each of a process's connections says it once, however often it tries, or twice if there is a socket by then that
    # nobody listens at.
    assert len(node.said("No connection to Redis; trying again")) <= 6
    assert len(runner.said("No connection to Redis; trying again")) <= 4


def test_a_new_node_serves_from_its_first_answer_on(servers):
    """One that was killed may be back before a balancer has missed it, and gets requests at once. It waits for Redis no
    longer than 0.2 s, so that on a slow machine a node may have to begin without it; without that wait, none could
    answer from its records while Redis is this late."""
    late = servers.proxy(servers.redis())
    late.delay(0.02)
    statuses = []
    while not statuses or (statuses[-1] != 401 and len(statuses) < 40):
        node = servers.node(late, start=False, LOOPS=2)
        node.spawn()

        def first_status():
            try:
                return node.request("GET", "/api/v1/public/meeting/unknown/meetings",
                                    headers={"X-API-Key": "unknown"}).status
            except OSError:
                return None

        statuses.append(wait_for(first_status, "the first answer", interval_s=0.001))
        node.end()
    assert set(statuses) <= {401, 503} and statuses[-1] == 401, statuses


def test_redis_that_loads_its_data(servers):
    """LOADING is waited for, as long as it takes."""
    server = servers.redis(durable=True)
    for number in range(200):
        server.client.call("SET", f"filler:{number}", secrets.token_hex(400))
    # Redis answers while it loads a snapshot, and not while it runs the commands after it.
    server.client.call("BGREWRITEAOF")
    wait_for(lambda: "aof_rewrite_in_progress:0" in server.client.call("INFO", "persistence")
             and "aof_rewrite_scheduled:0" in server.client.call("INFO", "persistence"), "the snapshot")
    server.kill()
    # Microseconds a key, and how often Redis answers meanwhile.
    server.arguments += ["--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024"]
    server.spawn()
    node = servers.node(server, start=False)
    node.spawn()
    wait_for(lambda: any(line["reason"].startswith("LOADING") for line in
                         node.said("No connection to Redis; trying again")), "a node that sees the loading")
    assert reason(node) == "redis_unreachable"
    with contextlib.closing(server.connect()) as client:
        client.call("CONFIG", "SET", "key-load-delay", 0)
    wait_for(lambda: reason(node) is None, "a ready node once the data is loaded")


def test_a_wrong_password_is_the_end(servers):
    """Waiting would not help, and whoever starts it, a person or a container's restart policy, must see it."""
    server = servers.redis()
    server.client.call("CONFIG", "SET", "requirepass", "the password")
    node = servers.node(server.url.replace("redis+unix://", "redis+unix://:wrong@"), start=False)
    node.spawn()
    assert node.wait() == 1
    assert "Redis refuses this node: WRONGPASS" in node.log and "wrong@" not in node.log
    runner = servers.runner(server, node, start=False, REDIS=node.environment["USHER_REDIS"])
    runner.spawn()
    assert runner.wait() == 1
    for process, name in [(node, "node"), (runner, "runner")]:
        # Whoever collects the log can read this line like the others.
        lines = [json.loads(line) for line in process.log.splitlines()]
        errors = [line["message"] for line in lines if line["level"] == "error"]
        assert len(errors) == 1 and errors[0].startswith(f"Redis refuses this {name}: WRONGPASS"), process.log
