"""The faults of nodes, runners, supervisors and bots do what they say, and are healed."""

import pytest

from faults.fault import NoTarget
from harness.process import descendants, is_running
from harness.waiting import wait_for
from small_cluster import inject, running


def state(pid):
    """The letter of a process's state, as ps shows it; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


@pytest.mark.parametrize("name", ["node-kill", "node-terminate", "runner-kill", "runner-terminate"])
def test_a_server_ends_and_is_started_again(cluster, name):
    server = getattr(cluster, name.partition("-")[0])
    before = server.pid
    fault, target, _ = inject(cluster, name)
    assert target == server.name
    wait_for(lambda: not server.alive, "the end of the server")
    fault.heal(cluster)
    assert server.alive and server.pid != before
    cluster.remove(cluster.bot_in_its_room())


@pytest.mark.parametrize("name", ["node-pause", "runner-pause"])
def test_a_server_is_stopped_and_continued(cluster, name):
    server = getattr(cluster, name.partition("-")[0])
    fault, target, _ = inject(cluster, name)
    assert target == server.name and state(server.pid) == "T"
    fault.heal(cluster)
    wait_for(lambda: state(server.pid) != "T", "the server's going on")
    cluster.remove(cluster.bot_in_its_room())


def test_every_node_is_restarted(cluster):
    before = cluster.node.pid
    fault, _, _ = inject(cluster, "rolling-restart")
    fault.heal(cluster)
    assert cluster.node.alive and cluster.node.pid != before
    cluster.remove(cluster.bot_in_its_room())


@pytest.mark.parametrize("name", ["node-kill", "node-pause", "node-terminate", "runner-kill", "runner-pause"])
def test_a_target_that_ended_meanwhile_is_no_matter(cluster, name):
    server = getattr(cluster, name.partition("-")[0])
    fault, _, _ = inject(cluster, name)
    server.kill()
    cluster.restart(server)
    running = server.pid
    fault.heal(cluster)
    assert server.alive and server.pid == running


class TestProcessesOfBots:
    @pytest.fixture(scope="class")
    def cluster(self):
        """One of long leases: its runner goes through all processes until it tells a loss, and no sweep is to be first;
        nor are bots that stand still to be ended."""
        with running(lease_ttl=60_000) as started:
            yield started

    @pytest.mark.parametrize("name, struck", [
        ("bot-kill", {"bot"}), ("supervisor-kill", {"supervisor"}), ("bot-and-supervisor-kill", {"bot", "supervisor"})])
    def test_a_bots_processes_are_killed(self, cluster, meeting, name, struck):
        [(bot_id, bot, supervisor, _)] = cluster.bots()
        fault, target, _ = inject(cluster, name)
        assert target == bot_id
        fault.heal(cluster)
        for pid in [bot] * ("bot" in struck) + [supervisor] * ("supervisor" in struck):
            wait_for(lambda: not is_running(pid), f"the end of process {pid}")
        assert cluster.wait_for_status(meeting, "failed")["completion_reason"] in ("bot_exited", "supervisor_lost")

    @pytest.mark.parametrize("name, struck", [
        ("bot-pause", {"bot"}), ("supervisor-pause", {"supervisor"}),
        ("bot-and-supervisor-pause", {"bot", "supervisor"})])
    def test_a_bots_processes_are_stopped_and_continued(self, cluster, meeting, name, struck):
        [(bot_id, bot, supervisor, _)] = cluster.bots()
        fault, target, _ = inject(cluster, name)
        assert target == bot_id
        for kind, pid in (("bot", bot), ("supervisor", supervisor)):
            if kind in struck:
                wait_for(lambda: state(pid) == "T", f"the stop of the {kind}")
            else:
                assert state(pid) != "T"
        fault.heal(cluster)
        # Long before any lease runs out: they go on, or had been ended for their silence.
        wait_for(lambda: "T" not in (state(bot), state(supervisor)), "the processes' going on")

    def test_a_whole_runner_is_stopped_and_continued(self, cluster, meeting):
        processes = [cluster.runner.pid, *descendants(cluster.runner.pid)]
        assert len(processes) == 3
        fault, target, _ = inject(cluster, "runner-and-bots-pause")
        assert target == cluster.runner.name
        for pid in processes:
            wait_for(lambda: state(pid) == "T", f"the stop of process {pid}")
        fault.heal(cluster)
        for pid in processes:
            wait_for(lambda: state(pid) != "T", f"the going on of process {pid}")
        cluster.remove(cluster.bot_in_its_room())


def test_a_whole_runner_is_killed(cluster, meeting):
    processes = [cluster.runner.pid, *descendants(cluster.runner.pid)]
    assert len(processes) == 3
    fault, target, _ = inject(cluster, "runner-tree-kill")
    assert target == cluster.runner.name
    for pid in processes:
        wait_for(lambda: not is_running(pid), f"the end of process {pid}")
    fault.heal(cluster)
    assert cluster.runner.alive
    cluster.wait_for_status(meeting, "failed")
    cluster.remove(cluster.bot_in_its_room())


def test_a_fault_without_a_target_says_so(cluster):
    wait_for(lambda: not cluster.bots(), "the end of all bots")
    with pytest.raises(NoTarget, match="there is no bot that runs"):
        inject(cluster, "bot-kill")
