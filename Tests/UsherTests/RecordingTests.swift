import Foundation
import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// `note_recording.lua`, and what a record tells of recordings.
@Suite(.takesTurns) struct RecordingTests {
    private static func note(
        _ world: World, _ bot: BotPlace, bytes: Int = 32_044, most: Int = 100
    ) async throws -> Value {
        let keys = world.keys
        return try await world.run(
            Scripts.NoteRecording(
                meetingKey: keys.partition.meeting(bot.meetingID), workspaceKey: keys.workspace,
                botKey: keys.partition.bot(bot.botID), eventsKey: keys.partition.events, webhooksKey: keys.webhooks,
                outboxKey: keys.partition.outbox,
                operatorKey: keys.partition.operatorEndpoint, removedKey: keys.partition.removed,
                meetingID: bot.meetingID,
                botID: bot.botID, bytes: bytes, most: most, maxEvents: 1_000, workspaceID: world.workspaceID))
    }

    /// The script gives this result and changes nothing.
    private static func expectNoChange(
        _ word: String, _ world: World, _ bot: BotPlace, bytes: Int = 32_044, most: Int = 100
    ) async throws {
        try await world.expectNoChange {
            let reply = try await note(world, bot, bytes: bytes, most: most)
            #expect(reply == .string(word))
        }
    }

    private static func ended(_ world: World) async throws -> BotPlace {
        let bot = try await world.bot(at: .active)
        _ = try await world.report(bot, "completed", reason: "left_alone")
        return bot
    }

