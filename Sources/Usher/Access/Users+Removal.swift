import Redis

extension Users {
    public enum Removal: Sendable {
        case removed
        case unknown
        /// These would have no owner left, or are the user's own and others are members there: nothing was changed there. Of
        /// many some are named.
        case needed(workspaces: [String])
    }

    /// Workspaces that are looked at in one go.
    private static let workspacesPerRead = 100
    private static let mostNamed = 10

    /// Removes a user, with the personal workspace and the keys for all others. What the user made there is theirs.
    ///
    /// The record goes last: a call that stops half-way is finished by the next one.
    public func remove(user id: Int) async throws(RedisError) -> Removal {
        let record = try await session.send(Command("HMGET", Keys.user(id), "email", "workspace_id")).arrayOrThrow()
        guard let email = record[0].string, let personal = record[1].string else { return .unknown }
        let workspaces = try await memberships(of: id, personal: personal)
        var needing: [String] = []
        for workspace in workspaces {
            if try await !isFree(workspace, of: id, personal: personal) { needing.append(workspace) }
            if needing.count == Self.mostNamed { break }
        }
        guard needing.isEmpty else { return .needed(workspaces: needing) }
        for workspace in workspaces {
            if workspace == personal {
                _ = try await session.workspaces.remove(workspace: workspace)
                continue
            }
            // Looked at again, as others may have left since.
            guard try await isFree(workspace, of: id, personal: personal) else {
                return .needed(workspaces: [workspace])
            }
            // Before the membership, by which the next call finds them.
            for key in try await session.apiKeys.all(workspace: workspace) where key.userID == id {
                _ = try await session.apiKeys.revoke(id: key.id)
            }
            if case .lastOwner = try await session.workspaces.removeMember(workspace: workspace, user: id) {
                return .needed(workspaces: [workspace])
            }
        }
        // A new user may have the email by then.
        try await forget(email: email, of: id)
        _ = try await session.change([Command("ZREM", Keys.users, String(id)), Command("DEL", Keys.user(id))])
        return .removed
    }

    /// Whether a workspace can do without this member.
    private func isFree(_ workspace: String, of user: Int, personal: String) async throws(RedisError) -> Bool {
        let members = try await session.send(Command("HGETALL", WorkspaceKeys(workspace: workspace).members)).hash()
        let others = members.filter { $0.key != String(user) }
        return workspace == personal ? others.isEmpty : others.values.contains(Role.owner.rawValue)
    }

    /// The listed workspaces that a user is a member of, and the user's own. The newest comes first: what is removed meanwhile
    /// moves none from those that are still to be looked at to those that were.
    private func memberships(of user: Int, personal: String) async throws(RedisError) -> [String] {
        let isAtHome = try await session.workspaces.isMember(workspace: personal, user: user)
        var rest = try await session.send(Command("ZCARD", Keys.workspaces)).integerOrThrow()
        var found: Set<String> = isAtHome ? [personal] : []
        while rest > 0 {
            let first = max(0, rest - Self.workspacesPerRead)
            let ids = try await session.send(Command("ZRANGE", Keys.workspaces, String(first), String(rest - 1)))
                .arrayOrThrow().compactMap(\.string)
            rest = first
            let replies = try await session.replies(
                to: ids.map { Command("HEXISTS", WorkspaceKeys(workspace: $0).members, String(user)) })
            found.formUnion(zip(ids, replies).filter { $0.1 == .integer(1) }.map(\.0))
        }
        return found.sorted()
    }
}
