import EventLoop

/// Whose an API key is. Never changes while the key is there.
struct KeyOwner: Equatable, Sendable {
    let workspaceID: String
    let userID: String
}

/// The owners of the API keys that a loop has seen, by the SHA-256 of the key: no more than a guess at what Redis is
/// going to say, so that what is asked about the owner leaves together with the question who that is. What a key may
/// do, and whether it is still there, only Redis tells.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
final class KeyOwners: @unchecked Sendable {
    /// About 2 MB.
    static let maximumCount = 10_000

    private let loop: EventLoop
    private var owners: [String: KeyOwner] = [:]

    init(loop: EventLoop) {
        self.loop = loop
    }

    subscript(hash: String) -> KeyOwner? {
        get {
            loop.preconditionCurrent()
            return owners[hash]
        }
        set {
            loop.preconditionCurrent()
            // All at once: to know the oldest ones would cost each request more than this costs one in ten thousand.
            if owners.count >= Self.maximumCount { owners.removeAll(keepingCapacity: true) }
            owners[hash] = newValue
        }
    }
}
