import EventLoop
import Log
import Redis
import Scripts

/// What a bot is asked for with (Bots API, "Create Bot").
public struct BotRequest: Sendable {
    public var link: MeetingLink
    /// What the link was made of, where none was given: a plan that the bot is for has a better one.
    public var reference: MeetingReference?
    public var botName: String?
    public var language: String?
    public var task: String?
    public var options: BotOptions
    /// Refused while a meeting with the same one has not ended.
    public var deduplicationKey: String?
    /// Further members of the meeting's `data`, as text or JSON text: not the bot's business.
    public var fields: [String: String]

    public init(
        link: MeetingLink, madeOf reference: MeetingReference? = nil, botName: String? = nil, language: String? = nil,
        task: String? = nil, options: BotOptions = BotOptions(), deduplicationKey: String? = nil,
        fields: [String: String] = [:]
    ) {
        self.link = link
        self.reference = reference
        self.botName = botName
        self.language = language
        self.task = task
        self.options = options
        self.deduplicationKey = deduplicationKey
        self.fields = fields
    }
}

/// Why a bot is not sent, stopped or configured.
public enum BotRefusal: Error, Equatable, Sendable {
    /// A bot is in the room or on its way to it; the meeting that it is for, if it is known.
    case roomTaken(holder: String?)
    /// This meeting has the same deduplication key, and has not ended.
    case duplicate(of: String)
    /// Nobody gets in without a passcode, and neither the request nor a plan has one.
    case noPasscode
    /// What it says beside the room's id is not what the plan's link says.
    case contradiction(MeetingReference.Problem)
    /// The workspace has reached its limit.
    case limitReached(Int)
    /// The workspace's meetings have reached a limit of theirs.
    case quota(QuotaRefusal)
    /// No bot is in the room or on its way to it, or none that is active where it must be.
    case noBot
    case unknownWorkspace
    /// The caller has not the role that this needs.
    case roleTooLow
    /// The room's records kept changing; nothing was done.
    case contended
    /// Redis failed before anything was done.
    case unavailable(RedisError)
    /// Redis failed.
    case failed(RedisError)
}

extension Store {
    /// How often a request looks again when what it saw has changed. More means that the room is fought over.
    private static let maximumRounds = 5

