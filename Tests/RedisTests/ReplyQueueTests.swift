import EventLoop
import Testing

@testable import Redis

/// Without a socket, a clock or a Redis.
@Suite struct ReplyQueueTests {
    static let begin = MonotonicTime(nanoseconds: 1_000_000_000)

    static func at(_ milliseconds: Int) -> MonotonicTime { begin.advanced(byMilliseconds: milliseconds) }

    static func batch(_ count: Int = 1, due: Int = 100, isChange: Bool = false) -> Batch {
        let batch = Batch(count: count, sentAt: begin, deadline: at(due)) { _ in }
        if isChange { batch.isChange = { $0 == .string("changed") } }
        return batch
    }

    static func queue(replicas: Int? = nil) -> ReplyQueue {
        ReplyQueue(
            silenceLimitMilliseconds: 1_000,
            quorum: replicas.map { ReplicaQuorum(ReplicaWait(replicas: $0, milliseconds: 50)) }, now: begin)
    }

    @Test func repliesAreOfBatchesInTheirOrder() {
        var queue = Self.queue()
        let (first, second) = (Self.batch(2), Self.batch())
        queue.append(first)
        queue.append(second)
        guard case .part = queue.take(.integer(1), at: Self.at(1)),
            case .whole(let done) = queue.take(.integer(2), at: Self.at(1)), done === first,
            case .whole(let next) = queue.take(.error("ERR"), at: Self.at(1)), next === second
        else {
            Issue.record("another answer")
            return
        }
        #expect(first.replies == [.integer(1), .integer(2)] && second.replies == [.error("ERR")] && queue.count == 0)
        guard case .unasked = queue.take(.null, at: Self.at(2)) else {
            Issue.record("nobody asked")
            return
        }
    }

    /// One WAIT for all changes that were sent since the last; what changed nothing has its reply at once.
    @Test func aWaitConfirmsAllChangesBeforeIt() {
        var queue = Self.queue(replicas: 2)
        #expect(queue.replicaWait(at: Self.at(0)) == nil)
        let (change, other, unchanged) = (
            Self.batch(isChange: true), Self.batch(due: 300, isChange: true), Self.batch(isChange: true)
        )
        for batch in [change, other, unchanged] { queue.append(batch) }
        let wait = queue.replicaWait(at: Self.at(0))
        #expect(wait?.deadline == Self.at(300), "not before the last of them gives up")
        #expect(queue.replicaWait(at: Self.at(0)) == nil && queue.isWaitingForReplicas && queue.count == 4)
        // What comes later waits for a WAIT of its own.
        let late = Self.batch(isChange: true)
        queue.append(late)
        guard case .unconfirmed = queue.take(.string("changed"), at: Self.at(1)),
            case .unconfirmed = queue.take(.string("changed"), at: Self.at(1)),
            case .whole(let done) = queue.take(.string("as it was"), at: Self.at(1)), done === unchanged,
            case .wait(_, let confirmed, let failure) = queue.take(.integer(2), at: Self.at(2))
        else {
            Issue.record("another answer")
            return
        }
        #expect(confirmed.map(ObjectIdentifier.init) == [change, other].map(ObjectIdentifier.init) && failure == nil)
        #expect(!queue.isWaitingForReplicas && queue.count == 1)
        #expect(queue.replicaWait(at: Self.at(3)) != nil)
    }

    @Test(arguments: [
        (Value.integer(1), RedisError.notReplicated(replicas: 1)), (.error("ERR x"), .refused("ERR x")),
        (.null, .unexpectedReply("WAIT returned null")),
    ]) func aWaitThatDoesNotConfirmSaysWhy(_ reply: Value, _ expected: RedisError) {
        var queue = Self.queue(replicas: 2)
        queue.append(Self.batch(isChange: true))
        _ = queue.replicaWait(at: Self.at(0))
        _ = queue.take(.string("changed"), at: Self.at(1))
        guard case .wait(_, let changes, let failure) = queue.take(reply, at: Self.at(1)) else {
            Issue.record("another answer")
            return
        }
        #expect(changes.count == 1 && failure == expected)
    }

