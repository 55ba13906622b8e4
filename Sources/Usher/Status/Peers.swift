import Redis
import Scripts

/// A node or a runner, by its own word. Times in milliseconds since 1970, by Redis' clock.
public struct Peer: Equatable, Sendable {
    public let id: String
    public let host: String
    public let process: Int
    public let version: String
    /// `running` or `stopping`.
    public let state: String
    public let startedAt: Int
    public let seenAt: Int
    /// Where a node listens.
    public let address: String?
    /// How many bots a runner may run, and how many it does.
    public let capacity: Int?
    public let running: Int?
    /// What a runner's bots lack, as the beginning of a sentence; nil if nothing.
    public let problem: String?

    /// - Returns: nil for a record that lacks what every one has, as one that has just ended does.
    init?(_ fields: [String: String]) {
        func number(_ name: String) -> Int? { fields[name].flatMap { Int($0) } }
        guard let id = fields["id"], let startedAt = number("started_at"), let seenAt = number("seen_at") else {
            return nil
        }
        self.id = id
        self.startedAt = startedAt
        self.seenAt = seenAt
        host = fields["host"] ?? ""
        process = number("process") ?? 0
        version = fields["version"] ?? ""
        state = fields["state"] ?? ""
        address = fields["address"]
        capacity = number("capacity")
        running = number("running")
        problem = fields["problem"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension Installation {
    /// Says that a node or a runner is there. Without another word it counts as gone after `lifetime` milliseconds.
    /// - Parameter uptime: how long it has been there, in milliseconds.
    public func beat(
        _ kind: PeerKind, id: String, lifetime: Int, uptime: Int, fields: KeyValuePairs<String, String>
    ) async throws(RedisError) {
        _ = try await session.run(
            Scripts.Beat(
                peersKey: Keys.peers(kind), peerKey: Keys.peer(kind, id), id: id, lifetimeMilliseconds: lifetime,
                uptimeMilliseconds: uptime, fields: fields.flatMap { [$0.key, $0.value] }))
    }

    /// Says that it ends.
    public func endBeat(_ kind: PeerKind, id: String) async throws(RedisError) {
        try await beat(kind, id: id, lifetime: 0, uptime: 0, fields: ["id": id])
    }
}
