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
        _ place: BotPlace, entry: String, epoch: String = "1", runner: String = "runner", secret: String = "hash"
    ) async throws -> Value {
        let life = place.lifeKeys
        return try await run(
            Scripts.Claim.script,
            keys: [life[0], life[1], life[2], keys.partition.leases, keys.partition.dispatch],
            arguments: [
                place.botID, epoch, runner, String(Self.leaseMilliseconds), secret, entry, "container", "1",
            ])
    }

    func release(_ place: BotPlace, runner: String = "runner") async throws -> Value {
        try await run(
            Scripts.Release.script,
            keys: [place.lifeKeys[0], place.lifeKeys[1], keys.partition.leases, keys.partition.dispatch],
            arguments: [place.botID, runner])
    }

    func renew(_ bots: [String], runner: String = "runner") async throws -> Value {
        try await run(
            Scripts.Renew.script, keys: [keys.partition.leases] + bots.map(keys.partition.bot),
            arguments: [runner, String(Self.leaseMilliseconds)] + bots)
    }

    func report(
        _ place: BotPlace, _ status: String, reason: String = "", stage: String = "", _ fields: String...
    ) async throws -> Value {
        try await run(
            Scripts.Report.script, keys: place.reportKeys,
            arguments: [place.botID, place.meetingID, status, reason, stage, "86400000", "1000"] + fields)
    }

    func stop(_ place: BotPlace) async throws -> Value {
        try await run(
            Scripts.Stop.script, keys: place.lifeKeys + [keys.partition.dispatch],
            arguments: [place.botID, place.meetingID, "86400000", "1000", "user 1", "600000"])
    }

    func configure(_ place: BotPlace, _ fields: String...) async throws -> Value {
        try await run(
            Scripts.Configure.script, keys: Array(place.lifeKeys.prefix(2)), arguments: [place.botID] + fields)
    }

    /// - Parameter runner: empty if its lease is said to have run out.
    func lose(
        _ place: BotPlace, runner: String, reason: String = "bot_exited", mayBeReplaced: Bool = true,
        by replacement: String, _ fields: String...
    ) async throws -> Value {
        try await run(
            Scripts.LoseBot.script,
            keys: place.lifeKeys + [
                keys.partition.dispatch, keys.partition.bot(replacement), keys.partition.primary,
            ],
            arguments: [
                place.botID, place.meetingID, runner, reason, mayBeReplaced ? "1" : "0", "3", replacement, "86400000",
                "1000", String(Self.leaseMilliseconds),
            ] + fields)
    }

    /// - Parameter number: nil to take over a planned meeting.
    func request(
        _ meeting: String, bot: String, number: Int?, latest: String, in room: Room = World.room, limit: Int = 10,
        mostMeetings: Int = 1_000, mostBytes: Int = 1_000_000,
        workspace: String? = nil, key: String? = nil, others: [Room] = [], names: String = "", forgotten: String = "",
        _ fields: String...
    ) async throws -> Value {
        let made = ["platform", room.platform.rawValue, "native_meeting_id", room.nativeID]
        var requestKeys = keys.keys(ofRequestTo: room, others: others, meeting: meeting, bot: bot)
        if let workspace { requestKeys[0] = workspace }
        return try await run(
            Scripts.RequestBot.script, keys: requestKeys + (key.map { [$0] } ?? []),
            arguments: [
                meeting, number.map { String($0) } ?? "", workspaceID, room.description, bot, "600000", "1000",
                "user 1", String(limit), latest, Self.trace.traceparent, "", names, forgotten,
                String(mostMeetings), String(mostBytes),
            ] + made + fields)
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
}

extension Value {
    static func codes(_ parts: Any...) -> Value {
        .array(parts.map { ($0 as? Int).map { .integer($0) } ?? .string("\($0)") })
    }
}
