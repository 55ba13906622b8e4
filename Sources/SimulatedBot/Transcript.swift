import BotWire
import EventLoop

/// The transcript of one stay in a room: what is said becomes a draft, then its confirmed form under the same id. Belongs
/// to its loop's thread.
final class Transcript {
    /// In turn, with `malformed-segments`: each is wrong in a way of its own, and none may keep the next entry from being
    /// taken in.
    static func malformedEntry(_ number: Int, meeting: Int) -> String {
        let entries = [
            "not JSON", "[]", "{}", "{\"type\":\"transcription\"}",
            "{\"type\":\"transcription\",\"meeting_id\":\(meeting),\"segments\":{}}",
            "{\"type\":\"transcription\",\"meeting_id\":\"\(meeting)\",\"segments\":[]}",
            "{\"type\":\"transcription\",\"meeting_id\":\(meeting),\"segments\":[{\"text\":\"no id\"}]}",
            "{\"type\":\"transcription\",\"meeting_id\":\(meeting),\"segments\":[{\"segment_id\":1,\"speaker\":[],\"text\":null,"
                + "\"start\":\"0\",\"end\":-1,\"language\":5,\"completed\":\"yes\"}]}",
            "{\"type\":\"transcription\",\"meeting_id\":999999999999,\"segments\":[]}", "{\"type\":\"dance\"}",
        ]
        return entries[number % entries.count]
    }

    private let simulation: Simulation
    private let meeting: Int
    private let session: TranscriptSession
    private let writer: TranscriptWriter
    private let acknowledged: AcknowledgedSegments?
    private let startTime = MonotonicTime.now()
    private var count = 0
    private var malformedCount = 0
    private var draft: (utterance: Conversation.Utterance, language: String?, start: Double)?
    private var toRetract: String?

    /// - Parameter acknowledged: where confirmed segments are noted once Redis has them; nil notes none.
    init(
        configuration: BotConfiguration, simulation: Simulation, meeting: Int, writer: TranscriptWriter,
        acknowledged: AcknowledgedSegments?
    ) {
        self.simulation = simulation
        self.meeting = meeting
        self.writer = writer
        self.acknowledged = acknowledged
        session = TranscriptSession(configuration: configuration, meeting: meeting, writer: writer)
    }

    func begin() { session.begin() }

    /// Somebody has begun to speak.
    /// - Parameter isLanguageKnown: whether the bot was told a language; if not, it leaves it open.
    func hear(_ utterance: Conversation.Utterance, isLanguageKnown: Bool) {
        if simulation.has(.malformedSegments) {
            writer.append(Self.malformedEntry(malformedCount, meeting: meeting))
            malformedCount += 1
        }
        count += 1
        let draft = (utterance, language: isLanguageKnown ? utterance.language : nil, start: seconds)
        self.draft = draft
        send(segment(of: draft, text: Conversation.draft(of: utterance.text), completed: false))
    }

    /// The speaker has ended. Does nothing if nobody was speaking.
    func confirm() {
        guard let draft else { return }
        self.draft = nil
        if let id = toRetract { session.retract([id]) }
        let segment = segment(of: draft, text: draft.utterance.text, completed: true)
        send(segment)
        toRetract = simulation.has(.retractions) && count % 3 == 0 ? segment.segmentID : nil
    }

    /// The bot leaves: what was being said is confirmed as it stands.
    func end() {
        confirm()
        session.end()
    }

    private var seconds: Double {
        Double(MonotonicTime.now().milliseconds(since: startTime)) / 1_000
    }

    private func segment(
        of draft: (utterance: Conversation.Utterance, language: String?, start: Double), text: String, completed: Bool
    ) -> TranscriptSegment {
        // Never of no length, however fast the machine.
        let end = max(seconds, draft.start + 0.001)
        return TranscriptSegment(
            segmentID: "\(session.id):\(count)", speaker: draft.utterance.speaker,
            speakerKey: draft.utterance.speaker.lowercased(), text: text, start: draft.start, end: end,
            language: draft.language, completed: completed, startDate: session.startDate, source: "simulation")
    }

    private func send(_ segment: TranscriptSegment) {
        session.send(segment) { [acknowledged, meeting] in
            if segment.completed { acknowledged?.note(segment, meeting: meeting) }
        }
    }
}
