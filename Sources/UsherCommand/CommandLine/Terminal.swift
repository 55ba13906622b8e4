import Glibc
import Log

/// Standard output and standard error, unbuffered: what was said is out before the process ends or starts another.
enum Terminal {
    /// - Returns: false if nobody reads it any more.
    @discardableResult
    static func say(_ text: String) -> Bool { write(text + "\n", to: STDOUT_FILENO) }

    /// A sentence about something that went wrong.
    static func complain(_ sentence: String) { _ = write("usher: \(sentence)\n", to: STDERR_FILENO) }

    /// The same of a program that writes a log, which goes on to whoever reads that: as a line of it where lines are JSON.
    /// On a terminal a sentence is enough.
    static func complain(_ sentence: String, in logger: Logger) {
        switch logger.format {
        case .json: logger.error(sentence)
        case .people: complain(sentence)
        }
    }

    /// The same of what stops nothing.
    static func warn(_ sentence: String, in logger: Logger) {
        switch logger.format {
        case .json: logger.warning(sentence)
        case .people: complain(sentence)
        }
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                // Whoever read it has gone; that must stop nothing.
                return false
            }
        }
        return true
    }
}
