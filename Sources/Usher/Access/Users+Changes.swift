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

extension Users {
    /// A page of all users, the oldest first.
    public func page(offset: Int, limit: Int) async throws(RedisError) -> [User] {
        let ids = try await session.send(
            Command("ZRANGE", Keys.users, String(offset), String(offset.addingClamped(limit - 1)))
        ).arrayOrThrow().compactMap { $0.string.flatMap { Int($0) } }
        guard !ids.isEmpty else { return [] }
        let records = try await session.replies(to: ids.map { Command("HGETALL", Keys.user($0)) })
        var found: [(hash: [String: String], workspace: String)] = []
        for (id, record) in zip(ids, records) {
            let hash = try session.oddRecords.leavingOut(Keys.user(id), record) { record throws(RedisError) in
                try record.hash()
            }
            if let hash, let workspace = hash["workspace_id"] {
                found.append((hash, WorkspaceKeys(workspace: workspace).workspace))
            }
        }
        guard !found.isEmpty else { return [] }
        let workspaces = try await session.replies(to: found.map { Command("HGETALL", $0.workspace) })
        var users: [User] = []
        for (user, workspace) in zip(found, workspaces) {
            let key = "\(Keys.users) \(user.hash["id"] ?? "?"), \(user.workspace)"
            let read = try session.oddRecords.leavingOut(key, workspace) { workspace throws(RedisError) -> User? in
                let fields = try workspace.hash()
                // A user whose making stopped half-way has no workspace yet; asking for the same email again finishes it.
                return fields.isEmpty ? nil : try User(user.hash, in: Workspace(fields))
            }
            if let read { users.append(read) }
        }
        return users
    }

    public func user(email: String) async throws(RedisError) -> User? {
        let key = Keys.userID(email: NewUser.comparable(email))
        guard let id = try await session.send(Command("GET", key)).optionalString().flatMap({ Int($0) }) else {
            return nil
        }
        return try await user(id: id)
    }

    /// - Returns: the user with the changes; nil if there is none.
    public func update(user id: Int, _ changes: UserChanges) async throws(RedisError) -> User? {
        guard let user = try await user(id: id) else { return nil }
        var commands: [Command] = []
        if let name = changes.name { commands.append(Command("HSET", Keys.user(id), "name", name)) }
        if let imageURL = changes.imageURL { commands.append(Command("HSET", Keys.user(id), "image_url", imageURL)) }
        if let maximum = changes.maximumConcurrentBots {
            let key = WorkspaceKeys(workspace: user.workspaceID).workspace
            commands.append(Command("HSET", key, "max_concurrent_bots", String(maximum)))
        }
        guard !commands.isEmpty else { return user }
        _ = try await session.change(commands)
        return try await self.user(id: id)
    }

    /// A user as a caller's key shows it: with what the key's own workspace has set.
    public func user(of caller: Caller) async throws(RedisError) -> User? {
        guard let id = Int(caller.userID) else { return nil }
        let hash = try await session.send(Command("HGETALL", Keys.user(id))).hash()
        guard !hash.isEmpty, let workspace = try await session.workspaces.workspace(id: caller.workspaceID) else {
            return nil
        }
        return try User(hash, in: workspace)
    }
}
