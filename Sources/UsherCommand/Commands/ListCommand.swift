import Redis
import Usher

/// `usher users`, `usher workspaces`, `usher meetings` and `usher bots`: pages of records, straight from Redis.
enum ListCommand {
    /// Records are read in batches of about so many bytes.
    private static let batchBytes = 65_536

    private struct UnknownWorkspace: Error, CustomStringConvertible {
        let description: String
    }

    /// - Returns: 0, or 1 if Redis does not answer, or there is no such workspace.
    static func run(_ settings: Settings, _ request: ListRequest, limit: Int, asJSON: Bool) -> Int32 {
        do {
            let text = try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                if let workspace = request.workspace,
                    try await session.workspaces.workspace(id: workspace) == nil
                {
                    throw UnknownWorkspace(description: "There is no workspace \(quoted(workspace)).")
                }
                switch request {
                case .users(let skip):
                    let (users, hasMore) = try await session.users.page(offset: skip, limit: limit)
                    return try Self.users.text(
                        users, next: hasMore ? "--skip \(skip + limit)" : nil, asJSON: asJSON)
                case .workspaces(let search, let skip):
                    let (workspaces, next) = try await session.workspaces.all(
                        search: search, offset: skip, limit: limit)
                    return try Self.workspaces.text(workspaces, next: next.map { "--skip \($0)" }, asJSON: asJSON)
                case .meetings(let workspace, let cursor):
                    let (meetings, next) = try await Self.meetings(
                        of: workspace, from: cursor, limit: limit, session)
                    return try Self.meetings.text(meetings, next: next.map { "--cursor \($0)" }, asJSON: asJSON)
                case .bots(let workspace, let cursor):
                    let (bots, next) = try await session.bots.page(
                        ofWorkspace: workspace, from: cursor, limit: limit)
                    return try Self.bots.text(bots, next: next.map { "--cursor \($0)" }, asJSON: asJSON)
                }
            }
            Terminal.say(text)
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private static func meetings(
        of workspace: String, from cursor: MeetingCursor?, limit: Int, _ session: Session
    ) async throws(RedisError) -> ([Meeting], next: MeetingCursor?) {
        var walk = MeetingWalk(
            in: session, workspace: workspace, conditions: MeetingConditions(), from: cursor, offset: 0)
        var meetings: [Meeting] = []
        while meetings.count < limit {
            let batch = try await walk.read(count: limit - meetings.count, bytes: batchBytes)
            if batch.isEmpty { break }
            meetings += batch
        }
        return (meetings, try await walk.next())
    }

    // MARK: Columns

    private static var users: Listing<User> {
        Listing(
            name: "users",
            columns: [
                ("id", { .number($0.id) }), ("email", { .text($0.email) }), ("name", { .text($0.name) }),
                ("workspace_id", { .text($0.workspaceID) }),
                ("max_concurrent_bots", { .number($0.maximumConcurrentBots) }),
                ("created_at", { .time($0.createdAt) }),
            ])
    }

    private static var workspaces: Listing<WorkspaceUse> {
        Listing(
            name: "workspaces",
            columns: [
                ("id", { .text($0.workspace.id) }), ("name", { .text($0.workspace.name) }),
                ("meetings", { .number($0.meetings) }), ("max_meetings", { .number($0.workspace.maximumMeetings) }),
                ("bots", { .number($0.bots) }),
                ("max_concurrent_bots", { .number($0.workspace.maximumConcurrentBots) }),
                ("bytes", { .number($0.workspace.bytes) }), ("max_bytes", { .number($0.workspace.maximumBytes) }),
                ("created_at", { .time($0.workspace.createdAt) }),
            ])
    }

    private static var meetings: Listing<Meeting> {
        Listing(
            name: "meetings",
            columns: [
                ("number", { .number($0.number) }), ("id", { .text($0.id) }),
                ("room", { .text($0.room.description) }), ("status", { .text($0.status) }),
                ("bot_status", { .text($0.botStatus) }), ("scheduled_at", { .time($0.scheduledAt) }),
                ("start_time", { .time($0.startTime) }), ("end_time", { .time($0.endTime) }),
                ("reason", { .text($0.fields["completion_reason"].flatMap { $0.isEmpty ? nil : $0 }) }),
                ("title", { .text($0.title) }),
            ])
    }

    private static var bots: Listing<RunningBot> {
        Listing(
            name: "bots",
            columns: [
                ("bot_id", { .text($0.botID) }), ("meeting", { .number($0.meetingNumber) }),
                ("room", { .text($0.room.description) }), ("status", { .text($0.status.rawValue) }),
                ("container", { .text($0.container) }), ("dispatched_at", { .time($0.dispatchedAt) }),
                ("start_time", { .time($0.startTime) }), ("title", { .text($0.title) }),
            ])
    }
}
