import EventLoop
import Redis

/// The transcript of a meeting, as it is being read: the segments in order, each as a JSON object with the members of
/// the wire's segments (docs/bot-wire.md, "Transcript segments") and `session_uid`, the bot that heard it, which tells
/// the sessions of a restarted meeting apart.
///
/// It is read twice: first where each segment stands, then, in order, piece by piece, what it says. So a transcript of
/// any length is held in pieces alone, but for one that is small, which is read once, and for what is in the archive,
/// which is fetched as a whole.
public struct TranscriptReading: Sendable {
    /// A transcript of so many bytes is kept from the first reading.
    static let smallBytes = 131_072
    /// Segments that are asked for at once.
    private static let segmentsAtOnce = 50
    /// What a place takes in memory, beside the bytes of its field.
    private static let placeBytes = 120
    /// Places that are passed over, or put in order, before others have their turn.
    private static let placesAtOnce = 100
    /// How often it is begun anew where the transcript is moved to the archive meanwhile.
    private static let attempts = 3

    private let workspace: String
    private let meetingID: String
    private let sessions: Sessions
    private var order = SegmentOrder()
    /// The field `archived` of the record that it goes by.
    private let archivedField: String?
    /// What the archive has, but for what was changed since.
    private var archived: StoredSegments = [:]
    /// What the first reading kept, by field.
    private var kept: [[UInt8]: StoredSegment]? = [:]
    private var remaining: Int

    /// Whether the rest of it is to be read from Redis still.
    public var isLarge: Bool { kept == nil }

    private var partition: Partition { Partition(workspace: workspace) }
    private var key: String { partition.segments(ofMeeting: meetingID) }

    /// Finds out where each segment stands.
    /// - Parameters:
    ///   - offset: how many segments are passed over.
    ///   - limit: how many are read; nil: all others.
    ///   - prepare: called once if the transcript is not small, before its rest is read, with about the bytes that it is
    ///     going to take. What it throws ends the reading.
    /// - Throws: `ArchiveFault` where the archive does not give what it has; never less than there is.
    public init(
        of meeting: Meeting, in session: Session, offset: Int = 0, limit: Int? = nil,
        prepare: (_ bytes: Int) async throws -> Void
    ) async throws {
        var field = meeting.fields["archived"]
        var isPrepared = false
        self.init(of: meeting, archivedField: field, limit: limit)
        for attempt in 1... {
            var fault: ArchiveFault?
            do {
                try await read(session) { bytes in
                    guard !isPrepared else { return }
                    isPrepared = true
                    try await prepare(bytes)
                }
            } catch let error as ArchiveFault {
                fault = error
            }
            // It may have been moved while it was read, so that some of it was seen neither here nor there.
            let now = try await archivedField(in: session)
            if now == field {
                if let fault { throw fault }
                break
            }
            guard attempt < Self.attempts else { throw fault ?? Self.moved }
            field = now
            self = TranscriptReading(of: meeting, archivedField: field, limit: limit)
        }
        try await skip(offset, on: session.store.client.loop)
    }

    private init(of meeting: Meeting, archivedField: String?, limit: Int?) {
        workspace = meeting.workspaceID
        meetingID = meeting.id
        sessions = Sessions(meeting.fields["sessions"])
        self.archivedField = archivedField
        remaining = limit ?? Int.max
    }

    private static let moved = ArchiveFault.away("the transcript is being moved to the archive")

    private func archivedField(in session: Session) async throws(RedisError) -> String? {
        try await session.send(Command("HGET", partition.meeting(meetingID), "archived")).optionalString()
    }

    private mutating func read(_ session: Session, _ prepare: (_ bytes: Int) async throws -> Void) async throws {
        try await fetch(session, prepare)
        var scan = SegmentScan(segmentsOfMeeting: meetingID, of: workspace)
        while let batch = try await scan.next(in: session) {
            if kept != nil, scan.bytes > Self.smallBytes {
                kept = nil
                let count = try await session.send(Command("HLEN", key)).integerOrThrow()
                try await prepare(count * (Self.placeBytes + scan.fieldBytes / max(1, scan.segmentCount)))
            }
            for (field, value) in batch {
                if let present = archived[field] {
                    guard StoredSegment.takesPlace(value, of: present) else { continue }
                    archived[field] = nil
                }
                guard let segment = StoredSegment(field: field, value: value, sessions: sessions) else { continue }
                order.add(SegmentPlace(segment, field: field))
                kept?[field] = segment
            }
        }
        try await placeArchived(on: session.store.client.loop)
        order.completeRun()
    }

