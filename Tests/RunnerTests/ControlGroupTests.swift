import CLinux
import EventLoop
import Foundation
import Processes
import RedisTestSupport
import TestTurns
import Testing

@testable import Runner

/// A group of the kernel's for each bot, which nothing leaves by losing its parent, its session or its environment.
@Suite(.takesTurns) struct ControlGroupTests {
    private static let own = ControlGroups.own(
        mounts: ControlGroup.text("/proc/self/mountinfo"), ControlGroup.text("/proc/self/cgroup"))
    /// In a container, or as a user whom nobody has given a group, none can be made.
    private static let canBeMade: Bool = {
        guard let groups = try? ControlGroups() else { return false }
        groups.remove()
        return true
    }()
    private static let reason: Comment = "no control group of version 2 can be made here"

    // MARK: Where they are

    private static func mount(_ root: String, _ path: String, type: String = "cgroup2") -> String {
        "36 35 0:30 \(root) \(path) rw,nosuid - \(type) cgroup2 rw\n"
    }

    @Test func theGroupsFolderIsFound() {
        let others = Self.mount("/", "/proc", type: "proc") + Self.mount("/", "/sys/fs/cgroup/cpu", type: "cgroup")
        let mounts = others + Self.mount("/", "/sys/fs/cgroup")
        let unit = "/system.slice/usher-runner.service"
        #expect(ControlGroups.own(mounts: mounts, "0::\(unit)\n")?.path == "/sys/fs/cgroup\(unit)")
        #expect(ControlGroups.own(mounts: mounts, "0::\(unit)\n")?.root == "/sys/fs/cgroup")
        #expect(ControlGroups.own(mounts: mounts, "4:cpu:/a\n0::/\n")?.path == "/sys/fs/cgroup")
        let part = Self.mount("/docker/1", "/sys/fs/cgroup")
        #expect(ControlGroups.own(mounts: part, "0::/docker/1/a\n")?.path == "/sys/fs/cgroup/a")
        #expect(ControlGroups.own(mounts: part, "0::/docker/1\n")?.path == "/sys/fs/cgroup")
        #expect(ControlGroups.own(mounts: part, "0::/docker/12\n") == nil, "it cannot be seen from here")
        #expect(ControlGroups.own(mounts: mounts, "0::/../a\n") == nil)
        #expect(ControlGroups.own(mounts: mounts, "4:cpu:/a\n") == nil)
        #expect(ControlGroups.own(mounts: others, "0::/a\n") == nil)
        for odd in ["", "x", "- cgroup2", "1 2 3 4 - cgroup2 x rw"] {
            #expect(ControlGroups.own(mounts: odd, "0::/a\n") == nil)
        }
    }

    @Test func whereNoneCanBeMadeItIsSaidWhy() throws {
        let folder = try TemporaryFolder.make().path
        let error = #expect(throws: ControlGroups.Unavailable.self) { try ControlGroups(below: folder) }
        #expect(error?.description.contains("No such file") == true)
    }

    // MARK: What they are for

    /// A program with a daemon that left its group, lost its parent and cleared its environment.
    private static func withDaemon(_ file: URL) -> SupervisedProgram {
        shell("(setsid env -i sh -c 'echo $$ >>\(file.path); exec sleep 600' &); sleep 600")
    }

    /// Runs `body` with a group for groups of runners, which nobody else looks into.
    private func withParent(_ body: (String) async throws -> Void) async throws {
        let parent = ControlGroup(path: try #require(Self.own).path + "/usher-test-\(UInt32.random(in: 0 ... .max))")
        try #require(mkdir(parent.path, 0o700) == 0)
        defer { #expect(parent.end(withinMilliseconds: 60_000)) }
        try await body(parent.path)
    }

    private func group(of process: Int32) -> String {
        ControlGroup.text("/proc/\(process)/cgroup").split(separator: "\n").first { $0.hasPrefix("0::") }.map(
            String.init)
            ?? ""
    }

    @Test(.enabled(if: canBeMade, reason)) func whatAnEndedBotLeavesIsGoneWithItsGroup() async throws {
        try await withParent { parent in
            let groups = try ControlGroups(below: parent)
            let group = try #require(groups.make("b1"))
            let file = try TemporaryFolder.make().appendingPathComponent("pids")
            let supervised = try await Supervised(Self.withDaemon(file), in: group)
            let process = try await supervised.started()
            try await waitFor("the daemon runs") { numbers(in: file).count == 1 }
            let daemon = numbers(in: file)[0]
            #expect(self.group(of: process).hasSuffix("/b1"))
            #expect(self.group(of: daemon) == self.group(of: process))
            #expect(self.group(of: await supervised.supervisor) != self.group(of: process))
            await supervised.send(.end(graceMilliseconds: 0))
            _ = try await supervised.last()
            #expect(!exists(daemon))
            #expect(access(group.path, F_OK) != 0, "the group is removed")
            groups.remove()
            #expect(access(groups.path, F_OK) != 0)
        }
    }

    /// As it is when a runner and its supervisors are killed at once.
    @Test(.enabled(if: canBeMade, reason)) func whatADeadRunnerLeftIsEndedByTheNextOneAndALivingOnesIsNot() async throws
    {
        try await withParent { parent in
            let living = try ControlGroups(below: parent)
            var dead: ControlGroups? = try ControlGroups(below: parent)
            var daemons: [Int32] = []
            var supervisors: [Supervised] = []
            for group in [living.make("b1"), dead?.make("b2")] {
                let file = try TemporaryFolder.make().appendingPathComponent("pids")
                let supervised = try await Supervised(Self.withDaemon(file), in: group)
                try await waitFor("the daemon runs") { numbers(in: file).count == 1 }
                daemons.append(numbers(in: file)[0])
                supervisors.append(supervised)
            }
            let (kept, left) = (daemons[0], daemons[1])
            for supervised in supervisors {
                kill(await supervised.supervisor, SIGKILL)
                _ = try await supervised.last()
            }
            #expect(ControlGroups.endLeftovers(below: parent) == (0, 0), "both runners live")
            let path = try #require(dead?.path)
            dead = nil
            // What other tests start at this moment holds the lock too, until it runs.
            try await waitFor("the dead runner's group is gone") {
                _ = ControlGroups.endLeftovers(below: parent)
                return access(path, F_OK) != 0
            }
            try await waitFor("the dead runner's daemon is gone") { !isRunning(left) }
            #expect(isRunning(kept))
            #expect(access(living.path, F_OK) == 0)
        }
    }

    @Test(.enabled(if: canBeMade, reason)) func aGroupWithGroupsInItIsRemovedWhole() async throws {
        try await withParent { parent in
            let group = ControlGroup(path: parent + "/b1")
            for path in ["", "/x", "/x/y"] { try #require(mkdir(group.path + path, 0o700) == 0) }
            #expect(group.isEmpty)
            #expect(group.remove())
            #expect(group.remove() && group.isEmpty, "again does no harm")
        }
    }

    /// Not so if it has ended and waits to be reaped by the system.
    @Sendable private func isRunning(_ process: Int32) -> Bool {
        let status = ControlGroup.text("/proc/\(process)/stat")
        return !status.isEmpty && !status.contains(") Z ")
    }
}
