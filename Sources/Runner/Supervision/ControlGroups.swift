import EventLoop
import Glibc
import Usher

/// Where a runner makes a control group for each of its bots: a group of its own below the one that it runs in. That is
/// locked for as long as the runner lives, so whoever finds one that is not knows that its runner is dead, and that the
/// bots' supervisors had to be ended too, or what is left in it would be gone.
public final class ControlGroups: Sendable {
    /// Why there are none, as the end of a sentence.
    public struct Unavailable: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    private static let prefix = "usher-runner-"
    /// Of the search for what dead runners have left.
    private static let maximumDepth = 12
    private static let maximumFolders = 20_000
    private static let removalMilliseconds = 2_000

    let path: String
    private let lock: Int32

    /// Makes the runner's group.
    /// - Throws: `Unavailable` where the kernel has no version 2 mounted, or this user may not make groups.
    public convenience init() throws(Unavailable) {
        guard
            let own = Self.own(
                mounts: ControlGroup.text("/proc/self/mountinfo"), ControlGroup.text("/proc/self/cgroup"))
        else { throw Unavailable(description: "control groups of version 2 are not mounted here") }
        try self.init(below: own.path)
    }

    /// - Parameter parent: a group's folder.
    init(below parent: String) throws(Unavailable) {
        // Whoever moves a process out of a group needs to be allowed to write to the one that both are below.
        guard access(parent + "/cgroup.procs", W_OK) == 0 else {
            throw Unavailable(description: "processes of \(parent) cannot be moved: \(SystemError("write").reason)")
        }
        for _ in 0..<3 {
            if let made = try Self.make(below: parent) {
                (path, lock) = made
                return
            }
        }
        throw Unavailable(description: "none can be used in \(parent)")
    }

    /// - Returns: nil if another runner found it before it was locked, and removed it, or if it can hold no processes.
    private static func make(below parent: String) throws(Unavailable) -> (path: String, lock: Int32)? {
        let path = "\(parent)/\(prefix)\(Identifier.hex().prefix(16))"
        guard mkdir(path, 0o700) == 0 else {
            throw Unavailable(description: "none can be made in \(parent): \(SystemError("mkdir").reason)")
        }
        if let lock = lock(path) {
            if ControlGroup.text(path + "/cgroup.type") == "domain\n" { return (path, lock) }
            close(lock)
        }
        rmdir(path)
        return nil
    }

    deinit {
        close(lock)
    }

    /// A group for a bot; nil if it cannot be made, and the bot is to do without.
    func make(_ botID: String) -> ControlGroup? {
        let group = ControlGroup(path: "\(path)/\(botID)")
        return mkdir(group.path, 0o700) == 0 || errno == EEXIST ? group : nil
    }

    /// Removes the runner's group, once its bots have ended.
    public func remove() {
        ControlGroup(path: path).remove()
    }

    // MARK: What others have left

    /// Ends what dead runners of this machine have left in their groups, as far as this user may.
    /// - Returns: how many groups of runners and of bots they were, and how many of them are still there.
    public static func endLeftovers() -> (found: Int, remaining: Int) {
        guard let own = own(mounts: ControlGroup.text("/proc/self/mountinfo"), ControlGroup.text("/proc/self/cgroup"))
        else { return (0, 0) }
        return endLeftovers(below: own.root)
    }

    static func endLeftovers(below root: String) -> (found: Int, remaining: Int) {
        var (found, remaining, seen) = (0, 0, 0)
        var waiting = [(path: root, depth: 0)]
        while let next = waiting.popLast(), seen < maximumFolders {
            for name in ControlGroup.folders(in: next.path) {
                seen += 1
                let path = "\(next.path)/\(name)"
                guard name.hasPrefix(prefix) else {
                    if next.depth < maximumDepth { waiting.append((path, next.depth + 1)) }
                    continue
                }
                // Its runner lives, or it is another user's.
                guard let lock = lock(path) else { continue }
                defer { close(lock) }
                found += 1
                if !ControlGroup(path: path).end(withinMilliseconds: removalMilliseconds) { remaining += 1 }
            }
        }
        return (found, remaining)
    }

    /// The lock of a runner's group, held until it is closed or this process ends; nil if another one holds it.
    private static func lock(_ path: String) -> Int32? {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        guard flock(folder, LOCK_EX | LOCK_NB) == 0 else {
            close(folder)
            return nil
        }
        return folder
    }

    /// The folder of the group that this process is in, and that of the topmost group that can be seen.
    /// - Parameters:
    ///   - mounts: `/proc/self/mountinfo` (proc(5)).
    ///   - groups: `/proc/self/cgroup` (cgroups(7)).
    static func own(mounts: String, _ groups: String) -> (root: String, path: String)? {
        guard let group = groups.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })?.dropFirst(3),
            !group.hasPrefix("/..")
        else { return nil }
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, fields[dash + 1] == "cgroup2",
                dash >= 6, !fields[4].contains("\\")
            else { continue }
            let (mounted, root) = (fields[3], String(fields[4]))
            if mounted == "/" { return (root, group == "/" ? root : root + group) }
            if group == mounted { return (root, root) }
            if group.hasPrefix(mounted + "/") { return (root, root + group.dropFirst(mounted.count)) }
        }
        return nil
    }
}
