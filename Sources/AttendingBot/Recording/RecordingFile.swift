import EventLoop
import Glibc

/// A WAV file that is whole at every moment: its header follows what has been written, so that it holds however the bot
/// ends. It is locked as long as the bot lives, which tells others that it still grows. Belongs to its bot's thread.
final class RecordingFile {
    private static let attempts = 3
    /// Of locking it, and the pause between two.
    private static let lockAttempts = 200
    private static let lockPauseMicroseconds: UInt32 = 10_000

    private let descriptor: Int32

    /// Makes the file, and the two folders that it lies in.
    /// - Parameter path: `<folder>/<workspace_id>/<meeting_id>/<bot_id>.wav`; the first of them must be there.
    /// - Throws: `SystemError`, also if there is such a file; then it has made none.
    init(_ path: String) throws(SystemError) {
        let folder = Self.folder(of: path)
        var descriptor: Int32 = -1
        for _ in 0..<Self.attempts where descriptor < 0 {
            // Whoever tidies up removes folders that are empty.
            for each in [Self.folder(of: folder), folder] where mkdir(each, 0o750) != 0 && errno != EEXIST {
                throw SystemError("make the folder \(each)")
            }
            descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
            guard descriptor >= 0 || errno == ENOENT else { break }
        }
        guard descriptor >= 0 else { throw SystemError("make \(path)") }
        self.descriptor = descriptor
        do throws(SystemError) {
            // Unlocked it would be taken for one that has ended, at its length of that moment.
            guard Self.lock(descriptor, pause: { usleep(Self.lockPauseMicroseconds) }) else {
                throw SystemError("lock \(path)")
            }
            try write(WAV.header(dataBytes: 0), at: 0)
        } catch {
            // Else it would be taken for a recording.
            unlink(path)
            throw error
        }
    }

    /// Others lock a file for a moment to see whether it grows, also one that has just been made.
    static func lock(_ descriptor: Int32, pause: () -> Void) -> Bool {
        for _ in 0..<lockAttempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK || errno == EINTR else { return false }
            pause()
        }
        return false
    }

    deinit {
        close(descriptor)
    }

    /// Writes samples at their place. What was left out before them is silence.
    /// - Parameter position: of the first one, in samples.
    func write(_ samples: [Int16], at position: Int) throws(SystemError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * samples.count)
        WAV.append(samples, to: &bytes)
        try write(bytes, at: WAV.headerBytes + 2 * position)
        // Afterwards, so that it never promises what is not there.
        try write(WAV.header(dataBytes: 2 * (position + samples.count)), at: 0)
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + written, bytes.count - written, off_t(offset + written))
            }
            guard count >= 0 || errno == EINTR else { throw SystemError("write the recording") }
            written += max(0, count)
        }
    }

    private static func folder(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
