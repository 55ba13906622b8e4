import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// `report.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct ReportScriptTests {
    /// docs/architecture.md, "A meeting's state", by what a bot may report at each of its statuses.
    private static let steps: [String: Set<String>] = [
        "requested": ["joining", "failed"],
        "joining": ["awaiting_admission", "active", "failed"],
        "awaiting_admission": ["active", "needs_help", "failed"],
        "needs_help": ["active", "failed"],
        "active": ["completed", "failed"],
    ]
    private static let told = BotStatus.allCases.map(\.rawValue) + ["", "Active", "left"]

    /// Every pair of a status and a report, each told twice.
    @Test(arguments: Stage.allCases)
    func onlyTheStepsOfTheTableAreTaken(from stage: Stage) async throws {
        try await World.make { world in
            for report in Self.told {
                let place = try await world.bot(at: stage)
                let comment: Comment = "\(stage.rawValue) -> \(report)"
                if report == stage.reports.last?.rawValue {
                    try await world.expectNoChange(comment) {
                        let reply = try await world.report(place, report)
                        #expect(reply == .parts("known", stage.status, stage.rawValue), comment)
                    }
                } else if Self.steps[stage.rawValue]?.contains(report) != true {
                    try await world.expectNoChange(comment) {
                        let reply = try await world.report(place, report)
                        #expect(reply == .parts("illegal", stage.rawValue, report), comment)
                    }
                } else {
                    let status =
                        switch report {
                        case "active": "LIVE"
                        case "completed": "ANALYZING"
                        case "failed" where stage == .active: "OFFLINE"
                        default: "INITIAL"
                        }
                    let reply = try await world.report(place, report)
                    #expect(
                        Value.array(Array((reply.array ?? []).prefix(3))) == .parts("accepted", status, report), comment
                    )
                    let fields = try await world.fields(place.meetingID)
                    #expect(fields["status"] == status && fields["bot_status"] == report, comment)
                    try await world.expectNoChange(comment) {
                        let reply = try await world.report(place, report)
                        #expect(reply == .parts("known", status, report), comment)
                    }
                }
                _ = try await world.lose(place, runner: "runner", mayBeReplaced: false, by: "none")
                try await world.expectFree(comment)
            }
        }
    }

    /// After its end, the last report told again is known; everything else comes from a bot that is over.
    @Test(arguments: ["completed", "failed"])
    func afterTheEndNothingIsTaken(_ end: String) async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            _ = try await world.report(place, end)
            let status = end == "completed" ? "ANALYZING" : "OFFLINE"
            try await world.expectNoChange { () async throws in
                for report in Self.told {
                    let expected: Value = report == end ? .parts("known", status, end) : .parts("stale")
                    #expect(try await world.report(place, report) == expected, "\(report)")
                }
            }
        }
    }

    @Test func onlyTheMeetingsCurrentBotIsHeard() async throws {
        try await World.make { world in
            let old = try await world.bot(at: .joining)
            let new = Identifier.bot(in: world.keys.partition)
            #expect(try await world.lose(old, runner: "runner", by: new) == .parts("replaced", 2))
            try await world.expectNoChange { () async throws in
                for report in Self.told {
                    #expect(try await world.report(old, report) == .parts("stale"), "\(report)")
                    let unknown = world.place(old.meetingID, "none")
                    #expect(try await world.report(unknown, report) == .parts("stale"), "\(report)")
                    let elsewhere = world.place("none", new)
                    #expect(try await world.report(elsewhere, report) == .parts("stale"), "\(report)")
                }
            }
            #expect(
                try await world.report(world.place(old.meetingID, new), "joining").array?.first == .string("accepted"))
        }
    }

    // MARK: Raw keys

    @Test(arguments: [BotStatus.joining, .awaitingAdmission, .needsHelp])
    func aStepOnTheWayChangesTheRecordAndNoMore(_ status: BotStatus) async throws {
        try await World.make { world in
            let stage = try #require(Stage(rawValue: status.rawValue))
            let place = try await world.bot(at: try await world.meeting())
            try await world.tell(place, stage.reports.dropLast())
            let before = try await world.snapshot()
            #expect(try await world.report(place, status.rawValue) == .parts("accepted", "INITIAL", status.rawValue))
            let after = try await world.snapshot()
            let partition = world.keys.partition
            #expect(
                after.changes(since: before) == [
                    partition.meeting(place.meetingID), partition.bot(place.botID), partition.events,
                    partition.feed(ofMeeting: place.meetingID), world.keys.feed,
                ])
            let from = stage.reports.dropLast().last?.rawValue ?? "requested"
            let event = try #require(after.lastEvent(world.keys))
            #expect(
                event == [
                    "what": status.rawValue, "meeting_id": place.meetingID, "bot_id": place.botID,
                    "from": "INITIAL/\(from)", "to": "INITIAL/\(status.rawValue)", "why": "bot",
                    "trace_id": World.trace.traceID,
                    "at": event["at"] ?? "",
                ])
            let fields = try #require(before[partition.meeting(place.meetingID)]?.hash)
            let changed = [
                "bot_status": status.rawValue, "updated_at": event["at"] ?? "",
                "events": after.events(of: place.meetingID, world.keys),
            ]
            #expect(after[partition.meeting(place.meetingID)] == .hash(fields.merging(changed) { $1 }))
            let bot = try #require(before[partition.bot(place.botID)]?.hash)
            #expect(
                after[partition.bot(place.botID)] == .hash(bot.merging(["reported": status.rawValue]) { $1 }))
        }
    }

    @Test func enteringTheRoomStartsTheMeetingAndEndsTheFlight() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .awaitingAdmission)
            let before = try await world.snapshot()
            // Dispatched long enough ago to be told from now.
            _ = try await world.client.send(
                "HINCRBY", world.keys.partition.meeting(place.meetingID), "dispatched_at", "-1000000")
            let reply = try await world.report(place, "active")
            let after = try await world.snapshot()
            let partition = world.keys.partition
            #expect(
                after.changes(since: before) == [
                    partition.meeting(place.meetingID), partition.bot(place.botID), partition.events,
                    world.keys.inFlight(World.room), world.keys.held(World.room),
                    partition.feed(ofMeeting: place.meetingID), world.keys.feed,
                ])
            #expect(after[world.keys.held(World.room)] == .string(place.meetingID))
            let event = try #require(after.lastEvent(world.keys))
            #expect(event["from"] == "INITIAL/awaiting_admission" && event["to"] == "LIVE/active")
            let at = try #require(event["at"])
            var fields = try #require(before[partition.meeting(place.meetingID)]?.hash)
            fields["dispatched_at"] = try await world.fields(place.meetingID)["dispatched_at"]
            let dispatchedAt = try #require(fields["dispatched_at"].flatMap { Int($0) })
            #expect(reply == .parts("accepted", "LIVE", "active", try #require(Int(at)) - dispatchedAt))
            let changed = [
                "status": "LIVE", "bot_status": "active", "start_time": at, "updated_at": at,
                "sessions": "\(place.botID)=\(at)", "events": after.events(of: place.meetingID, world.keys),
            ]
            #expect(after[partition.meeting(place.meetingID)] == .hash(fields.merging(changed) { $1 }))
            let bot = try #require(before[partition.bot(place.botID)]?.hash)
            #expect(
                after[partition.bot(place.botID)]
                    == .hash(bot.merging(["reported": "active", "active_at": at]) { $1 }))
            #expect(after[world.keys.inFlight(World.room)] == nil)
        }
    }

    /// Every end frees all that the bot had, and keeps its record for a day.
    @Test(arguments: Stage.allCases, ["completed", "failed"])
    func anEndFreesAllThatTheBotHad(_ stage: Stage, _ end: String) async throws {
        if end == "completed" && stage != .active { return }
        try await World.make { world in
            let place = try await world.bot(at: stage)
            let partition = world.keys.partition
            // What a bot of an earlier dispatch has left behind.
            let left = ["exit_code": "9", "bot_output": "old", "completion_reason": "old", "failure_stage": "old"]
            try await world.set(partition.meeting(place.meetingID), left)
            let before = try await world.snapshot()
            let status = end == "completed" ? "ANALYZING" : stage == .active ? "OFFLINE" : "INITIAL"
            let reply = try await world.report(place, end, reason: "evicted", "exit_code", "3")
            #expect(reply == .parts("accepted", status, end))
            let after = try await world.snapshot()

            var changes: Set = [
                partition.meeting(place.meetingID), partition.bot(place.botID), partition.events, partition.leases,
                partition.ended, world.keys.holder(World.room), world.keys.bots,
                partition.feed(ofMeeting: place.meetingID), world.keys.feed,
            ]
            changes.insert(stage == .active ? partition.analyzing : world.keys.inFlight(World.room))
            #expect(after.changes(since: before) == changes)
            try await world.expectFree()
            let event = try #require(after.lastEvent(world.keys))
            #expect(event["from"] == "\(stage.status)/\(stage.rawValue)" && event["to"] == "\(status)/\(end)")
            #expect(event["what"] == end && event["why"] == "evicted")
            let at = try #require(event["at"])
            #expect(after[partition.ended] == .sortedSet([place.meetingID: at]))
            if stage == .active { #expect(after[partition.analyzing] == .sortedSet([place.meetingID: at])) }

            var fields = try #require(before[partition.meeting(place.meetingID)]?.hash)
            for name in left.keys { fields[name] = nil }
            fields.merge([
                "status": status, "bot_status": end, "updated_at": at, "completion_reason": "evicted",
                "exit_code": "3", "events": after.events(of: place.meetingID, world.keys),
            ]) { $1 }
            if end == "failed" { fields["failure_stage"] = stage.failureStage }
            if stage == .active {
                fields["end_time"] = at
                fields["duration"] = String(try #require(Int(at)) - #require(fields["start_time"].flatMap { Int($0) }))
            }
            #expect(after[partition.meeting(place.meetingID)] == .hash(fields))
            let bot = try #require(before[partition.bot(place.botID)]?.hash)
            let ended = bot.merging(["reported": end, "desired": "none", "ended_at": at]) { $1 }
            #expect(after[partition.bot(place.botID)] == .hash(ended))
            #expect(
                Set(after.timeToLive.keys) == [
                    partition.bot(place.botID), partition.feed(ofMeeting: place.meetingID), world.keys.feed,
                ])
        }
    }

    @Test func theStageThatABotNamesCountsAndARecordAlwaysHasAReason() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            _ = try await world.report(place, "failed", stage: "joining")
            let fields = try await world.fields(place.meetingID)
            #expect(fields["failure_stage"] == "joining" && fields["completion_reason"] == "no_reason_given")
        }
    }
}
