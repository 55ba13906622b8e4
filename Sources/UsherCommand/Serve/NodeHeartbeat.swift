import EventLoop
import Glibc
import Usher

/// Tells Redis that a node is there, on the node's first loop. Nothing waits for it, and nothing fails by it.
///
/// `@unchecked Sendable`: `address` and `isStopping` are touched on the loop's thread alone, which `start` and `stop`
/// check.
final class NodeHeartbeat: @unchecked Sendable {
    private static let intervalMilliseconds = 2_000
    /// Three are missed before a node counts as gone, with some time for a slow Redis.
    private static let lifetimeMilliseconds = 10_000
    private static let farewellMilliseconds = 500

    private let id: String
    private let host = Machine.hostName
    private let store: Store
    private let started = MonotonicTime.now()
    private var address = ""
    private var isStopping = false
    private var beating: Task<Void, Never>?

    /// - Parameter store: of the node's first loop.
    init(store: Store) {
        id = "\(host)-\(Identifier.hex().prefix(16))"
        self.store = store
    }

    private var loop: EventLoop { store.client.loop }

    /// - Parameter address: where the node listens.
    func start(address: String) {
        loop.preconditionCurrent()
        self.address = address
        beating = Task(executorPreference: loop) { [self] in
            while !Task.isCancelled {
                await beat()
                await loop.wait(milliseconds: Self.intervalMilliseconds)
            }
        }
    }

    /// The node takes nothing new any more.
    func beginStop() {
        loop.preconditionCurrent()
        isStopping = true
        Task(executorPreference: loop) { [self] in await beat() }
    }

    /// Ends it, and says so if Redis can be reached soon.
    func stop() async {
        loop.preconditionCurrent()
        beating?.cancel()
        try? await store.session(milliseconds: Self.farewellMilliseconds).installation.endBeat(.nodes, id: id)
    }

    private func beat() async {
        try? await store.session(milliseconds: Self.intervalMilliseconds).installation.beat(
            .nodes, id: id, lifetime: Self.lifetimeMilliseconds,
            uptime: MonotonicTime.now().milliseconds(since: started),
            fields: [
                "host": host, "process": String(getpid()), "version": usherVersion,
                "state": isStopping ? "stopping" : "running", "address": address,
            ])
    }
}
