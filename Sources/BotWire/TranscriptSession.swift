import FoundationEssentials

/// What a bot writes of one stay in a room: a beginning, segments and an end. Belongs to its loop's thread.
public final class TranscriptSession {
    /// The bot's id, by which the transcript tells its sessions apart.
    public let id: String
    /// From when the times of its segments count.
    public let startDate = Date()
    private static let segmentsPerEntry = 100
    private let configuration: BotConfiguration
    private let meeting: Int
    private let writer: TranscriptWriter

    /// - Parameter meeting: its number.
    public init(configuration: BotConfiguration, meeting: Int, writer: TranscriptWriter) {
        self.configuration = configuration
        self.meeting = meeting
        self.writer = writer
        id = configuration.connectionID ?? "\(configuration.platform)-\(meeting)"
    }

    public func begin() {
        append(
            SessionStartEntry(
                sessionUID: id, meetingID: meeting, platform: configuration.platform,
                startTime: WireJSON.timestamp(startDate)))
    }

    /// Sends a draft, or its confirmed form, and shows it on the live channel.
    /// - Parameter acknowledged: called once the segment is the service's to keep.
    public func send(_ segment: TranscriptSegment, acknowledged: (() -> Void)? = nil) {
        let entry = TranscriptionEntry(
            meetingID: meeting, nativeMeetingID: configuration.nativeMeetingID, segments: [segment])
        writer.append(WireJSON.text(entry), acknowledged: acknowledged)
        let live = LiveTranscript(
            meeting: LiveTranscript.Meeting(id: meeting), speaker: segment.speaker,
            confirmed: segment.completed ? [segment] : [], pending: segment.completed ? [] : [segment],
            ts: WireJSON.timestamp())
        writer.publish(WireJSON.text(live), channel: "tc:meeting:\(meeting):mutable")
    }

    /// Sends many that nobody watches for any more, in few entries.
    public func send(last segments: [TranscriptSegment]) {
        for first in stride(from: 0, to: segments.count, by: Self.segmentsPerEntry) {
            append(
                TranscriptionEntry(
                    meetingID: meeting, nativeMeetingID: configuration.nativeMeetingID,
                    segments: Array(segments[first..<min(first + Self.segmentsPerEntry, segments.count)])))
        }
    }

    /// Takes segments back.
    public func retract(_ segmentIDs: [String]) {
        append(RetractionEntry(meetingID: meeting, segmentIDs: segmentIDs))
    }

    public func end() {
        append(SessionEndEntry(sessionUID: id))
    }

    private func append(_ entry: some Encodable) {
        writer.append(WireJSON.text(entry))
    }
}
