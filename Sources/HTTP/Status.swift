/// A status code of an answer (RFC 9110 section 15), 200...599: interim answers are the server's own affair.
public struct Status: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public let code: Int

    /// Stops the program for a code outside 200...599.
    public init(_ code: Int) {
        precondition((200...599).contains(code), "\(code) is not the status of a final answer")
        self.code = code
    }

    public init(integerLiteral code: Int) {
        self.init(code)
    }

    /// Of an answer that opens a WebSocket: the last one in HTTP on its connection.
    public static let switchingProtocols = Status(upgrade: 101)

    private init(upgrade code: Int) {
        self.code = code
    }

    public var description: String { String(code) }

    /// Whether an answer with this status has a body (RFC 9110 section 6.4.1).
    var allowsBody: Bool { code != 204 && code != 304 && code != 101 }

    /// The words of the status line; no client may depend on them.
    var reason: StaticString {
        switch code {
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 302: "Found"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: code < 400 ? "Done" : "Error"
        }
    }
}