    /// Sends a bot to a room. A meeting that is planned there is taken over; otherwise a new record is made, and what
    /// is there of ended ones is left as it is. A refusal leaves nothing behind.
    /// - Parameters:
    ///   - role: the least that the caller must have in its key's workspace; nil asks for none.
    ///   - idempotencyKey: the request's, if it has one.
    ///   - trace: what the dispatch belongs to.
    /// - Returns: the meeting as the dispatch left it; or, if an earlier request with the same idempotency key did it, as
    ///   it is now.
    public func requestBot(
        _ request: BotRequest, by caller: Caller, atLeast role: Role? = nil, idempotencyKey: IdempotencyKey? = nil,
        trace: TraceContext, deadline: MonotonicTime
    ) async throws(BotRefusal) -> (meeting: Meeting, isRepeated: Bool) {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        // By the room as the request names it: what that means may be known better when the request comes again.
        let requestKey = idempotencyKey.map {
            keys.request(.bot, of: request.link.room.description, by: caller.userID, $0)
        }
        for _ in 0..<Self.maximumRounds {
            let known: RoomNames
            do throws(RedisError) {
                known = try await names(of: request.link, in: keys, deadline: deadline)
            } catch {
                throw .unavailable(error)
            }
            let room = known.room
            let botID = botIdentifiers.next(in: keys.partition)
            let (latest, planned): (Latest?, Planned?)
            switch try await look(
                at: room, in: keys, as: caller, atLeast: role, requestKey: requestKey, deadline: deadline)
            {
            case .free(let newest, let plan): (latest, planned) = (newest, plan)
            case .done(let meetingID):
                return try await answerAgain(meetingID, requestKey, keys, deadline: deadline)
            }
            try request.check(against: planned)
            let deduplication = try await refusing { () throws(RedisError) in
                try await self.deduplication(by: request.deduplicationKey, in: keys, deadline: deadline)
            }
            if let deduplication, deduplication.isTaken, let owner = deduplication.owner {
                throw .duplicate(of: owner)
            }
            let (names, forgotten) = known.inheriting(latest?.names)
            let meetingID = planned?.id ?? Identifier.hex()
            var number: Int?
            if planned == nil {
                number = try await newNumber(meeting: meetingID, caller.workspaceID, deadline: deadline)
            }
            let otherKeys = names.otherHolders(in: keys)
            let call = Scripts.RequestBot(
                workspaceKey: keys.workspace, inflightKey: keys.inFlight(room), roomKey: keys.holder(room),
                botsKey: keys.bots, meetingKey: keys.partition.meeting(meetingID),
                botKey: keys.partition.bot(botID), dispatchKey: keys.partition.dispatch,
                eventsKey: keys.partition.events, latestKey: keys.latest(room), meetingsKey: keys.meetings,
                namesKey: keys.names, otherKey: otherKeys.0, anotherKey: otherKeys.1,
                webhooksKey: keys.webhooks, outboxKey: keys.partition.outbox,
                feedKey: keys.partition.feed(ofMeeting: meetingID), feedsKey: keys.feed,
                dedupKey: deduplication?.key ?? keys.holder(room), requestKey: requestKey,
                meetingID: meetingID, number: number, workspaceID: caller.workspaceID, room: room.description,
                botID: botID, inflightMilliseconds: configuration.inFlightTimeToLiveMilliseconds,
                maxEvents: configuration.maximumEvents, why: "user \(caller.userID)",
                defaultMaxBots: configuration.defaultMaximumConcurrentBots, latest: latest?.id,
                traceparent: trace.traceparent, tracestate: trace.state, names: RoomNames.text(names.names),
                forgotten: RoomNames.text(forgotten), defaultMaxMeetings: configuration.defaultMaximumMeetings,
                defaultMaxBytes: configuration.defaultMaximumBytes, owner: deduplication?.owner,
                dedupMilliseconds: deduplication?.life() ?? 0,
                fields: request.recordFields(in: names, of: planned, createdBy: caller.userID))
            let reply = try await refusing { () throws(RedisError) in try await run(call, by: deadline) }
            if case .accepted(let fields) = reply {
                return (try await refusing { () throws(RedisError) in try Meeting(fields) }, false)
            }
            if let number { await forget(number, of: meetingID, deadline: deadline) }
            switch reply {
            case .accepted, .roomChanged, .roomHeld: continue
            case .repeated(let id): return try await answerAgain(id, requestKey, keys, deadline: deadline)
            case .unknownWorkspace: throw .unknownWorkspace
            case .inFlight(let holder): throw .roomTaken(holder: holder)
            case .tooManyBots(let limit): throw .limitReached(limit)
            case .tooManyMeetings(let limit): throw .quota(.meetings(limit: limit))
            case .tooManyBytes(let limit): throw .quota(.bytes(limit: limit))
            }
        }
        throw .contended
    }

    /// The newest meeting of a room.
    private struct Latest {
        let id: String
        /// What the room is called besides, as its record has it.
        let names: String?
    }

    /// The meeting that a new bot is for, with its link as it was given, and the passcode, if it has them.
    fileprivate struct Planned {
        let id: String
        let url: String?
        let passcode: String?
    }

    private enum Sight {
        /// No bot is there. `plan` is the meeting that the new bot is for, if one is planned: by hand, or for about now.
        case free(Latest?, plan: Planned?)
        /// An earlier request with the same idempotency key sent a bot to this meeting.
        case done(meetingID: String)
    }

