import EventLoop
import Log
import Redis

/// What is to be changed about a user; nil leaves it as it is.
public struct UserChanges: Sendable {
    public var name: String?
    public var imageURL: String?
    /// Of the personal workspace.
    public var maximumConcurrentBots: Int?

    public init(name: String? = nil, imageURL: String? = nil, maximumConcurrentBots: Int? = nil) {
        self.name = name
        self.imageURL = imageURL
        self.maximumConcurrentBots = maximumConcurrentBots
    }
}

extension Store {
    /// A page of all users, the oldest first.
    public func users(offset: Int, limit: Int, deadline: MonotonicTime) async throws(RedisError) -> [User] {
        let ids = try await send(
            Command("ZRANGE", Keys.users, String(offset), String(offset.addingClamped(limit - 1))), by: deadline
        ).arrayOrThrow().compactMap { $0.string.flatMap { Int($0) } }
        guard !ids.isEmpty else { return [] }
        let records = try await replies(to: ids.map { Command("HGETALL", Keys.user($0)) }, by: deadline)
        var found: [(hash: [String: String], workspace: String)] = []
        for (id, record) in zip(ids, records) {
            let hash = try oddRecords.leavingOut(Keys.user(id), record) { record throws(RedisError) in
                try record.hash()
            }
            if let hash, let workspace = hash["workspace_id"] {
                found.append((hash, WorkspaceKeys(workspace: workspace).workspace))
            }
        }
        guard !found.isEmpty else { return [] }
        let workspaces = try await replies(to: found.map { Command("HGETALL", $0.workspace) }, by: deadline)
        var users: [User] = []
        for (user, workspace) in zip(found, workspaces) {
            let key = "\(Keys.users) \(user.hash["id"] ?? "?"), \(user.workspace)"
            let read = try oddRecords.leavingOut(key, workspace) { workspace throws(RedisError) -> User? in
                let fields = try workspace.hash()
                // A user whose making stopped half-way has no workspace yet; asking for the same email again finishes it.
                return fields.isEmpty ? nil : try User(user.hash, in: Workspace(fields))
            }
            if let read { users.append(read) }
        }
        return users
    }

    public func user(email: String, deadline: MonotonicTime) async throws(RedisError) -> User? {
        let key = Keys.userID(email: NewUser.comparable(email))
        guard let id = try await send(Command("GET", key), by: deadline).optionalString().flatMap({ Int($0) }) else {
            return nil
        }
        return try await user(id: id, deadline: deadline)
    }

    /// - Returns: the user with the changes; nil if there is none.
    public func update(
        user id: Int, _ changes: UserChanges, deadline: MonotonicTime
    ) async throws(RedisError) -> User? {
        guard let user = try await user(id: id, deadline: deadline) else { return nil }
        var commands: [Command] = []
        if let name = changes.name { commands.append(Command("HSET", Keys.user(id), "name", name)) }
        if let imageURL = changes.imageURL { commands.append(Command("HSET", Keys.user(id), "image_url", imageURL)) }
        if let maximum = changes.maximumConcurrentBots {
            let key = WorkspaceKeys(workspace: user.workspaceID).workspace
            commands.append(Command("HSET", key, "max_concurrent_bots", String(maximum)))
        }
        guard !commands.isEmpty else { return user }
        _ = try await change(commands, by: deadline)
        return try await self.user(id: id, deadline: deadline)
    }

    /// A user as a caller's key shows it: with what the key's own workspace has set.
    public func user(of caller: Caller, deadline: MonotonicTime) async throws(RedisError) -> User? {
        guard let id = Int(caller.userID) else { return nil }
        let hash = try await send(Command("HGETALL", Keys.user(id)), by: deadline).hash()
        guard !hash.isEmpty, let workspace = try await workspace(id: caller.workspaceID, deadline: deadline) else {
            return nil
        }
        return try User(hash, in: workspace)
    }
}
