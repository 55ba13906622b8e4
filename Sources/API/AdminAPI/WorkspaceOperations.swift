import HTTP
import Usher

/// What is said of the administration's workspaces, members and API keys.
enum WorkspaceOperations {
    static let all = [
        createWorkspace, readWorkspace, updateWorkspace, setMember, removeMember, createKey, listKeys, revokeKey,
        rotateKey,
    ]

    private static let workspaceID = Parameter.path(
        "workspace_id", .segment(), "The workspace's id, a UUID.", example: .string(Sample.workspaceID))
    private static let unknownWorkspace = DescribedError(
        .unknownWorkspace(Sample.workspaceID), "There is no such workspace.")
    private static let unknownMember = DescribedError(
        .unknownMember(user: 7, workspace: Sample.workspaceID), "The user is no member of the workspace.")
    private static let lastOwner = DescribedError(
        .lastOwner(workspace: Sample.workspaceID), "The workspace would have no owner left.")

    static let tooManyKeys = DescribedError(
        .tooManyKeys(workspace: Sample.workspaceID), "The workspace has as many API keys as it may have.")

    static let createWorkspace = Operation(
        method: .post, path: "/admin/workspaces", id: "createWorkspace", section: .admin, access: .adminKey,
        summary: "Make a workspace",
        body: RequestBody(
            schema: .object(
                .required("name", .text(1...200)), .required("owner_user_id", AdminOperations.userIDSchema),
                .optional("max_concurrent_bots", AdminOperations.maximumBots)),
            examples: [("A workspace", ["name": "Sales", "owner_user_id": 7, "max_concurrent_bots": 20])]),
        answers: [
            .json(201, "The workspace.", .named(workspace), example: workspaceExample)
        ],
        errors: [
            AdminOperations.unknownUser, .invalid("A member of the body is wrong.", field: "name", "is required"),
        ])

    static let readWorkspace = Operation(
        method: .get, path: "/admin/workspaces/{workspace_id}", id: "readWorkspace", section: .admin,
        access: .adminKey, summary: "Read a workspace", details: "With its limits, and what it takes of them.",
        parameters: [workspaceID],
        answers: [.json(200, "The workspace.", .named(workspace), example: workspaceExample)],
        errors: [unknownWorkspace])

    private static let quota = Schema.integer(0...Administration.maximumQuota).orNull

    static let updateWorkspace = Operation(
        method: .patch, path: "/admin/workspaces/{workspace_id}", id: "updateWorkspace", section: .admin,
        access: .adminKey, summary: "Change a workspace's limits",
        details: "What is absent stays as it is. What it has already it keeps, if that is more.",
        parameters: [workspaceID],
        body: RequestBody(
            schema: .object(
                .optional("max_concurrent_bots", AdminOperations.maximumBots, "null leaves it as it is."),
                .optional("max_meetings", quota, "null: what the nodes' settings say."),
                .optional("max_bytes", quota, "null: what the nodes' settings say.")),
            examples: [("More room", ["max_meetings": 200_000, "max_bytes": 1_000_000_000])]),
        answers: [.json(200, "The workspace as it is now.", .named(workspace), example: workspaceExample)],
        errors: [
            unknownWorkspace,
            .invalid(
                "A member of the body is wrong.", field: "max_meetings",
                "must be between 0 and \(Administration.maximumQuota)"),
        ])

    static let setMember = Operation(
        method: .put, path: "/admin/workspaces/{workspace_id}/members/{user_id}", id: "setMember", section: .admin,
        access: .adminKey, summary: "Give a user a role in a workspace",
        parameters: [workspaceID, AdminOperations.userID],
        body: RequestBody(
            schema: .object(.required("role", .choice(Role.allCases.reversed().map(\.rawValue)))),
            examples: [("A manager", ["role": "manager"])]),
        answers: [
            .json(
                200, "The user has the role.",
                .object(
                    .required("workspace_id", .string), .required("user_id", AdminOperations.userIDSchema),
                    .required("role", .choice(Role.self))),
                example: ["workspace_id": .string(Sample.workspaceID), "user_id": 7, "role": "manager"])
        ],
        errors: [
            unknownWorkspace, AdminOperations.unknownUser, lastOwner,
            .invalid("The body is wrong.", field: "role", "must be one of owner, manager, member, viewer"),
        ])

    static let removeMember = Operation(
        method: .delete, path: "/admin/workspaces/{workspace_id}/members/{user_id}", id: "removeMember",
        section: .admin, access: .adminKey, summary: "Take a user's role",
        parameters: [workspaceID, AdminOperations.userID],
        answers: [.empty("The user is no member any more.")],
        errors: [unknownWorkspace, unknownMember, AdminOperations.unknownUser, lastOwner])

