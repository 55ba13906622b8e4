import EventLoop
import HTTP
import Metrics
import Synchronization
import Usher

/// What live feeds of one loop work with.
public struct LiveServices: Sendable {
    let hub: FeedHub
    let budget: LiveBudget
    let unsent: UnsentClients

    public init(hub: FeedHub, budget: LiveBudget) {
        self.hub = hub
        self.budget = budget
        unsent = UnsentClients(bytes: budget.unsent.bytesOfClient)
    }
}

/// How many live feeds a node serves to one API key, and to one address: sockets, and bodies without an end.
public final class LiveBudget: Sendable {
    private let perKey: Int
    private let perAddress: Int
    /// What their clients have not taken.
    public let unsent: ByteBudget
    private let used = Mutex<[String: Int]>([:])
    private let refused = Atomic(0)
    private let slow = Atomic(0)

    /// - Parameters:
    ///   - perKey: at least 1.
    ///   - perAddress: at least 1.
    public init(perKey: Int, perAddress: Int, unsent: ByteBudget) {
        self.unsent = unsent
        self.perKey = perKey
        self.perAddress = perAddress
    }

    func noteSlow() { slow.add(1, ordering: .relaxed) }

    /// Takes a place.
    /// - Returns: what gives it back once nothing refers to it any more; nil if there is none.
    func hold(_ caller: Caller, from address: IPAddress?) -> LiveHold? {
        let names = ["key \(caller.keyID)"] + (address.map { ["address \($0.subscriber)"] } ?? [])
        let isGranted = used.withLock { used in
            for (name, limit) in zip(names, [perKey, perAddress]) where used[name, default: 0] >= limit { return false }
            for name in names { used[name, default: 0] += 1 }
            return true
        }
        guard isGranted else {
            refused.add(1, ordering: .relaxed)
            return nil
        }
        return LiveHold(budget: self, names: names)
    }

    fileprivate func giveBack(_ names: [String]) {
        used.withLock { used in
            for name in names {
                let count = used[name, default: 0] - 1
                // Nothing is kept of those who are gone.
                used[name] = count > 0 ? count : nil
            }
        }
    }
}

extension LiveBudget: Measured {
    public static let measures: [Measure<LiveBudget>] = [
        Measure(
            .counter, "usher_feeds_refused_total",
            "Live feeds that were refused, as their key or address had too many."
        ) { $0.refused.load(ordering: .relaxed) },
        Measure(
            .counter, "usher_feeds_too_slow_total", "Live feeds that were ended, as their clients did not take them."
        ) { $0.slow.load(ordering: .relaxed) },
    ]
}

/// A place in a `LiveBudget`, given back once this is let go.
final class LiveHold: Sendable {
    private let budget: LiveBudget
    private let names: [String]

    fileprivate init(budget: LiveBudget, names: [String]) {
        self.budget = budget
        self.names = names
    }

    deinit {
        budget.giveBack(names)
    }
}

extension Caller {
    /// Whose untaken bytes count together: however many keys a user has.
    var feedClient: String { "\(workspaceID) \(userID)" }
}

/// Whether a feed's key still opens it: looked at every few seconds.
struct LiveRight: Sendable {
    static let checkMilliseconds = 3_000

    let caller: Caller
    let store: Store

    /// - Returns: false once the key is revoked or has expired, or its user may not read transcripts any more. While Redis
    ///   cannot be asked it counts on.
    func isGood() async -> Bool {
        let session = store.session(milliseconds: Self.checkMilliseconds)
        do {
            guard let (now, role) = try await session.callers.now(caller), now.has(.bots), let role else {
                return false
            }
            return role >= .viewer
        } catch {
            return true
        }
    }
}

extension Input where Value == FeedCursor? {
    static func cursor(_ name: String, _ meaning: String) -> Input {
        .query(name, .string(3...41, pattern: "^[0-9]{1,20}-[0-9]{1,20}$"), meaning) { text in
            guard let cursor = FeedCursor(text) else { throw FormError("must be a cursor that an answer has named") }
            return cursor
        }
    }
}

extension APIError {
    static let tooManyFeeds = APIError(
        429, "Too many live feeds are open with this API key, or from this address. Close some first.",
        retryAfterSeconds: 10)
    static let noFeeds = APIError(503, "This node serves no live feeds. Ask another one.", retryAfterSeconds: 2)
}
