import Redis
import Scripts

/// One time at which an event of a calendar takes place. Times in milliseconds since 1970.
public struct CalendarMeeting: Sendable {
    /// The event, and which one of its times it is.
    public let uid: String
    public let recurrenceID: String
    public let start: Int
    public let end: Int
    public let title: String?
    public let link: MeetingLink

    public init(uid: String, recurrenceID: String, start: Int, end: Int, title: String?, link: MeetingLink) {
        self.uid = uid
        self.recurrenceID = recurrenceID
        self.start = start
        self.end = end
        self.title = title
        self.link = link
    }

    /// Under which it is known, whatever a feed calls its events.
    fileprivate var key: String { "\(Self.key(ofEvent: uid)) \(recurrenceID)" }

    fileprivate static func key(ofEvent uid: String) -> String { String(Digest.sha256(uid).prefix(32)) }
}

/// What a calendar says now.
public struct CalendarMeetings: Sendable {
    /// The earliest first.
    public var meetings: [CalendarMeeting]
    /// Events of which nothing is known now, so that what is planned of them stays.
    public var unreadable: [String]
    /// Whether there are more, later ones.
    public var hasMore: Bool

    public init(meetings: [CalendarMeeting], unreadable: [String], hasMore: Bool) {
        self.meetings = meetings
        self.unreadable = unreadable
        self.hasMore = hasMore
    }

    /// Of a calendar that is disabled, or ends.
    public static let none = CalendarMeetings(meetings: [], unreadable: [], hasMore: false)
}

/// What is planned of an occurrence.
public struct PlannedOccurrence: Sendable {
    /// Milliseconds since 1970.
    public let start: Int
    public let meetingID: String
    /// Whether another calendar, or a user, has planned it.
    public let isShared: Bool
}

/// Plans what calendars say. A calendar has a hash of what it has planned: the event and its time -> a meeting, so that
/// each is planned once, follows what becomes of it, and is not planned again where somebody stopped or removed it. Who has
/// the lease alone plans, and a plan and what is noted of it change in one step: a node that pauses or dies anywhere leaves
/// nothing half done, and does nothing late.
extension Calendars {
    /// How long after its end it is known of an occurrence.
    private static let rememberedMilliseconds = 86_400_000
    /// How many occurrences are known of a calendar, whatever its feed says.
    private static let mostRemembered = 5_000
    /// How long after its start it is known of one that is not said any more, and not to be planned again.
    private static let absentMilliseconds = 30 * 86_400_000

    /// Makes the plans of a calendar what it says.
    /// - Parameters:
    ///   - calendar: as it was claimed.
    ///   - isHeld: whether the lease lasts for another step.
    /// - Returns: what was changed, why not all was, and whether others have planned some of it, who may let it go.
    public func plan(
        _ calendar: FeedCalendar, _ said: CalendarMeetings, isHeld: () -> Bool
    ) async throws(RedisError) -> (counts: FeedCalendar.Counts, problem: String?, shares: Bool) {
        var work = CalendarWork(
            session: session, calendar: calendar, keys: WorkspaceKeys(workspace: calendar.workspaceID),
            now: try await session.time())
        let known = try await session.send(Command("HGETALL", work.own.planned)).hash()
        var wanted: Set<String> = []
        var problem: String?
        var added = 0
        for meeting in said.meetings {
            wanted.insert(meeting.key)
            guard isHeld() else { return (work.counts, Self.tookTooLong, work.shares) }
            let entry = known[meeting.key].flatMap { OccurrenceEntry($0) }
            if entry == nil { added += 1 }
            if entry == nil, known.count + added > Self.mostRemembered {
                problem = problem ?? "it has had more than \(Self.mostRemembered) meetings that are not long over"
            }
            // Where no more can be planned, what is known is followed, and what is not said any more goes, all the same.
            guard problem == nil || entry != nil else { continue }
            let found = try await work.plan(meeting, entry)
            problem = problem ?? found
        }
        let unreadable = Set(said.unreadable.map { CalendarMeeting.key(ofEvent: $0) })
        let last = said.hasMore ? said.meetings.last?.start ?? 0 : Int.max
        for (key, text) in known where !wanted.contains(key) {
            guard isHeld() else { return (work.counts, Self.tookTooLong, work.shares) }
            guard let entry = OccurrenceEntry(text) else {
                try await work.forget(key)
                continue
            }
            if entry.start <= work.now {
                // It is over, or under way: it is nothing to be cancelled any more.
                if entry.end.addingClamped(Self.rememberedMilliseconds) < work.now {
                    try await work.forget(key)
                }
            } else if entry.start <= last, !unreadable.contains(String(key.prefix(32))) {
                try await work.cancel(key, entry)
            }
        }
        return (work.counts, problem, work.shares)
    }

