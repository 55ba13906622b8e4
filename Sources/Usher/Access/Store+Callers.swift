import EventLoop
import Redis

extension Store {
    /// The record of an API key: nil if there is none, because it never was, has expired or was revoked. Read from
    /// Redis at every request, so that a revocation counts from the next one on.
    public func caller(apiKey: String, deadline: MonotonicTime) async throws(RedisError) -> Caller? {
        try await caller(apiKey: apiKey, deadline: deadline) { _ in [] }.caller
    }

    /// The same, with the replies to further commands in the same exchange, if this node remembers whose key it is.
    /// - Parameter further: asked for the commands about the owner that is remembered.
    /// - Returns: no replies if there were no such commands, or if the key is not that owner's after all.
    func caller(
        apiKey: String, deadline: MonotonicTime, with further: (KeyOwner) -> [Command]
    ) async throws(RedisError) -> (caller: Caller?, replies: ArraySlice<Value>) {
        let hash = Digest.sha256(apiKey)
        let remembered = keyOwners[hash]
        let command = Command("HMGET", Keys.apiKey(hash: hash), "id", "workspace_id", "user_id", "scopes")
        let replies = try await replies(to: [command] + (remembered.map(further) ?? []), by: deadline)
        let fields = try replies[0].arrayOrThrow()
        guard fields.count == 4, let id = fields[0].string, let workspace = fields[1].string,
            let user = fields[2].string, let scopes = fields[3].string
        else { return (nil, []) }
        let owner = KeyOwner(workspaceID: workspace, userID: user)
        if owner != remembered { keyOwners[hash] = owner }
        let caller = Caller(
            keyID: id, workspaceID: workspace, userID: user,
            scopes: scopes.utf8.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) })
        return (caller, owner == remembered ? replies.dropFirst() : [])
    }

    /// The role of a caller in its key's workspace: nil if it is no member (any more).
    public func role(of caller: Caller, deadline: MonotonicTime) async throws(RedisError) -> Role? {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        return try await send(Command("HGET", keys.members, caller.userID), by: deadline)
            .optionalString().flatMap(Role.init(rawValue:))
    }
}
