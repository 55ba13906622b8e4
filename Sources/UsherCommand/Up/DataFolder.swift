import EventLoop
import Glibc
import Processes
import Redis

/// The folder of a private Redis, held by one `usher up` at a time. It is its owner's alone, and so is all in it: no link
/// that somebody put there is followed, and nothing is written that is another user's or has a name elsewhere.
final class DataFolder {
    /// Absolute.
    let path: String
    /// Whether others could look into it until now.
    let wasOpen: Bool
    /// The locked file. Redis inherits it, so the folder stays taken until that has ended too, whatever becomes of us.
    let lock: Int32
    private let folder: Int32

    var socketPath: String { path + "/redis.sock" }
    var logPath: String { path + "/" + Self.log }

    /// - Parameter password: the default user's; nil for none.
    func redisURL(password: String?) -> String {
        "redis+unix://" + (password.map { ":\($0)@" } ?? "") + socketPath
    }

    private static let log = "redis.log"
    /// What is opened there, by this program or by Redis, of which version 6 has its append-only file among them.
    private static let files = ["lock", log, "redis.sock", "appendonly.aof", "dump.rdb"]
    /// Where Redis keeps its append-only file from version 7 on (`appenddirname`).
    private static let appendOnly = "appendonlydir"

    /// Makes the folder if it is not there, and takes it.
    ///
    /// - Throws: `UpFailure` if it cannot be made or written, others may have put something there, or another process
    ///   holds it.
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
        let folder = try Self.openFolder(absolute, asked: path)
        var lock: Int32 = -1
        do throws(UpFailure) {
            wasOpen = try Self.makePrivate(folder, path)
            for name in Self.files { try Self.checkEntry(folder, name, path) }
            try Self.checkAppendOnly(folder, path)
            lock = try Self.openFile(folder, "lock", O_RDWR | O_CREAT, path)
            try Self.hold(lock, path)
        } catch {
            if lock >= 0 { close(lock) }
            close(folder)
            throw error
        }
        self.folder = folder
        self.lock = lock
    }

    deinit {
        close(lock)
        close(folder)
    }

    /// Redis' log, to be appended to; the caller closes it.
    func openLog() throws(UpFailure) -> Int32 {
        try Self.openFile(folder, Self.log, O_WRONLY | O_CREAT | O_APPEND, path)
    }

    /// The last line of Redis' log, to say why it ended.
    var lastLogLine: String? {
        guard let file = try? Self.openFile(folder, Self.log, O_RDONLY, path) else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let size = lseek(file, 0, SEEK_END)
        let count = pread(file, &bytes, bytes.count, max(0, size - bytes.count))
        guard count > 0 else { return nil }
        return bytes[..<count].split(separator: UInt8(ascii: "\n")).last.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Symbolic links and `..` on the way stay as they are; the kernel follows them.
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

    // MARK: Whose it is

    private static func openFolder(_ absolute: String, asked path: String) throws(UpFailure) -> Int32 {
        let folder = open(absolute, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if folder >= 0 { return folder }
        let failure = unusable(path)
        var entry = stat()
        guard lstat(absolute, &entry) == 0, entry.st_mode & S_IFMT == S_IFLNK else { throw failure }
        throw UpFailure(
            "The data folder \(quoted(path)) is a symbolic link, which others may turn elsewhere; name the folder that it "
                + "leads to with --data.")
    }

    /// Closes it to others' eyes. Where others could write, no one can tell any more what is theirs.
    /// - Returns: whether it was open to them.
    private static func makePrivate(_ folder: Int32, _ path: String) throws(UpFailure) -> Bool {
        var entry = stat()
        guard fstat(folder, &entry) == 0 else { throw unusable(path) }
        guard entry.st_uid == geteuid() else {
            throw UpFailure(
                "The data folder \(quoted(path)) belongs to another user (\(entry.st_uid)); choose another with --data."
            )
        }
        guard entry.st_mode & 0o022 == 0 else {
            throw UpFailure(
                "Other users can write to the data folder \(quoted(path)), and may have done so; see that nothing in it is "
                    + "theirs and `chmod 700` it, or choose another with --data.")
        }
        guard entry.st_mode & 0o077 != 0 else { return false }
        guard fchmod(folder, 0o700) == 0 else { throw unusable(path) }
        return true
    }

    /// Of the files that Redis opens by itself.
    private static func checkAppendOnly(_ folder: Int32, _ path: String) throws(UpFailure) {
        try checkEntry(folder, appendOnly, path, isFolder: true)
        let descriptor = openat(folder, appendOnly, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw unusable(path)
        }
        guard let entries = fdopendir(descriptor) else {
            let failure = unusable(path)
            close(descriptor)
            throw failure
        }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = entry.name
            if name != ".", name != ".." { try checkEntry(descriptor, name, path) }
        }
    }

    /// - Throws: `UpFailure` if the entry is there, and is a link, another user's or has another name elsewhere.
    private static func checkEntry(
        _ folder: Int32, _ name: String, _ path: String, isFolder: Bool = false
    ) throws(UpFailure) {
        var entry = stat()
        guard fstatat(folder, name, &entry, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return }
            throw unusable(path)
        }
        let kind = entry.st_mode & S_IFMT
        let kinds = isFolder ? [S_IFDIR] : [S_IFREG, S_IFSOCK]
        guard kinds.contains(kind), entry.st_uid == geteuid(), isFolder || entry.st_nlink == 1 else {
            throw foreign(name, path)
        }
    }

    /// Opens a file of the folder, without following a link or waiting for anybody.
    private static func openFile(
        _ folder: Int32, _ name: String, _ flags: Int32, _ path: String
    ) throws(UpFailure) -> Int32 {
        let file = openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw errno == ELOOP ? foreign(name, path) : unusable(path) }
        var entry = stat()
        guard fstat(file, &entry) == 0, entry.st_mode & S_IFMT == S_IFREG, entry.st_uid == geteuid(),
            entry.st_nlink == 1
        else {
            close(file)
            throw foreign(name, path)
        }
        return file
    }

    private static func hold(_ lock: Int32, _ path: String) throws(UpFailure) {
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw UpFailure(
                "The data folder \(quoted(path)) is in use by another usher up\(read(lock)); stop that one, or choose "
                    + "another folder with --data.")
        }
        let note = "\(getpid())\n"
        guard ftruncate(lock, 0) == 0, pwrite(lock, note, note.utf8.count, 0) == note.utf8.count else {
            throw unusable(path)
        }
    }

    private static func foreign(_ name: String, _ path: String) -> UpFailure {
        UpFailure(
            "In the data folder \(quoted(path)), \(quoted(name)) is no file of this user's alone (a link, perhaps), so it "
                + "is left as it is; remove it, or choose another folder with --data.")
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
