"""docs/architecture.md, "A meeting's state": which changes a meeting may make, as pairs of status and bot_status."""

ON_ITS_WAY = ("INITIAL/requested", "INITIAL/joining", "INITIAL/awaiting_admission", "INITIAL/needs_help")
# A bot is in the room or on its way to it: it holds the room, and counts against the limit.
RUNNING = (*ON_ITS_WAY, "LIVE/active", "STOPPING/stopping")
# Nobody has to do anything any more.
SETTLED = ("INITIAL/", "INITIAL/failed", "LIVE/active", "OFFLINE/completed", "OFFLINE/failed")
PAIRS = (*RUNNING, "INITIAL/", "INITIAL/failed", "ANALYZING/completed", "OFFLINE/completed", "OFFLINE/failed")

# What is called an event -> where it may lead from and to. "/" is no meeting at all.
_STEPS = {
    "created": {("/", "INITIAL/")},
    # Of a planned meeting: it got a time, a bot could not be sent yet, and then it was too late.
    "scheduled": {("INITIAL/", "INITIAL/")},
    "not_sent": {("INITIAL/", "INITIAL/")},
    "missed": {("INITIAL/", "INITIAL/")},
    "dispatched": {(pair, "INITIAL/requested") for pair in ("/", "INITIAL/", "INITIAL/failed")},
    "restarted": {(pair, "INITIAL/requested") for pair in ("OFFLINE/completed", "OFFLINE/failed")},
    "replaced": {(pair, "INITIAL/requested") for pair in ON_ITS_WAY},
    "joining": {("INITIAL/requested", "INITIAL/joining")},
    "awaiting_admission": {("INITIAL/joining", "INITIAL/awaiting_admission")},
    "needs_help": {("INITIAL/awaiting_admission", "INITIAL/needs_help")},
    "active": {(pair, "LIVE/active") for pair in ON_ITS_WAY[1:]},
    # A stop that was cut short is finished by the next one.
    "stopping": {(pair, "STOPPING/stopping") for pair in RUNNING},
    "completed": {
        ("LIVE/active", "ANALYZING/completed"), ("STOPPING/stopping", "ANALYZING/completed"),
        ("STOPPING/stopping", "OFFLINE/completed"), ("INITIAL/", "OFFLINE/completed")},
    "failed": {*((pair, "INITIAL/failed") for pair in ON_ITS_WAY), ("LIVE/active", "OFFLINE/failed")},
    "finalised": {("ANALYZING/completed", "OFFLINE/completed")},
}

# Events that send a bot because somebody asked for it.
DISPATCHES = ("dispatched", "restarted")
# Events that end a bot.
ENDS = ("completed", "failed")


def is_step(what, origin, to):
    return (origin, to) in _STEPS.get(what, ())
