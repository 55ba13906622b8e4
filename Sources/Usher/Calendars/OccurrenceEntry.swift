/// What the hash of a calendar has of an occurrence.
struct OccurrenceEntry {
    /// Of what was planned. Without spaces, and of one part alone as another node may have noted it.
    struct Print {
        /// In place of `autoJoin`: a user has it that no bot is sent, also to what is planned in place of what is gone.
        static let off = "off"

        /// Of all of it, with the calendar's settings.
        var digest: String
        /// What the calendar itself said of its bots, the name as a digest: what a user changed of a plan stays until the
        /// calendar says something else. Nil: it is not known.
        var autoJoin: String?
        var botName: String?

        init(_ meeting: CalendarMeeting, _ calendar: FeedCalendar) {
            autoJoin = String(calendar.autoJoin)
            botName = Self.digest(calendar.botName ?? "")
            let parts = [
                String(meeting.start), meeting.title ?? "", meeting.link.url, String(calendar.autoJoin),
                calendar.botName ?? "",
            ]
            digest = Self.digest(parts.joined(separator: "\n"))
        }

        init(_ text: String) {
            let parts = text.split(separator: ":").map(String.init)
            digest = parts.first ?? "-"
            if parts.count == 3 { (autoJoin, botName) = (parts[1], parts[2]) }
        }

        var text: String { [digest, autoJoin, botName].compactMap { $0 }.joined(separator: ":") }

        private static func digest(_ text: String) -> String { String(Digest.sha256(text).prefix(16)) }
    }

    enum State: String {
        case own
        /// The meeting was removed, and what shared it is to be told.
        case going
        /// Another calendar, or a user, has planned it for the same time in the same room.
        case shared
    }

    private static let longestMilliseconds = 7 * 86_400_000

    var meetingID: String
    var state: State
    var start: Int
    var end: Int
    var print: Print

    init(_ meetingID: String, _ state: State, _ meeting: CalendarMeeting, _ print: Print) {
        (self.meetingID, self.state, self.print) = (meetingID, state, print)
        // One that lasts for ever is not known for ever.
        (start, end) = (meeting.start, min(meeting.end, meeting.start.addingClamped(Self.longestMilliseconds)))
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count == 5, let state = State(rawValue: parts[1]), let start = Int(parts[2]),
            let end = Int(parts[3])
        else { return nil }
        (meetingID, self.state, self.start, self.end, print) = (parts[0], state, start, end, Print(parts[4]))
    }

    func with(_ state: State) -> OccurrenceEntry {
        var entry = self
        entry.state = state
        return entry
    }

    /// As it is known now, and like nothing that a feed says.
    var underChange: OccurrenceEntry {
        var entry = self
        entry.print.digest = "-"
        return entry
    }

    var text: String { "\(meetingID) \(state.rawValue) \(start) \(end) \(print.text)" }
}
