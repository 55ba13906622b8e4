import Redis

/// The bots: asked for, claimed by runners, kept by leases, heard, stopped and ended.
public struct Bots: Sendable {
    let session: Session

    /// Whether a bot is none that is known any more, or ended so long ago.
    public func isOver(bot id: String, sinceMilliseconds: Int) async throws(RedisError) -> Bool {
        guard let partition = Partition(bot: id) else { return false }
        let replies = try await session.pipeline([
            Command("HMGET", partition.bot(id), "meeting_id", "ended_at"), Command("TIME"),
        ])
        let (bot, time) = (try replies[0].arrayOrThrow(), try replies[1].arrayOrThrow())
        guard bot.count == 2, bot[0].string != nil else { return true }
        guard let endedAt = bot[1].string.flatMap({ Int($0) }), let seconds = time.first?.string.flatMap({ Int($0) })
        else { return false }
        return endedAt / 1_000 < seconds - sinceMilliseconds / 1_000
    }

    /// Where a bot is, by its own record; nil once that is gone.
    public func place(ofBot id: String) async throws(RedisError) -> BotPlace? {
        guard let partition = Partition(bot: id) else { return nil }
        let fields = try await session.send(
            Command("HMGET", partition.bot(id), "meeting_id", "workspace_id", "room", "traceparent")
        ).arrayOrThrow()
        guard let meeting = fields[0].string, let workspace = fields[1].string,
            let room = fields[2].string.flatMap({ Room($0) })
        else { return nil }
        return BotPlace(botID: id, meetingID: meeting, workspaceID: workspace, room: room)
            .with(trace: fields[3].string)
    }
}

extension Session {
    public var bots: Bots { Bots(session: self) }
}
