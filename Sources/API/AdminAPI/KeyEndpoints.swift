import HTTP
import Usher

/// The API keys of a workspace.
enum KeyEndpoints {
    static let all = [create, list, revoke, rotate]

    static let id = Input<String>.path(
        "key_id", "The key's id, which is not the key.", example: .string(Sample.keyID))
    static let graces = 0...Administration.maximumGraceSeconds
    private struct NewKey {
        let user: Int
        let scopes: [String]
        let label: String?
        let expiresAt: Int?
    }

    private static let newKey = Input<NewKey>.body(
        .required("user_id", .integer.described(as: UserEndpoints.idSchema)),
        .required("scopes", .list(of: .string).described(as: .list(of: .choice(Scope.self), atLeast: 1))),
        .optional("label", .text(Administration.maximumNameCharacters)),
        .optional("expires_at", time, "A time to come, with its zone. Never if it is absent."),
        examples: [
            "A key": ["user_id": 7, "scopes": ["seameet"], "label": "calendar", "expires_at": "2027-01-31T12:00:00Z"]
        ]
    ) { NewKey(user: $0, scopes: $1, label: $2, expiresAt: $3 ?? nil) }

    static let time = Form<String>.string.map { try AdminAnswer.expiry($0) }
        .described(as: .string(format: "date-time"))

    static let grace = Input<Int?>.body(
        .optional("grace_seconds", .integer(graces), "How long the old key stays valid: a day if it is absent."),
        examples: ["An hour for both": ["grace_seconds": 3_600]]
    ) { $0 }.orEmpty(nil)

    static func shown(_ meaning: String) -> Answer {
        .json(201, meaning, .named(KeyObject.newSchema), example: KeyObject.newExample)
    }

    static let create = Endpoint(
        .post, "/admin/workspaces/{workspace_id}/keys", id: "createKey", .adminKey, summary: "Make an API key",
        details: "The key belongs to a member of the workspace and can do what that member's role allows.",
        takes: WorkspaceEndpoints.id, newKey,
        answers: [shown("The key, which is shown this once as `key`.")],
        errors: [
            .unknownWorkspace, .unknownMember, .tooManyKeys,
            .invalid("A member of the body is wrong.", field: "scopes", Administration.scopesProblem),
        ]
    ) { call, workspace, new in
        let (key, record) = try await call.caller.createKey(
            workspace: workspace, user: new.user, scopes: new.scopes, label: new.label, expiresAt: new.expiresAt)
        return try .encoding(201, KeyObject(record, key: key))
    }

    static let list = Endpoint(
        .get, "/admin/workspaces/{workspace_id}/keys", id: "listKeys", .adminKey, summary: "List API keys",
        details: "The workspace's keys that work, the oldest first.",
        takes: WorkspaceEndpoints.id,
        answers: [
            .json(
                200, "The keys.", .object(.required("keys", .list(of: .named(KeyObject.schema)))),
                example: ["keys": [KeyObject.example]])
        ],
        errors: [.unknownWorkspace]
    ) { call, workspace in
        try .encoding(200, KeyListObject(try await call.caller.keys(workspace: workspace)))
    }

    static let revoke = Endpoint(
        .delete, "/admin/keys/{key_id}", id: "revokeKey", .adminKey, summary: "Revoke an API key",
        details: "It is refused from the next request on.",
        takes: id,
        answers: [.empty("It is revoked.")], errors: [.unknownKey]
    ) { call, id in
        try await call.caller.revokeKey(id: id)
        return .empty()
    }

    static let rotate = Endpoint(
        .post, "/admin/keys/{key_id}/rotate", id: "rotateKey", .adminKey, summary: "Replace an API key",
        details: "Makes a new key with the same rights. The old one stays valid for the grace.",
        takes: id, grace,
        answers: [shown("The new key, which is shown this once as `key`.")],
        errors: [
            .unknownKey, .rotatedKey, .tooManyKeys,
            .invalid("The body is wrong.", field: "grace_seconds", graces.problem),
        ]
    ) { call, id, grace in
        let (key, record) = try await call.caller.rotateKey(id: id, graceSeconds: grace)
        return try .encoding(201, KeyObject(record, key: key))
    }
}
