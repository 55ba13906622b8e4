import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// `dispatch.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct DispatchScriptTests {
    @Test func anAcceptedDispatchWritesExactlyItsRecords() async throws {
        try await World.make { world in
            let meeting = try await world.meeting(["flag": "red", "custom": "kept"])
            let before = try await world.snapshot()
            let reply = try await world.dispatch(meeting, bot: "bot-1").arrayOrThrow()
            let after = try await world.snapshot()

            #expect(reply.count == 3 && reply[0] == .string("accepted") && reply[2] == .integer(1))
            let at = String(try reply[1].integerOrThrow())
            let keys = world.keys
            let partition = keys.partition
            #expect(
                after.changes(since: before) == [
                    keys.inFlight(World.room), keys.holder(World.room), keys.bots, partition.meeting(meeting),
                    partition.bot("bot-1"), partition.dispatch, partition.events,
                    partition.feed(ofMeeting: meeting), keys.feed,
                ])
            #expect(after[keys.lock] == nil)
            #expect(after[keys.inFlight(World.room)] == .string("bot-1"))
            #expect(after[keys.holder(World.room)] == .string(meeting))
            #expect(after[keys.bots] == .sortedSet(["bot-1": at]))
            let fields = try #require(before[partition.meeting(meeting)]?.hash)
            let changed = [
                "bot_status": "requested", "bot_id": "bot-1", "dispatched_at": at, "epoch": "1", "status": "INITIAL",
                "events": after.events(of: meeting, world.keys),
            ]
            #expect(after[partition.meeting(meeting)] == .hash(fields.merging(changed) { $1 }))

            let entry = try #require(after[partition.dispatch]?.stream?.first)
            let entryID = try #require(entry["<id>"])
            #expect(
                after[partition.dispatch]
                    == .stream([
                        [
                            "<id>": entryID, "meeting_id": meeting, "workspace_id": world.workspaceID,
                            "bot_id": "bot-1", "epoch": "1", "room": World.room.description, "dispatched_at": at,
                            "traceparent": World.trace.traceparent,
                        ]
                    ]))
            #expect(
                after[partition.bot("bot-1")]
                    == .hash([
                        "meeting_id": meeting, "workspace_id": world.workspaceID, "room": World.room.description,
                        "epoch": "1", "attempts": "1", "desired": "run", "config_version": "0", "dispatched_at": at,
                        "entry": entryID, "traceparent": World.trace.traceparent,
                    ]))
            var event = try #require(after[partition.events]?.stream?.last)
            event["<id>"] = nil
            #expect(
                event == [
                    "what": "dispatched", "meeting_id": meeting, "bot_id": "bot-1", "from": "INITIAL/",
                    "to": "INITIAL/requested", "why": "user 1", "at": at, "trace_id": World.trace.traceID,
                ])
            // Only the in-flight key ends by itself, and the feeds.
            let ending = [keys.inFlight(World.room), partition.feed(ofMeeting: meeting), keys.feed]
            #expect(Set(after.timeToLive.keys) == Set(ending))
            #expect((300_000...600_000).contains(try #require(after.timeToLive[keys.inFlight(World.room)])))
        }
    }

    /// "Only flips the runtime state fields (status, start_time, end_time, duration, flag)"; beside them only what
    /// tells of the new bot.
    @Test func aRestartResetsTheRuntimeFieldsAndNoOther() async throws {
        try await World.make { world in
            let meeting = try await world.meeting([
                "status": "OFFLINE", "bot_status": "completed", "bot_id": "bot-0", "epoch": "4",
                "dispatched_at": "1000", "start_time": "1001", "end_time": "1002", "duration": "1", "flag": "red",
                "participants": "[\"Anna\"]", "transcript": "kept", "nlp": "kept", "failure_stage": "kept",
            ])
            let key = world.keys.partition.meeting(meeting)
            let before = try #require(try await world.snapshot()[key]?.hash)
            let reply = try await world.dispatch(meeting, bot: "bot-1", seen: "OFFLINE").arrayOrThrow()
            #expect(reply[0] == .string("accepted") && reply[2] == .integer(5))
            let after = try await world.snapshot()
            let fields = try #require(after[key]?.hash)

            let names = Set(before.keys).union(fields.keys).filter { before[$0] != fields[$0] }
            let own: Set = ["status", "start_time", "end_time", "duration", "flag"]
            #expect(names == own.union(["bot_status", "bot_id", "epoch", "dispatched_at", "events"]))
            #expect(fields["status"] == "INITIAL")
            for name in own.subtracting(["status"]) { #expect(fields[name] == nil) }
            let event = try #require(after[world.keys.partition.events]?.stream?.last)
            #expect(event["what"] == "restarted" && event["from"] == "OFFLINE/completed")
        }
    }

    @Test(arguments: [nil, "another's"])
    func withoutItsLockNothingIsDone(_ lock: String?) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            if let lock { _ = try await world.client.send("SET", world.keys.lock, lock, "PX", "60000") }
            let before = try await world.snapshot()
            #expect(try await world.dispatch(meeting, bot: "bot-1", lock: lock) == .parts("not_yours"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [])
            #expect(after[world.keys.lock]?.string == lock)
        }
    }

    /// Every refusal under the lock gives the lock back, and does nothing else.
    @Test func refusalsChangeNothingButTheLock() async throws {
        let cases: [(String, @Sendable (World, String) async throws -> Void, [Value])] = [
            (
                "in flight, its meeting unknown",
                { world, _ in _ = try await world.client.send("SET", world.keys.inFlight(World.room), "b") },
                [.string("in_flight"), .string("")]
            ),
            (
                "in flight",
                { world, _ in
                    _ = try await world.client.send("SET", world.keys.inFlight(World.room), "b")
                    _ = try await world.client.send("SET", world.keys.holder(World.room), "other")
                }, [.string("in_flight"), .string("other")]
            ),
            (
                "in flight, and the status has changed",
                { world, meeting in
                    _ = try await world.client.send("SET", world.keys.inFlight(World.room), "b")
                    try await world.set(world.keys.partition.meeting(meeting), ["status": "LIVE"])
                }, [.string("in_flight"), .string("")]
            ),
            (
                "the status has changed",
                { world, meeting in
                    try await world.set(world.keys.partition.meeting(meeting), ["status": "STOPPING"])
                }, [.string("status_changed"), .string("STOPPING")]
            ),
            (
                "the meeting is gone",
                { world, meeting in _ = try await world.client.send("DEL", world.keys.partition.meeting(meeting)) },
                [.string("status_changed"), .string("")]
            ),
            (
                "the room is held",
                { world, _ in _ = try await world.client.send("SET", world.keys.holder(World.room), "other") },
                [.string("room_held"), .string("other")]
            ),
        ]
        for (name, prepare, expected) in cases {
            try await World.make { world in
                let meeting = try await world.meeting()
                try await prepare(world, meeting)
                let before = try await world.snapshot()
                #expect(try await world.dispatch(meeting, bot: "bot-1") == .array(expected), "\(name)")
                let after = try await world.snapshot()
                // The lock was set after the snapshot, so it is no change that it is gone.
                #expect(after.changes(since: before) == [], "\(name)")
            }
        }
    }

    @Test func aRepeatedCallChangesNothing() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.dispatch(meeting, bot: "bot-1")
            let before = try await world.snapshot()
            #expect(try await world.dispatch(meeting, bot: "bot-1", lock: nil) == .parts("not_yours"))
            #expect(
                try await world.dispatch(meeting, bot: "bot-1") == .parts("in_flight", meeting))
            #expect(
                try await world.dispatch(meeting, bot: "bot-2", seen: "OFFLINE")
                    == .parts("in_flight", meeting))
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    /// Redis takes nothing back when a command of a script fails. Whichever key another hand has spoilt, no bot is on
    /// its way and the room is not taken, so that the dispatch goes through once the key is mended.
    @Test(arguments: ["bots", "dispatch", "events", "holder", "lock", "epoch"])
    func aSpoiltKeyLeavesNothingThatCounts(_ what: String) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let keys = world.keys
            let spoilt =
                switch what {
                case "bots": keys.bots
                case "dispatch": keys.partition.dispatch
                case "events": keys.partition.events
                case "holder": keys.holder(World.room)
                default: keys.lock
                }
            if what == "epoch" {
                try await world.set(keys.partition.meeting(meeting), ["epoch": "many"])
            } else {
                _ = try await world.client.send("DEL", spoilt)
                _ = try await world.client.send("SADD", spoilt, "x")
            }
            await #expect(throws: RedisError.self) {
                try await world.dispatch(meeting, bot: "bot-1", lock: what == "lock" ? nil : "mine")
            }
            if what == "epoch" {
                _ = try await world.client.send("HDEL", keys.partition.meeting(meeting), "epoch")
            } else {
                _ = try await world.client.send("DEL", spoilt)
            }
            let after = try await world.snapshot()
            #expect(after[keys.inFlight(World.room)] == nil)
            #expect(after[keys.holder(World.room)] == nil)
            #expect(after[keys.bots] == nil)
            #expect(after[keys.partition.bot("bot-1")] == nil)
            #expect(after[keys.partition.meeting(meeting)]?.hash?["bot_id"] == nil)
            #expect(try await world.dispatch(meeting, bot: "bot-2").array?.first == .string("accepted"))
        }
    }

    @Test func unlockTellsWhoseTheLockIs() async throws {
        try await World.make { world in
            let key = world.keys.lock
            #expect(try await world.run(Scripts.Unlock(lockKey: key, token: "mine")) == .string("not_locked"))
            _ = try await world.client.send("SET", key, "another's", "PX", "60000")
            let before = try await world.snapshot()
            #expect(try await world.run(Scripts.Unlock(lockKey: key, token: "mine")) == .string("not_yours"))
            #expect(try await world.snapshot().changes(since: before) == [])
            #expect(try await world.run(Scripts.Unlock(lockKey: key, token: "another's")) == .string("unlocked"))
            #expect(try await world.snapshot().changes(since: before) == [key])
        }
    }
}
