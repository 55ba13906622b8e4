import Redis
import RedisTestSupport
import Scripts
import Testing

@testable import Usher

/// The scripts of a bot's life, called with raw keys and arguments.
extension World {
    static let leaseMilliseconds = 15_000

    /// Runs `body` and expects every key to be as it was.
    func expectNoChange(
        _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws {
        let before = try await snapshot()
        try await body()
        let after = try await snapshot()
        #expect(after.changes(since: before) == [], comment, sourceLocation: sourceLocation)
        for (key, milliseconds) in after.timeToLive {
            // A life that was given anew would be longer than before.
            #expect(milliseconds <= before.timeToLive[key] ?? 0, comment, sourceLocation: sourceLocation)
        }
    }

    /// The only entry of the dispatch stream.
    func entry() async throws -> [String: String] {
        let entries = try #require(try await snapshot()[keys.partition.dispatch]?.stream)
        return try #require(entries.count == 1 ? entries.first : nil)
    }

    func claim(
        _ place: BotPlace, entry: String, epoch: Int = 1, runner: String = "runner", secret: String = "hash",
        position: String? = nil
    ) async throws -> Value {
        try await run(
            Scripts.Claim(
                meetingKey: keys.partition.meeting(place.meetingID), botKey: keys.partition.bot(place.botID),
                inflightKey: keys.inFlight(place.room), leasesKey: keys.partition.leases,
                dispatchKey: keys.partition.dispatch, botID: place.botID, epoch: epoch, runner: runner,
                leaseMilliseconds: Self.leaseMilliseconds, secret: secret, entry: entry, container: "container",
                usesStream: true, position: position))
    }

    func release(_ place: BotPlace, runner: String = "runner") async throws -> Value {
        try await run(
            Scripts.Release(
                meetingKey: keys.partition.meeting(place.meetingID), botKey: keys.partition.bot(place.botID),
                leasesKey: keys.partition.leases, dispatchKey: keys.partition.dispatch, botID: place.botID,
                runner: runner))
    }

    func renew(_ bots: [String], runner: String = "runner") async throws -> Value {
        try await run(
            Scripts.Renew(
                leasesKey: keys.partition.leases, primaryKey: keys.partition.primary,
                botKeys: bots.map(keys.partition.bot), runner: runner,
                leaseMilliseconds: Self.leaseMilliseconds, botIDs: bots))
    }

    func report(
        _ place: BotPlace, _ status: String, reason: String? = nil, stage: String? = nil, _ fields: String...
    ) async throws -> Value {
        try await run(
            Scripts.Report(
                life: place.life, heldKey: keys.held(place.room), botID: place.botID, meetingID: place.meetingID,
                step: status, reason: reason, stage: stage, keepMilliseconds: 86_400_000, maxEvents: 1_000,
                fields: fields))
    }

    func stop(_ place: BotPlace) async throws -> Value {
        try await run(
            Scripts.Stop(
                life: place.life, dispatchKey: keys.partition.dispatch, botID: place.botID,
                meetingID: place.meetingID, keepMilliseconds: 86_400_000, maxEvents: 1_000, why: "user 1",
                requestMilliseconds: 600_000))
    }

    func configure(_ place: BotPlace, _ fields: String...) async throws -> Value {
        try await run(
            Scripts.Configure(
                meetingKey: keys.partition.meeting(place.meetingID), botKey: keys.partition.bot(place.botID),
                botID: place.botID, fields: fields))
    }

    /// - Parameter runner: nil if its lease is said to have run out.
    func lose(
        _ place: BotPlace, runner: String?, reason: String = "bot_exited", mayBeReplaced: Bool = true,
        by replacement: String, _ fields: String...
    ) async throws -> Value {
        try await run(
            Scripts.LoseBot(
                life: place.life, dispatchKey: keys.partition.dispatch,
                replacementKey: keys.partition.bot(replacement), primaryKey: keys.partition.primary,
                botID: place.botID, meetingID: place.meetingID, runner: runner, reason: reason,
                replaceable: mayBeReplaced, maxAttempts: 3, replacement: replacement, keepMilliseconds: 86_400_000,
                maxEvents: 1_000, leaseMilliseconds: Self.leaseMilliseconds, fields: fields))
    }

    /// - Parameter number: nil to take over a planned meeting.
    func request(
        _ meeting: String, bot: String, number: Int?, latest: String?, in room: Room = World.room, limit: Int = 10,
        mostMeetings: Int = 1_000, mostBytes: Int = 1_000_000,
        workspace: String? = nil, key: String? = nil, others: [Room] = [], names: String = "", forgotten: String = "",
        deduplication: Deduplication? = nil, _ fields: String...
    ) async throws -> Value {
        let made = ["platform", room.platform.rawValue, "native_meeting_id", room.nativeID]
        let others = others.map(keys.holder)
        return try await run(
            Scripts.RequestBot(
                workspaceKey: workspace ?? keys.workspace, inflightKey: keys.inFlight(room),
                roomKey: keys.holder(room), botsKey: keys.bots, meetingKey: keys.partition.meeting(meeting),
                botKey: keys.partition.bot(bot), dispatchKey: keys.partition.dispatch,
                eventsKey: keys.partition.events, latestKey: keys.latest(room), meetingsKey: keys.meetings,
                namesKey: keys.names, otherKey: others.first ?? keys.holder(room),
                anotherKey: others.dropFirst().first ?? keys.holder(room), webhooksKey: keys.webhooks,
                outboxKey: keys.partition.outbox,
                operatorKey: keys.partition.operatorEndpoint, feedKey: keys.partition.feed(ofMeeting: meeting),
                feedsKey: keys.feed,
                dedupKey: deduplication?.key ?? keys.holder(room), requestKey: key, meetingID: meeting,
                number: number, workspaceID: workspaceID, room: room.description, botID: bot,
                inflightMilliseconds: 600_000, maxEvents: 1_000, why: "user 1", defaultMaxBots: limit, latest: latest,
                traceparent: Self.trace.traceparent, tracestate: nil, names: names, forgotten: forgotten,
                defaultMaxMeetings: mostMeetings, defaultMaxBytes: mostBytes, owner: deduplication?.owner,
                dedupMilliseconds: deduplication == nil ? 0 : 60_000, fields: made + fields))
    }

    /// All that a bot takes while it runs is free again, and nothing waits for a runner.
    func expectFree(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let after = try await snapshot()
        let partition = keys.partition
        for key in [keys.holder(Self.room), keys.inFlight(Self.room), keys.bots, partition.leases] {
            #expect(after[key] == nil, comment, sourceLocation: sourceLocation)
        }
        #expect(after[partition.dispatch] == .stream([]), comment, sourceLocation: sourceLocation)
    }
}

/// The stages at which a bot can be, by what it has reported.
enum Stage: String, CaseIterable, Sendable {
    case requested, joining
    case awaitingAdmission = "awaiting_admission"
    case needsHelp = "needs_help"
    case active

