import Metrics
import Redis

/// What a runner counts, from its beginning on.
///
/// `@unchecked Sendable`: belongs to the thread of the runner's loop.
public final class RunnerMetrics: @unchecked Sendable {
    /// Leases that Redis renewed, one a bot and round.
    public internal(set) var renewals = 0
    /// Leases that it refused to renew, since they are not this runner's any more.
    public internal(set) var refusedRenewals = 0
    /// Rounds of renewals that failed, and were tried again.
    public internal(set) var failedRenewals = 0
    public internal(set) var botsStarted = 0
    /// By why they ended, in the words of the records; `bot_failed` is a `bot_exited` that did not come to a good end.
    public internal(set) var botsEnded: [String: Int] = [:]
    /// From a dispatch, by Redis' clock, to the start of the bot's process.
    public internal(set) var dispatchToStart = Histogram(.ways)

    /// Why bots end, as `botsEnded` has it. The last two are those that lost the right to be in their rooms.
    fileprivate static let reasons = [
        "bot_exited", "bot_failed", "launch_failed", "supervisor_lost", "runner_stopped", "join_timeout", "lease_lost",
        "lease_expired",
    ]
    fileprivate static let fencing = ["lease_lost", "lease_expired"]
}

extension Runner {
    /// Bots that have not ended, by whether they were in their rooms when their leases were last renewed.
    var botCounts: (onTheirWay: Int, inTheRoom: Int) {
        loop.preconditionCurrent()
        let running = bots.values.filter { !$0.hasEnded }
        let inTheRoom = running.count { leases.wasInRoom($0.id) }
        return (running.count - inTheRoom, inTheRoom)
    }

    /// Its connections to Redis, by what they are for.
    public var clients: [(name: String, client: Client)] {
        [("records", client), ("dispatches", blocking)] + (claiming.map { [("claims", $0)] } ?? [])
            + (renewing.map { [("renewals", $0)] } ?? [])
    }
}

extension Runner: Measured {
    public static let measures: [Measure<Runner>] = [
        Measure(
            .gauge, "usher_runner_capacity",
            "How many bots this runner may run at once; once it is to stop, as many as it still runs."
        ) { $0.places },
        Measure(
            .gauge, "usher_runner_bots", by: ["state"],
            "Bots that this runner runs: starting, until they are in their rooms, and in_room."
        ) { runner in
            let bots = runner.botCounts
            return [(["starting"], bots.onTheirWay), (["in_room"], bots.inTheRoom)]
        },
        Measure(.counter, "usher_bots_started_total", "Bot processes that this runner has started.") {
            $0.metrics.botsStarted
        },
        Measure(
            .counter, "usher_bots_ended_total", by: ["reason"],
            "Bots of this runner that have ended, by why: bot_exited by themselves, bot_failed likewise without a good end."
        ) { runner in RunnerMetrics.reasons.map { ([$0], runner.metrics.botsEnded[$0] ?? 0) } },
        Measure(
            .counter, "usher_fenced_bots_total",
            "Bots that were ended because their lease was refused or ran out, so that their room can be given out."
        ) { runner in RunnerMetrics.fencing.reduce(0) { $0 + (runner.metrics.botsEnded[$1] ?? 0) } },
        Measure(
            histogram: "usher_dispatch_to_start_seconds", "From a dispatch to the start of the bot's process."
        ) { [([], $0.metrics.dispatchToStart)] },
        Measure(
            .counter, "usher_lease_renewals_total", by: ["outcome"],
            "Renewals of bots' leases: granted; refused, since the lease is no longer this runner's."
        ) { [(["granted"], $0.metrics.renewals), (["refused"], $0.metrics.refusedRenewals)] },
        Measure(
            .counter, "usher_lease_renewal_failures_total", "Rounds of renewals that Redis did not answer."
        ) { $0.metrics.failedRenewals },
    ]
}
