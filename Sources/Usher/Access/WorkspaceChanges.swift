import Redis

/// What is to be changed about a workspace's limits.
public struct WorkspaceChanges: Sendable {
    public enum Limit: Sendable {
        case unchanged
        /// That of the nodes' settings again.
        case byDefault
        case at(Int)
    }

    /// nil leaves it as it is: each workspace has a limit of its own.
    public var maximumConcurrentBots: Int?
    /// How many meetings it may have.
    public var maximumMeetings: Limit
    /// How many bytes its meetings may take, with their transcripts.
    public var maximumBytes: Limit

    public init(
        maximumConcurrentBots: Int? = nil, maximumMeetings: Limit = .unchanged, maximumBytes: Limit = .unchanged
    ) {
        self.maximumConcurrentBots = maximumConcurrentBots
        self.maximumMeetings = maximumMeetings
        self.maximumBytes = maximumBytes
    }

    func commands(on key: String) -> [Command] {
        var commands: [Command] = []
        if let maximumConcurrentBots {
            commands.append(Command("HSET", key, "max_concurrent_bots", String(maximumConcurrentBots)))
        }
        for (field, limit) in [("max_meetings", maximumMeetings), ("max_bytes", maximumBytes)] {
            switch limit {
            case .unchanged: break
            case .byDefault: commands.append(Command("HDEL", key, field))
            case .at(let value): commands.append(Command("HSET", key, field, String(value)))
            }
        }
        return commands
    }
}
