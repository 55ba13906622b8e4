import CLinux
import Glibc

/// Writes one line an event to standard error: a JSON object, or a line for people when that is a terminal.
///
/// Nobody waits for a line to be written (`LineWriter`), and lines of several threads do not mix. Lines never carry keys,
/// tokens, passcodes or transcript text: whoever logs sees to that.
///
/// The fields `request_id`, `trace_id`, `bot_id` and `meeting_id` have the same meaning in every line.
public struct Logger: Sendable {
    public enum Level: String, CaseIterable, Comparable, Sendable {
        case debug, info, warning, error

        private var order: Int { Self.allCases.firstIndex(of: self)! }

        public static func < (left: Level, right: Level) -> Bool {
            left.order < right.order
        }
    }

    public enum Format: String, CaseIterable, Sendable {
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
        let line = Self.line(
            format, level: level, milliseconds: WallClock.milliseconds,
            message: prefix.isEmpty ? message : prefix + message,
            fields: fields)
        LineWriter.standardError.write(line, noticeFormat: format)
    }

    /// - Parameter milliseconds: the wall clock's time since 1970; RFC 3339 in UTC in the line.
    static func line(
        _ format: Format, level: Level, milliseconds: Int, message: String, fields: KeyValuePairs<String, String>
    ) -> [UInt8] {
        var line: [UInt8] = []
        // As bytes and at one go: a node writes a line for every dispatch.
        line.reserveCapacity(384)
        func append(_ text: StaticString) {
            line += UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        }
        switch format {
        case .json:
            append("{\"time\":\"")
            Timestamp.append(milliseconds, to: &line)
            append("Z\",\"level\":\"")
            line += level.rawValue.utf8
            append("\",\"message\":\"")
            message.appendJSONEscaped(to: &line)
            for (key, value) in fields {
                append("\",\"")
                key.appendJSONEscaped(to: &line)
                append("\":\"")
                value.appendJSONEscaped(to: &line)
            }
            append("\"}\n")
        case .people:
            Timestamp.append(milliseconds, to: &line)
            append("Z ")
            line += level.rawValue.utf8
            append(" ")
            message.appendJSONEscaped(to: &line)
            for (key, value) in fields where !value.isEmpty {
                append("  ")
                line += key.utf8
                append("=")
                value.appendJSONEscaped(to: &line)
            }
            append("\n")
        }
        return line
    }
}
