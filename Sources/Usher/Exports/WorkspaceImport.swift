import Redis
import Scripts

/// Why an import is refused, or stopped. What was written until then is of no use to anybody, and the same import goes on
/// with it.
public enum ImportRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case workspaceTaken(String)
    /// It was removed, and something is left of it still.
    case removing(String)
    /// Another import of it was interrupted.
    case otherImport(String)
    case numberTaken(Int)
    /// Of a user or meeting.
    case numberTooHigh(Int)
    case meetingTaken(String)
    case tooMany(String, Int)
    case userTaken(Int)
    case emailTaken(user: Int)
    case keyTaken(String)
    case notYours

    public var description: String {
        switch self {
        case .workspaceTaken(let id):
            "The workspace \(id) is there already. An import makes a workspace, and changes none: name another Redis."
        case .removing(let id):
            "The workspace \(id) was removed there, and something is left of it still: try again in some minutes."
        case .otherImport(let id):
            "An import of the workspace \(id) from another file was interrupted: run that again, with that file, or remove the "
                + "workspace."
        case .numberTaken(let number):
            "There is another meeting with the number \(number). Meetings keep their numbers: import into a deployment where "
                + "those are free, such as a new one."
        case .numberTooHigh(let number):
            "The number \(number) is so high that too few would be left for new users and meetings: no deployment gives such."
        case .meetingTaken(let id): "The meeting \(id) is another workspace's there."
        case .tooMany(let list, let most): "The export has more than \(most) \(list), which no workspace has."
        case .userTaken(let id):
            "There is another user with the id \(id), who has another email. Users keep their ids: import into a deployment "
                + "where those are free, such as a new one."
        case .emailTaken(let id):
            "The email of user \(id) is that of a user with another id there. Users keep their ids: import into a deployment "
                + "that does not know it, such as a new one."
        case .keyTaken(let id): "The API key \(id) is there already, for another workspace."
        case .notYours: "Another import of the workspace has taken over, or has ended it: this one has stopped."
        }
    }
}

/// Writes what an export has of a workspace, with the same ids, for `usher import`. Until `end` the workspace is not whole:
/// keys are written last, so that nobody gets in before. Every step is safe to repeat.
public struct WorkspaceImport {
    private let store: Store
    private let keys: WorkspaceKeys
    /// Which export it is.
    private let export: String
    /// Another run, of the same export, takes over: one at a time writes.
    private let run = Identifier.hex()
    /// The meeting whose segments are being written, and whether it was imported before.
    private var current: (meeting: String, isKnown: Bool)?

    public init(of workspace: String, from export: String, into store: Store) {
        self.store = store
        self.export = export
        keys = WorkspaceKeys(workspace: workspace)
    }

    private var importing: String { "\(export) \(run)" }
    private var session: Session { store.session(milliseconds: WorkspaceExport.stepMilliseconds) }

    /// Has users and meetings that are made from now on other numbers.
    public func begin(afterUser user: Int, meeting: Int) async throws(RedisError) {
        for (sequence, number) in [(Keys.userSequence, user), (Keys.meetingSequence, meeting)] {
            _ = try await session.run(Scripts.RaiseSequence(sequenceKey: sequence, number: number))
        }
    }

    /// - Parameter record: one that has no problem.
    /// - Throws: `ImportRefusal`, `RedisError`.
    public mutating func write(_ record: ExportedRecord) async throws {
        switch record.kind {
        case .workspace: try await write(workspace: record)
        case .user: try await write(user: record)
        case .webhook:
            try await write(
                record.fields, to: keys.webhook(record.id).webhook, listedIn: keys.webhooks, as: record)
        case .names: try await write(record.fields, to: keys.names)
        case .segments, .leftOut: try await write(segments: record)
        case .meeting: try await write(meeting: record)
        case .occurrences:
            if try await !isKnown(calendar: record.id) {
                try await write(record.fields, to: keys.calendar(record.id).planned)
            }
        case .calendar: try await write(calendar: record)
        case .plan: try await write(plan: record)
        case .key:
            // In a slot of its own, so not by one step; but none long after another run has taken over, or ended it.
            try await checkIsMine()
            _ = try await session.apiKeys.restore(hash: record.id, fields: record.fields)
        }
    }

    /// All of it is there.
    public func end() async throws {
        try await checkIsMine()
        _ = try await session.change([
            Command("HDEL", keys.workspace, "importing"), Workspaces.listing(keys.id),
        ])
    }

    private func checkIsMine() async throws {
        let writer = try await session.send(Command("HGET", keys.workspace, "importing")).optionalString()
        guard writer == importing else { throw ImportRefusal.notYours }
    }

    // MARK: Records

