import Redis

/// Looks, before anything is written, for what an import cannot be reconciled with.
public struct ImportCheck {
    private static let recordsAtOnce = 100
    /// The fields that tell whether something is another one's.
    private static let asked: Set = ["id", "number", "email"]

    /// New users and meetings get numbers above all that are taken, and have to be left many: beyond 2^53 they are no more
    /// told apart.
    private static let maximumNumber = 1 << 52

    private let store: Store
    private let workspace: String
    private let export: String
    private var waiting: [ExportedRecord] = []
    /// How long the lists are that are read as a whole.
    private var counts: [String: Int] = [:]
    /// The highest that are taken by it.
    public private(set) var highestUser = 0
    public private(set) var highestNumber = 0

    public init(of workspace: String, from export: String, in store: Store) {
        (self.store, self.workspace, self.export) = (store, workspace, export)
    }

    /// - Throws: `ImportRefusal`, `RedisError`.
    public mutating func look(at record: ExportedRecord) async throws {
        try count(record)
        switch record.kind {
        case .user: try Self.raise(&highestUser, to: Int(record.id) ?? 0)
        case .meeting:
            try Self.raise(&highestNumber, to: number(of: record))
            // Also of one who was removed since, so that a new user is not taken for that one.
            try Self.raise(&highestUser, to: record.fields["created_by"].flatMap { Int($0) } ?? 0)
        case .workspace, .key: break
        default: return
        }
        // All else may be long.
        let asked = record.fields.filter { Self.asked.contains($0.key) }
        waiting.append(ExportedRecord(record.kind, id: record.id, fields: asked))
        if waiting.count >= Self.recordsAtOnce { try await end() }
    }

    private mutating func count(_ record: ExportedRecord) throws(ImportRefusal) {
        let (list, most): (String, Int)
        switch record.kind {
        case .user where record.with["role"] != nil: (list, most) = ("members", Workspaces.maximumMembers)
        case .webhook: (list, most) = ("webhooks", Webhook.maximum)
        case .calendar: (list, most) = ("calendars of user \(record.fields["user_id"] ?? "")", FeedCalendar.maximum)
        case .key: (list, most) = ("API keys", APIKeys.maximum)
        default: return
        }
        counts[list, default: 0] += 1
        guard counts[list, default: 0] <= most else { throw .tooMany(list, most) }
    }

    private static func raise(_ highest: inout Int, to number: Int) throws(ImportRefusal) {
        guard number <= maximumNumber else { throw .numberTooHigh(number) }
        highest = max(highest, number)
    }

    /// Looks at the last ones.
    public mutating func end() async throws {
        let records = waiting
        waiting = []
        guard !records.isEmpty else { return }
        let session = store.session(milliseconds: WorkspaceExport.stepMilliseconds)
        let questions = records.map(questions)
        var answers = try await session.pipeline(questions.flatMap(\.self))[...]
        for (record, asked) in zip(records, questions) {
            let own = answers.prefix(asked.count).map(\.string)
            answers = answers.dropFirst(asked.count)
            if let refusal = refusal(of: record, own) { throw refusal }
        }
    }

    private func questions(_ record: ExportedRecord) -> [Command] {
        switch record.kind {
        case .workspace:
            let keys = WorkspaceKeys(workspace: workspace)
            return [
                Command("HGET", keys.workspace, "importing"), Command("HGET", keys.workspace, "id"),
                Command("ZSCORE", keys.partition.removing, workspace),
            ]
        case .user:
            return [
                Command("HGET", Keys.user(Int(record.id) ?? 0), "email"),
                Command("GET", Keys.userID(email: record.fields["email"] ?? "")),
            ]
        case .meeting:
            return [
                Command("GET", Keys.locator(number: number(of: record))),
                Command("GET", Keys.locator(meeting: record.id)),
            ]
        default:
            let key = Keys.apiKey(hash: record.id)
            return [Command("HGET", key, "workspace_id"), Command("HGET", key, "id")]
        }
    }

    private func refusal(of record: ExportedRecord, _ found: [String?]) -> ImportRefusal? {
        func isOther(_ index: Int, than own: String?) -> Bool { found[index].map { $0 != own } ?? false }
        switch record.kind {
        case .workspace:
            if let importing = found[0], !importing.hasPrefix("\(export) ") { return .otherImport(workspace) }
            if found[2] != nil { return .removing(workspace) }
            return found[0] == nil && found[1] != nil ? .workspaceTaken(workspace) : nil
        case .user:
            let id = Int(record.id) ?? 0
            if isOther(0, than: record.fields["email"]) { return .userTaken(id) }
            return isOther(1, than: record.id) ? .emailTaken(user: id) : nil
        case .meeting:
            if isOther(0, than: "\(workspace) \(record.id)") { return .numberTaken(number(of: record)) }
            return isOther(1, than: workspace) ? .meetingTaken(record.id) : nil
        default:
            let isTaken = isOther(0, than: workspace) || isOther(1, than: record.fields["id"])
            return isTaken ? .keyTaken(record.fields["id"] ?? "") : nil
        }
    }

    private func number(of record: ExportedRecord) -> Int { record.fields["number"].flatMap { Int($0) } ?? 0 }
}
