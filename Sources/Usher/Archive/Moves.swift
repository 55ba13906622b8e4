import Log
import Redis
import Scripts

/// Moves the transcripts of meetings that are over to the archive, and has removed from there what is deleted
/// (docs/architecture.md, "The archive"). Every step is safe to repeat, by any node.
public struct Moves: Sendable {
    let session: Session

    /// How long a node may take for one, in ms.
    public static let leaseMilliseconds = 120_000
    /// How long the object before is kept for those who read it, and, unless Redis keeps it itself, for a failover that forgets
    /// the one after it.
    static let keepMilliseconds = 600_000
    /// For longer no meeting is left alone, in ms: as lua/begin_move.lua has it.
    private static let longestPauseMilliseconds = 86_400_000
    private static let pageCount = 100
    private static let pages = 10

    /// One that a node has taken.
    public struct Move: Sendable {
        public let name: ArchiveName
        let meeting: Meeting
        let revision: String?
        let archived: String?
        let redactedAt: String?

        /// When its sessions began: what `MovedTranscript` asks for.
        public var sessions: String? { meeting.fields["sessions"] }
        public var number: Int { meeting.number }
        /// The object before.
        public var before: ArchiveName? {
            archived.flatMap { ArchivedObject($0, workspaceID: name.workspaceID, meetingID: name.meetingID) }?.name
        }
    }

    public enum Outcome: Sendable {
        case moved
        /// It has changed, and is moved anew: what was written is removed.
        case changed
        /// Another node moves it, or it was deleted: who wrote removes what it has written.
        case notYours
    }

    /// Meetings whose time has come and that no node moves, the longest over first: some of each partition, which
    /// take turns.
    /// - Parameter after: how long after its end one is moved, in ms.
    public func due(after: Int) async throws(RedisError) -> [(partition: Partition, meeting: String)] {
        let now = try await session.time()
        let pages = try await session.repliesOfPartitions { page($0, now - after, 0) }
        var due: [(turn: Int, partition: Partition, meeting: String)] = []
        for (partition, first) in pages {
            var page = first
            for number in 1...Self.pages {
                let ids = try session.oddRecords.list(partition.ended, page).compactMap(\.string)
                let free = try await notTaken(ids.filter { MeetingRemains($0) == nil }, in: partition, now: now)
                due += free.enumerated().map { ($0, partition, $1) }
                guard free.isEmpty, ids.count == Self.pageCount else { break }
                page = try await session.send(self.page(partition, now - after, number * Self.pageCount))
            }
        }
        return due.sorted { ($0.turn, $0.partition.number) < ($1.turn, $1.partition.number) }
            .map { ($0.partition, $0.meeting) }
    }

    private func page(_ partition: Partition, _ until: Int, _ offset: Int) -> Command {
        Command(
            "ZRANGEBYSCORE", partition.ended, "-inf", String(until), "LIMIT", String(offset), String(Self.pageCount))
    }

    private func notTaken(
        _ ids: [String], in partition: Partition, now: Int
    ) async throws(RedisError) -> [String] {
        guard !ids.isEmpty else { return [] }
        let leases = try await session.replies(to: ids.map { Command("ZSCORE", partition.moving, $0) })
        return zip(ids, leases).compactMap { id, lease in
            // One that ends later than any was given before the clock was set back.
            let left = lease.string.flatMap { Double($0) }.map { $0 - Double(now) } ?? 0
            return left > 0 && left <= Double(Self.longestPauseMilliseconds) ? nil : id
        }
    }

    /// Takes one.
    /// - Parameter isKept: whether what is written is for Redis itself to keep.
    /// - Returns: nil if there is nothing to be done.
    /// - Throws: `.unexpectedReply` for a record that cannot be read.
    public func begin(
        _ id: String, in partition: Partition, after: Int, isKept: Bool = false
    ) async throws(RedisError) -> Move? {
        let meeting = try Meeting(try await session.send(Command("HGETALL", partition.meeting(id))).hash())
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        let object = ArchiveName.object(isKept: isKept)
        guard let name = ArchiveName(workspaceID: meeting.workspaceID, meetingID: id, object: object) else {
            throw .unexpectedReply("a meeting whose ids are none")
        }
        let reply = try await session.run(
            Scripts.BeginMove(
                meetingKey: partition.meeting(id), segmentsKey: partition.segments(ofMeeting: id),
                roomKey: keys.holder(meeting.room), endedKey: partition.ended, analyzingKey: partition.analyzing,
                archivedKey: partition.archived, movingKey: partition.moving, removalsKey: partition.removals,
                meetingID: id, afterMilliseconds: after, leaseMilliseconds: Self.leaseMilliseconds, object: object))
        guard case .claimed(let revision, let archived, let redactedAt) = reply else { return nil }
        return Move(name: name, meeting: meeting, revision: revision, archived: archived, redactedAt: redactedAt)
    }