    private static let tookTooLong = "it took too long: the rest comes next time"

    /// What is planned of a calendar from now on, the earliest first.
    public func next(_ count: Int, of calendar: FeedCalendar) async throws(RedisError) -> [PlannedOccurrence] {
        let own = WorkspaceKeys(workspace: calendar.workspaceID).calendar(calendar.id)
        let now = try await session.time()
        let entries = try await session.send(Command("HGETALL", own.planned)).hash().values
            .compactMap { OccurrenceEntry($0) }.filter { $0.start > now }.sorted { $0.start < $1.start }
        return entries.prefix(count).map {
            PlannedOccurrence(start: $0.start, meetingID: $0.meetingID, isShared: $0.state == .shared)
        }
    }

    /// The steps of one reading of a calendar.
    private struct CalendarWork {
        let session: Session
        let calendar: FeedCalendar
        let keys: WorkspaceKeys
        let now: Int
        var counts = FeedCalendar.Counts()
        /// Whether others have planned some of it.
        var shares = false

        var own: CalendarKeys { keys.calendar(calendar.id) }
        private var caller: Caller {
            Caller(keyID: "", workspaceID: calendar.workspaceID, userID: calendar.userID, scopes: [])
        }

        private func note(_ key: String, _ entry: OccurrenceEntry) async throws(RedisError) {
            try await note(key, entry.text)
        }

        func forget(_ key: String) async throws(RedisError) { try await note(key, nil) }

        private func note(_ key: String, _ entry: String?) async throws(RedisError) {
            let call = Scripts.NoteOccurrence(
                calendarKey: own.calendar, occurrencesKey: own.planned, leaseEnd: calendar.leaseEnd, occurrence: key,
                entry: entry)
            guard try await session.run(call) == .noted else { throw OccurrenceNote.notYours }
        }

        /// What is noted together with what becomes of the entry's meeting.
        private func noting(_ key: String, _ entry: OccurrenceEntry) -> OccurrenceNote {
            OccurrenceNote(
                calendarID: calendar.id, keys: own, leaseEnd: calendar.leaseEnd, occurrence: key,
                meetingID: entry.meetingID, entry: entry.text)
        }

        /// - Returns: why nothing more can be planned.
        mutating func plan(
            _ meeting: CalendarMeeting, _ entry: OccurrenceEntry?
        ) async throws(RedisError) -> String? {
            let print = OccurrenceEntry.Print(meeting, calendar)
            guard let entry else { return try await create(meeting, print) }
            if entry.state == .going { return try await replace(meeting, entry, print) }
            if entry.state == .shared {
                shares = true
                if entry.start == meeting.start, try await !isLetGo(entry.meetingID, meeting) {
                    if entry.print.digest != print.digest {
                        try await note(meeting.key, OccurrenceEntry(entry.meetingID, .shared, meeting, print))
                    }
                    return nil
                }
                // Whoever comes next looks at it again.
                try await note(meeting.key, entry.underChange)
                try await leave(entry.meetingID, meeting.key)
                return try await create(meeting, print)
            }
            return entry.print.digest == print.digest ? nil : try await follow(meeting, entry, print)
        }

        /// Whether a meeting of others has another time by now, or no bot is sent to it.
        private func isLetGo(_ id: String, _ meeting: CalendarMeeting) async throws(RedisError) -> Bool {
            guard meeting.start > now,
                let record = try await session.meetings.readable(id: id, workspace: calendar.workspaceID),
                record.isPlanned
            else { return false }
            return record.scheduledAt != meeting.start || !record.autoJoin
        }

        // MARK: To make one

