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

/// The records of meetings.
public struct Meetings: Sendable {
    let session: Session

    /// Makes a meeting in INITIAL, without a bot.
    /// - Parameters:
    ///   - idempotencyKey: the request's, if it has one.
    ///   - noting: what the calendar notes whose plan it is.
    /// - Returns: the meeting as it is, or that of an earlier request with the same idempotency key.
    /// - Throws: `OccurrenceNote.notYours` too.
    public func create(
        _ new: NewMeeting, by caller: Caller, idempotencyKey: IdempotencyKey? = nil, noting: OccurrenceNote? = nil
    ) async throws(RedisError) -> MeetingCreation {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        let id = noting?.meetingID ?? Identifier.hex()
        let known = try await names(of: new.link, in: keys)
        let room = known.room
        let (names, forgotten) = known.inheriting(try await namesOfLatest(in: room, keys))
        // By the room as the request names it: what that means may be known better when the request comes again.
        let requestKey = idempotencyKey.map {
            keys.request(.meeting, of: new.link.room.description, by: caller.userID, $0)
        }
        let deduplication = try await deduplication(by: new.deduplicationKey, in: keys)
        if let deduplication, deduplication.isTaken, let owner = deduplication.owner {
            // It may be what an earlier request with the same idempotency key made.
            guard let requestKey,
                let earlier = try await session.send(Command("GET", requestKey)).optionalString()
            else { return .duplicate(of: owner) }
            return .made(try await meeting(ofEarlierRequest: requestKey, id: earlier, workspace: caller.workspaceID))
        }
        let number = try await newMeetingNumber(id, workspace: caller.workspaceID)
        var fields = [
            "workspace_id", caller.workspaceID, "platform", room.platform.rawValue, "native_meeting_id",
            room.nativeID, "meeting_url", new.link.url, "created_by", caller.userID,
        ]
        if !names.names.isEmpty { fields += ["names", RoomNames.text(names.names)] }
        if let passcode = new.link.passcode { fields += ["passcode", passcode] }
        if let title = new.title { fields += ["title", title] }
        if let language = new.language { fields += ["language", language] }
        if let time = new.scheduledAt { fields += ["scheduled_at", String(time)] }
        if let noting { fields += ["calendar_id", noting.calendarID] }
        fields += new.botFields + (deduplication?.fields ?? [])
        let due =
            new.autoJoin == false
            ? nil : new.scheduledAt.map { $0.subtractingClamped(session.configuration.joinLeadMilliseconds) }
        let call = Scripts.CreateMeeting(
            workspaceKey: keys.workspace, meetingsKey: keys.meetings, latestKey: keys.latest(room),
            meetingKey: keys.partition.meeting(id), eventsKey: keys.partition.events, heldKey: keys.held(room),
            namesKey: keys.names, plansKey: keys.partition.plans, plannedKey: keys.planned(room),
            dedupKey: deduplication?.key ?? keys.latest(room), calendarKey: noting?.keys.calendar ?? keys.workspace,
            occurrencesKey: noting?.keys.planned ?? keys.workspace, webhooksKey: keys.webhooks,
            outboxKey: keys.partition.outbox,
            operatorKey: keys.partition.operatorEndpoint, requestKey: requestKey, meetingID: id, number: number,
            maxEvents: session.configuration.maximumEvents, why: "user \(caller.userID)",
            requestMilliseconds: session.configuration.inFlightTimeToLiveMilliseconds, room: room.description,
            names: RoomNames.text(names.names), forgotten: RoomNames.text(forgotten),
            defaultMaxMeetings: session.configuration.defaultMaximumMeetings,
            defaultMaxBytes: session.configuration.defaultMaximumBytes, plan: keys.member(id),
            lateMilliseconds: session.configuration.joinLateMilliseconds, scheduledAt: new.scheduledAt, due: due,
            owner: deduplication?.owner,
            dedupMilliseconds: deduplication == nil ? 0 : Deduplication.life(ofPlanAt: new.scheduledAt),
            leaseEnd: noting?.leaseEnd, occurrence: noting?.occurrence, entry: noting?.entry, fields: fields)
        let reply = try await session.run(call)
        if case .created = reply {
            return try await meeting(id: id, workspace: caller.workspaceID).map { .made($0) }
                ?? .unknownWorkspace
        }
        // Not if another meeting has the id: what leads there is that one's.
        if reply == .idTaken { throw .unexpectedReply("a new meeting has the id of another one") }
        await forget(number, of: id)
        switch reply {
        case .created, .idTaken, .unknownWorkspace: return .unknownWorkspace
        case .repeated(let earlier):
            return .made(try await meeting(ofEarlierRequest: requestKey, id: earlier, workspace: caller.workspaceID))
        case .tooManyMeetings(let limit): return .refused(.meetings(limit: limit))
        case .workspaceFull(let limit): return .refused(.bytes(limit: limit))
        case .oddTime: return .oddTime
        case .plannedAlready(let other):
            if try await dropServedPlan(other, of: room, keys) {
                return try await create(new, by: caller, idempotencyKey: idempotencyKey, noting: noting)
            }
            return .plannedAlready(id: other)
        case .lookAgain: return .contended
        case .notYours: throw OccurrenceNote.notYours
        }
    }