    private func write(workspace record: ExportedRecord) async throws {
        let call = Scripts.BeginImport(
            workspaceKey: keys.workspace, removingKey: keys.partition.removing, removedKey: keys.partition.removed,
            workspaceID: keys.id, export: export, run: run,
            lateMilliseconds: Workspaces.lateMilliseconds, fields: record.fields.inOrder)
        switch try await session.run(call) {
        case .begun, .goesOn: return
        case .taken: throw ImportRefusal.workspaceTaken(record.id)
        case .removing: throw ImportRefusal.removing(record.id)
        }
    }

    private func write(user record: ExportedRecord) async throws {
        guard let id = Int(record.id), let email = record.fields["email"] else { return }
        guard try await session.users.restore(id, email: email, fields: record.fields) else {
            throw ImportRefusal.userTaken(id)
        }
        if let role = record.with["role"] { try await write([record.id: role], to: keys.members) }
    }

    /// - Parameters:
    ///   - isAnew: whether what is there goes first.
    ///   - list: the zset that has it by the time at which it was made.
    private func write(
        _ fields: [String: String], to key: String, isAnew: Bool = false, listedIn list: String? = nil,
        as record: ExportedRecord? = nil
    ) async throws {
        let madeAt = record?.fields["created_at"].flatMap { Int($0) }
        let call = Scripts.ImportFields(
            workspaceKey: keys.workspace, recordKey: key, listKey: list, importing: importing, isAnew: isAnew,
            member: record?.id, madeAt: madeAt, fields: fields.inOrder)
        if try await session.run(call) == .notYours { throw ImportRefusal.notYours }
    }

    private func write(calendar record: ExportedRecord) async throws {
        if try await !isKnown(calendar: record.id) {
            let list = keys.calendars(of: record.fields["user_id"] ?? "")
            try await write(record.fields, to: keys.calendar(record.id).calendar, listedIn: list, as: record)
        }
        // Its feed is read at once.
        let now = try await session.time()
        _ = try await session.change([
            Command("ZADD", keys.partition.calendars, "NX", String(now), keys.member(record.id))
        ])
    }

    /// Whether it was written before: what nodes have noted of it since stays.
    private func isKnown(calendar id: String) async throws(RedisError) -> Bool {
        try await session.send(Command("EXISTS", keys.calendar(id).calendar)) == .integer(1)
    }

    // MARK: Meetings

    private mutating func write(segments record: ExportedRecord) async throws {
        let isNext = current?.meeting != record.id
        if isNext {
            let reply = try await session.send(Command("EXISTS", keys.partition.meeting(record.id)))
            current = (record.id, reply == .integer(1))
        }
        guard current?.isKnown == false else { return }
        // What an import that was interrupted has written counts no more, nor what was read before a change.
        let isAnew = isNext || record.with["first"] != nil || record.kind == .leftOut
        try await write(record.fields, to: keys.partition.segments(ofMeeting: record.id), isAnew: isAnew)
    }

    private func write(meeting record: ExportedRecord) async throws {
        let meeting = try Meeting(record.fields)
        let locator = "\(keys.id) \(meeting.id)"
        let numbered = Keys.locator(number: meeting.number)
        let replies = try await session.change([
            Command("SET", numbered, locator, "NX"), Command("GET", numbered),
            Command("SET", Keys.locator(meeting: meeting.id), keys.id),
        ])
        guard replies[1] == .string(locator) else { throw ImportRefusal.numberTaken(meeting.number) }
        let partition = keys.partition
        func time(_ name: String) -> Int? { record.with[name].flatMap { Int($0) } }
        let call = Scripts.ImportMeeting(
            workspaceKey: keys.workspace, meetingsKey: keys.meetings, latestKey: keys.latest(meeting.room),
            heldKey: keys.held(meeting.room), meetingKey: partition.meeting(meeting.id), eventsKey: partition.events,
            endedKey: partition.ended, analyzingKey: partition.analyzing, importing: importing, meetingID: meeting.id,
            number: meeting.number, isHeld: record.with["held"] != nil, endedAt: time("ended_at"),
            analyzingAt: time("analyzing_at"), eventCount: record.events.count,
            values: record.events.flatMap(\.self) + record.fields.inOrder)
        if try await session.run(call) == .notYours { throw ImportRefusal.notYours }
    }

    private func write(plan record: ExportedRecord) async throws {
        let key = keys.partition.meeting(record.id)
        let room = try await session.send(Command("HMGET", key, "platform", "native_meeting_id")).arrayOrThrow()
        guard let platform = room[0].string.flatMap(Platform.init), let native = room[1].string,
            let due = record.with["due"].flatMap({ Int($0) })
        else { return }
        let call = Scripts.ImportPlan(
            workspaceKey: keys.workspace, meetingKey: key, plansKey: keys.partition.plans,
            plannedKey: keys.planned(Room(platform: platform, nativeID: native)), importing: importing,
            meetingID: record.id, plan: keys.member(record.id), due: due)
        if try await session.run(call) == .notYours { throw ImportRefusal.notYours }
    }
}
