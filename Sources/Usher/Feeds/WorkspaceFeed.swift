import EventLoop
import Log
import Redis

/// The feed of a workspace as one loop follows it: its entries are read from Redis once, in order, and told to those who
/// view the meeting that they are of, or all meetings.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
final class WorkspaceFeed: @unchecked Sendable {
    enum Audience {
        /// Told nothing yet.
        case joining
        case all, statuses
    }

    /// Entries that wait to be told; more are given up, and all viewers told to fetch anew.
    private static let maximumQueue = 2_000
    /// Meetings that are remembered beyond those with viewers of their own, where somebody views all.
    private static let maximumMeetings = 200
    /// Messages of so many bytes are told to viewers before others have their turn on the loop.
    private static let bytesAtOnce = 65_536
    /// Viewers that are told to look anew before others have their turn.
    private static let resetsAtOnce = 200
    private static let pauseMilliseconds = 200
    private static let timeoutMilliseconds = 2_000

    let id: String
    let key: String
    let metrics: FeedMetrics
    private let store: Store
    private let logger: Logger
    private let onEmpty: () -> Void
    /// Up to where the hub has read.
    private(set) var position: FeedCursor
    private(set) var readAt: MonotonicTime
    /// Whether the last read failed.
    var isUnsure = false
    /// Until when it is not read, as something else had its key.
    var spoiltUntil = MonotonicTime(nanoseconds: 0)
    /// Up to where viewers of all meetings were told.
    private var told: FeedCursor
    private var queue: [FeedEntry] = []
    /// Who is to look anew, before anything else is told.
    private var resets: [(viewer: FeedViewer, meeting: MeetingFeed?)] = []
    private var isTelling = false
    private var audience: [ObjectIdentifier: (viewer: FeedViewer, kind: Audience)] = [:]
    private var meetings: [String: MeetingFeed] = [:]
    /// Those that are being read: once, however many wait for it.
    private var reads: [String: Task<Result<MeetingFeed, RedisError>, Never>] = [:]
    private var uses = 0
    /// How often something of the feed was lost: what was under way then is of another time, and told to nobody.
    private var era = 0
    /// How many are on their way to be viewers of a meeting: it is theirs from before it is read.
    private var joining: [String: Int] = [:]

    init(
        _ id: String, from position: FeedCursor, store: Store, metrics: FeedMetrics, logger: Logger,
        onEmpty: @escaping () -> Void
    ) {
        self.id = id
        key = WorkspaceKeys(workspace: id).feed
        self.position = position
        told = position
        self.store = store
        self.metrics = metrics
        self.logger = logger
        self.onEmpty = onEmpty
        readAt = store.client.loop.now
    }

    // MARK: Viewers

    func add(_ viewer: FeedViewer, to kind: Audience) {
        if audience.updateValue((viewer, kind), forKey: ObjectIdentifier(viewer)) == nil { metrics.viewers += 1 }
    }

    func remove(_ viewer: FeedViewer) {
        guard audience.removeValue(forKey: ObjectIdentifier(viewer)) != nil else { return }
        metrics.viewers -= 1
        if let meeting = viewer.meeting { meetings[meeting]?.viewers[ObjectIdentifier(viewer)] = nil }
        if !hasViewersOfAll { meetings = meetings.filter { isWanted($0.value) } }
        if audience.isEmpty { onEmpty() }
    }

    private var hasViewersOfAll: Bool { audience.values.contains { $0.kind == .all } }

    private func isWanted(_ feed: MeetingFeed) -> Bool { !feed.viewers.isEmpty || isAwaited(feed.id) }

    /// Whether somebody waits for a meeting, or to be its viewer.
    private func isAwaited(_ meeting: String) -> Bool { joining[meeting] != nil || reads[meeting] != nil }

    func join(
        _ viewer: FeedViewer, meeting id: String, after cursor: FeedCursor?, in session: Session
    ) async throws(RedisError) {
        viewer.meeting = id
        joining[id, default: 0] += 1
        defer {
            let others = joining[id, default: 0] - 1
            joining[id] = others > 0 ? others : nil
        }
        let feed = try await meeting(id, in: session)
        viewer.beginning = cursor ?? feed.position.seen(at: WallClock.milliseconds)
        viewer.cursor = viewer.beginning
        if cursor != nil { try await catchUp(viewer, of: feed) }
        feed.viewers[ObjectIdentifier(viewer)] = viewer
    }

    func join(_ viewer: FeedViewer, statusesOnly: Bool, after cursor: FeedCursor?) async throws(RedisError) {
        viewer.beginning = cursor ?? told.seen(at: WallClock.milliseconds)
        viewer.cursor = viewer.beginning
        if cursor != nil { try await catchUpWithAll(viewer, statusesOnly: statusesOnly) }
        add(viewer, to: statusesOnly ? .statuses : .all)
    }

