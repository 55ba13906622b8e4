import EventLoop
import Log
import TLS

/// What a subscriber tells its owner, on the thread of its loop.
public enum SubscriberEvent: Equatable, Sendable {
    /// Redis has confirmed the channel: from now on its messages arrive. Said again after each reconnection, and then
    /// what was published in between has been missed: an owner that needs it must look elsewhere.
    case subscribed(channel: String)
    case message(channel: String, payload: String)
    /// The connection is gone, or Redis refused it, in words for a log. Messages are missed until the channels are
    /// subscribed again. Said once, however many attempts to connect fail.
    case lost(reason: String)
}

/// Pub/sub of Redis on a connection of its own, kept up by reconnecting and subscribing again for as long as it lives.
///
/// Redis tells a subscriber nothing while nothing is published, so it is asked (PING) now and then whether it is there.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class Subscriber: @unchecked Sendable {
    /// Far more than any message of ours.
    private static let maximumMessageBytes = 1 << 20
    private static let pingIntervalMilliseconds = 5_000
    /// Three questions without an answer, or anything else said.
    private static let silenceLimitMilliseconds = 15_000

    private let loop: EventLoop
    private let configuration: ClientConfiguration
    private let logger: Logger
    private let finder: PrimaryFinder
    private let onEvent: (SubscriberEvent) -> Void
    private var channels: Set<String> = []
    private var connection: OutgoingConnection?
    /// Of the connection that is on its way.
    private var connectTimer: ScheduledTimer?
    private var session: Session?
    private var backoff: Backoff
    private var isLost = false
    private var isShutDown = false

    /// What is known of one connection.
    private struct Session {
        let reader = ReplyReader()
        let login: Login
        var loginReplies: [Value] = []
        var readySince: MonotonicTime?
        var lastInput: MonotonicTime
        var timer: ScheduledTimer?
    }

    /// - Parameters:
    ///   - configuration: as for a client; its scripts and its limits of pending calls are not used.
    ///   - onEvent: called on the loop's thread.
    public init(
        loop: EventLoop, configuration: ClientConfiguration, logger: Logger,
        onEvent: @escaping (SubscriberEvent) -> Void
    ) {
        self.loop = loop
        var configuration = configuration
        configuration.scripts = []
        self.configuration = configuration
        self.logger = logger
        self.onEvent = onEvent
        finder = PrimaryFinder(configuration, loop: loop, logger: logger)
        backoff = Backoff(bounds: configuration.backoffMilliseconds)
    }

    /// Begins to connect. To be called once.
    public func start() {
        loop.preconditionCurrent()
        finder.onSwitch = { [weak self] in
            if let self, connection != nil { hasFailed("another Redis is the primary now") }
        }
        connect()
    }

    /// Ends the connection for good; nothing is told any more. Needed before it is let go.
    public func shutDown() {
        loop.preconditionCurrent()
        isShutDown = true
        finder.stop()
        end()
    }

    /// Adds a channel; `subscribed` tells when Redis has confirmed it. A channel that is there already is left alone.
    public func subscribe(to channel: String) {
        loop.preconditionCurrent()
        guard channels.insert(channel).inserted, session?.readySince != nil else { return }
        send(Command("SUBSCRIBE", channel))
    }

    // MARK: Connecting

    private func connect() {
        guard !isShutDown else { return }
        finder.find { [weak self] result in
            switch result {
            case .success(let targets): self?.open(targets[...])
            case .failure(let failure): self?.hasFailed(failure.reason)
            }
        }
    }

    /// Tries the first address, and on failure the rest.
    private func open(_ targets: ArraySlice<Target>) {
        guard !isShutDown else { return }
        guard let target = targets.first, let address = target.socketAddress else {
            return hasFailed("no address to connect to")
        }
        let tls: TLSContext?
        do throws(TLSContext.Invalid) {
            tls = try configuration.encryption
        } catch {
            return hasFailed("\(error)")
        }
        let connection = OutgoingConnection(loop: loop)
        self.connection = connection
        let rest = targets.dropFirst()
        connectTimer = loop.schedule(afterMilliseconds: configuration.connectTimeoutMilliseconds) { [weak self] in
            self?.hasFailed("connecting took too long", remaining: rest)
        }
        connection.onConnect = { [weak self] in
            self?.connectTimer?.cancel()
            self?.logIn()
        }
        connection.onInput = { [weak self] in self?.take($0) }
        connection.onClose = { [weak self] reason in
            self?.hasFailed(reason ?? "Redis closed the connection", remaining: rest)
        }
        connection.connect(to: address, through: tls?.session(with: target.host), isKeptAlive: true)
    }

    private func logIn() {
        let login = Login(configuration)
        session = Session(login: login, lastInput: loop.now)
        session?.timer = loop.schedule(afterMilliseconds: configuration.connectTimeoutMilliseconds) { [weak self] in
            self?.hasFailed("logging in took too long")
        }
        for command in login.commands { send(command) }
    }

    private func send(_ command: Command) {
        connection?.send(command.bytes)
    }

    private func end() {
        connectTimer?.cancel()
        connectTimer = nil
        session?.timer?.cancel()
        session = nil
        connection?.close()
        connection = nil
    }

    private func hasFailed(_ reason: String, remaining: ArraySlice<Target> = []) {
        let readySince = session?.readySince
        let hadSession = session != nil
        end()
        guard !isShutDown else { return }
        if !hadSession, !remaining.isEmpty { return open(remaining) }
        if !isLost {
            isLost = true
            logger.warning(
                "No subscription with Redis; trying again",
                ["redis": configuration.url.redacted, "reason": reason, "loop": loop.name])
            onEvent(.lost(reason: reason))
        }
        let pause = backoff.next(afterReadyFor: readySince.map { loop.now.milliseconds(since: $0) })
        loop.schedule(afterMilliseconds: pause) { [weak self] in self?.connect() }
    }

    // MARK: Replies

    private func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let reader = session?.reader else { return }
        session?.lastInput = loop.now
        reader.feed(bytes)
        do throws(RedisError) {
            // The owner may shut this down from within an event.
            while session?.reader === reader, let reply = try reader.next() { take(reply) }
        } catch {
            return hasFailed(error.description)
        }
        if session?.reader === reader, reader.unparsedBytes > Self.maximumMessageBytes {
            hasFailed("a message of over \(Self.maximumMessageBytes) bytes")
        }
    }

    private func take(_ reply: Value) {
        guard let session else { return }
        guard session.readySince != nil else { return takeLogin(reply) }
        switch reply {
        case .array(let parts):
            guard parts.count >= 2, let kind = parts[0].string, let channel = parts[1].string else { return }
            // Not told of a channel that was taken away again before Redis knew.
            guard channels.contains(channel) else { return }
            if kind == "subscribe" {
                // Not before: the user may be allowed to log in but not to subscribe.
                isLost = false
                return onEvent(.subscribed(channel: channel))
            }
            if kind == "message", parts.count == 3, let payload = parts[2].string {
                onEvent(.message(channel: channel, payload: payload))
            }
        case .error(let text): hasFailed(text)
        // The answer to PING while there is no channel.
        case .string, .integer, .null: break
        }
    }

    private func takeLogin(_ reply: Value) {
        session?.loginReplies.append(reply)
        guard let session, session.loginReplies.count == session.login.commands.count else { return }
        session.timer?.cancel()
        switch session.login.outcome(of: session.loginReplies) {
        case .notYet(let reason), .refused(let reason): hasFailed(reason)
        case .ready:
            self.session?.readySince = loop.now
            self.session?.loginReplies = []
            if channels.isEmpty {
                isLost = false
            } else {
                send(Command(words: ["SUBSCRIBE"] + channels.sorted()))
            }
            schedulePing()
        }
    }

    private func schedulePing() {
        session?.timer = loop.schedule(afterMilliseconds: Self.pingIntervalMilliseconds) { [weak self] in
            guard let self, let session else { return }
            if loop.now.milliseconds(since: session.lastInput) >= Self.silenceLimitMilliseconds {
                return hasFailed("no answer to PING")
            }
            send(Command("PING"))
            schedulePing()
        }
    }
}