    var reports: [BotStatus] {
        switch self {
        case .requested: []
        case .joining: [.joining]
        case .awaitingAdmission: [.joining, .awaitingAdmission]
        case .needsHelp: [.joining, .awaitingAdmission, .needsHelp]
        case .active: [.joining, .awaitingAdmission, .active]
        }
    }

    /// The meeting's status meanwhile.
    var status: String { self == .active ? "LIVE" : "INITIAL" }

    /// What the record says if the bot fails at this stage (docs/bot-wire.md, "Reports": failure_stage).
    var failureStage: String { self == .needsHelp ? "awaiting_admission" : rawValue }
}

extension BotPlace {
    /// As raw keys.
    var lifeKeys: [String] { life.keys }
}

extension World {
    /// A bot at a stage, of a meeting of its own, that `runner` has claimed.
    func bot(at stage: Stage) async throws -> BotPlace {
        let place = try await bot(at: try await meeting())
        try await tell(place, stage.reports)
        return place
    }
}

extension Snapshot {
    /// The last event, without its id.
    func lastEvent(_ keys: WorkspaceKeys) -> [String: String]? {
        var event = stored[keys.partition.events]?.stream?.last
        event?["<id>"] = nil
        return event
    }

    /// What the record of a meeting names: its own entries of the event stream.
    func events(of meeting: String, _ keys: WorkspaceKeys) -> String {
        let events = stored[keys.partition.events]?.stream ?? []
        return events.filter { $0["meeting_id"] == meeting }.compactMap { $0["<id>"].map { "\($0) " } }.joined()
    }
}

extension Value {
    /// Numbers and words: a script's result, which begins with its word, or a part of one.
    static func parts(_ parts: Any...) -> Value {
        .array(parts.map { ($0 as? Int).map { .integer($0) } ?? .string("\($0)") })
    }
}
