/// A callback that the loop will run once, at or after its deadline. Belongs to its loop's thread.
public final class ScheduledTimer {
    let deadline: MonotonicTime
    /// Tells timers of one deadline apart, so that they run in the order in which they were made.
    let order: UInt64
    private(set) var body: (() -> Void)?

    init(deadline: MonotonicTime, order: UInt64, body: @escaping () -> Void) {
        self.deadline = deadline
        self.order = order
        self.body = body
    }

    /// The callback will not run. Cancelling a timer that has run or was cancelled does nothing.
    public func cancel() {
        body = nil
    }

    var isCancelled: Bool { body == nil }

    func fire() {
        let body = self.body
        self.body = nil
        body?()
    }

    fileprivate func precedes(_ other: ScheduledTimer) -> Bool {
        deadline == other.deadline ? order < other.order : deadline < other.deadline
    }
}

/// A binary heap of timers, the earliest first. Cancelled timers leave when they reach the top, or when they make up
/// more than half of a large heap, so that its size stays bounded by the timers that are still wanted.
struct TimerHeap {
    private var timers: [ScheduledTimer] = []
    private var made: UInt64 = 0
    private var compactionSize = 1024

    var count: Int { timers.count }

    mutating func insert(at deadline: MonotonicTime, _ body: @escaping () -> Void) -> ScheduledTimer {
        if timers.count >= compactionSize { compact() }
        made += 1
        let timer = ScheduledTimer(deadline: deadline, order: made, body: body)
        timers.append(timer)
        siftUp(from: timers.count - 1)
        return timer
    }

    /// The deadline of the first timer that is still wanted.
    mutating func nextDeadline() -> MonotonicTime? {
        while let first = timers.first, first.isCancelled { removeFirst() }
        return timers.first?.deadline
    }

    /// Takes out the first timer if it is due.
    mutating func popDue(at now: MonotonicTime) -> ScheduledTimer? {
        guard let deadline = nextDeadline(), deadline <= now else { return nil }
        return removeFirst()
    }

    private mutating func compact() {
        timers.removeAll { $0.isCancelled }
        timers.sort { $0.precedes($1) }  // A sorted array is a heap.
        compactionSize = max(1024, timers.count * 2)
    }

    @discardableResult
    private mutating func removeFirst() -> ScheduledTimer {
        let first = timers[0]
        let last = timers.removeLast()
        if !timers.isEmpty {
            timers[0] = last
            siftDown(from: 0)
        }
        return first
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard timers[child].precedes(timers[parent]) else { return }
            timers.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < timers.count && timers[child].precedes(timers[smallest]) {
                smallest = child
            }
            if smallest == parent { return }
            timers.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
