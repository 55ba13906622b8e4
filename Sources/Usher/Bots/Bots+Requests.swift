import Log
import Redis
import Scripts

extension Bots {
    /// How often a request looks again when what it saw has changed. More means that the room is fought over.
    static let maximumRounds = 5

    /// Sends a bot to a room. A meeting that is planned there is taken over; otherwise a new record is made, and what
    /// is there of ended ones is left as it is. A refusal leaves nothing behind.
    /// - Parameters:
    ///   - role: the least that the caller must have in its key's workspace; nil asks for none.
    ///   - idempotencyKey: the request's, if it has one.
    ///   - trace: what the dispatch belongs to.
    /// - Returns: the meeting as the dispatch left it; or, if an earlier request with the same idempotency key did it, as
    ///   it is now.
    public func request(
        _ request: BotRequest, by caller: Caller, atLeast role: Role? = nil, idempotencyKey: IdempotencyKey? = nil,
        trace: TraceContext
    ) async throws(BotRefusal) -> (meeting: Meeting, isRepeated: Bool) {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        // By the room as the request names it: what that means may be known better when the request comes again.
        let requestKey = idempotencyKey.map {
            keys.request(.bot, of: request.link.room.description, by: caller.userID, $0)
        }
        for _ in 0..<Self.maximumRounds {
            let known: RoomNames
            do throws(RedisError) {
                known = try await session.meetings.names(of: request.link, in: keys)
            } catch {
                throw .unavailable(error)
            }
            let room = known.room
            let botID = session.store.botIdentifiers.next(in: keys.partition)
            let (latest, planned): (Latest?, PlannedMeeting?)
            switch try await look(at: room, in: keys, as: caller, atLeast: role, requestKey: requestKey) {
            case .free(let newest, let plan): (latest, planned) = (newest, plan)
            case .done(let meetingID):
                return try await answerAgain(meetingID, requestKey, keys)
            }
            try request.check(against: planned)
            let deduplication = try await refusing { () throws(RedisError) in
                try await session.meetings.deduplication(by: request.deduplicationKey, in: keys)
            }
            if let deduplication, deduplication.isTaken, let owner = deduplication.owner {
                throw .duplicate(of: owner)
            }
            let (names, forgotten) = known.inheriting(latest?.names)
            let meetingID = planned?.id ?? Identifier.hex()
            var number: Int?
            if planned == nil {
                number = try await newNumber(meeting: meetingID, caller.workspaceID)
            }
            let otherKeys = names.otherHolders(in: keys)
            let call = Scripts.RequestBot(
                workspaceKey: keys.workspace, inflightKey: keys.inFlight(room), roomKey: keys.holder(room),
                botsKey: keys.bots, meetingKey: keys.partition.meeting(meetingID),
                botKey: keys.partition.bot(botID), dispatchKey: keys.partition.dispatch,
                eventsKey: keys.partition.events, latestKey: keys.latest(room), meetingsKey: keys.meetings,
                namesKey: keys.names, otherKey: otherKeys.0, anotherKey: otherKeys.1,
                webhooksKey: keys.webhooks, outboxKey: keys.partition.outbox,
                operatorKey: keys.partition.operatorEndpoint,
                feedKey: keys.partition.feed(ofMeeting: meetingID), feedsKey: keys.feed,
                dedupKey: deduplication?.key ?? keys.holder(room), requestKey: requestKey,
                meetingID: meetingID, number: number, workspaceID: caller.workspaceID, room: room.description,
                botID: botID, inflightMilliseconds: session.configuration.inFlightTimeToLiveMilliseconds,
                maxEvents: session.configuration.maximumEvents, why: "user \(caller.userID)",
                defaultMaxBots: session.configuration.defaultMaximumConcurrentBots, latest: latest?.id,
                traceparent: trace.traceparent, tracestate: trace.state, names: RoomNames.text(names.names),
                forgotten: RoomNames.text(forgotten), defaultMaxMeetings: session.configuration.defaultMaximumMeetings,
                defaultMaxBytes: session.configuration.defaultMaximumBytes, owner: deduplication?.owner,
                dedupMilliseconds: deduplication == nil ? 0 : Deduplication.lifeMilliseconds,
                fields: request.recordFields(in: names, of: planned, createdBy: caller.userID)
                    + (deduplication?.fields ?? []))
            let reply = try await refusing { () throws(RedisError) in try await session.run(call) }
            if case .accepted(let fields) = reply {
                return (try await refusing { () throws(RedisError) in try Meeting(fields) }, false)
            }
            if let number { await session.meetings.forget(number, of: meetingID) }
            switch reply {
            case .accepted, .lookAgain, .roomHeld: continue
            case .repeated(let id): return try await answerAgain(id, requestKey, keys)
            case .unknownWorkspace: throw .unknownWorkspace
            case .inFlight(let holder): throw .roomTaken(holder: holder)
            case .tooManyBots(let limit): throw .limitReached(limit)
            case .tooManyMeetings(let limit): throw .quota(.meetings(limit: limit))
            case .workspaceFull(let limit): throw .quota(.bytes(limit: limit))
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
    struct PlannedMeeting {
        let id: String
        let url: String?
        let passcode: String?
    }

    private enum Sight {
        /// No bot is there. `plan` is the meeting that the new bot is for, if one is planned: by hand, or for about now.
        case free(Latest?, plan: PlannedMeeting?)
        /// An earlier request with the same idempotency key sent a bot to this meeting.
        case done(meetingID: String)
    }

    /// Looks whether a request can succeed before anything is written for it: most that can't cost one exchange. What
    /// is seen here may change; the script decides.
    private func look(
        at room: Room, in keys: WorkspaceKeys, as caller: Caller, atLeast minimum: Role?, requestKey: String?
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
            let replies = try await session.pipeline(
                [
                    Command("HGET", keys.members, caller.userID), Command("GET", keys.latest(room)),
                    Command("EXISTS", keys.inFlight(room)), Command("GET", keys.holder(room)),
                    Command("ZCARD", keys.bots), Command("HGET", keys.workspace, "max_concurrent_bots"),
                    Command("TIME"),
                    Command("ZRANGE", keys.planned(room), "0", String(Meetings.maximumPlansLookedAt - 1), "WITHSCORES"),
                ] + (requestKey.map { [Command("GET", $0)] } ?? []))
            earlier = requestKey == nil ? nil : try replies[8].optionalString()
            role = try replies[0].optionalString().flatMap(Role.init(rawValue:))
            latest = try replies[1].optionalString()
            isInFlight = try replies[2].integerOrThrow() == 1
            holder = try replies[3].optionalString()
            limit =
                try replies[5].optionalString().flatMap { Int($0) }
                ?? session.configuration.defaultMaximumConcurrentBots
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
        if let holder, try await !freeIfExpired(holder, in: room, keys) {
            throw .roomTaken(holder: holder)
        }
        // A bot that was just ended may have made place.
        guard holder != nil || !isFull else { throw .limitReached(limit) }
        guard latest != nil || !planned.isEmpty else { return .free(nil, plan: nil) }
        do throws(RedisError) {
            // Those that are planned for about now come before the newest one, which may be planned without a time.
            let ids = planned + (latest.map { [$0] } ?? [])
            let states = try await session.replies(
                to: ids.map {
                    Command(
                        "HMGET", keys.partition.meeting($0), "status", "bot_status", "scheduled_at", "names",
                        "meeting_url", "passcode")
                }
            ).map { $0.array ?? [] }
            var plan: PlannedMeeting?
            for (index, (id, state)) in zip(ids, states).enumerated().reversed()
            where state.prefix(2) == [.string(MeetingStatus.initial.rawValue), .null] {
                if index < planned.count || state[2] == .null {
                    plan = PlannedMeeting(id: id, url: state[4].string, passcode: state[5].string)
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
                time <= Double(now.addingClamped(Meetings.nearPlanMilliseconds)),
                time >= Double(now.subtractingClamped(session.configuration.joinLateMilliseconds))
            else { return nil }
            return id
        }
    }

    /// The meeting that an earlier request with the same idempotency key sent a bot to, as it is now.
    private func answerAgain(
        _ id: String, _ requestKey: String?, _ keys: WorkspaceKeys
    ) async throws(BotRefusal) -> (meeting: Meeting, isRepeated: Bool) {
        let meeting = try await refusing { () throws(RedisError) in
            try await session.meetings.meeting(ofEarlierRequest: requestKey, id: id, workspace: keys.id)
        }
        return (meeting, true)
    }

    private func newNumber(meeting id: String, _ workspace: String) async throws(BotRefusal) -> Int {
        try await refusing { () throws(RedisError) in
            try await session.meetings.newMeetingNumber(id, workspace: workspace)
        }
    }

    /// Frees a room that is held by a dispatch which nobody claimed in its time.
    private func freeIfExpired(
        _ holder: String, in room: Room, _ keys: WorkspaceKeys
    ) async throws(BotRefusal) -> Bool {
        try await refusing { () throws(RedisError) in
            let bot = try await session.send(Command("HGET", keys.partition.meeting(holder), "bot_id"))
            guard let botID = try bot.optionalString() else { return false }
            let place = BotPlace(botID: botID, meetingID: holder, workspaceID: keys.id, room: room)
            return try await expireDispatch(place) == .ended
        }
    }

    func refusing<Result>(_ body: () async throws(RedisError) -> Result) async throws(BotRefusal) -> Result {
        do {
            return try await body()
        } catch {
            throw .failed(error)
        }
    }
}
