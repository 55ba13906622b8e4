"""The settings of a run: timeouts so short that a run sees many of each; and the bounds that follow from them."""

# How `--archive` names Redis itself.
KEPT_IN_REDIS = "redis:"

# In milliseconds, but for max_attempts and, of several servers, `deployment` and `wait_replicas`.
SETTINGS = {
    "lease_ttl": 1500,
    "lock_ttl": 600,
    "in_flight_ttl": 4000,
    "stop_grace": 2500,
    "redis_timeout": 500,
    "request_timeout": 2000,
    "drain_timeout": 1000,
    "join_timeout": 3000,
    "max_attempts": 3,
    # Of planned meetings: how long before their time a bot is sent, and how long after it none is any more.
    "join_lead": 1000,
    "join_late": 20_000,
    # Of calendars: after how long a feed is read again, and for how long it is the node's that has begun with it, which
    # follows from the former.
    "calendar_sync": 1_000,
    "calendar_lease": 6_000,
    # After how long what was said in a meeting that is over moves to the archive.
    "archive_after": 8_000,
}

# Where Redis is several servers: a lease lives for several times as long as a failover takes, as it does by default,
# and a change of everything that waits for replicas has the time for that.
OF_SEVERAL = {
    "lease_ttl": 4500, "lock_ttl": 1000, "in_flight_ttl": 8000, "redis_timeout": 1000, "request_timeout": 3000,
}
# Where bots attend: what a browser on a busy machine needs to come into a room, and to leave it.
OF_BROWSERS = {"join_timeout": 30_000, "stop_grace": 10_000}
WAIT_MS = 400
# After this long without an answer a server is taken for down; and how old the last word of a replica may be for it to
# count (min-replicas-max-lag).
DOWN_MS = 1500
MAX_LAG_S = 2

# What the service has no setting for, in ms.
ASKING = 2000 + 250  # Sentinels for the primary, where some do not answer.
SEGMENTS_READ = 10_000  # The deadline of a blocking read of segments, on a connection that has silently died.
SEGMENTS_TAKEOVER = 10_000 + 10_000 // 3  # Until another node takes over a dead one's segments, looking as often.
ANALYZING_GRACE = 5000  # Until the sweep finalises a record that the node with the last report did not.
REPORT_RETRY = 15_000 + 5000  # A bot's longest pause between two tries of a report, and its patience with the last one.
BOT_PATIENCE = 2000 + 5000  # A bot's with Redis at its start, and its longest pause at its end.
# For a busy machine: starting processes, and the machine's own looking.
SLACK = 5000


def _bounds():
    """(SWEEP_PAUSE, AGREEMENT, EMPTINESS) as they follow from SETTINGS."""
    # Between two sweeps of a node, at most.
    sweep_pause = max(50, min(2000, SETTINGS["lease_ttl"] // 5))
    # The longest back-off of a connection to Redis, and its login.
    reconnection = 2000 + SETTINGS["redis_timeout"] + (ASKING if SETTINGS.get("deployment") else 0)
    # From a bot's claim until it is in the room, or is given up: it is looked at with each renewal, and then told to
    # end.
    slowest_bot = SETTINGS["join_timeout"] + SETTINGS["lease_ttl"] // 3 + SETTINGS["stop_grace"]
    # After the last fault is healed, until each bot in a room is of a LIVE record and the other way round: everything
    # reconnects, what was dispatched is lost or expires and is sent again as often as it may, and the last one reports.
    agreement = (reconnection + SETTINGS["in_flight_ttl"] + SETTINGS["lease_ttl"] + sweep_pause + slowest_bot
                 + BOT_PATIENCE + REPORT_RETRY + SETTINGS["stop_grace"] + SLACK)
    # After every bot was stopped, until nothing at all is left: the bots end within the grace or by the end of their
    # lease, the runner tells it, the segments that a dead node had read are taken over, and the records that they
    # changed are finalised.
    emptiness = (SETTINGS["stop_grace"] + BOT_PATIENCE + SETTINGS["lease_ttl"] + sweep_pause + REPORT_RETRY
                 + SEGMENTS_READ + SEGMENTS_TAKEOVER + ANALYZING_GRACE + sweep_pause + SLACK)
    return sweep_pause, agreement, emptiness


_OF_ONE = dict(SETTINGS)
SWEEP_PAUSE, AGREEMENT, EMPTINESS = _bounds()


def use(deployment, wait_replicas, is_attending=False, others=None):
    """Sets all of this for a kind of deployment, and of bots. `others`: timeouts in ms that are other than the machine's."""
    global SWEEP_PAUSE, AGREEMENT, EMPTINESS
    SETTINGS.clear()
    SETTINGS.update(_OF_ONE)
    if deployment != "standalone":
        SETTINGS.update(OF_SEVERAL, deployment=deployment, wait_replicas=wait_replicas, max_lag=1000 * MAX_LAG_S)
    if is_attending:
        SETTINGS.update(OF_BROWSERS)
    SETTINGS.update(others or {})
    SWEEP_PAUSE, AGREEMENT, EMPTINESS = _bounds()


def of_service():
    """The settings of nodes and runners alike, as environment variables without their prefix."""
    return {
        "LEASE_TTL_MS": SETTINGS["lease_ttl"], "REDIS_TIMEOUT_MS": SETTINGS["redis_timeout"],
        "MAX_ATTEMPTS": SETTINGS["max_attempts"], "REDIS_WAIT_REPLICAS": SETTINGS.get("wait_replicas", 0),
        "REDIS_WAIT_MS": WAIT_MS,
    }


def of_node():
    return {
        **of_service(), "LOCK_TTL_MS": SETTINGS["lock_ttl"], "IN_FLIGHT_TTL_MS": SETTINGS["in_flight_ttl"],
        "REQUEST_TIMEOUT_MS": SETTINGS["request_timeout"], "DRAIN_TIMEOUT_MS": SETTINGS["drain_timeout"],
        "WEBHOOK_ALLOW": "127.0.0.1", "JOIN_LEAD_MS": SETTINGS["join_lead"], "JOIN_LATE_MS": SETTINGS["join_late"],
        "CALENDAR_SYNC_MS": SETTINGS["calendar_sync"],
    }


def of_runner():
    return {
        **of_service(), "STOP_GRACE_MS": SETTINGS["stop_grace"],
        "JOIN_TIMEOUT_MS": SETTINGS["join_timeout"], "WAITING_ROOM_TIMEOUT_MS": 1500,
        "NO_ONE_JOINED_TIMEOUT_MS": 1500, "SIMULATE_JOIN_MS": 100, "SIMULATE_LOBBY_MS": 100,
        "SIMULATE_SEGMENT_MS": 300,
    }


def of_history():
    """What the checkers are told."""
    return {**SETTINGS, "agreement": AGREEMENT, "emptiness": EMPTINESS, "sweep_pause": SWEEP_PAUSE}
