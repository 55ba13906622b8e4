import HTTP
import Usher

/// `GET /user`: whose key it is and what it may do, so that a client offers nothing that would be refused.
enum CallerEndpoint {
    static let all = [get, getForClients]

    private static let gone = DescribedError(
        APIError(404, "The user of this API key no longer exists."),
        "The key's user, or its workspace, no longer exists.")

    static let get = Endpoint(
        .get, "/user", id: "getCaller", .bots(.viewer), summary: "Whose key this is",
        details: "The user, the workspace, the role in it, the key's id and scopes.",
        answers: [
            .json(
                200, "The key's user and workspace.",
                .object(
                    .required("user_id", UserEndpoints.idSchema), .required("email", .string),
                    .required("name", Schema.string.orNull), .required("workspace_id", .uuid),
                    .required("workspace_name", .string), .required("role", .choice(Role.self)),
                    .required("key_id", .string, "The key's id, which is not the key."),
                    .required("scopes", .list(of: .choice(Scope.self)))),
                example: [
                    "user_id": 7, "email": .string(Sample.email), "name": "Anna",
                    "workspace_id": .string(Sample.workspaceID), "workspace_name": "Sales", "role": "manager",
                    "key_id": .string(Sample.keyID), "scopes": ["seameet", "bots"],
                ])
        ],
        errors: [gone]
    ) { call in
        let (user, workspace) = try await owners(of: call)
        let caller = call.caller
        guard let role = try await call.services.authentication.role(of: caller, in: call.session) else {
            throw gone.error
        }
        var object = JSONText()
        object.add("user_id", user.id)
        object.add("email", user.email)
        object.add("name", user.name)
        object.add("workspace_id", workspace.id)
        object.add("workspace_name", workspace.name)
        object.add("role", role.rawValue)
        object.add("key_id", caller.keyID)
        object.add("scopes", texts: scopes(of: caller))
        return .json(object.bytes)
    }

    static let getForClients = Endpoint(
        .get, "/auth/me", id: "getCallerForClients", .bots(.viewer), summary: "Whose key this is, for Vexa's clients",
        details: "What `GET /user` tells, as clients of this field know it.",
        answers: [
            .json(
                200, "The key's user, and how many bots its workspace may have at once.",
                .object(
                    .required("user_id", UserEndpoints.idSchema), .required("email", .string),
                    .required("scopes", .list(of: .choice(Scope.self))),
                    .required("max_concurrent", .integer(0...)),
                    .required("is_admin", .boolean, "False: `/admin` takes a key of its own.")),
                example: [
                    "user_id": 7, "email": .string(Sample.email), "scopes": ["seameet", "bots"], "max_concurrent": 10,
                    "is_admin": false,
                ])
        ],
        errors: [gone]
    ) { call in
        let (user, workspace) = try await owners(of: call)
        var object = JSONText()
        object.add("user_id", user.id)
        object.add("email", user.email)
        object.add("scopes", texts: scopes(of: call.caller))
        object.add("max_concurrent", workspace.maximumConcurrentBots)
        object.add("is_admin", json: "false")
        return .json(object.bytes)
    }

    /// - Throws: `APIError` 404 if one of them is gone.
    private static func owners(of call: Call<Caller>) async throws -> (User, Workspace) {
        guard let user = try await call.session.users.user(of: call.caller),
            let workspace = try await call.session.workspaces.workspace(id: call.caller.workspaceID)
        else { throw gone.error }
        return (user, workspace)
    }

    private static func scopes(of caller: Caller) -> [String] { Scope.allCases.filter(caller.has).map(\.rawValue) }
}
