import Usher

/// What is said of the objects of `/admin`.

extension UserObject {
    static let schema = NamedSchema(
        "User", "A user, with the limit of the personal workspace; `data` has the webhook where that was set.",
        .object(
            .required("id", UserEndpoints.idSchema), .required("email", .string),
            .required("name", Schema.string.orNull), .required("image_url", Schema.string.orNull),
            .required("max_concurrent_bots", .integer), .required("created_at", .time),
            .required("data", .object(.optional("webhook_url", .string))),
            .required("workspace_id", .uuid, "The personal workspace.")))

    static let example: OrderedJSON = [
        "id": 7, "email": .string(Sample.email), "name": "Anna", "image_url": nil, "max_concurrent_bots": 10,
        "data": ["webhook_url": "https://example.com/hooks/usher"], "created_at": .string(Sample.time),
        "workspace_id": .string(Sample.workspaceID),
    ]
}

extension WorkspaceObject {
    fileprivate static let properties: [Schema.Property] = [
        .required("id", .uuid), .required("name", .string), .required("max_concurrent_bots", .integer),
        .required("max_meetings", Schema.integer.orNull, "Of its own; null: what the nodes' settings say."),
        .required("max_bytes", Schema.integer.orNull, "Of its own, likewise."),
        .required("bytes", .integer, "What its meetings take, with their transcripts."),
        .required("created_at", .time),
    ]
    static let schema = NamedSchema(
        "Workspace", "A workspace with its limits.", Schema(.object(properties, others: nil)))

    static let example: OrderedJSON = [
        "id": .string(Sample.workspaceID), "name": "Sales", "max_concurrent_bots": 20, "max_meetings": 200_000,
        "max_bytes": .null, "bytes": 1_250_000, "created_at": .string(Sample.time),
    ]
}

extension WorkspaceUseObject {
    static let schema = NamedSchema(
        "WorkspaceUse", "A workspace with its limits, and what it has of what they count.",
        Schema(
            .object(
                WorkspaceObject.properties + [
                    .required("meetings", .integer(0...)),
                    .required("running_bots", .integer(0...), "Bots that have not ended."),
                ], others: nil)))

    static let example: OrderedJSON = [
        "id": .string(Sample.workspaceID), "name": "Sales", "max_concurrent_bots": 20, "max_meetings": 200_000,
        "max_bytes": .null, "bytes": 1_250_000, "created_at": .string(Sample.time), "meetings": 310,
        "running_bots": 2,
    ]
}

extension KeyObject {
    private static let properties: [Schema.Property] = [
        .required("id", .string, "What revokes it."), .required("workspace_id", .uuid),
        .required("user_id", UserEndpoints.idSchema), .required("scopes", .list(of: .choice(Scope.self))),
        .required("label", Schema.string.orNull), .required("created_at", .time),
        .required("expires_at", Schema.time.orNull),
        .required("last_used_at", Schema.time.orNull, "To the minute."),
        .required("rotated_from", Schema.string.orNull, "The id of the key that it replaces."),
        .required("rotated_to", Schema.string.orNull, "The id of the key that replaces it."),
    ]
    static let schema = NamedSchema(
        "APIKey", "The record of an API key; the key itself is stored nowhere.",
        Schema(.object(properties, others: nil)))
    static let newSchema = NamedSchema(
        "NewAPIKey", "An API key with its record.",
        Schema(.object(properties + [.required("key", .string, "The key itself.")], others: nil)))

    static let example = example(key: nil)
    static let newExample = example(key: .string(Sample.apiKey))

    private static func example(key: OrderedJSON?) -> OrderedJSON {
        .members([
            "id": .string(Sample.keyID), "key": key, "workspace_id": .string(Sample.workspaceID), "user_id": 7,
            "scopes": ["seameet"], "label": "calendar", "created_at": .string(Sample.time),
            "expires_at": "2027-01-31T12:00:00.000Z", "last_used_at": .null, "rotated_from": .null,
            "rotated_to": .null,
        ])
    }
}
