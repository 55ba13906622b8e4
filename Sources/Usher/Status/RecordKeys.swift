import Redis

/// A key that belongs to a record.
public struct RecordKey: Sendable {
    public let key: String
    /// What shows it in redis-cli, ready to paste.
    public let command: String
}

extension Installation {
    /// How many workspaces are asked for a room in one go.
    private static let workspacesPerRead = 100

    /// The keys of a workspace, a meeting or a bot's meeting that are there at the moment; nil if there is no such record.
    public func keys(ofRecord id: String) async throws(RedisError) -> [RecordKey]? {
        if let workspace = try await session.meetings.workspaceID(ofMeeting: id) {
            return try await present(keys(ofMeeting: id, in: workspace))
        }
        let keys = WorkspaceKeys(workspace: id)
        if try await session.send(Command("EXISTS", keys.workspace)) == .integer(1) {
            return try await present([
                keys.workspace, keys.members, keys.apiKeys, keys.lock, keys.meetings, keys.bots,
                keys.partition.dispatch, keys.partition.events,
            ])
        }
        guard let place = try await session.bots.place(ofBot: id) else { return nil }
        // Of the meeting it may be an earlier bot.
        let candidates = try await self.keys(ofMeeting: place.meetingID, in: place.workspaceID)
        let bot = WorkspaceKeys(workspace: place.workspaceID).partition.bot(id)
        return try await present(candidates.contains(bot) ? candidates : [bot] + candidates)
    }

    /// The same of the meeting that has a number.
    public func keys(ofNumber number: Int) async throws(RedisError) -> [RecordKey]? {
        let locator = try await session.send(Command("GET", Keys.locator(number: number))).optionalString()
        guard let parts = locator?.split(separator: " ").map(String.init), parts.count == 2 else { return nil }
        return try await present(keys(ofMeeting: parts[1], in: parts[0]))
    }

    /// The same of the meeting that a room stands for, by whichever of its names.
    /// - Parameter workspace: nil: of the meetings in each of the workspaces that are listed.
    public func keys(ofRoom link: MeetingLink, in workspace: String?) async throws(RedisError) -> [RecordKey]? {
        let asked = if let workspace { [workspace] } else { try await workspaces(knowing: link) }
        var found: [RecordKey] = []
        for workspace in asked {
            var meeting: Meeting?
            for room in [link.room] + link.otherNames where meeting == nil {
                meeting = try await session.meetings.meeting(in: room, workspace: workspace)
            }
            if let meeting { found += try await present(keys(ofMeeting: meeting.id, in: workspace)) }
        }
        return found.isEmpty ? nil : found
    }

    /// Those of the listed workspaces that have had a meeting in a room.
    private func workspaces(knowing link: MeetingLink) async throws(RedisError) -> [String] {
        let names = [link.room] + link.otherNames
        var (found, position) = ([String](), 0)
        while true {
            let ids = try await session.send(
                Command(
                    "ZRANGE", Keys.workspaces, String(position), String(position + Self.workspacesPerRead - 1))
            ).arrayOrThrow().compactMap(\.string)
            let questions = ids.flatMap { id in
                let keys = WorkspaceKeys(workspace: id)
                return names.flatMap {
                    [Command("EXISTS", keys.latest($0)), Command("HEXISTS", keys.names, $0.description)]
                }
            }
            let replies = questions.isEmpty ? [] : try await session.replies(to: questions)
            for (index, id) in ids.enumerated() {
                let own = replies[(2 * names.count * index)..<(2 * names.count * (index + 1))]
                if own.contains(.integer(1)) { found.append(id) }
            }
            if ids.count < Self.workspacesPerRead { return found }
            position += Self.workspacesPerRead
        }
    }

    /// Those of some keys that are there.
    private func present(_ candidates: [String]) async throws(RedisError) -> [RecordKey] {
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
        if let meeting = try await session.meetings.readable(id: id, workspace: workspace) {
            if let archived = meeting.fields["archived"],
                let object = ArchivedObject(archived, workspaceID: workspace, meetingID: id)
            {
                candidates.append(keys.partition.object(object.name))
            }
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
        case "none": nil
        default: RecordKey(key: key, command: "TYPE '\(key)'")
        }
    }
}
