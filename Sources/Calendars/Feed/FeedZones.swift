import CLibical

/// What a clock shows somewhere, and when.
struct TimeZoneRules {
    fileprivate enum Source {
        case utc
        /// The system's, as libical reads it.
        case system(OpaquePointer)
        case defined(ZoneChanges)
    }

    fileprivate let source: Source

    static var utc: TimeZoneRules { TimeZoneRules(source: .utc) }

    /// libical works out each year that it is asked for, so that it is asked for none far away.
    private static let years = -2_208_988_800...FeedZones.end

    private func offset(_ utc: Int) -> Int {
        switch source {
        case .utc: 0
        case .system(let zone):
            Int(
                usher_ical_offset_of_utc(
                    zone, LocalTime(seconds: min(max(utc, Self.years.lowerBound), Self.years.upperBound)).numbers))
        case .defined(let changes): changes.offset(utc)
        }
    }

    func local(_ utc: Int) -> LocalTime { LocalTime(seconds: utc + offset(utc)) }

    /// Seconds since 1970. A time that comes twice is the first one, and one that is skipped counts by the offset before
    /// (RFC 5545, section 3.3.5).
    func utc(_ local: LocalTime) -> Int {
        if case .utc = source { return local.seconds }
        let before = local.seconds - offset(local.seconds - 86_400)
        let after = local.seconds - offset(local.seconds + 86_400)
        if before == after { return before }
        let valid = [before, after].filter { self.local($0) == local }
        return valid.min() ?? before
    }
}

/// The changes of a zone's offset, the earliest first.
private struct ZoneChanges {
    struct Change {
        /// In UTC, in seconds since 1970.
        let time: Int
        /// Seconds ahead of UTC.
        let from: Int
        let to: Int
    }

    let changes: [Change]

    func offset(_ utc: Int) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].time <= utc { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? changes[low - 1].to : changes.first?.from ?? 0
    }
}

/// The zones that a feed names: those it defines, else those of the system, by their names there or by Windows'.
/// libical keeps what it has read of the system's for good; it sees nothing of what a feed defines.
final class FeedZones {
    /// Of a name.
    static let identifierBytes = 256
    /// Until when zones are known: 2100.
    fileprivate static let end = 4_102_444_800
    /// What a look-up of a name may take. The first one reads files.
    private static let stepsOfLookup = 10_000

    let budget: FeedBudget
    /// Nil: nobody knows it.
    private var known: [String: TimeZoneRules?] = [:]
    /// Where times are that have no zone.
    private(set) var floating = TimeZoneRules.utc

    /// - Throws: `FeedError` where the budget of the feed is spent.
    init(_ components: FeedComponents, _ budget: FeedBudget) throws(FeedError) {
        self.budget = budget
        for zone in components.zones where !zone.observances.isEmpty {
            guard let identifier = zone.identifier, known[identifier] == nil else { continue }
            budget.begin()
            do throws(FeedError) {
                if let changes = try changes(zone) {
                    known[identifier] = .some(TimeZoneRules(source: .defined(changes)))
                }
            } catch {
                // It is one of the system's, or none.
                if budget.isSpent { throw error }
            }
        }
        budget.begin()
        if let name = components.calendar.first("X-WR-TIMEZONE")?.value { floating = try rules(name) ?? .utc }
    }

    /// Nil for one that nobody knows.
    func rules(_ identifier: String) throws(FeedError) -> TimeZoneRules? {
        if let rules = known[identifier] { return rules }
        try budget.spend(Self.stepsOfLookup)
        let rules = Self.system(identifier)
        known[identifier] = .some(rules)
        return rules
    }

    // MARK: Those that are defined

    /// Nil for what is no zone, or one of an odd kind.
    private func changes(_ zone: FeedZone) throws(FeedError) -> ZoneChanges? {
        var changes: [ZoneChanges.Change] = []
        for observance in zone.observances {
            guard let more = try self.changes(observance.component) else { return nil }
            changes += more
        }
        try budget.spend(changes.count)
        return ZoneChanges(changes: changes.sorted { $0.time < $1.time })
    }

