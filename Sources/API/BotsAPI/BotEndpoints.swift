import HTTP
import Log
import Redis
import Usher

/// `/bots`: sending bots, stopping and configuring them, and what runs (Bots API).
enum BotEndpoints {
    static let all = [create, stop, configure, listRunning]

    // MARK: To send one

    /// Unknown members are ignored, but for `NotYetThere.membersOfBots`.
    private static let request = Input<Wanted>.body(
        MeetingMembers.platform("Required where there is no `meeting_url`."),
        MeetingMembers.nativeID("Required where there is no `meeting_url`."), MeetingMembers.passcode,
        MeetingMembers.url(),
        MeetingMembers.teamsHost(
            "Where a Teams meeting is that has no `meeting_url`; `teams.live.com` for a number, "
                + "`teams.microsoft.com` for a thread if it is absent."),
        .optional("bot_name", BotMembers.name, "The name that the bot shows in the meeting."),
        .optional(
            "language", BotMembers.language, "If not specified, the bot will auto-detect the language."),
        .optional("task", BotMembers.task),
        .optional("transcribe_enabled", .boolean, "Whether the bot transcribes. True if it is absent."),
        .optional(
            "recording_enabled", .boolean,
            "Whether the bot keeps what it hears. False if it is absent; refused where nothing is recorded."),
        .optional(
            "automatic_leave", BotMembers.automaticLeave,
            "After how many milliseconds the bot leaves by itself; what is absent is the runner's to decide."),
        .optional(
            "join_at", .time,
            "When it is to be there (ISO 8601; without a zone UTC): the meeting is planned as by `POST /meetings`."),
        .optional(
            "deduplication_key", .text(200),
            "Of your own. Refused with 409 while a meeting of the workspace with the same one has not ended."),
        NotYetThere.refused(NotYetThere.membersOfBots),
        examples: [
            "Google Meet": [
                "platform": "google_meet", "native_meeting_id": "abc-defg-hij",
                "bot_name": "Transcription Bot", "language": "en",
            ],
            "By a link": ["meeting_url": "https://teams.live.com/meet/9398850880426?p=PASSCODE"],
        ]
    ) {
        platform, nativeID, passcode, url, teamsHost, botName, language, task, transcribes, records, automaticLeave,
        joinAt, deduplicationKey, _ in
        let reference = MeetingReference(
            url: url, platform: platform, nativeID: nativeID, passcode: passcode, teamsHost: teamsHost)
        let link = try link(reference)
        let options = BotOptions(
            transcribes: transcribes, records: records,
            automaticLeave: automaticLeave ?? BotOptions.AutomaticLeave())
        if let joinAt {
            guard link.passcode != nil || !link.needsPasscode else { throw APIError(.noPasscode) }
            return .later(
                NewMeeting(
                    link: link, language: language, scheduledAt: joinAt, autoJoin: true, botName: botName, task: task,
                    options: options, deduplicationKey: deduplicationKey))
        }
        return .now(
            BotRequest(
                link: link, madeOf: url == nil ? reference : nil, botName: botName, language: language, task: task,
                options: options, deduplicationKey: deduplicationKey))
    }

    private enum Wanted {
        case now(BotRequest)
        /// At the time of the plan.
        case later(NewMeeting)

        var options: BotOptions {
            switch self {
            case .now(let request): request.options
            case .later(let plan): plan.options
            }
        }
    }

    /// - Throws: `APIError` 400 for an id that is not valid for its platform, or 422.
    private static func link(_ reference: MeetingReference) throws -> MeetingLink {
        do {
            return try reference.link()
        } catch  where error.isNoID {
            throw APIError.invalidID("native_meeting_id \(error.reason).")
        } catch {
            throw APIError(error)
        }
    }

    private static let leastRoleToSend = Role.member

