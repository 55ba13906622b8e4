import Redis

/// Why an administrative request is refused; nothing was changed.
public enum AdministrationRefusal: Error, Equatable, Sendable {
    /// A value that is not allowed, and what is: "must ...".
    case invalid(field: String, problem: String)
    case unknownUser(Int)
    case unknownEmail(String)
    case unknownWorkspace(String)
    case unknownMember(user: Int, workspace: String)
    case unknownKey(String)
    /// The key has been replaced by another one before.
    case rotatedKey(String, to: String)
    /// The workspace has as many API keys as it may have.
    case tooManyKeys(workspace: String)
    /// The workspace would have no owner left.
    case lastOwner(workspace: String)
    /// The workspace is a user's personal one.
    case personalWorkspace(String, of: Int)
    /// Workspaces would have no owner left, or are the user's own and have other members.
    case neededUser(Int, in: [String])
    /// The user is a member already, with another role than the one that was to be given.
    case memberBefore(user: Int, workspace: String)
    /// The workspace has as many members as it may have.
    case tooManyMembers(workspace: String)
    /// The key that was to be made could do what the key in use cannot.
    case beyondScopes(String)
    /// It would live longer than the key in use, which ends at this time (ms since 1970).
    case beyondEnd(Int)
    /// Redis failed.
    case failed(RedisError)
}

/// What administrators do with users, workspaces, members and API keys: the checks and the work behind `/admin` and
/// `usher admin` alike.
public struct Administration: Sendable {
    public static let maximumBotLimit = 100_000
    /// Of a workspace's meetings and bytes.
    public static let maximumQuota = 1_000_000_000_000
    /// How long a key stays valid that was replaced: a day, and 30 days at most.
    public static let defaultGraceSeconds = 86_400
    public static let maximumGraceSeconds = 30 * 86_400
    /// Of the names of users and workspaces, and of the labels of keys.
    public static let maximumNameCharacters = 200
    public static let maximumImageURLCharacters = 2_048
    /// What is wrong with an email that is none, as the end of a sentence.
    public static let emailProblem = "must be an email address such as anna@example.com"

    private let session: Session

    public init(_ session: Session) { self.session = session }

    // MARK: Users and workspaces

    /// Makes a user with a personal workspace, or finds the one that has this email.
    public func createUser(_ new: NewUser) async throws(AdministrationRefusal) -> (user: User, isNew: Bool) {
        try Self.check(new.name, "name", maximum: Self.maximumNameCharacters)
        try Self.check(new.imageURL, "image_url", maximum: Self.maximumImageURLCharacters)
        guard Self.isEmail(new.email) else {
            throw .invalid(field: "email", problem: Self.emailProblem)
        }
        try Self.check(new.maximumConcurrentBots)
        return try await Self.attempt { () throws(RedisError) in try await session.users.create(new) }
    }

    /// A page of all users, the oldest first.
    public func users(offset: Int, limit: Int) async throws(AdministrationRefusal) -> [User] {
        try await Self.attempt { () throws(RedisError) in
            try await session.users.page(offset: offset, limit: limit).users
        }
    }

    public func user(email: String) async throws(AdministrationRefusal) -> User {
        let user = try await Self.attempt { () throws(RedisError) in try await session.users.user(email: email) }
        guard let user else { throw .unknownEmail(email) }
        return user
    }

    public func updateUser(_ id: Int, _ changes: UserChanges) async throws(AdministrationRefusal) -> User {
        try Self.check(changes.name, "name", maximum: Self.maximumNameCharacters)
        try Self.check(changes.imageURL, "image_url", maximum: Self.maximumImageURLCharacters)
        try Self.check(changes.maximumConcurrentBots)
        let user = try await Self.attempt { () throws(RedisError) in try await session.users.update(user: id, changes) }
        guard let user else { throw .unknownUser(id) }
        return user
    }

    /// Removes a user: see `Users.remove`.
    public func removeUser(_ id: Int) async throws(AdministrationRefusal) {
        switch try await Self.attempt({ () throws(RedisError) in try await session.users.remove(user: id) }) {
        case .removed: return
        case .unknown: throw .unknownUser(id)
        case .needed(let workspaces): throw .neededUser(id, in: workspaces)
        }
    }

