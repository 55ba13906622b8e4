import Redis

/// A bot that has not ended, with what is shown of its meeting. Times in milliseconds since 1970.
public struct RunningBot: Sendable {
    public let botID: String
    /// The name of its container or process; nil until a runner has claimed it.
    public let container: String?
    public let meetingID: String
    public let meetingNumber: Int
    public let room: Room
    public let status: BotStatus
    public let dispatchedAt: Int
    public let startTime: Int?
    public let botName: String?
    public let language: String?
    public let title: String?
}

/// Where a page of bots ended: bots that end meanwhile make no difference to what follows.
public struct BotCursor: Equatable, Sendable, CustomStringConvertible {
    /// When it was dispatched, in milliseconds since 1970.
    fileprivate let time: Int
    fileprivate let botID: String

    fileprivate init(time: Int, botID: String) {
        self.time = time
        self.botID = botID
    }

    /// nil if no page has ended there.
    public init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let time = Int(parts[0]), time >= 0, Identifier.isUUID(String(parts[1])) else {
            return nil
        }
        self.init(time: time, botID: String(parts[1]))
    }

    public var description: String { "\(time)_\(botID)" }
}

extension Bots {
    /// How many bots are looked at at once for a page.
    private static let botsPerRead = 500

    /// A page of the bots of a workspace, the oldest first.
    /// - Parameter cursor: where the page before ended; nil for the first.
    /// - Returns: where to go on; nil if there are no more.
    public func page(
        ofWorkspace workspace: String, from cursor: BotCursor?, limit: Int
    ) async throws(RedisError) -> (page: [RunningBot], next: BotCursor?) {
        var (page, last) = ([RunningBot](), cursor)
        while page.count < limit {
            let wanted = limit - page.count
            let found = try await places(ofWorkspace: workspace, after: last, count: wanted)
            page += try await running(found.map(\.botID), workspace: workspace)
            if found.count < wanted { return (page, nil) }
            last = found.last
        }
        let hasMore = try await !places(ofWorkspace: workspace, after: last, count: 1).isEmpty
        return (page, hasMore ? last : nil)
    }

    /// The first bots after another one, in the order of a sorted set: by time, and by id where that is the same.
    private func places(
        ofWorkspace workspace: String, after last: BotCursor?, count: Int
    ) async throws(RedisError) -> [BotCursor] {
        let key = WorkspaceKeys(workspace: workspace).bots
        var (found, skipped) = ([BotCursor](), 0)
        while true {
            let words = try await session.send(
                Command(
                    "ZRANGEBYSCORE", key, last.map { String($0.time) } ?? "-inf", "+inf", "WITHSCORES", "LIMIT",
                    String(skipped), String(Self.botsPerRead))
            ).arrayOrThrow().compactMap(\.string)
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                guard let time = Int(words[index + 1]) else {
                    session.oddRecords.note("Left out a bot without a time", ["key": key, "bot_id": words[index]])
                    continue
                }
                if let last, time == last.time, !last.botID.utf8.lexicographicallyPrecedes(words[index].utf8) {
                    continue
                }
                found.append(BotCursor(time: time, botID: words[index]))
                if found.count == count { return found }
            }
            if words.count < 2 * Self.botsPerRead { return found }
            skipped += Self.botsPerRead
        }
    }

    /// Those of some bots that run at the moment, in two exchanges however many they are.
    private func running(_ ids: some Collection<String>, workspace: String) async throws(RedisError) -> [RunningBot] {
        guard !ids.isEmpty else { return [] }
        let partition = Partition(workspace: workspace)
        let places = try await session.replies(
            to: ids.map { Self.readBot.command(partition.bot($0)) })
        var present: [(id: String, meetingID: String, container: String?)] = []
        for (id, reply) in zip(ids, places) {
            let fields = try session.oddRecords.leavingOut(partition.bot(id), reply) { reply throws(RedisError) in
                try reply.arrayOrThrow()
            }
            guard let place = fields, place.count == 3, let meetingID = place[0].string, place[2] == .null else {
                continue
            }
            present.append((id, meetingID, place[1].string))
        }
        guard !present.isEmpty else { return [] }
        let records = try await session.replies(
            to: present.map { Self.readMeeting.command(partition.meeting($0.meetingID)) })
        var bots: [RunningBot] = []
        bots.reserveCapacity(present.count)
        for (bot, record) in zip(present, records) {
            // One that a newer bot has taken the place of, or that another hand has ended, does not run.
            let found = try session.oddRecords.leavingOut(partition.meeting(bot.meetingID), record) {
                record throws(RedisError) in
                Self.runningBot(bot.id, bot.meetingID, bot.container, try record.arrayOrThrow())
            }
            if let found { bots.append(found) }
        }
        return bots
    }

    private static let readBot = CommandForKeys("HMGET", arguments: ["meeting_id", "container", "ended_at"])
    private static let readMeeting = CommandForKeys("HMGET", arguments: runningFields)

    private static let runningFields = [
        "bot_id", "bot_status", "number", "platform", "native_meeting_id", "dispatched_at", "start_time", "bot_name",
        "language", "title",
    ]

    private static func runningBot(
        _ id: String, _ meetingID: String, _ container: String?, _ record: [Value]
    ) -> RunningBot? {
        guard record.count == runningFields.count, record[0] == .string(id),
            let status = record[1].string.flatMap(BotStatus.init(rawValue:)), status.isRunning,
            let number = record[2].string.flatMap({ Int($0) }),
            let platform = record[3].string.flatMap(Platform.init(rawValue:)), let nativeID = record[4].string,
            let dispatchedAt = record[5].string.flatMap({ Int($0) })
        else { return nil }
        return RunningBot(
            botID: id, container: container, meetingID: meetingID, meetingNumber: number,
            room: Room(platform: platform, nativeID: nativeID), status: status, dispatchedAt: dispatchedAt,
            startTime: record[6].string.flatMap { Int($0) },
            botName: record[7].string, language: record[8].string, title: record[9].string)
    }
}
