import EventLoop
import Log
import Redis
import Scripts

/// Takes workspaces to pieces that were removed. Every node does; there is no leader: each step does nothing the second time,
/// and what a node leaves half-way another one goes on with (docs/architecture.md, "Removal of workspaces").
public struct WorkspaceRemovals: Sendable {
    private static let workspacesPerPartition = 100
    /// How long others leave a workspace to the node that has begun with it, and how long that goes on in one round.
    private static let leaseMilliseconds = 10_000
    private static let workMilliseconds = 5_000
    private static let botsAtOnce = 1_000
    /// How long one is left alone that cannot be gone on with by itself.
    private static let oddMilliseconds = 30_000

    private let store: Store
    private let logger: Logger

    public init(store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// From one round to the next, at most.
    public var pauseMilliseconds: Int { Rounds.pause(1_000, store) }

    /// Goes on with each. What is in the way is told in the log.
    public func goRound() async {
        await Rounds.goOne(store, logger, trouble: "Removals of workspaces were cut short") {
            session throws(RedisError) in
            try await removeAll(session)
        }
    }

    /// One round over all partitions, one exchange if there is nothing to do.
    func removeAll(_ session: Session) async throws(RedisError) {
        let now = try await session.time()
        // What is to be gone on with later than that was noted by a clock that was ahead.
        let ahead = now + 2 * Workspaces.lateMilliseconds
        let pages = try await session.repliesOfPartitions {
            Command("ZRANGE", $0.removing, "0", String(Self.workspacesPerPartition - 1), "WITHSCORES")
        }
        let found = pages.map { partition, page in
            let words = (page.array ?? []).compactMap(\.string)
            let workspaces = stride(from: 0, to: words.count - 1, by: 2).filter { index in
                Double(words[index + 1]).map { $0 <= Double(now) || $0 > Double(ahead) } ?? true
            }.map { words[$0] }
            return (partition, workspaces)
        }
        try await Rounds.inEach(found.filter { !$0.1.isEmpty }) { partition, workspaces throws(RedisError) in
            for id in workspaces {
                guard Identifier.isUUID(id), Partition(workspace: id) == partition else {
                    // Not one of ours: it would stand at the head for ever.
                    _ = try await session.send(Command("ZREM", partition.removing, id))
                    continue
                }
                await note(id, dueIn: Self.leaseMilliseconds, now: now, session)
                do throws(RedisError) {
                    guard let pause = try await goOn(with: id, session) else { continue }
                    await note(id, dueIn: pause, now: try await session.time(), session)
                } catch .refused(let text) {
                    await passOver(id, text, now: now, session)
                } catch .unexpectedReply(let text) {
                    await passOver(id, text, now: now, session)
                }
            }
        }
    }

    /// It is for courtesy alone: where a full Redis refuses it, several nodes do the same at once.
    private func note(_ id: String, dueIn milliseconds: Int, now: Int, _ session: Session) async {
        _ = try? await session.send(
            Command("ZADD", Partition(workspace: id).removing, "XX", String(now + milliseconds), id))
    }

    private func passOver(_ id: String, _ reason: String, now: Int, _ session: Session) async {
        store.oddRecords.note("A removal was passed over", ["workspace_id": id, "reason": reason])
        await note(id, dueIn: Self.oddMilliseconds, now: now, session)
    }

    /// Has bots leave. One that cannot be told, as its record is odd, keeps no other from it.
    private func stop(_ bots: [String], of workspace: String, _ session: Session) async throws(RedisError) {
        var odd: String?
        for bot in bots {
            do throws(RedisError) {
                try await session.bots.stop(bot, ofRemoved: workspace)
            } catch .refused(let text) {
                odd = "bot \(bot): \(text)"
            } catch .unexpectedReply(let text) {
                odd = "bot \(bot): \(text)"
            }
        }
        if let odd { throw .unexpectedReply(odd) }
    }

    /// - Returns: after how long it is to be gone on with; nil: that is known, or nothing is left.
    private func goOn(with id: String, _ session: Session) async throws(RedisError) -> Int? {
        let keys = WorkspaceKeys(workspace: id)
        let end = MonotonicTime.now().advanced(byMilliseconds: Self.workMilliseconds)
        // A request that was under way may have written there since.
        _ = try await session.change([Command("DEL", keys.workspace), Command("DEL", keys.members)])
        try await session.apiKeys.revokeAll(workspace: id)
        for webhook in try await session.send(Command("ZRANGE", keys.webhooks, "0", "-1")).arrayOrThrow() {
            _ = try await session.webhooks.delete(try webhook.stringOrThrow(), workspace: id)
        }
        let last = String(Self.botsAtOnce - 1)
        let bots = try await session.send(Command("ZRANGE", keys.bots, "0", last)).arrayOrThrow()
        guard bots.isEmpty else {
            try await stop(bots.compactMap(\.string), of: id, session)
            return pauseMilliseconds
        }
        while try await session.meetings.removeSome(ofRemoved: id) {
            guard MonotonicTime.now() < end else { return 0 }
        }
        try await session.calendars.removeAll(ofRemoved: id)
        _ = try await session.send(Command("ZREM", Keys.workspaces, id))
        let partition = keys.partition
        let finish = Scripts.FinishRemoval(
            workspaceKey: keys.workspace, membersKey: keys.members, keysKey: keys.apiKeys, webhooksKey: keys.webhooks,
            botsKey: keys.bots, meetingsKey: keys.meetings, lockKey: keys.lock, namesKey: keys.names,
            imagesKey: keys.screenshots, orderKey: keys.screenshotOrder, feedsKey: keys.feed,
            removingKey: partition.removing, removedKey: partition.removed, workspaceID: id,
            lateMilliseconds: Workspaces.lateMilliseconds)
        switch try await session.run(finish) {
        case .underWay: return pauseMilliseconds
        case .waits: return nil
        case .removed:
            logger.info("A workspace that was removed is gone", ["workspace_id": id])
            return nil
        }
    }
}
