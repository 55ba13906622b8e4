import Redis

/// How the operator's endpoint is, in the whole installation, at a moment.
public struct OperatorReading: Equatable, Sendable {
    /// Whether a node has said lately that there is one.
    public var isThere = false
    /// Workspaces of which something waits to be told there.
    public var waiting = 0
    /// For how long the delivery that is due first has been due; 0 if none is.
    public var overdueMilliseconds = 0
    /// For how long it has taken nothing; nil if the last deliveries succeeded.
    public var failingMilliseconds: Int?
    /// Events that were dropped, since too many of their workspaces waited.
    public var dropped = 0

    public init() {}

    /// What is asked of one partition.
    static func questions(of partition: Partition) -> [Command] {
        [
            Command("HMGET", partition.operatorEndpoint, "enabled", "failing_since", "dropped"),
            Command("ZCARD", partition.operatorDeliveries),
            Command("ZRANGE", partition.operatorDeliveries, "0", "0", "WITHSCORES"),
        ]
    }

    /// Adds what a partition has answered, and takes that away from `replies`.
    /// - Parameter now: Redis' time, in milliseconds.
    mutating func take(
        _ replies: inout ArraySlice<Value>, of partition: Partition, now: Int, _ odd: OddRecords
    ) throws(RedisError) {
        let fields = try odd.list(partition.operatorEndpoint, replies.removeFirst()).map(\.string)
        if fields.count == 3 {
            isThere = isThere || fields[0] != nil
            if let since = fields[1].flatMap({ Int($0) }) {
                failingMilliseconds = max(failingMilliseconds ?? 0, now.subtractingClamped(since))
            }
            dropped = dropped.addingClamped(fields[2].flatMap { Int($0) } ?? 0)
        }
        waiting = waiting.addingClamped(try odd.count(partition.operatorDeliveries, replies.removeFirst()))
        let due = try odd.list(partition.operatorDeliveries, replies.removeFirst()).last?.string.flatMap { Int($0) }
        if let due { overdueMilliseconds = max(overdueMilliseconds, now.subtractingClamped(due)) }
    }
}
