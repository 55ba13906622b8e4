import Archive
import Backup
import EventLoop
import Glibc
import Redis
import Usher

/// `usher export`: a workspace in one file.
enum ExportCommand {
    /// - Returns: 0, or 1 if it was not written: then there is no such file, or the one that there was.
    static func run(_ settings: Settings, workspace: String, file: String, skipsRunning: Bool) -> Int32 {
        do {
            let archive = try Archive(try settings.archiveConfiguration())
            try archive.start()
            defer { archive.stop() }
            let output = try OutputFile(file)
            defer { output.discard() }
            let disk = try EventLoop(name: "disk")
            try disk.start()
            defer {
                disk.stop()
                disk.join()
            }
            let writer = ExportWriter(of: workspace, to: output.descriptor, on: disk)
            let summary = try Records.use(settings, redis: RedisURL(settings.redisURL), archive: archive) { session in
                try await write(
                    WorkspaceExport(of: workspace, in: session.store, skipsRunning: skipsRunning), by: writer)
            }
            try output.keep()
            let sentence = "Exported the workspace \(workspace): \(summary.text)."
            // What goes to standard output is the export alone.
            if file == "-" { Terminal.complain(sentence) } else { Terminal.say(sentence) }
            return 0
        } catch let error as UsageError {
            Terminal.complain(error.description)
            return 2
        } catch ArchiveFault.redis(let error) {
            Terminal.complain("\(error)")
        } catch let fault as ArchiveFault {
            Terminal.complain("A transcript cannot be read from the archive: \(fault.reason).")
        } catch {
            Terminal.complain("\(error)")
        }
        return 1
    }

    private static func write(_ export: WorkspaceExport, by writer: ExportWriter) async throws -> Summary {
        var progress = Progress()
        try await export.records { record in
            if record.kind == .leftOut {
                Terminal.complain("left out: the meeting \(record.id) (\(record.with["why"] ?? "")).")
            }
            try await writer.add(record)
            progress.advance()
        }
        try await writer.end()
        return Summary(counts: await writer.counts)
    }
}

/// Where an export is written: a file that only its user can read, which has its name once it is whole.
private struct OutputFile: Sendable {
    let descriptor: Int32
    private let path: String
    private let part: String?
    private let isUnnamed: Bool

    struct Fault: Error, CustomStringConvertible {
        let description: String

        init(_ path: String, _ operation: String) {
            description = "The file \(quoted(path)) could not be written (\(SystemError(operation).reason))."
        }
    }

    /// - Parameter path: `-` is standard output; what is there and no file, such as a pipe, is written to as it is.
    init(_ path: String) throws(Fault) {
        self.path = path
        var status = stat()
        let isOther = stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
        if path == "-" || isOther {
            (part, isUnnamed) = (nil, false)
            descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CLOEXEC)
        } else {
            // Of this process: another one may write to the same file.
            let name = "\(path).\(getpid()).part"
            unlink(name)
            part = name
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
            let unnamed = open(folder, Self.unnamed | O_WRONLY | O_CLOEXEC, mode_t(0o600))
            isUnnamed = unnamed >= 0
            // Some file systems have none without a name.
            descriptor =
                isUnnamed
                ? unnamed : open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        }
        guard descriptor >= 0 else { throw Fault(path, "open") }
    }

    /// `O_TMPFILE`, which is no plain number in C: a file without a name, of which nothing is left where the process ends,
    /// however that happens.
    private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

    /// Removes what is no export; one that was kept stays.
    func discard() {
        if let part { unlink(part) }
    }

    func keep() throws(Fault) {
        guard let part else { return }
        guard fsync(descriptor) == 0 else { throw Fault(path, "fsync") }
        if isUnnamed {
            guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, part, AT_SYMLINK_FOLLOW) == 0 else {
                throw Fault(path, "link")
            }
        }
        guard rename(part, path) == 0 else { throw Fault(path, "rename") }
    }
}
