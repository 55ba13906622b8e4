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
        ///   - later: when the event takes place, after the first time; nil: it is cancelled.
        ///   - room: where.
        func plan(_ later: Int?, room: String = "cal-enda-rsx") async throws {
            let said = try later.map { [try event("1", after: $0, room: room)] }
            #expect(try await read(said ?? []).problem == nil)
        }

        /// - Parameters:
        ///   - count: how many events there are, each in a room of its own.
        ///   - lasting: in ms.
        func said(_ count: Int, lasting: Int = 1) async throws -> Reading {
            try await read(
                try (1...count).map {
                    try event(String($0), room: "cal-enda-rs\(["a", "b", "c"][$0 - 1])", lasting: lasting)
                })
        }

        typealias Reading = (counts: FeedCalendar.Counts, problem: String?, shares: Bool)

        func read(_ meetings: [CalendarMeeting]) async throws -> Reading {
            try await world.session.calendars.plan(
                calendar, CalendarMeetings(meetings: meetings, unreadable: [], hasMore: false), isHeld: { true })
        }

        func event(
            _ uid: String, after later: Int = 0, room: String, title: String? = nil, lasting: Int = 1
        ) throws -> CalendarMeeting {
            CalendarMeeting(
                uid: uid, recurrenceID: "", start: start + later, end: (start + later).addingClamped(lasting),
                title: title, link: try MeetingLink(platform: .googleMeet, nativeID: room))
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

        /// What it has planned of its event.
        var meeting: Meeting {
            get async throws {
                let id = String(try #require(try await entry).prefix { $0 != " " })
                return try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            }
        }

        /// By hand.
        func change(_ edit: (inout PlanChanges) -> Void) async throws {
            var changes = PlanChanges()
            edit(&changes)
            guard
                case .changed = try await world.session.meetings.change(
                    try await meeting, changes, by: world.owner.userID)
            else { throw TestServerError("it was not changed") }
        }

        /// That of the node that comes next, after a change of the calendar.
        func changed(_ change: CalendarChange) async throws -> Desk {
            _ = try #require(try await world.session.calendars.change(calendar, change))
            return try await next()
        }

        /// What a plan goes by that is removed alone, before what follows from it is done.
        func removeMeeting() async throws {
            guard case .busy = try await world.session.meetings.removePlan(try await meeting) else { return }
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
            try await first.change {
                if isMoved { $0.scheduledAt = .some(first.start + 60_000) } else { $0.autoJoin = false }
            }
            try await other.plan(0)
            #expect(try await other.planned == ["cal-enda-rsx 0", "cal-enda-rsx \(isMoved ? 60_000 : 0)"])
            #expect(try await other.entry?.contains(" own ") == true)
            try await other.plan(0)
            #expect(try await other.planned.count == 2)
        }
    }

    /// What others have planned they may let go, so that it has to be looked at each time.
    @Test func itSaysWhetherOthersHavePlannedSomeOfIt() async throws {
        try await Self.with { (first) async throws in
            let other = try await Desk(first.world, start: first.start)
            #expect(try await first.said(1).shares == false)
            #expect(try await first.said(1).shares == false)
            for _ in 0..<2 { #expect(try await other.said(1).shares) }
        }
    }

    @Test func whatBecomesSharedByAMoveIsLookedAtToo() async throws {
        try await Self.with { (first) async throws in
            let other = try await Desk(first.world, start: first.start)
            _ = try await first.read([try first.event("1", room: "cal-enda-rsx")])
            _ = try await other.read([try other.event("1", after: 60_000, room: "cal-enda-rsx")])
            #expect(try await other.read([try other.event("1", room: "cal-enda-rsx")]).shares)
            #expect(try await other.entry?.contains(" shared ") == true)
        }
    }

    // MARK: In a full workspace

    /// One for which there is no room comes first.
    @Test func whatIsPlannedIsFollowedWhereNothingMoreCanBe() async throws {
        try await Self.with { (desk) async throws in
            let keys = desk.world.keys
            try await desk.plan(0)
            try await desk.world.set(keys.workspace, ["max_meetings": "1"])
            let said = [
                try desk.event("0", room: "cal-enda-rsa"),
                try desk.event("1", after: 60_000, room: "cal-enda-rsx", title: "Renamed"),
            ]
            for updates in [1, 0] {
                let read = try await desk.read(said)
                #expect(read.problem == "the workspace has 1 meetings, which is the most")
                #expect(read.counts.updated == updates && read.counts.created == 0)
                #expect(try await desk.planned == ["cal-enda-rsx 60000"])
                #expect(try await desk.meeting.title == "Renamed")
            }
        }
    }

    /// Its title and its bot's name come when there is room again.
    @Test func aPlanMovesWhereThereIsNoRoomForItsTitle() async throws {
        try await Self.with { (first) async throws in
            let keys = first.world.keys
            try await first.plan(0)
            let desk = try await first.changed(CalendarChange(autoJoin: false, botName: "Otto"))
            try await desk.world.set(keys.workspace, ["max_bytes": "1"])
            let said = [try desk.event("1", after: 60_000, room: "cal-enda-rsx", title: "Renamed")]
            for updates in [1, 0] {
                let read = try await desk.read(said)
                #expect(read.problem == "the workspace has as many bytes as it may have")
                #expect(read.counts.updated == updates)
                let meeting = try await desk.meeting
                #expect(meeting.scheduledAt == desk.start + 60_000 && !meeting.autoJoin)
                #expect(meeting.title == nil && meeting.fields["bot_name"] == nil)
            }
            _ = try await desk.world.client.send("HDEL", keys.workspace, "max_bytes")
            #expect(try await desk.read(said).counts.updated == 1)
            let meeting = try await desk.meeting
            #expect(meeting.title == "Renamed" && meeting.fields["bot_name"] == "Otto")
        }
    }

    // MARK: What users change

    @Test func whatAUserChangedOfItsBotStaysUntilTheCalendarChanges() async throws {
        try await Self.with { (first) async throws in
            try await first.plan(0)
            try await first.change {
                $0.autoJoin = false
                $0.botName = .some("Nora")
            }
            try await first.plan(60_000)
            var meeting = try await first.meeting
            #expect(meeting.scheduledAt == first.start + 60_000)
            #expect(!meeting.autoJoin && meeting.fields["bot_name"] == "Nora")
            // Another link: it is made anew.
            try await first.plan(60_000, room: "oth-erro-omx")
            meeting = try await first.meeting
            #expect(meeting.room.nativeID == "oth-erro-omx" && !meeting.autoJoin)
            var next = try await first.changed(CalendarChange(botName: .some("Otto")))
            try await next.plan(60_000, room: "oth-erro-omx")
            meeting = try await next.meeting
            #expect(!meeting.autoJoin && meeting.fields["bot_name"] == "Otto")
            for isWanted in [false, true] {
                next = try await next.changed(CalendarChange(autoJoin: isWanted))
                try await next.plan(60_000, room: "oth-erro-omx")
                #expect(try await next.meeting.autoJoin == isWanted)
            }
        }
    }

    /// While its event is moved out of the time that is planned, and back again.
    @Test func whatAUserRemovedIsKnownForLongerWhereItsEventIsGone() async throws {
        try await Self.with { (desk) async throws in
            func end() async throws -> Int? {
                try await desk.entry.flatMap { Int($0.split(separator: " ")[3]) }
            }
            try await desk.plan(0)
            try await desk.removeMeeting()
            for _ in 0..<2 {
                try await desk.plan(nil)
                #expect(try await end() == desk.start + 30 * 86_400_000)
            }
            try await desk.plan(60_000)
            #expect(try await desk.planned == [])
            #expect(try await end() == desk.start + 60_001)
        }
    }

    /// A feed that says others at each reading.
    @Test func noMoreIsRememberedThanThereMayBe() async throws {
        try await Self.with { (desk) async throws in
            let key = desk.world.keys.calendar(desk.calendar.id).planned
            let old = "m own \(try await desk.world.now()) \(Int.max) -"
            let many = (1...4_999).flatMap { ["\($0) -", old] }
            _ = try await desk.world.client.send(Command(words: ["HSET", key] + many), deadline: Client.soon)
            let said = try await desk.said(3)
            #expect(said.counts.created == 1)
            #expect(said.problem == "it has had more than 5000 meetings that are not long over")
            #expect(try await desk.world.client.send("HLEN", key).integerOrThrow() == 5_000)
        }
    }

    @Test func whatLastsForEverIsNotKnownForEver() async throws {
        try await Self.with { (desk) async throws in
            _ = try await desk.said(1, lasting: .max)
            let parts = try #require(try await desk.entry).split(separator: " ").compactMap { Int($0) }
            #expect(parts.contains(desk.start + 7 * 86_400_000) && parts.allSatisfy { $0 < desk.start * 2 })
        }
    }
}
