import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// The scripts of imports: every result, by the raw keys.
@Suite(.takesTurns) struct ImportScriptTests {
    private static let workspace = "11111111-2222-4333-8444-555555555555"
    private static let keys = WorkspaceKeys(workspace: workspace)
    private static let meeting = String(repeating: "a", count: 32)
    private static let export = "export"
    private static let importing = "export 1"
    private static let notYours = Value.string("not_yours")

    private static func begin(_ world: World, export: String = export, run: String = "1") async throws -> Value {
        try await world.run(
            Scripts.BeginImport(
                workspaceKey: keys.workspace, removingKey: keys.partition.removing, removedKey: keys.partition.removed,
                workspaceID: workspace, export: export, run: run, lateMilliseconds: 60_000,
                fields: ["id", workspace, "name", "Moved"]))
    }

    private static func fields(
        _ world: World, _ fields: [String], to key: String, list: String? = nil, isAnew: Bool = false,
        importing: String = importing
    ) async throws -> Value {
        try await world.run(
            Scripts.ImportFields(
                workspaceKey: keys.workspace, recordKey: key, listKey: list, importing: importing, isAnew: isAnew,
                member: "m", madeAt: 5, fields: fields))
    }

    private static func meeting(
        _ world: World, _ fields: [String], endedAt: Int? = nil
    ) async throws -> Value {
        let partition = keys.partition
        return try await world.run(
            Scripts.ImportMeeting(
                workspaceKey: keys.workspace, meetingsKey: keys.meetings, latestKey: keys.latest(World.room),
                heldKey: keys.held(World.room), meetingKey: partition.meeting(meeting), eventsKey: partition.events,
                endedKey: partition.ended, analyzingKey: partition.analyzing, importing: importing, meetingID: meeting,
                number: 70, isHeld: endedAt != nil, endedAt: endedAt, analyzingAt: endedAt,
                eventCount: 1, values: ["created", "", "/", "INITIAL/", "user 1", "4", ""] + fields))
    }

    private static func plan(_ world: World) async throws -> Value {
        try await world.run(
            Scripts.ImportPlan(
                workspaceKey: keys.workspace, meetingKey: keys.partition.meeting(meeting),
                plansKey: keys.partition.plans, plannedKey: keys.planned(World.room), importing: importing,
                meetingID: meeting, plan: keys.member(meeting), due: 9_000))
    }

    private static func raise(_ world: World, to number: Int) async throws -> Value {
        try await world.run(Scripts.RaiseSequence(sequenceKey: Keys.meetingSequence, number: number))
    }

