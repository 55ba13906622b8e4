import Log
import Redis

/// A stretch of a feed.
struct FeedPage: Sendable {
    let entries: [FeedEntry]
    /// Where the next one begins.
    let end: FeedCursor
    /// Whether there may be more behind it.
    let isFull: Bool
}

/// What is told of changes in meetings.
public struct Feeds: Sendable {
    let session: Session

    /// Entries that are read at once.
    static let entriesAtOnce = 50
    /// Segments that Redis is asked for in one command: each may be large, however short it was when its entry was made.
    private static let segmentsAtOnce = 8
    /// Below this length a feed has lost none of its entries (see `lua/includes/feed.lua`).
    private static let untrimmedLengths = (meeting: 500, workspace: 2_000)

    /// Where a feed ends now.
    /// - Parameter key: of a meeting's feed, or a workspace's.
    func end(_ key: String) async throws(RedisError) -> FeedCursor {
        let last = try await session.send(Command("XREVRANGE", key, "+", "-", "COUNT", "1")).arrayOrThrow()
        return last.first?.array?.first?.string.flatMap { FeedCursor($0) } ?? .beginning
    }

    /// Where the feed of a meeting ends now: what is read of the transcript afterwards has all that is before.
    public func end(of meeting: Meeting) async throws(RedisError) -> FeedCursor {
        let end = try await end(Partition(workspace: meeting.workspaceID).feed(ofMeeting: meeting.id))
        return end.seen(at: WallClock.milliseconds)
    }

    /// What follows a cursor in a feed.
    /// - Returns: nil if something behind the cursor is not there any more, or the cursor is none of this feed's.
    func page(_ key: String, after cursor: FeedCursor, isWorkspace: Bool) async throws(RedisError) -> FeedPage? {
        let isBeginning = cursor.isBeginning(at: WallClock.milliseconds)
        let start = cursor.description
        let count = String(Self.entriesAtOnce + 1)
        // The entry of the cursor itself has to be there still: then none behind it is gone.
        let replies = try await session.pipeline([
            Command("XLEN", key), Command("XRANGE", key, isBeginning ? "-" : start, "+", "COUNT", count),
        ])
        let rows = try replies[1].arrayOrThrow()
        let length = try replies[0].integerOrThrow()
        let untrimmed = isWorkspace ? Self.untrimmedLengths.workspace : Self.untrimmedLengths.meeting
        if isBeginning {
            guard length < untrimmed else { return nil }
        } else {
            guard rows.first?.array?.first?.string == start else { return nil }
        }
        // Some of what it told of is in the archive.
        if isBeginning, rows.contains(where: Self.tellsOfMove) { return nil }
        let following = rows.dropFirst(isBeginning ? 0 : 1)
        let end = following.last?.array?.first?.string.flatMap { FeedCursor($0) }
        return FeedPage(
            entries: following.compactMap { FeedEntry($0) }, end: end ?? cursor,
            isFull: rows.count > Self.entriesAtOnce)
    }

    /// Whether an entry is the one that `lua/let_go.lua` leaves.
    private static func tellsOfMove(_ row: Value) -> Bool {
        row.array?.last?.array?.last?.string == "moved"
    }

    /// What an entry's meeting is, and what its segments say now.
    /// - Returns: nil if there is no such meeting any more. `isElsewhere`: some of it has moved to the archive, or came
    ///   in beside that, so that what it says is not told.
    func resolve(
        _ entry: FeedEntry, meeting id: String, workspace: String
    ) async throws(RedisError) -> (meeting: FeedMeeting, segments: [FeedSegment], isElsewhere: Bool)? {
        let partition = Partition(workspace: workspace)
        var commands = [Command(words: ["HMGET", partition.meeting(id)] + FeedMeeting.fields)]
        var rest: ArraySlice<String> = []
        func next() -> Command {
            defer { rest = rest.dropFirst(Self.segmentsAtOnce) }
            return Command(words: ["HMGET", partition.segments(ofMeeting: id)] + rest.prefix(Self.segmentsAtOnce))
        }
        if case .segments(let bot, _, let ids) = entry.content {
            guard !ids.isEmpty else { return nil }
            rest = ids.map { "\(bot):\($0)" }[...]
            commands.append(next())
        }
        let replies = try await session.pipeline(commands)
        guard let meeting = FeedMeeting(try replies[0].arrayOrThrow().map(\.string)) else { return nil }
        guard case .segments(let bot, let version, let ids) = entry.content else { return (meeting, [], false) }
        // What comes this late may come a second time, and the archive has what took its place.
        guard !(meeting.isArchived && meeting.isOver) else { return (meeting, [], true) }
        var values = try replies[1].arrayOrThrow()
        while !rest.isEmpty { values += try await session.send(next()).arrayOrThrow() }
        guard values.count == ids.count else { throw .unexpectedReply("HMGET returned \(values.count) values") }
        var segments: [FeedSegment] = []
        var bytes = 0
        for (id, value) in zip(ids, values) {
            if let segment = FeedSegment(
                id: id, session: bot, version: version, value: value.string,
                sessions: meeting.sessions)
            {
                segments.append(segment)
                bytes += segment.json.count
            }
            // Others have their turn on the loop meanwhile.
            if bytes > 16_384 {
                bytes = 0
                await session.store.client.loop.nextTurn()
            }
        }
        return (meeting, segments, meeting.isArchived && values.contains(.null))
    }
}

extension Session {
    public var feeds: Feeds { Feeds(session: self) }
}
