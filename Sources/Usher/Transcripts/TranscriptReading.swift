import EventLoop
import Redis

/// The transcript of a meeting, as it is being read: the segments in order, each as a JSON object with the members of
/// the wire's segments (docs/bot-wire.md, "Transcript segments") and `session_uid`, the bot that heard it, which tells
/// the sessions of a restarted meeting apart.
///
/// It is read twice: first where each segment stands, then, in order, piece by piece, what it says. So a transcript of
/// any length is held in pieces alone, but for one that is small, which is read once.
public struct TranscriptReading: Sendable {
    /// A transcript of so many bytes is kept from the first reading.
    static let smallBytes = 131_072
    /// Segments that are asked for at once.
    private static let segmentsAtOnce = 50
    /// What a place takes in memory, beside the bytes of its field.
    private static let placeBytes = 112
    /// Places that are passed over before others have their turn.
    private static let skippedAtOnce = 100

    private let workspace: String
    private let key: String
    private let sessions: Sessions
    private var order: SegmentOrder
    private let averageBytes: Int
    /// What the first reading kept, by field.
    private let kept: [[UInt8]: StoredSegment]?
    private var remaining: Int

    /// Whether the rest of it is to be read from Redis still.
    public var isLarge: Bool { kept == nil }

    /// Finds out where each segment stands.
    /// - Parameters:
    ///   - offset: how many segments are passed over.
    ///   - limit: how many are read; nil: all others.
    ///   - prepare: called once if the transcript is not small, before its rest is read, with about the bytes that its
    ///     places are going to take. What it throws ends the reading.
    public init(
        of meeting: Meeting, in session: Session, offset: Int = 0, limit: Int? = nil,
        prepare: (_ bytes: Int) async throws -> Void
    ) async throws {
        workspace = meeting.workspaceID
        key = Partition(workspace: workspace).segments(ofMeeting: meeting.id)
        sessions = Sessions(meeting.fields["sessions"])
        remaining = limit ?? Int.max
        var kept: [[UInt8]: StoredSegment]? = [:]
        var order = SegmentOrder()
        var scan = SegmentScan(segmentsOfMeeting: meeting.id, of: workspace)
        while let batch = try await scan.next(in: session) {
            if kept != nil, scan.bytes > Self.smallBytes {
                kept = nil
                let count = try await session.send(Command("HLEN", key)).integerOrThrow()
                try await prepare(count * (Self.placeBytes + scan.fieldBytes / max(1, scan.segmentCount)))
            }
            for (field, value) in batch {
                guard let segment = StoredSegment(field: field, value: value, sessions: sessions) else { continue }
                order.add(SegmentPlace(segment, field: field))
                kept?[field] = segment
            }
        }
        order.completeRun()
        averageBytes = scan.bytes / max(1, scan.segmentCount)
        self.order = order
        self.kept = kept
        try await skip(offset, on: session.store.client.loop)
    }

    private mutating func skip(_ offset: Int, on loop: EventLoop) async throws {
        var skipped = 0
        while skipped < offset, order.next() != nil {
            skipped += 1
            if skipped % Self.skippedAtOnce == 0 { await loop.nextTurn() }
        }
    }

    /// The next segments, joined by commas.
    /// - Parameter bytes: about so many.
    /// - Returns: nil once there are no more; nothing if those that were next have been deleted meanwhile.
    public mutating func next(bytes: Int, in session: Session) async throws(RedisError) -> [UInt8]? {
        let count = min(Self.segmentsAtOnce, remaining, max(1, bytes / max(1, averageBytes)))
        var fields: [[UInt8]] = []
        while fields.count < count, let place = order.next() { fields.append(place.field) }
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
        if let kept { return fields.compactMap { kept[$0] } }
        let names = fields.map { String(decoding: $0, as: UTF8.self) }
        let values = try await session.largeReads.turn(of: workspace) { () throws(RedisError) in
            try await session.send(Command(words: ["HMGET", key] + names)).arrayOrThrow()
        }
        guard values.count == fields.count else { throw .unexpectedReply("HMGET returned \(values.count) values") }
        return zip(fields, values).compactMap { field, value in
            value.string.flatMap { StoredSegment(field: field, value: $0, sessions: sessions) }
        }
    }
}
