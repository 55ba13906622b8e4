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
    /// that opens nothing.
    /// - Returns: nil if `expiresAt` has passed.
    public func createAPIKey(
        _ new: NewAPIKey, deadline: MonotonicTime
    ) async throws(RedisError) -> (key: String, record: APIKey)? {
        let key = Identifier.apiKey()
        let hash = Digest.sha256(key)
        let id = Identifier.hex()
        let scopes = new.scopes.map(\.rawValue)
        var fields = [
            "id", id, "workspace_id", new.workspaceID, "user_id", String(new.userID), "scopes",
            scopes.joined(separator: " "),
        ]
        if let label = new.label { fields += ["label", label] }
        _ = try await pipeline(
            [
                Command("SET", Keys.apiKeyHash(id: id), hash),
                Command("HSET", WorkspaceKeys(workspace: new.workspaceID).apiKeys, id, hash),
            ], by: deadline)
        let createdAt = try await run(
            Scripts.createKey, keys: [Keys.apiKey(hash: hash)],
            arguments: [new.expiresAt.map { String($0) } ?? ""] + fields, by: deadline
        ).integerOrThrow()
        guard createdAt > 0 else {
            try await forgetAPIKey(id: id, workspace: new.workspaceID, deadline: deadline)
            return nil
        }
        let record = APIKey(
            id: id, workspaceID: new.workspaceID, userID: new.userID, scopes: scopes, label: new.label,
            createdAt: createdAt, expiresAt: new.expiresAt)
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
                // It has expired: Redis removed its record by itself.
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
        _ = try await send(Command("DEL", Keys.apiKey(hash: hash)), by: deadline)
        if let workspace = record["workspace_id"] {
            try await forgetAPIKey(id: id, workspace: workspace, deadline: deadline)
        }
        return !record.isEmpty
    }

    /// Removes what pointed to a key that is gone.
    private func forgetAPIKey(id: String, workspace: String, deadline: MonotonicTime) async throws(RedisError) {
        _ = try await pipeline(
            [
                Command("HDEL", WorkspaceKeys(workspace: workspace).apiKeys, id),
                Command("DEL", Keys.apiKeyHash(id: id)),
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
            label: hash["label"], createdAt: createdAt, expiresAt: hash["expires_at"].flatMap { Int($0) })
    }
}
