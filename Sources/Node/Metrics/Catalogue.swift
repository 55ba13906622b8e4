import Metrics

/// Every metric of nodes and runners: the only place for their names and what is said of them. No label grows with
/// users, records or what clients send.
public enum Catalogue {
    // MARK: Requests

    public static let requests = Metric(
        .counter, "usher_http_requests_total", labels: ["method", "route", "status", "code"],
        "Answers by route pattern, status and the API's own code, which is the status where there is no other. HEAD counts "
            + "with its route; what matches no route has the route unmatched.")
    public static let requestDurations = Metric(
        .histogram, "usher_http_request_duration_seconds", labels: ["method", "route"],
        "From the end of a request's header section to its answer.")
    public static let connections = Metric(
        .gauge, "usher_http_connections", labels: ["serves"], "Connections that are open, by what their port serves.")
    public static let connectionLimit = Metric(
        .gauge, "usher_http_connections_limit", labels: ["serves"],
        "How many connections of a port are served at once; further ones wait in the kernel's queue.")
    public static let connectionsAccepted = Metric(
        .counter, "usher_http_connections_total", labels: ["serves"], "Connections that were accepted.")

    // MARK: Live feeds

    public static let feedViewers = Metric(
        .gauge, "usher_feed_viewers",
        "What follows a meeting, or all meetings of a workspace: one for each socket, each of its subscriptions, and each "
            + "stream of events.")
    public static let feedMessages = Metric(
        .counter, "usher_feed_messages_total", "Messages told, once for each that is told one.")
    public static let feedResets = Metric(
        .counter, "usher_feed_resets_total", "Viewers who had to be told to fetch anew.")
    public static let feedsRefused = Metric(
        .counter, "usher_feeds_refused_total", "Live feeds that were refused, as their key or address had too many.")
    public static let feedsTooSlow = Metric(
        .counter, "usher_feeds_too_slow_total", "Live feeds that were ended, as their clients did not take them.")

    // MARK: Dispatches

    public static let dispatches = Metric(
        .counter, "usher_dispatches_total", labels: ["api", "code"],
        "Requests for a bot by outcome: 202 (reinvite) and 201 (bots) are accepted ones, anything else is the code of the "
            + "refusal.")
    public static let lockWaits = Metric(
        .counter, "usher_lock_waits_total", "Re-invitations that found the lock of their workspace held, and waited.")
    public static let lockRefusals = Metric(
        .counter, "usher_lock_refusals_total", "Re-invitations that did not get the lock in their time: 503 (12108).")
    public static let lockExpiries = Metric(
        .counter, "usher_lock_expiries_total",
        "Locks that expired while they were held: the script noticed, and refused.")
    public static let dispatchToLive = Metric(
        .histogram, "usher_dispatch_to_live_seconds",
        "From a dispatch to the bot's report that it is in the room, by Redis' clock.")
    public static let dispatchToStart = Metric(
        .histogram, "usher_dispatch_to_start_seconds", "From a dispatch to the start of the bot's process.")
    public static let dispatchExpiries = Metric(
        .counter, "usher_dispatch_expiries_total",
        "Dispatches that no runner claimed in their time, as this node found.")

    public static let plans = Metric(
        .counter, "usher_plans_total", labels: ["outcome"],
        "Planned meetings whose time had come, by what this node's sweep did: sent their bot, or missed.")

    public static let deadLetters = Metric(
        .counter, "usher_dead_letters_total",
        "What bots wrote into the stream of segments and nobody can use, as this node found: it is kept in "
            + "usher:dead_letters, with the reason.")

    // MARK: The whole installation

    public static let redisUp = Metric(
        .gauge, "usher_redis_up",
        "Whether Redis answered for this scrape: 1, or 0, and then the next six are left out.")
    public static let queueLength = Metric(
        .gauge, "usher_dispatch_queue_length",
        "Dispatches that no runner has claimed yet, of the whole installation: every node shows the same.")
    public static let queueAge = Metric(
        .gauge, "usher_dispatch_queue_oldest_age_seconds",
        "The age of the oldest of them, 0 if there is none, of the whole installation.")
    public static let botsLeased = Metric(
        .gauge, "usher_bots_running",
        "Bots that runners have claimed and that have not ended, of the whole installation.")

    public static let redisMemory = Metric(
        .gauge, "usher_redis_memory_bytes",
        "Memory of Redis that counts against its maxmemory, as this node's sweep last saw: of the fullest primary. 0 before "
            + "the first sweep.")
    public static let redisMemoryLimit = Metric(
        .gauge, "usher_redis_memory_limit_bytes",
        "Its maxmemory, 0 for none. Beyond it nothing new is taken; what runs goes on.")

    // MARK: Calendars

    public static let calendarSyncs = Metric(
        .counter, "usher_calendar_syncs_total", labels: ["outcome"],
        "Feeds of calendars that this node has read: `read`, `unchanged` as their servers said, or `failed`.")

    // MARK: Webhooks

