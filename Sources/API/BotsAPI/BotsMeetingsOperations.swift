import HTTP
import Usher

/// What is said of the Bots API's meetings and transcripts.
enum BotsMeetingsOperations {
    static let all = [
        listBots, getBot, listMeetings, getMeeting, updateMeeting, deleteMeeting, getTranscript,
    ]

    private static let offset = Parameter.query(
        "offset", .integer(0...1_000_000), "How many to pass over. 0 if it is absent.")
    private static func limit(default number: Int) -> Parameter {
        .query("limit", .integer(1...1_000), "The most that a page has. \(number) if it is absent.")
    }
    /// Of each list of meetings.
    static let cursor = Parameter.query(
        "cursor", .string(1...40),
        "The `next_cursor` of the page before, in place of `offset`: meetings that are made "
            + "meanwhile do not shift it.")
    static let hasMore = Schema.Property.required(
        "has_more", .boolean, "Whether there are, or may be, meetings beyond this page.")
    static let nextCursor = Schema.Property.required(
        "next_cursor", Schema.string.orNull,
        "The `cursor` of the next page; null if there is none. A page may end early, even without a meeting: it has about "
            + "a megabyte at most, and only so many meetings are looked through for those that are asked for.")
    private static let conditions: [Parameter] = [
        .query("platform", .choice(Platform.self), "Only meetings on this platform."),
        .query("status", .choice(BotStatus.self), "Only meetings whose bot has this status."),
        .query(
            "exclude_planned", .boolean,
            "Whether meetings that have had no bot are left out. They are there if it is absent."),
    ]
    private static let number = Parameter.path(
        "number", .integer(1...), "The meeting's `id`.", example: 123)
    private static let ofRoom = Parameter.query(
        "meeting_id", .integer(1...),
        "The `id` of one of the room's meetings. Without it, it is the one whose bot holds the room, else the last one "
            + "that was held, else the newest.")
    private static let unknown = DescribedError(
        BotsMeetingsEndpoints.unknown, "There is no such meeting in the key's workspace.")
    private static let wrongQuery = DescribedError.invalid(
        "A parameter is wrong.", field: "limit", "must be between 1 and 1000")

    static let listBots = Operation(
        method: .get, path: "/bots", id: "listBots", section: .bots, access: .apiKey(.bots, .viewer),
        summary: "List meetings, 50 a page", details: "The same as `GET /meetings`, with smaller pages.",
        parameters: [offset, cursor, limit(default: 50)] + conditions,
        answers: [.json(200, "The page.", .named(page), example: pageExample)], errors: [wrongQuery])

    static let getBot = Operation(
        method: .get, path: "/bots/id/{number}", id: "getBot", section: .bots, access: .apiKey(.bots, .viewer),
        summary: "Fetch a meeting by its number", details: "The same as `GET /meetings/{number}`.",
        parameters: [number], answers: [.json(200, "The meeting.", .named(meeting), example: meetingExample)],
        errors: [unknown])

    static let listMeetings = Operation(
        method: .get, path: "/meetings", id: "listBotMeetings", section: .bots, access: .apiKey(.bots, .viewer),
        summary: "List meetings",
        details: """
            A page of the meetings of the key's workspace, the newest first. One that was planned by the Re-invite API \
            and has had no bot yet is shown as `requested` with `data.planned`.
            """,
        parameters: [offset, cursor, limit(default: 1_000)] + conditions,
        answers: [.json(200, "The page.", .named(page), example: pageExample)], errors: [wrongQuery])

    static let getMeeting = Operation(
        method: .get, path: "/meetings/{number}", id: "getBotMeeting", section: .bots,
        access: .apiKey(.bots, .viewer), summary: "Fetch a meeting", parameters: [number],
        answers: [.json(200, "The meeting.", .named(meeting), example: meetingExample)], errors: [unknown])

