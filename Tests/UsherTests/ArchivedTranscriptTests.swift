import EventLoop
import Log
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

@testable import Usher

/// How a transcript reads that is partly, or wholly, in the archive.
@Suite(.takesTurns) struct ArchivedTranscriptTests {
    /// An archive in memory.
    private final class Shelf: TranscriptArchive {
        let isElsewhere = true
        let objects = Mutex<[String: StoredSegments]>([:])

        func segments(of object: ArchivedObject, for session: Session) async throws(ArchiveFault) -> StoredSegments {
            guard let segments = objects.withLock({ $0[object.name.object] }) else { throw .gone }
            return segments
        }
    }

    private static func make(
        _ body: @escaping @Sendable (World, Session, BotPlace, Shelf) async throws -> Void
    ) async throws {
        try await World.make { world in
            let shelf = Shelf()
            let store = Store(client: world.client, configuration: World.patient, archive: shelf)
            let bot = try await world.bot(at: .active)
            try await body(world, store.session(until: Client.soon), bot, shelf)
        }
    }

    private static func end(_ world: World, _ bot: BotPlace) async throws {
        _ = try await world.report(bot, "completed", reason: "left_alone")
        _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
    }

    /// Moves what Redis has to the shelf.
    private static func move(_ world: World, _ session: Session, _ bot: BotPlace, _ shelf: Shelf) async throws {
        let move = try #require(try await session.moves.begin(bot.meetingID, in: world.keys.partition, after: 0))
        let (stored, bytes) = try await session.moves.segments(of: move)
        let transcript = MovedTranscript(stored, sessions: move.sessions)
        shelf.objects.withLock { $0[move.name.object] = stored }
        let outcome = try await session.moves.letGo(
            move, transcript, sha256: String(repeating: "0", count: 64), packedBytes: 10, unpackedBytes: 20,
            bytes: bytes)
        guard case .moved = outcome else { throw TestServerError("it was not moved: \(outcome)") }
        #expect(try await world.segments(bot.meetingID).isEmpty)
    }

    private static func read(_ world: World, _ session: Session, _ bot: BotPlace) async throws -> [String] {
        let meeting = try await session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID)
        var reading = try await TranscriptReading(of: try #require(meeting), in: session) { _ in }
        var objects: [String] = []
        while let piece = try await reading.next(bytes: 1, in: session) {
            objects.append(String(decoding: piece, as: UTF8.self))
        }
        return objects
    }

    @Test func itReadsAsBefore() async throws {
        try await Self.make { world, session, bot, shelf in
            for (id, start) in [("c", 3.0), ("a", 1), ("b", 2)] {
                _ = try await world.ingest(one(id, "text \(id)", start: start), for: bot.meetingID)
            }
            let retraction = #"{"type":"transcript_retract","segment_ids":["b"]}"#
            _ = try await world.ingest(retraction, for: bot.meetingID)
            try await Self.end(world, bot)
            let before = try await Self.read(world, session, bot)
            try await Self.move(world, session, bot, shelf)
            #expect(before.count == 2)
            #expect(try await Self.read(world, session, bot) == before)
        }
    }

