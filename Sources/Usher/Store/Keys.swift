import EventLoop
import Log
import Redis
import Scripts

/// Builds every key of docs/architecture.md, "Keys". No other file writes one.
public enum Keys {
    public static let userSequence = "usher:seq:user"
    public static let meetingSequence = "usher:seq:meeting"
    /// zset: user id -> user id, for listing.
    public static let users = "usher:users"
    /// zset: when it came in there (ms) -> workspace id, for listing.
    public static let workspaces = "usher:workspaces"

    /// zset: when it counts as gone (ms) -> id, of the nodes or the runners that live.
    public static func peers(_ kind: PeerKind) -> String { "usher:{\(kind.rawValue)}" }
    /// hash: what one of them says of itself, for those who look after the service. In the slot of the list.
    public static func peer(_ kind: PeerKind, _ id: String) -> String { "\(peers(kind)):\(id)" }

    public static func apiKey(hash: String) -> String { join("usher", ":key:", hash) }
    /// string: the hash of the API key that has this id.
    public static func apiKeyHash(id: String) -> String { "usher:key:id:\(id)" }
    /// string, PX: an API key of this id is being made, so that what points to it is no leftover.
    static func apiKeyMaking(id: String) -> String { "usher:key:making:\(id)" }
    /// string: the bucket of an API key, in the slot of the key's record.
    static func bucket(apiKeyHash hash: String) -> String { "usher:rate:{\(apiKey(hash: hash))}" }
    /// string: the bucket of requests without a valid key from an address.
    static func bucket(_ address: IPAddress) -> String { "usher:rate:address:\(address)" }
    public static func user(_ id: Int) -> String { "usher:user:\(id)" }
    public static func userID(email: String) -> String { "usher:user:email:\(email)" }
    /// string: the workspace of a meeting, which tells "no such meeting" from "another workspace's".
    public static func locator(meeting: String) -> String { join("usher", ":meeting:", meeting) }
    /// string: `<workspace_id> <meeting_id>` of the meeting with this number, which is all that a bot's segments name.
    public static func locator(number: Int) -> String { "usher:number:\(number)" }
    /// hash: id of an entry of the segment stream -> the nodes that have begun with it. In the slot of the stream.
    static let segmentAttempts = "usher:{\(WireNames.segmentStream)}:attempts"
    /// string, PX: what keeps the archive from being written or read.
    static let archiveProblem = "usher:archive:problem"
    /// stream: what bots wrote to the segment stream that nobody can use, with the reason. Capped.
    public static let deadLetters = "usher:dead_letters"
    /// string: how many there were in all.
    public static let deadLetterCount = "usher:dead_letters:count"
}

/// What says of itself that it is there.
public enum PeerKind: String, CaseIterable, Sendable {
    case nodes, runners
}

/// One of the 16 slices of the keyspace. All keys of a workspace carry its hash tag, so that one script can touch them
/// all on a Redis Cluster too.
public struct Partition: Equatable, Sendable {
    /// 0...15
    public let number: Int
    private let prefix: String

    public init(number: Int) {
        precondition((0..<16).contains(number))
        self.number = number
        prefix = "usher:{p\(String(number, radix: 16))}"
    }

    /// The partition of a workspace: CRC16 of its id, modulo 16.
    public init(workspace: String) {
        self = Self.all[Int(HashSlot.checksum(of: workspace) % 16)]
    }

    /// The partition of a bot, which its id tells: reports name nothing else.
    /// - Returns: nil if this is no bot's id.
    public init?(bot id: String) {
        guard Identifier.isUUID(id), let digit = id.last?.hexDigitValue else { return nil }
        self = Self.all[digit]
    }

    public static let all = (0..<16).map { Partition(number: $0) }

    public var dispatch: String { join(prefix, ":dispatch") }
    public var events: String { join(prefix, ":events") }
    public var leases: String { join(prefix, ":leases") }
    /// hash: replication_id and since (ms) of the Redis server that answers for the partition.
    public var primary: String { join(prefix, ":primary") }
    /// zset: end of the meeting (ms) -> meeting_id, meetings whose transcript is to be collected.
    public var analyzing: String { join(prefix, ":analyzing") }

