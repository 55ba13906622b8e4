import HTTP
import Usher

/// What changed in a transcript since a cursor, for those who poll.
struct TranscriptChanges {
    /// About the most that an answer has; the last entry may go beyond.
    private static let maximumBytes = 131_072

    private let call: Call<Caller>
    private let meeting: Meeting

    init(_ call: Call<Caller>, _ meeting: Meeting) {
        self.call = call
        self.meeting = meeting
    }

    /// - Returns: nil if the cursor leads nowhere any more.
    func response(after cursor: FeedCursor) async throws -> Response? {
        var reading = FeedReading(of: meeting, after: cursor)
        var (segments, retracted): ([UInt8], [String]) = ([], [])
        var hasMore = true
        while hasMore, segments.count < Self.maximumBytes {
            switch try await reading.next(in: call.session) {
            case .lost: return nil
            case .end: hasMore = false
            case .changes(let changed, let gone):
                if !segments.isEmpty, !changed.isEmpty { segments.append(UInt8(ascii: ",")) }
                segments += changed
                retracted += gone
            }
        }
        let start = TranscriptEndpoint.start(of: meeting)
        // The meeting itself is shown too: it may have another name, or other notes, with nothing said since.
        let etag = "\"\(reading.cursor)-\(Digest.sha256(String(decoding: start, as: UTF8.self)).prefix(16))\""
        if Self.matches(call.request.header("If-None-Match"), etag) {
            return Response(status: 304, headers: [("ETag", etag)])
        }
        var body = start + segments
        var end = JSONText()
        end.add("retracted", texts: retracted)
        end.add("reset", json: "false")
        end.add("has_more", json: hasMore ? "true" : "false")
        end.add("cursor", reading.cursor.description)
        body += "],".utf8
        body += end.bytes.dropFirst()
        return .json(body, headers: [("ETag", etag)])
    }

    /// RFC 9110 section 13.1.2, by the weak comparison.
    private static func matches(_ field: String?, _ etag: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { part in
            let tag = part.drop { $0 == " " }.prefix { $0 != " " }
            return tag == etag || tag == "W/\(etag)" || tag == "*"
        }
    }
}
