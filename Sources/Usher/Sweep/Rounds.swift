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

    /// Does something for each of some partitions, or of other things, at once, so that their first questions leave together. One that fails
    /// keeps no other from being done.
    /// - Throws: the first failure, once all are done.
    public static func inEach<Work: Sendable>(
        _ work: [Work], _ body: @escaping @Sendable (Work) async throws(RedisError) -> Void
    ) async throws(RedisError) {
        let failures = await withTaskGroup(of: RedisError?.self) { group in
            for one in work {
                group.addTask {
                    do throws(RedisError) {
                        try await body(one)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: []) { failures, failure in failures += failure.map { [$0] } ?? [] }
        }
        if let failure = failures.first { throw failure }
    }
}
