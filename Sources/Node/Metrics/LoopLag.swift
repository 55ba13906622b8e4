import EventLoop
import Metrics

/// Measures how late an event loop runs its timers, and so how long what is ready waits for it.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
public final class LoopLag: @unchecked Sendable {
    private static let intervalMilliseconds = 1_000

    private let loop: EventLoop
    private var delays = Histogram(.delays)

    public init(_ loop: EventLoop) {
        self.loop = loop
    }

    /// Begins, and goes on until the loop ends.
    public func start() {
        let due = MonotonicTime.now().advanced(byMilliseconds: Self.intervalMilliseconds)
        loop.schedule(at: due) { [weak self] in
            guard let self else { return }
            delays.record(nanoseconds: MonotonicTime.now().nanoseconds - due.nanoseconds)
            start()
        }
    }
}

extension LoopLag: Measured {
    public static let measures: [Measure<LoopLag>] = [
        Measure(.gauge, "usher_event_loops", "Event loops, each a thread.") { _ in 1 },
        Measure(
            histogram: "usher_event_loop_lag_seconds",
            "How late timers of event loops run, measured once a second. Up to 1 ms is the clock's rounding."
        ) { [([], $0.delays)] },
    ]
}