    static let createKey = Operation(
        method: .post, path: "/admin/workspaces/{workspace_id}/keys", id: "createKey", section: .admin,
        access: .adminKey, summary: "Make an API key",
        details: "The key belongs to a member of the workspace and can do what that member's role allows.",
        parameters: [workspaceID],
        body: RequestBody(
            schema: .object(
                .required("user_id", AdminOperations.userIDSchema),
                .required("scopes", .list(of: .choice(Scope.self), atLeast: 1)),
                .optional("label", Schema.text(1...200).orNull),
                .optional(
                    "expires_at", Schema.string(format: "date-time").orNull,
                    "A time to come, with its zone. Never if it is absent.")),
            examples: [
                (
                    "A key",
                    ["user_id": 7, "scopes": ["seameet"], "label": "calendar", "expires_at": "2027-01-31T12:00:00Z"]
                )
            ]),
        answers: [
            .json(201, "The key, which is shown this once as `key`.", .named(newKey), example: keyExample(isNew: true))
        ],
        errors: [
            unknownWorkspace, unknownMember, tooManyKeys,
            .invalid(
                "A member of the body is wrong.", field: "scopes", "must be a list of one or more of seameet, bots"),
        ])

    static let listKeys = Operation(
        method: .get, path: "/admin/workspaces/{workspace_id}/keys", id: "listKeys", section: .admin,
        access: .adminKey, summary: "List API keys", details: "The workspace's keys that work, the oldest first.",
        parameters: [workspaceID],
        answers: [
            .json(
                200, "The keys.", .object(.required("keys", .list(of: .named(key)))),
                example: ["keys": [keyExample(isNew: false)]])
        ],
        errors: [unknownWorkspace])

    static let revokeKey = Operation(
        method: .delete, path: "/admin/keys/{key_id}", id: "revokeKey", section: .admin, access: .adminKey,
        summary: "Revoke an API key", details: "It is refused from the next request on.",
        parameters: [AdminOperations.key], answers: [.empty("It is revoked.")], errors: [AdminOperations.unknownKey])

    static let rotateKey = Operation(
        method: .post, path: "/admin/keys/{key_id}/rotate", id: "rotateKey", section: .admin, access: .adminKey,
        summary: "Replace an API key",
        details: "Makes a new key with the same rights. The old one stays valid for the grace.",
        parameters: [AdminOperations.key],
        body: RequestBody(
            schema: .object(
                .optional(
                    "grace_seconds", Schema.integer(0...Administration.maximumGraceSeconds).orNull,
                    "How long the old key stays valid: a day if it is absent.")),
            isRequired: false, examples: [("An hour for both", ["grace_seconds": 3_600])]),
        answers: [
            .json(
                201, "The new key, which is shown this once as `key`.", .named(newKey), example: keyExample(isNew: true)
            )
        ],
        errors: [
            AdminOperations.unknownKey,
            DescribedError(
                .rotatedKey(Sample.keyID, to: Sample.meetingID),
                "The key has been replaced before; `rotated_to` is the id of the one that did."), tooManyKeys,
            .invalid(
                "The body is wrong.", field: "grace_seconds",
                "must be between 0 and \(Administration.maximumGraceSeconds)"),
        ])

    // MARK: Objects

    private static let workspace = NamedSchema(
        "Workspace", "A workspace with its limits.",
        .object(
            .required("id", .string, "A UUID."), .required("name", .string),
            .required("max_concurrent_bots", .integer),
            .required("max_meetings", Schema.integer.orNull, "Of its own; null: what the nodes' settings say."),
            .required("max_bytes", Schema.integer.orNull, "Of its own, likewise."),
            .required("bytes", .integer, "What its meetings take, with their transcripts."),
            .required("created_at", .time)))
    private static let workspaceExample: OrderedJSON = [
        "id": .string(Sample.workspaceID), "name": "Sales", "max_concurrent_bots": 20, "max_meetings": 200_000,
        "max_bytes": .null, "bytes": 1_250_000, "created_at": .string(Sample.time),
    ]

    private static let keyProperties: [Schema.Property] = [
        .required("id", .string, "What revokes it."), .required("workspace_id", .string),
        .required("user_id", AdminOperations.userIDSchema), .required("scopes", .list(of: .choice(Scope.self))),
        .required("label", Schema.string.orNull), .required("created_at", .time),
        .required("expires_at", Schema.time.orNull),
        .required("last_used_at", Schema.time.orNull, "To the minute."),
        .required("rotated_from", Schema.string.orNull, "The id of the key that it replaces."),
        .required("rotated_to", Schema.string.orNull, "The id of the key that replaces it."),
    ]
    private static let key = NamedSchema(
        "APIKey", "The record of an API key; the key itself is stored nowhere.",
        Schema(.object(keyProperties, others: nil)))
    private static let newKey = NamedSchema(
        "NewAPIKey", "An API key with its record.",
        Schema(.object(keyProperties + [.required("key", .string, "The key itself.")], others: nil)))

    private static func keyExample(isNew: Bool) -> OrderedJSON {
        .members([
            "id": .string(Sample.keyID), "key": isNew ? .string(Sample.apiKey) : nil,
            "workspace_id": .string(Sample.workspaceID), "user_id": 7, "scopes": ["seameet"], "label": "calendar",
            "created_at": .string(Sample.time), "expires_at": "2027-01-31T12:00:00.000Z",
            "last_used_at": .null, "rotated_from": .null, "rotated_to": .null,
        ])
    }
}
