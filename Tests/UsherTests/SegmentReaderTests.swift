import EventLoop
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// The stream that bots write to, read by nodes as they do it.
@Suite(.takesTurns) struct SegmentReaderTests {
    /// Runs a reader of its own beside `body`.
    private static func reading(
        _ world: World, store: Store? = nil, consumer: String = "node", takeoverMilliseconds: Int = 30_000,
        _ body: @Sendable () async throws -> Void
    ) async throws {
        let client = Client(
            loop: world.client.loop, configuration: world.clientConfiguration, logger: Logger(minimum: .error))
        client.start()
        try await client.waitUntilConnected()
        let reader = SegmentReader(
            store: store ?? world.store, client: client, consumer: consumer,
            takeoverMilliseconds: takeoverMilliseconds, logger: Logger(minimum: .error))
        let task = Task(executorPreference: client.loop) { await reader.run() }
        defer {
            task.cancel()
            client.shutDown()
        }
        try await body()
    }

    @discardableResult
    private static func write(_ world: World, _ fields: String...) async throws -> String {
        let command = Command(words: ["XADD", WireNames.segmentStream, "*"] + fields)
        return try await world.client.send(command, deadline: Client.soon).stringOrThrow()
    }

    /// Until every entry has been taken in or buried.
    private static func waitUntilRead(_ world: World) async throws {
        try await waitFor("the segment stream is empty") {
            try await world.client.send("XLEN", WireNames.segmentStream) == .integer(0)
        }
    }

    private static func transcription(_ number: Int, _ id: String, _ text: String) -> String {
        #"{"type":"transcription","meeting_id":\#(number),"# + one(id, text).dropFirst()
    }

    private static func number(_ world: World, _ meeting: String) async throws -> Int {
        try #require(try await world.fields(meeting)["number"].flatMap { Int($0) })
    }

