import EventLoop
import Log
import Redis

/// The feeds that viewers on one loop follow. Each workspace's is read once, however many viewers it has, and none while
/// there are none: a read that waits takes the feeds of many workspaces at once, on one connection of its own (with a
/// cluster, one for each partition).
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class FeedHub: @unchecked Sendable {
    /// How long a read waits, and so how long a workspace that gets its first viewer may wait to be among those that are
    /// read.
    private static let blockMilliseconds = 250
    /// A read of more feeds would hold Redis up. Where there are more, reads take turns and do not wait.
    private static let workspacesAtOnce = 256
    private static let entriesAtOnce = 100
    private static let pauseMilliseconds = 100
    /// After so long without a read, what was written meanwhile may have been more than a feed keeps.
    private static let gapMilliseconds = 1_000
    /// How long a feed that is none, since something else has its key, is left alone.
    private static let spoiltMilliseconds = 5_000

    let store: Store
    private let blocking: Client
    private let isCluster: Bool
    private let logger: Logger
    private var workspaces: [String: WorkspaceFeed] = [:]
    /// The partitions whose feeds are being read; 0 stands for all of them where one read takes all.
    private var lanes: Set<Int> = []
    private var isStarted = false
    private var isStopped = false
    /// Only on the loop's thread.
    public let metrics = FeedMetrics()

    /// - Parameters:
    ///   - blocking: for reads that wait, on the store's loop: not started, and used by nobody else.
    ///   - isCluster: so that each partition is read by itself.
    public init(store: Store, blocking: Client, isCluster: Bool, logger: Logger) {
        self.store = store
        self.blocking = blocking
        self.isCluster = isCluster
        self.logger = logger
    }

    /// Ends all reading. Viewers are told nothing any more.
    public func stop() {
        store.client.loop.preconditionCurrent()
        isStopped = true
        blocking.shutDown()
    }

    // MARK: Viewers

    /// Has `take` told what changes in a meeting, from now on or from where an earlier viewer was.
    /// - Parameters:
    ///   - cursor: where it was; what followed comes first. `reset` comes if that is not there any more.
    ///   - hasRoom: waits, where much follows the cursor, until more can be taken; false once there is nobody to tell.
    ///   - take: called on the loop's thread. Must not wait.
    /// - Returns: what ends it.
    /// - Throws: `RedisError` if it could not be begun.
    public func follow(
        _ meeting: Meeting, after cursor: FeedCursor?, in session: Session,
        hasRoom: @escaping () async -> Bool, _ take: @escaping (FeedMessage) -> Void
    ) async throws(RedisError) -> FeedViewer {
        let workspace = try await workspace(meeting.workspaceID, in: session)
        let viewer = FeedViewer(take, hasRoom, in: workspace)
        workspace.add(viewer, to: .joining)
        do throws(RedisError) {
            try await workspace.join(viewer, meeting: meeting.id, after: cursor, in: session)
            return viewer
        } catch {
            viewer.end()
            throw error
        }
    }

    /// The same of all meetings of a workspace.
    /// - Parameter statusesOnly: whether nothing but their statuses is told.
    public func followAll(
        workspace id: String, statusesOnly: Bool, after cursor: FeedCursor?, in session: Session,
        hasRoom: @escaping () async -> Bool, _ take: @escaping (FeedMessage) -> Void
    ) async throws(RedisError) -> FeedViewer {
        let workspace = try await workspace(id, in: session)
        let viewer = FeedViewer(take, hasRoom, in: workspace)
        workspace.add(viewer, to: .joining)
        do throws(RedisError) {
            try await workspace.join(viewer, statusesOnly: statusesOnly, after: cursor)
            return viewer
        } catch {
            viewer.end()
            throw error
        }
    }

    private func workspace(_ id: String, in session: Session) async throws(RedisError) -> WorkspaceFeed {
        store.client.loop.preconditionCurrent()
        if let known = workspaces[id] { return known }
        let end = try await session.feeds.end(WorkspaceKeys(workspace: id).feed)
        // Another viewer may have been faster.
        if let known = workspaces[id] { return known }
        let workspace = WorkspaceFeed(id, from: end, store: store, metrics: metrics, logger: logger) { [weak self] in
            self?.workspaces[id] = nil
        }
        workspaces[id] = workspace
        read(lane: lane(of: id))
        return workspace
    }

    // MARK: Reading

    private func lane(of workspace: String) -> Int { isCluster ? Partition(workspace: workspace).number : 0 }

    /// Reads a lane for as long as it has workspaces.
    private func read(lane: Int) {
        guard !isStopped, lanes.insert(lane).inserted else { return }
        if !isStarted {
            isStarted = true
            blocking.start()
        }
        Task(executorPreference: store.client.loop) { [self] in
            _ = await blocking.firstLogin()
            while !isStopped {
                let now = blocking.loop.now
                let inLane = workspaces.values.filter { self.lane(of: $0.id) == lane }
                let all = inLane.filter { $0.spoiltUntil < now }
                if inLane.isEmpty { break }
                if all.isEmpty {
                    await blocking.loop.wait(milliseconds: Self.pauseMilliseconds)
                } else if all.count <= Self.workspacesAtOnce {
                    await read(all, isWaiting: true)
                } else {
                    for start in stride(from: 0, to: all.count, by: Self.workspacesAtOnce) {
                        await read(
                            Array(all[start..<min(start + Self.workspacesAtOnce, all.count)]), isWaiting: false)
                    }
                    await blocking.loop.wait(milliseconds: Self.pauseMilliseconds)
                }
            }
            lanes.remove(lane)
        }
    }

    private func read(_ workspaces: [WorkspaceFeed], isWaiting: Bool) async {
        do throws(RedisError) {
            for workspace in workspaces where workspace.isUnsure { try await makeSure(of: workspace) }
            let words =
                ["XREAD", "COUNT", String(Self.entriesAtOnce)]
                + (isWaiting ? ["BLOCK", String(Self.blockMilliseconds)] : [])
                + ["STREAMS"] + workspaces.map(\.key) + workspaces.map(\.position.description)
            let asked = blocking.loop.now
            let reply = try await blocking.send(
                Command(words: words), deadline: asked.advanced(byMilliseconds: Self.blockMilliseconds + 2_000))
            var found: [String: [Value]] = [:]
            for stream in reply == .null ? [] : try reply.arrayOrThrow() {
                let parts = try stream.arrayOrThrow()
                guard parts.count == 2, let key = parts[0].string else { throw .unexpectedReply("XREAD without a key") }
                found[key] = try parts[1].arrayOrThrow()
            }
            for workspace in workspaces {
                let rows = found[workspace.key] ?? []
                let hasGap =
                    asked.milliseconds(since: workspace.readAt) > Self.gapMilliseconds
                    || rows.count >= Self.entriesAtOnce
                if hasGap, !rows.isEmpty {
                    let isAllThere = try await isAllThere(of: workspace, at: asked)
                    if !isAllThere { workspace.hasMissed() }
                }
                workspace.take(rows, readAt: asked)
            }
        } catch {
            for workspace in workspaces { workspace.isUnsure = true }
            if case .refused(let text) = error {
                if text.hasPrefix("WRONGTYPE") { return await findSpoilt(among: workspaces) }
                logger.warning("Live feeds cannot be read; trying again", ["reason": text])
            }
            await blocking.loop.wait(milliseconds: Int.random(in: Self.pauseMilliseconds...5 * Self.pauseMilliseconds))
        }
    }

    /// One feed that is none must not silence those that are read with it.
    private func findSpoilt(among workspaces: [WorkspaceFeed]) async {
        guard workspaces.count == 1 else {
            for workspace in workspaces { await read([workspace], isWaiting: false) }
            return
        }
        workspaces[0].spoiltUntil = blocking.loop.now.advanced(byMilliseconds: Self.spoiltMilliseconds)
        logger.warning(
            "A live feed cannot be read: something else has its key. Delete it",
            ["workspace_id": workspaces[0].id, "key": workspaces[0].key])
    }

    /// After a failure another Redis may answer, which lacks the end of a feed, and whose clock is behind: what it tells
    /// next would count as read. But a feed that nobody wrote to for an hour is gone without a loss.
    private func makeSure(of workspace: WorkspaceFeed) async throws(RedisError) {
        let session = store.session(milliseconds: 2_000)
        let end = try await session.feeds.end(workspace.key)
        if end == .beginning, workspace.position.isExpired(at: WallClock.milliseconds) {
            workspace.goOn()
        } else if end < workspace.position {
            workspace.beginAnew(at: end)
        }
        workspace.isUnsure = false
    }

    /// Whether nothing is gone of what came behind what was read.
    private func isAllThere(of workspace: WorkspaceFeed, at now: MonotonicTime) async throws(RedisError) -> Bool {
        let session = store.session(milliseconds: 2_000)
        func isAllThere(after cursor: FeedCursor) async throws(RedisError) -> Bool {
            try await session.feeds.page(workspace.key, after: cursor, isWorkspace: true) != nil
        }
        if try await isAllThere(after: workspace.position) { return true }
        // What was read has expired. What was not is younger.
        guard workspace.position.isExpired(at: WallClock.milliseconds),
            now.milliseconds(since: workspace.readAt) < FeedCursor.lifeMilliseconds
        else { return false }
        return try await isAllThere(after: .beginning)
    }
}

/// One who is told what changes, until it is ended.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
public final class FeedViewer: @unchecked Sendable {
    /// Nil once it is ended: who is told may keep the viewer.
    private var take: ((FeedMessage) -> Void)?
    private var room: (() async -> Bool)?
    private let workspace: WorkspaceFeed
    /// Up to where it was told, in the feed that it follows.
    var cursor = FeedCursor.beginning
    /// The meeting that it follows; nil: all of them.
    var meeting: String?

    init(
        _ take: @escaping (FeedMessage) -> Void, _ hasRoom: @escaping () async -> Bool, in workspace: WorkspaceFeed
    ) {
        self.take = take
        room = hasRoom
        self.workspace = workspace
    }

    /// Where it began: one that was told nothing yet goes on there.
    public internal(set) var beginning = FeedCursor.beginning

    public func end() {
        guard take != nil else { return }
        (take, room) = (nil, nil)
        workspace.remove(self)
    }

    /// - Returns: false once there is nobody to tell.
    func hasRoom() async -> Bool { await room?() ?? false }

    func tell(_ message: FeedMessage) {
        guard let take else { return }
        workspace.metrics.told += 1
        take(message)
    }
}
