import Log
import Redis
import Scripts

/// What is changed of a planned meeting. A member that is nil stays as it is; one with nil inside is removed.
public struct PlanChanges: Sendable {
    public var title: String??
    /// Milliseconds since 1970.
    public var scheduledAt: Int??
    /// Whether a bot is sent at that time.
    public var autoJoin: Bool?
    public var botName: String??
    public var language: String??

    public init() {}

    public var isEmpty: Bool { fields.isEmpty && cleared.isEmpty && scheduledAt == nil && autoJoin == nil }

    /// The time and `auto_join` alone, for which there is always room.
    var withoutTexts: PlanChanges {
        var changes = PlanChanges()
        (changes.scheduledAt, changes.autoJoin) = (scheduledAt, autoJoin)
        return changes
    }

    private var texts: [(name: String, change: String??)] {
        [("bot_name", botName), ("language", language), ("title", title)]
    }

    /// The fields that get a value, each followed by it; the time and `auto_join` apart.
    fileprivate var fields: [String] {
        texts.flatMap { name, change -> [String] in
            guard case .some(.some(let value)) = change else { return [] }
            return [name, value]
        }
    }

    fileprivate var cleared: [String] {
        texts.compactMap { name, change in change == .some(nil) ? name : nil }
    }
}

/// What a calendar notes of one of its times in the same step as the plan of that changes, by who has its lease alone.
public struct OccurrenceNote: Sendable {
    let calendarID: String
    let keys: CalendarKeys
    let leaseEnd: String
    let occurrence: String
    let meetingID: String
    let entry: String

    /// Nothing was changed: whoever has the lease now does what is to be done.
    static let notYours = RedisError.unexpectedReply("the calendar is another node's by now")
}

/// Planned meetings: when a bot is sent to them by itself (docs/planned-meetings.md).
extension Meetings {
    /// After how long a plan is tried again that had to wait for its room, or for the workspace's other bots.
    static let planRetryMilliseconds = 30_000
    /// How long before the time of a planned meeting a bot that is sent by hand is taken for the plan's.
    static let nearPlanMilliseconds = 3_600_000
    /// How many plans of a room are looked at.
    static let maximumPlansLookedAt = 10

    public enum PlanChange: Sendable {
        /// The meeting with the changes.
        case changed(Meeting)
        case unknown
        /// It has had a bot, or was cancelled.
        case notPlanned
        /// It is too late to send a bot at the time, or that is more than a year ahead.
        case oddTime
        /// This meeting of the room is planned for the same time.
        case plannedAlready(id: String)
        case workspaceFull
    }

    /// Changes a planned meeting that has had no bot yet.
    /// - Parameters:
    ///   - user: who asks.
    ///   - noting: what the calendar notes whose plan it is, if that has it changed.
    /// - Throws: `OccurrenceNote.notYours` too.
    public func change(
        _ meeting: Meeting, _ changes: PlanChanges, by user: String, noting: OccurrenceNote? = nil
    ) async throws(RedisError) -> PlanChange {
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        var scheduledAt: Int?
        if case .some(.some(let time)) = changes.scheduledAt { scheduledAt = time }
        // With another time it is kept for longer.
        let digest = changes.scheduledAt == nil ? nil : meeting.fields[Deduplication.field]
        let call = Scripts.PlanMeeting(
            meetingKey: keys.partition.meeting(meeting.id), workspaceKey: keys.workspace,
            plansKey: keys.partition.plans, plannedKey: keys.planned(meeting.room),
            calendarKey: noting?.keys.calendar ?? keys.workspace,
            occurrencesKey: noting?.keys.planned ?? keys.workspace, eventsKey: keys.partition.events,
            webhooksKey: keys.webhooks, outboxKey: keys.partition.outbox,
            operatorKey: keys.partition.operatorEndpoint,
            dedupKey: digest.map { keys.deduplication($0) } ?? keys.workspace, meetingID: meeting.id,
            plan: keys.member(meeting.id), leadMilliseconds: session.configuration.joinLeadMilliseconds,
            lateMilliseconds: session.configuration.joinLateMilliseconds, scheduledAt: scheduledAt,
            isCleared: changes.scheduledAt == .some(nil), autoJoin: changes.autoJoin.map { String($0) },
            defaultMaxBytes: session.configuration.defaultMaximumBytes,
            cleared: changes.cleared.map { " \($0)" }.joined(), leaseEnd: noting?.leaseEnd,
            occurrence: noting?.occurrence, entry: noting?.entry,
            dedupMilliseconds: digest == nil ? 0 : Deduplication.life(ofPlanAt: scheduledAt),
            maxEvents: session.configuration.maximumEvents, why: "user \(user)", fields: changes.fields)
        switch try await session.run(call) {
        case .changed:
            return try await self.meeting(id: meeting.id, workspace: meeting.workspaceID)
                .map { .changed($0) } ?? .unknown
        case .unknownMeeting: return .unknown
        case .notPlanned: return .notPlanned
        case .oddTime: return .oddTime
        case .plannedAlready(let other):
            if try await dropServedPlan(other, of: meeting.room, keys) {
                return try await change(meeting, changes, by: user, noting: noting)
            }
            return .plannedAlready(id: other)
        case .workspaceFull: return .workspaceFull
        case .notYours: throw OccurrenceNote.notYours
        }
    }

    /// Takes a meeting that has had its bot, or is gone, from those that are planned for a room: a bot that is sent by hand
    /// leaves that to who comes across it.
    /// - Returns: false if it is planned still.
    func dropServedPlan(_ id: String, of room: Room, _ keys: WorkspaceKeys) async throws(RedisError) -> Bool {
        if let meeting = try await meeting(id: id, workspace: keys.id), meeting.isPlanned {
            return false
        }
        return try await session.send(Command("ZREM", keys.planned(room), id)).integerOrThrow() == 1
    }

