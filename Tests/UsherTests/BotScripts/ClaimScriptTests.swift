import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// `claim.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct ClaimScriptTests {
    @Test func aClaimWritesExactlyItsRecords() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let place = try await world.send(to: meeting)
            let partition = world.keys.partition
            _ = try await world.client.send("XGROUP", "CREATE", partition.dispatch, "runners", "0")
            _ = try await world.client.send(
                "XREADGROUP", "GROUP", "runners", "runner", "STREAMS", partition.dispatch, ">")
            let entry = try #require(try await world.entry()["<id>"])
            let before = try await world.snapshot()
            let reply = try await world.claim(place, entry: entry).arrayOrThrow()
            let after = try await world.snapshot()

            #expect(
                after.changes(since: before) == [
                    partition.meeting(meeting), partition.bot(place.botID), partition.leases, partition.dispatch,
                ])
            #expect(reply.count == 5 && reply[0] == .string("claimed"))
            #expect(Array(reply[3...]) == [.string(World.trace.traceparent), .string("")])
            let at = try reply[1].integerOrThrow()
            let bot = try #require(before[partition.bot(place.botID)]?.hash)
            let claimed = [
                "runner": "runner", "claimed_at": String(at), "secret": "hash", "container": "container",
                "lease_ms": String(World.leaseMilliseconds), "stream": "1",
            ]
            #expect(after[partition.bot(place.botID)] == .hash(bot.merging(claimed) { $1 }))
            let fields = try #require(before[partition.meeting(meeting)]?.hash)
            let named = fields.merging(["bot_container_id": "container"]) { $1 }
            #expect(after[partition.meeting(meeting)] == .hash(named))
            #expect(try reply[2].hash() == named)
            #expect(after[partition.leases] == .sortedSet([place.botID: String(at + World.leaseMilliseconds)]))
            #expect(after[partition.dispatch] == .stream([]))
            let pending = try await world.client.send("XPENDING", partition.dispatch, "runners").arrayOrThrow()
            #expect(pending.first == .integer(0))
        }
    }

    @Test func whereTheStreamWasIsNotedOfTheLastTen() async throws {
        try await World.make { world in
            let place = try await world.send(to: try await world.meeting())
            let key = world.keys.partition.meeting(place.meetingID)
            let entry = try #require(try await world.entry()["<id>"])
            let before = (1...10).map { "bot\($0)=\($0)-0" }
            try await world.set(key, ["positions": before.joined(separator: " ")])
            let reply = try await world.claim(place, entry: entry, position: "11-3").arrayOrThrow()
            let noted = (before.dropFirst() + ["\(place.botID)=11-3"]).joined(separator: " ")
            #expect(try await world.fields(place.meetingID)["positions"] == noted)
            #expect(try reply[2].hash()["positions"] == noted)
            // The same claim again was earlier than what the stream has had since.
            _ = try await world.claim(place, entry: entry, position: "12-0")
            #expect(try await world.fields(place.meetingID)["positions"] == noted)
        }
    }

    @Test func theSameClaimAgainIsTheSame() async throws {
        try await World.make { world in
            let place = try await world.send(to: try await world.meeting())
            let entry = try #require(try await world.entry()["<id>"])
            let first = try await world.claim(place, entry: entry)
            try await world.tell(place, [.joining])
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            try await world.expectNoChange {
                let again = try await world.claim(place, entry: entry).arrayOrThrow()
                #expect(again[0] == .string("claimed") && again[1] == first.array?[1])
            }
        }
    }

    @Test(arguments: [("other", "hash"), ("runner", "other"), ("other", "other")])
    func whatIsClaimedIsNobodyElses(_ runner: String, _ secret: String) async throws {
        try await World.make { world in
            let place = try await world.send(to: try await world.meeting())
            let entry = try #require(try await world.entry()["<id>"])
            #expect(try await world.claim(place, entry: entry).array?.first == .string("claimed"))
            try await world.expectNoChange {
                let reply = try await world.claim(place, entry: entry, runner: runner, secret: secret)
                #expect(reply == .parts("claimed_before"))
            }
        }
    }

    @Test func ofTwoRunnersAtOnceOneGetsIt() async throws {
        try await World.make { world in
            for round in 0..<20 {
                let place = try await world.send(to: try await world.meeting())
                let entry = try #require(try await world.entry()["<id>"])
                let replies = try await withThrowingTaskGroup(of: Value.self) { group in
                    for runner in ["a", "b"] {
                        group.addTask(executorPreference: world.client.loop) {
                            try await world.claim(place, entry: entry, runner: runner, secret: "of \(runner)")
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies.filter { $0.array?.first == .string("claimed") }.count == 1, "round \(round)")
                #expect(replies.filter { $0 == .parts("claimed_before") }.count == 1, "round \(round)")
                _ = try await world.stop(place)
                _ = try await world.report(place, "completed")
                try await world.expectFree("round \(round)")
            }
        }
    }

    /// Each is refused, and takes nothing along but its own entry.
    @Test func whatIsVoidLosesItsEntryAndNothingElse() async throws {
        let cases: [(String, String, @Sendable (World, BotPlace) async throws -> Void)] = [
            ("an older epoch", "stale", { world, place in try await world.set(place.lifeKeys[0], ["epoch": "2"]) }),
            ("another bot", "stale", { world, place in try await world.set(place.lifeKeys[0], ["bot_id": "other"]) }),
            (
                "the meeting is gone", "stale",
                { world, place in _ = try await world.client.send("DEL", place.lifeKeys[0]) }
            ),
            ("it has ended", "stale", { world, place in try await world.set(place.lifeKeys[1], ["ended_at": "1"]) }),
            (
                "another runner's", "claimed_before",
                { world, place in try await world.set(place.lifeKeys[1], ["runner": "other"]) }
            ),
            (
                "not wanted", "unwanted",
                { world, place in try await world.set(place.lifeKeys[1], ["desired": "leave"]) }
            ),
            (
                "its record is gone", "unwanted",
                { world, place in _ = try await world.client.send("DEL", place.lifeKeys[1]) }
            ),
        ]
        for (name, word, prepare) in cases {
            try await World.make { world in
                let place = try await world.send(to: try await world.meeting())
                let entry = try #require(try await world.entry()["<id>"])
                try await prepare(world, place)
                let before = try await world.snapshot()
                #expect(try await world.claim(place, entry: entry) == .parts(word), "\(name)")
                let after = try await world.snapshot()
                #expect(after.changes(since: before) == [world.keys.partition.dispatch], "\(name)")
                #expect(after[world.keys.partition.dispatch] == .stream([]), "\(name)")
                try await world.expectNoChange("\(name)") {
                    let reply = try await world.claim(place, entry: entry)
                    #expect(reply == .parts(word), "\(name)")
                }
            }
        }
    }

    /// Its runner asks again because it lost the answer, and the stop came first: the bot is not started any more.
    @Test func aStoppedBotIsNotClaimedAgain() async throws {
        try await World.make { world in
            let place = try await world.send(to: try await world.meeting())
            let entry = try #require(try await world.entry()["<id>"])
            _ = try await world.claim(place, entry: entry)
            #expect(try await world.stop(place) == .parts("leaving", World.trace.traceparent))
            try await world.expectNoChange {
                let reply = try await world.claim(place, entry: entry)
                #expect(reply == .parts("unwanted"))
            }
        }
    }

    /// The entry stays, so that the sweep finds the dispatch and ends it; but no runner waits for it.
    @Test(arguments: [nil, "another's"])
    func aDispatchWhoseTimeIsUpStaysForTheSweep(_ inFlight: String?) async throws {
        try await World.make { world in
            let place = try await world.send(to: try await world.meeting())
            let partition = world.keys.partition
            _ = try await world.client.send("XGROUP", "CREATE", partition.dispatch, "runners", "0")
            _ = try await world.client.send(
                "XREADGROUP", "GROUP", "runners", "runner", "STREAMS", partition.dispatch, ">")
            let entry = try #require(try await world.entry()["<id>"])
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            if let inFlight { _ = try await world.client.send("SET", world.keys.inFlight(World.room), inFlight) }
            try await world.expectNoChange {
                let reply = try await world.claim(place, entry: entry)
                #expect(reply == .parts("expired"))
            }
            let pending = try await world.client.send("XPENDING", partition.dispatch, "runners").arrayOrThrow()
            #expect(pending.first == .integer(0))
        }
    }
}
