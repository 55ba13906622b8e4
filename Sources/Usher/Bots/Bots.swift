import Redis

/// The bots: asked for, claimed by runners, kept by leases, heard, stopped and ended.
public struct Bots: Sendable {
    let session: Session

    /// Those of some bots that are none that is known any more, or ended so long ago.
    public func over(among ids: [String], sinceMilliseconds: Int) async throws(RedisError) -> [String] {
        let bots = ids.compactMap { id in Partition(bot: id).map { (id: id, key: $0.bot(id)) } }
        let replies = try await session.replies(
            to: [Command("TIME")] + bots.map { Command("HMGET", $0.key, "meeting_id", "ended_at") })
        let latest = try replies[0].millisecondsOrThrow() - sinceMilliseconds
        return zip(bots, replies.dropFirst()).compactMap { bot, reply in
            // What another hand made a key of another type is left alone.
            guard let fields = reply.array, fields.count == 2 else { return nil }
            guard fields[0].string != nil else { return bot.id }
            guard let endedAt = fields[1].string.flatMap({ Int($0) }) else { return nil }
            return endedAt < latest ? bot.id : nil
        }
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
