import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// `release.lua` and `renew.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct ReleaseAndRenewScriptTests {
    // MARK: Release

    @Test func aBotThatIsHandedBackIsAsBeforeItsClaim() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let place = try await world.send(to: meeting)
            let partition = world.keys.partition
            let sent = try await world.snapshot()
            let sentEntry = try await world.entry()
            try await world.claim(place)
            let before = try await world.snapshot()
            #expect(try await world.release(place) == .string("released"))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    partition.meeting(meeting), partition.bot(place.botID), partition.leases, partition.dispatch,
                ])
            let entry = try await world.entry()
            #expect(entry.filter { $0.key != "<id>" } == sentEntry.filter { $0.key != "<id>" })
            var bot = try #require(sent[partition.bot(place.botID)]?.hash)
            bot["entry"] = entry["<id>"]
            #expect(after[partition.bot(place.botID)] == .hash(bot))
            // But for the note of where the stream was: the next claim makes another one.
            let record = try #require(sent[partition.meeting(meeting)]?.hash)
            #expect(
                after[partition.meeting(meeting)] == .hash(record.merging(["positions": "\(place.botID)=0-0"]) { $1 }))
            #expect(after[partition.leases] == nil)

            try await world.expectNoChange {
                let reply = try await world.release(place)
                #expect(reply == .string("not_yours"))
            }
            let id = try #require(entry["<id>"])
            #expect(try await world.claim(place, entry: id, runner: "other").array?.first == .string("claimed"))
            try await world.expectNoChange {
                let reply = try await world.release(place)
                #expect(reply == .string("not_yours"))
            }
        }
    }

    @Test func aRenewalTellsTheRunnerThatItsBotIsToLeave() async throws {
        try await World.make { world in
            let place = try await world.bot(at: try await world.meeting(), .joining, .active)
            func renewals() async throws -> [Renewal] {
                try await world.session.bots.renew(bots: [place.botID], in: place.partition, runner: "runner")
            }
            guard case .granted(let before)? = try await renewals().first else { throw TestServerError("refused") }
            #expect(!before.leaves && before.wasInRoom)
            _ = try await world.stop(place)
            guard case .granted(let after)? = try await renewals().first else { throw TestServerError("refused") }
            #expect(after.leaves)
        }
    }

    @Test func whatIsNotTheRunnersIsNotHandedBack() async throws {
        try await World.make { world in
            let place = try await world.bot(at: try await world.meeting())
            try await world.expectNoChange { () async throws in
                #expect(try await world.release(place, runner: "other") == .string("not_yours"))
                #expect(try await world.release(place, runner: "") == .string("not_yours"))
                #expect(try await world.release(world.place(place.meetingID, "none")) == .string("not_yours"))
            }
            // A newer bot of the meeting.
            try await world.set(place.lifeKeys[0], ["bot_id": "other"])
            try await world.expectNoChange {
                let reply = try await world.release(place)
                #expect(reply == .string("not_yours"))
            }
            try await world.set(place.lifeKeys[0], ["bot_id": place.botID])
            _ = try await world.report(place, "failed")
            try await world.expectNoChange {
                let reply = try await world.release(place)
                #expect(reply == .string("not_yours"))
            }
        }
    }

    @Test func aStoppedBotIsNotHandedBack() async throws {
        try await World.make { world in
            let place = try await world.bot(at: try await world.meeting())
            _ = try await world.stop(place)
            try await world.expectNoChange {
                let reply = try await world.release(place)
                #expect(reply == .string("unwanted"))
            }
        }
    }

    // MARK: Renewals

    @Test func aRenewalMovesLeasesAndTellsWhatIsWanted() async throws {
        try await World.make { world in
            let waiting = try await world.bot(at: .awaitingAdmission)
            let partition = world.keys.partition
            // The same room again, by hand: how many rooms there are does not matter here.
            for key in [world.keys.holder(World.room), world.keys.inFlight(World.room)] {
                _ = try await world.client.send("DEL", key)
            }
            let talking = try await world.bot(at: .active)
            #expect(try await world.configure(talking, "language", "es", "bot_name", "Eva") == .parts("configured", 1))
            let bots = [talking.botID, waiting.botID]
            let now = try await world.now()
            for bot in bots {
                _ = try await world.client.send("ZADD", partition.leases, String(now + 600_000), bot)
            }
            let before = try await world.snapshot()
            let reply = try await world.renew(bots)
            let after = try await world.snapshot()
            #expect(
                reply
                    == .array([
                        .string("renewed"),
                        .array([.parts("run", 1, "es", "", "Eva", 1), .parts("run", 0, "", "", "", 0)]),
                    ]))
            #expect(after.changes(since: before) == [partition.leases])
            let leases = try #require(after[partition.leases]?.sortedSet)
            #expect(leases.keys.sorted() == bots.sorted())
            for (_, expiry) in leases {
                let expiry = try #require(Int(expiry))
                #expect((now..<now + 600_000).contains(expiry - World.leaseMilliseconds))
            }
            _ = try await world.client.send("SET", world.keys.holder(World.room), talking.meetingID)
            #expect(try await world.stop(talking) == .parts("leaving", World.trace.traceparent))
            let told = try await world.renew(bots).arrayOrThrow()[1].arrayOrThrow()
            #expect(told[0] == .parts("leave", 1, "es", "", "Eva", 1))
        }
    }

    /// A new primary may lack its last renewal, and after a leap of the clock it is not as old as it seems.
    @Test(arguments: ["replication_id", "seen"]) func aLeaseThatMayNotHaveRunOutIsRenewed(_ field: String) async throws
    {
        try await World.make { world in
            let bot = try await world.bot(at: .active)
            let partition = world.keys.partition
            try await world.endLease(of: bot)
            try await world.set(partition.primary, [field: field == "seen" ? "1" : "cafe"])
            let before = try await world.snapshot()
            #expect(
                try await world.renew(["none", bot.botID])
                    == .array([.string("renewed"), .array([.array([]), .parts("run", 0, "", "", "", 1)])]))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [partition.leases, partition.primary])
            let expiry = after[partition.leases]?.sortedSet?[bot.botID].flatMap { Int($0) }
            #expect(expiry ?? 0 > (try await world.now()))

            // A lease's time later it has run out.
            try await world.setPrimary(of: partition, since: 1)
            try await world.endLease(of: bot)
            #expect(try await world.renew([bot.botID]) == .parts("refused"))
        }
    }

    /// Each is refused and not renewed, and those beside it are.
    @Test func whatIsNotTheRunnersIsNotRenewed() async throws {
        let cases: [(String, @Sendable (World, BotPlace) async throws -> Void)] = [
            ("another runner's", { world, place in try await world.set(place.lifeKeys[1], ["runner": "other"]) }),
            ("nobody's", { world, place in _ = try await world.client.send("HDEL", place.lifeKeys[1], "runner") }),
            ("ended", { world, place in _ = try await world.report(place, "failed") }),
            ("run out, and nobody has noticed", { world, place in try await world.endLease(of: place) }),
            (
                "without a lease",
                { world, place in _ = try await world.client.send("ZREM", world.keys.partition.leases, place.botID) }
            ),
            ("without a record", { world, place in _ = try await world.client.send("DEL", place.lifeKeys[1]) }),
            (
                "no record",
                { world, place in
                    _ = try await world.client.send("DEL", place.lifeKeys[1])
                    _ = try await world.client.send("SET", place.lifeKeys[1], "x")
                }
            ),
        ]
        for (name, prepare) in cases {
            try await World.make { world in
                let place = try await world.bot(at: try await world.meeting())
                try await prepare(world, place)
                try await world.expectNoChange("\(name)") {
                    let reply = try await world.renew([place.botID, "none"])
                    #expect(reply == .parts("refused"), "\(name)")
                }
                #expect(try await world.renew([]) == .parts("refused"))
            }
        }
    }

    /// The bots beside it would lose their leases too, and end.
    @Test func aRecordOfAnotherTypeEndsItsOwnBotAlone() async throws {
        try await World.make { world in
            let spoilt = try await world.bot(at: .active)
            for key in [world.keys.holder(World.room), world.keys.inFlight(World.room)] {
                _ = try await world.client.send("DEL", key)
            }
            let bot = try await world.bot(at: .active)
            _ = try await world.client.send("DEL", spoilt.lifeKeys[1])
            _ = try await world.client.send("SET", spoilt.lifeKeys[1], "x")
            let renewals = try await world.session.bots.renew(
                bots: [spoilt.botID, bot.botID], in: world.keys.partition, runner: "runner")
            #expect(renewals.first == .refused && renewals.last != .refused && renewals.count == 2)
        }
    }
}
