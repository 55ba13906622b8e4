import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// `lose_bot.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct LoseBotScriptTests {
    private static func replacement(in world: World) -> String { Identifier.bot(in: world.keys.partition) }

    @Test(arguments: Stage.allCases.filter { $0 != .active })
    func aBotLostOnItsWayIsReplaced(at stage: Stage) async throws {
        try await World.make { world in
            let place = try await world.bot(at: stage)
            let partition = world.keys.partition
            let next = Self.replacement(in: world)
            let room = World.room
            _ = try await world.client.send("PEXPIRE", world.keys.inFlight(room), "300000")
            let before = try await world.snapshot()
            #expect(try await world.lose(place, runner: "runner", by: next, "exit_code", "7") == .parts("replaced", 2))
            let after = try await world.snapshot()

            // The room stays the meeting's at every moment.
            #expect(
                after.changes(since: before) == [
                    partition.meeting(place.meetingID), partition.bot(place.botID), partition.bot(next),
                    partition.leases, partition.dispatch, partition.events, world.keys.inFlight(room),
                    world.keys.bots, partition.feed(ofMeeting: place.meetingID), world.keys.feed,
                ])
            let entry = try await world.entry()
            let at = try #require(entry["dispatched_at"])
            #expect(after[world.keys.inFlight(room)] == .string(next))
            #expect((1...300_000).contains(try #require(after.timeToLive[world.keys.inFlight(room)])))
            #expect(after[world.keys.holder(room)] == .string(place.meetingID))
            #expect(after[world.keys.bots] == .sortedSet([next: at]))
            #expect(after[partition.leases] == nil)
            #expect(
                entry.filter { $0.key != "<id>" } == [
                    "meeting_id": place.meetingID, "workspace_id": world.workspaceID, "bot_id": next, "epoch": "2",
                    "room": room.description, "dispatched_at": at, "traceparent": World.trace.traceparent,
                ])
            #expect(
                after[partition.bot(next)]
                    == .hash([
                        "meeting_id": place.meetingID, "workspace_id": world.workspaceID, "room": room.description,
                        "epoch": "2", "attempts": "2", "desired": "run", "config_version": "0", "dispatched_at": at,
                        "entry": entry["<id>"] ?? "", "traceparent": World.trace.traceparent,
                    ]))
            let bot = try #require(before[partition.bot(place.botID)]?.hash)
            let ended = ["desired": "none", "ended_at": at, "exit_code": "7"]
            #expect(after[partition.bot(place.botID)] == .hash(bot.merging(ended) { $1 }))
            var fields = try #require(before[partition.meeting(place.meetingID)]?.hash)
            fields.merge(["bot_status": "requested", "bot_id": next, "epoch": "2", "dispatched_at": at]) { $1 }
            fields["bot_container_id"] = nil
            fields["events"] = after.events(of: place.meetingID, world.keys)
            #expect(after[partition.meeting(place.meetingID)] == .hash(fields))
            let event = try #require(after.lastEvent(world.keys))
            #expect(
                event["what"] == "replaced" && event["trace_id"] == World.trace.traceID && event["why"] == "bot_exited"
                    && event["bot_id"] == next)
            #expect(event["from"] == "INITIAL/\(stage.rawValue)" && event["to"] == "INITIAL/requested")
            let ending = [
                partition.bot(place.botID), world.keys.inFlight(room), partition.feed(ofMeeting: place.meetingID),
                world.keys.feed,
            ]
            #expect(Set(after.timeToLive.keys) == Set(ending))

            try await world.expectNoChange { () async throws in
                #expect(try await world.lose(place, runner: "runner", by: "none") == .parts("stale"))
                #expect(try await world.lose(place, runner: "", by: "none") == .parts("stale"))
            }
        }
    }

    @Test func aDispatchHasThreeAttempts() async throws {
        try await World.make { world in
            var place = try await world.bot(at: try await world.meeting())
            for attempt in 1...3 {
                let record = try await world.client.send("HGETALL", place.lifeKeys[1]).hash()
                #expect(record["attempts"] == String(attempt) && record["epoch"] == String(attempt))
                let next = Self.replacement(in: world)
                let reply = try await world.lose(place, runner: "runner", by: next)
                if attempt == 3 {
                    #expect(reply == .parts("ended", "INITIAL", "failed"))
                    #expect(try await world.snapshot()[world.keys.partition.bot(next)] == nil)
                } else {
                    #expect(reply == .parts("replaced", attempt + 1))
                    place = world.place(place.meetingID, next)
                    try await world.claim(place)
                }
            }
            try await world.expectFree()
            // A new dispatch counts anew.
            let again = try await world.bot(at: place.meetingID)
            let record = try await world.client.send("HGETALL", again.lifeKeys[1]).hash()
            #expect(record["attempts"] == "1" && record["epoch"] == "4")
        }
    }

    /// A bot that is not replaced ends as failed, in the room or on its way.
    @Test func whereNoneMayTakeItsPlaceTheBotHasFailed() async throws {
        let cases: [(String, Stage, @Sendable (World) async throws -> Void)] = [
            ("in the room", .active, { _ in }),
            ("not to be replaced", .needsHelp, { _ in }),
            (
                "out of time", .joining,
                { world in _ = try await world.client.send("DEL", world.keys.inFlight(World.room)) }
            ),
        ]
        for (name, stage, prepare) in cases {
            try await World.make { world in
                let place = try await world.bot(at: stage)
                try await prepare(world)
                let partition = world.keys.partition
                let before = try await world.snapshot()
                let status = stage == .active ? "OFFLINE" : "INITIAL"
                let reply = try await world.lose(
                    place, runner: "runner", mayBeReplaced: stage != .needsHelp, by: "none", "exit_signal", "9",
                    "bot_output", "ouch")
                #expect(reply == .parts("ended", status, "failed"), "\(name)")
                let after = try await world.snapshot()
                var changes: Set = [
                    partition.meeting(place.meetingID), partition.bot(place.botID), partition.events,
                    partition.leases, partition.ended, world.keys.holder(World.room), world.keys.bots,
                    partition.feed(ofMeeting: place.meetingID), world.keys.feed,
                ]
                if stage == .active { changes.insert(partition.analyzing) }
                if stage == .needsHelp { changes.insert(world.keys.inFlight(World.room)) }
                #expect(after.changes(since: before) == changes, "\(name)")
                try await world.expectFree("\(name)")
                let at = try #require(after.lastEvent(world.keys)?["at"])
                var fields = try #require(before[partition.meeting(place.meetingID)]?.hash)
                fields.merge([
                    "status": status, "bot_status": "failed", "updated_at": at, "completion_reason": "bot_exited",
                    "failure_stage": stage.failureStage, "exit_signal": "9", "bot_output": "ouch",
                    "events": after.events(of: place.meetingID, world.keys),
                ]) { $1 }
                if stage == .active {
                    let start = try #require(fields["start_time"].flatMap { Int($0) })
                    fields.merge(["end_time": at, "duration": String(try #require(Int(at)) - start)]) { $1 }
                }
                #expect(after[partition.meeting(place.meetingID)] == .hash(fields), "\(name)")
                let bot = try #require(before[partition.bot(place.botID)]?.hash)
                let ended = ["desired": "none", "ended_at": at, "exit_signal": "9", "bot_output": "ouch"]
                #expect(after[partition.bot(place.botID)] == .hash(bot.merging(ended) { $1 }), "\(name)")
                try await world.expectNoChange("\(name)") {
                    let again = try await world.lose(place, runner: "runner", by: "none", "exit_code", "1")
                    #expect(again == .parts("stale"), "\(name)")
                }
            }
        }
    }

    @Test func aLeaseThatLivesIsNotLostNorAnothersBot() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .joining)
            try await world.expectNoChange { () async throws in
                #expect(try await world.lose(place, runner: "", by: "none") == .parts("leased"))
                #expect(
                    try await world.lose(place, runner: "other", by: "none", "exit_code", "1") == .parts("not_yours"))
            }
            _ = try await world.client.send("DEL", world.keys.partition.leases)
            try await world.expectNoChange { () async throws in
                #expect(try await world.lose(place, runner: "", by: "none") == .parts("leased"))
            }
            // Not claimed yet: nobody has lost it.
            _ = try await world.release(place)
            try await world.expectNoChange { () async throws in
                #expect(try await world.lose(place, runner: "runner", by: "none") == .parts("not_yours"))
                #expect(try await world.lose(place, runner: "", by: "none") == .parts("leased"))
            }
        }
    }

    /// Whoever sees it first, a sweep, a loss or a renewal, says so to the others, and once.
    @Test func aLeapOfTheClockCountsOnce() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .joining)
            let primary = world.keys.partition.primary
            func noted() async throws -> [String: String] { try await world.client.send("HGETALL", primary).hash() }
            try await world.endLease(of: place)
            try await world.set(primary, ["seen": String(try await world.now() - 8_000)])
            let before = try await world.snapshot()
            #expect(try await world.lose(place, runner: "", by: "none") == .parts("leased"))
            #expect(try await world.snapshot().changes(since: before) == [primary])
            let first = try await noted()
            #expect(first["since"] == first["seen"])
            try await world.expectNoChange { () async throws in
                #expect(try await world.lose(place, runner: "", by: "none") == .parts("leased"))
            }
        }
    }

    /// What has ended, or was never there, keeps no lease.
    @Test func aBotThatIsOverLosesItsLeaseAndNothingElse() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            let place = try await world.bot(at: .joining)
            _ = try await world.report(place, "failed")
            let other = try await world.bot(at: .active)
            for over in [place, world.place(other.meetingID, "none"), world.place("none", other.botID)] {
                _ = try await world.client.send("ZADD", partition.leases, "1", over.botID)
                let before = try await world.snapshot()
                #expect(try await world.lose(over, runner: "", by: "none") == .parts("stale"))
                #expect(try await world.snapshot().changes(since: before) == [partition.leases])
                #expect(try await world.client.send("ZSCORE", partition.leases, over.botID) == .null)
            }
        }
    }

    /// Its own record went away under it: the room is freed all the same, and no record is made of what is left.
    @Test func aBotWhoseRecordIsGoneStillFreesTheRoom() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .joining)
            _ = try await world.client.send("DEL", place.lifeKeys[1])
            try await world.endLease(of: place)
            #expect(try await world.lose(place, runner: "", by: "none") == .parts("ended", "INITIAL", "failed"))
            try await world.expectFree()
            let after = try await world.snapshot()
            #expect(after[place.lifeKeys[1]] == nil && after[world.keys.partition.bot("none")] == nil)
        }
    }
}
