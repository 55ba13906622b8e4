import EventLoop
import Redis
import Scripts

/// What a new user is made from.
public struct NewUser: Sendable {
    public var email: String
    public var name: String?
    public var imageURL: String?
    public var maximumConcurrentBots: Int?

    /// - Parameter email: compared, and kept, in lower case.
    public init(email: String, name: String? = nil, imageURL: String? = nil, maximumConcurrentBots: Int? = nil) {
        self.email = Self.comparable(email)
        self.name = name
        self.imageURL = imageURL
        self.maximumConcurrentBots = maximumConcurrentBots
    }

    /// An email in lower case. A letter of which that would make one of ASCII stays as it is: the sign for Kelvin becomes
    /// a `k`, and so one person's email another's.
    static func comparable(_ email: String) -> String {
        email.unicodeScalars.reduce(into: "") { result, scalar in
            let lower = scalar.properties.lowercaseMapping
            let isKept = !scalar.isASCII && lower.utf8.contains { $0 < 0x80 }
            if isKept { result.unicodeScalars.append(scalar) } else { result += lower }
        }
    }
}

extension Store {
    /// Makes a user with a personal workspace, or returns the one that has this email.
    ///
    /// The email's key decides who is who; every step after it may be done again by anyone. So if this node stops
    /// half-way, the next call for the same email finishes the work, and two at once make one user.
    public func createUser(
        _ new: NewUser, deadline: MonotonicTime
    ) async throws(RedisError) -> (user: User, isNew: Bool) {
        let (id, isNew) = try await claimUserID(email: new.email, deadline: deadline)
        var fields: [String] = []
        if let name = new.name { fields += ["name", name] }
        if let imageURL = new.imageURL { fields += ["image_url", imageURL] }
        let maximum = new.maximumConcurrentBots ?? configuration.defaultMaximumConcurrentBots
        let hash = try await run(
            Scripts.CreateUser(
                userKey: Keys.user(id), userID: id, email: new.email, workspaceID: Identifier.uuid(),
                fields: fields + ["max_concurrent_bots", String(maximum)]),
            by: deadline)
        guard let workspaceID = hash["workspace_id"] else { throw .unexpectedReply("a user without a workspace") }
        // Whatever has led here: nobody is to get another's workspace.
        guard hash["email"] == new.email else { throw .unexpectedReply("user \(id) has another email") }
        let workspace = try await ensureWorkspace(
            id: workspaceID, name: "\(new.email)'s workspace", owner: id,
            maximumConcurrentBots: hash["max_concurrent_bots"].flatMap { Int($0) } ?? maximum, deadline: deadline)
        _ = try await change([Command("ZADD", Keys.users, String(id), String(id))], by: deadline)
        return (try User(hash, in: workspace), isNew)
    }

    public func user(id: Int, deadline: MonotonicTime) async throws(RedisError) -> User? {
        let hash = try await send(Command("HGETALL", Keys.user(id)), by: deadline).hash()
        guard let workspaceID = hash["workspace_id"],
            let workspace = try await workspace(id: workspaceID, deadline: deadline)
        else { return nil }
        return try User(hash, in: workspace)
    }

    private func claimUserID(email: String, deadline: MonotonicTime) async throws(RedisError) -> (Int, isNew: Bool) {
        let key = Keys.userID(email: email)
        if let id = try await send(Command("GET", key), by: deadline).optionalString() {
            return (try Self.userID(id), false)
        }
        let id = try await newNumber(of: Keys.userSequence, deadline: deadline) { id throws(RedisError) in
            try await send(Command("EXISTS", Keys.user(id)), by: deadline) == .integer(0)
        }
        let replies = try await change(
            [Command("SET", key, String(id), "NX"), Command("GET", key)], by: deadline)
        return (try Self.userID(replies[1].stringOrThrow()), replies[0] != .null)
    }

    private static func userID(_ text: String) throws(RedisError) -> Int {
        guard let id = Int(text) else { throw .unexpectedReply("a user id that is no number") }
        return id
    }

    // MARK: Workspaces

    public func createWorkspace(
        name: String, owner: Int, maximumConcurrentBots: Int?, deadline: MonotonicTime
    ) async throws(RedisError) -> Workspace {
        try await ensureWorkspace(
            id: Identifier.uuid(), name: name, owner: owner,
            maximumConcurrentBots: maximumConcurrentBots ?? configuration.defaultMaximumConcurrentBots,
            deadline: deadline)
    }