    private func changes(_ component: FeedComponent) throws(FeedError) -> [ZoneChanges.Change]? {
        guard !component.isTooLarge,
            let start = component.first("DTSTART").flatMap({ LocalTime(basic: $0.value[...].utf8) }),
            let from = component.first("TZOFFSETFROM").flatMap({ Self.offset($0.value) }),
            let to = component.first("TZOFFSETTO").flatMap({ Self.offset($0.value) })
        else { return nil }
        var times = [start]
        for property in component.all("RRULE") {
            guard let rule = RecurrenceRule(property.value), rule.isOfZones else { return nil }
            var last = LocalTime(seconds: Self.end)
            if let until = rule.until {
                guard let end = Self.end(until, from: from) else { return nil }
                last = min(last, end)
            }
            let first = LocalTime(seconds: 0)
            guard first <= last else { continue }
            var walk = RecurrenceWalk(rule, from: start, within: first...last, budget)
            try walk.walk { time in
                times.append(time)
                return true
            }
        }
        for property in component.all("RDATE") {
            for text in property.value.utf8.split(separator: UInt8(ascii: ",")) {
                try budget.spend(20)
                guard let time = LocalTime(basic: text) else { return nil }
                times.append(time)
            }
        }
        return times.map { ZoneChanges.Change(time: $0.seconds - from, from: from, to: to) }
    }

    /// UNTIL of a rule, by the clock before each change.
    private static func end(_ until: String, from offset: Int) -> LocalTime? {
        if let day = LocalTime(date: until[...].utf8) { return LocalTime(day: day.day, second: 86_399) }
        let isUTC = until.utf8.last == UInt8(ascii: "Z")
        let time = LocalTime(basic: isUTC ? until.utf8.dropLast() : until[...].utf8)
        return time.map { isUTC ? LocalTime(seconds: $0.seconds + offset) : $0 }
    }

    /// `+0100`, `-045602`, in seconds.
    private static func offset(_ text: String) -> Int? {
        let digits = text.utf8.dropFirst()
        guard text.hasPrefix("+") || text.hasPrefix("-"), [4, 6].contains(digits.count),
            let hours = LocalTime.number(digits.prefix(2)), hours < 24,
            let minutes = LocalTime.number(digits.dropFirst(2).prefix(2)), minutes < 60
        else { return nil }
        var seconds = 0
        if digits.count == 6 {
            guard let more = LocalTime.number(digits.suffix(2)), more < 60 else { return nil }
            seconds = more
        }
        let sum = hours * 3_600 + minutes * 60 + seconds
        return text.hasPrefix("-") ? -sum : sum
    }

    // MARK: The system's

    private static let universal: Set<String> = [
        "utc", "gmt", "z", "zulu", "uct", "etc/utc", "etc/gmt", "etc/uct", "tzone://microsoft/utc",
    ]

    private static func system(_ identifier: String) -> TimeZoneRules? {
        guard identifier.utf8.count <= 128 else { return nil }
        let lowered = identifier.lowercased()
        if universal.contains(lowered) { return .utc }
        if let name = WindowsZones.name(of: lowered) { return universal.contains(name) ? .utc : named(name) }
        if let zone = named(identifier) { return zone }
        // `/freeassociation.sourceforge.net/Europe/Berlin`: programs put their own names in front.
        guard identifier.hasPrefix("/") else { return nil }
        let parts = identifier.split(separator: "/")
        return [2, 3].lazy.compactMap { named(parts.suffix($0).joined(separator: "/")) }.first
    }

    private static func named(_ name: String) -> TimeZoneRules? {
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "+"):
                true
            default: false
            }
        }
        // libical keeps each name for good: there must not be many for one zone. In `right` the seconds that leap count.
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard isName, parts.count <= 3, !parts.contains(""), parts[0] != "right",
            let zone = icaltimezone_get_builtin_timezone(name)
        else { return nil }
        return TimeZoneRules(source: .system(zone))
    }
}
