import EventLoop
import Redis
import Synchronization
import Usher

/// Whether a node wants requests: one for all of its loops and ports, since who asks for it cannot choose the loop that
/// the next connection comes to.
public final class NodeReadiness: Sendable {
    private let stores = Mutex<[Store]>([])
    private let draining = Atomic<Bool>(false)

    public init() {}

    /// Gives notice that the node is about to stop, so that balancers look elsewhere while everything is still served.
    /// From any thread.
    public func giveNotice() {
        draining.store(true, ordering: .relaxed)
    }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Has the store's connections count, once however often it is added.
    func add(_ store: Store) {
        stores.withLock { stores in
            if !stores.contains(where: { $0.client === store.client }) { stores.append(store) }
        }
    }

    /// Whether Redis takes nothing new. The node is ready all the same: stops and reports must come through.
    var isRedisFull: Bool { stores.withLock { $0 }.contains { $0.memory.isFull } }

    /// How full the fullest of Redis' servers is; nil until the node has looked.
    var memory: RedisMemory.Reading? { stores.withLock { $0 }.lazy.compactMap { $0.memory.fullest }.first }

    /// Asks Redis for a sign of life on the connections of every loop at once.
    /// - Returns: why one of them cannot be used; nil if all can.
    func failure(by deadline: MonotonicTime) async -> RedisError? {
        let questions = stores.withLock { $0 }.map { store in
            Task(executorPreference: store.client.loop) { () -> RedisError? in
                do throws(RedisError) {
                    try await store.session(until: deadline).ping()
                    return nil
                } catch {
                    return error
                }
            }
        }
        var failure: RedisError?
        for question in questions {
            if let found = await question.value { failure = failure ?? found }
        }
        return failure
    }
}
