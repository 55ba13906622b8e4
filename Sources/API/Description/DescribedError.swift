import HTTP
import Redis
import Usher

/// An error that an operation can answer with: the very value that its code throws, for sample ids, so that status,
/// code, title and form in the description are those of the answers.
struct DescribedError: Sendable {
    let error: APIError
    /// When it is answered, and what to do.
    let meaning: String

    init(_ error: APIError, _ meaning: String) {
        self.error = error
        self.meaning = meaning
    }

    /// What tells it apart from others of its status in an API.
    func label(_ style: ErrorStyle) -> String {
        style == .bots ? error.title : String(error.code)
    }

    static func invalid(_ meaning: String, field: String, _ problem: String) -> DescribedError {
        DescribedError(APIError.invalid(field, problem), "\(meaning) `field` names what is wrong.")
    }
}

// MARK: Errors of many operations

extension DescribedError {
    /// The errors of those who may not ask.
    static func ofAccess(_ access: Credentials) -> [DescribedError] {
        switch access {
        case .open: []
        case .apiKey(let scope, let role):
            [
                DescribedError(.unauthorized, "The API key is missing, unknown, expired or revoked."),
                DescribedError(Authentication.lacks(scope), "The key lacks the scope `\(scope.rawValue)`."),
                DescribedError(
                    Authentication.roleTooLow(role, workspaceID: Sample.workspaceID),
                    "The key's user has a lower role in the workspace than \(role.rawValue)."),
                DescribedError(.tooManyRequests(milliseconds: 1_000), "The key sends more than its rate limit allows."),
                tooManyInvalid,
            ]
        case .adminKey:
            [DescribedError(.wrongAdminKey, "The admin key is missing or wrong."), tooManyInvalid]
        case .botSecret:
            [
                DescribedError(
                    APIError.wrongSecret, "The secret is missing, another bot's, or the bot is not known."),
                tooManyInvalid,
            ]
        }
    }

    static let tooManyMeetings = DescribedError(
        APIError(.meetings(limit: 100_000)), "The workspace has as many meetings as it may have.")
    static let workspaceFull = DescribedError(
        APIError(.bytes(limit: 134_217_728)), "The workspace's meetings would take more bytes than they may.")

    private static let tooManyInvalid = DescribedError(
        .tooManyInvalidRequests(milliseconds: 1_000),
        "Too many requests without a valid key came from the caller's address.")

    /// What anything that reads or writes records can end with.
    static let ofRecords = [
        DescribedError(
            APIError(RedisError.connectionLost),
            "The request failed for an unexpected reason. Look whether it took effect before you try again."),
        DescribedError(
            .unavailable(cause: .notConnected),
            "The records cannot be reached at the moment, or too few replicas confirmed a change. Sending it again is "
                + "safe."),
        DescribedError(
            .full(cause: .refused("OOM")),
            "Redis is full, so that nothing new is taken. What runs goes on: stops and reports are not concerned."),
    ]

    /// What the HTTP layer answers in place of an operation. `HTTPError` has no list of them: they are found where they
    /// come up, and the tests of the HTTP layer know each.
    static let ofHTTPLayer = [
        layer(400, "The request is malformed.", "Send each header field as a name, a colon and a value."),
        layer(408, "The header section or the body took too long to arrive.", "Send the whole body sooner."),
        layer(413, "The body is too long.", "Send a body of at most 65536 bytes."),
        layer(414, "The request line is too long.", "Send a request line of at most 8192 bytes."),
        layer(
            417, "The request has an expectation other than 100-continue.",
            "Send no expectation other than 100-continue."),
        layer(431, "The header section is too long, or has too many fields.", "Send at most 100 header fields."),
        layer(
            503, "The answer took too long.",
            "Ask again later, and check first whether this request has done its work."),
    ]

    /// The same for requests that come to no operation.
    static let ofNoOperation = [
        layer(404, "Nothing is served at the path.", "Check the path: nothing is served there."),
        layer(
            405, "The path is served, but not with this method: `Allow` lists those that it takes.",
            "Use one of the methods that this path allows: GET, HEAD, OPTIONS."),
        layer(501, "The method is not known to HTTP, or is CONNECT.", "Use a method that this service knows."),
        layer(505, "The request is of another version of HTTP than 1.0 and 1.1.", "Use HTTP/1.1."),
    ]

    private static func layer(_ status: Status, _ meaning: String, _ detail: String) -> DescribedError {
        DescribedError(APIError(status, detail), meaning)
    }
}

extension Operation {
    var style: ErrorStyle { section.style }

    /// All errors that it can answer with, by status, but those that an answer of its own tells of. Those of the HTTP
    /// layer are last of their status.
    var errorsByStatus: [(status: Status, errors: [DescribedError])] {
        var isOfRecords = true
        if case .open = access { isOfRecords = false }
        let all =
            DescribedError.ofAccess(access) + errors + (isOfRecords ? DescribedError.ofRecords : [])
            + DescribedError.ofHTTPLayer
        let own = Set(answers.map(\.status))
        return Dictionary(grouping: all.filter { !own.contains($0.error.status) }) { $0.error.status }
            .map { (status: $0.key, errors: $0.value) }
            .sorted { $0.status.code < $1.status.code }
    }
}

/// Ids and times for examples; those of the APIs' documents.
enum Sample {
    static let workspaceID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    static let meetingID = "2b342a6e177d4b139638bc16bd312291"
    static let botID = "5f0c9a5e-2d0b-4c86-9a3e-7d6b8a1f4c20"
    static let keyID = "0b6c1f0d8e5a4b9c9f1d2e3a4b5c6d7e"
    static let email = "anna@example.com"
    static let time = "2026-05-21T03:42:11.482Z"
    static let apiKey = "usher_b9d8d7bedd3560fe7e5d992ebac6dc317e2b15344f41b1e65a7efc8b42c8bc19"
}
