import HTTP
import Log
import Usher

/// `/bots`: sending bots, stopping and configuring them, and what runs (Bots API).
struct BotsEndpoints: Sendable {
    /// How many bots are read, and written out, before other requests of the loop get their turn.
    private static let batch = 500
    /// Seconds after which a refused request may try again: a bot that is told to leave is gone by then.
    private static let retryAfterLimit = 30

    /// To send a bot.
    private static let leastRole = Role.member

    let store: Store
    let callers: BotsCaller
    let logger: Logger

    /// `POST /bots`
    func create(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.caller(of: request)
            let (body, idempotencyKey) = try await body(of: request, caller)
            let trace = request.trace
            do {
                let (meeting, isRepeated) = try await store.requestBot(
                    body.request, by: caller, atLeast: Self.leastRole, idempotencyKey: idempotencyKey, trace: trace,
                    deadline: request.deadline)
                logger.accepted(
                    request, trace, bot: meeting.botID ?? "", meeting: meeting.id, workspace: meeting.workspaceID,
                    epoch: meeting.fields["epoch"] ?? "", isRepeated: isRepeated)
                return .json(BotsMeetingObject.json(meeting).bytes, status: 201)
            } catch BotRefusal.roleTooLow {
                throw Authentication.roleTooLow(Self.leastRole, workspaceID: caller.workspaceID)
            } catch BotRefusal.roomTaken(let holder) {
                throw try await roomTaken(by: holder, caller, request)
            } catch let refusal as BotRefusal {
                throw Self.error(refusal)
            }
        }
    }

    /// The body, and the idempotency key.
    /// - Throws: `APIError` 403 to those who may not send a bot whatever they say; then what is wrong with it. (With a
    ///   sound request the role is found out in the same exchange as the rest.)
    private func body(of request: Request, _ caller: Caller) async throws -> (BotRequestBody, IdempotencyKey?) {
        do {
            return (try JSONBody.decode(BotRequestBody.self, from: request), try request.idempotencyKey())
        } catch {
            try await callers.authentication.require(Self.leastRole, of: caller, deadline: request.deadline)
            throw error
        }
    }

    /// `DELETE /bots/{platform}/{native_meeting_id}`: a stop is final, at whatever stage the bot is.
    func stop(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .member)
            let room = try BotsCaller.room(of: request)
            let idempotencyKey = try request.idempotencyKey()
            do {
                let (stop, place) = try await store.stopBot(
                    in: room, by: caller, idempotencyKey: idempotencyKey, deadline: request.deadline)
                logger.info(
                    "Stop asked",
                    [
                        "request_id": request.id, "trace_id": place.traceID, "bot_id": place.botID,
                        "meeting_id": place.meetingID, "outcome": "\(stop)",
                    ])
                let message =
                    switch stop {
                    case .ended: "The bot was stopped before it had started."
                    case .leaving: "The bot was told to leave the meeting."
                    case .wasLeaving: "The bot is leaving the meeting already."
                    }
                return Self.accepted(message)
            } catch let refusal as BotRefusal {
                throw Self.error(refusal)
            }
        }
    }

    /// `PUT /bots/{platform}/{native_meeting_id}/config`: only for a bot that is in the room.
    func configure(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .member)
            let room = try BotsCaller.room(of: request)
            let body = try JSONBody.decode(BotConfigurationBody.self, from: request)
            do {
                _ = try await store.configureBot(
                    in: room, workspace: caller.workspaceID, changes: body.changes, message: body.command,
                    deadline: request.deadline)
                return Self.accepted("The bot's configuration was updated.")
            } catch let refusal as BotRefusal {
                throw Self.error(refusal)
            }
        }
    }

    /// `GET /bots/status`: the workspace's bots that run at the moment, the oldest first.
    func status(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .viewer)
            let ids = try await store.botIDs(workspace: caller.workspaceID, deadline: request.deadline)
            var body = Array("{\"running_bots\":[".utf8)
            let empty = body.count
            for start in stride(from: 0, to: ids.count, by: Self.batch) {
                let bots = try await store.runningBots(
                    ids[start..<min(start + Self.batch, ids.count)], workspace: caller.workspaceID,
                    deadline: request.deadline)
                for bot in bots {
                    if body.count > empty { body.append(UInt8(ascii: ",")) }
                    RunningBotObject.json(bot).write(to: &body)
                }
            }
            body += "]}".utf8
            return .json(body)
        }
    }

    // MARK: Answers

    private static func accepted(_ message: String) -> Response {
        var object = JSONText()
        object.add("message", message)
        return .json(object.bytes, status: 202)
    }

    /// 409 with the meeting whose bot has the room.
    private func roomTaken(by holder: String?, _ caller: Caller, _ request: Request) async throws -> APIError {
        var number: Int?
        if let holder {
            number = try await store.meeting(id: holder, workspace: caller.workspaceID, deadline: request.deadline)?
                .number
        }
        return Self.roomTaken(number: number)
    }

    static func roomTaken(number: Int?) -> APIError {
        APIError(
            409, title: "Bot already in meeting",
            "A bot is in this meeting already, or on its way to it\(number.map { ": see meeting \($0)" } ?? ""). "
                + "Stop it first if you want a new one.", meetingNumber: number)
    }

    static func error(_ refusal: BotRefusal) -> APIError {
        switch refusal {
        case .limitReached(let limit):
            APIError(
                429, title: "Too many concurrent bots",
                "This workspace has as many bots at once as it may have: \(limit). Stop one, or wait until one has left.",
                retryAfterSeconds: retryAfterLimit)
        case .quota(let refusal): APIError(refusal)
        case .noBot:
            APIError(
                404, title: "Bot not found",
                "There is no active bot for this meeting. GET /bots/status lists those that there are.")
        case .roomTaken: APIError(409, "A bot is in this meeting already, or on its way to it.")
        case .roleTooLow: APIError(403, "This needs a higher role in the workspace.")
        case .unknownWorkspace: APIError(404, "The workspace of this API key no longer exists.")
        case .contended:
            APIError(
                503, "This meeting is changing too fast. Nothing was done; retry in a few seconds.",
                retryAfterSeconds: 2)
        case .unavailable(let error): .unavailable(cause: error)
        case .failed(let error): APIError(error)
        }
    }
}

