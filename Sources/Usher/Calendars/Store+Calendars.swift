import EventLoop
import Redis
import Scripts

/// Calendars whose meetings are planned (docs/calendars.md).
extension Store {
    /// A node that reads a feed has this long: longer than it takes.
    static let calendarLeaseMilliseconds = 120_000
    /// How many of a partition are looked at in one go.
    private static let calendarsPerRead = 5_000

    /// How long after a reading one is read again at the earliest, whoever asks.
    static let calendarLeastMilliseconds = 3_000

    /// How long one is left alone whose key another hand has spoilt.
    private static let oddMilliseconds = 60_000

    public enum CalendarRefusal: Error, Equatable, Sendable {
        case unknownMember
        case tooMany
    }

    /// Those of a user in a workspace, in the order in which they were made.
    public func calendars(
        of user: String, workspace: String, deadline: MonotonicTime
    ) async throws(RedisError) -> [FeedCalendar] {
        let keys = WorkspaceKeys(workspace: workspace)
        let ids = try await send(Command("ZRANGE", keys.calendars(of: user), "0", "-1"), by: deadline).arrayOrThrow()
            .compactMap(\.string)
        guard !ids.isEmpty else { return [] }
        let replies = try await pipeline(ids.map { Command("HGETALL", keys.calendar($0).calendar) }, by: deadline)
        var calendars: [FeedCalendar] = []
        for reply in replies {
            if let calendar = FeedCalendar(try reply.hash(), workspace: workspace), !calendar.isRemoved {
                calendars.append(calendar)
            }
        }
        return calendars
    }

    /// Those of all members of a workspace.
    public func calendars(workspace: String, deadline: MonotonicTime) async throws(RedisError) -> [FeedCalendar] {
        let members = try await send(Command("HGETALL", WorkspaceKeys(workspace: workspace).members), by: deadline)
        var calendars: [FeedCalendar] = []
        for user in try members.hash().keys.sorted() {
            calendars += try await self.calendars(of: user, workspace: workspace, deadline: deadline)
        }
        return calendars
    }

    /// - Returns: nil if the user has no such calendar there.
    public func calendar(
        _ id: String, of user: String, workspace: String, deadline: MonotonicTime
    ) async throws(RedisError) -> FeedCalendar? {
        guard FeedCalendar.isID(id) else { return nil }
        let key = WorkspaceKeys(workspace: workspace).calendar(id).calendar
        let calendar = FeedCalendar(
            try await send(Command("HGETALL", key), by: deadline).hash(), workspace: workspace)
        return calendar?.userID == user && calendar?.isRemoved == false ? calendar : nil
    }

    /// - Returns: its id.
    public func createCalendar(
        _ new: CalendarChange, of user: String, workspace: String, deadline: MonotonicTime
    ) async throws(RedisError) -> Result<String, CalendarRefusal> {
        let keys = WorkspaceKeys(workspace: workspace)
        let id = FeedCalendar.newID()
        let call = Scripts.CreateCalendar(
            membersKey: keys.members, calendarsKey: keys.calendars(of: user), calendarKey: keys.calendar(id).calendar,
            dueKey: keys.partition.calendars, calendarID: id, userID: user, member: keys.member(id),
            most: FeedCalendar.maximum, isEnabled: new.isEnabled ?? true, fields: new.fields)
        switch try await run(call, by: deadline) {
        case .made: return .success(id)
        case .unknownMember: return .failure(.unknownMember)
        case .tooMany: return .failure(.tooMany)
        }
    }

    /// Changes a calendar, and has its feed read at once; also if nothing changes.
    /// - Returns: when that was asked for; nil if there is no such calendar.
    public func change(
        _ calendar: FeedCalendar, _ change: CalendarChange?, deadline: MonotonicTime
    ) async throws(RedisError) -> Int? {
        var fields = change?.fields ?? []
        if let isEnabled = change?.isEnabled { fields += ["enabled", isEnabled ? "1" : "0"] }
        return try await update(
            calendar, fields: fields, cleared: change?.cleared ?? [], isRemoved: false, deadline: deadline)
    }

    /// Removes a calendar. What was planned of it goes as soon as a node comes to it.
    public func remove(_ calendar: FeedCalendar, deadline: MonotonicTime) async throws(RedisError) -> Bool {
        let keys = WorkspaceKeys(workspace: calendar.workspaceID)
        let isThere = try await update(calendar, fields: [], cleared: [], isRemoved: true, deadline: deadline) != nil
        // It counts no more among those that a user may have.
        _ = try await send(Command("ZREM", keys.calendars(of: calendar.userID), calendar.id), by: deadline)
        return isThere
    }

    private func update(
        _ calendar: FeedCalendar, fields: [String], cleared: [String], isRemoved: Bool, deadline: MonotonicTime
    ) async throws(RedisError) -> Int? {
        let keys = WorkspaceKeys(workspace: calendar.workspaceID)
        let call = Scripts.UpdateCalendar(
            calendarKey: keys.calendar(calendar.id).calendar, dueKey: keys.partition.calendars,
            member: keys.member(calendar.id), isRemoved: isRemoved, cleared: cleared.map { " \($0)" }.joined(),
            leastMilliseconds: Self.calendarLeastMilliseconds, fields: fields)
        switch try await run(call, by: deadline) {
        case .changed(let askedAt): return askedAt
        case .unknownCalendar: return nil
        }
    }

    // MARK: What is due

