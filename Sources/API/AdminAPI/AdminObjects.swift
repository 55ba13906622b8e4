import Log
import Usher

/// The objects of `/admin`, which `usher admin` prints too. Members that have no value are null, not absent.

public struct UserObject: Encodable {
    let user: User
    /// Of the first webhook of the workspace, where that is what was asked for.
    let webhookURL: String?

    public init(_ user: User, webhookURL: String? = nil) {
        self.user = user
        self.webhookURL = webhookURL
    }

    enum CodingKeys: String, CodingKey {
        case id, email, name, data
        case imageURL = "image_url"
        case maximumConcurrentBots = "max_concurrent_bots"
        case createdAt = "created_at"
        case workspaceID = "workspace_id"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(user.id, forKey: .id)
        try container.encode(user.email, forKey: .email)
        try container.encode(user.name, forKey: .name)
        try container.encode(user.imageURL, forKey: .imageURL)
        try container.encode(user.maximumConcurrentBots, forKey: .maximumConcurrentBots)
        try container.encode(webhookURL.map { ["webhook_url": $0] } ?? [:], forKey: .data)
        try container.encode(Timestamp.withZone(user.createdAt), forKey: .createdAt)
        try container.encode(user.workspaceID, forKey: .workspaceID)
    }
}

public struct WorkspaceObject: Encodable {
    let workspace: Workspace

    public init(_ workspace: Workspace) {
        self.workspace = workspace
    }

    enum CodingKeys: String, CodingKey {
        case id, name, bytes
        case maximumConcurrentBots = "max_concurrent_bots"
        case maximumMeetings = "max_meetings"
        case maximumBytes = "max_bytes"
        case createdAt = "created_at"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(workspace.id, forKey: .id)
        try container.encode(workspace.name, forKey: .name)
        try container.encode(workspace.maximumConcurrentBots, forKey: .maximumConcurrentBots)
        try container.encode(workspace.maximumMeetings, forKey: .maximumMeetings)
        try container.encode(workspace.maximumBytes, forKey: .maximumBytes)
        try container.encode(workspace.bytes, forKey: .bytes)
        try container.encode(Timestamp.withZone(workspace.createdAt), forKey: .createdAt)
    }
}

struct WorkspaceUseObject: Encodable {
    struct Page: Encodable {
        let workspaces: [WorkspaceUseObject]
        let next: Int?

        init(_ page: [WorkspaceUse], next: Int?) {
            workspaces = page.map { WorkspaceUseObject(use: $0) }
            self.next = next
        }

        enum CodingKeys: String, CodingKey {
            case workspaces
            case next = "next_offset"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(workspaces, forKey: .workspaces)
            try container.encode(next, forKey: .next)
        }
    }

    let use: WorkspaceUse

    enum CodingKeys: String, CodingKey {
        case meetings
        case runningBots = "running_bots"
    }

    func encode(to encoder: any Encoder) throws {
        try WorkspaceObject(use.workspace).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(use.meetings, forKey: .meetings)
        try container.encode(use.bots, forKey: .runningBots)
    }
}

public struct MemberObject: Encodable {
    let workspaceID: String
    let userID: Int
    let role: String

    public init(workspaceID: String, userID: Int, role: String) {
        self.workspaceID = workspaceID
        self.userID = userID
        self.role = role
    }

    enum CodingKeys: String, CodingKey {
        case workspaceID = "workspace_id"
        case userID = "user_id"
        case role
    }
}

/// An API key's record; with the key itself only in the answer that made it.
public struct KeyObject: Encodable {
    let record: APIKey
    let key: String?

    public init(_ record: APIKey, key: String? = nil) {
        self.record = record
        self.key = key
    }

    enum CodingKeys: String, CodingKey {
        case id, key, scopes, label
        case workspaceID = "workspace_id"
        case userID = "user_id"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case lastUsedAt = "last_used_at"
        case rotatedFrom = "rotated_from"
        case rotatedTo = "rotated_to"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(record.id, forKey: .id)
        try container.encodeIfPresent(key, forKey: .key)
        try container.encode(record.workspaceID, forKey: .workspaceID)
        try container.encode(record.userID, forKey: .userID)
        try container.encode(record.scopes, forKey: .scopes)
        try container.encode(record.label, forKey: .label)
        try container.encode(Timestamp.withZone(record.createdAt), forKey: .createdAt)
        try container.encode(record.expiresAt.map(Timestamp.withZone), forKey: .expiresAt)
        try container.encode(record.lastUsedAt.map(Timestamp.withZone), forKey: .lastUsedAt)
        try container.encode(record.rotatedFrom, forKey: .rotatedFrom)
        try container.encode(record.rotatedTo, forKey: .rotatedTo)
    }
}

public struct KeyListObject: Encodable {
    let keys: [KeyObject]

    public init(_ records: [APIKey]) {
        keys = records.map { KeyObject($0) }
    }
}
