import EventLoop
import HTTP
import Usher

/// `/user/calendars`: the calendars of the key's user, of whose meetings bots are planned in the key's workspace
/// (docs/calendars.md).
enum CalendarEndpoints {
    static let all = [list, create, update, delete, status, sync]

    private static let path = "/user/calendars/{calendar_id}"
    private static let access: Access<Caller> = .bots(.member)
    static let exampleID = "cal_0b6c1f0d8e5a4b9c9f1d2e3a4b5c6d7e"
    private static let id = Input<String>.path("calendar_id", "The calendar's id.", example: .string(exampleID))
    /// How long a request waits for a feed to be read, and between two looks.
    private static let waitMilliseconds = 4_000
    private static let lookMilliseconds = 50

    // MARK: What they take

    private struct Wish: Sendable {
        let place: ReceiverURL?
        var change: CalendarChange

        init(_ place: ReceiverURL?, _ change: CalendarChange) {
            self.place = place
            self.change = change
            self.change.url = place?.text
        }
    }

    /// `webcal` is what links to feeds say, and no way to fetch them.
    private static let place = Form<String>.text(2_048).map { text in
        let isWebcal = text.prefix(9).lowercased() == "webcal://"
        let url = isWebcal ? "https://\(text.dropFirst(9))" : text
        guard let host = ReceiverURL.host(of: url) else {
            throw FormError("must be http(s)://host/path, or webcal://, without a user, a password or a fragment")
        }
        return ReceiverURL(text: url, host: host)
    }

    private static let urlMeaning = "The address of its iCalendar feed. It is a secret, and not shown again."
    private static let joinMeaning = "Whether bots are sent by themselves. True if it is absent."
    private static let new = Input<Wish>.body(
        .required("name", .text(200)), .required("ics_url", place, urlMeaning),
        .optional("auto_join", .boolean, joinMeaning), .optional("bot_name", BotMembers.name),
        .optional("enabled", .boolean, "True if it is absent."),
        examples: ["A calendar": ["name": "Work", "ics_url": "https://calendar.example.com/anna/basic.ics"]]
    ) { name, place, autoJoin, botName, isEnabled in
        Wish(
            place,
            CalendarChange(name: name, autoJoin: autoJoin, botName: botName.map { .some($0) }, isEnabled: isEnabled))
    }
    private static let changes = Input<Wish>.body(
        .optional("name", .text(200)), .optional("ics_url", place, urlMeaning),
        .optional("auto_join", .boolean, joinMeaning),
        .clearable("bot_name", BotMembers.name),
        .optional("enabled", .boolean, "What is planned of a calendar goes while it is disabled."),
        examples: ["Send nobody by itself": ["auto_join": false]]
    ) { name, place, autoJoin, botName, isEnabled in
        Wish(
            place,
            CalendarChange(name: name, autoJoin: autoJoin, botName: botName, isEnabled: isEnabled))
    }

    // MARK: Errors

    private static func unknown(_ id: String) -> APIError {
        APIError(404, title: "Calendar not found", "You have no calendar \(id.prefix(64)) in this workspace.")
    }

    private static let unknownCalendar = DescribedError(unknown(exampleID), "The user has no such calendar.")
    private static let tooMany = DescribedError(
        APIError(
            409, title: "Too many calendars",
            "You have \(FeedCalendar.maximum) calendars, which is the most, or others are being removed still. Remove one, or "
                + "try again soon."),
        "There are as many as there may be.")

    private static func named(_ id: String, _ call: Call<Caller>) async throws -> FeedCalendar {
        let found = try await call.session.calendars.calendar(
            id, of: call.caller.userID, workspace: call.caller.workspaceID)
        guard let found else { throw unknown(id) }
        return found
    }

    // MARK: The endpoints

    private static let shown = Answer.json(
        200, "The calendar.", .named(CalendarObject.schema), example: CalendarObject.example)

    static let list = Endpoint(
        .get, "/user/calendars", id: "listCalendars", access, summary: "List the calendars",
        details: "Those of the key's user in its workspace, in the order in which they were made.",
        answers: [
            .json(
                200, "The calendars.", .object(.required("calendars", .list(of: .named(CalendarObject.schema)))),
                example: ["calendars": [CalendarObject.example]])
        ]
    ) { call in
        let all = try await call.session.calendars.all(of: call.caller.userID, workspace: call.caller.workspaceID)
        var object = JSONText()
        object.add("calendars", all.map(CalendarObject.json))
        return .json(object.bytes)
    }

