import API
import Log
import Usher

/// What `usher admin` is told to do: the requests of `/admin`, from a shell.
enum AdminRequest: Equatable, Sendable {
    case createUser(email: String, name: String?, imageURL: String?)
    case createWorkspace(name: String, ownerUserID: Int)
    case removeUser(Int)
    case removeWorkspace(String)
    case setMember(workspaceID: String, userID: Int, role: String)
    case removeMember(workspaceID: String, userID: Int)
    /// - Parameter expiresAt: as the API takes it.
    case createKey(workspaceID: String, userID: Int, scopes: [String], label: String?, expiresAt: String?)
    case listKeys(workspaceID: String)
    case rotateKey(keyID: String, graceSeconds: Int?)
    case deleteKey(keyID: String)
}

/// The first word after `usher admin`, and the options that it takes.
enum AdminAction: String, CaseIterable, Sendable {
    case createUser = "create-user"
    case createWorkspace = "create-workspace"
    case removeUser = "remove-user"
    case removeWorkspace = "remove-workspace"
    case setMember = "set-member"
    case removeMember = "remove-member"
    case createKey = "create-key"
    case listKeys = "list-keys"
    case rotateKey = "rotate-key"
    case deleteKey = "delete-key"

    enum Option: String, CaseIterable, Sendable {
        case email, name, role, scopes, label
        case imageURL = "image-url"
        case ownerUserID = "owner-user-id"
        case workspaceID = "workspace-id"
        case userID = "user-id"
        case expiresAt = "expires-at"
        case keyID = "key-id"
        case graceSeconds = "grace-seconds"

        var flag: String { "--" + rawValue }

        /// What stands for the value in help.
        var placeholder: String {
            switch self {
            case .ownerUserID, .userID, .graceSeconds: "N"
            case .role: "owner|manager|member|viewer"
            case .scopes: "SCOPE[,SCOPE]..."
            case .expiresAt: "TIME"
            case .imageURL: "URL"
            case .workspaceID, .keyID: "ID"
            case .email, .name, .label: "TEXT"
            }
        }
    }

    var meaning: String {
        switch self {
        case .createUser: "Make a user with a personal workspace, or show the one that has this email"
        case .createWorkspace: "Make a workspace that the user owns"
        case .removeUser: "Remove a user for good, with the personal workspace"
        case .removeWorkspace: "Remove a workspace for good, with all that it has"
        case .setMember: "Make a user a member of a workspace, or change the role"
        case .removeMember: "End a user's membership"
        case .createKey: "Make an API key; this is the only time that it is shown"
        case .listKeys: "List a workspace's API keys, without the keys themselves"
        case .rotateKey:
            "Replace an API key by a new one, which is shown this once; the old one stays valid for a day, or so many seconds"
        case .deleteKey: "Revoke an API key; it is refused from the next request on"
        }
    }

    var required: [Option] {
        switch self {
        case .createUser: [.email]
        case .createWorkspace: [.name, .ownerUserID]
        case .removeUser: [.userID]
        case .removeWorkspace: [.workspaceID]
        case .setMember: [.workspaceID, .userID, .role]
        case .removeMember: [.workspaceID, .userID]
        case .createKey: [.workspaceID, .userID, .scopes]
        case .listKeys: [.workspaceID]
        case .rotateKey, .deleteKey: [.keyID]
        }
    }

    var optional: [Option] {
        switch self {
        case .createUser: [.name, .imageURL]
        case .createKey: [.label, .expiresAt]
        case .rotateKey: [.graceSeconds]
        default: []
        }
    }

    /// How it is called, for help.
    var usage: String {
        ([rawValue] + required.map { "\($0.flag) \($0.placeholder)" }
            + optional.map { "[\($0.flag) \($0.placeholder)]" })
            .joined(separator: " ")
    }

    /// - Throws: `UsageError` naming a required option that is missing or a value that cannot be one.
    func request(_ values: [Option: String]) throws(UsageError) -> AdminRequest {
        if let missing = required.first(where: { values[$0] == nil }) {
            throw UsageError("usher admin \(rawValue) needs \(missing.flag) \(missing.placeholder).")
        }
        func text(_ option: Option) -> String { values[option] ?? "" }
        func number(_ option: Option, from least: Int = 1) throws(UsageError) -> Int {
            let digits = text(option)
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number >= least
            else {
                throw UsageError("\(option.flag) is \(quoted(digits)), but must be a whole number from \(least).")
            }
            return number
        }
        func check(_ option: Option, _ isSound: (String) -> Bool, _ problem: String) throws(UsageError) {
            guard let text = values[option], !isSound(text) else { return }
            throw UsageError("\(option.flag) is \(quoted(text)), but \(problem).")
        }
        try check(.email, Administration.isEmail, Administration.emailProblem)
        try check(.role, { Role(rawValue: $0) != nil }, Administration.roleProblem)
        try check(.scopes, { Administration.scopes(Self.list($0)) != nil }, Administration.scopesProblem)
        try check(.expiresAt, { Timestamp.milliseconds(rfc3339: $0) != nil }, AdminAnswer.expiryProblem)
        switch self {
        case .createUser: return .createUser(email: text(.email), name: values[.name], imageURL: values[.imageURL])
        case .createWorkspace: return .createWorkspace(name: text(.name), ownerUserID: try number(.ownerUserID))
        case .removeUser: return .removeUser(try number(.userID))
        case .removeWorkspace: return .removeWorkspace(text(.workspaceID))
        case .setMember:
            return .setMember(workspaceID: text(.workspaceID), userID: try number(.userID), role: text(.role))
        case .removeMember: return .removeMember(workspaceID: text(.workspaceID), userID: try number(.userID))
        case .createKey:
            return .createKey(
                workspaceID: text(.workspaceID), userID: try number(.userID),
                scopes: Self.list(text(.scopes)), label: values[.label],
                expiresAt: values[.expiresAt])
        case .listKeys: return .listKeys(workspaceID: text(.workspaceID))
        case .rotateKey:
            let grace = values[.graceSeconds] == nil ? nil : try number(.graceSeconds, from: 0)
            return .rotateKey(keyID: text(.keyID), graceSeconds: grace)
        case .deleteKey: return .deleteKey(keyID: text(.keyID))
        }
    }

    private static func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
}
