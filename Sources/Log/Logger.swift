import CLinux
import Glibc

/// Writes one line an event to standard error: a JSON object, or a line for people when that is a terminal.
///
/// A line leaves in one `write`, so lines of several threads do not mix. Lines never carry keys, tokens, passcodes or
/// transcript text: whoever logs sees to that.
public struct Logger: Sendable {
    public enum Level: String, CaseIterable, Comparable, Sendable {
        case debug, info, warning, error

        private var order: Int { Self.allCases.firstIndex(of: self)! }

        public static func < (left: Level, right: Level) -> Bool {
            left.order < right.order
        }
    }

    public enum Format: Sendable {
        case json, people
    }

    public var minimum: Level
    public var format: Format
    /// Stands before each message: for a program whose every line must say what it is.
    public var prefix = ""

    /// - Parameter format: nil chooses by whether standard error is a terminal.
    public init(minimum: Level = .info, format: Format? = nil) {
        self.minimum = minimum
        self.format = format ?? (isatty(STDERR_FILENO) == 1 ? .people : .json)
    }

    public func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, String>)
    {
        if minimum <= .debug { write(.debug, message(), fields()) }
    }

    public func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        if minimum <= .info { write(.info, message, fields) }
    }

    public func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        if minimum <= .warning { write(.warning, message, fields) }
    }

    public func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.error, message, fields)
    }

    private func write(_ level: Level, _ message: String, _ fields: KeyValuePairs<String, String>) {
        var line = Self.line(format, level: level, time: Self.timestamp(), message: prefix + message, fields: fields)
        // A log that cannot be written must not stop the service, and there is nowhere to say so.
        line.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    static func line(
        _ format: Format, level: Level, time: String, message: String, fields: KeyValuePairs<String, String>
    ) -> String {
        switch format {
        case .json:
            var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"message\":\"\(message.jsonEscaped)\""
            for (key, value) in fields { line += ",\"\(key.jsonEscaped)\":\"\(value.jsonEscaped)\"" }
            return line + "}\n"
        case .people:
            var line = "\(time) \(level.rawValue) \(message.jsonEscaped)"
            for (key, value) in fields { line += "  \(key)=\(value.jsonEscaped)" }
            return line + "\n"
        }
    }

    /// The wall clock's time in UTC, RFC 3339 with milliseconds.
    static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            strftime(text.baseAddress!, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
            let milliseconds = String(now.tv_nsec / 1_000_000)
            let padding = String(repeating: "0", count: 3 - milliseconds.count)
            return String(cString: text.baseAddress!) + ".\(padding)\(milliseconds)Z"
        }
    }
}
