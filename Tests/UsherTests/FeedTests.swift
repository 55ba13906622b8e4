import EventLoop
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// What scripts leave in the feeds of a meeting and its workspace, and what is read of them.
@Suite(.takesTurns) struct FeedTests {
    private static func feed(_ world: World, _ meeting: String) async throws -> [[String: String]] {
        try await world.snapshot()[world.keys.partition.feed(ofMeeting: meeting)]?.stream ?? []
    }

    /// Each entry is in both, and both end an hour after the last.
    private static func expectBoth(_ world: World, _ meeting: String, count: Int) async throws -> [[String: String]] {
        let snapshot = try await world.snapshot()
        let key = world.keys.partition.feed(ofMeeting: meeting)
        let entries = snapshot[key]?.stream ?? []
        #expect(entries.count == count)
        let all = (snapshot[world.keys.feed]?.stream ?? []).filter { $0["meeting_id"] == meeting }
        // They say the same, but for where they are.
        let known = ["what", "to", "at", "bot_id", "version", "ids"]
        func content(_ entry: [String: String]) -> [String] { known.map { entry[$0] ?? "" } }
        let ids: [String?] = all.map { $0["entry"] }
        #expect(ids == entries.map { $0["<id>"] })
        #expect(all.map(content) == entries.map(content))
        for key in [key, world.keys.feed] {
            #expect(snapshot.timeToLive[key].map { $0 > 3_500_000 && $0 <= 3_600_000 } == true)
        }
        return entries
    }

