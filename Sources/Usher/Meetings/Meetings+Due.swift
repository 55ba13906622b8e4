import Redis

/// A meeting that a bot is to be sent to by itself, for whoever runs the service.
public struct DuePlan: Sendable {
    public let workspaceID: String
    public let number: Int
    public let room: Room
    /// When the meeting begins, in milliseconds since 1970.
    public let scheduledAt: Int
    /// What kept a bot from being sent so far.
    public let reason: String?
}

extension Meetings {
    /// Within how long what is planned counts as soon.
    static let soonMilliseconds = 3_600_000

    /// Plans of all workspaces to which a bot is to be sent within an hour, or should have been; the soonest first.
    /// - Parameter limit: how many at most.
    public func due(limit: Int) async throws(RedisError) -> [DuePlan] {
        let soon = try await session.time().addingClamped(Self.soonMilliseconds)
        let pages = try await session.replies(
            to: Partition.all.map {
                Command(
                    "ZRANGEBYSCORE", $0.plans, "-inf", String(soon), "WITHSCORES", "LIMIT", "0", String(limit))
            })
        var plans: [(at: Double, plan: Plan)] = []
        for (partition, page) in zip(Partition.all, pages) {
            let words = try session.oddRecords.list(partition.plans, page).compactMap(\.string)
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                guard let plan = Plan(words[index]), let at = Double(words[index + 1]) else { continue }
                plans.append((at, plan))
            }
        }
        let soonest = plans.sorted { $0.at < $1.at }.prefix(limit).map(\.plan)
        guard !soonest.isEmpty else { return [] }
        let keys = soonest.map { Partition(workspace: $0.workspaceID).meeting($0.meetingID) }
        let replies = try await session.replies(
            to: keys.map {
                Command("HMGET", $0, "number", "platform", "native_meeting_id", "scheduled_at", "auto_join_error")
            })
        var due: [DuePlan] = []
        for (index, reply) in replies.enumerated() {
            let fields = try session.oddRecords.list(keys[index], reply).map(\.string)
            guard fields.count == 5, let number = fields[0].flatMap({ Int($0) }),
                let platform = fields[1].flatMap(Platform.init(rawValue:)), let nativeID = fields[2],
                let scheduledAt = fields[3].flatMap({ Int($0) })
            else { continue }
            due.append(
                DuePlan(
                    workspaceID: soonest[index].workspaceID, number: number,
                    room: Room(platform: platform, nativeID: nativeID), scheduledAt: scheduledAt, reason: fields[4]))
        }
        return due
    }
}
