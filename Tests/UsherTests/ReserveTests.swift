import EventLoop
import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

extension World {
    fileprivate static let other = Room(platform: .googleMeet, nativeID: "oth-erro-oms")
    fileprivate static let third = Room(platform: .googleMeet, nativeID: "thi-rdro-oms")
}

/// A Redis that is full takes nothing new, and what has begun goes on to its end.
@Suite(.takesTurns) struct ReserveTests {
    /// Those that work when Redis is full: the others begin something, or only take something away.
    private static let reserved: Set = [
        "renew", "report", "stop", "configure", "claim", "release", "lose_bot", "expire_dispatch", "finalise",
        "note_primary", "beat", "take_tokens", "note_use", "delete_meeting", "purge_meeting", "retire_key",
        "note_ending", "bound_lease", "bound_idle", "make_group", "file_event", "claim_deliveries", "settle_delivery",
        "delete_webhook", "cancel_plan", "remove_plan", "settle_calendar", "note_occurrence", "begin_move",
        "keep_object", "let_go", "bring_forward", "remove_workspace", "remove_meeting", "finish_removal",
        "keep_operator",
    ]

    @Test func theReserveIsForWhatHasBegun() {
        let flagged = Scripts.all.filter { $0.text.hasPrefix("#!lua flags=allow-oom\n") }.map(\.name)
        #expect(Set(flagged) == Self.reserved)
        #expect(!Scripts.all.contains { $0.text.dropFirst().contains("#!") })
    }

    private static func fill(_ world: World, _ limit: String = "1") async throws {
        _ = try await world.client.send("CONFIG", "SET", "maxmemory", limit)
    }