    private var archivedBytes: Int {
        archivedField.flatMap { ArchivedObject($0, workspaceID: workspace, meetingID: meetingID) }?.unpackedBytes ?? 0
    }

    private mutating func fetch(
        _ session: Session, _ prepare: (_ bytes: Int) async throws -> Void
    ) async throws {
        let bytes = archivedBytes
        if bytes > Self.smallBytes {
            kept = nil
            // As it comes, as it is kept, and its places; and those of what is in Redis.
            let count = try await session.send(Command("HLEN", key)).integerOrThrow()
            try await prepare(3 * bytes + 2 * count * Self.placeBytes)
        }
        archived = try await session.archivedSegments(archivedField, of: meetingID, workspace: workspace)
    }

    private mutating func placeArchived(on loop: EventLoop) async throws {
        var placed = 0
        for (field, value) in archived {
            guard let segment = StoredSegment(field: field, value: value, sessions: sessions) else { continue }
            order.add(SegmentPlace(segment, field: field))
            placed += 1
            if placed % Self.placesAtOnce == 0 { await loop.nextTurn() }
        }
    }

    private mutating func skip(_ offset: Int, on loop: EventLoop) async throws {
        var skipped = 0
        while skipped < offset, order.next() != nil {
            skipped += 1
            if skipped % Self.placesAtOnce == 0 { await loop.nextTurn() }
        }
    }

    /// The next segments, joined by commas.
    /// - Parameter bytes: about so many.
    /// - Returns: nil once there are no more; nothing if those that were next have been deleted meanwhile.
    public mutating func next(bytes: Int, in session: Session) async throws(RedisError) -> [UInt8]? {
        let count = min(Self.segmentsAtOnce, remaining)
        var fields: [[UInt8]] = []
        var sum = 0
        while fields.count < count, fields.isEmpty || sum < bytes, let place = order.next() {
            fields.append(place.field)
            sum += place.bytes
        }
        guard !fields.isEmpty else { return nil }
        remaining -= fields.count
        var json: [UInt8] = []
        for segment in try await segments(fields, in: session) {
            if !json.isEmpty { json.append(UInt8(ascii: ",")) }
            segment.append(to: &json)
        }
        return json
    }

    private func segments(_ fields: [[UInt8]], in session: Session) async throws(RedisError) -> [StoredSegment] {
        let stored = kept == nil ? try await inRedis(fields.filter { archived[$0] == nil }, session) : [:]
        return fields.compactMap { field in
            if let segment = kept?[field] ?? stored[field] { return segment }
            return archived[field].flatMap { StoredSegment(field: field, value: $0, sessions: sessions) }
        }
    }

    private func inRedis(
        _ fields: [[UInt8]], _ session: Session
    ) async throws(RedisError) -> [[UInt8]: StoredSegment] {
        guard !fields.isEmpty else { return [:] }
        let names = fields.map { String(decoding: $0, as: UTF8.self) }
        let values = try await session.largeReads.turn(of: workspace) { () throws(RedisError) in
            try await session.send(Command(words: ["HMGET", key] + names)).arrayOrThrow()
        }
        guard values.count == fields.count else { throw .unexpectedReply("HMGET returned \(values.count) values") }
        // What was deleted is left out; what was moved is not told as if it were all.
        if values.contains(.null), try await archivedField(in: session) != archivedField {
            throw .unexpectedReply("a transcript that was moved to the archive while it was read")
        }
        var segments: [[UInt8]: StoredSegment] = [:]
        for (field, value) in zip(fields, values) {
            segments[field] = value.string.flatMap { StoredSegment(field: field, value: $0, sessions: sessions) }
        }
        return segments
    }
}
