import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// What an export has of a workspace while others change it, and what becomes of an import that stops.
@Suite(.takesTurns) struct ExportTests {
    private static let other = Room(platform: .googleMeet, nativeID: "xyz-wxyz-xyz")

    /// A meeting that is over, in which this was said.
    private static func over(_ world: World, _ spoken: [String] = ["hello", "there"]) async throws -> BotPlace {
        let bot = try await world.bot(at: .active)
        for (index, text) in spoken.enumerated() {
            _ = try await world.ingest(one("s\(index)", text), for: bot.meetingID, version: "\(10 + index)-0")
        }
        _ = try await world.report(bot, "completed", reason: "left_alone")
        _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
        return bot
    }

    private static func records(
        _ world: World, skipsRunning: Bool = false,
        meanwhile change: (ExportedRecord) async throws -> Void = { _ in }
    ) async throws -> [ExportedRecord] {
        var records: [ExportedRecord] = []
        let export = WorkspaceExport(of: world.workspaceID, in: world.store, skipsRunning: skipsRunning)
        try await export.records { record in
            records.append(record)
            try await change(record)
        }
        for record in records { #expect(record.problem(in: world.workspaceID) == nil) }
        return records
    }

    /// Into a world that has the same owner, by the same id and email.
    private static func write(
        _ records: some Sequence<ExportedRecord>, of source: World, into world: World, isWhole: Bool = true
    ) async throws {
        var writing = WorkspaceImport(of: source.workspaceID, from: "export", into: world.store)
        try await writing.begin(afterUser: 1, meeting: 10)
        for record in records { try await writing.write(record) }
        if isWhole { try await writing.end() }
    }

    /// What is there of the workspace, but for ids that a stream gives.
    private static func stored(_ world: World, of source: World) async throws -> [String: Stored] {
        let snapshot = try await world.snapshot()
        var stored = snapshot.stored.filter { $0.key.contains(source.workspaceID) || $0.key.contains(":meeting:") }
        for (key, value) in stored {
            if case .hash(var fields) = value, fields["events"] != nil {
                fields["events"] = "some"
                stored[key] = .hash(fields)
            }
        }
        for key in [source.keys.partition.ended, source.keys.partition.plans] { stored[key] = snapshot[key] }
        return stored
    }

    @Test func anImportThatStopsAnywhereGoesOn() async throws {
        try await World.make { source in
            _ = try await Self.over(source)
            let link = try MeetingLink(platform: .googleMeet, nativeID: Self.other.nativeID)
            let time = try await source.now() + 3_600_000
            let plan = try #require(
                try await source.session.meetings.create(NewMeeting(link: link, scheduledAt: time), by: source.owner)
                    .made)
            let made = try await source.session.apiKeys.create(
                NewAPIKey(workspaceID: source.workspaceID, userID: 1, scopes: [.bots], expiresAt: time)
            ).made
            let record = Keys.apiKey(hash: Digest.sha256(try #require(made).key))
            let records = try await Self.records(source)
            #expect(records.map(\.kind) == [.workspace, .user, .segments, .meeting, .meeting, .plan, .key])
            try await World.make { world in
                try await Self.write(records, of: source, into: world)
                let whole = try await Self.stored(world, of: source)
                #expect(
                    whole[source.keys.partition.plans]?.sortedSet?.keys.contains(source.keys.member(plan.id)) == true)
                let snapshot = try await world.snapshot()
                #expect(snapshot[record]?.hash == records.last?.fields && snapshot.timeToLive[record] != nil)
                for count in records.indices {
                    try await World.make { world in
                        try await Self.write(records[..<count], of: source, into: world, isWhole: false)
                        #expect(try await world.snapshot()[record] == nil)
                        try await Self.write(records, of: source, into: world)
                        #expect(try await Self.stored(world, of: source) == whole, "stopped before \(count)")
                    }
                }
            }
        }
    }

    @Test func nobodyGetsTheIDOfOneWhoMadeAMeetingAndWasRemoved() async throws {
        try await World.make { world in
            var check = ImportCheck(of: world.workspaceID, from: "export", in: world.store)
            let fields = ["number": "5", "created_by": "70"]
            try await check.look(at: ExportedRecord(.meeting, id: Identifier.hex(), fields: fields))
            #expect(check.highestUser == 70 && check.highestNumber == 5)
            let high = ExportedRecord(.user, id: String((1 << 52) + 1))
            let before = check
            await #expect(throws: ImportRefusal.numberTooHigh((1 << 52) + 1)) {
                var check = before
                try await check.look(at: high)
            }
        }
    }

