import FoundationEssentials
import Log

/// A piece of a transcript, as a bot sends it (docs/bot-wire.md, "Transcript segments"). Further members are ignored.
public struct Segment: Codable, Equatable, Sendable {
    /// Longest text of one segment, in bytes; a longer one is refused.
    static let maximumTextBytes = 20_000

    public let segmentID: String
    /// As `SegmentTime` says: seconds from the start of the session, or since 1970. Both are of one kind.
    public private(set) var start: Double
    public private(set) var end: Double
    public let text: String
    public let language: String?
    public let speaker: String?
    /// Whether it is confirmed; a draft is replaced by a later form of the same id.
    public let completed: Bool
    /// RFC 3339 in UTC, both or none: a bot's own are taken only if they are such times.
    public private(set) var absoluteStartTime: String?
    public private(set) var absoluteEndTime: String?
    /// What rides along, as the bot sent it: how sure it is, where the segment comes from (`chat` for a line of the
    /// chat), what its own name for the speaker is, and the words one by one.
    public let confidence: Double?
    public let source: String?
    public let speakerKey: String?
    public private(set) var words: [SpokenWord]?

    enum CodingKeys: String, CodingKey {
        case segmentID = "segment_id"
        case speakerKey = "speaker_key"
        case start, end, text, language, speaker, completed, confidence, source, words
        case absoluteStartTime = "absolute_start_time"
        case absoluteEndTime = "absolute_end_time"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        segmentID = try container.word(.segmentID, maximumBytes: 200)
        start = try container.number(.start, "must be a number of seconds", SegmentTime.isTime)
        end = try container.number(.end, "must be a number of seconds", SegmentTime.isTime)
        try container.require(
            SegmentTime.isAbsolute(start) == SegmentTime.isAbsolute(end), .end, "must count from where start does")
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
        confidence =
            try container.contains(.confidence) && !container.decodeNil(forKey: .confidence)
            ? container.number(.confidence, "must be a number") { $0.isFinite } : nil
        source = try container.shortText(.source, maximumBytes: 64)
        speakerKey = try container.shortText(.speakerKey, maximumBytes: 200)
        words = try SpokenWord.read(from: container, .words)
    }

    /// Whether its times count from 1970.
    var isAbsolute: Bool { SegmentTime.isAbsolute(start) }

    /// The same with times from the start of its session, which is how it is stored. What a bot heard before its session
    /// began, by whatever clock, has times below zero.
    /// - Parameter milliseconds: when the session began, since 1970.
    func placed(inSessionFrom milliseconds: Int) -> Segment {
        guard isAbsolute else { return self }
        var segment = self
        segment.absoluteStartTime = absoluteStartTime ?? Timestamp.withZone(SegmentTime.milliseconds(start))
        segment.absoluteEndTime = absoluteEndTime ?? Timestamp.withZone(SegmentTime.milliseconds(end))
        segment.start = SegmentTime.seconds(start, from: milliseconds)
        segment.end = SegmentTime.seconds(end, from: milliseconds)
        segment.words = words?.map { $0.placed(inSessionFrom: milliseconds) }
        return segment
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
        try container.encodeIfPresent(confidence, forKey: .confidence)
        try container.encodeIfPresent(source, forKey: .source)
        try container.encodeIfPresent(speakerKey, forKey: .speakerKey)
        try container.encodeIfPresent(words, forKey: .words)
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

    /// A number that must be there.
    /// - Parameter isRight: what else is asked of it.
    fileprivate func number(_ key: Key, _ problem: String, _ isRight: (Double) -> Bool) throws -> Double {
        let number: Double
        do {
            number = try decode(Double.self, forKey: key)
        } catch {
            switch error {
            case DecodingError.keyNotFound, DecodingError.typeMismatch, DecodingError.valueNotFound: throw error
            // What is too large for a number names no field.
            default: throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: problem)
            }
        }
        try require(isRight(number), key, problem)
        return number
    }
}

extension Segment {
    /// Whether a text can be a segment's id.
    static func isID(_ text: String, maximumBytes: Int = 200) -> Bool {
        (1...maximumBytes).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }
}
