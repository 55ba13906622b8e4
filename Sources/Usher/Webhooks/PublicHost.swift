import EventLoop

/// Which hosts a webhook may name: those of the open internet. What lies behind a node must not be reached by way of
/// it: its own machine, its network, a cloud's metadata service.
///
/// A name tells nothing of the address that it will have: whoever connects asks `isPublic` of that again.
public enum PublicHost {
    /// Names that never leave a machine or a network (RFC 6761, RFC 6762, RFC 8375, and what clouds use).
    private static let privateDomains = [
        "localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa",
    ]

    /// IANA's registries of special-purpose addresses (RFC 6890), and multicast.
    private static let privateRanges = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    ].compactMap { AddressRange($0) }

    /// The only part of IPv6 that is given out (RFC 4291, section 2.4).
    private static let globalUnicast = AddressRange("2000::/3")

    public static func isPublic(_ address: IPAddress) -> Bool {
        guard !privateRanges.contains(where: { $0.contains(address) }) else { return false }
        return address.isIPv4 || globalUnicast?.contains(address) == true
    }

    /// - Parameter host: of a URL, an IPv6 address without its brackets.
    public static func mayBePublic(_ host: String) -> Bool {
        var name = host.lowercased()
        if name.contains(":") { return IPAddress(name).map(isPublic) ?? false }
        // A name with a dot at its end is the same name.
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ !$0.isEmpty }), let last = labels.last else { return false }
        if looksLikeNumber(last) { return ipv4(labels).map(isPublic) ?? false }
        guard labels.count > 1 else { return false }
        return !privateDomains.contains { name == $0 || name.hasSuffix(".\($0)") }
    }

    /// Whether clients take a host that ends so for an address (WHATWG URL, "ends in a number checker").
    private static func looksLikeNumber(_ label: Substring) -> Bool {
        label.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            || label.hasPrefix("0x") && label.dropFirst(2).allSatisfy(\.isHexDigit)
    }

    /// An IPv4 address of one to four numbers, the last of which fills what is left (`inet_aton`): `127.1`,
    /// `2130706433`, `0x7f.1`.
    private static func ipv4(_ parts: [Substring]) -> IPAddress? {
        guard parts.count <= 4 else { return nil }
        let numbers = parts.compactMap(number)
        guard numbers.count == parts.count, let last = numbers.last else { return nil }
        let leading = numbers.dropLast()
        guard leading.allSatisfy({ $0 < 256 }), last >> (8 * UInt64(5 - parts.count)) == 0 else { return nil }
        var value = last
        for (index, byte) in leading.enumerated() { value |= byte << (8 * UInt64(3 - index)) }
        return IPAddress(
            stride(from: 24, through: 0, by: -8).map { String(value >> UInt64($0) & 255) }.joined(separator: "."))
    }

    /// Decimal, hexadecimal behind `0x`, octal behind `0`.
    private static func number(_ text: Substring) -> UInt64? {
        if text.hasPrefix("0x") { return text.count == 2 ? 0 : UInt64(text.dropFirst(2), radix: 16) }
        guard let first = text.utf8.first, first != UInt8(ascii: "+") else { return nil }
        if text.count > 1, text.hasPrefix("0") { return UInt64(text.dropFirst(), radix: 8) }
        return UInt64(text)
    }
}

/// Where receivers of webhooks may be.
public struct ReceiverPolicy: Sendable {
    /// Blocks of addresses that are allowed though they are not of the internet.
    public let allowed: [AddressRange]

    public init(allowed: [AddressRange] = []) {
        self.allowed = allowed
    }

    /// Whether an address may be connected to.
    public func mayConnect(_ address: IPAddress) -> Bool {
        PublicHost.isPublic(address) || allowed.contains { $0.contains(address) }
    }

    /// Whether a URL may name a host. Where blocks are allowed, any name may lead into them; what it leads to is looked at
    /// when it is connected to.
    public func mayName(_ host: String) -> Bool {
        if let address = IPAddress(host) { return mayConnect(address) }
        return !allowed.isEmpty || PublicHost.mayBePublic(host)
    }
}
