/// What a member may do in a workspace (docs/architecture.md, "Keys").
public enum Role: String, CaseIterable, Comparable, Sendable {
    case viewer, member, manager, owner

    private var rank: Int { Self.allCases.firstIndex(of: self)! }

    public static func < (left: Role, right: Role) -> Bool {
        left.rank < right.rank
    }
}

/// Which API an API key opens.
public enum Scope: String, CaseIterable, Sendable {
    /// The re-invite endpoint and the meetings beside it (Re-invite API, "Authorization: API Key").
    case seameet
    /// The Bots API.
    case bots
}

/// Who is behind a request: what the record of its API key says.
public struct Caller: Sendable {
    public let keyID: String
    public let workspaceID: String
    public let userID: String
    public let scopes: [String]
    /// The SHA-256 of the key; empty where there is none.
    public internal(set) var keyHash = ""

    /// Whoever may act for a user without a key of the user's has an empty `keyID`.
    public init(keyID: String, workspaceID: String, userID: String, scopes: [String]) {
        self.keyID = keyID
        self.workspaceID = workspaceID
        self.userID = userID
        self.scopes = scopes
    }

    public func has(_ scope: Scope) -> Bool {
        scopes.contains(scope.rawValue)
    }
}

/// The record of an API key. The key itself is stored nowhere.
public struct APIKey: Sendable {
    public let id: String
    public let workspaceID: String
    public let userID: Int
    public let scopes: [String]
    public let label: String?
    /// Milliseconds since 1970.
    public let createdAt: Int
    /// Milliseconds since 1970; nil for never.
    public let expiresAt: Int?
    /// Milliseconds since 1970, to the minute; nil if it was not used yet.
    public var lastUsedAt: Int?
    /// The id of the key that this one replaces, and of the one that replaces it.
    public var rotatedFrom: String?
    public var rotatedTo: String?
}

public struct User: Sendable {
    public let id: Int
    public let email: String
    public let name: String?
    public let imageURL: String?
    /// The personal workspace.
    public let workspaceID: String
    public let maximumConcurrentBots: Int
    /// Milliseconds since 1970.
    public let createdAt: Int
}

public struct Workspace: Sendable {
    public let id: String
    public let name: String
    public let maximumConcurrentBots: Int
    /// How many meetings it may have; nil: as many as the nodes' settings say.
    public let maximumMeetings: Int?
    /// How many bytes they may take, with their transcripts; nil likewise.
    public let maximumBytes: Int?
    /// How many they take.
    public let bytes: Int
    /// Milliseconds since 1970.
    public let createdAt: Int
}
