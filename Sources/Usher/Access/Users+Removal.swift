import Redis

extension Users {
    public enum Removal: Sendable {
        case removed
        case unknown
        /// These would have no owner left, or are the user's own and others are members there: nothing was changed.
        case needed(workspaces: [String])
    }

    /// Workspaces that are looked at in one go.
    private static let workspacesPerRead = 100

    /// Removes a user, with the personal workspace and the keys for all others. What the user made there is theirs.
    ///
    /// The record goes last: a call that stops half-way is finished by the next one.
    public func remove(user id: Int) async throws(RedisError) -> Removal {
        let record = try await session.send(Command("HMGET", Keys.user(id), "email", "workspace_id")).arrayOrThrow()
        guard let email = record[0].string, let personal = record[1].string else { return .unknown }
        let workspaces = try await memberships(of: id, personal: personal)
        var needing: [String] = []
        for workspace in workspaces {
            let members = try await session.send(Command("HGETALL", WorkspaceKeys(workspace: workspace).members)).hash()
            let others = members.filter { $0.key != String(id) }
            let isFree = workspace == personal ? others.isEmpty : others.values.contains(Role.owner.rawValue)
            if !isFree { needing.append(workspace) }
        }
        guard needing.isEmpty else { return .needed(workspaces: needing) }
        for workspace in workspaces {
            if workspace == personal {
                _ = try await session.workspaces.remove(workspace: workspace)
                continue
            }
            if case .lastOwner = try await session.workspaces.removeMember(workspace: workspace, user: id) {
                return .needed(workspaces: [workspace])
            }
            for key in try await session.apiKeys.all(workspace: workspace) where key.userID == id {
                _ = try await session.apiKeys.revoke(id: key.id)
            }
        }
        // A new user may have the email by then.
        let emailKey = Keys.userID(email: email)
        if try await session.send(Command("GET", emailKey)).optionalString() == String(id) {
            _ = try await session.change([Command("DEL", emailKey)])
        }
        _ = try await session.change([Command("ZREM", Keys.users, String(id)), Command("DEL", Keys.user(id))])
        return .removed
    }

    /// The listed workspaces that a user is a member of, and the user's own. The newest comes first: what is removed meanwhile
    /// moves none from those that are still to be looked at to those that were.
    private func memberships(of user: Int, personal: String) async throws(RedisError) -> [String] {
        let isAtHome = try await session.workspaces.isMember(workspace: personal, user: user)
        var rest = try await session.send(Command("ZCARD", Keys.workspaces)).integerOrThrow()
        var found = isAtHome ? [personal] : []
        while rest > 0 {
            let first = max(0, rest - Self.workspacesPerRead)
            let ids = try await session.send(Command("ZRANGE", Keys.workspaces, String(first), String(rest - 1)))
                .arrayOrThrow().compactMap(\.string)
            rest = first
            let replies = try await session.replies(
                to: ids.map { Command("HEXISTS", WorkspaceKeys(workspace: $0).members, String(user)) })
            found += zip(ids, replies).filter { $0.1 == .integer(1) && !found.contains($0.0) }.map(\.0)
        }
        return found
    }
}
