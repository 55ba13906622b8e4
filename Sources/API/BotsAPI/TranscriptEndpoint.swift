import HTTP
import Log
import Usher

/// `GET /transcripts/{platform}/{native_meeting_id}`: what was said in a meeting, drafts included (wire facts, section
/// 1, "Transcript object"). `?meeting_id=` names a meeting of the room by its number; without it, it is the one that
/// holds the room, else the newest.
struct TranscriptEndpoint: Sendable {
    let store: Store
    let meetings: BotsMeetingsEndpoints
    let logger: Logger

    func get(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await meetings.callers.authenticate(request, atLeast: .viewer)
            let meeting = try await meetings.find(in: try BotsCaller.room(of: request), caller, request)
            let transcript = try await store.transcript(of: meeting, deadline: request.deadline)
            return .json(Self.json(meeting, transcript).bytes)
        }
    }

    /// Every member is always there. `recordings` is empty: no sound is kept.
    private static func json(_ meeting: Meeting, _ transcript: Transcript) -> JSONText {
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
        object.add("segments", json: "[\(transcript.json.joined(separator: ","))]")
        return object
    }
}
