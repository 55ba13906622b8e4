"""How long users wait: from a fault to the first bot that its workspace gets."""

import math

DISPATCHED = {"create_bot": (201,), "reinvite": (202,)}


def is_dispatch(operation):
    return operation.status in DISPATCHED.get(operation.kind, ())


def waits_ms(history, since_ns):
    """For each workspace: ms from `since_ns` to the answer that first told one of its users, who asked after that, of
    a bot on its way; None for a workspace that got none in the rest of the run."""
    found = {}
    for workspace_id in history.limits:
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
            found.setdefault(fault.name, []).extend(waits_ms(history, fault.injected_ns).values())
    return found


def quiet_waits(histories):
    """The same from moments of the aftermath, when no fault is there: what the clients' own pace amounts to."""
    return [wait for history in histories if history.quiet_ns for wait in waits_ms(history, history.quiet_ns).values()]


def percentile(values, share):
    """Of some sorted values, the least that at least this share of them does not exceed."""
    return values[max(1, math.ceil(share * len(values))) - 1]


def met(history, fault):
    """How many operations were under way, or sent, while a fault lasted."""
    return sum(operation.sent_ns <= (fault.healed_ns or fault.injected_ns)
               and (operation.answered_ns or operation.sent_ns) >= fault.injected_ns
               for operation in history.operations)
