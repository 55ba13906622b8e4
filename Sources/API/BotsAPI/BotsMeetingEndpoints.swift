import FoundationEssentials
import HTTP
import Usher

/// `/meetings`, and the lists beside it: meetings as users of the Bots API see and annotate them.
enum BotsMeetingEndpoints {
    static let all = [listBots, getBot, list, get, update, delete]

    // MARK: Lists

    private static let conditions = Input<MeetingConditions>.group(
        .query("platform", Platform.self, "Only meetings on this platform."),
        .query(
            "status", .choice(BotsMeetingObject.shownStatuses), "Only meetings that are shown with this status.",
            make: shownStatus),
        .query(
            flag: "exclude_planned",
            "Whether meetings that have had no bot are left out. They are there if it is absent.")
    ) { platform, status, excludesPlanned in
        var conditions = MeetingConditions()
        conditions.platform = platform
        conditions.shownStatus = status
        conditions.excludesPlanned = excludesPlanned
        return conditions
    }

    @Sendable private static func shownStatus(_ text: String) throws -> String {
        let all = BotsMeetingObject.shownStatuses
        guard all.contains(text) else { throw FormError("must be one of \(all.joined(separator: ", "))") }
        return text
    }

    private static let limits = 1...1_000
    private static let wrongQuery = DescribedError.invalid(
        "A parameter is wrong.", field: "limit", limits.problem)
    private static let page = Answer.json(
        200, "The page.",
        .named(
            NamedSchema(
                "BotMeetingPage", "A page of meetings.",
                MeetingPage.schema(of: .named(BotsMeetingObject.schema), limits: limits))),
        example: MeetingPage.example(of: BotsMeetingObject.example, limit: 50))

    static let listBots = Endpoint(
        .get, "/bots", id: "listBots", .bots(.viewer), summary: "List meetings, 50 a page",
        details: "The same as `GET /meetings`, with smaller pages.",
        takes: .page(limits, default: 50), conditions,
        answers: [page], errors: [wrongQuery], handle: list)

    /// The client asks for no page, and looks for its meeting in what comes: so the page is large.
    static let list = Endpoint(
        .get, "/meetings", id: "listBotMeetings", .bots(.viewer), summary: "List meetings",
        details: """
            A page of the meetings of the key's workspace, the newest first. One that has had no bot yet has \
            `data.planned`, and the status `scheduled` with a time, or `idle`; one that the Re-invite API made without a \
            time is shown as `requested`.
            """,
        takes: .page(limits, default: limits.upperBound), conditions,
        answers: [page], errors: [wrongQuery], handle: list)

    @Sendable private static func list(
        _ call: Call<Caller>, _ page: MeetingPage, _ conditions: MeetingConditions
    ) async throws -> Response {
        try await page.response(to: call, conditions: conditions) { meeting, body in
            BotsMeetingObject.json(meeting).write(to: &body)
        }
    }

    // MARK: One meeting

    static let number = Input<Int?>.path(
        "number", "The meeting's `id`.", schema: .integer(1...), example: 123, make: { Int($0) })
    private static let found = Answer.json(
        200, "The meeting.", .named(BotsMeetingObject.schema), example: BotsMeetingObject.example)

    static let getBot = Endpoint(
        .get, "/bots/id/{number}", id: "getBot", .bots(.viewer), summary: "Fetch a meeting by its number",
        details: "The same as `GET /meetings/{number}`.",
        takes: number, answers: [found], errors: [.unknownBotMeeting], handle: get)

    static let get = Endpoint(
        .get, "/meetings/{number}", id: "getBotMeeting", .bots(.viewer), summary: "Fetch a meeting",
        takes: number, answers: [found], errors: [.unknownBotMeeting], handle: get)

    /// - Parameter number: as the path has it; nil: it is no number.
    /// - Throws: `APIError` 404 if the caller's workspace has no such meeting.
    static func meeting(_ number: Int?, _ call: Call<Caller>) async throws -> Meeting {
        guard let number,
            let meeting = try await call.session.meetings.meeting(number: number, workspace: call.caller.workspaceID)
        else { throw DescribedError.unknownBotMeeting.error }
        return meeting
    }

    @Sendable private static func get(_ call: Call<Caller>, _ number: Int?) async throws -> Response {
        let meeting = try await meeting(number, call)
        var showsPage = false
        if meeting.pageOutline != nil {
            let role = try await call.services.authentication.role(of: call.caller, in: call.session)
            showsPage = role.map { $0 >= ScreenshotEndpoint.leastRole } ?? false
        }
        return .json(BotsMeetingObject.json(meeting, showsPage: showsPage).bytes)
    }

    // MARK: Changes

