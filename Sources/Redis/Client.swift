import EventLoop
import Log

/// Settings of a client. Times in milliseconds.
public struct ClientConfiguration: Sendable {
    public var url: RedisURL
    /// The connection's name in `CLIENT LIST`.
    public var name: String
    /// How long connecting, and logging in with the scripts loaded, may take each.
    public var connectTimeoutMilliseconds = 2_000
    /// The pause before connecting again: from the first to the second value, doubled at each failure, with jitter.
    public var backoffMilliseconds = 25...2_000
    /// Calls that may wait for their replies at once; a further one is refused unsent.
    public var maximumPendingCalls = 16_384
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
    private var isReady = false
    private var isShutDown = false
    private var failures = 0
    /// The SHA-1 of each script, as Redis computed it, in the order of the configuration.
    private var scriptHashes: [String: String] = [:]
    private var loginWaiters: [LoginWaiter] = []
    /// Set when Redis refused a login, until one works: so that each cause is logged once, not at every attempt.
    private var loggedProblem: String?

    public init(loop: EventLoop, configuration: ClientConfiguration, logger: Logger) {
        self.loop = loop
        self.configuration = configuration
        self.logger = logger
    }

    // MARK: Life

    /// Begins to connect. To be called once.
    public func start() {
        loop.preconditionCurrent()
        connect()
    }

    /// Closes the connection for good. Calls that wait fail with `connectionLost`.
    public func shutDown() {
        loop.preconditionCurrent()
        isShutDown = true
        connection?.close(because: "the client shuts down")
    }

    /// Whether commands can be sent at this moment.
    public var isConnected: Bool { isReady }

    /// Waits for the first login that Redis answers.
    /// - Parameter milliseconds: how long; nil waits however long Redis is away.
    /// - Returns: nil if Redis has not answered by then.
    public func firstLogin(withinMilliseconds milliseconds: Int? = nil) async -> LoginOutcome? {
        loop.preconditionCurrent()
        if isReady { return .ready }
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
    /// - Throws: `RedisError` if not every reply arrived.
    public func pipeline(_ commands: [Command], deadline: MonotonicTime) async throws(RedisError) -> [Value] {
        loop.preconditionCurrent()
        guard let connection, isReady else { throw .notConnected }
        guard connection.pendingCount < configuration.maximumPendingCalls else { throw .overloaded }
        return try await Self.exchange(commands, on: connection, loop: loop, deadline: deadline)
    }

    /// Runs a script, with `preceding` commands sent before it in the same write. Returns the script's reply.
    /// The script must be one of the configuration's.
    public func run(
        _ script: Script, keys: [String], arguments: [String], after preceding: Command? = nil, deadline: MonotonicTime
    ) async throws(RedisError) -> Value {
        guard let hash = scriptHashes[script.name] else { throw .notConnected }
        let call = Self.scriptCall("EVALSHA", hash, keys, arguments)
        let commands = if let preceding { [preceding, call] } else { [call] }
        let reply = try await pipeline(commands, deadline: deadline).last!
        guard case .error(let text) = reply else { return reply }
        guard text.hasPrefix("NOSCRIPT") else { throw .refused(text) }
        // Redis has restarted, failed over or been told to forget its scripts. EVAL runs it and makes it known again.
        return try await send(Self.scriptCall("EVAL", script.text, keys, arguments), deadline: deadline)
    }

    private static func scriptCall(
        _ name: String, _ script: String, _ keys: [String], _ arguments: [String]
    ) -> Command {
        var command = Command(name, script)
        command.append(keys.count)
        for key in keys { command.append(key) }
        for argument in arguments { command.append(argument) }
        return command
    }

    private static func exchange(
        _ commands: [Command], on connection: Connection, loop: EventLoop, deadline: MonotonicTime
    ) async throws(RedisError) -> [Value] {
        // Resumed exactly once: a batch completes once, and a connection completes every batch that it was given.
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<[Value], RedisError>, Never>) in
            let batch = Batch(count: commands.count, sentAt: loop.now, deadline: deadline) {
                continuation.resume(returning: $0)
            }
            connection.send(commands, batch)
        }
        return try result.get()
    }

    // MARK: Connecting

    private func connect() {
        guard !isShutDown else { return }
        switch configuration.url.location {
        case .unix(let path): open(.unix(path: path))
        case .tcp(let host, let port):
            Resolver.resolve(host, on: loop) { [weak self] result in
                switch result {
                case .success(let address): self?.open(.address(address, port: port))
                case .failure(let failure): self?.hasFailed("cannot resolve \(host): \(failure.reason)")
                }
            }
        }
    }

    private func open(_ target: Target) {
        guard !isShutDown else { return }
        let connection = Connection(loop: loop)
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
            self?.hasFailed(reason)
        }
        connection.connect(to: target)
    }

    private func logIn(on connection: Connection) {
        var commands: [Command] = []
        if let password = configuration.url.password {
            commands.append(
                configuration.url.user.map { Command("AUTH", $0, password) } ?? Command("AUTH", password))
        }
        if configuration.url.database != 0 { commands.append(Command("SELECT", String(configuration.url.database))) }
        commands.append(Command("CLIENT", "SETNAME", configuration.name))
        let firstScript = commands.count
        commands += configuration.scripts.map { Command("SCRIPT", "LOAD", $0.text) }
        let deadline = loop.now.advanced(byMilliseconds: configuration.connectTimeoutMilliseconds)
        let batch = Batch(count: commands.count, sentAt: loop.now, deadline: deadline) { [weak self] result in
            switch result {
            case .success(let replies): self?.hasLoggedIn(on: connection, replies, firstScript: firstScript)
            case .failure(let error): connection.close(because: "logging in failed: \(error)")
            }
        }
        connection.send(commands, batch)
    }

    private func hasLoggedIn(on connection: Connection, _ replies: [Value], firstScript: Int) {
        for (index, reply) in replies.enumerated() {
            guard case .error(let text) = reply else { continue }
            let script = index >= firstScript ? "script \(configuration.scripts[index - firstScript].name): " : ""
            // A Redis that is still loading its data is on its way: only worth another try.
            if !text.hasPrefix("LOADING") { tellLoginWaiters(.refused(script + text)) }
            return connection.close(because: script + text)
        }
        for (script, reply) in zip(configuration.scripts, replies[firstScript...]) {
            scriptHashes[script.name] = reply.string
        }
        isReady = true
        failures = 0
        loggedProblem = nil
        logger.info("Connected to Redis", ["redis": configuration.url.redacted, "loop": loop.name])
        tellLoginWaiters(.ready)
    }

    private func tellLoginWaiters(_ outcome: LoginOutcome) {
        let waiters = loginWaiters
        loginWaiters = []
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    private func hasFailed(_ reason: String) {
        connection = nil
        isReady = false
        guard !isShutDown else { return }
        if reason != loggedProblem {
            loggedProblem = reason
            logger.warning(
                "No connection to Redis; trying again",
                ["redis": configuration.url.redacted, "reason": reason, "loop": loop.name])
        }
        let bounds = configuration.backoffMilliseconds
        let ceiling = min(bounds.upperBound, bounds.lowerBound << min(failures, 16))
        failures += 1
        loop.schedule(afterMilliseconds: Int.random(in: ceiling / 2...ceiling)) { [weak self] in self?.connect() }
    }
}
