import API
import EventLoop
import HTTP
import Log
import Processes
import Redis
import Usher

/// One node: event loops that share a port, each with its own Redis connection, store and server. Nothing is shared
/// between them but the count of connections.
struct Node {
    private struct Shard {
        let loop: EventLoop
        let client: Client
        /// For changes that wait for replicas, if they do.
        let changing: Client?
        let server: Server
    }

    private let settings: Settings
    private let shards: [Shard]
    private let housekeeping: Housekeeping
    private let examination: StartExamination

    /// - Parameter redis: the parsed form of the setting.
    /// - Throws: `SystemError` if the kernel grants no more descriptors or threads.
    init(_ settings: Settings, redis: RedisURL, logger: Logger) throws {
        self.settings = settings
        let configuration = settings.httpConfiguration
        let budget = ConnectionBudget(limit: settings.maxConnections)
        var shards: [Shard] = []
        var stores: [Store] = []
        for number in 0..<settings.loops {
            let loop = try EventLoop(name: "\(number)")
            let client = Client(
                loop: loop,
                configuration: settings.clientConfiguration(redis, name: "usher-serve-\(number)"), logger: logger)
            let changing = settings.replicaWait.map { wait in
                var configuration = settings.clientConfiguration(redis, name: "usher-serve-changes-\(number)")
                configuration.replicaWait = wait
                return Client(loop: loop, configuration: configuration, logger: logger)
            }
            let store = Store(client: client, changing: changing, configuration: settings.storeConfiguration)
            stores.append(store)
            let router = Routes.make(store: store, adminKey: settings.adminKey, logger: logger)
            let server = Server(
                loop: loop, configuration: configuration, router: router, logger: logger, budget: budget)
            shards.append(Shard(loop: loop, client: client, changing: changing, server: server))
        }
        self.shards = shards
        housekeeping = Housekeeping(settings, redis: redis, store: stores[0], loop: shards[0].loop, logger: logger)
        let client = shards[0].client
        examination = StartExamination(settings, redis, loop: shards[0].loop, logger: logger) {
            await client.firstLogin() == .ready
        }
    }

    /// Starts the loops, listens and begins to connect to Redis, without waiting for it.
    /// - Returns: the port.
    /// - Throws: `ListenError`, or `SystemError` if the kernel grants no thread.
    func start() throws -> Int {
        var port = settings.port
        for shard in shards {
            let listener = try Listener.bind(host: settings.host, port: port, backlog: settings.backlog)
            // The first one may have let the kernel choose.
            port = listener.port
            try shard.loop.start()
            let box = Box(listener)
            try MainThread.run(on: shard.loop) {
                shard.client.start()
                shard.changing?.start()
                try await shard.server.start(box.take())
            }
        }
        return port
    }

    /// Waits until Redis has answered the first login of every loop, for as long as it is away.
    /// - Returns: what Redis said if it refused one.
    func refusalOfLogin() async -> String? {
        for shard in shards {
            let outcome = await Task(executorPreference: shard.loop) { await shard.client.firstLogin() }.value
            if case .refused(let text) = outcome { return text }
        }
        return nil
    }

    /// Answers what is under way, and stops.
    /// - Returns: how many connections were cut, because they were not done within the drain timeout.
    func stop() -> Int {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: settings.drainTimeoutMilliseconds)
        let drains = shards.map { shard in
            Task(executorPreference: shard.loop) { await shard.server.drain(deadline: deadline) }
        }
        var cut = 0
        for (shard, drain) in zip(shards, drains) {
            cut += (try? MainThread.run(on: shard.loop) { await drain.value }) ?? 0
        }
        let (housekeeping, examination) = (self.housekeeping, self.examination)
        shards[0].loop.execute {
            housekeeping.stop()
            examination.stop()
        }
        for shard in shards {
            shard.loop.execute {
                shard.client.shutDown()
                shard.changing?.shutDown()
            }
            shard.loop.stop()
            shard.loop.join()
        }
        return cut
    }
}

/// Lets a listener move into a closure. `@unchecked Sendable`: it is put in and taken out once, in that order.
private final class Box: @unchecked Sendable {
    private var listener: Listener?

    init(_ listener: consuming Listener) {
        self.listener = consume listener
    }

    func take() -> Listener {
        listener.take()!
    }
}
