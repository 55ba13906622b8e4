import EventLoop
import Glibc
import Redis

/// The folder of a private Redis, held by one `usher up` at a time.
final class DataFolder {
    /// Absolute.
    let path: String
    /// The locked file. Redis inherits it, so the folder stays taken until that has ended too, whatever becomes of us.
    let lock: Int32

    var socketPath: String { path + "/redis.sock" }
    var logPath: String { path + "/redis.log" }
    var redisURL: String { "redis+unix://" + socketPath }

    /// Makes the folder if it is not there, and takes it.
    ///
    /// - Throws: `UpFailure` if it cannot be made or written, or another process holds it.
    init(_ path: String) throws(UpFailure) {
        guard let absolute = Self.absolute(path) else { throw Self.unusable(path) }
        self.path = absolute
        // 107 bytes fit into a socket's address, and ? has a meaning of its own in a URL.
        let socketPath = absolute + "/redis.sock"
        guard (try? RedisURL("redis+unix://" + socketPath))?.location == .unix(path: socketPath) else {
            throw UpFailure(
                "The socket \(quoted(socketPath)) cannot be used: its path may have 107 bytes and no ?; choose "
                    + "another folder with --data.")
        }
        try Self.makeFolders(absolute, asked: path)
        let lock = open(absolute + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.unusable(path) }
        self.lock = lock
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.read(lock)
            close(lock)
            throw UpFailure(
                "The data folder \(quoted(path)) is in use by another usher up\(holder); stop that one, or choose "
                    + "another folder with --data.")
        }
        let note = "\(getpid())\n"
        guard ftruncate(lock, 0) == 0, pwrite(lock, note, note.utf8.count, 0) == note.utf8.count else {
            let failure = Self.unusable(path)
            close(lock)
            throw failure
        }
    }

    deinit {
        close(lock)
    }

    /// The last line of Redis' log, to say why it ended.
    var lastLogLine: String? {
        let file = open(logPath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let size = lseek(file, 0, SEEK_END)
        let count = pread(file, &bytes, bytes.count, max(0, size - bytes.count))
        guard count > 0 else { return nil }
        return bytes[..<count].split(separator: UInt8(ascii: "\n")).last.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Symbolic links and `..` stay as they are; the kernel follows them.
    private static func absolute(_ path: String) -> String? {
        var parts = path.split(separator: "/").filter { $0 != "." }
        if !path.hasPrefix("/") {
            guard let current = getcwd(nil, 0) else { return nil }
            defer { free(current) }
            parts = String(cString: current).split(separator: "/") + parts
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func makeFolders(_ absolute: String, asked path: String) throws(UpFailure) {
        var made = ""
        for part in absolute.split(separator: "/") {
            made += "/" + part
            // Records are for their owner's eyes alone.
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw unusable(path) }
        }
    }

    private static func unusable(_ path: String) -> UpFailure {
        let reason = SystemError("data folder").reason
        return UpFailure("The data folder \(quoted(path)) cannot be written: \(reason); choose another with --data.")
    }

    private static func read(_ lock: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(lock, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? "" : " (process \(String(decoding: digits, as: UTF8.self)))"
    }
}
