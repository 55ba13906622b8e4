"""Nodes stopped, killed and cut off at the worst moments (docs/architecture.md, "Failures")."""

import signal
import time

import pytest

from harness.background import InBackground
from harness.envelope import assert_error
from harness.http_client import Connection, request_bytes
from harness.keys import api_key
from harness.load import Load
from harness.proxy import is_dispatch_script
from harness.waiting import wait_for
from harness.workspace import Admin

LOCK_TTL_MS = 1000
# Of a lock that a test looks at before it runs out.
SEEN_LOCK_TTL_MS = 6000
# For how long a node is stopped whose patience with Redis is no longer.
STOPPED_MS = 4000


class Pair:
    """One Redis; a node that reaches it through a proxy, and a healthy one beside it."""

    def __init__(self, servers, **settings):
        self.server = servers.redis()
        self.redis = self.server.client
        self.proxy = servers.proxy(self.server)
        self.victim = servers.node(self.proxy, **settings)
        # Which has all the patience that a busy machine takes.
        self.healthy = servers.node(
            self.server, **{name: value for name, value in settings.items() if "TIMEOUT" not in name})
        self.workspace = Admin(self.healthy).create_workspace()

    def wait_for_lock_expiry(self):
        wait_for(lambda: not self.redis.call("EXISTS", self.workspace.keys.lock), "the lock's expiry")


@pytest.fixture
def pair(servers):
    return Pair(servers, LOCK_TTL_MS=LOCK_TTL_MS)


@pytest.fixture
def pair_of_seen_locks(servers):
    return Pair(servers, LOCK_TTL_MS=SEEN_LOCK_TTL_MS, REDIS_TIMEOUT_MS=30_000, REQUEST_TIMEOUT_MS=30_000)


def attempt(call):
    """An answer, or None if the connection broke."""
    try:
        return call()
    except OSError:
        return None


def test_node_stopped_between_lock_and_script(pair_of_seen_locks):
    """Stopped for longer than its lock lives, then continued: no second dispatch."""
    pair = pair_of_seen_locks
    workspace, victim = pair.workspace, pair.victim
    meeting = workspace.create_meeting()
    held = pair.proxy.hold(is_dispatch_script)
    call = InBackground(lambda: workspace.reinvite(meeting, node=victim))
    held.wait_until_struck("the dispatch script")
    assert pair.redis.call("EXISTS", workspace.keys.lock) == 1
    victim.pause()
    pair.wait_for_lock_expiry()
    assert workspace.reinvite(meeting, node=pair.healthy).status == 202
    held.release()
    victim.resume()
    answer = call.answer
    # The lock was lost (12108), or a further attempt met the other's dispatch (12107), or time ran out (12109).
    assert (answer.status, answer.code) in {(503, 12108), (409, 12107), (500, 12109)}, answer
    assert len(meeting.dispatches(pair.redis)) == 1
    assert workspace.reinvite(meeting, node=victim).code == 12107


def test_stopped_nodes_script_never_frees_anothers_lock(pair):
    """The late script meets a lock with another token: it must neither dispatch nor take that lock away."""
    workspace = pair.workspace
    meeting = workspace.create_meeting()
    held = pair.proxy.hold(is_dispatch_script)
    call = InBackground(lambda: workspace.reinvite(meeting, node=pair.victim))
    held.wait_until_struck("the dispatch script")
    pair.victim.pause()
    pair.redis.call("SET", workspace.keys.lock, "another-token", "PX", 600000)
    held.release()
    pair.victim.resume()
    answer = call.answer
    assert (answer.status, answer.code) in {(503, 12108), (500, 12109)}, answer
    assert meeting.dispatches(pair.redis) == []
    assert pair.redis.call("GET", workspace.keys.lock) == "another-token"


def test_what_came_while_a_node_was_stopped_is_not_late(servers):
    """Its time ran out meanwhile: the answer that is there counts, and not that nobody looked."""
    pair = Pair(servers, REDIS_TIMEOUT_MS=STOPPED_MS, REQUEST_TIMEOUT_MS=60_000)
    workspace, meeting = pair.workspace, pair.workspace.create_meeting()
    held = pair.proxy.hold_answer(is_dispatch_script)
    call = InBackground(lambda: workspace.reinvite(meeting, node=pair.victim))
    held.wait_until_struck("the answer of the dispatch script")
    pair.victim.pause()
    time.sleep(STOPPED_MS / 1000)
    held.release()
    pair.proxy.settle()
    pair.victim.resume()
    assert call.answer.status == 202, call.answer
    assert len(meeting.dispatches(pair.redis)) == 1


def test_node_killed_between_lock_and_script(pair_of_seen_locks):
    """The workspace is usable again within the lock's PX, which is all that the node leaves."""
    pair, workspace = pair_of_seen_locks, pair_of_seen_locks.workspace
    meeting = workspace.create_meeting()
    held = pair.proxy.hold(is_dispatch_script)
    InBackground(lambda: attempt(lambda: workspace.reinvite(meeting, node=pair.victim)))
    held.wait_until_struck("the dispatch script")
    pair.victim.kill()
    assert 0 < pair.redis.call("PTTL", workspace.keys.lock) <= SEEN_LOCK_TTL_MS
    pair.wait_for_lock_expiry()
    assert workspace.reinvite(meeting, node=pair.healthy).status == 202
    assert len(meeting.dispatches(pair.redis)) == 1


