import API
import EventLoop
import HTTP
import Log
import Processes
import Redis
import Usher

/// One node: event loops that share its ports, each with its own Redis connection, store and servers. Nothing is shared
/// between them but the count of each port's connections: a crowd on the public port keeps neither a bot's report nor a
/// scrape away from a port of its own.
struct Node {
    private struct Shard {
        let loop: EventLoop
        let client: Client
        /// For changes that wait for replicas, if they do.
        let changing: Client?
        let hub: FeedHub
        /// One for each of the node's ports; nil where another loop has the port alone.
        let servers: [Server?]
    }

    /// For how long connections wait in the kernel's queue for Redis, so that a node that was started in place of one
    /// that is gone, and that balancers have not missed, refuses nothing.
    private static let loginPatienceMilliseconds = 200

    private let settings: Settings
    private let redis: RedisURL
    private let ports: [ServedPort]
    private let claims = Claims()
    private let shards: [Shard]
    private let housekeeping: Housekeeping
    private let deliveries: Deliveries
    private let calendars: CalendarThreads
    private let examination: StartExamination
    private let heartbeat: NodeHeartbeat
    private let history: HistoryKeeper
    private let desk: FindingsDesk
    private let readiness: NodeReadiness
    private let recordings: Recordings
    private let metrics: NodeMetrics

