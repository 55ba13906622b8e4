import Metrics
import Synchronization

/// How full the Redis servers are that answer for the partitions, as this node's sweep last saw. From any thread.
public final class RedisMemory: Sendable {
    public struct Reading: Equatable, Sendable {
        /// What counts against the limit, in bytes.
        public var used: Int
        /// `maxmemory`, in bytes; 0 for none.
        public var limit: Int

        public init(used: Int, limit: Int) {
            self.used = used
            self.limit = limit
        }

        /// Whether Redis takes nothing new. What has begun goes on: see the flag `allow-oom` of scripts.
        public var isFull: Bool { limit > 0 && used > limit }

        fileprivate var share: Double { limit > 0 ? Double(used) / Double(limit) : 0 }
    }

    /// By the partition's number.
    private let readings = Mutex<[Int: Reading]>([:])

    public init() {}

    /// The fullest of them, or the largest where none has a limit; nil until the first sweep.
    public var fullest: Reading? {
        readings.withLock { $0.values.max { ($0.share, $0.used) < ($1.share, $1.used) } }
    }

    public var isFull: Bool { fullest?.isFull == true }

    func note(_ reading: Reading, of partition: Partition) {
        readings.withLock { $0[partition.number] = reading }
    }
}

extension RedisMemory: Measured {
    public static let measures: [Measure<RedisMemory>] = [
        Measure(
            .gauge, "usher_redis_memory_bytes",
            "Memory of Redis that counts against its maxmemory, as this node's sweep last saw: of the fullest primary. 0 before "
                + "the first sweep."
        ) { $0.fullest?.used ?? 0 },
        Measure(
            .gauge, "usher_redis_memory_limit_bytes",
            "Its maxmemory, 0 for none. Beyond it nothing new is taken; what runs goes on."
        ) { $0.fullest?.limit ?? 0 },
    ]
}
