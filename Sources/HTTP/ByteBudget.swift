import Synchronization

/// Bytes that wait in all that shares it: for clients of WebSockets, and of bodies without an end, that have not taken them,
/// or of requests that have not come as a whole. Each has a bound of its own; this one is for thousands at once: once it is
/// spent, who is slow is ended.
public final class ByteBudget: Sendable {
    /// One client's part of it, on each loop.
    private static let clientsAtLeast = 8

    private let maximumBytes: Int
    private let bytes = Atomic(0)

    /// - Parameter bytes: how many may wait.
    public init(bytes: Int = 67_108_864) { maximumBytes = bytes }

    /// What all that is one client's may leave untaken on a loop.
    public var bytesOfClient: Int { max(1, maximumBytes / Self.clientsAtLeast) }

    /// What waits now.
    public var used: Int { bytes.load(ordering: .relaxed) }

    public var isSpent: Bool { used >= maximumBytes }

    public func add(_ more: Int) { bytes.add(more, ordering: .relaxed) }
}
