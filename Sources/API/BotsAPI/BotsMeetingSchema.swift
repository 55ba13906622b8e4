import HTTP
import Usher

extension BotsMeetingObject {
    static let dataSchema = NamedSchema(
        "MeetingData", "What users wrote about a meeting, and what was collected from it.",
        .object(
            .required("meeting_id", .string, "The meeting's id in the Re-invite API."),
            .optional("planned", .boolean, "True where there has been no bot yet."),
            .optional("scheduled_at", .time, "When a bot is to be there."),
            .optional("auto_join", .boolean, "Whether one is sent then by itself."),
            .optional("missed_at", .time, "When it was too late to send one."),
            .optional(
                "auto_join_error", .choice(["room_taken", "too_many_bots", "too_late"]),
                "What keeps it from being sent, or did."),
            .optional("name", .string), .optional("participants", .list(of: .string)),
            .optional("languages", .list(of: .string)), .optional("notes", .string), .optional("bot_name", .string),
            .optional("language", .string), .optional("task", .string),
            .optional("transcribe_enabled", .boolean, "Where the request for the bot said so."),
            .optional("recording_enabled", .boolean, "The same."),
            .optional(
                "automatic_leave",
                .object(
                    .optional("waiting_room_timeout", .integer), .optional("no_one_joined_timeout", .integer),
                    .optional("everyone_left_timeout", .integer)), "Milliseconds, where the request said so."),
            .optional(
                "page_outline", .string,
                "What is on the meeting's page while its bot needs help, or was when it failed: to managers, and where one meeting "
                    + "is fetched. `GET /bots/id/{number}/screenshot` shows it."
            ),
            .optional("exit_code", .integer, "The bot's, once it has ended."),
            .optional("exit_signal", .integer, "The one that ended it, if it was one."),
            .optional("error_details", .string, "What it, or its runner, told of its failure.")))

    static let shownStatuses = Meeting.plannedStatuses + BotStatus.allCases.map(\.rawValue)

    static let schema = NamedSchema(
        "BotMeeting", "A meeting as the Bots API shows it: the same record.",
        .object(
            .required("id", .integer(1...), "Its number."),
            .required("user_id", .integer, "Who made it, or asked for its first bot."),
            .required("platform", .choice(Platform.self)), .required("native_meeting_id", .string),
            .required("constructed_meeting_url", .string),
            .required(
                "status", .choice(shownStatuses),
                "Its latest bot's; of one that has had none see `GET /meetings`."),
            .required("bot_container_id", Schema.string.orNull),
            .required("start_time", Schema.time.orNull), .required("end_time", Schema.time.orNull),
            .required(
                "completion_reason", Schema.string.orNull,
                "Why its bot ended: `stopped` if a stop was asked, else such as `left_alone`; `left_unasked` if the bot says that it "
                    + "was stopped and nobody asked."),
            .required("failure_stage", Schema.string.orNull, "Where its bot was when it failed."),
            .required("data", .named(dataSchema)), .required("created_at", .time), .required("updated_at", .time)))

    static let example: OrderedJSON = [
        "id": 123, "user_id": 7, "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
        "constructed_meeting_url": "https://meet.google.com/abc-defg-hij", "status": "requested",
        "bot_container_id": nil, "start_time": nil, "end_time": nil, "completion_reason": nil, "failure_stage": nil,
        "data": ["meeting_id": .string(Sample.meetingID), "language": "en"], "created_at": .string(Sample.time),
        "updated_at": .string(Sample.time),
    ]
}

extension BotsMeetingObject {
    static let plannedExample: OrderedJSON = [
        "id": 123, "user_id": 7, "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
        "constructed_meeting_url": "https://meet.google.com/abc-defg-hij", "status": "scheduled",
        "bot_container_id": nil, "start_time": nil, "end_time": nil, "completion_reason": nil, "failure_stage": nil,
        "data": [
            "meeting_id": .string(Sample.meetingID), "planned": true, "scheduled_at": "2026-12-01T09:00:00.000Z",
            "auto_join": true, "name": "Weekly",
        ], "created_at": .string(Sample.time), "updated_at": .string(Sample.time),
    ]
}

/// What was done, for people.
enum Message {
    static let schema = NamedSchema(
        "Message", "What was done, for people.", .object(.required("message", .string)))
}

extension Response {
    /// An answer of the form of `Message`.
    static func message(_ status: Status, _ text: String) -> Response {
        var object = JSONText()
        object.add("message", text)
        return .json(object.bytes, status: status)
    }
}
