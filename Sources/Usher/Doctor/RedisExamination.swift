import EventLoop
import Log
import Redis

/// The examination of a Redis, or of each primary of a Redis Cluster, on connections of its own.
public struct RedisExamination: Sendable {
    /// Why there are no findings but this.
    public struct Failure: Error {
        public let finding: Finding
    }

    /// What is looked at, and what is expected there.
    public struct Patient: Sendable {
        let connection: ClientConfiguration
        let store: StoreConfiguration
        let replicas: Int

        /// - Parameters:
        ///   - connection: how it is reached.
        ///   - replicas: on how many of them changes are to be.
        public init(_ connection: ClientConfiguration, _ store: StoreConfiguration, waitingFor replicas: Int) {
            self.connection = connection
            self.store = store
            self.replicas = replicas
        }
    }

    private let patient: Patient
    private let client: Client
    private let timeoutMilliseconds: Int

    /// - Parameter timeoutMilliseconds: of the whole, from the connection's login.
    public init(_ patient: Patient, loop: EventLoop, timeoutMilliseconds: Int) {
        self.patient = patient
        client = Self.client(patient.connection, patient.connection.url, loop)
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    private static func client(
        _ connection: ClientConfiguration, _ url: RedisURL, _ loop: EventLoop
    ) -> Client {
        var configuration = connection.named("usher-doctor")
        configuration.url = url
        // A script that does not load is a finding, and must not end the login.
        configuration.scripts = []
        // Connection troubles are findings, so not in the log as well.
        return Client(loop: loop, configuration: configuration, logger: Logger(minimum: .error))
    }

    /// Connects, looks and disconnects, on the loop's thread. To be called once.
    public func findings() async throws(Failure) -> [Finding] {
        let redis = patient.connection.url
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
            let direct = Self.client(patient.connection, url, client.loop)
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
        let timeout = patient.store.redisTimeoutMilliseconds
        switch await client.firstLogin(withinMilliseconds: timeout) {
        case .ready: break
        case .refused(let text): throw Failure(finding: Doctor.refusedLogin(to: url.redacted, text))
        case nil:
            throw Failure(
                finding: Doctor.silence(of: url.redacted, milliseconds: timeout, because: client.problem))
        }
    }

    private func look(_ client: Client, _ url: RedisURL, until deadline: MonotonicTime) async throws(Failure)
        -> [Finding]
    {
        do throws(RedisError) {
            let reading = try await Examination(
                client: client, url: url, scheme: String(patient.connection.url.redacted.prefix { $0 != ":" }),
                timeoutMilliseconds: patient.store.redisTimeoutMilliseconds, deadline: deadline
            ).read()
            return Doctor.findings(reading, patient.store, waitingFor: patient.replicas)
        } catch {
            throw Failure(finding: Doctor.lost(url.redacted, error))
        }
    }

    /// Ends it at whatever it is, on the loop's thread.
    public func stop() {
        client.shutDown()
    }
}
