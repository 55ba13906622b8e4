import HTTP
import Log
import Usher

/// What the Bots API's client asks of `/admin` beside making users (docs/bot-wire.md, "Clients").
extension AdminEndpoints {
    private static let maximumPage = 1_000
    private static let maximumOffset = 1_000_000_000

    /// `GET /admin/users?skip&limit`: a list, the oldest first.
    func listUsers(_ request: Request) async -> Response {
        await administer(request) { administration in
            let offset = try request.number("skip", in: 0...Self.maximumOffset) ?? 0
            let limit = try request.number("limit", in: 1...Self.maximumPage) ?? 100
            let users = try await administration.users(offset: offset, limit: limit)
            return try .encoding(200, users.map { UserObject($0) })
        }
    }

    /// `GET /admin/users/email/{email}`
    func findUser(_ request: Request) async -> Response {
        await administer(request) { administration in
            try .encoding(200, UserObject(await administration.user(email: request.parameter("email"))))
        }
    }

    struct UserChangesBody: Decodable {
        let changes: UserChanges

        enum CodingKeys: String, CodingKey {
            case name
            case imageURL = "image_url"
            case maximumConcurrentBots = "max_concurrent_bots"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            changes = UserChanges(
                name: try container.text(.name, maximum: Administration.maximumNameCharacters),
                imageURL: try container.text(.imageURL, maximum: Administration.maximumImageURLCharacters),
                maximumConcurrentBots: try container.decodeIfPresent(Int.self, forKey: .maximumConcurrentBots))
        }
    }

    /// `PATCH /admin/users/{user_id}`: what is absent or null stays as it is.
    func updateUser(_ request: Request) async -> Response {
        await administer(request) { administration in
            let id = try Self.userID(of: request)
            let changes = try JSONBody.decode(UserChangesBody.self, from: request).changes
            return try .encoding(200, UserObject(await administration.updateUser(id, changes)))
        }
    }

    private struct TokenObject: Encodable {
        let id: String
        let token: String
        let userID: Int
        let workspaceID: String
        let scopes: [String]
        let createdAt: String

        enum CodingKeys: String, CodingKey {
            case id, token, scopes
            case userID = "user_id"
            case workspaceID = "workspace_id"
            case createdAt = "created_at"
        }
    }

    /// `POST /admin/users/{user_id}/tokens`: an API key of the personal workspace, shown this once.
    func createToken(_ request: Request) async -> Response {
        await administer(request) { administration in
            let (key, record) = try await administration.createToken(user: try Self.userID(of: request))
            return try .encoding(
                201,
                TokenObject(
                    id: record.id, token: key, userID: record.userID, workspaceID: record.workspaceID,
                    scopes: record.scopes, createdAt: Timestamp.withZone(record.createdAt)))
        }
    }

    /// `DELETE /admin/tokens/{token_id}`
    func revokeToken(_ request: Request) async -> Response {
        await administer(request) { administration in
            try await administration.revokeKey(id: request.parameter("token_id"))
            return .empty()
        }
    }
}
