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
        let reply = try await session.send(Self.question(about: Digest.sha256(apiKey)))
        return try Self.caller(reply)
    }

    /// The caller behind an API key, whose request counts for the key's limit. Read from Redis at every request, so that
    /// a revocation counts from the next one on.
    /// - Parameter address: asked for where the request comes from, if the key is new to this loop.
    public func recognise(
        apiKey: String, from address: () -> IPAddress?
    ) async throws(RedisError) -> Recognition<Caller> {
        try await recognise(apiKey: apiKey, from: address) { _ in [] }.map { $0.caller }
    }

    /// The same, with the replies to further commands in the same exchange, if this loop remembers whose key it is.
    /// - Parameter further: asked for the commands about the owner that is remembered.
    /// - Returns: no replies if there were no such commands, or if the key is not that owner's after all.
    func recognise(
        apiKey: String, from address: () -> IPAddress?, with further: (KeyOwner) -> [Command]
    ) async throws(RedisError) -> Recognition<(caller: Caller, replies: ArraySlice<Value>)> {
        let hash = Digest.sha256(apiKey)
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
        guard let caller = try Self.caller(replies[0]) else { return .unknown }
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

    private static func question(about hash: String) -> Command {
        Command("HMGET", Keys.apiKey(hash: hash), "id", "workspace_id", "user_id", "scopes")
    }

    /// - Parameter reply: to the question about a key; nil is returned for none.
    private static func caller(_ reply: Value) throws(RedisError) -> Caller? {
        let fields = try reply.arrayOrThrow()
        guard fields.count == 4, let id = fields[0].string, let workspace = fields[1].string,
            let user = fields[2].string, let scopes = fields[3].string
        else { return nil }
        return Caller(
            keyID: id, workspaceID: workspace, userID: user,
            scopes: scopes.utf8.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) })
    }

    /// The role of a caller in its key's workspace: nil if it is no member (any more).
    public func role(of caller: Caller) async throws(RedisError) -> Role? {
        let keys = WorkspaceKeys(workspace: caller.workspaceID)
        return try await session.send(Command("HGET", keys.members, caller.userID))
            .optionalString().flatMap(Role.init(rawValue:))
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
