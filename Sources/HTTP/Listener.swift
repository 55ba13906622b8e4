import CLinux
import EventLoop
import Glibc

/// Why a server could not listen.
public enum ListenError: Error, Equatable, CustomStringConvertible {
    case addressInUse(host: String, port: Int)
    /// The host is no address of this machine.
    case addressNotAvailable(host: String)
    case permissionDenied(port: Int)
    /// The host is no numeric IPv4 or IPv6 address, or the port is not in 0...65535.
    case invalidAddress(host: String, port: Int)
    case other(operation: String, code: Int32)

    public var description: String {
        switch self {
        case .addressInUse(let host, let port):
            "\(host):\(port) is in use: stop the other program, or choose another port."
        case .addressNotAvailable(let host):
            "\(host) is no address of this machine: use one of its own, or 0.0.0.0 for all."
        case .permissionDenied(let port):
            "Port \(port) needs more rights than this program has: choose one above 1023."
        case .invalidAddress(let host, let port):
            "\(host):\(port) cannot be listened on: give a numeric IPv4 or IPv6 address, and a port in 0...65535."
        case .other(let operation, let code):
            "Listening failed: \(SystemError(operation, code: code))."
        }
    }

    init(_ error: SystemError, host: String, port: Int) {
        switch error.code {
        case EADDRINUSE: self = .addressInUse(host: host, port: port)
        case EADDRNOTAVAIL: self = .addressNotAvailable(host: host)
        case EACCES, EPERM: self = .permissionDenied(port: port)
        default: self = .other(operation: error.operation, code: error.code)
        }
    }
}

/// A listening TCP socket. It closes when nobody holds it any more; a server holds it from `start` to `drain`.
public final class Listener: Sendable {
    let descriptor: Int32
    /// The port that it is bound to, also when port 0 was asked for.
    public let port: Int

    /// Listens on a numeric address.
    /// - Parameters:
    ///   - host: IPv4 or IPv6; `::` serves IPv4 too.
    ///   - port: 0 lets the kernel choose.
    ///   - backlog: connections that the kernel keeps waiting.
    ///   - reusesPort: whether others of the same user may listen there too and share the connections
    ///     (`SO_REUSEPORT`). Without it, a port in use is told even if the other program would share it.
    public static func bind(
        host: String, port: Int, backlog: Int = HTTPConfiguration().backlog, reusesPort: Bool = true
    ) throws(ListenError) -> Listener {
        guard let address = SocketAddress(host: host, port: port) else {
            throw .invalidAddress(host: host, port: port)
        }
        do throws(SystemError) {
            return try open(address, backlog: backlog, reusesPort: reusesPort)
        } catch {
            throw ListenError(error, host: host, port: port)
        }
    }

    private static func open(
        _ address: SocketAddress, backlog: Int, reusesPort: Bool
    ) throws(SystemError) -> Listener {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        do throws(SystemError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if reusesPort { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
            if address.family == AF_INET6 { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
            guard address.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0 else { throw SystemError("bind") }
            guard listen(descriptor, Int32(clamping: backlog)) == 0 else { throw SystemError("listen") }
            return try Listener(descriptor)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Takes over a socket that is bound and listening already.
    /// - Throws: `SystemError` if it is none; it then stays the caller's.
    public convenience init(adopting descriptor: Int32) throws(SystemError) {
        var isListening: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening == 1 else {
            throw SystemError("getsockopt", code: EINVAL)
        }
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { throw SystemError("fcntl") }
        try self.init(descriptor)
    }

    private init(_ descriptor: Int32) throws(SystemError) {
        // Accepted sockets inherit it, which saves a system call for each of them. An answer leaves in one write, so
        // waiting for more (Nagle's algorithm) could only delay it.
        try Self.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        guard let port = SocketAddress.port(of: descriptor) else { throw SystemError("getsockname", code: EINVAL) }
        self.port = port
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    private static func set(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32
    ) throws(SystemError) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw SystemError("setsockopt")
        }
    }
}
