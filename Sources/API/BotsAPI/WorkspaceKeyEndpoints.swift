import HTTP
import Usher

/// `/workspace/keys`: the API keys of the key's own workspace, as its owners make and end them (Re-invite API, "Generate Your
/// API Key").
enum WorkspaceKeyEndpoints {
    static let all = [list, create, revoke, rotate]

    private static let path = "/workspace/keys"

    private struct NewKey {
        let user: Int?
        let scopes: [String]
        let label: String?
        let expiresAt: Int?
    }

    private static let newKey = Input<NewKey>.body(
        .required(
            "scopes",
            .list(of: .string).described(as: .list(of: .choice(Scope.self), atLeast: 1)),
            "Of those that the key in use has."),
        .optional("label", .text(Administration.maximumNameCharacters), "A name, for people."),
        .optional(
            "expires_at", KeyEndpoints.time,
            "A time to come, with its zone, and not after the end of the key in use. Never if it is absent."),
        .optional(
            "user_id", .integer.described(as: UserEndpoints.idSchema),
            "The member whose key it is, and whose role it has. The caller if it is absent."),
        examples: [
            "A key for the Re-invite API": [
                "scopes": ["seameet"], "label": "calendar", "expires_at": "2027-01-31T12:00:00Z",
            ]
        ]
    ) { NewKey(user: $3, scopes: $0, label: $1, expiresAt: $2 ?? nil) }

    static let list = Endpoint(
        .get, path, id: "listWorkspaceKeys", .bots(.owner), summary: "List the workspace's API keys",
        details: "Those that work, the oldest first, with their last use, to the minute.",
        answers: [
            .json(
                200, "The keys.", .object(.required("keys", .list(of: .named(KeyObject.schema)))),
                example: ["keys": [KeyObject.example]])
        ],
        errors: [.unknownWorkspace]
    ) { call in
        try .encoding(200, KeyListObject(try await OwnWorkspace(of: call).keys()))
    }

    static let create = Endpoint(
        .post, path, id: "createWorkspaceKey", .bots(.owner), summary: "Add a new API key",
        details: """
            It can do what its scopes and its member's role allow, and no more than the key in use: neither another scope \
            nor a later end. It is shown in this answer alone: where that was lost, the list has a key that nobody knows; \
            revoke that one.
            """,
        takes: newKey,
        answers: [KeyEndpoints.shown("The key, which is shown this once as `key`.")],
        errors: [
            .beyondScopes, .beyondEnd, .unknownMember, .unknownKey, .unknownWorkspace, .tooManyKeys,
            .invalid("A member of the body is wrong.", field: "scopes", Administration.scopesProblem),
        ]
    ) { call, new in
        let (key, record) = try await OwnWorkspace(of: call).createKey(
            user: new.user, scopes: new.scopes, label: new.label, expiresAt: new.expiresAt)
        return try .encoding(201, KeyObject(record, key: key))
    }

    static let revoke = Endpoint(
        .delete, path + "/{key_id}", id: "revokeWorkspaceKey", .bots(.owner), summary: "Revoke one of its API keys",
        details: "It is refused from the next request on. The key in use is no exception.",
        takes: KeyEndpoints.id,
        answers: [.empty("It is revoked.")], errors: [.unknownKey]
    ) { call, id in
        try await OwnWorkspace(of: call).revokeKey(id: id)
        return .empty()
    }

    static let rotate = Endpoint(
        .post, path + "/{key_id}/rotate", id: "rotateWorkspaceKey", .bots(.owner),
        summary: "Replace one of its API keys",
        details: "Makes a new key with the same rights and end. The old one stays valid for the grace.",
        takes: KeyEndpoints.id, KeyEndpoints.grace,
        answers: [KeyEndpoints.shown("The new key, which is shown this once as `key`.")],
        errors: [
            .unknownKey, .rotatedKey, .beyondScopes, .beyondEnd, .tooManyKeys,
            .invalid("The body is wrong.", field: "grace_seconds", KeyEndpoints.graces.problem),
        ]
    ) { call, id, grace in
        let (key, record) = try await OwnWorkspace(of: call).rotateKey(id: id, graceSeconds: grace)
        return try .encoding(201, KeyObject(record, key: key))
    }
}
