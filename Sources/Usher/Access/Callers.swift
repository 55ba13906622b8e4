import EventLoop
import Redis
import Scripts

/// What Redis says of an API key.
public enum Recognition<Found: Sendable>: Sendable {
    case found(Found)
    /// There is no such key: it never was, has expired or was revoked.
    case unknown
    /// Its requests come too fast: the next one may come after so many milliseconds.
    case overLimit(milliseconds: Int)
    /// It is new to this loop, and too many requests without a valid key have come from where it comes from: nothing
    /// was asked.
    case notAsked(milliseconds: Int)

    public var found: Found? { if case .found(let found) = self { found } else { nil } }

    func map<Other>(_ transform: (Found) -> Other) -> Recognition<Other> {
        switch self {
        case .found(let found): .found(transform(found))
        case .unknown: .unknown
        case .overLimit(let milliseconds): .overLimit(milliseconds: milliseconds)
        case .notAsked(let milliseconds): .notAsked(milliseconds: milliseconds)
        }
    }
}

/// Who is behind an API key.
public struct Callers: Sendable {
    let session: Session

    private var store: Store { session.store }

    /// The record of an API key: nil if there is none, because it never was, has expired or was revoked. Counts for no
    /// limit.
    public func caller(apiKey: String) async throws(RedisError) -> Caller? {
        let hash = Digest.sha256(apiKey)
        return try Self.caller(try await session.send(Self.question(about: hash)), keyHash: hash)
    }

    /// The caller behind an API key, whose request counts for the key's limit. Read from Redis at every request, so that
    /// a revocation counts from the next one on.
    /// - Parameter address: asked for where the request comes from, if the key is new to this loop.
    public func recognise(
        apiKey: String, from address: () -> IPAddress?
    ) async throws(RedisError) -> Recognition<Caller> {
        try await recognise(keyHash: Digest.sha256(apiKey), from: address) { _ in [] }.map { $0.caller }
    }

    /// The same of a key's hash, with the replies to further commands in the same exchange, if this loop remembers whose key it is.
    /// - Parameter further: asked for the commands about the owner that is remembered.
    /// - Returns: no replies if there were no such commands, or if the key is not that owner's after all.
    func recognise(
        keyHash hash: String, from address: () -> IPAddress?, with further: (KeyOwner) -> [Command]
    ) async throws(RedisError) -> Recognition<(caller: Caller, replies: ArraySlice<Value>)> {
        let seen = store.keyOwners[hash]
        if seen == nil, let pause = address().flatMap(store.invalidRequests.pause) {
            return .notAsked(milliseconds: pause)
        }
        // A key that is new is only remembered once it is known to be one.
        let key = seen ?? KnownKey(limit: session.configuration.keyRateLimit)
        let remembered = key.owner
        let plan = key.allowance?.plan(at: store.client.loop.now)
        if case .refused(let milliseconds) = plan { return .overLimit(milliseconds: milliseconds) }
        var commands = [Self.question(about: hash)] + (remembered.map(further) ?? [])
        let tokenCall = plan.flatMap { tokenRequest($0, hash) }
        let request = tokenCall.flatMap { store.client.command($0) }
        if let request { commands.append(request) }
        var replies: [Value]
        do throws(RedisError) {
            replies = try await session.replies(to: commands)
        } catch {
            _ = settle(plan, of: key, by: nil)
            throw error
        }
        let answer = request == nil ? nil : replies.removeLast()
        var tokens = answer.flatMap { try? Scripts.TakeTokens.reply($0) }
        if case .error(let text) = answer, text.hasPrefix("NOSCRIPT"), let tokenCall {
            // With the script's text, since Redis has forgotten it. If that fails, no request does for it.
            tokens = try? await session.run(tokenCall)
        }
        let isWithinLimit = settle(plan, of: key, by: tokens)
        guard let caller = try Self.caller(replies[0], keyHash: hash) else {
            // It was taken away: from now on one that is asked for as any other that is none.
            store.keyOwners.forget(hash)
            return .unknown
        }
        let owner = KeyOwner(workspaceID: caller.workspaceID, userID: caller.userID)
        if owner != remembered {
            key.owner = owner
            if store.keyOwners[hash] == nil { store.keyOwners[hash] = key }
        }
        if store.client.loop.now >= key.nextNote { noteUse(of: key, hash) }
        guard isWithinLimit else {
            return .overLimit(milliseconds: key.allowance?.pause(at: store.client.loop.now) ?? 1)
        }
        return .found((caller, owner == remembered ? replies.dropFirst() : []))
    }