    /// The fields of the record.
    private static let notes = Form<[String: String]>.object(
        .optional("name", .text(200)),
        .optional("participants", .texts(atMost: 1_000, of: 1...200)),
        .optional("languages", .texts(atMost: 100, of: 1...35)),
        .optional("notes", .string(atMost: 32_768))
    ) { name, participants, languages, notes in
        var fields: [String: String] = [:]
        fields["title"] = name
        fields["participants"] = try participants.map(list)
        fields["languages"] = try languages.map(list)
        fields["notes"] = notes
        guard !fields.isEmpty else {
            throw FormError("must have at least one of name, participants, languages, notes")
        }
        return fields
    }

    private static func list(_ texts: [String]) throws -> String {
        String(decoding: try JSONEncoder().encode(texts), as: UTF8.self)
    }

    private static let changes = Input<[String: String]>.body(
        .required("data", notes),
        examples: ["Notes": ["data": ["name": "Weekly", "participants": ["Ana", "Ben"], "notes": "Ask Chen."]]]
    ) { $0 }

    static let update = Endpoint(
        .patch, "/meetings/{platform}/{native_meeting_id}", id: "updateMeeting", .bots(.member),
        summary: "Annotate a meeting",
        details: """
            Changes what `data` has of it: at least one member. What is absent or null stays as it is. Together, name, \
            participants, languages and notes have at most \(Meetings.maximumNoteBytes) bytes.
            """,
        takes: .meetingInRoom, changes,
        answers: [
            .json(
                200, "The meeting as it is now.", .named(BotsMeetingObject.schema), example: BotsMeetingObject.example)
        ],
        errors: [.unknownBotMeeting, .wrongRoom, .notesTooLarge, .workspaceFull]
    ) { call, place, changes in
        let meeting = try await place.meeting(for: call)
        switch try await call.session.meetings.update(meeting, fields: changes) {
        case .changed(let changed): return .json(BotsMeetingObject.json(changed).bytes)
        case .unknown: throw DescribedError.unknownBotMeeting.error
        case .tooLarge: throw DescribedError.notesTooLarge.error
        case .workspaceFull: throw APIError.workspaceFull
        }
    }

    static let delete = Endpoint(
        .delete, "/meetings/{platform}/{native_meeting_id}", id: "deleteMeeting", .bots(.member),
        summary: "Delete what a meeting left",
        details: """
            The transcript and what was collected go, and so do the passcode and the query of the link, which may \
            have it too; the bare record stays. A planned meeting that had no bot yet is removed altogether.
            """,
        takes: .meetingInRoom,
        answers: [
            .json(
                200, "It is gone.", .named(Message.schema),
                example: ["message": "The transcript and the data of meeting 123 were deleted."])
        ],
        errors: [.unknownBotMeeting, .wrongRoom, .notOver]
    ) { call, place in
        let meeting = try await place.meeting(for: call)
        try await remove(meeting, call)
        return .message(
            200,
            meeting.isPlanned
                ? "The planned meeting \(meeting.number) was deleted."
                : "The transcript and the data of meeting \(meeting.number) were deleted.")
    }

    /// Removes a plan altogether, and of a meeting that is over what it left.
    static func remove(_ meeting: Meeting, _ call: Call<Caller>) async throws {
        let removal =
            meeting.isPlanned
            ? try await call.session.meetings.removePlan(meeting)
            : try await call.session.meetings.removeContents(of: meeting)
        switch removal {
        case .removed: break
        case .unknown: throw DescribedError.unknownBotMeeting.error
        case .busy: throw APIError.notOver(number: meeting.number)
        }
    }
}

/// Which meeting of a room is meant.
struct MeetingInRoom: Sendable {
    let room: Room
    /// nil: the one that the room stands for, or whose bot is there.
    let number: Int?

    /// - Throws: `APIError` 404 if there is none.
    func meeting(for call: Call<Caller>) async throws -> Meeting {
        let workspace = call.caller.workspaceID
        if let number {
            guard
                let found = try await call.session.meetings.meeting(number: number, workspace: workspace),
                try await call.session.meetings.isMeeting(found, in: room)
            else { throw DescribedError.unknownBotMeeting.error }
            return found
        }
        guard let found = try await call.session.meetings.meeting(in: room, workspace: workspace) else {
            throw DescribedError.unknownBotMeeting.error
        }
        return found
    }
}

extension Input<MeetingInRoom> {
    static var meetingInRoom: Self {
        .group(
            .room,
            .query(
                "meeting_id", 1...Int.max,
                "The `id` of one of the room's meetings. Without it, it is the one whose bot holds the room, else the last "
                    + "one that was held, else the newest.")
        ) { MeetingInRoom(room: $0, number: $1) }
    }

    /// The one whose bot is meant.
    static var botInRoom: Self {
        .group(
            .room,
            .query(
                "meeting_id", 1...Int.max,
                "The `id` of the meeting whose bot is meant: 404 if that has none, whichever else is there. Without it, "
                    + "it is the bot that is in the room or on its way to it.")
        ) { MeetingInRoom(room: $0, number: $1) }
    }
}