    /// - Parameter redis: the parsed form of the setting.
    /// - Throws: `SystemError` if the kernel grants no more descriptors or threads.
    init(_ settings: Settings, redis: RedisURL, logger: Logger) throws {
        self.settings = settings
        self.redis = redis
        let readiness = NodeReadiness()
        self.readiness = readiness
        ports = ServedPort.all(settings)
        let budgets = ports.map { _ in
            ConnectionBudget(
                limit: settings.maxConnections, limitPerAddress: settings.maxConnectionsPerAddress,
                exempt: settings.trustedProxies)
        }
        metrics = NodeMetrics(connectionLimits: zip(ports, budgets).map { ($0.serves, $1.limit) })
        let answers = AnswerBudget(bytes: settings.answerMemoryBytes)
        let feeds = LiveBudget(
            perKey: settings.liveFeedsPerKey, perAddress: settings.liveFeedsPerAddress, unsent: UnsentBudget())
        metrics.feeds = feeds
        var recordings = settings.recordingsOfBots
        if recordings.folder != nil { recordings.disk = try EventLoop(name: "recordings") }
        self.recordings = recordings
        var shards: [Shard] = []
        var stores: [Store] = []
        var desk: FindingsDesk!
        var history: HistoryKeeper!
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
            let store = Store(
                client: client, changing: changing, configuration: settings.storeConfiguration, logger: logger)
            stores.append(store)
            let hub = Self.hub(of: store, number, settings, redis, logger)
            let measured = LoopMetrics(
                loop: loop, store: store,
                clients: [("records", client)] + (changing.map { [("changes", $0)] } ?? []))
            let endpoint = MetricsEndpoint { [metrics, queue = QueueProbe(store)] in await metrics.text(queue) }
            if number == 0 {
                desk = FindingsDesk(settings, redis, store: store)
                history = HistoryKeeper(loop: loop, metrics: metrics, queue: QueueProbe(store))
            }
            let insight = NodeInsight(
                findings: { [desk = desk!] in await desk.findings(within: $0) },
                history: { [history = history!] in await history.minutes() })
            let live = LiveServices(hub: hub, budget: feeds)
            let servers = zip(ports, budgets).map { port, budget -> Server? in
                if port.isExclusive, number > 0 { return nil }
                let router = Routes.make(
                    store: store, adminKey: settings.adminKey, logger: logger, readiness: readiness,
                    trustedProxies: settings.trustedProxies, surfaces: port.surfaces, budget: answers,
                    receivers: settings.receivers, recordings: recordings,
                    live: live, metrics: endpoint,
                    servesConsole: settings.servesConsole, insight: insight)
                let counters = RequestCounters(router)
                var configuration = settings.httpConfiguration(of: port.surfaces)
                configuration.onResponse = counters.hook
                configuration.webSockets.unsentBudget = feeds.unsent
                let server = Server(
                    loop: loop, configuration: configuration, router: router, logger: logger, budget: budget)
                measured.servers.append((port.serves, server, counters))
                return server
            }
            measured.hub = hub
            metrics.loops.append(measured)
            shards.append(Shard(loop: loop, client: client, changing: changing, hub: hub, servers: servers))
        }
        self.shards = shards
        self.desk = desk
        self.history = history
        housekeeping = Housekeeping(settings, redis: redis, store: stores[0], loop: shards[0].loop, logger: logger)
        deliveries = try Deliveries(settings, redis: redis, logger: logger)
        metrics.deliveries = deliveries
        calendars = try CalendarThreads(settings, redis: redis, logger: logger)
        metrics.calendars = calendars
        heartbeat = NodeHeartbeat(store: stores[0])
        metrics.loops[0].clients.append(("segments", housekeeping.client))
        let client = shards[0].client
        examination = StartExamination(settings, redis, loop: shards[0].loop, logger: logger) {
            await client.firstLogin() == .ready
        }
    }

    /// What reads live feeds, which has a connection of its own once somebody views one.
    private static func hub(
        of store: Store, _ number: Int, _ settings: Settings, _ redis: RedisURL, _ logger: Logger
    ) -> FeedHub {
        var configuration = settings.clientConfiguration(redis, name: "usher-serve-feeds-\(number)")
        configuration.isForBlockingReads = true
        configuration.scripts = []
        let client = Client(loop: store.client.loop, configuration: configuration, logger: logger)
        return FeedHub(store: store, blocking: client, isCluster: redis.isCluster, logger: logger)
    }

    /// Starts the loops, begins to connect to Redis, and serves, with Redis or without it.
    /// - Returns: the ports, the public one first.
    /// - Throws: `PortTaken` or `ListenError`, or `SystemError` if the kernel grants no thread.
    func start() throws -> [ServedPort] {
        var ports = ports
        var listeners: [[(server: Server, listener: Listener)]] = shards.map { _ in [] }
        for index in ports.indices {
            func listen() throws -> Int {
                for (number, shard) in shards.enumerated() {
                    guard let server = shard.servers[index] else { continue }
                    let listener = try Listener.bind(
                        host: ports[index].host, port: ports[index].port, backlog: settings.backlog,
                        reusesPort: !ports[index].isExclusive)
                    // The first one may have let the kernel choose.
                    ports[index].port = listener.port
                    listeners[number].append((server, listener))
                }
                return ports[index].port
            }
            if ports[index].isExclusive {
                _ = try listen()
            } else {
                claims.held.append(
                    try PortClaim(ports[index], redis: redis, isShared: settings.sharesPort, listen))
            }
        }
        try recordings.disk?.start()
        for (number, shard) in shards.enumerated() {
            try shard.loop.start()
            let measured = metrics.loops[number]
            shard.loop.execute {
                measured.lag.start()
                shard.client.start()
                shard.changing?.start()
            }
        }
        let patience = MonotonicTime.now().advanced(byMilliseconds: Self.loginPatienceMilliseconds)
        for (shard, bound) in zip(shards, listeners) {
            try MainThread.run(on: shard.loop) {
                for client in [shard.client, shard.changing].compactMap(\.self) {
                    let remaining = max(0, patience.milliseconds(since: .now()))
                    _ = await client.firstLogin(withinMilliseconds: remaining)
                }
                for (server, listener) in bound { try await server.start(listener) }
            }
        }
        try deliveries.start()
        try calendars.start()
        let (heartbeat, history, host) = (self.heartbeat, self.history, ports[0].host)
        let address = "\(host.contains(":") ? "[\(host)]" : host):\(ports[0].port)"
        shards[0].loop.execute {
            heartbeat.start(address: address)
            history.start()
        }
        return ports
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

    /// Tells balancers, by `GET /readyz`, to look elsewhere; everything is served as before.
    func giveNotice() {
        readiness.giveNotice()
    }

    /// Answers what is under way, and stops.
    /// - Returns: how many connections were cut, because they were not done within the drain timeout.
    func stop() -> Int {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: settings.drainTimeoutMilliseconds)
        let heartbeat = self.heartbeat
        shards[0].loop.execute { heartbeat.beginStop() }
        let drains = shards.flatMap { shard in
            shard.servers.compactMap(\.self).map { server in
                (shard.loop, Task(executorPreference: shard.loop) { await server.drain(deadline: deadline) })
            }
        }
        var cut = 0
        for (loop, drain) in drains { cut += (try? MainThread.run(on: loop) { await drain.value }) ?? 0 }
        try? MainThread.run(on: shards[0].loop) { await heartbeat.stop() }
        let (housekeeping, examination, history, desk) = (
            self.housekeeping, self.examination, self.history, self.desk
        )
        shards[0].loop.execute {
            housekeeping.stop()
            examination.stop()
            history.stop()
            desk.stop()
        }
        deliveries.stop()
        calendars.stop()
        for shard in shards {
            shard.loop.execute {
                shard.hub.stop()
                shard.client.shutDown()
                shard.changing?.shutDown()
            }
            shard.loop.stop()
            shard.loop.join()
        }
        recordings.disk?.stop()
        recordings.disk?.join()
        return cut
    }
}

/// What a node holds of its ports for as long as its process runs. `@unchecked Sendable`: put together before the loops
/// start.
private final class Claims: @unchecked Sendable {
    var held: [PortClaim] = []
}