    enum PlanCancellation {
        /// The meeting's id.
        case cancelled(String)
        case nothingPlanned
        /// A bot has come there meanwhile, as what was planned was sent it: that one is to be stopped.
        case roomHeld
        /// The same request, made before, did something meanwhile.
        case doneBefore
    }

    /// Cancels what is planned next for a room, by whichever of its names.
    /// - Parameters:
    ///   - user: who asks.
    ///   - requestKey: where the request's idempotency key notes what it did.
    func cancelNextPlan(
        of room: Room, by user: String, requestKey: String?, in keys: WorkspaceKeys
    ) async throws(RedisError) -> PlanCancellation {
        let rooms = try await rooms(meantBy: room, in: keys)
        for room in rooms {
            let last = String(Self.maximumPlansLookedAt - 1)
            let planned = try await session.send(Command("ZRANGE", keys.planned(room), "0", last)).arrayOrThrow()
            for id in planned.compactMap(\.string) {
                let call = Scripts.CancelPlan(
                    meetingKey: keys.partition.meeting(id), plansKey: keys.partition.plans,
                    plannedKey: keys.planned(room), eventsKey: keys.partition.events,
                    endedKey: keys.partition.ended, webhooksKey: keys.webhooks, outboxKey: keys.partition.outbox,
                    operatorKey: keys.partition.operatorEndpoint,
                    feedKey: keys.partition.feed(ofMeeting: id), feedsKey: keys.feed,
                    roomKey: keys.holder(room), otherKey: keys.holder(rooms[0]), requestKey: requestKey, meetingID: id,
                    plan: keys.member(id),
                    maxEvents: session.configuration.maximumEvents, why: "user \(user)",
                    requestMilliseconds: session.configuration.inFlightTimeToLiveMilliseconds)
                switch try await session.run(call) {
                case .cancelled: return .cancelled(id)
                case .roomHeld: return .roomHeld
                case .doneBefore: return .doneBefore
                case .notPlanned: continue
                }
            }
        }
        return .nothingPlanned
    }

    /// Sends the bot of a plan, if it is due.
    /// - Parameter plan: as its partition's zset has it.
    func sendPlanned(_ plan: Plan, trace: TraceContext) async throws(RedisError) -> Scripts.SendPlanned.Reply {
        let keys = WorkspaceKeys(workspace: plan.workspaceID)
        let record = try await session.send(
            Command("HMGET", keys.partition.meeting(plan.meetingID), "platform", "native_meeting_id", "names")
        ).arrayOrThrow()
        guard record.contains(where: { $0 != .null }) else {
            // It was removed by a node that knows nothing of plans.
            _ = try await session.send(Command("ZREM", keys.partition.plans, plan.member))
            return .served
        }
        guard record.count == 3, let platform = record[0].string.flatMap(Platform.init), let nativeID = record[1].string
        else { throw .unexpectedReply("the record of a planned meeting has no room that is known here") }
        let asked = Room(platform: platform, nativeID: nativeID)
        let room = try await rooms(meantBy: asked, in: keys)[0]
        let (own, _) = RoomNames(room: room, names: room == asked ? [] : [asked]).inheriting(record[2].string)
        let (names, _) = own.inheriting(try await namesOfLatest(in: room, keys))
        let others = names.otherHolders(in: keys)
        let botID = session.store.botIdentifiers.next(in: keys.partition)
        return try await session.run(
            Scripts.SendPlanned(
                workspaceKey: keys.workspace, inflightKey: keys.inFlight(room), roomKey: keys.holder(room),
                botsKey: keys.bots, meetingKey: keys.partition.meeting(plan.meetingID),
                botKey: keys.partition.bot(botID), dispatchKey: keys.partition.dispatch,
                eventsKey: keys.partition.events, webhooksKey: keys.webhooks, outboxKey: keys.partition.outbox,
                operatorKey: keys.partition.operatorEndpoint,
                plansKey: keys.partition.plans, plannedKey: keys.planned(asked), endedKey: keys.partition.ended,
                feedKey: keys.partition.feed(ofMeeting: plan.meetingID), feedsKey: keys.feed, namesKey: keys.names,
                otherKey: others.0, anotherKey: others.1, meetingID: plan.meetingID, plan: plan.member,
                workspaceID: plan.workspaceID, room: room.description, nativeID: room.nativeID, botID: botID,
                inflightMilliseconds: session.configuration.inFlightTimeToLiveMilliseconds,
                maxEvents: session.configuration.maximumEvents,
                defaultMaxBots: session.configuration.defaultMaximumConcurrentBots,
                lateMilliseconds: session.configuration.joinLateMilliseconds,
                retryMilliseconds: Self.planRetryMilliseconds, traceparent: trace.traceparent))
    }
}

/// A meeting to which a bot is to be sent at a time, as its partition's zset names it.
struct Plan: Sendable {
    let workspaceID: String
    let meetingID: String
    let member: String

    /// - Returns: nil for what is none of ours.
    init?(_ member: String) {
        let parts = member.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        workspaceID = String(parts[0])
        meetingID = String(parts[1])
        self.member = member
    }

    /// The same plans, of which no workspace has two in a row while another one waits: however many one of them has
    /// planned for a time, the others' do not come after them all.
    static func inTurn(_ plans: [Plan]) -> [Plan] {
        var turns: [String: Int] = [:]
        let placed = plans.enumerated().map { index, plan in
            let turn = turns[plan.workspaceID, default: 0]
            turns[plan.workspaceID] = turn + 1
            return (turn: turn, index: index, plan: plan)
        }
        return placed.sorted { ($0.turn, $0.index) < ($1.turn, $1.index) }.map(\.plan)
    }
}
