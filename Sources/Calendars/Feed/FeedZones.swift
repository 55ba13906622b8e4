import CLibical

/// What a clock shows somewhere, and when.
struct TimeZoneRules {
    /// Nil: UTC.
    fileprivate let zone: OpaquePointer?

    static var utc: TimeZoneRules { TimeZoneRules(zone: nil) }

    private func offset(_ utc: Int) -> Int {
        guard let zone else { return 0 }
        return Int(usher_ical_offset_of_utc(zone, LocalTime(seconds: utc).numbers))
    }

    func local(_ utc: Int) -> LocalTime { LocalTime(seconds: utc + offset(utc)) }

    /// Seconds since 1970. A time that comes twice is the first one, and one that is skipped counts by the offset before
    /// (RFC 5545, section 3.3.5).
    func utc(_ local: LocalTime) -> Int {
        guard zone != nil else { return local.seconds }
        let before = local.seconds - offset(local.seconds - 86_400)
        let after = local.seconds - offset(local.seconds + 86_400)
        if before == after { return before }
        let valid = [before, after].filter { self.local($0) == local }
        return valid.min() ?? before
    }
}

/// The zones that a feed names: those it defines, else those of the system, by their names there or by Windows'.
/// libical keeps what it has read of the system's for good, and what a feed defines only as long as this is there.
final class FeedZones {
    private let defined: [String: FeedZone]
    private var known: [String: TimeZoneRules] = [:]
    private var made: [OpaquePointer] = []
    /// Where times are that have no zone.
    private(set) var floating = TimeZoneRules.utc

    init(_ components: FeedComponents) {
        var defined: [String: FeedZone] = [:]
        for zone in components.zones where !zone.observances.isEmpty {
            if let identifier = zone.identifier, defined[identifier] == nil { defined[identifier] = zone }
        }
        self.defined = defined
        if let name = components.calendar.first("X-WR-TIMEZONE")?.value { floating = self[name] ?? .utc }
    }

    deinit {
        for zone in made { usher_ical_free_zone(zone) }
    }

    /// Nil for one that nobody knows.
    subscript(identifier: String) -> TimeZoneRules? {
        if let rules = known[identifier] { return rules }
        let rules = defined[identifier].flatMap(make) ?? Self.system(identifier)
        // There are no more names than lines; those that lead nowhere are looked up again.
        if let rules { known[identifier] = rules }
        return rules
    }

    /// Has libical read a zone, of which every character is ours.
    private func make(_ zone: FeedZone) -> TimeZoneRules? {
        var lines = ["BEGIN:VTIMEZONE", "TZID:zone"]
        for observance in zone.observances {
            guard let more = Self.lines(observance) else { return nil }
            lines += more
        }
        lines += ["END:VTIMEZONE", ""]
        guard let made = usher_ical_zone(lines.joined(separator: "\r\n")) else { return nil }
        self.made.append(made)
        return TimeZoneRules(zone: made)
    }

    private static func lines(_ observance: FeedZone.Observance) -> [String]? {
        let component = observance.component
        guard !component.isTooLarge,
            let start = component.first("DTSTART").flatMap({ LocalTime(basic: $0.value[...].utf8) }),
            let from = component.first("TZOFFSETFROM").flatMap({ offset($0.value) }),
            let to = component.first("TZOFFSETTO").flatMap({ offset($0.value) })
        else { return nil }
        let name = observance.isDaylight ? "DAYLIGHT" : "STANDARD"
        var lines = ["BEGIN:\(name)", "DTSTART:\(start.basic)", "TZOFFSETFROM:\(from)", "TZOFFSETTO:\(to)"]
        for property in component.all("RRULE") {
            guard let rule = RecurrenceRule(property.value), rule.isOfZones else { return nil }
            if let until = rule.until {
                let isUTC = until.utf8.last == UInt8(ascii: "Z")
                guard
                    LocalTime(basic: isUTC ? until.dropLast().utf8 : until[...].utf8)
                        ?? LocalTime(date: until[...].utf8)
                        != nil
                else { return nil }
            }
            lines.append("RRULE:\(rule.ofZone)")
        }
        for property in component.all("RDATE") {
            for text in property.value.split(separator: ",") {
                guard let time = LocalTime(basic: text.utf8) else { return nil }
                lines.append("RDATE:\(time.basic)")
            }
        }
        return lines + ["END:\(name)"]
    }

    /// `+0100`, `-045602`: as it is, if it is one.
    private static func offset(_ text: String) -> String? {
        let digits = text.utf8.dropFirst()
        guard text.hasPrefix("+") || text.hasPrefix("-"), [4, 6].contains(digits.count),
            let hours = LocalTime.number(digits.prefix(2)), hours < 24,
            let minutes = LocalTime.number(digits.dropFirst(2).prefix(2)), minutes < 60
        else { return nil }
        if digits.count == 6 {
            guard let seconds = LocalTime.number(digits.suffix(2)), seconds < 60 else { return nil }
        }
        return text
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
        return TimeZoneRules(zone: zone)
    }
}
