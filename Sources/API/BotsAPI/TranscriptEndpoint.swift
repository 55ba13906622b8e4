import HTTP
import Usher

/// What was said in a meeting, drafts included (docs/bot-wire.md, "Clients"). `?meeting_id=` names a meeting of the room
/// by its number; without it, it is the one that holds the room, else the last one that was held, else the newest.
enum TranscriptEndpoint {
    static let all = [get, getByNumber]

    static let pieceBytes = 16_384
    /// What a large answer holds beside the places of its segments: a few pieces, in the forms that they pass through.
    private static let heldBytes = 1_048_576
    /// How long the client may take is its own affair, so that each piece has its own time.
    static let pieceMilliseconds = 10_000

    /// What is asked for of it.
    private struct Wanted {
        let offset: Int
        let limit: Int?
        let after: FeedCursor?
        let format: TranscriptFormat?
    }

    private static let limits = 1...100_000

    private static let wanted = Input<Wanted>.group(
        .query("offset", 0...1_000_000, default: 0, "How many segments to pass over."),
        .query("limit", limits, "The most segments that are shown. All if it is absent."),
        .cursor(
            "after",
            "The `cursor` of an earlier answer: what changed since is shown alone, without `offset`; `limit` counts where all is shown, after a `reset`."
        ),
        .query(
            "format", TranscriptFormat.self,
            "The form of the answer: `json`, or `txt`, `md`, `srt`, `vtt` as text. What `Accept` prefers if it is absent."
        )
    ) { Wanted(offset: $0, limit: $1, after: $2, format: $3) }

    private static let answers = [
        Answer.json(
            200,
            "The transcript. After a cursor, `segments` has what changed since as it is now, beside `retracted` with the "
                + "ids that are gone, `reset` if the cursor leads nowhere any more so that all is shown, and `has_more`.",
            .named(TranscriptSchema.schema), example: TranscriptSchema.example,
            or: TranscriptFormat.allCases.filter { $0 != .json }.map(\.mediaType)),
        Answer(status: 304, meaning: "Nothing has changed since the `ETag` of `If-None-Match`.", content: .none),
    ]

    static let get = Endpoint(
        .get, "/transcripts/{platform}/{native_meeting_id}", id: "getTranscript", .bots(.viewer),
        summary: "Read a transcript",
        details: """
            What was said in a meeting, drafts included, in order. After a restart the sessions stand one after the \
            other; `session_uid` tells which bot heard a segment. A long one comes in pieces: where the connection ends \
            before the answer does, ask again. `cursor` is where what is not in it begins: with `?after=` it comes by itself.
            """,
        takes: .meetingInRoom, wanted, answers: answers, errors: [.unknownBotMeeting, .wrongRoom]
    ) { call, place, wanted in try await response(to: call, of: place.meeting(for: call), wanted) }

    static let getByNumber = Endpoint(
        .get, "/transcripts/by-id/{number}", id: "getTranscriptByNumber", .bots(.viewer),
        summary: "Read the transcript of a meeting by its number",
        details: "The same as `GET /transcripts/{platform}/{native_meeting_id}?meeting_id=`.",
        takes: BotsMeetingEndpoints.number, wanted, answers: answers,
        errors: [
            .unknownBotMeeting, .invalid("A parameter is wrong.", field: "limit", limits.problem),
        ]
    ) { call, number, wanted in try await response(to: call, of: BotsMeetingEndpoints.meeting(number, call), wanted) }

    private static func response(to call: Call<Caller>, of meeting: Meeting, _ wanted: Wanted) async throws -> Response
    {
        let format = wanted.format ?? TranscriptFormat(accepted: call.request.header("Accept") ?? "")
        try NotYetThere.refuse(NotYetThere.parameters, inQueryOf: call.request)
        if let after = wanted.after {
            guard call.request.query("offset") == nil, format == .json else {
                throw APIError.invalid("after", "goes with no offset, and with the format json alone")
            }
            if let response = try await TranscriptChanges(call, meeting).response(after: after) { return response }
        }
        let (session, loop) = (call.session, call.loop)
        // First, so that what changes while the rest is read comes again rather than never.
        let cursor = try await session.feeds.end(of: meeting)
        var hold: AnswerHold?
        var reading = try await TranscriptReading(of: meeting, in: session, offset: wanted.offset, limit: wanted.limit)
        { bytes in
            hold = try await call.services.budget.hold(
                bytes + heldBytes, for: call.caller.workspaceID, of: call.request, on: loop)
        }
        if format != .json {
            return .transcript(as: format, TranscriptText(meeting, format), reading, hold, session.store)
        }
        let start = start(of: meeting)
        let end = end(at: cursor, isReset: wanted.after != nil)
        if reading.isLarge { return streamed(start, end, reading, hold, session.store) }
        var (body, list) = (start, SegmentList())
        while let segments = try await reading.next(bytes: pieceBytes, in: session) {
            list.append(segments, to: &body)
        }
        return .json(body + end)
    }

    private static func streamed(
        _ start: [UInt8], _ end: [UInt8], _ reading: TranscriptReading, _ hold: AnswerHold?, _ store: Store
    ) -> Response {
        .json(hold: hold) { writer in
            var (reading, piece, list) = (reading, start, SegmentList())
            while let segments = try await reading.next(
                bytes: pieceBytes, in: store.session(milliseconds: pieceMilliseconds))
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

    /// All before the first segment. Every member is always there.
    static func start(of meeting: Meeting) -> [UInt8] {
        var object = JSONText()
        object.add("id", meeting.number)
        object.add("platform", meeting.room.platform.rawValue)
        object.add("native_meeting_id", meeting.room.nativeID)
        object.add("constructed_meeting_url", meeting.url)
        object.add("status", meeting.shownStatus)
        object.add("start_time", time: meeting.startTime)
        object.add("end_time", time: meeting.endTime)
        object.add("notes", meeting.fields["notes"])
        let recordings = meeting.recordings.map { RecordingObject.json($0, of: meeting).closed }
        object.add("recordings", json: "[\(recordings.joined(separator: ","))]")
        object.add(
            "data", BotsMeetingObject.data(of: meeting, isTerminal: BotsMeetingObject.isTerminal(meeting)))
        object.add("segments", json: "[")
        return Array(object.bytes.dropLast())
    }

    private static func end(at cursor: FeedCursor, isReset: Bool) -> [UInt8] {
        let changes = isReset ? ",\"retracted\":[],\"reset\":true,\"has_more\":false" : ""
        return Array("]\(changes),\"cursor\":\"\(cursor)\"}".utf8)
    }
}
