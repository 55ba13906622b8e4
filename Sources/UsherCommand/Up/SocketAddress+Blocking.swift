import CLinux
import EventLoop
import Glibc

/// For the few blocking sockets of `usher up`, which has no event loop.
extension SocketAddress {
    /// A new blocking stream socket of the address' family, closed on exec; negative on failure.
    func makeSocket() -> Int32 {
        socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    func bind(_ descriptor: Int32) -> Int32 { withPointer { Glibc.bind(descriptor, $0, $1) } }

    func connect(_ descriptor: Int32) -> Int32 { withPointer { Glibc.connect(descriptor, $0, $1) } }
}