    @Test func eachChangeOfAStatusIsThere() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            var bot = try await world.send(to: meeting)
            try await world.claim(bot)
            for status in ["joining", "awaiting_admission", "needs_help", "active"] {
                _ = try await world.report(bot, status)
            }
            _ = try await world.stop(bot)
            _ = try await world.report(bot, "completed")
            _ = try await world.session.transcripts.finalise(meeting: meeting, workspace: world.workspaceID)
            _ = try await world.dispatch(meeting, bot: Identifier.bot(in: world.keys.partition), seen: "OFFLINE")
            bot = world.place(meeting, try #require(try await world.fields(meeting)["bot_id"]))
            try await world.claim(bot)
            let next = Identifier.bot(in: world.keys.partition)
            _ = try await world.lose(bot, runner: "runner", by: next)
            bot = world.place(meeting, next)
            _ = try await world.stop(bot)
            let entries = try await Self.expectBoth(world, meeting, count: 12)
            #expect(
                entries.map { $0["to"] } == [
                    "INITIAL/requested", "INITIAL/joining", "INITIAL/awaiting_admission", "INITIAL/needs_help",
                    "LIVE/active", "STOPPING/stopping", "ANALYZING/completed", "OFFLINE/completed", "INITIAL/requested",
                    "INITIAL/requested", "STOPPING/stopping", "OFFLINE/completed",
                ])
            for entry in entries { #expect(entry["what"] == "status" && Int(entry["at"] ?? "") != nil) }
        }
    }

    @Test func changedSegmentsAreNamedWithTheirVersion() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let meeting = place.meetingID
            let before = try await Self.feed(world, meeting).count
            _ = try await world.ingest(one("a", "Hel", completed: false), for: meeting)
            _ = try await world.ingest(one("a", "Hello"), for: meeting)
            let entries = try await Self.expectBoth(world, meeting, count: before + 2)
            #expect(entries.last?["ids"] == "a" && entries.last?["bot_id"] == place.botID)
            let stored = try await world.client.send(
                "HGET", world.keys.partition.segments(ofMeeting: meeting), "\(place.botID):a"
            ).string
            #expect(entries.last?["version"] == stored?.split(separator: " ").first.map(String.init))
            // What changes nothing tells nothing.
            _ = try await world.ingest(one("a", "Hello"), for: meeting)
            #expect(try await Self.feed(world, meeting).count == before + 2)
        }
    }

    /// A thousand with the longest ids: entries stay short, and all of them are named.
    @Test func manySegmentsAreInSeveralEntries() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let before = try await Self.feed(world, place.meetingID).count
            let ids = (0..<40).map { String(repeating: "x", count: 190) + "\($0)" }
            let segments = ids.map { #"{"segment_id":"\#($0)","start":1,"end":2,"text":"a"}"# }
            _ = try await world.ingest(
                #"{"type":"transcription","segments":[\#(segments.joined(separator: ","))]}"#, for: place.meetingID)
            let entries = try await Self.feed(world, place.meetingID).dropFirst(before)
            #expect(entries.count > 1 && entries.allSatisfy { ($0["ids"] ?? "").utf8.count <= 1_300 })
            let told: [String] = entries.flatMap { ($0["ids"] ?? "").split(separator: " ").map(String.init) }
            #expect(told.sorted() == ids.sorted())
        }
    }

    // MARK: Reading

    private static func changes(
        _ world: World, _ id: String, after cursor: FeedCursor
    ) async throws -> (text: String, retracted: [String], end: FeedCursor)? {
        let meeting = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
        var reading = FeedReading(of: meeting, after: cursor)
        var (text, retracted): ([String], [String]) = ([], [])
        while true {
            switch try await reading.next(in: world.session) {
            case .changes(let json, let gone):
                if !json.isEmpty { text.append(String(decoding: json, as: UTF8.self)) }
                retracted += gone
            case .end: return (text.joined(separator: "\n"), retracted, reading.cursor)
            case .lost: return nil
            }
        }
    }

    /// Each in its last form, once, where that form was told.
    @Test func whatFollowsACursorIsReadOnce() async throws {
        try await World.make { world in
            let id = try await world.bot(at: .active).meetingID
            let start = try #require(try await Self.changes(world, id, after: .beginning)).end
            _ = try await world.ingest(one("a", "Hel", completed: false), for: id)
            _ = try await world.ingest(one("b", "mistake"), for: id)
            let middle = try #require(try await Self.changes(world, id, after: start))
            #expect(middle.text.contains("\"Hel\"") && middle.text.contains("mistake"))
            _ = try await world.ingest(one("a", "Hello"), for: id)
            _ = try await world.ingest(#"{"type":"transcript_retract","segment_ids":["b"]}"#, for: id)
            for cursor in [start, middle.end] {
                let changes = try #require(try await Self.changes(world, id, after: cursor))
                #expect(changes.text.components(separatedBy: "segment_id").count == 2 && changes.text.contains("Hello"))
                #expect(changes.retracted == ["b"])
            }
            let end = try #require(try await Self.changes(world, id, after: middle.end)).end
            #expect(try await Self.changes(world, id, after: end)?.text == "")
            #expect(try await Self.changes(world, id, after: end)?.end == end)
        }
    }

    /// A mark at the beginning of an id makes another character of the blank before it.
    @Test func idsAreKeptApartByTheirBytes() async throws {
        try await World.make { world in
            let id = try await world.bot(at: .active).meetingID
            let start = try #require(try await Self.changes(world, id, after: .beginning)).end
            let segments = ["a", "\u{301}b"].map { #"{"segment_id":"\#($0)","start":1,"end":2,"text":"x"}"# }
            _ = try await world.ingest(
                #"{"type":"transcription","segments":[\#(segments.joined(separator: ","))]}"#, for: id)
            let changes = try #require(try await Self.changes(world, id, after: start))
            #expect(changes.text.components(separatedBy: "segment_id").count == 3)
        }
    }

    /// Bots go on, and nobody is told.
    @Test(arguments: [true, false]) func whereSomethingElseHasAFeedsKeyAllElseGoesOn(_ isWorkspace: Bool) async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let key = isWorkspace ? world.keys.feed : world.keys.partition.feed(ofMeeting: place.meetingID)
            _ = try await world.client.send("DEL", key)
            _ = try await world.client.send("SET", key, "spoilt")
            _ = try await world.ingest(one("a", "kept"), for: place.meetingID)
            _ = try await world.stop(place)
            _ = try await world.report(place, "completed")
            #expect(try await world.fields(place.meetingID)["bot_status"] == "completed")
            let segments = try await world.snapshot()[world.keys.partition.segments(ofMeeting: place.meetingID)]
            #expect(segments != nil)
            #expect(try await world.client.send("GET", key).string == "spoilt")
        }
    }

    private static func hub(_ world: World) -> FeedHub {
        var configuration = world.clientConfiguration
        configuration.name = "feeds-\(world.workspaceID)"
        configuration.isForBlockingReads = true
        configuration.scripts = []
        let logger = Logger(minimum: .error)
        let blocking = Client(loop: world.client.loop, configuration: configuration, logger: logger)
        return FeedHub(store: world.store, blocking: blocking, isCluster: false, logger: logger)
    }

    /// Messages as text, as they come.
    private final class Told {
        private(set) var texts: [String] = []
        func take(_ message: FeedMessage) { texts.append(String(decoding: message.json(), as: UTF8.self)) }

        func wait(for part: String, on loop: EventLoop) async -> Bool {
            for _ in 0..<3_000 where !texts.contains(where: { $0.contains(part) }) { await loop.wait(milliseconds: 10) }
            return texts.contains { $0.contains(part) }
        }
    }

    /// As after a failover to a replica that lacked the last entries, and whose clock is behind.
    @Test func whatATrimmedFeedTellsNextIsHeard() async throws {
        try await World.make { world in
            let id = try await world.bot(at: .active).meetingID
            let hub = Self.hub(world)
            defer { hub.stop() }
            let told = Told()
            let viewer = try await hub.followAll(
                workspace: world.workspaceID, statusesOnly: false, after: nil, in: world.session,
                hasRoom: { true }, told.take)
            defer { viewer.end() }
            _ = try await world.client.send(
                "XADD", world.keys.feed, "99999999999999-1", "meeting_id", id, "entry", "99999999999999-1", "what",
                "status", "to", "LIVE/from-later", "at", "1")
            #expect(await told.wait(for: "from-later", on: world.client.loop))
            _ = try await world.client.send("DEL", world.keys.feed)
            let clients = try #require(try await world.client.send("CLIENT", "LIST").string)
            let own = try #require(
                clients.split(separator: "\n").first { $0.contains("name=feeds-\(world.workspaceID)") })
            _ = try await world.client.send("CLIENT", "KILL", "ID", String(own.dropFirst(3).prefix { $0 != " " }))
            _ = try await world.ingest(one("a", "from now"), for: id)
            #expect(await told.wait(for: "reset", on: world.client.loop))
            _ = try await world.ingest(one("b", "heard"), for: id)
            #expect(await told.wait(for: "heard", on: world.client.loop))
        }
    }

    /// Two speakers' words come in two messages, and between these the feed begins anew: what is left is of the old one.
    @Test func whatIsBeingToldAsTheFeedBeginsAnewEndsThere() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let segments = ["Ana", "Ben"].map {
                #"{"segment_id":"\#($0)","speaker":"\#($0)","start":1,"end":2,"text":"x","completed":true}"#
            }
            _ = try await world.ingest(
                #"{"type":"transcription","segments":[\#(segments.joined(separator: ","))]}"#, for: place.meetingID)
            let entry = try #require(try await world.snapshot()[world.keys.feed]?.stream?.last)
            let late = "99999999999999-1"
            let fields = entry.filter { $0.key != "<id>" && $0.key != "entry" }.flatMap { [$0.key, $0.value] }
            _ = try await world.client.send(
                Command(words: ["XADD", world.keys.feed, late, "entry", late] + fields), deadline: Client.soon)
            let rows = try await world.client.send("XREVRANGE", world.keys.feed, "+", "-", "COUNT", "2").arrayOrThrow()

            let feed = WorkspaceFeed(
                world.workspaceID, from: .beginning, store: world.store, metrics: FeedMetrics(),
                logger: Logger(minimum: .error), onEmpty: {})
            let told = Told()
            let viewer = FeedViewer(
                {
                    told.take($0)
                    if told.texts.count == 1 { feed.beginAnew(at: .beginning) }
                }, { true }, in: feed)
            defer { viewer.end() }
            feed.add(viewer, to: .all)
            feed.take([rows[0]], readAt: world.client.loop.now)
            #expect(await told.wait(for: "reset", on: world.client.loop))
            feed.take([rows[1]], readAt: world.client.loop.now)
            for _ in 0..<3_000 where told.texts.count < 4 { await world.client.loop.wait(milliseconds: 10) }
            #expect(told.texts.count == 4, "\(told.texts)")
            // Whoever's came first, twice; the other's of the new feed alone.
            let counts = ["Ana", "Ben"].map { name in told.texts.filter { $0.contains(name) }.count }
            #expect(counts.sorted() == [1, 2])
            #expect(viewer.cursor.description == entry["<id>"])
        }
    }

    /// However many they are: those for whom there is no time at once are told before anything else.
    @Test func allViewersAreToldToLookAnewOnce() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            _ = try await world.ingest(one("a", "said since"), for: place.meetingID)
            let rows = try await world.client.send("XREVRANGE", world.keys.feed, "+", "-", "COUNT", "1").arrayOrThrow()
            let feed = WorkspaceFeed(
                world.workspaceID, from: .beginning, store: world.store, metrics: FeedMetrics(),
                logger: Logger(minimum: .error), onEmpty: {})
            let all = (0..<450).map { _ in Told() }
            let viewers = all.map { FeedViewer($0.take, { true }, in: feed) }
            for viewer in viewers { feed.add(viewer, to: .all) }
            feed.hasMissed()
            #expect(all.count { !$0.texts.isEmpty } == 200)
            feed.take(rows, readAt: world.client.loop.now)
            viewers[449].end()
            for told in all.dropLast() { #expect(await told.wait(for: "said since", on: world.client.loop)) }
            for told in all.dropLast() {
                #expect(told.texts.first?.contains("\"reset\"") == true)
                #expect(told.texts.count { $0.contains("\"reset\"") } == 1)
            }
            #expect(all[449].texts.allSatisfy { !$0.contains("said since") })
            for viewer in viewers { viewer.end() }
        }
    }

    /// What one entry names is read in pieces.
    @Test func anEntryOfManySegmentsIsToldWhole() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let segments = (10..<30).map {
                #"{"segment_id":"s\#($0)","start":\#($0),"end":\#($0 + 1),"text":"text \#($0)","completed":true}"#
            }
            _ = try await world.ingest(
                #"{"type":"transcription","segments":[\#(segments.joined(separator: ","))]}"#, for: place.meetingID)
            let rows = try await world.client.send("XREVRANGE", world.keys.feed, "+", "-", "COUNT", "1").arrayOrThrow()
            let entry = try #require(FeedEntry(rows[0]))
            let resolved = try #require(
                try await world.session.feeds.resolve(entry, meeting: place.meetingID, workspace: world.workspaceID))
            #expect(resolved.segments.count == 20 && !resolved.isElsewhere)
            for segment in resolved.segments {
                let number = segment.id.dropFirst()
                #expect(String(decoding: segment.json, as: UTF8.self).contains("text \(number)"), "\(segment.id)")
            }
        }
    }

    /// A replica that has lost its primary says so, and is to be asked again.
    @Test func whatIsRefusedForNowIsToldLater() async throws {
        var options = RedisServer.Options()
        options.arguments = ["--replica-serve-stale-data", "no"]
        let server = try RedisServer(options)
        try await World.make(on: server) { world in
            let id = try await world.bot(at: .active).meetingID
            _ = try await world.ingest(one("a", "late"), for: id)
            let rows = try await world.client.send("XREVRANGE", world.keys.feed, "+", "-", "COUNT", "1").arrayOrThrow()
            let feed = WorkspaceFeed(
                world.workspaceID, from: .beginning, store: world.store, metrics: FeedMetrics(),
                logger: Logger(minimum: .error), onEmpty: {})
            let told = Told()
            let viewer = FeedViewer(told.take, { true }, in: feed)
            defer { viewer.end() }
            feed.add(viewer, to: .all)
            _ = try await world.client.send("REPLICAOF", "127.0.0.1", "1")
            feed.take(rows, readAt: world.client.loop.now)
            for _ in 0..<3_000 {
                let errors = try await world.client.send("INFO", "errorstats").string ?? ""
                if errors.contains("errorstat_MASTERDOWN") { break }
                await world.client.loop.wait(milliseconds: 10)
            }
            #expect(told.texts.isEmpty)
            _ = try await world.client.send("REPLICAOF", "NO", "ONE")
            #expect(await told.wait(for: "late", on: world.client.loop))
        }
    }

    /// Nobody wrote for an hour, and then the connection breaks: nothing is lost.
    @Test func aFeedThatHasExpiredGoesOnWithoutAReset() async throws {
        try await World.make { world in
            let id = try await world.bot(at: .active).meetingID
            _ = try await world.client.send("DEL", world.keys.feed)
            let hub = Self.hub(world)
            defer { hub.stop() }
            let told = Told()
            let viewer = try await hub.followAll(
                workspace: world.workspaceID, statusesOnly: false, after: nil, in: world.session,
                hasRoom: { true }, told.take)
            defer { viewer.end() }
            _ = try await world.client.send(
                "XADD", world.keys.feed, "1000-1", "meeting_id", id, "entry", "1000-1", "what", "status", "to",
                "LIVE/long-ago", "at", "1")
            #expect(await told.wait(for: "long-ago", on: world.client.loop))
            _ = try await world.client.send("DEL", world.keys.feed)
            let first = try #require(try await Self.reader(world))
            _ = try await world.client.send("CLIENT", "KILL", "ID", first)
            var next: String?
            for _ in 0..<3_000 where next == nil || next == first {
                await world.client.loop.wait(milliseconds: 10)
                next = try await Self.reader(world)
            }
            _ = try await world.ingest(one("a", "heard"), for: id)
            #expect(await told.wait(for: "heard", on: world.client.loop))
            #expect(told.texts.count == 2, "\(told.texts)")
        }
    }

    /// The connection on which a hub reads, once it does.
    private static func reader(_ world: World) async throws -> String? {
        let clients = try #require(try await world.client.send("CLIENT", "LIST").string).split(separator: "\n")
        let own = clients.first { $0.contains("name=feeds-\(world.workspaceID)") && $0.contains("cmd=xread") }
        return own.map { String($0.dropFirst(3).prefix { $0 != " " }) }
    }

    /// Others come and go while somebody reads what was missed.
    @Test func whoCatchesUpStaysWhenOthersLeave() async throws {
        try await World.make { world in
            let id = try await world.bot(at: .active).meetingID
            let meeting = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            _ = try await world.ingest(one("a", "missed"), for: id)
            let hub = Self.hub(world)
            defer { hub.stop() }
            let other = try await hub.follow(meeting, after: nil, in: world.session, hasRoom: { true }) { _ in }
            let told = Told()
            let viewer = try await hub.follow(
                meeting, after: .beginning, in: world.session,
                hasRoom: {
                    other.end()
                    return true
                }, told.take)
            defer { viewer.end() }
            _ = try await world.ingest(one("b", "live"), for: id)
            #expect(await told.wait(for: "missed", on: world.client.loop))
            #expect(await told.wait(for: "live", on: world.client.loop))
        }
    }

    /// As a stream's entry that is read again: the archive has the confirmed form of the draft.
    @Test func aDraftThatComesInBesideTheArchiveIsNotShown() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let hub = Self.hub(world)
            defer { hub.stop() }
            let told = Told()
            let viewer = try await hub.followAll(
                workspace: world.workspaceID, statusesOnly: false, after: nil, in: world.session, hasRoom: { true },
                told.take)
            defer { viewer.end() }
            try await world.set(
                place.partition.meeting(place.meetingID), ["archived": "0 0 0 0 0 0", "status": "OFFLINE"])
            _ = try await world.ingest(one("a", "late", completed: false), for: place.meetingID)
            #expect(await told.wait(for: "reset", on: world.client.loop))
            #expect(!told.texts.contains { $0.contains("late") })
        }
    }

    /// Of all meetings: the feed of the meeting itself is cut by the move.
    @Test func whoWasAwayIsToldThatWhatWasSaidHasMoved() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let meeting = try #require(
                try await world.session.meetings.meeting(id: place.meetingID, workspace: world.workspaceID))
            for said in ["a", "b"] { _ = try await world.ingest(one(said, "missed \(said)"), for: place.meetingID) }
            let partition = place.partition
            try await world.set(partition.meeting(place.meetingID), ["archived": "0 0 0 0 0 0"])
            _ = try await world.client.send("DEL", partition.segments(ofMeeting: place.meetingID))
            _ = try await world.ingest(one("c", "after"), for: place.meetingID)
            let hub = Self.hub(world)
            defer { hub.stop() }
            let told = Told()
            let viewer = try await hub.followAll(
                workspace: world.workspaceID, statusesOnly: false, after: .beginning, in: world.session,
                hasRoom: { true }, told.take)
            defer { viewer.end() }
            #expect(await told.wait(for: "after", on: world.client.loop))
            let resets = told.texts.filter { $0.contains("\"reset\"") }
            #expect(resets.count == 1 && resets[0].contains("\"meeting\":{\"id\":\(meeting.number)}"), "\(told.texts)")
            #expect(!told.texts.contains { $0.contains("missed") })
            // Who asks for it by the meeting looks anew too.
            var reading = FeedReading(of: meeting, after: .beginning)
            var step = try await reading.next(in: world.session)
            while case .changes(_, _) = step { step = try await reading.next(in: world.session) }
            if case .lost = step {} else { Issue.record("it was not told") }
        }
    }

    /// Though it keeps the viewer.
    @Test func whoIsToldIsLetGoAtTheEnd() async throws {
        try await World.make { world in
            final class Owner {
                var viewer: FeedViewer?
                func take(_: FeedMessage) {}
            }
            let hub = Self.hub(world)
            defer { hub.stop() }
            weak var gone: Owner?
            do {
                let owner = Owner()
                gone = owner
                owner.viewer = try await hub.followAll(
                    workspace: world.workspaceID, statusesOnly: false, after: nil, in: world.session,
                    hasRoom: { owner.viewer != nil }, owner.take)
                owner.viewer?.end()
            }
            #expect(gone == nil)
            #expect(hub.metrics.viewers == 0)
        }
    }

    /// Others were told more than is there any more: who comes is told so once, and where it goes on.
    @Test(arguments: [true, false]) func whoCatchesUpOnAFeedThatIsGoneIsReset(_ isOfAll: Bool) async throws {
        try await World.make { world in
            let id = try await world.bot(at: .active).meetingID
            let meeting = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            let hub = Self.hub(world)
            defer { hub.stop() }
            func follow(
                _ cursor: FeedCursor?, _ hasRoom: @escaping () async -> Bool, _ take: @escaping (FeedMessage) -> Void
            ) async throws -> FeedViewer {
                isOfAll
                    ? try await hub.followAll(
                        workspace: world.workspaceID, statusesOnly: false, after: cursor, in: world.session,
                        hasRoom: hasRoom, take)
                    : try await hub.follow(meeting, after: cursor, in: world.session, hasRoom: hasRoom, take)
            }
            let first = try await follow(nil, { true }, { _ in })
            defer { first.end() }
            _ = try await world.client.send("DEL", isOfAll ? world.keys.feed : world.keys.partition.feed(ofMeeting: id))
            let told = Told()
            var rounds = 0
            let second = try await follow(
                .beginning,
                {
                    rounds += 1
                    return rounds < 100
                }, told.take)
            defer { second.end() }
            #expect(rounds < 100)
            #expect(told.texts.filter { $0.contains("reset") && $0.contains("\"cursor\":\"0-") }.count == 1)
            _ = try await world.ingest(one("a", "what comes"), for: id)
            #expect(await told.wait(for: "what comes", on: world.client.loop))
            #expect(told.texts.count == 2)
        }
    }

    @Test func aCursorThatLeadsNowhereIsLost() async throws {
        try await World.make { world in
            let id = try await world.bot(at: .active).meetingID
            let key = world.keys.partition.feed(ofMeeting: id)
            let start = try #require(try await Self.changes(world, id, after: .beginning)).end
            for cursor in ["1-1", "99999999999999-0", "18446744073709551615-18446744073709551615"] {
                #expect(try await Self.changes(world, id, after: #require(FeedCursor(cursor))) == nil, "\(cursor)")
            }
            for number in 0..<3 { _ = try await world.ingest(one("\(number)", "x"), for: id) }
            #expect(try await Self.changes(world, id, after: start) != nil)
            // The oldest entries go; that of the cursor is still there, and then it is not.
            let length = try await world.client.send("XLEN", key).integer ?? 0
            _ = try await world.client.send("XTRIM", key, "MAXLEN", "4")
            #expect(length > 4)
            #expect(try await Self.changes(world, id, after: start) != nil)
            _ = try await world.client.send("XTRIM", key, "MAXLEN", "3")
            #expect(try await Self.changes(world, id, after: start) == nil)
        }
    }

    @Test func aDeletionIsToldAndNothingBeforeIt() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let id = place.meetingID
            _ = try await world.ingest(one("a", "secret"), for: id)
            let cursor = try #require(try await Self.changes(world, id, after: .beginning)).end
            _ = try await world.report(place, "completed")
            _ = try await world.session.transcripts.finalise(meeting: id, workspace: world.workspaceID)
            let meeting = try #require(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            _ = try await world.session.meetings.removeContents(of: meeting)
            let entries = try await Self.feed(world, id)
            #expect(entries.map { $0["what"] } == ["deleted"])
            #expect(try await Self.changes(world, id, after: cursor) == nil)
        }
    }

    // MARK: What it says

    @Test(arguments: ["", "1", "1-", "-1", "+1-0", "1-0-0", "a-0", "1-0 ", "18446744073709551616-0", "1.0-0"])
    func whatIsNoCursorIsNone(_ text: String) {
        #expect(FeedCursor(text) == nil)
    }

    @Test func aCursorOfAnEmptyFeedCountsForAsLongAsItsEntriesAreKept() throws {
        let now = 1_795_864_692_000
        let seen = FeedCursor.beginning.seen(at: now)
        #expect(seen.description == "0-\(now)" && seen < FeedCursor("1-0")!)
        #expect(FeedCursor("7-1")!.seen(at: now) == FeedCursor("7-1")!)
        #expect(FeedCursor.beginning.isBeginning(at: now) && !FeedCursor("7-1")!.isBeginning(at: now))
        for (later, counts) in [(0, true), (3_500_000, true), (3_550_000, false), (-59_000, true), (-61_000, false)] {
            #expect(seen.isBeginning(at: now + later) == counts, "\(later)")
        }
        #expect(!FeedCursor("0-18446744073709551615")!.isBeginning(at: now))
    }

    @Test func draftsAreKeptBySpeakerAndBounded() {
        func segment(_ id: String, _ kind: String, _ speaker: String, bytes: Int = 1) -> FeedSegment {
            let text = String(repeating: "x", count: bytes)
            let json = #"{"segment_id":"\#(id)","speaker":"\#(speaker)","start":0,"end":1,"text":"\#(text)"}"#
            return FeedSegment(
                id: id, session: "s", version: nil, value: "1-0 \(kind) 0 1000 - \(json)", sessions: Sessions(nil))!
        }
        var drafts = FeedDrafts()
        #expect(drafts.take(segment("1", "d", "Ana")) == ["Ana"])
        #expect(drafts.take(segment("2", "d", "Ben")) == ["Ben"])
        // Another speaker said it after all: both are told.
        #expect(drafts.take(segment("1", "d", "Ben")) == ["Ana", "Ben"])
        #expect(drafts.pending(of: "Ana").isEmpty && !drafts.pending(of: "Ben").isEmpty)
        #expect(drafts.take(segment("2", "c", "Ben")) == ["Ben"])
        #expect(drafts.take(segment("1", "c", "Ben")) == ["Ben"])
        #expect(drafts.pending(of: "Ben").isEmpty)
        for number in 0..<500 { _ = drafts.take(segment("\(number)", "d", "Ana", bytes: 5_000)) }
        #expect(drafts.pending(of: "Ana").count <= FeedDrafts.maximumBytes + 5_500)
    }
}
