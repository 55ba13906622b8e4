import BotWire
import EventLoop
import Foundation
import Log
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

@testable import SimulatedBot

/// What a bot writes to Redis.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct BotTranscriptTests {
    static func object(_ text: String) -> [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) ?? [:]
    }

    @Test func aSessionHasABeginningDraftsTheirConfirmedFormsAndAnEnd() async throws {
        let fixture = try await BotFixture(configure: { $1.meetingMilliseconds = 300 })
        #expect(try await fixture.ended() == 0)
        let entries = try await fixture.entries().map(Self.object)
        let start = try #require(entries.first)
        #expect(Set(start.keys) == ["type", "session_uid", "meeting_id", "platform", "start_time"])
        #expect(start["type"] as? String == "session_start" && start["session_uid"] as? String == fixture.botID)
        #expect(start["meeting_id"] as? Int == fixture.meeting && start["platform"] as? String == "google_meet")
        let end = try #require(entries.last)
        #expect(Set(end.keys) == ["type", "session_uid"] && end["type"] as? String == "session_end")

        for entry in entries.dropFirst().dropLast() {
            #expect(Set(entry.keys) == ["type", "meeting_id", "native_meeting_id", "segments"])
            #expect(entry["type"] as? String == "transcription" && entry["meeting_id"] as? Int == fixture.meeting)
            #expect(entry["native_meeting_id"] as? String == fixture.room)
        }
        let segments = try await fixture.segments()
        #expect(segments.count >= 2 && segments.count % 2 == 0)
        for pair in stride(from: 0, to: segments.count, by: 2) {
            let (draft, confirmed) = (segments[pair], segments[pair + 1])
            #expect(draft["completed"] as? Bool == false && confirmed["completed"] as? Bool == true)
            for name in ["segment_id", "speaker", "start", "absolute_start_time"] {
                #expect("\(draft[name] ?? "absent")" == "\(confirmed[name] ?? "no")", "\(name)")
            }
            let texts = (draft["text"] as? String ?? "?", confirmed["text"] as? String ?? "")
            #expect(texts.1.hasPrefix(texts.0) && texts.0.count < texts.1.count)
            let times = (confirmed["start"] as? Double ?? 1, confirmed["end"] as? Double ?? 0)
            #expect(times.0 >= 0 && times.1 > times.0)
            // The bot was told no language, and says so.
            #expect(confirmed["language"] is NSNull)
            #expect(
                Set(confirmed.keys) == [
                    "segment_id", "speaker", "speaker_key", "text", "start", "end", "language", "completed",
                    "absolute_start_time", "absolute_end_time", "source",
                ])
        }
        #expect(Set(segments.compactMap { $0["segment_id"] as? String }).count == segments.count / 2)
    }

    /// What the file says after the time: each confirmed segment that is in Redis, in order, and no draft.
    static func noted(_ segments: [[String: Any]], of fixture: BotFixture) -> [String] {
        segments.filter { $0["completed"] as? Bool == true }.map {
            "\(fixture.botID) \(fixture.meeting) \($0["segment_id"] ?? "?") \($0["text"] ?? "?")"
        }
    }

    static func withoutTime(_ lines: [String]) -> [String] {
        lines.map { line in line.split(separator: " ").dropFirst().joined(separator: " ") }
    }

    @Test func acknowledgedSegmentsAreNotedInAFile() async throws {
        let fixture = try await BotFixture(configure: { $1.meetingMilliseconds = 200 })
        #expect(try await fixture.ended() == 0)
        let lines = fixture.acknowledged
        #expect(!lines.isEmpty)
        #expect(try await Self.withoutTime(lines) == Self.noted(fixture.segments(), of: fixture))
        let times = try lines.map { try #require(UInt64($0.prefix { $0 != " " })) }
        #expect(times == times.sorted())
    }

    /// What is said while Redis takes nothing waits until it does.
    @Test func whatRedisHasNoRoomForComesLater() async throws {
        let fixture = try await BotFixture()
        try await waitFor("something is written") { try await !fixture.segments().isEmpty }
        try await fixture.withRedis { client in
            _ = try await client.send("CONFIG", "SET", "maxmemory", "1")
        }
        let before = try await fixture.entries().count
        try await waitFor("much of what it says is refused") {
            let info = try await fixture.withRedis { try await $0.send("INFO", "errorstats") }.string ?? ""
            let count = info.split(separator: "errorstat_OOM:count=").dropFirst().first?.prefix { $0.isNumber }
            return count.flatMap { Int($0) } ?? 0 >= 8
        }
        #expect(try await fixture.entries().count == before)
        try await fixture.withRedis { client in
            _ = try await client.send("CONFIG", "SET", "maxmemory", "0")
        }
        try await waitFor("it is written on") { try await fixture.entries().count > before + 4 }
        fixture.stop()
        #expect(try await fixture.ended() == 0)
        // The bot numbers what it says: none is missing.
        let said = try await fixture.segments().filter { $0["completed"] as? Bool == true }
        let numbers = said.compactMap { ($0["segment_id"] as? String)?.split(separator: ":").last.flatMap { Int($0) } }
        #expect(!numbers.isEmpty && numbers == Array(numbers[0]..<numbers[0] + numbers.count), "\(numbers)")
    }

    @Test func theLanguageFollowsTheConfigurationAndThenTheCommand() async throws {
        let fixture = try await BotFixture(configure: { configuration, _ in configuration.language = "zh" })
        func waitForLanguage(_ language: String?) async throws {
            try await waitFor("the newest segment is in \(language ?? "no language")") {
                guard let newest = try await fixture.segments().last else { return false }
                return newest["language"] as? String == language
            }
        }
        try await waitForLanguage("zh")
        try await fixture.command("{\"action\":\"reconfigure\",\"language\":\"es\"}")
        try await waitForLanguage("es")
        try await fixture.command("{\"action\":\"reconfigure\",\"task\":\"translate\"}")
        try await waitForLanguage("en")
        try await fixture.command("{\"action\":\"reconfigure\",\"language\":null}")
        try await waitForLanguage(nil)
        fixture.stop()
        #expect(try await fixture.ended() == 0)
        // A segment keeps its language from draft to confirmed form.
        var languages: [String: Set<String>] = [:]
        for segment in try await fixture.segments() {
            languages[segment["segment_id"] as? String ?? "", default: []].insert("\(segment["language"] ?? "absent")")
        }
        #expect(languages.values.allSatisfy { $0.count == 1 })
    }

    @Test func theLiveChannelShowsWhatIsPendingAndWhatIsConfirmed() async throws {
        let messages = Messages()
        let loop = try EventLoop(name: "live")
        try loop.start()
        let fixture = try await BotFixture()
        let channel = "tc:meeting:\(fixture.meeting):mutable"
        let url = fixture.redis.url
        loop.execute {
            let subscriber = Subscriber(
                loop: loop, configuration: ClientConfiguration(url: url, name: "live"), logger: Logger(minimum: .error)
            ) { event in
                if case .message(_, let payload) = event { messages.all.withLock { $0.append(payload) } }
            }
            subscriber.subscribe(to: channel)
            subscriber.start()
            messages.subscriber.withLock { $0 = subscriber }
        }
        try await waitFor("some messages came") { messages.all.withLock { $0.count } >= 4 }
        for message in messages.all.withLock({ $0 }).map(Self.object) {
            #expect(Set(message.keys) == ["type", "meeting", "speaker", "confirmed", "pending", "ts"])
            #expect((message["meeting"] as? [String: Any])?["id"] as? Int == fixture.meeting)
            let confirmed = message["confirmed"] as? [[String: Any]] ?? []
            let pending = message["pending"] as? [[String: Any]] ?? []
            #expect(confirmed.count + pending.count == 1)
            #expect(confirmed.allSatisfy { $0["completed"] as? Bool == true })
        }
        fixture.stop()
        #expect(try await fixture.ended() == 0)
        loop.stop()
        loop.join()
    }

    final class Messages: Sendable {
        let all = Mutex<[String]>([])
        let subscriber = Mutex<Subscriber?>(nil)
    }

    @Test func withoutTranscriptionNothingIsWritten() async throws {
        let fixture = try await BotFixture(configure: { configuration, simulation in
            configuration.isTranscribing = false
            simulation.meetingMilliseconds = 100
        })
        #expect(try await fixture.ended() == 0)
        #expect(try await fixture.entries().isEmpty)
    }

    @Test func malformedEntriesComeBesideGoodOnes() async throws {
        let fixture = try await BotFixture([.malformedSegments])
        try await waitFor("there are some of both") {
            let entries = try await fixture.entries()
            return entries.contains { $0.contains("\"no id\"") }
                && entries.contains { $0.contains("\"completed\":\"yes\"") }
        }
        fixture.stop()
        #expect(try await fixture.ended() == 0)
        #expect(try await fixture.segments().contains { $0["completed"] as? Bool == true })
    }

    @Test func everyThirdSegmentIsRetracted() async throws {
        let fixture = try await BotFixture([.retractions])
        try await waitFor("a segment is retracted") {
            try await fixture.entries().map(Self.object).contains {
                $0["type"] as? String == "transcript_retract" && $0["meeting_id"] as? Int == fixture.meeting
                    && $0["segment_ids"] as? [String] == ["\(fixture.botID):3"]
            }
        }
        fixture.stop()
        #expect(try await fixture.ended() == 0)
    }

    /// What was said while Redis was away is written once it is back; a bot that starts without Redis joins all the same.
    @Test func aRedisThatIsAwayLosesNothing() async throws {
        var options = RedisServer.Options()
        options.isPersistent = true
        let redis = try RedisServer(options)
        redis.stop()
        let fixture = try await BotFixture(redis: redis)
        try await fixture.reported("active")
        // Time enough for some segments; none of them can have been acknowledged.
        try await Task.sleep(for: .milliseconds(100))
        #expect(fixture.acknowledged.isEmpty)
        try redis.start()
        try await waitFor("a segment is there") { try await !fixture.segments().isEmpty }
        try redis.restart()
        let written = try await fixture.segments().count
        try await waitFor("more segments are there") { try await fixture.segments().count > written + 6 }
        try await fixture.command("{\"action\":\"leave\"}")
        #expect(try await fixture.ended() == 0)
        let confirmed = try await fixture.segments().filter { $0["completed"] as? Bool == true }
        let numbers = Set(
            confirmed.compactMap { ($0["segment_id"] as? String)?.split(separator: ":").last.flatMap { Int($0) } })
        #expect(numbers == Set(1...numbers.count))
        // An entry whose answer was lost is in Redis twice, but noted once.
        #expect(Set(Self.withoutTime(fixture.acknowledged)) == Set(Self.noted(confirmed, of: fixture)))
        #expect(Set(Self.withoutTime(fixture.acknowledged)).count == fixture.acknowledged.count)
        #expect(try await fixture.entries().first?.contains("session_start") == true)
        #expect(try await fixture.entries().last?.contains("session_end") == true)
    }
}
