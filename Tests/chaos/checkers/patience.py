"""How long things may take: the bounds that follow from the settings, and how faults prolong them."""

import math

MS = 1_000_000
# What the service has no setting for, in ms: the sweep's pause at most, a connection's longest back-off with its login,
# a bot's patience with Redis and its last report, what finalising waits for, and a busy machine.
RECONNECTION = 4_000
BOT_PATIENCE = 9_000
ANALYZING_GRACE = 5_000
SLACK = 5_000


def sweep_pause_ms(settings):
    return settings.get("sweep_pause") or max(50, min(2_000, settings["lease_ttl"] // 5))


def loss_ms(settings):
    """Until a bot that has gone without a word has ended in the record: its lease runs out, and a sweep finds it."""
    return settings["lease_ttl"] + 2 * sweep_pause_ms(settings)


def fate_ms(settings):
    """From a dispatch to a bot in the room or a record that says why not: it is claimed, or sent again, while its
    in-flight key lives; the last one that was claimed joins, gives up by itself, or is lost."""
    return settings.get("agreement") or (
        settings["in_flight_ttl"] + loss_ms(settings) + RECONNECTION + BOT_PATIENCE + SLACK)


def stop_ms(settings):
    """From a stop to the end in the record: the bot leaves or is killed within the grace, or its lease runs out; then
    its runner, its last report or the sweep tells."""
    return settings["stop_grace"] + loss_ms(settings) + RECONNECTION + SLACK


def stop_in_room_ms(settings):
    """From a stop until the bot is out of the room, faults or not: its runner tells it within the grace, or cannot, and
    then its supervisor ends it with its lease."""
    return settings["stop_grace"] + settings["lease_ttl"]


def convergence_ms(settings):
    """From the last fault's healing until nothing is left over."""
    if "agreement" in settings:
        return settings["agreement"] + settings.get("emptiness", 0)
    return fate_ms(settings) + stop_ms(settings) + ANALYZING_GRACE


def deadline_ns(history, start_ns, milliseconds):
    """When a bound is over: the time during which faults last, and in which what they broke reconnects, is no part."""
    reached, left = start_ns, milliseconds * MS
    for fault in sorted(history.faults, key=lambda fault: fault.injected_ns):
        if fault.injected_ns > reached + left:
            break
        healed = math.inf if fault.healed_ns is None else fault.healed_ns + RECONNECTION * MS
        if healed > reached:
            left -= max(0, fault.injected_ns - reached)
            reached = healed
    return reached + left


def settled_ns(history, operation):
    """By when a request without an answer has had its effect, or never will: a node gives it up in its time, and Redis
    executes what it was sent once nothing keeps it from it."""
    settings = history.settings
    patience = settings.get("request_timeout", 5_000) + settings.get("redis_timeout", 2_000) + SLACK
    return deadline_ns(history, operation.sent_ns, patience)
