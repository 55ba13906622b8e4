import Redis
import Scripts

/// How a bot ended without a terminal report.
public struct BotLoss: Sendable {
    /// `lease_expired`, `bot_exited`, `launch_failed`, ...: the record's completion_reason.
    public var reason: String
    /// Whether another bot may take its place.
    public var mayBeReplaced: Bool
    /// The runner that saw it end; nil if its lease is said to have run out.
    public var runnerID: String?
    /// For the record: `exit_code`, `exit_signal`, `error_details`, `bot_output`.
    public var fields: [String: String]

    public init(reason: String, mayBeReplaced: Bool, runnerID: String?, fields: [String: String] = [:]) {
        self.reason = reason
        self.mayBeReplaced = mayBeReplaced
        self.runnerID = runnerID
        self.fields = fields
    }
}

extension Bots {
    public enum LossOutcome: Equatable, Sendable {
        case ended(status: String, botStatus: String)
        /// A new bot is on its way in its place.
        case replaced
        /// It had ended before, or is not the meeting's current bot.
        case wasOver
        /// Its lease has not run out, or may have been renewed by the primary before this one; or it is another runner's.
        case refused
    }

    /// Notes since when the server that answers for a partition now does so: from then on it counts when a lease may be
    /// said to have run out. Also notes how full it is, and what its clock shows. Safe to repeat.
    /// - Parameter undone: what the caller has put right of what it was told, in milliseconds.
    /// - Returns: by how many milliseconds the clock was set back, until somebody has put that right.
    @discardableResult
    func notePrimary(of partition: Partition, undone: Int = 0) async throws(RedisError) -> Int {
        let (_, used, limit, back) = try await session.run(
            Scripts.NotePrimary(
                primaryKey: partition.primary, undoneMilliseconds: undone,
                leaseMilliseconds: session.configuration.leaseTimeToLiveMilliseconds))
        session.store.memory.note(RedisMemory.Reading(used: used, limit: limit), of: partition)
        return back
    }

    /// Brings a lease to the latest end that it can have, if the clock was set back since it was granted.
    func boundLease(of bot: String, in partition: Partition) async throws(RedisError) {
        _ = try await session.run(
            Scripts.BoundLease(
                leasesKey: partition.leases, botKey: partition.bot(bot), botID: bot,
                longestMilliseconds: StoreConfiguration.longestLeaseMilliseconds))
    }

    /// Ends a bot that has gone without a terminal report. Safe to repeat.
    public func lose(_ place: BotPlace, _ loss: BotLoss) async throws(RedisError) -> LossOutcome {
        let replacement = session.store.botIdentifiers.next(in: place.partition)
        let end = Scripts.LoseBot(
            life: place.life, dispatchKey: place.partition.dispatch, replacementKey: place.partition.bot(replacement),
            primaryKey: place.partition.primary, botID: place.botID, meetingID: place.meetingID,
            runner: loss.runnerID, reason: loss.reason, replaceable: loss.mayBeReplaced,
            maxAttempts: session.configuration.maximumAttempts, replacement: replacement,
            keepMilliseconds: session.configuration.endedBotTimeToLiveMilliseconds,
            maxEvents: session.configuration.maximumEvents,
            leaseMilliseconds: session.configuration.leaseTimeToLiveMilliseconds, fields: loss.fields.inOrder)
        switch try await session.run(end) {
        case .ended(let status, let botStatus): return .ended(status: status, botStatus: botStatus)
        case .replaced: return .replaced
        case .stale: return .wasOver
        case .leased, .notYours: return .refused
        }
    }

    /// Whether a bot has reported that it failed, and not since nobody let it in. Not known, and so false, once the meeting
    /// has another bot.
    public func hasFailedByItself(_ place: BotPlace) async throws(RedisError) -> Bool {
        let fields = try await session.send(
            Command("HMGET", place.partition.meeting(place.meetingID), "bot_id", "bot_status", "completion_reason")
        ).arrayOrThrow().map(\.string)
        return fields.count == 3 && fields[0] == place.botID && fields[1] == "failed"
            && fields[2]?.hasPrefix("awaiting_admission_") != true
    }

    /// Ends a dispatch that no runner claimed in its time. Safe to repeat.
    public func expireDispatch(_ place: BotPlace) async throws(RedisError) -> Scripts.ExpireDispatch.Reply {
        let expiry = Scripts.ExpireDispatch(
            life: place.life, dispatchKey: place.partition.dispatch, botID: place.botID, meetingID: place.meetingID,
            keepMilliseconds: session.configuration.endedBotTimeToLiveMilliseconds,
            maxEvents: session.configuration.maximumEvents)
        return try await session.run(expiry)
    }
}
