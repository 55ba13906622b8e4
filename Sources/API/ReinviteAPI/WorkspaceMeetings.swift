import FoundationEssentials
import HTTP
import Usher

/// `/api/v1/public/meeting/{workspace_id}/meetings`: what a caller of the re-invite endpoint needs beside it. Code
/// 12110 tells users to "fetch the latest meeting state", so they can.
enum WorkspaceMeetings {
    static let all = [create, list, get]

    private static let base = "/api/v1/public/meeting/{workspace_id}/meetings"

    static let workspaceID = Input<String>.path(
        "workspace_id", "The workspace that owns the meeting; its id is a UUID.", example: .string(Sample.workspaceID))
    static let meetingID = Input<String>.path(
        "meeting_id", "The meeting's id: 32 hexadecimal digits.", example: .string(Sample.meetingID))

    private static let newMeeting = Input<NewMeeting>.body(
        MeetingMembers.url(
            "A Google Meet, MS Teams or Zoom link, also as it is pasted. Required, or else `platform` and `native_meeting_id`."
        ),
        MeetingMembers.platform(), MeetingMembers.nativeID("The platform's own id of the meeting."),
        MeetingMembers.passcode, MeetingMembers.teamsHost("Where an MS Teams meeting is that has no `meeting_url`."),
        .optional("title", .text(200)),
        .optional("language", .text(35), "The language that is spoken, such as `en`."),
        PlanMembers.scheduledAt, PlanMembers.autoJoin,
        .optional("bot_name", BotMembers.name, "The name that the bot shows in the meeting."),
        .optional("task", BotMembers.task),
        NotYetThere.refused(NotYetThere.membersOfPlans),
        examples: [
            "By its link": [
                "meeting_url": "https://meet.google.com/abc-defg-hij", "title": "Weekly", "language": "en",
            ],
            "By its id": ["platform": "google_meet", "native_meeting_id": "abc-defg-hij"],
        ]
    ) { url, platform, nativeID, passcode, teamsHost, title, language, scheduledAt, autoJoin, botName, task, _ in
        guard url != nil || platform != nil else {
            throw FormError("is required, or platform and native_meeting_id").inside(member: "meeting_url")
        }
        let reference = MeetingReference(
            url: url, platform: platform, nativeID: nativeID, passcode: passcode, teamsHost: teamsHost)
        let link: MeetingLink
        do throws(MeetingReference.Problem) { link = try reference.link() } catch { throw APIError(error) }
        return try PlanMembers.checked(
            NewMeeting(
                link: link, title: title, language: language, scheduledAt: scheduledAt, autoJoin: autoJoin,
                botName: botName, task: task))
    }

    static let create = Endpoint(
        .post, base, id: "createMeeting", .workspace(.member), summary: "Make a meeting",
        details: """
            Makes the record of a meeting from its link, or from its platform and id. No bot is sent at once. With a \
            `meeting_url` the other members that say the same must agree with it. With `scheduled_at` a bot is sent at that time \
            by itself, unless `auto_join` is false; without it none is.
            """,
        takes: workspaceID, newMeeting, .idempotencyKey,
        answers: [
            .json(201, "The meeting, which is INITIAL.", .named(MeetingObject.schema), example: MeetingObject.example)
        ],
        errors: [
            .otherWorkspace, .workspaceIsGone, .tooManyMeetings, .workspaceFull, .plannedAlreadyHere,
            .invalid(
                "A member of the body is wrong.", field: "meeting_url", "is not a Google Meet, MS Teams or Zoom link"),
        ]
    ) { call, _, new, idempotencyKey in
        switch try await call.session.meetings.create(new, by: call.caller, idempotencyKey: idempotencyKey) {
        case .made(let meeting): return try .encoding(201, MeetingObject(meeting))
        case .unknownWorkspace: throw APIError.workspaceIsGone(call.caller.workspaceID)
        case .refused(let quota): throw APIError(quota)
        case .oddTime: throw APIError.invalid("scheduled_at", PlanMembers.oddTime)
        case .plannedAlready(let id): throw APIError.plannedAlready(id: id)
        // Nothing of this API has such a key.
        case .duplicate, .contended: throw APIError(BotRefusal.contended)
        }
    }

    private static let limits = 1...100

    private static let conditions = Input<MeetingStatus?>.query(
        "status", .choice(MeetingStatus.self), "Only meetings with this status."
    ) { try MeetingStatus(named: $0.uppercased()) }
    .map { status in
        var conditions = MeetingConditions()
        conditions.status = status
        return conditions
    }

    static let list = Endpoint(
        .get, base, id: "listMeetings", .workspace(.viewer), summary: "List the meetings of a workspace",
        details: "A page of them, the newest first.",
        takes: workspaceID, .page(limits, default: 20), conditions,
        answers: [
            .json(
                200, "The page.", MeetingPage.schema(of: .named(MeetingObject.schema), limits: limits),
                example: MeetingPage.example(of: MeetingObject.example, limit: 20))
        ],
        errors: [.otherWorkspace, .invalid("A parameter is wrong.", field: "limit", limits.problem)]
    ) { call, _, page, conditions in
        let encoder = JSONEncoder.ofAnswers
        return try await page.response(to: call, conditions: conditions) { meeting, body in
            body += try encoder.encode(MeetingObject(meeting))
        }
    }

    static let get = Endpoint(
        .get, "\(base)/{meeting_id}", id: "getMeeting", .workspace(.viewer),
        summary: "Fetch the latest state of a meeting",
        takes: workspaceID, meetingID,
        answers: [.json(200, "The meeting.", .named(MeetingObject.schema), example: MeetingObject.example)],
        errors: [.otherWorkspace, .meetingOfOtherWorkspace, .unknownMeeting]
    ) { call, _, id in
        let workspace = call.caller.workspaceID
        var refusal = ReinviteRefusal.unknownMeeting
        // Whose it is first: an id that is none can name a key of another kind.
        if let owner = try await call.session.meetings.workspaceID(ofMeeting: id) {
            if owner != workspace {
                refusal = .otherWorkspace
            } else if let meeting = try await call.session.meetings.meeting(id: id, workspace: owner) {
                return try .encoding(200, MeetingObject(meeting))
            }
        }
        throw APIError(refusal, meetingID: id, workspaceID: workspace)
    }
}

enum ReinviteAPI {
    static let endpoints = [ReinviteEndpoint.reinvite] + WorkspaceMeetings.all
}

extension Access<Caller> {
    /// The holder of a key of the workspace that the path names.
    /// - Parameter role: the least that may do this.
    static func workspace(_ role: Role) -> Self {
        Access(section: .reinvite, credentials: .apiKey(.seameet, role)) { request, services in
            try await services.authentication.member(
                of: request, scope: .seameet, atLeast: role, workspaceID: request.parameter("workspace_id"))
        }
    }
}