    static let updateMeeting = Operation(
        method: .patch, path: "/meetings/{platform}/{native_meeting_id}", id: "updateMeeting", section: .bots,
        access: .apiKey(.bots, .member), summary: "Annotate a meeting",
        details: """
            Changes what `data` has of it: at least one member. What is absent or null stays as it is. Together, name, \
            participants, languages and notes have at most \(Store.maximumNoteBytes) bytes.
            """,
        parameters: [BotsOperations.platform, BotsOperations.nativeMeetingID, ofRoom],
        body: RequestBody(
            schema: .object(
                .required(
                    "data",
                    .object(
                        .optional("name", Schema.text(1...200).orNull),
                        .optional("participants", Schema.list(of: .string(1...200), atMost: 1_000).orNull),
                        .optional("languages", Schema.list(of: .string(1...35), atMost: 100).orNull),
                        .optional("notes", Schema.string(0...32_768).orNull)))),
            examples: [("Notes", ["data": ["name": "Weekly", "participants": ["Ana", "Ben"], "notes": "Ask Chen."]])]),
        answers: [.json(200, "The meeting as it is now.", .named(meeting), example: meetingExample)],
        errors: [
            unknown, BotsOperations.wrongRoom,
            DescribedError(BotsMeetingsEndpoints.tooLarge, "The meeting would have too much of it."), .workspaceFull,
        ])

    static let deleteMeeting = Operation(
        method: .delete, path: "/meetings/{platform}/{native_meeting_id}", id: "deleteMeeting", section: .bots,
        access: .apiKey(.bots, .member), summary: "Delete what a meeting left",
        details: """
            The transcript and what was collected go, and so do the passcode and the query of the link, which may \
            have it too; the bare record stays. A planned meeting that had no bot yet is removed altogether.
            """,
        parameters: [BotsOperations.platform, BotsOperations.nativeMeetingID, ofRoom],
        answers: [
            .json(
                200, "It is gone.", .named(BotsOperations.message),
                example: ["message": "The transcript and the data of meeting 123 were deleted."])
        ],
        errors: [
            unknown, BotsOperations.wrongRoom,
            DescribedError(
                BotsMeetingsEndpoints.notOver(number: 123),
                "A bot is in the meeting or on its way to it, or its transcript is being collected."),
        ])

    static let getTranscript = Operation(
        method: .get, path: "/transcripts/{platform}/{native_meeting_id}", id: "getTranscript", section: .bots,
        access: .apiKey(.bots, .viewer), summary: "Read a transcript",
        details: """
            What was said in a meeting, drafts included, in order. After a restart the sessions stand one after the \
            other; `session_uid` tells which bot heard a segment. A long one comes in pieces: where the connection ends \
            before the answer does, ask again.
            """,
        parameters: [
            BotsOperations.platform, BotsOperations.nativeMeetingID, ofRoom,
            .query("offset", .integer(0...1_000_000), "How many segments to pass over. 0 if it is absent."),
            .query("limit", .integer(1...100_000), "The most segments that are shown. All if it is absent."),
        ],
        answers: [.json(200, "The transcript.", .named(transcript), example: transcriptExample)],
        errors: [unknown, BotsOperations.wrongRoom])

    // MARK: Objects

    private static let data = NamedSchema(
        "MeetingData", "What users wrote about a meeting, and what was collected from it.",
        .object(
            .required("meeting_id", .string, "The meeting's id in the Re-invite API."),
            .optional("planned", .boolean, "True where there has been no bot yet."),
            .optional("name", .string), .optional("participants", .list(of: .string)),
            .optional("languages", .list(of: .string)), .optional("notes", .string), .optional("bot_name", .string),
            .optional("language", .string), .optional("task", .string),
            .optional("transcribe_enabled", .boolean, "Where the request for the bot said so."),
            .optional(
                "automatic_leave",
                .object(
                    .optional("waiting_room_timeout", .integer), .optional("no_one_joined_timeout", .integer),
                    .optional("everyone_left_timeout", .integer)), "Milliseconds, where the request said so."),
            .optional("exit_code", .integer, "The bot's, once it has ended."),
            .optional("exit_signal", .integer, "The one that ended it, if it was one."),
            .optional("error_details", .string, "What it, or its runner, told of its failure.")))

