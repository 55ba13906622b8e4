import EventLoop
import Glibc
import Processes

/// A control group (cgroups(7), version 2) with one bot and all that it starts. Processes stay in it whatever they do to
/// their parents, sessions and environments, unless they may write to the groups of others.
struct ControlGroup: Equatable, Sendable {
    /// Of its folder in the file system of control groups.
    let path: String
    /// Bots may make groups in theirs.
    private static let maximumDepth = 8

    /// What a process writes `0` to, to be in the group; the caller closes it. Negative if there is no such group.
    func openEntrance() -> Int32 { open(path + "/cgroup.procs", O_WRONLY | O_CLOEXEC) }

    /// Kills all that is in it.
    func kill() {
        if Self.write("1", to: path + "/cgroup.kill") { return }
        // Before Linux 5.14 one after the other; what is started meanwhile is for the next try.
        for group in Self.withSubgroups(path) {
            for process in Self.text(group + "/cgroup.procs").split(separator: "\n").compactMap({ Int32($0) })
            where process > 0 {
                Glibc.kill(process, SIGKILL)
            }
        }
    }

    /// Whether nothing runs in it, or it is gone.
    var isEmpty: Bool { Self.read(path + "/cgroup.events").map { !$0.contains("populated 1") } ?? (errno == ENOENT) }

    /// Removes it if it is empty.
    /// - Returns: whether it is gone.
    @discardableResult
    func remove() -> Bool {
        for group in Self.withSubgroups(path).reversed() { rmdir(group) }
        return access(path, F_OK) != 0
    }

    /// Kills all that is in it, and removes it.
    /// - Returns: whether it was gone in time.
    func end(withinMilliseconds milliseconds: Int) -> Bool {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: milliseconds)
        while true {
            kill()
            if isEmpty, remove() { return true }
            guard MonotonicTime.now() < deadline else { return false }
            usleep(10_000)
        }
    }

    /// The folder and those below it, each before its own.
    private static func withSubgroups(_ path: String, depth: Int = 0) -> [String] {
        guard depth < maximumDepth else { return [path] }
        return [path] + folders(in: path).flatMap { withSubgroups("\(path)/\($0)", depth: depth + 1) }
    }

    /// The names of the folders in a folder; links are none.
    static func folders(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = entry.name
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// At most 64 KiB of a file; empty if it cannot be read.
    static func text(_ path: String) -> String { read(path) ?? "" }

    /// - Returns: nil if it cannot be opened; `errno` says why.
    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while bytes.count < 65_536 {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func write(_ text: String, to path: String) -> Bool {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return Glibc.write(file, text, text.utf8.count) == text.utf8.count
    }
}
