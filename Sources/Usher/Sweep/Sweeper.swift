import Log
import Redis

/// Ends what nobody else will: bots whose lease ran out, dispatches that nobody claimed in their time, records that
/// were left in ANALYZING, meetings kept for long enough. Every node sweeps; there is no leader, since each step is a
/// script that looks again for itself and does nothing the second time (docs/architecture.md, "Leases").
public struct Sweeper: Sendable {
    private static let itemsPerPartition = 100
    /// How long the node that took a bot's last report has for finalising the record itself.
    private static let analyzingGraceMilliseconds = 5_000
    /// What is written while a sweep is under way is not ahead of the time at which that began.
    private static let aheadMilliseconds = 1_000

    private let store: Store
    private let logger: Logger
    /// From one look at the clocks to the next, while a round goes on.
    var lookMilliseconds = 2_000

    public init(store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// From one round to the next, at most.
    public var pauseMilliseconds: Int { Rounds.pause(2_000, store) }

    /// Sweeps once. What is in the way is told in the log.
    public func goRound() async {
        await Rounds.goOne(store, logger, trouble: "A sweep was cut short") { session throws(RedisError) in
            try await sweep(session)
        }
    }

    /// One round over all partitions: three exchanges if there is nothing to do. An item that fails by itself, as when
    /// another hand gave a key another type, does not keep the others waiting; nor does a partition whose node is away.
    func sweep(_ session: Session) async throws(RedisError) {
        let now = try await session.time()
        let wasFull = store.memory.isFull
        defer { noteMemory(wasFull: wasFull) }
        let looking = Task(executorPreference: store.client.loop) { await keepLookingAtClocks(session) }
        defer { looking.cancel() }
        try await Rounds.inEach(Partition.all) { partition throws(RedisError) in
            try await sweep(partition, now: now, session)
        }
    }

    /// A round may take longer than a clock may go unseen without having leapt, also for the partitions that wait for
    /// others: then no lease would run out, round after round.
    private func keepLookingAtClocks(_ session: Session) async {
        while true {
            await store.client.loop.wait(milliseconds: lookMilliseconds)
            if Task.isCancelled { return }
            try? await Rounds.inEach(Partition.all) { partition throws(RedisError) in
                try await session.bots.notePrimary(of: partition)
            }
        }
    }

    private func noteMemory(wasFull: Bool) {
        guard let fullest = store.memory.fullest, fullest.isFull != wasFull else { return }
        if fullest.isFull {
            logger.warning(
                "Redis is full: new meetings, bots and segments are refused; what runs goes on and can be stopped",
                ["bytes": String(fullest.used), "maxmemory": String(fullest.limit)])
        } else {
            logger.info("Redis has room again", ["bytes": String(fullest.used), "maxmemory": String(fullest.limit)])
        }
    }

    private func sweep(_ partition: Partition, now: Int, _ session: Session) async throws(RedisError) {
        var back = 0
        try await attempt("primary", String(partition.number)) { () throws(RedisError) in
            back = try await session.bots.notePrimary(of: partition)
            try await session.boundIdle(of: partition.dispatch, group: Bots.runnerGroup)
        }
        try await boundTimes(in: partition, now: now, session)
        let retention = store.configuration.retentionMilliseconds
        let commands =
            [
                due(partition.leases, by: now),
                Command("XRANGE", partition.dispatch, "-", "+", "COUNT", String(Self.itemsPerPartition)),
                due(partition.analyzing, by: now - Self.analyzingGraceMilliseconds),
            ]
            + (retention > 0
                ? [due(partition.ended, by: now - retention), due(partition.archived, by: now - retention)] : [])
        let found = try await session.replies(to: commands).map { $0.array ?? [] }
        for bot in found[0].compactMap(\.string) {
            try await attempt("lease", bot) { () throws(RedisError) in
                try await endLease(of: bot, in: partition, session)
            }
        }
        for entry in try await unclaimed(among: found[1], in: partition, session) {
            try await attempt("dispatch", entry.id) { () throws(RedisError) in
                try await expire(entry, in: partition, session)
            }
        }
        for meeting in found[2].compactMap(\.string) {
            try await attempt("record", meeting) { () throws(RedisError) in
                try await finalise(meeting, in: partition, session)
            }
        }
        for meeting in found.dropFirst(3).joined().compactMap(\.string) {
            try await attempt("retention", meeting) { () throws(RedisError) in
                try await purge(meeting, in: partition, session)
            }
        }
        // Last, as it may be thousands: no room waits for that.
        guard back > 0 else { return }
        try await attempt("calendars", String(partition.number)) { () throws(RedisError) in
            try await session.calendars.bringForward(in: partition, now: now)
        }
        try await attempt("deliveries", String(partition.number)) { () throws(RedisError) in
            if try await session.deliveries.bringForward(in: partition, by: back) {
                try await session.bots.notePrimary(of: partition, undone: back)
            }
        }
    }

    /// What counts from a time that lies ahead was written before the clock was set back, and would wait until the clock
    /// has caught up. No lease is shortened by which a supervisor may still go.
    private func boundTimes(in partition: Partition, now: Int, _ session: Session) async throws(RedisError) {
        // Each with the latest time that it can have, and what is beyond all times of its kind.
        let times = [
            (partition.analyzing, now, "+inf"), (partition.ended, now, "+inf"), (partition.archived, now, "+inf"),
            (partition.removals, now + Moves.keepMilliseconds, "+inf"),
            (partition.removals, now + Moves.keepMilliseconds - Moves.keptBefore, "(0"),
        ]
        let lease = store.configuration.leaseTimeToLiveMilliseconds
        let found = try await session.replies(
            to: [ahead(partition.leases, of: now + lease)] + times.map { ahead($0, of: $1, below: $2) }
        ).map { ($0.array ?? []).compactMap(\.string) }
        for bot in found[0] {
            try await attempt("lease", bot) { () throws(RedisError) in
                try await session.bots.boundLease(of: bot, in: partition)
            }
        }
        for ((key, latest, _), members) in zip(times, found.dropFirst()) where !members.isEmpty {
            try await attempt("time", key) { () throws(RedisError) in
                _ = try await session.send(
                    Command(words: ["ZADD", key, "XX", "LT"] + members.flatMap { [String(latest), $0] }))
            }
        }
    }

    /// The members of a sorted set with scores well beyond a time.
    private func ahead(_ key: String, of milliseconds: Int, below bound: String = "+inf") -> Command {
        Command(
            "ZRANGEBYSCORE", key, "(\(milliseconds + Self.aheadMilliseconds)", bound, "LIMIT", "0",
            String(Self.itemsPerPartition))
    }

    /// The members of a sorted set with scores up to a time.
    private func due(_ key: String, by milliseconds: Int) -> Command {
        Command("ZRANGEBYSCORE", key, "-inf", String(milliseconds), "LIMIT", "0", String(Self.itemsPerPartition))
    }

    /// - Throws: what would fail for the next item too.
    private func attempt(
        _ kind: String, _ item: String, _ body: () async throws(RedisError) -> Void
    ) async throws(RedisError) {
        do throws(RedisError) {
            try await body()
        } catch .refused(let text) {
            passedOver(kind, item, text)
        } catch .unexpectedReply(let text) {
            passedOver(kind, item, text)
        }
    }

    private func passedOver(_ kind: String, _ item: String, _ reason: String) {
        store.oddRecords.note(
            "A sweep passed over what it could not end", ["kind": kind, "item": item, "reason": reason])
    }

    private func endLease(of botID: String, in partition: Partition, _ session: Session) async throws(RedisError) {
        guard let place = try await session.bots.place(ofBot: botID) else {
            // Its record is gone: nothing is left that the lease could be for.
            _ = try await session.send(Command("ZREM", partition.leases, botID))
            return
        }
        let loss = BotLoss(reason: "lease_expired", mayBeReplaced: true, runnerID: nil)
        switch try await session.bots.lose(place, loss) {
        case .ended(let status, let botStatus):
            store.metrics.leasesEnded += 1
            logger.warning(
                "A bot's lease ran out",
                [
                    "bot_id": botID, "meeting_id": place.meetingID, "trace_id": place.traceID, "status": status,
                    "bot_status": botStatus,
                ])
            if status == MeetingStatus.analyzing.rawValue {
                try await session.transcripts.finalise(meeting: place.meetingID, workspace: place.workspaceID)
            }
        case .replaced:
            store.metrics.leasesReplaced += 1
            logger.warning(
                "A bot's lease ran out before it was in the room; another is sent",
                ["bot_id": botID, "meeting_id": place.meetingID, "trace_id": place.traceID])
        case .wasOver, .refused: break
        }
    }

    /// The entries of a dispatch stream whose in-flight key has gone: nobody may claim them any more.
    private func unclaimed(
        among replies: [Value], in partition: Partition, _ session: Session
    ) async throws(RedisError) -> [DispatchEntry] {
        var entries: [DispatchEntry] = []
        for reply in replies {
            if let entry = DispatchEntry(reply) {
                entries.append(entry)
            } else if let id = reply.array?.first?.string {
                // Not one of ours: no runner can claim it, and it would stand at the head for ever.
                _ = try await session.send(Command("XDEL", partition.dispatch, id))
            }
        }
        guard !entries.isEmpty else { return [] }
        let commands = entries.map { entry in
            Command("PTTL", WorkspaceKeys(workspace: entry.place.workspaceID).inFlight(entry.place.room))
        }
        let remaining = try await session.replies(to: commands)
        let longest = store.configuration.inFlightTimeToLiveMilliseconds
        for (entry, remaining) in zip(entries, remaining) where remaining.integer ?? 0 > longest {
            // The clock was set back since.
            let key = WorkspaceKeys(workspace: entry.place.workspaceID).inFlight(entry.place.room)
            _ = try await session.send(Command("PEXPIRE", key, String(longest)))
        }
        // -2: there is no such key.
        return zip(entries, remaining).compactMap { entry, remaining in remaining == .integer(-2) ? entry : nil }
    }

    private func expire(_ entry: DispatchEntry, in partition: Partition, _ session: Session) async throws(RedisError) {
        switch try await session.bots.expireDispatch(entry.place) {
        case .ended:
            store.metrics.dispatchesExpired += 1
            logger.warning(
                "No runner claimed a dispatch in its time",
                ["bot_id": entry.place.botID, "meeting_id": entry.place.meetingID, "trace_id": entry.place.traceID])
        case .stale, .claimedBefore:
            _ = try await session.send(Command("XDEL", partition.dispatch, entry.id))
        case .inFlight: break
        }
    }

    private func finalise(_ meetingID: String, in partition: Partition, _ session: Session) async throws(RedisError) {
        // By the record itself: what leads to it by its id lies apart from it in a Cluster, and may be lost alone.
        let field = Command("HGET", partition.meeting(meetingID), "workspace_id")
        guard let workspace = try await session.send(field).optionalString() else {
            _ = try await session.send(Command("ZREM", partition.analyzing, meetingID))
            return
        }
        if try await session.transcripts.finalise(meeting: meetingID, workspace: workspace) {
            logger.info("A record that was left in ANALYZING is finalised", ["meeting_id": meetingID])
        }
    }

    private func purge(_ meetingID: String, in partition: Partition, _ session: Session) async throws(RedisError) {
        if try await session.meetings.purge(meetingID, in: partition) {
            logger.info("A meeting was removed, as its time of retention is over", ["meeting_id": meetingID])
        }
    }
}
