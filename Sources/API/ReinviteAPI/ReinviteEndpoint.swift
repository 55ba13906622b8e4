import HTTP
import Log
import Usher

/// `POST /api/v1/public/meeting/{workspace_id}/meetings/{meeting_id}/reinvite_bot` (Re-invite API).
enum ReinviteEndpoint {
    /// Absent means false; null is no boolean.
    private static let forceRestart = Input<Bool>.body(
        .optional(
            "force_restart", .boolean, ifAbsent: false,
            "When true, an OFFLINE meeting is reset to INITIAL and a fresh bot is dispatched. When false, "
                + "which is the default, only INITIAL is dispatched."),
        examples: ["Send a bot": [:], "Restart a meeting that is OFFLINE": ["force_restart": true]]
    ) { $0 }.orEmpty(false)

    static let reinvite = Endpoint(
        .post, Routes.reinvite, id: "reinviteBot", .reinvite, summary: "Send a bot into a meeting",
        details: """
            Asks the bot to join a meeting after the initial auto-join did not run, or after the meeting has ended and \
            you want a fresh recording session against the same Google Meet URL. It returns as soon as the dispatch is \
            accepted, not when the bot has joined.

            At most one bot is in a room, or on its way to it, for each workspace: calling it again while a dispatch \
            is in flight is answered with a conflict, and so are calls that race. Only Google Meet meetings can be \
            re-invited.

            An `INITIAL` meeting is dispatched. An `OFFLINE` one needs `force_restart`, which flips the fields of the \
            run (`status`, `start_time`, `end_time`, `duration`, `flag`) and keeps all others.

            No limit of concurrent bots refuses a re-invitation. Its bot counts as one of the workspace's, though, as \
            long as it runs: for `POST /bots`, which has such a limit.
            """,
        takes: WorkspaceMeetings.workspaceID, WorkspaceMeetings.meetingID, .idempotencyKey, forceRestart,
        answers: [
            .json(
                202, "The dispatch has been accepted. The bot will join the Google Meet shortly.", .named(dispatch),
                example: [
                    "meeting_id": .string(Sample.meetingID), "status": "INITIAL", "action": "dispatched",
                    "dispatched_at": "2026-05-21T03:42:11.482",
                ])
        ],
        errors: [
            .meetingOfOtherWorkspace,
            DescribedError(
                .notGoogleMeet(.teams),
                "The meeting is not a Google Meet meeting (MS Teams / Zoom are not supported by this endpoint)."),
            .unknownMeeting, .otherWorkspace,
            DescribedError(
                .live(holder: nil), "The meeting is LIVE; a bot is already in the room. No action needed."),
            DescribedError(
                .restartWhileLive,
                "Refused to force-restart a LIVE meeting. Stop the meeting first, then retry once it is OFFLINE."),
            DescribedError(
                .stopping(status: .stopping, holder: nil),
                "The meeting is STOPPING or ANALYZING. Wait for it to reach OFFLINE, then retry (with "
                    + "force_restart=true if needed)."),
            DescribedError(.offline, "The meeting is OFFLINE. Pass force_restart=true to restart it."),
            DescribedError(
                .inFlight(holder: nil),
                "A dispatch for this meeting is already in flight in this workspace. Retry after the in-flight "
                    + "dispatch completes (≤10 minutes)."),
            DescribedError(
                .statusChanged,
                "The meeting status changed between the endpoint's check and the restart. Fetch the latest meeting "
                    + "state and retry."),
            DescribedError(
                .unexpectedStatus("PAUSED"),
                "The meeting is in an unexpected status and cannot be dispatched. Inspect the meeting; if this "
                    + "persists, tell whoever runs the service."),
            .invalid("The body is wrong.", field: "force_restart", "must be true or false"),
            DescribedError(
                ReinviteRefusal.failed(.connectionLost),
                "The dispatch failed for an unexpected reason. Safe to retry; if it persists, tell whoever runs the "
                    + "service."),
            DescribedError(
                .locked, "Another dispatch is currently holding the per-workspace lock. Retry in a few seconds."),
        ]
    ) { call, workspaceID, meetingID, _, forceRestart in
        let trace = call.request.trace
        let reinvitation = Reinvitation(
            in: call.session, visitor: call.caller, forceRestart: forceRestart, trace: trace)
        do {
            let dispatch = try await reinvitation.perform()
            call.services.logger.accepted(
                call.request, trace, bot: dispatch.botID, meeting: meetingID, workspace: workspaceID,
                epoch: String(dispatch.epoch), isRepeated: dispatch.isRepeated)
            return accepted(dispatch)
        } catch let refusal as ReinviteRefusal {
            throw APIError(refusal, meetingID: meetingID, workspaceID: workspaceID)
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

    private static let dispatch = NamedSchema(
        "Dispatch", "A dispatch that was accepted.",
        .object(
            .required("meeting_id", .string, "The meeting ID"),
            .required(
                "status", .choice(["INITIAL"]), "Meeting status at the moment of dispatch (always INITIAL on success)"),
            .required(
                "action", .choice(["dispatched", "restarted"]),
                "`dispatched` if the meeting was already INITIAL; `restarted` if it was reset from OFFLINE first"),
            .required(
                "dispatched_at", .timeWithoutZone,
                "UTC timestamp when the dispatch was accepted (ISO 8601, no timezone suffix)")))
}

extension Access<Reinvitation.Visitor> {
    private static var role: Role { .manager }

    /// What the request reads of the meeting comes with the caller. With a sound request the role is found out in the
    /// same round trip as the rest.
    static var reinvite: Self {
        Access(section: .reinvite, credentials: .apiKey(.seameet, role)) { request, services in
            try await services.authentication.visitor(
                of: request, scope: .seameet, workspaceID: request.parameter("workspace_id"),
                meetingID: request.parameter("meeting_id"), idempotencyKey: try? request.idempotencyKey())
        } beforeRefusing: { call in
            let caller = call.caller.caller
            let found = try await call.services.authentication.role(of: caller, in: call.session)
            guard let found, found >= role else {
                throw APIError(
                    .roleTooLow, meetingID: call.request.parameter("meeting_id"), workspaceID: caller.workspaceID)
            }
        }
    }
}
