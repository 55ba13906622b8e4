import HTTP
import Log
import Usher

/// `POST /meetings`, and `PATCH` and `DELETE /meetings/{number}`: planned meetings, to which a bot is sent in time
/// (docs/planned-meetings.md).
enum PlanEndpoints {
    static let all = [create, update, delete]

    private static let meeting = Answer.json(
        201, "The meeting, which is `scheduled`, or `idle` without a time.", .named(BotsMeetingObject.schema),
        example: BotsMeetingObject.plannedExample)

    // MARK: To make one

    private static let newMeeting = Input<NewMeeting>.body(
        MeetingMembers.url("Required, or else `platform` and `native_meeting_id`."), MeetingMembers.platform(),
        MeetingMembers.nativeID("The platform's own id of the meeting."), MeetingMembers.passcode,
        MeetingMembers.teamsHost("Where an MS Teams meeting is that has no `meeting_url`."),
        .optional("title", .text(200)), PlanMembers.scheduledAt, PlanMembers.autoJoin,
        .optional("bot_name", BotMembers.name, "The name that the bot shows in the meeting."),
        .optional("language", BotMembers.language, "If not specified, the bot will auto-detect the language."),
        .optional("task", BotMembers.task),
        NotYetThere.refused(NotYetThere.membersOfPlans),
        examples: [
            "At a time": [
                "title": "Weekly", "meeting_url": "https://meet.google.com/abc-defg-hij",
                "scheduled_at": "2026-12-01T09:00:00Z",
            ]
        ]
    ) { url, platform, nativeID, passcode, teamsHost, title, scheduledAt, autoJoin, botName, language, task, _ in
        guard url != nil || platform != nil else {
            throw FormError("is required, or platform and native_meeting_id").inside(member: "meeting_url")
        }
        let reference = MeetingReference(
            url: url, platform: platform, nativeID: nativeID, passcode: passcode, teamsHost: teamsHost)
        let link: MeetingLink
        do throws(MeetingReference.Problem) { link = try reference.link() } catch { throw APIError(error) }
        return try PlanMembers.checked(
            NewMeeting(
                link: link, title: title, language: language, scheduledAt: scheduledAt, autoJoin: autoJoin ?? true,
                botName: botName, task: task))
    }

    static let create = Endpoint(
        .post, "/meetings", id: "planMeeting", .bots(.member), summary: "Plan a meeting",
        details: """
            Makes the record of a meeting. At `scheduled_at` a bot is sent to it, unless `auto_join` is false: some time \
            before, and if its room or the workspace's limit keeps it from that, again and again until some time after; then \
            the meeting counts as missed (`data.missed_at`, `data.auto_join_error`, the webhook event `meeting.missed`). A bot \
            that is sent to it before is its bot: none is sent by itself any more.
            """,
        takes: newMeeting, .idempotencyKey, answers: [meeting],
        errors: [
            .tooManyMeetings, .workspaceFull, .noWorkspace, .roomTaken, .plannedAlready,
            .invalid("A member of the body is wrong.", field: "scheduled_at", PlanMembers.oddTime),
        ]
    ) { call, new, idempotencyKey in
        // A request that comes again gets its first answer, whatever has become of the room.
        if new.scheduledAt == nil, idempotencyKey == nil,
            let holder = try await call.session.bots.holder(of: new.link.room, workspace: call.caller.workspaceID)
        {
            throw APIError.roomTaken(number: holder.number)
        }
        return try await make(new, call, idempotencyKey)
    }

    /// Makes a planned meeting, and answers as `POST /meetings` does.
    static func make(
        _ new: NewMeeting, _ call: Call<Caller>, _ idempotencyKey: IdempotencyKey?, timeMember: String = "scheduled_at"
    ) async throws -> Response {
        switch try await call.session.meetings.create(new, by: call.caller, idempotencyKey: idempotencyKey) {
        case .made(let meeting): return .json(BotsMeetingObject.json(meeting).bytes, status: 201)
        case .unknownWorkspace: throw DescribedError.noWorkspace.error
        case .refused(let quota): throw APIError(quota)
        case .oddTime: throw APIError.invalid(timeMember, PlanMembers.oddTime)
        case .plannedAlready(let id): throw try await plannedAlready(id, call)
        case .duplicate(let owner): throw try await duplicate(of: owner, call)
        case .contended: throw APIError(.contended)
        }
    }

    /// What to answer where another meeting of the room is planned for the same time.
    private static func plannedAlready(_ id: String, _ call: Call<Caller>) async throws -> APIError {
        .plannedAlready(number: try await number(of: id, call))
    }

