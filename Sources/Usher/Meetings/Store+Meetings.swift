import EventLoop
import Redis
import Scripts

/// What a new meeting is made from.
public struct NewMeeting: Sendable {
    public var link: MeetingLink
    public var title: String?
    public var language: String?

    public init(link: MeetingLink, title: String? = nil, language: String? = nil) {
        self.link = link
        self.title = title
        self.language = language
    }
}

/// A meeting that was asked for, or why there is none.
public enum MeetingCreation: Sendable {
    case made(Meeting)
    case unknownWorkspace
    case refused(QuotaRefusal)

    public var made: Meeting? { if case .made(let meeting) = self { meeting } else { nil } }
}

extension Store {
    /// Makes a meeting in INITIAL, without a bot.
    /// - Parameter idempotencyKey: the request's, if it has one.
    /// - Returns: the meeting as it is, or that of an earlier request with the same idempotency key.
    public func createMeeting(
        _ new: NewMeeting, by caller: Caller, idempotencyKey: IdempotencyKey? = nil, deadline: MonotonicTime
    ) async throws(RedisError) -> MeetingCreation {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        let id = Identifier.hex()
        let known = try await names(of: new.link, in: keys, deadline: deadline)
        let room = known.room
        let (names, forgotten) = known.inheriting(try await namesOfLatest(in: room, keys, deadline: deadline))
        let number = try await newMeetingNumber(id, workspace: caller.workspaceID, deadline: deadline)
        var fields = [
            "workspace_id", caller.workspaceID, "platform", room.platform.rawValue, "native_meeting_id",
            room.nativeID, "meeting_url", new.link.url, "created_by", caller.userID,
        ]
        if !names.names.isEmpty { fields += ["names", RoomNames.text(names.names)] }
        if let passcode = new.link.passcode { fields += ["passcode", passcode] }
        if let title = new.title { fields += ["title", title] }
        if let language = new.language { fields += ["language", language] }
        // By the room as the request names it: what that means may be known better when the request comes again.
        let requestKey = idempotencyKey.map {
            keys.request(.meeting, of: new.link.room.description, by: caller.userID, $0)
        }
        let reply = try await run(
            Scripts.CreateMeeting.script,
            keys: [
                keys.workspace, keys.meetings, keys.latest(room), keys.partition.meeting(id), keys.partition.events,
                keys.held(room), keys.names,
            ] + (requestKey.map { [$0] } ?? []),
            arguments: [
                id, String(number), String(configuration.maximumEvents), "user \(caller.userID)",
                String(configuration.inFlightTimeToLiveMilliseconds), room.description, RoomNames.text(names.names),
                RoomNames.text(forgotten), String(configuration.defaultMaximumMeetings),
                String(configuration.defaultMaximumBytes),
            ] + fields,
            isChange: { $0.array?.first == .integer(1) }, by: deadline
        ).arrayOrThrow()
        switch (reply.first?.integer, reply.dropFirst().first) {
        case (1, _):
            return try await meeting(id: id, workspace: caller.workspaceID, deadline: deadline).map { .made($0) }
                ?? .unknownWorkspace
        case (2, .string(let earlier)):
            await forget(number, of: id, deadline: deadline)
            return .made(
                try await meeting(
                    ofEarlierRequest: requestKey, id: earlier, workspace: caller.workspaceID, deadline: deadline))
        case (0, _):
            await forget(number, of: id, deadline: deadline)
            return .unknownWorkspace
        case (-2, .integer(let limit)):
            await forget(number, of: id, deadline: deadline)
            return .refused(.meetings(limit: limit))
        case (-3, .integer(let limit)):
            await forget(number, of: id, deadline: deadline)
            return .refused(.bytes(limit: limit))
        default: throw .unexpectedReply("create_meeting returned \(reply)")
        }
    }

    /// What a room is called besides, by its newest meeting. Only MS Teams' rooms are.
    private func namesOfLatest(
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
        let reply = try await run(
            Scripts.UpdateMeeting.script, keys: [keys.partition.meeting(meeting.id), keys.workspace],
            arguments: [String(Self.maximumNoteBytes), String(configuration.defaultMaximumBytes)]
                + fields.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] },
            isChange: { $0 == .integer(1) }, by: deadline)
        switch reply {
        case .integer(1):
            return try await self.meeting(id: meeting.id, workspace: meeting.workspaceID, deadline: deadline)
                .map { .changed($0) } ?? .unknown
        case .integer(0): return .unknown
        case .integer(-1): return .tooLarge
        case .integer(-2): return .workspaceFull
        default: throw .unexpectedReply("update_meeting returned \(reply)")
        }
    }

    /// The workspace that a meeting belongs to, whichever it is.
    public func workspaceID(ofMeeting id: String, deadline: MonotonicTime) async throws(RedisError) -> String? {
        try await send(Command("GET", Keys.locator(meeting: id)), by: deadline).optionalString()
    }
}
