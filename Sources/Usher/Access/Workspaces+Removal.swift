import Redis
import Scripts

extension Workspaces {
    /// How long after its removal something may come of a request that was under way, and after its end of a round that has it
    /// on its list: longer than either may take.
    static let lateMilliseconds = 120_000

    /// Has a workspace be none: its keys open nothing any more, and what it has is taken to pieces by whichever node comes by.
    /// Safe to repeat.
    /// - Returns: false if there is no such workspace, or nothing of it is left.
    public func remove(workspace id: String) async throws(RedisError) -> Bool {
        let keys = WorkspaceKeys(workspace: id)
        let removal = Scripts.RemoveWorkspace(
            workspaceKey: keys.workspace, membersKey: keys.members, lockKey: keys.lock,
            removingKey: keys.partition.removing, removedKey: keys.partition.removed, workspaceID: id)
        guard try await session.run(removal) == .removing else { return false }
        _ = try await session.change([Command("ZREM", Keys.workspaces, id)])
        try await session.apiKeys.revokeAll(workspace: id)
        return true
    }

    /// The member whose personal workspace it is; nil if none's.
    func personalOwner(of id: String) async throws(RedisError) -> Int? {
        let members = try await session.send(Command("HGETALL", WorkspaceKeys(workspace: id).members)).hash()
        var rest = members.keys.compactMap { Int($0) }[...]
        while !rest.isEmpty {
            let users = rest.prefix(Self.usersAtOnce)
            rest = rest.dropFirst(Self.usersAtOnce)
            let replies = try await session.replies(to: users.map { Command("HGET", Keys.user($0), "workspace_id") })
            if let owner = zip(users, replies).first(where: { $0.1.string == id }) { return owner.0 }
        }
        return nil
    }
}
