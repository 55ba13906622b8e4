import EventLoop
import Redis

/// What runs, waits and is held in the whole installation, at a moment.
public struct Overview: Sendable {
    /// By Redis' clock, in milliseconds since 1970.
    public var at = 0
    public var nodes: [Peer] = []
    public var runners: [Peer] = []
    /// Dispatches that no runner has claimed, and for how many milliseconds the oldest has waited.
    public var waiting = 0
    public var oldestMilliseconds = 0
    /// Bots that a runner has claimed, and those of them whose lease has run out and that nobody has ended yet.
    public var leased = 0
    public var overdue = 0
    /// What the claimed bots are at; of the first ones, if there are very many.
    public var statuses: [BotStatus: Int] = [:]

    /// Rooms that have a bot or wait for one.
    public var roomsHeld: Int { waiting + leased }
    /// How many of them `statuses` tells of.
    public var roomsCounted: Int { statuses.values.reduce(0, +) }
    public var capacity: Int { runners.reduce(0) { $0 + ($1.capacity ?? 0) } }
    public var running: Int { runners.reduce(0) { $0 + ($1.running ?? 0) } }
}

extension Store {
    /// Of each kind, and of the claimed bots of each partition: what a look may cost is bounded.
    private static let maximumPeers = 1_000
    private static let maximumBots = 250

    /// Looks at everything at once: three exchanges, however much there is.
    public func overview(deadline: MonotonicTime) async throws(RedisError) -> Overview {
        var overview = Overview()
        let time = try await send(Command("TIME"), by: deadline).arrayOrThrow()
        guard time.count == 2, let seconds = time[0].string.flatMap({ Int($0) }),
            let microseconds = time[1].string.flatMap({ Int($0) })
        else { throw .unexpectedReply("TIME returned \(time)") }
        overview.at = seconds * 1_000 + microseconds / 1_000

        let now = String(overview.at)
        let ofPartition = Partition.all.map { partition in
            [
                Command("XLEN", partition.dispatch), Command("XRANGE", partition.dispatch, "-", "+", "COUNT", "1"),
                Command("ZCARD", partition.leases), Command("ZCOUNT", partition.leases, "-inf", now),
                Command("ZRANGE", partition.leases, "0", String(Self.maximumBots - 1)),
            ]
        }
        let ofPeers = PeerKind.allCases.map {
            Command("ZRANGEBYSCORE", Keys.peers($0), now, "+inf", "LIMIT", "0", String(Self.maximumPeers))
        }
        var replies = try await pipeline(ofPeers + ofPartition.joined(), by: deadline)[...]
        let peers = try PeerKind.allCases.map { kind throws(RedisError) in
            (kind, try replies.removeFirst().arrayOrThrow().compactMap(\.string))
        }
        var bots: [(partition: Partition, id: String)] = []
        for partition in Partition.all {
            overview.waiting += try replies.removeFirst().integerOrThrow()
            // An entry's id begins with the time at which it was written.
            let oldest = try replies.removeFirst().arrayOrThrow().first?.array?.first?.string
            if let written = oldest?.split(separator: "-").first.flatMap({ Int($0) }) {
                overview.oldestMilliseconds = max(overview.oldestMilliseconds, overview.at - written)
            }
            overview.leased += try replies.removeFirst().integerOrThrow()
            overview.overdue += try replies.removeFirst().integerOrThrow()
            bots += try replies.removeFirst().arrayOrThrow().compactMap { $0.string.map { (partition, $0) } }
        }
        try await addRecords(peers, bots, to: &overview, deadline: deadline)
        return overview
    }

    private func addRecords(
        _ peers: [(kind: PeerKind, ids: [String])], _ bots: [(partition: Partition, id: String)],
        to overview: inout Overview, deadline: MonotonicTime
    ) async throws(RedisError) {
        let ofPeers = peers.flatMap { kind, ids in ids.map { Command("HGETALL", Keys.peer(kind, $0)) } }
        let ofBots = bots.map { Command("HMGET", $0.partition.bot($0.id), "desired", "reported", "ended_at") }
        var replies = try await pipeline(ofPeers + ofBots, by: deadline)[...]
        for (kind, ids) in peers {
            var found: [Peer] = []
            for _ in ids { found += try Peer(replies.removeFirst().hash()).map { [$0] } ?? [] }
            switch kind {
            case .nodes: overview.nodes = found.sorted { ($0.host, $0.startedAt) < ($1.host, $1.startedAt) }
            case .runners: overview.runners = found.sorted { ($0.host, $0.startedAt) < ($1.host, $1.startedAt) }
            }
        }
        for _ in bots {
            let fields = try replies.removeFirst().arrayOrThrow()
            guard fields.count == 3, fields[0] != .null, fields[2] == .null else { continue }
            let reported = fields[1].string.flatMap(BotStatus.init(rawValue:)) ?? .requested
            overview.statuses[fields[0].string == "run" ? reported : .stopping, default: 0] += 1
        }
        // Those that wait for a runner have reported nothing yet.
        if overview.waiting > 0 { overview.statuses[.requested, default: 0] += overview.waiting }
    }
}