    @Test func everythingNewIsRefusedAndChangesNothing() async throws {
        try await World.make(on: try RedisServer()) { world in
            let meeting = try await world.meeting()
            let place = try await world.bot(at: try await world.meeting(in: World.other), .joining, .active)
            let user = try #require(Int(world.owner.userID))
            let link = try MeetingLink(platform: .googleMeet, nativeID: "xyz-wxyz-xyz")
            let found = try #require(
                try await world.session.meetings.meeting(id: meeting, workspace: world.workspaceID))
            try await Self.fill(world)
            try await world.expectNoChange { () async throws in
                await expectFull("request") {
                    _ = try await world.session.bots.request(
                        BotRequest(link: link), by: world.owner, trace: World.trace)
                }
                await expectFull("request_bot") {
                    _ = try await world.request("new", bot: "b", number: 99, latest: "", in: World.third)
                }
                await expectFull("create") {
                    _ = try await world.session.meetings.create(NewMeeting(link: link), by: world.owner)
                }
                await expectFull("update") {
                    _ = try await world.session.meetings.update(found, fields: ["notes": "x"])
                }
                await expectFull("segments") { _ = try await world.ingest(one("s", "x"), for: place.meetingID) }
                await expectFull("user") {
                    _ = try await world.session.users.create(NewUser(email: "b@example.com"))
                }
                await expectFull("key") {
                    _ = try await world.session.apiKeys.create(
                        NewAPIKey(workspaceID: world.workspaceID, userID: user, scopes: [.bots]))
                }
                await expectFull("reinvite") {
                    _ = try await Reinvitation(
                        in: world.session,
                        visitor: Reinvitation.Visitor(caller: world.owner, meetingID: meeting), forceRestart: false,
                        trace: World.trace
                    ).perform()
                }
            }
            // There is room again.
            try await Self.fill(world, "0")
            _ = try await world.session.meetings.update(found, fields: ["notes": "x"])
            #expect(try await world.fields(meeting)["notes"] == "x")
        }
    }

    /// - Parameter body: must fail since Redis is full.
    private func expectFull(_ what: Comment, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("nothing was refused: \(what)")
        } catch let error as RedisError {
            #expect(error.isOutOfMemory, what)
        } catch BotRefusal.failed(let error), BotRefusal.unavailable(let error) {
            #expect(error.isOutOfMemory, what)
        } catch ReinviteRefusal.failed(let error) {
            #expect(error.isOutOfMemory, what)
        } catch {
            Issue.record("\(what): \(error)")
        }
    }

    @Test func aBotLivesToItsEnd() async throws {
        try await World.make(on: try RedisServer()) { world in
            let meeting = try await world.meeting()
            let place = try await world.send(to: meeting)
            try await Self.fill(world)
            // A runner that comes now.
            try await world.session.bots.makeGroup(of: place.partition)
            try await world.session.installation.beat(
                .runners, id: "r", lifetime: 60_000, uptime: 1, fields: ["host": "a"])
            try await world.claim(place)
            #expect(try await world.release(place) == .string("released"))
            try await world.claim(place)
            try await world.tell(place, [.joining, .awaitingAdmission, .active])
            let renewal = try await world.session.bots.renew(bots: [place.botID], in: place.partition, runner: "runner")
            #expect(renewal != [.refused])
            _ = try await world.session.bots.configure(
                in: World.room, workspace: world.workspaceID, changes: ["language": "de"], message: nil)
            let (stop, _) = try await world.session.bots.stop(
                in: World.room, by: world.owner, idempotencyKey: IdempotencyKey("again"))
            #expect(stop == .leaving)
            try await world.tell(place, [.completed])
            let fields = try await world.fields(meeting)
            #expect(fields["status"] == "OFFLINE" && fields["completion_reason"] == "stopped")
            try await world.expectFree()
            // What makes room is done too.
            #expect(try await world.session.workspaces.remove(workspace: world.workspaceID))
            try await WorkspaceRemovals(store: world.store, logger: Logger(minimum: .error)).removeAll(world.session)
            #expect(try await world.fields(meeting).isEmpty)
        }
    }

    /// One that is replaced or one lost in its room, and one that nobody claims.
    @Test(arguments: [Stage.joining, .active]) func whatNobodyElseEndsIsEnded(_ stage: Stage) async throws {
        try await World.make(on: try RedisServer()) { world in
            let lost = try await world.bot(at: stage)
            let unclaimed = try await world.meeting(in: World.third)
            _ = try await world.session.bots.request(
                BotRequest(link: try MeetingLink(platform: .googleMeet, nativeID: World.third.nativeID)),
                by: world.owner, trace: World.trace)
            _ = try await world.client.send("DEL", world.keys.inFlight(World.third))
            try await world.endLease(of: lost)
            try await Self.fill(world)
            try await Sweeper(store: world.store, logger: Logger(minimum: .error)).sweep(world.session)
            let fields = try await world.fields(lost.meetingID)
            if stage == .active {
                #expect(fields["completion_reason"] == "lease_expired")
            } else {
                #expect(fields["bot_status"] == "requested" && fields["bot_id"] != lost.botID)
            }
            #expect(try await world.fields(unclaimed)["completion_reason"] == "dispatch_expired")
            #expect(world.store.memory.isFull)
            #expect(world.store.memory.fullest?.limit == 1)

            // Deleting makes room, and must work for that.
            let found = try #require(
                try await world.session.meetings.meeting(id: unclaimed, workspace: world.workspaceID))
            #expect(try await world.session.meetings.removeContents(of: found) == .removed)
            try await Self.fill(world, "0")
            try await Sweeper(store: world.store, logger: Logger(minimum: .error)).sweep(world.session)
            #expect(!world.store.memory.isFull)
        }
    }

    @Test func callersAreKnownAndTheirLimitsHold() async throws {
        var configuration = World.patient
        configuration.keyRateLimit = RateLimit(perSecond: 1, burst: 2)
        try await World.make(on: try RedisServer(), configuration: configuration) { world in
            let key = try await world.ownersKey()
            try await Self.fill(world)
            var answers: [Recognition<Caller>] = []
            repeat {
                answers.append(
                    try await world.session.callers.recognise(apiKey: key, from: { nil }))
            } while answers.last?.found != nil && answers.count < 1_000
            #expect(answers.first?.found != nil && answers.last?.found == nil)
            let record = Keys.apiKey(hash: Digest.sha256(key))
            try await waitFor("its use is noted") {
                try await world.client.send("HEXISTS", record, "last_used_at") == .integer(1)
            }
        }
    }

    // MARK: Words

    @Test func whatAFullRedisSaysIsKnown() {
        let words = "OOM command not allowed when used memory > 'maxmemory'."
        #expect(RedisError.refused(words).isOutOfMemory)
        // Of a script, before 7.0.
        #expect(RedisError.refused("ERR Error running script (call to f_1): @user_script:1: -\(words)").isOutOfMemory)
        #expect(!RedisError.refused("ERR no ZOOM").isOutOfMemory && !RedisError.connectionLost.isOutOfMemory)
    }
}
