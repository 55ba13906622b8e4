import HTTP
import Usher

/// `POST /internal/bots/{bot_id}/segments`: a bot's transcript, for bots that do not write to the segment stream. The
/// body is `{"segments": [...]}`, or any message of that stream (docs/bot-wire.md, "Transcript segments"). All of it is
/// taken, or nothing. What a bot says shortly after its end is taken too: the last words are transcribed when all have
/// left.
enum SegmentsEndpoint {
    private static let meetingRemoved = DescribedError(
        APIError(404, title: "Meeting not found", "The meeting of this bot was removed."),
        "The meeting of this bot was removed.")

    private static let body = Input<SegmentMessage>.body(
        Schema.object(
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
            "A confirmed segment": [
                "segments": [
                    [
                        "segment_id": "1", "start": 0.5, "end": 2.25, "text": "Good morning, everybody.",
                        "language": "en", "speaker": "Ana", "completed": true,
                    ]
                ]
            ],
            "A retraction": ["type": "transcript_retract", "segment_ids": ["1"]],
        ]
    ) { try message(of: $0) }

    static let send = Endpoint(
        .post, "\(Routes.internalPath){bot_id}/segments", id: "sendSegments", .botSecret,
        summary: "Send a bot's transcript",
        details: """
            The body has segments, or is any message of the stream `transcription_segments`. All of it is taken, or \
            nothing. A confirmed segment takes the place of a draft with its id, and what comes again changes nothing.
            """,
        takes: InternalAPI.botID, body,
        answers: [
            .json(
                200, "All of it was taken.",
                .object(
                    .required("accepted", .integer(0...), "How many segments there were."),
                    .required("changed", .integer(0...), "How many of them were new.")),
                example: ["accepted": 1, "changed": 1])
        ],
        errors: [
            meetingRemoved, .workspaceFull,
            .invalid("A member of the body is wrong; nothing was taken.", field: "segments[3].start", "is missing"),
        ]
    ) { call, _, message in
        let place = call.caller
        if let number = message.meetingNumber {
            let meeting = try await call.session.meetings.meeting(number: number, workspace: place.workspaceID)
            guard meeting?.id == place.meetingID else {
                throw APIError.invalid("meeting_id", "must be the number of the bot's own meeting")
            }
        }
        let count = count(of: message)
        switch try await call.session.transcripts.ingest(message, from: place) {
        case .stored(let changed): return accepted(count, changed: changed)
        // Its transcript was deleted on purpose: there is nothing that the bot could do about it.
        case .deleted: return accepted(0, changed: 0)
        case .workspaceFull: throw APIError.workspaceFull
        // What is too much for one step is taken in several.
        case .full, .tooMuch: throw APIError.invalid("segments", "are more than a meeting may have")
        case .unknownMeeting, .notByStream: throw meetingRemoved.error
        }
    }

    static func message(of body: [UInt8]) throws -> SegmentMessage {
        let message: SegmentMessage
        do throws(SegmentMessage.Invalid) {
            message = try SegmentMessage(json: body, assumedType: "transcription")
        } catch {
            throw APIError.invalid(error.field ?? "body", error.problem)
        }
        if let fault = message.faults.first { throw APIError.invalid(fault.field ?? "segments", fault.problem) }
        return message
    }

    private static func count(of message: SegmentMessage) -> Int {
        switch message.content {
        case .segments(let segments): segments.count
        case .retraction(let ids): ids.count
        case .sessionStart, .sessionEnd: 0
        }
    }

    private static func accepted(_ count: Int, changed: Int) -> Response {
        .json(Array("{\"accepted\":\(count),\"changed\":\(changed)}".utf8))
    }

    // MARK: What is said of it

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
