import EventLoop
import Log

/// Settings of a client. Times in milliseconds.
public struct ClientConfiguration: Sendable {
    public var url: RedisURL
    /// The connection's name in `CLIENT LIST`.
    public var name: String
    /// How long connecting to an address, and logging in with the scripts loaded, may take each.
    public var connectTimeoutMilliseconds = 2_000
    /// The pause before connecting again: from the first to the second value, doubled at each failure, with jitter.
    public var backoffMilliseconds = 25...2_000
    /// A connection is given up when a deadline passed and nothing at all came back for this long: a shorter silence
    /// may be a slow script, and connecting again would not make Redis faster.
    public var silenceLimitMilliseconds = 1_000
    /// Calls that may wait for their replies at once; a further one is refused unsent.
    public var maximumPendingCalls = 16_384
    /// Bytes that may wait for the socket to take them; a call beyond that is refused unsent.
    public var maximumUnsentBytes = 16 << 20
    /// Loaded at each connection, before the client is ready.
    public var scripts: [Script]

    public init(url: RedisURL, name: String, scripts: [Script] = []) {
        self.url = url
        self.name = name
        self.scripts = scripts
    }
}

/// A Redis client of one event loop: one connection, kept up by reconnecting for as long as the client lives.
///
/// Commands issued in one turn of the loop leave in one write. Nothing is sent twice by the client itself, but for a
/// script that Redis answered NOSCRIPT to, and so did not run.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class Client: @unchecked Sendable {
    /// How logging in ended. A refusal is Redis' own words: a wrong password, or a script that does not compile.
    public enum LoginOutcome: Sendable, Equatable {
        case ready
        case refused(String)
    }

    public let loop: EventLoop
    private let configuration: ClientConfiguration
    private let logger: Logger
    private var connection: Connection?
    /// When the connection became ready for commands; nil while there is none that is.
    private var readySince: MonotonicTime?
    private var isShutDown = false
    private var backoff: Backoff
    /// By the script's name: the SHA-1 of its text, as Redis computed it.
    private var scriptHashes: [String: String] = [:]
    private var loginWaiters: [LoginWaiter] = []
    /// Why there is no connection, until one works: so that each cause is logged once, not at every attempt.
    private var loggedProblem: String?

    public init(loop: EventLoop, configuration: ClientConfiguration, logger: Logger) {
        self.loop = loop
        self.configuration = configuration
        self.logger = logger
        backoff = Backoff(bounds: configuration.backoffMilliseconds)
    }

    // MARK: Life

    /// Begins to connect. To be called once.
    public func start() {
        loop.preconditionCurrent()
        connect()
    }

    /// Closes the connection for good. Calls that wait fail with `connectionLost`, and a login that is waited for ends
    /// as refused. A client must be shut down before it is let go: the loop keeps its connection alive.
    public func shutDown() {
        loop.preconditionCurrent()
        isShutDown = true
        connection?.close(because: Self.shutDownReason)
        tellLoginWaiters(.refused(Self.shutDownReason))
    }

    private static let shutDownReason = "the client was shut down"

    /// Whether commands can be sent at this moment.
    public var isConnected: Bool { readySince != nil }

    /// Waits for the first login that Redis answers.
    /// - Parameter milliseconds: how long; nil waits however long Redis is away.
    /// - Returns: nil if Redis has not answered by then.
    public func firstLogin(withinMilliseconds milliseconds: Int? = nil) async -> LoginOutcome? {
        loop.preconditionCurrent()
        if isConnected { return .ready }
        if isShutDown { return .refused(Self.shutDownReason) }
        return await withUnsafeContinuation { (continuation: UnsafeContinuation<LoginOutcome?, Never>) in
            let waiter = LoginWaiter(continuation)
            loginWaiters.append(waiter)
            if let milliseconds {
                loop.schedule(afterMilliseconds: milliseconds) { waiter.resume(returning: nil) }
            }
        }
    }

    /// Resumed once, by whatever comes first.
    private final class LoginWaiter {
        private var continuation: UnsafeContinuation<LoginOutcome?, Never>?

        init(_ continuation: UnsafeContinuation<LoginOutcome?, Never>) {
            self.continuation = continuation
        }

        func resume(returning outcome: LoginOutcome?) {
            continuation?.resume(returning: outcome)
            continuation = nil
        }
    }

    // MARK: Commands

    /// Sends one command. An error reply is thrown as `RedisError.refused`.
    public func send(_ command: Command, deadline: MonotonicTime) async throws(RedisError) -> Value {
        let reply = try await pipeline([command], deadline: deadline)[0]
        if case .error(let text) = reply { throw .refused(text) }
        return reply
    }

    /// Sends commands in one write, and returns their replies in order. Error replies are among them as values.
    /// - Throws: `RedisError` if not every reply arrived. Nothing is sent after `deadline`.
    public func pipeline(_ commands: [Command], deadline: MonotonicTime) async throws(RedisError) -> [Value] {
        loop.preconditionCurrent()
        if commands.isEmpty { return [] }
        // Resumed exactly once: a batch completes once, and a connection completes every batch that it was given.
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<[Value], RedisError>, Never>) in
            submit(commands, deadline: deadline) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Checks and sends in one step: between them no other call may take what room there is.
    private func submit(
        _ commands: [Command], deadline: MonotonicTime, completion: @escaping (Result<[Value], RedisError>) -> Void
    ) {
        guard let connection, isConnected else { return completion(.failure(.notConnected)) }
        guard connection.pendingCount < configuration.maximumPendingCalls,
            connection.unsentBytes < configuration.maximumUnsentBytes
        else { return completion(.failure(.overloaded)) }
        guard deadline > loop.now else { return completion(.failure(.deadlinePassed)) }
        let batch = Batch(count: commands.count, sentAt: loop.now, deadline: deadline, completion: completion)
        connection.send(commands, batch)
    }

    /// Runs a script, with `preceding` commands sent before it in the same write. Returns the script's reply.
    /// The script must be one of the configuration's.
    public func run(
        _ script: Script, keys: [String], arguments: [String], after preceding: Command? = nil, deadline: MonotonicTime
    ) async throws(RedisError) -> Value {
        guard let hash = scriptHashes[script.name] else {
            precondition(configuration.scripts.contains { $0.name == script.name }, "an unknown script: \(script.name)")
            throw .notConnected
        }
        let call = Self.scriptCall("EVALSHA", hash, keys, arguments)
        let commands = if let preceding { [preceding, call] } else { [call] }
        let replies = try await pipeline(commands, deadline: deadline)
        // What the script rests on was refused (out of memory, a replica, ...): that is the answer, not what it found.
        if preceding != nil, case .error(let text) = replies[0] { throw .refused(text) }
        let reply = replies.last!
        guard case .error(let text) = reply else { return reply }
        guard text.hasPrefix("NOSCRIPT") else { throw .refused(text) }
        // Redis has restarted, failed over or been told to forget its scripts. EVAL runs it and makes it known again.
        return try await send(Self.scriptCall("EVAL", script.text, keys, arguments), deadline: deadline)
    }

    private static func scriptCall(
        _ name: String, _ script: String, _ keys: [String], _ arguments: [String]
    ) -> Command {
        var command = Command(name: name, argumentCount: 2 + keys.count + arguments.count)
        command.append(script)
        command.append(String(keys.count))
        for key in keys { command.append(key) }
        for argument in arguments { command.append(argument) }
        return command
    }

    // MARK: Connecting

    private func connect() {
        guard !isShutDown else { return }
        Target.resolve(configuration.url, on: loop) { [weak self] result in
            switch result {
            case .success(let targets): self?.open(targets[...])
            case .failure(let failure): self?.hasFailed(failure.reason)
            }
        }
    }

    /// Tries the first target, and on failure the rest.
    func open(_ targets: ArraySlice<Target>) {
        guard !isShutDown, let target = targets.first else { return }
        let connection = Connection(loop: loop, silenceLimitMilliseconds: configuration.silenceLimitMilliseconds)
        self.connection = connection
        let timeout = loop.schedule(afterMilliseconds: configuration.connectTimeoutMilliseconds) {
            [weak connection] in connection?.close(because: "connecting took too long")
        }
        connection.onConnect = { [weak self] in
            timeout.cancel()
            self?.logIn(on: connection)
        }
        connection.onClose = { [weak self] reason in
            timeout.cancel()
            self?.hasFailed(reason, remaining: targets.dropFirst())
        }
        connection.connect(to: target)
    }

    private func hasFailed(_ reason: String, remaining: ArraySlice<Target> = []) {
        let readySince = self.readySince
        connection = nil
        self.readySince = nil
        guard !isShutDown else { return }
        if readySince == nil, !remaining.isEmpty { return open(remaining) }
        if reason != loggedProblem {
            loggedProblem = reason
            logger.warning(
                "No connection to Redis; trying again",
                ["redis": configuration.url.redacted, "reason": reason, "loop": loop.name])
        }
        let pause = backoff.next(afterReadyFor: readySince.map { loop.now.milliseconds(since: $0) })
        loop.schedule(afterMilliseconds: pause) { [weak self] in self?.connect() }
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
            readySince = loop.now
            loggedProblem = nil
            logger.info("Connected to Redis", ["redis": configuration.url.redacted, "loop": loop.name])
            tellLoginWaiters(.ready)
        case .notYet(let reason):
            connection.close(because: reason)
        case .refused(let reason):
            tellLoginWaiters(.refused(reason))
            connection.close(because: reason)
        }
    }

    private func tellLoginWaiters(_ outcome: LoginOutcome) {
        let waiters = loginWaiters
        loginWaiters = []
        for waiter in waiters { waiter.resume(returning: outcome) }
    }
}
