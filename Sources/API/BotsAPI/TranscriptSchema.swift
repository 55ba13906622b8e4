import Usher

/// A meeting with what was said in it, as `GET /transcripts` shows it.
enum TranscriptSchema {
    static let schema = NamedSchema(
        "Transcript", "A meeting with what was said in it.",
        .object(
            .required("id", .integer(1...)), .required("platform", .choice(Platform.self)),
            .required("native_meeting_id", .string), .required("constructed_meeting_url", .string),
            .required("status", .choice(BotsMeetingObject.shownStatuses)),
            .required("start_time", Schema.time.orNull),
            .required("end_time", Schema.time.orNull), .required("notes", Schema.string.orNull),
            .required("recordings", .list(of: .named(RecordingObject.schema)), "Those of bots that have ended."),
            .required("data", .named(BotsMeetingObject.dataSchema)),
            .required("segments", .list(of: .named(segment))),
            .required("cursor", .string, "Where what comes next begins: for `after`, and for the live feed."),
            .optional("retracted", .list(of: .string), "This and what follows only after a cursor: ids that are gone."),
            .optional("reset", .boolean, "Whether all is shown, as the cursor leads nowhere any more."),
            .optional("has_more", .boolean, "Whether there is more behind `cursor` already."),
        ))

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

    static let example: OrderedJSON = [
        "id": 123, "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
        "constructed_meeting_url": "https://meet.google.com/abc-defg-hij", "status": "active",
        "start_time": "2026-05-21T03:42:19.020Z", "end_time": nil, "notes": nil,
        "recordings": [RecordingObject.example],
        "data": ["meeting_id": .string(Sample.meetingID), "language": "en"],
        "segments": [
            [
                "segment_id": "1", "start": 0.5, "end": 2.25, "text": "Good morning, everybody.", "language": "en",
                "speaker": "Ana", "completed": true, "absolute_start_time": "2026-05-21T03:42:19.520Z",
                "absolute_end_time": "2026-05-21T03:42:21.270Z", "created_at": "2026-05-21T03:42:21.900Z",
                "session_uid": .string(Sample.botID),
            ]
        ],
        "cursor": "1779334941900-0",
    ]
}
