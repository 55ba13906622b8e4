import Log
import Redis

/// What every node does round after round. There is no leader: scripts look again for themselves, and do nothing the second
/// time.
struct Rounds: Sendable {
    private static let roundMilliseconds = 30_000

    let store: Store
    let logger: Logger
    /// The longest pause after a round; a lease's fifth if that is shorter.
    let mostPauseMilliseconds: Int
    /// What is said if a round was cut short.
    let trouble: String

    /// Goes on until the task is cancelled. The pause varies, so that nodes do not fall into step.
    func run(_ round: (Session) async throws(RedisError) -> Void) async {
        let pause = max(50, min(mostPauseMilliseconds, store.configuration.leaseTimeToLiveMilliseconds / 5))
        while !Task.isCancelled {
            do throws(RedisError) {
                try await round(store.session(milliseconds: Self.roundMilliseconds))
            } catch {
                if error != .notConnected { logger.warning(trouble, ["reason": "\(error)"]) }
            }
            await store.client.loop.wait(milliseconds: Int.random(in: pause / 2...pause))
        }
    }

    /// Does something for each of some partitions at once, so that their first questions leave together. One that fails
    /// keeps no other from being done.
    /// - Throws: the first failure, once all are done.
    static func inEach<Work: Sendable>(
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
