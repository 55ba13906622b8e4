import HTTP
import Log
import Redis
import Usher

/// The members of an error's body, which each API has its own way with.
enum ErrorStyle {
    /// `{"detail", "code", "parameters"}`: the standard envelope of the Re-invite API ("Error Responses").
    case reinvite
    /// `{"error", "detail"}`, and the parameters beside them (Bots API, "Error Responses").
    case bots
    /// All of them: `/admin` serves the users of both.
    case admin

    /// The style of the API that a path belongs to.
    init(path: String) {
        let first = path.split(separator: "/", maxSplits: 1).first
        switch first {
        case "bots", "meetings", "transcripts", "recordings", "user", "webhooks", "workspace",
            "auth", "internal", "ws", "events":
            self = .bots
        case "admin": self = .admin
        default: self = .reinvite
        }
    }
}

/// An answer that is not a success. Errors outside the Re-invite API's table carry the HTTP status as their code.
struct APIError: Error {
    var status: Status
    var code: Int
    /// What is wrong in the few words of the Bots API's document, such as "Bot not found".
    var title: String
    /// What happened and what to do, for the person who reads it.
    var detail: String
    var parameters: KeyValuePairs<String, String>
    /// The number of the meeting that stands in the way, for the Bots API.
    var meetingNumber: Int?
    /// Seconds, for `Retry-After`.
    var retryAfterSeconds: Int?
    /// What lies beneath, for the log only.
    var cause: (any Error)?

    init(
        _ status: Status, code: Int? = nil, title: String? = nil, _ detail: String,
        parameters: KeyValuePairs<String, String> = [:], meetingNumber: Int? = nil, retryAfterSeconds: Int? = nil,
        cause: (any Error)? = nil
    ) {
        self.status = status
        self.code = code ?? status.code
        self.title = title ?? Self.title(of: status)
        self.detail = detail
        self.parameters = parameters
        self.meetingNumber = meetingNumber
        self.retryAfterSeconds = retryAfterSeconds
        self.cause = cause
    }

    private static func title(of status: Status) -> String {
        switch status.code {
        case 400: "Bad request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not found"
        case 405: "Method not allowed"
        case 408: "Request timeout"
        case 409: "Conflict"
        case 413: "Request too large"
        case 414: "Request line too long"
        case 417: "Expectation failed"
        case 422: "Invalid request"
        case 426: "Upgrade required"
        case 429: "Too many requests"
        case 431: "Header too large"
        case 501: "Not implemented"
        case 503: "Service unavailable"
        case 505: "HTTP version not supported"
        default: status.code < 500 ? "Bad request" : "Internal error"
        }
    }

    /// The body in a style. Written by hand, as the 409 of a busy room is part of the load.
    func body(_ style: ErrorStyle) -> [UInt8] {
        let detail = "\"detail\":\"\(detail.jsonEscaped)\""
        let members = parameters.map { "\"\($0.key.jsonEscaped)\":\"\($0.value.jsonEscaped)\"" }
        let envelope = "\(detail),\"code\":\(code),\"parameters\":{\(members.joined(separator: ","))}"
        let title = "\"error\":\"\(title.jsonEscaped)\""
        let text: String
        switch style {
        case .reinvite: text = envelope
        case .admin: text = "\(title),\(envelope)"
        case .bots:
            let number = meetingNumber.map { ["\"meeting_id\":\($0)"] } ?? []
            text = ([title, detail] + number + members).joined(separator: ",")
        }
        return Array("{\(text)}".utf8)
    }

    func response(_ style: ErrorStyle) -> Response {
        var headers: [(name: String, value: String)] = []
        if let retryAfterSeconds { headers.append(("Retry-After", String(retryAfterSeconds))) }
        if status == 401 { headers.append(("WWW-Authenticate", "Bearer")) }
        var response = Response.json(body(style), status: status, headers: headers)
        response.outcomeCode = code
        return response
    }
}

