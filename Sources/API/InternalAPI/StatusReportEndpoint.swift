import HTTP
import Log
import Usher

/// `POST /internal/bots/{bot_id}/status`: what a bot tells of itself (docs/bot-wire.md, "Reports").
struct StatusReportEndpoint: Sendable {
    let store: Store
    let gatekeeper: Gatekeeper
    let logger: Logger

    func handle(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let place = try await InternalAccess.place(of: request, store: store, gatekeeper)
            let body = try JSONBody.decode(StatusReportBody.self, from: request, limits: .ofMessages)
            guard body.connectionID == place.botID else {
                throw APIError.invalid("connection_id", "must be the bot's own, as the path has it")
            }
            switch try await store.report(body.report, from: place, deadline: request.deadline) {
            case .taken(let status, let botStatus):
                logger.info(
                    "Bot reported",
                    [
                        "request_id": request.id, "trace_id": place.trace?.traceID ?? request.trace.traceID,
                        "bot_id": place.botID, "meeting_id": place.meetingID, "bot_status": botStatus,
                        "status": status,
                    ])
                return Self.accepted(botStatus)
            case .known(_, let botStatus): return Self.accepted(botStatus)
            case .illegal(let from, let to): throw Self.illegal(from: from, to: to)
            case .stale: throw Self.illegal(from: "ended", to: body.report.status.rawValue)
            }
        }
    }

    private static func accepted(_ status: String) -> Response {
        .json(Array("{\"status\":\"\(status.jsonEscaped)\"}".utf8))
    }

    static func illegal(from: String, to: String) -> APIError {
        APIError(
            409, title: "Illegal transition", "A bot can't go from \(from) to \(to). Nothing was changed.",
            parameters: ["from": from, "to": to])
    }
}

/// Which bot speaks on the internal routes.
enum InternalAccess {
    /// No secret of ours is longer.
    private static let maximumSecretBytes = 512

    static let refusal = APIError(401, "Send the bot's own secret: x-internal-secret: <secret>.")

    /// The place of the bot in the request's path, whose secret the request carries.
    /// - Throws: `APIError` 401 for a missing secret, another's, or a bot that is not known; 429 in place of it to an
    ///   address that has got too many of those. A secret is always looked up: a bot is heard whatever others send from
    ///   the same machine.
    static func place(of request: Request, store: Store, _ gatekeeper: Gatekeeper) async throws -> BotPlace {
        guard let secret = request.header("x-internal-secret"), secret.utf8.count <= maximumSecretBytes else {
            throw gatekeeper.refuse(request, with: refusal)
        }
        let place: BotPlace?
        do {
            place = try await store.authenticate(
                bot: request.parameter("bot_id"), secret: secret, deadline: request.deadline)
        } catch {
            throw APIError.unavailable(cause: error)
        }
        guard let place else { throw gatekeeper.refuse(request, with: refusal) }
        return place
    }
}
