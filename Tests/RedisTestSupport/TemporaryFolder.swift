import Foundation
import Synchronization

/// Folders that go when the process ends, or, if it is killed, when the next one makes its first.
public enum TemporaryFolder {
    private static let parent = URL(fileURLWithPath: "/tmp")
    private static let prefix = "usher-redis-"
    private static let made = Mutex<[URL]>([])

    /// A new, empty folder. Its path is short, as a Unix socket's must be.
    public static func make() throws -> URL {
        let folder = parent.appendingPathComponent("\(prefix)\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let isFirst = made.withLock { made in
            made.append(folder)
            return made.count == 1
        }
        if isFirst {
            atexit { TemporaryFolder.removeAll() }
            removeThoseOfTheDead()
        }
        return folder
    }

    private static func removeAll() {
        for folder in made.withLock({ $0 }) { try? FileManager.default.removeItem(at: folder) }
    }

    private static func removeThoseOfTheDead() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? [] {
            let parts = name.dropFirst(prefix.count).split(separator: "-")
            guard name.hasPrefix(prefix), parts.count == 2, let owner = pid_t(parts[0]), owner > 0 else { continue }
            guard kill(owner, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(at: parent.appendingPathComponent(name))
        }
    }
}
