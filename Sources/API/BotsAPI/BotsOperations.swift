import HTTP
import Usher

/// What is said of the Bots API: bots, and the webhook.
enum BotsOperations {
    static let all =
        [createBot, stopBot, configureBot, listRunningBots] + BotsMeetingsOperations.all + WebhookOperations.all

    static let platform = Parameter.path(
        "platform", .choice(Platform.self), "Meeting platform.", example: "google_meet")
    static let nativeMeetingID = Parameter.path(
        "native_meeting_id", .segment(atMost: 256), "The platform-specific meeting ID.", example: "abc-defg-hij")
    static let wrongRoom = DescribedError.invalid(
        "A member of the path, the query or the body is wrong.", field: "platform",
        "must be one of google_meet, teams, zoom")

    /// A code of RFC 5646's shape, as `BotRequestBody` takes it.
    private static let language = Schema.string(
        2...35, pattern: "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$"
    ).orNull
    private static let task = Schema.choice(["transcribe", "translate"]).orNull
    private static let milliseconds = Schema.integer(BotOptions.AutomaticLeave.bounds).orNull
    private static let automaticLeave = Schema.object(
        .optional("waiting_room_timeout", milliseconds, "When nobody lets it in."),
        .optional("max_wait_for_admission", milliseconds, "The same."),
        .optional("no_one_joined_timeout", milliseconds, "When nobody else comes."),
        .optional("everyone_left_timeout", milliseconds, "When everybody else has left."),
        .optional("max_time_left_alone", milliseconds, "The same."))
    private static let noBot = DescribedError(
        BotsEndpoints.error(.noBot), "No active bot found for the specified meeting.")
    private static let noWorkspace = DescribedError(
        BotsEndpoints.error(.unknownWorkspace), "The workspace of the API key no longer exists.")
    private static let contended = DescribedError(
        BotsEndpoints.error(.contended), "The meeting is changing too fast. Nothing was done.")

    static let createBot = Operation(
        method: .post, path: Routes.bots, id: "createBot", section: .bots, access: .apiKey(.bots, .member),
        summary: "Create Bot",
        details: """
            Sends a transcription bot to join a meeting. The bot will automatically join and start transcribing; it \
            goes through the statuses `requested`, `joining`, `awaiting_admission`, `active`.

            For Google Meet, meeting IDs follow the format `abc-defg-hij`. For Microsoft Teams, meeting IDs are \
            numeric and require a passcode, or threads such as `19:meeting_...@thread.v2`. Always pass `meeting_url` for \
            Teams to preserve the exact domain, or `teams_base_host`. A `meeting_url` alone will do, also as it is pasted \
            from a mail or a browser; members that say the same must agree with it. Where one of them is a Teams thread \
            and another its number, the thread is the meeting's ID.

            Zoom's cloud for the government counts for itself: the ID of a meeting there is `1612345678@zoomgov.com`.

            One bot is in a room, or on its way to it, however many ask at once: one of them gets 201, the others 409.

            What is known elsewhere to change what a bot does, and is not there yet, is refused unless it asks for what \
            is so anyway (null, `false`, nothing): \(NotYetThere.members.map { "`\($0.name)`" }.joined(separator: ", ")).

            A workspace has a maximum of concurrent bots. All that are in a room or on their way to it count, also \
            those that were sent by a re-invitation; but only this operation is refused past it.
            """,
        parameters: [.idempotencyKey],
        body: RequestBody(
            schema: .object(
                .optional(
                    "platform", Schema.choice(Platform.self).orNull, "Required where there is no `meeting_url`."),
                .optional("native_meeting_id", Schema.string.orNull, "Required where there is no `meeting_url`."),
                .optional("passcode", Schema.text(1...100).orNull),
                .optional("meeting_url", Schema.string(0...2_048).orNull),
                .optional(
                    "teams_base_host", Schema.choice(MeetingLink.teamsHosts).orNull,
                    "Where a Teams meeting is that has no `meeting_url`; `teams.live.com` for a number, "
                        + "`teams.microsoft.com` for a thread if it is absent."),
                .optional("bot_name", Schema.text(1...100).orNull, "The name that the bot shows in the meeting."),
                .optional(
                    "language", language, "If not specified, the bot will auto-detect the language."),
                .optional("task", task),
                .optional(
                    "transcribe_enabled", Schema.boolean.orNull, "Whether the bot transcribes. True if it is absent."),
                .optional(
                    "automatic_leave", automaticLeave.orNull,
                    "After how many milliseconds the bot leaves by itself; what is absent is the runner's to decide.")),
            examples: [
                (
                    "Google Meet",
                    [
                        "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
                        "bot_name": "Transcription Bot", "language": "en",
                    ]
                ),
                ("By a link", ["meeting_url": "https://teams.live.com/meet/9398850880426?p=PASSCODE"]),
            ]),
        answers: [
            .json(
                201, "The meeting that the bot was sent to.", .named(BotsMeetingsOperations.meeting),
                example: BotsMeetingsOperations.meetingExample)
        ],
        errors: [
            DescribedError(
                BotRequestBody.invalidID("native_meeting_id must be a Google Meet code like abc-defg-hij."),
                "The meeting ID format is invalid for the specified platform."),
            DescribedError(
                BotsEndpoints.roomTaken(number: 123),
                "A bot is in the meeting already, or on its way to it; `meeting_id` is the number of its meeting."),
            DescribedError(
                BotsEndpoints.error(.limitReached(10)),
                "The workspace has reached its maximum of concurrent bots."),
            .tooManyMeetings, .workspaceFull,
            noWorkspace, contended,
            .invalid(
                "A member of the body is wrong.", field: "language", "must be a language code such as en or zh-TW"),
        ])

