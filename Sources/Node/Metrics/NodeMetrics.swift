import API
import Archive
import Calendars
import EventLoop
import HTTP
import Metrics
import Redis
import Usher
import Webhooks

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
        for (serves, server, counters) in servers {
            samples.add(counters)
            samples.add(server, [serves])
        }
        samples.add(store.metrics)
        if let hub { samples.add(hub.metrics) }
        for (name, client) in clients { samples.add(client, [name]) }
        samples.add(lag)
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
    private let budgets: [(serves: String, budget: ConnectionBudget)]

    init(budgets: [(serves: String, budget: ConnectionBudget)]) {
        self.budgets = budgets
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
        for loop in loops {
            samples.add(await Task(executorPreference: loop.loop) { loop.read() }.value)
        }
        for (serves, budget) in budgets { samples.add(budget, [serves]) }
        if let feeds { samples.add(feeds) }
        if let background { samples.add(await background.samples()) }
        samples.add(QueueProbe.Outcome(reading: await queue.read()))
        if let memory = loops.first?.store.memory { samples.add(memory) }
        samples.add(ThisProcess())
        return samples.text
    }
}

extension Node {
    /// What `/metrics` of a node shows.
    public static let metrics: [Metric] =
        RequestCounters.metrics + Server.metrics + ConnectionBudget.metrics + StoreMetrics.metrics
        + FeedMetrics.metrics + LiveBudget.metrics + DelivererMetrics.metrics + CalendarSync.metrics
        + Archiver.metrics
        + QueueProbe.Outcome.metrics + RedisMemory.metrics + Client.metrics + LoopLag.metrics + ThisProcess.metrics
}

extension MinuteHistory.Totals {
    mutating func add(_ counters: RequestCounters) {
        for answers in counters.answers {
            for outcome in answers.outcomes {
                requests += outcome.count
                if outcome.status >= 500 { failures += outcome.count }
                if answers.dispatchingAPI != nil, outcome.status < 300 { dispatches += outcome.count }
            }
        }
    }

    mutating func add(_ other: Self) {
        requests += other.requests
        failures += other.failures
        dispatches += other.dispatches
    }
}
