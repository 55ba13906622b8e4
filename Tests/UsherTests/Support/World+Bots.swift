import Foundation
import Redis
import RedisTestSupport
import Testing

@testable import Usher

/// Bots that a test plays itself.
extension World {
    /// Sends a bot to a meeting, without a runner.
    func send(to meeting: String, seen status: String = "INITIAL") async throws -> BotPlace {
        let bot = Identifier.bot(in: keys.partition)
        #expect(try await dispatch(meeting, bot: bot, seen: status).array?.first == .string("accepted"))
        return place(meeting, bot)
    }

    /// A bot that a runner has claimed and that has reported some statuses. Its secret is "secret".
    func bot(
        at meeting: String, seen status: String = "INITIAL", runner: String = "runner", _ statuses: BotStatus...
    ) async throws -> BotPlace {
        let place = try await send(to: meeting, seen: status)
        try await claim(place, runner: runner)
        try await tell(place, statuses)
        return place
    }

    func claim(_ place: BotPlace, runner: String = "runner") async throws {
        let entries = try await client.send("XRANGE", keys.partition.dispatch, "-", "+").arrayOrThrow()
        let entry = try #require(entries.compactMap(DispatchEntry.init).first { $0.place == place })
        let claim = try await session.bots.claim(entry, runner: runner, secret: "secret", container: "container")
        guard case .claimed = claim else { throw TestServerError("the claim of \(place) is void") }
    }

    func tell(_ place: BotPlace, _ statuses: [BotStatus]) async throws {
        for status in statuses {
            let outcome = try await session.bots.report(BotReport(status: status), from: place)
            guard case .taken = outcome else { throw TestServerError("the report \(status) is \(outcome)") }
        }
    }

    /// Has the lease of a bot run out.
    func endLease(of place: BotPlace) async throws {
        _ = try await client.send("ZADD", keys.partition.leases, "1", place.botID)
    }

    /// The fields of a meeting's record.
    func fields(_ meeting: String) async throws -> [String: String] {
        try await client.send("HGETALL", keys.partition.meeting(meeting)).hash()
    }

    // MARK: Transcripts

    /// Takes in a message of the segment stream, as the entry of an id.
    @discardableResult
    func ingest(_ json: String, for meeting: String, version: String? = nil) async throws -> Ingestion {
        let message = try SegmentMessage(json: json.utf8, assumedType: "transcription")
        return try await session.transcripts.ingest(message, meeting: meeting, workspace: workspaceID, version: version)
    }

    /// The raw record of a transcript.
    func segments(_ meeting: String) async throws -> [String: String] {
        try await client.send("HGETALL", keys.partition.segments(ofMeeting: meeting)).hash()
    }

    /// The same as JSON.
    func transcriptObjects(of record: Meeting) async throws -> [String] {
        var reading = try await TranscriptReading(of: record, in: session) { _ in }
        var objects: [String] = []
        while let piece = try await reading.next(bytes: 1, in: session) {
            objects.append(String(decoding: piece, as: UTF8.self))
        }
        return objects
    }

    /// The segments as users get them.
    func transcript(_ meeting: String) async throws -> [SegmentObject] {
        let record = try #require(try await session.meetings.meeting(id: meeting, workspace: workspaceID))
        let objects = try await transcriptObjects(of: record)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try objects.map { try decoder.decode(SegmentObject.self, from: Data($0.utf8)) }
    }
}

struct SegmentObject: Decodable {
    let segmentId: String
    let start: Double
    let end: Double
    let text: String
    let language: String?
    let speaker: String?
    let completed: Bool
    let createdAt: String
    let absoluteStartTime: String
    let absoluteEndTime: String
    let sessionUid: String
    let confidence: Double?
    let source: String?
    let speakerKey: String?
    let words: [Word]?

    struct Word: Decodable, Equatable {
        var word: String
        var start: Double?
        var end: Double?
        var confidence: Double?
        var probability: Double?
    }
}

/// The text of a message with one segment.
func one(
    _ id: String, _ text: String, start: Double = 1, end: Double = 2, completed: Bool = true, more: String = ""
) -> String {
    """
    {"segments":[{"segment_id":"\(id)","start":\(start),"end":\(end),"text":"\(text)","completed":\(completed)\(more)}]}
    """
}

extension World {
    /// Milliseconds since 1970, by Redis' clock.
    func now() async throws -> Int {
        let time = try await client.send("TIME").arrayOrThrow()
        return try Int(time[0].stringOrThrow())! * 1_000 + Int(time[1].stringOrThrow())! / 1_000
    }
}