        private mutating func create(
            _ meeting: CalendarMeeting, _ print: OccurrenceEntry.Print, isOff: Bool = false
        ) async throws(RedisError) -> String? {
            // What is under way is joined at once. By the full minute, so that another calendar's is for the same time.
            let time = max(meeting.start, now / 60_000 * 60_000)
            if meeting.start < now,
                let holder = try await session.bots.holder(of: meeting.link.room, workspace: calendar.workspaceID)
            {
                try await note(meeting.key, OccurrenceEntry(holder.id, .shared, meeting, print))
                return nil
            }
            let new = NewMeeting(
                link: meeting.link, title: meeting.title, scheduledAt: time, autoJoin: calendar.autoJoin && !isOff,
                botName: calendar.botName)
            let note = noting(meeting.key, OccurrenceEntry(Identifier.hex(), .own, meeting, print))
            switch try await session.meetings.create(new, by: caller, noting: note) {
            case .made:
                counts.created += 1
                return nil
            case .plannedAlready(let other):
                guard try await share(meeting, other, print) else {
                    return try await create(meeting, print, isOff: isOff)
                }
                return nil
            case .oddTime: return try await forget(meeting, nil)
            case .unknownWorkspace: return try await forget(meeting, "the workspace is gone")
            case .refused(.meetings(let limit)):
                return try await forget(meeting, "the workspace has \(limit) meetings, which is the most")
            case .refused: return try await forget(meeting, "the workspace has as many bytes as it may have")
            // It has no deduplication key.
            case .duplicate, .contended: return try await forget(meeting, "it was asked for at the same time")
            }
        }

        private func forget(_ meeting: CalendarMeeting, _ problem: String?) async throws(RedisError) -> String? {
            try await forget(meeting.key)
            return problem
        }

        /// Notes at a meeting of others that it is wanted here too.
        /// - Returns: false if it was removed meanwhile, so that who did may not have seen that.
        private mutating func share(
            _ meeting: CalendarMeeting, _ other: String, _ print: OccurrenceEntry.Print
        ) async throws(RedisError) -> Bool {
            shares = true
            let sharers = keys.partition.sharers(ofMeeting: other)
            _ = try await session.send(Command("HSET", sharers, "\(calendar.id) \(meeting.key)", "1"))
            _ = try await session.send(Command("PEXPIRE", sharers, String(30 * 86_400_000)))
            try await note(meeting.key, OccurrenceEntry(other, .shared, meeting, print))
            return try await session.meetings.meeting(id: other, workspace: calendar.workspaceID) != nil
        }

        private func leave(_ meetingID: String, _ key: String) async throws(RedisError) {
            _ = try await session.send(
                Command("HDEL", keys.partition.sharers(ofMeeting: meetingID), "\(calendar.id) \(key)"))
        }

        // MARK: To follow

        private mutating func follow(
            _ meeting: CalendarMeeting, _ entry: OccurrenceEntry, _ print: OccurrenceEntry.Print
        ) async throws(RedisError) -> String? {
            let record = try await session.meetings.meeting(id: entry.meetingID, workspace: calendar.workspaceID)
            // One that was removed, stopped or served is not planned again.
            guard let record, record.isPlanned else {
                try await note(meeting.key, OccurrenceEntry(entry.meetingID, .own, meeting, print))
                return nil
            }
            let hasNewAutoJoin = entry.print.autoJoin != print.autoJoin
            guard record.url == meeting.link.url else {
                var entry = entry
                if !record.autoJoin, !hasNewAutoJoin { entry.print.autoJoin = OccurrenceEntry.Print.off }
                return try await replace(meeting, entry, print)
            }
            var changes = PlanChanges()
            if record.title != meeting.title { changes.title = .some(meeting.title) }
            if meeting.start != entry.start { changes.scheduledAt = .some(max(meeting.start, now / 60_000 * 60_000)) }
            if hasNewAutoJoin, record.autoJoin != calendar.autoJoin { changes.autoJoin = calendar.autoJoin }
            if entry.print.botName != print.botName, record.fields["bot_name"] != calendar.botName {
                changes.botName = .some(calendar.botName)
            }
            let followed = OccurrenceEntry(entry.meetingID, .own, meeting, print)
            guard !changes.isEmpty else {
                try await note(meeting.key, followed)
                return nil
            }
            return try await change(record, changes, meeting, entry, followed)
        }

