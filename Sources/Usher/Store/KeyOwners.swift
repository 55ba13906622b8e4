import EventLoop

/// Whose an API key is. Never changes while the key is there.
struct KeyOwner: Equatable, Sendable {
    let workspaceID: String
    let userID: String
}

/// An API key that a loop has seen.
///
/// `@unchecked Sendable`: belongs to the loop of the `KeyOwners` that it is in.
final class KnownKey: @unchecked Sendable {
    var owner: KeyOwner?
    /// nil: requests with it are not limited.
    var allowance: Allowance?
    /// When this loop is next to note that the key is used.
    var nextNote = MonotonicTime(nanoseconds: 0)

    init(owner: KeyOwner? = nil, limit: RateLimit?) {
        self.owner = owner
        allowance = limit.map(Allowance.init)
    }
}

/// The API keys that a loop has seen, by the SHA-256 of the key. Whose they are is no more than a guess at what Redis is
/// going to say, so that what is asked about the owner leaves together with the question who that is. What a key
/// may do, and whether it is still there, only Redis tells.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
final class KeyOwners: @unchecked Sendable {
    /// About 3 MB.
    static let maximumCount = 10_000

    private let loop: EventLoop
    private var keys: [String: KnownKey] = [:]
    private var workspaces: Set<String> = []

    init(loop: EventLoop) {
        self.loop = loop
    }

    subscript(hash: String) -> KnownKey? {
        get {
            loop.preconditionCurrent()
            return keys[hash]
        }
        set {
            loop.preconditionCurrent()
            // All at once: to know the oldest ones would cost each request more than this costs one in ten thousand.
            if keys.count >= Self.maximumCount {
                keys.removeAll(keepingCapacity: true)
                workspaces.removeAll(keepingCapacity: true)
            }
            keys[hash] = newValue
            if let owner = newValue?.owner { workspaces.insert(owner.workspaceID) }
        }
    }

    func forget(_ hash: String) {
        loop.preconditionCurrent()
        keys[hash] = nil
    }

    /// Whether this loop has seen a key of a workspace.
    func hasSeen(workspace id: String) -> Bool {
        loop.preconditionCurrent()
        return workspaces.contains(id)
    }
}
