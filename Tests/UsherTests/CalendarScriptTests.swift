import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// The scripts of calendars: for each result, every raw key before and after.
@Suite(.takesTurns) struct CalendarScriptTests {
    private static let id = "cal_" + String(repeating: "0", count: 32)

    /// A calendar of the world's owner.
    private struct Calendar: Sendable {
        let world: World
        var own: CalendarKeys { world.keys.calendar(id) }
        var list: String { world.keys.calendars(of: world.owner.userID) }
        var due: String { world.keys.partition.calendars }
        var member: String { "\(world.workspaceID) \(id)" }

        func create(user: String? = nil, most: Int = 10, isEnabled: Bool = true) async throws -> Value {
            try await world.run(
                Scripts.CreateCalendar(
                    membersKey: world.keys.members, calendarsKey: list, calendarKey: own.calendar, dueKey: due,
                    calendarID: id, userID: user ?? world.owner.userID, member: member, most: most,
                    isEnabled: isEnabled, fields: ["name", "Work", "ics_url", "https://a.example/"]))
        }

        func update(
            isRemoved: Bool = false, cleared: String = "", occurrence: String? = nil, shared: String? = nil,
            _ fields: String...
        ) async throws -> Value {
            try await world.run(
                Scripts.UpdateCalendar(
                    calendarKey: own.calendar, dueKey: due, occurrencesKey: own.planned, member: member,
                    isRemoved: isRemoved, cleared: cleared, leastMilliseconds: 60_000, occurrence: occurrence,
                    shared: shared, fields: fields))
        }

        func claim() async throws -> Value {
            try await world.run(
                Scripts.ClaimCalendar(
                    calendarKey: own.calendar, dueKey: due, member: member, leaseMilliseconds: 60_000,
                    mostMilliseconds: 100_000_000))
        }

        func settle(
            _ lease: String, pause: Int = 5_000, isGone: Bool = false, cleared: String = ""
        ) async throws -> Value {
            try await world.run(
                Scripts.SettleCalendar(
                    calendarKey: own.calendar, dueKey: due, calendarsKey: list, plannedKey: own.planned,
                    member: member, calendarID: id, leaseEnd: lease, pauseMilliseconds: pause, isGone: isGone,
                    leastMilliseconds: 60_000, cleared: cleared, fields: ["etag", "new"]))
        }

        func fields() async throws -> [String: String] { try await world.snapshot()[own.calendar]?.hash ?? [:] }

        /// When it is read next.
        func time() async throws -> Int? {
            try await world.client.send("ZSCORE", due, member).string.flatMap { Int($0) }
        }

        /// Claims it.
        /// - Returns: the end of the lease.
        func lease() async throws -> String {
            guard case .claimed(let fields) = try Scripts.ClaimCalendar.reply(try await claim()) else { return "" }
            return fields["lease_end"] ?? ""
        }
    }

    private static func with(_ body: @escaping @Sendable (Calendar) async throws -> Void) async throws {
        try await World.make { world in
            let calendar = Calendar(world: world)
            #expect(try await calendar.create() == .string("created"))
            try await body(calendar)
        }
    }

