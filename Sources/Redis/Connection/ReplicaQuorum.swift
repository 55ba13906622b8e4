import EventLoop

/// How many replicas a change waits for: all that are wanted, but for those that have been away for so long that a failover
/// prefers every other one; and never fewer than make a majority of the servers (docs/architecture.md, "Failovers").
///
/// Pure: it is told of Redis' answers and of the time.
struct ReplicaQuorum {
    /// How often `INFO replication` is to be asked for.
    static let lookMilliseconds = 1_000
    /// A primary has no more.
    private static let mostRemembered = 100

    private let wait: ReplicaWait
    private var primary = ""
    /// Since when there has been no gap; nil: nothing has been seen.
    private var since: MonotonicTime?
    private var seenAt = MonotonicTime(nanoseconds: 0)
    /// When each replica said something last, by its address, and how many of that one came before it: behind a translation of
    /// addresses, or without a port, several may look the same.
    private var lastWord: [String: MonotonicTime] = [:]

    init(_ wait: ReplicaWait) {
        self.wait = wait
    }

    var wanted: Int { wait.replicas }
    var milliseconds: Int { wait.milliseconds }
    /// Whether it may be fewer than all, so that it has to be told what is there.
    var looks: Bool { wait.fewest < wanted }
    /// With a longer gap, what was there and what was not is not known any more. A WAIT holds up what is asked after it.
    var gapMilliseconds: Int { 3_000 + wait.milliseconds }

    /// For how many a change that is sent now is to wait.
    func required(at now: MonotonicTime) -> Int {
        guard let since, now.milliseconds(since: seenAt) <= gapMilliseconds,
            now.milliseconds(since: since) >= wait.awayMilliseconds
        else { return wanted }
        let there = lastWord.values.count { now.milliseconds(since: $0) < wait.awayMilliseconds }
        return min(wait.replicas, max(wait.fewest, there))
    }

    /// What the primary says of its replicas.
    mutating func see(_ reply: Value, at now: MonotonicTime) {
        guard let info = reply.info else { return }
        let seen = ReplicationInfo(info)
        if since == nil || now.milliseconds(since: seenAt) > gapMilliseconds || seen.id != primary {
            (since, primary, lastWord) = (now, seen.id, [:])
        }
        seenAt = now
        lastWord = lastWord.filter { now.milliseconds(since: $0.value) < wait.awayMilliseconds }
        var sameAddress: [String: Int] = [:]
        for replica in seen.replicas.prefix(Self.mostRemembered) where replica.isThere(for: wait.awayMilliseconds) {
            sameAddress[replica.address, default: 0] += 1
            lastWord["\(replica.address) \(sameAddress[replica.address]!)"] =
                now.advanced(byMilliseconds: -replica.lagSeconds * 1_000)
        }
    }
}
