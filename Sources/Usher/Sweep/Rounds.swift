import Log
import Redis

/// What every node does round after round. There is no leader: scripts look again for themselves, and do nothing the second
/// time.
public enum Rounds {
    private static let roundMilliseconds = 30_000

    /// The pause after a round, or a lease's fifth if that is shorter.
    static func pause(_ milliseconds: Int, _ store: Store) -> Int {
        max(50, min(milliseconds, store.configuration.leaseTimeToLiveMilliseconds / 5))
    }

    /// - Parameter trouble: what is said if the round was cut short.
    static func goOne(
        _ store: Store, _ logger: Logger, trouble: String, _ round: (Session) async throws(RedisError) -> Void
    ) async {
        do throws(RedisError) {
            try await round(store.session(milliseconds: roundMilliseconds))
        } catch {
            if error != .notConnected { logger.warning(trouble, ["reason": "\(error)"]) }
        }
    }

    /// Does something for each of some partitions, or of other things, at once (`atOnce`).
    /// - Throws: the first failure, once all are done.
    public static func inEach<Work: Sendable>(
        _ work: [Work], _ body: @escaping @Sendable (Work) async throws(RedisError) -> Void
    ) async throws(RedisError) {
        if let failure = await atOnce(work, body).failures.first { throw failure }
    }
}
