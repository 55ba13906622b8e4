import EventLoop

/// The pauses between attempts to connect: doubled at each failure up to a bound, with jitter, so that not all clients
/// come back at once.
struct Backoff {
    /// From the first to the longest pause, in milliseconds.
    let bounds: ClosedRange<Int>
    private var failures = 0

    init(bounds: ClosedRange<Int>) {
        self.bounds = bounds
    }

    /// The pause before the next attempt, in milliseconds.
    /// - Parameter milliseconds: how long the connection that failed had been ready; nil if it never was. A login that
    ///   did not last is no success: else a Redis that drops its clients gets all of them back at once.
    mutating func next(afterReadyFor milliseconds: Int?) -> Int {
        if let milliseconds, milliseconds >= bounds.upperBound { failures = 0 }
        let ceiling = min(bounds.upperBound, bounds.lowerBound << min(failures, 16))
        failures += 1
        return Int.random(in: ceiling / 2...ceiling)
    }
}
