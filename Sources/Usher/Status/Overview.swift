import Log
import Redis

/// What runs, waits and is held in the whole installation, at a moment.
public struct Overview: Sendable {
    /// By Redis' clock, in milliseconds since 1970.
    public var at = 0
    public var nodes: [Peer] = []
    public var runners: [Peer] = []
    public var queue = QueueReading()
    /// Claimed bots whose lease has run out and that nobody has ended yet.
    public var overdue = 0
    /// Planned meetings to which a bot is to be sent within an hour, or should have been.
    public var planned = 0
    /// Meetings whose transcripts were moved to the archive, objects of it that are to be removed, and what keeps it from
    /// being used.
    public var archive = (moved: 0, removals: 0, problem: String?.none)
    /// What the claimed bots are at; of the first ones, if there are very many.
    public var statuses: [BotStatus: Int] = [:]

    /// Rooms that have a bot or wait for one.
    public var roomsHeld: Int { queue.waiting.addingClamped(queue.leased) }
    /// How many of them `statuses` tells of.
    public var roomsCounted: Int { statuses.values.reduce(0) { $0.addingClamped($1) } }
    public var capacity: Int { runners.reduce(0) { $0.addingClamped($1.capacity ?? 0) } }
    public var running: Int { runners.reduce(0) { $0.addingClamped($1.running ?? 0) } }
}

/// What there is in Redis, for those who look after it.
public struct Installation: Sendable {
    let session: Session

    /// Of each kind, and of the claimed bots of each partition: what a look may cost is bounded.
    private static let maximumPeers = 1_000
    private static let maximumBots = 250
    private static let recordsPerRead = 200

    /// Looks at everything: two exchanges, and those for the records of peers and bots, which others have their turn between.
    public func overview() async throws(RedisError) -> Overview {
        var overview = Overview()
        overview.at = try await session.time()

        let now = String(overview.at)
        let inAnHour = String(overview.at.addingClamped(Meetings.soonMilliseconds))
        let ofPartition = Partition.all.map { partition in
            QueueReading.questions(of: partition) + [
                Command("ZCOUNT", partition.leases, "-inf", now),
                Command("ZRANGE", partition.leases, "0", String(Self.maximumBots - 1)),
                Command("ZCOUNT", partition.plans, "-inf", inAnHour),
                Command("ZCARD", partition.archived), Command("ZCARD", partition.removals),
            ]
        }
        let ofArchive = [Command("GET", Keys.archiveProblem)]
        let ofPeers = PeerKind.allCases.map {
            Command("ZRANGEBYSCORE", Keys.peers($0), now, "+inf", "LIMIT", "0", String(Self.maximumPeers))
        }
        var replies = try await session.replies(to: ofPeers + ofArchive + ofPartition.joined())[...]
        let peers = try PeerKind.allCases.map { kind throws(RedisError) in
            (kind, try session.oddRecords.list(Keys.peers(kind), replies.removeFirst()).compactMap(\.string))
        }
        overview.archive.problem = replies.removeFirst().string
        var bots: [(partition: Partition, id: String)] = []
        for partition in Partition.all {
            try overview.queue.take(&replies, of: partition, now: overview.at, session.oddRecords)
            overview.overdue = overview.overdue.addingClamped(
                try session.oddRecords.count(partition.leases, replies.removeFirst()))
            bots += try session.oddRecords.list(partition.leases, replies.removeFirst())
                .compactMap { $0.string.map { (partition, $0) } }
            overview.planned = overview.planned.addingClamped(
                try session.oddRecords.count(partition.plans, replies.removeFirst()))
            overview.archive.moved = overview.archive.moved.addingClamped(
                try session.oddRecords.count(partition.archived, replies.removeFirst()))
            overview.archive.removals = overview.archive.removals.addingClamped(
                try session.oddRecords.count(partition.removals, replies.removeFirst()))
        }
        try await addRecords(peers, bots, to: &overview)
        return overview
    }

    private func addRecords(
        _ peers: [(kind: PeerKind, ids: [String])], _ bots: [(partition: Partition, id: String)],
        to overview: inout Overview
    ) async throws(RedisError) {
        for (kind, ids) in peers {
            var found: [Peer] = []
            try await read(ids.map { Command("HGETALL", Keys.peer(kind, $0)) }) { index, reply throws(RedisError) in
                let peer = try session.oddRecords.leavingOut(Keys.peer(kind, ids[index]), reply) {
                    reply throws(RedisError) in
                    try Peer(reply.hash())
                }
                if let peer { found.append(peer) }
            }
            switch kind {
            case .nodes: overview.nodes = found.sorted { ($0.host, $0.startedAt) < ($1.host, $1.startedAt) }
            case .runners: overview.runners = found.sorted { ($0.host, $0.startedAt) < ($1.host, $1.startedAt) }
            }
        }
        let ofBots = bots.map { Command("HMGET", $0.partition.bot($0.id), "desired", "reported", "ended_at") }
        try await read(ofBots) { index, reply throws(RedisError) in
            let fields = try session.oddRecords.list(bots[index].partition.bot(bots[index].id), reply)
            guard fields.count == 3, fields[0] != .null, fields[2] == .null else { return }
            let reported = fields[1].string.flatMap(BotStatus.init(rawValue:)) ?? .requested
            overview.statuses[fields[0].string == "run" ? reported : .stopping, default: 0] += 1
        }
        // Those that wait for a runner have reported nothing yet.
        if overview.queue.waiting > 0 { overview.statuses[.requested, default: 0] += overview.queue.waiting }
    }

    /// - Parameter take: gets each reply with the number of its command, an error as a value among others.
    private func read(
        _ commands: [Command], _ take: (_ index: Int, _ reply: Value) throws(RedisError) -> Void
    ) async throws(RedisError) {
        for start in stride(from: 0, to: commands.count, by: Self.recordsPerRead) {
            let part = Array(commands[start...].prefix(Self.recordsPerRead))
            let replies = try await session.largeReads.turn(of: "") { () throws(RedisError) in
                try await session.replies(to: part)
            }
            for (index, reply) in replies.enumerated() { try take(start + index, reply) }
        }
    }
}

extension Session {
    public var installation: Installation { Installation(session: self) }
}
