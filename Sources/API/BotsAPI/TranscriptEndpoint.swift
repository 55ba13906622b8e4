import EventLoop
import HTTP
import Log
import Usher

/// `GET /transcripts/{platform}/{native_meeting_id}`: what was said in a meeting, drafts included (docs/bot-wire.md,
/// "Clients"). `?meeting_id=` names a meeting of the room by its number; without it, it is the one that holds the room,
/// else the last one that was held, else the newest.
struct TranscriptEndpoint: Sendable {
    private static let maximumOffset = 1_000_000
    private static let maximumLimit = 100_000
    private static let pieceBytes = 16_384
    /// What a large answer holds beside the places of its segments: a few pieces, in the forms that they pass through.
    private static let heldBytes = 1_048_576
    /// How long the client may take is its own affair, so that each piece has its own time.
    private static let pieceMilliseconds = 10_000

    let store: Store
    let meetings: BotsMeetingsEndpoints
    let budget: AnswerBudget
    let logger: Logger

    func get(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await meetings.callers.authenticate(request, atLeast: .viewer)
            let offset = try request.number("offset", in: 0...Self.maximumOffset) ?? 0
            let limit = try request.number("limit", in: 1...Self.maximumLimit)
            let meeting = try await meetings.find(in: try BotsCaller.room(of: request), caller, request)
            try NotYetThere.refuse(NotYetThere.parameters, inQueryOf: request)
            var hold: AnswerHold?
            var reading = try await TranscriptReading(
                of: meeting, in: store, offset: offset, limit: limit, deadline: request.deadline
            ) { bytes in
                hold = try await budget.hold(
                    bytes + Self.heldBytes, for: caller.workspaceID, of: request, on: store.client.loop)
            }
            let start = Self.start(of: meeting)
            if reading.isLarge { return Self.streamed(start, reading, hold, on: store.client.loop) }
            var (body, list) = (start, SegmentList())
            while let segments = try await reading.next(bytes: Self.pieceBytes, deadline: request.deadline) {
                list.append(segments, to: &body)
            }
            return .json(body + Self.end)
        }
    }

    private static func streamed(
        _ start: [UInt8], _ reading: TranscriptReading, _ hold: AnswerHold?, on loop: EventLoop
    ) -> Response {
        .json(hold: hold) { writer in
            var (reading, piece, list) = (reading, start, SegmentList())
            while let segments = try await reading.next(
                bytes: pieceBytes, deadline: loop.now.advanced(byMilliseconds: pieceMilliseconds))
            {
                list.append(segments, to: &piece)
                try await writer.write(piece)
                piece = []
            }
            try await writer.write(piece + end)
        }
    }

    /// Puts a comma between segments, however they come.
    private struct SegmentList {
        private var isEmpty = true

        mutating func append(_ segments: [UInt8], to body: inout [UInt8]) {
            guard !segments.isEmpty else { return }
            if !isEmpty { body.append(UInt8(ascii: ",")) }
            isEmpty = false
            body += segments
        }
    }

    /// All before the first segment. Every member is always there. `recordings` is empty: no sound is kept.
    private static func start(of meeting: Meeting) -> [UInt8] {
        var object = JSONText()
        object.add("id", meeting.number)
        object.add("platform", meeting.room.platform.rawValue)
        object.add("native_meeting_id", meeting.room.nativeID)
        object.add("constructed_meeting_url", meeting.url)
        object.add("status", meeting.botStatus ?? BotStatus.requested.rawValue)
        object.add("start_time", time: meeting.startTime)
        object.add("end_time", time: meeting.endTime)
        object.add("notes", meeting.fields["notes"])
        object.add("recordings", json: "[]")
        object.add(
            "data", BotsMeetingObject.data(of: meeting, isTerminal: BotsMeetingObject.isTerminal(meeting)))
        object.add("segments", json: "[")
        return Array(object.bytes.dropLast())
    }

    private static let end = Array("]}".utf8)
}
