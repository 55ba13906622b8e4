import HTTP
import Log
import Usher

/// `POST /internal/bots/{bot_id}/segments`: a bot's transcript, for bots that do not write to the segment stream. The
/// body is `{"segments": [...]}`, or any message of that stream (docs/bot-wire.md, "Transcript segments"). All of it is
/// taken, or nothing. What a bot says shortly after its end is taken too: the last words are transcribed when all have
/// left.
struct SegmentsEndpoint: Sendable {
    let store: Store
    let gatekeeper: Gatekeeper
    let logger: Logger

    func handle(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let place = try await InternalAccess.place(of: request, store: store, gatekeeper)
            let message = try Self.message(of: request.body)
            if let number = message.meetingNumber {
                let meeting = try await store.meeting(
                    number: number, workspace: place.workspaceID, deadline: request.deadline)
                guard meeting?.id == place.meetingID else {
                    throw APIError.invalid("meeting_id", "must be the number of the bot's own meeting")
                }
            }
            let count = Self.count(of: message)
            switch try await store.ingest(message, from: place, deadline: request.deadline) {
            case .stored(let changed): return Self.accepted(count, changed: changed)
            // Its transcript was deleted on purpose: there is nothing that the bot could do about it.
            case .deleted: return Self.accepted(0, changed: 0)
            case .workspaceFull: throw APIError.workspaceFull
            case .full: throw APIError.invalid("segments", "are more than a meeting may have")
            case .unknownMeeting, .notByStream: throw Self.meetingRemoved
            }
        }
    }

    static let meetingRemoved = APIError(404, title: "Meeting not found", "The meeting of this bot was removed.")

    static func message(of body: [UInt8]) throws -> SegmentMessage {
        let message: SegmentMessage
        do throws(SegmentMessage.Invalid) {
            message = try SegmentMessage(json: body, assumedType: "transcription")
        } catch {
            throw APIError.invalid(error.field ?? "body", error.problem)
        }
        if let fault = message.faults.first { throw APIError.invalid(fault.field ?? "segments", fault.problem) }
        return message
    }

    private static func count(of message: SegmentMessage) -> Int {
        switch message.content {
        case .segments(let segments): segments.count
        case .retraction(let ids): ids.count
        case .sessionStart, .sessionEnd: 0
        }
    }

    private static func accepted(_ count: Int, changed: Int) -> Response {
        .json(Array("{\"accepted\":\(count),\"changed\":\(changed)}".utf8))
    }
}
