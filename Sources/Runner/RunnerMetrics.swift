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
    /// By why they ended, in the words of the records.
    public internal(set) var botsEnded: [String: Int] = [:]
    /// From a dispatch, by Redis' clock, to the start of the bot's process.
    public internal(set) var dispatchToStart = Histogram(.ways)

    /// Why bots end, as `botsEnded` has it. The last two are those that lost the right to be in their rooms.
    public static let reasons = [
        "bot_exited", "launch_failed", "supervisor_lost", "runner_stopped", "join_timeout", "lease_lost",
        "lease_expired",
    ]
    public static let fencing = ["lease_lost", "lease_expired"]
}

extension Runner {
    /// Bots that have not ended, by whether they were in their rooms when their leases were last renewed.
    public var botCounts: (onTheirWay: Int, inTheRoom: Int) {
        loop.preconditionCurrent()
        let running = bots.values.filter { !$0.hasEnded }
        let inTheRoom = running.count { leases.wasInRoom($0.id) }
        return (running.count - inTheRoom, inTheRoom)
    }

    /// How many bots it runs at once.
    public var capacity: Int { configuration.capacity }
}