def test_answer_of_the_script_lost(pair):
    """Redis ran the script, and the connection broke: 500/12109; the retry gets 409/12107; one entry."""
    workspace, meeting = pair.workspace, pair.workspace.create_meeting()
    lost = pair.proxy.lose_answer(is_dispatch_script)
    answer = workspace.reinvite(meeting, node=pair.victim)
    assert lost.has_struck
    assert_error(answer, 500, 12109, meeting_id=meeting.id)
    assert len(meeting.dispatches(pair.redis)) == 1
    assert_error(workspace.reinvite(meeting, node=pair.healthy), 409, 12107, meeting_id=meeting.id)
    # The node whose connection was cut reconnects by itself.
    wait_for(lambda: workspace.reinvite(meeting, node=pair.victim).status == 409, "an answer after reconnection")
    assert_error(workspace.reinvite(meeting, node=pair.victim), 409, 12107, meeting_id=meeting.id)
    assert len(meeting.dispatches(pair.redis)) == 1


def test_restart_whose_answer_was_lost(pair):
    """The same with `force_restart`: the retry meets the dispatch in flight and not a second restart."""
    workspace, meeting = pair.workspace, pair.workspace.create_meeting()
    meeting.set(pair.redis, status="OFFLINE")
    pair.proxy.lose_answer(is_dispatch_script)
    assert_error(workspace.reinvite(meeting, {"force_restart": True}, node=pair.victim), 500, 12109)
    assert workspace.reinvite(meeting, {"force_restart": True}, node=pair.healthy).code == 12107
    assert len(meeting.dispatches(pair.redis)) == 1


def test_script_that_arrives_after_the_answer(servers):
    """A command outlives the request that sent it: the outcome was unknown, and the retry is safe."""
    pair = Pair(servers, REDIS_TIMEOUT_MS=5000, LOCK_TTL_MS=60000)
    workspace, meeting = pair.workspace, pair.workspace.create_meeting()
    held = pair.proxy.hold(is_dispatch_script)
    assert_error(workspace.reinvite(meeting, node=pair.victim), 500, 12109)
    scripts = pair.server.calls("evalsha") + pair.server.calls("eval")
    held.release()
    wait_for(lambda: pair.server.calls("evalsha") + pair.server.calls("eval") > scripts, "the late script's run")
    if meeting.dispatches(pair.redis):
        assert workspace.reinvite(meeting, node=pair.healthy).code == 12107
    else:
        # The node gave its lock back over another connection before the script came, so that was void.
        pair.redis.call("DEL", workspace.keys.lock)
        assert workspace.reinvite(meeting, node=pair.healthy).status == 202
    assert len(meeting.dispatches(pair.redis)) == 1


@pytest.mark.parametrize("kind", ["lose_command", "lose_answer"])
def test_connection_cut_at_every_command(servers, pair, kind):
    """Cut before or after each command that a re-invitation sends: no hang, an honest code, one entry at most."""
    for number in range(1, 20):
        # Of a workspace of its own: sweeps ask about all that waits in one.
        pair.workspace = workspace = Admin(pair.healthy).create_workspace()
        # A node of its own for each cut, as one that was just cut off pauses before it connects again.
        victim = servers.node(pair.proxy, LOCK_TTL_MS=LOCK_TTL_MS)
        meeting = workspace.create_meeting()
        # The request's own commands: those of the node's other work go through the proxy too.
        names = [name.encode() for name in (workspace.id, meeting.id, api_key(workspace.key))]
        seen = []

        def is_wanted(command):
            if any(name in argument for name in names for argument in command):
                seen.append(command)
                return len(seen) == number
            return False

        fault = getattr(pair.proxy, kind)(is_wanted)
        answer = workspace.reinvite(meeting, node=victim)
        victim.end()
        if not fault.has_struck:
            pair.proxy.forget(fault)
            assert answer.status == 202, answer
            break
        assert_one_dispatch_after_a_retry(pair, meeting, answer, f"{kind} of {seen[-1]}")
    assert 4 < number < 19, "a re-invitation sends five commands or more"


def assert_one_dispatch_after_a_retry(pair, meeting, answer, what):
    # 202 only if the cut hit what the answer did not wait for; 503 says that nothing was tried.
    assert (answer.status, answer.status == 202 or answer.code) in {
        (202, True), (500, 12109), (503, 503)}, f"{what}: {answer}"
    if answer.status == 503:
        assert meeting.dispatches(pair.redis) == [], f"{what}: {answer}, but something was tried"
    retry = pair.workspace.reinvite(meeting, node=pair.healthy)
    if (retry.status, retry.status == 503 and retry.code) == (503, 12108):
        pair.wait_for_lock_expiry()
        retry = pair.workspace.reinvite(meeting, node=pair.healthy)
    assert (retry.status, retry.status == 202 or retry.code) in {(202, True), (409, 12107)}, f"{what}: {retry}"
    assert len(meeting.dispatches(pair.redis)) == 1, what


