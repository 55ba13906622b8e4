import EventLoop
import Log
import Redis
import Usher

/// The examination of a Redis, or of each primary of a Redis Cluster, on connections of its own.
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
        client = Self.client(settings, redis, loop)
        self.redis = redis
        self.settings = settings
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    private static func client(_ settings: Settings, _ redis: RedisURL, _ loop: EventLoop) -> Client {
        var configuration = settings.clientConfiguration(redis, name: "usher-doctor")
        // A script that does not load is a finding, and must not end the login.
        configuration.scripts = []
        // Connection troubles are findings, so not in the log as well.
        return Client(loop: loop, configuration: configuration, logger: Logger(minimum: .error))
    }

    /// Connects, looks and disconnects, on the loop's thread. To be called once.
    func findings() async throws(Failure) -> [Finding] {
        client.start()
        defer { client.shutDown() }
        try await logIn(client, redis)
        let deadline = MonotonicTime.now().advanced(byMilliseconds: timeoutMilliseconds)
        guard redis.isCluster else { return try await look(client, redis, until: deadline) }
        // Questions without a key go to any node: so each primary is asked on a connection to it alone.
        var findings: [Finding] = []
        for primary in client.primaries.sorted(by: { "\($0)" < "\($1)" }) {
            var url = redis
            url.location = .tcp(host: primary.host, port: primary.port)
            let direct = Self.client(settings, url, client.loop)
            direct.start()
            defer { direct.shutDown() }
            do throws(Failure) {
                try await logIn(direct, url)
                findings += try await look(direct, url, until: deadline).map { $0.of("\(primary)") }
            } catch {
                findings.append(error.finding)
            }
        }
        return findings
    }

    private func logIn(_ client: Client, _ url: RedisURL) async throws(Failure) {
        switch await client.firstLogin(withinMilliseconds: settings.redisTimeoutMilliseconds) {
        case .ready: break
        case .refused(let text): throw Failure(finding: Doctor.refusedLogin(to: url.redacted, text))
        case nil:
            throw Failure(
                finding: Doctor.silence(
                    of: url.redacted, milliseconds: settings.redisTimeoutMilliseconds, because: client.problem))
        }
    }

    private func look(_ client: Client, _ url: RedisURL, until deadline: MonotonicTime) async throws(Failure)
        -> [Finding]
    {
        do throws(RedisError) {
            let reading = try await Examination(
                client: client, url: url, scheme: String(redis.redacted.prefix { $0 != ":" }),
                timeoutMilliseconds: settings.redisTimeoutMilliseconds, deadline: deadline
            ).read()
            return Doctor.findings(
                reading, settings.storeConfiguration, waitingFor: settings.redisWaitReplicas)
        } catch {
            throw Failure(finding: Doctor.lost(url.redacted, error))
        }
    }

    /// Ends it at whatever it is, on the loop's thread.
    func stop() {
        client.shutDown()
    }
}
