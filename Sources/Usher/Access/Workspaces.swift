import Redis
import Scripts

/// A member of a workspace, with what its owners are shown of the user.
public struct WorkspaceMember: Sendable {
    public let userID: Int
    public let email: String
    public let name: String?
    public let role: Role
}

/// The workspaces and their members.
public struct Workspaces: Sendable {
    let session: Session

    public func create(name: String, owner: Int, maximumConcurrentBots: Int?) async throws(RedisError) -> Workspace {
        try await ensure(
            id: Identifier.uuid(), name: name, owner: owner,
            maximumConcurrentBots: maximumConcurrentBots ?? session.configuration.defaultMaximumConcurrentBots)
    }

    /// - Returns: the workspace with the changes; nil if there is none.
    public func update(workspace id: String, _ changes: WorkspaceChanges) async throws(RedisError) -> Workspace? {
        guard let workspace = try await workspace(id: id) else { return nil }
        let commands = changes.commands(on: WorkspaceKeys(workspace: id).workspace)
        guard !commands.isEmpty else { return workspace }
        _ = try await session.change(commands)
        return try await self.workspace(id: id)
    }

    public func workspace(id: String) async throws(RedisError) -> Workspace? {
        let key = WorkspaceKeys(workspace: id).workspace
        let hash = try await session.send(Command("HGETALL", key)).hash()
        return hash.isEmpty ? nil : try Workspace(hash)
    }

    func ensure(
        id: String, name: String, owner: Int, maximumConcurrentBots: Int
    ) async throws(RedisError) -> Workspace {
        let keys = WorkspaceKeys(workspace: id)
        let record = try await session.run(
            Scripts.CreateWorkspace(
                workspaceKey: keys.workspace, membersKey: keys.members, removedKey: keys.partition.removed,
                workspaceID: id, name: name, maxConcurrentBots: maximumConcurrentBots, owner: owner))
        guard !record.isEmpty else { throw .unexpectedReply("workspace \(id) was removed") }
        _ = try await session.change([Self.listing(id)])
        return try Workspace(record)
    }

    // MARK: Members

    /// The most members that a workspace may have.
    public static let maximumMembers = 1_000
    /// Users that are read at once: more would hold up everybody else.
    static let usersAtOnce = 50

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
        workspace id: String, user: Int, role: Role, of taker: RoleTaker = .anybody
    ) async throws(RedisError) -> MemberChange {
        let keys = WorkspaceKeys(workspace: id)
        let change = Scripts.SetMember(
            workspaceKey: keys.workspace, membersKey: keys.members, userID: user, role: role.rawValue,
            whom: taker.rawValue, most: Self.maximumMembers)
        switch try await session.run(change) {
        case .changed: return .done
        case .unknownWorkspace: return .unknownWorkspace
        case .lastOwner: return .lastOwner
        case .unknownMember: return .unknownMember
        case .memberBefore: return .memberBefore
        case .tooMany: return .tooMany
        }
    }

    public func removeMember(workspace id: String, user: Int) async throws(RedisError) -> MemberChange {
        let keys = WorkspaceKeys(workspace: id)
        switch try await session.run(Scripts.RemoveMember(membersKey: keys.members, userID: user)) {
        case .removed: return .done
        case .unknownMember: return .unknownMember
        case .lastOwner: return .lastOwner
        }
    }

    public func isMember(workspace id: String, user: Int) async throws(RedisError) -> Bool {
        let command = Command("HEXISTS", WorkspaceKeys(workspace: id).members, String(user))
        return try await session.send(command) == .integer(1)
    }

    /// The workspace's members, in the order in which the users were made.
    func members(workspace id: String) async throws(RedisError) -> [WorkspaceMember] {
        let roles = try await session.send(Command("HGETALL", WorkspaceKeys(workspace: id).members)).hash()
        var rest = roles.keys.compactMap { Int($0) }.sorted()[...]
        var members: [WorkspaceMember] = []
        while !rest.isEmpty {
            let users = rest.prefix(Self.usersAtOnce)
            rest = rest.dropFirst(Self.usersAtOnce)
            let replies = try await session.largeReads.turn(of: id) { () throws(RedisError) in
                try await session.replies(
                    to: users.map { Command("HMGET", Keys.user($0), "email", "name") })
            }
            for (user, reply) in zip(users, replies) {
                let member = try session.oddRecords.leavingOut(Keys.user(user), reply) {
                    reply throws(RedisError) -> WorkspaceMember? in
                    let fields = try reply.arrayOrThrow()
                    guard fields.count == 2, let email = fields[0].string,
                        let role = roles[String(user)].flatMap(Role.init(rawValue:))
                    else { throw .unexpectedReply("a member without an email, or with a role that is none") }
                    return WorkspaceMember(userID: user, email: email, name: fields[1].string, role: role)
                }
                if let member { members.append(member) }
            }
        }
        return members
    }
}

extension Session {
    public var workspaces: Workspaces { Workspaces(session: self) }
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
