import EventLoop
import Log
import Metrics

/// Keeps the last hour of a node, minute by minute, on the node's first loop.
///
/// `@unchecked Sendable`: its history is touched on the loop's thread alone, which every entry checks.
final class HistoryKeeper: @unchecked Sendable {
    static let intervalMilliseconds = 60_000

    private let loop: EventLoop
    private let metrics: NodeMetrics
    private let queue: QueueProbe
    private var history = MinuteHistory()

    /// - Parameter queue: of the loop.
    init(loop: EventLoop, metrics: NodeMetrics, queue: QueueProbe) {
        self.loop = loop
        self.metrics = metrics
        self.queue = queue
    }

    /// Ends a minute.
    func note() async {
        loop.preconditionCurrent()
        let totals = await metrics.totals()
        history.note(totals, waitingMilliseconds: await queue.read()?.oldestMilliseconds, at: WallClock.milliseconds)
    }

    /// The oldest first. From any loop.
    func minutes() async -> [MinuteHistory.Minute] {
        await Task(executorPreference: loop) { [self] in
            loop.preconditionCurrent()
            return history.minutes
        }.value
    }
}

extension BackgroundTask {
    static func history(_ node: TaskSurroundings) -> BackgroundTask {
        BackgroundTask(
            name: "history", pace: .every(milliseconds: HistoryKeeper.intervalMilliseconds), loop: node.loop,
            work: { await node.history.note() })
    }
}
