import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// `stop.lua`: for each result, every raw key before and after; and that a stop is final at every stage.
@Suite(.takesTurns) struct StopScriptTests {
    @Test func aBotThatNobodyClaimedEndsAtOnce() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let place = try await world.send(to: meeting)
            let entry = try #require(try await world.entry()["<id>"])
            let partition = world.keys.partition
            let before = try await world.snapshot()
            #expect(try await world.stop(place) == .parts("ended", World.trace.traceparent))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    partition.meeting(meeting), partition.bot(place.botID), partition.dispatch, partition.events,
                    partition.ended, world.keys.inFlight(World.room), world.keys.holder(World.room), world.keys.bots,
                    partition.feed(ofMeeting: meeting), world.keys.feed,
                ])
            try await world.expectFree()
            let events = try #require(after[partition.events]?.stream?.suffix(2))
            #expect(events.map { $0["to"] } == ["STOPPING/stopping", "OFFLINE/completed"])
            #expect(events.map { $0["why"] } == ["user 1", "stopped"])
            let at = try #require(events.first?["at"])
            let fields = try #require(before[partition.meeting(meeting)]?.hash)
            let changed = [
                "status": "OFFLINE", "bot_status": "completed", "completion_reason": "stopped", "updated_at": at,
                "events": after.events(of: meeting, world.keys),
            ]
            #expect(after[partition.meeting(meeting)] == .hash(fields.merging(changed) { $1 }))
            let bot = try #require(before[partition.bot(place.botID)]?.hash)
            let ended = bot.merging(["desired": "none", "stop_asked_at": at, "ended_at": at]) { $1 }
            #expect(after[partition.bot(place.botID)] == .hash(ended))
            #expect(
                Set(after.timeToLive.keys) == [
                    partition.bot(place.botID), partition.feed(ofMeeting: meeting), world.keys.feed,
                ])
            // It never starts: no runner can claim it any more, and asking again finds nothing.
            try await world.expectNoChange { () async throws in
                #expect(try await world.claim(place, entry: entry) == .parts("stale"))
                #expect(try await world.stop(place) == .parts("stale"))
            }
        }
    }

    @Test func aBotThatWasHandedBackEndsAtOnceToo() async throws {
        try await World.make { world in
            let place = try await world.bot(at: try await world.meeting())
            #expect(try await world.release(place) == .string("released"))
            #expect(try await world.stop(place) == .parts("ended", World.trace.traceparent))
            try await world.expectFree()
        }
    }

    @Test(arguments: Stage.allCases)
    func aClaimedBotIsToldToLeave(at stage: Stage) async throws {
        try await World.make { world in
            let place = try await world.bot(at: stage)
            let partition = world.keys.partition
            let before = try await world.snapshot()
            #expect(try await world.stop(place) == .parts("leaving", World.trace.traceparent))
            let after = try await world.snapshot()
            var changes: Set = [
                partition.meeting(place.meetingID), partition.bot(place.botID), partition.events,
                partition.feed(ofMeeting: place.meetingID), world.keys.feed,
            ]
            if stage != .active { changes.insert(world.keys.inFlight(World.room)) }
            #expect(after.changes(since: before) == changes)
            let event = try #require(after.lastEvent(world.keys))
            #expect(event["from"] == "\(stage.status)/\(stage.rawValue)" && event["to"] == "STOPPING/stopping")
            let at = try #require(event["at"])
            let fields = try #require(before[partition.meeting(place.meetingID)]?.hash)
            let stopping = [
                "status": "STOPPING", "bot_status": "stopping", "updated_at": at,
                "events": after.events(of: place.meetingID, world.keys),
            ]
            #expect(after[partition.meeting(place.meetingID)] == .hash(fields.merging(stopping) { $1 }))
            let bot = try #require(before[partition.bot(place.botID)]?.hash)
            #expect(
                after[partition.bot(place.botID)]
                    == .hash(bot.merging(["desired": "leave", "stop_asked_at": at]) { $1 }))
            try await world.expectNoChange {
                let reply = try await world.stop(place)
                #expect(reply == .parts("was_leaving", World.trace.traceparent))
            }
        }
    }

    private enum End: CaseIterable {
        case completed, failed, lease, exit
    }

    /// Whatever ends the bot after a stop, the record ends as completed; and until then it gets nowhere else.
    @Test(arguments: Stage.allCases)
    func aStopIsFinal(at stage: Stage) async throws {
        try await World.make { world in
            for end in End.allCases {
                let comment: Comment = "\(end)"
                let place = try await world.bot(at: stage)
                #expect(try await world.stop(place) == .parts("leaving", World.trace.traceparent), comment)
                try await world.expectNoChange(comment) { () async throws in
                    for report in BotStatus.allCases where ![.completed, .failed].contains(report) {
                        let isKnown = report == stage.reports.last
                        let expected: Value =
                            isKnown
                            ? .parts("known", "STOPPING", "stopping") : .parts("illegal", "stopping", report.rawValue)
                        #expect(try await world.report(place, report.rawValue) == expected, comment)
                    }
                    #expect(try await world.configure(place, "language", "es") == .parts("not_in_room"), comment)
                }
                let status = stage == .active ? "ANALYZING" : "OFFLINE"
                switch end {
                case .completed, .failed:
                    let reply = try await world.report(
                        place, end == .failed ? "failed" : "completed", reason: "evicted", stage: "joining")
                    #expect(reply == .parts("accepted", status, "completed"), comment)
                case .lease:
                    try await world.endLease(of: place)
                    let reply = try await world.lose(place, runner: "", reason: "lease_expired", by: "none")
                    #expect(reply == .parts("ended", status, "completed"), comment)
                case .exit:
                    let reply = try await world.lose(place, runner: "runner", by: "none", "exit_code", "1")
                    #expect(reply == .parts("ended", status, "completed"), comment)
                }
                let fields = try await world.fields(place.meetingID)
                #expect(fields["status"] == status && fields["bot_status"] == "completed", comment)
                #expect(fields["completion_reason"] == "stopped" && fields["failure_stage"] == nil, comment)
                #expect((fields["end_time"] != nil) == (stage == .active), comment)
                #expect(try await world.snapshot()[world.keys.partition.bot("none")] == nil, comment)
                try await world.expectFree(comment)
            }
        }
    }

    @Test func whatDoesNotHoldTheRoomIsNotStopped() async throws {
        let cases: [(String, @Sendable (World, BotPlace) async throws -> Void)] = [
            ("a newer bot", { world, place in try await world.set(place.lifeKeys[0], ["bot_id": "other"]) }),
            ("the meeting is gone", { world, place in _ = try await world.client.send("DEL", place.lifeKeys[0]) }),
            ("it has ended", { world, place in _ = try await world.report(place, "failed") }),
            ("nobody holds the room", { world, place in _ = try await world.client.send("DEL", place.lifeKeys[3]) }),
            (
                "another holds the room",
                { world, place in _ = try await world.client.send("SET", place.lifeKeys[3], "other") }
            ),
        ]
        for (name, prepare) in cases {
            try await World.make { world in
                let place = try await world.bot(at: .joining)
                try await prepare(world, place)
                try await world.expectNoChange("\(name)") {
                    let reply = try await world.stop(place)
                    #expect(reply == .parts("stale"), "\(name)")
                }
            }
        }
    }
}