/// A bot that runs, as `GET /bots/status` shows it (docs/bot-wire.md, "Clients").
private enum RunningBotObject {
    static func json(_ bot: RunningBot) -> JSONText {
        var object = JSONText(capacity: 640)
        object.add("container_id", bot.container)
        object.add("meeting_id", bot.meetingNumber)
        object.add("container_name", bot.container)
        object.add("platform", bot.room.platform.rawValue)
        object.add("native_meeting_id", bot.room.nativeID)
        object.add("status", bot.status.rawValue)
        object.add("normalized_status", normalized(bot.status))
        object.add("meeting_status", bot.status.rawValue)
        object.add("created_at", time: bot.dispatchedAt)
        object.add("start_time", time: bot.startTime)
        var labels = JSONText()
        labels.add("bot_id", bot.botID)
        object.add("labels", labels)
        var data = JSONText()
        data.add("meeting_id", bot.meetingID)
        if let title = bot.title { data.add("name", title) }
        if let name = bot.botName { data.add("bot_name", name) }
        if let language = bot.language { data.add("language", language) }
        object.add("data", data)
        return object
    }

    /// The status as that of a container, in the words of the ecosystem.
    private static func normalized(_ status: BotStatus) -> String {
        switch status {
        case .requested: "Requested"
        case .joining, .awaitingAdmission, .needsHelp: "Starting"
        case .active: "Up"
        case .stopping: "Stopping"
        case .completed: "Exited"
        case .failed: "Failed"
        }
    }
}
