import Redis
import Scripts

extension Meetings {
    /// Removes a meeting that ended longer ago than meetings are kept, with its transcript and all that leads to it.
    /// - Parameter member: of those that have ended: the meeting's id, or what is left of one that was removed.
    /// - Returns: whether it was removed; not while it has a bot, or its transcript is being collected.
    func purge(_ member: String, in partition: Partition) async throws(RedisError) -> Bool {
        if let remains = MeetingRemains(member) {
            // A node stopped half-way.
            try await remove(remains, in: partition)
            return false
        }
        let id = member
        let hash = try await session.send(Command("HGETALL", partition.meeting(id))).hash()
        guard !hash.isEmpty else {
            // Another hand removed it, and which number it had nobody knows any more.
            let keys = [Keys.locator(meeting: id), partition.segments(ofMeeting: id), partition.feed(ofMeeting: id)]
            _ = try await session.pipeline(keys.map { Command("DEL", $0) })
            _ = try await session.pipeline([
                Command("ZREM", partition.ended, id), Command("ZREM", partition.archived, id),
            ])
            return false
        }
        let meeting = try Meeting(hash)
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        let remains = MeetingRemains(id: id, number: meeting.number)
        // As the script looks for it.
        let others = try await session.pipeline([
            Command("GET", keys.holder(meeting.room)), Command("GET", keys.held(meeting.room)),
            Command("ZRANGE", keys.planned(meeting.room), "0", "0"),
        ])
        let (holder, held) = (try others[0].optionalString(), try others[1].optionalString())
        let planned = try others[2].arrayOrThrow().first?.string
        let heir = holder ?? (held == id ? nil : held) ?? planned
        let removal = Scripts.PurgeMeeting(
            meetingKey: partition.meeting(id), segmentsKey: partition.segments(ofMeeting: id),
            meetingsKey: keys.meetings, latestKey: keys.latest(meeting.room), roomKey: keys.holder(meeting.room),
            endedKey: partition.ended, analyzingKey: partition.analyzing, heldKey: keys.held(meeting.room),
            namesKey: keys.names, workspaceKey: keys.workspace, imagesKey: keys.screenshots,
            orderKey: keys.screenshotOrder, feedKey: partition.feed(ofMeeting: id), archivedKey: partition.archived,
            movingKey: partition.moving, removalsKey: partition.removals, plannedKey: keys.planned(meeting.room),
            heirKey: partition.meeting(heir ?? id),
            dedupKey: meeting.fields[Deduplication.field].map { keys.deduplication($0) }, meetingID: id,
            keepMilliseconds: session.configuration.retentionMilliseconds, note: remains.member,
            room: meeting.room.description, heirID: heir)
        guard try await session.run(removal) == .removed else { return false }
        try await remove(remains, in: partition)
        return true
    }

    /// Removes some of the meetings of a workspace that was removed, and that has no bot, whatever their state.
    ///
    /// That a meeting is there is forgotten last: where a node stops half-way, another one begins with it anew.
    /// - Returns: whether there were any.
    func removeSome(ofRemoved workspace: String) async throws(RedisError) -> Bool {
        let keys = WorkspaceKeys(workspace: workspace)
        let partition = keys.partition
        let page = try await session.send(
            Command("ZRANGE", keys.meetings, "0", String(Self.meetingsAtOnce - 1), "WITHSCORES")
        ).arrayOrThrow().compactMap(\.string)
        let meetings = stride(from: 0, to: page.count - 1, by: 2).map { (id: page[$0], number: page[$0 + 1]) }
        guard !meetings.isEmpty else { return false }
        let records = try await session.replies(
            to: meetings.map {
                Command(
                    "HMGET", partition.meeting($0.id), "platform", "native_meeting_id", "names", Deduplication.field,
                    "sessions", "bot_id")
            })
        var unlinked: [Command] = []
        for ((id, number), record) in zip(meetings, records) {
            var names = [Keys.locator(meeting: id), partition.sharers(ofMeeting: id)]
            // Another hand has put something else in place of one that cannot be read.
            if record.array == nil { names.append(partition.meeting(id)) }
            let record = record.array?.map(\.string) ?? Array(repeating: nil, count: 6)
            if let number = Int(number) { names.append(Keys.locator(number: number)) }
            let own = record[0].flatMap { platform in record[1].map { "\(platform):\($0)" } } ?? ""
            for room in "\(own) \(record[2] ?? "")".split(separator: " ").compactMap({ Room(String($0)) }) {
                names += [
                    keys.latest(room), keys.held(room), keys.planned(room), keys.holder(room), keys.inFlight(room),
                ]
            }
            if let digest = record[3] { names.append(keys.deduplication(digest)) }
            let bots = (record[4] ?? "").split(separator: " ").compactMap { $0.split(separator: "=").first }
            names += Set(bots.map(String.init) + (record[5].map { [$0] } ?? [])).map { partition.bot($0) }
            unlinked += names.map { Command("UNLINK", $0) }
        }
        _ = try await session.pipeline(unlinked)
        for (id, _) in meetings {
            let removal =
                Scripts.RemoveMeeting(
                    meetingKey: partition.meeting(id), segmentsKey: partition.segments(ofMeeting: id),
                    feedKey: partition.feed(ofMeeting: id), botsKey: keys.bots, meetingsKey: keys.meetings,
                    plansKey: partition.plans, analyzingKey: partition.analyzing, endedKey: partition.ended,
                    archivedKey: partition.archived, movingKey: partition.moving, removalsKey: partition.removals,
                    meetingID: id, plan: keys.member(id))
            guard try await session.run(removal) == .removed else { return false }
        }
        return true
    }

    private static let meetingsAtOnce = 50

    /// Removes what leads to a meeting that is no more, and lies in other slots of a cluster than its record did.
    /// Should this fail, it leads nowhere, and the sweep does it again: that it is there is forgotten last.
    func remove(_ remains: MeetingRemains, in partition: Partition) async throws(RedisError) {
        _ = try await session.pipeline([
            Command("DEL", Keys.locator(meeting: remains.id)), Command("DEL", Keys.locator(number: remains.number)),
        ])
        _ = try await session.send(Command("ZREM", partition.ended, remains.member))
    }
}

/// A meeting that was removed, but for what leads to it. It stands for the meeting among those that have ended, as
/// `<meeting_id> <number>`.
struct MeetingRemains {
    let id: String
    let number: Int

    init(id: String, number: Int) {
        self.id = id
        self.number = number
    }

    /// Nil for the id of a meeting that is there.
    init?(_ member: String) {
        let parts = member.split(separator: " ")
        guard parts.count == 2, let number = Int(parts[1]) else { return nil }
        self.init(id: String(parts[0]), number: number)
    }

    var member: String { "\(id) \(number)" }
}
