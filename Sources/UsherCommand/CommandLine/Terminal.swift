import Glibc

/// Standard output and standard error, unbuffered: what was said is out before the process ends or starts another.
enum Terminal {
    static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A sentence about something that went wrong.
    static func complain(_ sentence: String) { write("usher: \(sentence)\n", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                // Whoever read it has gone; that must stop nothing.
                return
            }
        }
    }
}
