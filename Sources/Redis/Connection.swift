import CHiredis
import EventLoop
import Glibc

/// One connection of hiredis on an event loop, from `connect` to its single `onClose`.
///
/// hiredis' rules (async.h, 0.14): its hooks may be called any number of times; it frees the context itself once a
/// connection fails or is closed, never while a reply's callback runs. So the context pointer is used only until
/// hiredis says that the connection is gone, or `close` gives it up. Belongs to the thread of its loop.
final class Connection: DescriptorHandler {
    /// Far more than any reply of ours; what is larger is not Redis, or not our key.
    static let maximumReplyBytes = 64 << 20

    private let loop: EventLoop
    /// See `ClientConfiguration`.
    private let silenceLimitMilliseconds: Int
    private var context: UnsafeMutablePointer<redisAsyncContext>?
    private var registration: Registration?
    private(set) var isConnected = false
    private(set) var isClosed = false
    private var isFlushing = false
    private var isFlushScheduled = false
    /// Something is queued that leaves once a WAIT has been answered.
    private var isFlushHeld = false
    private let replicaWait: ReplicaWait?
    private let metrics: ClientMetrics
    /// The latest deadline of what is queued and is to be on replicas, so that a WAIT is to follow it; nil: nothing is.
    private var replicaWaitDeadline: MonotonicTime?
    private var isReplicaWaitOpen = false
    private var isLeaving = false
    /// Changes whose replies have come, and not that of the WAIT that follows them.
    private var unconfirmed: [Batch] = []

    /// In the order in which Redis will answer.
    private var pending = PendingBatches()
    private var lastReplyAt: MonotonicTime
    private var deadlineTimer: (deadline: MonotonicTime, timer: ScheduledTimer)?

    /// Called once when the connection can take commands.
    var onConnect: (() -> Void)?
    /// Called once when the connection has failed or was closed, after everything pending has been failed.
    var onClose: ((String) -> Void)?

    init(
        loop: EventLoop, silenceLimitMilliseconds: Int, replicaWait: ReplicaWait? = nil,
        metrics: ClientMetrics = ClientMetrics()
    ) {
        self.loop = loop
        self.metrics = metrics
        self.silenceLimitMilliseconds = silenceLimitMilliseconds
        self.replicaWait = replicaWait
        lastReplyAt = loop.now
        _ = ignoreBrokenPipes
    }

    /// Starts to connect. A failure is told through `onClose`, perhaps before this returns.
    func connect(to target: Target) {
        let context: UnsafeMutablePointer<redisAsyncContext>? =
            switch target {
            case .address(let address, let port): redisAsyncConnect(address, Int32(port))
            case .unix(let path): redisAsyncConnectUnix(path)
            }
        guard let context else { return close(because: "out of memory") }
        if context.pointee.err != 0 {
            let reason = String(cString: context.pointee.errstr)
            redisAsyncFree(context)
            return close(because: reason)
        }
        self.context = context
        context.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        // hiredis leaves the flag out, and a program that the process starts must not inherit the connection.
        _ = fcntl(context.pointee.c.fd, F_SETFD, FD_CLOEXEC)
        do {
            registration = try loop.register(context.pointee.c.fd, interest: [], handler: self)
        } catch {
            return close(because: "\(error)")
        }
        installHooks(context)
        expectTheUnexpected(context)
    }

