import Glibc

/// What the reading of one feed may take: steps, which are spent where the work is done and take some tens of nanoseconds
/// each; and the time of its thread, as a last resort. An event has a share, so that one alone cannot use it all.
final class FeedBudget {
    /// After how many steps the clock is looked at.
    private static let stepsPerLook = 1_000

    private var ofFeed: Int
    private var ofEvent: Int
    private var untilLook = FeedBudget.stepsPerLook
    private let clock: () -> Int
    private let end: Int
    /// Whether nothing of the feed can be read any more.
    private(set) var isSpent = false

    /// - Parameters:
    ///   - steps: of the feed.
    ///   - clock: the time that the thread has worked, in ms.
    init(_ steps: Int = FeedLimits.steps, clock: @escaping () -> Int = FeedBudget.threadMilliseconds) {
        (ofFeed, ofEvent) = (steps, steps)
        self.clock = clock
        end = clock() + FeedLimits.threadMilliseconds
    }

    /// Begins with another event, or zone.
    func begin() { ofEvent = FeedLimits.stepsOfEvent }

    /// - Throws: `FeedError` where there are no more; of the whole feed if `isSpent`.
    func spend(_ steps: Int = 1) throws(FeedError) {
        ofFeed -= steps
        ofEvent -= steps
        untilLook -= steps
        if untilLook <= 0 {
            untilLook = Self.stepsPerLook
            if clock() > end { ofFeed = -1 }
        }
        guard ofFeed >= 0 else {
            isSpent = true
            throw FeedError(reason: "takes too much work to read")
        }
        guard ofEvent >= 0 else { throw FeedError(reason: "recurs too often to be looked at") }
    }

    static func threadMilliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}