    static let create = Endpoint(
        .post, Routes.bots, id: "createBot", .bots(leastRoleToSend, isAskedLater: true), summary: "Create Bot",
        details: """
            Sends a transcription bot to join a meeting. The bot will automatically join and start transcribing; it \
            goes through the statuses `requested`, `joining`, `awaiting_admission`, `active`.

            For Google Meet, meeting IDs follow the format `abc-defg-hij`. For Microsoft Teams, meeting IDs are \
            numeric and require a passcode, or threads such as `19:meeting_...@thread.v2`. Always pass `meeting_url` for \
            Teams to preserve the exact domain, or `teams_base_host`. A `meeting_url` alone will do, also as it is pasted \
            from a mail or a browser; members that say the same must agree with it. Where one of them is a Teams thread \
            and another its number, the thread is the meeting's ID.

            Zoom's cloud for the government counts for itself: the ID of a meeting there is `1612345678@zoomgov.com`.

            One bot is in a room, or on its way to it, however many ask at once: one of them gets 201, the others 409.

            What is known elsewhere to change what a bot does, and is not there yet, is refused unless it asks for what \
            is so anyway (null, `false`, nothing): \(NotYetThere.membersOfBots.map { "`\($0.name)`" }.joined(separator: ", ")).

            With `join_at` no bot is sent now: the answer is a planned meeting, `scheduled`, whose bot comes at that time.

            A workspace has a maximum of concurrent bots. All that are in a room or on their way to it count, also \
            those that were sent by a re-invitation; but only this operation is refused past it.
            """,
        takes: request, .idempotencyKey,
        answers: [
            .json(
                201, "The meeting that the bot was sent to.", .named(BotsMeetingObject.schema),
                example: BotsMeetingObject.example)
        ],
        errors: [
            .invalidID, .roomTaken, .duplicate, .plannedAlready, .limitReached, .tooManyMeetings, .workspaceFull,
            .noWorkspace, .contended,
            .invalid("A member of the body is wrong.", field: "language", BotMembers.languageProblem),
        ]
    ) { call, wanted, idempotencyKey in
        let (caller, request) = (call.caller, call.request)
        let trace = request.trace
        if wanted.options.records == true, !call.services.recordings.areMade {
            try await call.services.authentication.require(leastRoleToSend, of: caller, in: call.session)
            throw APIError.invalid("recording_enabled", "must not be true: this service records nothing")
        }
        let wantedNow: BotRequest
        switch wanted {
        case .now(let wanted): wantedNow = wanted
        case .later(let plan):
            try await call.services.authentication.require(leastRoleToSend, of: caller, in: call.session)
            return try await PlanEndpoints.make(plan, call, idempotencyKey, timeMember: "join_at")
        }
        do {
            let (meeting, isRepeated) = try await call.session.bots.request(
                wantedNow, by: caller, atLeast: leastRoleToSend, idempotencyKey: idempotencyKey, trace: trace)
            call.services.logger.accepted(
                request, trace, bot: meeting.botID ?? "", meeting: meeting.id, workspace: meeting.workspaceID,
                epoch: meeting.fields["epoch"] ?? "", isRepeated: isRepeated)
            return .json(BotsMeetingObject.json(meeting).bytes, status: 201)
        } catch BotRefusal.roleTooLow {
            throw Authentication.roleTooLow(leastRoleToSend, workspaceID: caller.workspaceID)
        } catch BotRefusal.duplicate(let owner) {
            throw try await PlanEndpoints.duplicate(of: owner, call)
        } catch BotRefusal.roomTaken(let holder) {
            guard let holder else { throw APIError.roomTaken(number: nil) }
            let meeting = try await call.session.meetings.meeting(id: holder, workspace: caller.workspaceID)
            throw APIError.roomTaken(number: meeting?.number)
        }
    }

    // MARK: To stop and to configure one

    static let stop = Endpoint(
        .delete, "/bots/{platform}/{native_meeting_id}", id: "stopBot", .bots(.member), summary: "Stop Bot",
        details: """
            Stops a bot and disconnects it from the meeting, at whatever stage it is. A stop is final: a bot that had \
            not started yet never comes. With no bot in the room, the meeting that is planned next there is cancelled, unless \
            `meeting_id` names another. Stopping a bot marks the meeting as completed; transcripts remain available.
            """,
        takes: .botInRoom, .idempotencyKey,
        answers: [
            .json(
                202, "The bot leaves, or has been called back.", .named(Message.schema),
                example: ["message": "The bot was told to leave the meeting."])
        ],
        errors: [.noBot, .noWorkspace, .contended, .wrongRoom]
    ) { call, bot, idempotencyKey in
        let (stop, place) = try await call.session.bots.stop(
            in: bot.room, number: bot.number, by: call.caller, idempotencyKey: idempotencyKey)
        call.services.logger.info(
            "Stop asked",
            [
                "request_id": call.request.id, "trace_id": place.traceID, "bot_id": place.botID,
                "meeting_id": place.meetingID, "outcome": "\(stop)",
            ])
        return switch stop {
        case .cancelled: .message(202, "No bot was there. The meeting that was planned next is cancelled.")
        case .ended: .message(202, "The bot was stopped before it had started.")
        case .leaving: .message(202, "The bot was told to leave the meeting.")
        case .wasLeaving: .message(202, "The bot is leaving the meeting already.")
        }
    }

    private struct Configuration {
        /// The fields of the record.
        let changes: [String: String]
        /// The command on the bot's wire (docs/bot-wire.md, "Commands"), which knows no name; nil if nothing of it is
        /// the bot's.
        let command: String?
    }

    private static let configuration = Input<Configuration>.body(
        .optional("language", BotMembers.language), .optional("task", BotMembers.task),
        .optional("bot_name", BotMembers.name),
        examples: ["Another language": ["language": "es", "task": "transcribe", "bot_name": "Updated Bot Name"]]
    ) { language, task, botName in
        guard botName != nil || language != nil || task != nil else {
            throw FormError("must have at least one of language, task, bot_name")
        }
        var changes: [String: String] = [:]
        changes["bot_name"] = botName
        changes["language"] = language
        changes["task"] = task
        guard language != nil || task != nil else { return Configuration(changes: changes, command: nil) }
        var command = JSONText()
        command.add("action", "reconfigure")
        if let language { command.add("language", language) }
        if let task { command.add("task", task) }
        return Configuration(changes: changes, command: command.closed)
    }