    /// hiredis keeps this object alive from here until it calls the cleanup hook.
    private func installHooks(_ context: UnsafeMutablePointer<redisAsyncContext>) {
        context.pointee.ev.data = Unmanaged.passRetained(self).toOpaque()
        context.pointee.ev.addRead = { connection(fromHook: $0).watch(.readable, true) }
        context.pointee.ev.delRead = { connection(fromHook: $0).watch(.readable, false) }
        context.pointee.ev.addWrite = { connection(fromHook: $0).wantsToWrite() }
        context.pointee.ev.delWrite = { connection(fromHook: $0).watch(.writable, false) }
        context.pointee.ev.cleanup = { data in
            connection(fromHook: data).releaseDescriptor()
            Unmanaged<Connection>.fromOpaque(data!).release()
        }
        redisAsyncSetDisconnectCallback(context) { context, _ in
            connection(of: context!).hasDisconnected(String(cString: context!.pointee.errstr))
        }
        // Setting this callback also asks for the first write event, which tells how the connect ended.
        redisAsyncSetConnectCallback(context) { context, status in
            connection(of: context!).hasConnected(status, String(cString: context!.pointee.errstr))
        }
    }

    /// hiredis ends the process by an assertion when a reply comes that no callback waits for, and so any peer could.
    /// All callbacks of a connection are the same, so one more than there are commands makes such a reply reach
    /// `take`, which tells. The command of length 0 adds the callback and not a byte.
    private func expectTheUnexpected(_ context: UnsafeMutablePointer<redisAsyncContext>) {
        redisAsyncFormattedCommand(context, takeReply, nil, "*1\r\n$4\r\nPING\r\n", 0)
    }

    // MARK: Commands

    var pendingCount: Int { pending.count }

    /// The bytes of commands that the socket has not taken yet.
    var unsentBytes: Int { context.map { sdslen($0.pointee.c.obuf) } ?? 0 }

