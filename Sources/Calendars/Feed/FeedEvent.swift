import Usher

/// One VEVENT, as far as its times and what becomes of them go.
struct FeedEvent {
    let component: FeedComponent
    let start: FeedTime
    /// Seconds from its start to its end.
    let duration: Int
    let rules: [RecurrenceRule]
    let excludedRules: [RecurrenceRule]
    let recurrenceID: FeedTime?
    /// Whether it stands for what follows too (RANGE=THISANDFUTURE).
    let isOfFollowing: Bool
    let sequence: Int

    /// - Throws: `FeedError` for one that cannot be relied on.
    init(_ component: FeedComponent, _ times: FeedTimes) throws(FeedError) {
        guard !component.isTooLarge else {
            throw FeedError(reason: "has more than \(FeedLimits.properties) properties")
        }
        guard let begin = component.first("DTSTART") else { throw FeedError(reason: "has no DTSTART") }
        self.component = component
        start = try times.time(begin)
        if let end = component.first("DTEND") {
            duration = max(0, try times.time(end).utc - start.utc)
        } else if let text = component.first("DURATION")?.value {
            guard let seconds = durationSeconds(text) else { throw FeedError(reason: "DURATION is none") }
            duration = seconds
        } else {
            duration = 0
        }
        rules = try Self.rules(component.all("RRULE"))
        excludedRules = try Self.rules(component.all("EXRULE"))
        if let property = component.first("RECURRENCE-ID") {
            recurrenceID = try times.time(property)
            isOfFollowing = property.parameters["RANGE"]?.uppercased() == "THISANDFUTURE"
        } else {
            recurrenceID = nil
            isOfFollowing = false
        }
        sequence = component.first("SEQUENCE").flatMap { LocalTime.number($0.value.utf8) } ?? 0
    }

    private static func rules(_ properties: [FeedProperty]) throws(FeedError) -> [RecurrenceRule] {
        guard properties.count <= 5 else { throw FeedError(reason: "has more than 5 rules") }
        var rules: [RecurrenceRule] = []
        for property in properties {
            guard let rule = RecurrenceRule(property.value) else {
                throw FeedError(reason: "has a rule that is none, or one of an odd kind")
            }
            rules.append(rule)
        }
        return rules
    }

    var isRecurring: Bool { !rules.isEmpty || component.first("RDATE") != nil }

    var isCancelled: Bool { component.first("STATUS")?.value.uppercased() == "CANCELLED" }

    /// Whether one of those whose calendar it is has declined it.
    func isDeclined(by owners: Set<String>) -> Bool {
        component.all("ATTENDEE").contains { attendee in
            guard attendee.parameters["PARTSTAT"]?.uppercased() == "DECLINED" else { return false }
            let address = attendee.value.lowercased()
            return owners.contains(address.hasPrefix("mailto:") ? String(address.dropFirst(7)) : address)
        }
    }
}
