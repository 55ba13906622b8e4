import Usher

/// One time at which an event of a feed takes place.
public struct Occurrence: Sendable, Equatable {
    public let uid: String
    /// Which one of a recurring event it is: its time by the rule, in UTC (`20261201T090000Z`); empty for an event that
    /// takes place once. It stays as it is when the occurrence is moved.
    public let recurrenceID: String
    /// Milliseconds since 1970.
    public let start: Int
    public let end: Int
    public let title: String?
    public let link: MeetingLink
}

/// What a calendar's feed says about a span of time (RFC 5545): read within bounds, whoever has written it.
///
/// The largest take a second or two of a thread that may be held for so long; what would take longer is refused
/// (`FeedBudget`). libical has state of its own: no two feeds are read at the same time.
public struct CalendarFeed: Sendable {
    /// How far ahead of now occurrences are planned, in ms: 14 days.
    public static let aheadMilliseconds = 14 * 86_400_000
    /// More is not read.
    public static let maximumBytes = FeedLimits.bytes

    /// Why an event is no meeting to send a bot to.
    public enum Skip: String, CaseIterable, Sendable {
        case allDay = "all_day"
        case cancelled
        case declined
        case withoutLink = "without_link"
        case unreadable
    }

    /// Those in the span, the earliest first; not more than `FeedLimits.occurrences`.
    public internal(set) var occurrences: [Occurrence] = []
    /// How many of its events were left out, and why.
    public internal(set) var skipped: [Skip: Int] = [:]
    /// What is wrong with the first one that could not be read.
    public internal(set) var problem: String?
    /// Of the events that could not be read: what is known of them may be right still.
    public internal(set) var unreadable: [String] = []
    /// Whether there were more.
    public internal(set) var hasMore = false

    /// - Parameters:
    ///   - span: from when to when, in milliseconds since 1970. What is under way at its beginning belongs to it.
    ///   - owners: addresses of those whose calendar it is.
    /// - Throws: `FeedError` if it is none, or goes beyond a bound.
    public init(_ bytes: [UInt8], span: ClosedRange<Int>, owners: Set<String> = []) throws(FeedError) {
        try self.init(bytes, span: span, owners: owners, FeedBudget())
    }

    init(
        _ bytes: [UInt8], span: ClosedRange<Int>, owners: Set<String>, _ budget: FeedBudget
    ) throws(FeedError) {
        let components = try FeedComponents(bytes, budget)
        var owners = Set(owners.map { $0.lowercased() })
        // Google names the calendar of a person by the person's address.
        for name in ["X-WR-CALNAME", "NAME"] {
            if let address = components.calendar.first(name)?.value, address.utf8.contains(UInt8(ascii: "@")) {
                owners.insert(address.lowercased())
            }
        }
        let times = FeedTimes(zones: try FeedZones(components, budget))
        let expansion = Expansion(
            times: times, owners: owners,
            window: LocalTime(seconds: span.lowerBound / 1_000)
                .seconds...LocalTime(seconds: span.upperBound / 1_000).seconds)
        for (uid, events) in byUID(components.events) {
            budget.begin()
            do throws(FeedError) {
                let found = try expansion.occurrences(of: events, uid: uid)
                occurrences += found.occurrences
                for skip in found.skipped { skipped[skip, default: 0] += 1 }
                // There are never many more than can be kept.
                if occurrences.count > 2 * FeedLimits.occurrences { try keepFirst(budget) }
            } catch {
                if budget.isSpent { throw error }
                note(error, uid: uid)
            }
        }
        try keepFirst(budget)
    }

    /// The components of each event, in the order in which they come.
    private mutating func byUID(_ components: [FeedComponent]) -> [(uid: String, events: [FeedComponent])] {
        var places: [[UInt8]: Int] = [:]
        var events: [(uid: String, events: [FeedComponent])] = []
        for event in components {
            guard let uid = event.first("UID")?.value, !uid.isEmpty, uid.utf8.count < FeedLimits.wordBytes else {
                note(FeedError(reason: "has no UID, or a longer one than can be"), uid: nil)
                continue
            }
            let bytes = Array(uid.utf8)
            if let place = places[bytes] {
                events[place].events.append(event)
            } else {
                places[bytes] = events.count
                events.append((uid, [event]))
            }
        }
        return events
    }

    private mutating func keepFirst(_ budget: FeedBudget) throws(FeedError) {
        budget.begin()
        try budget.spend(20 * occurrences.count)
        occurrences.sort { one, other in
            guard one.start == other.start else { return one.start < other.start }
            guard one.uid.utf8.elementsEqual(other.uid.utf8) else {
                return one.uid.utf8.lexicographicallyPrecedes(other.uid.utf8)
            }
            return one.recurrenceID < other.recurrenceID
        }
        guard occurrences.count > FeedLimits.occurrences else { return }
        hasMore = true
        occurrences.removeLast(occurrences.count - FeedLimits.occurrences)
    }

    private mutating func note(_ error: FeedError, uid: String?) {
        skipped[.unreadable, default: 0] += 1
        if problem == nil { problem = error.reason }
        if let uid { unreadable.append(uid) }
    }
}
