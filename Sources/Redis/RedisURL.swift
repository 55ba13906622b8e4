import CLinux
import EventLoop
import Glibc

/// Where a Redis is and how to log in: `redis://[user:password@]host[:port][/db]`, `rediss://...` for TLS,
/// `redis+unix://[user:password@]/path/to/socket[?db=N]`; for a primary that Sentinels watch, where these are and what
/// they call it: `redis+sentinel://[user:password@]host[:port],.../service[/db]`, with
/// `?sentinel_user=...&sentinel_password=...` if they want a password of their own; for a Redis Cluster, some of its
/// nodes: `redis+cluster://[user:password@]host[:port],...`. `rediss+sentinel://` and `rediss+cluster://` are those with TLS, the
/// Sentinels' own connections too. Users and passwords are percent-decoded.
public struct RedisURL: Equatable, Sendable {
    public enum Location: Equatable, Sendable {
        case tcp(host: String, port: UInt16)
        case unix(path: String)
        case sentinel(SentinelService)
        /// Nodes to ask first: at least one.
        case cluster(nodes: [NodeAddress])
    }

    public var location: Location
    /// Whether keys are on several nodes, so that one command takes only keys of one slot.
    public var isCluster: Bool { if case .cluster = location { true } else { false } }
    /// Whether Sentinels are asked for the primary.
    public var isSentinel: Bool { if case .sentinel = location { true } else { false } }
    /// Whether connections are by TLS.
    public var isEncrypted = false
    public var user: String?
    public var password: String?
    public var database: Int

    /// What is wrong with a URL, as the end of a sentence. Never holds any part of the URL, which may have a password.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// - Throws: `Invalid` with what is allowed.
    public init(_ url: String) throws(Invalid) {
        let text: String
        (text, isEncrypted) = Self.plainScheme(url)
        let tcpScheme = "redis://"
        let unixScheme = "redis+unix://"
        let sentinelScheme = "redis+sentinel://"
        let clusterScheme = "redis+cluster://"
        if text.hasPrefix(tcpScheme) {
            let (credentials, rest) = Self.split(text.dropFirst(tcpScheme.count), atLast: "@")
            let (authority, path) = Self.split(rest, at: "/")
            let address = try Self.address(authority)
            location = .tcp(host: address.host, port: address.port)
            database = try Self.database(path.map { $0.isEmpty ? "0" : $0 } ?? "0")
            (user, password) = try Self.decode(credentials)
        } else if text.hasPrefix(unixScheme) {
            let (credentials, rest) = Self.splitUnixCredentials(text.dropFirst(unixScheme.count))
            let (path, query) = Self.split(rest, at: "?")
            guard path.hasPrefix("/"), path.count > 1, !path.utf8.contains(0) else {
                throw Invalid(description: "needs an absolute path after redis+unix://")
            }
            // The size of sockaddr_un.sun_path, less its final NUL.
            guard path.utf8.count <= 107 else { throw Invalid(description: "has a socket path of over 107 bytes") }
            location = .unix(path: String(path))
            database = 0
            if let query {
                guard query.hasPrefix("db=") else { throw Invalid(description: "may have ?db=N and nothing else") }
                database = try Self.database(query.dropFirst(3))
            }
            (user, password) = try Self.decode(credentials)
        } else if text.hasPrefix(sentinelScheme) {
            let (address, query) = Self.split(text.dropFirst(sentinelScheme.count), at: "?")
            let (credentials, rest) = Self.split(address, atLast: "@")
            let (list, path) = Self.split(rest, at: "/")
            let (name, databaseText) = Self.split(path ?? "", at: "/")
            var service = SentinelService(sentinels: try Self.nodes(list, defaultPort: 26379), name: String(name))
            guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy({ Self.isNameByte($0) }) else {
                throw Invalid(
                    description:
                        "needs the service's name after the Sentinels, of letters, digits, \".\", \"-\" and \"_\"")
            }
            database = try Self.database(databaseText ?? "0")
            (user, password) = try Self.decode(credentials)
            if let query { (service.user, service.password) = try Self.sentinelCredentials(query) }
            location = .sentinel(service)
        } else if text.hasPrefix(clusterScheme) {
            let (credentials, rest) = Self.split(text.dropFirst(clusterScheme.count), atLast: "@")
            guard !rest.contains("/") else {
                throw Invalid(description: "names nodes and nothing else: a cluster has no database but 0")
            }
            location = .cluster(nodes: try Self.nodes(rest, defaultPort: 6379))
            database = 0
            (user, password) = try Self.decode(credentials)
        } else {
            throw Invalid(
                description:
                    "must start with redis://, rediss://, redis+unix://, or redis or rediss with +sentinel:// or "
                    + "+cluster://")
        }
    }

