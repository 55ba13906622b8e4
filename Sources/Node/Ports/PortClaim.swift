import CLinux
import EventLoop
import Glibc
import Redis
import Usher

/// Why a node does not listen on a port.
struct PortTaken: Error, Equatable, CustomStringConvertible {
    let description: String
}

/// A node's place on a port that its loops share (`SO_REUSEPORT`). The kernel would let any program of the same user
/// listen there too, and give it a part of the connections without a word: so a node looks first who is there.
///
/// Nodes know each other by names in Linux' abstract namespace (unix(7)), which need no file, are of one network namespace,
/// as ports are, and go with their process, however that ends. The name says which Redis its node uses, as a digest; who
/// may list names may list the connections to it anyway. A second name, held for a moment, lets nodes look and listen one
/// after the other.
final class PortClaim {
    private static let patienceMilliseconds = 5_000

    private let name: Int32?

    /// Listens, if nobody else does or if all of them are nodes that use the same Redis and this one may share.
    /// - Parameters:
    ///   - listen: begins to listen, and returns the port, which the system may have chosen.
    /// - Throws: `PortTaken`, or what `listen` throws; then nobody listens.
    init(_ port: ServedPort, redis: RedisURL, isShared: Bool, _ listen: () throws -> Int) throws {
        let digest = String(Digest.sha256(redis.redacted).prefix(16))
        // What the system chooses is nobody else's.
        let turn = port.port == 0 ? nil : try Self.takeTurn(port)
        defer { if let turn { close(turn) } }
        if port.port != 0, Self.isTaken(port) {
            try Self.check(Self.neighbours(of: port), port, digest: digest, isShared: isShared)
        }
        let number = try listen()
        name = SocketAddress.hold(
            abstractName: Neighbour(host: port.host, port: number, redis: digest, process: getpid()).name)
    }

    deinit {
        if let name { close(name) }
    }

    private static func check(
        _ others: [Neighbour], _ port: ServedPort, digest: String, isShared: Bool
    ) throws(PortTaken) {
        let place = "\(port.host):\(port.port) is"
        let advice = "choose another port with \(port.flag)"
        guard isShared else {
            guard let other = others.first else {
                throw PortTaken(
                    description: "\(place) in use by another program\(holder(of: port)): stop it, or \(advice).")
            }
            throw PortTaken(
                description:
                    "\(place) in use by another node (process \(other.process)): stop it, \(advice), or let both "
                    + "share it with --share-port, if they use the same Redis.")
        }
        guard !others.isEmpty else {
            throw PortTaken(
                description:
                    "\(place) in use by a program\(holder(of: port)) that does not say which Redis it uses, as a node of "
                    + "this version would, so it is not shared: stop it, or \(advice).")
        }
        if let other = others.first(where: { $0.redis != digest }) {
            throw PortTaken(
                description:
                    "\(place) in use by a node (process \(other.process)) with another Redis, or another address of "
                    + "the same, so it is not shared: stop it, or \(advice).")
        }
    }

    private static func holder(of port: ServedPort) -> String {
        KernelList.listener(on: port.port).map { " (process \($0))" } ?? ""
    }

    /// Whether anybody listens there, be it to share the port.
    private static func isTaken(_ port: ServedPort) -> Bool {
        guard let address = SocketAddress(host: port.host, port: port.port) else { return false }
        let probe = address.makeSocket()
        guard probe >= 0 else { return false }
        defer { close(probe) }
        var (yes, no): (Int32, Int32) = (1, 0)
        let size = socklen_t(MemoryLayout<Int32>.size)
        // With it only what listens is in the way, and not what winds down.
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        // As listeners have it: IPv4's ports are theirs too.
        if address.family == AF_INET6 { setsockopt(probe, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, size) }
        return address.bind(probe) != 0 && errno == EADDRINUSE
    }

    // MARK: Names

    /// Waits until no other node is between looking and listening.
    private static func takeTurn(_ port: ServedPort) throws(PortTaken) -> Int32 {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: patienceMilliseconds)
        while true {
            if let turn = SocketAddress.hold(abstractName: "usher node begins on port \(port.port)") { return turn }
            guard MonotonicTime.now() < deadline else {
                throw PortTaken(
                    description: "Another node has been about to listen on port \(port.port) for "
                        + "\(patienceMilliseconds) ms: stop it, or choose another port with \(port.flag)."
                )
            }
            usleep(10_000)
        }
    }

    /// The nodes that listen there, also if their address only overlaps with this one.
    private static func neighbours(of port: ServedPort) -> [Neighbour] {
        let all = ["0.0.0.0", "::"]
        return Neighbour.all().filter {
            $0.port == port.port && ($0.host == port.host || all.contains($0.host) || all.contains(port.host))
        }
    }
}
