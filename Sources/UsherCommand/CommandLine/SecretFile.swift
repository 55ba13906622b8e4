import EventLoop
import Glibc
import Processes

/// A file that holds one secret and nothing else, such as one that an orchestrator puts into a container, or a pipe from a
/// program that tells one.
enum SecretFile {
    private static let maximumBytes = 65_536
    /// How long a program at the other end of a pipe may take, in all.
    private static let patienceMilliseconds = 30_000

    /// What is in it, without the line's end.
    /// - Parameters:
    ///   - path: `-` is standard input, if the source says so.
    ///   - source: the flag or variable that names it, for messages. Nothing of its content is shown there.
    static func text(
        _ path: String, namedBy source: String, orInput: Bool = false,
        patienceMilliseconds: Int = patienceMilliseconds
    ) throws(UsageError) -> String {
        func unreadable(_ reason: String) -> UsageError {
            UsageError("\(source) \(quoted(path)) cannot be read: \(reason).")
        }
        let isInput = orInput && path == "-"
        // Not to wait for whoever might open a pipe for writing.
        let file = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw unreadable(SystemError("open").reason) }
        defer { if !isInput { close(file) } }
        let deadline = MonotonicTime.now().advanced(byMilliseconds: patienceMilliseconds)
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        var length = 0
        var hasToWait = isInput
        while length < bytes.count {
            if hasToWait, waitUntilReadable([file], deadline: deadline).isEmpty {
                throw unreadable("it did not end within \(patienceMilliseconds / 1_000) s")
            }
            let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + length, $0.count - length) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                hasToWait = true
                continue
            }
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