    @Test func itIsNotedOnceItsBotHasEnded() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .active)
            try await Self.expectNoChange("under_way", world, bot)
            _ = try await world.report(bot, "completed", reason: "left_alone")
            try await world.set(world.keys.partition.meeting(bot.meetingID), ["updated_at": "1"])
            let before = try await world.snapshot()
            #expect(try await Self.note(world, bot) == .string("noted"))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    world.keys.partition.meeting(bot.meetingID), world.keys.partition.events,
                ])
            let fields = try await world.fields(bot.meetingID)
            #expect(fields["recordings"] == "\(bot.botID)=32044" && fields["updated_at"] != "1")
            let event = try #require(after[world.keys.partition.events]?.stream?.last)
            #expect(event["what"] == "recorded" && event["from"] == event["to"] && event["to"] == "ANALYZING/completed")
            try await Self.expectNoChange("known", world, bot, bytes: 5)
        }
    }

    @Test func webhooksAreToldOfIt() async throws {
        try await World.make { world in
            _ = try await world.session.webhooks.create(
                WebhookChange(url: "https://a.example/", events: .some([.recordingReady]), isEnabled: true),
                workspace: world.workspaceID
            ).get()
            let bot = try await Self.ended(world)
            #expect(try await Self.note(world, bot) == .string("noted"))
            let entry = try #require(try await world.snapshot()[world.keys.partition.outbox]?.stream?.last)
            let change = try MeetingChange(id: "1-1", entry)
            #expect(change.events == [.recordingReady] && change.meeting.id == bot.meetingID)
        }
    }

    @Test func aRestartAddsAnother() async throws {
        try await World.make { world in
            let first = try await Self.ended(world)
            #expect(try await Self.note(world, first) == .string("noted"))
            _ = try await world.session.transcripts.finalise(meeting: first.meetingID, workspace: world.workspaceID)
            let second = try await world.bot(at: first.meetingID, seen: "OFFLINE", .joining, .active)
            try await Self.expectNoChange("under_way", world, second)
            _ = try await world.report(second, "completed", reason: "left_alone")
            try await Self.expectNoChange("too_many", world, second, most: 1)
            #expect(try await Self.note(world, second, bytes: 44 + 64_000) == .string("noted"))
            let record = try Meeting(try await world.fields(first.meetingID))
            #expect(record.recordings.map(\.botID) == [first.botID, second.botID])
            #expect(record.recordings.map(\.durationMilliseconds) == [1_000, 2_000])
            #expect(record.recordings.allSatisfy { $0.startTime != nil })
        }
    }

    /// A deletion counts for what was there; what is recorded later is kept.
    @Test func whatWasDeletedDoesNotComeBack() async throws {
        try await World.make { world in
            let bot = try await Self.ended(world)
            #expect(try await Self.note(world, bot) == .string("noted"))
            _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
            let meeting = try #require(
                try await world.session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID))
            #expect(try await world.session.meetings.removeContents(of: meeting) == .removed)
            #expect(try await world.fields(bot.meetingID)["recordings"] == nil)
            try await Self.expectNoChange("deleted", world, bot)
            let next = try await world.bot(at: bot.meetingID, seen: "OFFLINE", .joining, .active)
            _ = try await world.report(next, "completed", reason: "left_alone")
            #expect(try await Self.note(world, next) == .string("noted"))
        }
    }

    @Test func whatIsGoneIsToldApartFromWhatIsNotKnownHere() async throws {
        try await World.make { world in
            let bot = try await Self.ended(world)
            _ = try await world.client.send("DEL", world.keys.partition.meeting(bot.meetingID))
            try await Self.expectNoChange("unknown_meeting", world, bot)
            _ = try await world.client.send("DEL", world.keys.workspace)
            try await Self.expectNoChange("unknown_workspace", world, bot)
        }
    }

    @Test func whatAnotherHandWroteIsPassedOver() throws {
        let bot = Identifier.uuid()
        let record = try Meeting([
            "id": "m", "number": "1", "workspace_id": "w", "platform": "zoom", "native_meeting_id": "1",
            "created_at": "1",
            "recordings": "x=1 \(bot)=-1 \(bot)= \(bot)=5 =7 ../../x=9",
        ])
        #expect(record.recordings == [Recording(botID: bot, bytes: 5, startTime: nil)])
        #expect(record.recordings[0].durationMilliseconds == 0)
    }

    /// A folder of recordings, and a place in it whose folder is there.
    private static func madeFolder() throws -> (RecordingFolder, RecordingPlace) {
        let folder = RecordingFolder(try TemporaryFolder.make().path)
        let place = try #require(
            RecordingPlace(workspaceID: Identifier.uuid(), meetingID: Identifier.hex(), botID: Identifier.uuid()))
        try FileManager.default.createDirectory(
            atPath: ("\(folder.path)/\(place.path)" as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true)
        return (folder, place)
    }

    /// A bot that has just made it is about to lock it.
    @Test func whoLooksWhetherAFileGrowsLeavesItUnlocked() throws {
        let (folder, place) = try Self.madeFolder()
        let bot = open("\(folder.path)/\(place.path)", O_WRONLY | O_CREAT, 0o640)
        defer { close(bot) }
        let file = try #require(folder.open(place))
        #expect(!file.isGrowing)
        #expect(flock(bot, LOCK_EX | LOCK_NB) == 0)
        #expect(file.isGrowing)
    }

    /// Whatever time a bot has given to its file.
    @Test(arguments: [Int.min, -4_000_000_000, 0, 4_000_000_000, 9_000_000_000, Int.max])
    func howOldAFileIsTheKernelTells(_ time: Int) throws {
        let (folder, place) = try Self.madeFolder()
        let file = "\(folder.path)/\(place.path)"
        let before = WallClock.milliseconds / 1_000
        #expect(FileManager.default.createFile(atPath: file, contents: Data([1])))
        // As far as the file system knows such times.
        var times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
        _ = utimensat(AT_FDCWD, file, &times, 0)
        let open = try #require(folder.open(place))
        let now = WallClock.milliseconds / 1_000
        // The kernel's clock for files lags behind by a tick.
        #expect((0...(now - before + 1)).contains(open.secondsOld(at: now)))
        #expect(open.secondsOld(at: now + 86_400) >= 86_400)
        #expect(open.secondsOld(at: 0) == 0)
        open.correct(at: 0)
        #expect(try #require(folder.open(place)).changedAt >= before - 1)
    }

    @Test func aPlaceHasOnlyIdsInIt() {
        let (uuid, hex) = (Identifier.uuid(), Identifier.hex())
        #expect(RecordingPlace(workspaceID: uuid, meetingID: hex, botID: uuid)?.path == "\(uuid)/\(hex)/\(uuid).wav")
        for other in ["", "..", "a/b", "\(uuid)/", "\(hex)\0", uuid.uppercased()] {
            #expect(RecordingPlace(workspaceID: other, meetingID: hex, botID: uuid) == nil)
            #expect(RecordingPlace(workspaceID: uuid, meetingID: other, botID: uuid) == nil)
            #expect(RecordingPlace(workspaceID: uuid, meetingID: hex, botID: other) == nil)
        }
    }
}
