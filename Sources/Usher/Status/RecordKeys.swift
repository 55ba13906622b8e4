import Redis

/// A key that belongs to a record.
public struct RecordKey: Sendable {
    public let key: String
    /// What shows it in redis-cli, ready to paste.
    public let command: String
}

extension Installation {
    /// The keys of a workspace or a meeting that are there at the moment; nil if there is no such record.
    public func keys(ofRecord id: String) async throws(RedisError) -> [RecordKey]? {
        let candidates: [String]
        if let workspace = try await session.meetings.workspaceID(ofMeeting: id) {
            candidates = try await keys(ofMeeting: id, in: workspace)
        } else {
            let keys = WorkspaceKeys(workspace: id)
            candidates = [
                keys.workspace, keys.members, keys.apiKeys, keys.lock, keys.meetings, keys.bots,
                keys.partition.dispatch, keys.partition.events,
            ]
            guard try await session.send(Command("EXISTS", keys.workspace)) == .integer(1) else { return nil }
        }
        var found: [RecordKey] = []
        let types = try await session.pipeline(candidates.map { Command("TYPE", $0) })
        for (key, type) in zip(candidates, types) {
            if let command = Self.showCommand(type: type.string ?? "", key) { found.append(command) }
        }
        return found
    }

    private func keys(ofMeeting id: String, in workspace: String) async throws(RedisError) -> [String] {
        let keys = WorkspaceKeys(workspace: workspace)
        var candidates = [
            Keys.locator(meeting: id), keys.partition.meeting(id), keys.partition.segments(ofMeeting: id),
            keys.partition.feed(ofMeeting: id), keys.feed,
        ]
        if let meeting = try await session.meetings.meeting(id: id, workspace: workspace) {
            candidates += [
                Keys.locator(number: meeting.number), keys.inFlight(meeting.room), keys.holder(meeting.room),
                keys.latest(meeting.room), keys.held(meeting.room),
            ]
            if let bot = meeting.botID { candidates.append(keys.partition.bot(bot)) }
        }
        return candidates + [keys.workspace, keys.lock, keys.partition.dispatch, keys.partition.events]
    }

    /// Nil for a key that is not there.
    private static func showCommand(type: String, _ key: String) -> RecordKey? {
        switch type {
        case "string": RecordKey(key: key, command: "GET '\(key)'")
        case "hash": RecordKey(key: key, command: "HGETALL '\(key)'")
        case "zset": RecordKey(key: key, command: "ZRANGE '\(key)' 0 -1 WITHSCORES")
        case "stream": RecordKey(key: key, command: "XREVRANGE '\(key)' + - COUNT 10")
        default: nil
        }
    }
}
