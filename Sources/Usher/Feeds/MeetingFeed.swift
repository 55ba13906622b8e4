import Log
import Redis

/// A meeting that is followed on one loop: up to where, by whom, and the drafts that it has.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
final class MeetingFeed: @unchecked Sendable {
    let id: String
    private let workspace: String
    /// Up to where its viewers were told.
    private(set) var position: FeedCursor
    private(set) var number = 0
    private var drafts = FeedDrafts()
    var viewers: [ObjectIdentifier: FeedViewer] = [:]
    /// How often what was known of it was given up: what is read meanwhile is not noted.
    private var era = 0
    /// When it was used last, as its workspace counts.
    var usedAt = 0

    init(_ id: String, workspace: String, from position: FeedCursor) {
        self.id = id
        self.workspace = workspace
        self.position = position
    }

    /// A meeting from now on, with the drafts that it has now. They are read piece by piece, each with a time of its own: a
    /// long transcript takes longer than a request may.
    static func read(_ id: String, workspace: String, in session: Session) async throws(RedisError) -> MeetingFeed {
        let partition = Partition(workspace: workspace)
        // First, so that nothing is between it and the drafts.
        let end = try await session.feeds.end(partition.feed(ofMeeting: id))
        let feed = MeetingFeed(id, workspace: workspace, from: end)
        let values = try await session.send(Command(words: ["HMGET", partition.meeting(id)] + FeedMeeting.fields))
            .arrayOrThrow()
        guard let meeting = FeedMeeting(values.map(\.string)) else { return feed }
        feed.number = meeting.number
        var scan = SegmentScan(segmentsOfMeeting: id, of: workspace)
        func batch() async throws(RedisError) -> [(field: [UInt8], value: String)]? {
            try await scan.next(in: session.atLeast(milliseconds: 5_000))
        }
        while let batch = try await batch() {
            for (field, value) in batch where isDraft(value) {
                guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { continue }
                let segment = FeedSegment(
                    id: String(decoding: field[(colon + 1)...], as: UTF8.self),
                    session: String(decoding: field[..<colon], as: UTF8.self), version: nil, value: value,
                    sessions: meeting.sessions)
                if let segment { _ = feed.drafts.take(segment) }
            }
        }
        return feed
    }

    /// By bytes: a transcript has thousands.
    private static func isDraft(_ value: String) -> Bool {
        let kind = value.utf8.drop { $0 != UInt8(ascii: " ") }.dropFirst().first
        return kind == UInt8(ascii: "d")
    }

    func forgetDrafts() {
        era += 1
        drafts.removeAll()
    }

    /// The feed begins anew: what is told next may have a place before the last one.
    func beginAnew() {
        era += 1
        position = .beginning
        for viewer in viewers.values { viewer.cursor = .beginning }
    }

    /// What is told of an entry, which comes once. It may be from before the meeting was followed here: then it is told to
    /// viewers of all meetings alone.
    /// - Returns: nil if it is of a feed that has begun anew meanwhile.
    func take(
        _ entry: FeedEntry, previousInWorkspace: FeedCursor?, in session: Session
    ) async throws(RedisError) -> [FeedMessage]? {
        let era = era
        let found = try await session.feeds.resolve(entry, meeting: id, workspace: workspace)
        guard era == self.era else { return nil }
        defer { position = max(position, entry.cursor) }
        guard let (meeting, segments, isElsewhere) = found else { return [] }
        number = meeting.number
        if entry.content == .deleted { drafts.removeAll() }
        var speakers: [String] = []
        for segment in segments { speakers += drafts.take(segment) }
        return FeedWriting(entry: entry, meeting: meeting, segments: segments).messages(
            drafts: drafts, speakers: speakers, previous: position, previousInWorkspace: previousInWorkspace,
            now: WallClock.milliseconds) + Self.reset(entry, meeting, if: isElsewhere)
    }

    /// What is told of an entry to one who was away, or has just come. The drafts are those of now.
    /// - Parameter previous: where that one was, in the feed that the entry was read from.
    func replay(
        _ entry: FeedEntry, after previous: FeedCursor, in session: Session
    ) async throws(RedisError) -> [FeedMessage] {
        guard
            let (meeting, segments, isElsewhere) = try await session.feeds.resolve(
                entry, meeting: id, workspace: workspace)
        else { return [] }
        let speakers = segments.filter { $0.kind == .draft }.map(\.speaker)
        return FeedWriting(entry: entry, meeting: meeting, segments: segments).messages(
            drafts: drafts, speakers: speakers, previous: previous, previousInWorkspace: previous,
            now: WallClock.milliseconds) + Self.reset(entry, meeting, if: isElsewhere)
    }

    /// What the archive has is not told: its viewers look at the transcript.
    private static func reset(_ entry: FeedEntry, _ meeting: FeedMeeting, if isElsewhere: Bool) -> [FeedMessage] {
        isElsewhere ? [.reset(meeting.number, cursor: entry.cursor, workspaceCursor: entry.workspaceCursor)] : []
    }
}
