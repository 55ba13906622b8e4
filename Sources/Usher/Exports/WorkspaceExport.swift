import Redis

/// Reads all that a workspace has, a bounded part at a time, for `usher export`. It changes nothing, and nodes may go on:
/// a meeting is exported as it is at one moment, and each at one of its own.
public struct WorkspaceExport: Sendable {
    /// For one part.
    static let stepMilliseconds = 60_000
    private static let recordsAtOnce = 50
    private static let meetingsAtOnce = 100
    /// Fields of a hash of unknown length that stand in one record.
    static let fieldsAtOnce = 100

    let store: Store
    let keys: WorkspaceKeys
    let skipsRunning: Bool

    /// - Parameters:
    ///   - store: with the archive, if the workspace has any there.
    ///   - skipsRunning: whether meetings that have a bot are left out; else they are refused.
    public init(of workspace: String, in store: Store, skipsRunning: Bool) {
        self.store = store
        self.skipsRunning = skipsRunning
        keys = WorkspaceKeys(workspace: workspace)
    }

    var session: Session { store.session(milliseconds: Self.stepMilliseconds) }
    var workspaceID: String { keys.id }

    /// - Parameter take: gets each record, in the order of an export.
    /// - Throws: `ExportRefusal`, before there is any record where that can be known; `RedisError`, `ArchiveFault`, what
    ///   `take` throws.
    public func records(_ take: (ExportedRecord) async throws -> Void) async throws {
        var fields = try await session.send(Command("HGETALL", keys.workspace)).hash()
        guard !fields.isEmpty else { throw ExportRefusal.unknownWorkspace(workspaceID) }
        guard fields["importing"] == nil else { throw ExportRefusal.halfImported(workspaceID) }
        // What meetings take is counted where they are imported.
        fields["bytes"] = nil
        let roles = try await session.send(Command("HGETALL", keys.members)).hash()
        let users = try await creators().union(roles.keys.compactMap { Int($0) })
        try await give(ExportedRecord(.workspace, id: workspaceID, fields: fields), take)
        try await give(users: users.sorted(), roles: roles, take)
        try await giveWebhooks(take)
        try await give(listAt: keys.names, as: .names, id: "", take)
        for plan in try await giveMeetings(take) { try await give(plan, take) }
        try await giveCalendars(of: roles.keys.sorted(), take)
        try await giveKeys(of: roles, take)
    }

    /// Nothing that could not be imported is exported.
    func give(_ record: ExportedRecord, _ take: (ExportedRecord) async throws -> Void) async throws {
        if let problem = record.problem(in: workspaceID) {
            throw ExportRefusal.odd("What Redis has of the \(record.kind.rawValue) \(record.id) \(problem)")
        }
        try await take(record)
    }

    // MARK: Meetings

    /// The next meetings, the oldest first.
    private func meetings(after number: Int) async throws(RedisError) -> [(id: String, number: Int)] {
        let page = try await session.send(
            Command(
                "ZRANGEBYSCORE", keys.meetings, "(\(number)", "+inf", "WITHSCORES", "LIMIT", "0",
                String(Self.meetingsAtOnce))
        ).arrayOrThrow().compactMap(\.string)
        return stride(from: 0, to: page.count - 1, by: 2).compactMap { index in
            Int(page[index + 1]).map { (page[index], $0) }
        }
    }

    /// Those who made a meeting: their ids are to be nobody else's. And whether all meetings can be exported.
    private func creators() async throws -> Set<Int> {
        var creators: Set<Int> = []
        var last = 0
        while true {
            let page = try await meetings(after: last)
            guard let end = page.last else { return creators }
            last = end.number
            let replies = try await session.replies(
                to: page.map {
                    Command("HMGET", keys.partition.meeting($0.id), "created_by", "bot_status", "archived")
                })
            for (meeting, reply) in zip(page, replies) {
                guard case .array(let values) = reply, values.count == 3 else { continue }
                if let user = values[0].string.flatMap({ Int($0) }) { creators.insert(user) }
                let isRunning = values[1].string.flatMap(BotStatus.init)?.isRunning ?? false
                if isRunning, !skipsRunning { throw ExportRefusal.running(number: meeting.number) }
                let object = values[2].string.flatMap {
                    ArchivedObject($0, workspaceID: workspaceID, meetingID: meeting.id)
                }
                if let object, !object.name.isKept, store.archive?.isElsewhere != true {
                    throw ExportRefusal.archiveNeeded(number: meeting.number)
                }
            }
        }
    }

