import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// `plan_meeting.lua`, `cancel_plan.lua` and `send_planned.lua`, and what a node makes of them.
@Suite(.takesTurns) struct PlanScriptTests {
    private static let lead = 60_000
    private static let late = 600_000

    /// A planned meeting whose bot is due `offset` ms from now.
    private static func plan(
        _ world: World, dueIn offset: Int, in room: Room = World.room, autoJoin: Bool? = nil
    ) async throws -> Meeting {
        let new = NewMeeting(
            link: try MeetingLink(platform: room.platform, nativeID: room.nativeID),
            scheduledAt: try await world.now() + lead + offset, autoJoin: autoJoin, botName: "Nora")
        return try #require(try await world.session.meetings.create(new, by: world.owner).made)
    }

    private static func send(_ meeting: Meeting, _ world: World) async throws -> Scripts.SendPlanned.Reply {
        let plan = try #require(Plan(world.keys.member(meeting.id)))
        return try await world.session.meetings.sendPlanned(plan, trace: World.trace)
    }

    /// When its bot is tried to be sent next.
    private static func due(_ meeting: Meeting, _ world: World) async throws -> Int? {
        try await world.snapshot()[world.keys.partition.plans]?.sortedSet?[world.keys.member(meeting.id)]
            .flatMap { Int($0) }
    }

    private static func event(_ world: World) async throws -> [String: String] {
        var event = try #require(try await world.snapshot()[world.keys.partition.events]?.stream?.last)
        for name in ["<id>", "at"] { event[name] = nil }
        return event
    }

    private static func sendAll(_ world: World) async throws {
        try await PlannedBots(store: world.store, logger: Logger(minimum: .error)).sendAll(world.session)
    }

    /// Redis has become full since the sweep looked: what is due is tried again at once when there is room.
    @Test func whatAFullRedisRefusesStaysDue() async throws {
        try await World.make(on: try RedisServer()) { world in
            let meeting = try await Self.plan(world, dueIn: 0)
            let due = try await Self.due(meeting, world)
            for (limit, isSent) in [("1", false), ("0", true)] {
                _ = try await world.client.send("CONFIG", "SET", "maxmemory", limit)
                try await Self.sendAll(world)
                #expect(try await Self.due(meeting, world) == (isSent ? nil : due))
                #expect(try await world.fields(meeting.id)["bot_status"] == (isSent ? "requested" : nil))
            }
        }
    }

    // MARK: Planning

    @Test func aPlanIsDueBeforeItsTime() async throws {
        try await World.make { world in
            let meeting = try await Self.plan(world, dueIn: 3_600_000)
            let time = try #require(meeting.scheduledAt)
            #expect(try await Self.due(meeting, world) == time - Self.lead)
            #expect(meeting.isPlanned && meeting.autoJoin && meeting.fields["bot_name"] == "Nora")
            let unwanted = try await Self.plan(world, dueIn: 3_600_000, autoJoin: false)
            #expect(try await Self.due(unwanted, world) == nil && unwanted.scheduledAt != nil)
        }
    }

    @Test func whatIsTooLongAgoIsNotPlanned() async throws {
        try await World.make { world in
            let room = World.room
            let new = NewMeeting(
                link: try MeetingLink(platform: room.platform, nativeID: room.nativeID),
                scheduledAt: try await world.now() - Self.late - 1)
            let before = try await world.snapshot()
            guard case .oddTime = try await world.session.meetings.create(new, by: world.owner)
            else {
                Issue.record("it was made")
                return
            }
            #expect(try await world.snapshot().changes(since: before) == [Keys.meetingSequence])
        }
    }

