import EventLoop
import TLS

/// One connection to a Redis on an event loop, from `connect` to its single `onClose`: commands out, and their replies in,
/// in order (Redis protocol specification). Belongs to the thread of its loop, and lives while it is open.
final class Connection {
    /// Far more than any reply of ours; what is larger is not Redis, or not our key.
    static let maximumReplyBytes = 64 << 20

    private let loop: EventLoop
    private let tls: TLSContext?
    private let stream: OutgoingConnection
    private let metrics: ClientMetrics
    private let replies = ReplyReader(maximumBytes: maximumReplyBytes)
    private var queue: ReplyQueue
    private var lookTimer: ScheduledTimer?
    private var isConnected = false
    private var hasReplied = false
    private var isClosed = false
    private var isFlushScheduled = false
    /// Something is queued that leaves once a WAIT has been answered.
    private var isFlushHeld = false
    private var isLeaving = false
    private var deadlineTimer: (deadline: MonotonicTime, timer: ScheduledTimer)?

    /// Called once when the connection can take commands.
    var onConnect: (() -> Void)?
    /// Called once when the connection has failed or was closed, after everything pending has been failed.
    var onClose: ((String) -> Void)?

    init(
        loop: EventLoop, silenceLimitMilliseconds: Int, quorum: ReplicaQuorum? = nil, tls: TLSContext? = nil,
        metrics: ClientMetrics = ClientMetrics()
    ) {
        self.loop = loop
        self.metrics = metrics
        self.tls = tls
        stream = OutgoingConnection(loop: loop)
        queue = ReplyQueue(
            silenceLimitMilliseconds: silenceLimitMilliseconds, quorum: quorum, now: loop.now)
    }

    /// Starts to connect. A failure is told through `onClose`, perhaps before this returns.
    func connect(to target: Target) {
        guard let address = target.socketAddress else { return close(because: "not an address: \(target)") }
        // The stream keeps this object alive until it is closed.
        stream.onConnect = {
            self.isConnected = true
            let onConnect = self.onConnect
            self.onConnect = nil
            onConnect?()
        }
        stream.onInput = { self.take($0) }
        stream.onClose = { self.close(because: $0 ?? "Redis closed the connection") }
        stream.connect(to: address, through: tls?.session(with: target.host), isKeptAlive: true)
    }

    /// Why it is not there yet, in words for a log.
    var reasonOfDelay: String {
        stream.isConnected && tls != nil
            ? "agreeing on TLS took too long: does it speak TLS?" : "connecting took too long"
    }

    // MARK: Commands

    /// Batches whose replies have not all come.
    var pendingCount: Int { queue.count }

    /// The bytes of commands that the socket has not taken yet.
    var unsentBytes: Int { stream.unsentBytes }

    /// Queues the batch's commands, at least one; they leave together at the end of the loop's turn.
    func send(_ commands: [Command], _ batch: Batch) {
        guard isConnected, !isClosed else { return batch.complete(.failure(.notConnected)) }
        precondition(!commands.isEmpty && commands.count == batch.count, "a batch has a reply for each command")
        for command in commands {
            precondition(!command.changesProtocol, "subscriptions need a connection of their own")
            stream.queue(command.bytes)
        }
        queue.append(batch)
        armDeadlineTimer(batch.deadline)
        flushAtEndOfTurn()
    }

