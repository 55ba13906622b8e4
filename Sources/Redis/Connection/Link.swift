import EventLoop
import Log
import TLS

/// One connection to one Redis, kept up by reconnecting for as long as the link lives.
///
/// Commands issued in one turn of the loop leave in one write. Nothing is sent twice.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, as the client does that it is a part of.
final class Link: @unchecked Sendable {
    enum State {
        /// On its way to be ready for the first time.
        case new
        case ready(since: MonotonicTime)
        /// The last attempt failed, or the connection was lost; the next attempt is under way.
        case failed
    }

    private let loop: EventLoop
    private let configuration: ClientConfiguration
    private let logger: Logger
    private let finder: PrimaryFinder
    private var connection: Connection?
    private(set) var state = State.new
    private var isShutDown = false
    private var hasBeenReady = false
    private var backoff: Backoff
    /// Of the last connection: what is known of replicas outlives it.
    private var quorum: ReplicaQuorum?
    /// By the script's name: the SHA-1 of its text, as Redis computed it.
    private(set) var scriptHashes: [String: String] = [:]
    /// Why the last attempt failed or the connection was lost, until one works: so that each cause is logged once, not at
    /// every attempt.
    private(set) var problem: String?

    /// Called at each login that Redis has answered for good.
    var onLogin: ((Client.LoginOutcome) -> Void)?
    /// Called at each attempt that failed, and when a connection is lost.
    var onFailure: (() -> Void)?

    init(loop: EventLoop, configuration: ClientConfiguration, logger: Logger) {
        self.loop = loop
        self.configuration = configuration
        self.logger = logger
        finder = PrimaryFinder(configuration, loop: loop, logger: logger)
        backoff = Backoff(bounds: configuration.backoffMilliseconds)
        quorum = configuration.replicaWait.map(ReplicaQuorum.init)
    }

    /// Begins to connect. To be called once.
    func start() {
        finder.onSwitch = { [weak self] in self?.connection?.close(because: "another Redis is the primary now") }
        connect()
    }

    /// Closes the connection for good; everything pending fails as lost.
    func shutDown() {
        isShutDown = true
        onLogin = nil
        onFailure = nil
        finder.stop()
        connection?.close(because: Client.shutDownReason)
    }

    var isReady: Bool { if case .ready = state { true } else { false } }
    var hasFailed: Bool { if case .failed = state { true } else { false } }

    /// Whether no call waits for a reply.
    var isIdle: Bool { !isReady || connection!.pendingCount == 0 }

    /// Checks and sends in one step: between them no other call may take what room there is.
    /// - Parameter isChange: see `Batch.isChange`.
    func submit(
        _ commands: [Command], isChange: ((Value) -> Bool)? = nil, deadline: MonotonicTime,
        completion: @escaping (Result<[Value], RedisError>) -> Void
    ) {
        func refuse(_ error: RedisError) {
            configuration.metrics.note(error)
            completion(.failure(error))
        }
        guard let connection, isReady else { return refuse(.notConnected) }
        guard connection.pendingCount < configuration.maximumPendingCalls,
            connection.unsentBytes < configuration.maximumUnsentBytes
        else { return refuse(.overloaded) }
        guard deadline > loop.now else { return refuse(.deadlinePassed) }
        configuration.metrics.commands += commands.count
        let batch = Batch(count: commands.count, sentAt: loop.now, deadline: deadline, completion: completion)
        batch.isChange = isChange
        connection.send(commands, batch)
    }

    // MARK: Connecting

    private func connect() {
        guard !isShutDown else { return }
        finder.find { [weak self] result in
            switch result {
            case .success(let targets): self?.open(targets[...])
            case .failure(let failure): self?.fail(failure.reason)
            }
        }
    }

    /// Tries the first target, and on failure the rest.
    func open(_ targets: ArraySlice<Target>) {
        guard !isShutDown, let target = targets.first else { return }
        let tls: TLSContext?
        do throws(TLSContext.Invalid) {
            tls = try configuration.encryption
        } catch {
            return fail("\(error)")
        }
        let connection = Connection(
            loop: loop,
            silenceLimitMilliseconds: configuration.silenceLimitMilliseconds
                + (configuration.replicaWait?.milliseconds ?? 0),
            quorum: quorum, tls: tls, metrics: configuration.metrics)
        self.connection = connection
        let timeout = loop.schedule(afterMilliseconds: configuration.connectTimeoutMilliseconds) {
            [weak connection] in connection?.close(because: connection?.reasonOfDelay ?? "")
        }
        connection.onConnect = { [weak self] in
            timeout.cancel()
            self?.logIn(on: connection)
        }
        connection.onClose = { [weak self] reason in
            timeout.cancel()
            self?.fail(reason, remaining: targets.dropFirst())
        }
        connection.connect(to: target)
    }

    private func fail(_ reason: String, remaining: ArraySlice<Target> = []) {
        quorum = connection?.quorum ?? quorum
        connection = nil
        var readyMilliseconds: Int?
        if case .ready(let since) = state { readyMilliseconds = loop.now.milliseconds(since: since) }
        if readyMilliseconds == nil, !remaining.isEmpty, !isShutDown { return open(remaining) }
        state = .failed
        guard !isShutDown else { return }
        if reason != problem {
            problem = reason
            logger.warning(
                "No connection to Redis; trying again",
                ["redis": configuration.url.redacted, "reason": reason, "loop": loop.name])
        }
        let pause = backoff.next(afterReadyFor: readyMilliseconds)
        loop.schedule(afterMilliseconds: pause) { [weak self] in self?.connect() }
        onFailure?()
    }

    // MARK: Logging in

    private func logIn(on connection: Connection) {
        let login = Login(configuration)
        let deadline = loop.now.advanced(byMilliseconds: configuration.connectTimeoutMilliseconds)
        let batch = Batch(count: login.commands.count, sentAt: loop.now, deadline: deadline) { [weak self] result in
            switch result {
            case .success(let replies): self?.hasLoggedIn(on: connection, login.outcome(of: replies))
            case .failure(let error): connection.close(because: "logging in failed: \(error)")
            }
        }
        connection.send(login.commands, batch)
    }

    private func hasLoggedIn(on connection: Connection, _ outcome: Login.Outcome) {
        switch outcome {
        case .ready(let scriptHashes):
            self.scriptHashes = scriptHashes
            state = .ready(since: loop.now)
            connection.lookAtReplicas()
            if hasBeenReady { configuration.metrics.reconnections += 1 }
            hasBeenReady = true
            problem = nil
            logger.info("Connected to Redis", ["redis": configuration.url.redacted, "loop": loop.name])
            onLogin?(.ready)
        case .notYet(let reason):
            connection.close(because: reason)
        case .refused(let reason):
            onLogin?(.refused(reason))
            connection.close(because: reason)
        }
    }
}
