import EventLoop
import Redis
import Scripts

/// What a new meeting is made from.
public struct NewMeeting: Sendable {
    public var link: MeetingLink
    public var title: String?
    public var language: String?
    /// When a bot is sent to it by itself, in milliseconds since 1970; nil: not by itself.
    public var scheduledAt: Int?
    /// False: not at that time either.
    public var autoJoin: Bool?
    public var botName: String?
    public var task: String?
    public var options: BotOptions
    /// Refused while a meeting with the same one has not ended.
    public var deduplicationKey: String?

    public init(
        link: MeetingLink, title: String? = nil, language: String? = nil, scheduledAt: Int? = nil,
        autoJoin: Bool? = nil, botName: String? = nil, task: String? = nil, options: BotOptions = BotOptions(),
        deduplicationKey: String? = nil
    ) {
        self.link = link
        self.title = title
        self.language = language
        self.scheduledAt = scheduledAt
        self.autoJoin = autoJoin
        self.botName = botName
        self.task = task
        self.options = options
        self.deduplicationKey = deduplicationKey
    }

    /// The fields of the record that are about its bot, each followed by its value.
    fileprivate var botFields: [String] {
        var fields = options.fields
        fields["auto_join"] = autoJoin.map { String($0) }
        fields["bot_name"] = botName
        fields["task"] = task
        return fields.inOrder
    }
}

/// A meeting that was asked for, or why there is none.
public enum MeetingCreation: Sendable {
    case made(Meeting)
    case unknownWorkspace
    case refused(QuotaRefusal)
    /// It is too late to send a bot at the time that it was to have, or that is more than a year ahead.
    case oddTime
    /// This meeting of the room is planned for the same time.
    case plannedAlready(id: String)
    /// This meeting has the same deduplication key, and has not ended.
    case duplicate(of: String)
    /// The meeting with that key kept changing; nothing was done.
    case contended

    public var made: Meeting? { if case .made(let meeting) = self { meeting } else { nil } }
}

extension Store {
    /// Makes a meeting in INITIAL, without a bot.
    /// - Parameters:
    ///   - idempotencyKey: the request's, if it has one.
    ///   - planned: the id that it is to have, with the calendar whose plan it is.
    /// - Returns: the meeting as it is, or that of an earlier request with the same idempotency key, or with that id.
    public func createMeeting(
        _ new: NewMeeting, by caller: Caller, idempotencyKey: IdempotencyKey? = nil,
        planned: (id: String, calendar: String)? = nil, deadline: MonotonicTime
    ) async throws(RedisError) -> MeetingCreation {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        let id = planned?.id ?? Identifier.hex()
        if planned != nil, let made = try await meeting(id: id, workspace: keys.id, deadline: deadline) {
            return .made(made)
        }
        let known = try await names(of: new.link, in: keys, deadline: deadline)
        let room = known.room
        let (names, forgotten) = known.inheriting(try await namesOfLatest(in: room, keys, deadline: deadline))
        // By the room as the request names it: what that means may be known better when the request comes again.
        let requestKey = idempotencyKey.map {
            keys.request(.meeting, of: new.link.room.description, by: caller.userID, $0)
        }
        let deduplication = try await deduplication(by: new.deduplicationKey, in: keys, deadline: deadline)
        if let deduplication, deduplication.isTaken, let owner = deduplication.owner {
            // It may be what an earlier request with the same idempotency key made.
            guard let requestKey,
                let earlier = try await send(Command("GET", requestKey), by: deadline).optionalString()
            else { return .duplicate(of: owner) }
            return .made(
                try await meeting(
                    ofEarlierRequest: requestKey, id: earlier, workspace: caller.workspaceID, deadline: deadline))
        }
        let number = try await newMeetingNumber(id, workspace: caller.workspaceID, deadline: deadline)
        var fields = [
            "workspace_id", caller.workspaceID, "platform", room.platform.rawValue, "native_meeting_id",
            room.nativeID, "meeting_url", new.link.url, "created_by", caller.userID,
        ]
        if !names.names.isEmpty { fields += ["names", RoomNames.text(names.names)] }
        if let passcode = new.link.passcode { fields += ["passcode", passcode] }
        if let title = new.title { fields += ["title", title] }
        if let language = new.language { fields += ["language", language] }
        if let time = new.scheduledAt { fields += ["scheduled_at", String(time)] }
        if let planned { fields += ["calendar_id", planned.calendar] }
        fields += new.botFields
        let due =
            new.autoJoin == false
            ? nil : new.scheduledAt.map { $0.subtractingClamped(configuration.joinLeadMilliseconds) }
        let call = Scripts.CreateMeeting(
            workspaceKey: keys.workspace, meetingsKey: keys.meetings, latestKey: keys.latest(room),
            meetingKey: keys.partition.meeting(id), eventsKey: keys.partition.events, heldKey: keys.held(room),
            namesKey: keys.names, plansKey: keys.partition.plans, plannedKey: keys.planned(room),
            dedupKey: deduplication?.key ?? keys.latest(room), requestKey: requestKey, meetingID: id, number: number,
            maxEvents: configuration.maximumEvents, why: "user \(caller.userID)",
            requestMilliseconds: configuration.inFlightTimeToLiveMilliseconds, room: room.description,
            names: RoomNames.text(names.names), forgotten: RoomNames.text(forgotten),
            defaultMaxMeetings: configuration.defaultMaximumMeetings,
            defaultMaxBytes: configuration.defaultMaximumBytes, plan: keys.member(id),
            lateMilliseconds: configuration.joinLateMilliseconds, scheduledAt: new.scheduledAt, due: due,
            owner: deduplication?.owner, dedupMilliseconds: deduplication?.life(until: new.scheduledAt) ?? 0,
            fields: fields)
        let reply = try await run(call, by: deadline)
        if case .created = reply {
            return try await meeting(id: id, workspace: caller.workspaceID, deadline: deadline).map { .made($0) }
                ?? .unknownWorkspace
        }
        // Not if another meeting has the id: what leads there is that one's.
        if reply == .idTaken { throw .unexpectedReply("a new meeting has the id of another one") }
        await forget(number, of: id, deadline: deadline)
        switch reply {
        case .created, .idTaken, .unknownWorkspace: return .unknownWorkspace
        case .repeated(let earlier):
            return .made(
                try await meeting(
                    ofEarlierRequest: requestKey, id: earlier, workspace: caller.workspaceID, deadline: deadline))
        case .tooManyMeetings(let limit): return .refused(.meetings(limit: limit))
        case .tooManyBytes(let limit): return .refused(.bytes(limit: limit))
        case .oddTime: return .oddTime
        case .plannedAlready(let other):
            if try await dropServedPlan(other, of: room, keys, deadline: deadline) {
                return try await createMeeting(
                    new, by: caller, idempotencyKey: idempotencyKey, planned: planned, deadline: deadline)
            }
            return .plannedAlready(id: other)
        case .keyChanged: return .contended
        }
    }

