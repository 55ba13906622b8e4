import EventLoop
import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// Redis' clock was set back by an hour: what was written before counts from a time that lies ahead. (The tests leave the
/// clock alone, and put what is written an hour ahead.)
@Suite(.takesTurns) struct ClockTests {
    private static let hour = 3_600_000

    private static func sweep(_ world: World) async throws {
        try await Sweeper(store: world.store, logger: Logger(minimum: .error)).sweep(world.session)
    }

    private static func expiry(_ place: BotPlace, _ world: World) async throws -> Int? {
        try await world.client.send("ZSCORE", place.partition.leases, place.botID).string.flatMap { Int($0) }
    }

    // MARK: Leases

    private static func bound(_ place: BotPlace, _ world: World) async throws -> Value {
        try await world.run(
            Scripts.BoundLease(
                leasesKey: place.partition.leases, botKey: place.partition.bot(place.botID), botID: place.botID,
                longestMilliseconds: 600000))
    }

    @Test func aLeaseIsBroughtToItsLatestEndAndNoFurther() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let leases = place.partition.leases
            try await world.expectNoChange { () async throws in
                #expect(try await Self.bound(place, world) == .string("unchanged"))
            }
            let ahead = try await world.now() + Self.hour
            _ = try await world.client.send("ZADD", leases, String(ahead), place.botID)
            let before = try await world.snapshot()
            let earliest = try await world.now()
            #expect(try await Self.bound(place, world) == .string("bounded"))
            #expect(try await world.snapshot().changes(since: before) == [leases])
            let latest = try await world.now()
            let end = try #require(try await Self.expiry(place, world))
            #expect((earliest + World.leaseMilliseconds...latest + World.leaseMilliseconds).contains(end))
            // Not again and again: it runs out.
            try await world.expectNoChange { () async throws in
                #expect(try await Self.bound(place, world) == .string("unchanged"))
            }

