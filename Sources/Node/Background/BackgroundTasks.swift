import Archive
import EventLoop
import Log
import Metrics
import Processes
import Redis
import Synchronization
import Usher

/// All that a node does beside answering requests.
final class BackgroundTasks: Sendable {
    /// The list of it. What is nil there is not to be done by the settings.
    private static func all(_ node: TaskSurroundings) throws -> [BackgroundTask?] {
        [
            .heartbeat(node), .sweep(node), .plannedBots(node), .removals(node), .segments(node), try .webhooks(node),
            try .calendars(node), .archive(node), .history(node), .examination(node), try .freedMemory(),
        ]
    }

    private let tasks: [BackgroundTask]
    private let running = Mutex<[Task<Void, Never>]>([])

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    init(_ node: TaskSurroundings) throws {
        tasks = try Self.all(node).compactMap(\.self)
    }

    /// Begins all of it, while the node's loops run.
    /// - Throws: `SystemError` if the kernel grants no thread.
    func start() throws {
        for task in tasks {
            for loop in task.ownLoops { try loop.start() }
            let run = Task(executorPreference: task.loop) { await task.run() }
            running.withLock { $0.append(run) }
        }
    }

    /// What is counted there.
    func samples() async -> Samples {
        var samples = Samples()
        for task in tasks {
            if let counted = await task.samples() { samples.add(counted) }
        }
        return samples
    }

    /// The node takes nothing new any more. Nothing is waited for.
    func beginDrain() {
        for task in tasks {
            guard let beginDrain = task.beginDrain else { continue }
            Task(executorPreference: task.loop) { await beginDrain() }
        }
    }

    /// Ends all of it, one after the other, while the node's loops run.
    func end() {
        for (task, run) in zip(tasks, running.withLock { $0 }) {
            try? MainThread.run(on: task.loop) {
                run.cancel()
                await task.end?()
                task.client?.shutDown()
            }
            for loop in task.ownLoops {
                loop.stop()
                loop.join()
            }
        }
    }
}

/// The node that a background task belongs to.
///
/// `@unchecked Sendable`: put together before the tasks start.
final class TaskSurroundings: @unchecked Sendable {
    let configuration: NodeConfiguration
    /// Of the node's first loop, by the connection of requests there.
    let store: Store
    let archive: Archive
    let history: HistoryKeeper
    let logger: Logger
    /// Where the node listens, once it does.
    var address = ""

    init(
        _ configuration: NodeConfiguration, store: Store, archive: Archive, history: HistoryKeeper,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.archive = archive
        self.history = history
        self.logger = logger
    }

    /// The node's first loop.
    var loop: EventLoop { store.client.loop }

    /// A connection for one task alone.
    /// - Parameter waits: whether its changes wait for replicas, as those of requests do.
    func client(_ name: String, on loop: EventLoop, waits: Bool = false) -> Client {
        var connection = configuration.connection(name)
        if waits { connection.replicaWait = configuration.replicaWait }
        return Client(loop: loop, configuration: connection, logger: logger)
    }

    /// What such a connection reaches.
    func store(_ client: Client) -> Store {
        Store(client: client, configuration: configuration.store, archive: archive, logger: logger)
    }
}