    /// - Returns: the plans among them.
    private func giveMeetings(_ take: (ExportedRecord) async throws -> Void) async throws -> [ExportedRecord] {
        var plans: [ExportedRecord] = []
        var last = 0
        while true {
            let page = try await meetings(after: last)
            guard let end = page.last else { return plans }
            last = end.number
            for meeting in page {
                if let due = try await give(meeting: meeting.id, number: meeting.number, take) {
                    plans.append(ExportedRecord(.plan, id: meeting.id, with: ["due": due]))
                }
            }
        }
    }

    // MARK: The rest

    /// - Parameter roles: of those who are members.
    private func give(
        users: [Int], roles: [String: String], _ take: (ExportedRecord) async throws -> Void
    ) async throws {
        for page in stride(from: 0, to: users.count, by: Self.recordsAtOnce) {
            let ids = users[page..<min(page + Self.recordsAtOnce, users.count)]
            let records = try await session.pipeline(ids.map { Command("HGETALL", Keys.user($0)) })
            for (id, record) in zip(ids, records) {
                let fields = try record.hash()
                guard !fields.isEmpty else { continue }
                let with = roles[String(id)].map { ["role": $0] } ?? [:]
                try await give(ExportedRecord(.user, id: String(id), with: with, fields: fields), take)
            }
        }
    }

    private func giveWebhooks(_ take: (ExportedRecord) async throws -> Void) async throws {
        let ids = try await session.send(Command("ZRANGE", keys.webhooks, "0", "-1")).arrayOrThrow()
        for id in ids.compactMap(\.string) {
            let fields = try await session.send(Command("HGETALL", keys.webhook(id).webhook)).hash()
            if !fields.isEmpty { try await give(ExportedRecord(.webhook, id: id, fields: fields), take) }
        }
    }

    private func giveCalendars(of users: [String], _ take: (ExportedRecord) async throws -> Void) async throws {
        for user in users {
            let ids = try await session.send(Command("ZRANGE", keys.calendars(of: user), "0", "-1")).arrayOrThrow()
            for id in ids.compactMap(\.string) {
                var fields = try await session.send(Command("HGETALL", keys.calendar(id).calendar)).hash()
                guard !fields.isEmpty else { continue }
                for name in ["lease_end", "again"] { fields[name] = nil }
                try await give(listAt: keys.calendar(id).planned, as: .occurrences, id: id, take)
                try await give(ExportedRecord(.calendar, id: id, fields: fields), take)
            }
        }
    }

    /// The fields of a hash of any length.
    private func give(
        listAt key: String, as kind: ExportedRecord.Kind, id: String, _ take: (ExportedRecord) async throws -> Void
    ) async throws {
        var cursor = "0"
        repeat {
            let reply = try await session.send(
                Command("HSCAN", key, cursor, "COUNT", String(Self.fieldsAtOnce))
            ).arrayOrThrow()
            guard reply.count == 2 else { throw RedisError.unexpectedReply("HSCAN returned \(reply.count) parts") }
            cursor = try reply[0].stringOrThrow()
            let words = try reply[1].arrayOrThrow().map { value throws(RedisError) in try value.stringOrThrow() }
            var fields: [String: String] = [:]
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                // Texts that differ by their bytes alone are one to Swift: they go into another record.
                if fields.count == Self.fieldsAtOnce || fields[words[index]] != nil {
                    try await give(ExportedRecord(kind, id: id, fields: fields), take)
                    fields = [:]
                }
                fields[words[index]] = words[index + 1]
            }
            if !fields.isEmpty { try await give(ExportedRecord(kind, id: id, fields: fields), take) }
        } while cursor != "0"
    }

    /// Keys of who is no member open nothing.
    private func giveKeys(
        of roles: [String: String], _ take: (ExportedRecord) async throws -> Void
    ) async throws {
        let hashes = try await session.send(Command("HGETALL", keys.apiKeys)).hash().values.sorted()
        for hash in hashes {
            let fields = try await session.send(Command("HGETALL", Keys.apiKey(hash: hash))).hash()
            guard let user = fields["user_id"], roles[user] != nil else { continue }
            try await give(ExportedRecord(.key, id: hash, fields: fields), take)
        }
    }
}
