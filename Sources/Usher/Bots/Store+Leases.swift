import EventLoop
import Log
import Redis
import Scripts

/// An entry of a dispatch stream.
public struct DispatchEntry: Equatable, Sendable {
    public let id: String
    public let place: BotPlace
    public let epoch: Int
    /// Milliseconds since 1970.
    public let dispatchedAt: Int

    /// - Parameter reply: an entry as XREADGROUP, XAUTOCLAIM and XRANGE return it. Nil if it is not one of ours, or was
    ///   deleted.
    public init?(_ reply: Value) {
        guard let parts = reply.array, parts.count == 2, let id = parts[0].string, let fields = try? parts[1].hash(),
            let meetingID = fields["meeting_id"], let workspaceID = fields["workspace_id"],
            let botID = fields["bot_id"], let epoch = fields["epoch"].flatMap({ Int($0) }),
            let room = fields["room"].flatMap({ Room($0) }),
            let dispatchedAt = fields["dispatched_at"].flatMap({ Int($0) })
        else { return nil }
        self.id = id
        // Entries of a node that knows nothing of traces have none.
        place = BotPlace(botID: botID, meetingID: meetingID, workspaceID: workspaceID, room: room)
            .with(trace: fields["traceparent"])
        self.epoch = epoch
        self.dispatchedAt = dispatchedAt
    }
}

/// What a lease renewal says about a bot.
public enum Renewal: Equatable, Sendable {
    /// The lease is not this runner's any more: the bot must be gone by the deadline that it was last given.
    ///
    /// Or Redis knows nothing of a claim, since a replica that lacks it has become the primary. That bot is ended too, by
    /// this very renewal, and is not given its room back where that is free: what the replica lacks of the claim it
    /// lacks of the reports as well, so the bot would be in its room while the record has it on its way, or has none
    /// that a user could stop it by. If the dispatch is still there, it sends another one, which tells all from the
    /// beginning.
    case refused
    case granted(Wanted)
}

/// What is wanted of a bot that runs.
public struct Wanted: Equatable, Sendable {
    /// Whether it is to leave.
    public let leaves: Bool
    /// Grows with each change of the following.
    public let configurationVersion: Int
    public let language: String?
    public let task: String?
    public let botName: String?
    /// Whether it has been in the room.
    public let wasInRoom: Bool
}

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

extension Store {
    // MARK: Claims

    public enum Claim: Sendable {
        /// The trace is that of the dispatch, and the wait from that to the claim, by Redis' clock.
        case claimed(Meeting, TraceContext?, waitedMilliseconds: Int)
        /// Another runner has it, or it is no longer wanted. Its entry has been removed.
        case void
    }

    /// Claims a dispatch for a runner. Safe to ask again when the answer was lost.
    /// - Parameter writesToStream: whether the bot is told to write to the segment stream. What comes from there is not
    ///   taken for another one's.
    public func claim(
        _ entry: DispatchEntry, runner: String, secret: String, container: String, writesToStream: Bool = true,
        deadline: MonotonicTime
    ) async throws(RedisError) -> Claim {
        let place = entry.place
        let keys = WorkspaceKeys(workspace: place.workspaceID)
        let partition = keys.partition
        let position = writesToStream ? try await lastSegmentEntry(by: deadline) : nil
        let claim = Scripts.Claim(
            meetingKey: partition.meeting(place.meetingID), botKey: partition.bot(place.botID),
            inflightKey: keys.inFlight(place.room), leasesKey: partition.leases, dispatchKey: partition.dispatch,
            botID: place.botID, epoch: entry.epoch, runner: runner,
            leaseMilliseconds: configuration.leaseTimeToLiveMilliseconds, secret: Digest.sha256(secret),
            entry: entry.id, container: container, usesStream: writesToStream,
            position: position)
        switch try await run(claim, by: deadline) {
        case .claimed(let claimedAt, let meeting, let traceparent, let tracestate):
            return .claimed(
                try Meeting(meeting), place.with(trace: traceparent, state: tracestate).trace,
                waitedMilliseconds: claimedAt.subtractingClamped(entry.dispatchedAt))
        case .stale, .taken, .unwanted, .expired: return .void
        }
    }

