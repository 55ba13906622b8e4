/// Tasks that wait on a loop for the same thing, each as long as it says.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class Waiters<Value: Sendable>: @unchecked Sendable {
    /// Resumed once, by whatever comes first.
    private final class Waiter {
        private var continuation: UnsafeContinuation<Value?, Never>?
        var timer: ScheduledTimer?

        init(_ continuation: UnsafeContinuation<Value?, Never>) {
            self.continuation = continuation
        }

        func resume(returning value: Value?) {
            timer?.cancel()
            continuation?.resume(returning: value)
            continuation = nil
        }
    }

    private let loop: EventLoop
    private var waiters: [Waiter] = []
    /// How many wait.
    var count: Int { waiters.count }

    public init(loop: EventLoop) {
        self.loop = loop
    }

    /// Waits for the next `tell`.
    /// - Parameter milliseconds: how long; nil waits for ever.
    /// - Returns: what was told, or nil if nothing was by then.
    public func wait(milliseconds: Int?) async -> Value? {
        await withUnsafeContinuation { continuation in
            loop.preconditionCurrent()
            let waiter = Waiter(continuation)
            waiters.append(waiter)
            guard let milliseconds else { return }
            waiter.timer = loop.schedule(afterMilliseconds: milliseconds) {
                // Nothing may be told for ever, to who waits again and again.
                self.waiters.removeAll { $0 === waiter }
                waiter.resume(returning: nil)
            }
        }
    }

    /// Ends all waits that are going on.
    public func tell(_ value: Value?) {
        loop.preconditionCurrent()
        let told = waiters
        waiters = []
        for waiter in told { waiter.resume(returning: value) }
    }
}