    public static let webhookAttempts = Metric(
        .counter, "usher_webhook_attempts_total", labels: ["outcome"],
        "Attempts to deliver an event, of this node, by what came of them: delivered; queued, since it is tried again; "
            + "failed; blocked, since the address is private.")
    public static let webhookEventsDropped = Metric(
        .counter, "usher_webhook_events_dropped_total",
        "Events that were not filed for a webhook, as this node found, since too many waited or a record was spoilt.")
    public static let webhooksDisabled = Metric(
        .counter, "usher_webhooks_disabled_total",
        "Webhooks that were disabled by an attempt of this node: their receivers are gone, or have failed for five days."
    )
    public static let webhookOutbox = Metric(
        .gauge, "usher_webhook_outbox_length",
        "Changes of meetings that no node has filed for webhooks yet, of the whole installation: it is 0 within moments."
    )
    public static let webhooksWaiting = Metric(
        .gauge, "usher_webhooks_waiting", "Webhooks that wait to be told of something, of the whole installation.")
    public static let webhookOverdue = Metric(
        .gauge, "usher_webhook_overdue_seconds",
        "For how long the delivery that is due first has been due, of the whole installation; 0 if none is.")

    // MARK: Leases and bots

    public static let leaseExpiries = Metric(
        .counter, "usher_lease_expiries_total", labels: ["outcome"],
        "Bots whose lease ran out, as this node's sweep found, by what became of them: ended, or replaced by another.")
    public static let leaseRenewals = Metric(
        .counter, "usher_lease_renewals_total", labels: ["outcome"],
        "Renewals of bots' leases: granted; refused, since the lease is no longer this runner's.")
    public static let leaseRenewalFailures = Metric(
        .counter, "usher_lease_renewal_failures_total", "Rounds of renewals that Redis did not answer.")
    public static let fencedBots = Metric(
        .counter, "usher_fenced_bots_total",
        "Bots that were ended because their lease was refused or ran out, so that their room can be given out.")
    public static let botsStarted = Metric(
        .counter, "usher_bots_started_total", "Bot processes that this runner has started.")
    public static let botsEnded = Metric(
        .counter, "usher_bots_ended_total", labels: ["reason"], "Bots of this runner that have ended, by why.")
    public static let capacity = Metric(.gauge, "usher_runner_capacity", "How many bots this runner runs at once.")
    public static let runnerBots = Metric(
        .gauge, "usher_runner_bots", labels: ["state"],
        "Bots that this runner runs: starting, until they are in their rooms, and in_room.")

    // MARK: Redis

    public static let redisConnected = Metric(
        .gauge, "usher_redis_connected", labels: ["client"],
        "Connections to Redis that can take commands, by what they are for; one an event loop, unless it is a Cluster.")
    public static let redisCommands = Metric(
        .counter, "usher_redis_commands_total", labels: ["client"], "Commands that were sent to Redis.")
    public static let redisErrors = Metric(
        .counter, "usher_redis_errors_total", labels: ["client", "kind"],
        "Calls without a reply to use: not_connected and overloaded were not sent; connection_lost and deadline_passed may "
            + "have run; refused are error replies; not_replicated are on too few replicas.")
    public static let redisReconnections = Metric(
        .counter, "usher_redis_reconnections_total", labels: ["client"], "Connections to Redis that were made anew.")
    public static let redisDurations = Metric(
        .histogram, "usher_redis_call_duration_seconds", labels: ["client"],
        "From a call, of one or several commands, to its last reply. Not of reads that block.")

    // MARK: The process

    public static let loops = Metric(.gauge, "usher_event_loops", "Event loops, each a thread.")
    public static let loopLag = Metric(
        .histogram, "usher_event_loop_lag_seconds",
        "How late timers of event loops run, measured once a second. Up to 1 ms is the clock's rounding.")
    public static let droppedLogLines = Metric(
        .counter, "usher_log_lines_dropped_total",
        "Lines of the log that were dropped, since nobody took them from standard error or it could not be written.")
    public static let buildInformation = Metric(.gauge, "usher_build_info", labels: ["version"], "1, with the version.")
    public static let processorTime = Metric(
        .counter, "process_cpu_seconds_total", "Processor time that the process has used.")
    public static let residentMemory = Metric(.gauge, "process_resident_memory_bytes", "Memory that is resident.")
    public static let virtualMemory = Metric(.gauge, "process_virtual_memory_bytes", "Address space.")
    public static let openDescriptors = Metric(.gauge, "process_open_fds", "File descriptors that are open.")
    public static let maximumDescriptors = Metric(.gauge, "process_max_fds", "How many may be.")
    public static let threads = Metric(.gauge, "process_threads", "Threads.")
    public static let startTime = Metric(
        .gauge, "process_start_time_seconds", "When the process started, in seconds since 1970.")

    private static let redis = [redisConnected, redisCommands, redisErrors, redisReconnections, redisDurations]
    private static let http = [requests, requestDurations, connections, connectionLimit, connectionsAccepted]
    private static let process = [
        loops, loopLag, droppedLogLines, buildInformation, processorTime, residentMemory, virtualMemory,
        openDescriptors, maximumDescriptors, threads, startTime,
    ]

    /// What a node shows, in this order.
    public static let node =
        http
        + [
            dispatches, lockWaits, lockRefusals, lockExpiries, dispatchToLive, dispatchExpiries, leaseExpiries, plans,
            deadLetters,
        ]
        + [calendarSyncs, webhookAttempts, webhookEventsDropped, webhooksDisabled]
        + [feedViewers, feedMessages, feedResets, feedsRefused, feedsTooSlow]
        + [redisUp, queueLength, queueAge, botsLeased, webhookOutbox, webhooksWaiting, webhookOverdue]
        + [redisMemory, redisMemoryLimit] + redis + process

    /// What a runner shows, in this order.
    public static let runner =
        [
            capacity, runnerBots, botsStarted, botsEnded, fencedBots, dispatchToStart, leaseRenewals,
            leaseRenewalFailures,
        ] + redis + http + process
}