    /// The id of the last entry that the segment stream has had; nil if Redis does not say.
    private func lastSegmentEntry(by deadline: MonotonicTime) async throws(RedisError) -> String? {
        do throws(RedisError) {
            let about = try await send(Command("XINFO", "STREAM", WireNames.segmentStream), by: deadline).arrayOrThrow()
            let name = about.firstIndex { $0.string == "last-generated-id" }
            return name.flatMap { about.dropFirst($0 + 1).first?.string }
        } catch {
            guard case .refused(let text) = error else { throw error }
            return text.contains("no such key") ? "0-0" : nil
        }
    }

    /// Hands a claimed bot back that was not started.
    /// - Returns: false if it is not this runner's any more, or no longer wanted.
    public func release(
        _ place: BotPlace, runner: String, deadline: MonotonicTime
    ) async throws(RedisError) -> Bool {
        let partition = place.partition
        return try await run(
            Scripts.Release(
                meetingKey: partition.meeting(place.meetingID), botKey: partition.bot(place.botID),
                leasesKey: partition.leases, dispatchKey: partition.dispatch, botID: place.botID, runner: runner),
            by: deadline) == .released
    }

    /// Makes the group of runners of a partition's dispatch stream. Safe to repeat.
    public func makeGroup(of partition: Partition, deadline: MonotonicTime) async throws(RedisError) {
        try await makeGroup(Self.runnerGroup, of: partition.dispatch, deadline: deadline)
    }

    /// The consumer group of runners.
    public static let runnerGroup = "runners"
    /// How many entries that are out are looked at in one go.
    private static let maximumPending = 100

    /// Makes a group of any stream.
    func makeGroup(_ group: String, of stream: String, deadline: MonotonicTime) async throws(RedisError) {
        _ = try await run(Scripts.MakeGroup(streamKey: stream, group: group), by: deadline)
    }

    /// Lets entries of a stream be taken over that were given out before the clock was set back. Safe to repeat.
    func boundIdle(of stream: String, group: String, deadline: MonotonicTime) async throws(RedisError) {
        _ = try await run(
            Scripts.BoundIdle(streamKey: stream, group: group, maximum: Self.maximumPending), by: deadline)
    }

    /// Notes why a runner ends a bot, before it does: what the bot then reports does not tell. Safe to repeat.
    public func noteEnding(
        of place: BotPlace, runner: String, reason: String, deadline: MonotonicTime
    ) async throws(RedisError) {
        _ = try await run(
            Scripts.NoteEnding(botKey: place.partition.bot(place.botID), runner: runner, reason: reason), by: deadline)
    }

