/// A request that the HTTP layer itself refuses.
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
    public let status: Status
    /// One sentence for the caller that says what to do. It never repeats bytes of the request.
    public let detail: String

    public init(_ status: Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    public var description: String { "\(status): \(detail)" }

    /// The answer in the service's envelope: `{"detail": ..., "code": <the status>, "parameters": {}}`.
    public func envelope() -> Response {
        var body: [UInt8] = []
        body.append("{\"detail\":\"")
        for byte in detail.utf8 {
            if byte == 0x22 || byte == 0x5c { body.append(0x5c) }
            body.append(byte < 0x20 ? ASCII.space : byte)
        }
        body.append("\",\"code\":")
        body.append(decimal: status.code)
        body.append(",\"parameters\":{}}")
        return .json(body, status: status)
    }
}