    /// - Returns: the workspace with the changes; nil if there is none.
    public func update(
        workspace id: String, _ changes: WorkspaceChanges, deadline: MonotonicTime
    ) async throws(RedisError) -> Workspace? {
        guard let workspace = try await workspace(id: id, deadline: deadline) else { return nil }
        let commands = changes.commands(on: WorkspaceKeys(workspace: id).workspace)
        guard !commands.isEmpty else { return workspace }
        _ = try await change(commands, by: deadline)
        return try await self.workspace(id: id, deadline: deadline)
    }

    public func workspace(id: String, deadline: MonotonicTime) async throws(RedisError) -> Workspace? {
        let key = WorkspaceKeys(workspace: id).workspace
        let hash = try await send(Command("HGETALL", key), by: deadline).hash()
        return hash.isEmpty ? nil : try Workspace(hash)
    }

    private func ensureWorkspace(
        id: String, name: String, owner: Int, maximumConcurrentBots: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> Workspace {
        let keys = WorkspaceKeys(workspace: id)
        let record = try await run(
            Scripts.CreateWorkspace(
                workspaceKey: keys.workspace, membersKey: keys.members, workspaceID: id, name: name,
                maxConcurrentBots: maximumConcurrentBots, owner: owner),
            by: deadline)
        return try Workspace(record)
    }

    // MARK: Members

    /// The most members that a workspace may have.
    public static let maximumMembers = 1_000

    public enum MemberChange: Sendable {
        case done, unknownWorkspace, unknownMember, lastOwner
        /// The user is a member already, with another role.
        case memberBefore
        /// The workspace has as many members as it may have.
        case tooMany
    }

    /// Whom a role is given.
    public enum RoleTaker: String, Sendable {
        case anybody
        case member
        /// Who is no member; or is one with this role already, as where the answer was lost.
        case newcomer
    }

    public func setMember(
        workspace id: String, user: Int, role: Role, of taker: RoleTaker = .anybody, deadline: MonotonicTime
    ) async throws(RedisError) -> MemberChange {
        let keys = WorkspaceKeys(workspace: id)
        let change = Scripts.SetMember(
            workspaceKey: keys.workspace, membersKey: keys.members, userID: user, role: role.rawValue,
            whom: taker.rawValue, most: Self.maximumMembers)
        switch try await run(change, by: deadline) {
        case .done: return .done
        case .unknownWorkspace: return .unknownWorkspace
        case .lastOwner: return .lastOwner
        case .unknownMember: return .unknownMember
        case .memberBefore: return .memberBefore
        case .tooMany: return .tooMany
        }
    }

    public func removeMember(
        workspace id: String, user: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> MemberChange {
        let keys = WorkspaceKeys(workspace: id)
        switch try await run(Scripts.RemoveMember(membersKey: keys.members, userID: user), by: deadline) {
        case .removed: return .done
        case .unknownMember: return .unknownMember
        case .lastOwner: return .lastOwner
        }
    }

    public func isMember(workspace id: String, user: Int, deadline: MonotonicTime) async throws(RedisError) -> Bool {
        let command = Command("HEXISTS", WorkspaceKeys(workspace: id).members, String(user))
        return try await send(command, by: deadline) == .integer(1)
    }
}

extension User {
    init(_ hash: [String: String], in workspace: Workspace) throws(RedisError) {
        guard let id = hash["id"].flatMap({ Int($0) }), let email = hash["email"],
            let createdAt = hash["created_at"].flatMap({ Int($0) })
        else { throw .unexpectedReply("a user's record lacks a field: \(hash.keys.sorted())") }
        self.init(
            id: id, email: email, name: hash["name"], imageURL: hash["image_url"], workspaceID: workspace.id,
            maximumConcurrentBots: workspace.maximumConcurrentBots, createdAt: createdAt)
    }
}

extension Workspace {
    init(_ hash: [String: String]) throws(RedisError) {
        guard let id = hash["id"], let name = hash["name"],
            let maximum = hash["max_concurrent_bots"].flatMap({ Int($0) }),
            let createdAt = hash["created_at"].flatMap({ Int($0) })
        else { throw .unexpectedReply("a workspace's record lacks a field: \(hash.keys.sorted())") }
        self.init(
            id: id, name: name, maximumConcurrentBots: maximum,
            maximumMeetings: hash["max_meetings"].flatMap { Int($0) },
            maximumBytes: hash["max_bytes"].flatMap { Int($0) }, bytes: hash["bytes"].flatMap { Int($0) } ?? 0,
            createdAt: createdAt)
    }
}
