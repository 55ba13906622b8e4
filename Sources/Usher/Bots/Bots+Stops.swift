import Redis
import Scripts

/// Stopping and configuring.
extension Bots {
    /// The meeting whose bot holds a room, by whichever of its names; nil if no bot is in it or on its way to it.
    /// - Parameter number: of the meeting that it is to be; nil: of whichever it is.
    public func holder(of room: Room, number: Int? = nil, workspace: String) async throws(RedisError) -> Meeting? {
        let keys = WorkspaceKeys(workspace: workspace)
        for room in try await session.meetings.rooms(meantBy: room, in: keys) {
            guard let id = try await session.send(Command("GET", keys.holder(room))).optionalString() else {
                continue
            }
            let meeting = try await session.meetings.meeting(id: id, workspace: workspace)
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
    public func stop(
        in room: Room, number: Int? = nil, by caller: Caller, idempotencyKey: IdempotencyKey? = nil
    ) async throws(BotRefusal) -> (stop: Stop, place: BotPlace) {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        let named = room.description + (number.map { " \($0)" } ?? "")
        let requestKey = idempotencyKey.map { keys.request(.stop, of: named, by: caller.userID, $0) }
        var isLooking = true
        for _ in 0..<Self.maximumRounds {
            let found = try await refusing { () throws(RedisError) in
                try await holder(of: room, number: number, workspace: caller.workspaceID)
            }
            // Only after the holder is known: a bot that holds the room later finds this request's own stop noted.
            if let requestKey, let earlier = try await earlierStop(requestKey, room, caller) {
                return earlier
            }
            guard let meeting = found, let place = meeting.botPlace else {
                guard number == nil else { throw .noBot }
                let cancelled = try await refusing { () throws(RedisError) in
                    try await session.meetings.cancelNextPlan(
                        of: room, by: caller.userID, requestKey: requestKey, in: keys)
                }
                switch cancelled {
                case .cancelled(let id):
                    return (.cancelled, BotPlace(botID: "", meetingID: id, workspaceID: caller.workspaceID, room: room))
                case .roomHeld, .doneBefore: continue
                case .nothingPlanned:
                    // The last that was planned may have been sent its bot between the two looks.
                    guard isLooking else { throw .noBot }
                    isLooking = false
                    continue
                }
            }
            let reply = try await refusing { () throws(RedisError) in
                try await stop(place, of: meeting, why: "user \(caller.userID)", requestKey: requestKey)
            }
            switch reply {
            case .ended(let trace): return (.ended, place.with(trace: trace))
            case .leaving(let trace): return (.leaving, place.with(trace: trace))
            case .wasLeaving(let trace): return (.wasLeaving, place.with(trace: trace))
            case .stale: continue
            }
        }
        throw .contended
    }

    private func stop(
        _ place: BotPlace, of meeting: Meeting, why: String, requestKey: String? = nil
    ) async throws(RedisError) -> Scripts.Stop.Reply {
        let reply = try await session.run(
            Scripts.Stop(
                life: place.life, dispatchKey: place.partition.dispatch, requestKey: requestKey, botID: place.botID,
                meetingID: meeting.id, keepMilliseconds: session.configuration.endedBotTimeToLiveMilliseconds,
                maxEvents: session.configuration.maximumEvents, why: why,
                requestMilliseconds: session.configuration.inFlightTimeToLiveMilliseconds))
        if case .leaving = reply { await tell(meeting, "{\"action\":\"leave\"}") }
        return reply
    }

    /// Stops one of the bots of a workspace that was removed, or forgets it where it has no record. Safe to repeat.
    func stop(_ botID: String, ofRemoved workspace: String) async throws(RedisError) {
        guard let place = try await place(ofBot: botID),
            let meeting = try await session.meetings.meeting(id: place.meetingID, workspace: workspace)
        else {
            _ = try await session.send(Command("ZREM", WorkspaceKeys(workspace: workspace).bots, botID))
            return
        }
        _ = try await stop(place, of: meeting, why: "workspace removed")
    }

    /// What an earlier request with the same idempotency key did, as `stop.lua` wrote it: a number for what it did,
    /// bot_id, meeting_id.
    private func earlierStop(
        _ requestKey: String, _ room: Room, _ caller: Caller
    ) async throws(BotRefusal) -> (stop: Stop, place: BotPlace)? {
        try await refusing { () throws(RedisError) in
            let what = try await session.send(Command("GET", requestKey)).optionalString()
            guard let what else { return nil }
            let parts = what.split(separator: " ").map(String.init)
            let stops: [String: Stop] = ["0": .cancelled, "1": .ended, "2": .leaving, "3": .wasLeaving]
            guard parts.count == 3, let stop = stops[parts[0]] else {
                throw .unexpectedReply("an earlier request left \(what)")
            }
            try await session.confirmEarlierRequest(requestKey)
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
    public func configure(
        in room: Room, number: Int? = nil, workspace: String, changes: [String: String], message: String?
    ) async throws(BotRefusal) -> Meeting {
        let found = try await refusing { () throws(RedisError) in
            try await holder(of: room, number: number, workspace: workspace)
        }
        guard let meeting = found, let place = meeting.botPlace else { throw .noBot }
        let call = Scripts.Configure(
            meetingKey: place.partition.meeting(place.meetingID), botKey: place.partition.bot(place.botID),
            botID: place.botID, fields: changes.inOrder)
        let reply = try await refusing { () throws(RedisError) in try await session.run(call) }
        if reply == .notInRoom { throw .noBot }
        if let message { await tell(meeting, message) }
        return meeting
    }

    /// Publishes a command to a meeting's bot (docs/bot-wire.md, "Commands"). Should it be lost, the answer to the
    /// bot's next lease renewal says the same.
    private func tell(_ meeting: Meeting, _ message: String) async {
        _ = try? await session.send(Command("PUBLISH", WireNames.commandChannel(meeting.number), message))
    }
}
