import EventLoop
import Log
import Redis
import Usher

/// The examination of a Redis, on a connection of its own.
struct RedisExamination: Sendable {
    /// Why there are no findings but this.
    struct Failure: Error {
        let finding: Finding
    }

    private let client: Client
    private let redis: RedisURL
    private let settings: Settings
    private let timeoutMilliseconds: Int

    /// - Parameter timeoutMilliseconds: of the whole, from the connection's login.
    init(_ settings: Settings, _ redis: RedisURL, loop: EventLoop, timeoutMilliseconds: Int) {
        var configuration = settings.clientConfiguration(redis, name: "usher-doctor")
        // A script that does not load is a finding, and must not end the login.
        configuration.scripts = []
        // Connection troubles are findings, so not in the log as well.
        client = Client(loop: loop, configuration: configuration, logger: Logger(minimum: .error))
        self.redis = redis
        self.settings = settings
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Connects, looks and disconnects, on the loop's thread. To be called once.
    func findings() async throws(Failure) -> [Finding] {
        client.start()
        defer { client.shutDown() }
        switch await client.firstLogin(withinMilliseconds: settings.redisTimeoutMilliseconds) {
        case .ready: break
        case .refused(let text): throw Failure(finding: Doctor.refusedLogin(to: redis.redacted, text))
        case nil:
            throw Failure(
                finding: Doctor.silence(of: redis.redacted, milliseconds: settings.redisTimeoutMilliseconds))
        }
        do throws(RedisError) {
            let reading = try await Examination(
                client: client, url: redis, timeoutMilliseconds: settings.redisTimeoutMilliseconds,
                deadline: .now().advanced(byMilliseconds: timeoutMilliseconds)
            ).read()
            return Doctor.findings(reading, settings.storeConfiguration)
        } catch {
            throw Failure(finding: Doctor.lost(redis.redacted, error))
        }
    }

    /// Ends it at whatever it is, on the loop's thread.
    func stop() {
        client.shutDown()
    }
}
