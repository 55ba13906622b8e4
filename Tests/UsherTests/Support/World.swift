import EventLoop
import Foundation
import Log
import Redis
import RedisTestSupport
import Scripts
import Synchronization
import Testing

@testable import Usher

/// A database of its own with one workspace, whose owner is user 1, and a client and store on a loop.
struct World: Sendable {
    /// What its dispatches belong to.
    static let trace = TraceContext.ofTests
    static let room = Room(platform: .googleMeet, nativeID: "abc-defg-hij")

    /// For a further client of the same database.
    let clientConfiguration: ClientConfiguration
    let client: Client
    let store: Store
    /// With a generous deadline, from each time that it is asked for.
    var session: Session { store.session(until: Client.soon) }
    let workspaceID: String
    /// The owner, by an API key of the workspace.
    let owner: Caller
    let keys: WorkspaceKeys

    // MARK: Servers

    private static let server = Result {
        var options = RedisServer.Options()
        options.arguments = ["--databases", "1000"]
        return try RedisServer(options)
    }
    private static let databasesTaken = Mutex(0)

    /// Runs `body` in a world of its own, on a server that all tests share unless one is given.
    static func make(
        on server: RedisServer? = nil, configuration: StoreConfiguration = patient,
        _ body: @escaping @Sendable (World) async throws -> Void
    ) async throws {
        var url = try (server ?? Self.server.get()).url
        if server == nil {
            url.database = databasesTaken.withLock { taken in
                taken += 1
                return taken
            }
        }
        try await make(at: url, configuration: configuration, body)
    }

    /// Runs `body` in a world of its own, on a Redis, or a Cluster, that nobody else uses.
    static func make(
        at url: RedisURL, configuration: StoreConfiguration = patient,
        _ body: @escaping @Sendable (World) async throws -> Void
    ) async throws {
        let clientConfiguration = ClientConfiguration(url: url, name: "tests", scripts: Store.scripts)
        try await withClient(clientConfiguration) { client in
            try await client.waitUntilConnected()
            try await body(World(client, clientConfiguration, configuration))
        }
    }

    /// No bound of it is met on a loaded machine.
    static var patient: StoreConfiguration {
        var configuration = StoreConfiguration()
        configuration.redisTimeoutMilliseconds = 30_000
        configuration.lockTimeToLiveMilliseconds = 60_000
        return configuration
    }

    private init(
        _ client: Client, _ clientConfiguration: ClientConfiguration, _ configuration: StoreConfiguration
    ) async throws {
        self.client = client
        self.clientConfiguration = clientConfiguration
        store = Store(client: client, configuration: configuration)
        let (user, _) = try await store.session(until: Client.soon).users.create(NewUser(email: "owner@example.com"))
        workspaceID = user.workspaceID
        owner = Caller(keyID: "k", workspaceID: workspaceID, userID: String(user.id), scopes: ["seameet"])
        keys = WorkspaceKeys(workspace: workspaceID)
        for partition in Partition.all { try await setPrimary(of: partition, since: 1) }
    }

    /// - Parameter milliseconds: when the server that answers is to have been seen first.
    func setPrimary(of partition: Partition, since milliseconds: Int) async throws {
        try await session.bots.notePrimary(of: partition)
        try await set(partition.primary, ["since": String(milliseconds)])
        // However long a test takes, no clock leapt.
        _ = try await client.send("HDEL", partition.primary, "seen")
    }

    // MARK: Records

    func caller(_ role: Role?) async throws -> Caller {
        let email = "\(Identifier.hex())@example.com"
        let (user, _) = try await session.users.create(NewUser(email: email))
        if let role {
            _ = try await session.workspaces.setMember(workspace: workspaceID, user: user.id, role: role)
        }
        return Caller(keyID: "k", workspaceID: workspaceID, userID: String(user.id), scopes: ["seameet"])
    }

    /// A meeting of the workspace, with fields set by hand. Returns its id.
    func meeting(in room: Room = World.room, _ fields: [String: String] = [:]) async throws -> String {
        let link = try MeetingLink(platform: room.platform, nativeID: room.nativeID)
        let new = NewMeeting(link: link, title: "Planning", language: "de")
        let meeting = try #require(try await session.meetings.create(new, by: owner).made)
        if !fields.isEmpty { try await set(keys.partition.meeting(meeting.id), fields) }
        return meeting.id
    }

    func set(_ key: String, _ fields: [String: String]) async throws {
        let words = ["HSET", key] + fields.flatMap { [$0.key, $0.value] }
        _ = try await client.send(Command(words: words), deadline: Client.soon)
    }

    func snapshot() async throws -> Snapshot { try await Snapshot.take(client) }

    // MARK: Requests

    /// What a script returns, which must be one of the results that its header documents.
    func run<Call: ScriptCall>(_ call: Call) async throws -> Value {
        let reply = try await client.run(
            Call.script, keys: call.keys, arguments: call.arguments, deadline: Client.soon)
        _ = try Call.reply(reply)
        return reply
    }

    /// What the script dispatch returns, called for a lock that it takes before.
    func dispatch(
        _ meeting: String, bot: String, seen status: String = "INITIAL", token: String = "mine",
        lock: String? = "mine", request: String? = nil
    ) async throws -> Value {
        if let lock { _ = try await client.send("SET", keys.lock, lock, "PX", "60000") }
        return try await run(
            Scripts.Dispatch(
                lockKey: keys.lock, inflightKey: keys.inFlight(Self.room), roomKey: keys.holder(Self.room),
                botsKey: keys.bots, meetingKey: keys.partition.meeting(meeting), botKey: keys.partition.bot(bot),
                dispatchKey: keys.partition.dispatch, eventsKey: keys.partition.events, webhooksKey: keys.webhooks,
                outboxKey: keys.partition.outbox,
                operatorKey: keys.partition.operatorEndpoint, feedKey: keys.partition.feed(ofMeeting: meeting),
                feedsKey: keys.feed,
                requestKey: request,
                token: token, seen: status, meetingID: meeting, workspaceID: workspaceID,
                room: Self.room.description, botID: bot, inflightMilliseconds: 600_000, maxEvents: 1_000,
                why: "user 1", traceparent: Self.trace.traceparent, tracestate: nil))
    }

    func expire(_ meeting: String, bot: String) async throws -> Value {
        try await run(
            Scripts.ExpireDispatch(
                life: place(meeting, bot).life, dispatchKey: keys.partition.dispatch, botID: bot, meetingID: meeting,
                keepMilliseconds: 86_400_000, maxEvents: 1_000))
    }

    func place(_ meeting: String, _ bot: String) -> BotPlace {
        BotPlace(botID: bot, meetingID: meeting, workspaceID: workspaceID, room: Self.room)
    }

    func reinvite(
        _ meeting: String, force: Bool = false, by caller: Caller? = nil, key: IdempotencyKey? = nil,
        deadline: MonotonicTime = Client.soon
    ) async -> Result<Dispatch, ReinviteRefusal> {
        let reinvitation = Reinvitation(
            in: store.session(until: deadline),
            visitor: Reinvitation.Visitor(caller: caller ?? owner, meetingID: meeting, idempotencyKey: key),
            forceRestart: force, trace: Self.trace)
        do throws(ReinviteRefusal) {
            return .success(try await reinvitation.perform())
        } catch {
            return .failure(error)
        }
    }
}

extension Result<Dispatch, ReinviteRefusal> {
    var refusal: ReinviteRefusal? { if case .failure(let refusal) = self { refusal } else { nil } }
}
