import CLinux
import EventLoop
import Glibc

/// Asks a server on this machine whether it is there. Blocking, but for two seconds at most.
enum Probe {
    enum RedisState: Equatable {
        case ready, loading, absent
    }

    /// What Redis answers to PING. While it reads its append-only file it answers LOADING.
    /// - Parameter password: the default user's; nil for none.
    static func redis(socketPath: String, password: String? = nil) -> RedisState {
        guard let address = SocketAddress(unixPath: socketPath) else { return .absent }
        let answer = exchange(address, (password.map { "AUTH \($0)\r\n" } ?? "") + "PING\r\n")
        let last = answer.split(separator: "\r\n").last ?? ""
        if last == "+PONG" { return .ready }
        return last.hasPrefix("-LOADING") ? .loading : .absent
    }

    /// Whether the node at the address answers `GET /healthz` with 200.
    static func node(host: String, port: Int) -> Bool {
        isOK(get("/healthz", host: host, port: port))
    }

    /// The beginning of an HTTP server's answer; empty if there is none.
    static func get(_ path: String, host: String, port: Int) -> String {
        guard let address = SocketAddress(host: UpPorts.reachable(host), port: port) else { return "" }
        return exchange(address, "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    static func isOK(_ answer: String) -> Bool { answer.hasPrefix("HTTP/1.1 200 ") }

    /// Sends `text` and returns the first bytes of the answer: those of one read, at most 4096.
    private static func exchange(_ address: SocketAddress, _ text: String) -> String {
        let descriptor = address.makeSocket()
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var second = timeval(tv_sec: 1, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &second, socklen_t(MemoryLayout<timeval>.size))
        }
        guard address.connect(descriptor) == 0, write(descriptor, text, text.utf8.count) == text.utf8.count else {
            return ""
        }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &answer, answer.count)
        return String(decoding: answer.prefix(max(0, count)), as: UTF8.self)
    }
}
