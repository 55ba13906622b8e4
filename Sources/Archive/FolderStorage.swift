import EventLoop
import Glibc
import Usher

/// Where objects are kept. None is written twice under one name.
protocol ArchiveStorage: Sendable {
    /// - Returns: false if the meeting is not to be moved by this node any more, where that can be told.
    func write(_ bytes: [UInt8], to name: ArchiveName) async throws(ArchiveFault) -> Bool

    /// - Parameter count: how many bytes it should have; with more it is spoilt.
    func read(_ name: ArchiveName, count: Int, until: MonotonicTime) async throws(ArchiveFault) -> [UInt8]

    /// Safe to repeat: one that is gone is removed.
    func remove(_ name: ArchiveName) async throws(ArchiveFault)
}

/// Objects as files of a folder, of this machine or one that several share: `<workspace_id>/<meeting_id>-<object>.jsonl.gz`.
/// Only the user of the node can read them. No link of the folder's own folders is followed.
struct FolderStorage: ArchiveStorage {
    /// Who reads holds memory that others wait for.
    private static let readMilliseconds = 4_000

    private let path: String
    private let disk: DiskThread

    init(_ path: String, disk: DiskThread) {
        self.path = path
        self.disk = disk
    }

    func write(_ bytes: [UInt8], to name: ArchiveName) async throws(ArchiveFault) -> Bool {
        try await disk.run { () throws(ArchiveFault) in try save(bytes, name) }
        return true
    }

    func read(_ name: ArchiveName, count: Int, until: MonotonicTime) async throws(ArchiveFault) -> [UInt8] {
        try await disk.run(patience: Self.readMilliseconds, until: until) { () throws(ArchiveFault) in
            try load(name, count)
        }
    }

    func remove(_ name: ArchiveName) async throws(ArchiveFault) {
        try await disk.run { () throws(ArchiveFault) in try delete(name) }
    }

    // MARK: On the disk's thread

    private static func fault(_ operation: String) -> ArchiveFault { .away("cannot \(SystemError(operation))") }

    private static func fileName(_ name: ArchiveName) -> String {
        String(name.path.drop { $0 != "/" }.dropFirst())
    }

    /// What a file is called until all of it is there.
    private static func partName(_ name: ArchiveName) -> String { ".\(fileName(name)).part" }

    /// - Returns: nil if there is no such folder and none is made.
    private func openFolder(of name: ArchiveName, isMade: Bool = false) throws(ArchiveFault) -> Folder? {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.fault("open the archive's folder") }
        let archive = Folder(folder)
        if isMade {
            let isNew = mkdirat(archive.descriptor, name.workspaceID, 0o700) == 0
            guard isNew || errno == EEXIST else { throw Self.fault("make a folder of the archive") }
            if isNew { fsync(archive.descriptor) }
        }
        let inner = openat(
            archive.descriptor, name.workspaceID, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard inner >= 0 else {
            if errno == ENOENT, !isMade { return nil }
            throw Self.fault("open a folder of the archive")
        }
        return Folder(inner)
    }

    private final class Folder {
        let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    private func save(_ bytes: [UInt8], _ name: ArchiveName) throws(ArchiveFault) {
        guard let folder = try openFolder(of: name, isMade: true) else { return }
        let part = Self.partName(name)
        let file = openat(
            folder.descriptor, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        guard file >= 0 else { throw Self.fault("make an object") }
        defer { close(file) }
        if let problem = writeAll(bytes, to: file) { throw .away("cannot write an object: \(problem.reason)") }
        guard fsync(file) == 0 else { throw Self.fault("write an object") }
        guard renameat(folder.descriptor, part, folder.descriptor, Self.fileName(name)) == 0,
            fsync(folder.descriptor) == 0
        else { throw Self.fault("name an object") }
    }

    private func load(_ name: ArchiveName, _ count: Int) throws(ArchiveFault) -> [UInt8] {
        guard let folder = try openFolder(of: name) else { throw .gone }
        let file = openat(
            folder.descriptor, Self.fileName(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else { throw errno == ENOENT ? .gone : Self.fault("open an object") }
        defer { close(file) }
        // With room for one more, which must not come.
        var bytes = [UInt8](repeating: 0, count: count + 1)
        var filled = 0
        while filled < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + filled, $0.count - filled) }
            guard got >= 0 || errno == EINTR else { throw Self.fault("read an object") }
            if got == 0 { break }
            filled += max(0, got)
        }
        return Array(bytes[..<filled])
    }

    private func delete(_ name: ArchiveName) throws(ArchiveFault) {
        guard let folder = try openFolder(of: name) else { return }
        for file in [Self.fileName(name), Self.partName(name)] {
            guard unlinkat(folder.descriptor, file, 0) == 0 || errno == ENOENT else {
                throw Self.fault("remove an object")
            }
        }
        guard fsync(folder.descriptor) == 0 else { throw Self.fault("remove an object") }
        // Only if it is empty.
        rmdir("\(path)/\(name.workspaceID)")
    }
}
