import HTTP
import Usher

/// `GET /user`: whose key it is and what it may do, so that a client offers nothing that would be refused.
enum CallerEndpoint {
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
        let caller = call.caller
        guard let user = try await call.session.users.user(of: caller),
            let workspace = try await call.session.workspaces.workspace(id: caller.workspaceID),
            let role = try await call.services.authentication.role(of: caller, in: call.session)
        else { throw gone.error }
        var object = JSONText()
        object.add("user_id", user.id)
        object.add("email", user.email)
        object.add("name", user.name)
        object.add("workspace_id", workspace.id)
        object.add("workspace_name", workspace.name)
        object.add("role", role.rawValue)
        object.add("key_id", caller.keyID)
        let scopes = Scope.allCases.filter(caller.has).map { "\"\($0.rawValue)\"" }
        object.add("scopes", json: "[\(scopes.joined(separator: ","))]")
        return .json(object.bytes)
    }
}
