import HTTP
import Usher

/// `/workspace/members`: who is in the key's workspace, and as what. For its owners: docs/security.md says what a role may.
enum WorkspaceMemberEndpoints {
    static let all = [list, add, change, remove]

    private static let path = "/workspace/members"
    private static let schema = NamedSchema(
        "Member", "A member of a workspace.",
        .object(
            .required("user_id", UserEndpoints.idSchema), .required("email", .string),
            .required("name", Schema.string.orNull), .required("role", .choice(Role.self))))
    private static let example: OrderedJSON = [
        "user_id": 7, "email": .string(Sample.email), "name": "Anna", "role": "manager",
    ]

    private static func json(_ member: WorkspaceMember) -> JSONText {
        var object = JSONText()
        object.add("user_id", member.userID)
        object.add("email", member.email)
        object.add("name", member.name)
        object.add("role", member.role.rawValue)
        return object
    }

    private struct Newcomer {
        let email: String
        let role: String
    }

    private static let newcomer = Input<Newcomer>.body(
        .required(
            "email", .string(atMost: 254).described(as: .string(3...254, format: "idn-email")),
            "Of a user of the service, in any case."),
        .required("role", .string.choice(WorkspaceEndpoints.roles)),
        examples: ["A viewer": ["email": .string(Sample.email), "role": "viewer"]]
    ) { Newcomer(email: $0, role: $1) }

    static let list = Endpoint(
        .get, path, id: "listMembers", .bots(.owner), summary: "List the members of the workspace",
        details: "In the order in which the users were made.",
        answers: [
            .json(
                200, "The members.", .object(.required("members", .list(of: .named(schema)))),
                example: ["members": [example]])
        ]
    ) { call in
        var object = JSONText()
        object.add("members", try await OwnWorkspace(of: call).members().map(json))
        return .json(object.bytes)
    }

    static let add = Endpoint(
        .post, path, id: "addMember", .bots(.owner), summary: "Make a user a member of the workspace",
        details: """
            By the user's email: whoever runs the service makes users. Said again because an answer was lost, it is \
            answered alike; a member with another role is left as it is. A workspace may have \(Workspaces.maximumMembers).
            """,
        takes: newcomer,
        answers: [.json(201, "The user is a member.", .named(schema), example: example)],
        errors: [
            DescribedError(.unknownEmail(Sample.email), "There is no user with this email."), .memberBefore,
            .tooManyMembers, .unknownWorkspace, WorkspaceEndpoints.wrongRole, .lastOwner,
        ]
    ) { call, new in
        .json(json(try await OwnWorkspace(of: call).add(email: new.email, role: new.role)).bytes, status: 201)
    }

    static let change = Endpoint(
        .put, path + "/{user_id}", id: "changeMember", .bots(.owner), summary: "Give a member another role",
        details: "It counts from the next request on. The last owner stays one.",
        takes: UserEndpoints.id, WorkspaceEndpoints.role,
        answers: [.empty("The member has the role.")],
        errors: [.unknownMember, .lastOwner, .unknownWorkspace, WorkspaceEndpoints.wrongRole]
    ) { call, user, role in
        try await OwnWorkspace(of: call).change(member: user, role: role)
        return .empty()
    }

    static let remove = Endpoint(
        .delete, path + "/{user_id}", id: "dropMember", .bots(.owner), summary: "Remove a member from the workspace",
        details: "The member's keys for it open nothing any more. The last owner stays.",
        takes: UserEndpoints.id,
        answers: [.empty("The user is no member any more.")], errors: [.unknownMember, .unknownUser, .lastOwner]
    ) { call, user in
        try await OwnWorkspace(of: call).remove(member: user)
        return .empty()
    }
}

extension OwnWorkspace {
    init(of call: Call<Caller>) {
        self.init(of: call.caller, in: call.session)
    }
}