    /// The text with the scheme of the same place without TLS, and whether it asks for TLS.
    private static func plainScheme(_ text: String) -> (String, isEncrypted: Bool) {
        for kind in ["://", "+sentinel://", "+cluster://"] where text.hasPrefix("rediss" + kind) {
            return ("redis" + text.dropFirst("rediss".count), true)
        }
        return (text, false)
    }

    /// Without user and password.
    init(_ address: NodeAddress) {
        location = .tcp(host: address.host, port: address.port)
        database = 0
    }

    /// The address for logs: without user and password.
    public var redacted: String {
        switch location {
        case .tcp(let host, let port):
            return "\(scheme)://\(NodeAddress(host: host, port: port))/\(database)"
        case .cluster(let nodes):
            return "\(scheme)+cluster://" + nodes.map(\.description).joined(separator: ",")
        case .sentinel(let service):
            return "\(scheme)+sentinel://" + service.sentinels.map(\.description).joined(separator: ",")
                + "/\(service.name)/\(database)"
        case .unix(let path):
            return "redis+unix://\(path)" + (database == 0 ? "" : "?db=\(database)")
        }
    }

    private var scheme: String { isEncrypted ? "rediss" : "redis" }

    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    private static func split(_ text: Substring, atLast separator: Character) -> (Substring?, Substring) {
        guard let index = text.lastIndex(of: separator) else { return (nil, text) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// A path may hold any character, so the credentials end at the first `@` that a `/` follows.
    private static func splitUnixCredentials(_ text: Substring) -> (Substring?, Substring) {
        if text.hasPrefix("/") { return (nil, text) }
        for index in text.indices where text[index] == "@" && text[text.index(after: index)...].hasPrefix("/") {
            return (text[..<index], text[text.index(after: index)...])
        }
        return (nil, text)
    }

    private static func nodes(_ list: Substring, defaultPort: UInt16) throws(Invalid) -> [NodeAddress] {
        let maximum = 64
        let parts = list.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= maximum else { throw Invalid(description: "names over \(maximum) nodes") }
        var nodes: [NodeAddress] = []
        for part in parts { nodes.append(try address(part, defaultPort: defaultPort)) }
        return nodes
    }

    private static func sentinelCredentials(_ query: Substring) throws(Invalid) -> (String?, String?) {
        var user: String?
        var password: String?
        for part in query.split(separator: "&", omittingEmptySubsequences: false) {
            let (name, value) = split(part, at: "=")
            switch (name, value) {
            case ("sentinel_user", let value?) where user == nil && !value.isEmpty: user = try percentDecoded(value)
            case ("sentinel_password", let value?) where password == nil: password = try percentDecoded(value)
            default:
                throw Invalid(description: "may have ?sentinel_user=...&sentinel_password=... and nothing else")
            }
        }
        guard password != nil else { throw Invalid(description: "has a sentinel_user without a sentinel_password") }
        return (user, password)
    }

    private static func address(_ authority: Substring, defaultPort: UInt16 = 6379) throws(Invalid) -> NodeAddress {
        var host = authority
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw Invalid(description: "has an unclosed [") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw Invalid(description: "has text after ]") }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        guard isHost(host, inBrackets: authority.hasPrefix("[")) else {
            throw Invalid(description: "needs a host: a name, an IPv4 address, or an IPv6 address in brackets")
        }
        guard let portText else { return NodeAddress(host: String(host), port: defaultPort) }
        guard isNumber(portText), let port = UInt16(portText), port > 0 else {
            throw Invalid(description: "needs a port between 1 and 65535")
        }
        return NodeAddress(host: String(host), port: port)
    }

    /// Only what can be an address or a name: what C takes must not end early, and logs must stay readable.
    private static func isHost(_ text: Substring, inBrackets: Bool) -> Bool {
        if inBrackets { return text.contains(":") && Resolver.isNumeric(String(text)) }
        return (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || ".-_".utf8.contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    /// `Int` would take a sign too.
    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isDigit)
    }

    private static func database(_ text: Substring) throws(Invalid) -> Int {
        guard isNumber(text), let number = Int(text), number <= 1_000_000 else {
            throw Invalid(description: "needs a database number between 0 and 1000000")
        }
        return number
    }

    private static func decode(_ credentials: Substring?) throws(Invalid) -> (String?, String?) {
        guard let credentials else { return (nil, nil) }
        let (user, password) = split(credentials, at: ":")
        guard let password else { throw Invalid(description: "needs user:password (or :password) before @") }
        return (user.isEmpty ? nil : try percentDecoded(user), try percentDecoded(password))
    }

    private static func percentDecoded(_ text: Substring) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(Substring(rest.prefix(2)))
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16) else {
                throw Invalid(description: "has a % that two hexadecimal digits don't follow")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Invalid(description: "has a user or password that is not UTF-8")
        }
        return decoded
    }
}

/// Printed in any way, a URL shows no user and no password.
extension RedisURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { redacted }
    public var debugDescription: String { redacted }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
