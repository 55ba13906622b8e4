import Log
import Usher

/// What the admin API and `usher admin` have in common beside the objects.
public enum AdminAnswer {
    /// The sentence that the API would answer with.
    public static func detail(of refusal: AdministrationRefusal) -> String {
        if case .failed(let error) = refusal { return "\(error)" }
        return APIError(refusal).detail
    }

    /// The milliseconds since 1970 of an `expires_at`.
    public static func expiry(_ text: String?) throws(AdministrationRefusal) -> Int? {
        guard let text else { return nil }
        guard let time = Timestamp.milliseconds(rfc3339: text) else {
            throw .invalid(field: "expires_at", problem: expiryProblem)
        }
        return time
    }

    /// What is wrong with a time that is none, as the end of a sentence.
    public static let expiryProblem = "must be a time with a zone, such as 2027-01-31T12:00:00Z"
}

extension APIError {
    static let wrongAdminKey = APIError(403, "Send the admin key: X-Admin-API-Key: <key>.")

    /// The error table of `/admin`.
    init(_ refusal: AdministrationRefusal) {
        switch refusal {
        case .invalid(let field, let problem): self = .invalid(field, problem)
        case .unknownUser(let id):
            self.init(404, "There is no user \(id).", parameters: ["user_id": String(id)])
        case .unknownEmail(let email):
            self.init(404, "There is no user with the email \(email.prefix(254)).")
        case .unknownWorkspace(let id):
            self.init(404, "There is no workspace \(id).", parameters: ["workspace_id": id])
        case .unknownMember(let user, let workspace):
            self.init(
                404, "User \(user) is no member of workspace \(workspace). Make the user a member first.",
                parameters: ["user_id": String(user), "workspace_id": workspace])
        case .unknownKey(let id):
            self.init(404, "There is no API key with id \(id).", parameters: ["key_id": id])
        case .rotatedKey(let id, let successor):
            self.init(
                409,
                "API key \(id) has been replaced by key \(successor) before. If that one is not at hand, rotate it in turn.",
                parameters: ["key_id": id, "rotated_to": successor])
        case .tooManyKeys(let workspace):
            self.init(
                409,
                "Workspace \(workspace) has \(APIKeys.maximum) API keys, which is the most. Revoke some first.",
                parameters: ["workspace_id": workspace])
        case .lastOwner(let workspace):
            self.init(
                409, "Workspace \(workspace) would have no owner left. Make another member an owner first.",
                parameters: ["workspace_id": workspace])
        case .personalWorkspace(let workspace, let user):
            self.init(
                409, "Workspace \(workspace) is the personal one of user \(user), and goes with that user.",
                parameters: ["user_id": String(user), "workspace_id": workspace])
        case .neededUser(let user, let workspaces):
            let named = workspaces.joined(separator: ", ")
            self.init(
                409,
                "User \(user) is the only owner of a workspace, or others are members of the user's own: \(named). Make "
                    + "another member an owner, or remove the workspace; of the user's own remove the other members.",
                parameters: ["user_id": String(user), "workspace_ids": named])
        case .memberBefore(let user, let workspace):
            self.init(
                409, "User \(user) is a member of workspace \(workspace) already, with another role. Change that one.",
                parameters: ["user_id": String(user), "workspace_id": workspace])
        case .tooManyMembers(let workspace):
            self.init(
                409,
                "Workspace \(workspace) has \(Workspaces.maximumMembers) members, which is the most. Remove some first.",
                parameters: ["workspace_id": workspace])
        case .beyondScopes(let scope):
            self.init(
                403,
                "This API key lacks the scope \(scope), so it can make no key that has it. Use one that has the scope.",
                parameters: ["scope": scope])
        case .beyondEnd(let end):
            let time = Timestamp.withZone(end)
            self.init(
                403, "This API key ends at \(time), and so must what it makes. Use one that lives longer.",
                parameters: ["expires_at": time])
        case .failed(let error): self.init(error)
        }
    }
}

extension AdministrationRefusal: AnsweredError {
    func answer(isRead: Bool) -> APIError {
        if case .failed(let error) = self { error.answer(isRead: isRead) } else { APIError(self) }
    }
}

extension DescribedError {
    init(_ refusal: AdministrationRefusal, _ meaning: String) {
        self.init(APIError(refusal), meaning)
    }

    static let unknownUser = DescribedError(.unknownUser(7), "There is no such user.")
    static let unknownWorkspace = DescribedError(
        .unknownWorkspace(Sample.workspaceID), "There is no such workspace.")
    static let unknownMember = DescribedError(
        .unknownMember(user: 7, workspace: Sample.workspaceID), "The user is no member of the workspace.")
    static let lastOwner = DescribedError(
        .lastOwner(workspace: Sample.workspaceID), "The workspace would have no owner left.")
    static let personalWorkspace = DescribedError(
        .personalWorkspace(Sample.workspaceID, of: 7), "The workspace is a user's personal one.")
    static let neededUser = DescribedError(
        .neededUser(7, in: [Sample.workspaceID]),
        "A workspace would have no owner left, or the user's own has other members. Nothing was changed.")
    static let memberBefore = DescribedError(
        .memberBefore(user: 7, workspace: Sample.workspaceID), "The user is a member already, with another role.")
    static let tooManyMembers = DescribedError(
        .tooManyMembers(workspace: Sample.workspaceID), "The workspace has as many members as it may have.")
    static let beyondScopes = DescribedError(
        .beyondScopes("seameet"), "The new key would have a scope that the key in use has not.")
    static let beyondEnd = DescribedError(
        .beyondEnd(1_801_396_800_000), "The new key would end after the key in use.")
    static let unknownKey = DescribedError(.unknownKey(Sample.keyID), "There is no API key with this id.")
    static let rotatedKey = DescribedError(
        .rotatedKey(Sample.keyID, to: Sample.meetingID),
        "The key has been replaced before; `rotated_to` is the id of the one that did.")
    static let tooManyKeys = DescribedError(
        .tooManyKeys(workspace: Sample.workspaceID), "The workspace has as many API keys as it may have.")
}
