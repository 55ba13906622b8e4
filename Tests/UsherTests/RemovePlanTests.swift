import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// `remove_plan.lua`, and which meeting a room stands for.
@Suite(.takesTurns) struct RemovePlanTests {
    private static func remove(_ id: String, _ world: World) async throws -> Meetings.Removal {
        let meeting = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
        return try await world.session.meetings.removePlan(meeting)
    }

    private static func found(_ world: World) async throws -> String? {
        try await world.session.meetings.meeting(in: World.room, workspace: world.workspaceID)?.id
    }

    /// A meeting of the room in which a bot was.
    private static func held(_ world: World) async throws -> String {
        let place = try await world.bot(at: .active)
        _ = try await world.report(place, "completed", reason: "left_alone")
        return place.meetingID
    }

    @Test func aPlanGoesWithAllThatLeadsToIt() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            let plan = try await world.meeting()
            #expect(try await Self.remove(plan, world) == .removed)
            let after = try await world.snapshot()
            // What happened is not undone.
            #expect(after.changes(since: before) == [Keys.meetingSequence, world.keys.partition.events])
            #expect(try await Self.found(world) == nil)
        }
    }

    /// A node that stops after the script leaves what the sweep takes up.
    @Test func whatIsToBeDoneStillIsNoted() async throws {
        try await World.make { world in
            let id = try await world.meeting()
            let number = try #require(try await world.fields(id)["number"])
            let keys = world.keys
            let before = try await world.snapshot()
            func remove(heir: String?) async throws -> Value {
                try await world.run(
                    Scripts.RemovePlan(
                        meetingKey: keys.partition.meeting(id), meetingsKey: keys.meetings,
                        latestKey: keys.latest(World.room), heldKey: keys.held(World.room), namesKey: keys.names,
                        endedKey: keys.partition.ended, previousKey: keys.partition.meeting(""),
                        workspaceKey: keys.workspace, plansKey: keys.partition.plans,
                        plannedKey: keys.planned(World.room), calendarKey: keys.workspace,
                        occurrencesKey: keys.workspace, heirKey: keys.partition.meeting(heir ?? ""), meetingID: id,
                        previousID: nil, note: "\(id) \(number)", room: World.room.description,
                        plan: keys.member(id), leaseEnd: nil, occurrence: nil, entry: nil, heirID: heir))
            }
            try await world.expectNoChange { () async throws in
                #expect(try await remove(heir: "gone") == .string("look_again"))
            }
            #expect(try await remove(heir: nil) == .string("removed"))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    keys.partition.meeting(id), keys.meetings, keys.latest(World.room), keys.partition.ended,
                    keys.workspace,
                ])
            #expect(after[keys.partition.ended]?.sortedSet?.keys.sorted() == ["\(id) \(number)"])
        }
    }

    @Test(arguments: Stage.allCases)
    func oneThatHasABotIsNoPlan(_ stage: Stage) async throws {
        try await World.make { world in
            let id = try await world.meeting()
            let plan = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            try await world.tell(try await world.bot(at: id), stage.reports)
            try await world.expectNoChange { () async throws in
                #expect(try await world.session.meetings.removePlan(plan) == .busy)
            }
        }
    }

    @Test func oneThatIsGoneIsUnknown() async throws {
        try await World.make { world in
            let id = try await world.meeting()
            let plan = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            #expect(try await world.session.meetings.removePlan(plan) == .removed)
            try await world.expectNoChange { () async throws in
                #expect(try await world.session.meetings.removePlan(plan) == .unknown)
            }
        }
    }

    @Test func aPlanHidesNothingThatWasHeld() async throws {
        try await World.make { world in
            let held = try await Self.held(world)
            let plan = try await world.meeting()
            #expect(try await Self.found(world) == held)
            #expect(try await world.snapshot()[world.keys.latest(World.room)] == .string(plan))
            #expect(try await Self.remove(plan, world) == .removed)
            #expect(try await world.snapshot()[world.keys.latest(World.room)] == .string(held))
            #expect(try await Self.found(world) == held)
        }
    }

    /// The plan before it is what the room stands for again; and what is sent a bot.
    @Test func ofTwoPlansTheOtherStays() async throws {
        try await World.make { world in
            let first = try await world.meeting()
            let second = try await world.meeting()
            #expect(try await Self.found(world) == second)
            #expect(try await Self.remove(second, world) == .removed)
            #expect(try await Self.found(world) == first)
            let third = try await world.meeting()
            #expect(try await Self.remove(first, world) == .removed)
            #expect(try await Self.found(world) == third)
            #expect(try await Self.remove(third, world) == .removed)
            #expect(try await Self.found(world) == nil)
        }
    }

    /// Names end with the last meeting of their room, not before and not later.
    @Test func namesEndWithTheLastMeeting() async throws {
        try await World.make { world in
            let thread = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ABC%40thread.v2/0"
            func plan(_ number: String?) async throws -> String {
                let link = try MeetingReference(url: thread, nativeID: number).link()
                return try #require(
                    try await world.session.meetings.create(NewMeeting(link: link), by: world.owner).made
                ).id
            }
            let first = try await plan(nil)
            let second = try await plan("389141384648269")
            #expect(try await world.snapshot()[world.keys.names]?.hash?.count == 1)
            #expect(try await Self.remove(second, world) == .removed)
            #expect(try await world.fields(first)["names"] == " teams:389141384648269")
            // Nor with the one before it, if that goes first.
            let (middle, third) = (try await plan(nil), try await plan("389141384648269"))
            #expect(try await Self.remove(middle, world) == .removed)
            try await world.set(world.keys.partition.meeting(first), ["names": ""])
            #expect(try await Self.remove(third, world) == .removed)
            #expect(try await world.fields(first)["names"] == " teams:389141384648269")
            #expect(try await world.snapshot()[world.keys.names]?.hash?.count == 1)
            #expect(try await Self.remove(first, world) == .removed)
            #expect(try await world.snapshot()[world.keys.names] == nil)
        }
    }

    /// One whose bot never came into the room hides nothing either, once that bot has ended.
    @Test func whatFailedOnItsWayHidesNothingThatWasHeld() async throws {
        try await World.make { world in
            let held = try await Self.held(world)
            let place = try await world.bot(at: .joining)
            #expect(try await Self.found(world) == place.meetingID)
            _ = try await world.report(place, "failed")
            #expect(try await Self.found(world) == held)
        }
    }

    /// Nodes of the version before note nothing of what was held.
    @Test func roomsOfTheVersionBeforeAreRead() async throws {
        try await World.make { world in
            let held = try await Self.held(world)
            _ = try await world.client.send("DEL", world.keys.held(World.room))
            #expect(try await Self.found(world) == held)
            _ = try await world.meeting()
            #expect(try await Self.found(world) == held)
            // Another one was held there since, by way of such a node.
            let newer = try await Self.held(world)
            _ = try await world.client.send("SET", world.keys.held(World.room), held)
            try await world.set(world.keys.partition.meeting(held), ["start_time": "1"])
            #expect(try await Self.found(world) == newer)
        }
    }
}
