import EventLoop
import Log
import Redis

/// Ends what nobody else will: bots whose lease ran out, dispatches that nobody claimed in their time, records that
/// were left in ANALYZING. Every node sweeps; there is no leader, since each step is a script that looks again for
/// itself and does nothing the second time (design, section 6).
public struct Sweeper: Sendable {
    private static let itemsPerPartition = 100
    /// How long the node that took a bot's last report has for finalising the record itself.
    private static let analyzingGraceMilliseconds = 5_000

    private let store: Store
    private let logger: Logger

    public init(store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Sweeps until the task is cancelled. The pause varies, so that nodes do not fall into step.
    public func run() async {
        let pause = max(50, min(2_000, store.configuration.leaseTimeToLiveMilliseconds / 5))
        while !Task.isCancelled {
            do throws(RedisError) {
                try await sweep(deadline: MonotonicTime.now().advanced(byMilliseconds: 30_000))
            } catch {
                if error != .notConnected { logger.warning("A sweep was cut short", ["reason": "\(error)"]) }
            }
            await store.client.loop.wait(milliseconds: Int.random(in: pause / 2...pause))
        }
    }

    /// One round over all partitions: two round trips if there is nothing to do.
    func sweep(deadline: MonotonicTime) async throws(RedisError) {
        let time = try await store.send(Command("TIME"), by: deadline).arrayOrThrow()
        let now = (time[0].string.flatMap { Int($0) } ?? 0) * 1_000 + (time[1].string.flatMap { Int($0) } ?? 0) / 1_000
        let count = String(Self.itemsPerPartition)
        let commands = Partition.all.flatMap { partition in
            [
                Command("ZRANGEBYSCORE", partition.leases, "-inf", String(now), "LIMIT", "0", count),
                Command("XRANGE", partition.dispatch, "-", "+", "COUNT", count),
                Command(
                    "ZRANGEBYSCORE", partition.analyzing, "-inf", String(now - Self.analyzingGraceMilliseconds),
                    "LIMIT",
                    "0", count),
            ]
        }
        let replies = try await store.pipeline(commands, by: deadline)
        for partition in Partition.all {
            let first = partition.number * 3
            for bot in replies[first].array ?? [] {
                try await endLease(of: try bot.stringOrThrow(), in: partition, deadline: deadline)
            }
            for entry in replies[first + 1].array ?? [] {
                try await expire(entry, in: partition, now: now, deadline: deadline)
            }
            for meeting in replies[first + 2].array ?? [] {
                try await finalise(try meeting.stringOrThrow(), in: partition, deadline: deadline)
            }
        }
    }

    private func endLease(
        of botID: String, in partition: Partition, deadline: MonotonicTime
    ) async throws(RedisError) {
        guard let place = try await store.place(ofBot: botID, deadline: deadline) else {
            // Its record is gone: nothing is left that the lease could be for.
            _ = try await store.send(Command("ZREM", partition.leases, botID), by: deadline)
            return
        }
        let loss = BotLoss(reason: "lease_expired", mayBeReplaced: true, runnerID: nil)
        switch try await store.loseBot(place, loss, deadline: deadline) {
        case .ended(let status, let botStatus):
            logger.warning(
                "A bot's lease ran out",
                ["bot_id": botID, "meeting_id": place.meetingID, "status": status, "bot_status": botStatus])
            if status == MeetingStatus.analyzing.rawValue {
                try await store.finalise(meeting: place.meetingID, workspace: place.workspaceID, deadline: deadline)
            }
        case .replaced:
            logger.warning(
                "A bot's lease ran out before it was in the room; another is sent",
                ["bot_id": botID, "meeting_id": place.meetingID])
        case .wasOver, .refused: break
        }
    }

    private func expire(
        _ reply: Value, in partition: Partition, now: Int, deadline: MonotonicTime
    ) async throws(RedisError) {
        guard let entry = DispatchEntry(reply) else {
            // Not one of ours: no runner can claim it, and it would stand at the head for ever.
            if let id = reply.array?.first?.string {
                _ = try await store.send(Command("XDEL", partition.dispatch, id), by: deadline)
            }
            return
        }
        guard entry.dispatchedAt + store.configuration.inFlightTimeToLiveMilliseconds <= now else { return }
        switch try await store.expireDispatch(entry.place, deadline: deadline) {
        case .ended:
            logger.warning(
                "No runner claimed a dispatch in its time",
                ["bot_id": entry.place.botID, "meeting_id": entry.place.meetingID])
        case .notCurrent, .claimed:
            _ = try await store.send(Command("XDEL", partition.dispatch, entry.id), by: deadline)
        case .stillInFlight: break
        }
    }

    private func finalise(
        _ meetingID: String, in partition: Partition, deadline: MonotonicTime
    ) async throws(RedisError) {
        guard let workspace = try await store.workspaceID(ofMeeting: meetingID, deadline: deadline) else {
            _ = try await store.send(Command("ZREM", partition.analyzing, meetingID), by: deadline)
            return
        }
        let isDone = try await store.finalise(meeting: meetingID, workspace: workspace, deadline: deadline)
        // Another status was written by another hand, or another node was quicker.
        if !isDone { _ = try await store.send(Command("ZREM", partition.analyzing, meetingID), by: deadline) }
    }
}
