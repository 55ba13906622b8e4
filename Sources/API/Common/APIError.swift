import HTTP
import Log
import Redis

/// An answer that is not a success: the standard envelope of the Re-invite API ("Error Responses"). Errors outside its
/// table carry the HTTP status as their code.
struct APIError: Error {
    var status: Status
    var code: Int
    /// What happened and what to do, for the person who reads it.
    var detail: String
    var parameters: KeyValuePairs<String, String>
    /// Seconds, for `Retry-After`.
    var retryAfterSeconds: Int?
    /// What lies beneath, for the log only.
    var cause: RedisError?

    init(
        _ status: Status, code: Int? = nil, _ detail: String, parameters: KeyValuePairs<String, String> = [:],
        retryAfterSeconds: Int? = nil, cause: RedisError? = nil
    ) {
        self.status = status
        self.code = code ?? status.code
        self.detail = detail
        self.parameters = parameters
        self.retryAfterSeconds = retryAfterSeconds
        self.cause = cause
    }

    /// `{"detail", "code", "parameters"}`. Written by hand, as the 409 of a busy room is part of the load.
    var body: [UInt8] {
        var text = "{\"detail\":\"\(detail.jsonEscaped)\",\"code\":\(code),\"parameters\":{"
        var separator = ""
        for (name, value) in parameters {
            text += "\(separator)\"\(name.jsonEscaped)\":\"\(value.jsonEscaped)\""
            separator = ","
        }
        text += "}}"
        return Array(text.utf8)
    }

    var response: Response {
        var headers: [(name: String, value: String)] = []
        if let retryAfterSeconds { headers.append(("Retry-After", String(retryAfterSeconds))) }
        if status == 401 { headers.append(("WWW-Authenticate", "Bearer")) }
        return .json(body, status: status, headers: headers)
    }
}

extension APIError {
    /// The records could not be read or written, outside the re-invite endpoint, which has codes of its own for it.
    /// - Parameter isRead: whether what failed changes nothing anyway.
    init(_ error: RedisError, isRead: Bool = false) {
        if error.mayHaveRun && !isRead {
            self.init(
                500, "The request failed for an unexpected reason. Look whether it took effect before you try again.",
                cause: error)
        } else {
            self = .unavailable(cause: error)
        }
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

/// Runs a handler, and turns what it throws into an answer.
func answer(
    _ request: Request, logger: Logger, _ handler: () async throws -> Response
) async -> Response {
    do {
        return try await handler()
    } catch {
        let failure: APIError
        var cause: String?
        switch error {
        case let error as APIError: failure = error
        case let error as RedisError:
            failure = APIError(error, isRead: request.method == .get || request.method == .head)
        default:
            failure = APIError(500, "The request failed for an unexpected reason.")
            cause = "\(error)"
        }
        // A refusal, such as that of a busy lock, has no cause and is no concern of an operator.
        cause = cause ?? failure.cause.map { "\($0)" }
        if let cause {
            logger.error(
                "Request failed",
                [
                    "request_id": request.id, "path": request.path, "status": String(failure.status.code),
                    "code": String(failure.code), "cause": cause,
                ])
        }
        return failure.response
    }
}
