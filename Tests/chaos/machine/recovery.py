"""How long users wait: from a fault to the first bot that its workspace gets."""

import math

from machine.waiting_users import is_one

DISPATCHED = {"create_bot": (201,), "reinvite": (202,)}


def is_dispatch(operation):
    return operation.status in DISPATCHED.get(operation.kind, ())


def waits_ms(history, since_ns):
    """For each workspace with users who wait: ms from `since_ns` to the answer that first told one of its users, who
    asked after that, of a bot on its way; None for a workspace that got none in the rest of the run."""
    found = {}
    for workspace_id in {operation.workspace_id for operation in history.operations if is_one(operation)}:
        answers = [operation.answered_ns for operation in history.operations
                   if operation.workspace_id == workspace_id and is_dispatch(operation)
                   and operation.sent_ns >= since_ns]
        found[workspace_id] = (min(answers) - since_ns) / 1e6 if answers else None
    return found


def waits_by_fault(histories):
    """{name of the fault: [ms, or None, for each injection and workspace]}."""
    found = {}
    for history in histories:
        for fault in history.faults:
            found.setdefault(fault.name, []).extend(waits_ms(history, fault.struck_ns or fault.injected_ns).values())
    return found


def calm_waits(histories):
    """The same without a fault."""
    return [wait for history in histories if history.calm_ns is not None
            for wait in waits_ms(history, history.calm_ns).values()]


def percentile(values, share):
    """Of some sorted values, the least that at least this share of them does not exceed."""
    return values[max(1, math.ceil(share * len(values))) - 1]


def met(history, fault):
    """How many operations were under way, or sent, while a fault lasted."""
    return sum(operation.sent_ns <= (fault.healed_ns or fault.injected_ns)
               and (operation.answered_ns or operation.sent_ns) >= fault.injected_ns
               for operation in history.operations)
