import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// What is planned of a calendar, whichever step the node that did it stopped at before another one came.
@Suite(.takesTurns) struct CalendarPlanTests {
    /// A calendar that a node has, and one event of it.
    private struct Desk: Sendable {
        let world: World
        let calendar: FeedCalendar
        let start: Int
        private static let key = String(Digest.sha256("1").prefix(32)) + " "

        init(_ world: World, start: Int? = nil) async throws {
            self.world = world
            let id = try await world.session.calendars.create(
                CalendarChange(name: "Work", url: "https://a.example/"), of: world.owner.userID,
                workspace: world.workspaceID
            ).get()
            calendar = try #require(
                try await world.session.calendars.claim(workspace: world.workspaceID, id: id, most: 1_000_000))
            let inAnHour = (try await world.now() / 60_000 + 60) * 60_000
            self.start = start ?? inAnHour
        }

        private init(_ other: Desk, _ calendar: FeedCalendar) {
            (world, self.calendar, start) = (other.world, calendar, other.start)
        }

        /// That of the node that comes next, as the lease of this one is over.
        func next() async throws -> Desk {
            let member = world.keys.member(calendar.id)
            _ = try await world.client.send("ZADD", world.keys.partition.calendars, "1", member)
            let claimed = try await world.session.calendars.claim(
                workspace: world.workspaceID, id: calendar.id, most: 1_000_000)
            return Desk(self, try #require(claimed))
        }

        /// - Parameters:
        ///   - times: when the event takes place, after the first time; nil: it is cancelled.
        ///   - room: where.
        func plan(_ later: Int?, room: String = "cal-enda-rsx") async throws {
            let said = try later.map { later in
                CalendarMeeting(
                    uid: "1", recurrenceID: "", start: start + later, end: start + later + 1, title: nil,
                    link: try MeetingLink(platform: .googleMeet, nativeID: room))
            }
            let problem = try await world.session.calendars.plan(
                calendar, CalendarMeetings(meetings: said.map { [$0] } ?? [], unreadable: [], hasMore: false),
                isHeld: { true }
            ).problem
            #expect(problem == nil)
        }

        var entry: String? {
            get async throws {
                try await world.snapshot()[world.keys.calendar(calendar.id).planned]?.hash?[Self.key]
            }
        }

        func setEntry(_ text: String) async throws {
            try await world.set(world.keys.calendar(calendar.id).planned, [Self.key: text])
        }

        /// What the entry says, with another state.
        func stop(at state: String) async throws {
            var parts = try #require(try await entry).split(separator: " ").map(String.init)
            parts[1] = state
            try await setEntry(parts.joined(separator: " "))
        }

        /// The meetings that a bot is sent to, as room and time after the first one.
        var planned: [String] {
            get async throws {
                var found: [String] = []
                for (key, value) in try await world.snapshot().stored where key.contains(":meeting:") {
                    guard let hash = value.hash, let room = hash["native_meeting_id"],
                        let time = hash["scheduled_at"].flatMap({ Int($0) })
                    else { continue }
                    found.append("\(room) \(time - start)")
                }
                return found.sorted()
            }
        }

        /// What a plan goes by that is removed alone, before what follows from it is done.
        func removeMeeting() async throws {
            let id = String(try #require(try await entry).prefix { $0 != " " })
            let meeting = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            guard case .busy = try await world.session.meetings.removePlan(meeting) else { return }
            Issue.record("it is busy")
        }
    }

    private static func with(_ body: @escaping @Sendable (Desk) async throws -> Void) async throws {
        try await World.make { world in try await body(try await Desk(world)) }
    }

    @Test func whoHasNoLeaseNotesNothing() async throws {
        try await Self.with { (first) async throws in
            let second = try await first.next()
            await #expect(throws: RedisError.self) { () async throws in try await first.plan(0) }
            #expect(try await first.entry == nil)
            #expect(try await first.planned == [])
            try await second.plan(0)
            let entry = try await second.entry
            await #expect(throws: RedisError.self) { () async throws in try await first.plan(60_000) }
            await #expect(throws: RedisError.self) { () async throws in try await first.plan(nil) }
            #expect(try await second.entry == entry)
            #expect(try await second.planned == ["cal-enda-rsx 0"])
        }
    }

    /// Another link: the old meeting is gone, and the new one is not made yet.
    @Test func whileAMeetingIsReplaced() async throws {
        try await Self.with { (first) async throws in
            try await first.plan(0)
            try await first.removeMeeting()
            try await first.stop(at: "going")
            try await (try await first.next()).plan(0, room: "oth-erro-omx")
            #expect(try await first.planned == ["oth-erro-omx 0"])
            #expect(try await first.entry?.contains(" own ") == true)
        }
    }

    /// It is gone, and who shares it was not told; then the event comes back.
    @Test(arguments: [false, true])
    func whileAMeetingIsCancelled(comesBackAtOnce: Bool) async throws {
        try await Self.with { (first) async throws in
            try await first.plan(0)
            try await first.removeMeeting()
            try await first.stop(at: "going")
            if !comesBackAtOnce {
                try await (try await first.next()).plan(nil)
                #expect(try await first.planned == [])
                #expect(try await first.entry == nil)
            }
            try await (try await first.next()).plan(0)
            #expect(try await first.planned == ["cal-enda-rsx 0"])
        }
    }

    @Test func whatAUserRemovedIsNotPlannedAgain() async throws {
        try await Self.with { (first) async throws in
            try await first.plan(0)
            try await first.removeMeeting()
            try await first.plan(60_000)
            try await first.plan(nil)
            try await first.plan(0)
            #expect(try await first.planned == [])
        }
    }

    /// Who shared it is told by who comes next.
    @Test func theOtherCalendarPlansWhatThisOneLetGo() async throws {
        try await Self.with { (first) async throws in
            let other = try await Desk(first.world)
            try await first.plan(0)
            try await other.plan(0)
            #expect(try await other.entry?.contains(" shared ") == true)
            try await first.removeMeeting()
            try await first.stop(at: "going")
            try await (try await first.next()).plan(nil)
            #expect(try await other.entry == nil)
            try await (try await other.next()).plan(0)
            #expect(try await other.planned == ["cal-enda-rsx 0"])
        }
    }

    @Test func theOtherCalendarPlansWhatThisOneMoved() async throws {
        try await Self.with { (first) async throws in
            let other = try await Desk(first.world, start: first.start)
            try await first.plan(0)
            try await other.plan(0)
            try await first.plan(60_000)
            #expect(try await other.entry == nil, "it is told")
            try await (try await other.next()).plan(0)
            #expect(try await other.planned == ["cal-enda-rsx 0", "cal-enda-rsx 60000"])
            // When it has heard of it too, it is one plan again.
            try await (try await other.next()).plan(60_000)
            #expect(try await other.planned == ["cal-enda-rsx 60000"])
        }
    }

    /// Nobody tells it of what was done by hand, or by a node that stopped: it looks.
    @Test(arguments: [true, false])
    func whatIsSharedIsLookedAt(isMoved: Bool) async throws {
        try await Self.with { (first) async throws in
            let other = try await Desk(first.world, start: first.start)
            try await first.plan(0)
            try await other.plan(0)
            let id = String(try #require(try await first.entry).prefix { $0 != " " })
            let meetings = first.world.session.meetings
            let meeting = try #require(try await meetings.meeting(id: id, workspace: first.world.workspaceID))
            var changes = PlanChanges()
            if isMoved { changes.scheduledAt = .some(first.start + 60_000) } else { changes.autoJoin = false }
            guard case .changed = try await meetings.change(meeting, changes, by: first.world.owner.userID) else {
                Issue.record("it was not changed")
                return
            }
            try await other.plan(0)
            #expect(try await other.planned == ["cal-enda-rsx 0", "cal-enda-rsx \(isMoved ? 60_000 : 0)"])
            #expect(try await other.entry?.contains(" own ") == true)
            try await other.plan(0)
            #expect(try await other.planned.count == 2)
        }
    }
}
