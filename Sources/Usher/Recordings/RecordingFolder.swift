import EventLoop
import FoundationEssentials
import Glibc

/// A folder of recordings: `<workspace_id>/<meeting_id>/<bot_id>.wav`, as bots write them. Whatever else is in it is left
/// alone, and no link of it is followed: bots are others' programs. Its calls wait for the disk, so no loop that others
/// need may make them.
public struct RecordingFolder: Sendable {
    /// An open recording.
    public final class File: Sendable {
        private let descriptor: Int32
        /// When it was opened.
        public let bytes: Int
        /// When it was changed last, in seconds since 1970. By the kernel's own note: the time of writing is whatever a bot,
        /// or what restores a backup, has set it to.
        let changedAt: Int

        fileprivate init(_ descriptor: Int32, _ entry: stat) {
            self.descriptor = descriptor
            bytes = Int(entry.st_size)
            changedAt = entry.st_ctim.tv_sec
        }

        deinit {
            close(descriptor)
        }

        /// For how long it has been as it is.
        /// - Parameter now: in seconds since 1970.
        func secondsOld(at now: Int) -> Int { max(0, now - max(0, changedAt)) }

        /// Has it be as old as from now on, where the clock was ahead as it was changed.
        func correct(at now: Int) { if changedAt > now { futimens(descriptor, nil) } }

        /// Whether the bot that writes it lives. Nothing stays locked: one that has just made it is about to lock it.
        var isGrowing: Bool {
            guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return true }
            flock(descriptor, LOCK_UN)
            return false
        }

        /// - Parameter count: how many bytes from `offset` on.
        /// - Returns: fewer where the file has become shorter.
        /// - Throws: `SystemError`.
        public func read(_ count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            var filled = 0
            while filled < count {
                let got = bytes.withUnsafeMutableBytes {
                    pread(descriptor, $0.baseAddress! + filled, count - filled, off_t(offset + filled))
                }
                guard got >= 0 || errno == EINTR else { throw SystemError("read a recording") }
                if got == 0 { return Array(bytes[..<filled]) }
                filled += max(0, got)
            }
            return bytes
        }
    }

    public let path: String

    public init(_ path: String) {
        self.path = path
    }

    /// Why it cannot be used, as the end of a sentence that begins with it; nil if it can.
    /// - Parameter access: `R_OK`, `W_OK`.
    public func obstacle(to access: Int32) -> String? {
        var entry = stat()
        guard stat(path, &entry) == 0 else { return "is not there: \(SystemError("look").reason)" }
        guard entry.st_mode & S_IFMT == S_IFDIR else { return "is no folder" }
        return Glibc.access(path, access | X_OK) == 0 ? nil : "cannot be used: \(SystemError("use").reason)"
    }

    /// - Returns: nil if there is none.
    public func open(_ place: RecordingPlace) -> File? {
        guard let folder = openFolder([place.workspaceID, place.meetingID]) else { return nil }
        defer { close(folder) }
        let file = openat(folder, place.fileName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        var entry = stat()
        guard fstat(file, &entry) == 0, entry.st_mode & S_IFMT == S_IFREG else {
            close(file)
            return nil
        }
        return File(file, entry)
    }

    // MARK: All of it

    /// What keeps others from looking after all of a folder, until it is let go.
    final class Keeping: Sendable {
        private let descriptor: Int32

        fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit {
            close(descriptor)
        }
    }

    /// - Returns: nil if another one looks after it, or the folder knows no locks.
    func keep() -> Keeping? {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let keeping = Keeping(descriptor)
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? keeping : nil
    }

    var workspaceIDs: [String] { names(in: "").filter(Identifier.isUUID) }

    func meetingIDs(ofWorkspace id: String) -> [String] { names(in: "/\(id)").filter(Identifier.isHex) }

    func places(ofMeeting id: String, inWorkspace workspace: String) -> [RecordingPlace] {
        names(in: "/\(workspace)/\(id)").compactMap {
            RecordingPlace(workspaceID: workspace, meetingID: id, fileName: $0)
        }
    }

    /// Removes a recording, and the folders that are empty without it.
    /// - Returns: whether it is gone.
    func remove(_ place: RecordingPlace) -> Bool {
        guard let folder = openFolder([place.workspaceID, place.meetingID]) else { return false }
        defer { close(folder) }
        let isGone = unlinkat(folder, place.fileName, 0) == 0 || errno == ENOENT
        rmdir("\(path)/\(place.workspaceID)/\(place.meetingID)")
        rmdir("\(path)/\(place.workspaceID)")
        return isGone
    }

    private func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path + folder)) ?? []
    }

    /// - Returns: a descriptor of the folder that the names lead to, without a link on the way.
    private func openFolder(_ names: [String]) -> Int32? {
        var folder = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for name in names where folder >= 0 {
            let next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            close(folder)
            folder = next
        }
        return folder >= 0 ? folder : nil
    }
}