    /// Removes the consumers of runners that are gone from a partition's dispatch stream. Safe to repeat.
    /// - Returns: how many.
    public func removeConsumers(
        in partition: Partition, idleForMilliseconds idle: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> Int {
        try await removeConsumers(
            of: partition.dispatch, group: Self.runnerGroup, idleForMilliseconds: idle, deadline: deadline)
    }

    /// The same of any stream and group.
    func removeConsumers(
        of stream: String, group: String, idleForMilliseconds idle: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> Int {
        let removed = try await run(
            Scripts.RemoveConsumers(streamKey: stream, group: group, leastIdleMilliseconds: idle), by: deadline)
        return removed
    }

    // MARK: Leases

    /// Renews the leases of a runner's bots in one partition, in one script.
    /// - Returns: what is wanted of each, in the order of `bots`.
    public func renew(
        bots: [String], in partition: Partition, runner: String, deadline: MonotonicTime
    ) async throws(RedisError) -> [Renewal] {
        let reply = try await run(
            Scripts.Renew(
                leasesKey: partition.leases, botKeys: bots.map(partition.bot), runner: runner,
                leaseMilliseconds: configuration.leaseTimeToLiveMilliseconds, botIDs: bots),
            by: deadline)
        guard case .renewed(let answers) = reply else { return bots.map { _ in .refused } }
        guard answers.count == bots.count else { throw .unexpectedReply("renew answered for \(answers.count) bots") }
        var renewals: [Renewal] = []
        for answer in answers {
            let parts = try answer.arrayOrThrow()
            guard parts.count == 6, let desired = parts[0].string, let version = parts[1].integer else {
                renewals.append(.refused)
                continue
            }
            func text(_ index: Int) -> String? { parts[index].string.flatMap { $0.isEmpty ? nil : $0 } }
            renewals.append(
                .granted(
                    Wanted(
                        leaves: desired != "run", configurationVersion: version, language: text(2), task: text(3),
                        botName: text(4), wasInRoom: parts[5] == .integer(1))))
        }
        return renewals
    }

    // MARK: Losses

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
    /// said to have run out. Also notes how full it is. Safe to repeat.
    func notePrimary(of partition: Partition, deadline: MonotonicTime) async throws(RedisError) {
        let (_, used, limit) = try await run(Scripts.NotePrimary(primaryKey: partition.primary), by: deadline)
        memory.note(RedisMemory.Reading(used: used, limit: limit), of: partition)
    }

    /// Brings a lease to the latest end that it can have, if the clock was set back since it was granted.
    func boundLease(of bot: String, in partition: Partition, deadline: MonotonicTime) async throws(RedisError) {
        _ = try await run(
            Scripts.BoundLease(
                leasesKey: partition.leases, botKey: partition.bot(bot), botID: bot,
                longestMilliseconds: StoreConfiguration.longestLeaseMilliseconds),
            by: deadline)
    }

    /// Ends a bot that has gone without a terminal report. Safe to repeat.
    public func loseBot(
        _ place: BotPlace, _ loss: BotLoss, deadline: MonotonicTime
    ) async throws(RedisError) -> LossOutcome {
        let replacement = botIdentifiers.next(in: place.partition)
        let end = Scripts.LoseBot(
            life: place.life, dispatchKey: place.partition.dispatch, replacementKey: place.partition.bot(replacement),
            primaryKey: place.partition.primary, botID: place.botID, meetingID: place.meetingID,
            runner: loss.runnerID, reason: loss.reason, replaceable: loss.mayBeReplaced,
            maxAttempts: configuration.maximumAttempts, replacement: replacement,
            keepMilliseconds: configuration.endedBotTimeToLiveMilliseconds, maxEvents: configuration.maximumEvents,
            leaseMilliseconds: configuration.leaseTimeToLiveMilliseconds, fields: loss.fields.inOrder)
        switch try await run(end, by: deadline) {
        case .ended(let status, let botStatus): return .ended(status: status, botStatus: botStatus)
        case .replaced: return .replaced
        case .stale: return .wasOver
        case .leased, .notYours: return .refused
        }
    }

    /// Ends a dispatch that no runner claimed in its time. Safe to repeat.
    public func expireDispatch(_ place: BotPlace, deadline: MonotonicTime) async throws(RedisError)
        -> Scripts.ExpireDispatch.Reply
    {
        let expiry = Scripts.ExpireDispatch(
            life: place.life, dispatchKey: place.partition.dispatch, botID: place.botID, meetingID: place.meetingID,
            keepMilliseconds: configuration.endedBotTimeToLiveMilliseconds, maxEvents: configuration.maximumEvents)
        return try await run(expiry, by: deadline)
    }

    /// Whether a bot is none that is known any more, or ended so long ago.
    public func isOver(
        bot id: String, sinceMilliseconds: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> Bool {
        guard let partition = Partition(bot: id) else { return false }
        let replies = try await pipeline(
            [Command("HMGET", partition.bot(id), "meeting_id", "ended_at"), Command("TIME")], by: deadline)
        let (bot, time) = (try replies[0].arrayOrThrow(), try replies[1].arrayOrThrow())
        guard bot.count == 2, bot[0].string != nil else { return true }
        guard let endedAt = bot[1].string.flatMap({ Int($0) }), let seconds = time.first?.string.flatMap({ Int($0) })
        else { return false }
        return endedAt / 1_000 < seconds - sinceMilliseconds / 1_000
    }

    /// Where a bot is, by its own record; nil once that is gone.
    public func place(ofBot id: String, deadline: MonotonicTime) async throws(RedisError) -> BotPlace? {
        guard let partition = Partition(bot: id) else { return nil }
        let fields = try await send(
            Command("HMGET", partition.bot(id), "meeting_id", "workspace_id", "room", "traceparent"), by: deadline
        ).arrayOrThrow()
        guard let meeting = fields[0].string, let workspace = fields[1].string,
            let room = fields[2].string.flatMap({ Room($0) })
        else { return nil }
        return BotPlace(botID: id, meetingID: meeting, workspaceID: workspace, room: room)
            .with(trace: fields[3].string)
    }
}
