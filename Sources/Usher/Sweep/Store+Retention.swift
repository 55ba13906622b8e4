import EventLoop
import Redis
import Scripts

extension Store {
    /// Removes a meeting that ended longer ago than meetings are kept, with its transcript and all that leads to it.
    /// - Returns: whether it was removed; not while it has a bot, or its transcript is being collected.
    func purge(meeting id: String, in partition: Partition, deadline: MonotonicTime) async throws(RedisError) -> Bool {
        let hash = try await send(Command("HGETALL", partition.meeting(id)), by: deadline).hash()
        guard !hash.isEmpty else {
            // A node stopped half-way, or another hand removed it.
            let keys = [Keys.locator(meeting: id), partition.segments(ofMeeting: id)]
            _ = try await pipeline(keys.map { Command("DEL", $0) }, by: deadline)
            _ = try await send(Command("ZREM", partition.ended, id), by: deadline)
            return false
        }
        let meeting = try Meeting(hash)
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        let reply = try await run(
            Scripts.purgeMeeting,
            keys: [
                partition.meeting(id), partition.segments(ofMeeting: id), keys.meetings, keys.latest(meeting.room),
                keys.holder(meeting.room), partition.ended, partition.analyzing,
            ], arguments: [id, String(configuration.retentionMilliseconds)], by: deadline)
        guard reply == .integer(1) else { return false }
        // In other slots of a cluster than the record. Should this fail, they lead nowhere.
        _ = try await pipeline(
            [Command("DEL", Keys.locator(meeting: id)), Command("DEL", Keys.locator(number: meeting.number))],
            by: deadline)
        return true
    }
}
