import Archive
import EventLoop
import Log
import Processes
import Redis
import Usher

/// The records in Redis, for a command that works without a node.
enum Records {
    struct Unreachable: Error, CustomStringConvertible {
        let description: String
    }

    /// How long a command may take in all.
    private static let timeoutMilliseconds = 30_000

    /// Connects, runs `body` and disconnects.
    /// - Parameter archive: where transcripts may be.
    /// - Throws: `Unreachable`, or what `body` throws.
    static func use<Result: Sendable>(
        _ settings: Settings, redis: RedisURL, archive: Archive? = nil,
        _ body: @escaping @Sendable (Session) async throws -> Result
    ) throws -> Result {
        let loop = try EventLoop(name: "command")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        var configuration = settings.clientConfiguration(redis, name: "usher-command")
        configuration.replicaWait = settings.replicaWait
        // Connection troubles are told in one sentence, so not in the log as well.
        let client = Client(loop: loop, configuration: configuration, logger: Logger(minimum: .error))
        let store = Store(client: client, configuration: settings.storeConfiguration, archive: archive)
        let connecting = settings.redisTimeoutMilliseconds
        return try MainThread.run(on: loop) {
            client.start()
            defer { client.shutDown() }
            switch await client.firstLogin(withinMilliseconds: connecting) {
            case .ready: break
            case .refused(let text): throw Unreachable(description: "Redis at \(redis.redacted) refuses: \(text)")
            case nil:
                throw Unreachable(
                    description: "Redis at \(redis.redacted) does not answer\(Doctor.why(client.problem)). "
                        + "Start it, or name another with --redis.")
            }
            return try await body(store.session(milliseconds: timeoutMilliseconds))
        }
    }
}
