import EventLoop

/// A request to another server. The client adds Host, Content-Length and Connection by itself.
public struct ClientRequest: Sendable {
    public var method: Method
    public var url: HTTPURL
    /// Further fields, in order. Control bytes in a value become spaces, so that a value can never end its line.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(
        _ method: Method, _ url: HTTPURL, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// The whole message (RFC 9112 section 2.1).
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512 + body.count)
        precondition(method.name.utf8.allSatisfy(ByteSet.token.contains), "a method is made of token characters")
        bytes.append(contentsOf: "\(method.name) \(url.target) HTTP/1.1\r\n".utf8)
        ResponseWriter.append("Host", url.authority, to: &bytes)
        for (name, value) in headers { ResponseWriter.append(name, value, to: &bytes) }
        // RFC 9110 section 8.6: a length is sent where the method has a use for a body, even if there is none.
        if !body.isEmpty || ![.get, .head, .delete, .options].contains(method) {
            ResponseWriter.append("Content-Length", String(body.count), to: &bytes)
        }
        bytes.append("Connection: close\r\n\r\n")
        bytes.append(contentsOf: body)
        return bytes
    }
}

/// The final answer of a server.
public struct ClientResponse: Equatable, Sendable {
    /// 200...599 (RFC 9110 section 15).
    public let status: Int
    /// Names as they were sent, and values, in order.
    public let fields: [Field]
    public let body: [UInt8]

    public struct Field: Equatable, Sendable {
        public let name: String
        public let value: String
    }

    /// The value of a field, whatever the case of its name; nil if it is absent or there are several.
    public func header(_ name: String) -> String? {
        let found = fields.filter { $0.name.lowercased() == name.lowercased() }
        return found.count == 1 ? found[0].value : nil
    }
}

/// Why a request has no answer to use. What matters to the caller is whether the server may have acted on it.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No byte of the request left this machine: trying again cannot do anything twice.
    case notSent(String)
    /// The request, or part of it, was sent, and no answer came that can be understood: it may or may not have been
    /// acted on.
    case outcomeUnknown(String)

    public var description: String {
        switch self {
        case .notSent(let reason): "the request was not sent: \(reason)"
        case .outcomeUnknown(let reason): "the request may have been acted on: \(reason)"
        }
    }
}

/// How much of an answer is taken in. What is larger is refused, and the outcome counts as unknown.
public struct ClientLimits: Sendable {
    /// Bytes of the status line and the header section.
    public var headBytes = 16_384
    public var headerFields = 100
    /// Bytes of the body, after decoding.
    public var bodyBytes = 65_536

    public init() {}
}
