"""The faults of several servers do what they say, and are healed: behind Sentinels and in a Cluster."""

import shutil
import tempfile
from types import SimpleNamespace

import pytest

import small_cluster
from faults import FAULTS
from faults.failovers import TopologyFault
from faults.fault import NoTarget
from harness.bots_user import BotsUser
from harness.deployments import SERVICE
from harness.keys import WorkspaceKeys
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code
from machine import network, settings
from machine.cluster import Cluster
from machine.deployments import ask
from machine.watch import Watch

# After how long without a word a server is taken for down, in ms: a busy one is not, and nothing but a fault has a
# replica take its primary's place.
DOWN_MS = 5000


@pytest.fixture(scope="module", params=("sentinel", "cluster"))
def several(request):
    """A cluster on several servers of Redis, and a user of it."""
    folder = tempfile.mkdtemp(prefix="usher-")
    settings.use(request.param, 0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(settings, "DOWN_MS", DOWN_MS)
        cluster = Cluster(folder, deployment=request.param)
    try:
        cluster.start()
        cluster.user = BotsUser(Admin(cluster.nodes[0]), max_concurrent_bots=1000)
        cluster.workspaces = [cluster.user.workspace_id]
        yield cluster
    finally:
        cluster.end()
        settings.use("standalone", 0)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sentinels(several):
    if several.deployment != "sentinel":
        pytest.skip("of Sentinels only")
    wait_for(several.redis.is_whole, "a Redis that is whole")
    return several


@pytest.fixture
def shards(several):
    if several.deployment != "cluster":
        pytest.skip("of a Cluster only")
    wait_for(several.redis.is_whole, "a Redis that is whole")
    return several


def inject(cluster, name, *wanted):
    """As small_cluster's, once Redis is whole: after another test's fault it may have been so in passing. Nor does a server
    that is busy, or takes nobody for fit to follow, fail over at the first word."""
    def struck():
        try:
            return small_cluster.inject(cluster, name, *wanted)
        except NoTarget as error:
            if not any(reason in str(error) for reason in ("not whole", "nobody wants to fail over")):
                raise
            return None
    return wait_for(struck, f"a Redis that is whole for {name}", interval_s=0.1)


def heal(cluster, fault):
    """Heals it, without waiting for what Redis does by itself in the end; then Redis is whole, and a bot can be sent
    through every node."""
    cluster.topology_fault = None
    fault.undo(cluster)
    cluster.redis.make_whole()
    for node in cluster.nodes:
        def sends():
            answer = cluster.user.request("POST", "/bots", {
                "platform": "google_meet", "native_meeting_id": random_meet_code()}, node=node)
            return answer.status == 201
        wait_for(sends, f"a bot that {node.name} sends", interval_s=0.1)


def wait_for_role(cluster, server, role):
    """Asked more than once: a busy server may answer too late."""
    wait_for(lambda: (cluster.redis.role(server) or [None])[0] == role, f"{server.name}'s being a {role}", interval_s=0.1)


def primaries(cluster):
    """Asked more than once, as above: of one that says nothing nobody knows whether it is one."""
    def told():
        roles = {server: cluster.redis.role(server) for server in cluster.redis.data if server.alive}
        return roles if all(roles.values()) else None
    roles = wait_for(told, "the word of every server that runs", interval_s=0.1)
    return {server.name for server, role in roles.items() if role[0] == "master"}


def test_a_deployment_has_the_faults_that_make_sense_there():
    def of(deployment):
        cluster = SimpleNamespace(deployment=deployment, network=object())
        return {name for name, fault in FAULTS.items() if fault.is_available(cluster)}
    names = {deployment: of(deployment) for deployment in ("standalone", "sentinel", "cluster")}
    of_topology = {name for name, fault in FAULTS.items() if issubclass(fault, TopologyFault)}
    assert names["standalone"] == set(FAULTS) - of_topology
    assert names["sentinel"] & of_topology == of_topology - {"slot-moved"}
    assert names["cluster"] & of_topology == of_topology - {"sentinels-down"}
    assert {"node-kill", "runner-pause", "bot-kill", "api-link-cut", "redis-script-flush"} <= names["sentinel"]
    assert not names["sentinel"] & {"redis-kill", "redis-link-cut", "redis-hold", "node-kill-after-lock"}
    assert not FAULTS["split-brain"].is_available(SimpleNamespace(deployment="sentinel", network=None))


def test_a_failover_is_asked_for(several):
    before = primaries(several)
    fault, _, detail = inject(several, "failover-asked")
    assert detail.startswith("asked of")
    wait_for(lambda: primaries(several) - before, "another primary")
    heal(several, fault)


def test_a_primary_is_killed_and_comes_back_as_what_it_is_then(several):
    before = primaries(several)
    fault, target, _ = inject(several, "primary-killed")
    [server] = [server for server in several.servers if server.name == target]
    assert target in before and not server.alive
    with pytest.raises(NoTarget, match="still lasts"):
        inject(several, "split-brain")
    wait_for(lambda: primaries(several) - before, "another primary")
    heal(several, fault)
    assert target not in primaries(several)


def test_a_primary_is_stopped_and_continued(sentinels):
    fault, target, _ = inject(sentinels, "primary-paused")
    [server] = [server for server in sentinels.servers if server.name == target]
    assert ask(server, "PING") is None
    fault.undo(sentinels)
    assert wait_for(lambda: ask(server, "PING"), "its answer") == "PONG"
    heal(sentinels, fault)


def epoch(cluster):
    """Of the configuration that the Sentinels have: each failover makes a new one."""
    def told():
        found = [ask(sentinel, "SENTINEL", "MASTER", SERVICE) for sentinel in cluster.redis.sentinels]
        return found if all(found) else None
    found = wait_for(told, "the word of every Sentinel", interval_s=0.1)
    return max(int(dict(zip(flat[::2], flat[1::2]))["config-epoch"]) for flat in found)


def test_a_replica_is_killed(sentinels):
    def unless_they_failed_over():
        first, before = epoch(sentinels), primaries(sentinels)
        fault, target, _ = inject(sentinels, "replica-killed")
        assert not sentinels.redis.is_whole()
        sentinels.topology_fault = None
        with pytest.raises(NoTarget, match="not whole"):
            small_cluster.inject(sentinels, "sentinels-down")
        heal(sentinels, fault)
        after = primaries(sentinels)
        return (before, target, after) if epoch(sentinels) == first else None
    before, target, after = wait_for(unless_they_failed_over, "the killing of a replica while nobody fails over")
    assert target not in before and after == before


@pytest.mark.skipif(not network.is_possible(), reason="only root can make a network")
def test_a_primary_is_cut_off_from_its_like_and_from_nobody_else(several):
    before = primaries(several)
    fault, target, detail = inject(several, "split-brain", "with")
    [server] = [server for server in several.servers if server.name == target]
    wait_for(lambda: primaries(several) - before, "another primary")
    wait_for_role(several, server, "master")
    if several.deployment == "sentinel":
        _, node, runner = detail.split()
        assert node.startswith("node") and runner.startswith("runner")
    heal(several, fault)
    wait_for_role(several, server, "slave")


def test_a_slot_moves(shards):
    key = WorkspaceKeys(shards.user.workspace_id).dispatch
    fault, target, detail = inject(shards, "slot-moved")
    assert target in {server.name for server in shards.redis.data} and key in detail
    assert shards.redis.owner(key)[0].name != target
    heal(shards, fault)


def test_all_sentinels_are_down(sentinels):
    fault, _, _ = inject(sentinels, "sentinels-down")
    assert not any(sentinel.alive for sentinel in sentinels.redis.sentinels)
    # What is connected goes on.
    wait_for(lambda: sentinels.user.request("GET", "/bots/status", node=sentinels.nodes[0]).status == 200,
             "an answer without Sentinels", interval_s=0.1)
    heal(sentinels, fault)


def test_bots_are_led_to_the_primary(sentinels):
    """The watch notes a failover and has the bots' proxy follow."""
    found = []
    watch = Watch(sentinels.redis, found, sentinels.follower)
    watch.look()
    before = sentinels.follower.address
    fault, _, _ = inject(sentinels, "failover-asked")

    def has_followed():
        watch.look()
        return sentinels.follower.address != before
    wait_for(has_followed, "the follower's following")
    heal(sentinels, fault)
    # The last: a busy Redis may fail over again.
    watch.look()
    failover = found[-1]
    assert failover.replica_ns < failover.primary_ns
    [primary] = primaries(sentinels)
    assert failover.server == primary
