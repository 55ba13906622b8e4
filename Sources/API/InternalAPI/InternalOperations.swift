import HTTP
import Usher

/// What is said of the bots' own API.
enum InternalOperations {
    static let all = [reportStatus, sendSegments]

    private static let botID = Parameter.path(
        "bot_id", .segment(), "The bot's id: the `connectionId` of its configuration.", example: .string(Sample.botID))

    static let reportStatus = Operation(
        method: .post, path: "\(Routes.internalPath){bot_id}/status", id: "reportStatus", section: .internal,
        access: .botSecret, summary: "Report a bot's status",
        details: """
            The order is joining, awaiting_admission, active, completed; `needs_help` may follow the lobby, and a \
            bot may fail at any stage. A report that was taken before is taken again. Members that are not known are \
            ignored. In the last report, `completed` or `failed`, a reason or stage that is not written as a word \
            counts as none, and is kept among the error's details.
            """,
        parameters: [botID],
        body: RequestBody(
            schema: .object(
                .required("connection_id", .string, "The bot's id, as the path has it."),
                .required("status", .choice(StatusReportBody.reportable.map(\.rawValue))),
                .optional("completion_reason", word, "Such as `left_alone`: a to z and _, 64 at most."),
                .optional("failure_stage", word, "Such as `joining`, of the same form."),
                .optional("exit_code", .any), .optional("reason", .any), .optional("error_details", .any),
                .optional("bot_logs", .any, "A text, or a list of lines; the end of it is kept.")),
            examples: [
                ("In the room", ["connection_id": .string(Sample.botID), "status": "active"]),
                (
                    "Left",
                    ["connection_id": .string(Sample.botID), "status": "completed", "completion_reason": "left_alone"]
                ),
            ]),
        answers: [
            .json(
                200, "It was taken.", .object(.required("status", .choice(BotStatus.self), "The record's.")),
                example: ["status": "active"])
        ],
        errors: [
            DescribedError(
                StatusReportEndpoint.illegal(from: "completed", to: "active"),
                "A bot cannot go from its status to this one, or another bot has its place. Nothing was changed."),
            .invalid(
                "It is no valid event.", field: "status",
                "must be one of joining, awaiting_admission, active, needs_help, completed, failed"),
        ])

    static let sendSegments = Operation(
        method: .post, path: "\(Routes.internalPath){bot_id}/segments", id: "sendSegments", section: .internal,
        access: .botSecret, summary: "Send a bot's transcript",
        details: """
            The body has segments, or is any message of the stream `transcription_segments`. All of it is taken, or \
            nothing. A confirmed segment takes the place of a draft with its id, and what comes again changes nothing.
            """,
        parameters: [botID],
        body: RequestBody(
            schema: .object(
                .optional(
                    "type",
                    Schema.choice(["transcription", "transcript_retract", "session_start", "session_end"]).orNull,
                    "`transcription` if it is absent."),
                .optional(
                    "meeting_id", .any, "The number of the bot's own meeting: an integer, or its digits in a string."),
                .optional("session_uid", .any, "The session that heard it."),
                .optional(
                    "segments", .list(of: .named(segment), atMost: SegmentMessage.maximumSegments),
                    "What `transcription` needs."),
                .optional(
                    "segment_ids", .any,
                    "What `transcript_retract` needs, and others ignore: a list of the ids of segments that are to go.")
            ),
            examples: [
                (
                    "A confirmed segment",
                    [
                        "segments": [
                            [
                                "segment_id": "1", "start": 0.5, "end": 2.25, "text": "Good morning, everybody.",
                                "language": "en", "speaker": "Ana", "completed": true,
                            ]
                        ]
                    ]
                ),
                ("A retraction", ["type": "transcript_retract", "segment_ids": ["1"]]),
            ]),
        answers: [
            .json(
                200, "All of it was taken.",
                .object(
                    .required("accepted", .integer(0...), "How many segments there were."),
                    .required("changed", .integer(0...), "How many of them were new.")),
                example: ["accepted": 1, "changed": 1])
        ],
        errors: [
            DescribedError(SegmentsEndpoint.meetingRemoved, "The meeting of this bot was removed."), .workspaceFull,
            .invalid("A member of the body is wrong; nothing was taken.", field: "segments[3].start", "is missing"),
        ])

    // MARK: Objects

    /// Of any form, as one that is no word is refused only while the bot goes on.
    private static let word = Schema.string.orNull
    /// Seconds, and an id, as `Segment` takes them.
    private static let seconds = Schema.number

    private static let segment = NamedSchema(
        "NewSegment", "A piece of a transcript, as a bot sends it.",
        .object(
            .required("segment_id", .string(1...200), "Without spaces; 200 bytes at most."),
            .required(
                "start", seconds, "Seconds from the start of the session, or, from 1e9 on, seconds since 1970."),
            .required("end", seconds, "Counted from where `start` is."),
            .required("text", .string(0...20_000), "At most 20000 bytes."),
            .optional("language", Schema.string(0...35).orNull), .optional("speaker", Schema.string(0...200).orNull),
            .optional("completed", Schema.boolean.orNull, "False for a draft; true if it is absent."),
            .optional("absolute_start_time", Schema.string(0...40).orNull, "RFC 3339; only with the other one."),
            .optional("absolute_end_time", Schema.string(0...40).orNull),
            .optional("confidence", Schema.number.orNull), .optional("source", Schema.string(0...64).orNull),
            .optional("speaker_key", Schema.string(0...200).orNull),
            .optional(
                "words", .any,
                """
                The words, at most 2000 of 20000 bytes together: `word`, `start`, `end`, `confidence` and `probability` \
                of each are kept. What is of another form is left out.
                """)))
}
