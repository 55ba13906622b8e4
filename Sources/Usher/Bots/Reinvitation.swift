import EventLoop
import Log
import Redis
import Scripts

/// A dispatch that was accepted.
public struct Dispatch: Sendable {
    public let meetingID: String
    public let botID: String
    /// Milliseconds since 1970, by Redis' clock.
    public let dispatchedAt: Int
    public let epoch: Int
    /// Whether the meeting was reset from OFFLINE first.
    public let isRestart: Bool
    /// Whether an earlier request with the same idempotency key did it.
    public var isRepeated = false
}

/// Why a bot is not sent again. The cases that have a code in the Re-invite API's error table are named after it.
public enum ReinviteRefusal: Error, Equatable, Sendable {
    /// The caller is no owner or manager of the workspace.
    case roleTooLow
    /// 12100
    case unknownMeeting
    /// 12101
    case otherWorkspace
    /// 12102
    case notGoogleMeet(Platform)
    /// 12103. `holder` is another meeting of the workspace whose bot is in this meeting's room.
    case live(holder: String?)
    /// 12104
    case restartWhileLive
    /// 12105. `holder` as in `live`.
    case stopping(status: MeetingStatus, holder: String?)
    /// 12106
    case offline
    /// 12107. `holder` is the meeting whose dispatch is in flight, if it is another one.
    case inFlight(holder: String?)
    /// 12108
    case locked
    /// 12110
    case statusChanged
    /// 12111
    case unexpectedStatus(String)
    /// 12109: what Redis said. The dispatch may have been accepted; asking again is safe.
    case failed(RedisError)
    /// The records could not be read, so nothing was tried.
    case unavailable(RedisError)
}

/// Sends a bot to a meeting on behalf of the Re-invite API, in the steps of docs/architecture.md, "How one bot stays
/// one bot".
public struct Reinvitation: Sendable {
    private let session: Session
    private let caller: Caller
    private let meetingID: String
    private let forceRestart: Bool
    private let trace: TraceContext
    private let keys: WorkspaceKeys
    /// The replies to `firstCommands`, if they came together with the caller.
    private let firstReplies: [Value]?
    /// Tells what an earlier request with the same idempotency key did; nil for a request that has none.
    private let requestKey: String?

    /// What the first read tells of the meeting.
    private struct Sight {
        let status: String
        let room: Room
        /// What an earlier request with the same idempotency key did.
        let earlier: String?
    }

    /// - Parameters:
    ///   - visitor: has the scope, and its key belongs to the workspace of the request: that was checked before.
    ///   - trace: what the dispatch belongs to.
    public init(in session: Session, visitor: Visitor, forceRestart: Bool, trace: TraceContext) {
        self.session = session
        caller = visitor.caller
        meetingID = visitor.meetingID
        firstReplies = visitor.replies
        self.forceRestart = forceRestart
        self.trace = trace
        keys = WorkspaceKeys(workspace: caller.workspaceID)
        requestKey = Self.requestKey(
            keys, userID: caller.userID, meetingID: meetingID, idempotencyKey: visitor.idempotencyKey)
    }

    /// A caller and the meeting that it is about, with what was found out about the two in the exchange that told who
    /// the caller is.
    public struct Visitor: Sendable {
        public let caller: Caller
        let meetingID: String
        var idempotencyKey: IdempotencyKey?
        var replies: [Value]?
    }

