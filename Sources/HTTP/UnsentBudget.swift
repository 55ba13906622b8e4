import Synchronization

/// What clients of WebSockets, and of bodies without an end, have not taken yet, of all that share it. Each has a bound of
/// its own; this one is for thousands that are slow at once: once it is spent, who takes too little is ended.
public final class UnsentBudget: Sendable {
    private let maximumBytes: Int
    private let bytes = Atomic(0)

    /// - Parameter bytes: how many may wait.
    public init(bytes: Int = 67_108_864) { maximumBytes = bytes }

    public var isSpent: Bool { bytes.load(ordering: .relaxed) >= maximumBytes }

    public func add(_ more: Int) { bytes.add(more, ordering: .relaxed) }
}
