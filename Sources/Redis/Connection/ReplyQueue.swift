import EventLoop

/// What was asked on one connection, in the order in which Redis answers, and what became of it. Changes that are to be on
/// replicas count once a WAIT that followed them has been answered: it confirms everything before it on the connection.
///
/// Pure: it is told of replies and of the time, and says who is to be told what. Whoever is told may send more or close the
/// connection, and so is told by the queue's owner, once the queue is at rest.
struct ReplyQueue {
    /// nil: no change waits for replicas.
    private(set) var quorum: ReplicaQuorum?
    /// See `ClientConfiguration`.
    private let silenceLimitMilliseconds: Int
    private var pending = PendingBatches()
    private var lastReplyAt: MonotonicTime
    /// The latest deadline of changes that no WAIT follows yet; nil: there are none.
    private var replicaWaitDeadline: MonotonicTime?
    private var openWait: (batch: Batch, replicas: Int)?
    /// Changes whose replies have come, and not that of the WAIT that follows them.
    private var unconfirmed: [Batch] = []

    init(silenceLimitMilliseconds: Int, quorum: ReplicaQuorum?, now: MonotonicTime) {
        self.silenceLimitMilliseconds = silenceLimitMilliseconds
        self.quorum = quorum
        lastReplyAt = now
    }

    /// Batches whose replies have not all come.
    var count: Int { pending.count }
    /// Whether a WAIT has no answer yet: Redis would run nothing of the connection before it.
    var isWaitingForReplicas: Bool { openWait != nil }

    // MARK: What is sent

    mutating func append(_ batch: Batch) {
        pending.append(batch)
        if batch.isChange != nil { replicaWaitDeadline = max(replicaWaitDeadline ?? batch.deadline, batch.deadline) }
    }

    /// A WAIT for all changes since the last one, which counts as sent; nil if there were none. If it is for fewer replicas
    /// than are wanted, it asks at once which ones are there.
    mutating func replicaWait(at now: MonotonicTime) -> (commands: [Command], deadline: MonotonicTime)? {
        guard let latest = replicaWaitDeadline, let quorum else { return nil }
        replicaWaitDeadline = nil
        // The changes before it give up when their own deadlines pass; none of them may still wait when it has given up.
        let deadline = max(latest, now.advanced(byMilliseconds: quorum.milliseconds))
        let replicas = quorum.required(at: now)
        var commands = [Command("WAIT", String(replicas), String(quorum.milliseconds))]
        if replicas < quorum.wanted { commands.append(Self.look) }
        let wait = Batch(count: commands.count, sentAt: now, deadline: deadline) { _ in }
        openWait = (wait, replicas)
        append(wait)
        return (commands, deadline)
    }

    static let look = Command("INFO", "replication")

    mutating func see(_ replication: Value, at now: MonotonicTime) {
        quorum?.see(replication, at: now)
    }

    // MARK: What has come

    enum Answer {
        /// Some replies of a batch, or of what nobody waits for any more.
        case part
        /// All replies of a batch.
        case whole(Batch)
        /// The same of a change that waits for its WAIT.
        case unconfirmed(Batch)
        /// A WAIT's: what it confirms, or why it does not.
        case wait(Batch, of: [Batch], RedisError?)
        /// A WAIT's that asked too few: a replica is back which what it would confirm has to be on as well.
        case waitAgain(Batch)
        /// Nobody asked for it.
        case unasked
    }

    mutating func take(_ reply: Value, at now: MonotonicTime) -> Answer {
        lastReplyAt = now
        guard let batch = pending.first else { return .unasked }
        guard batch.take(reply) else { return .part }
        pending.removeFirst()
        if let openWait, batch === openWait.batch { return confirm(batch, of: openWait.replicas, at: now) }
        guard batch.isWaited, let isChange = batch.isChange, isChange(reply) else { return .whole(batch) }
        unconfirmed.append(batch)
        return .unconfirmed(batch)
    }

    private mutating func confirm(_ wait: Batch, of replicas: Int, at now: MonotonicTime) -> Answer {
        var failure: RedisError?
        switch wait.replies[0] {
        case .integer(let reached):
            if reached < replicas { failure = .notReplicated(replicas: reached) }
        case .error(let text): failure = .refused(text)
        default: failure = .unexpectedReply("WAIT returned \(wait.replies[0])")
        }
        if wait.count > 1 {
            see(wait.replies[1], at: now)
            if failure == nil, let quorum, quorum.required(at: now) > replicas {
                openWait = nil
                replicaWaitDeadline = ([replicaWaitDeadline] + unconfirmed.map(\.deadline)).compactMap(\.self).max()
                return .waitAgain(wait)
            }
        }
        return .wait(wait, of: takeUnconfirmed(), failure)
    }

    /// Replies come in order: what waits for a WAIT was sent before it, and is all of that.
    private mutating func takeUnconfirmed() -> [Batch] {
        let changes = unconfirmed
        unconfirmed = []
        openWait = nil
        return changes
    }

    // MARK: Time, and the end

    /// What has waited for too long.
    struct Overdue {
        /// They are to be told that their deadlines have passed; their replies may come yet.
        var late: [Batch] = []
        /// Whether nothing comes at all any more.
        var isStuck = false
        /// When to look again.
        var next: MonotonicTime
    }

    /// - Returns: nil if nothing is waited for.
    mutating func overdue(at now: MonotonicTime) -> Overdue? {
        guard let first = pending.first else { return nil }
        // Replies come in order, so only the first can tell whether the connection, or Redis, is stuck.
        let silenceEnd = max(lastReplyAt, first.sentAt).advanced(byMilliseconds: silenceLimitMilliseconds)
        var overdue = Overdue(next: first.deadline <= now ? silenceEnd : first.deadline)
        overdue.isStuck = first.deadline <= now && silenceEnd <= now
        // A change that waits for replicas has its reply, and yet no more time than any other.
        for batch in unconfirmed + pending.all where batch.isWaited {
            if batch.deadline <= now {
                overdue.late.append(batch)
            } else {
                overdue.next = min(overdue.next, batch.deadline)
            }
        }
        if let openWait, openWait.batch.deadline <= now { _ = takeUnconfirmed() }
        return overdue
    }

    /// The connection is gone.
    /// - Returns: all that had no answer.
    mutating func removeAll() -> [Batch] {
        let lost = unconfirmed + pending.all
        unconfirmed = []
        openWait = nil
        replicaWaitDeadline = nil
        pending = PendingBatches()
        return lost
    }
}