    /// The calendars whose feeds are to be read, each as its workspace and id. Of no workspace are two in a row while
    /// another one waits.
    /// - Parameter most: how long one is left alone at most, in ms. What is to be read later than that is due as well: the
    ///   clock was ahead when that was noted.
    public func dueCalendars(
        most: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> [(workspace: String, id: String)] {
        let now = try await calendarTime(deadline: deadline)
        func commands(_ from: String, _ to: String) -> [Command] {
            Partition.all.map {
                Command("ZRANGEBYSCORE", $0.calendars, from, to, "LIMIT", "0", String(Self.calendarsPerRead))
            }
        }
        let pages = try await replies(
            to: commands("-inf", String(now)) + commands("(\(now.addingClamped(most))", "+inf"), by: deadline)
        var due: [(workspace: String, id: String)] = []
        for (partition, page) in zip(Partition.all + Partition.all, pages) {
            for member in try oddRecords.list(partition.calendars, page).compactMap(\.string) {
                let parts = member.split(separator: " ").map(String.init)
                guard parts.count == 2, FeedCalendar.isID(parts[1]), Partition(workspace: parts[0]) == partition else {
                    // Not one of ours: it would stand at the head for ever.
                    _ = try await send(Command("ZREM", partition.calendars, member), by: deadline)
                    continue
                }
                due.append((parts[0], parts[1]))
            }
        }
        var turns: [String: Int] = [:]
        let placed = due.enumerated().map { index, calendar in
            let turn = turns[calendar.workspace, default: 0]
            turns[calendar.workspace] = turn + 1
            return (turn: turn, index: index, calendar: calendar)
        }
        return placed.sorted { ($0.turn, $0.index) < ($1.turn, $1.index) }.map(\.calendar)
    }

    /// Takes a calendar that is due.
    /// - Parameter most: as of `dueCalendars`.
    /// - Returns: nil if another node has it.
    public func claimCalendar(
        workspace: String, id: String, most: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> FeedCalendar? {
        let keys = WorkspaceKeys(workspace: workspace)
        let call = Scripts.ClaimCalendar(
            calendarKey: keys.calendar(id).calendar, dueKey: keys.partition.calendars, member: keys.member(id),
            leaseMilliseconds: Self.calendarLeaseMilliseconds, mostMilliseconds: most)
        do throws(RedisError) {
            guard case .taken(let fields) = try await run(call, by: deadline) else { return nil }
            return FeedCalendar(fields, workspace: workspace)
        } catch .refused(let text) where text.contains("WRONGTYPE") {
            // It must not stand at the head for ever.
            oddRecords.note("A calendar cannot be read: its key is odd", ["calendar_id": id, "reason": text])
            let now = try await calendarTime(deadline: deadline)
            let later = String(now.addingClamped(Self.oddMilliseconds))
            _ = try await send(Command("ZADD", keys.partition.calendars, later, keys.member(id)), by: deadline)
            return nil
        }
    }

    /// What came of the reading of a feed.
    public struct CalendarOutcome: Sendable {
        /// Nil: all went well.
        public var problem: String?
        public var counts = FeedCalendar.Counts()
        /// Nil: as it was, since the feed was.
        public var skipped: String?
        public var etag: String?
        /// Whether all of the feed was read.
        public var isRead = false
        public var failures = 0
        /// After how long it is read again, in ms; nil: not by itself.
        public var pause: Int?
        /// Whether the calendar ends with it.
        public var isGone = false

        public init() {}
    }

    /// - Returns: false if the lease had ended, and another node may have taken the calendar.
    public func settle(
        _ calendar: FeedCalendar, _ outcome: CalendarOutcome, deadline: MonotonicTime
    ) async throws(RedisError) -> Bool {
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
            let now = try await calendarTime(deadline: deadline)
            fields += ["read_at", String(now)]
            if let etag = outcome.etag { fields += ["etag", etag] } else { cleared.append("etag") }
        }
        return try await run(
            Scripts.SettleCalendar(
                calendarKey: own.calendar, dueKey: keys.partition.calendars,
                calendarsKey: keys.calendars(of: calendar.userID), plannedKey: own.planned,
                member: keys.member(calendar.id), calendarID: calendar.id, leaseEnd: calendar.leaseEnd,
                pauseMilliseconds: outcome.pause ?? 0, isGone: outcome.isGone,
                leastMilliseconds: Self.calendarLeastMilliseconds,
                cleared: cleared.map { " \($0)" }.joined(), fields: fields), by: deadline) == .noted
    }

    /// The time by Redis' clock, by which plans are made: a node's own may be off.
    public func calendarTime(deadline: MonotonicTime) async throws(RedisError) -> Int {
        try await send(Command("TIME"), by: deadline).millisecondsOrThrow()
    }

    /// The addresses by which it is known who has declined, of the user whose calendar it is; nil if the user is no member
    /// of the workspace any more.
    public func owner(of calendar: FeedCalendar, deadline: MonotonicTime) async throws(RedisError) -> Set<String>? {
        let keys = WorkspaceKeys(workspace: calendar.workspaceID)
        guard try await send(Command("HGET", keys.members, calendar.userID), by: deadline) != .null else { return nil }
        guard let id = Int(calendar.userID) else { return nil }
        let email = try await send(Command("HGETALL", Keys.user(id)), by: deadline).hash()["email"]
        return email.map { [$0] } ?? []
    }
}
