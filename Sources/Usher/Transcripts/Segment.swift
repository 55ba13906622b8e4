import FoundationEssentials
import Log

/// A piece of a transcript, as a bot sends it (wire facts, section 2). Further members are ignored.
public struct Segment: Codable, Equatable, Sendable {
    /// Longest text of one segment, in bytes; a longer one is refused.
    static let maximumTextBytes = 20_000
    /// The most that a time may say, in seconds: over a year.
    private static let maximumSeconds = 4e7

    public let segmentID: String
    /// Seconds from the start of the session.
    public let start: Double
    public let end: Double
    public let text: String
    public let language: String?
    public let speaker: String?
    /// Whether it is confirmed; a draft is replaced by a later form of the same id.
    public let completed: Bool
    /// RFC 3339 in UTC, both or none: a bot's own are taken only if they are such times.
    public let absoluteStartTime: String?
    public let absoluteEndTime: String?

    enum CodingKeys: String, CodingKey {
        case segmentID = "segment_id"
        case start, end, text, language, speaker, completed
        case absoluteStartTime = "absolute_start_time"
        case absoluteEndTime = "absolute_end_time"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        segmentID = try container.word(.segmentID, maximumBytes: 200)
        start = try container.seconds(.start, maximum: Self.maximumSeconds)
        end = try container.seconds(.end, maximum: Self.maximumSeconds)
        text = try container.decode(String.self, forKey: .text)
        try container.require(
            text.utf8.count <= Self.maximumTextBytes, .text, "must have at most \(Self.maximumTextBytes) bytes")
        language = try container.shortText(.language, maximumBytes: 35)
        speaker = try container.shortText(.speaker, maximumBytes: 200)
        // The wire's segments are confirmed unless they say otherwise.
        completed = try container.decodeIfPresent(Bool.self, forKey: .completed) ?? true
        let from = try container.shortText(.absoluteStartTime, maximumBytes: 40)
            .flatMap(Timestamp.milliseconds(rfc3339:))
        let to = try container.shortText(.absoluteEndTime, maximumBytes: 40).flatMap(Timestamp.milliseconds(rfc3339:))
        let isTimed = from != nil && to != nil
        absoluteStartTime = isTimed ? from.map(Timestamp.withZone) : nil
        absoluteEndTime = isTimed ? to.map(Timestamp.withZone) : nil
    }

    /// As it is stored: its own language or none, and the speaker even if it is none.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(segmentID, forKey: .segmentID)
        try container.encode(start, forKey: .start)
        try container.encode(end, forKey: .end)
        try container.encode(text, forKey: .text)
        try container.encodeIfPresent(language, forKey: .language)
        try container.encode(speaker, forKey: .speaker)
        try container.encode(completed, forKey: .completed)
        try container.encodeIfPresent(absoluteStartTime, forKey: .absoluteStartTime)
        try container.encodeIfPresent(absoluteEndTime, forKey: .absoluteEndTime)
    }
}

extension KeyedDecodingContainer {
    fileprivate func require(_ condition: Bool, _ key: Key, _ problem: String) throws {
        guard condition else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: problem)
        }
    }

    /// Text that may be absent or null; an empty one counts as absent.
    fileprivate func shortText(_ key: Key, maximumBytes: Int) throws -> String? {
        guard let text = try decodeIfPresent(String.self, forKey: key), !text.isEmpty else { return nil }
        try require(text.utf8.count <= maximumBytes, key, "must have at most \(maximumBytes) bytes")
        return text
    }

    /// A text that must be there, without spaces and control characters.
    fileprivate func word(_ key: Key, maximumBytes: Int) throws -> String {
        let text = try decode(String.self, forKey: key)
        try require(
            Segment.isID(text, maximumBytes: maximumBytes), key,
            "must have 1 to \(maximumBytes) bytes, without spaces")
        return text
    }

    fileprivate func seconds(_ key: Key, maximum: Double) throws -> Double {
        let seconds: Double
        do {
            seconds = try decode(Double.self, forKey: key)
        } catch let error as DecodingError {
            // What is too large for a number names no field.
            if case .dataCorrupted = error { try require(false, key, "must be a number of seconds") }
            throw error
        }
        try require(seconds.magnitude <= maximum, key, "must be a number of seconds")
        return seconds
    }
}

extension Segment {
    /// Whether a text can be a segment's id.
    static func isID(_ text: String, maximumBytes: Int = 200) -> Bool {
        (1...maximumBytes).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }
}
