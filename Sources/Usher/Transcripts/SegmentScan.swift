import Redis

/// Goes through the stored segments of a meeting in no order, each once, a batch at a time: however long a transcript is,
/// Redis and the loop are held for a batch alone. What changes meanwhile is seen in its old form or in its new one.
struct SegmentScan {
    /// About the bytes of a batch.
    private static let batchBytes = 16_384
    /// The first batch has about so many, whatever they are; the sizes in it tell how many later ones have. Redis' order
    /// is that of a hash with a seed of its own, so that nobody can put the large ones behind.
    private static let firstCount = 20
    private static let countRange = 4...100
    /// Far more than ingestion lets a meeting have.
    private static let maximumSegments = 4 * Transcripts.maximumSegmentsOfMeeting

    private let workspace: String
    private let key: String
    private var cursor: String? = "0"
    private var count = Self.firstCount
    /// The hashes of those that it has come by, as it may come by one twice while the record grows. The fields themselves
    /// would take a loop milliseconds to keep and to let go. Hashes have 64 bits and a seed that nobody knows, so that one
    /// of ten billion full transcripts might lack a segment in one answer.
    private var seen: Set<Int> = []
    /// Of all values so far.
    private(set) var bytes = 0
    /// Of all fields so far.
    private(set) var fieldBytes = 0

    init(segmentsOfMeeting id: String, of workspace: String) {
        self.workspace = workspace
        key = Partition(workspace: workspace).segments(ofMeeting: id)
    }

    var segmentCount: Int { seen.count }

    /// - Returns: nil once there are no more. A batch may be empty.
    mutating func next(in session: Session) async throws(RedisError) -> [(field: [UInt8], value: String)]? {
        guard let cursor else { return nil }
        let reply = try await session.largeReads.turn(of: workspace) { () throws(RedisError) in
            try await session.send(Command("HSCAN", key, cursor, "COUNT", String(count))).arrayOrThrow()
        }
        guard reply.count == 2 else { throw .unexpectedReply("HSCAN returned \(reply.count) parts") }
        let next = try reply[0].stringOrThrow()
        let parts = try reply[1].arrayOrThrow()
        self.cursor = next == "0" ? nil : next
        var batch: [(field: [UInt8], value: String)] = []
        var batchBytes = 1
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            let field = Array(try parts[index].stringOrThrow().utf8)
            let value = try parts[index + 1].stringOrThrow()
            batchBytes += value.utf8.count
            fieldBytes += field.count
            if seen.insert(field.hashValue).inserted { batch.append((field, value)) }
        }
        bytes += batchBytes
        guard seen.count <= Self.maximumSegments else {
            throw .unexpectedReply("a transcript of over \(Self.maximumSegments) segments")
        }
        let fitting = max(1, parts.count / 2) * Self.batchBytes / batchBytes
        count = min(max(fitting, Self.countRange.lowerBound), Self.countRange.upperBound)
        return batch
    }
}