    /// Looks whether a request can succeed before anything is written for it: most that can't cost one exchange. What
    /// is seen here may change; the script decides.
    private func look(
        at room: Room, in keys: WorkspaceKeys, as caller: Caller, atLeast minimum: Role?, requestKey: String?,
        deadline: MonotonicTime
    ) async throws(BotRefusal) -> Sight {
        let earlier: String?
        let role: Role?
        let latest: String?
        let holder: String?
        let isInFlight: Bool
        let isFull: Bool
        let planned: [String]
        let limit: Int
        do throws(RedisError) {
            let replies = try await pipeline(
                [
                    Command("HGET", keys.members, caller.userID), Command("GET", keys.latest(room)),
                    Command("EXISTS", keys.inFlight(room)), Command("GET", keys.holder(room)),
                    Command("ZCARD", keys.bots), Command("HGET", keys.workspace, "max_concurrent_bots"),
                    Command("TIME"),
                    Command("ZRANGE", keys.planned(room), "0", String(Self.maximumPlansLookedAt - 1), "WITHSCORES"),
                ] + (requestKey.map { [Command("GET", $0)] } ?? []), by: deadline)
            earlier = requestKey == nil ? nil : try replies[8].optionalString()
            role = try replies[0].optionalString().flatMap(Role.init(rawValue:))
            latest = try replies[1].optionalString()
            isInFlight = try replies[2].integerOrThrow() == 1
            holder = try replies[3].optionalString()
            limit = try replies[5].optionalString().flatMap { Int($0) } ?? configuration.defaultMaximumConcurrentBots
            planned = plansNear(try replies[6].millisecondsOrThrow(), among: try replies[7].arrayOrThrow())
            isFull = try replies[4].integerOrThrow() >= limit
        } catch {
            throw .unavailable(error)
        }
        if let minimum {
            guard let role, role >= minimum else { throw .roleTooLow }
        }
        if let earlier { return .done(meetingID: earlier) }
        if isInFlight { throw .roomTaken(holder: holder) }
        if let holder, try await !freeIfExpired(holder, in: room, keys, deadline: deadline) {
            throw .roomTaken(holder: holder)
        }
        // A bot that was just ended may have made place.
        guard holder != nil || !isFull else { throw .limitReached(limit) }
        guard latest != nil || !planned.isEmpty else { return .free(nil, plan: nil) }
        do throws(RedisError) {
            // Those that are planned for about now come before the newest one, which may be planned without a time.
            let ids = planned + (latest.map { [$0] } ?? [])
            let states = try await replies(
                to: ids.map {
                    Command(
                        "HMGET", keys.partition.meeting($0), "status", "bot_status", "scheduled_at", "names",
                        "meeting_url", "passcode")
                }, by: deadline
            ).map { $0.array ?? [] }
            var plan: Planned?
            for (index, (id, state)) in zip(ids, states).enumerated().reversed()
            where state.prefix(2) == [.string(MeetingStatus.initial.rawValue), .null] {
                if index < planned.count || state[2] == .null {
                    plan = Planned(id: id, url: state[4].string, passcode: state[5].string)
                }
            }
            return .free(latest.map { Latest(id: $0, names: states.last?[3].string) }, plan: plan)
        } catch {
            throw .unavailable(error)
        }
    }

    /// The meetings of a room whose plan a bot serves that is sent now, of those that are planned for it.
    /// - Parameter planned: ids, each followed by its time.
    private func plansNear(_ now: Int, among planned: [Value]) -> [String] {
        stride(from: 0, to: planned.count - 1, by: 2).compactMap { index in
            guard let id = planned[index].string, let text = planned[index + 1].string, let time = Double(text),
                time <= Double(now.addingClamped(Self.nearPlanMilliseconds)),
                time >= Double(now.subtractingClamped(configuration.joinLateMilliseconds))
            else { return nil }
            return id
        }
    }

    /// The meeting that an earlier request with the same idempotency key sent a bot to, as it is now.
    private func answerAgain(
        _ id: String, _ requestKey: String?, _ keys: WorkspaceKeys, deadline: MonotonicTime
    ) async throws(BotRefusal) -> (meeting: Meeting, isRepeated: Bool) {
        let meeting = try await refusing { () throws(RedisError) in
            try await self.meeting(ofEarlierRequest: requestKey, id: id, workspace: keys.id, deadline: deadline)
        }
        return (meeting, true)
    }

    private func newNumber(
        meeting id: String, _ workspace: String, deadline: MonotonicTime
    ) async throws(BotRefusal) -> Int {
        try await refusing { () throws(RedisError) in
            try await newMeetingNumber(id, workspace: workspace, deadline: deadline)
        }
    }

    /// Frees a room that is held by a dispatch which nobody claimed in its time.
    private func freeIfExpired(
        _ holder: String, in room: Room, _ keys: WorkspaceKeys, deadline: MonotonicTime
    ) async throws(BotRefusal) -> Bool {
        try await refusing { () throws(RedisError) in
            let bot = try await send(Command("HGET", keys.partition.meeting(holder), "bot_id"), by: deadline)
            guard let botID = try bot.optionalString() else { return false }
            let place = BotPlace(botID: botID, meetingID: holder, workspaceID: keys.id, room: room)
            return try await expireDispatch(place, deadline: deadline) == .ended
        }
    }