    /// What a room is called besides, by its newest meeting. Only MS Teams' rooms are.
    func namesOfLatest(in room: Room, _ keys: WorkspaceKeys) async throws(RedisError) -> String? {
        guard room.platform == .teams,
            let latest = try await session.send(Command("GET", keys.latest(room))).optionalString()
        else { return nil }
        return try await session.send(Command("HGET", keys.partition.meeting(latest), "names")).optionalString()
    }

    /// A number for a new meeting, and what leads to it by that and by its id: written before the record, so that what
    /// they lead to may turn out not to be there, never the other way round; and on replicas before it, if those are
    /// waited for, since in a Cluster they lie apart from it.
    func newMeetingNumber(_ id: String, workspace: String) async throws(RedisError) -> Int {
        try await session.newNumber(of: Keys.meetingSequence) { number throws(RedisError) in
            let replies = try await session.change([
                Command("SET", Keys.locator(number: number), "\(workspace) \(id)", "NX"),
                Command("SET", Keys.locator(meeting: id), workspace),
            ])
            return replies[0] != .null
        }
    }

    /// Removes what leads to a meeting that was not made. Should this fail, it leads nowhere.
    func forget(_ number: Int, of meetingID: String) async {
        _ = try? await session.pipeline([
            Command("DEL", Keys.locator(meeting: meetingID)), Command("DEL", Keys.locator(number: number)),
        ])
    }

    /// A meeting of this workspace; nil if there is none of this id.
    public func meeting(id: String, workspace: String) async throws(RedisError) -> Meeting? {
        try await meetings(ids: [id], workspace: workspace)[id]
    }

    /// Those that there are of these in this workspace, by their ids, in one exchange.
    func meetings(ids: Set<String>, workspace: String) async throws(RedisError) -> [String: Meeting] {
        if ids.isEmpty { return [:] }
        let partition = Partition(workspace: workspace)
        let replies = try await session.pipeline(ids.map { Command("HGETALL", partition.meeting($0)) })
        var found: [String: Meeting] = [:]
        for (id, reply) in zip(ids, replies) {
            let fields = try reply.hash()
            if fields["workspace_id"] == workspace { found[id] = try Meeting(fields) }
        }
        return found
    }

    /// The same, and nil too for one whose record another hand has spoilt.
    func readable(id: String, workspace: String) async throws(RedisError) -> Meeting? {
        let key = Partition(workspace: workspace).meeting(id)
        let reply = try await session.replies(to: [Command("HGETALL", key)])[0]
        let found = try session.oddRecords.leavingOut(key, reply) { reply throws(RedisError) -> Meeting? in
            let fields = try reply.hash()
            return fields["workspace_id"] == workspace ? try Meeting(fields) : nil
        }
        return found ?? nil
    }

    /// The meeting that an earlier request made, or sent a bot to, as it is now.
    func meeting(ofEarlierRequest key: String?, id: String, workspace: String) async throws(RedisError) -> Meeting {
        if let key { try await session.confirmEarlierRequest(key) }
        guard let meeting = try await self.meeting(id: id, workspace: workspace) else {
            throw .unexpectedReply("the meeting \(id) of an earlier request is gone")
        }
        return meeting
    }

    /// The meeting of this workspace that has a number; nil if there is none.
    public func meeting(number: Int, workspace: String) async throws(RedisError) -> Meeting? {
        let locator = try await session.send(Command("GET", Keys.locator(number: number))).optionalString()
        guard let parts = locator?.split(separator: " "), parts.count == 2, parts[0] == workspace else { return nil }
        return try await meeting(id: String(parts[1]), workspace: workspace)
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
    public func update(_ meeting: Meeting, fields: [String: String]) async throws(RedisError) -> Update {
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        var fields = fields
        // What a user wrote is not replaced by what is collected from the transcript.
        for name in ["participants", "languages"] where fields[name] != nil { fields["\(name)_by"] = "user" }
        let change = Scripts.UpdateMeeting(
            meetingKey: keys.partition.meeting(meeting.id), workspaceKey: keys.workspace,
            maxBytes: Self.maximumNoteBytes, defaultMaxBytes: session.configuration.defaultMaximumBytes,
            fields: fields.inOrder)
        switch try await session.run(change) {
        case .changed:
            return try await self.meeting(id: meeting.id, workspace: meeting.workspaceID)
                .map { .changed($0) } ?? .unknown
        case .unknownMeeting: return .unknown
        case .full: return .tooLarge
        case .workspaceFull: return .workspaceFull
        }
    }

    /// The workspace that a meeting belongs to, whichever it is.
    public func workspaceID(ofMeeting id: String) async throws(RedisError) -> String? {
        try await session.send(Command("GET", Keys.locator(meeting: id))).optionalString()
    }
}

extension Session {
    public var meetings: Meetings { Meetings(session: self) }
}
