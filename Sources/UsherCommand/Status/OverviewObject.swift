import Log
import Usher

/// What `usher status --json` prints. Times are RFC 3339, by Redis' clock.
struct OverviewObject: Encodable {
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

    struct Webhooks: Encodable {
        /// That are to be told of something, now or at their next attempt.
        let waiting: Int
        let overdueMilliseconds: Int
        let unfiledChanges: Int

        enum CodingKeys: String, CodingKey {
            case waiting
            case overdueMilliseconds = "overdue_ms"
            case unfiledChanges = "unfiled_changes"
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

    init(_ overview: Overview) {
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
            unfiledChanges: overview.queue.unfiledChanges)
    }
}
