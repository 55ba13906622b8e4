import Redis
import Scripts

/// Which of a workspace's meetings are wanted.
public struct MeetingConditions: Sendable {
    public var platform: Platform?
    public var status: MeetingStatus?
    /// `Meeting.shownStatus`.
    public var shownStatus: String?
    /// Whether those that have had no bot are left out.
    public var excludesPlanned = false

    public init() {}

    var areNone: Bool { platform == nil && status == nil && shownStatus == nil && !excludesPlanned }

    /// What of a record they are about.
    static let fields = ["platform", "status", "bot_status", "scheduled_at", "missed_at", "auto_join"]

    /// - Parameter values: those of `fields`.
    func hold(for values: [Value]) -> Bool {
        guard values.count == Self.fields.count else { return false }
        let bot = values[2].string
        let shown =
            bot
            ?? Meeting.plannedStatus(
                scheduledAt: values[3].string, missedAt: values[4].string, autoJoin: values[5].string)
        return (platform == nil || values[0].string == platform?.rawValue)
            && (status == nil || values[1].string == status?.rawValue)
            && (shownStatus == nil || shownStatus == shown)
            && !(excludesPlanned && bot == nil)
    }
}

/// Where a walk over a workspace's meetings goes on. Meetings that are made meanwhile are before it, so that whoever
/// follows cursors sees each of the others once.
public struct MeetingCursor: Equatable, Sendable, CustomStringConvertible {
    /// The walk goes on with the meetings of smaller numbers.
    let below: Int
    /// How many of those that are wanted are still to be passed over.
    let skip: Int

    init(below: Int, skip: Int = 0) {
        self.below = below
        self.skip = skip
    }

    /// As `description` writes it.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map {
            Substring($0)
        }
        guard text.utf8.count <= 40, (1...2).contains(parts.count), parts.allSatisfy({ $0.first != "+" }),
            let below = Int(parts[0]), below >= 0, let skip = parts.count == 2 ? Int(parts[1]) : 0
        else { return nil }
        self.init(below: below, skip: skip)
    }

    public var description: String { skip == 0 ? "\(below)" : "\(below)-\(skip)" }
}

/// Reads a workspace's meetings, the newest first, a batch at a time: each batch is bounded in what Redis, the loop and
/// the memory have to bear, so that others have their turn in between.
///
/// There is no index of states to keep true. With conditions the meetings are looked through instead, but no more than
/// `maximumLooked` of them: where few are wanted, a walk ends early, and its cursor leads on.
public struct MeetingWalk {
    /// Meetings that one walk with conditions looks at.
    static let maximumLooked = 2_000
    /// Of which this many are asked of Redis at once, and of whole records fewer.
    private static let lookedAtOnce = 50
    private static let readAtOnce = 100

    private let session: Session
    private let keys: WorkspaceKeys
    private let conditions: MeetingConditions
    /// Meetings from this number on have been looked at; nil before the first.
    private var below: Int?
    private var skip: Int
    private var looked = 0
    private var isAtEnd = false
    /// Found, and not read yet.
    private var found: ArraySlice<(number: Int, id: String)> = []

    /// - Parameter offset: how many of those that are wanted are passed over, from the cursor on if there is one.
    public init(
        in session: Session, workspace: String, conditions: MeetingConditions, from cursor: MeetingCursor?, offset: Int
    ) {
        self.session = session
        keys = WorkspaceKeys(workspace: workspace)
        self.conditions = conditions
        below = cursor?.below
        skip = cursor?.skip ?? offset
    }