    // MARK: Stopping and configuring

    /// The meeting whose bot holds a room, by whichever of its names; nil if no bot is in it or on its way to it.
    /// - Parameter number: of the meeting that it is to be; nil: of whichever it is.
    public func holder(
        of room: Room, number: Int? = nil, workspace: String, deadline: MonotonicTime
    ) async throws(RedisError) -> Meeting? {
        let keys = WorkspaceKeys(workspace: workspace)
        for room in try await rooms(meantBy: room, in: keys, deadline: deadline) {
            guard let id = try await send(Command("GET", keys.holder(room)), by: deadline).optionalString() else {
                continue
            }
            let meeting = try await meeting(id: id, workspace: workspace, deadline: deadline)
            if number == nil || meeting?.number == number { return meeting }
        }
        return nil
    }

    public enum Stop: Sendable {
        /// No bot was there: what is planned next for the room is cancelled.
        case cancelled
        /// No runner had claimed it: it has ended.
        case ended
        /// It is told to leave, and ends as completed whatever happens to it.
        case leaving
        /// It had been asked before.
        case wasLeaving
    }

    /// Stops the bot that is in a room or on its way to it, whatever stage it is at, for good.
    /// - Parameters:
    ///   - number: of the meeting whose bot is meant; nil: of whichever is there or, with none, is planned next.
    ///   - idempotencyKey: the request's, if it has one: sent again, it never stops a bot that came later.
    /// - Returns: what came of it, and the bot's place with the trace of its dispatch.
    public func stopBot(
        in room: Room, number: Int? = nil, by caller: Caller, idempotencyKey: IdempotencyKey? = nil,
        deadline: MonotonicTime
    ) async throws(BotRefusal) -> (stop: Stop, place: BotPlace) {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        let named = room.description + (number.map { " \($0)" } ?? "")
        let requestKey = idempotencyKey.map { keys.request(.stop, of: named, by: caller.userID, $0) }
        var isLooking = true
        for _ in 0..<Self.maximumRounds {
            let found = try await refusing { () throws(RedisError) in
                try await holder(of: room, number: number, workspace: caller.workspaceID, deadline: deadline)
            }
            // Only after the holder is known: a bot that holds the room later finds this request's own stop noted.
            if let requestKey, let earlier = try await earlierStop(requestKey, room, caller, deadline: deadline) {
                return earlier
            }
            guard let meeting = found, let place = meeting.botPlace else {
                guard number == nil else { throw .noBot }
                let cancelled = try await refusing { () throws(RedisError) in
                    try await cancelNextPlan(
                        of: room, by: caller.userID, requestKey: requestKey, in: keys, deadline: deadline)
                }
                switch cancelled {
                case .cancelled(let id):
                    return (
                        .cancelled,
                        BotPlace(botID: "", meetingID: id, workspaceID: caller.workspaceID, room: room)
                    )
                case .roomHeld: continue
                case .nothingPlanned:
                    // The last that was planned may have been sent its bot between the two looks.
                    guard isLooking else { throw .noBot }
                    isLooking = false
                    continue
                }
            }
            let call = Scripts.Stop(
                life: place.life, dispatchKey: place.partition.dispatch, requestKey: requestKey, botID: place.botID,
                meetingID: meeting.id, keepMilliseconds: configuration.endedBotTimeToLiveMilliseconds,
                maxEvents: configuration.maximumEvents, why: "user \(caller.userID)",
                requestMilliseconds: configuration.inFlightTimeToLiveMilliseconds)
            switch try await refusing({ () throws(RedisError) in try await run(call, by: deadline) }) {
            case .ended(let trace): return (.ended, place.with(trace: trace))
            case .leaving(let trace):
                await tell(meeting, "{\"action\":\"leave\"}", deadline: deadline)
                return (.leaving, place.with(trace: trace))
            case .wasLeaving(let trace): return (.wasLeaving, place.with(trace: trace))
            case .roomChanged: continue
            }
        }
        throw .contended
    }

