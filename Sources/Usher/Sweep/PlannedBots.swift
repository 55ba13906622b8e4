import EventLoop
import Log
import Redis

/// Sends the bots of planned meetings whose time has come. Like all of the sweep it has no leader: the script looks for
/// itself, and of two nodes that ask at once one is told that there is nothing to do.
struct PlannedBots: Sendable {
    /// How many plans of a partition are read at once, and how many a sweep goes through before what else it has to do.
    private static let batch = 1_000
    private static let maximumBatches = 10

    let store: Store
    let logger: Logger
    /// Runs what is done for one item, which may fail by itself: kind, item, work.
    let attempt: @Sendable (String, String, () async throws(RedisError) -> Void) async throws(RedisError) -> Void

    /// What asks for the plans whose time has come, the oldest first.
    static func due(in partition: Partition, by milliseconds: Int) -> Command {
        Command("ZRANGEBYSCORE", partition.plans, "-inf", String(milliseconds), "LIMIT", "0", String(batch))
    }

    /// - Parameter first: what was found due; where that is a whole batch, more is asked for.
    func send(
        _ first: [String], in partition: Partition, now: Int, deadline: MonotonicTime
    ) async throws(RedisError) {
        var due = first
        for _ in 0..<Self.maximumBatches {
            var plans: [Plan] = []
            for member in due {
                if let plan = Plan(member), Partition(workspace: plan.workspaceID) == partition {
                    plans.append(plan)
                } else {
                    // Another hand wrote it: it would stand at the head for ever.
                    _ = try await store.send(Command("ZREM", partition.plans, member), by: deadline)
                }
            }
            for plan in Plan.inTurn(plans) {
                try await attempt("plan", plan.member) { () throws(RedisError) in
                    try await send(plan, deadline: deadline)
                }
            }
            if due.count < Self.batch { return }
            due = try await store.send(Self.due(in: partition, by: now), by: deadline).arrayOrThrow()
                .compactMap(\.string)
        }
    }

    private func send(_ plan: Plan, deadline: MonotonicTime) async throws(RedisError) {
        var random = SystemRandomNumberGenerator()
        let trace = TraceContext(newTrace: random.next(), random.next(), operation: random.next())
        let (meeting, workspace) = (plan.meetingID, plan.workspaceID)
        switch try await store.sendPlanned(plan, trace: trace, deadline: deadline) {
        case .sent(let epoch):
            store.metrics.plansSent += 1
            logger.info(
                "A planned meeting is sent its bot",
                [
                    "trace_id": trace.traceID, "meeting_id": meeting, "workspace_id": workspace, "epoch": String(epoch),
                ])
        case .waits(let reason):
            logger.warning(
                "A planned meeting cannot be sent its bot yet",
                ["meeting_id": meeting, "workspace_id": workspace, "reason": reason])
        case .missed(let reason):
            store.metrics.plansMissed += 1
            logger.warning(
                "A planned meeting was missed",
                ["meeting_id": meeting, "workspace_id": workspace, "reason": reason])
        case .notDue, .served, .roomChanged: break
        }
    }
}
