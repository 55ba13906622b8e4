import EventLoop
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
