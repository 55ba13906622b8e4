import EventLoop
import Glibc
import Log

/// The presence file: what others in the room would see, told to a file of the bot's own and not to Redis, so that tests
/// can compare the two. While the bot is in the room it gets a line every 50 ms, `<CLOCK_BOOTTIME ns> <bot_id> <pid>`,
/// the first when it enters; the last, when it leaves, ends with `left`. Belongs to its loop's thread.
final class Presence {
    private static let intervalMilliseconds = 50

    private let loop: EventLoop
    private let file: RoomFile
    private let words: String
    private var timer: ScheduledTimer?

    /// Opens `<folder>/<platform>:<native_meeting_id>.log` to append to it.
    /// - Throws: `SystemError` if that cannot be done.
    init(loop: EventLoop, folder: String, room: String, botID: String, logger: Logger) throws(SystemError) {
        self.loop = loop
        words = "\(botID) \(getpid())"
        file = try RoomFile(folder: folder, room: room, kind: "log", logger: logger)
    }

    /// The bot is in the room from now on.
    func enter() {
        file.writeLine(words)
        timer = loop.schedule(afterMilliseconds: Self.intervalMilliseconds) { [weak self] in self?.enter() }
    }

    /// The bot has left the room. Does nothing if it was not in it.
    func leave() {
        guard timer != nil else { return }
        abandon()
        file.writeLine("\(words) left")
    }

    /// The bot is gone without having left.
    func abandon() {
        timer?.cancel()
        timer = nil
    }
}
