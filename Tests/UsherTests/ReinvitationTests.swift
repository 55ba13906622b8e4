import EventLoop
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// The whole re-invitation on a real Redis: checks, lock, script, and what becomes of a room that is held.
@Suite(.takesTurns) struct ReinvitationTests {
    // MARK: The tables

    /// "Behavior by meeting status": what is answered, and that a refusal changes no key.
    @Test func everyRowOfTheBehaviourTable() async throws {
        let rows: [(status: String, force: Bool, outcome: ReinviteRefusal?)] = [
            ("INITIAL", false, nil), ("INITIAL", true, nil), ("LIVE", false, .live(holder: nil)),
            ("LIVE", true, .restartWhileLive), ("STOPPING", false, .stopping(status: .stopping, holder: nil)),
            ("STOPPING", true, .stopping(status: .stopping, holder: nil)),
            ("ANALYZING", false, .stopping(status: .analyzing, holder: nil)),
            ("ANALYZING", true, .stopping(status: .analyzing, holder: nil)), ("OFFLINE", false, .offline),
            ("OFFLINE", true, nil), ("PAUSED", false, .unexpectedStatus("PAUSED")),
            ("PAUSED", true, .unexpectedStatus("PAUSED")),
        ]
        for (status, force, refusal) in rows {
            try await World.make { world in
                let meeting = try await world.meeting(["status": status])
                let before = try await world.snapshot()
                let outcome = await world.reinvite(meeting, force: force)
                let after = try await world.snapshot()
                #expect(outcome.refusal == refusal)
                if let dispatch = try? outcome.get() {
                    #expect(dispatch.meetingID == meeting && dispatch.epoch == 1)
                    #expect(dispatch.isRestart == (status == "OFFLINE"))
                    #expect(after[world.keys.inFlight(World.room)] == .string(dispatch.botID))
                    #expect(after[world.keys.lock] == nil)
                    #expect(after[world.keys.partition.dispatch]?.stream?.count == 1)
                    let again = await world.reinvite(meeting, force: force)
                    #expect(again.refusal == .inFlight(holder: nil))
                } else {
                    #expect(after.changes(since: before) == [])
                }
            }
        }
    }

    /// Between the first look and the script the meeting went LIVE: whoever wanted a restart decides anew.
    @Test func aRestartOfWhatIsNoLongerOfflineIsTheCallersToDecide() async throws {
        try await World.make { world in
            let meeting = try await world.meeting(["status": "LIVE"])
            let seen: [Value] = [
                .string("owner"),
                .array([
                    .string(world.workspaceID), .string("OFFLINE"), .string(World.room.platform.rawValue),
                    .string(World.room.nativeID),
                ]),
            ]
            let before = try await world.snapshot()
            let reinvitation = Reinvitation(
                in: world.session,
                visitor: Reinvitation.Visitor(caller: world.owner, meetingID: meeting, replies: seen),
                forceRestart: true, trace: World.trace)
            await #expect(throws: ReinviteRefusal.statusChanged) { try await reinvitation.perform() }
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    @Test func theChecksComeInTheirOrder() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let zoom = try await world.meeting(in: Room(platform: .zoom, nativeID: "123456789"), ["status": "LIVE"])
            let (stranger, _) = try await world.session.users.create(NewUser(email: "b@example.com"))
            let elsewhere = Caller(
                keyID: "k", workspaceID: stranger.workspaceID, userID: String(stranger.id), scopes: ["seameet"])
            let before = try await world.snapshot()
            #expect(await world.reinvite("0123", force: true).refusal == .unknownMeeting)
            #expect(await world.reinvite(meeting, by: elsewhere).refusal == .otherWorkspace)
            #expect(await world.reinvite(zoom).refusal == .notGoogleMeet(.zoom))
            #expect(try await world.snapshot().changes(since: before) == [])
            for role in [nil, Role.viewer, .member] {
                let caller = try await world.caller(role)
                for id in [meeting, zoom, "0123"] {
                    #expect(await world.reinvite(id, by: caller).refusal == .roleTooLow)
                }
            }
            #expect(try await world.snapshot()[world.keys.lock] == nil)
            #expect(await world.reinvite(meeting, by: try await world.caller(.manager)).refusal == nil)
        }
    }

