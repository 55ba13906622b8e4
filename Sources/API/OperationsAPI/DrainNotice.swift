import Synchronization

/// A node's notice that it is about to stop: one for all of its loops and ports. It is given before the node stops, so
/// that balancers look elsewhere while everything is still served.
public final class DrainNotice: Sendable {
    private let given = Atomic<Bool>(false)

    public init() {}

    /// From now on `GET /readyz` says no. From any thread.
    public func give() {
        given.store(true, ordering: .relaxed)
    }

    var isGiven: Bool { given.load(ordering: .relaxed) }
}