    /// What an earlier request with the same idempotency key did, as `stop.lua` wrote it: its result, bot_id, meeting_id.
    private func earlierStop(
        _ requestKey: String, _ room: Room, _ caller: Caller, deadline: MonotonicTime
    ) async throws(BotRefusal) -> (stop: Stop, place: BotPlace)? {
        try await refusing { () throws(RedisError) in
            let what = try await send(Command("GET", requestKey), by: deadline).optionalString()
            guard let what else { return nil }
            let parts = what.split(separator: " ").map(String.init)
            let stops: [String: Stop] = ["0": .cancelled, "1": .ended, "2": .leaving, "3": .wasLeaving]
            guard parts.count == 3, let stop = stops[parts[0]] else {
                throw .unexpectedReply("an earlier request left \(what)")
            }
            try await confirmEarlierRequest(requestKey, deadline: deadline)
            return (
                stop,
                BotPlace(
                    botID: stop == .cancelled ? "" : parts[1], meetingID: parts[2], workspaceID: caller.workspaceID,
                    room: room)
            )
        }
    }

    /// Changes the configuration of the bot that is in a room.
    /// - Parameters:
    ///   - number: of the meeting whose bot is meant; nil: of whichever is there.
    ///   - changes: `language`, `task`, `bot_name`.
    ///   - message: the same for the bot, as its wire has it; nil if none of it is the bot's business.
    public func configureBot(
        in room: Room, number: Int? = nil, workspace: String, changes: [String: String], message: String?,
        deadline: MonotonicTime
    ) async throws(BotRefusal) -> Meeting {
        let found = try await refusing { () throws(RedisError) in
            try await holder(of: room, number: number, workspace: workspace, deadline: deadline)
        }
        guard let meeting = found, let place = meeting.botPlace else { throw .noBot }
        let call = Scripts.Configure(
            meetingKey: place.partition.meeting(place.meetingID), botKey: place.partition.bot(place.botID),
            botID: place.botID, fields: changes.inOrder)
        let reply = try await refusing { () throws(RedisError) in try await run(call, by: deadline) }
        if reply == .notInRoom { throw .noBot }
        if let message { await tell(meeting, message, deadline: deadline) }
        return meeting
    }

    /// Publishes a command to a meeting's bot (docs/bot-wire.md, "Commands"). Should it be lost, the answer to the
    /// bot's next lease renewal says the same.
    private func tell(_ meeting: Meeting, _ message: String, deadline: MonotonicTime) async {
        _ = try? await send(Command("PUBLISH", WireNames.commandChannel(meeting.number), message), by: deadline)
    }

    func refusing<Result>(
        _ body: () async throws(RedisError) -> Result
    ) async throws(BotRefusal) -> Result {
        do {
            return try await body()
        } catch {
            throw .failed(error)
        }
    }
}

extension BotRequest {
    /// Checks that a bot gets in by what is known of the meeting, and that nothing said of it contradicts its plan.
    fileprivate func check(against plan: Store.Planned?) throws(BotRefusal) {
        guard link.passcode ?? plan?.passcode != nil || !link.needsPasscode else { throw .noPasscode }
        guard let reference, let plan, let url = plan.url else { return }
        do throws(MeetingReference.Problem) {
            try reference.check(against: url, passcode: plan.passcode)
        } catch {
            throw .contradiction(error)
        }
    }

    /// The fields of the record that it sets, each followed by its value. Of a plan's link nothing is lost where the request
    /// has none of its own.
    fileprivate func recordFields(in room: RoomNames, of plan: Store.Planned?, createdBy user: String) -> [String] {
        var result = ["platform", room.room.platform.rawValue, "native_meeting_id", room.room.nativeID]
        if reference == nil || plan?.url == nil { result += ["meeting_url", link.url] }
        if !room.names.isEmpty { result += ["names", RoomNames.text(room.names)] }
        if plan == nil { result += ["created_by", user] }
        if let passcode = link.passcode { result += ["passcode", passcode] }
        if let botName { result += ["bot_name", botName] }
        if let language { result += ["language", language] }
        if let task { result += ["task", task] }
        for (name, value) in fields.merging(options.fields, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
            result += [name, value]
        }
        return result
    }
}

/// Names on the wire between Usher and its bots (docs/bot-wire.md).
public enum WireNames {
    /// Where bots write their transcript segments.
    public static let segmentStream = "transcription_segments"

    /// Where a bot listens for commands.
    public static func commandChannel(_ number: Int) -> String { "bot_commands:meeting:\(number)" }

    /// Where a bot tells live what is said.
    public static func liveChannel(_ number: Int) -> String { "tc:meeting:\(number):mutable" }
}
