import EventLoop
import HTTP
import Usher

/// Whether bots record, and where what they keep is.
public struct Recordings: Sendable {
    /// nil: this node reads none.
    public var folder: RecordingFolder?
    /// Whether bots send what they record elsewhere.
    public var areSentElsewhere = false
    /// Where reads of the folder wait for the disk, so that none of a node's loops does; needed with a folder.
    public var disk: EventLoop?
    /// What those who fetch recordings hold. Apart from other answers: a slow client takes hours for one.
    let budget = AnswerBudget(bytes: 16_777_216)

    public init() {}

    public var areMade: Bool { folder != nil || areSentElsewhere }
}

/// `GET /recordings/{id}`: what a bot has heard, as a file. A part of it is had by `Range` (RFC 9110, section 14).
enum RecordingEndpoint {
    private static let pieceBytes = 65_536
    /// What an answer holds: a piece in the forms that it passes through.
    private static let heldBytes = 4 * pieceBytes

    static let unknownRecording = DescribedError(
        APIError(
            404, title: "Recording not found",
            "There is no such recording in this workspace. `recordings` of GET /transcripts/... lists those that there are."
        ),
        "There is no such recording in the key's workspace, or not where this node could read it.")
    private static let wrongRange = DescribedError(
        APIError(416, title: "Range not satisfiable", "The recording is not that long."),
        "The recording is not that long: `Content-Range` says how long it is.")

    static let get = Endpoint(
        .get, "/recordings/{id}", id: "getRecording", .bots(.viewer), summary: "Fetch a recording",
        details: """
            What a bot heard in a meeting, as a WAV file (16 kHz, one channel), from its coming into the room to its end. A \
            part of it is had by `Range: bytes=FIRST-LAST`; of several parts, all of it is sent.
            """,
        takes: .path(
            "id", "The recording's `id`, as `GET /transcripts/...` shows it.", schema: .segment(atMost: 64),
            example: .string("123-\(Sample.botID)")), range,
        answers: [
            Answer(status: 200, meaning: "The recording.", content: .other(type: "audio/wav")),
            Answer(status: 206, meaning: "The part of it that was asked for.", content: .other(type: "audio/wav")),
        ],
        errors: [unknownRecording, wrongRange]
    ) { call, id, _ in
        let recordings = call.services.recordings
        guard let folder = recordings.folder, let id = RecordingID(id),
            let meeting = try await call.session.meetings.meeting(
                number: id.number, workspace: call.caller.workspaceID),
            meeting.recordings.contains(where: { $0.botID == id.botID }),
            let place = RecordingPlace(
                workspaceID: meeting.workspaceID, meetingID: meeting.id, botID: id.botID),
            let file = try await onDisk(recordings, { folder.open(place) })
        else { throw unknownRecording.error }
        return try await answer(file, id, to: call)
    }

    private static let range = Input<String?>(
        parameters: [
            Parameter(
                name: "Range", place: .header, schema: .string, meaning: "A part of it, such as `bytes=0-65535`.",
                example: nil)
        ]
    ) { $0.header("Range") }

    private static func answer(
        _ file: RecordingFolder.File, _ id: RecordingID, to call: Call<Caller>
    ) async throws -> Response {
        let request = call.request
        // A recording that has ended never changes.
        let tag = "\"\(id.botID)-\(file.bytes)\""
        let isConditional = request.header("If-Range").map { $0 != tag } ?? false
        let asked = request.method == .get && !isConditional ? request.header("Range") : nil
        let part: Range<Int>
        let status: Status
        switch AskedRange(asked, of: file.bytes) {
        case .whole: (part, status) = (0..<file.bytes, 200)
        case .part(let range): (part, status) = (range, 206)
        case .unsatisfiable:
            var response = wrongRange.error.response(.bots)
            response.headers.append(("Content-Range", "bytes */\(file.bytes)"))
            return response
        }
        var response = Response(
            status: status, contentType: "audio/wav",
            headers: [
                ("Accept-Ranges", "bytes"), ("ETag", tag),
                ("Content-Disposition", "attachment; filename=\"\(id).wav\""),
            ])
        if status == 206 {
            response.headers.append(
                ("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.bytes)"))
        }
        let recordings = call.services.recordings
        response.hold = try await recordings.budget.hold(
            heldBytes, for: call.caller.workspaceID, of: request, on: call.loop)
        response.streamedBytes = part.count
        response.stream = { writer in
            for offset in stride(from: part.lowerBound, to: part.upperBound, by: pieceBytes) {
                let count = min(pieceBytes, part.upperBound - offset)
                try await writer.write(try await onDisk(recordings) { try file.read(count, at: offset) })
            }
        }
        return response
    }

    /// Disks may take long, and a loop has others to serve.
    private static func onDisk<Value: Sendable>(
        _ recordings: Recordings, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await Task(executorPreference: recordings.disk) { try body() }.value
    }
}

/// What a recording is called: by its meeting's number and its bot.
struct RecordingID: CustomStringConvertible {
    let number: Int
    let botID: String

    init(_ recording: Recording, of meeting: Meeting) {
        (number, botID) = (meeting.number, recording.botID)
    }

    init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let number = Int(parts[0]), number > 0 else { return nil }
        self.number = number
        botID = String(parts[1])
    }

    var description: String { "\(number)-\(botID)" }
}
