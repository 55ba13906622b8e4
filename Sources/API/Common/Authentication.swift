import HTTP
import Redis
import Usher

/// Finds out who asks. Keys are never logged, nor repeated in an answer.
struct Authentication: Sendable {
    /// No key of ours is longer; a longer one is not worth hashing.
    private static let maximumKeyBytes = 512

    let store: Store
    let gatekeeper: Gatekeeper

    /// The caller behind the request's API key, which must have `scope`.
    /// - Throws: `APIError` 401 for no key, or one that is unknown, expired or revoked; 403 for one that may not do this;
    ///   429 for one whose requests come too fast, and in place of 401 to an address that has got too many of those.
    func caller(of request: Request, scope: Scope) async throws -> Caller {
        let caller = try await recognise(request) { key throws(RedisError) in
            try await store.session(until: request.deadline).callers.recognise(
                apiKey: key, from: { gatekeeper.address(of: request) })
        }
        try Self.check(caller, has: scope)
        return caller
    }

    /// The same of one with at least this role in the key's workspace, which is found out with the key as a rule.
    /// - Parameter workspaceID: the workspace that the key must be of, if it is named.
    /// - Throws: as `caller(of:scope:)`; 403 for a lower role, and for the key of another workspace.
    func member(
        of request: Request, scope: Scope, atLeast minimum: Role, workspaceID: String? = nil
    ) async throws -> Caller {
        let (caller, role) = try await recognise(request) { key throws(RedisError) in
            try await store.session(until: request.deadline).callers.recogniseMember(
                keyHash: Digest.sha256(key), from: { gatekeeper.address(of: request) })
        }
        try Self.check(caller, has: scope)
        if let workspaceID { try Self.check(caller, isOf: workspaceID) }
        try Self.check(role, of: caller, isAtLeast: minimum)
        return caller
    }

    /// Who opens a live feed, which takes a viewer: by a key where browsers can put it too, or by a ticket, which this uses
    /// up.
    func follower(of request: Request, in session: Session) async throws -> Caller {
        let hash: String
        if let key = Self.apiKey(of: request, orQuery: true) {
            hash = Digest.sha256(key)
        } else {
            hash = try await recognise(request, Self.ticket(of: request)) { ticket throws(RedisError) in
                try await session.callers.redeem(ticket: ticket, from: { gatekeeper.address(of: request) })
            }
        }
        return try await follower(withKeyHash: hash, of: request, in: session)
    }

    /// The same of a key that was found before, which counts as one more request of it.
    func follower(withKeyHash hash: String, of request: Request, in session: Session) async throws -> Caller {
        let (caller, role) = try await recognise(request, hash) { hash throws(RedisError) in
            try await session.callers.recogniseMember(keyHash: hash, from: { gatekeeper.address(of: request) })
        }
        try Self.check(caller, has: .bots)
        try Self.check(role, of: caller, isAtLeast: .viewer)
        return caller
    }

    /// Whether a request to open a live feed says who asks.
    static func hasKey(_ request: Request) -> Bool {
        apiKey(of: request, orQuery: true) != nil || ticket(of: request) != nil
    }

    private static func ticket(of request: Request) -> String? {
        request.query("ticket").flatMap { (1...maximumKeyBytes).contains($0.utf8.count) ? $0 : nil }
    }

    private func recognise<Found>(
        _ request: Request, _ ask: (String) async throws(RedisError) -> Recognition<Found>
    ) async throws -> Found {
        try await recognise(request, Self.apiKey(of: request), ask)
    }

    /// - Parameter key: or what else says who it is; nil: nothing does.
    private func recognise<Found>(
        _ request: Request, _ key: String?, _ ask: (String) async throws(RedisError) -> Recognition<Found>
    ) async throws -> Found {
        guard let key else { throw gatekeeper.refuse(request, with: .unauthorized) }
        let recognition: Recognition<Found>
        do { recognition = try await ask(key) } catch { throw APIError.unavailable(cause: error) }
        switch recognition {
        case .found(let found): return found
        case .unknown: throw gatekeeper.refuse(request, with: .unauthorized)
        case .overLimit(let milliseconds): throw APIError.tooManyRequests(milliseconds: milliseconds)
        case .notAsked(let milliseconds): throw APIError.tooManyInvalidRequests(milliseconds: milliseconds)
        }
    }

