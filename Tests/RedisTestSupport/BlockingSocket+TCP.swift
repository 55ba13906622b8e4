import CLinux
import Foundation

extension BlockingSocket {
    /// Connects to a port of 127.0.0.1.
    public convenience init(port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.init(owning: descriptor)
        guard withLoopbackAddress(UInt16(port), { connect(descriptor, $0, $1) }) == 0 else {
            throw TestServerError("cannot connect to port \(port): \(String(cString: strerror(errno)))")
        }
    }

    /// Listens on a port of 127.0.0.1.
    convenience init(listeningOn port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.init(owning: descriptor)
        guard withLoopbackAddress(port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 64) == 0 else {
            throw TestServerError("cannot listen on port \(port): \(String(cString: strerror(errno)))")
        }
    }
}

/// Calls `body` with a port of 127.0.0.1 as an address.
private func withLoopbackAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
