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
/// The largest take a second or two of a thread that may be held for so long. libical has state of its own: no two feeds
/// are read at the same time.
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
    public internal(set) var unreadable: Set<String> = []
    /// Whether there were more.
    public internal(set) var hasMore = false

    /// - Parameters:
    ///   - span: from when to when, in milliseconds since 1970. What is under way at its beginning belongs to it.
    ///   - owners: addresses of those whose calendar it is.
    /// - Throws: `FeedError` if it is none, or goes beyond a bound.
    public init(_ bytes: [UInt8], span: ClosedRange<Int>, owners: Set<String> = []) throws(FeedError) {
        let components = try FeedComponents(bytes)
        var owners = Set(owners.map { $0.lowercased() })
        // Google names the calendar of a person by the person's address.
        for name in ["X-WR-CALNAME", "NAME"] {
            if let address = components.calendar.first(name)?.value, address.utf8.contains(UInt8(ascii: "@")) {
                owners.insert(address.lowercased())
            }
        }
        var order: [String] = []
        var events: [String: [FeedComponent]] = [:]
        for event in components.events {
            guard let uid = event.first("UID")?.value, !uid.isEmpty else {
                note(FeedError(reason: "has no UID"), uid: nil)
                continue
            }
            if events[uid] == nil { order.append(uid) }
            events[uid, default: []].append(event)
        }
        var expansion = Expansion(
            times: FeedTimes(zones: FeedZones(components)), owners: owners,
            window: LocalTime(seconds: span.lowerBound / 1_000)
                .seconds...LocalTime(seconds: span.upperBound / 1_000).seconds)
        for uid in order {
            do throws(FeedError) {
                let found = try expansion.occurrences(of: events[uid] ?? [], uid: uid)
                occurrences += found.occurrences
                for skip in found.skipped { skipped[skip, default: 0] += 1 }
            } catch {
                note(error, uid: uid)
            }
        }
        occurrences.sort { ($0.start, $0.uid, $0.recurrenceID) < ($1.start, $1.uid, $1.recurrenceID) }
        if occurrences.count > FeedLimits.occurrences {
            hasMore = true
            occurrences.removeLast(occurrences.count - FeedLimits.occurrences)
        }
    }

    private mutating func note(_ error: FeedError, uid: String?) {
        skipped[.unreadable, default: 0] += 1
        if problem == nil { problem = error.reason }
        if let uid { unreadable.insert(uid) }
    }
}
