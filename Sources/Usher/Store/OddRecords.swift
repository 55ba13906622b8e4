import EventLoop
import Log
import Redis

/// Has records that cannot be read, since another hand wrote them, left out of what they are a part of: one of them is
/// not to spoil the list of all. The log tells which ones, a few a minute.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
final class OddRecords: @unchecked Sendable {
    static let linesPerMinute = 20

    private let loop: EventLoop
    private let logger: Logger?
    private var minuteEnd = MonotonicTime(nanoseconds: 0)
    private var linesLeft = 0
    private var untold = 0

    init(loop: EventLoop, logger: Logger?) {
        self.loop = loop
        self.logger = logger
    }

    /// Reads a record that is one of several.
    /// - Parameters:
    ///   - key: names it in the log; the hash of an API key is not for there.
    ///   - reply: an error as a value among others.
    /// - Returns: nil if it is odd, or if `read` finds none.
    /// - Throws: what Redis refused for another reason than the key's type.
    func leavingOut<Record>(
        _ key: @autoclosure () -> String, _ reply: Value, _ read: (Value) throws(RedisError) -> Record?
    ) throws(RedisError) -> Record? {
        do throws(RedisError) {
            if case .error(let text) = reply { throw .refused(text) }
            return try read(reply)
        } catch .unexpectedReply(let reason) {
            note("Left out a record that cannot be read", ["key": key(), "reason": reason])
        } catch .refused(let text) where text.hasPrefix("WRONGTYPE") {
            note("Left out a record that cannot be read", ["key": key(), "reason": text])
        }
        return nil
    }

    /// How much there is of something; of something else 0.
    func count(_ key: @autoclosure () -> String, _ reply: Value) throws(RedisError) -> Int {
        try leavingOut(key(), reply) { reply throws(RedisError) in try reply.integerOrThrow() } ?? 0
    }

    /// What there is of something; of something else nothing.
    func list(_ key: @autoclosure () -> String, _ reply: Value) throws(RedisError) -> [Value] {
        try leavingOut(key(), reply) { reply throws(RedisError) in try reply.arrayOrThrow() } ?? []
    }

    /// Writes a line of the level warning, if there have not been too many within a minute; how many were too many is told
    /// with the next one.
    func note(_ message: String, _ fields: KeyValuePairs<String, String>) {
        loop.preconditionCurrent()
        if minuteEnd <= loop.now {
            if untold > 0 {
                logger?.warning("More records than the log tells of cannot be read", ["count": String(untold)])
            }
            (linesLeft, untold) = (Self.linesPerMinute, 0)
            minuteEnd = loop.now.advanced(byMilliseconds: 60_000)
        }
        guard linesLeft > 0 else {
            untold += 1
            return
        }
        linesLeft -= 1
        logger?.warning(message, fields)
    }
}
