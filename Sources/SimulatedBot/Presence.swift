import EventLoop
import Glibc
import Log

/// The presence file: what others in the room would see, told to a file of the bot's own and not to Redis, so that tests
/// can compare the two. While the bot is in the room it gets a line every 50 ms, `<CLOCK_BOOTTIME ns> <bot_id> <pid>`,
/// the first when it enters; the last, when it leaves, ends with `left`. Belongs to its loop's thread.
final class Presence {
    private static let intervalMilliseconds = 50
    private static let maximumNameBytes = 200

    private let loop: EventLoop
    private let logger: Logger
    private let words: String
    private let descriptor: Int32
    private var timer: ScheduledTimer?
    private var hasFailed = false

    /// Opens `<folder>/<platform>:<native_meeting_id>.log` to append to it.
    /// - Throws: `SystemError` if that cannot be done.
    init(loop: EventLoop, folder: String, room: String, botID: String, logger: Logger) throws(SystemError) {
        self.loop = loop
        self.logger = logger
        words = "\(botID) \(getpid())"
        let path = "\(folder)/\(Self.fileName(room: room))"
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
    }

    deinit {
        close(descriptor)
    }

    /// A room may hold any characters; a file name may not.
    static func fileName(room: String) -> String {
        var name = ""
        for byte in room.utf8.prefix(maximumNameBytes / 3) {
            let character = Character(Unicode.Scalar(byte))
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || "-_.:".contains(character))
            name += isPlain ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return name + ".log"
    }

    /// The bot is in the room from now on.
    func enter() {
        writeLine()
        timer = loop.schedule(afterMilliseconds: Self.intervalMilliseconds) { [weak self] in self?.enter() }
    }

    /// The bot has left the room. Does nothing if it was not in it.
    func leave() {
        guard timer != nil else { return }
        abandon()
        writeLine(" left")
    }

    /// The bot is gone without having left.
    func abandon() {
        timer?.cancel()
        timer = nil
    }

    /// One write a line, so that lines of several bots never mix.
    private func writeLine(_ ending: String = "") {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        let nanoseconds = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        var line = "\(nanoseconds) \(words)\(ending)\n"
        let count = line.withUTF8 { write(descriptor, $0.baseAddress, $0.count) }
        guard count != line.utf8.count, !hasFailed else { return }
        hasFailed = true
        logger.error("Cannot write its presence", ["reason": SystemError("write").reason])
    }
}
