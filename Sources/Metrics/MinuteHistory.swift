/// What happened in each of the last minutes, from counters that only grow.
public struct MinuteHistory: Sendable {
    /// What was counted since the process began.
    public struct Totals: Sendable {
        public var requests = 0
        /// Requests that were answered with a status of 500 or more.
        public var failures = 0
        /// Bots that were sent because somebody asked for one.
        public var dispatches = 0

        public init() {}
    }

    public struct Minute: Equatable, Sendable {
        /// When it ended, in milliseconds since 1970.
        public let endedAt: Int
        public let requests: Int
        public let failures: Int
        public let dispatches: Int
        /// For how long the oldest dispatch had waited at its end; nil if Redis did not say.
        public let waitingMilliseconds: Int?
    }

    /// How many are kept.
    public static let length = 60

    /// The oldest first.
    public private(set) var minutes: [Minute] = []
    private var last: Totals?

    public init() {}

    /// Ends a minute. The first call begins the first one.
    public mutating func note(_ totals: Totals, waitingMilliseconds: Int?, at time: Int) {
        defer { last = totals }
        guard let last else { return }
        if minutes.count == Self.length { minutes.removeFirst() }
        minutes.append(
            Minute(
                endedAt: time, requests: totals.requests - last.requests, failures: totals.failures - last.failures,
                dispatches: totals.dispatches - last.dispatches, waitingMilliseconds: waitingMilliseconds))
    }
}
