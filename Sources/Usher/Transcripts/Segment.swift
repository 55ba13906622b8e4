import FoundationEssentials

/// A piece of a transcript, as a bot sends it and as users get it (wire facts, sections 1 and 2).
public struct Segment: Codable, Equatable, Sendable {
    /// Longest text of one segment, in bytes; a longer one is refused.
    static let maximumTextBytes = 20_000

    public var segmentID: String
    /// Seconds from the start of the session.
    public var start: Double
    public var end: Double
    public var text: String
    public var language: String?
    public var speaker: String?
    /// Whether it is confirmed; a draft is replaced by a later form of the same id.
    public var completed: Bool
    /// RFC 3339.
    public var absoluteStartTime: String?
    public var absoluteEndTime: String?
    public var createdAt: String?

    enum CodingKeys: String, CodingKey {
        case segmentID = "segment_id"
        case start, end, text, language, speaker, completed
        case absoluteStartTime = "absolute_start_time"
        case absoluteEndTime = "absolute_end_time"
        case createdAt = "created_at"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys, maximum: Int) throws -> String? {
            guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
            guard text.utf8.count <= maximum else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "must have at most \(maximum) bytes")
            }
            return text
        }
        func seconds(_ key: CodingKeys) throws -> Double {
            let seconds = try container.decode(Double.self, forKey: key)
            guard seconds.isFinite, (-1e9...1e9).contains(seconds) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "must be a number of seconds")
            }
            return seconds
        }
        let id = try text(.segmentID, maximum: 200) ?? ""
        guard !id.isEmpty, id.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw DecodingError.dataCorruptedError(
                forKey: .segmentID, in: container, debugDescription: "must have 1 to 200 bytes, without spaces")
        }
        segmentID = id
        start = try seconds(.start)
        end = try seconds(.end)
        self.text = try container.decode(String.self, forKey: .text)
        guard self.text.utf8.count <= Self.maximumTextBytes else {
            throw DecodingError.dataCorruptedError(
                forKey: .text, in: container, debugDescription: "must have at most \(Self.maximumTextBytes) bytes")
        }
        language = try text(.language, maximum: 35)
        speaker = try text(.speaker, maximum: 200)
        // The wire's segments are confirmed unless they say otherwise.
        completed = try container.decodeIfPresent(Bool.self, forKey: .completed) ?? true
        absoluteStartTime = try text(.absoluteStartTime, maximum: 40)
        absoluteEndTime = try text(.absoluteEndTime, maximum: 40)
        createdAt = try text(.createdAt, maximum: 40)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(segmentID, forKey: .segmentID)
        try container.encode(start, forKey: .start)
        try container.encode(end, forKey: .end)
        try container.encode(text, forKey: .text)
        try container.encode(language, forKey: .language)
        try container.encode(speaker, forKey: .speaker)
        try container.encode(completed, forKey: .completed)
        try container.encode(absoluteStartTime, forKey: .absoluteStartTime)
        try container.encode(absoluteEndTime, forKey: .absoluteEndTime)
        try container.encode(createdAt, forKey: .createdAt)
    }
}

/// What a message on the segment stream says (wire facts, section 2).
enum SegmentMessage: Equatable {
    case transcription(meeting: Int, session: String?, [Segment])
    case retraction(meeting: Int, session: String?, segmentIDs: [String])
    /// The beginning or end of a session: its bot's reports say the same.
    case session

    /// Most segments that one message may have.
    static let maximumSegments = 1_000

    /// Why a message cannot be used.
    struct Invalid: Error, Equatable {
        let reason: String
    }

    init(payload: String) throws(Invalid) {
        do {
            self = try JSONDecoder().decode(Body.self, from: Data(payload.utf8)).message
        } catch let invalid as Invalid {
            throw invalid
        } catch let error as DecodingError {
            throw Invalid(reason: Self.explain(error))
        } catch {
            throw Invalid(reason: "not valid JSON")
        }
    }

    private struct Body: Decodable {
        let message: SegmentMessage

        enum CodingKeys: String, CodingKey {
            case type, segments
            case meetingID = "meeting_id"
            case segmentIDs = "segment_ids"
            case session = "session_uid"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let session = try? container.decodeIfPresent(String.self, forKey: .session)
            switch try container.decode(String.self, forKey: .type) {
            case "transcription":
                let segments = try container.decode([Segment].self, forKey: .segments)
                guard segments.count <= SegmentMessage.maximumSegments else {
                    throw Invalid(reason: "more than \(SegmentMessage.maximumSegments) segments")
                }
                message = .transcription(
                    meeting: try container.decode(Int.self, forKey: .meetingID), session: session, segments)
            case "transcript_retract":
                let ids = try container.decode([String].self, forKey: .segmentIDs)
                guard ids.count <= SegmentMessage.maximumSegments, ids.allSatisfy({ (1...200).contains($0.utf8.count) })
                else { throw Invalid(reason: "segment_ids: too many, too long or empty") }
                message = .retraction(
                    meeting: try container.decode(Int.self, forKey: .meetingID), session: session, segmentIDs: ids)
            case "session_start", "session_end": message = .session
            default: throw Invalid(reason: "unknown type")
            }
        }
    }

    private static func explain(_ error: DecodingError) -> String {
        func name(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(name(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return context.codingPath.isEmpty ? "not a JSON object" : "\(name(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "not valid JSON" : "\(name(context.codingPath)) \(context.debugDescription)"
        @unknown default: return "not valid"
        }
    }
}
