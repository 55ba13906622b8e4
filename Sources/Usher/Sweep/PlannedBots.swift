import Log
import Redis

/// Sends the bots of planned meetings whose time has come. Every node does, and like the sweep it has no leader: the script
/// looks for itself, and of two nodes that ask at once one is told that there is nothing to do. It goes on beside the
/// sweep, so that however many are due, no lease waits for them.
public struct PlannedBots: Sendable {
    /// How many plans of a partition are read at once, and how often in a row at most.
    var batch = 5_000
    private static let mostReads = 20
    /// How many plans of a partition may come to nothing in a round, before the workspaces that have such wait for the next
    /// one.
    var mostFruitless = 500
    /// After how many that are only looked at others on the loop have their turn.
    private static let perTurn = 500

    private let store: Store
    private let logger: Logger

    public init(store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// From one round to the next, at most.
    public var pauseMilliseconds: Int { Rounds.pause(1_000, store) }

    /// Looks once. What is in the way is told in the log.
    public func goRound() async {
        await Rounds.goOne(store, logger, trouble: "Planned meetings could not all be looked at") {
            session throws(RedisError) in
            try await sendAll(session)
        }
    }

    /// One round over all partitions, one exchange if nothing is due.
    func sendAll(_ session: Session) async throws(RedisError) {
        // Nothing new is taken then: what is due stays so until there is room, or until it is too late.
        guard !store.memory.isFull else { return }
        let now = try await session.time()
        let due = try await session.repliesOfPartitions { question($0, now: now, from: 0) }
        let found = due.map { ($0, ($1.array ?? []).compactMap(\.string)) }.filter { !$1.isEmpty }
        try await Rounds.inEach(found) { partition, members throws(RedisError) in
            try await send(members, in: partition, now: now, session)
        }
    }

    private func question(_ partition: Partition, now: Int, from offset: Int) -> Command {
        Command(
            "ZRANGEBYSCORE", partition.plans, "-inf", String(now), "LIMIT", String(offset), String(batch))
    }

    /// - Parameter members: the first that are due.
    private func send(
        _ members: [String], in partition: Partition, now: Int, _ session: Session
    ) async throws(RedisError) {
        var tally = Tally()
        defer { tally.log(to: logger) }
        var (members, left) = (members, 0)
        for read in 1...Self.mostReads {
            let passed = try await sendOrPass(members, &tally, in: partition, now: now, session)
            // Those of others may stand behind what was passed. Else what follows has the next round, a second later.
            guard passed > 0, members.count == batch, read < Self.mostReads else { return }
            left += passed
            members = try await session.send(question(partition, now: now, from: left)).arrayOrThrow()
                .compactMap(\.string)
        }
    }

    /// - Returns: how many were passed, as their workspaces have had their share of this round.
    private func sendOrPass(
        _ members: [String], _ tally: inout Tally, in partition: Partition, now: Int, _ session: Session
    ) async throws(RedisError) -> Int {
        var plans: [Plan] = []
        for (index, member) in members.enumerated() {
            if index % Self.perTurn == Self.perTurn - 1 { await Task.yield() }
            if let plan = Plan(member), Partition(workspace: plan.workspaceID) == partition {
                plans.append(plan)
            } else {
                // Another hand wrote it: it would stand at the head for ever.
                _ = try await session.send(Command("ZREM", partition.plans, member))
            }
        }
        var passed = 0
        for plan in Plan.inTurn(plans) {
            guard !tally.hasHadItsShare(plan.workspaceID, of: mostFruitless) else {
                passed += 1
                continue
            }
            do throws(RedisError) {
                try await send(plan, &tally, session)
            } catch  where error.isOutOfMemory || error.isRefusedForNow {
                // As when Redis has just become full: it stays due.
                continue
            } catch .refused(let text) {
                try await passOver(plan, text, in: partition, now: now, session)
            } catch .unexpectedReply(let text) {
                try await passOver(plan, text, in: partition, now: now, session)
            } catch .notReplicated {
                // It was done, and may be lost by a failover: then it is due again.
            }
        }
        return passed
    }

    /// What fails by itself, as where another hand gave a key another type, is tried again like what has to wait, so that it
    /// does not keep the others from their turn.
    private func passOver(
        _ plan: Plan, _ reason: String, in partition: Partition, now: Int, _ session: Session
    ) async throws(RedisError) {
        store.oddRecords.note("A planned meeting was passed over", ["plan": plan.member, "reason": reason])
        _ = try await session.send(
            // Not where it was moved to a later time meanwhile.
            Command("ZADD", partition.plans, "XX", "GT", String(now + Meetings.planRetryMilliseconds), plan.member))
    }

    private func send(_ plan: Plan, _ tally: inout Tally, _ session: Session) async throws(RedisError) {
        var random = SystemRandomNumberGenerator()
        let trace = TraceContext(newTrace: random.next(), random.next(), operation: random.next())
        switch try await session.meetings.sendPlanned(plan, trace: trace) {
        case .sent(let epoch):
            store.metrics.plansSent += 1
            logger.info(
                "A planned meeting is sent its bot",
                [
                    "trace_id": trace.traceID, "meeting_id": plan.meetingID, "workspace_id": plan.workspaceID,
                    "epoch": String(epoch),
                ])
        case .waits(let reason):
            tally.noteFruitless(plan)
            tally.add("Planned meetings have to wait for their bots", plan, reason)
        case .missed(let reason):
            store.metrics.plansMissed += 1
            tally.noteFruitless(plan)
            tally.add("Planned meetings were missed", plan, reason)
        case .waitsStill: tally.noteFruitless(plan)
        case .notDue, .served, .lookAgain: break
        }
    }

    /// What became of many plans of a partition in a round, for one line of the log a workspace and reason.
    private struct Tally {
        private struct Kind: Hashable {
            let message: String
            let workspaceID: String
            let reason: String
        }

        private var counts: [Kind: (count: Int, first: String)] = [:]

        /// How many of a workspace's came to nothing, and of all.
        private var fruitless: [String: Int] = [:]
        private var fruitlessInAll = 0

        mutating func noteFruitless(_ plan: Plan) {
            fruitless[plan.workspaceID, default: 0] += 1
            fruitlessInAll += 1
        }

        /// Whether so many have come to nothing that those that can be sent would come late, and this workspace has had its
        /// part of that.
        func hasHadItsShare(_ workspace: String, of most: Int) -> Bool {
            guard fruitlessInAll >= most, let own = fruitless[workspace] else { return false }
            return own >= most / fruitless.count
        }

        mutating func add(_ message: String, _ plan: Plan, _ reason: String) {
            let kind = Kind(message: message, workspaceID: plan.workspaceID, reason: reason)
            counts[kind, default: (0, plan.meetingID)].count += 1
        }

        func log(to logger: Logger) {
            for (kind, found) in counts {
                logger.warning(
                    kind.message,
                    [
                        "workspace_id": kind.workspaceID, "reason": kind.reason, "meetings": String(found.count),
                        "meeting_id": found.first,
                    ])
            }
        }
    }
}
