import Redis
import Scripts

/// Calendars whose meetings are planned (docs/calendars.md).
public struct Calendars: Sendable {
    let session: Session

    /// A node that reads a feed has this long: longer than it takes.
    public static let longestLeaseMilliseconds = 120_000
    /// How many of a partition are looked at in one go, and how often in a row, to find some that can be begun.
    private static let calendarsPerRead = 5_000
    private static let mostPages = 20
    /// Of those that are brought forward: how often they are looked at, and over which time they are spread, in ms.
    private static let mostReads = 20
    private static let spreadMilliseconds = 60_000

    /// How long after a reading one is read again at the earliest, whoever asks.
    static let leastMilliseconds = 3_000

    /// How long one is left alone whose key another hand has spoilt.
    private static let oddMilliseconds = 60_000

    public enum Refusal: Error, Equatable, Sendable {
        case unknownMember
        case tooMany
    }

    /// Those of a user in a workspace, in the order in which they were made.
    public func all(of user: String, workspace: String) async throws(RedisError) -> [FeedCalendar] {
        let keys = WorkspaceKeys(workspace: workspace)
        let list = keys.calendars(of: user)
        let listed = try await session.replies(to: [Command("ZRANGE", list, "0", "-1")])
        let records = try session.oddRecords.list(list, listed[0]).compactMap(\.string)
            .map { keys.calendar($0).calendar }
        guard !records.isEmpty else { return [] }
        let replies = try await session.replies(to: records.map { Command("HGETALL", $0) })
        var calendars: [FeedCalendar] = []
        for (key, reply) in zip(records, replies) {
            let fields = try session.oddRecords.leavingOut(key, reply) { reply throws(RedisError) in try reply.hash() }
            if let calendar = FeedCalendar(fields ?? [:], workspace: workspace), !calendar.isRemoved {
                calendars.append(calendar)
            }
        }
        return calendars
    }

    /// Those of all members of a workspace.
    public func all(workspace: String) async throws(RedisError) -> [FeedCalendar] {
        let members = try await session.send(Command("HGETALL", WorkspaceKeys(workspace: workspace).members))
        var calendars: [FeedCalendar] = []
        for user in try members.hash().keys.sorted() {
            calendars += try await all(of: user, workspace: workspace)
        }
        return calendars
    }

    /// - Returns: nil if the user has no such calendar there.
    public func calendar(_ id: String, of user: String, workspace: String) async throws(RedisError) -> FeedCalendar? {
        guard FeedCalendar.isID(id) else { return nil }
        let key = WorkspaceKeys(workspace: workspace).calendar(id).calendar
        let calendar = FeedCalendar(try await session.send(Command("HGETALL", key)).hash(), workspace: workspace)
        return calendar?.userID == user && calendar?.isRemoved == false ? calendar : nil
    }

    /// - Returns: its id.
    public func create(
        _ new: CalendarChange, of user: String, workspace: String
    ) async throws(RedisError) -> Result<String, Refusal> {
        let keys = WorkspaceKeys(workspace: workspace)
        let id = FeedCalendar.newID()
        let call = Scripts.CreateCalendar(
            membersKey: keys.members, calendarsKey: keys.calendars(of: user), calendarKey: keys.calendar(id).calendar,
            dueKey: keys.partition.calendars, calendarID: id, userID: user, member: keys.member(id),
            most: FeedCalendar.maximum, isEnabled: new.isEnabled ?? true, fields: new.fields)
        switch try await session.run(call) {
        case .created: return .success(id)
        case .unknownMember: return .failure(.unknownMember)
        case .tooMany: return .failure(.tooMany)
        }
    }

    /// Changes a calendar, and has its feed read at once; also if nothing changes.
    /// - Returns: when that was asked for; nil if there is no such calendar.
    public func change(_ calendar: FeedCalendar, _ change: CalendarChange?) async throws(RedisError) -> Int? {
        var fields = change?.fields ?? []
        if let isEnabled = change?.isEnabled { fields += ["enabled", isEnabled ? "1" : "0"] }
        return try await update(calendar, fields: fields, cleared: change?.cleared ?? [], isRemoved: false)
    }

    /// Removes a calendar. What was planned of it goes as soon as a node comes to it.
    public func remove(_ calendar: FeedCalendar) async throws(RedisError) -> Bool {
        let keys = WorkspaceKeys(workspace: calendar.workspaceID)
        let isThere = try await update(calendar, fields: [], cleared: [], isRemoved: true) != nil
        // Another one may take its place, but not without end: it is on the list until nothing of it is left.
        _ = try await session.send(Command("ZADD", keys.calendars(of: calendar.userID), "XX", "0", calendar.id))
        return isThere
    }

