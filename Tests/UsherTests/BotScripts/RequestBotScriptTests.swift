import EventLoop
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// `request_bot.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct RequestBotScriptTests {
    private static let otherRoom = Room(platform: .googleMeet, nativeID: "xyz-abcd-efg")

    @Test func aNewRecordIsMadeWithItsDispatch() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            let before = try await world.snapshot()
            let reply = try await world.request(
                "m1", bot: "bot-1", number: 7, latest: "", in: World.room, "language", "es"
            ).arrayOrThrow()
            let after = try await world.snapshot()
            let room = World.room
            #expect(
                after.changes(since: before) == [
                    world.keys.inFlight(room), world.keys.holder(room), world.keys.bots, world.keys.latest(room),
                    world.keys.meetings, partition.meeting("m1"), partition.bot("bot-1"), partition.dispatch,
                    partition.events, world.keys.workspace, partition.feed(ofMeeting: "m1"), world.keys.feed,
                ])
            let entry = try await world.entry()
            let at = try #require(entry["dispatched_at"])
            let fields = [
                "id": "m1", "number": "7", "workspace_id": world.workspaceID, "status": "INITIAL",
                "bot_status": "requested", "bot_id": "bot-1", "epoch": "1", "created_at": at, "updated_at": at,
                "dispatched_at": at, "platform": room.platform.rawValue, "native_meeting_id": room.nativeID,
                "language": "es", "bytes": "1058", "events": after.events(of: "m1", world.keys),
            ]
            #expect(after[world.keys.workspace]?.hash?["bytes"] == "1058")
            #expect(after[partition.meeting("m1")] == .hash(fields))
            #expect(reply.count == 2 && reply[0] == .string("accepted"))
            #expect(try reply[1].hash() == fields)
            #expect(after[world.keys.inFlight(room)] == .string("bot-1"))
            #expect(after[world.keys.holder(room)] == .string("m1"))
            #expect(after[world.keys.latest(room)] == .string("m1"))
            #expect(after[world.keys.bots] == .sortedSet(["bot-1": at]))
            #expect(after[world.keys.meetings] == .sortedSet(["m1": "7"]))
            #expect(
                after[partition.bot("bot-1")]
                    == .hash([
                        "meeting_id": "m1", "workspace_id": world.workspaceID, "room": room.description,
                        "epoch": "1", "attempts": "1", "desired": "run", "config_version": "0", "dispatched_at": at,
                        "entry": entry["<id>"] ?? "", "traceparent": World.trace.traceparent,
                    ]))
            #expect(
                entry.filter { $0.key != "<id>" } == [
                    "meeting_id": "m1", "workspace_id": world.workspaceID, "bot_id": "bot-1", "epoch": "1",
                    "room": room.description, "dispatched_at": at, "traceparent": World.trace.traceparent,
                ])
            #expect(
                after.lastEvent(world.keys) == [
                    "what": "dispatched", "meeting_id": "m1", "bot_id": "bot-1", "from": "/",
                    "to": "INITIAL/requested", "why": "user 1", "at": at, "trace_id": World.trace.traceID,
                ])
            let feeds = [partition.feed(ofMeeting: "m1"), world.keys.feed]
            #expect(Set(after.timeToLive.keys) == Set([world.keys.inFlight(room)] + feeds))
            #expect((300_000...600_000).contains(try #require(after.timeToLive[world.keys.inFlight(room)])))
        }
    }

    @Test func aPlannedMeetingIsTakenOverAndNotDoubled() async throws {
        try await World.make { world in
            let meeting = try await world.meeting(["notes": "kept"])
            let partition = world.keys.partition
            let before = try await world.snapshot()
            let reply = try await world.request(
                meeting, bot: "bot-1", number: nil, latest: meeting, "language", "es"
            ).arrayOrThrow()
            let after = try await world.snapshot()
            let room = World.room
            #expect(
                after.changes(since: before) == [
                    world.keys.inFlight(room), world.keys.holder(room), world.keys.bots, partition.meeting(meeting),
                    partition.bot("bot-1"), partition.dispatch, partition.events, partition.feed(ofMeeting: meeting),
                    world.keys.feed,
                ])
            let at = try #require(try await world.entry()["dispatched_at"])
            let fields = try #require(before[partition.meeting(meeting)]?.hash)
            let changed = [
                "bot_status": "requested", "bot_id": "bot-1", "epoch": "1", "updated_at": at, "dispatched_at": at,
                "language": "es", "events": after.events(of: meeting, world.keys),
            ]
            #expect(after[partition.meeting(meeting)] == .hash(fields.merging(changed) { $1 }))
            #expect(try reply[1].hash() == fields.merging(changed) { $1 })
            #expect(after.lastEvent(world.keys)?["from"] == "INITIAL/")
        }
    }

    private struct Refusal: Sendable {
        let name: String
        let expected: Value
        var number: Int? = 99
        var latest = "present"
        var limit = 10
        var workspace: String?
        let prepare: @Sendable (World, String) async throws -> Void
    }

    private static let refusals = [
        Refusal(name: "no such workspace", expected: .parts("unknown_workspace"), workspace: "usher:{p0}:ws:none") {
            _, _ in
        },
        Refusal(name: "in flight, its meeting unknown", expected: .parts("in_flight", "")) { world, _ in
            _ = try await world.client.send("SET", world.keys.inFlight(World.room), "b")
        },
        Refusal(name: "in flight", expected: .parts("in_flight", "other")) { world, _ in
            _ = try await world.client.send("SET", world.keys.inFlight(World.room), "b")
            _ = try await world.client.send("SET", world.keys.holder(World.room), "other")
        },
        Refusal(name: "the room is held", expected: .parts("room_held", "other")) { world, _ in
            _ = try await world.client.send("SET", world.keys.holder(World.room), "other")
        },
        Refusal(name: "a newer meeting", expected: .parts("look_again"), latest: "older") { _, _ in },
        Refusal(name: "the first meeting has been made", expected: .parts("look_again"), latest: "") { _, _ in },
        Refusal(name: "the newest meeting is gone", expected: .parts("look_again")) { world, _ in
            _ = try await world.client.send("DEL", world.keys.latest(World.room))
        },
        Refusal(name: "the id is taken", expected: .parts("look_again")) { world, _ in
            try await world.set(world.keys.partition.meeting("new"), ["status": "INITIAL"])
        },
        Refusal(name: "the planned meeting had a bot", expected: .parts("look_again"), number: nil) { world, meeting in
            try await world.set(world.keys.partition.meeting(meeting), ["bot_status": "failed"])
        },
        Refusal(name: "the planned meeting has been held", expected: .parts("look_again"), number: nil) {
            world, meeting in
            try await world.set(world.keys.partition.meeting(meeting), ["status": "OFFLINE"])
        },
        Refusal(name: "the planned meeting is gone", expected: .parts("look_again"), number: nil) { world, meeting in
            _ = try await world.client.send("DEL", world.keys.partition.meeting(meeting))
        },
        Refusal(name: "the workspace's limit", expected: .parts("too_many_bots", 2)) { world, _ in
            try await world.set(world.keys.workspace, ["max_concurrent_bots": "2"])
            _ = try await world.client.send("ZADD", world.keys.bots, "1", "b1", "2", "b2")
        },
        Refusal(name: "the default limit", expected: .parts("too_many_bots", 1), limit: 1) { world, _ in
            _ = try await world.client.send("HDEL", world.keys.workspace, "max_concurrent_bots")
            _ = try await world.client.send("ZADD", world.keys.bots, "1", "b1")
        },
        Refusal(name: "no bots at all", expected: .parts("too_many_bots", 0), number: nil) { world, _ in
            try await world.set(world.keys.workspace, ["max_concurrent_bots": "0"])
        },
    ]

    @Test func aRefusedRequestLeavesNothingBehind() async throws {
        for refusal in Self.refusals {
            try await World.make { world in
                let meeting = try await world.meeting()
                try await refusal.prepare(world, meeting)
                try await world.expectNoChange("\(refusal.name)") {
                    let reply = try await world.request(
                        refusal.number == nil ? meeting : "new", bot: "bot-1", number: refusal.number,
                        latest: refusal.latest == "present" ? meeting : refusal.latest, limit: refusal.limit,
                        workspace: refusal.workspace)
                    #expect(reply == refusal.expected, "\(refusal.name)")
                }
            }
        }
    }

    /// One that ended counts no more, and its record is left as it is.
    @Test func afterABotsEndANewRecordIsMade() async throws {
        try await World.make { world in
            try await world.set(world.keys.workspace, ["max_concurrent_bots": "1"])
            let place = try await world.bot(at: .joining)
            let meeting = place.meetingID
            try await world.expectNoChange { () async throws in
                let elsewhere = try await world.request("n", bot: "b", number: 8, latest: "", in: Self.otherRoom)
                #expect(elsewhere == .parts("too_many_bots", 1))
                #expect(
                    try await world.request("n", bot: "b", number: 8, latest: meeting) == .parts("in_flight", meeting))
            }
            _ = try await world.report(place, "failed")
            let before = try await world.snapshot()
            #expect(try await world.request("n", bot: "b", number: nil, latest: meeting) == .parts("look_again"))
            let reply = try await world.request("n", bot: "b", number: 8, latest: meeting)
            #expect(reply.array?.first == .string("accepted"))
            let after = try await world.snapshot()
            let key = world.keys.partition.meeting(meeting)
            #expect(after[key] == before[key])
            #expect(after[world.keys.latest(World.room)] == .string("n"))
            #expect(after[world.keys.bots]?.sortedSet?.keys.sorted() == ["b"])
        }
    }

    // MARK: Through the store

    private static func bots(_ world: World, in rooms: [Room]) async throws -> [Result<Meeting, BotRefusal>] {
        let links = try rooms.map { try MeetingLink(platform: $0.platform, nativeID: $0.nativeID) }
        return await withTaskGroup(of: Result<Meeting, BotRefusal>.self) { group in
            for link in links {
                group.addTask(executorPreference: world.client.loop) {
                    do throws(BotRefusal) {
                        return .success(
                            try await world.session.bots.request(
                                BotRequest(link: link), by: world.owner, trace: World.trace
                            ).meeting)
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func rooms(_ count: Int) -> [Room] {
        (0..<count).map { Room(platform: .zoom, nativeID: String(123_456_000 + $0)) }
    }

    /// Records that a meeting leaves: of refused requests there is nothing, and a number that is spent is no record.
    private static func expectRecords(of count: Int, _ world: World, _ comment: Comment) async throws {
        let after = try await world.snapshot()
        let locators = after.stored.keys.filter { $0.hasPrefix("usher:meeting:") }
        let numbers = after.stored.keys.filter { $0.hasPrefix("usher:number:") }
        let records = after.stored.keys.filter {
            $0.hasPrefix(world.keys.partition.meeting("")) && !$0.hasSuffix(":feed")
        }
        #expect(locators.count == count && numbers.count == count && records.count == count, comment)
        #expect(after[world.keys.meetings]?.sortedSet?.count == count, comment)
        #expect(after[world.keys.bots]?.sortedSet?.count == count, comment)
        #expect(after[world.keys.partition.dispatch]?.stream?.count == count, comment)
        #expect(after.stored.keys.filter { $0.contains(":room:") }.count == count, comment)
        #expect(after.stored.keys.filter { $0.contains(":inflight:") }.count == count, comment)
        #expect(after.stored.keys.filter { $0.contains(":latest:") }.count == count, comment)
    }

    @Test(arguments: [1, 3])
    func theLimitHoldsUnderConcurrency(_ limit: Int) async throws {
        for round in 0..<10 {
            try await World.make { world in
                try await world.set(world.keys.workspace, ["max_concurrent_bots": String(limit)])
                let results = try await Self.bots(world, in: Self.rooms(10))
                let refusals = results.compactMap { if case .failure(let refusal) = $0 { refusal } else { nil } }
                #expect(refusals == Array(repeating: .limitReached(limit), count: 10 - limit), "round \(round)")
                try await Self.expectRecords(of: limit, world, "round \(round)")
            }
        }
    }

    @Test func ofTenRequestsForARoomOneSucceeds() async throws {
        for round in 0..<10 {
            try await World.make { world in
                let results = try await Self.bots(world, in: Array(repeating: World.room, count: 10))
                let made = results.compactMap { try? $0.get().id }
                #expect(made.count == 1, "round \(round)")
                for case .failure(let refusal) in results {
                    #expect(refusal == .roomTaken(holder: made.first), "round \(round)")
                }
                try await Self.expectRecords(of: 1, world, "round \(round)")
            }
        }
    }

    @Test func whatIsSeenToFailBeforeWritesNothing() async throws {
        try await World.make { world in
            try await world.set(world.keys.workspace, ["max_concurrent_bots": "1"])
            let place = try await world.bot(at: .joining)
            try await world.expectNoChange { () async throws in
                for (room, refusal) in [
                    (World.room, BotRefusal.roomTaken(holder: place.meetingID)), (Self.otherRoom, .limitReached(1)),
                ] {
                    let result = try await Self.bots(world, in: [room]).first
                    guard case .failure(let found) = result else {
                        Issue.record("\(room) was given away")
                        continue
                    }
                    #expect(found == refusal)
                }
            }
        }
    }
}
