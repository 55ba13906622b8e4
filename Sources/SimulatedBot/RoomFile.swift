import EventLoop
import Glibc
import Log

/// A file that all bots of a room append their lines to, each of which begins with the time: `<CLOCK_BOOTTIME ns> ...`.
/// It is told to the file and not to Redis, so that tests can compare the two. Belongs to one thread.
final class RoomFile {
    private static let maximumNameBytes = 200

    private let logger: Logger
    private let descriptor: Int32
    private var hasFailed = false

    /// Opens `<folder>/<room>.<kind>` to append to it.
    /// - Throws: `SystemError` if that cannot be done.
    init(folder: String, room: String, kind: String, logger: Logger) throws(SystemError) {
        self.logger = logger
        let path = "\(folder)/\(Self.name(room: room, kind: kind))"
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
    }

    deinit {
        close(descriptor)
    }

    /// A room may hold any characters; a file name may not.
    static func name(room: String, kind: String) -> String {
        var name = ""
        for byte in room.utf8.prefix(maximumNameBytes / 3) {
            let character = Character(Unicode.Scalar(byte))
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || "-_.:".contains(character))
            name += isPlain ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "\(name).\(kind)"
    }

    /// One write a line, so that lines of several bots never mix.
    func writeLine(_ words: String) {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        let nanoseconds = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        var line = "\(nanoseconds) \(words)\n"
        let count = line.withUTF8 { write(descriptor, $0.baseAddress, $0.count) }
        guard count != line.utf8.count, !hasFailed else { return }
        hasFailed = true
        logger.error("Cannot write what is in the room", ["reason": SystemError("write").reason])
    }
}