def test_half_open_connection(servers):
    """Nothing passes though the connection stands: an answer within the request's deadline, and recovery."""
    pair = Pair(servers, REDIS_TIMEOUT_MS=1000, REQUEST_TIMEOUT_MS=3000)
    workspace, meeting = pair.workspace, pair.workspace.create_meeting()
    pair.proxy.half_open()
    answer = workspace.reinvite(meeting, node=pair.victim)
    assert answer.status in (500, 503), answer
    assert_error(answer, answer.status, answer.code)
    pair.proxy.mend()
    wait_for(lambda: workspace.reinvite(meeting, node=pair.victim).status in (202, 409), "recovery")
    assert len(meeting.dispatches(pair.redis)) == 1


def test_script_flush_under_load(servers):
    """SCRIPT FLUSH over and over while requests come: no error reaches a client."""
    server = servers.redis()
    nodes = [servers.node(server) for _ in range(2)]
    workspaces = [Admin(nodes[0]).create_workspace() for _ in range(4)]

    def operation(number):
        workspace = workspaces[number % 4]
        node = nodes[number // 4 % 2]
        meeting = workspace.create_meeting()
        return workspace.reinvite(meeting, node=node)

    load = Load(operation, threads=4).start()
    flusher = server.connect()
    flushes = 0
    end = time.monotonic() + 300.0
    while len(load.results) < 300 and time.monotonic() < end:
        flusher.call("SCRIPT", "FLUSH")
        flushes += 1
    answers = load.stop()
    bad = [answer for answer in answers if answer.status != 202 and not (answer.status == 503 and answer.code == 12108)]
    assert not bad, f"{len(bad)} of {len(answers)} after {flushes} flushes: {bad[:3]}"
    assert len(answers) >= 300 and flushes > 100


def test_sigterm_under_load(servers):
    """Stop accepting, answer what is under way with `Connection: close`, exit 0: no answer is cut short."""
    server = servers.redis()
    node = servers.node(server)
    workspace = Admin(node).create_workspace()
    meetings = [workspace.create_meeting() for _ in range(50)]
    requests = [request_bytes("POST", workspace.reinvite_path(meeting), {}, workspace.headers())
                for meeting in meetings]

    def operation(number):
        """One keep-alive connection until the node closes it; (answers, whether one came after a close)."""
        answers = []
        try:
            connection = Connection(node.port)
        except OSError:
            return answers
        while True:
            try:
                connection.send(requests[len(answers) % len(requests)])
            except OSError:
                return answers
            try:
                answer = connection.receive()
            except ConnectionResetError:
                return answers  # The request crossed the close of an idle connection on the wire.
            if answer is None:
                return answers
            answers.append(answer)
            if (answer.header("Connection") or "").lower() == "close":
                assert connection.receive() is None, "an answer after the last one"
                return answers

    threads = [InBackground(lambda number=number: operation(number)) for number in range(8)]
    wait_for(lambda: sum(len(meeting.dispatches(server.client)) for meeting in meetings) == len(meetings),
             "the load's first fifty dispatches")
    node.signal(signal.SIGTERM)
    assert node.wait() == 0, node.log
    answers = [answer for thread in threads for answer in thread.answer]
    assert answers
    assert {answer.status for answer in answers} <= {202, 409, 503}
    assert all(answer.status != 503 or answer.code == 12108 for answer in answers)
    accepted = sum(answer.status == 202 for answer in answers)
    assert accepted <= len(meetings)
    assert all(len(meeting.dispatches(server.client)) == 1 for meeting in meetings)


def test_sigterm_answers_what_is_under_way(servers):
    """A request that is inside the node when SIGTERM comes gets its answer, with `Connection: close`."""
    server = servers.redis()
    proxy = servers.proxy(server)
    node = servers.node(proxy, REDIS_TIMEOUT_MS=60_000, REQUEST_TIMEOUT_MS=60_000, LOCK_TTL_MS=60_000,
                        DRAIN_TIMEOUT_MS=60_000)
    workspace = Admin(node).create_workspace()
    meeting = workspace.create_meeting()
    held = proxy.hold(is_dispatch_script)
    connection = Connection(node.port)
    connection.send(request_bytes("POST", workspace.reinvite_path(meeting), {}, workspace.headers()))
    held.wait_until_struck("the dispatch script")
    node.signal(signal.SIGTERM)
    wait_for(lambda: not accepts(node), "the end of accepting")
    held.release()
    answer = connection.receive()
    assert answer.status == 202, answer
    assert answer.header("Connection").lower() == "close"
    assert connection.receive() is None
    connection.close()
    assert node.wait() == 0, node.log


def accepts(node):
    try:
        Connection(node.port).close()
        return True
    except OSError:
        return False