    static let meeting = NamedSchema(
        "BotMeeting", "A meeting as the Bots API shows it: the same record.",
        .object(
            .required("id", .integer(1...), "Its number."),
            .required("user_id", .integer, "Who made it, or asked for its first bot."),
            .required("platform", .choice(Platform.self)), .required("native_meeting_id", .string),
            .required("constructed_meeting_url", .string),
            .required("status", .choice(BotStatus.self), "Its latest bot's."),
            .required("bot_container_id", Schema.string.orNull),
            .required("start_time", Schema.time.orNull), .required("end_time", Schema.time.orNull),
            .required(
                "completion_reason", Schema.string.orNull,
                "Why its bot ended: `stopped` if a stop was asked, else such as `left_alone`; `left_unasked` if the bot says that it "
                    + "was stopped and nobody asked."),
            .required("failure_stage", Schema.string.orNull, "Where its bot was when it failed."),
            .required("data", .named(data)), .required("created_at", .time), .required("updated_at", .time)))

    static let meetingExample: OrderedJSON = [
        "id": 123, "user_id": 7, "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
        "constructed_meeting_url": "https://meet.google.com/abc-defg-hij", "status": "requested",
        "bot_container_id": nil, "start_time": nil, "end_time": nil, "completion_reason": nil, "failure_stage": nil,
        "data": ["meeting_id": .string(Sample.meetingID), "language": "en"], "created_at": .string(Sample.time),
        "updated_at": .string(Sample.time),
    ]

    private static let page = NamedSchema(
        "BotMeetingPage", "A page of meetings.",
        .object(
            .required("meetings", .list(of: .named(meeting))), .required("offset", .integer(0...1_000_000)),
            .required("limit", .integer(1...1_000)),
            hasMore, nextCursor))

    private static let pageExample: OrderedJSON = [
        "meetings": [meetingExample], "offset": 0, "limit": 50, "has_more": false, "next_cursor": nil,
    ]

    private static let segment = NamedSchema(
        "Segment", "A piece of a transcript.",
        .object(
            .required("segment_id", .string),
            .required(
                "start", .number,
                "Seconds from the start of the session; below zero if its bot heard something before it began."),
            .required("end", .number), .required("text", .string), .required("language", Schema.string.orNull),
            .required("speaker", Schema.string.orNull), .required("completed", .boolean, "False for a draft."),
            .required("absolute_start_time", Schema.time.orNull), .required("absolute_end_time", Schema.time.orNull),
            .required("created_at", Schema.time.orNull), .required("session_uid", .string, "The bot that heard it."),
            .optional("confidence", .number, "This and what follows as its bot said it, if it did."),
            .optional("source", .string, "Such as `chat` for a line of the chat."), .optional("speaker_key", .string),
            .optional("words", .list(of: .named(word)), "The words one by one.")))

    private static let word = NamedSchema(
        "SpokenWord", "A word of a segment.",
        .object(
            .required("word", .string), .optional("start", .number, "As a segment's."), .optional("end", .number),
            .optional("confidence", .number), .optional("probability", .number)))

    private static let transcript = NamedSchema(
        "Transcript", "A meeting with what was said in it.",
        .object(
            .required("id", .integer(1...)), .required("platform", .choice(Platform.self)),
            .required("native_meeting_id", .string), .required("constructed_meeting_url", .string),
            .required("status", .choice(BotStatus.self)), .required("start_time", Schema.time.orNull),
            .required("end_time", Schema.time.orNull), .required("notes", Schema.string.orNull),
            .required("recordings", .list(of: .any), "Empty: no sound is kept."), .required("data", .named(data)),
            .required("segments", .list(of: .named(segment)))))

    private static let transcriptExample: OrderedJSON = [
        "id": 123, "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
        "constructed_meeting_url": "https://meet.google.com/abc-defg-hij", "status": "active",
        "start_time": "2026-05-21T03:42:19.020Z", "end_time": nil, "notes": nil, "recordings": [],
        "data": ["meeting_id": .string(Sample.meetingID), "language": "en"],
        "segments": [
            [
                "segment_id": "1", "start": 0.5, "end": 2.25, "text": "Good morning, everybody.", "language": "en",
                "speaker": "Ana", "completed": true, "absolute_start_time": "2026-05-21T03:42:19.520Z",
                "absolute_end_time": "2026-05-21T03:42:21.270Z", "created_at": "2026-05-21T03:42:21.900Z",
                "session_uid": .string(Sample.botID),
            ]
        ],
    ]
}
