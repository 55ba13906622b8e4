import Backup
import EventLoop
import Glibc
import Redis
import Usher

/// `usher import`: the workspace of a file that `usher export` wrote.
enum ImportCommand {
    /// - Returns: 0, or 1 if it was refused or stopped; the sentence says which.
    static func run(_ settings: Settings, file: String) -> Int32 {
        do {
            let descriptor = try open(file)
            defer { close(descriptor) }
            let disk = try EventLoop(name: "disk")
            try disk.start()
            defer {
                disk.stop()
                disk.join()
            }
            let (workspace, summary) = try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                var progress = Progress()
                let (workspace, counts) = try await Importer.run(descriptor, on: disk, into: session.store) {
                    progress.advance()
                }
                return (workspace, Summary(counts: counts))
            }
            Terminal.say("Imported the workspace \(workspace): \(summary.text).")
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private struct Unreadable: Error, CustomStringConvertible {
        let description: String

        init(_ file: String, _ problem: SystemError) {
            description = "The file \(quoted(file)) could not be read (\(problem.reason))."
        }
    }

    /// - Returns: of a file, which can be read twice: what comes by a pipe is kept in one that has no name.
    private static func open(_ file: String) throws(Unreadable) -> Int32 {
        let source = file == "-" ? dup(STDIN_FILENO) : Glibc.open(file, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw Unreadable(file, SystemError("open")) }
        if lseek(source, 0, SEEK_SET) == 0 { return source }
        defer { close(source) }
        var name = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/usher-import-XXXXXX".utf8CString)
        let kept = mkstemp(&name)
        guard kept >= 0 else { throw Unreadable(file, SystemError("mkstemp")) }
        unlink(name)
        do throws(Unreadable) {
            try copy(from: source, to: kept, file)
            return kept
        } catch {
            close(kept)
            throw error
        }
    }

    private static func copy(from source: Int32, to kept: Int32, _ file: String) throws(Unreadable) {
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &piece, piece.count)
            if count == 0 { return }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Unreadable(file, SystemError("read")) }
            if let problem = writeAll(Array(piece[..<count]), to: kept) { throw Unreadable(file, problem) }
        }
    }
}

/// How far a long command is, for people: on a terminal alone.
struct Progress {
    private static let pauseMilliseconds = 2_000
    private var count = 0
    private var next = MonotonicTime.now().advanced(byMilliseconds: pauseMilliseconds)

    /// One more record is done.
    mutating func advance() {
        count += 1
        guard count % 100 == 0, isatty(STDERR_FILENO) == 1, MonotonicTime.now() >= next else { return }
        next = .now().advanced(byMilliseconds: Self.pauseMilliseconds)
        Terminal.complain("\(count) records so far.")
    }
}

/// How many records there were, as people read it.
struct Summary: Sendable {
    let counts: [ExportedRecord.Kind: Int]

    var text: String {
        let shown: [(ExportedRecord.Kind, String)] = [
            (.meeting, "meetings"), (.plan, "of them planned"), (.leftOut, "left out"), (.user, "users"),
            (.key, "API keys"), (.webhook, "webhooks"), (.calendar, "calendars"),
        ]
        return shown.compactMap { kind, words in
            let count = counts[kind] ?? 0
            return count == 0 && kind != .meeting ? nil : "\(count) \(words)"
        }.joined(separator: ", ")
    }
}