    private func catchUp(_ viewer: FeedViewer, of feed: MeetingFeed) async throws(RedisError) {
        try await catchUp(viewer, with: WorkspaceKeys(workspace: id).partition.feed(ofMeeting: feed.id), of: feed)
    }

    private func catchUpWithAll(_ viewer: FeedViewer, statusesOnly: Bool) async throws(RedisError) {
        var moved: Set<String> = []
        try await catchUp(viewer, with: key, of: nil) { message, entry in
            guard !statusesOnly || message.isStatus else { return false }
            // Once a meeting: it is looked at as a whole.
            return message.kind != .reset || moved.insert(entry.meetingID).inserted
        }
    }

    /// Tells what followed the viewer's cursor in a stream, up to where the others are. Nothing is between the last read and
    /// its return.
    /// - Parameters:
    ///   - one: the meeting that the stream is of; nil: it is the workspace's.
    ///   - isWanted: whether the viewer is told this message of an entry.
    private func catchUp(
        _ viewer: FeedViewer, with key: String, of one: MeetingFeed?,
        isWanted: (FeedMessage, FeedEntry) -> Bool = { _, _ in true }
    ) async throws(RedisError) {
        var others: FeedCursor { one?.position ?? told }
        let era = era
        while await viewer.hasRoom() {
            guard era == self.era else { return reset(viewer, to: others, of: one) }
            let before = others
            guard let page = try await step.feeds.page(key, after: viewer.cursor, isWorkspace: one == nil)
            else { return reset(viewer, to: others, of: one) }
            for entry in page.entries {
                let feed = if let one { one } else { try await meeting(of: entry, in: step) }
                for message in try await feed.replay(entry, after: viewer.cursor, in: step) {
                    guard era == self.era else { return reset(viewer, to: others, of: one) }
                    guard isWanted(message, entry) else { continue }
                    viewer.tell(message)
                    await store.client.loop.nextTurn()
                    guard await viewer.hasRoom() else { return }
                }
                guard era == self.era else { return reset(viewer, to: others, of: one) }
                viewer.cursor = (one == nil ? entry.workspaceCursor : entry.cursor) ?? viewer.cursor
            }
            guard era == self.era else { return reset(viewer, to: others, of: one) }
            viewer.cursor = max(viewer.cursor, page.end)
            if page.entries.isEmpty, !page.isFull {
                if viewer.cursor >= others { return }
                // Others were told more before this was read: the feed has lost it.
                if others == before { return reset(viewer, to: viewer.cursor, of: one) }
            }
            await store.client.loop.nextTurn()
        }
    }

    /// Has a viewer look anew at a meeting, or at all (nil).
    private func reset(_ viewer: FeedViewer, to cursor: FeedCursor, of one: MeetingFeed?) {
        viewer.cursor = cursor
        metrics.resets += 1
        viewer.tell(.reset(one?.number, cursor: cursor, workspaceCursor: one == nil ? cursor : nil))
    }

    /// For a step of what takes many.
    private var step: Session { store.session(milliseconds: Self.timeoutMilliseconds) }

    /// A meeting as it is followed; begins to follow it.
    private func meeting(_ id: String, in session: Session) async throws(RedisError) -> MeetingFeed {
        uses += 1
        if let known = meetings[id] {
            known.usedAt = uses
            return known
        }
        let reading =
            reads[id]
            ?? Task(executorPreference: store.client.loop) { [self] in
                let result: Result<MeetingFeed, RedisError>
                do throws(RedisError) {
                    var (feed, readIn): (MeetingFeed, Int)
                    repeat {
                        readIn = era
                        feed = try await MeetingFeed.read(
                            id, workspace: self.id, in: session.atLeast(milliseconds: Self.timeoutMilliseconds))
                    } while readIn != era
                    result = .success(feed)
                    remember(feed)
                } catch {
                    result = .failure(error)
                }
                reads[id] = nil
                return result
            }
        reads[id] = reading
        return try await reading.value.get()
    }

    private func remember(_ feed: MeetingFeed) {
        if meetings.count >= Self.maximumMeetings,
            let oldest = meetings.values.filter({ !isWanted($0) }).min(by: { $0.usedAt < $1.usedAt })
        {
            meetings[oldest.id] = nil
        }
        feed.usedAt = uses
        meetings[feed.id] = feed
    }

    /// The meeting of an entry. Of a status nothing needs to be known of it, as its drafts are not told.
    private func meeting(of entry: FeedEntry, in session: Session) async throws(RedisError) -> MeetingFeed {
        if case .status = entry.content, meetings[entry.meetingID] == nil, !isAwaited(entry.meetingID) {
            return MeetingFeed(entry.meetingID, workspace: id, from: .beginning)
        }
        return try await meeting(entry.meetingID, in: session)
    }

    // MARK: What is new

