import Log
import Usher

/// What `GET /admin/status` answers, and `usher status --json` prints. Times are RFC 3339, by Redis' clock.
public struct OverviewObject: Encodable {
    struct PeerObject: Encodable {
        let id: String
        let host: String
        let process: Int
        let version: String
        let state: String
        let startedAt: String
        let seenAt: String
        let address: String?
        let capacity: Int?
        let running: Int?
        let problem: String?

        init(_ peer: Peer) {
            id = peer.id
            host = peer.host
            process = peer.process
            version = peer.version
            state = peer.state
            startedAt = Timestamp.withZone(peer.startedAt)
            seenAt = Timestamp.withZone(peer.seenAt)
            address = peer.address
            capacity = peer.capacity
            running = peer.running
            problem = peer.problem
        }

        enum CodingKeys: String, CodingKey {
            case id, host, process, version, state, address, capacity, running, problem
            case startedAt = "started_at"
            case seenAt = "seen_at"
        }
    }

    struct Rooms: Encodable {
        let held: Int
        /// How many of them `by_status` tells of.
        let counted: Int
        let byStatus: [String: Int]

        enum CodingKeys: String, CodingKey {
            case held, counted
            case byStatus = "by_status"
        }
    }

    struct Queue: Encodable {
        let waiting: Int
        let oldestMilliseconds: Int

        enum CodingKeys: String, CodingKey {
            case waiting
            case oldestMilliseconds = "oldest_ms"
        }
    }

    struct Leases: Encodable {
        let live: Int
        let overdue: Int
    }

    struct Plans: Encodable {
        let withinHour: Int

        enum CodingKeys: String, CodingKey {
            case withinHour = "within_hour"
        }
    }

    struct Archive: Encodable {
        let moved: Int
        let removals: Int
        let problem: String?
    }

    struct Webhooks: Encodable {
        /// That are to be told of something, now or at their next attempt.
        let waiting: Int
        let overdueMilliseconds: Int
        let unfiledChanges: Int
        let operatorEndpoint: OperatorEndpoint?

        enum CodingKeys: String, CodingKey {
            case waiting
            case operatorEndpoint = "operator"
            case overdueMilliseconds = "overdue_ms"
            case unfiledChanges = "unfiled_changes"
        }
    }

    struct OperatorEndpoint: Encodable {
        /// Workspaces of which something is to be told.
        let waiting: Int
        let overdueMilliseconds: Int
        let failingMilliseconds: Int?
        let dropped: Int

        init?(_ reading: OperatorReading) {
            guard reading.isThere || reading.waiting > 0 else { return nil }
            waiting = reading.waiting
            overdueMilliseconds = reading.overdueMilliseconds
            failingMilliseconds = reading.failingMilliseconds
            dropped = reading.dropped
        }

        enum CodingKeys: String, CodingKey {
            case waiting
            case overdueMilliseconds = "overdue_ms"
            case failingMilliseconds = "failing_ms"
            case dropped = "dropped_events"
        }
    }

    struct Memory: Encodable {
        let used: Int
        let limit: Int

        enum CodingKeys: String, CodingKey {
            case used = "used_bytes"
            case limit = "limit_bytes"
        }
    }

    let at: String
    let nodes: [PeerObject]
    let runners: [PeerObject]
    let rooms: Rooms
    let queue: Queue
    let leases: Leases
    let plans: Plans
    let webhooks: Webhooks
    let archive: Archive
    let redisMemory: Memory?

    /// - Parameter memory: how full Redis is, as a node has seen; the command has seen nothing.
    public init(_ overview: Overview, memory: RedisMemory.Reading? = nil) {
        at = Timestamp.withZone(overview.at)
        nodes = overview.nodes.map(PeerObject.init)
        runners = overview.runners.map(PeerObject.init)
        rooms = Rooms(
            held: overview.roomsHeld, counted: overview.roomsCounted,
            byStatus: Dictionary(uniqueKeysWithValues: overview.statuses.map { ($0.key.rawValue, $0.value) }))
        queue = Queue(waiting: overview.queue.waiting, oldestMilliseconds: overview.queue.oldestMilliseconds)
        leases = Leases(live: overview.queue.leased - overview.overdue, overdue: overview.overdue)
        plans = Plans(withinHour: overview.planned)
        webhooks = Webhooks(
            waiting: overview.queue.waitingWebhooks, overdueMilliseconds: overview.queue.overdueMilliseconds,
            unfiledChanges: overview.queue.unfiledChanges,
            operatorEndpoint: OperatorEndpoint(overview.queue.operatorEndpoint))
        archive = Archive(
            moved: overview.archive.moved, removals: overview.archive.removals, problem: overview.archive.problem)
        redisMemory = memory.map { Memory(used: $0.used, limit: $0.limit) }
    }

