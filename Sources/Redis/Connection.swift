import CHiredis
import EventLoop
import Glibc

/// The commands of one call, their replies as they arrive, and who waits for them.
final class Batch {
    let count: Int
    let sentAt: MonotonicTime
    let deadline: MonotonicTime
    fileprivate(set) var replies: [Value] = []
    private var completion: ((Result<[Value], RedisError>) -> Void)?

    init(
        count: Int, sentAt: MonotonicTime, deadline: MonotonicTime,
        completion: @escaping (Result<[Value], RedisError>) -> Void
    ) {
        self.count = count
        self.sentAt = sentAt
        self.deadline = deadline
        self.completion = completion
        replies.reserveCapacity(count)
    }

    /// Whether somebody still waits. A batch whose deadline passed stays in line to take in its replies.
    var isWaited: Bool { completion != nil }

    func complete(_ result: Result<[Value], RedisError>) {
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }
}

/// One connection of hiredis on an event loop, from `connect` to its single `onClose`.
///
/// hiredis' rules (async.h): its hooks may be called any number of times; it frees the context itself once a
/// connection fails or is closed, never while one of its callbacks runs. So the context pointer is used only until
/// hiredis says that the connection is gone. Belongs to the thread of its loop.
final class Connection: DescriptorHandler {
    private let loop: EventLoop
    private var context: UnsafeMutablePointer<redisAsyncContext>?
    private var registration: Registration?
    private var isConnected = false
    private var isFlushing = false
    private var isFlushScheduled = false

    /// In the order in which Redis will answer.
    private var pending: [Batch] = []
    private var pendingHead = 0
    private var lastReplyAt: MonotonicTime
    private var deadlineTimer: ScheduledTimer?
    private(set) var isClosed = false

    /// Called once when the connection can take commands.
    var onConnect: (() -> Void)?
    /// Called once when the connection has failed or was closed, after everything pending has been failed.
    var onClose: ((String) -> Void)?

    init(loop: EventLoop) {
        self.loop = loop
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
        do {
            registration = try loop.register(context.pointee.c.fd, interest: [], handler: self)
        } catch {
            return close(because: "\(error)")
        }
        installHooks(context)
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

    // MARK: Commands

    var pendingCount: Int { pending.count - pendingHead }

    /// Queues the batch's commands; they leave together at the end of the loop's turn.
    func send(_ commands: [Command], _ batch: Batch) {
        guard let context else { return batch.complete(.failure(.notConnected)) }
        for command in commands {
            let result = command.withArguments { count, pointers, lengths in
                redisAsyncCommandArgv(context, takeReply, nil, count, pointers, lengths)
            }
            // hiredis refuses only while it disconnects, which `close` rules out, or out of memory.
            precondition(result == REDIS_OK, "hiredis refused a command")
        }
        pending.append(batch)
        if deadlineTimer == nil { armDeadlineTimer(batch.deadline) }
    }

    fileprivate func take(_ reply: UnsafePointer<redisReply>) {
        lastReplyAt = loop.now
        guard pendingHead < pending.count else { return close(because: "Redis sent a reply that nobody asked for") }
        let batch = pending[pendingHead]
        batch.replies.append(Value(reply))
        guard batch.replies.count == batch.count else { return }
        pendingHead += 1
        if pendingHead == pending.count {
            pending.removeAll(keepingCapacity: true)
            pendingHead = 0
        } else if pendingHead >= 1024 {
            pending.removeFirst(pendingHead)
            pendingHead = 0
        }
        batch.complete(.success(batch.replies))
    }

    // MARK: Deadlines

    /// One timer for the earliest deadline, armed only while somebody waits.
    private func armDeadlineTimer(_ deadline: MonotonicTime) {
        deadlineTimer = loop.schedule(at: deadline) { [weak self] in self?.checkDeadlines() }
    }

    private func checkDeadlines() {
        deadlineTimer = nil
        let now = loop.now
        var earliest: MonotonicTime?
        var isStuck = false
        for batch in pending[pendingHead...] where batch.isWaited {
            if batch.deadline <= now {
                // Nothing at all came back since this was sent: the connection, or Redis, is stuck.
                if lastReplyAt <= batch.sentAt { isStuck = true }
                batch.complete(.failure(.deadlinePassed))
            } else {
                earliest = min(earliest ?? batch.deadline, batch.deadline)
            }
        }
        if isStuck { return close(because: "no reply before the deadline") }
        if let earliest { armDeadlineTimer(earliest) }
    }

    // MARK: The hooks of hiredis

    func ready(_ readiness: Readiness) {
        // A failed descriptor is readable and writable at once: the system call then tells hiredis what happened.
        if readiness.contains(.writable) || (readiness.contains(.closed) && !isConnected) { flush() }
        if let context, !readiness.isDisjoint(with: [.readable, .closed]) { redisAsyncHandleRead(context) }
    }

    fileprivate func watch(_ readiness: Readiness, _ isWanted: Bool) {
        guard let registration else { return }
        var interest = registration.interest
        if isWanted { interest.insert(readiness) } else { interest.remove(readiness) }
        registration.update(interest: interest)
    }

    /// While connecting, and when the socket has taken less than it was given, only the kernel knows when to go on.
    /// Otherwise the write waits for the end of the turn, so that all commands of the turn leave in one.
    fileprivate func wantsToWrite() {
        if !isConnected || isFlushing { return watch(.writable, true) }
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atEndOfTurn { [weak self] in
            self?.isFlushScheduled = false
            self?.flush()
        }
    }

    private func flush() {
        guard let context else { return }
        isFlushing = true
        redisAsyncHandleWrite(context)
        isFlushing = false
    }

    fileprivate func hasConnected(_ status: Int32, _ reason: String) {
        guard status == REDIS_OK else {
            // hiredis frees the context itself, without telling the disconnect callback.
            context = nil
            return hasDisconnected(reason)
        }
        isConnected = true
        watch(.writable, false)
        // It fails on a Unix socket, which hiredis then takes for a broken connection.
        if let context, context.pointee.c.connection_type == REDIS_CONN_TCP { redisEnableKeepAlive(&context.pointee.c) }
        onConnect?()
    }

    fileprivate func hasDisconnected(_ reason: String) {
        context = nil
        finish(because: reason.isEmpty ? "closed" : reason)
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
        if let context { redisAsyncFree(context) }
        finish(because: reason)
    }

    private func finish(because reason: String) {
        guard !isClosed else { return }
        isClosed = true
        deadlineTimer?.cancel()
        deadlineTimer = nil
        let lost = pending[pendingHead...]
        pending = []
        pendingHead = 0
        for batch in lost { batch.complete(.failure(.connectionLost)) }
        let onClose = self.onClose
        self.onClose = nil
        onConnect = nil
        onClose?(reason)
    }
}

/// What to connect to, once names are resolved.
enum Target: Equatable, Sendable {
    case address(String, port: UInt16)
    case unix(path: String)
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
