import API
import Archive
import EventLoop
import HTTP
import Log
import Processes
import Redis
import Usher

/// One node: event loops that share its ports, each with its own Redis connection, store and servers. Nothing is shared
/// between them but the count of each port's connections: a crowd on the public port keeps neither a bot's report nor a
/// scrape away from a port of its own.
public struct Node: Sendable {
    private struct Shard {
        let records: LoopRecords
        /// One for each of the node's ports; nil where another loop has the port alone.
        let servers: [Server?]
    }

    /// For how long connections wait in the kernel's queue for Redis, so that a node that was started in place of one
    /// that is gone, and that balancers have not missed, refuses nothing.
    private static let loginPatienceMilliseconds = 200

    private let configuration: NodeConfiguration
    private let claims = Claims()
    private let shards: [Shard]
    private let surroundings: TaskSurroundings
    private let background: BackgroundTasks
    private let desk: FindingsDesk
    private let readiness: NodeReadiness
    private let recordings: Recordings
    private let archive: Archive
    private let metrics: NodeMetrics

    /// - Throws: `SystemError` if the kernel grants no more descriptors or threads.
    public init(_ configuration: NodeConfiguration, logger: Logger) throws {
        self.configuration = configuration
        let readiness = NodeReadiness()
        self.readiness = readiness
        let ports = configuration.ports
        let budgets = ports.map { _ in
            ConnectionBudget(
                limit: configuration.http.maximumConnections,
                limitPerAddress: configuration.maximumConnectionsPerAddress, exempt: configuration.trustedProxies)
        }
        let metrics = NodeMetrics(budgets: zip(ports, budgets).map { ($0.serves, $1) })
        let answers = AnswerBudget(bytes: configuration.answerMemoryBytes)
        let feeds = LiveBudget(
            perKey: configuration.liveFeedsPerKey, perAddress: configuration.liveFeedsPerAddress,
            unsent: ByteBudget())
        metrics.feeds = feeds
        self.metrics = metrics
        var recordings = configuration.recordings
        if recordings.folder != nil { recordings.disk = try EventLoop(name: "recordings") }
        self.recordings = recordings
        let archive = try Archive(configuration.archive)
        self.archive = archive
        let records = try (0..<configuration.loops).map { try LoopRecords($0, configuration, archive, logger) }
        let first = records[0]
        let desk = FindingsDesk(configuration, store: first.store)
        let history = HistoryKeeper(loop: first.loop, metrics: metrics, queue: QueueProbe(first.store))
        surroundings = TaskSurroundings(
            configuration, store: first.store, archive: archive, history: history, logger: logger)
        self.desk = desk
        background = try BackgroundTasks(surroundings)
        metrics.background = background
        let insight = NodeInsight(
            findings: { await desk.findings(within: $0) }, history: { await history.minutes() })
        let consoleIsElsewhere = ports.contains { $0.surfaces.contains(.console) }
        shards = records.enumerated().map { number, records in
            let measured = LoopMetrics(loop: records.loop, store: records.store, clients: records.clients)
            let endpoint = MetricsEndpoint { [queue = QueueProbe(records.store)] in await metrics.text(queue) }
            let live = LiveServices(hub: records.hub, budget: feeds)
            let servers = zip(ports, budgets).map { port, budget -> Server? in
                if port.isExclusive, number > 0 { return nil }
                let router = Routes.make(
                    store: records.store, adminKey: configuration.adminKey, logger: logger, readiness: readiness,
                    trustedProxies: configuration.trustedProxies, surfaces: port.surfaces, budget: answers,
                    receivers: configuration.receivers, recordings: recordings,
                    live: live, metrics: endpoint,
                    servesConsole: configuration.servesConsole && !(consoleIsElsewhere && port.surfaces.contains(.api)),
                    insight: insight)
                let counters = RequestCounters(router)
                var http = configuration.http(of: port.surfaces)
                http.onResponse = counters.hook
                http.webSockets.unsentBudget = feeds.unsent
                let server = Server(
                    loop: records.loop, configuration: http, router: router, logger: logger, budget: budget)
                measured.servers.append((port.serves, server, counters))
                return server
            }
            measured.hub = records.hub
            metrics.loops.append(measured)
            return Shard(records: records, servers: servers)
        }
    }

    /// Starts the loops, begins to connect to Redis, and serves, with Redis or without it.
    /// - Returns: the ports, the public one first.
    /// - Throws: `PortTaken` or `ListenError`, or `SystemError` if the kernel grants no thread.
    public func start() throws -> [ServedPort] {
        var ports = configuration.ports
        var listeners: [[(server: Server, listener: Listener)]] = shards.map { _ in [] }
        for index in ports.indices {
            func listen() throws -> Int {
                for (number, shard) in shards.enumerated() {
                    guard let server = shard.servers[index] else { continue }
                    let listener = try Listener.bind(
                        host: ports[index].host, port: ports[index].port, backlog: configuration.http.backlog,
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
                    try PortClaim(
                        ports[index], redis: configuration.connection.url, isShared: configuration.sharesPort, listen))
            }
        }
        try recordings.disk?.start()
        try archive.start()
        for (number, shard) in shards.enumerated() {
            try shard.records.loop.start()
            let measured = metrics.loops[number]
            shard.records.loop.execute {
                measured.lag.start()
                for (_, client) in shard.records.clients { client.start() }
            }
        }
        let patience = MonotonicTime.now().advanced(byMilliseconds: Self.loginPatienceMilliseconds)
        for (shard, bound) in zip(shards, listeners) {
            try MainThread.run(on: shard.records.loop) {
                for (_, client) in shard.records.clients {
                    let remaining = max(0, patience.milliseconds(since: .now()))
                    _ = await client.firstLogin(withinMilliseconds: remaining)
                }
                for (server, listener) in bound { try await server.start(listener) }
            }
        }
        let host = ports[0].host
        surroundings.address = "\(host.contains(":") ? "[\(host)]" : host):\(ports[0].port)"
        try background.start()
        return ports
    }

    /// Waits until Redis has answered the first login of every loop, for as long as it is away.
    /// - Returns: what Redis said if it refused one.
    public func refusalOfLogin() async -> String? {
        for shard in shards {
            let outcome = await Task(executorPreference: shard.records.loop) { await shard.records.client.firstLogin() }
                .value
            if case .refused(let text) = outcome { return text }
        }
        return nil
    }

    /// Tells balancers, by `GET /readyz`, to look elsewhere; everything is served as before.
    public func giveNotice() {
        readiness.giveNotice()
    }

    /// Answers what is under way, and stops.
    /// - Returns: how many connections were cut, because they were not done within the drain timeout.
    public func stop() -> Int {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: configuration.drainTimeoutMilliseconds)
        background.beginDrain()
        let drains = shards.flatMap { shard in
            shard.servers.compactMap(\.self).map { server in
                (
                    shard.records.loop,
                    Task(executorPreference: shard.records.loop) { await server.drain(deadline: deadline) }
                )
            }
        }
        var cut = 0
        for (loop, drain) in drains { cut += (try? MainThread.run(on: loop) { await drain.value }) ?? 0 }
        background.end()
        shards[0].records.loop.execute { [desk] in desk.stop() }
        for shard in shards {
            shard.records.loop.execute {
                shard.records.hub.stop()
                for (_, client) in shard.records.clients { client.shutDown() }
            }
            shard.records.loop.stop()
            shard.records.loop.join()
        }
        archive.stop()
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