    /// The caller for the load of the Re-invite API: what the request reads of the meeting comes with the caller.
    func visitor(
        of request: Request, scope: Scope, workspaceID: String, meetingID: String, idempotencyKey: IdempotencyKey?
    ) async throws -> Reinvitation.Visitor {
        let visitor = try await recognise(request) { key throws(RedisError) in
            try await Reinvitation.visitor(
                in: store.session(until: request.deadline), apiKey: key, from: { gatekeeper.address(of: request) },
                workspaceID: workspaceID, meetingID: meetingID, idempotencyKey: idempotencyKey)
        }
        try Self.check(visitor.caller, has: scope)
        try Self.check(visitor.caller, isOf: workspaceID)
        return visitor
    }

    private static func check(_ caller: Caller, has scope: Scope) throws {
        guard caller.has(scope) else {
            throw lacks(scope)
        }
    }

    static func lacks(_ scope: Scope) -> APIError {
        APIError(403, "This API key lacks the scope \(scope.rawValue). Use a key that has it.")
    }

    private static func check(_ caller: Caller, isOf workspaceID: String) throws {
        // Ids are written in lower case; a comparison as they are spares the load the making of another text.
        guard caller.workspaceID == workspaceID || caller.workspaceID == workspaceID.lowercased() else {
            throw otherWorkspace(workspaceID)
        }
    }

    static func otherWorkspace(_ workspaceID: String) -> APIError {
        APIError(
            403, "This API key does not belong to workspace \(workspaceID). Use one of that workspace's keys.",
            parameters: ["workspace_id": workspaceID])
    }

    /// The caller's role in the key's workspace; nil if the caller is no member (any more).
    /// - Throws: `APIError` 503 if it cannot be read.
    func role(of caller: Caller, in session: Session) async throws -> Role? {
        do {
            return try await session.callers.role(of: caller)
        } catch {
            throw APIError.unavailable(cause: error)
        }
    }

    /// Checks that the caller has at least this role in the key's workspace.
    /// - Throws: `APIError` 403 if not, 503 if it cannot be read.
    func require(_ minimum: Role, of caller: Caller, in session: Session) async throws {
        try Self.check(try await role(of: caller, in: session), of: caller, isAtLeast: minimum)
    }

    private static func check(_ role: Role?, of caller: Caller, isAtLeast minimum: Role) throws {
        guard let role, role >= minimum else { throw roleTooLow(minimum, workspaceID: caller.workspaceID) }
    }

    static func roleTooLow(_ minimum: Role, workspaceID: String) -> APIError {
        APIError(
            403, "This needs the role \(minimum.rawValue) in workspace \(workspaceID), or a higher one.",
            parameters: ["workspace_id": workspaceID])
    }

    /// The key of `Authorization: Bearer <key>` (RFC 6750, section 2.1), else of `X-API-Key`.
    /// - Parameter orQuery: whether it may be the parameter `api_key` of the query, for what a browser opens without fields
    ///   of its own. The query is in no log.
    static func apiKey(of request: Request, orQuery: Bool = false) -> String? {
        var key: String?
        if let authorization = request.header("Authorization") {
            // By bytes: to split text into characters would cost more than reading the whole request.
            let scheme = authorization.utf8.prefix { $0 != UInt8(ascii: " ") }
            let isBearer = scheme.elementsEqual("bearer".utf8) { $0 | 0x20 == $1 }
            let credentials = authorization.utf8[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
            guard isBearer, !credentials.contains(UInt8(ascii: " ")) else { return nil }
            key = String(Substring(credentials))
        } else {
            key = request.header("X-API-Key")
        }
        if key == nil, orQuery { key = request.query("api_key") }
        guard let key, (1...maximumKeyBytes).contains(key.utf8.count) else { return nil }
        return key
    }
}
