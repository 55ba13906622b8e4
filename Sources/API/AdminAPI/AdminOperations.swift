import HTTP
import Usher

/// What is said of the administration's users.
enum AdminOperations {
    static let all = [createUser, listUsers, updateUser, findUser, createToken, revokeToken] + WorkspaceOperations.all

    static let userIDSchema = Schema.integer(1...Schema.greatestExactInteger)
    static let userID = Parameter.path("user_id", userIDSchema, "The user's id.", example: 7)
    static let unknownUser = DescribedError(.unknownUser(7), "There is no such user.")
    /// How many bots a workspace may have at once.
    static let maximumBots = Schema.integer(1...Administration.maximumBotLimit).orNull
    static let key = Parameter.path(
        "key_id", .segment(), "The key's id, which is not the key.", example: .string(Sample.keyID))
    static let unknownKey = DescribedError(.unknownKey(Sample.keyID), "There is no API key with this id.")

    private static let name = Schema.text(1...200).orNull
    private static let imageURL = Schema.text(1...2_048).orNull
    private static let wrongBody = DescribedError.invalid(
        "A member of the body is wrong.", field: "email", "must be an email address such as anna@example.com")

    static let createUser = Operation(
        method: .post, path: "/admin/users", id: "createUser", section: .admin, access: .adminKey,
        summary: "Make a user",
        details: "Makes a user with a personal workspace, or finds the one that has this email.",
        body: RequestBody(
            schema: .object(
                .required("email", .string(3...254, format: "idn-email"), "Compared, and kept, in lower case."),
                .optional("name", name), .optional("image_url", imageURL),
                .optional("max_concurrent_bots", maximumBots, "Of the personal workspace.")),
            examples: [("A user", ["email": .string(Sample.email), "name": "Anna", "max_concurrent_bots": 5])]),
        answers: [
            .json(201, "The user was made.", .named(user), example: userExample),
            .json(200, "The user who has this email already, unchanged.", .named(user), example: userExample),
        ],
        errors: [wrongBody])

    static let listUsers = Operation(
        method: .get, path: "/admin/users", id: "listUsers", section: .admin, access: .adminKey,
        summary: "List users", details: "A page of them, the oldest first.",
        parameters: [
            .query("skip", .integer(0...1_000_000_000), "How many to pass over. 0 if it is absent."),
            .query("limit", .integer(1...1_000), "The most that a page has. 100 if it is absent."),
        ],
        answers: [.json(200, "The page.", .list(of: .named(user)), example: [userExample])],
        errors: [.invalid("A parameter is wrong.", field: "limit", "must be between 1 and 1000")])

    static let updateUser = Operation(
        method: .patch, path: "/admin/users/{user_id}", id: "updateUser", section: .admin, access: .adminKey,
        summary: "Change a user", details: "What is absent or null stays as it is.", parameters: [userID],
        body: RequestBody(
            schema: .object(
                .optional("name", name), .optional("image_url", imageURL),
                .optional("max_concurrent_bots", maximumBots, "Of the personal workspace.")),
            examples: [("Another limit", ["max_concurrent_bots": 20])]),
        answers: [.json(200, "The user as it is now.", .named(user), example: userExample)],
        errors: [unknownUser, wrongBody])

    static let findUser = Operation(
        method: .get, path: "/admin/users/email/{email}", id: "findUser", section: .admin, access: .adminKey,
        summary: "Find a user by email",
        parameters: [.path("email", .segment(), "The user's email, in any case.", example: .string(Sample.email))],
        answers: [.json(200, "The user.", .named(user), example: userExample)],
        errors: [DescribedError(.unknownEmail(Sample.email), "There is no user with this email.")])

    static let createToken = Operation(
        method: .post, path: "/admin/users/{user_id}/tokens", id: "createToken", section: .admin, access: .adminKey,
        summary: "Make a user's token",
        details: "An API key for the user's personal workspace, with every scope. It is shown this once.",
        parameters: [userID],
        answers: [
            .json(
                201, "The token.",
                .object(
                    .required("id", .string, "What revokes it."), .required("token", .string, "The key itself."),
                    .required("user_id", userIDSchema), .required("workspace_id", .string),
                    .required("scopes", .list(of: .choice(Scope.self))), .required("created_at", .time)),
                example: [
                    "id": .string(Sample.keyID), "token": .string(Sample.apiKey), "user_id": 7,
                    "workspace_id": .string(Sample.workspaceID), "scopes": ["seameet", "bots"],
                    "created_at": .string(Sample.time),
                ])
        ],
        errors: [unknownUser])

    static let revokeToken = Operation(
        method: .delete, path: "/admin/tokens/{token_id}", id: "revokeToken", section: .admin, access: .adminKey,
        summary: "Revoke a token", details: "It is refused from the next request on.",
        parameters: [.path("token_id", .segment(), "The token's id.", example: .string(Sample.keyID))],
        answers: [.empty("It is revoked.")], errors: [unknownKey])

    // MARK: Objects

    static let user = NamedSchema(
        "User", "A user, with the limit and the webhook of the personal workspace.",
        .object(
            .required("id", userIDSchema), .required("email", .string), .required("name", Schema.string.orNull),
            .required("image_url", Schema.string.orNull),
            .required("max_concurrent_bots", .integer), .required("created_at", .time),
            .required("data", .object(.optional("webhook_url", .string))),
            .required("workspace_id", .string, "The personal workspace.")))

    static let userExample: OrderedJSON = [
        "id": 7, "email": .string(Sample.email), "name": "Anna", "image_url": nil, "max_concurrent_bots": 10,
        "data": ["webhook_url": "https://example.com/hooks/usher"], "created_at": .string(Sample.time),
        "workspace_id": .string(Sample.workspaceID),
    ]
}
