import EventLoop
import Log
import Metrics

/// Keeps the last hour of a node, minute by minute, on the node's first loop.
///
/// `@unchecked Sendable`: its history is touched on the loop's thread alone, which every entry checks.
final class HistoryKeeper: @unchecked Sendable {
    private static let intervalMilliseconds = 60_000

    private let loop: EventLoop
    private let metrics: NodeMetrics
    private let queue: QueueProbe
    private var history = MinuteHistory()
    private var keeping: Task<Void, Never>?

    /// - Parameter queue: of the loop.
    init(loop: EventLoop, metrics: NodeMetrics, queue: QueueProbe) {
        self.loop = loop
        self.metrics = metrics
        self.queue = queue
    }

    func start() {
        loop.preconditionCurrent()
        keeping = Task(executorPreference: loop) { [self] in
            while !Task.isCancelled {
                let totals = await metrics.totals()
                history.note(
                    totals, waitingMilliseconds: await queue.read()?.oldestMilliseconds, at: WallClock.milliseconds)
                await loop.wait(milliseconds: Self.intervalMilliseconds)
            }
        }
    }

    func stop() {
        loop.preconditionCurrent()
        keeping?.cancel()
    }

    /// The oldest first. From any loop.
    func minutes() async -> [MinuteHistory.Minute] {
        await Task(executorPreference: loop) { [self] in
            loop.preconditionCurrent()
            return history.minutes
        }.value
    }
}
