import CLinux
import Foundation

/// A plain socket with blocking calls: for tests, and for peers that they script.
public final class BlockingSocket: Sendable {
    private static let timeoutSeconds = 30

    let descriptor: Int32

    /// - Parameter givesUp: whether each call does after 30 s. Not for a peer that a test has at hand: to whom it talks,
    ///   that would look as if it had closed the connection, and the test would take it for what it waits for.
    init(owning descriptor: Int32, givesUp: Bool = true) {
        self.descriptor = descriptor
        guard givesUp else { return }
        var limit = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Connects to a Unix socket.
    public convenience init(path: String) throws {
        self.init(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        let result = withUnixAddress(path) { connect(descriptor, $0, $1) }
        guard result == 0 else {
            throw TestServerError("cannot connect to \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Whether all of it was taken.
    @discardableResult
    public func write(_ text: String) -> Bool { write(bytes: Array(text.utf8)) }

    /// Whether all of them were taken.
    func write(bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// The next byte, or nil once the peer has closed (or is silent for too long).
    public func readByte() -> UInt8? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
    }

    /// What has come, at least a byte; nil once the peer has closed (or is silent for too long).
    func readSome() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    /// A line without its CR LF, or nil once the peer has closed.
    public func readLine() -> String? {
        var bytes: [UInt8] = []
        while let byte = readByte() {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes.dropLast(), as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// A bulk string as Redis sends it, or nil for anything else.
    public func readBulk() -> String? {
        guard let head = readLine(), head.first == "$", let length = Int(head.dropFirst()) else { return nil }
        return readText(length)
    }

    /// `length` bytes and the CR LF after them.
    func readText(_ length: Int) -> String? {
        var bytes = [UInt8](repeating: 0, count: length + 2)
        guard recv(descriptor, &bytes, bytes.count, Int32(MSG_WAITALL)) == bytes.count else { return nil }
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    /// One command as a client sends it, as its words; nil once the peer has closed.
    public func readCommand() -> [String]? {
        guard let head = readLine(), head.first == "*", let count = Int(head.dropFirst()) else { return nil }
        var words: [String] = []
        for _ in 0..<count {
            guard let word = readBulk() else { return nil }
            words.append(word)
        }
        return words
    }

    /// Waits until the peer has closed.
    public func readToEnd() {
        while readByte() != nil {}
    }

    /// Whether the peer has not closed, without taking in what it sent.
    public func isOpen() -> Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&state, 1, 10) == 0
    }

    /// Ends the connection for both sides; calls that wait in another thread return.
    public func disconnect() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}

/// Calls `body` with `path` as an address of a Unix socket.
func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    precondition(path.utf8.count < MemoryLayout.size(ofValue: address.sun_path), "the path is too long for a socket")
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}
