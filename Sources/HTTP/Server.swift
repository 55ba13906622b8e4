import EventLoop
import Glibc
import Log
import Metrics

/// An HTTP/1.1 server on one event loop. Several of them, one a loop, share a port through `SO_REUSEPORT`.
///
/// `@unchecked Sendable`: what can change is touched only on the loop's thread; `start` and `drain` go there first, and
/// what the loop calls back checks it.
public final class Server: @unchecked Sendable {
    /// Bytes that one read takes at most.
    static let readBytes = 65_536
    /// Bytes of answers to pipelined requests that are gathered before they are written.
    static let gatheredBytes = 65_536
    /// Messages a turn of the loop, of all clients, that are taken behind another one of the same client.
    static let pipelinedPerTurn = 256
    private static let millisecondsBetweenWarnings = 10_000

    public let loop: EventLoop
    let configuration: HTTPConfiguration
    let router: Router
    let logger: Logger
    let budget: ConnectionBudget

    /// What all connections read into: what one of them must keep, it copies.
    let readBuffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Server.readBytes)
    /// What all connections write from, each within one callback: what one of them cannot write, it copies.
    var output: [UInt8] = []
    var dateLine = DateLine()
    let commonFields: CommonFields
    var identifiers = RequestIdentifierSource()
    private(set) var isDraining = false

    /// How many more pipelined messages may be taken before those of other clients have their turn.
    var pipelinedAllowance = Server.pipelinedPerTurn
    /// The connections that wait for their turn with such, in order.
    private var yielding: [Connection] = []

    private var acceptor: Acceptor?
    private var connections: [Connection] = []
    private var sweepTimer: ScheduledTimer?
    private var isSweepPutOff = false
    private static let stallMilliseconds = 1_000
    private var drained: (@Sendable (Int) -> Void)?
    private var drainTimers: [ScheduledTimer] = []
    private var lastWarning: MonotonicTime?

    /// - Parameter budget: to be shared with other servers; nil makes one of `configuration.maximumConnections`.
    public init(
        loop: EventLoop, configuration: HTTPConfiguration = HTTPConfiguration(), router: Router, logger: Logger,
        budget: ConnectionBudget? = nil
    ) {
        self.loop = loop
        self.configuration = configuration
        commonFields = CommonFields(configuration.commonFields)
        self.router = router
        self.logger = logger
        self.budget = budget ?? ConnectionBudget(limit: configuration.maximumConnections)
    }

    deinit {
        readBuffer.deallocate()
    }

    // MARK: Life

    /// Serves the connections that come to `listener`, from now on. To be called once, while the loop runs.
    /// - Throws: `SystemError` if the loop cannot watch the socket.
    public func start(_ listener: Listener) async throws {
        try await withCheckedThrowingContinuation { continuation in
            loop.execute { [self] in
                precondition(acceptor == nil && !isDraining, "a server is started once")
                continuation.resume(with: Result { acceptor = try Acceptor(server: self, listener: listener) })
            }
        }
    }

    /// Stops in good order: takes what the kernel has queued, closes what is idle, answers what is under way with
    /// `Connection: close`. Returns when no connection is left, or at `deadline`, when the rest are closed.
    /// To be called once.
    /// - Returns: how many connections were cut at the deadline.
    public func drain(deadline: MonotonicTime) async -> Int {
        await withCheckedContinuation { continuation in
            loop.execute { [self] in
                beginDrain(deadline: deadline) { continuation.resume(returning: $0) }
            }
        }
    }

    private func beginDrain(deadline: MonotonicTime, _ completion: @escaping @Sendable (Int) -> Void) {
        precondition(!isDraining, "a server is drained once")
        acceptor?.finish()
        acceptor = nil
        isDraining = true
        drained = completion
        for connection in connections { connection.beginDrain() }
        if connections.isEmpty {
            finishDrain(cut: 0)
            return
        }
        let grace = loop.schedule(afterMilliseconds: configuration.drainGraceMilliseconds) { [self] in
            for connection in connections { connection.endGrace() }
        }
        let end = loop.schedule(at: deadline) { [self] in
            let rest = connections
            // Told before they close, since the last one to close would tell of none.
            finishDrain(cut: rest.count)
            for connection in rest { connection.close() }
        }
        drainTimers = [grace, end]
    }

    private func finishDrain(cut: Int) {
        drained?(cut)
        drained = nil
        for timer in drainTimers { timer.cancel() }
        drainTimers = []
    }

    // MARK: Connections

    /// Connections of this server that are open now. Only on the loop's thread.
    public var connectionCount: Int {
        loop.preconditionCurrent()
        return connections.count
    }

    /// What the connection budget calls, from any thread, when there is room again.
    func resumption() -> @Sendable () -> Void {
        { [weak self] in
            guard let self else { return }
            loop.execute { self.acceptor?.resume() }
        }
    }

    /// Connections that this server has taken since it began. Only on the loop's thread.
    public private(set) var acceptedCount = 0

    /// Takes over an accepted socket, for which the budget has been charged.
    func adopt(_ descriptor: Int32, from peer: IPAddress?) {
        do {
            let connection = try Connection(
                server: self, descriptor: descriptor, peer: peer, index: connections.count)
            connections.append(connection)
            acceptedCount += 1
        } catch {
            Glibc.close(descriptor)
            budget.release(peer)
            warnNow("cannot watch a connection", ["reason": "\(error)"])
            return
        }
        if sweepTimer == nil { scheduleSweep() }
    }

    func remove(_ connection: Connection) {
        let last = connections.removeLast()
        if last !== connection {
            connections[connection.index] = last
            last.index = connection.index
        }
        budget.release(connection.peer)
        if connections.isEmpty {
            sweepTimer?.cancel()
            sweepTimer = nil
            if isDraining { finishDrain(cut: 0) }
        }
    }

    /// One timer for all connections' timeouts: they are coarse, and keeping one for each would cost every request.
    private func scheduleSweep() {
        let interval = min(1_000, max(10, configuration.shortestTimeoutMilliseconds / 4))
        let latest = MonotonicTime.now().advanced(byMilliseconds: interval + Self.stallMilliseconds)
        sweepTimer = loop.schedule(afterMilliseconds: interval) { [self] in
            // After this process stood still, those who write here have their turn first, and are judged by the next one.
            isSweepPutOff = loop.now > latest && !isSweepPutOff
            if !isSweepPutOff { checkDeadlines() }
            sweepTimer = nil
            if !connections.isEmpty { scheduleSweep() }
        }
    }

    private func checkDeadlines() {
        // From the end, since a connection that closes is replaced by the last one, which has been looked at.
        for index in connections.indices.reversed() where index < connections.count {
            connections[index].checkDeadline(loop.now)
        }
    }

    // MARK: Turns

    /// Lets the connection go on once others have had their turn.
    func wait(for connection: Connection) {
        if yielding.isEmpty { loop.atEndOfTurn { [self] in resumeYielding() } }
        yielding.append(connection)
    }

    /// One round over those that wait, as far as a turn's allowance goes; the others are first in the next turn.
    private func resumeYielding() {
        pipelinedAllowance = Self.pipelinedPerTurn
        let round = yielding
        yielding = []
        var taken = 0
        while taken < round.count, pipelinedAllowance > 0 {
            round[taken].takeTurn()
            pipelinedAllowance -= 1
            taken += 1
        }
        guard taken < round.count else { return }
        if yielding.isEmpty { loop.atEndOfTurn { [self] in resumeYielding() } }
        yielding = round[taken...] + yielding
    }

    // MARK: Log

    /// Warns of a state that may come and go quickly, but not more often than every ten seconds.
    func warnNow(_ message: String, _ fields: KeyValuePairs<String, String>) {
        if let lastWarning, loop.now.milliseconds(since: lastWarning) < Self.millisecondsBetweenWarnings { return }
        lastWarning = loop.now
        logger.warning(message, fields)
    }

    /// Tells the log and the hook of an answer.
    func note(_ request: Request?, _ head: RequestHead, _ identifier: RequestIdentifier, _ response: Response) {
        guard configuration.onResponse != nil || logger.minimum <= .debug else { return }
        let duration = request.map { MonotonicTime.now().nanoseconds - $0.received.nanoseconds } ?? 0
        logger.debug(
            "request",
            [
                "request_id": identifier.text, "trace_id": request?.trace.traceID ?? "",
                "method": head.isParsed ? head.method.name : "",
                "path": head.isParsed ? head.path : "", "status": "\(response.status)",
                "duration_us": "\(duration / 1_000)",
            ])
        configuration.onResponse?(request, response, duration)
    }
}

/// With a label for what its port serves.
extension Server: Measured {
    public static let measures: [Measure<Server>] = [
        Measure(
            .gauge, "usher_http_connections", labels: ["serves"],
            "Connections that are open, by what their port serves."
        ) { $0.connectionCount },
        Measure(
            .counter, "usher_http_connections_total", labels: ["serves"], "Connections that were accepted."
        ) { $0.acceptedCount },
    ]
}
