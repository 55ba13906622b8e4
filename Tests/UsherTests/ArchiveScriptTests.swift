import Log
import Redis
import RedisTestSupport
import Scripts
import Synchronization
import TestTurns
import Testing

@testable import Usher

/// `begin_move.lua` and `let_go.lua`, and what the other scripts do with what the archive has.
@Suite(.takesTurns) struct ArchiveScriptTests {
    /// A meeting that is over, with two segments.
    private static func over(_ world: World) async throws -> BotPlace {
        let bot = try await world.bot(at: .active)
        _ = try await world.ingest(one("s1", "hello"), for: bot.meetingID, version: "10-0")
        _ = try await world.ingest(one("s2", "there", start: 2), for: bot.meetingID, version: "11-0")
        _ = try await world.report(bot, "completed", reason: "left_alone")
        _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
        return bot
    }

    private static func begin(
        _ world: World, _ bot: BotPlace, after: Int = 0, object: String = object
    ) async throws -> Value {
        let (keys, partition) = (world.keys, world.keys.partition)
        return try await world.run(
            Scripts.BeginMove(
                meetingKey: partition.meeting(bot.meetingID), segmentsKey: partition.segments(ofMeeting: bot.meetingID),
                roomKey: keys.holder(bot.room), endedKey: partition.ended, analyzingKey: partition.analyzing,
                archivedKey: partition.archived, movingKey: partition.moving, removalsKey: partition.removals,
                meetingID: bot.meetingID, afterMilliseconds: after, leaseMilliseconds: 60_000, object: object))
    }

    private static func letGo(
        _ world: World, _ bot: BotPlace, revision: String = "2", before: String? = nil, redactedAt: String? = nil,
        object: String = object, archived text: String? = nil, bytes: Int = 0
    ) async throws -> Value {
        let (keys, partition) = (world.keys, world.keys.partition)
        return try await world.run(
            Scripts.LetGo(
                meetingKey: partition.meeting(bot.meetingID), segmentsKey: partition.segments(ofMeeting: bot.meetingID),
                roomKey: keys.holder(bot.room), endedKey: partition.ended, analyzingKey: partition.analyzing,
                archivedKey: partition.archived, movingKey: partition.moving, removalsKey: partition.removals,
                workspaceKey: keys.workspace, feedKey: partition.feed(ofMeeting: bot.meetingID),
                objectKey: objectKey(world, bot, object), meetingID: bot.meetingID, object: object, revision: revision,
                before: before, redactedAt: redactedAt,
                archived: text ?? archived(object), bytes: bytes, keepMilliseconds: 600_000,
                partBytes: KeptObjects.partBytes,
                participants: "[]",
                languages: "{}"))
    }

    private static func objectKey(_ world: World, _ bot: BotPlace, _ object: String) -> String {
        "\(world.keys.partition.meeting(bot.meetingID)):object:\(object)"
    }

    private static let object = String(repeating: "a", count: 32)
    private static let other = String(repeating: "b", count: 32)
    private static func archived(_ object: String, segments: Int = 2, taken: Int = 500) -> String {
        "\(object) \(String(repeating: "0", count: 64)) 10 20 \(segments) \(taken)"
    }
    private static func claimed(_ archived: String = "") -> Value {
        .array([.string("claimed"), .string("2"), .string(archived), .string("")])
    }

    private static func name(_ world: World, _ bot: BotPlace, _ object: String = object) -> String {
        "\(world.workspaceID)/\(bot.meetingID)-\(object)"
    }

