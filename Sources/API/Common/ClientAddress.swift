import EventLoop
import HTTP

/// Which client a request comes from, through whatever proxies the operator trusts.
struct ClientAddress: Sendable {
    /// A longer list is not looked at beyond: each hop that is trusted appends one entry.
    private static let maximumHops = 32

    /// Whose `X-Forwarded-For` is believed.
    let trustedProxies: [AddressRange]

    /// The peer's address; if that is a trusted proxy's, the last one of `X-Forwarded-For` that is not. What stands before
    /// it may have been written by anybody. nil if the connection has no address.
    func of(_ request: Request) -> IPAddress? {
        of(peer: request.peer, forwardedFor: request.header("X-Forwarded-For") ?? "")
    }

    func of(peer: IPAddress?, forwardedFor: @autoclosure () -> String) -> IPAddress? {
        guard var client = peer, !trustedProxies.isEmpty, isTrusted(client) else { return peer }
        let hops = forwardedFor().split(separator: ",")
        for hop in hops.reversed().prefix(Self.maximumHops) {
            guard let address = Self.address(hop) else { break }
            client = address
            guard isTrusted(address) else { break }
        }
        return client
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        trustedProxies.contains { $0.contains(address) }
    }

    /// An entry, which some proxies write with a port: `192.0.2.1:80`, `[2001:db8::1]:80`.
    private static func address(_ entry: Substring) -> IPAddress? {
        let text = entry.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
        if text.first == "[" { return IPAddress(text.dropFirst().prefix { $0 != "]" }) }
        return IPAddress(text) ?? IPAddress(text.prefix { $0 != ":" })
    }
}