    /// An id that is none may name a key of another kind, or a meeting that was made half-way.
    @Test func whatIsNoMeetingIsUnknown() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let segments = "\(meeting):segments"
            _ = try await world.client.send("XADD", world.keys.partition.meeting(segments), "*", "text", "x")
            #expect(await world.reinvite(segments).refusal == .unknownMeeting)
            _ = try await world.client.send("SET", Keys.locator(meeting: "half"), world.workspaceID)
            #expect(await world.reinvite("half").refusal == .unknownMeeting)
        }
    }

    // MARK: A room that is held

    @Test func aDispatchThatNobodyClaimedIsReplacedOnceItsTimeIsUp() async throws {
        for isOther in [false, true] {
            try await World.make { world in
                let first = try await world.meeting()
                let asked = isOther ? try await world.meeting() : first
                let dead = try await world.reinvite(first).get()
                #expect(await world.reinvite(asked).refusal == .inFlight(holder: isOther ? first : nil))
                _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
                let dispatch = try await world.reinvite(asked).get()
                #expect(dispatch.meetingID == asked && dispatch.epoch == (isOther ? 1 : 2))
                let after = try await world.snapshot()
                #expect(after[world.keys.holder(World.room)] == .string(asked))
                #expect(after[world.keys.bots]?.sortedSet?.keys.sorted() == [dispatch.botID])
                #expect(after[world.keys.partition.dispatch]?.stream?.map { $0["bot_id"] } == [dispatch.botID])
                #expect(after[world.keys.partition.bot(dead.botID)]?.hash?["desired"] == "none")
                #expect(after[world.keys.lock] == nil)
            }
        }
    }

    /// What the meeting that holds the room is answered with; nothing but the lock changes.
    @Test func anotherMeetingsBotInTheRoomIsNamed() async throws {
        let cases: [(fields: [String: String], refusal: @Sendable (String) -> ReinviteRefusal)] = [
            (["status": "LIVE"], { .live(holder: $0) }),
            (["status": "STOPPING"], { .stopping(status: .stopping, holder: $0) }),
            // Its bot waits in the lobby for longer than a dispatch counts as in flight.
            (["status": "INITIAL", "bot_status": "awaiting_admission"], { .inFlight(holder: $0) }),
            (["status": "PAUSED"], { .inFlight(holder: $0) }),
            // By the rules its bot has let go of the room: another hand did not.
            (["status": "OFFLINE"], { .inFlight(holder: $0) }),
        ]
        for (fields, refusal) in cases {
            for force in [false, true] {
                try await World.make { world in
                    let holder = try await world.meeting()
                    let asked = try await world.meeting(force ? ["status": "OFFLINE"] : [:])
                    let dispatch = try await world.reinvite(holder).get()
                    try await world.set(world.keys.partition.bot(dispatch.botID), ["runner": "r"])
                    try await world.set(world.keys.partition.meeting(holder), fields)
                    _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
                    let before = try await world.snapshot()
                    #expect(await world.reinvite(asked, force: force).refusal == refusal(holder))
                    #expect(try await world.snapshot().changes(since: before) == [])
                }
            }
        }
    }

    @Test func aHolderWithoutARecordKeepsTheRoom() async throws {
        try await World.make { world in
            let asked = try await world.meeting()
            _ = try await world.client.send("SET", world.keys.holder(World.room), "gone")
            #expect(await world.reinvite(asked).refusal == .inFlight(holder: "gone"))
        }
    }

    // MARK: The lock

    @Test func aLockThatIsHeldIsWaitedForAndThenLeftAlone() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.client.send("SET", world.keys.lock, "another's", "PX", "60000")
            let before = try await world.snapshot()
            let start = MonotonicTime.now()
            #expect(await world.reinvite(meeting).refusal == .locked)
            #expect(MonotonicTime.now().milliseconds(since: start) >= 149)
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    @Test func aLockThatIsGivenBackInTimeIsTaken() async throws {
        var configuration = World.patient
        configuration.lockWaitMilliseconds = 30_000
        try await World.make(configuration: configuration) { world in
            let meeting = try await world.meeting()
            _ = try await world.client.send("SET", world.keys.lock, "another's", "PX", "60000")
            async let outcome = world.reinvite(meeting)
            // The first try comes before this command, in the same or an earlier write.
            _ = try await world.client.send("DEL", world.keys.lock)
            #expect(await outcome.refusal == nil)
            #expect(try await world.snapshot()[world.keys.lock] == nil)
        }
    }

    // MARK: Many at once

    @Test(arguments: ["one meeting", "a shared room", "a restart"])
    func ofManyAtOnceOneIsAccepted(_ what: String) async throws {
        var configuration = World.patient
        configuration.lockWaitMilliseconds = 20_000
        try await World.make(configuration: configuration) { world in
            let fields = what == "a restart" ? ["status": "OFFLINE"] : [:]
            var meetings = [try await world.meeting(fields)]
            if what == "a shared room" { meetings.append(try await world.meeting(fields)) }
            let outcomes = await withTaskGroup(of: Result<Dispatch, ReinviteRefusal>.self) { group in
                for index in 0..<32 {
                    let meeting = meetings[index % meetings.count]
                    group.addTask(executorPreference: world.client.loop) {
                        await world.reinvite(meeting, force: what == "a restart")
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let accepted = outcomes.compactMap { try? $0.get() }
            #expect(accepted.count == 1)
            for case .failure(let refusal) in outcomes {
                switch refusal {
                case .inFlight, .locked: break
                default: Issue.record("refused by \(refusal)")
                }
            }
            let after = try await world.snapshot()
            #expect(after[world.keys.partition.dispatch]?.stream?.map { $0["bot_id"] } == accepted.map(\.botID))
            #expect(after[world.keys.inFlight(World.room)]?.string == accepted.first?.botID)
            #expect(after[world.keys.lock] == nil)
        }
    }
}
