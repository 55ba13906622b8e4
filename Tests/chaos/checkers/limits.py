"""The limit of a workspace is never passed, nor is it pretended.

The bots that count are those that have not ended, by the events, which are in Redis' own order; so this needs no
clock. The limit is the Bots API's: a re-invitation is not refused by it, though its bots count. So no create_bot is
accepted while as many bots are there as may be; and a 429 needs a moment between sending and answer at which that was
so.
"""

from checkers.failovers import is_out_of_date
from checkers.requests import described, may_have_caused
from checkers.table import DISPATCHES, ENDS
from checkers.timeline import Timeline
from history import Violation


def check(history):
    return list(_violations(history))


def _violations(history):
    timeline = Timeline(history)
    for workspace_id, limit in history.limits.items():
        events = timeline.workspaces.get(workspace_id, [])
        operations = [operation for operation in history.operations if operation.workspace_id == workspace_id]
        counts = _counts(events)
        yield from _passed(workspace_id, limit, events, counts, operations)
        # An event that nobody can place may be of a bot that counts.
        if not timeline.unplaced:
            yield from _pretended(history, limit, [timeline.clock.interval(event.time_ms) for event in events], counts,
                                  operations)


def _counts(events):
    """How many bots there were before each event, and after the last."""
    counts, bots = [0], {}
    for event in events:
        if event.what in (*DISPATCHES, "replaced"):
            bots[event.meeting_id] = event.bot_id
        elif event.what in ENDS:
            bots.pop(event.meeting_id, None)
        counts.append(len(bots))
    return counts


def _passed(workspace_id, limit, events, counts, operations):
    for event, count in zip(events, counts):
        if event.what != "dispatched" or count < limit:
            continue
        acknowledged = any(operation.kind == "create_bot" and operation.outcome == "ok"
                           and may_have_caused(operation, event) for operation in operations)
        # A record that was not there can only come from create_bot.
        if event.origin == "/" or acknowledged:
            yield Violation("limits", workspace_id, f"create_bot sent bot {event.bot_id} (event {event.entry}) when "
                            f"{count} bots were there: {limit} are allowed")


def _pretended(history, limit, intervals, counts, operations):
    for operation in operations:
        if operation.kind != "create_bot" or operation.status != 429 or is_out_of_date(history, operation):
            continue
        first = sum(interval[1] < operation.sent_ns for interval in intervals)
        last = sum(interval[0] <= operation.answered_ns for interval in intervals)
        most = max(counts[first:last + 1])
        if most < limit:
            yield Violation("limits", operation.room, f"{described(operation)}, but at most {most} bots were there "
                            f"meanwhile: {limit} are allowed")
