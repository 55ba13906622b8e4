import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// `expire_dispatch.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct ExpireDispatchScriptTests {
    /// A dispatch whose in-flight key has come to its end.
    private static func make(_ body: @escaping @Sendable (World, String) async throws -> Void) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.dispatch(meeting, bot: "bot-1")
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            try await body(world, meeting)
        }
    }

    @Test func aDispatchThatNobodyClaimedEndsAndFreesTheRoom() async throws {
        try await Self.make { world, meeting in
            let before = try await world.snapshot()
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("ended"))
            let after = try await world.snapshot()
            let partition = world.keys.partition
            #expect(
                after.changes(since: before) == [
                    world.keys.holder(World.room), world.keys.bots, partition.meeting(meeting), partition.bot("bot-1"),
                    partition.dispatch, partition.events, partition.ended,
                    partition.feed(ofMeeting: meeting), world.keys.feed,
                ])
            #expect(after[world.keys.holder(World.room)] == nil)
            #expect(after[world.keys.bots] == nil)
            #expect(after[partition.dispatch] == .stream([]))
            let fields = try #require(before[partition.meeting(meeting)]?.hash)
            let bot = try #require(after[partition.bot("bot-1")]?.hash)
            let changed = [
                "bot_status": "failed", "failure_stage": "requested", "completion_reason": "dispatch_expired",
                "updated_at": bot["ended_at"] ?? "", "events": after.events(of: meeting, world.keys),
            ]
            #expect(after[partition.meeting(meeting)] == .hash(fields.merging(changed) { $1 }))
            #expect(after[partition.ended] == .sortedSet([meeting: bot["ended_at"] ?? ""]))
            #expect(bot["desired"] == "none" && bot["ended_at"] != nil)
            #expect(
                Set(after.timeToLive.keys) == [
                    partition.bot("bot-1"), partition.feed(ofMeeting: meeting), world.keys.feed,
                ])
            let event = try #require(after[partition.events]?.stream?.last)
            #expect(
                event["what"] == "failed" && event["trace_id"] == World.trace.traceID
                    && event["why"] == "dispatch_expired")
            #expect(event["from"] == "INITIAL/requested")
            #expect(event["to"] == "INITIAL/failed" && event["at"] == bot["ended_at"])
        }
    }

    /// By the entry the sweep finds it again.
    @Test func oneThatCannotEndKeepsItsEntry() async throws {
        try await Self.make { world, meeting in
            let ended = world.keys.partition.ended
            _ = try await world.client.send("SET", ended, "x")
            try await world.expectNoChange { () async throws in
                await #expect(throws: RedisError.self) { _ = try await world.expire(meeting, bot: "bot-1") }
            }
            _ = try await world.client.send("DEL", ended)
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("ended"))
        }
    }

    @Test func repeatingItChangesNothing() async throws {
        try await Self.make { world, meeting in
            _ = try await world.expire(meeting, bot: "bot-1")
            let before = try await world.snapshot()
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("ended"))
            #expect(try await world.snapshot().changes(since: before) == [])
            // Nor once the room is another meeting's, or this one's again.
            let other = try await world.meeting()
            _ = try await world.dispatch(other, bot: "bot-2")
            let taken = try await world.snapshot()
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("in_flight"))
            #expect(try await world.snapshot().changes(since: taken) == [])
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            let held = try await world.snapshot()
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("ended"))
            #expect(try await world.snapshot().changes(since: held) == [])
        }
    }

    @Test func nothingIsDoneWhileItIsInFlightOrClaimedOrNotCurrent() async throws {
        try await Self.make { world, meeting in
            let partition = world.keys.partition
            _ = try await world.client.send("SET", world.keys.inFlight(World.room), "bot-1", "PX", "60000")
            let inFlight = try await world.snapshot()
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("in_flight"))
            #expect(try await world.expire(meeting, bot: "bot-0") == .string("stale"))
            #expect(try await world.expire("nothing", bot: "bot-1") == .string("stale"))
            #expect(try await world.snapshot().changes(since: inFlight) == [])
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            try await world.set(partition.bot("bot-1"), ["runner": "r"])
            let claimed = try await world.snapshot()
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("claimed_before"))
            #expect(try await world.snapshot().changes(since: claimed) == [])
        }
    }

    @Test func aStatusWrittenByHandIsLeftAlone() async throws {
        try await Self.make { world, meeting in
            let key = world.keys.partition.meeting(meeting)
            try await world.set(key, ["status": "PAUSED"])
            let before = try await world.snapshot()
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("ended"))
            let changes = try await world.snapshot().changes(since: before)
            #expect(!changes.contains(key) && !changes.contains(world.keys.partition.events))
            #expect(changes.contains(world.keys.holder(World.room)))
        }
    }

    /// The room is not given out while the record says that its bot is in it.
    @Test(arguments: ["LIVE", "STOPPING"])
    func aRoomThatAnotherHandWroteAsTakenIsNotFreed(_ status: String) async throws {
        try await Self.make { world, meeting in
            try await world.set(world.keys.partition.meeting(meeting), ["status": status])
            try await world.expectNoChange { () async throws in
                #expect(try await world.expire(meeting, bot: "bot-1") == .string("in_flight"))
            }
        }
    }

    @Test func aBotWhoseRecordIsGoneStillFreesTheRoom() async throws {
        try await Self.make { world, meeting in
            _ = try await world.client.send("DEL", world.keys.partition.bot("bot-1"))
            #expect(try await world.expire(meeting, bot: "bot-1") == .string("ended"))
            let after = try await world.snapshot()
            #expect(after[world.keys.holder(World.room)] == nil && after[world.keys.bots] == nil)
            #expect(after[world.keys.partition.bot("bot-1")] == nil)
        }
    }
}
