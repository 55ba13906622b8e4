import EventLoop
import Redis

/// What waits and what runs in the whole installation, at a moment.
public struct QueueReading: Equatable, Sendable {
    /// Dispatches that no runner has claimed.
    public var waiting = 0
    /// The age of the oldest of them, by Redis' clock; 0 if there is none.
    public var oldestMilliseconds = 0
    /// Bots that a runner has claimed and that have not ended.
    public var leased = 0

    public init(waiting: Int = 0, oldestMilliseconds: Int = 0, leased: Int = 0) {
        self.waiting = waiting
        self.oldestMilliseconds = oldestMilliseconds
        self.leased = leased
    }
}

extension Store {
    /// Reads the queue of every partition, in one exchange whatever their lengths.
    public func readQueue(deadline: MonotonicTime) async throws(RedisError) -> QueueReading {
        let commands = Partition.all.flatMap {
            [
                Command("XLEN", $0.dispatch), Command("XRANGE", $0.dispatch, "-", "+", "COUNT", "1"),
                Command("ZCARD", $0.leases),
            ]
        }
        let replies = try await pipeline([Command("TIME")] + commands, by: deadline)
        let time = try replies[0].arrayOrThrow()
        let now = (time.first?.string.flatMap { Int($0) } ?? 0) * 1_000
        var reading = QueueReading()
        for index in stride(from: 1, to: replies.count, by: 3) {
            reading.waiting += try replies[index].integerOrThrow()
            reading.leased += try replies[index + 2].integerOrThrow()
            // An entry's id begins with the time at which it was written, in milliseconds.
            let oldest = try replies[index + 1].arrayOrThrow().first?.array?.first?.string
            if let written = oldest?.split(separator: "-").first.flatMap({ Int($0) }) {
                reading.oldestMilliseconds = max(reading.oldestMilliseconds, now - written)
            }
        }
        return reading
    }
}
