import EventLoop

/// The commands of one call, their replies as they arrive, and who waits for them.
final class Batch {
    let count: Int
    let sentAt: MonotonicTime
    let deadline: MonotonicTime
    /// Whether the last reply tells of a change, which is then to be on replicas before it counts as made. nil: the
    /// batch does not wait for replicas, whatever it does.
    var isChange: ((Value) -> Bool)?
    var replies: [Value] = []
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

    /// Tells who waits, once; what comes later is dropped.
    func complete(_ result: Result<[Value], RedisError>) {
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }
}