    /// The record of an API key, as `Callers.recognise`, and, if this node has seen the key before, what
    /// `perform` reads first, in one exchange.
    public static func visitor(
        in session: Session, apiKey: String, from address: () -> IPAddress?, workspaceID: String, meetingID: String,
        idempotencyKey: IdempotencyKey?
    ) async throws(RedisError) -> Recognition<Visitor> {
        try await session.callers.recognise(keyHash: Digest.sha256(apiKey), from: address) { owner in
            // Nothing is read on behalf of a key of another workspace.
            guard owner.workspaceID == workspaceID else { return [] }
            let keys = WorkspaceKeys(workspace: workspaceID)
            let requestKey = requestKey(
                keys, userID: owner.userID, meetingID: meetingID, idempotencyKey: idempotencyKey)
            return firstCommands(keys, userID: owner.userID, meetingID: meetingID, requestKey: requestKey)
        }.map { caller, replies in
            Visitor(
                caller: caller, meetingID: meetingID, idempotencyKey: idempotencyKey,
                replies: replies.isEmpty ? nil : Array(replies))
        }
    }

    private static func requestKey(
        _ keys: WorkspaceKeys, userID: String, meetingID: String, idempotencyKey: IdempotencyKey?
    ) -> String? {
        idempotencyKey.map { keys.request(.reinvite, of: meetingID, by: userID, $0) }
    }

    private static func firstCommands(
        _ keys: WorkspaceKeys, userID: String, meetingID: String, requestKey: String?
    ) -> [Command] {
        let questions = [
            Command("HGET", keys.members, userID),
            Command(
                "HMGET", keys.partition.meeting(meetingID), "workspace_id", "status", "platform", "native_meeting_id"),
        ]
        return requestKey.map { questions + [Command("GET", $0)] } ?? questions
    }

    public func perform() async throws(ReinviteRefusal) -> Dispatch {
        let sight = try await look()
        if let earlier = sight.earlier { return try await answerAgain(earlier) }
        let isRestart = try Self.judge(sight.status, forceRestart: forceRestart)
        // A second round only if the first one found the room held by a dispatch that is dead by now.
        for isLastRound in [false, true] {
            switch try await attempt(sight, isRestart: isRestart) {
            case .accepted(let dispatch):
                return dispatch
            case .wasAccepted(let earlier):
                return try await answerAgain(earlier)
            case .inFlight(let holder):
                throw .inFlight(holder: other(holder))
            case .statusChanged(let status):
                // The table once more, with the status that the script met. A restart that it would allow, or that
                // was under way, is another decision than the one that was checked: the caller takes it anew.
                if !isRestart { _ = try Self.judge(status, forceRestart: forceRestart) }
                throw .statusChanged
            case .roomHeld(let holder):
                let isFree = try await release(sight.room, heldBy: holder)
                guard isFree, !isLastRound else { throw .inFlight(holder: other(holder)) }
            }
        }
        throw .statusChanged
    }

    /// The holder of the room, if it is another meeting than the one that was asked for.
    private func other(_ holder: String) -> String? {
        holder.isEmpty || holder == meetingID ? nil : holder
    }

    /// What an earlier request with the same idempotency key was answered, or would have been.
    /// - Parameter what: as `dispatch.lua` wrote it: bot_id, dispatched_at, epoch, and the status that was seen.
    private func answerAgain(_ what: String) async throws(ReinviteRefusal) -> Dispatch {
        let parts = what.split(separator: " ")
        guard let requestKey, parts.count == 4, let at = Int(parts[1]), let epoch = Int(parts[2]) else {
            throw .unavailable(.unexpectedReply("an earlier request left \(what)"))
        }
        do throws(RedisError) {
            try await session.confirmEarlierRequest(requestKey)
        } catch {
            throw .failed(error)
        }
        return Dispatch(
            meetingID: meetingID, botID: String(parts[0]), dispatchedAt: at, epoch: epoch,
            isRestart: parts[3] == MeetingStatus.offline.rawValue, isRepeated: true)
    }

    // MARK: The checks that need no lock

