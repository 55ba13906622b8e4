import Redis
import Scripts

/// Groups of consumers of a stream.
extension Session {
    /// How many entries that are out are looked at in one go.
    private static let maximumPending = 100

    /// Makes a group. Safe to repeat.
    func makeGroup(_ group: String, of stream: String) async throws(RedisError) {
        _ = try await run(Scripts.MakeGroup(streamKey: stream, group: group))
    }

    /// Lets entries of a stream be taken over that were given out before the clock was set back. Safe to repeat.
    func boundIdle(of stream: String, group: String) async throws(RedisError) {
        _ = try await run(Scripts.BoundIdle(streamKey: stream, group: group, maximum: Self.maximumPending))
    }

    /// Removes the consumers of a group that are gone. Safe to repeat.
    /// - Returns: how many.
    func removeConsumers(
        of stream: String, group: String, idleForMilliseconds idle: Int
    ) async throws(RedisError) -> Int {
        try await run(Scripts.RemoveConsumers(streamKey: stream, group: group, leastIdleMilliseconds: idle))
    }
}