    @Test func aPlanMovesAndIsCleared() async throws {
        try await World.make { world in
            let keys = world.keys
            let meeting = try await Self.plan(world, dueIn: 3_600_000)
            let time = try #require(meeting.scheduledAt)
            func change(_ edit: (inout PlanChanges) -> Void) async throws -> Meetings.PlanChange {
                var changes = PlanChanges()
                edit(&changes)
                return try await world.session.meetings.change(meeting, changes, by: world.owner.userID)
            }
            let before = try await world.snapshot()
            guard
                case .changed(let moved) = try await change({
                    $0.scheduledAt = time + 1_000
                    $0.title = "Weekly"
                })
            else { throw TestServerError("it was not changed") }
            #expect(moved.scheduledAt == time + 1_000 && moved.title == "Weekly")
            #expect(try await Self.due(meeting, world) == time + 1_000 - Self.lead)
            #expect(
                try await world.snapshot().changes(since: before)
                    == [
                        keys.partition.meeting(meeting.id), keys.partition.plans, keys.planned(World.room),
                        keys.workspace, keys.partition.events,
                    ])

            _ = try await change { $0.autoJoin = false }
            #expect(try await Self.due(meeting, world) == nil)
            _ = try await change { $0.autoJoin = true }
            #expect(try await Self.due(meeting, world) == time + 1_000 - Self.lead)
            _ = try await change {
                $0.scheduledAt = .some(nil)
                $0.title = .some(nil)
            }
            #expect(try await Self.due(meeting, world) == nil)
            #expect(try await world.fields(meeting.id)["title"] == nil)

            try await world.expectNoChange {
                guard case .oddTime = try await change({ $0.scheduledAt = 1 }) else {
                    Issue.record("it was changed")
                    return
                }
            }
            try await world.set(keys.workspace, ["max_bytes": "1"])
            try await world.expectNoChange {
                guard case .workspaceFull = try await change({ $0.title = "More than there was" }) else {
                    Issue.record("it was changed")
                    return
                }
            }
            _ = try await world.client.send("HDEL", keys.workspace, "max_bytes")
            _ = try await world.send(to: meeting.id)
            try await world.expectNoChange {
                guard case .notPlanned = try await change({ $0.title = "Late" }) else {
                    Issue.record("it was changed")
                    return
                }
            }
            _ = try await world.client.send("DEL", keys.partition.meeting(meeting.id))
            try await world.expectNoChange {
                guard case .unknown = try await change({ $0.title = "Late" }) else {
                    Issue.record("it was changed")
                    return
                }
            }
        }
    }

    /// What is planned anew counts as missed no more; what is changed otherwise still does.
    @Test func whatWasMissedIsPlannedAnew() async throws {
        try await World.make { world in
            let meeting = try await Self.plan(world, dueIn: 0)
            try await world.set(world.keys.partition.meeting(meeting.id), ["scheduled_at": "1"])
            try await Self.sendAll(world)
            var changes = PlanChanges()
            changes.title = "Weekly"
            _ = try await world.session.meetings.change(meeting, changes, by: world.owner.userID)
            #expect(try await Self.due(meeting, world) == nil)
            let missed = try await world.fields(meeting.id)
            #expect(missed["missed_at"] != nil && missed["auto_join_error"] == "too_late")
            let time = try await world.now() + 3_600_000
            changes.scheduledAt = time
            _ = try await world.session.meetings.change(meeting, changes, by: world.owner.userID)
            #expect(try await Self.due(meeting, world) == time - Self.lead)
            let fields = try await world.fields(meeting.id)
            #expect(fields["missed_at"] == nil && fields["auto_join_error"] == nil)
        }
    }

    @Test func aRoomHasOnePlanForATime() async throws {
        try await World.make { world in
            let first = try await Self.plan(world, dueIn: 3_600_000)
            let time = try #require(first.scheduledAt)
            let new = NewMeeting(
                link: try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID),
                scheduledAt: time)
            let before = try await world.snapshot()
            guard
                case .plannedAlready(first.id) = try await world.session.meetings.create(new, by: world.owner)
            else { throw TestServerError("it was made") }
            #expect(try await world.snapshot().changes(since: before) == [Keys.meetingSequence])
            let second = try await Self.plan(world, dueIn: 7_200_000)
            var changes = PlanChanges()
            changes.scheduledAt = time
            try await world.expectNoChange { [changes] in
                guard
                    case .plannedAlready(first.id) = try await world.session.meetings.change(
                        second, changes, by: world.owner.userID)
                else { throw TestServerError("it was changed") }
            }
        }
    }

    /// What is only changed back and forth takes no bytes, and gives none back.
    @Test func timesTakeNoBytes() async throws {
        try await World.make { world in
            let meeting = try await Self.plan(world, dueIn: 3_600_000)
            let time = try #require(meeting.scheduledAt)
            func bytes() async throws -> String? { try await world.snapshot()[world.keys.workspace]?.hash?["bytes"] }
            let before = try await bytes()
            for change in [nil, time, nil, time + 1_000] as [Int?] {
                var changes = PlanChanges()
                changes.scheduledAt = .some(change)
                _ = try await world.session.meetings.change(meeting, changes, by: world.owner.userID)
            }
            #expect(try await bytes() == before)
        }
    }

    @Test func nothingIsSentAfterItsTimeThatWasNotWantedBefore() async throws {
        try await World.make { world in
            let meeting = try await Self.plan(world, dueIn: 0, autoJoin: false)
            try await world.set(world.keys.partition.meeting(meeting.id), ["scheduled_at": "1"])
            var changes = PlanChanges()
            changes.autoJoin = true
            try await world.expectNoChange { [changes] in
                guard case .oddTime = try await world.session.meetings.change(meeting, changes, by: world.owner.userID)
                else {
                    throw TestServerError("it was changed")
                }
            }
            changes.autoJoin = nil
            changes.scheduledAt = try await world.now() + 400 * 86_400_000
            try await world.expectNoChange { [changes] in
                guard case .oddTime = try await world.session.meetings.change(meeting, changes, by: world.owner.userID)
                else {
                    throw TestServerError("it was changed")
                }
            }
        }
    }

    // MARK: Cancelling

    @Test func aStopCancelsWhatIsPlanned() async throws {
        try await World.make { world in
            let keys = world.keys
            let meeting = try await Self.plan(world, dueIn: 3_600_000)
            let before = try await world.snapshot()
            let (stop, place) = try await world.session.bots.stop(in: World.room, by: world.owner)
            #expect(stop == .cancelled && place.meetingID == meeting.id)
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    keys.partition.meeting(meeting.id), keys.partition.plans, keys.planned(World.room),
                    keys.partition.events, keys.partition.ended, keys.partition.feed(ofMeeting: meeting.id), keys.feed,
                ])
            let fields = try await world.fields(meeting.id)
            #expect(fields["status"] == "OFFLINE" && fields["bot_status"] == "completed")
            #expect(fields["completion_reason"] == "stopped")
            #expect(
                try await Self.event(world) == [
                    "what": "completed", "meeting_id": meeting.id, "bot_id": "", "from": "INITIAL/",
                    "to": "OFFLINE/completed", "why": "user 1", "trace_id": "",
                ])
            try await world.expectNoChange {
                await #expect(throws: BotRefusal.noBot) {
                    try await world.session.bots.stop(in: World.room, by: world.owner)
                }
            }
        }
    }

    @Test func aStopCancelsWhatIsNextAndThenWhatFollows() async throws {
        try await World.make { world in
            let later = try await Self.plan(world, dueIn: 7_200_000)
            let sooner = try await Self.plan(world, dueIn: 3_600_000)
            // Newer than both, and planned for no time.
            _ = try await world.meeting()
            for expected in [sooner.id, later.id] {
                let (stop, place) = try await world.session.bots.stop(in: World.room, by: world.owner)
                #expect(stop == .cancelled && place.meetingID == expected)
            }
            await #expect(throws: BotRefusal.noBot) {
                try await world.session.bots.stop(in: World.room, by: world.owner)
            }
        }
    }

    /// One that is sent its bot between a stop's two looks is stopped all the same.
    @Test func aStopThatMeetsTheSendingIsNotLost() async throws {
        try await World.make { world in
            let meeting = try await Self.plan(world, dueIn: -1)
            let later = try await Self.plan(world, dueIn: 90_000_000)
            async let stopped = world.session.bots.stop(in: World.room, by: world.owner)
            async let sent = Self.send(meeting, world)
            _ = try await (stopped, sent)
            #expect(try await world.fields(meeting.id)["bot_status"] == "completed")
            #expect(try await world.snapshot()[world.keys.holder(World.room)] == nil)
            #expect(try await world.fields(later.id)["bot_status"] == nil)
        }
    }

    /// The bot that has come meanwhile is the one to be stopped, and not what is planned after it; nor is anything that is
    /// planned after what the same request has cancelled.
    @Test(arguments: ["here", "elsewhere", nil]) func nothingIsCancelledWhereABotIs(_ bot: String?) async throws {
        try await World.make { world in
            let later = try await Self.plan(world, dueIn: 90_000_000)
            let room = bot == "here" ? World.room : Room(platform: .googleMeet, nativeID: "oth-erro-oms")
            let requestKey = world.keys.workspace + ":request:x"
            if bot == nil {
                _ = try await world.client.send("SET", requestKey, "0 - another")
            } else {
                _ = try await world.client.send("SET", world.keys.holder(room), "another")
            }
            try await world.expectNoChange {
                let keys = world.keys
                let reply = try await world.run(
                    Scripts.CancelPlan(
                        meetingKey: keys.partition.meeting(later.id), plansKey: keys.partition.plans,
                        plannedKey: keys.planned(World.room), eventsKey: keys.partition.events,
                        endedKey: keys.partition.ended, webhooksKey: keys.webhooks,
                        outboxKey: keys.partition.outbox,
                        operatorKey: keys.partition.operatorEndpoint,
                        feedKey: keys.partition.feed(ofMeeting: later.id),
                        feedsKey: keys.feed, roomKey: keys.holder(World.room), otherKey: keys.holder(room),
                        requestKey: requestKey, meetingID: later.id, plan: keys.member(later.id), maxEvents: 1_000,
                        why: "user 1", requestMilliseconds: 600_000))
                #expect(reply == .string(bot == nil ? "done_before" : "room_held"))
            }
        }
    }

    /// A plan whose bot was sent by hand stands in nobody's way.
    @Test func aTimeThatWasServedCanBePlannedAgain() async throws {
        try await World.make { world in
            let served = try await Self.plan(world, dueIn: 60_000)
            let bot = try await world.bot(at: served.id, .joining, .active)
            _ = try await world.report(bot, "completed", reason: "left_alone")
            let new = NewMeeting(
                link: try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID),
                scheduledAt: served.scheduledAt)
            let again = try await world.session.meetings.create(new, by: world.owner)
            #expect(again.made != nil && again.made?.id != served.id)
        }
    }

    /// A room's meetings of other days keep theirs.
    @Test(arguments: [(3_000_000, true), (4_000_000, false)])
    func aBotSentByHandServesWhatIsPlannedForAboutNow(_ offset: Int, _ isServed: Bool) async throws {
        try await World.make { world in
            let planned = try await Self.plan(world, dueIn: offset - Self.lead)
            let link = try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID)
            let (meeting, _) = try await world.session.bots.request(
                BotRequest(link: link), by: world.owner, trace: World.trace)
            #expect((meeting.id == planned.id) == isServed)
            #expect(try await Self.due(planned, world) == planned.scheduledAt.map { $0 - Self.lead })
        }
    }

    // MARK: Sending

    @Test func itIsSentWhenItIsDueAndOnce() async throws {
        try await World.make { world in
            let keys = world.keys
            let meeting = try await Self.plan(world, dueIn: 3_600_000)
            try await world.expectNoChange {
                let reply = try await Self.send(meeting, world)
                #expect(reply == .notDue)
            }
            _ = try await world.client.send("ZADD", keys.partition.plans, "1", keys.member(meeting.id))
            try await world.set(keys.partition.meeting(meeting.id), ["auto_join_error": "room_taken"])
            let before = try await world.snapshot()
            #expect(try await Self.send(meeting, world) == .sent(epoch: 1))
            let fields = try await world.fields(meeting.id)
            let bot = try #require(fields["bot_id"])
            #expect(fields["bot_status"] == "requested" && fields["auto_join_error"] == nil)
            #expect(
                try await world.snapshot().changes(since: before) == [
                    keys.partition.meeting(meeting.id), keys.partition.plans, keys.planned(World.room),
                    keys.partition.events, keys.partition.feed(ofMeeting: meeting.id), keys.feed,
                    keys.partition.bot(bot), keys.partition.dispatch, keys.bots,
                    keys.holder(World.room),
                    keys.inFlight(World.room),
                ])
            let event = try await Self.event(world)
            #expect(event["what"] == "dispatched" && event["why"] == "plan" && event["bot_id"] == bot)
            // Asked again, by another node or after an answer that was lost.
            try await world.expectNoChange {
                let reply = try await Self.send(meeting, world)
                #expect(reply == .notDue)
            }
            // As if a command had failed before it was taken from the plans.
            _ = try await world.client.send("ZADD", keys.partition.plans, "1", keys.member(meeting.id))
            let sent = try await world.snapshot()
            #expect(try await Self.send(meeting, world) == .served)
            #expect(try await world.snapshot().changes(since: sent) == [keys.partition.plans])
        }
    }

    @Test func whatKeepsItFromItsRoomIsNotedAndTriedAgain() async throws {
        try await World.make { world in
            let keys = world.keys
            let holder = try await world.meeting()
            let bot = try await world.bot(at: holder, .joining, .active)
            let meeting = try await Self.plan(world, dueIn: -1)
            let now = try await world.now()
            let before = try await world.snapshot()
            #expect(try await Self.send(meeting, world) == .waits(reason: "room_taken"))
            #expect(
                try await world.snapshot().changes(since: before) == [
                    keys.partition.meeting(meeting.id), keys.partition.plans, keys.partition.events,
                ])
            let again = try #require(try await Self.due(meeting, world))
            #expect((now + 30_000...now + 60_000).contains(again))
            #expect(try await world.fields(meeting.id)["auto_join_error"] == "room_taken")
            let event = try await Self.event(world)
            #expect(event["what"] == "not_sent" && event["why"] == "room_taken")
            // The same reason is no news.
            _ = try await world.client.send("ZADD", keys.partition.plans, "1", keys.member(meeting.id))
            let noted = try await world.snapshot()
            #expect(try await Self.send(meeting, world) == .waitsStill(reason: "room_taken"))
            #expect(try await world.snapshot().changes(since: noted) == [keys.partition.plans])

            _ = try await world.report(bot, "completed", reason: "left_alone")
            try await world.set(keys.workspace, ["max_concurrent_bots": "0"])
            _ = try await world.client.send("ZADD", keys.partition.plans, "1", keys.member(meeting.id))
            #expect(try await Self.send(meeting, world) == .waits(reason: "too_many_bots"))
            #expect(try await world.fields(meeting.id)["auto_join_error"] == "too_many_bots")
        }
    }

    @Test func itIsMissedWhenItIsTooLate() async throws {
        try await World.make { world in
            let keys = world.keys
            let meeting = try await Self.plan(world, dueIn: -1)
            for (reason, noted) in [("too_late", nil), ("room_taken", "room_taken")] {
                try await world.set(keys.partition.meeting(meeting.id), ["scheduled_at": "1"])
                if let noted { try await world.set(keys.partition.meeting(meeting.id), ["auto_join_error": noted]) }
                _ = try await world.client.send("ZADD", keys.partition.plans, "1", keys.member(meeting.id))
                let before = try await world.snapshot()
                #expect(try await Self.send(meeting, world) == .missed(reason: reason))
                #expect(
                    try await world.snapshot().changes(since: before).subtracting([keys.planned(World.room)]) == [
                        keys.partition.meeting(meeting.id), keys.partition.plans, keys.partition.events,
                        keys.partition.ended,
                    ])
                #expect(try await world.snapshot()[keys.planned(World.room)] == nil)
                let fields = try await world.fields(meeting.id)
                #expect(fields["missed_at"] != nil && fields["auto_join_error"] == reason)
                #expect(fields["status"] == "INITIAL" && fields["bot_status"] == nil)
                let event = try await Self.event(world)
                #expect(event["what"] == "missed" && event["why"] == reason && event["to"] == "INITIAL/")
                // It is told once, though another hand may have kept it among the plans.
                _ = try await world.client.send("ZADD", keys.partition.plans, "1", keys.member(meeting.id))
                let told = try await world.snapshot()
                #expect(try await Self.send(meeting, world) == .missed(reason: reason))
                #expect(try await world.snapshot().changes(since: told) == [keys.partition.plans])
                _ = try await world.client.send(
                    "HDEL", keys.partition.meeting(meeting.id), "auto_join_error", "missed_at")
            }
            // It is open to re-invitation.
            _ = try await world.send(to: meeting.id)
        }
    }

    @Test(arguments: Stage.allCases)
    func oneThatHasHadABotIsServed(_ stage: Stage) async throws {
        try await World.make { world in
            let meeting = try await Self.plan(world, dueIn: -1)
            let place = try await world.bot(at: meeting.id)
            try await world.tell(place, stage.reports)
            let before = try await world.snapshot()
            #expect(try await Self.send(meeting, world) == .served)
            #expect(
                try await world.snapshot().changes(since: before) == [
                    world.keys.partition.plans, world.keys.planned(World.room),
                ])
        }
    }

    /// A Teams meeting's number, and then its thread: the two are one room.
    @Test func aRoomThatBecameANameIsAnothers() async throws {
        try await World.make { world in
            let keys = world.keys
            let number = Room(platform: .teams, nativeID: "9398850880426")
            let thread = Room(platform: .teams, nativeID: "19:meeting_abc@thread.v2")
            let meeting = try await Self.plan(world, dueIn: -1, in: number)
            _ = try await world.client.send("HSET", keys.names, number.description, thread.description)
            // Seen too early: the script refuses, and nothing is changed.
            let plan = keys.member(meeting.id)
            let bot = Identifier.bot(in: keys.partition)
            try await world.expectNoChange {
                let reply = try await world.run(
                    Scripts.SendPlanned(
                        workspaceKey: keys.workspace, inflightKey: keys.inFlight(number),
                        roomKey: keys.holder(number), botsKey: keys.bots,
                        meetingKey: keys.partition.meeting(meeting.id), botKey: keys.partition.bot(bot),
                        dispatchKey: keys.partition.dispatch, eventsKey: keys.partition.events,
                        webhooksKey: keys.webhooks, outboxKey: keys.partition.outbox,
                        operatorKey: keys.partition.operatorEndpoint,
                        plansKey: keys.partition.plans, plannedKey: keys.planned(number),
                        endedKey: keys.partition.ended, feedKey: keys.partition.feed(ofMeeting: meeting.id),
                        feedsKey: keys.feed, namesKey: keys.names, otherKey: keys.holder(number),
                        anotherKey: keys.holder(number), meetingID: meeting.id, plan: plan,
                        workspaceID: world.workspaceID, room: number.description, nativeID: number.nativeID,
                        botID: bot, inflightMilliseconds: 600_000, maxEvents: 1_000, defaultMaxBots: 10,
                        lateMilliseconds: Self.late, retryMilliseconds: 30_000, traceparent: ""))
                #expect(reply == .parts("look_again"))
            }
            #expect(try await Self.send(meeting, world) == .sent(epoch: 1))
            #expect(try await world.snapshot()[keys.holder(thread)] == .string(meeting.id))
            #expect(try await world.fields(meeting.id)["native_meeting_id"] == thread.nativeID)
        }
    }

    // MARK: All that is due

    @Test func whatIsDueIsSentAndNothingElse() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            func room(_ index: Int) -> Room {
                Room(platform: .zoom, nativeID: String(10_000_000_000 + index))
            }
            var due: [Meeting] = []
            for index in 0..<5 { due.append(try await Self.plan(world, dueIn: -1, in: room(index))) }
            let later = try await Self.plan(world, dueIn: 3_600_000, in: room(9))
            // What is no plan, another partition's, or gone, stands in nobody's way.
            let elsewhere = try #require((0..<100).map { "other\($0)" }.first { Partition(workspace: $0) != partition })
            let others = ["", "x", "\(world.workspaceID) gone", "\(world.workspaceID) a b", "\(elsewhere) \(later.id)"]
            for other in others {
                _ = try await world.client.send("ZADD", partition.plans, "1", other)
            }
            try await Self.sendAll(world)
            for meeting in due { #expect(try await world.fields(meeting.id)["bot_status"] == "requested") }
            #expect(try await world.fields(later.id)["bot_status"] == nil)
            #expect(
                try await world.snapshot()[partition.plans]?.sortedSet?.keys.sorted()
                    == [world.keys.member(later.id)])
            #expect(world.store.metrics.plansSent == 5 && world.store.metrics.plansMissed == 0)
            let before = try await world.snapshot()
            try await Self.sendAll(world)
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    /// However many a workspace has planned beyond its limit, others' bots are sent in the same round; and each of its own
    /// meetings says why it has none.
    @Test func whatHasToWaitHoldsNobodyUp() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            try await world.set(world.keys.workspace, ["max_concurrent_bots": "0"])
            var waiting: [Meeting] = []
            for index in 0..<12 {
                let room = Room(platform: .zoom, nativeID: String(10_000_000_000 + index))
                waiting.append(try await Self.plan(world, dueIn: -1_000, in: room))
            }
            let owner = try #require(Int(world.owner.userID))
            var other = ""
            while other.isEmpty || Partition(workspace: other) != partition {
                other = try await world.session.workspaces.create(name: "W", owner: owner, maximumConcurrentBots: nil)
                    .id
            }
            let caller = Caller(keyID: "k", workspaceID: other, userID: world.owner.userID, scopes: [])
            let new = NewMeeting(
                link: try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID),
                scheduledAt: try await world.now() + Self.lead - 1)
            let sent = try #require(try await world.session.meetings.create(new, by: caller).made)
            var planned = PlannedBots(store: world.store, logger: Logger(minimum: .error))
            (planned.batch, planned.mostFruitless) = (5, 4)
            for round in 1...3 {
                try await planned.sendAll(world.session)
                #expect(try await world.fields(sent.id)["bot_status"] == "requested")
                var reasons: [String] = []
                for meeting in waiting {
                    if let reason = try await world.fields(meeting.id)["auto_join_error"] { reasons.append(reason) }
                }
                #expect(reasons == Array(repeating: "too_many_bots", count: 4 * round))
            }
        }
    }

    /// A record that fails by itself is tried again later, and keeps nobody from their turn.
    @Test func oneThatFailsIsPassedOver() async throws {
        try await World.make { world in
            let keys = world.keys
            let broken = try await Self.plan(world, dueIn: -2)
            let unknown = try await Self.plan(
                world, dueIn: -2, in: Room(platform: .zoom, nativeID: "10000000001"))
            let sound = try await Self.plan(world, dueIn: -1, in: Room(platform: .zoom, nativeID: "10000000002"))
            _ = try await world.client.send("DEL", keys.partition.meeting(broken.id))
            _ = try await world.client.send("SET", keys.partition.meeting(broken.id), "x")
            // Of the version after this one.
            try await world.set(keys.partition.meeting(unknown.id), ["platform": "webex"])
            let now = try await world.now()
            try await Self.sendAll(world)
            #expect(try await world.fields(sound.id)["bot_status"] == "requested")
            for plan in [broken, unknown] { #expect(try await Self.due(plan, world) ?? 0 >= now + 29_000) }
        }
    }

    @Test func aMissedOneIsRemovedInItsTime() async throws {
        var configuration = World.patient
        configuration.retentionMilliseconds = 1
        try await World.make(configuration: configuration) { world in
            let meeting = try await Self.plan(world, dueIn: -1)
            try await world.set(world.keys.partition.meeting(meeting.id), ["scheduled_at": "1"])
            try await Self.sendAll(world)
            _ = try await world.client.send("ZADD", world.keys.partition.ended, "1", meeting.id)
            #expect(try await world.session.meetings.purge(meeting.id, in: world.keys.partition))
            #expect(try await world.fields(meeting.id) == [:])
        }
    }

    @Test func workspacesTakeTurns() {
        let plans = ["a 1", "a 2", "a 3", "b 1", "c 1", "c 2"].compactMap { Plan($0) }
        #expect(Plan.inTurn(plans).map(\.member) == ["a 1", "b 1", "c 1", "a 2", "c 2", "a 3"])
    }
}
