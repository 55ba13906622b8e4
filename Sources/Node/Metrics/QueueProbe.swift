import EventLoop
import Metrics
import Usher

/// Reads from Redis what is the whole installation's, once a second at most, however often it is asked.
///
/// `@unchecked Sendable`: belongs to the thread of its store's loop.
final class QueueProbe: @unchecked Sendable {
    private static let validMilliseconds = 1_000
    /// A scrape waits no longer. The question itself has the time that any command has: one whose deadline passes early
    /// would make a connection that is merely slow look dead.
    private static let patienceMilliseconds = 500
    private static let timeoutMilliseconds = 60_000

    private let store: Store
    private var last: (time: MonotonicTime, reading: QueueReading)?
    private var isReading = false
    private let waiters: Waiters<QueueReading>

    init(_ store: Store) {
        self.store = store
        waiters = Waiters(loop: store.client.loop)
    }

    /// What a scrape shows of it.
    struct Outcome {
        /// nil: Redis did not answer in time.
        let reading: QueueReading?
    }

    /// - Returns: nil if Redis does not answer in time.
    func read() async -> QueueReading? {
        let loop = store.client.loop
        loop.preconditionCurrent()
        if let last, MonotonicTime.now().milliseconds(since: last.time) < Self.validMilliseconds { return last.reading }
        if !isReading {
            isReading = true
            Task(executorPreference: loop) { [self] in
                finish(try? await store.session(milliseconds: Self.timeoutMilliseconds).installation.readQueue())
            }
        }
        return await waiters.wait(milliseconds: Self.patienceMilliseconds)
    }

    private func finish(_ reading: QueueReading?) {
        isReading = false
        last = reading.map { (.now(), $0) }
        waiters.tell(reading)
    }
}

extension QueueProbe.Outcome: Measured {
    static let measures: [Measure<QueueProbe.Outcome>] = [
        Measure(
            .gauge, "usher_redis_up",
            "Whether Redis answered for this scrape: 1, or 0, and then the next eight are left out."
        ) { $0.reading == nil ? 0 : 1 },
        Measure(
            .gauge, "usher_dispatch_queue_length",
            "Dispatches that no runner has claimed yet, of the whole installation: every node shows the same."
        ) { $0.reading?.waiting },
        Measure(
            .gauge, "usher_dispatch_queue_oldest_age_seconds",
            "The age of the oldest of them, 0 if there is none, of the whole installation.",
            seconds: { $0.reading.map { Double($0.oldestMilliseconds) / 1_000 } }),
        Measure(
            .gauge, "usher_bots_running",
            "Bots that runners have claimed and that have not ended, of the whole installation."
        ) { $0.reading?.leased },
        Measure(
            .gauge, "usher_webhook_outbox_length",
            "Changes of meetings that no node has filed for webhooks yet, of the whole installation: it is 0 within moments."
        ) { $0.reading?.unfiledChanges },
        Measure(
            .gauge, "usher_webhooks_waiting",
            "Webhooks that wait to be told of something, of the whole installation."
        ) { $0.reading?.waitingWebhooks },
        Measure(
            .gauge, "usher_webhook_overdue_seconds",
            "For how long the delivery that is due first has been due, of the whole installation; 0 if none is.",
            seconds: { $0.reading.map { Double($0.overdueMilliseconds) / 1_000 } }),
        Measure(
            .gauge, "usher_operator_webhook_waiting",
            "Workspaces of which something waits to be told to the operator's endpoint, of the whole installation."
        ) { $0.reading?.operatorEndpoint.waiting },
        Measure(
            .gauge, "usher_operator_webhook_failing_seconds",
            "For how long the operator's endpoint has taken nothing, of the whole installation; 0 if it takes what comes.",
            seconds: { $0.reading.map { Double($0.operatorEndpoint.failingMilliseconds ?? 0) / 1_000 } }),
    ]
}
