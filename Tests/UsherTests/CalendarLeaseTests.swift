import EventLoop
import Foundation
import Log
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

@testable import Usher

/// What a node does late to the plans of a calendar that is another's by now: nothing, wherever it paused.
@Suite(.takesTurns) struct CalendarLeaseTests {
    private static let room = World.room
    private static let otherRoom = Room(platform: .googleMeet, nativeID: "oth-erro-omx")

    /// A calendar with one event.
    private struct Desk: Sendable {
        let world: World
        let id: String
        let start: Int
        var own: CalendarKeys { world.keys.calendar(id) }

        init(_ world: World) async throws {
            self.world = world
            id = try await world.session.calendars.create(
                CalendarChange(name: "Work", url: "https://a.example/"), of: world.owner.userID,
                workspace: world.workspaceID
            ).get()
            start = (try await world.now() / 60_000 + 60) * 60_000
        }

        /// The lease of whoever had it is over.
        func claim() async throws -> FeedCalendar {
            _ = try await world.client.send("ZADD", world.keys.partition.calendars, "1", world.keys.member(id))
            return try #require(
                try await world.session.calendars.claim(workspace: world.workspaceID, id: id, most: 1_000_000))
        }

        func plan(_ said: Said, of calendar: FeedCalendar, in session: Session) async throws {
            let meetings = try said.map { said in
                CalendarMeeting(
                    uid: "1", recurrenceID: "", start: start + said.later, end: start + said.later + 1, title: nil,
                    link: try MeetingLink(platform: said.room.platform, nativeID: said.room.nativeID))
            }
            _ = try await session.calendars.plan(
                calendar, CalendarMeetings(meetings: meetings.map { [$0] } ?? [], unreadable: [], hasMore: false),
                isHeld: { true })
        }

