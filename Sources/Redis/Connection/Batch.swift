import EventLoop

/// The commands of one call, their replies as they arrive, and who waits for them.
final class Batch {
    let count: Int
    let sentAt: MonotonicTime
    let deadline: MonotonicTime
    /// Whether the last reply tells of a change, which is then to be on replicas before it counts as made. nil: the
    /// batch does not wait for replicas, whatever it does.
    var isChange: ((Value) -> Bool)?
    private(set) var replies: [Value] = []
    private var received = 0
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

    /// Takes in the next reply; of a batch that nobody waits for, only that it came.
    /// - Returns: whether it was the last one.
    func take(_ reply: Value) -> Bool {
        received += 1
        if isWaited { replies.append(reply) }
        return received == count
    }

    /// Tells who waits, once; what comes later is dropped. The replies are then who waited's alone.
    func complete(_ result: Result<[Value], RedisError>) {
        let completion = self.completion
        self.completion = nil
        replies = []
        completion?(result)
    }
}

/// A connection's batches, in the order in which Redis will answer. One that is done goes at once: while others overlap,
/// the line is never empty, and what stayed in it would keep all replies of an hour.
struct PendingBatches {
    private var batches: [Batch?] = []
    private var head = 0

    var count: Int { batches.count - head }
    var first: Batch? { head < batches.count ? batches[head] : nil }
    /// Those that are not done.
    var all: [Batch] { batches[head...].compactMap(\.self) }

    mutating func append(_ batch: Batch) {
        batches.append(batch)
    }

    mutating func removeFirst() {
        batches[head] = nil
        head += 1
        if head == batches.count {
            batches.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024, head >= batches.count / 2 {
            batches.removeFirst(head)
            head = 0
        }
    }
}
