import Metrics
import Node
import Runner

extension Samples {
    /// What a runner counts, by the names of the catalogue.
    mutating func add(_ runner: Runner) {
        let metrics = runner.metrics
        let bots = runner.botCounts
        add(Catalogue.capacity, runner.capacity)
        add(Catalogue.runnerBots, ["starting"], bots.onTheirWay)
        add(Catalogue.runnerBots, ["in_room"], bots.inTheRoom)
        add(Catalogue.botsStarted, metrics.botsStarted)
        for reason in RunnerMetrics.reasons { add(Catalogue.botsEnded, [reason], metrics.botsEnded[reason] ?? 0) }
        add(Catalogue.fencedBots, RunnerMetrics.fencing.reduce(0) { $0 + (metrics.botsEnded[$1] ?? 0) })
        add(Catalogue.dispatchToStart, metrics.dispatchToStart)
        add(Catalogue.leaseRenewals, ["granted"], metrics.renewals)
        add(Catalogue.leaseRenewals, ["refused"], metrics.refusedRenewals)
        add(Catalogue.leaseRenewalFailures, metrics.failedRenewals)
        add(runner.client, "records")
        add(runner.blocking, "dispatches", blocks: true)
        if let claiming = runner.claiming { add(claiming, "claims") }
        if let renewing = runner.renewing { add(renewing, "renewals") }
    }
}
