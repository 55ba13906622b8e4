import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// Which form of a segment stands, and how a transcript reads.
@Suite(.takesTurns) struct TranscriptTests {
    /// A meeting whose bot is in the room.
    private static func make(_ body: @escaping @Sendable (World, String, BotPlace) async throws -> Void) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            try await body(world, meeting, try await world.bot(at: meeting, .joining, .active))
        }
    }

    @Test func aDraftIsReplacedAndAConfirmedSegmentIsNot() async throws {
        try await Self.make { world, meeting, _ in
            let draft = one("s1", "hel", completed: false)
            #expect(try await world.ingest(draft, for: meeting, version: "10-0") == .stored(changed: 1))
            #expect(try await world.transcript(meeting).map(\.completed) == [false])
            let confirmed = one("s1", "hello", end: 3)
            #expect(try await world.ingest(confirmed, for: meeting, version: "11-0") == .stored(changed: 1))
            let late = one("s1", "hello w", completed: false)
            #expect(try await world.ingest(late, for: meeting, version: "12-0") == .stored(changed: 0))
            let corrected = one("s1", "Hello!", end: 3)
            #expect(try await world.ingest(corrected, for: meeting, version: "13-0") == .stored(changed: 1))
            let segments = try await world.transcript(meeting)
            #expect(segments.map(\.text) == ["Hello!"] && segments.map(\.end) == [3])
        }
    }

    @Test func anOlderVersionDoesNotRevertANewerOne() async throws {
        try await Self.make { world, meeting, _ in
            for (text, version) in [("b", "10-2"), ("a", "10-1"), ("0", "9-99"), ("z", "10-2")] {
                _ = try await world.ingest(one("s", text, completed: false), for: meeting, version: version)
                _ = try await world.ingest(one("c", text), for: meeting, version: version)
            }
            #expect(try await world.transcript(meeting).map(\.text) == ["b", "b"])
            // By number, not by text.
            _ = try await world.ingest(one("s", "late", completed: false), for: meeting, version: "10-10")
            #expect(try await world.transcript(meeting).map(\.text).sorted() == ["b", "late"])
        }
    }

    @Test func whatIsDeliveredAgainChangesNothing() async throws {
        try await Self.make { world, meeting, bot in
            let batch = """
                {"type":"transcription","meeting_id":1,"segments":[
                {"segment_id":"s1","start":1,"end":2,"text":"a","completed":false},
                {"segment_id":"s1","start":1,"end":2.5,"text":"ab","completed":true},
                {"segment_id":"s2","start":2,"end":3,"text":"c","completed":false,"language":null}]}
                """
            let message = try SegmentMessage(json: batch.utf8)
            for isHTTP in [false, true] {
                func deliver() async throws -> Ingestion {
                    if isHTTP { return try await world.session.transcripts.ingest(message, from: bot) }
                    return try await world.ingest(batch, for: meeting, version: "10-0")
                }
                #expect(try await deliver() == .stored(changed: isHTTP ? 0 : 2))
                let before = try await world.snapshot()
                #expect(try await deliver() == .stored(changed: 0))
                #expect(try await world.snapshot().changes(since: before) == [])
                // Not even if another language is configured by now.
                try await world.set(world.keys.partition.meeting(meeting), ["language": isHTTP ? "es" : "zh"])
                let segments = try await world.segments(meeting)
                #expect(try await deliver() == .stored(changed: 0))
                #expect(try await world.segments(meeting) == segments)
            }
        }
    }

    @Test func aRetractionIsFinal() async throws {
        try await Self.make { world, meeting, _ in
            _ = try await world.ingest(one("s1", "secret"), for: meeting, version: "10-0")
            _ = try await world.ingest(one("s2", "kept"), for: meeting, version: "10-1")
            let retraction = #"{"type":"transcript_retract","meeting_id":1,"segment_ids":["s1","never","s1"]}"#
            #expect(try await world.ingest(retraction, for: meeting, version: "9-0") == .stored(changed: 2))
            #expect(try await world.ingest(retraction, for: meeting, version: "9-0") == .stored(changed: 0))
            for id in ["s1", "never"] {
                #expect(try await world.ingest(one(id, "again"), for: meeting, version: "11-0") == .stored(changed: 0))
            }
            #expect(try await world.transcript(meeting).map(\.text) == ["kept"])
            #expect(try await world.segments(meeting).values.allSatisfy { !$0.contains("secret") })
        }
    }

    @Test func aSegmentWithoutALanguageGetsTheOneConfiguredAtThatTime() async throws {
        try await Self.make { world, meeting, bot in
            let own = #","language":"fr""#
            _ = try await world.ingest(one("1", "a", start: 1), for: meeting)
            _ = try await world.ingest(one("2", "b", start: 2, more: own), for: meeting)
            _ = try await world.session.bots.configure(
                in: World.room, workspace: world.workspaceID, changes: ["language": "es"], message: nil)
            _ = try await world.ingest(one("3", "c", start: 3, more: #","language":null"#), for: meeting)
            _ = try await world.ingest(one("4", "d", start: 4, more: own), for: meeting)
            #expect(try await world.transcript(meeting).map(\.language) == ["de", "fr", "es", "fr"])
            _ = try await world.client.send("HDEL", world.keys.partition.meeting(meeting), "language")
            _ = try await world.client.send("HDEL", world.keys.partition.bot(bot.botID), "language")
            _ = try await world.ingest(one("5", "e", start: 5), for: meeting)
            #expect(try await world.transcript(meeting).last?.language == nil)
        }
    }

    @Test func segmentsComeInOrderOfStartWithAbsoluteTimes() async throws {
        try await Self.make { world, meeting, bot in
            let began = try #require(try await world.fields(meeting)["start_time"].flatMap { Int($0) })
            for start in [10.5, 2.25, 9] {
                _ = try await world.ingest(one("\(start)", "x", start: start), for: meeting)
            }
            let own =
                #","absolute_start_time":"2026-01-02T03:04:05+01:00","absolute_end_time":"2026-01-02T03:04:06.5+01:00""#
            _ = try await world.ingest(one("own", "x", start: 11, more: own), for: meeting)
            let wrong = #","absolute_start_time":"yesterday","absolute_end_time":"2026-01-02T03:04:06Z""#
            _ = try await world.ingest(one("wrong", "x", start: 12, more: wrong), for: meeting)
            let segments = try await world.transcript(meeting)
            #expect(segments.map(\.start) == [2.25, 9, 10.5, 11, 12])
            #expect(segments[0].absoluteStartTime == Timestamp.withZone(began + 2_250))
            #expect(segments[0].absoluteEndTime == Timestamp.withZone(began + 2_000))
            #expect(segments[3].absoluteStartTime == "2026-01-02T02:04:05.000Z")
            #expect(segments[3].absoluteEndTime == "2026-01-02T02:04:06.500Z")
            #expect(segments[4].absoluteStartTime == Timestamp.withZone(began + 12_000))
            #expect(Set(segments.map(\.sessionUid)) == [bot.botID])
        }
    }

    @Test func awkwardTextComesBackAsItWas() async throws {
        try await Self.make { world, meeting, _ in
            let text = #"a \"quoted\" \\ line\nof text: {\"x\":1} 日本 \u0000 \/ end"#
            _ = try await world.ingest(one("a:b:c", text, more: #","speaker":"O'Ne il \"}""#), for: meeting)
            let segment = try #require(try await world.transcript(meeting).first)
            #expect(segment.text == "a \"quoted\" \\ line\nof text: {\"x\":1} 日本 \u{0} / end")
            #expect(segment.segmentId == "a:b:c" && segment.speaker == "O'Ne il \"}")
        }
    }

    // MARK: Times since 1970

    /// Today's bots send them (docs/bot-wire.md, "Transcript segments").
    @Test func timesSince1970BecomeTimesOfTheSession() async throws {
        try await Self.make { world, meeting, _ in
            let began = try #require(try await world.fields(meeting)["start_time"].flatMap { Int($0) })
            let from = Double(began) / 1_000
            let more = #","words":[{"word":"x","start":\#(from + 1.5),"end":2,"probability":0.5}]"#
            for _ in 0..<2 {
                _ = try await world.ingest(
                    one("a", "x", start: from + 1.25, end: from + 3.75, more: more), for: meeting)
            }
            // Older bots' are as they were, and what was heard before the session began is below zero.
            _ = try await world.ingest(one("b", "y", start: 2, end: 3), for: meeting)
            _ = try await world.ingest(one("c", "z", start: from - 0.5, end: from), for: meeting)
            let segments = try await world.transcript(meeting)
            #expect(segments.map(\.start) == [-0.5, 1.25, 2])
            #expect(segments.map(\.end) == [0, 3.75, 3])
            let starts = [-500, 1_250, 2_000].map { Timestamp.withZone(began + $0) }
            #expect(segments.map(\.absoluteStartTime) == starts)
            let ends = [0, 3_750, 3_000].map { Timestamp.withZone(began + $0) }
            #expect(segments.map(\.absoluteEndTime) == ends)
            #expect(segments[1].words?.first?.start == 1.5 && segments[1].words?.first?.end == 2)
        }
    }

    /// No `session_start` need come, and no report: it begins with what is heard first, but not before its dispatch.
    @Test func aSessionBeginsWithItsFirstSegment() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting)
            let now = try await world.now()
            let two = """
                {"segments":[{"segment_id":"b","start":\(now / 1_000 + 60).5,"end":\(now / 1_000 + 62),"text":"b"},
                {"segment_id":"a","start":\(now / 1_000 + 60),"end":\(now / 1_000 + 60),"text":"a","source":"chat"}]}
                """
            #expect(try await world.ingest(two, for: meeting, version: "\(now + 90_000)-0") == .stored(changed: 2))
            #expect(try await world.fields(meeting)["sessions"] == "\(bot.botID)=\((now / 1_000 + 60) * 1_000)")
            let segments = try await world.transcript(meeting)
            #expect(segments.map(\.start) == [0, 0.5] && segments.map(\.end) == [0, 2])
            #expect(segments[0].source == "chat")
        }
    }

    @Test func noTimeSince1970IsTooMuch() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting)
            // Of clocks that are decades wrong, and of a record that another hand spoilt.
            #expect(try await world.ingest(one("a", "x", start: 1e9, end: 1e9), for: meeting) == .stored(changed: 1))
            let dispatched = try #require(try await world.fields(meeting)["dispatched_at"])
            #expect(try await world.fields(meeting)["sessions"] == "\(bot.botID)=\(dispatched)")
            #expect(
                try await world.ingest(one("b", "x", start: 99e9, end: 99e9), for: meeting) == .stored(changed: 1))
            for began in ["9223372036854775807", "-9223372036854775808", "x"] {
                try await world.set(world.keys.partition.meeting(meeting), ["sessions": "\(bot.botID)=\(began)"])
                let outcome = try await world.ingest(
                    one("of \(began)", "x", start: 2e9, end: 2e9).replacing("of ", with: "of"), for: meeting)
                #expect(outcome == .stored(changed: 1))
            }
        }
    }

    @Test func aSessionThatCannotBeginTakesNothing() async throws {
        try await Self.make { world, meeting, bot in
            try await world.tell(bot, [.completed])
            let record = try #require(
                try await world.session.meetings.meeting(id: meeting, workspace: world.workspaceID))
            _ = try await world.session.meetings.removeContents(of: record)
            try await world.set(world.keys.partition.meeting(meeting), ["sessions": ""])
            let before = try await world.snapshot()
            let late = one("a", "x", start: 1_795_864_692.01, end: 1_795_864_694.5)
            #expect(try await world.ingest(late, for: meeting) == .deleted)
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    // MARK: What rides along

    @Test func whatRidesAlongIsKept() async throws {
        try await Self.make { world, meeting, _ in
            let more = #"""
                ,"confidence":0.875,"source":"caption","speaker_key":"k1","other":{"a":[1]},
                "words":[{"word":"x","start":1,"end":1.5,"confidence":0.5,"probability":0.25,"more":1},7,{"start":1},
                {"word":"y","start":1e300,"end":"2"}]
                """#
            _ = try await world.ingest(one("a", "x y", more: more), for: meeting)
            _ = try await world.ingest(
                one("b", "z", start: 2, more: #","confidence":null,"words":null,"source":"","speaker_key":null"#),
                for: meeting)
            _ = try await world.ingest(one("c", "z", start: 3, more: #","words":"none""#), for: meeting)
            let segments = try await world.transcript(meeting)
            #expect(
                segments[0].confidence == 0.875 && segments[0].source == "caption" && segments[0].speakerKey == "k1")
            #expect(
                segments[0].words == [
                    SegmentObject.Word(word: "x", start: 1, end: 1.5, confidence: 0.5, probability: 0.25),
                    SegmentObject.Word(word: "y"),
                ])
            for segment in segments[1...] {
                #expect(segment.confidence == nil && segment.source == nil && segment.speakerKey == nil)
                #expect(segment.words == nil)
            }
        }
    }

    @Test func idsAreToldApartByTheirBytes() async throws {
        try await Self.make { world, meeting, _ in
            let two = """
                {"segments":[{"segment_id":"\\u00f1","start":1,"end":2,"text":"one"},
                {"segment_id":"n\\u0303","start":3,"end":4,"text":"two"}]}
                """
            let outcome = try await world.ingest(two, for: meeting)
            #expect(outcome == .stored(changed: 2))
            let key = world.keys.partition.segments(ofMeeting: meeting)
            #expect(try await world.client.send("HLEN", key) == .integer(2))
            let retraction = #"{"type":"transcript_retract","segment_ids":["\u00f1","n\u0303","\u00f1"]}"#
            #expect(try await world.ingest(retraction, for: meeting) == .stored(changed: 2))
        }
    }

    @Test func aMeetingMayBeNamedByItsDigits() throws {
        for (text, number) in [("7", 7), ("\"7\"", 7), ("\"007\"", 7), ("null", nil)] {
            let message = try SegmentMessage(
                json: #"{"type":"transcription","meeting_id":\#(text),"segments":[]}"#.utf8)
            #expect(message.meetingNumber == number)
        }
        for text in ["\"\"", "\"+7\"", "\"7 \"", "\"٧\"", "\"99999999999999999999\"", "1.5", "true", "[7]"] {
            #expect(throws: SegmentMessage.Invalid(field: "meeting_id", problem: "must be an integer")) {
                try SegmentMessage(json: #"{"type":"transcription","meeting_id":\#(text),"segments":[]}"#.utf8)
            }
        }
    }

    // MARK: Sessions

    @Test func aRestartKeepsTheEarlierTranscriptApart() async throws {
        try await Self.make { world, meeting, first in
            _ = try await world.ingest(one("s1", "first"), for: meeting)
            try await world.tell(first, [.completed])
            // What the first bot wrote, and is read late.
            let now = try await world.now()
            let late = one("s2", "first, late", start: 5)
            _ = try await world.client.send("XADD", WireNames.segmentStream, "\(now)-0", "payload", late)
            let second = try await world.bot(at: meeting, seen: "OFFLINE", .joining)
            _ = try await world.ingest(late, for: meeting, version: "\(now)-0")
            let start = #"{"type":"session_start","session_uid":"\#(second.botID)","meeting_id":1}"#
            #expect(try await world.ingest(start, for: meeting, version: "\(now)-1") == .stored(changed: 0))
            _ = try await world.ingest(one("s1", "second"), for: meeting, version: "\(now)-2")
            #expect(try await world.transcript(meeting).map(\.text) == ["first", "first, late", "second"])
            #expect(try await world.transcript(meeting).map(\.sessionUid) == [first.botID, first.botID, second.botID])
            // By HTTP a bot is known, whatever runs by now.
            let last = try SegmentMessage(json: one("s3", "first, last", start: 6).utf8, assumedType: "transcription")
            #expect(try await world.session.transcripts.ingest(last, from: first) == .stored(changed: 1))
            #expect(try await world.transcript(meeting)[2].text == "first, last")
        }
    }

    @Test func aSessionOfAnotherMeetingDoesNotBeginHere() async throws {
        try await Self.make { world, meeting, bot in
            for uid in [Identifier.bot(in: world.keys.partition), "nonsense", ""] {
                let before = try await world.snapshot()
                let start = #"{"type":"session_start","session_uid":"\#(uid)","meeting_id":1}"#
                #expect(try await world.ingest(start, for: meeting) == .unknownMeeting)
                #expect(try await world.snapshot().changes(since: before) == [])
            }
            _ = try await world.ingest(#"{"session_uid":"nonsense","# + one("s", "x").dropFirst(), for: meeting)
            #expect(try await world.transcript(meeting).map(\.sessionUid) == [bot.botID])
        }
    }

    @Test func aBotWhoseReportsAreLateHasAbsoluteTimesToo() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting)
            let now = try await world.now()
            _ = try await world.ingest(one("s", "x", start: 1, end: 2), for: meeting, version: "\(now + 90_000)-0")
            let segment = try #require(try await world.transcript(meeting).first)
            #expect(segment.absoluteEndTime == Timestamp.withZone(now + 90_000))
            #expect(segment.createdAt == Timestamp.withZone(now + 90_000))
            try await world.tell(bot, [.joining, .active])
            #expect(try await world.transcript(meeting).first?.absoluteEndTime == segment.absoluteEndTime)
        }
    }

    // MARK: The stream

    /// The ids of a stream never go back: once the clock was set back they lie ahead of all that Redis says of times.
    @Test(arguments: [true, false])
    func whatABotSaidStaysItsOwnThoughTheClockWasSetBack(isDeliveredAgain: Bool) async throws {
        try await Self.make { world, meeting, first in
            let ahead = 9_999_999_999_999
            let said = one("s", "said")
            _ = try await world.client.send("XADD", WireNames.segmentStream, "\(ahead)-7", "payload", said)
            if isDeliveredAgain { _ = try await world.ingest(said, for: meeting, version: "\(ahead)-7") }
            try await world.tell(first, [.completed])
            guard case .success = await world.reinvite(meeting, force: true) else {
                Issue.record("the restart was refused")
                return
            }
            let second = world.place(meeting, try #require(try await world.fields(meeting)["bot_id"]))
            try await world.claim(second)
            try await world.tell(second, [.joining, .active])
            let expected = Ingestion.stored(changed: isDeliveredAgain ? 0 : 1)
            #expect(try await world.ingest(said, for: meeting, version: "\(ahead)-7") == expected)
            let next = one("t", "said next")
            #expect(try await world.ingest(next, for: meeting, version: "\(ahead)-8") == .stored(changed: 1))
            let sessions = try await world.transcript(meeting).map { [$0.text, $0.sessionUid] }
            #expect(Set(sessions) == [["said", first.botID], ["said next", second.botID]])
        }
    }

    @Test(arguments: [
        ("a=5-0 b=7-2", "7-3", "b"), ("a=5-0 b=7-2", "7-2", "a"), ("a=5-0 b=7-2", "5-1", "a"),
        ("a=5-0 b=7-2", "5-0", nil),
        ("a=10-0 b=9-0 c=9-0", "10-0", "c"), ("a=5-0 b=18446744073709551615-1", "18446744073709551615-2", "b"),
        ("a=5-0", "6-0", nil), ("", "6-0", nil), ("a=5-0 c=x", "6-0", nil), ("a=5-0 c=7-0=1 b", "6-0", nil),
        ("a=5-0 b=7-2", "x", nil), ("a=5-0 b=7-2", "-1-2", nil), (nil, "6-0", nil),
    ])
    func anEntryIsOfTheLastBotThatWasClaimedBefore(positions: String?, entry: String, writer: String?) {
        let current = positions?.contains("c=9") == true ? "c" : "b"
        #expect(StreamPositions(positions).writer(of: entry, current: current) == writer)
    }

    /// A runner of the version before notes nothing, nor one that Redis does not let ask: times tell then.
    @Test func withoutANoteOfTheCurrentBotTimesTell() async throws {
        try await Self.make { world, meeting, bot in
            try await world.set(world.keys.partition.meeting(meeting), ["positions": "another=0-0"])
            let now = try await world.now()
            _ = try await world.ingest(one("s", "said"), for: meeting, version: "\(now + 1)-0")
            #expect(try await world.transcript(meeting).map(\.sessionUid) == [bot.botID])
        }
    }

    /// Its messages name no bot: what comes by it is taken only for one that was told to write there.
    @Test func theStreamIsOnlyForBotsThatWereToldToUseIt() async throws {
        try await Self.make { world, meeting, bot in
            let key = world.keys.partition.bot(bot.botID)
            let now = try await world.now()
            _ = try await world.ingest(one("s", "said"), for: meeting, version: "\(now)-0")
            let retraction = #"{"type":"transcript_retract","meeting_id":1,"segment_ids":["s"]}"#
            func expectRefused(at time: Int) async throws {
                let before = try await world.snapshot()
                for message in [one("t", "forged"), one("u", "x", start: 2e9, end: 2e9), retraction] {
                    #expect(try await world.ingest(message, for: meeting, version: "\(time)-1") == .notByStream)
                }
                #expect(try await world.snapshot().changes(since: before) == [])
            }
            try await world.set(key, ["stream": "0"])
            try await expectRefused(at: now)
            // With its secret it may speak all the same.
            let message = try SegmentMessage(json: one("t", "by HTTP").utf8, assumedType: "transcription")
            #expect(try await world.session.transcripts.ingest(message, from: bot) == .stored(changed: 1))
            // A runner of the version before says nothing of it.
            _ = try await world.client.send("HDEL", key, "stream")
            #expect(try await world.ingest(one("u", "old"), for: meeting, version: "\(now)-2") == .stored(changed: 1))
            try await world.set(key, ["stream": "1"])
            try await world.tell(bot, [.completed])
            // An hour ahead, since Redis' clock was set back: the ids of a stream never go back.
            let ahead = try await world.ingest(one("v", "last"), for: meeting, version: "\(now + 3_600_000)-0")
            #expect(ahead == .stored(changed: 1))
            try await world.set(key, ["ended_at": String(now - 600_000)])
            let last = try await world.ingest(one("w", "late"), for: meeting, version: "\(now)-3")
            #expect(last == .stored(changed: 1))
            try await world.set(key, ["ended_at": String(now - 600_001)])
            try await expectRefused(at: now)
            try await expectRefused(at: now + 3_600_000)
            _ = try await world.client.send("DEL", key)
            try await expectRefused(at: now)
        }
    }

    /// What is there is compared with what comes: as much of it as takes moments at once, however short that which comes is.
    @Test func whatIsThereIsReadInPieces() async throws {
        try await Self.make { world, meeting, bot in
            let text = String(repeating: "x", count: 19_000)
            let ids = (1...80).map { "s\($0)" }
            for id in ids { _ = try await world.ingest(one(id, text), for: meeting, version: "10-0") }
            func segments(_ ids: some Collection<String>, _ text: String, _ completed: Bool) -> String {
                let all = ids.map {
                    #"{"segment_id":"\#($0)","text":"\#(text)","start":1,"end":2,"completed":\#(completed)}"#
                }
                return #"{"type":"transcription","meeting_id":1,"segments":[\#(all.joined(separator: ","))]}"#
            }
            func outcome(of ids: some Collection<String>) async throws -> Ingestion {
                let (keys, partition) = (world.keys, world.keys.partition)
                return try await world.session.run(
                    Scripts.IngestSegments(
                        meetingKey: partition.meeting(meeting), segmentsKey: partition.segments(ofMeeting: meeting),
                        analyzingKey: partition.analyzing, workspaceKey: keys.workspace,
                        botKey: partition.bot(bot.botID), feedKey: partition.feed(ofMeeting: meeting),
                        feedsKey: keys.feed, endedKey: partition.ended, meetingID: meeting, botID: bot.botID,
                        entry: "11-0", lastingMilliseconds: 0, maxSegments: 100, maxBytes: 1 << 30,
                        defaultMaxBytes: 1 << 30, segments: ids.flatMap { [$0, "d", "0 0 -", "{}"] }))
            }
            #expect(try await outcome(of: ids) == .tooMuch)
            #expect(try await outcome(of: ids.prefix(14)) == .tooMuch)
            #expect(try await outcome(of: ids.prefix(13)) == .stored(changed: 0))
            let drafts = try await world.ingest(segments(ids, "draft", false), for: meeting, version: "12-0")
            #expect(drafts == .stored(changed: 0))
            let later = try await world.ingest(segments(ids + ["t"], "later", true), for: meeting, version: "13-0")
            #expect(later == .stored(changed: 81))
            #expect(try await world.transcript(meeting).count { $0.text == "later" } == 81)
        }
    }

    @Test func nothingIsTakenByTheStreamBeforeThereIsABot() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.send(to: meeting)
            let before = try await world.snapshot()
            #expect(try await world.ingest(one("s", "x"), for: meeting, version: "1-0") == .notByStream)
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    // MARK: Limits

    @Test func aDeletedTranscriptStaysDeletedUntilABotIsSentAgain() async throws {
        try await Self.make { world, meeting, bot in
            _ = try await world.ingest(one("s", "x"), for: meeting)
            try await world.tell(bot, [.completed])
            let record = try #require(
                try await world.session.meetings.meeting(id: meeting, workspace: world.workspaceID))
            _ = try await world.session.meetings.removeContents(of: record)
            #expect(try await world.ingest(one("t", "late"), for: meeting) == .deleted)
            #expect(try await world.segments(meeting).isEmpty)
            _ = try await world.session.transcripts.finalise(meeting: meeting, workspace: world.workspaceID)
            #expect(try await world.fields(meeting)["participants"] == nil)
            // A bot that is sent in the same millisecond as the deletion would be taken for an earlier one.
            try await world.set(world.keys.partition.meeting(meeting), ["redacted_at": "5"])
            _ = try await world.bot(at: meeting, seen: "OFFLINE", .joining, .active)
            #expect(try await world.ingest(one("u", "new"), for: meeting) == .stored(changed: 1))
        }
    }

    @Test func aMeetingHasAMostOfSegments() async throws {
        try await Self.make { world, meeting, bot in
            let key = world.keys.partition.segments(ofMeeting: meeting)
            _ = try await world.ingest(one("known", "x"), for: meeting)
            for start in stride(from: 0, to: Transcripts.maximumSegmentsOfMeeting, by: 5_000) {
                let fields = (start..<start + 5_000).flatMap { ["b:\($0)", ""] }
                _ = try await world.client.send(Command(words: ["HSET", key] + fields), deadline: Client.soon)
            }
            // One too many: of a message that brings something new, nothing is taken.
            _ = try await world.client.send("HDEL", key, "b:0", "b:1")
            let two = """
                {"meeting_id":1,"segments":[{"segment_id":"known","start":1,"end":2,"text":"y"},
                {"segment_id":"new","start":1,"end":2,"text":"y"},{"segment_id":"newer","start":1,"end":2,"text":"y"}]}
                """
            #expect(try await world.ingest(two, for: meeting) == .full)
            #expect(try await world.segments(meeting)["\(bot.botID):known"]?.contains(#""text":"x""#) == true)
            // The last one that there is room for, and then what needs none.
            #expect(try await world.ingest(one("new", "x"), for: meeting) == .stored(changed: 1))
            #expect(try await world.ingest(one("newer", "x"), for: meeting) == .full)
            #expect(try await world.ingest(one("known", "y"), for: meeting) == .stored(changed: 1))
            let retraction = #"{"type":"transcript_retract","meeting_id":1,"segment_ids":["known"]}"#
            #expect(try await world.ingest(retraction, for: meeting) == .stored(changed: 1))
            #expect(try await world.client.send("HLEN", key) == .integer(Transcripts.maximumSegmentsOfMeeting))
        }
    }

    @Test func aMeetingThatIsNotThereTakesNothing() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            #expect(try await world.ingest(one("s", "x"), for: "0123") == .unknownMeeting)
            #expect(try await world.snapshot().changes(since: before) == [])
            let planned = try await world.meeting()
            #expect(try await world.ingest(one("s", "x"), for: planned) == .unknownMeeting)
        }
    }
}
