import HTTP
import Log
import Usher

/// `POST /api/v1/public/meeting/{workspace_id}/meetings/{meeting_id}/reinvite_bot` (Re-invite API).
struct ReinviteEndpoint: Sendable {
    let store: Store
    let authentication: Authentication
    let logger: Logger

    struct Body: Decodable {
        let forceRestart: Bool

        enum CodingKeys: String, CodingKey {
            case forceRestart = "force_restart"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            // Absent means false; null is no boolean.
            forceRestart =
                container.contains(.forceRestart) ? try container.decode(Bool.self, forKey: .forceRestart) : false
        }
    }

    func handle(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let workspaceID = request.parameter("workspace_id")
            let meetingID = request.parameter("meeting_id")
            let idempotencyKey = Result { try request.idempotencyKey() }
            let visitor = try await authentication.visitor(
                of: request, scope: .seameet, workspaceID: workspaceID, meetingID: meetingID,
                idempotencyKey: try? idempotencyKey.get())
            let trace = request.trace
            let reinvitation = Reinvitation(
                store: store, visitor: visitor,
                forceRestart: try await forceRestart(request, visitor.caller, idempotencyKey), trace: trace,
                deadline: request.deadline)
            do {
                let dispatch = try await reinvitation.perform()
                logger.accepted(
                    request, trace, bot: dispatch.botID, meeting: meetingID, workspace: workspaceID,
                    epoch: String(dispatch.epoch), isRepeated: dispatch.isRepeated)
                return Self.accepted(dispatch)
            } catch let refusal as ReinviteRefusal {
                throw APIError(refusal, meetingID: meetingID, workspaceID: workspaceID)
            }
        }
    }

    /// What the body says; an absent one means an empty object.
    /// - Throws: `APIError` 422, for the idempotency key too, but 403 to those who may not send a bot whatever they say.
    ///   (With a sound request that is found out in the same round trip as the rest.)
    private func forceRestart(
        _ request: Request, _ caller: Caller, _ idempotencyKey: Result<IdempotencyKey?, any Error>
    ) async throws -> Bool {
        do {
            _ = try idempotencyKey.get()
            if request.body.isEmpty { return false }
            return try JSONBody.decode(Body.self, from: request).forceRestart
        } catch {
            guard let role = try await authentication.role(of: caller, deadline: request.deadline), role >= .manager
            else {
                throw APIError(
                    .roleTooLow, meetingID: request.parameter("meeting_id"), workspaceID: caller.workspaceID)
            }
            throw error
        }
    }

    /// The 202 of the document. Written by hand, since it is the load; a meeting's id is hexadecimal.
    private static func accepted(_ dispatch: Dispatch) -> Response {
        var body: [UInt8] = []
        body.reserveCapacity(160)
        body += "{\"meeting_id\":\"".utf8
        body += dispatch.meetingID.utf8
        body += "\",\"status\":\"INITIAL\",\"action\":\"".utf8
        body += (dispatch.isRestart ? "restarted" : "dispatched").utf8
        body += "\",\"dispatched_at\":\"".utf8
        body += Timestamp.withoutZone(dispatch.dispatchedAt).utf8
        body += "\"}".utf8
        return .json(body, status: 202)
    }
}

extension APIError {
    /// The error table of the Re-invite API.
    init(_ refusal: ReinviteRefusal, meetingID: String, workspaceID: String) {
        let own: KeyValuePairs = ["meeting_id": meetingID]
        switch refusal {
        case .roleTooLow:
            self.init(
                403, "Only an owner or a manager of workspace \(workspaceID) may send a bot. Ask one of them.",
                parameters: ["workspace_id": workspaceID])
        case .unknownMeeting:
            self.init(
                404, code: 12100, "No meeting with id \(meetingID) exists. Check the meeting_id.", parameters: own)
        case .otherWorkspace:
            self.init(
                400, code: 12101,
                "Meeting \(meetingID) does not belong to workspace \(workspaceID). Use the workspace that owns it.",
                parameters: ["meeting_id": meetingID, "workspace_id": workspaceID])
        case .notGoogleMeet(let platform):
            self.init(
                400, code: 12102,
                "Meeting \(meetingID) is not a Google Meet meeting: \(platform.title) is not supported by this endpoint.",
                parameters: own)
        case .live(let holder):
            self.init(
                409, code: 12103,
                holder.map {
                    "Meeting \($0) is LIVE in the room of meeting \(meetingID); a bot is already in the room. "
                        + "No action needed."
                } ?? "Meeting \(meetingID) is LIVE; a bot is already in the room. No action needed.",
                parameters: Self.parameters(meetingID, holder))
        case .restartWhileLive:
            self.init(
                409, code: 12104,
                "Meeting \(meetingID) is LIVE and was not restarted. Stop it first, then retry once it is OFFLINE.",
                parameters: own)
        case .stopping(let status, let holder):
            self.init(
                409, code: 12105,
                "Meeting \(holder ?? meetingID) is \(status.rawValue). Wait for it to reach OFFLINE, then retry "
                    + "(with force_restart=true if needed).",
                parameters: Self.parameters(meetingID, holder))
        case .offline:
            self.init(
                409, code: 12106, "Meeting \(meetingID) is OFFLINE. Pass force_restart=true to restart",
                parameters: own)
        case .inFlight(let holder):
            self.init(
                409, code: 12107,
                "A dispatch for meeting \(holder ?? meetingID) is already in flight\(holder == nil ? "" : " to this room")"
                    + " in this workspace. Retry after it completes (≤10 minutes).",
                parameters: Self.parameters(meetingID, holder))
        case .locked:
            self.init(
                503, code: 12108,
                "Another dispatch is currently holding the lock of workspace \(workspaceID). Retry in a few seconds.",
                parameters: own, retryAfterSeconds: 2)
        case .statusChanged:
            self.init(
                409, code: 12110,
                "The status of meeting \(meetingID) changed before the bot was dispatched. Fetch the latest meeting "
                    + "state and retry.", parameters: own)
        case .unexpectedStatus(let status):
            self.init(
                409, code: 12111,
                "Meeting \(meetingID) is in the unexpected status \"\(status.prefix(40))\" and cannot be dispatched. "
                    + "Inspect the meeting and contact support if this persists.", parameters: own)
        case .failed(let error):
            self.init(
                500, code: 12109,
                error.isOutOfMemory
                    ? "The dispatch of meeting \(meetingID) failed: the service has no room for new records at the moment. "
                        + "Safe to retry later."
                    : "The dispatch of meeting \(meetingID) failed for an unexpected reason. Safe to retry; contact "
                        + "support if it persists.", parameters: own, cause: error)
        case .unavailable(let error):
            self = .unavailable(cause: error)
            parameters = own
        }
    }

    /// The meeting that was asked for, and the other one that holds its room, if it is another one.
    private static func parameters(_ meetingID: String, _ holder: String?) -> KeyValuePairs<String, String> {
        guard let holder else { return ["meeting_id": meetingID] }
        return ["meeting_id": meetingID, "room_meeting_id": holder]
    }
}
