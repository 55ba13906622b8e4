import HTTP
import Usher

/// `GET /bots/id/{number}/timeline`: what happened to a meeting and its bots, why and when.
enum TimelineEndpoint {
    private static let event = NamedSchema(
        "TimelineEvent", "A change of a meeting's status.",
        .object(
            .required("at", .time),
            .required("what", .string, "Such as `dispatched`, `active`, `failed`, `finalised`."),
            .required("from", .string, "`status/bot_status` before, as `INITIAL/requested`."),
            .required("to", .string, "The same after it."),
            .required("why", .string, "Who or what caused it: `user 7`, `bot`, `plan`, or a reason."),
            .required("bot_id", Schema.uuid.orNull, "The bot that has to do with it."),
            .required("trace_id", Schema.string.orNull, "Of the bot's dispatch (W3C Trace Context).")))
    private static let example: OrderedJSON = [
        "at": .string(Sample.time), "what": "dispatched", "from": "INITIAL/", "to": "INITIAL/requested",
        "why": "user 7",
        "bot_id": .string(Sample.botID), "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    ]

    static let get = Endpoint(
        .get, "/bots/id/{number}/timeline", id: "getTimeline", .bots(.viewer),
        summary: "See what happened to a meeting",
        details: """
            About the last hundred changes, the oldest first. Those of long ago are not known any more where much else \
            has happened since (`USHER_EVENTS_MAX_LENGTH`); `forgotten` is how many. Changes that nodes of the version \
            before have made are not among them.
            """,
        takes: BotsMeetingEndpoints.number,
        answers: [
            .json(
                200, "The changes.",
                .object(.required("events", .list(of: .named(event))), .required("forgotten", .integer)),
                example: ["events": [example], "forgotten": 0])
        ],
        errors: [.unknownBotMeeting]
    ) { call, number in
        let meeting = try await BotsMeetingEndpoints.meeting(number, call)
        let timeline = try await call.session.meetings.timeline(of: meeting)
        var object = JSONText()
        object.add("events", timeline.events.map(json))
        object.add("forgotten", timeline.forgotten)
        return .json(object.bytes)
    }

    private static func json(_ event: MeetingEvent) -> JSONText {
        var object = JSONText()
        object.add("at", time: event.at)
        object.add("what", event.what)
        object.add("from", event.from)
        object.add("to", event.to)
        object.add("why", event.why)
        object.add("bot_id", event.botID.isEmpty ? nil : event.botID)
        object.add("trace_id", event.traceID.isEmpty ? nil : event.traceID)
        return object
    }
}