        /// - Parameters:
        ///   - entry: as it is known now.
        ///   - followed: what is noted with the changes.
        private mutating func change(
            _ record: Meeting, _ changes: PlanChanges, _ meeting: CalendarMeeting, _ entry: OccurrenceEntry,
            _ followed: OccurrenceEntry
        ) async throws(RedisError) -> String? {
            switch try await session.meetings.change(
                record, changes, by: calendar.userID, noting: noting(meeting.key, followed))
            {
            case .changed:
                counts.updated += 1
                if changes.scheduledAt != nil || changes.autoJoin == false { try await tellSharers(of: record.id) }
                return nil
            // It becomes one with the other.
            case .plannedAlready: return try await replace(meeting, entry, followed.print)
            case .workspaceFull:
                let problem = "the workspace has as many bytes as it may have"
                // What needs no room. Whoever comes next tries the rest again.
                let least = changes.withoutTexts
                guard !least.isEmpty else { return problem }
                var partly = followed.underChange
                partly.print.botName = entry.print.botName
                return try await change(record, least, meeting, entry, partly) ?? problem
            case .unknown, .notPlanned, .oddTime:
                try await note(meeting.key, followed)
                return nil
            }
        }

        /// Removes what was planned, and makes it anew.
        private mutating func replace(
            _ meeting: CalendarMeeting, _ entry: OccurrenceEntry, _ print: OccurrenceEntry.Print
        ) async throws(RedisError) -> String? {
            guard try await remove(meeting.key, entry) else {
                // A bot was sent to it, or a user removed it.
                try await note(meeting.key, OccurrenceEntry(entry.meetingID, .own, meeting, print))
                return nil
            }
            return try await create(meeting, print, isOff: entry.print.autoJoin == OccurrenceEntry.Print.off)
        }

        // MARK: To cancel

        mutating func cancel(_ key: String, _ entry: OccurrenceEntry) async throws(RedisError) {
            if entry.state == .shared {
                try await leave(entry.meetingID, key)
                return try await forget(key)
            }
            guard try await remove(key, entry) else {
                // One that somebody removed or stopped, or that was sent a bot, is not planned again should it come back, as
                // from another month.
                var absent = entry
                absent.end = max(entry.end, entry.start.addingClamped(Calendars.absentMilliseconds))
                if absent.end != entry.end { try await note(key, absent) }
                return
            }
            if entry.state == .own { counts.cancelled += 1 }
            try await forget(key)
        }

        /// Removes a plan, and lets the other calendars that say it make one of their own. What is noted of it is that it
        /// is gone, until the caller notes what comes next.
        /// - Returns: false if it is no plan any more.
        private func remove(_ key: String, _ entry: OccurrenceEntry) async throws(RedisError) -> Bool {
            if entry.state == .own {
                let record = try await session.meetings.meeting(id: entry.meetingID, workspace: calendar.workspaceID)
                guard let record, record.isPlanned,
                    try await session.meetings.removePlan(record, noting: noting(key, entry.with(.going))) == .removed
                else { return false }
            }
            try await tellSharers(of: entry.meetingID)
            return true
        }

        /// Has the other calendars that say a meeting plan what they say of it.
        private func tellSharers(of meetingID: String) async throws(RedisError) {
            let sharers = keys.partition.sharers(ofMeeting: meetingID)
            let told = Array(try await session.send(Command("HGETALL", sharers)).hash().keys)
            for sharer in told {
                let parts = sharer.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, FeedCalendar.isID(String(parts[0])) else { continue }
                let other = keys.calendar(String(parts[0]))
                // All of its feed is to be read, whatever its server says of it.
                let call = Scripts.UpdateCalendar(
                    calendarKey: other.calendar, dueKey: keys.partition.calendars, occurrencesKey: other.planned,
                    member: keys.member(String(parts[0])), isRemoved: false, cleared: " etag",
                    leastMilliseconds: Calendars.leastMilliseconds, occurrence: String(parts[1]),
                    shared: meetingID, fields: [])
                _ = try await session.run(call)
            }
            if !told.isEmpty { _ = try await session.send(Command(words: ["HDEL", sharers] + told)) }
        }
    }
}
