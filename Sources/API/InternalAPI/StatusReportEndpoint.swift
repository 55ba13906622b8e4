import HTTP
import Log
import Usher

/// `POST /internal/bots/{bot_id}/status`: what a bot tells of itself (docs/bot-wire.md, "Reports").
enum StatusReportEndpoint {
    private static let illegal = DescribedError(
        .illegal(from: "completed", to: "active"),
        "A bot cannot go from its status to this one, or another bot has its place. Nothing was changed.")
    /// Of any form, as one that is no word is refused only while the bot goes on.
    private static let word = Schema.string.orNull

    private static let body = Input<StatusReportBody>.body(
        Schema.object(
            .required("connection_id", .string, "The bot's id, as the path has it."),
            .required("status", .choice(StatusReportBody.reportable.map(\.rawValue))),
            .optional("completion_reason", word, "Such as `left_alone`: a to z and _, 64 at most."),
            .optional("failure_stage", word, "Such as `joining`, of the same form."),
            .optional("exit_code", .any), .optional("reason", .any), .optional("error_details", .any),
            .optional("bot_logs", .any, "A text, or a list of lines; the end of it is kept."),
            .optional(
                "screenshot", .any,
                "An object: `image`, a JPEG or PNG in Base64 of at most \(Screenshot.maximumBytes) bytes, and `outline`, what "
                    + "is on the page. What is none is passed over.")),
        examples: [
            "In the room": ["connection_id": .string(Sample.botID), "status": "active"],
            "Left": [
                "connection_id": .string(Sample.botID), "status": "completed", "completion_reason": "left_alone",
            ],
        ]
    ) { try JSONBody.decode(StatusReportBody.self, from: $0, limits: .ofMessages) }

    static let report = Endpoint(
        .post, "\(Routes.internalPath){bot_id}/status", id: "reportStatus", .botSecret,
        summary: "Report a bot's status",
        details: """
            The order is joining, awaiting_admission, active, completed; `needs_help` may follow the lobby, and a \
            bot may fail at any stage. A report that was taken before is taken again. Members that are not known are \
            ignored. In the last report, `completed` or `failed`, a reason or stage that is not written as a word \
            counts as none, and is kept among the error's details.
            """,
        takes: InternalAPI.botID, body,
        answers: [
            .json(
                200, "It was taken.", .object(.required("status", .choice(BotStatus.self), "The record's.")),
                example: ["status": "active"])
        ],
        errors: [
            illegal,
            .invalid("It is no valid event.", field: "status", StatusReportBody.statusProblem),
        ]
    ) { call, _, body in
        let place = call.caller
        guard body.connectionID == place.botID else {
            throw APIError.invalid("connection_id", "must be the bot's own, as the path has it")
        }
        switch try await call.session.bots.report(body.report, from: place) {
        case .taken(let status, let botStatus):
            call.services.logger.info(
                "Bot reported",
                [
                    "request_id": call.request.id, "trace_id": place.trace?.traceID ?? call.request.trace.traceID,
                    "bot_id": place.botID, "meeting_id": place.meetingID, "bot_status": botStatus,
                    "status": status,
                ])
            return accepted(botStatus)
        case .known(_, let botStatus): return accepted(botStatus)
        case .illegal(let from, let to): throw APIError.illegal(from: from, to: to)
        case .stale: throw APIError.illegal(from: "ended", to: body.report.status.rawValue)
        }
    }

    private static func accepted(_ status: String) -> Response {
        .json(Array("{\"status\":\"\(status.jsonEscaped)\"}".utf8))
    }
}

extension APIError {
    fileprivate static func illegal(from: String, to: String) -> APIError {
        APIError(
            409, title: "Illegal transition", "A bot can't go from \(from) to \(to). Nothing was changed.",
            parameters: ["from": from, "to": to])
    }
}
