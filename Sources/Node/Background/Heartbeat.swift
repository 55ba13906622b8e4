import EventLoop
import Glibc
import Processes
import Usher

/// Tells Redis that a node is there. Nothing waits for it, and nothing fails by it.
///
/// `@unchecked Sendable`: `isStopping` is touched on the loop's thread alone, which every entry checks.
private final class Heartbeat: @unchecked Sendable {
    static let intervalMilliseconds = 2_000
    /// Three are missed before a node counts as gone, with some time for a slow Redis.
    private static let lifetimeMilliseconds = 10_000
    private static let farewellMilliseconds = 500

    private let id: String
    private let host = Machine.hostName
    private let node: TaskSurroundings
    private let started = MonotonicTime.now()
    private var isStopping = false

    init(_ node: TaskSurroundings) {
        id = "\(host)-\(Identifier.hex().prefix(16))"
        self.node = node
    }

    func beat() async {
        node.loop.preconditionCurrent()
        try? await node.store.session(milliseconds: Self.intervalMilliseconds).installation.beat(
            .nodes, id: id, lifetime: Self.lifetimeMilliseconds,
            uptime: MonotonicTime.now().milliseconds(since: started),
            fields: [
                "host": host, "process": String(getpid()), "version": usherVersion,
                "state": isStopping ? "stopping" : "running", "address": node.address,
            ])
    }

    func beginStop() async {
        node.loop.preconditionCurrent()
        isStopping = true
        await beat()
    }

    /// Says that the node ends, if Redis can be reached soon.
    func sayFarewell() async {
        try? await node.store.session(milliseconds: Self.farewellMilliseconds).installation.endBeat(.nodes, id: id)
    }
}

extension BackgroundTask {
    static func heartbeat(_ node: TaskSurroundings) -> BackgroundTask {
        let heart = Heartbeat(node)
        return BackgroundTask(
            name: "heartbeat", pace: .every(milliseconds: Heartbeat.intervalMilliseconds), loop: node.loop,
            work: { await heart.beat() },
            beginDrain: { await heart.beginStop() },
            end: { await heart.sayFarewell() })
    }
}