    private func update(
        _ calendar: FeedCalendar, fields: [String], cleared: [String], isRemoved: Bool
    ) async throws(RedisError) -> Int? {
        let keys = WorkspaceKeys(workspace: calendar.workspaceID)
        let call = Scripts.UpdateCalendar(
            calendarKey: keys.calendar(calendar.id).calendar, dueKey: keys.partition.calendars,
            occurrencesKey: keys.calendar(calendar.id).planned, member: keys.member(calendar.id), isRemoved: isRemoved,
            cleared: cleared.map { " \($0)" }.joined(),
            leastMilliseconds: Self.leastMilliseconds, occurrence: nil, shared: nil, fields: fields)
        switch try await session.run(call) {
        case .changed(let askedAt): return askedAt
        case .unknownCalendar: return nil
        }
    }

    /// Removes all calendars of a workspace that was removed, also those of users who had left it.
    func removeAll(ofRemoved workspace: String) async throws(RedisError) {
        let keys = WorkspaceKeys(workspace: workspace)
        let due = keys.partition.calendars
        var offset = 0
        while true {
            let page = try await session.send(
                Command("ZRANGE", due, String(offset), String(offset + Self.calendarsPerRead - 1))
            ).arrayOrThrow().compactMap(\.string)
            let members = page.filter { $0.hasPrefix(keys.member("")) }
            for member in members {
                let calendar = keys.calendar(String(member.dropFirst(keys.member("").count)))
                let user = try await session.send(Command("HGET", calendar.calendar, "user_id")).optionalString()
                if let user { _ = try await session.send(Command("UNLINK", keys.calendars(of: user))) }
                _ = try await session.pipeline([
                    Command("UNLINK", calendar.planned), Command("UNLINK", calendar.calendar),
                    Command("ZREM", due, member),
                ])
            }
            guard page.count == Self.calendarsPerRead else { return }
            offset += page.count - members.count
        }
    }

    // MARK: What is due

    /// The calendars whose feeds are to be read, each as its workspace and id. Of no workspace are two in a row while
    /// another one waits; and where one has very many, those after them are looked at too.
    /// - Parameters:
    ///   - most: how long one is left alone at most, in ms. What is to be read later than that is due as well: the clock
    ///     was ahead when that was noted.
    ///   - places: how many can be begun with.
    ///   - room: how many of a workspace.
    public func due(
        most: Int, places: Int, room: (_ workspace: String) -> Int
    ) async throws(RedisError) -> [(workspace: String, id: String)] {
        let now = try await session.time()
        var due: [(turn: Int, workspace: String, id: String)] = []
        for (from, to) in [("-inf", String(now)), ("(\(now.addingClamped(most))", "+inf")] {
            func question(_ partition: Partition, from offset: Int) -> Command {
                Command(
                    "ZRANGEBYSCORE", partition.calendars, from, to, "LIMIT", String(offset),
                    String(Self.calendarsPerRead))
            }
            for (partition, first) in try await session.repliesOfPartitions({ question($0, from: 0) }) {
                var found = FoundCalendars(places: places)
                var (reply, offset) = (first, 0)
                for page in 1...Self.mostPages {
                    let members = try session.oddRecords.list(partition.calendars, reply).compactMap(\.string)
                    for member in members {
                        if found.add(member, in: partition, room) { continue }
                        // Not one of ours: it would stand at the head for ever.
                        _ = try await session.send(Command("ZREM", partition.calendars, member))
                        offset -= 1
                    }
                    offset += members.count
                    guard members.count == Self.calendarsPerRead, found.ready < places, page < Self.mostPages
                    else { break }
                    reply = try await session.send(question(partition, from: offset))
                }
                due += found.calendars
            }
        }
        return due.enumerated().sorted { ($0.element.turn, $0.offset) < ($1.element.turn, $1.offset) }
            .map { ($0.element.workspace, $0.element.id) }
    }

    /// What was found of a partition.
    private struct FoundCalendars {
        /// The turn: how many of the workspace stand before it.
        private(set) var calendars: [(turn: Int, workspace: String, id: String)] = []
        /// How many of them can be begun with.
        private(set) var ready = 0
        private var turns: [String: Int] = [:]
        private let places: Int

        init(places: Int) { self.places = places }

        /// - Returns: false for what is no calendar of the partition.
        mutating func add(_ member: String, in partition: Partition, _ room: (String) -> Int) -> Bool {
            let parts = member.split(separator: " ").map(String.init)
            guard parts.count == 2, FeedCalendar.isID(parts[1]), Partition(workspace: parts[0]) == partition else {
                return false
            }
            let turn = turns[parts[0], default: 0]
            turns[parts[0]] = turn + 1
            if turn < room(parts[0]) { ready += 1 }
            // Of one workspace no more are of use: others may have begun with some.
            if turn < places { calendars.append((turn, parts[0], parts[1])) }
            return true
        }
    }

