import Redis

/// A meeting's status in the Re-invite API ("Behavior by meeting status").
public enum MeetingStatus: String, CaseIterable, Sendable {
    case initial = "INITIAL"
    case live = "LIVE"
    case stopping = "STOPPING"
    case analyzing = "ANALYZING"
    case offline = "OFFLINE"
}

/// A bot's status in the Bots API, and what a bot reports. One that has no bot yet has none.
public enum BotStatus: String, CaseIterable, Sendable {
    case requested, joining
    case awaitingAdmission = "awaiting_admission"
    case needsHelp = "needs_help"
    case active, stopping, completed, failed

    /// Whether the bot has not ended.
    public var isRunning: Bool { self != .completed && self != .failed }
}

/// The record of a meeting, as `usher:{pX}:meeting:<id>` has it. Times in milliseconds since 1970.
public struct Meeting: Sendable {
    public let id: String
    public let number: Int
    public let workspaceID: String
    public let room: Room
    /// The record's fields and values, for what is shown as it stands: `title`, `language`, `notes`, ...
    public let fields: [String: String]
    /// As it stands in the record: by the rules one of `MeetingStatus`, but operators can write there too.
    public let status: String
    public let createdAt: Int

    /// - Throws: `RedisError.unexpectedReply` if a field that every record has is missing.
    public init(_ fields: [String: String]) throws(RedisError) {
        guard let id = fields["id"], let number = fields["number"].flatMap({ Int($0) }),
            let workspaceID = fields["workspace_id"], let platform = fields["platform"].flatMap(Platform.init),
            let nativeID = fields["native_meeting_id"], let createdAt = fields["created_at"].flatMap({ Int($0) })
        else { throw .unexpectedReply("a meeting's record lacks a field: \(fields.keys.sorted())") }
        self.id = id
        self.number = number
        self.workspaceID = workspaceID
        self.room = Room(platform: platform, nativeID: nativeID)
        self.fields = fields
        self.createdAt = createdAt
        status = fields["status"] ?? ""
    }

    public var url: String { fields["meeting_url"] ?? "" }
    public var title: String? { fields["title"] }
    public var language: String? { fields["language"] }
    /// Whether it was planned, and no bot was sent to it yet.
    public var isPlanned: Bool { botStatus == nil && status == MeetingStatus.initial.rawValue }
    /// What its bots are told to do: also those that replace one, and those of a restart.
    public var botOptions: BotOptions { BotOptions(fields) }
    public var botStatus: String? { fields["bot_status"] }
    /// As the Bots API shows it: its bot's status or, of one that has had none, what is planned.
    public var shownStatus: String {
        botStatus
            ?? Self.plannedStatus(
                scheduledAt: fields["scheduled_at"], missedAt: fields["missed_at"], autoJoin: fields["auto_join"])
    }

    /// Of statuses that no bot has: planned without a time, or missed; and planned for a time (Vexa's words).
    public static let plannedStatuses = ["idle", "scheduled"]

    /// - Parameters: fields of the record. One that the Re-invite API made without a time counts as `requested`, the first of
    ///   the statuses that the published schema allows.
    static func plannedStatus(scheduledAt: String?, missedAt: String?, autoJoin: String?) -> String {
        if scheduledAt != nil { return missedAt == nil ? "scheduled" : "idle" }
        return autoJoin == nil ? BotStatus.requested.rawValue : "idle"
    }

    public var botID: String? { fields["bot_id"] }
    /// The user who made the meeting or asked for its first bot.
    public var createdBy: Int? { number("created_by") }
    /// The last change of the record. A dispatch touches no more of it than it must, and so counts by its own time.
    public var updatedAt: Int { max(number("updated_at") ?? createdAt, dispatchedAt ?? createdAt) }
    /// When a bot is to be sent to it by itself.
    public var scheduledAt: Int? { number("scheduled_at") }
    /// Whether one is. What another hand wrote there, and is neither, counts as nothing.
    public var autoJoin: Bool { fields["auto_join"] != "false" }
    /// When it was found that it was too late to send one.
    public var missedAt: Int? { number("missed_at") }
    /// What keeps a bot from being sent, or did: `room_taken`, `too_many_bots`, `too_late`.
    public var autoJoinError: String? { fields["auto_join_error"] }
    public var flag: String? { fields["flag"] }
    public var dispatchedAt: Int? { number("dispatched_at") }
    public var startTime: Int? { number("start_time") }
    public var endTime: Int? { number("end_time") }
    /// Milliseconds from start to end.
    public var duration: Int? { number("duration") }

    /// Where its bot is, or was; nil before the first dispatch.
    public var botPlace: BotPlace? {
        botID.map { BotPlace(botID: $0, meetingID: id, workspaceID: workspaceID, room: room) }
    }

    /// The value of a field that holds a whole number.
    public func number(_ field: String) -> Int? {
        fields[field].flatMap { Int($0) }
    }
}