    private func look() async throws(ReinviteRefusal) -> Sight {
        let role: String?
        let meeting: Value
        let earlier: String?
        do {
            let replies =
                if let firstReplies {
                    firstReplies
                } else {
                    try await session.replies(
                        to: Self.firstCommands(
                            keys, userID: caller.userID, meetingID: meetingID, requestKey: requestKey))
                }
            role = try replies[0].optionalString()
            meeting = replies[1]
            earlier = requestKey == nil ? nil : try replies[2].optionalString()
        } catch {
            throw .unavailable(error)
        }
        guard let role = role.flatMap(Role.init(rawValue:)), role >= .manager else { throw .roleTooLow }
        guard let fields = meeting.array, fields.count == 4, fields[0].string == caller.workspaceID,
            let platformName = fields[2].string, let nativeID = fields[3].string
        else { throw await whyNoMeeting(meeting) }
        guard let platform = Platform(rawValue: platformName) else {
            throw .unavailable(.unexpectedReply("the meeting's platform is \(platformName)"))
        }
        guard platform == .googleMeet else { throw .notGoogleMeet(platform) }
        return Sight(
            status: fields[1].string ?? "", room: Room(platform: platform, nativeID: nativeID), earlier: earlier)
    }

    /// Tells a meeting of another workspace from none at all. Asked only now, so that a dispatch does not pay for it.
    /// - Parameter reply: what was read in place of a record; an error, if the id names a key of another kind.
    private func whyNoMeeting(_ reply: Value) async -> ReinviteRefusal {
        do {
            let owner = try await session.meetings.workspaceID(ofMeeting: meetingID)
            guard let owner else { return .unknownMeeting }
            guard owner == caller.workspaceID else { return .otherWorkspace }
            _ = try reply.arrayOrThrow()
            return .unknownMeeting
        } catch {
            return .unavailable(error)
        }
    }

    /// The table "Behavior by meeting status".
    /// - Returns: whether the dispatch is a restart.
    static func judge(_ status: String, forceRestart: Bool) throws(ReinviteRefusal) -> Bool {
        switch MeetingStatus(rawValue: status) {
        case .initial: return false
        case .live: throw forceRestart ? .restartWhileLive : .live(holder: nil)
        case .stopping: throw .stopping(status: .stopping, holder: nil)
        case .analyzing: throw .stopping(status: .analyzing, holder: nil)
        case .offline:
            guard forceRestart else { throw .offline }
            return true
        case nil: throw .unexpectedStatus(status)
        }
    }

    // MARK: Under the lock

    /// What the script found, once the lock was this request's.
    private enum Attempt {
        case accepted(Dispatch)
        /// By an earlier request with the same idempotency key.
        case wasAccepted(what: String)
        case inFlight(holder: String)
        case statusChanged(to: String)
        case roomHeld(by: String)
    }

    /// Takes the lock and runs the script, in one write. While another request holds the lock, tries again for the
    /// configured time.
    private func attempt(_ sight: Sight, isRestart: Bool) async throws(ReinviteRefusal) -> Attempt {
        let loop = session.store.client.loop
        let botID = session.store.botIdentifiers.next(in: keys.partition)
        let giveUp = loop.now.advanced(byMilliseconds: session.configuration.lockWaitMilliseconds)
        var hasWaited = false
        while true {
            let (isLocked, reply) = try await dispatch(sight, botID: botID, isRestart: isRestart)
            switch reply {
            case .accepted(let at, let epoch):
                return .accepted(
                    Dispatch(
                        meetingID: meetingID, botID: botID, dispatchedAt: at, epoch: epoch, isRestart: isRestart))
            case .repeated(let what): return .wasAccepted(what: what)
            case .inFlight(let holder): return .inFlight(holder: holder ?? "")
            case .statusChanged(let status): return .statusChanged(to: status ?? "")
            case .roomHeld(let holder): return .roomHeld(by: holder)
            case .notYours:
                if isLocked { session.store.metrics.lockExpiries += 1 }
                if !isLocked, !hasWaited { session.store.metrics.lockWaits += 1 }
                hasWaited = hasWaited || !isLocked
                let left = giveUp.milliseconds(since: .now())
                guard left > 0 else {
                    session.store.metrics.lockRefusals += 1
                    await boundLock()
                    throw .locked
                }
                await loop.wait(milliseconds: min(left, Int.random(in: 5...25)))
            }
        }
    }

