/// An answer to a request. The server adds Date, Content-Length, X-Request-Id and Connection by itself.
public struct Response: Sendable {
    public var status: Status
    /// The value of Content-Type; nil leaves the field out.
    public var contentType: String?
    /// Further fields, in order. Control bytes in a value become spaces, so that a value can never end its line.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Writes the body in place of `body`, for one that is too long to be held as a whole. What it throws cuts the
    /// connection, so that nobody takes what was written for the whole. HEAD does not run it.
    public typealias Stream = @Sendable (BodyWriter) async throws -> Void
    public var stream: Stream?
    /// How many bytes the stream writes, if that is known: `Content-Length` then says so, and fewer cut the connection.
    public var streamedBytes: Int?
    /// Whether that body has no end of its own: then the answer counts as given once it has begun.
    public var isLive = false
    /// Serves the WebSocket that the answer opens: see `WebSocketHandshake`.
    var socket: (@Sendable (WebSocket) async -> Void)?
    /// What is held until the client has taken the answer, or is gone.
    public var hold: AnswerHold?
    /// The service's own code for what happened, for those who count answers; 0: the status says it all. It is not sent.
    public var outcomeCode = 0

    public init(
        status: Status, contentType: String? = nil, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// An answer whose body is a JSON text in UTF-8.
    public static func json(
        _ body: [UInt8], status: Status = 200, headers: [(name: String, value: String)] = []
    ) -> Response {
        Response(status: status, contentType: "application/json", headers: headers, body: body)
    }

    /// The same, written piece by piece.
    public static func json(hold: AnswerHold?, stream: @escaping Stream) -> Response {
        var response = json([])
        response.stream = stream
        response.hold = hold
        return response
    }

    /// An answer for people and simple tools.
    public static func text(_ body: String, status: Status = 200) -> Response {
        Response(status: status, contentType: "text/plain; charset=utf-8", body: Array(body.utf8))
    }

    /// An answer without a body.
    public static func empty(_ status: Status = 204) -> Response {
        Response(status: status)
    }
}
