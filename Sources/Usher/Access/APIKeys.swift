import Redis
import Scripts

/// What a new API key is made from.
public struct NewAPIKey: Sendable {
    public var workspaceID: String
    public var userID: Int
    public var scopes: [Scope]
    public var label: String?
    /// Milliseconds since 1970.
    public var expiresAt: Int?
    /// The id of the key that it replaces.
    var rotatedFrom: String?

    public init(workspaceID: String, userID: Int, scopes: [Scope], label: String? = nil, expiresAt: Int? = nil) {
        self.workspaceID = workspaceID
        self.userID = userID
        self.scopes = scopes
        self.label = label
        self.expiresAt = expiresAt
    }
}

/// What came of making an API key.
public enum KeyCreation: Sendable {
    /// The key is told here and nowhere else.
    case created(key: String, record: APIKey)
    /// Its end has passed already.
    case expired
    /// The workspace has as many keys as it may have.
    case full

    public var made: (key: String, record: APIKey)? {
        if case .created(let key, let record) = self { (key, record) } else { nil }
    }
}

/// The API keys of workspaces.
public struct APIKeys: Sendable {
    let session: Session

    /// The most keys that a workspace may have.
    public static let maximum = 1_000
    /// Keys that are read at once: more would hold up everybody else.
    private static let keysAtOnce = 50
    /// Listed keys that each new one has looked at.
    private static let keysLookedAt = 10

    /// Makes an API key.
    ///
    /// The record that makes it work is written last: a call that stops half-way leaves a key that nobody knows and
    /// that opens nothing, but a key that works is always listed.
    public func create(_ new: NewAPIKey) async throws(RedisError) -> KeyCreation {
        try? await forgetSomeExpired(workspace: new.workspaceID)
        let key = Identifier.apiKey()
        let hash = Digest.sha256(key)
        let id = Identifier.hex()
        let scopes = new.scopes.map(\.rawValue)
        var fields = [
            "id", id, "workspace_id", new.workspaceID, "user_id", String(new.userID), "scopes",
            scopes.joined(separator: " "),
        ]
        if let label = new.label { fields += ["label", label] }
        if let rotatedFrom = new.rotatedFrom { fields += ["rotated_from", rotatedFrom] }
        try await noteMaking(id)
        // On replicas before the record, if those are waited for: in a Cluster they lie apart from it, and a key that
        // works must not lose what it is listed and revoked by.
        let list = WorkspaceKeys(workspace: new.workspaceID).apiKeys
        let replies = try await session.change(
            [Command("SET", Keys.apiKeyHash(id: id), hash), Command("HSET", list, id, hash), Command("HLEN", list)]
                + (new.expiresAt.map { [Self.expiry(ofPointerTo: id, at: $0)] } ?? []))
        // Counted with the new one in the list, so that of several at once too many are refused rather than made.
        if try replies[2].integerOrThrow() > Self.maximum,
            try await !hasRoomForListedKeys(workspace: new.workspaceID)
        {
            try await forgetAPIKeys([id], workspace: new.workspaceID)
            return .full
        }
        let creation = Scripts.CreateKey(recordKey: Keys.apiKey(hash: hash), expiresAt: new.expiresAt, fields: fields)
        guard case .created(let createdAt) = try await session.run(creation) else {
            try await forgetAPIKeys([id], workspace: new.workspaceID)
            return .expired
        }
        let record = APIKey(
            id: id, workspaceID: new.workspaceID, userID: new.userID, scopes: scopes, label: new.label,
            createdAt: createdAt, expiresAt: new.expiresAt, rotatedFrom: new.rotatedFrom)
        return .created(key: key, record: record)
    }

    /// Writes the record of a key that an export has, and what it is listed by before it. Repeating it changes nothing.
    /// - Returns: false if it has expired: then there is none.
    func restore(hash: String, fields: [String: String]) async throws(RedisError) -> Bool {
        let key = try APIKey(fields)
        let list = WorkspaceKeys(workspace: key.workspaceID).apiKeys
        try await noteMaking(key.id)
        _ = try await session.change(
            [Command("SET", Keys.apiKeyHash(id: key.id), hash), Command("HSET", list, key.id, hash)]
                + (key.expiresAt.map { [Self.expiry(ofPointerTo: key.id, at: $0)] } ?? []))
        var others = fields
        others["expires_at"] = nil
        let creation = Scripts.CreateKey(
            recordKey: Keys.apiKey(hash: hash), expiresAt: key.expiresAt, fields: others.inOrder)
        if case .created = try await session.run(creation) { return true }
        try await forgetAPIKeys([key.id], workspace: key.workspaceID)
        return false
    }

    /// For longer than a call may take: whoever lists meanwhile must not take what points to the key for a leftover.
    private func noteMaking(_ id: String) async throws(RedisError) {
        _ = try await session.send(Command("SET", Keys.apiKeyMaking(id: id), "1", "PX", "120000"))
    }

