import HTTP
import Usher

/// Workspaces with their limits, and their members.
enum WorkspaceEndpoints {
    static let all = [create, list, read, update, remove, setMember, removeMember]

    static let id = Input<String>.path(
        "workspace_id", "The workspace's id, a UUID.", example: .string(Sample.workspaceID)
    )
    .map { $0.lowercased() }

    private static let maximumBots = Form<Int>.integer(1...Administration.maximumBotLimit)
    private static let quotas = 0...Administration.maximumQuota
    static let roles = Role.allCases.reversed().map(\.rawValue)

    /// null: what the nodes' settings say.
    private static func quota(_ name: String) -> Member<WorkspaceChanges.Limit> {
        .optional(
            name, Form.integer(quotas).orNull.map { limit in limit.map { .at($0) } ?? .byDefault },
            ifAbsent: .unchanged, "null: what the nodes' settings say.")
    }

    private struct NewWorkspace {
        let name: String
        let owner: Int
        let maximumBots: Int?
    }

    private static let newWorkspace = Input<NewWorkspace>.body(
        .required("name", .text(Administration.maximumNameCharacters)),
        .required("owner_user_id", .integer.described(as: UserEndpoints.idSchema)),
        .optional("max_concurrent_bots", maximumBots),
        examples: ["A workspace": ["name": "Sales", "owner_user_id": 7, "max_concurrent_bots": 20]]
    ) { NewWorkspace(name: $0, owner: $1, maximumBots: $2) }

    private static let changes = Input<WorkspaceChanges>.body(
        .optional("max_concurrent_bots", maximumBots, "null leaves it as it is."), quota("max_meetings"),
        quota("max_bytes"), examples: ["More room": ["max_meetings": 200_000, "max_bytes": 1_000_000_000]]
    ) { WorkspaceChanges(maximumConcurrentBots: $0, maximumMeetings: $1, maximumBytes: $2) }

    static let role = Input<String>.body(
        .required("role", .string.choice(roles)), examples: ["A manager": ["role": "manager"]]
    ) { $0 }

    static let wrongRole = DescribedError.invalid(
        "The body is wrong.", field: "role", "must be one of \(roles.joined(separator: ", "))")

    static let create = Endpoint(
        .post, "/admin/workspaces", id: "createWorkspace", .adminKey, summary: "Make a workspace",
        takes: newWorkspace,
        answers: [.json(201, "The workspace.", .named(WorkspaceObject.schema), example: WorkspaceObject.example)],
        errors: [.unknownUser, .invalid("A member of the body is wrong.", field: "name", "is required")]
    ) { call, new in
        let workspace = try await call.caller.createWorkspace(
            name: new.name, owner: new.owner, maximumConcurrentBots: new.maximumBots)
        return try .encoding(201, WorkspaceObject(workspace))
    }

    private static let limits = 1...200
    private static let search = Input<String?>.query(
        "search", .text(1...200), "A part of the name, in any case, or the beginning of the id."
    ) { text in
        if let problem = Administration.problem(of: text, maximum: 200) { throw FormError(problem) }
        return text
    }

    static let list = Endpoint(
        .get, "/admin/workspaces", id: "listWorkspaces", .adminKey, summary: "List workspaces",
        details: """
            A page of them, with their limits and what they take, in the order in which they came into the list. One that was \
            made by a node of the version before comes in when one of its keys is used, and is found by its id before.
            """,
        takes: search, .query("offset", 0...1_000_000_000, default: 0, "How many to pass over."),
        .query("limit", limits, default: 50, "The most that a page has."),
        answers: [
            .json(
                200, "The page.",
                .object(
                    .required("workspaces", .list(of: .named(WorkspaceUseObject.schema))),
                    .required(
                        "next_offset", Schema.integer(0...).orNull,
                        "The `offset` of the next page; null if there is none. A page may end early, even without a "
                            + "workspace: 1,000 are looked through for those that are sought.")),
                example: ["workspaces": [WorkspaceUseObject.example], "next_offset": nil])
        ],
        errors: [.invalid("A parameter is wrong.", field: "limit", limits.problem)]
    ) { call, search, offset, limit in
        let (page, next) = try await call.caller.workspaces(search: search ?? "", offset: offset, limit: limit)
        return try .encoding(200, WorkspaceUseObject.Page(page, next: next))
    }

    static let read = Endpoint(
        .get, "/admin/workspaces/{workspace_id}", id: "readWorkspace", .adminKey, summary: "Read a workspace",
        details: "With its limits, and what it takes of them.",
        takes: id,
        answers: [.json(200, "The workspace.", .named(WorkspaceObject.schema), example: WorkspaceObject.example)],
        errors: [.unknownWorkspace]
    ) { call, id in
        try .encoding(200, WorkspaceObject(await call.caller.workspace(id)))
    }

    static let update = Endpoint(
        .patch, "/admin/workspaces/{workspace_id}", id: "updateWorkspace", .adminKey,
        summary: "Change a workspace's limits",
        details: "What is absent stays as it is. What it has already it keeps, if that is more.",
        takes: id, changes,
        answers: [
            .json(
                200, "The workspace as it is now.", .named(WorkspaceObject.schema), example: WorkspaceObject.example)
        ],
        errors: [
            .unknownWorkspace, .invalid("A member of the body is wrong.", field: "max_meetings", quotas.problem),
        ]
    ) { call, id, changes in
        try .encoding(200, WorkspaceObject(await call.caller.updateWorkspace(id, changes)))
    }

    static let remove = Endpoint(
        .delete, "/admin/workspaces/{workspace_id}", id: "removeWorkspace", .adminKey, summary: "Remove a workspace",
        details: """
            For good, with all that it has. At once its API keys are refused, and nothing is sent or made any more; its bots are \
            told to leave, and once they have left, its meetings go, with their transcripts wherever they are. While something \
            is left of it the answer is the same again.
            """,
        takes: id,
        answers: [.empty("It is no workspace any more.")],
        errors: [.unknownWorkspace, .personalWorkspace]
    ) { call, id in
        try await call.caller.removeWorkspace(id)
        return .empty()
    }

    static let setMember = Endpoint(
        .put, "/admin/workspaces/{workspace_id}/members/{user_id}", id: "setMember", .adminKey,
        summary: "Give a user a role in a workspace",
        takes: id, UserEndpoints.id, role,
        answers: [
            .json(
                200, "The user has the role.",
                .object(
                    .required("workspace_id", .uuid), .required("user_id", UserEndpoints.idSchema),
                    .required("role", .choice(Role.self))),
                example: ["workspace_id": .string(Sample.workspaceID), "user_id": 7, "role": "manager"])
        ],
        errors: [
            .unknownWorkspace, .unknownUser, .lastOwner, .tooManyMembers,
            wrongRole,
        ]
    ) { call, workspace, user, role in
        try await call.caller.setMember(workspace: workspace, user: user, role: role)
        return try .encoding(200, MemberObject(workspaceID: workspace, userID: user, role: role))
    }

    static let removeMember = Endpoint(
        .delete, "/admin/workspaces/{workspace_id}/members/{user_id}", id: "removeMember", .adminKey,
        summary: "Take a user's role",
        takes: id, UserEndpoints.id,
        answers: [.empty("The user is no member any more.")],
        errors: [.unknownWorkspace, .unknownMember, .unknownUser, .lastOwner]
    ) { call, workspace, user in
        try await call.caller.removeMember(workspace: workspace, user: user)
        return .empty()
    }
}