    /// What a room is called besides, by its newest meeting. Only MS Teams' rooms are.
    func namesOfLatest(
        in room: Room, _ keys: WorkspaceKeys, deadline: MonotonicTime
    ) async throws(RedisError) -> String? {
        guard room.platform == .teams,
            let latest = try await send(Command("GET", keys.latest(room)), by: deadline).optionalString()
        else { return nil }
        return try await send(Command("HGET", keys.partition.meeting(latest), "names"), by: deadline).optionalString()
    }

    /// A number for a new meeting, and what leads to it by that and by its id: written before the record, so that what
    /// they lead to may turn out not to be there, never the other way round; and on replicas before it, if those are
    /// waited for, since in a Cluster they lie apart from it.
    func newMeetingNumber(
        _ id: String, workspace: String, deadline: MonotonicTime
    ) async throws(RedisError) -> Int {
        try await newNumber(of: Keys.meetingSequence, deadline: deadline) { number throws(RedisError) in
            let replies = try await change(
                [
                    Command("SET", Keys.locator(number: number), "\(workspace) \(id)", "NX"),
                    Command("SET", Keys.locator(meeting: id), workspace),
                ], by: deadline)
            return replies[0] != .null
        }
    }

    /// Removes what leads to a meeting that was not made. Should this fail, it leads nowhere.
    func forget(_ number: Int, of meetingID: String, deadline: MonotonicTime) async {
        _ = try? await pipeline(
            [Command("DEL", Keys.locator(meeting: meetingID)), Command("DEL", Keys.locator(number: number))],
            by: deadline)
    }

    /// A meeting of this workspace; nil if there is none of this id.
    public func meeting(id: String, workspace: String, deadline: MonotonicTime) async throws(RedisError) -> Meeting? {
        let key = Partition(workspace: workspace).meeting(id)
        let hash = try await send(Command("HGETALL", key), by: deadline).hash()
        guard hash["workspace_id"] == workspace else { return nil }
        return try Meeting(hash)
    }

    /// The meeting of this workspace that has a number; nil if there is none.
    public func meeting(number: Int, workspace: String, deadline: MonotonicTime) async throws(RedisError) -> Meeting? {
        let locator = try await send(Command("GET", Keys.locator(number: number)), by: deadline).optionalString()
        guard let parts = locator?.split(separator: " "), parts.count == 2, parts[0] == workspace else { return nil }
        return try await meeting(id: String(parts[1]), workspace: workspace, deadline: deadline)
    }

    /// The most bytes that a meeting's title, participants, languages and notes may have together, as they are stored.
    public static let maximumNoteBytes = 65_536

    public enum Update: Sendable {
        /// The meeting with the changes.
        case changed(Meeting)
        case unknown
        /// The record would have more than `maximumNoteBytes`: nothing was changed.
        case tooLarge
        /// All meetings of the workspace would take more bytes than they may.
        case workspaceFull
    }

    /// Changes what users write into a meeting's record.
    /// - Parameter fields: at least one; their values as the record has them.
    public func update(
        _ meeting: Meeting, fields: [String: String], deadline: MonotonicTime
    ) async throws(RedisError) -> Update {
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        var fields = fields
        // What a user wrote is not replaced by what is collected from the transcript.
        for name in ["participants", "languages"] where fields[name] != nil { fields["\(name)_by"] = "user" }
        let change = Scripts.UpdateMeeting(
            meetingKey: keys.partition.meeting(meeting.id), workspaceKey: keys.workspace,
            maxBytes: Self.maximumNoteBytes, defaultMaxBytes: configuration.defaultMaximumBytes, fields: fields.inOrder)
        switch try await run(change, by: deadline) {
        case .changed:
            return try await self.meeting(id: meeting.id, workspace: meeting.workspaceID, deadline: deadline)
                .map { .changed($0) } ?? .unknown
        case .unknownMeeting: return .unknown
        case .full: return .tooLarge
        case .workspaceFull: return .workspaceFull
        }
    }

    /// The workspace that a meeting belongs to, whichever it is.
    public func workspaceID(ofMeeting id: String, deadline: MonotonicTime) async throws(RedisError) -> String? {
        try await send(Command("GET", Keys.locator(meeting: id)), by: deadline).optionalString()
    }
}