    /// Keys that have expired have left their entry in the workspace's list. Each new key has a few entries looked at, so
    /// that the list stays short, and yet making a key does not cost the more the more there are.
    private func forgetSomeExpired(workspace: String) async throws(RedisError) {
        let list = WorkspaceKeys(workspace: workspace).apiKeys
        let some = Command("HRANDFIELD", list, String(Self.keysLookedAt), "WITHVALUES")
        let entries = Array(try await session.send(some).hash())
        try await forgetExpired(of: entries[...], workspace: workspace)
    }

    /// - Parameter entries: of the workspace's list.
    private func forgetExpired(
        of entries: ArraySlice<(key: String, value: String)>, workspace: String
    ) async throws(RedisError) {
        let exist = try await session.pipeline(
            entries.map { Command("EXISTS", Keys.apiKey(hash: $0.value)) })
        let absent = zip(entries, exist).filter { $0.1 == .integer(0) }.map(\.0.key)
        try await forgetExpired(among: absent, workspace: workspace)
    }

    /// Whether all keys of a list that has become too long are still there.
    ///
    /// No more than twice as many are looked at as there may be: only lists that versions without a limit made are longer.
    private func hasRoomForListedKeys(workspace: String) async throws(RedisError) -> Bool {
        let list = WorkspaceKeys(workspace: workspace).apiKeys
        var cursor = "0"
        var looked = 0
        repeat {
            let (at, count) = (cursor, String(Self.keysAtOnce))
            (cursor, looked) = try await session.largeReads.turn(of: workspace) { () throws(RedisError) in
                let reply = try await session.send(Command("HSCAN", list, at, "COUNT", count)).arrayOrThrow()
                guard reply.count == 2 else { throw .unexpectedReply("HSCAN returned \(reply.count) parts") }
                let entries = Array(try reply[1].hash())
                try await forgetExpired(of: entries[...], workspace: workspace)
                return (try reply[0].stringOrThrow(), looked + entries.count)
            }
        } while cursor != "0" && looked < 2 * Self.maximum
        return try await session.send(Command("HLEN", list)).integerOrThrow() <= Self.maximum
    }

    /// The workspace's keys that work, the oldest first.
    public func all(workspace id: String) async throws(RedisError) -> [APIKey] {
        let index = try await session.send(Command("HGETALL", WorkspaceKeys(workspace: id).apiKeys)).hash()
        var rest = Array(index)[...]
        var keys: [APIKey] = []
        while !rest.isEmpty {
            let entries = rest.prefix(Self.keysAtOnce)
            rest = rest.dropFirst(Self.keysAtOnce)
            let replies = try await session.largeReads.turn(of: id) { () throws(RedisError) in
                try await session.replies(
                    to: entries.map { Command("HGETALL", Keys.apiKey(hash: $0.value)) })
            }
            var absent: [String] = []
            for (entry, reply) in zip(entries, replies) {
                if reply == .array([]) {
                    absent.append(entry.key)
                    continue
                }
                let key = try session.oddRecords.leavingOut(Keys.apiKeyHash(id: entry.key), reply) {
                    reply throws(RedisError) in
                    try APIKey(reply.hash())
                }
                if let key { keys.append(key) }
            }
            try await forgetExpired(among: absent, workspace: id)
        }
        return keys.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }

    /// - Returns: nil if there is no such key (any more).
    public func key(id: String) async throws(RedisError) -> APIKey? {
        let hash = try await session.send(Command("GET", Keys.apiKeyHash(id: id))).optionalString()
        guard let hash else { return nil }
        let record = try await session.send(Command("HGETALL", Keys.apiKey(hash: hash))).hash()
        return record.isEmpty ? nil : try APIKey(record)
    }

    /// - Parameter ids: of listed keys without a record: one that has expired, which Redis has removed by itself, or one
    ///   whose record is still to be written.
    private func forgetExpired(among ids: [String], workspace: String) async throws(RedisError) {
        let replies = try await session.pipeline(ids.map { Command("EXISTS", Keys.apiKeyMaking(id: $0)) })
        let gone = zip(ids, replies).filter { $0.1 == .integer(0) }.map(\.0)
        try await forgetAPIKeys(gone, workspace: workspace)
    }

    /// Revokes a key: from now on no request with it is served.
    /// - Returns: false if there is no such key.
    public func revoke(id: String) async throws(RedisError) -> Bool {
        let hash = try await session.send(Command("GET", Keys.apiKeyHash(id: id))).optionalString()
        guard let hash else { return false }
        let record = try await session.send(Command("HGETALL", Keys.apiKey(hash: hash))).hash()
        _ = try await session.change([Command("DEL", Keys.apiKey(hash: hash))])
        if let workspace = record["workspace_id"] {
            try await forgetAPIKeys([id], workspace: workspace)
        }
        return !record.isEmpty
    }

