import Log
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

/// The users.
public struct Users: Sendable {
    let session: Session

    /// Makes a user with a personal workspace, or returns the one that has this email.
    ///
    /// The email's key decides who is who; every step after it may be done again by anyone. So if this node stops
    /// half-way, the next call for the same email finishes the work, and two at once make one user.
    public func create(_ new: NewUser) async throws(RedisError) -> (user: User, isNew: Bool) {
        // Whatever has led to another's record, such as a number that was given out twice: nobody is to get that.
        for _ in 1...Self.attempts {
            let (id, isNew) = try await claimUserID(email: new.email)
            if let user = try await finish(id, new) { return (user, isNew) }
            try await forget(email: new.email, of: id)
        }
        throw .unexpectedReply("users have other emails than those that lead to them")
    }

    private static let attempts = 3

    /// - Returns: nil if the record is of a user with another email.
    private func finish(_ id: Int, _ new: NewUser) async throws(RedisError) -> User? {
        var fields: [String] = []
        if let name = new.name { fields += ["name", name] }
        if let imageURL = new.imageURL { fields += ["image_url", imageURL] }
        let maximum = new.maximumConcurrentBots ?? session.configuration.defaultMaximumConcurrentBots
        let hash = try await session.run(
            Scripts.CreateUser(
                userKey: Keys.user(id), userID: id, email: new.email, workspaceID: Identifier.uuid(),
                fields: fields + ["max_concurrent_bots", String(maximum)]))
        guard hash["email"] == new.email else { return nil }
        guard let workspaceID = hash["workspace_id"] else { throw .unexpectedReply("a user without a workspace") }
        let workspace = try await session.workspaces.ensure(
            id: workspaceID, name: "\(new.email)'s workspace", owner: id,
            maximumConcurrentBots: hash["max_concurrent_bots"].flatMap { Int($0) } ?? maximum)
        _ = try await session.change([Command("ZADD", Keys.users, String(id), String(id))])
        return try User(hash, in: workspace)
    }

    /// Has an email lead nowhere, if it leads to this user.
    func forget(email: String, of id: Int) async throws(RedisError) {
        _ = try await session.run(Scripts.Unlock(lockKey: Keys.userID(email: email), token: String(id)))
    }

    /// Writes the record of a user that an export has, unless it is there. Repeating it changes nothing.
    /// - Returns: false if the id, or the email, is another user's.
    func restore(_ id: Int, email: String, fields: [String: String]) async throws(RedisError) -> Bool {
        let key = Keys.userID(email: email)
        let replies = try await session.change([Command("SET", key, String(id), "NX"), Command("GET", key)])
        guard replies[1] == .string(String(id)) else { return false }
        let hash = try await session.run(
            Scripts.CreateUser(
                userKey: Keys.user(id), userID: id, email: email, workspaceID: fields["workspace_id"] ?? "",
                fields: fields.inOrder))
        guard hash["email"] == email else {
            try await forget(email: email, of: id)
            return false
        }
        _ = try await session.change([Command("ZADD", Keys.users, String(id), String(id))])
        return true
    }

    public func user(id: Int) async throws(RedisError) -> User? {
        let hash = try await session.send(Command("HGETALL", Keys.user(id))).hash()
        guard let workspaceID = hash["workspace_id"],
            let workspace = try await session.workspaces.workspace(id: workspaceID)
        else { return nil }
        return try User(hash, in: workspace)
    }

    /// A page of all users, the oldest first.
    /// - Returns: without those whose records are odd; and whether there are more behind `limit`.
    public func page(offset: Int, limit: Int) async throws(RedisError) -> (users: [User], hasMore: Bool) {
        let members = try await session.send(
            Command("ZRANGE", Keys.users, String(offset), String(offset.addingClamped(limit)))
        ).arrayOrThrow()
        let ids = members.prefix(limit).compactMap { $0.string.flatMap { Int($0) } }
        return (try await users(ids), members.count > limit)
    }

    private func users(_ ids: [Int]) async throws(RedisError) -> [User] {
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
        let email = NewUser.comparable(email)
        let id = try await session.send(Command("GET", Keys.userID(email: email))).optionalString().flatMap { Int($0) }
        // It may lead to another's record.
        guard let id, let user = try await user(id: id), user.email == email else { return nil }
        return user
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

    private func claimUserID(email: String) async throws(RedisError) -> (Int, isNew: Bool) {
        let key = Keys.userID(email: email)
        if let id = try await session.send(Command("GET", key)).optionalString() {
            return (try Self.userID(id), false)
        }
        let id = try await session.newNumber(of: Keys.userSequence) { id throws(RedisError) in
            try await session.send(Command("EXISTS", Keys.user(id))) == .integer(0)
        }
        let replies = try await session.change([Command("SET", key, String(id), "NX"), Command("GET", key)])
        return (try Self.userID(replies[1].stringOrThrow()), replies[0] != .null)
    }

    private static func userID(_ text: String) throws(RedisError) -> Int {
        guard let id = Int(text) else { throw .unexpectedReply("a user id that is no number") }
        return id
    }
}

extension Session {
    public var users: Users { Users(session: self) }
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
