import EventLoop
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

extension Store {
    /// Makes an API key. The key is returned here and nowhere else.
    ///
    /// The record that makes it work is written last: a call that stops half-way leaves a key that nobody knows and
    /// that opens nothing, but a key that works is always listed.
    /// - Returns: nil if `expiresAt` has passed.
    public func createAPIKey(
        _ new: NewAPIKey, deadline: MonotonicTime
    ) async throws(RedisError) -> (key: String, record: APIKey)? {
        // Keys that have expired since one was made or listed have left their entry in the workspace's list.
        _ = try? await apiKeys(workspace: new.workspaceID, deadline: deadline)
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
        // Longer than a call may take: whoever lists meanwhile must not take what points to the key for a leftover.
        _ = try await send(Command("SET", Keys.apiKeyMaking(id: id), "1", "PX", "120000"), by: deadline)
        // On replicas before the record, if those are waited for: in a Cluster they lie apart from it, and a key that
        // works must not lose what it is listed and revoked by.
        _ = try await change(
            [
                Command("SET", Keys.apiKeyHash(id: id), hash),
                Command("HSET", WorkspaceKeys(workspace: new.workspaceID).apiKeys, id, hash),
            ] + (new.expiresAt.map { [Self.expiry(ofPointerTo: id, at: $0)] } ?? []), by: deadline)
        let createdAt = try await run(
            Scripts.createKey, keys: [Keys.apiKey(hash: hash)],
            arguments: [new.expiresAt.map { String($0) } ?? ""] + fields, isChange: { $0 != .integer(0) }, by: deadline
        ).integerOrThrow()
        guard createdAt > 0 else {
            try await forgetAPIKey(id: id, workspace: new.workspaceID, deadline: deadline)
            return nil
        }
        let record = APIKey(
            id: id, workspaceID: new.workspaceID, userID: new.userID, scopes: scopes, label: new.label,
            createdAt: createdAt, expiresAt: new.expiresAt, rotatedFrom: new.rotatedFrom)
        return (key, record)
    }

    /// The workspace's keys that work, the oldest first.
    public func apiKeys(workspace id: String, deadline: MonotonicTime) async throws(RedisError) -> [APIKey] {
        let index = try await send(Command("HGETALL", WorkspaceKeys(workspace: id).apiKeys), by: deadline).hash()
        guard !index.isEmpty else { return [] }
        let entries = Array(index)
        let replies = try await pipeline(
            entries.map { Command("HGETALL", Keys.apiKey(hash: $0.value)) }, by: deadline)
        var keys: [APIKey] = []
        for (entry, reply) in zip(entries, replies) {
            let hash = try reply.hash()
            if hash.isEmpty {
                // It has expired, and Redis removed its record by itself; or the record is still to be written.
                let isBeingMade = Command("EXISTS", Keys.apiKeyMaking(id: entry.key))
                guard try await send(isBeingMade, by: deadline) == .integer(0) else { continue }
                try await forgetAPIKey(id: entry.key, workspace: id, deadline: deadline)
            } else {
                keys.append(try APIKey(hash))
            }
        }
        return keys.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }

    /// Revokes a key: from now on no request with it is served.
    /// - Returns: false if there is no such key.
    public func revokeAPIKey(id: String, deadline: MonotonicTime) async throws(RedisError) -> Bool {
        let hash = try await send(Command("GET", Keys.apiKeyHash(id: id)), by: deadline).optionalString()
        guard let hash else { return false }
        let record = try await send(Command("HGETALL", Keys.apiKey(hash: hash)), by: deadline).hash()
        _ = try await change([Command("DEL", Keys.apiKey(hash: hash))], by: deadline)
        if let workspace = record["workspace_id"] {
            try await forgetAPIKey(id: id, workspace: workspace, deadline: deadline)
        }
        return !record.isEmpty
    }

    /// Replaces a key by a new one, with the same rights, label and end. The old one stays valid for a while; where two
    /// do this at once, one of them does.
    ///
    /// The new key works before the old one's end is set: a call that stops half-way leaves the old key as it was, and
    /// maybe a new one that nobody knows, which is listed.
    /// - Parameter isKept: gets the new key before the old one's end is set; if it returns false, the old one stays as it
    ///   was and the new one is revoked.
    /// - Returns: the new key, shown here and nowhere else; or why there is none.
    public func rotateAPIKey(
        id: String, graceMilliseconds: Int, deadline: MonotonicTime,
        ifKept isKept: @Sendable (_ key: String, _ record: APIKey) -> Bool = { _, _ in true }
    ) async throws(RedisError) -> Rotation {
        let hash = try await send(Command("GET", Keys.apiKeyHash(id: id)), by: deadline).optionalString()
        guard let hash else { return .unknown }
        let fields = try await send(Command("HGETALL", Keys.apiKey(hash: hash)), by: deadline).hash()
        guard !fields.isEmpty else { return .unknown }
        let old = try APIKey(fields)
        if let successor = old.rotatedTo { return .rotatedAlready(to: successor) }
        var new = NewAPIKey(
            workspaceID: old.workspaceID, userID: old.userID, scopes: old.scopes.compactMap(Scope.init(rawValue:)),
            label: old.label, expiresAt: old.expiresAt)
        new.rotatedFrom = id
        guard let made = try await createAPIKey(new, deadline: deadline) else { return .unknown }
        guard isKept(made.key, made.record) else {
            _ = try await revokeAPIKey(id: made.record.id, deadline: deadline)
            return .notKept
        }
        let outcome = try await run(
            Scripts.retireKey, keys: [Keys.apiKey(hash: hash)],
            arguments: [made.record.id, String(graceMilliseconds)], isChange: { $0.array?.first == .integer(1) },
            by: deadline
        ).arrayOrThrow()
        if outcome.first == .integer(1) {
            // Should this fail, the next key that is made or listed does it.
            if let end = outcome.last?.integer {
                _ = try? await send(Self.expiry(ofPointerTo: id, at: end), by: deadline)
            }
            return .rotated(key: made.key, record: made.record)
        }
        // Somebody else was faster.
        _ = try await revokeAPIKey(id: made.record.id, deadline: deadline)
        return outcome.last?.string.map { .rotatedAlready(to: $0) } ?? .unknown
    }

    /// What came of a rotation.
    public enum Rotation: Sendable {
        case rotated(key: String, record: APIKey)
        /// There is no such key (any more).
        case unknown
        case rotatedAlready(to: String)
        /// The new key was not wanted, and is revoked.
        case notKept
    }

    /// What leads to a key by its id ends together with it, by Redis' own clock too.
    private static func expiry(ofPointerTo id: String, at milliseconds: Int) -> Command {
        Command("PEXPIREAT", Keys.apiKeyHash(id: id), String(milliseconds))
    }

    /// Removes what pointed to a key that is gone.
    private func forgetAPIKey(id: String, workspace: String, deadline: MonotonicTime) async throws(RedisError) {
        _ = try await pipeline(
            [
                Command("HDEL", WorkspaceKeys(workspace: workspace).apiKeys, id),
                Command("DEL", Keys.apiKeyHash(id: id)), Command("DEL", Keys.apiKeyMaking(id: id)),
            ], by: deadline)
    }
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
