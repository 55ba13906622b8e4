import API
import EventLoop
import HTTP
import Metrics
import Redis
import Usher

/// What is counted on one of a node's loops.
///
/// `@unchecked Sendable`: put together before the loop starts, and read on its thread.
final class LoopMetrics: @unchecked Sendable {
    let loop: EventLoop
    let store: Store
    /// By what they are for.
    let clients: [(name: String, client: Client)]
    var servers: [(serves: String, server: HTTP.Server, counters: RequestCounters)] = []
    let lag: LoopLag
    var hub: FeedHub?

    init(loop: EventLoop, store: Store, clients: [(name: String, client: Client)]) {
        self.loop = loop
        self.store = store
        self.clients = clients
        lag = LoopLag(loop)
    }

    fileprivate func total() -> MinuteHistory.Totals {
        var totals = MinuteHistory.Totals()
        for (_, _, counters) in servers { totals.add(counters) }
        return totals
    }

    fileprivate func read() -> Samples {
        var samples = Samples()
        samples.add(Catalogue.loops, 1)
        samples.add(Catalogue.loopLag, lag.delays)
        samples.add(store.metrics)
        if let hub { samples.add(hub.metrics) }
        for (serves, server, counters) in servers {
            samples.add(server, serves: serves)
            samples.add(counters)
        }
        for (name, client) in clients { samples.add(client, name) }
        return samples
    }
}

/// What a node measures. Each number belongs to one loop; a scrape visits them all, and adds up.
///
/// `@unchecked Sendable`: put together before the loops start.
final class NodeMetrics: @unchecked Sendable {
    var loops: [LoopMetrics] = []
    var background: BackgroundTasks?
    var feeds: LiveBudget?
    private let connectionLimits: [(serves: String, limit: Int)]

    init(connectionLimits: [(serves: String, limit: Int)]) {
        self.connectionLimits = connectionLimits
    }

    /// What has been answered since the node began, on all of its loops.
    func totals() async -> MinuteHistory.Totals {
        var totals = MinuteHistory.Totals()
        for loop in loops { totals.add(await Task(executorPreference: loop.loop) { loop.total() }.value) }
        return totals
    }

    /// - Parameter queue: of the loop that this is called on.
    func text(_ queue: QueueProbe) async -> [UInt8] {
        var samples = Samples()
        samples.addDispatchOutcomes()
        for (serves, limit) in connectionLimits { samples.add(Catalogue.connectionLimit, [serves], limit) }
        for loop in loops {
            samples.add(await Task(executorPreference: loop.loop) { loop.read() }.value)
        }
        if let background { samples.add(await background.samples()) }
        samples.add(Catalogue.feedsRefused, feeds?.refusedCount ?? 0)
        samples.add(Catalogue.feedsTooSlow, feeds?.slowCount ?? 0)
        let reading = await queue.read()
        samples.add(Catalogue.redisUp, reading == nil ? 0 : 1)
        if let reading {
            samples.add(Catalogue.queueLength, reading.waiting)
            samples.add(Catalogue.queueAge, Double(reading.oldestMilliseconds) / 1_000)
            samples.add(Catalogue.botsLeased, reading.leased)
            samples.add(Catalogue.webhookOutbox, reading.unfiledChanges)
            samples.add(Catalogue.webhooksWaiting, reading.waitingWebhooks)
            samples.add(Catalogue.webhookOverdue, Double(reading.overdueMilliseconds) / 1_000)
        }
        let memory = loops.first?.store.memory.fullest
        samples.add(Catalogue.redisMemory, memory?.used ?? 0)
        samples.add(Catalogue.redisMemoryLimit, memory?.limit ?? 0)
        samples.addProcess()
        return samples.text(of: Catalogue.node)
    }
}