    /// The same, with the caller's role in the key's workspace, nil of one who is no member (any more): in the same exchange
    /// if this loop remembers whose key it is.
    public func recogniseMember(
        keyHash: String, from address: () -> IPAddress?
    ) async throws(RedisError) -> Recognition<(caller: Caller, role: Role?)> {
        let recognition = try await recognise(keyHash: keyHash, from: address) {
            [Self.question(aboutRoleOf: $0.userID, in: $0.workspaceID)]
        }
        guard case .found(let (caller, replies)) = recognition else { return recognition.map { ($0.caller, nil) } }
        if let reply = replies.first { return .found((caller, try Self.role(reply))) }
        return .found((caller, try await role(of: caller)))
    }

    private static func question(about hash: String) -> Command {
        Command("HMGET", Keys.apiKey(hash: hash), "id", "workspace_id", "user_id", "scopes")
    }

    /// - Parameter reply: to the question about a key; nil is returned for none.
    private static func caller(_ reply: Value, keyHash: String) throws(RedisError) -> Caller? {
        let fields = try reply.arrayOrThrow()
        guard fields.count == 4, let id = fields[0].string, let workspace = fields[1].string,
            let user = fields[2].string, let scopes = fields[3].string
        else { return nil }
        var caller = Caller(
            keyID: id, workspaceID: workspace, userID: user,
            scopes: scopes.utf8.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) })
        caller.keyHash = keyHash
        return caller
    }

    /// The role of a caller in its key's workspace: nil if it is no member (any more).
    public func role(of caller: Caller) async throws(RedisError) -> Role? {
        try Self.role(
            try await session.send(Self.question(aboutRoleOf: caller.userID, in: caller.workspaceID)))
    }

    /// What a caller's key says now, with the role of its user: nil if there is no such key of this caller any more. Counts
    /// for no limit.
    public func now(_ caller: Caller) async throws(RedisError) -> (caller: Caller, role: Role?)? {
        let replies = try await session.pipeline([
            Self.question(about: caller.keyHash),
            Self.question(aboutRoleOf: caller.userID, in: caller.workspaceID),
        ])
        guard let now = try Self.caller(replies[0], keyHash: caller.keyHash), now.workspaceID == caller.workspaceID,
            now.userID == caller.userID
        else { return nil }
        return (now, try Self.role(replies[1]))
    }

    private static func question(aboutRoleOf userID: String, in workspace: String) -> Command {
        Command("HGET", WorkspaceKeys(workspace: workspace).members, userID)
    }

    private static func role(_ reply: Value) throws(RedisError) -> Role? {
        try reply.optionalString().flatMap(Role.init(rawValue:))
    }
}

extension Session {
    public var callers: Callers { Callers(session: self) }
}

// MARK: The last use of a key

extension Callers {
    private static let millisecondsBetweenNotes = 60_000

    /// Has the use noted in the key's record, while the request goes on. A note that fails is made up for by the next one.
    private func noteUse(of key: KnownKey, _ hash: String) {
        // One that a node of the version before has made is not listed yet.
        let unlisted = key.nextNote.nanoseconds == 0 ? key.owner?.workspaceID : nil
        key.nextNote = store.client.loop.now.advanced(byMilliseconds: Self.millisecondsBetweenNotes)
        Task(executorPreference: store.client.loop) {
            let session = store.session(milliseconds: store.configuration.redisTimeoutMilliseconds)
            _ = try? await session.run(Scripts.NoteUse(recordKey: Keys.apiKey(hash: hash)))
            if let unlisted { _ = try? await session.send(Workspaces.listing(unlisted)) }
        }
    }
}

// MARK: The limit of a key

extension Callers {
    /// What asks for tokens, if the plan says so.
    private func tokenRequest(_ plan: Allowance.Plan, _ hash: String) -> Scripts.TakeTokens? {
        guard case .ask(let count) = plan, let limit = session.configuration.keyRateLimit else { return nil }
        return Scripts.TakeTokens(
            bucketKey: Keys.bucket(apiKeyHash: hash), recordKey: Keys.apiKey(hash: hash), perSecond: limit.perSecond,
            burst: limit.burst, wanted: count)
    }

    /// - Parameter reply: if it was asked and has answered.
    /// - Returns: whether the request is within the limit.
    private func settle(_ plan: Allowance.Plan?, of key: KnownKey, by reply: Scripts.TakeTokens.Reply?) -> Bool {
        guard let plan else { return true }
        if case .ask(let count) = plan {
            key.allowance?.receive(reply, to: count, at: store.client.loop.now)
        }
        return key.allowance?.settle(plan) ?? true
    }
}
