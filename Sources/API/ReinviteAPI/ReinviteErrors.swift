import Usher

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
                    + "Inspect the meeting; if this persists, tell whoever runs the service.", parameters: own)
        case .failed(let error):
            self.init(
                500, code: 12109,
                error.isOutOfMemory
                    ? "The dispatch of meeting \(meetingID) failed: the service has no room for new records at the moment. "
                        + "Safe to retry later."
                    : "The dispatch of meeting \(meetingID) failed for an unexpected reason. Safe to retry; if it "
                        + "persists, tell whoever runs the service.", parameters: own, cause: error)
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

extension DescribedError {
    static let otherWorkspace = DescribedError(
        Authentication.otherWorkspace(Sample.workspaceID), "The key belongs to another workspace.")
    static let workspaceIsGone = DescribedError(
        .workspaceIsGone(Sample.workspaceID), "The workspace no longer exists.")
    static let unknownMeeting = DescribedError(
        .unknownMeeting, "No meeting with the given `meeting_id` exists.")
    static let meetingOfOtherWorkspace = DescribedError(
        .otherWorkspace, "The given `meeting_id` does not belong to the given `workspace_id`.")

    static let plannedAlreadyHere = DescribedError(
        .plannedAlready(id: Sample.meetingID),
        "The room has a planned meeting at that very time; `meeting_id` is its id.")

    /// A row of the Re-invite API's table.
    init(_ refusal: ReinviteRefusal, _ meaning: String) {
        self.init(APIError(refusal, meetingID: Sample.meetingID, workspaceID: Sample.workspaceID), meaning)
    }
}

extension APIError {
    static func workspaceIsGone(_ id: String) -> APIError {
        APIError(404, "Workspace \(id) no longer exists.")
    }

    /// As `GET .../meetings/{meeting_id}` knows the other one.
    static func plannedAlready(id: String) -> APIError {
        .plannedAlready(see: id, parameters: ["meeting_id": id])
    }
}
