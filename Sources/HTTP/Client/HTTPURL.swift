/// An `http` URL taken apart (RFC 9110 section 4.2.1): whom to connect to, and what to ask for.
public struct HTTPURL: Equatable, Sendable {
    /// A name or a numeric address; an IPv6 address stands without its brackets.
    public let host: String
    public let port: Int
    /// Path and query as they go into the request line.
    public let target: String
    /// What goes into the Host field.
    let authority: String

    /// What is wrong with a URL, as the end of a sentence that begins with it. Holds no part of it.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    private static let maximumBytes = 8_192

    /// - Throws: `Invalid` for anything but `http://host[:port][/path][?query]`; a fragment is dropped, since it is the
    ///   client's own affair. User and password are refused (RFC 9110 section 4.2.4).
    public init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw Invalid(description: "has more than \(Self.maximumBytes) bytes")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Invalid(description: "holds spaces, control characters or letters beyond ASCII")
        }
        let scheme = "http://"
        guard text.prefix(scheme.count).lowercased() == scheme else {
            throw Invalid(description: "must start with http://")
        }
        let rest = text.dropFirst(scheme.count).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        (host, port) = try Self.parts(of: authority)
        let tail = rest[authority.endIndex...]
        target = tail.hasPrefix("/") ? String(tail) : "/" + tail
        self.authority = String(authority)
    }

    private static func parts(of authority: Substring) throws(Invalid) -> (host: String, port: Int) {
        let isSound: Bool
        do throws(HTTPError) {
            try Array(authority.utf8).withUnsafeBufferPointer { bytes throws(HTTPError) in try Host.check(bytes) }
            isSound = true
        } catch {
            isSound = false
        }
        guard isSound else { throw Invalid(description: "needs a host, and may have a port, after http://") }
        var host = authority
        var port = ""
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            port = String(authority[authority.index(after: colon)...])
        }
        if host.hasPrefix("[") { host = host.dropFirst().dropLast() }
        let number = port.isEmpty ? 80 : Int(port) ?? 0
        guard number > 0 else { throw Invalid(description: "needs a port between 1 and 65535") }
        return (String(host), number)
    }
}
