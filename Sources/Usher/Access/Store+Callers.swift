import EventLoop
import Redis

extension Store {
    /// The record of an API key: nil if there is none, because it never was, has expired or was revoked. Read from
    /// Redis at every request, so that a revocation counts from the next one on.
    public func caller(apiKey: String, deadline: MonotonicTime) async throws(RedisError) -> Caller? {
        let command = Command(
            "HMGET", Keys.apiKey(hash: Digest.sha256(apiKey)), "id", "workspace_id", "user_id", "scopes")
        let fields = try await send(command, by: deadline).arrayOrThrow()
        guard fields.count == 4, let id = fields[0].string, let workspace = fields[1].string,
            let user = fields[2].string, let scopes = fields[3].string
        else { return nil }
        return Caller(
            keyID: id, workspaceID: workspace, userID: user,
            scopes: Set(scopes.split(separator: " ").map(String.init)))
    }

    /// The role of a caller in its key's workspace: nil if it is no member (any more).
    public func role(of caller: Caller, deadline: MonotonicTime) async throws(RedisError) -> Role? {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        return try await send(Command("HGET", keys.members, caller.userID), by: deadline)
            .optionalString().flatMap(Role.init(rawValue:))
    }
}
