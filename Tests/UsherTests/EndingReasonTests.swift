import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// A record says what happened: a bot was stopped if a stop was asked, whatever it says itself.
@Suite(.takesTurns) struct EndingReasonTests {
    private static func noteEnding(
        _ world: World, _ place: BotPlace, runner: String = "runner", reason: String = "join_timeout"
    ) async throws -> Value {
        try await world.run(
            Scripts.NoteEnding(botKey: place.partition.bot(place.botID), runner: runner, reason: reason))
    }

    @Test(
        arguments: [
            ("stopped", nil, false, "left_unasked"), ("left_alone", nil, false, "left_alone"),
            ("stopped", "join_timeout", false, "join_timeout"), ("", "runner_stopped", false, "runner_stopped"),
            ("left_alone", nil, true, "stopped"), ("", "join_timeout", true, "stopped"),
            ("stopped", nil, true, "stopped"),
        ] as [(String, String?, Bool, String)])
    func aReportSaysNoMoreThanItsBotKnows(
        _ told: String, noted: String?, isStopped: Bool, _ expected: String
    ) async throws {
        try await World.make { world in
            for end in ["completed", "failed"] {
                let place = try await world.bot(at: .active)
                if let noted { #expect(try await Self.noteEnding(world, place, reason: noted) == .string("noted")) }
                if isStopped { _ = try await world.stop(place) }
                #expect(try await world.report(place, end, reason: told).array?.first == .string("accepted"))
                let fields = try await world.fields(place.meetingID)
                #expect(fields["completion_reason"] == expected, "\(end)")
                #expect(try await world.snapshot().lastEvent(world.keys)?["why"] == expected)
                try await world.expectFree()
            }
        }
    }

    @Test func aRunnerNotesWhyItEndsABot() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .joining)
            let record = place.partition.bot(place.botID)
            try await world.expectNoChange { () async throws in
                #expect(try await Self.noteEnding(world, place, runner: "other") == .string("not_yours"))
                #expect(try await Self.noteEnding(world, world.place(place.meetingID, "none")) == .string("not_yours"))
            }
            let before = try await world.snapshot()
            #expect(try await Self.noteEnding(world, place) == .string("noted"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [record])
            let fields = try #require(before[record]?.hash)
            #expect(after[record] == .hash(fields.merging(["ending": "join_timeout"]) { $1 }))
            try await world.expectNoChange { () async throws in
                #expect(try await Self.noteEnding(world, place) == .string("noted"))
            }
            _ = try await world.report(place, "failed", reason: "stopped")
            #expect(try await world.fields(place.meetingID)["completion_reason"] == "join_timeout")
            try await world.expectNoChange { () async throws in
                #expect(try await Self.noteEnding(world, place) == .string("not_yours"))
            }
        }
    }
}
