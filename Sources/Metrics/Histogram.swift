/// How long things took, counted in fixed buckets. A value; whoever counts owns it, so it needs no lock.
public struct Histogram: Sendable {
    /// The upper bounds of buckets, ascending; what is longer than the last is counted beside them.
    public struct Buckets: Sendable {
        let seconds: [Double]
        fileprivate let nanoseconds: [UInt64]

        /// Stops the program for bounds that do not ascend.
        public init(seconds: [Double]) {
            precondition(zip(seconds, seconds.dropFirst()).allSatisfy(<), "the bounds of buckets ascend")
            self.seconds = seconds
            nanoseconds = seconds.map { UInt64(($0 * 1_000_000_000).rounded()) }
        }

        /// For exchanges with Redis, which take fractions of a millisecond if all is well.
        public static let exchanges = Buckets(seconds: [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
        ])
        /// For requests, which are answered within seconds.
        public static let requests = Buckets(seconds: [
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
        ])
        /// For delays that should not be there, as of an event loop.
        public static let delays = Buckets(seconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5])
        /// For what processes and people take part in: the start of a bot, its way into the room.
        public static let ways = Buckets(seconds: [
            0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600,
        ])
    }

    let buckets: Buckets
    /// One more than there are bounds; not cumulative.
    private(set) var counts: [Int]
    private var nanoseconds: UInt64 = 0

    public init(_ buckets: Buckets) {
        self.buckets = buckets
        counts = [Int](repeating: 0, count: buckets.seconds.count + 1)
    }

    public mutating func record(nanoseconds duration: UInt64) {
        var index = 0
        // From the short end, where nearly all are, and few enough that halving would gain nothing.
        while index < buckets.nanoseconds.count, duration > buckets.nanoseconds[index] { index += 1 }
        counts[index] += 1
        nanoseconds &+= duration
    }

    /// - Parameter duration: taken as 0 if it is negative, as clocks of two machines can have it.
    public mutating func record(milliseconds duration: Int) {
        record(nanoseconds: UInt64(max(0, duration)) &* 1_000_000)
    }

    /// How many were counted.
    public var count: Int { counts.reduce(0, +) }

    /// Their sum.
    public var seconds: Double { Double(nanoseconds) / 1_000_000_000 }

    /// Adds what another one with the same buckets has counted.
    mutating func add(_ other: Histogram) {
        precondition(buckets.seconds == other.buckets.seconds, "only histograms with the same buckets add up")
        for index in counts.indices { counts[index] += other.counts[index] }
        nanoseconds &+= other.nanoseconds
    }
}