    /// What to answer where another meeting has the same deduplication key.
    static func duplicate(of id: String, _ call: Call<Caller>) async throws -> APIError {
        .duplicate(number: try await number(of: id, call))
    }

    private static func number(of id: String, _ call: Call<Caller>) async throws -> Int? {
        try await call.session.meetings.meeting(id: id, workspace: call.caller.workspaceID)?.number
    }

    // MARK: To change and to remove one

    private static let changes = Input<PlanChanges>.body(
        .clearable("title", .text(200)), .clearable("scheduled_at", .time, "Null: no bot is sent by itself."),
        .clearable("auto_join", .boolean, "Null: true."), .clearable("bot_name", BotMembers.name),
        .clearable("language", BotMembers.language), NotYetThere.refused(NotYetThere.changesOfPlans),
        examples: ["Another time": ["scheduled_at": "2026-12-01T10:00:00Z"]]
    ) { title, scheduledAt, autoJoin, botName, language, _ in
        var changes = PlanChanges()
        changes.title = title
        changes.scheduledAt = scheduledAt
        changes.autoJoin = autoJoin.map { $0 ?? true }
        changes.botName = botName
        changes.language = language
        guard !changes.isEmpty else {
            throw FormError("must have at least one of title, scheduled_at, auto_join, bot_name, language")
        }
        return changes
    }

    static let update = Endpoint(
        .patch, "/meetings/{number}", id: "changePlan", .bots(.member), summary: "Change a planned meeting",
        details: "What is absent stays as it is; null clears. A new time counts, also where the old one was missed.",
        takes: BotsMeetingEndpoints.number, changes,
        answers: [
            .json(
                200, "The meeting as it is now.", .named(BotsMeetingObject.schema),
                example: BotsMeetingObject.plannedExample)
        ],
        errors: [
            .unknownBotMeeting, .notPlanned, .plannedAlready, .workspaceFull,
            .invalid("A member of the body is wrong.", field: "scheduled_at", PlanMembers.oddTime),
        ]
    ) { call, number, changes in
        let meeting = try await BotsMeetingEndpoints.meeting(number, call)
        try PlanMembers.check(meeting, changes)
        switch try await call.session.meetings.change(meeting, changes, by: call.caller.userID) {
        case .changed(let changed): return .json(BotsMeetingObject.json(changed).bytes)
        case .unknown: throw DescribedError.unknownBotMeeting.error
        case .notPlanned: throw APIError.notPlanned(number: meeting.number)
        case .oddTime: throw APIError.invalid("scheduled_at", PlanMembers.oddTime)
        case .plannedAlready(let id): throw try await plannedAlready(id, call)
        case .workspaceFull: throw APIError.workspaceFull
        }
    }

    static let delete = Endpoint(
        .delete, "/meetings/{number}", id: "deleteMeetingByNumber", .bots(.member), summary: "Delete a meeting",
        details: """
            A planned one that had no bot yet is gone. One that is over loses its transcript and what was collected; the \
            bare record stays.
            """,
        takes: BotsMeetingEndpoints.number, answers: [.empty("It is gone.")], errors: [.unknownBotMeeting, .notOver]
    ) { call, number in
        try await BotsMeetingEndpoints.remove(try await BotsMeetingEndpoints.meeting(number, call), call)
        return .empty()
    }
}

/// What both APIs take of a planned meeting.
enum PlanMembers {
    static let oddTime =
        "must be a time at which a bot could still be sent (see --join-late-ms), and at most a year ahead"

    static let scheduledAt = Member<Int?>.optional(
        "scheduled_at", .time,
        "When a bot is to be there (ISO 8601; without a zone UTC). Without it none is sent by itself.")
    static let autoJoin = Member<Bool?>.optional(
        "auto_join", .boolean, "Whether one is sent then. True if it is absent.")

    /// - Throws: `APIError` 422 for a meeting that a bot could not be let into.
    static func checked(_ new: NewMeeting) throws -> NewMeeting {
        guard new.scheduledAt == nil || new.autoJoin == false || new.link.passcode != nil || !new.link.needsPasscode
        else { throw withoutPasscode }
        return new
    }

    /// The same of what a meeting would be with changes.
    static func check(_ meeting: Meeting, _ changes: PlanChanges) throws {
        var time = meeting.scheduledAt
        if let change = changes.scheduledAt { time = change }
        guard time != nil, changes.autoJoin ?? meeting.autoJoin, meeting.fields["passcode"] == nil else { return }
        if let link = try? MeetingLink(url: meeting.url), link.needsPasscode { throw withoutPasscode }
    }

    private static let withoutPasscode = APIError.invalid(
        "passcode",
        "is required for a bot to be sent to an MS Teams meeting: plan it with that, or a meeting_url with it")
}