    /// - Returns: whether the lock was taken, or else another request holds it; and what the script returned.
    private func dispatch(
        _ sight: Sight, botID: String, isRestart: Bool
    ) async throws(ReinviteRefusal) -> (isLocked: Bool, reply: Scripts.Dispatch.Reply) {
        let configuration = session.configuration
        // No other request has this bot's id, so it serves as the token too.
        let token = botID
        let lock = Command("SET", keys.lock, token, "NX", "PX", String(configuration.lockTimeToLiveMilliseconds))
        let call = Scripts.Dispatch(
            lockKey: keys.lock, inflightKey: keys.inFlight(sight.room), roomKey: keys.holder(sight.room),
            botsKey: keys.bots, meetingKey: keys.partition.meeting(meetingID), botKey: keys.partition.bot(botID),
            dispatchKey: keys.partition.dispatch, eventsKey: keys.partition.events, webhooksKey: keys.webhooks,
            outboxKey: keys.partition.outbox,
            operatorKey: keys.partition.operatorEndpoint, feedKey: keys.partition.feed(ofMeeting: meetingID),
            feedsKey: keys.feed,
            requestKey: requestKey, token: token,
            seen: isRestart ? MeetingStatus.offline.rawValue : MeetingStatus.initial.rawValue,
            meetingID: meetingID, workspaceID: caller.workspaceID, room: sight.room.description, botID: botID,
            inflightMilliseconds: configuration.inFlightTimeToLiveMilliseconds,
            maxEvents: configuration.maximumEvents, why: "user \(caller.userID)", traceparent: trace.traceparent,
            tracestate: trace.state)
        do {
            let (locked, reply) = try await session.run(call, after: lock)
            return (locked != .null, reply)
        } catch {
            if error.mayHaveRun { await giveBack(token) }
            throw error.mayHaveRun ? .failed(error) : .unavailable(error)
        }
    }

    /// After a failure the lock may still be this request's. Should this fail too, the lock ends with its time to live.
    private func giveBack(_ token: String) async {
        _ = try? await session.run(Scripts.Unlock(lockKey: keys.lock, token: token))
    }

    /// The clock may have been set back since a node took the lock that is gone now. Should this fail, the next one does it.
    private func boundLock() async {
        try? await session.boundLife(of: keys.lock, milliseconds: session.configuration.lockTimeToLiveMilliseconds)
    }

    // MARK: A room that is held though no dispatch is in flight

    /// Finds out about the meeting whose bot holds the room.
    /// - Returns: whether the room is free by now: that meeting's dispatch was never claimed in its time, or its bot
    ///   has ended meanwhile.
    private func release(_ room: Room, heldBy holder: String) async throws(ReinviteRefusal) -> Bool {
        do {
            let fields = try await session.send(Command("HMGET", keys.partition.meeting(holder), "status", "bot_id"))
                .arrayOrThrow()
            let status = fields[0].string.flatMap(MeetingStatus.init(rawValue:))
            switch status {
            case .live: throw ReinviteRefusal.live(holder: other(holder))
            case .stopping: throw ReinviteRefusal.stopping(status: .stopping, holder: other(holder))
            case .analyzing, .offline, .initial, nil: break
            }
            guard let botID = fields[1].string else { return false }
            let place = BotPlace(botID: botID, meetingID: holder, workspaceID: caller.workspaceID, room: room)
            let isFreed = try await session.bots.expireDispatch(place) == .ended
            return isFreed || status == .analyzing || status == .offline
        } catch let error as RedisError {
            throw .unavailable(error)
        } catch let refusal as ReinviteRefusal {
            throw refusal
        } catch {
            throw .failed(.unexpectedReply("\(error)"))
        }
    }
}