    /// Each of them, for those who watch what they touch.
    static func runAll(_ world: World) async throws {
        #expect(try await begin(world) == .string("begun"))
        #expect(
            try await fields(world, ["a", "1"], to: keys.webhook("m").webhook, list: keys.webhooks)
                == .string("written"))
        #expect(try await meeting(world, ["status", "INITIAL", "scheduled_at", "9500"]) == .string("written"))
        #expect(try await plan(world) == .string("planned"))
        #expect(try await raise(world, to: 1_000) == .string("raised"))
    }

    @Test func aWorkspaceIsBegunOnceAndGoneOnWith() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            #expect(try await Self.begin(world) == .string("begun"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [Self.keys.workspace])
            #expect(
                after[Self.keys.workspace]
                    == .hash(["id": Self.workspace, "name": "Moved", "importing": Self.importing]))
            try await world.expectNoChange { () async throws in
                #expect(try await Self.begin(world) == .string("goes_on"))
                for other in ["other", "expor"] {
                    #expect(try await Self.begin(world, export: other) == .string("taken"))
                }
            }
            #expect(try await Self.begin(world, run: "2") == .string("goes_on"))
            #expect(try await world.snapshot()[Self.keys.workspace]?.hash?["importing"] == "export 2")
        }
    }

    @Test func oneThatWasRemovedIsMadeAgainOnceNothingIsLeft() async throws {
        try await World.make { world in
            let (removing, removed) = (Self.keys.partition.removing, Self.keys.partition.removed)
            for key in [removing, removed] { _ = try await world.client.send("ZADD", key, "1", Self.workspace) }
            try await world.expectNoChange { () async throws in
                #expect(try await Self.begin(world) == .string("removing"))
            }
            _ = try await world.client.send("ZREM", removing, Self.workspace)
            // A node may have it on its list still.
            let now = try await world.now()
            for (ago, answer) in [(0, "removing"), (60_000, "begun")] {
                _ = try await world.client.send("ZADD", removed, String(now - ago), Self.workspace)
                #expect(try await Self.begin(world) == .string(answer))
            }
            #expect(try await world.snapshot()[removed] == nil)
        }
    }

    @Test func nothingIsWrittenIntoAnotherWorkspace() async throws {
        try await World.make { world in
            try await world.expectNoChange { () async throws in
                #expect(try await Self.fields(world, ["1", "owner"], to: Self.keys.members) == Self.notYours)
                #expect(try await Self.meeting(world, ["status", "INITIAL"]) == Self.notYours)
                #expect(try await Self.plan(world) == Self.notYours)
            }
            _ = try await Self.begin(world)
            try await world.expectNoChange { () async throws in
                let reply = try await Self.fields(world, ["1", "owner"], to: Self.keys.members, importing: "export 2")
                #expect(reply == Self.notYours)
            }
        }
    }

    @Test func fieldsAreWrittenListedAndReplaced() async throws {
        try await World.make { world in
            _ = try await Self.begin(world)
            let key = Self.keys.webhook("m").webhook
            for _ in 0..<2 {
                #expect(
                    try await Self.fields(world, ["a", "1"], to: key, list: Self.keys.webhooks) == .string("written"))
                let after = try await world.snapshot()
                #expect(after[key] == .hash(["a": "1"]) && after[Self.keys.webhooks] == .sortedSet(["m": "5"]))
            }
            #expect(try await Self.fields(world, ["b", "2"], to: key) == .string("written"))
            #expect(try await world.snapshot()[key] == .hash(["a": "1", "b": "2"]))
            #expect(try await Self.fields(world, ["c", "3"], to: key, isAnew: true) == .string("written"))
            #expect(try await world.snapshot()[key] == .hash(["c": "3"]))
            #expect(try await Self.fields(world, [], to: key, isAnew: true) == .string("written"))
            #expect(try await world.snapshot()[key] == nil)
        }
    }

    @Test func aMeetingIsWrittenOnceWithAllThatLeadsToIt() async throws {
        try await World.make { world in
            _ = try await Self.begin(world)
            let before = try await world.snapshot()
            let fields = ["status", "OFFLINE", "bot_status", "completed", "bytes", "1200"]
            #expect(try await Self.meeting(world, fields, endedAt: 7) == .string("written"))
            let after = try await world.snapshot()
            let (keys, partition) = (Self.keys, Self.keys.partition)
            #expect(
                after.changes(since: before) == [
                    keys.workspace, keys.meetings, keys.latest(World.room), keys.held(World.room),
                    partition.meeting(Self.meeting), partition.events, partition.ended, partition.analyzing,
                ])
            #expect(after[keys.meetings] == .sortedSet([Self.meeting: "70"]))
            #expect(after[keys.latest(World.room)] == .string(Self.meeting))
            #expect(after[partition.ended]?.sortedSet?[Self.meeting] == "7")
            #expect(after[keys.workspace]?.hash?["bytes"] == "1200")
            let event = try #require(after[partition.events]?.stream?.last)
            #expect(event["what"] == "created" && event["meeting_id"] == Self.meeting && event["at"] == "4")
            #expect(after[partition.meeting(Self.meeting)]?.hash?["events"] == "\(event["<id>"] ?? "") ")
            try await world.expectNoChange { () async throws in
                #expect(try await Self.meeting(world, fields, endedAt: 8) == .string("known"))
            }
        }
    }

    @Test func aPlanIsArmedUnlessItWasServed() async throws {
        try await World.make { world in
            _ = try await Self.begin(world)
            try await world.expectNoChange { () async throws in #expect(try await Self.plan(world) == .string("served"))
            }
            _ = try await Self.meeting(world, ["status", "INITIAL", "scheduled_at", "9500"])
            #expect(try await Self.plan(world) == .string("planned"))
            let after = try await world.snapshot()
            #expect(after[Self.keys.partition.plans] == .sortedSet([Self.keys.member(Self.meeting): "9000"]))
            #expect(after[Self.keys.planned(World.room)] == .sortedSet([Self.meeting: "9500"]))
            for (field, value) in [("bot_status", "requested"), ("missed_at", "1")] {
                let key = Self.keys.partition.meeting(Self.meeting)
                try await world.set(key, [field: value])
                try await world.expectNoChange { () async throws in
                    #expect(try await Self.plan(world) == .string("served"))
                }
                _ = try await world.client.send("HDEL", key, field)
            }
        }
    }

    @Test func aSequenceIsRaisedAndNeverTakenBack() async throws {
        try await World.make { world in
            #expect(try await Self.raise(world, to: 1_000) == .string("raised"))
            #expect(try await world.snapshot()[Keys.meetingSequence] == .string("1000"))
            try await world.expectNoChange { () async throws in
                #expect(try await Self.raise(world, to: 1_000) == .string("above"))
                #expect(try await Self.raise(world, to: 3) == .string("above"))
            }
            let meeting = try await world.meeting()
            #expect(try await world.fields(meeting)["number"] == "1001")
        }
    }
}
