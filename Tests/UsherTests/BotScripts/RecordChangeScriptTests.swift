import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// `configure.lua`, `update_meeting.lua` and `delete_meeting.lua`: for each result, every raw key before and after.
@Suite(.takesTurns) struct RecordChangeScriptTests {
    // MARK: Configure

    @Test func aBotInTheRoomIsConfigured() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let partition = world.keys.partition
            let before = try await world.snapshot()
            #expect(try await world.configure(place, "language", "es", "task", "translate") == .parts("configured", 1))
            #expect(try await world.configure(place, "language", "zh", "bot_name", "Eva") == .parts("configured", 2))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [partition.meeting(place.meetingID), partition.bot(place.botID)])
            let changed = ["language": "zh", "task": "translate", "bot_name": "Eva"]
            var bot = try #require(before[partition.bot(place.botID)]?.hash)
            bot.merge(changed.merging(["config_version": "2"]) { $1 }) { $1 }
            #expect(after[partition.bot(place.botID)] == .hash(bot))
            let fields = try #require(after[partition.meeting(place.meetingID)]?.hash)
            let old = try #require(before[partition.meeting(place.meetingID)]?.hash)
            #expect(fields == old.merging(changed.merging(["updated_at": fields["updated_at"] ?? ""]) { $1 }) { $1 })
            #expect(try #require(Int(fields["updated_at"] ?? "")) >= #require(Int(old["updated_at"] ?? "")))
        }
    }

    @Test(arguments: Stage.allCases.filter { $0 != .active })
    func aBotThatIsNotInTheRoomIsNot(at stage: Stage) async throws {
        try await World.make { world in
            let place = try await world.bot(at: stage)
            try await world.expectNoChange { () async throws in
                #expect(try await world.configure(place, "language", "es") == .parts("not_in_room"))
            }
        }
    }

    @Test func noOtherBotIsConfigured() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            try await world.expectNoChange { () async throws in
                let other = world.place(place.meetingID, "none")
                #expect(try await world.configure(other, "language", "es") == .parts("not_in_room"))
                let elsewhere = world.place("none", place.botID)
                #expect(try await world.configure(elsewhere, "language", "es") == .parts("not_in_room"))
            }
            for end in [world.stop, { try await world.report($0, "failed") }] {
                _ = try await end(place)
                try await world.expectNoChange { () async throws in
                    #expect(try await world.configure(place, "language", "es") == .parts("not_in_room"))
                }
            }
        }
    }

    // MARK: Update

    @Test func aMeetingsRecordIsUpdated() async throws {
        try await World.make { world in
            let meeting = try await world.meeting(["notes": "old", "custom": "kept"])
            let key = world.keys.partition.meeting(meeting)
            func update(_ key: String, _ fields: String...) async throws -> Value {
                try await world.run(
                    Scripts.UpdateMeeting(
                        meetingKey: key, workspaceKey: world.keys.workspace, maxBytes: 100, defaultMaxBytes: 1_000_000,
                        fields: fields))
            }
            let before = try await world.snapshot()
            #expect(try await update(key, "notes", "new", "title", "") == .string("changed"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [key, world.keys.workspace])
            let fields = try #require(after[key]?.hash)
            let old = try #require(before[key]?.hash)
            // "Planning", which goes, is counted; "old", which another hand wrote, is as long as what replaces it.
            let bytes = String(try #require(Int(old["bytes"] ?? "")) - 8)
            let changed = ["notes": "new", "title": "", "updated_at": fields["updated_at"] ?? "", "bytes": bytes]
            #expect(fields == old.merging(changed) { $1 })
            #expect(try #require(Int(fields["updated_at"] ?? "")) >= #require(Int(old["created_at"] ?? "")))
            try await world.expectNoChange { () async throws in
                #expect(
                    try await update(world.keys.partition.meeting("none"), "notes", "new") == .string("unknown_meeting")
                )
            }
        }
    }

    /// The bound is for all of them together: those that are there count, and those that are replaced do not.
    @Test(arguments: [("notes", 70, true), ("notes", 71, false), ("languages", 40, true), ("languages", 41, false)])
    func whatUsersWriteIsBoundedTogether(field: String, bytes: Int, fits: Bool) async throws {
        try await World.make { world in
            let meeting = try await world.meeting(
                [
                    "title": "0123456789", "participants": "01234567890123456789",
                    "notes": String(repeating: "n", count: 30),
                ])
            let key = world.keys.partition.meeting(meeting)
            func update() async throws -> Value {
                try await world.run(
                    Scripts.UpdateMeeting(
                        meetingKey: key, workspaceKey: world.keys.workspace, maxBytes: 100, defaultMaxBytes: 1_000_000,
                        fields: [field, String(repeating: "x", count: bytes)]))
            }
            if fits {
                #expect(try await update() == .string("changed"))
                #expect(try await world.snapshot()[key]?.hash?[field]?.utf8.count == bytes)
            } else {
                try await world.expectNoChange { () async throws in
                    #expect(try await update() == .string("full"))
                }
            }
        }
    }

    // MARK: Delete

    private static func delete(_ meeting: String, _ world: World) async throws -> Value {
        try await world.run(
            Scripts.DeleteMeeting(
                meetingKey: world.keys.partition.meeting(meeting),
                segmentsKey: world.keys.partition.segments(ofMeeting: meeting), roomKey: world.keys.holder(World.room),
                workspaceKey: world.keys.workspace, imagesKey: world.keys.screenshots,
                orderKey: world.keys.screenshotOrder, feedKey: world.keys.partition.feed(ofMeeting: meeting),
                feedsKey: world.keys.feed, removalsKey: world.keys.partition.removals, meetingID: meeting))
    }

    @Test func whatWasCollectedIsRemovedAndTheBareRecordStays() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let meeting = place.meetingID
            let key = world.keys.partition.meeting(meeting)
            _ = try await world.ingest(one("s", "secret", more: #","speaker":"Anna""#), for: meeting)
            _ = try await world.report(
                place, "failed", reason: "evicted", "bot_output", "secret", "error_details", "secret")
            let collected = [
                "title": "secret", "participants": "[]", "languages": "[]", "notes": "secret", "passcode": "secret",
                "participants_by": "user", "languages_by": "user",
            ]
            let link = "https://teams.microsoft.com/meet/9398850880426"
            try await world.set(key, collected.merging(["meeting_url": "\(link)?x=1&p=secret#p=secret"]) { $1 })
            let before = try await world.snapshot()
            #expect(before[world.keys.partition.segments(ofMeeting: meeting)] != nil)
            #expect(try await Self.delete(meeting, world) == .string("removed"))
            let after = try await world.snapshot()
            let segments = world.keys.partition.segments(ofMeeting: meeting)
            let feed = world.keys.partition.feed(ofMeeting: meeting)
            #expect(after.changes(since: before) == [key, segments, world.keys.workspace, feed, world.keys.feed])
            #expect(after[world.keys.partition.segments(ofMeeting: meeting)] == nil)
            var fields = try #require(before[key]?.hash)
            for name in collected.keys.sorted() + ["bot_output", "error_details"] { fields[name] = nil }
            fields["meeting_url"] = link
            let at = try #require(after[key]?.hash?["redacted_at"])
            #expect(after[key] == .hash(fields.merging(["redacted_at": at, "updated_at": at, "bytes": "1000"]) { $1 }))
            #expect(!(after[key]?.description.contains("secret") ?? true))
            #expect(try await Self.delete(meeting, world) == .string("removed"))
        }
    }

    @Test func aMeetingThatIsBusyOrUnknownIsLeftAlone() async throws {
        try await World.make { world in
            for stage in Stage.allCases {
                let place = try await world.bot(at: stage)
                func expectBusy(_ comment: Comment) async throws {
                    try await world.expectNoChange(comment) { () async throws in
                        #expect(try await Self.delete(place.meetingID, world) == .string("busy"), comment)
                    }
                }
                try await expectBusy("\(stage)")
                _ = try await world.stop(place)
                try await expectBusy("\(stage), stopping")
                _ = try await world.report(place, "completed")
                if stage == .active { try await expectBusy("its transcript is being collected") }
                if stage != .active { #expect(try await Self.delete(place.meetingID, world) == .string("removed")) }
            }
            try await world.expectNoChange { () async throws in
                #expect(try await Self.delete("none", world) == .string("unknown_meeting"))
            }
        }
    }
}