    static let create = Endpoint(
        .post, "/user/calendars", id: "createCalendar", access, summary: "Add a calendar",
        details: """
            From now on its feed is read every few minutes, and each of its meetings within two weeks is planned: \
            docs/calendars.md says how. A user may have \(FeedCalendar.maximum). Addresses and names of private networks \
            are refused.
            """,
        takes: new,
        answers: [
            .json(201, "The calendar.", .named(CalendarObject.schema), example: CalendarObject.example)
        ],
        errors: [tooMany, unknownCalendar, .invalid("The body is wrong.", field: "ics_url", "is required")]
    ) { call, wish in
        try call.services.receivers.check(wish.place, field: "ics_url")
        let made = try await call.session.calendars.create(
            wish.change, of: call.caller.userID, workspace: call.caller.workspaceID)
        switch made {
        case .success(let id): return .json(CalendarObject.json(try await named(id, call)).bytes, status: 201)
        case .failure(.tooMany): throw tooMany.error
        case .failure(.unknownMember): throw unknown("none")
        }
    }

    static let update = Endpoint(
        .patch, path, id: "updateCalendar", access, summary: "Change a calendar",
        details: "What is absent stays as it is. What is planned of it follows.", takes: id, changes, answers: [shown],
        errors: [unknownCalendar, .invalid("The body is wrong.", field: "ics_url", "must be a string")]
    ) { call, id, wish in
        try call.services.receivers.check(wish.place, field: "ics_url")
        let calendar = try await named(id, call)
        guard try await call.session.calendars.change(calendar, wish.change) != nil else {
            throw unknown(id)
        }
        return .json(CalendarObject.json(try await named(id, call)).bytes)
    }

    static let delete = Endpoint(
        .delete, path, id: "deleteCalendar", access, summary: "Remove a calendar",
        details: "What is planned of it goes within moments.", takes: id, answers: [.empty("It is removed.")],
        errors: [unknownCalendar]
    ) { call, id in
        guard try await call.session.calendars.remove(try await named(id, call)) else {
            throw unknown(id)
        }
        return .empty()
    }

    // MARK: Its feed

    private static let read = Answer.json(
        200, "What came of the last reading.", .named(CalendarObject.readingSchema),
        example: CalendarObject.readingExample)

    static let status = Endpoint(
        .get, path + "/sync", id: "getCalendarSync", access, summary: "See when a calendar was read",
        details: "And what came of it, and is planned next.", takes: id, answers: [read], errors: [unknownCalendar]
    ) { call, id in
        let calendar = try await named(id, call)
        return .json(CalendarObject.reading(calendar, next: try await next(of: calendar, call)).bytes)
    }

    /// The first meetings that are planned of a calendar and have had no bot yet. What users have stopped or removed is left
    /// out.
    private static func next(of calendar: FeedCalendar, _ call: Call<Caller>) async throws -> [Meeting] {
        var meetings: [Meeting] = []
        for occurrence in try await call.session.calendars.next(2 * CalendarObject.shownMeetings, of: calendar)
        where meetings.count < CalendarObject.shownMeetings {
            let meeting = try await call.session.meetings.meeting(
                id: occurrence.meetingID, workspace: calendar.workspaceID)
            if let meeting, meeting.isPlanned { meetings.append(meeting) }
        }
        return meetings
    }

    static let sync = Endpoint(
        .post, path + "/sync", id: "syncCalendar", access, summary: "Read a calendar now",
        details: """
            Waits some seconds for it; `is_syncing` of the answer says whether it takes longer. One that is disabled is not \
            read.
            """,
        takes: id, answers: [read], errors: [unknownCalendar]
    ) { call, id in
        var calendar = try await named(id, call)
        guard let askedAt = try await call.session.calendars.change(calendar, nil) else {
            throw unknown(id)
        }
        let end = min(call.request.deadline, MonotonicTime.now().advanced(byMilliseconds: waitMilliseconds))
        repeat {
            await call.loop.wait(milliseconds: lookMilliseconds)
            calendar = try await named(id, call)
        } while (calendar.syncedAt ?? 0) < askedAt && MonotonicTime.now().advanced(byMilliseconds: 500) < end
        let isUnderWay = (calendar.syncedAt ?? 0) < askedAt
        return .json(
            CalendarObject.reading(calendar, next: try await next(of: calendar, call), isUnderWay: isUnderWay).bytes)
    }
}
