import EventLoop
import Metrics
import Synchronization

/// How many connections the servers that share it may have at once. Whoever finds it spent stops accepting, so that
/// new connections wait in the kernel's queue, and is told when one has closed.
public final class ConnectionBudget: Sendable {
    private struct State {
        var used = 0
        /// By where they come from, if that is limited.
        var usedByAddress: [IPAddress: Int] = [:]
        var waiters: [@Sendable () -> Void] = []
    }

    public let limit: Int
    private let limitPerAddress: Int
    private let exempt: [AddressRange]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: connections, at least 1.
    ///   - limitPerAddress: connections from one address, or one /64 of IPv6; 0: any number.
    ///   - exempt: addresses that may have any number, as those of load balancers.
    public init(limit: Int, limitPerAddress: Int = 0, exempt: [AddressRange] = []) {
        precondition(limit >= 1, "a server without connections serves nobody")
        self.limit = limit
        self.limitPerAddress = limitPerAddress
        self.exempt = exempt
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

    /// Takes the connection that has been acquired as one from `peer`.
    /// - Returns: false if there are too many from there; then it is to be closed, and its place given back as nobody's.
    func admit(_ peer: IPAddress?) -> Bool {
        guard let address = limited(peer) else { return true }
        return state.withLock { state in
            let used = state.usedByAddress[address, default: 0]
            guard used < limitPerAddress else { return false }
            state.usedByAddress[address] = used + 1
            return true
        }
    }

    private func limited(_ peer: IPAddress?) -> IPAddress? {
        guard limitPerAddress > 0, let peer, !exempt.contains(where: { $0.contains(peer) }) else { return nil }
        return peer.subscriber
    }

    /// - Parameter peer: as whose connection it was admitted, if it was.
    func release(_ peer: IPAddress? = nil) {
        let address = limited(peer)
        let waiters = state.withLock { state in
            state.used -= 1
            if let address {
                // No entry is left of an address without connections, lest all that ever came be kept.
                let used = state.usedByAddress[address, default: 0] - 1
                state.usedByAddress[address] = used > 0 ? used : nil
            }
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter() }
    }
}

/// With a label for what its port serves.
extension ConnectionBudget: Measured {
    public static let measures: [Measure<ConnectionBudget>] = [
        Measure(
            .gauge, "usher_http_connections_limit", labels: ["serves"],
            "How many connections of a port are served at once; further ones wait in the kernel's queue."
        ) { $0.limit }
    ]
}