    enum CodingKeys: String, CodingKey {
        case at, nodes, runners, rooms, queue, leases, plans, webhooks, archive
        case redisMemory = "redis_memory"
    }
}

// MARK: What is said of it

extension OverviewObject {
    private static let count = Schema.integer(0...)
    private static let milliseconds = Schema.integer(0...)

    private static let peer = NamedSchema(
        "ServicePeer", "A node or a runner, by its own word.",
        .object(
            .required("id", .string), .required("host", .string), .required("process", .integer),
            .required("version", .string), .required("state", .string, "`running` or `stopping`."),
            .required("started_at", .time), .required("seen_at", .time),
            .optional("address", .string, "Where a node listens."),
            .optional("capacity", .integer, "How many bots a runner may run; of one that stops, how many it does."),
            .optional("running", .integer, "How many it does."),
            .optional("problem", .string, "What its bots lack.")))

    static let schema = NamedSchema(
        "ServiceStatus", "What runs, waits and is held in the whole installation.",
        .object(
            .required("at", .time), .required("nodes", .list(of: .named(peer))),
            .required("runners", .list(of: .named(peer))),
            .required(
                "rooms",
                .object(
                    .required("held", count), .required("counted", count, "How many of them `by_status` tells of."),
                    .required("by_status", .object(others: count)))),
            .required(
                "queue",
                .object(.required("waiting", count), .required("oldest_ms", milliseconds)),
                "Dispatches that no runner has claimed."),
            .required("leases", .object(.required("live", count), .required("overdue", count))),
            .required(
                "plans", .object(.required("within_hour", count)),
                "Meetings to which a bot is to be sent, or should have been."),
            .required(
                "webhooks",
                .object(
                    .required("waiting", count, "That wait to be told of something."),
                    .required("overdue_ms", milliseconds), .required("unfiled_changes", count),
                    .optional(
                        "operator",
                        .object(
                            .required("waiting", count, "Workspaces of which something waits to be told there."),
                            .required("overdue_ms", milliseconds),
                            .optional("failing_ms", milliseconds, "For how long it has taken nothing."),
                            .required("dropped_events", count)), "The operator's endpoint, if there is one."))),
            .required(
                "archive",
                .object(
                    .required("moved", count, "Meetings that Redis has let go the transcripts of."),
                    .required("removals", count, "Objects of it that are to be removed."),
                    .optional("problem", .string, "What keeps it from being used."))),
            .optional(
                "redis_memory",
                .object(
                    .required("used_bytes", count), .required("limit_bytes", count, "`maxmemory`; 0 for none.")),
                "How full the fullest of Redis' servers is, as the node saw a moment ago; absent until it has looked."))
    )

    private static func example(
        ofPeer id: String, _ others: KeyValuePairs<String, OrderedJSON>
    ) -> OrderedJSON {
        .members(
            [
                ("id", .string(id)), ("host", "host-1"), ("process", 4_711), ("version", "0.2.0"), ("state", "running"),
                ("started_at", .string(Sample.time)), ("seen_at", .string(Sample.time)),
            ] + others.map { (name: $0.key, value: $0.value) })
    }

    static let example: OrderedJSON = [
        "at": .string(Sample.time),
        "nodes": [example(ofPeer: "host-1-0b6c1f0d8e5a4b9c", ["address": "127.0.0.1:8080"])],
        "runners": [example(ofPeer: "host-1-9f1d2e3a4b5c6d7e", ["capacity": 50, "running": 1])],
        "rooms": ["held": 1, "counted": 1, "by_status": ["active": 1]], "queue": ["waiting": 0, "oldest_ms": 0],
        "leases": ["live": 1, "overdue": 0], "plans": ["within_hour": 0],
        "webhooks": ["waiting": 0, "overdue_ms": 0, "unfiled_changes": 0], "archive": ["moved": 0, "removals": 0],
        "redis_memory": ["used_bytes": 1_250_000, "limit_bytes": 0],
    ]
}