    @Test func oneThatIsOverIsTaken() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let before = try await world.snapshot()
            #expect(try await Self.begin(world, bot) == Self.claimed())
            let after = try await world.snapshot()
            let partition = world.keys.partition
            #expect(after.changes(since: before) == [partition.meeting(bot.meetingID), partition.moving])
            #expect(try await world.fields(bot.meetingID)["moving"] == Self.object)
            let lease = try #require(after[partition.moving]?.sortedSet?[bot.meetingID].flatMap { Int($0) })
            let now = try await world.now()
            #expect((now + 30_000...now + 60_000).contains(lease))
            try await world.expectNoChange {
                let reply = try await Self.begin(world, bot, object: Self.other)
                #expect(reply == .array([.string("not_due")]))
            }
        }
    }

    @Test func whoComesAfterOneThatDiedRemovesWhatThatMayHaveWritten() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            _ = try await Self.begin(world, bot)
            _ = try await world.client.send("ZADD", world.keys.partition.moving, "1", bot.meetingID)
            #expect(try await Self.begin(world, bot, object: Self.other) == Self.claimed())
            let removals = try await world.snapshot()[world.keys.partition.removals]?.sortedSet
            #expect(removals?.keys.map { $0 } == [Self.name(world, bot)])
            #expect(try await world.fields(bot.meetingID)["moving"] == Self.other)
            try await world.expectNoChange {
                let reply = try await Self.letGo(world, bot)
                #expect(reply == .string("not_yours"))
            }
        }
    }

    @Test func oneIsNotTakenBeforeItsTime() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            try await world.expectNoChange {
                let reply = try await Self.begin(world, bot, after: 600_000)
                #expect(reply == .array([.string("not_due")]))
            }
            _ = try await world.client.send("ZADD", world.keys.partition.analyzing, "1", bot.meetingID)
            try await world.expectNoChange("what came in late is collected first") {
                let reply = try await Self.begin(world, bot)
                #expect(reply == .array([.string("not_due")]))
            }
            // A lease that was given before the clock was set back.
            _ = try await world.client.send("ZREM", world.keys.partition.analyzing, bot.meetingID)
            _ = try await world.client.send("ZADD", world.keys.partition.moving, "99999999999999", bot.meetingID)
            #expect(try await Self.begin(world, bot) == Self.claimed())
        }
    }

    @Test func oneThatIsHeldAgainIsLeftAlone() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            _ = try await world.bot(at: bot.meetingID, seen: "OFFLINE", .joining, .active)
            let before = try await world.snapshot()
            #expect(try await Self.begin(world, bot) == .array([.string("busy")]))
            #expect(try await world.snapshot().changes(since: before) == [world.keys.partition.ended])
        }
    }

    @Test func whereNothingWasSaidThereIsNothingToMove() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .active)
            _ = try await world.report(bot, "completed", reason: "left_alone")
            _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
            let before = try await world.snapshot()
            #expect(try await Self.begin(world, bot) == .array([.string("nothing")]))
            let after = try await world.snapshot()
            let partition = world.keys.partition
            #expect(after.changes(since: before) == [partition.ended, partition.archived])
            #expect(after[partition.archived]?.sortedSet == before[partition.ended]?.sortedSet)
        }
    }

    @Test func redisLetsGoAndQuotasWithIt() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let (partition, id) = (world.keys.partition, bot.meetingID)
            _ = try await Self.begin(world, bot)
            let bytes = try await world.segments(id).reduce(0) {
                $0 + StoredSegment.taken(field: Array($1.key.utf8), value: $1.value)
            }
            let before = try await world.snapshot()
            #expect(try await Self.letGo(world, bot, bytes: bytes) == .string("gone"))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    partition.meeting(id), partition.segments(ofMeeting: id), partition.moving, partition.ended,
                    partition.archived, partition.feed(ofMeeting: id), world.keys.workspace,
                ])
            #expect(after[partition.segments(ofMeeting: id)] == nil && after[partition.moving] == nil)
            #expect(after[partition.archived]?.sortedSet == before[partition.ended]?.sortedSet)
            let (old, new) = (before[partition.meeting(id)]?.hash, after[partition.meeting(id)]?.hash)
            #expect(new?["archived"] == Self.archived(Self.object) && new?["moving"] == nil)
            #expect(Int(old?["bytes"] ?? "") == Int(new?["bytes"] ?? "").map { $0 + bytes })
            #expect(after[partition.feed(ofMeeting: id)]?.stream?.map { $0["what"] } == ["moved"])
            try await world.expectNoChange("asked again, as the answer was lost") {
                let reply = try await Self.letGo(world, bot, bytes: bytes)
                #expect(reply == .string("gone"))
            }
        }
    }

    @Test(arguments: ["late", "deleted", "held", "moved", "analysed"])
    func itDoesNotIfSomethingHasChanged(what: String) async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let (partition, id) = (world.keys.partition, bot.meetingID)
            _ = try await Self.begin(world, bot)
            switch what {
            case "late": _ = try await world.ingest(one("s3", "late"), for: id, version: "12-0")
            case "deleted":
                let record = try #require(
                    try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
                guard case .removed = try await world.session.meetings.removeContents(of: record) else {
                    Issue.record("it could not be removed")
                    return
                }
            case "held": _ = try await world.bot(at: id, seen: "OFFLINE", .joining, .active)
            case "moved": try await world.set(partition.meeting(id), ["archived": Self.archived(Self.other)])
            default: _ = try await world.client.send("ZADD", partition.analyzing, "1", id)
            }
            let before = try await world.snapshot()
            let isDeleted = what == "deleted"
            #expect(try await Self.letGo(world, bot) == .string(isDeleted ? "not_yours" : "look_again"))
            let after = try await world.snapshot()
            #expect(after[partition.segments(ofMeeting: id)] == before[partition.segments(ofMeeting: id)])
            #expect(after[partition.removals]?.sortedSet?[Self.name(world, bot)] != nil)
            #expect(after[partition.meeting(id)]?.hash?["moving"] == nil)
            #expect(after[partition.meeting(id)]?.hash?["archived"] == before[partition.meeting(id)]?.hash?["archived"])
        }
    }

    @Test func theObjectBeforeGoesLater() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let before = Self.archived(Self.other)
            try await world.set(world.keys.partition.meeting(bot.meetingID), ["archived": before])
            #expect(try await Self.begin(world, bot) == Self.claimed(before))
            #expect(try await Self.letGo(world, bot, before: before) == .string("gone"))
            let removals = try await world.snapshot()[world.keys.partition.removals]?.sortedSet
            let due = try #require(removals?[Self.name(world, bot, Self.other)].flatMap { Int($0) })
            let now = try await world.now()
            #expect(removals?.count == 1 && due > now + 300_000)
        }
    }

    /// Redis takes nothing back of a script that fails in the middle.
    @Test(arguments: ["archived", "workspace", "moving"])
    func noObjectThatCountsIsRemovedWhereAKeyIsOfAnotherType(what: String) async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let (partition, id) = (world.keys.partition, bot.meetingID)
            let before = Self.archived(Self.other)
            try await world.set(partition.meeting(id), ["archived": before])
            _ = try await Self.begin(world, bot)
            let key =
                switch what {
                case "archived": partition.archived
                case "workspace": world.keys.workspace
                default: partition.moving
                }
            _ = try await world.client.send("SET", key, "x")
            _ = try? await Self.letGo(world, bot, before: before, bytes: 1)
            // Whoever comes next, once the key is mended and the lease is over.
            _ = try await world.client.send("DEL", key, partition.moving)
            _ = try? await Self.begin(world, bot, object: String(repeating: "c", count: 32))
            let after = try await world.snapshot()
            let counts = try #require(after[partition.meeting(id)]?.hash?["archived"])
            let removals = after[partition.removals]?.sortedSet ?? [:]
            #expect(removals[Self.name(world, bot, String(counts.prefix(32)))] == nil, "\(counts) \(removals)")
            #expect(counts != before || after[partition.segments(ofMeeting: id)] != nil)
        }
    }

    /// Whoever collects who spoke from what was read before finds that out.
    @Test func aMoveIsAChangeOfTheTranscript() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            _ = try await Self.begin(world, bot)
            _ = try await Self.letGo(world, bot)
            #expect(try await world.fields(bot.meetingID)["segments_revision"] == "3")
        }
    }

    @Test func deletionAndRetentionRemoveItFromTheArchive() async throws {
        for isRetention in [false, true] {
            try await World.make { world in
                let bot = try await Self.over(world)
                let (partition, id) = (world.keys.partition, bot.meetingID)
                _ = try await Self.begin(world, bot)
                _ = try await Self.letGo(world, bot)
                if isRetention {
                    // The limit is 0, but this asks for what is due already.
                    #expect(try await world.session.meetings.purge(id, in: partition))
                } else {
                    let record = try await world.session.meetings.meeting(id: id, workspace: world.workspaceID)
                    _ = try await world.session.meetings.removeContents(of: try #require(record))
                }
                let after = try await world.snapshot()
                #expect(after[partition.removals]?.sortedSet?.keys.map { $0 } == [Self.name(world, bot)])
                #expect(after[partition.meeting(id)]?.hash?["archived"] == nil)
                #expect(
                    (after[partition.archived] == nil) == isRetention
                        && (after[partition.meeting(id)] == nil) == isRetention)
            }
        }
    }

    @Test func limitsCountWhatTheArchiveHas() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let (partition, id) = (world.keys.partition, bot.meetingID)
            for (archived, outcome) in [
                (Self.archived(Self.object, segments: 49_998), Ingestion.full),
                (Self.archived(Self.object, taken: 16 << 20), .full),
                (Self.archived(Self.object, segments: 49_997), .stored(changed: 1)),
            ] {
                try await world.set(partition.meeting(id), ["archived": archived])
                #expect(try await world.ingest(one("s3", "late"), for: id, version: "12-0") == outcome)
            }
        }
    }

    @Test func whatComesInLateIsMovedToo() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let (partition, id) = (world.keys.partition, bot.meetingID)
            _ = try await Self.begin(world, bot)
            _ = try await Self.letGo(world, bot)
            _ = try await world.ingest(one("s3", "late"), for: id, version: "12-0")
            #expect(try await world.snapshot()[partition.ended]?.sortedSet?[id] != nil)
        }
    }

    private static let kept = "k" + String(repeating: "c", count: 32)

    @Test func anObjectIsKeptWhileItsNodeMayMoveTheMeeting() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let objects = world.session.keptObjects
            let name = try #require(
                ArchiveName(workspaceID: world.workspaceID, meetingID: bot.meetingID, object: Self.kept))
            let large = (0..<KeptObjects.partBytes * 5 + 7).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            try await world.expectNoChange("nobody moves it") {
                let isKept = try await objects.keep(large, as: name)
                #expect(!isKept)
            }
            for bytes in [[1, 2, 3], Array(large.prefix(KeptObjects.partBytes)), large] {
                _ = try await world.client.send("ZREM", world.keys.partition.moving, bot.meetingID)
                _ = try await Self.begin(world, bot, object: Self.kept)
                for _ in 1...2 { #expect(try await objects.keep(bytes, as: name)) }
                #expect(try await objects.read(name, count: bytes.count) == bytes)
                // Nothing of what is not whole.
                #expect(try await objects.read(name, count: bytes.count + KeptObjects.partBytes) == nil)
                for _ in 1...2 { try await objects.remove([name]) }
                #expect(try await objects.read(name, count: bytes.count) == nil)
            }
            let key = Self.objectKey(world, bot, Self.kept)
            for (letter, count, isTaken) in [("A", 349_528, true), ("A", 349_532, false), ("?", 4, false)] {
                _ = try await world.client.send("HSET", key, "0", String(repeating: letter, count: count))
                let bytes = try? await objects.read(name, count: 3)
                #expect((bytes != nil) == isTaken, "\(count)")
            }
        }
    }

    /// How an object of this many packed bytes is told of, and its parts.
    private static func keep(_ world: World, _ bot: BotPlace, _ object: String, bytes: Int) async throws -> String {
        for part in 0..<(bytes + KeptObjects.partBytes - 1) / KeptObjects.partBytes {
            _ = try await world.client.send("HSET", objectKey(world, bot, object), String(part), "AAAA")
        }
        return "\(object) \(String(repeating: "0", count: 64)) \(bytes) 20 2 500"
    }

    @Test func oneThatRedisKeepsGoesAfterTwoMinutes() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let before = Self.archived(Self.kept)
            try await world.set(world.keys.partition.meeting(bot.meetingID), ["archived": before])
            #expect(try await Self.begin(world, bot) == Self.claimed(before))
            #expect(try await Self.letGo(world, bot, before: before) == .string("gone"))
            let removals = try await world.snapshot()[world.keys.partition.removals]?.sortedSet
            let due = try #require(removals?[Self.name(world, bot, Self.kept)].flatMap { Int($0) }) + Moves.keptBefore
            let now = try await world.now()
            #expect((now + 60_000...now + 120_000).contains(due))
        }
    }

    @Test func whatAnotherHandNotesForRemovalKeepsNothingFromIt() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            let (removals, moves) = (world.keys.partition.removals, world.session.moves)
            let (other, kept) = (Self.name(world, bot, Self.other), Self.name(world, bot, Self.kept))
            // Each lies where those of the other kind do.
            _ = try await world.client.send(
                "ZADD", removals, String(1 - Moves.keptBefore), other, "1", kept, "2", "odd",
                String(2 - Moves.keptBefore), "odd too")
            #expect(try await moves.keptRemovals().isEmpty)
            #expect(try await moves.removals().map(\.description) == [other])
            #expect(try await moves.keptRemovals().map(\.description) == [kept])
            let names = [other, kept].compactMap { ArchiveName($0) }
            #expect(try await moves.removed(names) == 2)
            #expect(try await moves.removed(names) == 0)
            #expect(try await world.client.send("EXISTS", removals) == .integer(0))
        }
    }

    @Test func whatRedisKeepsIsCountedAndHasToBeThere() async throws {
        try await World.make { world in
            let bot = try await Self.over(world)
            func bytes() async throws -> Int {
                try await Int(world.fields(bot.meetingID)["bytes"] ?? "") ?? 0
            }
            let before = try await bytes()
            _ = try await Self.begin(world, bot, object: Self.kept)
            let first = try await Self.keep(world, bot, Self.kept, bytes: 300_000)
            // A failover has forgotten a part of it.
            let last = try await world.client.send("HGET", Self.objectKey(world, bot, Self.kept), "1").stringOrThrow()
            _ = try await world.client.send("HDEL", Self.objectKey(world, bot, Self.kept), "1")
            #expect(
                try await Self.letGo(world, bot, object: Self.kept, archived: first, bytes: 300)
                    == .string("look_again"))
            #expect(try await !world.segments(bot.meetingID).isEmpty)
            _ = try await Self.begin(world, bot, object: Self.kept)
            _ = try await world.client.send("HSET", Self.objectKey(world, bot, Self.kept), "1", last)
            #expect(
                try await Self.letGo(world, bot, object: Self.kept, archived: first, bytes: 300) == .string("gone"))
            #expect(try await bytes() == before - 300 + 400_200)
            // What is moved again takes the place of that.
            _ = try await world.ingest(one("s3", "late", start: 4), for: bot.meetingID, version: "12-0")
            _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
            let with = try await bytes()
            let another = "k" + Self.other
            _ = try await Self.begin(world, bot, object: another)
            let second = try await Self.keep(world, bot, another, bytes: 600)
            let reply = try await Self.letGo(
                world, bot, revision: #require(world.fields(bot.meetingID)["segments_revision"]), before: first,
                object: another, archived: second)
            #expect(reply == .string("gone"))
            #expect(try await bytes() == with + 1_000 - 400_200)
        }
    }
}