    /// So that all commands of the turn leave in one write. During a WAIT they stay, as Redis would run nothing before it
    /// is answered, so that all changes of its time share the next.
    private func flushAtEndOfTurn() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atEndOfTurn { [weak self] in
            guard let self else { return }
            isFlushScheduled = false
            guard !isClosed else { return }
            isFlushHeld = queue.isWaitingForReplicas
            if isFlushHeld { return }
            if let wait = queue.replicaWait(at: loop.now) {
                for command in wait.commands { stream.queue(command.bytes) }
                armDeadlineTimer(wait.deadline)
            }
            stream.flush()
        }
    }

    // MARK: Replies

    private func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        // An alert, as the answer to what is no TLS (RFC 8446, section 5.1).
        if !hasReplied, bytes.first == 21 { return close(because: "it speaks TLS: name it by rediss://") }
        hasReplied = true
        replies.feed(bytes)
        do throws(RedisError) {
            while !isClosed, let reply = try replies.next() { take(reply) }
        } catch {
            return close(because: "\(error)")
        }
        guard !isClosed else { return }
        // What has begun must be wanted, and small.
        if replies.hasBegun, queue.count == 0 {
            close(because: "Redis sent a reply that nobody asked for")
        } else if replies.unparsedBytes > Self.maximumReplyBytes {
            close(because: "Redis sent a reply of over \(Self.maximumReplyBytes) bytes")
        }
    }

    private func take(_ reply: Value) {
        if case .error(let text) = reply {
            // Sent unasked to a connection too many, which Redis then closes: no answer to any command.
            if text.hasPrefix("ERR max number of clients") { return close(because: text) }
            if queue.count > 0 { metrics.noteErrorReply(text) }
            if Self.isOfReplica(text) { leaveAtEndOfTurn() }
        }
        switch queue.take(reply, at: loop.now) {
        case .part: break
        case .whole(let batch):
            record(batch)
            batch.complete(.success(batch.replies))
        case .unconfirmed(let batch): record(batch)
        case .wait(let wait, let changes, let failure):
            record(wait)
            isConfirmed(changes, failure)
        case .waitAgain(let wait):
            record(wait)
            flushAtEndOfTurn()
        case .unasked: close(because: "Redis sent a reply that nobody asked for")
        }
    }

    private func record(_ batch: Batch) {
        metrics.calls.record(nanoseconds: loop.now.nanoseconds - batch.sentAt.nanoseconds)
    }

    private func isConfirmed(_ changes: [Batch], _ failure: RedisError?) {
        if isFlushHeld { flushAtEndOfTurn() }
        if let failure { metrics.note(failure, times: changes.count { $0.isWaited }) }
        for batch in changes { batch.complete(failure.map { .failure($0) } ?? .success(batch.replies)) }
    }

    // MARK: Replicas

    /// What is known of replicas; nil if none is waited for.
    var quorum: ReplicaQuorum? { queue.quorum }

    /// Goes on for as long as the connection is there, whether anything else is asked or not.
    func lookAtReplicas() {
        guard !isClosed, lookTimer == nil, let quorum, quorum.looks else { return }
        let deadline = loop.now.advanced(byMilliseconds: quorum.gapMilliseconds)
        let look = Batch(count: 1, sentAt: loop.now, deadline: deadline) { [weak self] result in
            guard let self, case .success(let replies) = result else { return }
            queue.see(replies[0], at: loop.now)
        }
        send([ReplyQueue.look], look)
        lookTimer = loop.schedule(afterMilliseconds: ReplicaQuorum.lookMilliseconds) { [weak self] in
            self?.lookTimer = nil
            self?.lookAtReplicas()
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
        guard let overdue = queue.overdue(at: loop.now) else { return }
        metrics.note(.deadlinePassed, times: overdue.late.count)
        for batch in overdue.late { batch.complete(.failure(.deadlinePassed)) }
        if isClosed { return }
        if overdue.isStuck { return close(because: "no reply before the deadline") }
        if isFlushHeld, !queue.isWaitingForReplicas { flushAtEndOfTurn() }
        armDeadlineTimer(overdue.next)
    }

    // MARK: Ending

    /// Ends the connection; everything pending fails as lost.
    func close(because reason: String) {
        guard !isClosed else { return }
        isClosed = true
        stream.close()
        deadlineTimer?.timer.cancel()
        deadlineTimer = nil
        lookTimer?.cancel()
        lookTimer = nil
        let lost = queue.removeAll()
        metrics.note(.connectionLost, times: lost.count { $0.isWaited })
        for batch in lost { batch.complete(.failure(.connectionLost)) }
        let onClose = self.onClose
        self.onClose = nil
        onConnect = nil
        onClose?(reason)
    }
}