    /// All that was said in a meeting that is moved.
    /// - Parameter bytes: how many of it are in Redis.
    /// - Throws: `RedisError`, or `ArchiveFault` where the object before cannot be read.
    public func segments(of move: Move) async throws -> (segments: StoredSegments, bytes: Int) {
        var segments = try await session.archivedSegments(
            move.archived, of: move.meeting.id, workspace: move.meeting.workspaceID)
        var scan = SegmentScan(segmentsOfMeeting: move.meeting.id, of: move.meeting.workspaceID)
        var bytes = 0
        while let batch = try await scan.next(in: session) {
            for (field, value) in batch {
                bytes += StoredSegment.taken(field: field, value: value)
                segments.merge(field, value)
            }
        }
        return (segments, bytes)
    }

    /// Has Redis let go of a transcript that the archive has.
    /// - Parameters:
    ///   - transcript: what was written.
    ///   - bytes: of it, how many were in Redis.
    public func letGo(
        _ move: Move, _ transcript: MovedTranscript, sha256: String, packedBytes: Int, unpackedBytes: Int, bytes: Int
    ) async throws(RedisError) -> Outcome {
        let object = ArchivedObject(
            name: move.name, sha256: sha256, bytes: packedBytes, unpackedBytes: unpackedBytes,
            segments: transcript.segments.count, taken: transcript.taken)
        let keys = WorkspaceKeys(workspace: move.meeting.workspaceID)
        let (id, partition) = (move.meeting.id, keys.partition)
        let reply = try await session.run(
            Scripts.LetGo(
                meetingKey: partition.meeting(id), segmentsKey: partition.segments(ofMeeting: id),
                roomKey: keys.holder(move.meeting.room), endedKey: partition.ended, analyzingKey: partition.analyzing,
                archivedKey: partition.archived, movingKey: partition.moving, removalsKey: partition.removals,
                workspaceKey: keys.workspace, feedKey: partition.feed(ofMeeting: id),
                objectKey: partition.object(move.name), meetingID: id, object: move.name.object,
                revision: move.revision, before: move.archived,
                redactedAt: move.redactedAt, archived: object.text, bytes: bytes,
                keepMilliseconds: Self.keepMilliseconds, partBytes: KeptObjects.partBytes,
                participants: transcript.participants,
                languages: transcript.languages))
        switch reply {
        case .gone: return .moved
        case .lookAgain: return .changed
        case .notYours: return .notYours
        }
    }

    /// Leaves a meeting alone for a while.
    public func postpone(_ id: String, in partition: Partition, milliseconds: Int) async throws(RedisError) {
        let until = try await session.time().addingClamped(milliseconds)
        _ = try await session.send(Command("ZADD", partition.moving, String(until), id))
    }

    // MARK: Removal

    /// So much earlier than their time those that Redis keeps lie in the zset, in ms: as lua/includes/archive.lua has it.
    static let keptBefore = 1_000_000_000_000_000

    /// Objects that Redis keeps and that are to be removed by now: some of each partition.
    public func keptRemovals() async throws(RedisError) -> [ArchiveName] {
        try await removals(from: Int.min, to: session.time() - Self.keptBefore, count: 100, ofKept: true)
    }

    /// The same of other objects.
    public func removals() async throws(RedisError) -> [ArchiveName] {
        try await removals(from: 0, to: session.time(), count: 20, ofKept: false)
    }

    private func removals(
        from least: Int, to most: Int, count: Int, ofKept: Bool
    ) async throws(RedisError) -> [ArchiveName] {
        let pages = try await session.repliesOfPartitions {
            Command("ZRANGEBYSCORE", $0.removals, String(least), String(most), "LIMIT", "0", String(count))
        }
        var names: [ArchiveName] = []
        for (partition, page) in pages {
            var odd: [String] = []
            for member in try session.oddRecords.list(partition.removals, page).compactMap(\.string) {
                guard let name = ArchiveName(member), Partition(workspace: name.workspaceID) == partition else {
                    odd.append(member)
                    continue
                }
                // Another hand put it where those of the other kind lie.
                if name.isKept == ofKept { names.append(name) } else { try await remove(name, afterMilliseconds: 0) }
            }
            // Not ours: they would stand at the head for ever.
            if !odd.isEmpty { _ = try await session.send(Command(words: ["ZREM", partition.removals] + odd)) }
        }
        return names
    }

    /// They are gone.
    /// - Returns: how many were noted still: of what several nodes remove at once, each is one node's.
    public func removed(_ names: some Collection<ArchiveName>) async throws(RedisError) -> Int {
        let counts = try await session.pipeline(
            names.map { Command("ZREM", Partition(workspace: $0.workspaceID).removals, $0.description) })
        return try counts.map { count throws(RedisError) in try count.integerOrThrow() }.reduce(0, +)
    }

    /// It is to be removed, or tried again, after a while.
    public func remove(_ name: ArchiveName, afterMilliseconds wait: Int) async throws(RedisError) {
        let at = try await session.time().addingClamped(wait) - (name.isKept ? Self.keptBefore : 0)
        _ = try await session.send(
            Command("ZADD", Partition(workspace: name.workspaceID).removals, String(at), name.description))
    }

    // MARK: What there is to do

    /// Has others know what keeps the archive from being written; nil: nothing does.
    public func note(problem: String?) async throws(RedisError) {
        _ = try await session.send(
            problem.map { Command("SET", Keys.archiveProblem, $0, "PX", String(Self.leaseMilliseconds)) }
                ?? Command("DEL", Keys.archiveProblem))
    }
}

extension Session {
    public var moves: Moves { Moves(session: self) }
}