    public func createWorkspace(
        name: String, owner: Int, maximumConcurrentBots: Int?
    ) async throws(AdministrationRefusal) -> Workspace {
        try Self.check(name, "name", maximum: Self.maximumNameCharacters)
        try Self.check(maximumConcurrentBots)
        try await requireUser(owner)
        return try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.create(name: name, owner: owner, maximumConcurrentBots: maximumConcurrentBots)
        }
    }

    public func workspace(_ id: String) async throws(AdministrationRefusal) -> Workspace {
        guard Identifier.isUUID(id) else { throw .unknownWorkspace(id) }
        let workspace = try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.workspace(id: id)
        }
        guard let workspace else { throw .unknownWorkspace(id) }
        return workspace
    }

    /// A page of all workspaces: see `Workspaces.all`.
    public func workspaces(
        search: String, offset: Int, limit: Int
    ) async throws(AdministrationRefusal) -> (page: [WorkspaceUse], next: Int?) {
        try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.all(search: search, offset: offset, limit: limit)
        }
    }

    public func updateWorkspace(
        _ id: String, _ changes: WorkspaceChanges
    ) async throws(AdministrationRefusal) -> Workspace {
        try Self.check(changes.maximumConcurrentBots)
        try Self.check(changes.maximumMeetings, "max_meetings")
        try Self.check(changes.maximumBytes, "max_bytes")
        guard Identifier.isUUID(id) else { throw .unknownWorkspace(id) }
        let workspace = try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.update(workspace: id, changes)
        }
        guard let workspace else { throw .unknownWorkspace(id) }
        return workspace
    }

    /// Removes a workspace with all that it has: see `Workspaces.remove`.
    public func removeWorkspace(_ id: String) async throws(AdministrationRefusal) {
        guard Identifier.isUUID(id) else { throw .unknownWorkspace(id) }
        let owner = try await Self.attempt { () throws(RedisError) in try await session.workspaces.personalOwner(of: id)
        }
        if let owner { throw .personalWorkspace(id, of: owner) }
        let isThere = try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.remove(workspace: id)
        }
        guard isThere else { throw .unknownWorkspace(id) }
    }

    // MARK: Members

    public func setMember(
        workspace: String, user: Int, role: String, of taker: Workspaces.RoleTaker = .anybody
    ) async throws(AdministrationRefusal) {
        guard let role = Role(rawValue: role) else {
            throw .invalid(field: "role", problem: Self.roleProblem)
        }
        guard Identifier.isUUID(workspace) else { throw .unknownWorkspace(workspace) }
        if taker == .anybody { try await requireUser(user) }
        let change = try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.setMember(workspace: workspace, user: user, role: role, of: taker)
        }
        try Self.check(change, workspace: workspace, user: user)
    }

    /// What is wrong with a role that is none, as the end of a sentence.
    public static let roleProblem = "must be one of owner, manager, member, viewer"

    public func removeMember(workspace: String, user: Int) async throws(AdministrationRefusal) {
        guard Identifier.isUUID(workspace) else { throw .unknownWorkspace(workspace) }
        let change = try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.removeMember(workspace: workspace, user: user)
        }
        try Self.check(change, workspace: workspace, user: user)
    }

    private static func check(
        _ change: Workspaces.MemberChange, workspace: String, user: Int
    ) throws(AdministrationRefusal) {
        switch change {
        case .done: return
        case .unknownWorkspace: throw .unknownWorkspace(workspace)
        case .unknownMember: throw .unknownMember(user: user, workspace: workspace)
        case .lastOwner: throw .lastOwner(workspace: workspace)
        case .memberBefore: throw .memberBefore(user: user, workspace: workspace)
        case .tooMany: throw .tooManyMembers(workspace: workspace)
        }
    }

    // MARK: API keys

    /// Makes an API key of a member of the workspace. The key is returned here and nowhere else.
    public func createKey(
        workspace: String, user: Int, scopes names: [String], label: String?, expiresAt: Int?
    ) async throws(AdministrationRefusal) -> (key: String, record: APIKey) {
        try Self.check(label, "label", maximum: Self.maximumNameCharacters)
        guard let scopes = Self.scopes(names) else { throw .invalid(field: "scopes", problem: Self.scopesProblem) }
        _ = try await self.workspace(workspace)
        let isMember = try await Self.attempt { () throws(RedisError) in
            try await session.workspaces.isMember(workspace: workspace, user: user)
        }
        guard isMember else { throw .unknownMember(user: user, workspace: workspace) }
        let new = NewAPIKey(workspaceID: workspace, userID: user, scopes: scopes, label: label, expiresAt: expiresAt)
        let made = try await Self.attempt { () throws(RedisError) in try await session.apiKeys.create(new) }
        switch made {
        case .created(let key, let record): return (key, record)
        case .expired: throw .invalid(field: "expires_at", problem: "must be in the future")
        case .full: throw .tooManyKeys(workspace: workspace)
        }
    }

    /// Makes an API key of a user for the personal workspace, with every scope: a token, as the Bots API's client says.
    public func createToken(user id: Int) async throws(AdministrationRefusal) -> (key: String, record: APIKey) {
        let user = try await Self.attempt { () throws(RedisError) in try await session.users.user(id: id) }
        guard let user else { throw .unknownUser(id) }
        return try await createKey(
            workspace: user.workspaceID, user: id, scopes: Scope.allCases.map(\.rawValue), label: "token",
            expiresAt: nil)
    }

    /// - Returns: each once; nil if there is none, or one of the names is none.
    public static func scopes(_ names: [String]) -> [Scope]? {
        var scopes: [Scope] = []
        for name in names {
            guard let scope = Scope(rawValue: name) else { return nil }
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        return scopes.isEmpty ? nil : scopes
    }

    /// What is wrong with scopes that are none, as the end of a sentence.
    public static let scopesProblem =
        "must be a list of one or more of \(Scope.allCases.map(\.rawValue).joined(separator: ", "))"

    public func keys(workspace: String) async throws(AdministrationRefusal) -> [APIKey] {
        _ = try await self.workspace(workspace)
        return try await Self.attempt { () throws(RedisError) in
            try await session.apiKeys.all(workspace: workspace)
        }
    }

    public func revokeKey(id: String) async throws(AdministrationRefusal) {
        let isRevoked = try await Self.attempt { () throws(RedisError) in try await session.apiKeys.revoke(id: id) }
        guard isRevoked else { throw .unknownKey(id) }
    }

    /// Replaces a key by a new one with the same rights. The old one stays valid for the grace.
    /// - Parameter graceSeconds: nil for a day.
    public func rotateKey(
        id: String, graceSeconds: Int?
    ) async throws(AdministrationRefusal) -> (key: String, record: APIKey) {
        try await rotateKey(id: id, graceSeconds: graceSeconds) { _, _ in true }!
    }

    /// The same for those who may find that they cannot keep the new key.
    /// - Parameter isKept: gets the new key before anything becomes of the old one.
    /// - Returns: nil if it was not kept: the new key is revoked, and the old one as it was.
    public func rotateKey(
        id: String, graceSeconds: Int?, ifKept isKept: @Sendable (_ key: String, _ record: APIKey) -> Bool
    ) async throws(AdministrationRefusal) -> (key: String, record: APIKey)? {
        let grace = graceSeconds ?? Self.defaultGraceSeconds
        guard (0...Self.maximumGraceSeconds).contains(grace) else {
            throw .invalid(field: "grace_seconds", problem: "must be between 0 and \(Self.maximumGraceSeconds)")
        }
        let rotation = try await Self.attempt { () throws(RedisError) in
            try await session.apiKeys.rotate(id: id, graceMilliseconds: 1_000 * grace, ifKept: isKept)
        }
        switch rotation {
        case .rotated(let key, let record): return (key, record)
        case .unknown: throw .unknownKey(id)
        case .rotatedAlready(let successor): throw .rotatedKey(id, to: successor)
        case .notKept: return nil
        case .full(let workspace): throw .tooManyKeys(workspace: workspace)
        }
    }

    // MARK: Checks

    private func requireUser(_ id: Int) async throws(AdministrationRefusal) {
        let user = try await Self.attempt { () throws(RedisError) in try await session.users.user(id: id) }
        guard user != nil else { throw .unknownUser(id) }
    }

    private static func check(_ limit: WorkspaceChanges.Limit, _ field: String) throws(AdministrationRefusal) {
        guard case .at(let value) = limit, !(0...maximumQuota).contains(value) else { return }
        throw .invalid(field: field, problem: "must be between 0 and \(maximumQuota)")
    }

    private static func check(_ maximumConcurrentBots: Int?) throws(AdministrationRefusal) {
        guard let maximum = maximumConcurrentBots else { return }
        guard (1...maximumBotLimit).contains(maximum) else {
            throw .invalid(field: "max_concurrent_bots", problem: "must be between 1 and \(maximumBotLimit)")
        }
    }

    private static func check(_ text: String?, _ field: String, maximum: Int) throws(AdministrationRefusal) {
        guard let text, let problem = problem(of: text, maximum: maximum) else { return }
        throw .invalid(field: field, problem: problem)
    }

    /// What is wrong with a text that somebody gave, as the end of a sentence; nil if it has 1 to `maximum` characters and
    /// no control characters. Characters are Unicode scalars, as JSON Schema counts them: what people see as one could be
    /// of any length.
    public static func problem(of text: String, maximum: Int) -> String? {
        let characters = text.unicodeScalars
        let isSound = (1...maximum).contains(characters.count) && !characters.contains { $0.value < 0x20 }
        return isSound ? nil : "must have 1 to \(maximum) characters, and no control characters"
    }

    /// Something on both sides of one @, within the lengths of RFC 5321, section 4.5.3.1. Whether mail arrives there is
    /// for mail to tell.
    public static func isEmail(_ text: String) -> Bool {
        let sides = text.split(separator: "@", omittingEmptySubsequences: false)
        return sides.count == 2 && (1...64).contains(sides[0].utf8.count) && (1...255).contains(sides[1].utf8.count)
            && text.utf8.count <= 254 && text.unicodeScalars.allSatisfy(isVisible)
    }

    /// Neither white space nor something that people cannot see: two emails that look alike would be two users.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
        default: true
        }
    }

    static func attempt<Result>(
        _ body: () async throws(RedisError) -> Result
    ) async throws(AdministrationRefusal) -> Result {
        do {
            return try await body()
        } catch {
            throw .failed(error)
        }
    }
}