    @Test func oneIsMadeUpToALimitByAMember() async throws {
        try await World.make { world in
            let calendar = Calendar(world: world)
            try await world.expectNoChange { () async throws in
                #expect(try await calendar.create(user: "none") == .string("unknown_member"))
                #expect(try await calendar.create(most: 0) == .string("too_many"))
            }
            let before = try await world.snapshot()
            #expect(try await calendar.create(isEnabled: false) == .string("created"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [calendar.list, calendar.own.calendar, calendar.due])
            let fields = try await calendar.fields()
            let at = try #require(fields["created_at"])
            #expect(
                fields == [
                    "id": Self.id, "user_id": world.owner.userID, "created_at": at, "enabled": "0", "name": "Work",
                    "ics_url": "https://a.example/",
                ])
            #expect(after[calendar.list] == .sortedSet([Self.id: at]))
            #expect(try await calendar.create() == .string("created"))
            #expect(try await calendar.time() != nil)
            #expect(try await calendar.fields()["asked_at"] != nil)
        }
    }

    /// Who removes all of them may make as many at once, and no more until those are gone.
    @Test func whatIsBeingRemovedCountsApart() async throws {
        try await World.make { (world) async throws in
            let (calendars, user) = (world.session.calendars, world.owner.userID)
            func create() async throws -> Result<String, Calendars.Refusal> {
                try await calendars.create(
                    CalendarChange(name: "Work", url: "https://a.example/"), of: user, workspace: world.workspaceID)
            }
            func remove(_ id: String) async throws {
                let found = try await calendars.calendar(id, of: user, workspace: world.workspaceID)
                #expect(try await calendars.remove(try #require(found)))
            }
            var made: [String] = []
            func fill() async throws {
                for _ in 0..<FeedCalendar.maximum { made.append(try await create().get()) }
                #expect(try await create() == .failure(.tooMany))
            }
            try await fill()
            for id in made { try await remove(id) }
            try await fill()
            try await remove(made[FeedCalendar.maximum])
            #expect(try await create() == .failure(.tooMany))
            let gone = try #require(
                try await calendars.claim(workspace: world.workspaceID, id: made[0], most: 100_000_000))
            var outcome = CalendarOutcome()
            outcome.isGone = true
            #expect(try await calendars.settle(gone, outcome))
            _ = try await create().get()
            #expect(try await create() == .failure(.tooMany))
            let listed = try await calendars.all(of: user, workspace: world.workspaceID)
            #expect(listed.count == FeedCalendar.maximum)
        }
    }

    @Test func howeverManyAWorkspaceHasOthersAreFound() async throws {
        try await World.make { (world) async throws in
            let (own, due) = (world.workspaceID, world.keys.partition.calendars)
            let other = try #require(
                (0..<1_000).map { "other\($0)" }.first { Partition(workspace: $0) == world.keys.partition })
            let ids = (0..<12_000).map { "cal_\(String(repeating: "0", count: 27))\(10_000 + $0)" }
            let words = ["ZADD", due, "2", "\(other) \(ids[0])", "1", "none of ours"]
            _ = try await world.client.send(
                Command(words: words + ids.flatMap { ["1", "\(own) \($0)"] }), deadline: Client.soon)
            func found(_ places: Int) async throws -> [String] {
                try await world.session.calendars.due(most: 100_000_000, places: places, room: { _ in 4 }).map(
                    \.workspace)
            }
            #expect(try await found(5) == [own, other] + Array(repeating: own, count: 4))
            // What can be begun with was found before.
            #expect(try await found(4) == Array(repeating: own, count: 4))
            #expect(try await world.client.send("ZSCORE", due, "none of ours") == .null)
        }
    }

    @Test func oneIsClaimedByOneNodeWhenItIsDue() async throws {
        try await Self.with { (calendar) async throws in
            let world = calendar.world
            let lease = try #require(Int(try await calendar.lease()))
            #expect(lease > (try await world.now()))
            #expect(try await calendar.time() == lease)
            #expect(try await calendar.fields()["lease_end"] == String(lease))
            try await world.expectNoChange { () async throws in
                #expect(try Scripts.ClaimCalendar.reply(try await calendar.claim()) == .notDue)
            }
            // One that is gone is looked at no more.
            _ = try await world.client.send("DEL", calendar.own.calendar)
            _ = try await world.client.send("ZADD", calendar.due, "1", calendar.member)
            #expect(try Scripts.ClaimCalendar.reply(try await calendar.claim()) == .notDue)
            #expect(try await calendar.time() == nil)
        }
    }

    @Test func whatCameOfItIsNotedByWhoHasTheLease() async throws {
        try await Self.with { (calendar) async throws in
            let world = calendar.world
            let lease = try await calendar.lease()
            try await world.expectNoChange { () async throws in
                #expect(try await calendar.settle("1") == .string("not_yours"))
                #expect(try await calendar.settle("") == .string("not_yours"))
            }
            try await world.set(calendar.own.calendar, ["problem": "x"])
            let before = try await world.now()
            #expect(try await calendar.settle(lease, cleared: " problem") == .string("noted"))
            let fields = try await calendar.fields()
            #expect(fields["lease_end"] == nil && fields["problem"] == nil && fields["etag"] == "new")
            #expect(fields["synced_at"].flatMap { Int($0) }.map { $0 >= before } == true)
            #expect(try await calendar.time().map { $0 >= before + 5_000 } == true)
            // It is the caller's no more.
            try await world.expectNoChange { () async throws in
                #expect(try await calendar.settle(lease) == .string("not_yours"))
            }
        }
    }

    @Test func withoutAPauseItIsNotReadByItself() async throws {
        try await Self.with { (calendar) async throws in
            #expect(try await calendar.settle(try await calendar.lease(), pause: 0) == .string("noted"))
            #expect(try await calendar.time() == nil)
            #expect(try await calendar.update() != .parts("unknown_calendar"))
            #expect(try await calendar.time() != nil)
        }
    }

    @Test func aChangeMeanwhileHasItReadAgainAsAWhole() async throws {
        try await Self.with { (calendar) async throws in
            let lease = try await calendar.lease()
            _ = try await calendar.update(cleared: " etag", "name", "Home")
            // The lease is another's still.
            #expect(try await calendar.time().map { String($0) } == lease)
            #expect(try await calendar.fields()["again"] == "1")
            #expect(try await calendar.settle(lease) == .string("noted"))
            let fields = try await calendar.fields()
            #expect(fields["name"] == "Home" && fields["again"] == nil && fields["etag"] == nil)
            // Who asked meanwhile waits for the next reading.
            #expect(fields["asked_at"] != nil && fields["synced_at"] == nil)
            let now = try await calendar.world.now()
            #expect(try await calendar.time().map { (now + 1...now + 60_000).contains($0) } == true)
        }
    }

    @Test func betweenTwoReadingsThereIsALeastTime() async throws {
        try await Self.with { (calendar) async throws in
            let world = calendar.world
            #expect(try await calendar.settle(try await calendar.lease()) == .string("noted"))
            let synced = try #require(try await calendar.fields()["synced_at"].flatMap { Int($0) })
            _ = try await calendar.update()
            #expect(try await calendar.time() == synced + 60_000)
            // By a clock that was ahead nobody waits.
            let now = try await world.now()
            try await world.set(calendar.own.calendar, ["synced_at": String(now + 1_000_000)])
            _ = try await calendar.update()
            #expect(try await calendar.time().map { (now...now + 59_999).contains($0) } == true)
            // What is to end waits for nothing.
            try await world.set(calendar.own.calendar, ["synced_at": String(now)])
            _ = try await calendar.update(isRemoved: true)
            #expect(try await calendar.time().map { (now...now + 59_999).contains($0) } == true)
        }
    }

    @Test func aClockThatGoesBackSilencesNothing() async throws {
        try await Self.with { (calendar) async throws in
            let world = calendar.world
            func isDue(in milliseconds: Int) async throws -> Bool {
                let time = String(try await world.now() + milliseconds)
                _ = try await world.client.send("ZADD", calendar.due, time, calendar.member)
                let due = try await world.session.calendars.due(most: 100_000_000, places: 1, room: { _ in 1 })
                let reply = try Scripts.ClaimCalendar.reply(try await calendar.claim())
                #expect(due.map(\.id) == (reply == .notDue ? [] : [Self.id]))
                return reply != .notDue
            }
            #expect(try await isDue(in: 60_000) == false)
            #expect(try await isDue(in: 99_000_000) == false)
            #expect(try await isDue(in: 200_000_000))
        }
    }

    @Test func anOccurrenceIsNotedByWhoHasTheLease() async throws {
        try await Self.with { (calendar) async throws in
            let world = calendar.world
            func note(_ lease: String, _ entry: String?) async throws -> Value {
                try await world.run(
                    Scripts.NoteOccurrence(
                        calendarKey: calendar.own.calendar, occurrencesKey: calendar.own.planned, leaseEnd: lease,
                        occurrence: "x", entry: entry))
            }
            let lease = try await calendar.lease()
            try await world.expectNoChange { () async throws in
                #expect(try await note("1", "a") == .string("not_yours"))
                #expect(try await note("", "a") == .string("not_yours"))
            }
            let before = try await world.snapshot()
            #expect(try await note(lease, "a") == .string("noted"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [calendar.own.planned])
            #expect(after[calendar.own.planned]?.hash == ["x": "a"])
            try await world.expectNoChange { () async throws in
                #expect(try await note("1", nil) == .string("not_yours"))
            }
            #expect(try await note(lease, nil) == .string("noted"))
            #expect(try await world.snapshot()[calendar.own.planned] == nil)
        }
    }

    @Test func whatSharedAMeetingThatIsGoneIsForgotten() async throws {
        try await Self.with { (calendar) async throws in
            let world = calendar.world
            let entries = ["x": "m shared 1 2 -", "own": "m own 1 2 -", "other": "m2 shared 1 2 -", "odd": "m"]
            try await world.set(calendar.own.planned, entries)
            func left() async throws -> [String]? {
                try await world.snapshot()[calendar.own.planned]?.hash?.keys.sorted()
            }
            for occurrence in ["own", "other", "odd", "none"] {
                _ = try await calendar.update(occurrence: occurrence, shared: "m")
                #expect(try await left() == ["odd", "other", "own", "x"])
            }
            _ = try await calendar.update(occurrence: "x", shared: "m")
            #expect(try await left() == ["odd", "other", "own"])
        }
    }

    @Test func whoLooksAtADisabledOneReadsNothing() async throws {
        try await World.make { (world) async throws in
            let calendar = Calendar(world: world)
            #expect(try await calendar.create(isEnabled: false) == .string("created"))
            #expect(try await calendar.settle(try await calendar.lease()) == .string("noted"))
            #expect(try await calendar.fields()["synced_at"] == nil)
            #expect(try await calendar.time() != nil)
        }
    }

    @Test func aRemovedOneEndsWithItsNextReading() async throws {
        try await Self.with { (calendar) async throws in
            let world = calendar.world
            _ = try await world.client.send("HSET", calendar.own.planned, "x", "y")
            #expect(try await calendar.update(isRemoved: true) != .parts("unknown_calendar"))
            let removed = try await calendar.fields()
            #expect(removed["removed"] == "1" && removed["enabled"] == "0")
            try await world.expectNoChange { () async throws in
                #expect(try await calendar.update("name", "x") == .parts("unknown_calendar"))
            }
            #expect(try await calendar.settle(try await calendar.lease(), isGone: true) == .string("noted"))
            let left = try await world.snapshot()
            for key in [calendar.own.calendar, calendar.own.planned, calendar.list, calendar.due] {
                #expect(left[key] == nil, "\(key)")
            }
        }
    }
}