    /// Takes in what the hub has read behind `position`.
    func take(_ rows: [Value], readAt: MonotonicTime) {
        self.readAt = readAt
        for row in rows {
            guard let id = row.array?.first?.string.flatMap({ FeedCursor($0) }) else { continue }
            position = max(position, id)
            if let entry = FeedEntry(row) { queue.append(entry) }
        }
        if queue.count > Self.maximumQueue { hasMissed() }
        tellWhatWaits()
    }

    private func tellWhatWaits() {
        guard !(queue.isEmpty && resets.isEmpty), !isTelling else { return }
        isTelling = true
        Task(executorPreference: store.client.loop) { [self] in
            while !(queue.isEmpty && resets.isEmpty), !audience.isEmpty {
                if resets.isEmpty {
                    await tell(queue.removeFirst())
                } else {
                    await store.client.loop.nextTurn()
                    tellResets()
                }
            }
            if audience.isEmpty { (queue, resets) = ([], []) }
            isTelling = false
        }
    }

    /// The feed ends before what was read of it: another one has taken its place.
    func beginAnew(at end: FeedCursor) {
        position = end
        for (viewer, _) in audience.values where viewer.meeting == nil { viewer.cursor = end }
        for feed in meetings.values { feed.beginAnew() }
        hasMissed()
    }

    /// The feed has expired since nobody wrote, and nothing of it is lost: goes on from where it begins again.
    func goOn() {
        // What is not told yet has been lost with it.
        guard queue.isEmpty, !isTelling else { return beginAnew(at: .beginning) }
        (position, told) = (.beginning, .beginning)
        for (viewer, _) in audience.values where viewer.meeting == nil { viewer.cursor = .beginning }
        // Each of their entries was in this one too.
        for feed in meetings.values { feed.beginAnew() }
    }

    /// Something of the feed is lost: whoever views it has to look anew.
    func hasMissed() {
        era += 1
        queue = []
        told = position
        resets = []
        for (viewer, kind) in audience.values where kind != .joining && viewer.meeting == nil {
            viewer.cursor = told
            resets.append((viewer, nil))
        }
        for feed in meetings.values { resets += feed.viewers.values.map { ($0, feed) } }
        // What their drafts are is not known any more either; their viewers' cursors lead to nothing that was missed.
        for feed in meetings.values { feed.forgetDrafts() }
        tellResets()
        tellWhatWaits()
    }

    private func tellResets() {
        let some = resets.prefix(Self.resetsAtOnce)
        resets.removeFirst(some.count)
        for (viewer, meeting) in some where audience[ObjectIdentifier(viewer)] != nil {
            reset(viewer, to: viewer.cursor, of: meeting)
        }
    }

    private func tell(_ entry: FeedEntry) async {
        let viewersOfAll = hasViewersOfAll
        let isStatus = if case .status = entry.content { true } else { false }
        let isWanted =
            viewersOfAll || meetings[entry.meetingID] != nil || isAwaited(entry.meetingID) || isStatus
        guard isWanted else {
            told = entry.workspaceCursor ?? told
            return
        }
        let era = era
        while !audience.isEmpty, era == self.era {
            do throws(RedisError) {
                let feed = try await meeting(of: entry, in: step)
                guard era == self.era else { return }
                let messages = try await feed.take(entry, previousInWorkspace: told, in: step)
                guard era == self.era, let messages else { return }
                let place = entry.workspaceCursor ?? told
                told = place
                for message in messages {
                    await tell(message, to: feed.viewers.values.filter { $0.cursor < entry.cursor })
                    let others = audience.values.filter { viewer, kind in
                        viewer.meeting == nil && viewer.cursor < place
                            && (kind == .all || kind == .statuses && message.isStatus)
                    }
                    await tell(message, to: others.map(\.viewer))
                    // So that what takes them has its turn before there is more.
                    if messages.count > 1 { await store.client.loop.nextTurn() }
                    guard era == self.era else { return }
                }
                for viewer in feed.viewers.values { viewer.cursor = max(viewer.cursor, entry.cursor) }
                for (viewer, kind) in audience.values where viewer.meeting == nil && kind != .joining {
                    viewer.cursor = max(viewer.cursor, place)
                }
                return
            } catch {
                switch error {
                case .refused where !error.isRefusedForNow, .unexpectedReply:
                    logger.warning(
                        "An entry of a live feed could not be read", ["workspace_id": id, "reason": "\(error)"])
                    return
                default: break
                }
                await store.client.loop.wait(milliseconds: Self.pauseMilliseconds)
            }
        }
    }

    private func tell(_ message: FeedMessage, to viewers: [FeedViewer]) async {
        var bytes = 0
        let era = era
        for viewer in viewers where era == self.era {
            viewer.tell(message)
            bytes += message.byteCount
            guard bytes >= Self.bytesAtOnce else { continue }
            bytes = 0
            await store.client.loop.nextTurn()
        }
    }
}

extension FeedMessage {
    var isStatus: Bool { if case .status = kind { true } else { false } }
}