    static let stopBot = Operation(
        method: .delete, path: "/bots/{platform}/{native_meeting_id}", id: "stopBot", section: .bots,
        access: .apiKey(.bots, .member), summary: "Stop Bot",
        details: """
            Stops a bot and disconnects it from the meeting, at whatever stage it is. A stop is final: a bot that had \
            not started yet never comes. Stopping a bot marks the meeting as completed; transcripts remain available.
            """,
        parameters: [platform, nativeMeetingID, .idempotencyKey],
        answers: [
            .json(
                202, "The bot leaves, or has been called back.", .named(message),
                example: ["message": "The bot was told to leave the meeting."])
        ],
        errors: [noBot, noWorkspace, contended, wrongRoom])

    static let configureBot = Operation(
        method: .put, path: "/bots/{platform}/{native_meeting_id}/config", id: "configureBot", section: .bots,
        access: .apiKey(.bots, .member), summary: "Update Bot Configuration",
        details: """
            Changes the configuration of an active bot, such as the transcription language. Only active bots can have \
            their configuration updated. Language changes take effect immediately for new transcript segments.
            """,
        parameters: [platform, nativeMeetingID],
        body: RequestBody(
            schema: .object(
                .optional("language", language), .optional("task", task),
                .optional("bot_name", Schema.text(1...100).orNull)),
            examples: [
                ("Another language", ["language": "es", "task": "transcribe", "bot_name": "Updated Bot Name"])
            ]),
        answers: [
            .json(
                202, "The bot is told.", .named(message),
                example: ["message": "The bot's configuration was updated."])
        ],
        errors: [noBot, noWorkspace, contended, wrongRoom])

    static let listRunningBots = Operation(
        method: .get, path: "/bots/status", id: "listRunningBots", section: .bots, access: .apiKey(.bots, .viewer),
        summary: "Get Bot Status",
        details: """
            The workspace's bots that are currently running (not completed or failed), the oldest first. Useful for \
            monitoring active transcription sessions.
            """,
        answers: [
            .json(
                200, "The bots.", .object(.required("running_bots", .list(of: .named(runningBot)))),
                example: ["running_bots": [runningBotExample]])
        ])

    // MARK: Objects

    static let message = NamedSchema(
        "Message", "What was done, for people.", .object(.required("message", .string)))

    private static let runningBot = NamedSchema(
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
            .required("labels", .object(.required("bot_id", .string))),
            .required(
                "data",
                .object(
                    .required("meeting_id", .string, "The meeting's id in the Re-invite API."),
                    .optional("name", .string), .optional("bot_name", .string), .optional("language", .string)))))

    private static let runningBotExample: OrderedJSON = [
        "container_id": "usher-bot-5f0c9a5e", "meeting_id": 123, "container_name": "usher-bot-5f0c9a5e",
        "platform": "google_meet", "native_meeting_id": "abc-defg-hij", "status": "active",
        "normalized_status": "Up", "meeting_status": "active", "created_at": .string(Sample.time),
        "start_time": "2026-05-21T03:42:19.020Z", "labels": ["bot_id": .string(Sample.botID)],
        "data": ["meeting_id": .string(Sample.meetingID), "language": "en"],
    ]
}