    /// zset: end of the meeting (ms) -> meeting_id, meetings whose bot has ended: what retention goes by. One that runs
    /// again stays until its next end. Of one that was removed `<meeting_id> <number>` stays, until what leads to it is
    /// removed too.
    public var ended: String { join(prefix, ":ended") }
    /// zset: end of the meeting (ms) -> meeting_id, of `ended` those whose transcripts were moved to the archive.
    public var archived: String { join(prefix, ":archived") }
    /// zset: until when a node moves its transcript, or it is left alone (ms) -> meeting_id.
    public var moving: String { join(prefix, ":moving") }
    /// zset: when it is to be removed (ms) -> the name of an object of the archive.
    public var removals: String { join(prefix, ":removals") }
    /// zset: when it is gone on with (ms) -> workspace_id, of workspaces that were removed and of which something is left.
    public var removing: String { join(prefix, ":removing") }
    /// zset: when it was removed (ms) -> workspace_id, of all that ever were.
    var removed: String { join(prefix, ":removed") }
    /// zset: when a bot is to be sent (ms) -> `<workspace_id> <meeting_id>`, of planned meetings.
    public var plans: String { join(prefix, ":plans") }
    /// stream: changes of meetings that webhooks are to be told of.
    public var outbox: String { join(prefix, ":outbox") }
    /// string, PX: the node that files what is in the outbox.
    var filing: String { join(prefix, ":outbox:filing") }
    /// zset: when something is due (ms) -> `<workspace_id> <webhook_id>`.
    public var deliveries: String { join(prefix, ":deliveries") }
    /// hash, PX: that the operator has an endpoint, what it is told of, and since when it fails.
    public var operatorEndpoint: String { join(prefix, ":operator") }
    /// zset: when something is due there (ms) -> `<workspace_id> operator`.
    var operatorDeliveries: String { join(prefix, ":operator:deliveries") }

    /// zset: when its feed is read, or the lease of who reads it ends (ms) -> `<workspace_id> <calendar_id>`.
    var calendars: String { join(prefix, ":calendars") }

    public func meeting(_ id: String) -> String { join(prefix, ":meeting:", id) }
    /// hash, PX: `<calendar_id> <occurrence>` of other calendars that say a meeting which one has planned.
    func sharers(ofMeeting id: String) -> String { "\(prefix):meeting:\(id):calendars" }
    public func segments(ofMeeting id: String) -> String { "\(prefix):meeting:\(id):segments" }
    /// hash: an object of the archive that Redis keeps itself, by the numbers of its parts.
    public func object(_ name: ArchiveName) -> String { "\(prefix):meeting:\(name.meetingID):object:\(name.object)" }
    /// stream, PX: what viewers of the meeting are told, and how one that was away goes on.
    public func feed(ofMeeting id: String) -> String { "\(prefix):meeting:\(id):feed" }
    public func bot(_ id: String) -> String { join(prefix, ":bot:", id) }
    func workspace(_ id: String) -> String { join(prefix, ":ws:", id) }
}

/// The keys of one workspace.
public struct WorkspaceKeys: Sendable {
    let id: String
    public let partition: Partition
    /// hash: the workspace itself.
    public let workspace: String

    public init(workspace id: String) {
        self.id = id
        partition = Partition(workspace: id)
        workspace = partition.workspace(id)
    }

    public var members: String { join(workspace, ":members") }
    /// hash: id of an API key -> hash of the key.
    public var apiKeys: String { join(workspace, ":keys") }
    /// zset, PX: the end of a ticket for a live feed (ms) -> its hash.
    var tickets: String { join(workspace, ":tickets") }
    public var lock: String { join(workspace, ":lock") }
    public var meetings: String { join(workspace, ":meetings") }
    public var bots: String { join(workspace, ":bots") }
    /// zset: when it was made (ms) -> webhook_id.
    public var webhooks: String { join(workspace, ":webhooks") }
    /// stream, PX: what viewers of any of its meetings are told.
    public var feed: String { join(workspace, ":feed") }
    /// - Parameter id: or `WebhookKeys.operatorID`.
    func webhook(_ id: String) -> WebhookKeys {
        guard id != WebhookKeys.operatorID else {
            return WebhookKeys(
                webhook: partition.operatorEndpoint, own: join(workspace, ":operator"),
                pending: partition.operatorDeliveries, member: member(id))
        }
        let key = join(workspace, ":webhook:", id)
        return WebhookKeys(webhook: key, own: key, pending: partition.deliveries, member: member(id))
    }
    /// zset: when it was made (ms) -> calendar_id.
    func calendars(of user: String) -> String { join(workspace, ":calendars:", user) }
    func calendar(_ id: String) -> CalendarKeys { CalendarKeys(calendar: join(workspace, ":calendar:", id)) }
    /// How one of the workspace's webhooks or calendars, or a planned meeting, is named among all of its partition.
    func member(_ item: String) -> String { "\(id) \(item)" }

