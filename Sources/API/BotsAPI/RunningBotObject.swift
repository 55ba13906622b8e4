import Usher

/// A bot that runs, as `GET /bots/status` shows it (docs/bot-wire.md, "Clients").
enum RunningBotObject {
    static func json(_ bot: RunningBot) -> JSONText {
        var object = JSONText(capacity: 640)
        object.add("container_id", bot.container)
        object.add("meeting_id", bot.meetingNumber)
        object.add("container_name", bot.container)
        object.add("platform", bot.room.platform.rawValue)
        object.add("native_meeting_id", bot.room.nativeID)
        object.add("status", bot.status.rawValue)
        object.add("normalized_status", normalized(bot.status))
        object.add("meeting_status", bot.status.rawValue)
        object.add("created_at", time: bot.dispatchedAt)
        object.add("start_time", time: bot.startTime)
        var labels = JSONText()
        labels.add("bot_id", bot.botID)
        object.add("labels", labels)
        var data = JSONText()
        data.add("meeting_id", bot.meetingID)
        if let title = bot.title { data.add("name", title) }
        if let name = bot.botName { data.add("bot_name", name) }
        if let language = bot.language { data.add("language", language) }
        object.add("data", data)
        return object
    }

    /// The status as that of a container, in the words of the ecosystem.
    private static func normalized(_ status: BotStatus) -> String {
        switch status {
        case .requested: "Requested"
        case .joining, .awaitingAdmission, .needsHelp: "Starting"
        case .active: "Up"
        case .stopping: "Stopping"
        case .completed: "Exited"
        case .failed: "Failed"
        }
    }

    // MARK: What is said of it

    static let schema = NamedSchema(
        "RunningBot", "A bot that runs, or is on its way.",
        .object(
            .required(
                "container_id", Schema.string.orNull, "Its container's or process' name; null before a runner has it."),
            .required("meeting_id", .integer(1...), "The number of its meeting."),
            .required("container_name", Schema.string.orNull, "The same as `container_id`."),
            .required("platform", .choice(Platform.self)),
            .required("native_meeting_id", .string),
            .required("status", .choice(BotStatus.allCases.filter(\.isRunning).map(\.rawValue))),
            .required(
                "normalized_status", .choice(["Requested", "Starting", "Up", "Stopping"]),
                "The status in the words of containers."),
            .required("meeting_status", .choice(BotStatus.allCases.filter(\.isRunning).map(\.rawValue))),
            .required("created_at", .time, "When it was dispatched."),
            .required("start_time", Schema.time.orNull, "When it came into the room."),
            .required("labels", .object(.required("bot_id", .uuid))),
            .required(
                "data",
                .object(
                    .required("meeting_id", .string, "The meeting's id in the Re-invite API."),
                    .optional("name", .string), .optional("bot_name", .string), .optional("language", .string)))))

    static let example: OrderedJSON = [
        "container_id": "usher-bot-5f0c9a5e", "meeting_id": 123, "container_name": "usher-bot-5f0c9a5e",
        "platform": "google_meet", "native_meeting_id": "abc-defg-hij", "status": "active",
        "normalized_status": "Up", "meeting_status": "active", "created_at": .string(Sample.time),
        "start_time": "2026-05-21T03:42:19.020Z", "labels": ["bot_id": .string(Sample.botID)],
        "data": ["meeting_id": .string(Sample.meetingID), "language": "en"],
    ]
}
