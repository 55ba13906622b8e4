/// A property that is looked at, with its parameters.
struct FeedProperty {
    let name: String
    let parameters: [String: String]
    let value: String
}

/// An event, or an observance of a zone.
struct FeedComponent {
    var properties: [FeedProperty] = []
    /// Whether it had more than are kept: then it is not to be relied on.
    var isTooLarge = false

    func first(_ name: String) -> FeedProperty? { properties.first { $0.name == name } }

    func all(_ name: String) -> [FeedProperty] { properties.filter { $0.name == name } }

    fileprivate mutating func add(_ property: FeedProperty) {
        guard properties.count < FeedLimits.properties else {
            isTooLarge = true
            return
        }
        properties.append(property)
    }
}

/// A VTIMEZONE: what says when which offset counts.
struct FeedZone {
    struct Observance {
        var component = FeedComponent()
    }

    var identifier: String?
    var observances: [Observance] = []
}

/// The parts of a feed that are looked at, as they stand there: its events and zones, without their alarms, attachments
/// and what else there is (RFC 5545, section 3.6).
struct FeedComponents {
    private static let ofCalendar: Set<String> = ["X-WR-TIMEZONE", "X-WR-CALNAME", "NAME"]
    private static let ofEvent: Set<String> =
        Set(MeetingLinkSearch.properties)
        .union([
            "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "SEQUENCE",
            "STATUS", "SUMMARY", "ATTENDEE",
        ])
    private static let ofObservance: Set<String> = ["DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"]

    /// Of which more is kept than of others: texts, rules and lists.
    private static let long: Set<String> =
        Set(MeetingLinkSearch.properties).union(["SUMMARY", "RRULE", "EXRULE", "RDATE", "EXDATE"])

    var calendar = FeedComponent()
    var events: [FeedComponent] = []
    var zones: [FeedZone] = []
    private var observances = 0
    private var path: [String] = []

    /// - Throws: `FeedError` for what is no feed, or goes beyond a bound. One that ends early is none either: what it lacks
    ///   would seem to be cancelled.
    init(_ bytes: [UInt8], _ budget: FeedBudget) throws(FeedError) {
        guard bytes.count <= FeedLimits.bytes else {
            throw FeedError(reason: "has more than \(FeedLimits.bytes) bytes")
        }
        var lines = ContentLines(bytes)
        var hasCalendar = false
        while let line = lines.next() {
            try budget.spend(10 + line.count / 16)
            switch line.name {
            case "BEGIN":
                guard let name = Self.name(line) else { continue }
                guard !path.isEmpty || name == "VCALENDAR" else { throw Self.noFeed }
                hasCalendar = true
                try begin(name)
            case "END":
                guard let name = Self.name(line), path.last == name else {
                    throw FeedError(reason: "has an END that fits no BEGIN")
                }
                path.removeLast()
            default:
                guard !path.isEmpty else {
                    if hasCalendar { continue }
                    throw Self.noFeed
                }
                take(line)
            }
        }
        guard hasCalendar else { throw Self.noFeed }
        guard path.isEmpty else { throw FeedError(reason: "ends early") }
    }

    private static let noFeed = FeedError(reason: "is no iCalendar feed: it does not begin with BEGIN:VCALENDAR")

    /// Of a component.
    private static func name(_ line: ContentLine) -> String? { line.parts(most: 64)?.value.uppercased() }

    private mutating func begin(_ name: String) throws(FeedError) {
        path.append(name)
        guard path.count <= FeedLimits.depth else { throw FeedError(reason: "has components that are nested too deep") }
        switch path {
        case ["VCALENDAR", "VEVENT"]:
            guard events.count < FeedLimits.events else {
                throw FeedError(reason: "has more than \(FeedLimits.events) events")
            }
            events.append(FeedComponent())
        case ["VCALENDAR", "VTIMEZONE"]:
            guard zones.count < FeedLimits.zones else {
                throw FeedError(reason: "has more than \(FeedLimits.zones) time zones")
            }
            zones.append(FeedZone())
        case ["VCALENDAR", "VTIMEZONE", "STANDARD"], ["VCALENDAR", "VTIMEZONE", "DAYLIGHT"]:
            observances += 1
            guard observances <= FeedLimits.observances else {
                throw FeedError(reason: "has time zones with more than \(FeedLimits.observances) observances")
            }
            zones[zones.count - 1].observances.append(.init())
        default: break
        }
    }

    private mutating func take(_ line: ContentLine) {
        func property(_ wanted: Set<String>) -> FeedProperty? {
            guard wanted.contains(line.name) else { return nil }
            let most = Self.long.contains(line.name) ? FeedLimits.lineBytes : FeedLimits.wordBytes
            guard let parts = line.parts(most: most) else { return nil }
            return FeedProperty(name: line.name, parameters: parts.parameters, value: parts.value)
        }
        switch path.count {
        case 1: if let property = property(Self.ofCalendar) { calendar.add(property) }
        case 2 where path[1] == "VEVENT":
            if let property = property(Self.ofEvent) { events[events.count - 1].add(property) }
        case 2 where path[1] == "VTIMEZONE" && line.name == "TZID":
            zones[zones.count - 1].identifier = line.parts(most: FeedZones.identifierBytes)?.value
        case 3 where path[1] == "VTIMEZONE" && ["STANDARD", "DAYLIGHT"].contains(path[2]):
            guard let property = property(Self.ofObservance) else { return }
            let last = zones.count - 1
            zones[last].observances[zones[last].observances.count - 1].component.add(property)
        default: break
        }
    }
}
