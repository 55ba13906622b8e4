import CLinux
import Glibc

/// An address to bind or to connect to.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    /// - Parameter host: an IPv4 or IPv6 address; nil is returned for anything else.
    init?(host: String, port: Int) {
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = in_port_t(port).bigEndian
            length = Self.store(v4, in: &storage)
        } else if inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = in_port_t(port).bigEndian
            length = Self.store(v6, in: &storage)
        } else {
            return nil
        }
    }

    /// - Parameter socketPath: at most 107 bytes; nil is returned for a longer one.
    init?(socketPath: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // What follows stays zero, so the path ends there.
        guard socketPath.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        length = Self.store(address, in: &storage)
    }

    /// A name without a file, in Linux' abstract namespace (unix(7)): of one network namespace, as ports are, and free
    /// again when its socket is closed, however that came about.
    ///
    /// - Parameter abstractName: at most 107 bytes; nil is returned for a longer one.
    init?(abstractName: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard abstractName.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            UnsafeMutableRawBufferPointer(rebasing: path[1...]).copyBytes(from: abstractName.utf8)
        }
        _ = Self.store(address, in: &storage)
        length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + abstractName.utf8.count)
    }

    /// A new blocking stream socket of the address' family, closed on exec; negative on failure.
    func makeSocket() -> Int32 {
        socket(Int32(storage.ss_family), Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    func bind(_ descriptor: Int32) -> Int32 { withPointer { Glibc.bind(descriptor, $0, length) } }

    func connect(_ descriptor: Int32) -> Int32 { withPointer { Glibc.connect(descriptor, $0, length) } }

    /// The port that a socket is bound to.
    static func port(of descriptor: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        // Both families have the port at the same place.
        return withUnsafeBytes(of: &storage) {
            Int(UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    private static func store<Address>(_ address: Address, in storage: inout sockaddr_storage) -> socklen_t {
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: Address.self) }
        return socklen_t(MemoryLayout<Address>.size)
    }

    private func withPointer(_ body: (UnsafePointer<sockaddr>) -> Int32) -> Int32 {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }
}
