import EventLoop
import FoundationEssentials
import Glibc

/// The folder of one browser, in which is all that it keeps: `usher-attend-<bot_id>`, beside a file of that name and
/// `.lock`, which is locked as long as the bot lives. A bot that is killed cannot remove its folder: the next one that
/// starts on the machine does, as it finds the lock free.
final class BrowserProfile {
    private static let prefix = "usher-attend-"
    private static let lockSuffix = ".lock"

    let path: String
    var silencePath: String { "\(path)/silence.wav" }
    /// What the browser writes to standard error.
    var logPath: String { "\(path)/browser.log" }
    private let lock: Int32
    private var isRemoved = false

    /// What says that a browser uses a profile, and what it makes anew: not copied.
    private static let uncopied: Set = [
        "SingletonLock", "SingletonSocket", "SingletonCookie", "Crashpad", "ShaderCache", "GrShaderCache",
    ]

    /// - Parameter source: of the profile that is copied into it; it stays as it is. nil: none.
    /// - Throws: `SystemError` if the folder cannot be made, or another bot of that id has it.
    init(folder: String, botID: String, copying source: String? = nil) throws(SystemError) {
        Self.removeLeftovers(in: folder)
        let name = botID.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }.prefix(100)
        path = "\(folder)/\(Self.prefix)\(String(name))"
        let descriptor = Self.takeLock(path + Self.lockSuffix, creating: true)
        guard descriptor >= 0 else { throw SystemError("lock \(path)\(Self.lockSuffix)") }
        lock = descriptor
        try? FileManager.default.removeItem(atPath: path)
        guard mkdir(path, 0o700) == 0 else {
            throw SystemError("make the folder \(path)")
        }
        if let source { try Self.copy(source, to: path) }
        let silence = WAV.file(of: [Int16](repeating: 0, count: 16_000))
        guard FileManager.default.createFile(atPath: silencePath, contents: Data(silence)) else {
            throw SystemError("write \(silencePath)")
        }
    }

    // Also if the initializer has thrown.
    deinit {
        if !isRemoved { _ = remove() }
        close(lock)
    }

    private static func copy(_ source: String, to path: String) throws(SystemError) {
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: source) where !uncopied.contains(name) {
                try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: "\(path)/\(name)")
            }
        } catch {
            throw SystemError("copy the profile \(source)")
        }
    }

    /// Removes the folder and its lock.
    /// - Returns: whether the folder is gone.
    func remove() -> Bool {
        try? FileManager.default.removeItem(atPath: path)
        guard access(path, F_OK) != 0 else { return false }
        unlink(path + Self.lockSuffix)
        isRemoved = true
        return true
    }

    /// Removes the folders of bots that have ended without doing so.
    private static func removeLeftovers(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(lockSuffix) {
            let lockPath = "\(folder)/\(name)"
            let descriptor = takeLock(lockPath, creating: false)
            guard descriptor >= 0 else { continue }
            try? FileManager.default.removeItem(atPath: String(lockPath.dropLast(lockSuffix.count)))
            unlink(lockPath)
            close(descriptor)
        }
    }

    /// - Returns: a descriptor that holds the lock; negative, with `errno` set, if another one has it or there is none.
    private static func takeLock(_ path: String, creating: Bool) -> Int32 {
        // Who removes a lock holds it, so a file that is no longer there once it is locked was another's: try again.
        for _ in 0..<10 {
            let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (creating ? O_CREAT : 0)
            let descriptor = open(path, flags, 0o600)
            guard descriptor >= 0 else { return -1 }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(descriptor)
                errno = code
                return -1
            }
            var status = stat()
            if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return descriptor }
            close(descriptor)
        }
        errno = EAGAIN
        return -1
    }
}
