import Redis

/// A meeting's status in the Re-invite API ("Behavior by meeting status").
public enum MeetingStatus: String, CaseIterable, Sendable {
    case initial = "INITIAL"
    case live = "LIVE"
    case stopping = "STOPPING"
    case analyzing = "ANALYZING"
    case offline = "OFFLINE"
}

/// The record of a meeting, as `usher:{pX}:meeting:<id>` has it. Times in milliseconds since 1970.
public struct Meeting: Sendable {
    public let id: String
    public let number: Int
    public let workspaceID: String
    public let room: Room
    public let url: String
    public let title: String?
    public let language: String?
    /// As it stands in the record: by the rules one of `MeetingStatus`, but operators can write there too.
    public let status: String
    public let botStatus: String?
    public let botID: String?
    public let dispatchedAt: Int?
    public let startTime: Int?
    public let endTime: Int?
    /// Milliseconds from start to end.
    public let duration: Int?
    public let flag: String?
    public let createdAt: Int

    /// - Throws: `RedisError.unexpectedReply` if a field that every record has is missing.
    init(_ hash: [String: String]) throws(RedisError) {
        guard let id = hash["id"], let number = hash["number"].flatMap({ Int($0) }),
            let workspaceID = hash["workspace_id"], let platform = hash["platform"].flatMap(Platform.init(rawValue:)),
            let nativeID = hash["native_meeting_id"], let url = hash["meeting_url"],
            let createdAt = hash["created_at"].flatMap({ Int($0) })
        else { throw .unexpectedReply("a meeting's record lacks a field: \(hash.keys.sorted())") }
        self.id = id
        self.number = number
        self.workspaceID = workspaceID
        self.room = Room(platform: platform, nativeID: nativeID)
        self.url = url
        self.createdAt = createdAt
        title = hash["title"]
        language = hash["language"]
        status = hash["status"] ?? ""
        botStatus = hash["bot_status"]
        botID = hash["bot_id"]
        dispatchedAt = hash["dispatched_at"].flatMap { Int($0) }
        startTime = hash["start_time"].flatMap { Int($0) }
        endTime = hash["end_time"].flatMap { Int($0) }
        duration = hash["duration"].flatMap { Int($0) }
        flag = hash["flag"]
    }
}
