import EventLoop
import Log
import TLS

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
    /// Whether calls block, so that each is to have a connection of its own. Of use with a cluster, whose blocking reads
    /// are one for each stream; elsewhere one read takes them all.
    public var isForBlockingReads = false
    /// Loaded at each connection, before the client is ready.
    public var scripts: [Script]
    /// How connections are encrypted if the URL asks for that; nil: as the system's authorities have it.
    public var tls: TLSContext?
    /// What changes wait for that are asked for with `isChange`; nil: for nothing.
    public var replicaWait: ReplicaWait?
    /// Of the client that goes by these settings.
    var metrics = ClientMetrics()

    public init(url: RedisURL, name: String, scripts: [Script] = []) {
        self.url = url
        self.name = name
        self.scripts = scripts
    }

    /// The same for another client.
    public func named(_ name: String) -> ClientConfiguration {
        var configuration = self
        configuration.name = name
        return configuration
    }

    /// What encrypts connections; nil: they are not to be.
    /// - Throws: `TLSContext.Invalid` if they are to be and cannot.
    var encryption: TLSContext? {
        get throws(TLSContext.Invalid) {
            guard url.isEncrypted else { return nil }
            if let tls { return tls }
            return try TLSContext.shared()
        }
    }
}

/// On how many replicas a change is to be, and for how long that is waited for (WAIT). Those that have been away for long
/// are not waited for, down to a majority of the servers (docs/architecture.md, "Failovers"). Such a client is best used for
/// these changes alone, since Redis runs none of a connection's later commands while it waits.
public struct ReplicaWait: Sendable {
    public var replicas: Int
    public var milliseconds: Int
    /// For how long: so long that in what any Sentinel has heard such a replica is behind all that are there. Each of them
    /// asks every 10 s (INFO), and a primary sends something every 10 s at least (repl-ping-replica-period).
    public var awayMilliseconds = 30_000
    /// How many are waited for at least: with the primary a majority of the servers that there are to be.
    public var fewest: Int { (replicas + 1) / 2 }

    public init(replicas: Int, milliseconds: Int) {
        self.replicas = replicas
        self.milliseconds = milliseconds
    }
}

