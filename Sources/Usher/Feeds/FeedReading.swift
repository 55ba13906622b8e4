import Redis

/// What changed in a meeting since a cursor, read entry by entry by one who does not stay.
public struct FeedReading: Sendable {
    public enum Step: Sendable {
        /// Segments as they are now, joined by commas, and the ids of those that are gone.
        case changes([UInt8], retracted: [String])
        case end
        /// Something behind the cursor is not told any more: look at all of it.
        case lost
    }

    private let meeting: Meeting
    private let key: String
    private var entries: [FeedEntry] = []
    private var hasMore = true
    /// Up to where it has been read.
    public private(set) var cursor: FeedCursor
    private var pageEnd: FeedCursor

    public init(of meeting: Meeting, after cursor: FeedCursor) {
        self.meeting = meeting
        self.cursor = cursor
        pageEnd = cursor
        key = Partition(workspace: meeting.workspaceID).feed(ofMeeting: meeting.id)
    }

    public mutating func next(in session: Session) async throws(RedisError) -> Step {
        if entries.isEmpty {
            cursor = max(cursor, pageEnd)
            guard hasMore else { return .end }
            guard let page = try await session.feeds.page(key, after: cursor, isWorkspace: false) else { return .lost }
            entries = page.entries.reversed()
            pageEnd = page.end
            hasMore = page.isFull
            if entries.isEmpty { return try await next(in: session) }
        }
        guard let entry = entries.popLast() else { return .end }
        if entry.content == .deleted { return .lost }
        cursor = entry.cursor
        let found = try await session.feeds.resolve(entry, meeting: meeting.id, workspace: meeting.workspaceID)
        if found?.isElsewhere == true { return .lost }
        var json: [UInt8] = []
        for segment in found?.segments ?? [] where segment.kind != .retracted {
            if !json.isEmpty { json.append(UInt8(ascii: ",")) }
            json += segment.json
        }
        return .changes(json, retracted: (found?.segments ?? []).filter { $0.kind == .retracted }.map(\.id))
    }
}
