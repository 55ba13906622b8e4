import Usher

/// A recording as `recordings` of a transcript shows it.
enum RecordingObject {
    static func json(_ recording: Recording, of meeting: Meeting) -> JSONText {
        let id = RecordingID(recording, of: meeting).description
        var file = JSONText()
        file.add("id", id)
        file.add("type", "audio")
        file.add("format", "wav")
        file.add("file_size_bytes", recording.bytes)
        file.add("duration_seconds", json: seconds(recording))
        var object = JSONText()
        object.add("id", id)
        object.add("session_uid", recording.botID)
        object.add("source", "bot")
        object.add("status", "completed")
        object.add("created_at", time: recording.startTime)
        object.add("media_files", json: "[\(file.closed)]")
        return object
    }

    private static func seconds(_ recording: Recording) -> String {
        let (whole, rest) = recording.durationMilliseconds.quotientAndRemainder(dividingBy: 1_000)
        return "\(whole).\(String(rest + 1_000).dropFirst())"
    }

    static let schema = NamedSchema(
        "Recording", "What a bot heard in a meeting, once that bot has ended.",
        .object(
            .required("id", .string, "`GET /recordings/{id}` fetches it."),
            .required("session_uid", .string, "The bot that heard it."),
            .required("source", .string), .required("status", .string, "`completed`."),
            .required("created_at", Schema.time.orNull, "When it begins: when the bot came into the room."),
            .required("media_files", .list(of: .named(file)), "One.")))

    private static let file = NamedSchema(
        "RecordingFile", "The file of a recording.",
        .object(
            .required("id", .string), .required("type", .string, "`audio`."), .required("format", .string, "`wav`."),
            .required("file_size_bytes", .integer), .required("duration_seconds", .number)))

    static let example: OrderedJSON = [
        "id": .string("123-\(Sample.botID)"), "session_uid": .string(Sample.botID), "source": "bot",
        "status": "completed", "created_at": "2026-05-21T03:42:19.020Z",
        "media_files": [
            [
                "id": .string("123-\(Sample.botID)"), "type": "audio", "format": "wav", "file_size_bytes": 57_600_044,
                "duration_seconds": 1_800.5,
            ]
        ],
    ]
}