            // A runner with longer leases, and one of a version that does not say how long they are.
            for (record, length) in [("60000", 60_000), (nil, 600_000)] {
                _ = try await world.client.send("ZADD", leases, String(ahead), place.botID)
                if let record {
                    try await world.set(place.partition.bot(place.botID), ["lease_ms": record])
                } else {
                    _ = try await world.client.send("HDEL", place.partition.bot(place.botID), "lease_ms")
                }
                let earliest = try await world.now()
                #expect(try await Self.bound(place, world) == .string("bounded"))
                let end = try #require(try await Self.expiry(place, world))
                #expect(end >= earliest + length)
                #expect(end <= (try await world.now()) + length)
            }
            _ = try await world.client.send("DEL", leases)
            try await world.expectNoChange { () async throws in
                #expect(try await Self.bound(place, world) == .string("unchanged"))
            }
        }
    }

    /// The room of a dead bot, and a stop that waits for its end.
    @Test(arguments: [false, true]) func theRoomOfADeadBotIsFreedInItsTime(_ isStopped: Bool) async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            if isStopped { _ = try await world.stop(place) }
            let leases = place.partition.leases
            _ = try await world.client.send(
                "ZADD", leases, String(try await world.now() + Self.hour), place.botID)
            try await Self.sweep(world)
            let end = try #require(try await Self.expiry(place, world))
            #expect(end <= (try await world.now()) + World.leaseMilliseconds)
            #expect(try await world.fields(place.meetingID)["status"] == (isStopped ? "STOPPING" : "LIVE"))
            // Its time is over.
            try await world.endLease(of: place)
            try await Self.sweep(world)
            #expect(try await world.fields(place.meetingID)["status"] == "OFFLINE")
            try await world.expectFree()
        }
    }

    // MARK: Claims

    /// A runner that died with an entry in its hands.
    @Test func whatWasGivenOutAheadOfTheClockIsTakenOver() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            func bound() async throws -> Value {
                try await world.run(
                    Scripts.BoundIdle(streamKey: partition.dispatch, group: "runners", maximum: 100))
            }
            try await world.expectNoChange { () async throws in #expect(try await bound() == .integer(0)) }
            _ = try await world.send(to: try await world.meeting())
            try await world.expectNoChange { () async throws in #expect(try await bound() == .integer(0)) }
            try await world.session.bots.makeGroup(of: partition)
            let id = try #require(try await world.entry()["<id>"])
            _ = try await world.client.send(
                "XREADGROUP", "GROUP", "runners", "dead", "STREAMS", partition.dispatch, ">")
            // Redis lets nobody write a time that lies ahead. What was given out this millisecond is as much ahead.
            let call = try #require(
                world.client.command(Scripts.BoundIdle(streamKey: partition.dispatch, group: "runners", maximum: 100)))
            let claim = Command("XCLAIM", partition.dispatch, "runners", "dead", "0", id, "IDLE", "0", "JUSTID")
            try await waitFor("two commands within a millisecond") {
                try await world.client.pipeline([claim, call], deadline: Client.soon).last == .integer(1)
            }
            let entry = try #require(
                try await world.client.send("XPENDING", partition.dispatch, "runners", "-", "+", "10")
                    .array?.first?.array)
            #expect(entry.prefix(2) == [.string(id), .string("dead")] && entry.last == .integer(1))
            // One that has been out for a while stays so.
            _ = try await world.client.send(
                "XCLAIM", partition.dispatch, "runners", "dead", "0", id, "IDLE", "60000", "JUSTID")
            #expect(try await bound() == .integer(0))
            #expect(
                try await world.client.send(
                    "XAUTOCLAIM", partition.dispatch, "runners", "other", "60000", "0-0", "JUSTID"
                ).array?.dropFirst().first == .array([.string(id)]))
        }
    }

    @Test func aGroupIsMadeOnce() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            func make() async throws -> Value {
                try await world.run(Scripts.MakeGroup(streamKey: partition.dispatch, group: "runners"))
            }
            let before = try await world.snapshot()
            #expect(try await make() == .string("created"))
            #expect(try await world.snapshot().changes(since: before) == [partition.dispatch])
            try await world.expectNoChange { () async throws in #expect(try await make() == .string("there")) }
            _ = try await world.client.send("DEL", partition.dispatch)
            _ = try await world.client.send("SET", partition.dispatch, "x")
            await #expect(throws: RedisError.self) { try await make() }
        }
    }

    // MARK: What waits to be told

    private static let webhook = "wh_" + String(repeating: "0", count: 32)

    private static func due(_ event: String, _ world: World) async throws -> Int? {
        try await world.client.send("ZSCORE", world.keys.webhook(webhook).due, event).string.flatMap { Int($0) }
    }

    @Test func whatWaitsToBeToldComesForwardByAsMuchAsTheClockWentBack() async throws {
        try await World.make { world in
            let own = world.keys.webhook(Self.webhook)
            let partition = world.keys.partition
            let member = "\(world.workspaceID) \(Self.webhook)"
            func bring(from: Int = 0, most: Int = 9) async throws -> Int {
                try await world.run(
                    Scripts.BringForward(
                        pendingKey: partition.deliveries, dueKey: own.due, member: member,
                        backMilliseconds: Self.hour, leaseMilliseconds: 60_000, fromMilliseconds: from, most: most)
                ).integerOrThrow()
            }
            try await world.expectNoChange { () async throws in #expect(try await bring() == 0) }
            let now = try await world.now()
            for (event, ahead) in [("filed", Self.hour - 5_000), ("retried", 2 * Self.hour), ("leased", 50_000)] {
                _ = try await world.client.send("ZADD", own.due, String(now + ahead), event)
            }
            _ = try await world.client.send("ZADD", partition.deliveries, String(now + Self.hour), member)
            let before = try await world.snapshot()
            #expect(try await bring() == 0)
            #expect(try await world.snapshot().changes(since: before) == [own.due, partition.deliveries])
            let filed = try #require(try await Self.due("filed", world))
            let after = try await world.now()
            #expect((now...after).contains(filed))
            #expect(try await Self.due("retried", world) == now + Self.hour)
            #expect(try await Self.due("leased", world) == now + 50_000)
            #expect(
                try await world.snapshot()[partition.deliveries] == .sortedSet([member: String(filed)]))
            // Later, until the lease of the second is over, nothing is.
            _ = try await world.client.send("ZREM", own.due, "filed")
            #expect(try await bring() == 0)
            let told = try #require(try await Self.due("retried", world))
            #expect(try await bring() == 0)
            #expect(try await Self.due("retried", world) == told)
            #expect(told <= (try await world.now()))
            // Of many some at once, and each of them once.
            let many = (0..<7).map { ("e\($0)", now + 3 * Self.hour + $0 / 3 * 1_000) }
            for (event, time) in many { _ = try await world.client.send("ZADD", own.due, String(time), event) }
            var (from, calls) = (0, 0)
            repeat { (from, calls) = (try await bring(from: from, most: 2), calls + 1) } while from > 0
            #expect(calls == 4)
            for (event, time) in many { #expect(try await Self.due(event, world) == time - Self.hour) }
        }
    }

    @Test func aSweepSeesByHowMuchTheClockWentBack() async throws {
        try await World.make { world in
            let own = world.keys.webhook(Self.webhook)
            let partition = world.keys.partition
            let member = "\(world.workspaceID) \(Self.webhook)"
            func noted() async throws -> (seen: Int?, back: Int?) {
                let fields = try #require(try await world.snapshot()[partition.primary]?.hash)
                return (fields["seen"].flatMap { Int($0) }, fields["set_back"].flatMap { Int($0) })
            }
            try await Self.sweep(world)
            let first = try await noted()
            #expect(first.back == nil)
            let ahead = try await world.now() + Self.hour
            _ = try await world.client.send("ZADD", own.due, String(ahead), "filed")
            _ = try await world.client.send("ZADD", partition.deliveries, String(ahead), member, "1", "spoilt")
            _ = try await world.client.send("ZADD", partition.calendars, String(ahead), "a feed", "1", "a due one")
            func feed(_ name: String) async throws -> Int? {
                try await world.client.send("ZSCORE", partition.calendars, name).string.flatMap { Int($0) }
            }
            // It waits for as long as it is to: no clock was set.
            try await Self.sweep(world)
            #expect(try await Self.due("filed", world) == ahead)
            #expect(try await feed("a feed") == ahead)

            try await world.set(partition.primary, ["seen": String(ahead)])
            // A node that dies having seen it: the next one goes on.
            let back = try await world.session.bots.notePrimary(of: partition)
            #expect((Self.hour - 60_000...Self.hour).contains(back))
            let known = try await noted()
            let after = try await world.now()
            #expect(known.back == back && (known.seen ?? .max) <= after)
            #expect(try await world.session.bots.notePrimary(of: partition, undone: back + 1) == back)
            try await Self.sweep(world)
            #expect(try await noted().back == nil)
            let filed = try #require(try await Self.due("filed", world))
            let later = try await world.now()
            #expect(filed <= later)
            #expect(try await feed("a feed").map { $0 <= later + 60_000 } == true)
            #expect(try await feed("a due one") == 1)
            #expect(try await world.session.deliveries.due(in: .webhooks).map(\.id) == [Self.webhook])
        }
    }

    /// There may be thousands of webhooks.
    @Test func noRoomWaitsForThem() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            let place = try await world.bot(at: .active)
            try await Self.sweep(world)
            let ahead = String(try await world.now() + Self.hour)
            let due = world.keys.webhook(Self.webhook).due
            _ = try await world.client.send("ZADD", due, ahead, "filed")
            _ = try await world.client.send("ZADD", partition.deliveries, ahead, "\(world.workspaceID) \(Self.webhook)")
            try await world.set(partition.primary, ["seen": ahead])
            try await world.endLease(of: place)
            _ = try await world.client.send(
                "CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "10000")
            try await Self.sweep(world)
            let newest = try await world.client.send("SLOWLOG", "GET", "-1").array ?? []
            let commands = newest.reversed().map { ($0.array?[3].array ?? []).compactMap(\.string) }
            let brought = try #require(commands.firstIndex { $0.contains(due) })
            let ended = try #require(commands.lastIndex { $0.contains(partition.bot(place.botID)) })
            #expect(ended < brought)
        }
    }

    // MARK: Tickets

    /// The servers of a Cluster differ a little, and any of them is asked for the time.
    @Test func aTicketIsGoodByAClockThatIsBehindALittle() async throws {
        try await World.make { world in
            let made = try #require(
                try await world.session.apiKeys.create(
                    NewAPIKey(workspaceID: world.workspaceID, userID: 1, scopes: [.bots])
                ).made)
            let caller = Caller(keyID: made.record.id, workspaceID: world.workspaceID, userID: "1", scopes: ["bots"])
            func ticket(ahead: Int) async throws -> String {
                let ticket = try #require(try await world.session.callers.ticket(for: caller))
                let end = try await world.now() + Callers.ticketMilliseconds + ahead
                _ = try await world.client.send("ZADD", world.keys.tickets, String(end), Digest.sha256(ticket))
                return ticket
            }
            func redeemed(_ ticket: String) async throws -> Bool {
                guard case .found(let hash) = try await world.session.callers.redeem(ticket: ticket, from: { nil })
                else { return false }
                return hash == Digest.sha256(made.key)
            }
            let (good, setBack) = (try await ticket(ahead: 3_000), try await ticket(ahead: Self.hour))
            #expect(try await !redeemed(setBack))
            let left = try await ticket(ahead: Self.hour)
            // Making one removes those that nobody can use.
            _ = try await world.session.callers.ticket(for: caller)
            #expect(try await world.client.send("ZSCORE", world.keys.tickets, Digest.sha256(left)) == .null)
            #expect(try await redeemed(good))
            #expect(try await !redeemed(good))
        }
    }

    // MARK: What expires by itself

    @Test func aDispatchThatNobodyClaimsExpiresInItsTime() async throws {
        try await World.make { world in
            _ = try await world.send(to: try await world.meeting())
            let key = world.keys.inFlight(World.room)
            let life = world.store.configuration.inFlightTimeToLiveMilliseconds
            _ = try await world.client.send("PEXPIRE", key, String(life + Self.hour))
            try await Self.sweep(world)
            #expect(try await world.client.send("PTTL", key).integer ?? .max <= life)
        }
    }

    @Test func theLockOfADeadNodeIsGivenUpInItsTime() async throws {
        let patience = World.patient.lockTimeToLiveMilliseconds
        var configuration = World.patient
        configuration.lockWaitMilliseconds = 1
        try await World.make(configuration: configuration) { world in
            let meeting = try await world.meeting()
            _ = try await world.client.send("SET", world.keys.lock, "dead", "PX", String(Self.hour))
            let visitor = Reinvitation.Visitor(caller: world.owner, meetingID: meeting)
            await #expect(throws: ReinviteRefusal.locked) {
                try await Reinvitation(
                    in: world.session, visitor: visitor, forceRestart: false, trace: World.trace
                ).perform()
            }
            let left = try await world.client.send("PTTL", world.keys.lock).integer ?? .max
            #expect(left <= patience)
        }
    }

    // MARK: Times in records

    @Test func recordsOfLateAreFinalisedAndRemovedInTheirTime() async throws {
        var configuration = World.patient
        configuration.retentionMilliseconds = 86_400_000
        try await World.make(configuration: configuration) { world in
            let partition = world.keys.partition
            let ahead = String(try await world.now() + Self.hour)
            for key in [partition.analyzing, partition.ended] {
                _ = try await world.client.send("ZADD", key, ahead, "m", "1", "old")
                _ = try await world.client.send("SET", "unused", "x")
            }
            try await world.set(partition.meeting("m"), ["workspace_id": world.workspaceID, "status": "LIVE"])
            try await Self.sweep(world)
            for key in [partition.analyzing, partition.ended] {
                let score = try await world.client.send("ZSCORE", key, "m").string.flatMap { Int($0) }
                #expect(score ?? .max <= (try await world.now()), "\(key)")
            }
        }
    }

    @Test func whatTheArchiveHasToDoIsDoneInItsTime() async throws {
        try await World.make { world in
            let (moves, partition) = (world.session.moves, world.keys.partition)
            func score(_ object: String) async throws -> Int? {
                try await world.client.send("ZSCORE", partition.removals, object).string.flatMap { Int($0) }
            }
            let now = try await world.now()
            let soon = now + Moves.keepMilliseconds - 60_000
            _ = try await world.client.send("ZADD", partition.removals, String(now + Self.hour), "late")
            _ = try await world.client.send("ZADD", partition.removals, String(soon), "soon")
            try await Self.sweep(world)
            #expect(try await score("late") ?? .max <= (try await world.now()) + Moves.keepMilliseconds)
            #expect(try await score("soon") == soon)
            // Those that Redis keeps.
            let earlier = Moves.keptBefore
            _ = try await world.client.send("ZADD", partition.removals, String(now + Self.hour - earlier), "kept late")
            _ = try await world.client.send("ZADD", partition.removals, String(soon - earlier), "kept soon")
            try await Self.sweep(world)
            #expect(
                try await score("kept late") ?? .max <= (try await world.now()) + Moves.keepMilliseconds - earlier)
            #expect(try await score("kept soon") == soon - earlier)

            for (meeting, left) in [("moved", Self.hour), ("ahead", 25 * Self.hour), ("over", -1)] {
                _ = try await world.client.send("ZADD", partition.ended, "1", meeting)
                _ = try await world.client.send("ZADD", partition.moving, String(now + left), meeting)
            }
            #expect(try await moves.due(after: 0).map(\.meeting) == ["ahead", "over"])
        }
    }

    /// Otherwise nothing that the new bot hears would be kept until the clock has caught up.
    @Test func aTranscriptThatWasDeletedAheadOfTheClockHidesNoLaterOne() async throws {
        try await World.make { world in
            let meeting = try await world.meeting(["status": "OFFLINE", "bot_status": "completed"])
            let ahead = try await world.now() + Self.hour
            try await world.set(world.keys.partition.meeting(meeting), ["redacted_at": String(ahead)])
            _ = try await world.bot(at: meeting, seen: "OFFLINE", .joining, .active)
            let fields = try await world.fields(meeting)
            let dispatchedAt = try #require(fields["dispatched_at"].flatMap { Int($0) })
            #expect(fields["redacted_at"] == String(dispatchedAt - 1))
            #expect(try await world.ingest(one("s", "x"), for: meeting) == .stored(changed: 1))
        }
    }

    /// Nor does one that was deleted later come back with what its bot sends once more, or what it recorded.
    @Test func whatBeganAheadOfTheClockStaysDeleted() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .active)
            _ = try await world.report(bot, "completed", reason: "left_alone")
            let ahead = String(try await world.now() + Self.hour)
            try await world.set(
                world.keys.partition.meeting(bot.meetingID),
                ["status": "OFFLINE", "dispatched_at": ahead, "sessions": "\(bot.botID)=\(ahead)"])
            let meeting = try #require(
                try await world.session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID))
            #expect(try await world.session.meetings.removeContents(of: meeting) == .removed)
            #expect(try await world.ingest(one("s", "x"), for: bot.meetingID) == .deleted)
            let fields = try await world.fields(bot.meetingID)
            let deleted = fields["redacted_at"].flatMap { Int($0) } ?? 0
            let began = fields["sessions"]?.split(separator: "=").last.flatMap { Int($0) } ?? .max
            #expect(began <= deleted && fields["dispatched_at"] == ahead && String(deleted) == ahead)
        }
    }

    @Test func theDeadAreTakenOffTheListOfThoseThatLive() async throws {
        try await World.make { world in
            let list = Keys.peers(.runners)
            let ahead = String(try await world.now() + Self.hour)
            _ = try await world.client.send("ZADD", list, ahead, "dead")
            try await world.session.installation.beat(
                .runners, id: "r", lifetime: 15_000, uptime: 1, fields: ["host": "a"])
            #expect(try await world.client.send("ZRANGE", list, "0", "-1") == .array([.string("r")]))
        }
    }

    @Test func theUseOfAKeyIsNotedByTheClockAsItIs() async throws {
        try await World.make { world in
            let key = Keys.apiKey(hash: "hash")
            let ahead = try await world.now() + Self.hour
            try await world.set(key, ["id": "k", "last_used_at": String(ahead)])
            #expect(try await world.run(Scripts.NoteUse(recordKey: key)) == .string("noted"))
            let noted = try await world.client.send("HGET", key, "last_used_at").string.flatMap { Int($0) }
            #expect(noted ?? .max <= (try await world.now()))
        }
    }
}