/// A Redis client of one event loop: one connection, or one to each primary of a cluster, kept up by reconnecting for as
/// long as the client lives.
///
/// Commands issued in one turn of the loop leave in one write a connection. Nothing is sent twice by the client itself,
/// but for what Redis says that it did not run: a script that it does not know, a slot that is another node's.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class Client: @unchecked Sendable {
    /// How logging in ended. A refusal is Redis' own words: a wrong password, or a script that does not compile.
    public enum LoginOutcome: Sendable, Equatable {
        case ready
        case refused(String)
    }

    public let loop: EventLoop
    /// Only on the loop's thread.
    public let metrics: ClientMetrics
    private let configuration: ClientConfiguration
    var isForBlockingReads: Bool { configuration.isForBlockingReads }
    private let server: Server
    private var isShutDown = false
    private let loginWaiters: Waiters<LoginOutcome>

    public init(loop: EventLoop, configuration: ClientConfiguration, logger: Logger) {
        self.loop = loop
        loginWaiters = Waiters(loop: loop)
        // Its own, though settings are copied from one client to the next.
        var configuration = configuration
        metrics = ClientMetrics()
        configuration.metrics = metrics
        self.configuration = configuration
        if case .cluster(let seeds) = configuration.url.location {
            let cluster = Cluster(seeds: seeds, loop: loop, configuration: configuration, logger: logger)
            server = .cluster(cluster)
            cluster.onLogin = { [loginWaiters] in loginWaiters.tell($0) }
        } else {
            let link = Link(loop: loop, configuration: configuration, logger: logger)
            server = .single(link)
            link.onLogin = { [loginWaiters] in loginWaiters.tell($0) }
        }
    }

    /// What answers the commands.
    private enum Server {
        case single(Link)
        case cluster(Cluster)
    }

    /// Whether of several nodes some may be away.
    public var isOfCluster: Bool { if case .cluster = server { true } else { false } }

    // MARK: Life

    /// Begins to connect. To be called once.
    public func start() {
        loop.preconditionCurrent()
        switch server {
        case .single(let link): link.start()
        case .cluster(let cluster): cluster.start()
        }
    }

    /// Closes the connection for good. Calls that wait fail with `connectionLost`, and a login that is waited for ends
    /// as refused. A client must be shut down before it is let go: the loop keeps its connection alive.
    public func shutDown() {
        loop.preconditionCurrent()
        isShutDown = true
        switch server {
        case .single(let link): link.shutDown()
        case .cluster(let cluster): cluster.shutDown()
        }
        loginWaiters.tell(.refused(Self.shutDownReason))
    }

    static let shutDownReason = "the client was shut down"

    /// Whether commands can be sent at this moment. Of a cluster: to some node; which ones a command needs only it tells.
    public var isConnected: Bool {
        switch server {
        case .single(let link): link.isReady
        case .cluster(let cluster): cluster.isReady
        }
    }

    /// Why the last attempt to connect failed, or what ended the connection, in words for people and without secrets; nil
    /// if nothing has failed yet, or a connection works.
    public var problem: String? {
        switch server {
        case .single(let link): link.problem
        case .cluster(let cluster): cluster.problem
        }
    }

    /// Where the primaries of a cluster are, as far as its map is known; empty for any other Redis.
    public var primaries: [NodeAddress] {
        switch server {
        case .single: []
        case .cluster(let cluster): cluster.primaries
        }
    }

    /// Waits for the first login that Redis answers.
    /// - Parameter milliseconds: how long; nil waits however long Redis is away.
    /// - Returns: nil if Redis has not answered by then.
    public func firstLogin(withinMilliseconds milliseconds: Int? = nil) async -> LoginOutcome? {
        loop.preconditionCurrent()
        if isConnected { return .ready }
        if isShutDown { return .refused(Self.shutDownReason) }
        return await loginWaiters.wait(milliseconds: milliseconds)
    }

    // MARK: Commands

    /// Sends one command. An error reply is thrown as `RedisError.refused`.
    public func send(_ command: Command, deadline: MonotonicTime) async throws(RedisError) -> Value {
        let reply = try await pipeline([command], deadline: deadline)[0]
        if case .error(let text) = reply { throw .refused(text) }
        return reply
    }

    /// Sends commands to every primary, as those on what each server keeps to itself, such as its users.
    /// - Returns: their replies, of each primary that gave them. Of a cluster those that cannot be reached are left out.
    /// - Throws: `refused` if one of the replies is an error, another error if no primary could be reached.
    public func sendToEach(_ commands: [Command], deadline: MonotonicTime) async throws(RedisError) -> [[Value]] {
        if commands.isEmpty { return [] }
        var answers: [[Value]] = []
        if case .cluster(let cluster) = server, !cluster.primaries.isEmpty {
            var failure = RedisError.notConnected
            for address in cluster.primaries {
                do throws(RedisError) {
                    answers.append(try await replies(to: commands, of: address, in: cluster, deadline: deadline))
                } catch {
                    failure = error
                }
            }
            if answers.isEmpty { throw failure }
        } else {
            answers.append(try await pipeline(commands, deadline: deadline))
        }
        for case .error(let text) in answers.joined() { throw .refused(text) }
        return answers
    }

    /// A primary that nothing was sent to before is connected to first.
    private func replies(
        to commands: [Command], of address: NodeAddress, in cluster: Cluster, deadline: MonotonicTime
    ) async throws(RedisError) -> [Value] {
        while cluster.isConnecting(to: address), MonotonicTime.now() < deadline { await loop.wait(milliseconds: 5) }
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<[Value], RedisError>, Never>) in
            cluster.submit(commands, to: address, deadline: deadline) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Sends commands in one write, and returns their replies in order. Error replies are among them as values.
    /// - Throws: `RedisError` if not every reply arrived. Nothing is sent after `deadline`.
    public func pipeline(_ commands: [Command], deadline: MonotonicTime) async throws(RedisError) -> [Value] {
        if commands.isEmpty { return [] }
        return try await replies(to: commands, areDependent: false, isChange: nil, deadline: deadline)
    }

    /// As `pipeline`, of changes that are to be on replicas before they count, each on those of its own primary; see
    /// `run`.
    public func change(_ commands: [Command], deadline: MonotonicTime) async throws(RedisError) -> [Value] {
        try await replies(
            to: commands, areDependent: false, isChange: configuration.replicaWait == nil ? nil : { _ in true },
            deadline: deadline)
    }

    /// - Parameter areDependent: whether each command rests on those before it.
    private func replies(
        to commands: [Command], areDependent: Bool, isChange: ((Value) -> Bool)?, deadline: MonotonicTime
    ) async throws(RedisError) -> [Value] {
        loop.preconditionCurrent()
        // Resumed exactly once: a batch completes once, and a connection completes every batch that it was given.
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<[Value], RedisError>, Never>) in
            switch server {
            case .single(let link):
                link.submit(commands, isChange: isChange, deadline: deadline) { continuation.resume(returning: $0) }
            case .cluster(let cluster):
                cluster.submit(commands, areDependent: areDependent, isChange: isChange, deadline: deadline) {
                    continuation.resume(returning: $0)
                }
            }
        }
        return try result.get()
    }

    /// Runs a script, which must be one of the configuration's, and returns its reply.
    /// - Parameter isChange: whether its reply tells of a change that is to be on replicas; of use only to a client that
    ///   is configured to wait for them. One that is not on enough of them in time is thrown as `notReplicated`.
    public func run(
        _ script: Script, keys: [String], arguments: [String], isChange: ((Value) -> Bool)? = nil,
        deadline: MonotonicTime
    ) async throws(RedisError) -> Value {
        try await run(
            script, keys: keys, arguments: arguments, after: nil, isChange: isChange, deadline: deadline
        ).script
    }

    /// The same, with a command sent before the script in the same write; nil sends none, and has no reply.
    public func run(
        _ script: Script, keys: [String], arguments: [String], after preceding: Command?,
        isChange: ((Value) -> Bool)? = nil, deadline: MonotonicTime
    ) async throws(RedisError) -> (preceding: Value, script: Value) {
        guard let hash = scriptHashes[script.name] else {
            precondition(configuration.scripts.contains { $0.name == script.name }, "an unknown script: \(script.name)")
            throw .notConnected
        }
        let call = Self.scriptCall("EVALSHA", hash, keys, arguments)
        let commands = if let preceding { [preceding, call] } else { [call] }
        let isChange = configuration.replicaWait == nil ? nil : isChange
        let replies = try await replies(to: commands, areDependent: true, isChange: isChange, deadline: deadline)
        // What the script rests on was refused (out of memory, a replica, ...): that is the answer, not what it found.
        if preceding != nil, case .error(let text) = replies[0] { throw .refused(text) }
        let before = preceding == nil ? .null : replies[0]
        let reply = replies.last!
        guard case .error(let text) = reply else { return (before, reply) }
        guard text.hasPrefix("NOSCRIPT") else { throw .refused(text) }
        // Redis has restarted, failed over or been told to forget its scripts. EVAL runs it and makes it known again.
        let again = Self.scriptCall("EVAL", script.text, keys, arguments)
        var result = try await self.replies(
            to: [again], areDependent: true, isChange: isChange, deadline: deadline)[0]
        if case .error(let text) = result, Script.isCompileError(text), let plain = script.withoutFlags {
            let call = Self.scriptCall("EVAL", plain, keys, arguments)
            result = try await self.replies(to: [call], areDependent: true, isChange: isChange, deadline: deadline)[0]
        }
        if case .error(let text) = result { throw .refused(text) }
        return (before, result)
    }

    /// The call of a script as a command, to be sent among others. If Redis does not know the script any more, the reply
    /// to it is the error NOSCRIPT, and `run` makes it known again.
    /// - Returns: nil before the first login.
    public func call(_ script: Script, keys: [String], arguments: [String]) -> Command? {
        scriptHashes[script.name].map { Self.scriptCall("EVALSHA", $0, keys, arguments) }
    }

    /// By the script's name: the SHA-1 of its text, as Redis computed it.
    private var scriptHashes: [String: String] {
        switch server {
        case .single(let link): link.scriptHashes
        case .cluster(let cluster): cluster.scriptHashes
        }
    }

    private static func scriptCall(
        _ name: String, _ script: String, _ keys: [String], _ arguments: [String]
    ) -> Command {
        Command([name, script, String(keys.count)], keys, arguments)
    }
}
