"""Two bounded runs of the machine itself, each of a few faults of different kinds."""

import pytest

from checkers import check_all
from history import now_ns
from machine import clients, places
from machine.run import run

SECONDS = 10
RUNS = {
    1: ("node-kill", "redis-kill", "runner-pause", "bot-kill"),
    2: ("node-pause", "runner-tree-kill", "redis-script-flush", "supervisor-kill"),
}


@pytest.fixture(scope="module", params=RUNS)
def chaos(request):
    """(names of the faults, the run's history)"""
    begun_ns = now_ns()
    history = run(request.param, SECONDS, faults=RUNS[request.param])
    assert begun_ns < history.quiet_ns < history.looked_ns < now_ns()
    return RUNS[request.param], history


def test_nothing_is_violated(chaos):
    _, history = chaos
    found = check_all(history)
    assert not found, "\n".join(map(str, found))


def test_every_fault_is_injected_and_healed(chaos):
    names, history = chaos
    assert {fault.name for fault in history.faults} <= set(names)
    # What these seeds draw first does not last for as long as the faults do in all.
    assert len({fault.name for fault in history.faults}) >= 2
    assert all(fault.injected_ns < fault.healed_ns <= history.quiet_ns for fault in history.faults)


def test_clients_ask_and_collide_and_give_up(chaos):
    _, history = chaos
    assert {operation.kind for operation in history.operations} == set(clients.KINDS)
    assert {operation.outcome for operation in history.operations} == {"ok", "failed", "unknown"}
    codes = {operation.code for operation in history.operations}
    assert codes & {12103, 12104, 12106, 12107}, codes
    assert {operation.node for operation in history.operations} == {"node1", "node2", "node3"}
    assert {operation.arguments.get("manner") for operation in history.operations} == {None, "half", "deaf"}


def test_bots_are_seen(chaos):
    _, history = chaos
    dispatched = {event.bot_id for event in history.events if event.what in ("dispatched", "restarted", "replaced")}
    assert len(history.stays) > 5 and {stay.bot_id for stay in history.stays} <= dispatched
    assert {segment.bot_id for segment in history.acknowledged} <= {stay.bot_id for stay in history.stays}
    assert history.acknowledged and len(history.limits) == len(places.LIMITS)
    planners = {plan.workspace_id for plan in history.planned}
    calendars = {event.workspace_id for event in history.calendar_events}
    assert {meeting.workspace_id for meeting in history.meetings} - calendars == set(history.limits) | planners
    assert len(calendars) == 1 and not calendars & planners
    # Some of the bots came by themselves.
    assert len(planners) == 1 and any(event.why == "plan" for event in history.events)


def test_processes_are_sampled(chaos):
    _, history = chaos
    assert {sample.process for sample in history.samples} == {
        "redis", "node1", "node2", "node3", "runner1", "runner2"}
    for sample in history.samples:
        assert sample.descriptors >= sample.connections >= 0 and sample.resident_bytes > 0
