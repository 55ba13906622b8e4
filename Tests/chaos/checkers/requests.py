"""What a request can have done, and met, by itself: what several checkers ask of it."""

from checkers.clock import milliseconds
from checkers.table import DISPATCHES


def described(operation):
    answer = "no answer" if operation.status is None else f"{operation.status}"
    if operation.code is not None and operation.code != operation.status:
        answer += f"/{operation.code}"
    force = " force_restart" if operation.arguments.get("force_restart") else ""
    return f"request {operation.number} ({operation.kind}{force} of {operation.client} at {operation.node}: {answer})"


def without_repetitions(operations):
    """Of the accepted requests with one idempotency key the one that was answered first: all tell of the same."""
    first = {}
    for operation in operations:
        if operation.key and operation.outcome == "ok":
            known = first.setdefault(operation.key, operation)
            if operation.answered_ns < known.answered_ns:
                first[operation.key] = operation
    return [operation for operation in operations if first.get(operation.key, operation) is operation
            or operation.outcome != "ok"]


def may_have_caused(operation, event):
    """Whether a request may be why an event happened, but for their times."""
    if operation.outcome == "failed":
        return False
    is_ok = operation.outcome == "ok"
    if operation.kind == "stop":
        return event.what == "stopping"
    if operation.kind == "create_bot":
        meeting_id = operation.answer["data"]["meeting_id"] if is_ok else event.meeting_id
        return event.what == "dispatched" and event.origin in ("/", "INITIAL/") and event.meeting_id == meeting_id
    if operation.kind == "reinvite" and event.what in DISPATCHES and event.meeting_id == operation.meeting_id:
        if not is_ok:
            return event.what == "dispatched" or bool(operation.arguments.get("force_restart"))
        return event.what == operation.answer["action"] and (
            event.at_ms is None or event.at_ms == milliseconds(operation.answer["dispatched_at"]))
    return False