    /// A replica is back that was not waited for any more: what is under way waits for it too, once.
    @Test func aReplicaThatIsBackIsWaitedFor() throws {
        var queue = Self.queue(replicas: 2)
        let first = Self.batch(isChange: true)
        queue.append(first)
        #expect(queue.replicaWait(at: Self.at(0))?.commands.map(\.bytes) == [Command("WAIT", "2", "50").bytes])
        _ = queue.take(.string("changed"), at: Self.at(1))
        guard case .wait(_, _, .notReplicated(replicas: 1)) = queue.take(.integer(1), at: Self.at(50)) else {
            Issue.record("another answer")
            return
        }
        for second in 1...32 { queue.see(ReplicaQuorumTests.info(["10.0.0.1": 0]), at: Self.at(second * 1_000)) }
        let now = Self.at(32_500)
        let (change, later) = (Self.batch(due: 40_000, isChange: true), Self.batch(due: 50_000, isChange: true))
        queue.append(change)
        let wait = queue.replicaWait(at: now)
        #expect(
            wait?.commands.map(\.bytes) == [Command("WAIT", "1", "50").bytes, Command("INFO", "replication").bytes])
        queue.append(later)
        guard case .unconfirmed = queue.take(.string("changed"), at: now),
            case .part = queue.take(.integer(1), at: now),
            case .waitAgain = queue.take(ReplicaQuorumTests.info(["10.0.0.1": 0, "10.0.0.2": 0]), at: now)
        else {
            Issue.record("another answer")
            return
        }
        let again = queue.replicaWait(at: now)
        #expect(again?.commands.map(\.bytes) == [Command("WAIT", "2", "50").bytes])
        #expect(again?.deadline == Self.at(50_000))
        guard case .unconfirmed = queue.take(.string("changed"), at: now),
            case .wait(_, let confirmed, let failure) = queue.take(.integer(2), at: now)
        else {
            Issue.record("another answer")
            return
        }
        #expect(confirmed.map(ObjectIdentifier.init) == [change, later].map(ObjectIdentifier.init) && failure == nil)
    }

    /// A change that has its reply waits no longer than any other, and a WAIT that is late confirms nothing afterwards.
    @Test func whatIsLateIsTold() {
        var queue = Self.queue(replicas: 1)
        let change = Self.batch(due: 100, isChange: true)
        queue.append(change)
        _ = queue.replicaWait(at: Self.at(0))
        _ = queue.take(.string("changed"), at: Self.at(10))
        #expect(queue.overdue(at: Self.at(99))?.late.isEmpty == true)
        let overdue = queue.overdue(at: Self.at(100))
        #expect(overdue?.late.contains { $0 === change } == true && overdue?.isStuck == false)
        #expect(!queue.isWaitingForReplicas, "others need not wait for it any more")
        guard case .whole = queue.take(.integer(1), at: Self.at(101)) else {
            Issue.record("it confirms what nobody waits for")
            return
        }
    }

    /// A slow script is no reason to connect again: nothing at all must have come for long.
    @Test func aConnectionIsStuckOnceNothingComesForLong() {
        var queue = Self.queue()
        queue.append(Self.batch(2, due: 100))
        #expect(queue.overdue(at: Self.at(50))?.next == Self.at(100))
        _ = queue.take(.null, at: Self.at(90))
        let late = queue.overdue(at: Self.at(100))
        #expect(late?.late.count == 1 && late?.isStuck == false && late?.next == Self.at(1_090))
        late?.late.first?.complete(.failure(.deadlinePassed))
        #expect(queue.overdue(at: Self.at(1_089))?.isStuck == false)
        #expect(queue.overdue(at: Self.at(1_090))?.isStuck == true)
        #expect(queue.removeAll().count == 1 && queue.overdue(at: Self.at(5_000)) == nil)
    }
}
