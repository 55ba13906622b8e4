import Redis

/// What the owner of a workspace does with its members and API keys, by an API key of the workspace: the checks and the
/// work behind `/workspace`. That the caller is an owner is found out before.
///
/// A key makes no key that can do more than itself, or lives longer, whoever it is for: who has found one has no more
/// than that one.
public struct OwnWorkspace: Sendable {
    private let session: Session
    private let caller: Caller
    private let administration: Administration

    public init(of caller: Caller, in session: Session) {
        (self.session, self.caller) = (session, caller)
        administration = Administration(session)
    }

    private var id: String { caller.workspaceID }

    // MARK: Members

    /// In the order in which the users were made.
    public func members() async throws(AdministrationRefusal) -> [WorkspaceMember] {
        try await Administration.attempt { () throws(RedisError) in
            try await session.workspaces.members(workspace: id)
        }
    }

    /// Makes the user with this email a member. By the email alone: whoever could add any number would learn whose it is.
    public func add(email: String, role: String) async throws(AdministrationRefusal) -> WorkspaceMember {
        let user = try await administration.user(email: email)
        try await administration.setMember(workspace: id, user: user.id, role: role, of: .newcomer)
        return WorkspaceMember(userID: user.id, email: user.email, name: user.name, role: Role(rawValue: role)!)
    }

    public func change(member user: Int, role: String) async throws(AdministrationRefusal) {
        try await administration.setMember(workspace: id, user: user, role: role, of: .member)
    }

    public func remove(member user: Int) async throws(AdministrationRefusal) {
        try await administration.removeMember(workspace: id, user: user)
    }

    // MARK: API keys

    /// The workspace's keys that work, the oldest first.
    public func keys() async throws(AdministrationRefusal) -> [APIKey] {
        try await administration.keys(workspace: id)
    }

    /// - Parameter user: a member; nil for the caller.
    public func createKey(
        user: Int?, scopes: [String], label: String?, expiresAt: Int?
    ) async throws(AdministrationRefusal) -> (key: String, record: APIKey) {
        guard let user = user ?? Int(caller.userID) else { throw .unknownKey(caller.keyID) }
        try await requireNoMore(scopes: scopes, expiresAt: expiresAt)
        return try await administration.createKey(
            workspace: id, user: user, scopes: scopes, label: label, expiresAt: expiresAt)
    }

    public func rotateKey(
        id: String, graceSeconds: Int?
    ) async throws(AdministrationRefusal) -> (key: String, record: APIKey) {
        let old = try await ownKey(id)
        // One that was replaced has a new end, which is not what is wrong with it.
        if old.rotatedTo == nil { try await requireNoMore(scopes: old.scopes, expiresAt: old.expiresAt) }
        return try await administration.rotateKey(id: id, graceSeconds: graceSeconds)
    }

    public func revokeKey(id: String) async throws(AdministrationRefusal) {
        _ = try await ownKey(id)
        try await administration.revokeKey(id: id)
    }

    /// One of another workspace is none. Whose a key is never changes.
    private func ownKey(_ id: String) async throws(AdministrationRefusal) -> APIKey {
        let key = try await Administration.attempt { () throws(RedisError) in try await session.apiKeys.key(id: id) }
        guard let key, key.workspaceID == self.id else { throw .unknownKey(id) }
        return key
    }

    private func requireNoMore(scopes: [String], expiresAt: Int?) async throws(AdministrationRefusal) {
        // Names of no scope are refused for what they are.
        for scope in scopes.compactMap(Scope.init(rawValue:)) where !caller.has(scope) {
            throw .beyondScopes(scope.rawValue)
        }
        guard let end = try await ownKey(caller.keyID).expiresAt else { return }
        guard let expiresAt, expiresAt <= end else { throw .beyondEnd(end) }
    }
}