    @Test func entriesAreTakenInAndRemoved() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining, .active)
            let number = try await Self.number(world, meeting)
            // Written before any node has read.
            try await Self.write(world, "payload", Self.transcription(number, "s0", "zero"))
            try await Self.reading(world) {
                try await Self.write(
                    world, "payload",
                    #"{"type":"session_start","session_uid":"\#(bot.botID)","meeting_id":\#(number),"platform":"teams"}"#
                )
                for index in 1...250 {
                    try await Self.write(world, "payload", Self.transcription(number, "s\(index)", "\(index)"))
                }
                let retraction = #"{"type":"transcript_retract","meeting_id":\#(number),"segment_ids":["s7"]}"#
                try await Self.write(world, "payload", retraction)
                try await Self.write(world, "payload", #"{"type":"session_end","session_uid":"x"}"#)
                try await Self.waitUntilRead(world)
            }
            #expect(try await world.transcript(meeting).count == 250)
            #expect(try await world.client.send("EXISTS", Keys.deadLetters) == .integer(0))
            let pending = try await world.client.send("XPENDING", WireNames.segmentStream, "usher").arrayOrThrow()
            #expect(pending.first == .integer(0))
        }
    }

    @Test func whatCannotBeUsedIsBuriedWithTheReason() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.bot(at: meeting, .joining, .active)
            let planned = try await world.meeting(in: Room(platform: .zoom, nativeID: "123456789"))
            let number = try await Self.number(world, meeting)
            let head = #"{"type":"transcription","meeting_id":\#(number),"segments":"#
            let good = #"{"segment_id":"good","start":1,"end":2,"text":"good"}"#
            func words(_ count: Int) -> String {
                Array(repeating: #"{"word":"x"}"#, count: count).joined(separator: ",")
            }
            let cases: [(payload: String, reason: String)] = [
                ("", "must be valid JSON: an unexpected end at byte 0"),
                ("{", "must be valid JSON: an unexpected end at byte 1"), ("[]", "must be a JSON object"),
                (String(repeating: "[", count: 100_000), "must have at most 32 levels: one more at byte 32"),
                ("{}", "type is missing"), (#"{"type":7}"#, "type has the wrong type"),
                (#"{"type":"greeting","meeting_id":1}"#, "type is not one that is known"),
                (#"{"type":"transcription","segments":[]}"#, "meeting_id is missing"),
                (#"{"type":"transcription","meeting_id":"-1","segments":[]}"#, "meeting_id must be an integer"),
                (#"{"type":"transcription","meeting_id":"","segments":[]}"#, "meeting_id must be an integer"),
                (
                    #"{"type":"transcription","meeting_id":"99999999999999999999","segments":[]}"#,
                    "meeting_id must be an integer"
                ),
                (#"{"type":"transcription","meeting_id":1.5,"segments":[]}"#, "meeting_id must be an integer"),
                (#"{"type":"transcription","meeting_id":999999,"segments":[\#(good)]}"#, "unknown meeting 999999"),
                (
                    Self.transcription(try await Self.number(world, planned), "s", "x"),
                    "meeting 2 has no bot, or not this session"
                ),
                (#"{"type":"transcription","meeting_id":\#(number)}"#, "segments is missing"),
                ("\(head){}}", "segments has the wrong type"),
                ("\(head)[\(good),7]}", "segments[1] must be a JSON object"),
                (#"\#(head)[{"start":1,"end":2,"text":""}]}"#, "segments[0].segment_id is missing"),
                (
                    #"\#(head)[{"segment_id":"a b","start":1,"end":2,"text":""}]}"#,
                    "segments[0].segment_id must have 1 to 200 bytes, without spaces"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":"1","end":2,"text":""}]}"#,
                    "segments[0].start has the wrong type"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":1,"end":1e300,"text":""}]}"#,
                    "segments[0].end must be a number of seconds"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":1e400,"end":2,"text":""}]}"#,
                    "segments[0].start must be a number of seconds"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":1795864692000,"end":1795864694500,"text":""}]}"#,
                    "segments[0].start must be a number of seconds"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":1,"end":1795864694.5,"text":""}]}"#,
                    "segments[0].end must count from where start does"
                ),
                (
                    #"\#(head)[7,{"segment_id":"a"},8]}"#, "segments[0] must be a JSON object (and 2 more)"
                ),
                (#"\#(head)[{"segment_id":"a","start":1,"end":2}]}"#, "segments[0].text is missing"),
                (
                    #"\#(head)[{"segment_id":"a","start":1,"end":2,"text":"","confidence":"high"}]}"#,
                    "segments[0].confidence has the wrong type"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":1,"end":2,"text":"","words":[\#(words(2_001))]}]}"#,
                    "segments[0].words must be at most 2000"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":1,"end":2,"text":"","completed":"yes"}]}"#,
                    "segments[0].completed has the wrong type"
                ),
                (
                    #"\#(head)[{"segment_id":"a","start":1,"end":2,"text":"\#(String(repeating: "x", count: 20_001))"}]}"#,
                    "segments[0].text must have at most 20000 bytes"
                ),
                (
                    "\(head)[\(Array(repeating: good, count: 1_001).joined(separator: ","))]}",
                    "segments must be at most 1000"
                ),
                (#"{"type":"transcript_retract","meeting_id":\#(number)}"#, "segment_ids is missing"),
                (
                    #"{"type":"transcript_retract","meeting_id":\#(number),"segment_ids":[""]}"#,
                    "segment_ids must be ids of 1 to 200 bytes, without spaces"
                ),
            ]
            for (payload, _) in cases { try await Self.write(world, "payload", payload) }
            try await Self.write(world, "other", "field")
            try await Self.reading(world) { try await Self.waitUntilRead(world) }
            let letters = try await world.client.send("XRANGE", Keys.deadLetters, "-", "+").arrayOrThrow()
            var reasons: [String: String] = [:]
            for letter in letters {
                let fields = try letter.arrayOrThrow()[1].hash()
                #expect(fields["payload"]!.utf8.count <= 4_096 && fields["entry"] != nil)
                reasons[fields["payload"]!] = fields["reason"]
            }
            for (payload, reason) in cases where !payload.isEmpty {
                let kept = String(decoding: payload.utf8.prefix(4_096), as: UTF8.self)
                #expect(reasons[kept] == reason, "\(payload.prefix(200))")
            }
            #expect(letters.count == cases.count + 1)
            #expect(try await world.client.send("GET", Keys.deadLetterCount) == .string(String(cases.count + 1)))
            // A wrong segment does not spoil the others of its message.
            #expect(try await world.transcript(meeting).map(\.text) == ["good"])
        }
    }

    /// Whatever its size and form, an entry is not for ever in the way, and what it says is not kept as a whole.
    @Test func whatIsTooMuchIsBuriedByItsSize() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.bot(at: meeting, .joining, .active)
            let number = try await Self.number(world, meeting)
            let zeros = Array(repeating: "0", count: 2_500_000).joined(separator: ",")
            let flood = #"{"type":"transcription","meeting_id":\#(number),"segments":[\#(zeros)]}"#
            try await Self.write(world, "payload", flood)
            try await Self.write(world, "payload", Self.transcription(number, "s", "kept"))
            // What stands beside a payload is never handed out.
            try await Self.write(
                world, "other", flood, "payload", Self.transcription(number, "t", "kept too"))
            try await Self.reading(world) { try await Self.waitUntilRead(world) }
            #expect(try await world.transcript(meeting).map(\.text) == ["kept", "kept too"])
            let letters = try await world.client.send("XRANGE", Keys.deadLetters, "-", "+").arrayOrThrow()
            let letter = try #require(letters.first).arrayOrThrow()[1].hash()
            #expect(letters.count == 1)
            #expect(letter["reason"] == "must have at most 1048576 bytes, and has \(flood.utf8.count)")
            #expect(letter["payload"] == String(flood.prefix(4_096)))
            #expect(try await world.client.send("EXISTS", Keys.segmentAttempts) == .integer(0))
        }
    }

    /// An entry that two nodes began with and never got through; the ones beside it are not taken for it.
    @Test func whatNodesEndOverIsNotReadForEver() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.bot(at: meeting, .joining, .active)
            let number = try await Self.number(world, meeting)
            _ = try await world.client.send("XGROUP", "CREATE", WireNames.segmentStream, "usher", "0", "MKSTREAM")
            var entries: [String] = []
            for id in ["a", "poison", "b"] {
                entries.append(try await Self.write(world, "payload", Self.transcription(number, id, id)))
            }
            // The first node dies with all of them; the second, which took them over, with the one.
            #expect(try await world.readSegments("first").map(\.id) == entries)
            for id in entries {
                _ = try await world.client.send("XCLAIM", WireNames.segmentStream, "usher", "second", "0", id, "JUSTID")
            }
            #expect(try await world.readSegments("second", after: "0").map(\.id) == [entries[0]])
            _ = try await world.client.send("HDEL", Keys.segmentAttempts, entries[0])
            #expect(try await world.readSegments("second", after: entries[0]).map(\.id) == [entries[1]])
            try await Self.reading(world, takeoverMilliseconds: 50) {
                try await Self.waitUntilRead(world)
            }
            #expect(try await world.transcript(meeting).map(\.text).sorted() == ["a", "b"])
            let letters = try await world.client.send("XRANGE", Keys.deadLetters, "-", "+").arrayOrThrow()
            let letter = try #require(letters.first).arrayOrThrow()[1].hash()
            #expect(letters.count == 1 && letter["entry"] == entries[1])
            #expect(letter["reason"] == "2 nodes ended while they read it")
            #expect(try await world.client.send("EXISTS", Keys.segmentAttempts) == .integer(0))
        }
    }

    @Test func recordsOfAnotherTypeDoNotKeepOthersWaiting() async throws {
        try await World.make { world in
            let spoilt = try await world.meeting(in: Room(platform: .zoom, nativeID: "123456789"), ["bot_id": "b"])
            let meeting = try await world.meeting()
            _ = try await world.bot(at: meeting, .joining, .active)
            _ = try await world.client.send("SET", world.keys.partition.segments(ofMeeting: spoilt), "x")
            try await Self.write(
                world, "payload", Self.transcription(try await Self.number(world, spoilt), "s", "lost"))
            try await Self.write(
                world, "payload", Self.transcription(try await Self.number(world, meeting), "s", "kept"))
            try await Self.reading(world) { try await Self.waitUntilRead(world) }
            #expect(try await world.transcript(meeting).map(\.text) == ["kept"])
            #expect(try await world.client.send("XLEN", Keys.deadLetters) == .integer(1))
        }
    }

    @Test func aSessionBeginsBeforeWhatFollowsInTheSameRead() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let first = try await world.bot(at: meeting, .joining, .active)
            let number = try await Self.number(world, meeting)
            try await Self.write(world, "payload", Self.transcription(number, "s", "first"))
            try await Self.reading(world) { try await Self.waitUntilRead(world) }
            try await world.tell(first, [.completed])
            // Whose report that it is in the room has not come.
            let second = try await world.bot(at: meeting, seen: "OFFLINE", .joining)
            try await Self.write(
                world, "payload",
                #"{"type":"session_start","session_uid":"\#(second.botID)","meeting_id":\#(number)}"#)
            for index in 0..<20 {
                try await Self.write(world, "payload", Self.transcription(number, "s", "second \(index)"))
            }
            try await Self.reading(world) { try await Self.waitUntilRead(world) }
            #expect(try await world.transcript(meeting).map(\.text) == ["first", "second 19"])
        }
    }

    @Test func whatCannotBeReachedKeepsNothingElseWaiting() async throws {
        try await World.make { world in
            // A user of Redis that may reach all meetings but those whose id begins as this one's: as if the part of a
            // Cluster that has them were away.
            let away = try await world.meeting(["bot_id": "b"])
            var there = away
            while there.first == away.first { there = try await world.meeting(["bot_id": "b"]) }
            try await world.set(world.keys.partition.bot("b"), ["runner": "r"])
            let user = Identifier.hex()
            let reachable = ["~usher:[^{]*", "~transcription_segments", "~usher:{*}:[^m]*"]
            @Sendable func reach(_ patterns: [String]) async throws {
                let words = ["ACL", "SETUSER", user, "on", ">secret", "+@all", "resetkeys"] + patterns
                _ = try await world.client.send(Command(words: words), deadline: Client.soon)
            }
            try await reach(reachable + ["~usher:{*}:meeting:[^\(away.first!)]*"])
            var configuration = world.clientConfiguration
            (configuration.url.user, configuration.url.password) = (user, "secret")
            let client = Client(
                loop: world.client.loop, configuration: configuration, logger: Logger(minimum: .error))
            client.start()
            defer { client.shutDown() }
            try await client.waitUntilConnected()
            let store = Store(client: client, configuration: World.patient)
            let numbers = (try await Self.number(world, away), try await Self.number(world, there))
            let reached = world.keys.partition.segments(ofMeeting: there)
            // More than a batch of them, before and after.
            for index in 0..<150 {
                try await Self.write(world, "payload", Self.transcription(numbers.0, "s\(index)", "kept"))
            }
            try await Self.write(world, "payload", Self.transcription(numbers.1, "s", "at once"))
            try await Self.reading(world, store: store) {
                try await waitFor("what can be reached is taken in") {
                    try await world.client.send("XLEN", WireNames.segmentStream) == .integer(150)
                }
                try await Self.write(world, "payload", Self.transcription(numbers.1, "t", "later"))
                try await waitFor("what comes meanwhile is taken in") {
                    try await world.client.send("XLEN", WireNames.segmentStream) == .integer(150)
                }
                #expect(try await world.client.send("HLEN", reached) == .integer(2))
                #expect(try await world.segments(away).isEmpty)
                try await reach(["~*"])
                try await Self.waitUntilRead(world)
            }
            #expect(try await world.segments(away).count == 150)
            #expect(try await world.client.send("EXISTS", Keys.deadLetters) == .integer(0))
            _ = try await world.client.send("ACL", "DELUSER", user)
        }
    }

    @Test func whatADeadNodeReadIsTakenOverAndWhatWasRemovedIsNotBuried() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.bot(at: meeting, .joining, .active)
            let number = try await Self.number(world, meeting)
            let stream = WireNames.segmentStream
            _ = try await world.client.send("XGROUP", "CREATE", stream, "usher", "0", "MKSTREAM")
            for index in 0..<300 {
                try await Self.write(world, "payload", Self.transcription(number, "s\(index)", "\(index)"))
            }
            let removed = try await Self.write(world, "payload", Self.transcription(number, "gone", "gone"))
            // Two nodes that read and died; one of them had been called as the new one is.
            for (consumer, count) in [("dead", "290"), ("node", "100")] {
                _ = try await world.client.send(
                    "XREADGROUP", "GROUP", "usher", consumer, "COUNT", count, "STREAMS", stream, ">")
            }
            _ = try await world.client.send("XDEL", stream, removed)
            try await Self.reading(world, takeoverMilliseconds: 50) {
                try await Self.waitUntilRead(world)
                try await waitFor("nothing is pending") {
                    try await world.client.send("XPENDING", stream, "usher").arrayOrThrow().first == .integer(0)
                }
            }
            #expect(try await world.transcript(meeting).count == 300)
            #expect(try await world.client.send("EXISTS", Keys.deadLetters) == .integer(0))
        }
    }

    @Test func readingGoesOnWhenRedisWasEmptied() async throws {
        try await World.make { world in
            try await Self.reading(world) {
                try await waitFor("the group is there") {
                    try await world.client.send("EXISTS", WireNames.segmentStream) == .integer(1)
                }
                _ = try await world.client.send("FLUSHDB")
                try await Self.write(world, "payload", "after")
                try await Self.waitUntilRead(world)
            }
            #expect(try await world.client.send("GET", Keys.deadLetterCount) == .string("1"))
        }
    }
}
