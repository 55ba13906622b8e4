import Synchronization

/// How many connections the servers that share it may have at once. Whoever finds it spent stops accepting, so that
/// new connections wait in the kernel's queue, and is told when one has closed.
public final class ConnectionBudget: Sendable {
    private struct State {
        var used = 0
        var waiters: [@Sendable () -> Void] = []
    }

    public let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: connections, at least 1.
    public init(limit: Int) {
        precondition(limit >= 1, "a server without connections serves nobody")
        self.limit = limit
    }

    /// Connections that are open now.
    public var used: Int { state.withLock { $0.used } }

    /// Takes one connection out of the budget, or notes whom to tell, once, when it may be tried again.
    func acquire(orTell waiter: @autoclosure () -> @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.used < limit else {
                state.waiters.append(waiter())
                return false
            }
            state.used += 1
            return true
        }
    }

    func release() {
        let waiters = state.withLock { state in
            state.used -= 1
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter() }
    }
}