        /// The meetings to which a bot is sent, as room and time after the first one; and those that are noted.
        func planned() async throws -> [String] {
            let stored = try await world.snapshot().stored
            let plans = stored[world.keys.partition.plans]?.sortedSet ?? [:]
            let meetings = stored.filter { $0.key.contains(":meeting:") }.compactMap(\.value.hash)
            #expect(Set(plans.keys) == Set(meetings.compactMap { $0["id"] }.map { world.keys.member($0) }))
            return meetings.map {
                "\($0["native_meeting_id"] ?? "") \(Int($0["scheduled_at"] ?? "").map { $0 - start } ?? 0)"
            }
        }
    }

    /// What a feed says of the event; nil: it is cancelled.
    private typealias Said = (later: Int, room: Room)?

    private static func text(_ said: Said) -> [String] { said.map { ["\($0.room.nativeID) \($0.later)"] } ?? [] }

    /// What was planned, what a node that stops begins to plan, and what the next one finds in the feed.
    private static let cases: [(before: Said, first: Said, second: Said)] = [
        (nil, (0, room), nil), (nil, (0, room), (60_000, room)), (nil, (0, room), (0, otherRoom)),
        ((0, room), (60_000, room), nil), ((0, room), (60_000, room), (0, room)),
        ((0, room), (0, otherRoom), nil), ((0, room), (0, otherRoom), (0, room)),
        ((0, room), nil, (0, room)), ((0, room), nil, (60_000, otherRoom)),
    ]

    /// It pauses, or dies, before or after each of its steps. At the end there is what the other one found.
    @Test(arguments: [Relay.Fate.held, .lost, .replyLost], cases.indices)
    func aNodeThatStopsAtAnyStepDoesNothingLate(_ fate: Relay.Fate, _ index: Int) async throws {
        let server = try RedisServer()
        for passing in 0..<20 {
            let relay = try Relay(to: server, at: "EVALSHA", passing: passing, fate)
            try await World.make(on: server) { world in
                try await Self.interleave(Self.cases[index], world, relay, pauses: fate == .held)
                _ = try await world.client.send("FLUSHDB")
            }
            if !relay.hasMet { return }
        }
        Issue.record("it takes more steps than were looked at")
    }

    /// One node plans through the relay, which stops it; then another one does.
    private static func interleave(
        _ one: (before: Said, first: Said, second: Said), _ world: World, _ relay: Relay, pauses: Bool
    ) async throws {
        let desk = try await Desk(world)
        try await desk.plan(one.before, of: try await desk.claim(), in: world.session)
        try await world.withSession(through: relay) { session in
            let calendar = try await desk.claim()
            let isOver = Mutex(false)
            let late = Task(executorPreference: world.client.loop) {
                try? await desk.plan(one.first, of: calendar, in: session)
                isOver.withLock { $0 = true }
            }
            try await waitFor("it is over, or is held") { isOver.withLock { $0 } || pauses && relay.hasMet }
            let next = try await desk.claim()
            try await desk.plan(one.second, of: next, in: world.session)
            relay.letPass()
            await late.value
            #expect(try await desk.planned() == text(one.second))
            // Nothing stays behind.
            try await desk.plan(nil, of: next, in: world.session)
            #expect(try await desk.planned() == [])
            #expect(try await world.snapshot()[desk.own.planned] == nil)
        }
    }

    /// Each script that changes a plan for a calendar, by who has the lease and who has not.
    @Test func aPlanAndWhatIsNotedOfItChangeTogether() async throws {
        try await World.make { world in
            let desk = try await Desk(world)
            let lease = try await desk.claim().leaseEnd
            let keys = world.keys
            func note(_ lease: String, _ meeting: String, _ entry: String) -> OccurrenceNote {
                OccurrenceNote(
                    calendarID: desk.id, keys: desk.own, leaseEnd: lease, occurrence: "x", meetingID: meeting,
                    entry: entry)
            }
            func noted() async throws -> [String: String]? { try await world.snapshot()[desk.own.planned]?.hash }
            let id = Identifier.hex()
            let new = NewMeeting(
                link: try MeetingLink(platform: Self.room.platform, nativeID: Self.room.nativeID),
                scheduledAt: desk.start)
            func create(_ lease: String) async throws -> Meeting? {
                try await world.session.meetings.create(new, by: world.owner, noting: note(lease, id, "made")).made
            }
            let before = try await world.snapshot()
            for lease in ["1", ""] {
                await #expect(throws: OccurrenceNote.notYours) { () async throws in _ = try await create(lease) }
            }
            #expect(try await world.snapshot().changes(since: before) == [Keys.meetingSequence])
            let meeting = try #require(try await create(lease))
            #expect(meeting.id == id && meeting.fields["calendar_id"] == desk.id)
            #expect(try await noted() == ["x": "made"])

            func move(_ lease: String) async throws {
                var changes = PlanChanges()
                changes.scheduledAt = desk.start + 60_000
                _ = try await world.session.meetings.change(
                    meeting, changes, by: world.owner.userID, noting: note(lease, id, "moved"))
            }
            try await world.expectNoChange { () async throws in
                await #expect(throws: OccurrenceNote.notYours) { () async throws in try await move("1") }
            }
            let made = try await world.snapshot()
            try await move(lease)
            let moved = try await world.snapshot()
            #expect(
                moved.changes(since: made) == [
                    keys.partition.meeting(id), keys.partition.plans, keys.planned(Self.room), desk.own.planned,
                    keys.partition.events,
                ])
            #expect(try await noted() == ["x": "moved"])

            func remove(_ lease: String) async throws -> Meetings.Removal {
                try await world.session.meetings.removePlan(meeting, noting: note(lease, id, "gone"))
            }
            try await world.expectNoChange { () async throws in
                await #expect(throws: OccurrenceNote.notYours) { () async throws in _ = try await remove("1") }
            }
            #expect(try await remove(lease) == .removed)
            #expect(try await noted() == ["x": "gone"])
            #expect(try await desk.planned() == [])
        }
    }
}

extension World {
    /// A session whose commands go through a relay, on a connection that no silence ends.
    fileprivate func withSession(
        through relay: Relay, _ body: @escaping @Sendable (Session) async throws -> Void
    ) async throws {
        var configuration = clientConfiguration
        configuration.url = try RedisURL("redis+unix://\(relay.path)")
        configuration.silenceLimitMilliseconds = 600_000
        let client = Client(loop: client.loop, configuration: configuration, logger: Logger(minimum: .error))
        client.start()
        defer { client.shutDown() }
        try await client.waitUntilConnected()
        try await body(Store(client: client, configuration: World.patient).session(until: Client.soon))
    }
}