    /// As where one was thought dead.
    @Test func ofTwoImportsOfOneExportTheLastWritesAlone() async throws {
        try await World.make { source in
            let bot = try await Self.over(source)
            let records = try await Self.records(source)
            #expect(records.map(\.kind) == [.workspace, .user, .segments, .meeting])
            let key = source.keys.partition.segments(ofMeeting: bot.meetingID)
            let segments = try await source.snapshot()[key]
            try await World.make { world in
                var first = WorkspaceImport(of: source.workspaceID, from: "export", into: world.store)
                for record in records.prefix(3) { try await first.write(record) }
                var second = WorkspaceImport(of: source.workspaceID, from: "export", into: world.store)
                for record in records.prefix(2) { try await second.write(record) }
                let stopped = first
                await #expect(throws: ImportRefusal.notYours) {
                    var first = stopped
                    try await first.write(records[3])
                }
                for record in records.suffix(2) { try await second.write(record) }
                try await second.end()
                #expect(try await world.snapshot()[key] == segments)
            }
        }
    }

    /// Nodes read a calendar as soon as it is there, also if the import then stops.
    @Test func whatIsNotedOfACalendarSinceItWasImportedStays() async throws {
        try await World.make { source in
            let id = FeedCalendar.newID()
            let own = source.keys.calendar(id)
            let fields = ["id": id, "user_id": "1", "ics_url": "https://example.org/a.ics", "created_at": "1"]
            let records =
                try await Self.records(source) + [
                    ExportedRecord(.occurrences, id: id, fields: ["an event": "as exported"]),
                    ExportedRecord(.calendar, id: id, fields: fields),
                ]
            try await World.make { world in
                try await Self.write(records, of: source, into: world, isWhole: false)
                let (due, member) = (source.keys.partition.calendars, source.keys.member(id))
                #expect(try await world.client.send("ZREM", due, member) == .integer(1))
                try await Self.write(records, of: source, into: world, isWhole: false)
                #expect(try await world.client.send("ZADD", due, "XX", "CH", "7", member) == .integer(1))
                try await world.set(own.planned, ["an event": "as noted"])
                try await world.set(own.calendar, ["read_at": "7"])
                let before = try await world.snapshot()
                try await Self.write(records, of: source, into: world)
                let after = try await world.snapshot()
                for key in [own.planned, own.calendar, due] { #expect(after[key] == before[key]) }
            }
        }
    }

    /// Ids that differ by their bytes alone, as an event's may too.
    @Test func whatIsOneToSwiftIsKeptApart() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .active)
            for id in ["\u{f1}", "n\u{303}"] { _ = try await world.ingest(one(id, "said"), for: bot.meetingID) }
            _ = try await world.report(bot, "completed", reason: "left_alone")
            _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
            let records = try await Self.records(world)
            #expect(records.filter { $0.kind == .segments }.map(\.fields.count) == [1, 1])
            try await World.make(on: try RedisServer()) { target in
                try await Self.write(records, of: world, into: target)
                let segments = bot.partition.segments(ofMeeting: bot.meetingID)
                #expect(try await target.client.send("HLEN", segments) == .integer(2))
            }
        }
    }

    @Test func whatChangesWhileItIsReadIsReadAgain() async throws {
        try await World.make { source in
            let bot = try await Self.over(source)
            var isChanged = false
            let records = try await Self.records(source) { record in
                guard record.kind == .segments, !isChanged else { return }
                isChanged = true
                _ = try await source.ingest(one("late", "late"), for: bot.meetingID, version: "20-0")
            }
            #expect(records.filter { $0.kind == .segments }.map(\.fields.count) == [2, 0, 3])
            let key = source.keys.partition.segments(ofMeeting: bot.meetingID)
            let segments = try await source.snapshot()[key]
            try await World.make { world in
                try await Self.write(records, of: source, into: world)
                #expect(try await world.snapshot()[key] == segments)
            }
        }
    }

    @Test func whatIsDeletedWhileItIsReadIsNotImported() async throws {
        try await World.make { source in
            let bot = try await Self.over(source)
            let meeting = try #require(
                try await source.session.meetings.meeting(id: bot.meetingID, workspace: source.workspaceID))
            let records = try await Self.records(source) { record in
                guard record.kind == .segments, !record.fields.isEmpty else { return }
                _ = try await source.session.meetings.removeContents(of: meeting)
            }
            try await World.make { world in
                try await Self.write(records, of: source, into: world)
                let after = try await world.snapshot()
                #expect(after[source.keys.partition.segments(ofMeeting: bot.meetingID)] == nil)
                #expect(after[source.keys.partition.meeting(bot.meetingID)]?.hash?["redacted_at"] != nil)
            }
        }
    }

    @Test func aMeetingThatGetsABotWhileItIsReadIsLeftOut() async throws {
        try await World.make { source in
            let bot = try await Self.over(source)
            func records(skipsRunning: Bool) async throws -> [ExportedRecord] {
                try await Self.records(source, skipsRunning: skipsRunning) { record in
                    guard record.kind == .segments else { return }
                    try await source.set(source.keys.partition.meeting(bot.meetingID), ["bot_status": "requested"])
                }
            }
            let left = try await records(skipsRunning: true)
            #expect(left.map(\.kind) == [.workspace, .user, .segments, .leftOut])
            try await World.make { world in
                try await Self.write(left, of: source, into: world)
                let after = try await world.snapshot()
                #expect(after[source.keys.partition.segments(ofMeeting: bot.meetingID)] == nil)
                #expect(after[source.keys.meetings] == nil)
            }
            let key = source.keys.partition.meeting(bot.meetingID)
            try await source.set(key, ["bot_status": "completed"])
            await #expect(throws: ExportRefusal.running(number: 1)) { try await records(skipsRunning: false) }
        }
    }

    @Test func whatAnotherHandHasSpoiltSpoilsNoExport() async throws {
        try await World.make { source in
            let bot = try await Self.over(source)
            let partition = source.keys.partition
            try await source.set(
                partition.segments(ofMeeting: bot.meetingID), ["\(bot.botID):odd": "30-0 c 0 1 - {\"text\":\"a\"}}"])
            let spoilt = try await source.meeting(in: Self.other, ["status": "WHAT"])
            let records = try await Self.records(source)
            let segments = records.filter { $0.kind == .segments }.flatMap(\.fields.keys).sorted()
            #expect(segments == ["\(bot.botID):s0", "\(bot.botID):s1"])
            #expect(records.filter { $0.kind == .leftOut }.map(\.id) == [spoilt])
        }
    }
}
