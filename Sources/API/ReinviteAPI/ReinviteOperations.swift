import HTTP
import Usher

/// What is said of the Re-invite API and the meetings beside it.
enum ReinviteOperations {
    static let all = [reinvite, createMeeting, listMeetings, getMeeting]

    private static let base = "/api/v1/public/meeting/{workspace_id}/meetings"
    private static let workspaceID = Parameter.path(
        "workspace_id", .segment(), "The workspace that owns the meeting; its id is a UUID.",
        example: .string(Sample.workspaceID))
    private static let meetingID = Parameter.path(
        "meeting_id", .segment(), "The meeting's id: 32 hexadecimal digits.", example: .string(Sample.meetingID))
    private static let otherWorkspace = DescribedError(
        Authentication.otherWorkspace(Sample.workspaceID), "The key belongs to another workspace.")
    private static let unknownMeeting = DescribedError(
        .unknownMeeting, "No meeting with the given `meeting_id` exists.")
    private static let meetingOfOtherWorkspace = DescribedError(
        .otherWorkspace, "The given `meeting_id` does not belong to the given `workspace_id`.")

    static let reinvite = Operation(
        method: .post, path: Routes.reinvite, id: "reinviteBot", section: .reinvite,
        access: .apiKey(.seameet, .manager), summary: "Send a bot into a meeting",
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
        parameters: [workspaceID, meetingID, .idempotencyKey],
        body: RequestBody(
            schema: .object(
                .optional(
                    "force_restart", .boolean,
                    "When true, an OFFLINE meeting is reset to INITIAL and a fresh bot is dispatched. When false, "
                        + "which is the default, only INITIAL is dispatched.")),
            isRequired: false,
            examples: [("Send a bot", [:]), ("Restart a meeting that is OFFLINE", ["force_restart": true])]),
        answers: [
            .json(
                202, "The dispatch has been accepted. The bot will join the Google Meet shortly.", .named(dispatch),
                example: [
                    "meeting_id": .string(Sample.meetingID), "status": "INITIAL", "action": "dispatched",
                    "dispatched_at": "2026-05-21T03:42:11.482",
                ])
        ],
        errors: [
            meetingOfOtherWorkspace,
            DescribedError(
                .notGoogleMeet(.teams),
                "The meeting is not a Google Meet meeting (MS Teams / Zoom are not supported by this endpoint)."),
            unknownMeeting, otherWorkspace,
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
                "The meeting is in an unexpected status and cannot be dispatched. Inspect the meeting and contact "
                    + "support if this persists."),
            .invalid("The body is wrong.", field: "force_restart", "must be true or false"),
            DescribedError(
                ReinviteRefusal.failed(.connectionLost),
                "The dispatch failed for an unexpected reason. Safe to retry; contact support if it persists."),
            DescribedError(
                .locked, "Another dispatch is currently holding the per-workspace lock. Retry in a few seconds."),
        ])

    static let createMeeting = Operation(
        method: .post, path: base, id: "createMeeting", section: .reinvite, access: .apiKey(.seameet, .member),
        summary: "Make a meeting",
        details: """
            Makes the record of a meeting from its link, or from its platform and id. No bot is sent. With a \
            `meeting_url` the other members that say the same must agree with it.
            """,
        parameters: [workspaceID, .idempotencyKey],
        body: RequestBody(
            schema: .object(
                .optional(
                    "meeting_url", Schema.string(0...2_048).orNull,
                    "A Google Meet, MS Teams or Zoom link, also as it is pasted. Required, or else `platform` and `native_meeting_id`."
                ),
                .optional("platform", Schema.choice(Platform.self).orNull),
                .optional("native_meeting_id", Schema.string.orNull, "The platform's own id of the meeting."),
                .optional("passcode", Schema.text(1...100).orNull),
                .optional(
                    "teams_base_host", Schema.choice(MeetingLink.teamsHosts).orNull,
                    "Where an MS Teams meeting is that has no `meeting_url`."),
                .optional("title", Schema.text(1...200).orNull),
                .optional("language", Schema.text(1...35).orNull, "The language that is spoken, such as `en`.")),
            examples: [
                (
                    "By its link",
                    ["meeting_url": "https://meet.google.com/abc-defg-hij", "title": "Weekly", "language": "en"]
                ),
                ("By its id", ["platform": "google_meet", "native_meeting_id": "abc-defg-hij"]),
            ]),
        answers: [.json(201, "The meeting, which is INITIAL.", .named(meeting), example: meetingExample)],
        errors: [
            otherWorkspace,
            DescribedError(
                MeetingsEndpoints.noWorkspace(Sample.workspaceID), "The workspace no longer exists."),
            .tooManyMeetings, .workspaceFull,
            .invalid(
                "A member of the body is wrong.", field: "meeting_url", "is not a Google Meet, MS Teams or Zoom link"),
        ])

    static let listMeetings = Operation(
        method: .get, path: base, id: "listMeetings", section: .reinvite, access: .apiKey(.seameet, .viewer),
        summary: "List the meetings of a workspace", details: "A page of them, the newest first.",
        parameters: [
            workspaceID,
            .query("offset", .integer(0...1_000_000), "How many to pass over. 0 if it is absent."),
            BotsMeetingsOperations.cursor,
            .query("limit", .integer(1...100), "The most that a page has. 20 if it is absent."),
            .query("status", .choice(MeetingStatus.self), "Only meetings with this status."),
        ],
        answers: [
            .json(
                200, "The page.",
                .object(
                    .required("meetings", .list(of: .named(meeting))), .required("offset", .integer(0...1_000_000)),
                    .required("limit", .integer(1...100)),
                    BotsMeetingsOperations.hasMore, BotsMeetingsOperations.nextCursor),
                example: [
                    "meetings": [meetingExample], "offset": 0, "limit": 20, "has_more": false, "next_cursor": nil,
                ])
        ],
        errors: [otherWorkspace, .invalid("A parameter is wrong.", field: "limit", "must be between 1 and 100")])

    static let getMeeting = Operation(
        method: .get, path: "\(base)/{meeting_id}", id: "getMeeting", section: .reinvite,
        access: .apiKey(.seameet, .viewer), summary: "Fetch the latest state of a meeting",
        parameters: [workspaceID, meetingID],
        answers: [.json(200, "The meeting.", .named(meeting), example: meetingExample)],
        errors: [otherWorkspace, meetingOfOtherWorkspace, unknownMeeting])

    // MARK: Objects

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

    private static let meeting = NamedSchema(
        "Meeting", "A meeting as the Re-invite API shows it. Times are in UTC, without a zone.",
        .object(
            .required("meeting_id", .string, "32 hexadecimal digits."),
            .required("number", .integer(1...), "What the Bots API calls the meeting's `id`."),
            .required("workspace_id", .string),
            .required("platform", .choice(Platform.self)),
            .required("native_meeting_id", .string, "The platform's own id of the meeting."),
            .required("meeting_url", .string),
            .required("title", Schema.string.orNull),
            .required("language", Schema.string.orNull),
            .required("status", .choice(MeetingStatus.self)),
            .required("bot_status", Schema.choice(BotStatus.self).orNull, "Its bot's; null before the first dispatch."),
            .required("bot_id", Schema.string.orNull, "Its latest bot's."),
            .required("dispatched_at", Schema.timeWithoutZone.orNull),
            .required("start_time", Schema.timeWithoutZone.orNull, "When the bot came into the room."),
            .required("end_time", Schema.timeWithoutZone.orNull, "When it left."),
            .required("duration", Schema.number.orNull, "From start to end, in seconds."),
            .required("flag", Schema.string.orNull),
            .required("created_at", .timeWithoutZone)))

    private static let meetingExample: OrderedJSON = [
        "meeting_id": .string(Sample.meetingID), "number": 123, "workspace_id": .string(Sample.workspaceID),
        "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
        "meeting_url": "https://meet.google.com/abc-defg-hij", "title": "Weekly", "language": "en",
        "status": "INITIAL", "bot_status": nil, "bot_id": nil, "dispatched_at": nil, "start_time": nil,
        "end_time": nil, "duration": nil, "flag": nil, "created_at": "2026-05-21T03:40:00.000",
    ]
}
