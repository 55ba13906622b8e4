import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// From ANALYZING to OFFLINE, and how long records are kept.
@Suite(.takesTurns) struct FinaliseTests {
    /// A meeting in ANALYZING, with a transcript, as a node leaves it that stops after the bot's last report.
    private static func make(_ body: @escaping @Sendable (World, String, BotPlace) async throws -> Void) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining, .active)
            for (index, speaker) in ["Bo", "Anna", "Bo"].enumerated() {
                let more = #","speaker":"\#(speaker)","language":"\#(index == 0 ? "es" : "en")""#
                _ = try await world.ingest(one("s\(index)", "x", start: Double(index), more: more), for: meeting)
            }
            let reply = try await world.report(bot, "completed", reason: "left_alone")
            #expect(reply == .parts("accepted", "ANALYZING", "completed"))
            try await body(world, meeting, bot)
        }
    }

    private static func sweep(_ world: World, retention: Int = 0) async throws {
        var configuration = World.patient
        configuration.retentionMilliseconds = retention
        let store = Store(client: world.client, configuration: configuration)
        let sweeper = Sweeper(store: store, logger: Logger(minimum: .error))
        try await sweeper.sweep(store.session(until: Client.soon))
    }

    /// Makes what waits to be collected due.
    private static func age(_ world: World, _ key: String, _ meeting: String) async throws {
        _ = try await world.client.send("ZADD", key, "XX", "1", meeting)
    }

    private static func finalise(_ world: World, _ meeting: String) async throws -> Bool {
        try await world.session.transcripts.finalise(meeting: meeting, workspace: world.workspaceID)
    }

    @Test func theRecordGetsWhoSpokeAndInWhatLanguage() async throws {
        try await Self.make { world, meeting, _ in
            let before = try await world.fields(meeting)
            #expect(try await Self.finalise(world, meeting))
            let after = try await world.fields(meeting)
            let done = try await world.snapshot()
            let changed = [
                "status": "OFFLINE", "participants": #"["Bo","Anna"]"#, "languages": #"["en","es"]"#,
                "events": done.events(of: meeting, world.keys),
            ]
            #expect(after == before.merging(changed) { $1 })
            #expect(done[world.keys.partition.analyzing] == nil)
            #expect(try await !Self.finalise(world, meeting))
            #expect(try await world.snapshot().changes(since: done) == [])
        }
    }

    @Test func aNodeThatStoppedHalfWayIsMadeGoodByTheSweep() async throws {
        try await Self.make { world, meeting, _ in
            // The node that took the report in has a while for it.
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["status"] == "ANALYZING")
            try await Self.age(world, world.keys.partition.analyzing, meeting)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["status"] == "OFFLINE")
            #expect(try await world.snapshot()[world.keys.partition.analyzing] == nil)
        }
    }

    /// As after a failover of the primary of a Cluster that has what leads to the meeting, and not the meeting.
    @Test func aMeetingThatNothingLeadsToIsFinalisedToo() async throws {
        try await Self.make { world, meeting, _ in
            _ = try await world.client.send("DEL", Keys.locator(meeting: meeting))
            try await Self.age(world, world.keys.partition.analyzing, meeting)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["status"] == "OFFLINE")
            #expect(try await world.snapshot()[world.keys.partition.analyzing] == nil)
        }
    }

    @Test func theLastReportFinalisesAtOnce() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining, .active)
            let outcome = try await world.session.bots.report(BotReport(status: .completed), from: bot)
            #expect(outcome == .taken(status: "ANALYZING", botStatus: "completed"))
            #expect(try await world.fields(meeting)["status"] == "OFFLINE")
        }
    }

    @Test func whatComesLateIsCollectedToo() async throws {
        try await Self.make { world, meeting, bot in
            _ = try await Self.finalise(world, meeting)
            let late = one("late", "bye", start: 9, more: #","speaker":"Cleo","language":"en""#)
            let message = try SegmentMessage(json: late.utf8, assumedType: "transcription")
            #expect(try await world.session.transcripts.ingest(message, from: bot) == .stored(changed: 1))
            try await Self.age(world, world.keys.partition.analyzing, meeting)
            try await Self.sweep(world)
            let fields = try await world.fields(meeting)
            #expect(fields["participants"] == #"["Bo","Anna","Cleo"]"# && fields["status"] == "OFFLINE")
            #expect(try await world.snapshot()[world.keys.partition.analyzing] == nil)
        }
    }

    @Test func whatCameInWhileItWasCollectedIsNotForgotten() async throws {
        try await Self.make { world, meeting, bot in
            // The revision that was seen is an older one than the record has by now.
            let partition = world.keys.partition
            let reply = try await world.run(
                Scripts.Finalise(
                    meetingKey: partition.meeting(meeting), analyzingKey: partition.analyzing,
                    eventsKey: partition.events, botKey: partition.bot(bot.botID), webhooksKey: world.keys.webhooks,
                    outboxKey: partition.outbox,
                    operatorKey: partition.operatorEndpoint, feedKey: partition.feed(ofMeeting: meeting),
                    feedsKey: world.keys.feed,
                    meetingID: meeting,
                    botID: bot.botID, revision: "1", participants: "[]", languages: "[]",
                    maxEvents: 1_000))
            #expect(reply == .string("finalised"))
            #expect(try await world.snapshot()[partition.analyzing] != nil)
            try await Self.age(world, partition.analyzing, meeting)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["participants"] == #"["Bo","Anna"]"#)
            #expect(try await world.snapshot()[partition.analyzing] == nil)
        }
    }

    @Test func aNodeThatStoodStillSinceItReadTheTranscriptChangesNothing() async throws {
        try await Self.make { world, meeting, bot in
            let partition = world.keys.partition
            _ = try await Self.finalise(world, meeting)
            try await world.expectNoChange {
                let reply = try await world.run(
                    Scripts.Finalise(
                        meetingKey: partition.meeting(meeting), analyzingKey: partition.analyzing,
                        eventsKey: partition.events, botKey: partition.bot(bot.botID),
                        webhooksKey: world.keys.webhooks, outboxKey: partition.outbox,
                        operatorKey: partition.operatorEndpoint,
                        feedKey: partition.feed(ofMeeting: meeting), feedsKey: world.keys.feed, meetingID: meeting,
                        botID: bot.botID, revision: "1", participants: "[]", languages: "[]", maxEvents: 1_000))
                #expect(reply == .string("up_to_date"))
            }
        }
    }

    @Test func aForcedRestartIsNotUndone() async throws {
        try await Self.make { world, meeting, first in
            _ = try await Self.finalise(world, meeting)
            _ = try await world.ingest(one("late", "x", more: #","speaker":"Cleo""#), for: meeting)
            guard case .success = await world.reinvite(meeting, force: true) else {
                Issue.record("the restart was refused")
                return
            }
            let restarted = try await world.fields(meeting)
            // A node that read the record before the restart, and one that sweeps after it.
            let partition = world.keys.partition
            let reply = try await world.run(
                Scripts.Finalise(
                    meetingKey: partition.meeting(meeting), analyzingKey: partition.analyzing,
                    eventsKey: partition.events, botKey: partition.bot(first.botID), webhooksKey: world.keys.webhooks,
                    outboxKey: partition.outbox,
                    operatorKey: partition.operatorEndpoint, feedKey: partition.feed(ofMeeting: meeting),
                    feedsKey: world.keys.feed,
                    meetingID: meeting,
                    botID: first.botID, revision: nil, participants: "[]", languages: "[]",
                    maxEvents: 1_000))
            #expect(reply == .string("not_over"))
            #expect(try await !Self.finalise(world, meeting))
            #expect(try await world.fields(meeting) == restarted)
            #expect(restarted["status"] == "INITIAL" && restarted["bot_status"] == "requested")
            // At the end of the new session both transcripts count.
            let second = world.place(meeting, try #require(restarted["bot_id"]))
            try await world.claim(second)
            try await world.tell(second, [.joining, .active, .completed])
            #expect(try await world.fields(meeting)["participants"] == #"["Bo","Cleo","Anna"]"#)
        }
    }

    @Test func whatAUserWroteStays() async throws {
        try await Self.make { world, meeting, _ in
            let record = try #require(
                try await world.session.meetings.meeting(id: meeting, workspace: world.workspaceID))
            _ = try await world.session.meetings.update(record, fields: ["participants": #"["Me"]"#])
            _ = try await Self.finalise(world, meeting)
            let fields = try await world.fields(meeting)
            #expect(fields["participants"] == #"["Me"]"# && fields["languages"] == #"["en","es"]"#)
        }
    }

    // MARK: Retention

    @Test func anEndedMeetingIsRemovedWhenItsTimeIsOver() async throws {
        try await Self.make { world, meeting, bot in
            let partition = world.keys.partition
            let number = try #require(try await world.fields(meeting)["number"].flatMap { Int($0) })
            try await Self.age(world, partition.ended, meeting)
            // Not while its transcript is being collected, and not for ever unless it is asked for.
            try await Self.sweep(world, retention: 1_000)
            #expect(try await world.fields(meeting)["status"] == "ANALYZING")
            _ = try await Self.finalise(world, meeting)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["status"] == "OFFLINE")
            let before = try await world.snapshot()
            try await Self.sweep(world, retention: 1_000)
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    partition.meeting(meeting), partition.segments(ofMeeting: meeting), partition.ended,
                    world.keys.meetings, world.keys.latest(World.room), world.keys.held(World.room),
                    Keys.locator(meeting: meeting), Keys.locator(number: number), world.keys.workspace,
                    partition.feed(ofMeeting: meeting),
                ])
            for key in after.changes(since: before) where key != world.keys.workspace { #expect(after[key] == nil) }
            // It was the only one.
            #expect(after[world.keys.workspace]?.hash?["bytes"] == nil)
            #expect(try await world.ingest(one("s", "late"), for: meeting) == .unknownMeeting)
            let message = try SegmentMessage(json: one("s", "late").utf8, assumedType: "transcription")
            #expect(try await world.session.transcripts.ingest(message, from: bot) == .unknownMeeting)
            #expect(try await world.snapshot().changes(since: after) == [])
        }
    }

    /// What leads to it is removed by a later sweep; and it leads nowhere meanwhile.
    @Test func aNodeThatStoppedWhileItRemovedAMeetingIsMadeGoodByTheSweep() async throws {
        try await Self.make { world, id, _ in
            _ = try await Self.finalise(world, id)
            let meeting = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            let (keys, partition) = (world.keys, world.keys.partition)
            try await Self.age(world, partition.ended, id)
            let reply = try await world.run(
                Scripts.PurgeMeeting(
                    meetingKey: partition.meeting(id), segmentsKey: partition.segments(ofMeeting: id),
                    meetingsKey: keys.meetings, latestKey: keys.latest(World.room), roomKey: keys.holder(World.room),
                    endedKey: partition.ended, analyzingKey: partition.analyzing, heldKey: keys.held(World.room),
                    namesKey: keys.names, workspaceKey: keys.workspace, imagesKey: keys.screenshots,
                    orderKey: keys.screenshotOrder, feedKey: partition.feed(ofMeeting: id),
                    archivedKey: partition.archived, movingKey: partition.moving, removalsKey: partition.removals,
                    plannedKey: keys.planned(World.room), heirKey: partition.meeting(id),
                    meetingID: id, keepMilliseconds: 1_000, note: MeetingRemains(id: id, number: meeting.number).member,
                    room: World.room.description, heirID: nil))
            #expect(reply == .string("removed"))
            let before = try await world.snapshot()
            #expect(before[partition.ended] == .sortedSet(["\(id) \(meeting.number)": "1"]))
            let locators: Set = [Keys.locator(meeting: id), Keys.locator(number: meeting.number)]
            for locator in locators { #expect(before[locator] != nil) }
            #expect(
                try await world.session.meetings.meeting(number: meeting.number, workspace: world.workspaceID) == nil)
            try await Self.sweep(world, retention: 1_000)
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == locators.union([partition.ended]))
            for key in after.changes(since: before) { #expect(after[key] == nil) }
        }
    }

    /// A room's names go on while one of its meetings is planned, though the newest is removed before it.
    @Test func theNamesOfARoomGoOnWithWhatIsPlannedThere() async throws {
        try await Self.make { world, id, _ in
            _ = try await Self.finalise(world, id)
            let (keys, partition) = (world.keys, world.keys.partition)
            let planned = try await world.session.meetings.create(
                NewMeeting(
                    link: try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID),
                    scheduledAt: try await world.now() + 3_600_000), by: world.owner)
            let plan = try #require(planned.made)
            // As if it had been made before the one that was held.
            _ = try await world.client.send("SET", keys.latest(World.room), id)
            try await world.set(partition.meeting(id), ["names": "google_meet:other"])
            try await world.set(keys.names, ["google_meet:other": World.room.description])
            for removed in [id, plan.id] {
                _ = try await world.client.send("ZADD", partition.ended, "1", removed)
                if removed == plan.id {
                    try await world.set(
                        partition.meeting(removed), ["status": "OFFLINE", "bot_status": "completed"])
                    _ = try await world.client.send("DEL", keys.planned(World.room))
                }
                try await Self.sweep(world, retention: 1_000)
                let after = try await world.snapshot()
                #expect(after[partition.meeting(removed)] == nil)
                #expect(after[keys.latest(World.room)] == (removed == id ? .string(plan.id) : nil))
                #expect((after[keys.names] != nil) == (removed == id))
                let names = after[partition.meeting(plan.id)]?.hash?["names"]
                #expect(names == (removed == id ? "google_meet:other" : nil))
            }
        }
    }

    @Test func aMeetingWhoseTimeIsNotOverOrThatRunsAgainIsKept() async throws {
        try await Self.make { world, meeting, _ in
            _ = try await Self.finalise(world, meeting)
            let ended = try await world.snapshot()
            try await Self.sweep(world, retention: 3_600_000)
            #expect(try await world.snapshot().changes(since: ended) == [])
            try await Self.age(world, world.keys.partition.ended, meeting)
            let bot = try await world.bot(at: meeting, seen: "OFFLINE", .joining, .active)
            let running = try await world.fields(meeting)
            try await Self.sweep(world, retention: 1_000)
            #expect(try await world.fields(meeting) == running)
            #expect(try await world.segments(meeting).count == 3)
            // Its next end counts.
            try await world.tell(bot, [.completed])
            try await Self.sweep(world, retention: 3_600_000)
            #expect(try await world.fields(meeting)["status"] == "OFFLINE")
            try await Self.age(world, world.keys.partition.ended, meeting)
            try await Self.sweep(world, retention: 1_000)
            #expect(try await world.fields(meeting).isEmpty)
        }
    }

    @Test func aNewerMeetingOfTheRoomIsNotTouched() async throws {
        try await Self.make { world, meeting, _ in
            _ = try await Self.finalise(world, meeting)
            let newer = try await world.meeting()
            try await Self.age(world, world.keys.partition.ended, meeting)
            try await Self.sweep(world, retention: 1_000)
            let after = try await world.snapshot()
            #expect(after[world.keys.latest(World.room)] == .string(newer))
            #expect(after[world.keys.partition.meeting(newer)] != nil)
            #expect(after[world.keys.meetings]?.sortedSet?.keys.sorted() == [newer])
        }
    }
}
