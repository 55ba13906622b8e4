import CLinux
import Glibc

/// The numeric address of a peer: IPv6, or IPv4 in its IPv6-mapped form (RFC 4291 section 2.5.5.2), so that a client
/// is the same one on a socket of either family.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// In network order: the first and the last 64 bits.
    private let high: UInt64
    private let low: UInt64

    private static let mappedPrefix: UInt64 = 0xffff_0000_0000

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// nil unless `text` is a numeric IPv4 or IPv6 address.
    public init?(_ text: some StringProtocol) {
        var v4 = in_addr()
        var v6 = in6_addr()
        let text = String(text)
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4)
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6)
        } else {
            return nil
        }
    }

    /// nil for the address of another family, as that of a Unix socket.
    public init?(_ storage: sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET: self.init(withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in.self).sin_addr })
        case AF_INET6: self.init(withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in6.self).sin6_addr })
        default: return nil
        }
    }

    private init(_ address: in_addr) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(UInt32(bigEndian: address.s_addr)))
    }

    private init(_ address: in6_addr) {
        let (high, low) = withUnsafeBytes(of: address) {
            ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }

    public var isIPv4: Bool { high == 0 && low >> 32 == Self.mappedPrefix >> 32 }

    /// The first bits of the address, the others zero.
    /// - Parameter bits: 0...128, counted as in IPv6.
    func prefix(_ bits: Int) -> IPAddress {
        func mask(_ count: Int) -> UInt64 { count <= 0 ? 0 : count >= 64 ? .max : ~(.max >> UInt64(count)) }
        return IPAddress(high: high & mask(bits), low: low & mask(bits - 64))
    }

    /// What one subscriber has: the address itself, or the 64 bits of an IPv6 network (RFC 6177 section 2).
    public var subscriber: IPAddress { isIPv4 ? self : prefix(64) }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv4 {
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var address = in6_addr()
            withUnsafeMutableBytes(of: &address) {
                $0.storeBytes(of: high.bigEndian, as: UInt64.self)
                $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A block of addresses in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3): `10.0.0.0/8`, or one address.
public struct AddressRange: Hashable, Sendable {
    private let base: IPAddress
    /// As in IPv6.
    private let bits: Int

    /// nil unless `text` is a numeric address, with a length that its family allows or none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(parts[0]) else { return nil }
        let offset = address.isIPv4 ? 96 : 0
        var length = 128 - offset
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let given = Int(parts[1]),
                (0...length).contains(given)
            else { return nil }
            length = given
        }
        bits = length + offset
        base = address.prefix(bits)
    }

    public func contains(_ address: IPAddress) -> Bool { address.prefix(bits) == base }
}