    /// Queues the batch's commands, at least one; they leave together at the end of the loop's turn.
    func send(_ commands: [Command], _ batch: Batch) {
        guard let context else { return batch.complete(.failure(.notConnected)) }
        precondition(!commands.isEmpty && commands.count == batch.count, "a batch has a reply for each command")
        for command in commands {
            precondition(!command.changesProtocol, "subscriptions need a connection of their own")
            let result = command.bytes.withUnsafeBytes {
                redisAsyncFormattedCommand(
                    context, takeReply, nil, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
            // hiredis refuses only while it disconnects, which `close` rules out, or out of memory.
            precondition(result == REDIS_OK, "hiredis refused a command")
        }
        pending.append(batch)
        if batch.isChange != nil { replicaWaitDeadline = max(replicaWaitDeadline ?? batch.deadline, batch.deadline) }
        armDeadlineTimer(batch.deadline)
    }

    /// Queues one WAIT for all changes since the last: it confirms everything that came before it on the connection.
    private func sendReplicaWait() {
        guard let latest = replicaWaitDeadline, let replicaWait else { return }
        replicaWaitDeadline = nil
        isReplicaWaitOpen = true
        let words = ["WAIT", String(replicaWait.replicas), String(replicaWait.milliseconds)]
        // The changes before it give up when their own deadlines pass; none of them may still wait when it has given up.
        let deadline = max(latest, loop.now.advanced(byMilliseconds: replicaWait.milliseconds))
        let batch = Batch(count: 1, sentAt: loop.now, deadline: deadline) { [weak self] result in
            self?.confirm(result, wanted: replicaWait.replicas)
        }
        send([Command(words: words)], batch)
    }

    /// Replies come in order: what waits here was sent before this WAIT, and all of that.
    private func confirm(_ result: Result<[Value], RedisError>, wanted: Int) {
        let changes = unconfirmed
        unconfirmed = []
        isReplicaWaitOpen = false
        if isFlushHeld, !isClosed { wantsToWrite() }
        let failure: RedisError? =
            switch result {
            case .success(let replies):
                switch replies[0] {
                case .integer(let replicas): replicas < wanted ? .notReplicated(replicas: replicas) : nil
                case .error(let text): .refused(text)
                default: .unexpectedReply("WAIT returned \(replies[0])")
                }
            case .failure(let error): error
            }
        if let failure { metrics.note(failure, times: changes.count { $0.isWaited }) }
        for batch in changes { batch.complete(failure.map { .failure($0) } ?? .success(batch.replies)) }
    }

    fileprivate func take(_ reply: UnsafePointer<redisReply>) {
        lastReplyAt = loop.now
        let value = Value(reply)
        // Sent unasked to a connection too many, which Redis then closes: no answer to any command.
        if case .error(let text) = value, text.hasPrefix("ERR max number of clients") { return close(because: text) }
        guard let batch = pending.first else { return close(because: "Redis sent a reply that nobody asked for") }
        if case .error(let text) = value {
            metrics.noteErrorReply(text)
            if Self.isOfReplica(text) { leaveAtEndOfTurn() }
        }
        guard batch.take(value) else { return }
        metrics.calls.record(nanoseconds: loop.now.nanoseconds - batch.sentAt.nanoseconds)
        pending.removeFirst()
        if batch.isWaited, let isChange = batch.isChange, isChange(value) {
            unconfirmed.append(batch)
        } else {
            batch.complete(.success(batch.replies))
        }
    }

    /// Whether a write was refused since this is no primary any more. Before 7.0, Redis wraps the error of a script.
    private static func isOfReplica(_ text: String) -> Bool {
        text.hasPrefix("READONLY ") || text.contains(" -READONLY ")
    }

    /// The name of this Redis, or its Sentinels, may lead elsewhere by now. Replies that have come are told before.
    private func leaveAtEndOfTurn() {
        guard !isLeaving else { return }
        isLeaving = true
        loop.atEndOfTurn { [weak self] in
            if let self, !isClosed { close(because: "it has become a replica") }
        }
    }

    // MARK: Deadlines

    /// One timer for the earliest deadline, armed only while somebody waits.
    private func armDeadlineTimer(_ deadline: MonotonicTime) {
        if let deadlineTimer {
            if deadlineTimer.deadline <= deadline { return }
            deadlineTimer.timer.cancel()
        }
        deadlineTimer = (deadline, loop.schedule(at: deadline) { [weak self] in self?.checkDeadlines() })
    }

    private func checkDeadlines() {
        deadlineTimer = nil
        guard let first = pending.first else { return }
        let now = loop.now
        // Replies come in order, so only the first can tell whether the connection, or Redis, is stuck.
        let silenceEnd = max(lastReplyAt, first.sentAt).advanced(byMilliseconds: silenceLimitMilliseconds)
        let isStuck = first.deadline <= now && silenceEnd <= now
        var next = first.deadline <= now ? silenceEnd : first.deadline
        var late: [Batch] = []
        // A change that waits for replicas has its reply, and yet no more time than any other.
        for batch in unconfirmed + pending.all where batch.isWaited {
            if batch.deadline <= now { late.append(batch) } else { next = min(next, batch.deadline) }
        }
        metrics.note(.deadlinePassed, times: late.count)
        for batch in late { batch.complete(.failure(.deadlinePassed)) }
        if isStuck { return close(because: "no reply before the deadline") }
        if !isClosed { armDeadlineTimer(next) }
    }

    // MARK: The hooks of hiredis

    func ready(_ readiness: Readiness) {
        // A failed descriptor is readable and writable at once: the system call then tells hiredis what happened.
        if readiness.contains(.writable) || (readiness.contains(.closed) && !isConnected) { flush() }
        guard let context, !readiness.isDisjoint(with: [.readable, .closed]) else { return }
        redisAsyncHandleRead(context)
        checkUnparsedBytes()
    }

    /// What hiredis keeps of a reply that is not complete must be wanted, and small.
    private func checkUnparsedBytes() {
        guard let reader = context?.pointee.c.reader else { return }
        let unparsed = reader.pointee.len - reader.pointee.pos
        // hiredis keeps the type of a reply that has begun, at any depth, and -1 before one begins.
        let hasBegun = reader.pointee.ridx > 0 || (reader.pointee.ridx == 0 && reader.pointee.rstack.0.type >= 0)
        if unparsed > 0 || hasBegun, pendingCount == 0 {
            close(because: "Redis sent a reply that nobody asked for")
        } else if unparsed > Self.maximumReplyBytes {
            close(because: "Redis sent a reply of over \(Self.maximumReplyBytes) bytes")
        }
    }

    fileprivate func watch(_ readiness: Readiness, _ isWanted: Bool) {
        guard let registration else { return }
        var interest = registration.interest
        if isWanted { interest.insert(readiness) } else { interest.remove(readiness) }
        registration.update(interest: interest)
    }

    /// While connecting, and when the socket has taken less than it was given, only the kernel knows when to go on.
    /// Otherwise the write waits for the end of the turn, so that all commands of the turn leave in one; and for the end
    /// of a WAIT, as Redis would run nothing before it either, so that all changes of its time share the next.
    fileprivate func wantsToWrite() {
        if !isConnected || isFlushing { return watch(.writable, true) }
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atEndOfTurn { [weak self] in
            guard let self else { return }
            isFlushHeld = isReplicaWaitOpen
            if !isFlushHeld { sendReplicaWait() }
            isFlushScheduled = false
            if !isFlushHeld { flush() }
        }
    }

    private func flush() {
        guard let context else { return }
        isFlushing = true
        redisAsyncHandleWrite(context)
        isFlushing = false
        // Only here: hiredis 0.14 would go on to use a context that was freed inside its connect callback.
        guard isConnected, let onConnect else { return }
        self.onConnect = nil
        onConnect()
    }

    fileprivate func hasConnected(_ status: Int32, _ reason: String) {
        // hiredis frees the context of a failed connect itself, without telling the disconnect callback.
        guard status == REDIS_OK, let context else { return hasDisconnected(reason) }
        isConnected = true
        // On a Unix socket it would fail, and hiredis take that for a failure of the connection.
        if context.pointee.c.connection_type == REDIS_CONN_TCP { redisEnableKeepAlive(&context.pointee.c) }
    }

    fileprivate func hasDisconnected(_ reason: String) {
        // Without a context it is `close` that ends the connection, and it has the reason.
        guard context != nil else { return }
        context = nil
        finish(because: reason.isEmpty ? "the connection was closed" : reason)
    }

    fileprivate func releaseDescriptor() {
        registration?.cancel()
        registration = nil
    }

    // MARK: Ending

    /// Ends the connection; everything pending fails as lost.
    func close(because reason: String) {
        let context = self.context
        self.context = nil
        releaseDescriptor()
        // In a reply's callback this only marks the context, which hiredis frees when the callback has returned.
        if let context { redisAsyncFree(context) }
        finish(because: reason)
    }

    private func finish(because reason: String) {
        guard !isClosed else { return }
        isClosed = true
        deadlineTimer?.timer.cancel()
        deadlineTimer = nil
        let lost = unconfirmed + pending.all
        unconfirmed = []
        pending = PendingBatches()
        metrics.note(.connectionLost, times: lost.count { $0.isWaited })
        for batch in lost { batch.complete(.failure(.connectionLost)) }
        let onClose = self.onClose
        self.onClose = nil
        onConnect = nil
        onClose?(reason)
    }
}

/// A write to a connection that Redis closed must fail with EPIPE, not end the process: hiredis writes with `write`.
private let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

private func connection(fromHook data: UnsafeMutableRawPointer?) -> Connection {
    Unmanaged<Connection>.fromOpaque(data!).takeUnretainedValue()
}

private func connection(of context: UnsafePointer<redisAsyncContext>) -> Connection {
    Unmanaged<Connection>.fromOpaque(context.pointee.data!).takeUnretainedValue()
}

/// A nil reply means that the connection is going away: `finish` then fails everything pending at once.
private func takeReply(
    _ context: UnsafeMutablePointer<redisAsyncContext>?, _ reply: UnsafeMutableRawPointer?,
    _ data: UnsafeMutableRawPointer?
) {
    guard let context, let reply else { return }
    connection(of: context).take(reply.assumingMemoryBound(to: redisReply.self))
}