    /// The next meetings that are wanted.
    /// - Parameters:
    ///   - count: at most so many, and at most so many as are read at once.
    ///   - bytes: after so many bytes of records no more are read.
    /// - Returns: none if there are none left, or too many were looked at: `next` then tells which.
    public mutating func read(count: Int, bytes: Int) async throws(RedisError) -> [Meeting] {
        var meetings: [Meeting] = []
        while meetings.isEmpty {
            try await find(wanted: count)
            let batch = found.prefix(min(count, Self.readAtOnce))
            if batch.isEmpty { return [] }
            let replies = try await session.largeReads.turn(of: keys.id) { () throws(RedisError) in
                try await session.run(
                    Scripts.ReadMeetings(
                        meetingKeys: batch.map { keys.partition.meeting($0.id) }, maxBytes: bytes,
                        meetingIDs: batch.map(\.id)))
            }
            guard (2...2 * batch.count).contains(replies.count), replies.count % 2 == 0 else {
                throw .unexpectedReply("read_meetings returned \(replies.count) parts for \(batch.count) meetings")
            }
            for index in stride(from: 0, to: replies.count, by: 2) {
                let key = keys.partition.meeting(try replies[index].stringOrThrow())
                let meeting = try session.oddRecords.leavingOut(key, replies[index + 1]) {
                    reply throws(RedisError) -> Meeting? in
                    // It may have been removed since.
                    let fields = try reply.hash()
                    return fields.isEmpty ? nil : try Meeting(fields)
                }
                if let meeting { meetings.append(meeting) }
            }
            found = found.dropFirst(replies.count / 2)
        }
        return meetings
    }

    /// Where the walk goes on; nil if nothing is left.
    public mutating func next() async throws(RedisError) -> MeetingCursor? {
        if found.isEmpty { try await find(wanted: 1) }
        if let first = found.first { return MeetingCursor(below: first.number + 1) }
        guard !isAtEnd, let below else { return nil }
        return MeetingCursor(below: below, skip: skip)
    }

    /// Looks for the next that are wanted until there are enough, or there are none, or enough were looked at.
    /// - Parameter count: how many are asked for. Without conditions one more is found, which tells whether others follow.
    private mutating func find(wanted count: Int) async throws(RedisError) {
        let wanted = conditions.areNone ? min(count, Self.readAtOnce) + 1 : 1
        while found.count < wanted, !isAtEnd, conditions.areNone || looked < Self.maximumLooked {
            let places = try await places(atMost: conditions.areNone ? wanted - found.count : Self.lookedAtOnce)
            looked += places.count
            guard !conditions.areNone, !places.isEmpty else {
                found += places
                continue
            }
            let commands = places.map {
                Command(words: ["HMGET", keys.partition.meeting($0.id)] + MeetingConditions.fields)
            }
            let replies = try await session.largeReads.turn(of: keys.id) { () throws(RedisError) in
                try await session.replies(to: commands)
            }
            for (place, reply) in zip(places, replies) {
                let values = try session.oddRecords.list(keys.partition.meeting(place.id), reply)
                guard conditions.hold(for: values) else { continue }
                if skip > 0 { skip -= 1 } else { found.append(place) }
            }
        }
    }

    /// The next numbers and ids, whether they are wanted or not.
    private mutating func places(atMost count: Int) async throws(RedisError) -> [(number: Int, id: String)] {
        let range: Command
        if let below {
            range = Command(
                "ZREVRANGEBYSCORE", keys.meetings, "(\(below)", "-inf", "WITHSCORES", "LIMIT", "0", String(count))
        } else {
            // By rank: to pass over those before it one by one would cost Redis the more the more there are.
            let start = conditions.areNone ? skip : 0
            range = Command("ZREVRANGE", keys.meetings, String(start), String(start + count - 1), "WITHSCORES")
        }
        let reply = try await session.send(range).arrayOrThrow()
        var places: [(number: Int, id: String)] = []
        for index in stride(from: 0, to: reply.count - 1, by: 2) {
            guard let number = Int(try reply[index + 1].stringOrThrow()) else {
                throw .unexpectedReply("a meeting's number that is none")
            }
            places.append((number, try reply[index].stringOrThrow()))
        }
        isAtEnd = places.count < count
        below = places.last?.number ?? below
        if conditions.areNone { skip = 0 }
        return places
    }
}
