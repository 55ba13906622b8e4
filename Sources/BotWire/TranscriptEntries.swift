import FoundationEssentials

/// What a bot writes to the stream `transcription_segments`, one JSON object an entry (docs/bot-wire.md, "Transcript
/// segments").
public struct TranscriptSegment: Encodable, Equatable {
    public let segmentID: String
    public private(set) var speaker: String
    public let speakerKey: String
    public let text: String
    /// Seconds from the start of the session.
    public let start: Double
    public let end: Double
    /// nil where the bot was not told one: it is then the server's to fill in.
    public let language: String?
    /// False: a draft, which a later segment of the same id replaces.
    public let completed: Bool
    public let absoluteStartTime: String
    public let absoluteEndTime: String
    public let source: String

    /// - Parameters:
    ///   - start, end: seconds from the start of the session.
    ///   - startDate: when the session started, for the absolute times.
    ///   - source: by which way it was heard.
    public init(
        segmentID: String, speaker: String, speakerKey: String, text: String, start: Double, end: Double,
        language: String?, completed: Bool, startDate: Date, source: String
    ) {
        (self.segmentID, self.speaker, self.speakerKey, self.text) = (segmentID, speaker, speakerKey, text)
        (self.start, self.end, self.language, self.completed) = (start, end, language, completed)
        absoluteStartTime = WireJSON.timestamp(startDate.addingTimeInterval(start))
        absoluteEndTime = WireJSON.timestamp(startDate.addingTimeInterval(end))
        self.source = source
    }

    /// The same, once it is known who said it.
    public func said(by speaker: String) -> TranscriptSegment {
        var segment = self
        segment.speaker = speaker
        return segment
    }

    enum CodingKeys: String, CodingKey {
        case speaker, text, start, end, language, completed, source
        case segmentID = "segment_id"
        case speakerKey = "speaker_key"
        case absoluteStartTime = "absolute_start_time"
        case absoluteEndTime = "absolute_end_time"
    }

    /// By hand, since a missing language goes out as null (wire: "string or null").
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(segmentID, forKey: .segmentID)
        try fields.encode(speaker, forKey: .speaker)
        try fields.encode(speakerKey, forKey: .speakerKey)
        try fields.encode(text, forKey: .text)
        try fields.encode(start, forKey: .start)
        try fields.encode(end, forKey: .end)
        try fields.encode(language, forKey: .language)
        try fields.encode(completed, forKey: .completed)
        try fields.encode(absoluteStartTime, forKey: .absoluteStartTime)
        try fields.encode(absoluteEndTime, forKey: .absoluteEndTime)
        try fields.encode(source, forKey: .source)
    }
}

struct TranscriptionEntry: Encodable {
    let type = "transcription"
    let meetingID: Int
    let nativeMeetingID: String?
    let segments: [TranscriptSegment]

    enum CodingKeys: String, CodingKey {
        case type, segments
        case meetingID = "meeting_id"
        case nativeMeetingID = "native_meeting_id"
    }
}

struct SessionStartEntry: Encodable {
    let type = "session_start"
    let sessionUID: String
    let meetingID: Int
    let platform: String
    let startTime: String

    enum CodingKeys: String, CodingKey {
        case type, platform
        case sessionUID = "session_uid"
        case meetingID = "meeting_id"
        case startTime = "start_time"
    }
}

struct SessionEndEntry: Encodable {
    let type = "session_end"
    let sessionUID: String

    enum CodingKeys: String, CodingKey {
        case type
        case sessionUID = "session_uid"
    }
}

struct RetractionEntry: Encodable {
    let type = "transcript_retract"
    let meetingID: Int
    let segmentIDs: [String]

    enum CodingKeys: String, CodingKey {
        case type
        case meetingID = "meeting_id"
        case segmentIDs = "segment_ids"
    }
}

/// What goes out live on `tc:meeting:{meeting_id}:mutable`.
struct LiveTranscript: Encodable {
    struct Meeting: Encodable {
        let id: Int
    }

    let type = "transcript"
    let meeting: Meeting
    let speaker: String
    let confirmed: [TranscriptSegment]
    let pending: [TranscriptSegment]
    let ts: String
}