    @Test func whatWasSaidBeforeARestartIsStillThere() async throws {
        try await Self.make { world, session, bot, shelf in
            _ = try await world.ingest(
                one("a", "first", more: #","speaker":"Ana","language":"de""#), for: bot.meetingID)
            try await Self.end(world, bot)
            try await Self.move(world, session, bot, shelf)
            let second = try await world.bot(at: bot.meetingID, seen: "OFFLINE", .joining, .active)
            _ = try await world.ingest(
                one("a", "second", more: #","speaker":"Ben","language":"de""#), for: bot.meetingID)
            func texts() async throws -> [String] {
                try await Self.read(world, session, bot).map { $0.contains("first") ? "first" : "second" }
            }
            #expect(try await texts() == ["first", "second"])
            try await Self.end(world, second)
            let fields = try await world.fields(bot.meetingID)
            #expect(fields["participants"] == #"["Ana","Ben"]"# && fields["languages"] == #"["de"]"#)
            try await Self.move(world, session, second, shelf)
            #expect(try await texts() == ["first", "second"])
            #expect(try await world.fields(bot.meetingID)["archived_languages"] == #"{"de":2}"#)
        }
    }

    @Test func aLateFormOfASegmentCountsAsIfItWereHere() async throws {
        try await Self.make { world, session, bot, shelf in
            func ingest(_ json: String, _ version: String) async throws {
                _ = try await world.ingest(json, for: bot.meetingID, version: version)
            }
            try await ingest(one("a", "old"), "10-0")
            try await ingest(one("b", "kept", start: 2), "20-0")
            try await ingest(one("c", "said", start: 3), "10-0")
            try await ingest(one("d", "draft", start: 4, completed: false), "10-0")
            try await Self.end(world, bot)
            try await Self.move(world, session, bot, shelf)
            try await ingest(one("a", "new"), "11-0")
            try await ingest(one("b", "older", start: 2), "15-0")
            try await ingest(#"{"type":"transcript_retract","segment_ids":["c"]}"#, "9-0")
            try await ingest(one("d", "confirmed", start: 4), "12-0")
            let words = ["old", "kept", "said", "draft", "new", "older", "confirmed"]
            func texts() async throws -> [String] {
                try await Self.read(world, session, bot).map { json in words.first { json.contains("\"\($0)\"") } ?? ""
                }
            }
            #expect(try await texts() == ["new", "kept", "confirmed"])
            _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
            try await Self.move(world, session, bot, shelf)
            #expect(try await texts() == ["new", "kept", "confirmed"])
        }
    }

    /// What a round has no time for is not all that is due in the last ones.
    @Test func partitionsTakeTurns() async throws {
        try await Self.make { world, session, _, _ in
            let (first, last) = (Partition.all[0], Partition.all[15])
            for (partition, names) in [(first, ["a", "b", "c"]), (last, ["d", "e"])] {
                for (index, name) in names.enumerated() {
                    _ = try await world.client.send("ZADD", partition.ended, String(index + 1), name)
                }
            }
            #expect(try await session.moves.due(after: 0).map(\.meeting) == ["a", "d", "b", "e", "c"])
        }
    }

    /// A record that was read before the move leads to where the transcript is now.
    @Test func oneThatIsMovedMeanwhileIsLookedForAgain() async throws {
        try await Self.make { world, session, bot, shelf in
            _ = try await world.ingest(one("a", "text"), for: bot.meetingID)
            try await Self.end(world, bot)
            let early = try #require(
                try await session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID))
            try await Self.move(world, session, bot, shelf)
            var reading = try await TranscriptReading(of: early, in: session) { _ in }
            #expect(try await reading.next(bytes: 1, in: session) != nil)
        }
    }

    @Test func oneThatIsNotThereIsNoEmptyTranscript() async throws {
        try await Self.make { world, session, bot, shelf in
            _ = try await world.ingest(one("a", "text"), for: bot.meetingID)
            try await Self.end(world, bot)
            try await Self.move(world, session, bot, shelf)
            await #expect(throws: ArchiveFault.away("this node was given no archive")) {
                _ = try await Self.read(world, world.session, bot)
            }
            shelf.objects.withLock { $0 = [:] }
            await #expect(throws: ArchiveFault.gone) { _ = try await Self.read(world, session, bot) }
        }
    }

    /// A cursor from before leads nowhere, and the beginning does not either.
    @Test func cursorsEndWithTheMove() async throws {
        try await Self.make { world, session, bot, shelf in
            _ = try await world.ingest(one("a", "text"), for: bot.meetingID)
            try await Self.end(world, bot)
            let meeting = try #require(
                try await session.meetings.meeting(id: bot.meetingID, workspace: world.workspaceID))
            let cursor = try await session.feeds.end(of: meeting)
            try await Self.move(world, session, bot, shelf)
            for cursor in [cursor, .beginning] {
                var reading = FeedReading(of: meeting, after: cursor)
                guard case .lost = try await reading.next(in: session) else {
                    Issue.record("\(cursor) leads on")
                    return
                }
            }
            var reading = FeedReading(of: meeting, after: try await session.feeds.end(of: meeting))
            guard case .end = try await reading.next(in: session) else {
                Issue.record("the cursor of now leads nowhere")
                return
            }
        }
    }
}