    /// Has the feeds of a partition be read soon, as what was noted to be due then would wait until the clock has caught up.
    func bringForward(in partition: Partition, now: Int) async throws(RedisError) {
        let soon = now.addingClamped(Self.spreadMilliseconds)
        for _ in 0..<Self.mostReads {
            let page = try await session.send(
                Command(
                    "ZRANGEBYSCORE", partition.calendars, "(\(soon)", "+inf", "LIMIT", "0",
                    String(Self.calendarsPerRead))
            ).arrayOrThrow().compactMap(\.string)
            guard !page.isEmpty else { return }
            let scores = page.flatMap { [String(Int.random(in: now...soon)), $0] }
            _ = try await session.send(Command(words: ["ZADD", partition.calendars, "XX"] + scores))
        }
    }

    /// Takes a calendar that is due.
    /// - Parameters:
    ///   - lease: until when no other node does, from now on, in ms.
    ///   - most: as of `due`.
    /// - Returns: nil if another node has it.
    public func claim(
        workspace: String, id: String, lease: Int = longestLeaseMilliseconds, most: Int
    ) async throws(RedisError) -> FeedCalendar? {
        let keys = WorkspaceKeys(workspace: workspace)
        let call = Scripts.ClaimCalendar(
            calendarKey: keys.calendar(id).calendar, dueKey: keys.partition.calendars, member: keys.member(id),
            leaseMilliseconds: lease, mostMilliseconds: most)
        do throws(RedisError) {
            guard case .claimed(let fields) = try await session.run(call) else { return nil }
            return FeedCalendar(fields, workspace: workspace)
        } catch .refused(let text) where text.contains("WRONGTYPE") {
            // It must not stand at the head for ever.
            session.oddRecords.note("A calendar cannot be read: its key is odd", ["calendar_id": id, "reason": text])
            let now = try await session.time()
            let later = String(now.addingClamped(Self.oddMilliseconds))
            _ = try await session.send(Command("ZADD", keys.partition.calendars, later, keys.member(id)))
            return nil
        }
    }

    /// - Returns: false if the lease had ended, and another node may have taken the calendar.
    public func settle(_ calendar: FeedCalendar, _ outcome: CalendarOutcome) async throws(RedisError) -> Bool {
        let keys = WorkspaceKeys(workspace: calendar.workspaceID)
        let own = keys.calendar(calendar.id)
        var fields = [
            "created", String(outcome.counts.created), "updated", String(outcome.counts.updated), "cancelled",
            String(outcome.counts.cancelled), "failures", String(outcome.failures),
        ]
        var cleared: [String] = []
        if let problem = outcome.problem { fields += ["problem", problem] } else { cleared.append("problem") }
        if let skipped = outcome.skipped { fields += ["skipped", skipped] }
        if outcome.isRead {
            let now = try await session.time()
            fields += ["read_at", String(now)]
            if let etag = outcome.etag { fields += ["etag", etag] } else { cleared.append("etag") }
        }
        return try await session.run(
            Scripts.SettleCalendar(
                calendarKey: own.calendar, dueKey: keys.partition.calendars,
                calendarsKey: keys.calendars(of: calendar.userID), plannedKey: own.planned,
                member: keys.member(calendar.id), calendarID: calendar.id, leaseEnd: calendar.leaseEnd,
                pauseMilliseconds: outcome.pause ?? 0, isGone: outcome.isGone,
                leastMilliseconds: Self.leastMilliseconds,
                cleared: cleared.map { " \($0)" }.joined(), fields: fields)) == .noted
    }

    /// The user whose calendar it is: the addresses by which it is known who has declined, and whether the role is one that
    /// may send bots. Nil if the user is no member of the workspace any more.
    public func owner(
        of calendar: FeedCalendar
    ) async throws(RedisError) -> (addresses: Set<String>, maySend: Bool)? {
        let keys = WorkspaceKeys(workspace: calendar.workspaceID)
        let role = try await session.send(Command("HGET", keys.members, calendar.userID)).optionalString()
        guard let role, let id = Int(calendar.userID) else { return nil }
        let email = try await session.send(Command("HGETALL", Keys.user(id))).hash()["email"]
        return (email.map { [$0] } ?? [], Role(rawValue: role).map { $0 >= .member } ?? false)
    }
}

extension Session {
    public var calendars: Calendars { Calendars(session: self) }
}
