import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// Deduplication keys, in both scripts that take them.
@Suite(.takesTurns) struct DeduplicationTests {
    private static let other = Room(platform: .googleMeet, nativeID: "oth-erro-oms")

    private static func plan(_ world: World, _ key: String, at time: Int? = nil) async throws -> MeetingCreation {
        let new = NewMeeting(
            link: try MeetingLink(platform: .zoom, nativeID: "10000000000"), scheduledAt: time, deduplicationKey: key)
        return try await world.session.meetings.create(new, by: world.owner)
    }

    @Test func aKeyIsTakenUntilItsMeetingHasEnded() async throws {
        try await World.make { world in
            let key = world.keys.deduplication(Digest.sha256("event 7"))
            #expect(!key.contains("event"))
            let bot = Identifier.bot(in: world.keys.partition)
            let free = Deduplication(key: key, digest: "", owner: nil, isTaken: false)
            let first = try await world.request("first", bot: bot, number: 90, latest: "", deduplication: free)
            #expect(first.array?.first == .string("accepted"))
            let after = try await world.snapshot()
            #expect(after[key] == .string("first") && (50_000...60_000).contains(after.timeToLive[key] ?? 0))

            try await world.expectNoChange {
                // What was seen of the key has changed.
                let early = try await world.request(
                    "second", bot: "b", number: 91, latest: "", in: Self.other, deduplication: free)
                #expect(early == .parts("look_again"))
            }
            func seen() async throws -> Deduplication {
                try #require(try await world.session.meetings.deduplication(by: "event 7", in: world.keys))
            }
            #expect(try await seen().isTaken)
            try await world.set(world.keys.partition.meeting("first"), ["bot_status": "completed"])
            #expect(try await !seen().isTaken)
            let second = try await world.request(
                "second", bot: bot, number: 91, latest: "", in: Self.other, deduplication: try await seen())
            #expect(second.array?.first == .string("accepted"))
            #expect(try await world.snapshot()[key] == .string("second"))
        }
    }

    @Test func aPlanTakesItUntilItHasEndedOrWasMissedOrRemoved() async throws {
        try await World.make { world in
            let key = world.keys.deduplication(Digest.sha256("k"))
            let now = try await world.now()
            let first = try #require(try await Self.plan(world, "k", at: now + 3_600_000).made)
            let life = try #require(try await world.snapshot().timeToLive[key])
            #expect(life > 7 * 86_400_000 + 3_500_000)
            func expectTaken() async throws {
                let before = try await world.snapshot()
                guard case .duplicate(first.id) = try await Self.plan(world, "k") else {
                    Issue.record("it was made")
                    return
                }
                #expect(try await world.snapshot().changes(since: before) == [])
            }
            try await expectTaken()
            _ = try await world.bot(at: first.id, .joining)
            try await expectTaken()
            try await world.set(world.keys.partition.meeting(first.id), ["bot_status": "failed"])
            let second = try #require(try await Self.plan(world, "k").made)
            try await world.set(world.keys.partition.meeting(second.id), ["missed_at": "1"])
            let third = try #require(try await Self.plan(world, "k").made)
            // It goes with the meeting that has it, and no other.
            #expect(try await world.session.meetings.removePlan(second) == .removed)
            #expect(try await world.snapshot()[key] == .string(third.id))
            #expect(try await world.session.meetings.removePlan(third) == .removed)
            #expect(try await world.snapshot()[key] == nil)
            _ = try #require(try await Self.plan(world, "k").made)
        }
    }

    @Test(arguments: [true, false]) func aMeetingThatIsKeptNoLongerTakesItsKeyWithIt(_ isOwn: Bool) async throws {
        var configuration = World.patient
        configuration.retentionMilliseconds = 1
        try await World.make(configuration: configuration) { world in
            let (key, partition) = (world.keys.deduplication(Digest.sha256("k")), world.keys.partition)
            let plan = try #require(try await Self.plan(world, "k").made)
            try await world.set(partition.meeting(plan.id), ["missed_at": "1"])
            _ = try await world.client.send("ZADD", partition.ended, "1", plan.id)
            if !isOwn { _ = try await world.client.send("SET", key, "another") }
            #expect(try await world.session.meetings.purge(plan.id, in: partition))
            #expect(try await world.snapshot()[key] == (isOwn ? nil : .string("another")))
        }
    }

    @Test func aPlanThatIsMovedKeepsItForAsLong() async throws {
        try await World.make { world in
            let key = world.keys.deduplication(Digest.sha256("k"))
            let (now, day) = (try await world.now(), 86_400_000)
            let plan = try #require(try await Self.plan(world, "k", at: now + 3_600_000).made)
            /// The rest of the key's life then, in whole days.
            func life(afterMoveTo time: Int?) async throws -> Int? {
                var changes = PlanChanges()
                changes.scheduledAt = .some(time)
                guard case .changed = try await world.session.meetings.change(plan, changes, by: world.owner.userID)
                else { throw TestServerError("it was not changed") }
                return try await world.snapshot().timeToLive[key].map { ($0 + 3_600_000) / day }
            }
            #expect(try await life(afterMoveTo: now + 30 * day) == 37)
            // An earlier time takes nothing from it.
            #expect(try await life(afterMoveTo: now + day) == 37)
            #expect(try await life(afterMoveTo: nil) == 366)
            _ = try await world.client.send("SET", key, "another", "PX", String(2 * day))
            #expect(try await life(afterMoveTo: now + 30 * day) == 2)
            _ = try await world.client.send("DEL", key)
            #expect(try await life(afterMoveTo: now + 31 * day) == nil)
        }
    }

    @Test func aPlanWithoutATimeHasItForAYear() async throws {
        try await World.make { world in
            _ = try #require(try await Self.plan(world, "k").made)
            let life = try await world.snapshot().timeToLive[world.keys.deduplication(Digest.sha256("k"))]
            #expect(try #require(life) > 365 * 86_400_000)
        }
    }

    /// Of two that ask at once for the first time one is told to look again.
    @Test func aKeyThatAnotherTookMeanwhileIsNotTakenTwice() async throws {
        try await World.make { world in
            let keys = world.keys
            let key = keys.deduplication(Digest.sha256("k"))
            _ = try await world.client.send("SET", key, "another")
            try await world.expectNoChange {
                let reply = try await world.run(
                    Scripts.CreateMeeting(
                        workspaceKey: keys.workspace, meetingsKey: keys.meetings, latestKey: keys.latest(World.room),
                        meetingKey: keys.partition.meeting("new"), eventsKey: keys.partition.events,
                        heldKey: keys.held(World.room), namesKey: keys.names, plansKey: keys.partition.plans,
                        plannedKey: keys.planned(World.room), dedupKey: key, calendarKey: keys.workspace,
                        occurrencesKey: keys.workspace, webhooksKey: keys.webhooks,
                        outboxKey: keys.partition.outbox,
                        operatorKey: keys.partition.operatorEndpoint, meetingID: "new", number: 99, maxEvents: 1_000,
                        why: "user 1", requestMilliseconds: 600_000, room: World.room.description, names: "",
                        forgotten: "", defaultMaxMeetings: 1_000,
                        defaultMaxBytes: 1_000_000, plan: keys.member("new"), lateMilliseconds: 600_000,
                        scheduledAt: nil, due: nil, owner: nil, dedupMilliseconds: 60_000, leaseEnd: nil,
                        occurrence: nil,
                        entry: nil, fields: ["platform", "zoom"])
                )
                #expect(reply == .parts("look_again"))
            }
        }
    }
}
