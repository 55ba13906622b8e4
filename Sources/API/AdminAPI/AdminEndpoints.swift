import HTTP
import Log
import Usher

/// `/admin`: users, workspaces, members and API keys, for whoever has the admin key.
struct AdminEndpoints: Sendable {
    let store: Store
    /// nil refuses every request.
    let adminKey: String?
    let gatekeeper: Gatekeeper
    let logger: Logger

    // MARK: Users and workspaces

    struct NewUserBody: Decodable {
        let new: NewUser

        enum CodingKeys: String, CodingKey {
            case email, name
            case imageURL = "image_url"
            case maximumConcurrentBots = "max_concurrent_bots"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            new = NewUser(
                email: try container.decode(String.self, forKey: .email),
                name: try container.text(.name, maximum: Administration.maximumNameCharacters),
                imageURL: try container.text(.imageURL, maximum: Administration.maximumImageURLCharacters),
                maximumConcurrentBots: try container.decodeIfPresent(Int.self, forKey: .maximumConcurrentBots))
        }
    }

    func createUser(_ request: Request) async -> Response {
        await administer(request) { administration in
            let body = try JSONBody.decode(NewUserBody.self, from: request)
            let (user, isNew) = try await administration.createUser(body.new)
            return try .encoding(isNew ? 201 : 200, UserObject(user))
        }
    }

    struct NewWorkspaceBody: Decodable {
        let name: String
        let owner: Int
        let maximumConcurrentBots: Int?

        enum CodingKeys: String, CodingKey {
            case name
            case owner = "owner_user_id"
            case maximumConcurrentBots = "max_concurrent_bots"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            guard let name = try container.text(.name, maximum: Administration.maximumNameCharacters) else {
                throw APIError.invalid("name", "is required")
            }
            self.name = name
            owner = try container.decode(Int.self, forKey: .owner)
            maximumConcurrentBots = try container.decodeIfPresent(Int.self, forKey: .maximumConcurrentBots)
        }
    }

    func createWorkspace(_ request: Request) async -> Response {
        await administer(request) { administration in
            let body = try JSONBody.decode(NewWorkspaceBody.self, from: request)
            let workspace = try await administration.createWorkspace(
                name: body.name, owner: body.owner, maximumConcurrentBots: body.maximumConcurrentBots)
            return try .encoding(201, WorkspaceObject(workspace))
        }
    }

    /// `GET /admin/workspaces/{workspace_id}`
    func workspace(_ request: Request) async -> Response {
        await administer(request) { administration in
            try .encoding(200, WorkspaceObject(await administration.workspace(Self.workspaceID(of: request))))
        }
    }

    struct WorkspaceChangesBody: Decodable {
        let changes: WorkspaceChanges

        enum CodingKeys: String, CodingKey {
            case maximumConcurrentBots = "max_concurrent_bots"
            case maximumMeetings = "max_meetings"
            case maximumBytes = "max_bytes"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            func limit(_ key: CodingKeys) throws -> WorkspaceChanges.Limit {
                guard container.contains(key) else { return .unchanged }
                return try container.decodeIfPresent(Int.self, forKey: key).map { .at($0) } ?? .byDefault
            }
            changes = WorkspaceChanges(
                maximumConcurrentBots: try container.decodeIfPresent(Int.self, forKey: .maximumConcurrentBots),
                maximumMeetings: try limit(.maximumMeetings), maximumBytes: try limit(.maximumBytes))
        }
    }

    /// `PATCH /admin/workspaces/{workspace_id}`: what is absent stays as it is.
    func updateWorkspace(_ request: Request) async -> Response {
        await administer(request) { administration in
            let changes = try JSONBody.decode(WorkspaceChangesBody.self, from: request).changes
            let workspace = try await administration.updateWorkspace(Self.workspaceID(of: request), changes)
            return try .encoding(200, WorkspaceObject(workspace))
        }
    }

    // MARK: Members

    struct RoleBody: Decodable {
        let role: String
    }

    func setMember(_ request: Request) async -> Response {
        await administer(request) { administration in
            let (workspace, user) = try Self.member(of: request)
            let role = try JSONBody.decode(RoleBody.self, from: request).role
            try await administration.setMember(workspace: workspace, user: user, role: role)
            return try .encoding(200, MemberObject(workspaceID: workspace, userID: user, role: role))
        }
    }

    func removeMember(_ request: Request) async -> Response {
        await administer(request) { administration in
            let (workspace, user) = try Self.member(of: request)
            try await administration.removeMember(workspace: workspace, user: user)
            return .empty()
        }
    }

    private static func member(of request: Request) throws -> (workspace: String, user: Int) {
        (workspaceID(of: request), try userID(of: request))
    }

    private static func workspaceID(of request: Request) -> String { request.parameter("workspace_id").lowercased() }

    static func userID(of request: Request) throws -> Int {
        let text = request.parameter("user_id")
        guard let user = Int(text) else { throw APIError(404, "There is no user \(text).") }
        return user
    }

    // MARK: API keys

    struct NewKeyBody: Decodable {
        let userID: Int
        let scopes: [String]
        let label: String?
        let expiresAt: Int?

