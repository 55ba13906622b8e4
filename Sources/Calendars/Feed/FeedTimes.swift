/// A time as a feed writes it, in its zone.
struct FeedTime {
    /// A whole day: its beginning, in no zone.
    var isDate = false
    let local: LocalTime
    let zone: TimeZoneRules

    /// Seconds since 1970.
    var utc: Int { zone.utc(local) }
}

/// Reads the times of a feed.
struct FeedTimes {
    let zones: FeedZones

    /// - Throws: `FeedError` for what is none, or is in a zone that nobody knows.
    func time(_ property: FeedProperty) throws(FeedError) -> FeedTime {
        try time(property.value[...], of: property)
    }

    /// Those of a list, such as EXDATE. Of a period its beginning counts.
    func list(_ property: FeedProperty) throws(FeedError) -> [FeedTime] {
        var times: [FeedTime] = []
        for text in property.value.utf8.split(separator: UInt8(ascii: ",")) {
            times.append(try time(Substring(text.prefix { $0 != UInt8(ascii: "/") }), of: property))
        }
        return times
    }

    private func time(_ text: Substring, of property: FeedProperty) throws(FeedError) -> FeedTime {
        try zones.budget.spend(20)
        if let day = LocalTime(date: text.utf8) {
            return FeedTime(isDate: true, local: day, zone: zones.floating)
        }
        let isUTC = text.utf8.last == UInt8(ascii: "Z")
        guard let local = LocalTime(basic: isUTC ? text.utf8.dropLast() : text.utf8) else {
            throw FeedError(reason: "\(property.name) is no time")
        }
        if isUTC { return FeedTime(local: local, zone: .utc) }
        guard let identifier = property.parameters["TZID"] else { return FeedTime(local: local, zone: zones.floating) }
        guard let zone = try zones.rules(identifier) else {
            throw FeedError(reason: "\(property.name) is in an unknown time zone")
        }
        return FeedTime(local: local, zone: zone)
    }
}