    public func inFlight(_ room: Room) -> String { join(workspace, ":inflight:", room.description) }
    public func holder(_ room: Room) -> String { join(workspace, ":room:", room.description) }
    /// string: the meeting of a room that a bot was in last.
    public func held(_ room: Room) -> String { join(workspace, ":held:", room.description) }
    /// zset: the time of a planned meeting of a room (ms) -> the meeting, of those that are to be sent a bot.
    func planned(_ room: Room) -> String { join(workspace, ":planned:", room.description) }
    /// hash: another name of a room -> the room, both as `Room.description`.
    public var names: String { join(workspace, ":names") }
    /// hash: a meeting -> the picture that its bot sent of the page, in Base64.
    public var screenshots: String { join(workspace, ":screenshots") }
    /// zset: when it came (ms) -> meeting_id.
    public var screenshotOrder: String { join(workspace, ":screenshots:order") }
    public func latest(_ room: Room) -> String { join(workspace, ":latest:", room.description) }
    /// string, PX: the meeting that has a client's deduplication key, which is named by its SHA-256.
    func deduplication(_ digest: String) -> String { join(workspace, ":dedup:", digest) }
    /// string, PX: what a request with an idempotency key did. Neither a user's id nor the key has a space.
    /// - Parameter object: the meeting or the room that it is about.
    func request(_ kind: RepeatableRequest, of object: String, by user: String, _ key: IdempotencyKey) -> String {
        "\(workspace):request:\(kind.rawValue):\(user):\(key.text) \(object)"
    }
}

/// The keys of one webhook, or of the operator's endpoint as one of a workspace.
struct WebhookKeys: Sendable {
    /// What stands for a webhook's id where it is the operator's endpoint.
    static let operatorID = "operator"

    /// hash: the webhook itself.
    let webhook: String
    /// What the keys begin with that it has for itself.
    fileprivate let own: String
    /// zset: when something is due (ms) -> `member`, of all of its kind in the partition.
    let pending: String
    let member: String

    /// zset: when it is due, or its lease ends (ms) -> event_id.
    var due: String { join(own, ":due") }
    /// hash: event_id -> its body; `<event_id> filed`, `<event_id> tries`, `<event_id> attempts`, `<event_id> answer`.
    var events: String { join(own, ":events") }
    /// zset: when it ended (ms) -> event_id.
    var done: String { join(own, ":done") }
}

/// The keys of one calendar.
struct CalendarKeys: Sendable {
    /// hash: the calendar itself.
    let calendar: String
    /// hash: an event and which of its times -> the meeting that is planned of it.
    var planned: String { join(calendar, ":planned") }
}

/// Puts a key together with one allocation. Interpolation would take several, and a dispatch needs a dozen keys.
func join(_ first: String, _ second: StaticString, _ third: String = "") -> String {
    var (first, third) = (first, third)
    return first.withUTF8 { first in
        third.withUTF8 { third in
            let second = UnsafeBufferPointer(start: second.utf8Start, count: second.utf8CodeUnitCount)
            let count = first.count + second.count + third.count
            return String(unsafeUninitializedCapacity: count) { key in
                _ = key.update(fromContentsOf: first)
                _ = key[first.count...].update(fromContentsOf: second)
                _ = key[(first.count + second.count)...].update(fromContentsOf: third)
                return count
            }
        }
    }
}

/// What names a bot's keys: the meeting that it is bound to, and the room.
public struct BotPlace: Equatable, Sendable {
    public let botID: String
    public let meetingID: String
    public let workspaceID: String
    public let room: Room
    /// The trace of its dispatch, where it is known.
    public let trace: TraceContext?

    public init(botID: String, meetingID: String, workspaceID: String, room: Room, trace: TraceContext? = nil) {
        self.botID = botID
        self.meetingID = meetingID
        self.workspaceID = workspaceID
        self.room = room
        self.trace = trace
    }

    /// The same with the trace that a `traceparent` in the records tells of; none if there is none.
    func with(trace parent: String?, state: String? = nil) -> BotPlace {
        BotPlace(
            botID: botID, meetingID: meetingID, workspaceID: workspaceID, room: room,
            trace: parent.flatMap { TraceContext(traceparent: $0, tracestate: state) })
    }

    /// Whether both are the same place: it has no other trace for those who do not know it.
    public static func == (left: BotPlace, right: BotPlace) -> Bool {
        (left.botID, left.meetingID, left.workspaceID, left.room)
            == (right.botID, right.meetingID, right.workspaceID, right.room)
    }

    /// The id of that trace, for log lines; empty if it is not known.
    public var traceID: String { trace?.traceID ?? "" }

    public var partition: Partition { Partition(workspace: workspaceID) }

    /// The keys that the scripts of a bot's life share.
    var life: Scripts.Life {
        let keys = WorkspaceKeys(workspace: workspaceID)
        let partition = keys.partition
        return Scripts.Life(
            meeting: partition.meeting(meetingID), bot: partition.bot(botID), inflight: keys.inFlight(room),
            room: keys.holder(room), bots: keys.bots, leases: partition.leases, analyzing: partition.analyzing,
            events: partition.events, ended: partition.ended, webhooks: keys.webhooks, outbox: partition.outbox,
            operators: partition.operatorEndpoint, feed: partition.feed(ofMeeting: meetingID), feeds: keys.feed)
    }
}
