import Log
import Redis

/// What waits and what runs in the whole installation, at a moment.
public struct QueueReading: Equatable, Sendable {
    /// Dispatches that no runner has claimed.
    public var waiting = 0
    /// The age of the oldest of them, by Redis' clock; 0 if there is none.
    public var oldestMilliseconds = 0
    /// Bots that a runner has claimed and that have not ended.
    public var leased = 0
    /// Changes that webhooks are to be told of and that no node has filed.
    public var unfiledChanges = 0
    /// Webhooks that wait to be told of something.
    public var waitingWebhooks = 0
    /// For how long the delivery that is due first has been due; 0 if none is.
    public var overdueMilliseconds = 0
    public var operatorEndpoint = OperatorReading()

    public init(waiting: Int = 0, oldestMilliseconds: Int = 0, leased: Int = 0) {
        self.waiting = waiting
        self.oldestMilliseconds = oldestMilliseconds
        self.leased = leased
    }
}

extension QueueReading {
    /// What is asked of one partition.
    static func questions(of partition: Partition) -> [Command] {
        [
            Command("XLEN", partition.dispatch), Command("XRANGE", partition.dispatch, "-", "+", "COUNT", "1"),
            Command("ZCARD", partition.leases), Command("XLEN", partition.outbox),
            Command("XRANGE", partition.outbox, "-", "+", "COUNT", "1"),
            Command("ZCARD", partition.deliveries),
            Command("ZRANGE", partition.deliveries, "0", "0", "WITHSCORES"),
        ] + OperatorReading.questions(of: partition)
    }

    /// When the first of some entries was written: an entry's id begins with that, in milliseconds.
    private static func written(_ entries: [Value]) -> Int? {
        entries.first?.array?.first?.string?.split(separator: "-").first.flatMap { Int($0) }
    }

    /// Adds what a partition has answered, and takes that away from `replies`.
    /// - Parameter now: Redis' time, in milliseconds.
    mutating func take(
        _ replies: inout ArraySlice<Value>, of partition: Partition, now: Int, _ odd: OddRecords
    ) throws(RedisError) {
        waiting = waiting.addingClamped(try odd.count(partition.dispatch, replies.removeFirst()))
        let oldest = Self.written(try odd.list(partition.dispatch, replies.removeFirst()))
        if let oldest { oldestMilliseconds = max(oldestMilliseconds, now.subtractingClamped(oldest)) }
        leased = leased.addingClamped(try odd.count(partition.leases, replies.removeFirst()))
        unfiledChanges = unfiledChanges.addingClamped(try odd.count(partition.outbox, replies.removeFirst()))
        let unfiled = Self.written(try odd.list(partition.outbox, replies.removeFirst()))
        if let unfiled { overdueMilliseconds = max(overdueMilliseconds, now.subtractingClamped(unfiled)) }
        waitingWebhooks = waitingWebhooks.addingClamped(try odd.count(partition.deliveries, replies.removeFirst()))
        let due = try odd.list(partition.deliveries, replies.removeFirst()).last?.string.flatMap { Int($0) }
        if let due { overdueMilliseconds = max(overdueMilliseconds, now.subtractingClamped(due)) }
        try operatorEndpoint.take(&replies, of: partition, now: now, odd)
    }
}

extension Installation {
    /// Reads the queue of every partition, in one exchange whatever their lengths.
    public func readQueue() async throws(RedisError) -> QueueReading {
        let questions = Partition.all.flatMap(QueueReading.questions)
        var replies = try await session.replies(to: [Command("TIME")] + questions)[...]
        let now = try replies.removeFirst().millisecondsOrThrow()
        var reading = QueueReading()
        for partition in Partition.all { try reading.take(&replies, of: partition, now: now, session.oddRecords) }
        return reading
    }

    /// What keeps the archive from being used, as a node has found within the last minutes.
    public func archiveProblem() async throws(RedisError) -> String? {
        try await session.send(Command("GET", Keys.archiveProblem)).optionalString()
    }
}