    /// Revokes all keys of a workspace.
    func revokeAll(workspace id: String) async throws(RedisError) {
        let list = WorkspaceKeys(workspace: id).apiKeys
        var rest = Array(try await session.send(Command("HGETALL", list)).hash())[...]
        while !rest.isEmpty {
            let entries = rest.prefix(Self.keysAtOnce)
            rest = rest.dropFirst(Self.keysAtOnce)
            let replies = try await session.change(entries.map { Command("DEL", Keys.apiKey(hash: $0.value)) })
            let revoked = zip(entries, replies).filter { $0.1 == .integer(1) }.map(\.0.key)
            try await forgetAPIKeys(revoked, workspace: id)
            // One that is being made stays listed until its record is there.
            try await forgetExpired(among: entries.map(\.key).filter { !revoked.contains($0) }, workspace: id)
        }
    }

    /// Replaces a key by a new one, with the same rights, label and end. The old one stays valid for a while; where two
    /// do this at once, one of them does.
    ///
    /// The new key works before the old one's end is set: a call that stops half-way leaves the old key as it was, and
    /// maybe a new one that nobody knows, which is listed.
    /// - Parameter isKept: gets the new key before the old one's end is set; if it returns false, the old one stays as it
    ///   was and the new one is revoked.
    /// - Returns: the new key, shown here and nowhere else; or why there is none.
    public func rotate(
        id: String, graceMilliseconds: Int,
        ifKept isKept: @Sendable (_ key: String, _ record: APIKey) -> Bool = { _, _ in true }
    ) async throws(RedisError) -> Rotation {
        let hash = try await session.send(Command("GET", Keys.apiKeyHash(id: id))).optionalString()
        guard let hash else { return .unknown }
        let fields = try await session.send(Command("HGETALL", Keys.apiKey(hash: hash))).hash()
        guard !fields.isEmpty else { return .unknown }
        let old = try APIKey(fields)
        if let successor = old.rotatedTo { return .rotatedAlready(to: successor) }
        var new = NewAPIKey(
            workspaceID: old.workspaceID, userID: old.userID, scopes: old.scopes.compactMap(Scope.init(rawValue:)),
            label: old.label, expiresAt: old.expiresAt)
        new.rotatedFrom = id
        let made: (key: String, record: APIKey)
        switch try await create(new) {
        case .created(let key, let record): made = (key, record)
        case .expired: return .unknown
        case .full: return .full(workspace: old.workspaceID)
        }
        guard isKept(made.key, made.record) else {
            _ = try await revoke(id: made.record.id)
            return .notKept
        }
        let retirement = Scripts.RetireKey(
            recordKey: Keys.apiKey(hash: hash), successor: made.record.id, graceMilliseconds: graceMilliseconds)
        let rotation: Rotation
        switch try await session.run(retirement) {
        case .retired(let end):
            // Should this fail, the next key that is made or listed does it.
            _ = try? await session.send(Self.expiry(ofPointerTo: id, at: end))
            return .rotated(key: made.key, record: made.record)
        case .unknownKey: rotation = .unknown
        case .retiredBefore(let successor): rotation = .rotatedAlready(to: successor)
        }
        // Somebody else was faster.
        _ = try await revoke(id: made.record.id)
        return rotation
    }

    /// What came of a rotation.
    public enum Rotation: Sendable {
        case rotated(key: String, record: APIKey)
        /// There is no such key (any more).
        case unknown
        case rotatedAlready(to: String)
        /// The new key was not wanted, and is revoked.
        case notKept
        /// The workspace has as many keys as it may have.
        case full(workspace: String)
    }

    /// What leads to a key by its id ends together with it, by Redis' own clock too.
    private static func expiry(ofPointerTo id: String, at milliseconds: Int) -> Command {
        Command("PEXPIREAT", Keys.apiKeyHash(id: id), String(milliseconds))
    }

    /// Removes what pointed to keys that are gone.
    private func forgetAPIKeys(_ ids: [String], workspace: String) async throws(RedisError) {
        guard !ids.isEmpty else { return }
        let list = WorkspaceKeys(workspace: workspace).apiKeys
        _ = try await session.pipeline(
            [Command(words: ["HDEL", list] + ids)]
                + ids.flatMap { [Command("DEL", Keys.apiKeyHash(id: $0)), Command("DEL", Keys.apiKeyMaking(id: $0))] })
    }
}

extension Session {
    public var apiKeys: APIKeys { APIKeys(session: self) }
}

extension APIKey {
    init(_ hash: [String: String]) throws(RedisError) {
        guard let id = hash["id"], let workspace = hash["workspace_id"],
            let user = hash["user_id"].flatMap({ Int($0) }),
            let scopes = hash["scopes"], let createdAt = hash["created_at"].flatMap({ Int($0) })
        else { throw .unexpectedReply("an API key's record lacks a field: \(hash.keys.sorted())") }
        self.init(
            id: id, workspaceID: workspace, userID: user, scopes: scopes.split(separator: " ").map(String.init),
            label: hash["label"], createdAt: createdAt, expiresAt: hash["expires_at"].flatMap { Int($0) },
            lastUsedAt: hash["last_used_at"].flatMap { Int($0) }, rotatedFrom: hash["rotated_from"],
            rotatedTo: hash["rotated_to"])
    }
}