        enum CodingKeys: String, CodingKey {
            case userID = "user_id"
            case scopes, label
            case expiresAt = "expires_at"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            userID = try container.decode(Int.self, forKey: .userID)
            scopes = try container.decode([String].self, forKey: .scopes)
            label = try container.text(.label, maximum: Administration.maximumNameCharacters)
            do {
                expiresAt = try AdminAnswer.expiry(try container.decodeIfPresent(String.self, forKey: .expiresAt))
            } catch let refusal as AdministrationRefusal {
                throw APIError(refusal)
            }
        }
    }

    func createKey(_ request: Request) async -> Response {
        await administer(request) { administration in
            let body = try JSONBody.decode(NewKeyBody.self, from: request)
            let (key, record) = try await administration.createKey(
                workspace: Self.workspaceID(of: request), user: body.userID, scopes: body.scopes,
                label: body.label, expiresAt: body.expiresAt)
            return try .encoding(201, KeyObject(record, key: key))
        }
    }

    func listKeys(_ request: Request) async -> Response {
        await administer(request) { administration in
            let workspace = request.parameter("workspace_id").lowercased()
            return try .encoding(200, KeyListObject(try await administration.keys(workspace: workspace)))
        }
    }

    struct RotationBody: Decodable {
        let graceSeconds: Int?

        enum CodingKeys: String, CodingKey {
            case graceSeconds = "grace_seconds"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            graceSeconds = try container.decodeIfPresent(Int.self, forKey: .graceSeconds)
        }
    }

    /// An absent body means an empty object.
    func rotateKey(_ request: Request) async -> Response {
        await administer(request) { administration in
            let grace =
                request.body.isEmpty ? nil : try JSONBody.decode(RotationBody.self, from: request).graceSeconds
            let (key, record) = try await administration.rotateKey(
                id: request.parameter("key_id"), graceSeconds: grace)
            return try .encoding(201, KeyObject(record, key: key))
        }
    }

    func revokeKey(_ request: Request) async -> Response {
        await administer(request) { administration in
            try await administration.revokeKey(id: request.parameter("key_id"))
            return .empty()
        }
    }

    // MARK: Access

    func administer(
        _ request: Request, _ work: (Administration) async throws -> Response
    ) async -> Response {
        await answer(request, logger: logger) {
            try authorize(request)
            do {
                return try await work(Administration(store: store, deadline: request.deadline))
            } catch AdministrationRefusal.failed(let error) {
                throw error
            } catch let refusal as AdministrationRefusal {
                throw APIError(refusal)
            }
        }
    }

    private func authorize(_ request: Request) throws {
        guard let adminKey else {
            throw APIError(403, "No admin key is configured. Start the nodes with USHER_ADMIN_KEY to use /admin.")
        }
        guard let given = request.header("X-Admin-API-Key"), Digest.areEqual(given, adminKey) else {
            throw gatekeeper.refuse(request, with: Self.wrongKey)
        }
    }

    static let wrongKey = APIError(403, "Send the admin key: X-Admin-API-Key: <key>.")
}

/// What the admin API and `usher admin` have in common beside the objects.
public enum AdminAnswer {
    /// The sentence that the API would answer with.
    public static func detail(of refusal: AdministrationRefusal) -> String {
        if case .failed(let error) = refusal { return "\(error)" }
        return APIError(refusal).detail
    }

    /// The milliseconds since 1970 of an `expires_at`.
    public static func expiry(_ text: String?) throws(AdministrationRefusal) -> Int? {
        guard let text else { return nil }
        guard let time = Timestamp.milliseconds(rfc3339: text) else {
            throw .invalid(field: "expires_at", problem: "must be a time with a zone, such as 2027-01-31T12:00:00Z")
        }
        return time
    }
}

extension APIError {
    init(_ refusal: AdministrationRefusal) {
        switch refusal {
        case .invalid(let field, let problem): self = .invalid(field, problem)
        case .unknownUser(let id):
            self.init(404, "There is no user \(id).", parameters: ["user_id": String(id)])
        case .unknownEmail(let email):
            self.init(404, "There is no user with the email \(email.prefix(254)).")
        case .unknownWorkspace(let id):
            self.init(404, "There is no workspace \(id).", parameters: ["workspace_id": id])
        case .unknownMember(let user, let workspace):
            self.init(
                404, "User \(user) is no member of workspace \(workspace). Make the user a member first.",
                parameters: ["user_id": String(user), "workspace_id": workspace])
        case .unknownKey(let id):
            self.init(404, "There is no API key with id \(id).", parameters: ["key_id": id])
        case .rotatedKey(let id, let successor):
            self.init(
                409,
                "API key \(id) has been replaced by key \(successor) before. If that one is not at hand, rotate it in turn.",
                parameters: ["key_id": id, "rotated_to": successor])
        case .tooManyKeys(let workspace):
            self.init(
                409,
                "Workspace \(workspace) has \(Store.maximumAPIKeys) API keys, which is the most. Revoke some first.",
                parameters: ["workspace_id": workspace])
        case .lastOwner(let workspace):
            self.init(
                409, "Workspace \(workspace) would have no owner left. Make another member an owner first.",
                parameters: ["workspace_id": workspace])
        case .failed(let error): self.init(error)
        }
    }
}
