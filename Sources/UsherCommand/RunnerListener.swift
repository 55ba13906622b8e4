import API
import EventLoop
import HTTP
import Log
import Metrics
import Node
import Processes
import Redis
import Runner

/// Where a runner answers `/metrics` and `/healthz`, on its own loop.
struct RunnerListener: Sendable {
    private static let connections = 64

    private let server: HTTP.Server
    private let counters: RequestCounters

    /// Begins to listen, while the loop runs.
    /// - Throws: `ListenError`, or `SystemError` if the kernel grants no more descriptors.
    init(_ runner: Runner, host: String, port: Int, loop: EventLoop, logger: Logger) throws {
        // Alone there: were the port another runner's too, each scrape would reach one of them by chance.
        let listener = try Listener.bind(host: host, port: port, reusesPort: false)
        let lag = LoopLag(loop)
        loop.execute { lag.start() }
        let parts = Parts()
        let endpoint = MetricsEndpoint { parts.text(runner, lag) }
        let router = endpoint.router
        let counters = RequestCounters(router)
        var configuration = HTTPConfiguration()
        configuration.errorResponse = ErrorAnswer.make
        configuration.onResponse = counters.hook
        let budget = ConnectionBudget(limit: Self.connections)
        let server = HTTP.Server(
            loop: loop, configuration: configuration, router: router, logger: logger, budget: budget)
        parts.server = server
        parts.budget = budget
        parts.counters = counters
        try MainThread.run(on: loop) { try await server.start(listener) }
        logger.info("Listening", ["host": host, "port": String(listener.port), "serves": "metrics"])
        self.server = server
        self.counters = counters
    }

    /// Closes its connections, on the loop's thread.
    func stop() async {
        _ = await server.drain(deadline: .now())
    }

    /// What the endpoint shows of the server that it belongs to. `@unchecked Sendable`: set before that starts.
    private final class Parts: @unchecked Sendable {
        weak var server: HTTP.Server?
        var budget: ConnectionBudget?
        var counters: RequestCounters?

        func text(_ runner: Runner, _ lag: LoopLag) -> [UInt8] {
            var samples = Samples()
            samples.add(runner)
            for (name, client) in runner.clients { samples.add(client, [name]) }
            if let server { samples.add(server, ["metrics"]) }
            if let budget { samples.add(budget, ["metrics"]) }
            if let counters { samples.add(counters) }
            samples.add(lag)
            samples.add(ThisProcess())
            return samples.text
        }
    }
}

extension Runner {
    /// What `/metrics` of a runner shows.
    static let shown: [Metric] =
        metrics + Client.metrics + HTTP.Server.metrics + ConnectionBudget.metrics + RequestCounters.metrics
        + LoopLag.metrics + ThisProcess.metrics
}
