import EventLoop
import Glibc

/// A file that holds one secret and nothing else, such as one that an orchestrator puts into a container.
enum SecretFile {
    private static let maximumBytes = 65_536

    /// What is in it, without the line's end.
    /// - Parameter source: the flag or variable that names it, for messages. Nothing of its content is shown there.
    static func text(_ path: String, namedBy source: String) throws(UsageError) -> String {
        func unreadable(_ reason: String) -> UsageError {
            UsageError("\(source) \(quoted(path)) cannot be read: \(reason).")
        }
        // Not to wait for whoever might write into a pipe.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw unreadable(SystemError("open").reason) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + length, $0.count - length) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(SystemError("read").reason) }
            if count == 0 { break }
            length += count
        }
        guard length <= maximumBytes else { throw unreadable("it has more than \(maximumBytes) bytes") }
        var text = Substring(String(decoding: bytes[..<length], as: UTF8.self))
        while let last = text.last, last.isNewline { text.removeLast() }
        return String(text)
    }
}
