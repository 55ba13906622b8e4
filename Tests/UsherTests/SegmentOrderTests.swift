import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// Long transcripts: read in pieces, and in order all the same.
@Suite(.takesTurns) struct SegmentOrderTests {
    private static func place(
        _ field: String, _ start: Int, _ end: Int = 0, sessions: String = ""
    ) throws -> SegmentPlace {
        let segment = try #require(
            StoredSegment(
                field: Array(field.utf8), value: "1-0 c \(start) \(end) - {}", sessions: Sessions(sessions)))
        return SegmentPlace(segment, field: Array(field.utf8))
    }

    @Test func sessionsComeOneAfterTheOtherAndSegmentsByTheirTimes() throws {
        let sessions = "b=10 a=20"
        let expected = try [
            // Of sessions whose beginning is not known, by their ids.
            Self.place("x:1", 5, sessions: sessions), Self.place("y:1", 1, sessions: sessions),
            Self.place("b:9", 1, 3, sessions: sessions), Self.place("b:2", 1, 4, sessions: sessions),
            Self.place("b:1", 7, sessions: sessions), Self.place("b:10", 7, sessions: sessions),
            Self.place("a:1", 0, sessions: sessions),
        ]
        for _ in 0..<20 { #expect(expected.shuffled().sorted().map(\.field) == expected.map(\.field)) }
    }

    /// Ids that look alike are two: by bytes, and not as text compares.
    @Test func manyPlacesComeInOrderEachOnce() throws {
        var places = try (0..<9_001).map { try Self.place("s:\($0)", ($0 * 7_919) % 1_000) }
        places += try [Self.place("s:\u{f1}", 3), Self.place("s:n\u{303}", 3)]
        var order = SegmentOrder()
        for place in places.shuffled() { order.add(place) }
        order.completeRun()
        #expect(order.count == places.count)
        let expected = places.sorted().map(\.field)
        var taken: [[UInt8]] = []
        while let place = order.next() { taken.append(place.field) }
        #expect(taken == expected && order.count == 0)
    }

    @Test func aLongTranscriptIsReadInPieces() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = world.keys.partition.segments(ofMeeting: meeting)
            let count = 3_000
            let fields = (0..<count).flatMap { number in
                // Some that follow each other are long: what they take on average says nothing of these.
                let text = String(repeating: "t", count: (1_000..<1_020).contains(number) ? 4_000 : 200)
                // A retracted one between others is none.
                return [
                    "s:\(number)",
                    "1-0 \(number == 5 ? "r" : "c") \(1_000 * (count - number)) 0 - {\"text\":\"\(text)\(number)\"}",
                ]
            }
            _ = try await world.client.send(Command(words: ["HSET", key] + fields), deadline: Client.soon)
            let record = try #require(
                try await world.session.meetings.meeting(id: meeting, workspace: world.workspaceID))
            func read(offset: Int = 0, limit: Int? = nil) async throws -> (texts: [String], largest: Int) {
                var prepared: [Int] = []
                var reading = try await TranscriptReading(
                    of: record, in: world.session, offset: offset, limit: limit
                ) { prepared.append($0) }
                #expect(reading.isLarge && prepared.count == 1 && (120 * count...128 * count).contains(prepared[0]))
                var (texts, largest): ([String], Int) = ([], 0)
                while let piece = try await reading.next(bytes: 8_192, in: world.session) {
                    largest = max(largest, piece.count)
                    texts += String(decoding: piece, as: UTF8.self).matches(of: /t(\d+)"/).map { String($0.1) }
                }
                return (texts, largest)
            }
            let expected = (0..<count).filter { $0 != 5 }.reversed().map { String($0) }
            let whole = try await read()
            #expect(whole.texts == expected)
            #expect(whole.largest < 16_384)
            #expect(try await read(offset: 100, limit: 50).texts == Array(expected[100..<150]))
            #expect(try await read(offset: 2_990, limit: 50).texts == Array(expected[2_990...]))
            #expect(try await read(offset: 5_000).texts == [])
        }
    }

    /// What a bot makes up must not make a record that nothing can show.
    @Test func whoTookPartIsBounded() async throws {
        var participation = Participation()
        for number in (0..<5_000).shuffled() {
            let value = """
                1-0 c \(number) 0 - {"language":"l\(number)","speaker":"\(String(repeating: "n", count: number % 2 * 60))\(number)"}
                """
            let field = Array("s:\(number)".utf8)
            let segment = try #require(StoredSegment(field: field, value: value, sessions: Sessions(nil)))
            participation.add(segment, at: SegmentPlace(segment, field: field))
        }
        let participants = participation.participants
        #expect(participants.prefix(3).map { $0.drop { $0 == "n" } } == ["0", "1", "2"])
        #expect((500...Participation.maximumParticipants).contains(participants.count))
        #expect(participants.reduce(0) { $0 + $1.utf8.count } <= Participation.maximumNameBytes)
        #expect(participation.languages.count == Participation.maximumLanguages)
    }
}
