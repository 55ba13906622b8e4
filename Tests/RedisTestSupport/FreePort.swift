import CLinux
import Foundation
import Synchronization

/// Below those that the kernel gives to connections: one of those could take a port between the probe and its use.
private let ports: Range<UInt16> = 20_000..<32_000
private let given = Mutex<Set<UInt16>>([])

/// A port of 127.0.0.1 that nothing uses now, and that was not given to anyone before.
public func freePort() throws -> UInt16 {
    for _ in 0..<1_000 {
        let port = UInt16.random(in: ports)
        if given.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
    }
    throw TestServerError("no port of \(ports) is free")
}

private func isFree(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
