/// Where a node of a cluster is, as it and the others announce it.
public struct NodeAddress: Hashable, Sendable, CustomStringConvertible {
    public let host: String
    public let port: UInt16

    /// `127.0.0.1:7000`; an IPv6 address has no brackets.
    /// - Parameter known: the host to take if none is given, as of a node that does not know its own: whom was asked.
    init?(_ text: Substring, known: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        self.init(host: String(text[..<colon]), port: port, known: known)
    }

    init(host: String, port: UInt16, known: String = "") {
        self.host = host.isEmpty || host == "?" ? known : host
        self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
