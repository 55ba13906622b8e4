import Foundation
import Synchronization

/// Folders that go when the process ends, unless it is killed.
public enum TemporaryFolder {
    private static let made = Mutex<[URL]>([])

    /// A new, empty folder. Its path is short, as a Unix socket's must be.
    public static func make() throws -> URL {
        let name = "usher-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let folder = URL(fileURLWithPath: "/tmp").appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        made.withLock { made in
            if made.isEmpty { atexit { TemporaryFolder.removeAll() } }
            made.append(folder)
        }
        return folder
    }

    private static func removeAll() {
        for folder in made.withLock({ $0 }) { try? FileManager.default.removeItem(at: folder) }
    }
}
