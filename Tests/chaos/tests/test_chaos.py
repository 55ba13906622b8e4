"""Two bounded runs of the machine itself, each of a few faults of different kinds."""

import collections

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


def seen(history):
    """What a run is of no use without, and whether it has that: {what: bool}. A busy machine takes longer for it."""
    operations = history.operations
    return {
        "faults of two kinds": len({fault.name for fault in history.faults}) >= 2,
        "every kind of request": {operation.kind for operation in operations} == set(clients.KINDS),
        "every outcome": {operation.outcome for operation in operations} == {"ok", "failed", "unknown"},
        "a refusal": bool({operation.code for operation in operations} & {12103, 12104, 12106, 12107}),
        "every node": {operation.node for operation in operations} == {"node1", "node2", "node3"},
        "clients that give up": {
            operation.arguments.get("manner") for operation in operations} == {None, "half", "deaf"},
        "bots": len(history.stays) > 5,
        "what bots heard": bool(history.acknowledged),
        "plans": bool(history.planned),
        "a calendar": len({event.workspace_id for event in history.calendar_events}) == 1,
        "samples": {sample.process for sample in history.samples} == {
            "redis", "node1", "node2", "node3", "runner1", "runner2"},
    }


@pytest.fixture(scope="module", params=RUNS)
def chaos(request):
    """(names of the faults, the run's history)"""
    begun_ns = now_ns()
    history = run(request.param, SECONDS, faults=RUNS[request.param],
                  is_enough=lambda history: all(seen(history).values()))
    assert begun_ns < history.quiet_ns < history.looked_ns < now_ns()
    return RUNS[request.param], history


def test_it_shows_what_it_is_for(chaos):
    _, history = chaos
    missing = [what for what, is_seen in seen(history).items() if not is_seen]
    assert missing == [], (
        f"{len(history.stays)} stays; {collections.Counter((event.what, event.why) for event in history.events)}; "
        f"{collections.Counter((operation.kind, operation.status) for operation in history.operations)}")


def test_nothing_is_violated(chaos):
    _, history = chaos
    found = check_all(history)
    assert not found, "\n".join(map(str, found))


def test_every_fault_is_injected_and_healed(chaos):
    names, history = chaos
    assert {fault.name for fault in history.faults} <= set(names)
    assert all(fault.injected_ns < fault.healed_ns <= history.quiet_ns for fault in history.faults)


def test_bots_are_seen(chaos):
    _, history = chaos
    dispatched = {event.bot_id for event in history.events if event.what in ("dispatched", "restarted", "replaced")}
    assert {stay.bot_id for stay in history.stays} <= dispatched
    assert {segment.bot_id for segment in history.acknowledged} <= {stay.bot_id for stay in history.stays}
    assert len(history.limits) == len(places.LIMITS)
    planners = {plan.workspace_id for plan in history.planned}
    calendars = {event.workspace_id for event in history.calendar_events}
    assert {meeting.workspace_id for meeting in history.meetings} - calendars == set(history.limits) | planners
    assert len(planners) == 1 and not calendars & planners
    # What the end of the run waits for.
    assert any(event.why == "plan" for event in history.events)
    assert history.told and history.operators_told


def test_processes_are_sampled(chaos):
    _, history = chaos
    for sample in history.samples:
        assert sample.descriptors >= sample.connections >= 0 and sample.resident_bytes > 0
