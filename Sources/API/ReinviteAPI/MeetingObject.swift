import Log
import Usher

/// A meeting as the endpoints beside the re-invite endpoint show it. Every member is always there.
struct MeetingObject: Encodable {
    let meeting: Meeting

    init(_ meeting: Meeting) {
        self.meeting = meeting
    }

    enum CodingKeys: String, CodingKey {
        case meetingID = "meeting_id"
        case number
        case workspaceID = "workspace_id"
        case platform
        case nativeMeetingID = "native_meeting_id"
        case meetingURL = "meeting_url"
        case title, language, status
        case botStatus = "bot_status"
        case botID = "bot_id"
        case dispatchedAt = "dispatched_at"
        case startTime = "start_time"
        case endTime = "end_time"
        case duration, flag
        case scheduledAt = "scheduled_at"
        case autoJoin = "auto_join"
        case autoJoinError = "auto_join_error"
        case missedAt = "missed_at"
        case createdAt = "created_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(meeting.id, forKey: .meetingID)
        try container.encode(meeting.number, forKey: .number)
        try container.encode(meeting.workspaceID, forKey: .workspaceID)
        try container.encode(meeting.room.platform.rawValue, forKey: .platform)
        try container.encode(meeting.room.nativeID, forKey: .nativeMeetingID)
        try container.encode(meeting.url, forKey: .meetingURL)
        try container.encode(meeting.title, forKey: .title)
        try container.encode(meeting.language, forKey: .language)
        try container.encode(meeting.status, forKey: .status)
        try container.encode(meeting.botStatus, forKey: .botStatus)
        try container.encode(meeting.botID, forKey: .botID)
        try container.encode(meeting.dispatchedAt.map(Timestamp.withoutZone), forKey: .dispatchedAt)
        try container.encode(meeting.startTime.map(Timestamp.withoutZone), forKey: .startTime)
        try container.encode(meeting.endTime.map(Timestamp.withoutZone), forKey: .endTime)
        // Seconds, as people count a meeting; the record has milliseconds.
        try container.encode(meeting.duration.map { Double($0) / 1_000 }, forKey: .duration)
        try container.encode(meeting.flag, forKey: .flag)
        try container.encode(meeting.scheduledAt.map(Timestamp.withoutZone), forKey: .scheduledAt)
        try container.encode(meeting.autoJoin, forKey: .autoJoin)
        try container.encode(meeting.botStatus == nil ? meeting.autoJoinError : nil, forKey: .autoJoinError)
        try container.encode(
            (meeting.botStatus == nil ? meeting.missedAt : nil).map(Timestamp.withoutZone), forKey: .missedAt)
        try container.encode(Timestamp.withoutZone(meeting.createdAt), forKey: .createdAt)
    }
}

extension MeetingObject {
    static let schema = NamedSchema(
        "Meeting", "A meeting as the Re-invite API shows it. Times are in UTC, without a zone.",
        .object(
            .required("meeting_id", .string, "32 hexadecimal digits."),
            .required("number", .integer(1...), "What the Bots API calls the meeting's `id`."),
            .required("workspace_id", .uuid),
            .required("platform", .choice(Platform.self)),
            .required("native_meeting_id", .string, "The platform's own id of the meeting."),
            .required("meeting_url", .string),
            .required("title", Schema.string.orNull),
            .required("language", Schema.string.orNull),
            .required("status", .choice(MeetingStatus.self)),
            .required("bot_status", Schema.choice(BotStatus.self).orNull, "Its bot's; null before the first dispatch."),
            .required("bot_id", Schema.uuid.orNull, "Its latest bot's."),
            .required("dispatched_at", Schema.timeWithoutZone.orNull),
            .required("start_time", Schema.timeWithoutZone.orNull, "When the bot came into the room."),
            .required("end_time", Schema.timeWithoutZone.orNull, "When it left."),
            .required("duration", Schema.number.orNull, "From start to end, in seconds."),
            .required("flag", Schema.string.orNull),
            .required("scheduled_at", Schema.timeWithoutZone.orNull, "When a bot is to be there by itself."),
            .required("auto_join", .boolean, "Whether one is sent then."),
            .required(
                "auto_join_error", Schema.string.orNull,
                "What keeps it from being sent, or did: `room_taken`, `too_many_bots`, `too_late`."),
            .required("missed_at", Schema.timeWithoutZone.orNull, "When it was too late to send one."),
            .required("created_at", .timeWithoutZone)))

    static let example: OrderedJSON = [
        "meeting_id": .string(Sample.meetingID), "number": 123, "workspace_id": .string(Sample.workspaceID),
        "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
        "meeting_url": "https://meet.google.com/abc-defg-hij", "title": "Weekly", "language": "en",
        "status": "INITIAL", "bot_status": nil, "bot_id": nil, "dispatched_at": nil, "start_time": nil,
        "end_time": nil, "duration": nil, "flag": nil, "scheduled_at": nil, "auto_join": true, "auto_join_error": nil,
        "missed_at": nil, "created_at": "2026-05-21T03:40:00.000",
    ]
}
