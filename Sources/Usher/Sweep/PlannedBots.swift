import Log
import Redis

/// Sends the bots of planned meetings whose time has come. Every node does, and like the sweep it has no leader: the script
/// looks for itself, and of two nodes that ask at once one is told that there is nothing to do. It goes on beside the
/// sweep, so that however many are due, no lease waits for them.
public struct PlannedBots: Sendable {
    /// How many plans of a partition are read at once.
    private static let batch = 5_000

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
        let due = try await session.repliesOfPartitions {
            Command("ZRANGEBYSCORE", $0.plans, "-inf", String(now), "LIMIT", "0", String(Self.batch))
        }
        let found = due.map { ($0, ($1.array ?? []).compactMap(\.string)) }.filter { !$1.isEmpty }
        try await Rounds.inEach(found) { partition, members throws(RedisError) in
            try await send(members, in: partition, now: now, session)
        }
    }

    private func send(
        _ members: [String], in partition: Partition, now: Int, _ session: Session
    ) async throws(RedisError) {
        var plans: [Plan] = []
        for member in members {
            if let plan = Plan(member), Partition(workspace: plan.workspaceID) == partition {
                plans.append(plan)
            } else {
                // Another hand wrote it: it would stand at the head for ever.
                _ = try await session.send(Command("ZREM", partition.plans, member))
            }
        }
        var tally = Tally()
        for plan in Plan.inTurn(plans) {
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
        tally.log(to: logger)
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
        case .waits(let reason): tally.add("Planned meetings have to wait for their bots", plan, reason)
        case .missed(let reason):
            store.metrics.plansMissed += 1
            tally.add("Planned meetings were missed", plan, reason)
        case .notDue, .served, .lookAgain, .waitsStill: break
        }
    }

    /// What became of many plans, for one line of the log a workspace and reason.
    private struct Tally {
        private struct Kind: Hashable {
            let message: String
            let workspaceID: String
            let reason: String
        }

        private var counts: [Kind: (count: Int, first: String)] = [:]

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
