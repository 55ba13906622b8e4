import Foundation
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// `keep_screenshot.lua`, and what is taken for a picture.
@Suite(.takesTurns) struct ScreenshotTests {
    private static let picture = Data([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]).base64EncodedString()

    private static func keep(
        _ world: World, _ bot: BotPlace, _ image: String = picture, most: Int = 20
    ) async throws -> Value {
        let keys = world.keys
        return try await world.run(
            Scripts.KeepScreenshot(
                meetingKey: keys.partition.meeting(bot.meetingID), imagesKey: keys.screenshots,
                orderKey: keys.screenshotOrder, meetingID: bot.meetingID, botID: bot.botID, image: image,
                outline: "\"Meeting\", buttons: none", most: most, keepMilliseconds: 60_000))
    }

    @Test func theLastOneOfAMeetingIsKept() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .needsHelp)
            let before = try await world.snapshot()
            #expect(try await Self.keep(world, bot, "old") == .string("kept"))
            #expect(try await Self.keep(world, bot) == .string("kept"))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    world.keys.screenshots, world.keys.screenshotOrder, world.keys.partition.meeting(bot.meetingID),
                ])
            #expect(after[world.keys.screenshots] == .hash([bot.meetingID: Self.picture]))
            for key in [world.keys.screenshots, world.keys.screenshotOrder] { #expect(after.timeToLive[key] ?? 0 > 0) }
            let meeting = try #require(
                try await world.session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID))
            #expect(meeting.pageOutline == "\"Meeting\", buttons: none")
            let kept = try #require(try await world.session.bots.screenshot(of: meeting))
            #expect(kept.kind == .jpeg && kept.bytes.count == 7)
        }
    }

    @Test func whoIsNotTheMeetingsBotKeepsNothing() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .joining)
            let other = BotPlace(
                botID: Identifier.bot(in: world.keys.partition), meetingID: bot.meetingID, workspaceID: bot.workspaceID,
                room: bot.room)
            try await world.expectNoChange {
                let reply = try await Self.keep(world, other)
                #expect(reply == .string("stale"))
            }
        }
    }

    /// A picture that comes after what the meeting left was deleted does not bring it back.
    @Test func whatWasDeletedDoesNotComeBack() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .joining)
            _ = try await world.report(bot, "failed", reason: "join_failure")
            let record = try #require(
                try await world.session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID))
            guard case .removed = try await world.session.meetings.removeContents(of: record) else {
                throw TestServerError("it was not removed")
            }
            try await world.expectNoChange {
                let reply = try await Self.keep(world, bot)
                #expect(reply == .string("stale"))
            }
        }
    }

    @Test func aWorkspaceHasTheLastOnesOfItsMeetings() async throws {
        try await World.make { world in
            var bots: [BotPlace] = []
            for number in 0..<3 {
                let room = Room(platform: .googleMeet, nativeID: "aaa-aaaa-aa\("abc".dropFirst(number).first!)")
                let id = try await world.meeting(in: room, ["bot_id": "b\(number)"])
                bots.append(BotPlace(botID: "b\(number)", meetingID: id, workspaceID: world.workspaceID, room: room))
                // Redis' clock counts milliseconds.
                let now = try await world.now()
                while try await world.now() <= now {}
                #expect(try await Self.keep(world, bots[number], most: 2) == .string("kept"))
            }
            let kept = try await world.snapshot()[world.keys.screenshots]
            #expect(kept == .hash([bots[1].meetingID: Self.picture, bots[2].meetingID: Self.picture]))
        }
    }

    @Test func itGoesWithWhatTheMeetingLeft() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .active)
            #expect(try await Self.keep(world, bot) == .string("kept"))
            _ = try await world.report(bot, "failed", reason: "evicted")
            let meeting = try #require(
                try await world.session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID))
            #expect(try await world.session.meetings.removeContents(of: meeting) == .removed)
            let after = try await world.snapshot()
            #expect(after[world.keys.screenshots] == nil && after[world.keys.screenshotOrder] == nil)
            #expect(try await world.fields(bot.meetingID)["page_outline"] == nil)
        }
    }

    @Test func onlyPicturesAreTakenForSome() {
        let png = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]).base64EncodedString()
        #expect(Screenshot(base64: png)?.kind == .png)
        #expect(Screenshot(base64: Self.picture)?.kind == .jpeg)
        for other in ["", "<svg>", "no base64", Data("<html>".utf8).base64EncodedString(), Self.picture + "!"] {
            #expect(Screenshot(base64: other) == nil)
        }
        var large = Data([0xff, 0xd8, 0xff])
        large.append(Data(repeating: 0, count: Screenshot.maximumBytes / 4 * 3 - 3))
        #expect(Screenshot(base64: large.base64EncodedString()) != nil)
        large.append(contentsOf: [0, 0, 0])
        #expect(Screenshot(base64: large.base64EncodedString()) == nil)
    }
}
