import Redis

/// A change of a meeting's status, as a partition's outbox has it, with the meeting as it was after it.
public struct MeetingChange: Sendable {
    /// Of both APIs.
    public struct State: Equatable, Sendable {
        public let status: String
        /// Nil if there was no bot yet.
        public let botStatus: String?

        /// - Parameter text: `INITIAL/requested`.
        init(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            status = String(parts[0])
            botStatus = parts.count > 1 && !parts[1].isEmpty ? String(parts[1]) : nil
        }
    }

    /// Who or what moved it on, in the words that the field has for it.
    public enum Source: String, Sendable {
        case user = "user_stop"
        case bot = "bot_callback"
        case scheduler = "scheduler_timeout"
    }

    /// Of the entry.
    let id: String
    public let meeting: Meeting
    /// The number of the change, among those of the meeting that webhooks are told of.
    public let sequence: Int
    let what: String
    public let why: String
    public let from: State
    public let to: State
    /// Milliseconds since 1970.
    public let at: Int
    public let traceparent: String?

    /// - Parameter entry: as XRANGE returns it.
    /// - Throws: `RedisError.unexpectedReply` if it is not one of ours.
    init(id: String, _ fields: [String: String]) throws(RedisError) {
        guard let meetingID = fields["meeting_id"], let sequence = fields["sequence"].flatMap({ Int($0) }),
            let what = fields["what"], let from = fields["from"], let to = fields["to"],
            let at = fields["at"].flatMap({ Int($0) })
        else { throw .unexpectedReply("an entry of an outbox lacks a field: \(fields.keys.sorted())") }
        self.id = id
        self.sequence = sequence
        self.what = what
        why = fields["why"] ?? ""
        self.from = State(from)
        self.to = State(to)
        self.at = at
        traceparent = fields["traceparent"].flatMap { $0.isEmpty ? nil : $0 }
        var record = fields
        record["id"] = meetingID
        record["status"] = self.to.status
        record["bot_status"] = self.to.botStatus
        meeting = try Meeting(record)
    }

    /// What it is to those who are told: the change itself and, if it is one that many wait for, that too.
    public var events: [Webhook.Event] {
        // The bot's status is as it was.
        if what == "finalised" { return [.transcriptionReady] }
        if what == "scheduled" { return [.scheduled] }
        if what == "missed" { return [.missed] }
        if what == "recorded" { return [.recordingReady] }
        switch to.botStatus.flatMap(BotStatus.init(rawValue:)) {
        case .active: return [.statusChange, .started]
        case .completed: return [.statusChange, .completed]
        case .failed: return [.statusChange, .failed]
        default: return [.statusChange]
        }
    }

    /// The same whichever node tells it, and however often. With the time, since another change may have the number of one
    /// that a failover, or a backup that was restored, has taken back.
    public func eventID(_ event: Webhook.Event) -> String {
        Webhook.eventPrefix + Digest.sha256("\(meeting.id)|\(sequence)|\(at)|\(event.rawValue)").prefix(32)
    }

    /// What sends bots, starts them, and finds that one is gone or must go, as a change says it.
    private static let scheduling: Set<String> = [
        "bot_exited", "dispatch_expired", "join_timeout", "launch_failed", "lease_expired", "lease_lost", "plan",
        "room_taken", "runner_stopped", "supervisor_lost", "too_late", "too_many_bots",
    ]

    public var source: Source {
        if why.hasPrefix("user ") || why == "stopped" || why == "workspace removed" { return .user }
        return Self.scheduling.contains(why) ? .scheduler : .bot
    }
}