/// The body of an error that the HTTP layer itself answers with, in the style of the API that the path belongs to.
public enum ErrorAnswer {
    public static func make(_ error: HTTPError, for request: Request?) -> Response {
        APIError(error.status, error.detail).response(ErrorStyle(path: request?.path ?? ""))
    }
}

extension APIError {
    /// The records could not be read or written, outside the re-invite endpoint, which has codes of its own for it.
    /// - Parameter isRead: whether what failed changes nothing anyway.
    init(_ error: RedisError, isRead: Bool = false) {
        if case .notReplicated = error {
            self.init(
                503,
                "The request may have gone through, but too few replicas have confirmed it. Sending it again is safe.",
                retryAfterSeconds: 2, cause: error)
        } else if error.isOutOfMemory {
            self = .full(cause: error)
        } else if error.mayHaveRun && !error.isRefusedForNow && !isRead {
            self.init(
                500, "The request failed for an unexpected reason. Look whether it took effect before you try again.",
                cause: error)
        } else {
            self = .unavailable(cause: error)
        }
    }

    /// Redis takes nothing new. It says so before it does anything.
    static func full(cause: RedisError) -> APIError {
        APIError(
            503,
            "The service has no room for new records at the moment. Nothing was changed; what runs goes on, and can be "
                + "stopped. Retry later.", retryAfterSeconds: 60, cause: cause)
    }

    static func unavailable(cause: RedisError) -> APIError {
        APIError(
            503, "The service cannot reach its records at the moment. Nothing was changed; retry in a few seconds.",
            retryAfterSeconds: 2, cause: cause)
    }

    static func invalid(_ field: String, _ problem: String) -> APIError {
        APIError(422, "\(field) \(problem).", parameters: ["field": field])
    }

    static let unauthorized = APIError(
        401, "Send a valid API key: Authorization: Bearer <key>, or X-API-Key: <key>.")
}

/// An error that has an answer of its own.
protocol AnsweredError: Error {
    /// - Parameter isRead: whether what failed changes nothing anyway.
    func answer(isRead: Bool) -> APIError
}

extension APIError: AnsweredError {
    func answer(isRead: Bool) -> APIError { self }
}

extension RedisError: AnsweredError {
    func answer(isRead: Bool) -> APIError { APIError(self, isRead: isRead) }
}

extension ArchiveFault: AnsweredError {
    /// Never an empty transcript: what is not told was said all the same.
    func answer(isRead: Bool) -> APIError {
        switch self {
        case .away:
            APIError(
                503, "The archive, which has this transcript, cannot be read at the moment. Retry later.",
                retryAfterSeconds: 10, cause: self)
        case .redis(let error): error.answer(isRead: isRead)
        case .gone, .spoilt:
            APIError(
                503,
                "The archive does not have this transcript any more as it was written. Tell whoever runs this service.",
                cause: self)
        }
    }
}

/// Runs a handler, and turns what it throws into an answer.
func answer(
    _ request: Request, _ style: ErrorStyle, logger: Logger, _ handler: () async throws -> Response
) async -> Response {
    do {
        return try await handler()
    } catch {
        let failure: APIError
        var cause: String?
        if let error = error as? any AnsweredError {
            failure = error.answer(isRead: request.method == .get || request.method == .head)
        } else {
            failure = APIError(500, "The request failed for an unexpected reason.")
            cause = "\(error)"
        }
        // A refusal, such as that of a busy lock, has no cause and is no concern of an operator.
        cause = cause ?? failure.cause.map { "\($0)" }
        if let cause {
            logger.error(
                "Request failed",
                [
                    "request_id": request.id, "trace_id": request.trace.traceID, "path": request.path,
                    "status": String(failure.status.code), "code": String(failure.code), "cause": cause,
                ])
        } else {
            logger.debug(
                "Request refused",
                [
                    "request_id": request.id, "trace_id": request.trace.traceID, "path": request.path,
                    "status": String(failure.status.code), "code": String(failure.code),
                ])
        }
        return failure.response(style)
    }
}
