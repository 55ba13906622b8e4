import CLinux
import Glibc

/// For the few blocking sockets of what has no event loop, or none yet.
extension SocketAddress {
    /// Takes a name in the abstract namespace, for as long as the socket stays open.
    /// - Returns: a socket bound to the name, or nil if another one is.
    public static func hold(abstractName: String) -> Int32? {
        guard let address = SocketAddress(abstractName: abstractName) else { return nil }
        let descriptor = address.makeSocket()
        guard descriptor >= 0 else { return nil }
        if address.bind(descriptor) == 0 { return descriptor }
        Glibc.close(descriptor)
        return nil
    }

    /// A new blocking stream socket of the address' family, closed on exec; negative on failure.
    public func makeSocket() -> Int32 {
        socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    public func bind(_ descriptor: Int32) -> Int32 { withPointer { Glibc.bind(descriptor, $0, $1) } }

    public func connect(_ descriptor: Int32) -> Int32 { withPointer { Glibc.connect(descriptor, $0, $1) } }
}
