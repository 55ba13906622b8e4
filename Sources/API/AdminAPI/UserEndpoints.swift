import HTTP
import Log
import Usher

/// Users, as whoever has the admin key makes and finds them, and their tokens.
enum UserEndpoints {
    static let all = [create, list, update, remove, find, createToken, revokeToken]

    static let idSchema = Schema.integer(1...Schema.greatestExactInteger)

    static let id = Input<String>.path("user_id", "The user's id.", schema: idSchema, example: 7).map { text in
        guard let id = Int(text) else { throw APIError(404, "There is no user \(text).") }
        return id
    }

    private static let name = Member<String?>.optional("name", .text(Administration.maximumNameCharacters))
    private static let imageURL = Member<String?>.optional(
        "image_url", .text(Administration.maximumImageURLCharacters))
    private static let maximumBots = Member<Int?>.optional(
        "max_concurrent_bots", .integer(1...Administration.maximumBotLimit), "Of the personal workspace.")
    private static let newUser = Input<NewUser>.body(
        .required(
            "email", .string.described(as: .string(3...254, format: "idn-email")), "Compared, and kept, in lower case."),
        name, imageURL, maximumBots,
        examples: ["A user": ["email": .string(Sample.email), "name": "Anna", "max_concurrent_bots": 5]]
    ) { NewUser(email: $0, name: $1, imageURL: $2, maximumConcurrentBots: $3) }
    private static let changes = Input<UserChanges>.body(
        name, imageURL, maximumBots, examples: ["Another limit": ["max_concurrent_bots": 20]]
    ) { UserChanges(name: $0, imageURL: $1, maximumConcurrentBots: $2) }
    private static let wrongBody = DescribedError.invalid(
        "A member of the body is wrong.", field: "email", Administration.emailProblem)

    static let create = Endpoint(
        .post, "/admin/users", id: "createUser", .adminKey, summary: "Make a user",
        details: "Makes a user with a personal workspace, or finds the one that has this email.",
        takes: newUser,
        answers: [
            .json(201, "The user was made.", .named(UserObject.schema), example: UserObject.example),
            .json(
                200, "The user who has this email already, unchanged.", .named(UserObject.schema),
                example: UserObject.example),
        ],
        errors: [wrongBody]
    ) { call, new in
        let (user, isNew) = try await call.caller.createUser(new)
        return try .encoding(isNew ? 201 : 200, UserObject(user))
    }

    static let list = Endpoint(
        .get, "/admin/users", id: "listUsers", .adminKey, summary: "List users",
        details: "A page of them, the oldest first.",
        takes: .query("skip", 0...1_000_000_000, default: 0, "How many to pass over."),
        .query("limit", 1...1_000, default: 100, "The most that a page has."),
        answers: [.json(200, "The page.", .list(of: .named(UserObject.schema)), example: [UserObject.example])],
        errors: [.invalid("A parameter is wrong.", field: "limit", (1...1_000).problem)]
    ) { call, offset, limit in
        let users = try await call.caller.users(offset: offset, limit: limit)
        return try .encoding(200, users.map { UserObject($0) })
    }

    static let update = Endpoint(
        .patch, "/admin/users/{user_id}", id: "updateUser", .adminKey, summary: "Change a user",
        details: "What is absent or null stays as it is.",
        takes: id, changes,
        answers: [.json(200, "The user as it is now.", .named(UserObject.schema), example: UserObject.example)],
        errors: [.unknownUser, wrongBody]
    ) { call, id, changes in
        try .encoding(200, UserObject(await call.caller.updateUser(id, changes)))
    }

    static let remove = Endpoint(
        .delete, "/admin/users/{user_id}", id: "removeUser", .adminKey, summary: "Remove a user",
        details: """
            For good, with the personal workspace and all that it has (see `DELETE /admin/workspaces/{workspace_id}`). In other \
            workspaces the user is no member any more, and the user's API keys and calendars end; what the user made there \
            stays.
            """,
        takes: id, answers: [.empty("There is no such user any more.")], errors: [.unknownUser, .neededUser]
    ) { call, id in
        try await call.caller.removeUser(id)
        return .empty()
    }

    static let find = Endpoint(
        .get, "/admin/users/email/{email}", id: "findUser", .adminKey, summary: "Find a user by email",
        takes: .path("email", "The user's email, in any case.", example: .string(Sample.email)),
        answers: [.json(200, "The user.", .named(UserObject.schema), example: UserObject.example)],
        errors: [DescribedError(.unknownEmail(Sample.email), "There is no user with this email.")]
    ) { call, email in
        try .encoding(200, UserObject(await call.caller.user(email: email)))
    }

    static let createToken = Endpoint(
        .post, "/admin/users/{user_id}/tokens", id: "createToken", .adminKey, summary: "Make a user's token",
        details: "An API key for the user's personal workspace, with every scope. It is shown this once.",
        takes: id,
        answers: [
            .json(
                201, "The token.",
                .object(
                    .required("id", .string, "What revokes it."), .required("token", .string, "The key itself."),
                    .required("user_id", idSchema), .required("workspace_id", .uuid),
                    .required("scopes", .list(of: .choice(Scope.self))), .required("created_at", .time)),
                example: [
                    "id": .string(Sample.keyID), "token": .string(Sample.apiKey), "user_id": 7,
                    "workspace_id": .string(Sample.workspaceID), "scopes": ["seameet", "bots"],
                    "created_at": .string(Sample.time),
                ])
        ],
        errors: [.unknownUser]
    ) { call, id in
        let (key, record) = try await call.caller.createToken(user: id)
        let token: OrderedJSON = [
            "created_at": .string(Timestamp.withZone(record.createdAt)), "id": .string(record.id),
            "scopes": .list(record.scopes.map { .string($0) }), "token": .string(key),
            "user_id": .integer(record.userID), "workspace_id": .string(record.workspaceID),
        ]
        return .json(Array(token.json.utf8), status: 201)
    }

    static let revokeToken = Endpoint(
        .delete, "/admin/tokens/{token_id}", id: "revokeToken", .adminKey, summary: "Revoke a token",
        details: "It is refused from the next request on.",
        takes: .path("token_id", "The token's id.", example: .string(Sample.keyID)),
        answers: [.empty("It is revoked.")], errors: [.unknownKey]
    ) { call, id in
        try await call.caller.revokeKey(id: id)
        return .empty()
    }
}