    static let configure = Endpoint(
        .put, "/bots/{platform}/{native_meeting_id}/config", id: "configureBot", .bots(.member),
        summary: "Update Bot Configuration",
        details: """
            Changes the configuration of an active bot, such as the transcription language. Only active bots can have \
            their configuration updated. Language changes take effect immediately for new transcript segments.
            """,
        takes: .botInRoom, configuration,
        answers: [
            .json(
                202, "The bot is told.", .named(Message.schema),
                example: ["message": "The bot's configuration was updated."])
        ],
        errors: [.noBot, .noWorkspace, .contended, .wrongRoom]
    ) { call, bot, configuration in
        _ = try await call.session.bots.configure(
            in: bot.room, number: bot.number, workspace: call.caller.workspaceID, changes: configuration.changes,
            message: configuration.command)
        return .message(202, "The bot's configuration was updated.")
    }

    // MARK: What runs

    /// The most bots of an answer.
    private static let mostRunning = 10_000

    private struct RunningPage {
        let cursor: BotCursor?
        /// nil: as many as there are, up to `mostRunning`.
        let limit: Int?
    }

    private static let runningCursor = Input<BotCursor?>.query(
        "cursor", .string(1...80), "The `next_cursor` of the page before: bots that end meanwhile do not shift it."
    ) { text in
        guard let cursor = BotCursor(text) else { throw FormError("must be the next_cursor of a page") }
        return cursor
    }

    private static let runningPage = Input<RunningPage>.group(
        runningCursor,
        .query("limit", 1...mostRunning, "The most that a page has. All, up to \(mostRunning), if it is absent.")
    ) { RunningPage(cursor: $0, limit: $1) }

    static let listRunning = Endpoint(
        .get, "/bots/status", id: "listRunningBots", .bots(.viewer), summary: "Get Bot Status",
        details: """
            The workspace's bots that are currently running (not completed or failed), the oldest first. Useful for \
            monitoring active transcription sessions.

            With `limit` or `cursor` the answer is a page of them; without, where there are more than \(mostRunning), the first.
            """,
        takes: runningPage,
        answers: [
            .json(
                200, "The bots.",
                .object(
                    .required("running_bots", .list(of: .named(RunningBotObject.schema), atMost: mostRunning)),
                    .optional("has_more", .boolean, "Of a page: whether there are bots beyond it."),
                    .optional(
                        "next_cursor", Schema.string.orNull,
                        "Of a page: the `cursor` of the next one; null if there is none.")),
                example: ["running_bots": [RunningBotObject.example]])
        ]
    ) { call, page in
        let (workspace, store) = (call.caller.workspaceID, call.services.store)
        var list = RunningList(page)
        var body = Array("{\"running_bots\":[".utf8)
        while body.count <= smallBytes, try await list.append(to: &body, workspace, in: call.session) {}
        if list.isWhole { return .json(body + list.end) }
        let hold = try await call.services.budget.hold(heldBytes, for: workspace, of: call.request, on: call.loop)
        let (first, rest) = (body, list)
        return .json(hold: hold) { writer in
            var (piece, list) = (first, rest)
            repeat {
                try await writer.write(piece)
                piece = []
            } while try await list.append(
                to: &piece, workspace, in: store.session(milliseconds: pieceMilliseconds))
            try await writer.write(piece + list.end)
        }
    }

    /// An answer up to here needs no place in the budget of large answers.
    private static let smallBytes = 131_072
    /// What one beyond that may hold, a piece of it at a time.
    private static let heldBytes = 524_288
    /// How long a piece may take to be read.
    private static let pieceMilliseconds = 10_000

    /// The bots of an answer, some at a time.
    private struct RunningList {
        /// How many are read, and written out, before other requests of the loop get their turn.
        private static let batch = 100

        private let isPage: Bool
        private var rest: Int
        private var next: BotCursor?
        private var isEmpty = true
        private(set) var isWhole = false

        init(_ page: RunningPage) {
            isPage = page.limit != nil || page.cursor != nil
            (rest, next) = (page.limit ?? mostRunning, page.cursor)
        }

        /// - Returns: whether there may be more.
        mutating func append(
            to body: inout [UInt8], _ workspace: String, in session: Session
        ) async throws(RedisError) -> Bool {
            let (bots, end) = try await session.bots.page(
                ofWorkspace: workspace, from: next, limit: min(Self.batch, rest))
            for bot in bots {
                if !isEmpty { body.append(UInt8(ascii: ",")) }
                isEmpty = false
                RunningBotObject.json(bot).write(to: &body)
            }
            rest -= bots.count
            next = end
            isWhole = next == nil || rest <= 0
            return !isWhole
        }

        /// All after the last one.
        var end: [UInt8] {
            guard next != nil || isPage else { return Array("]}".utf8) }
            let cursor = next.map { "\"\($0)\"" } ?? "null"
            return Array("],\"has_more\":\(next != nil),\"next_cursor\":\(cursor)}".utf8)
        }
    }
}
