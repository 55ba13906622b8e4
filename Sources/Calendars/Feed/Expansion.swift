import Usher

/// Makes occurrences of the events of a feed.
struct Expansion {
    let times: FeedTimes
    let owners: Set<String>
    /// Seconds since 1970.
    let window: ClosedRange<Int>

    private var budget: FeedBudget { times.zones.budget }

    struct Found {
        var occurrences: [Occurrence] = []
        var skipped: Set<CalendarFeed.Skip> = []
        /// By the time from which on a component counts; nil: the master.
        fileprivate var said: [Int?: Said] = [:]
    }

    /// What a component says of all its times.
    fileprivate struct Said {
        var skip: CalendarFeed.Skip?
        var title: String?
        var link: MeetingLink?
    }

    /// An event with those that stand for single ones of its times, or for all from one on.
    private struct Series {
        var master: FeedEvent?
        /// By the time that they stand for, in seconds since 1970.
        var exceptions: [Int: FeedEvent] = [:]
        /// The same of those that stand for what follows too, the earliest first.
        var following: [(from: Int, event: FeedEvent)] = []
    }

    func occurrences(of components: [FeedComponent], uid: String) throws(FeedError) -> Found {
        let series = try series(of: components)
        var found = Found()
        if let master = series.master {
            if let skip = skip(master) { found.skipped.insert(skip) }
            // All of it goes by the master, and what stands for single times by itself.
            if !master.start.isDate, !master.isCancelled {
                try add(master, series, uid: uid, to: &found)
            }
        }
        for (id, event) in series.exceptions.sorted(by: { $0.key < $1.key }) {
            try add(event, id, at: event.start.utc, id: Self.text(id), uid: uid, to: &found)
        }
        return found
    }

    private func series(of components: [FeedComponent]) throws(FeedError) -> Series {
        var series = Series()
        var exceptions: [FeedEvent] = []
        for component in components {
            try budget.spend(10 + component.properties.count)
            let event = try FeedEvent(component, times)
            if event.recurrenceID != nil {
                exceptions.append(event)
            } else if (series.master?.sequence ?? 0) <= event.sequence {
                series.master = event
            }
        }
        for event in exceptions {
            guard let id = event.recurrenceID else { continue }
            var time = id.utc
            if id.isDate, let start = series.master?.start, !start.isDate { time = Self.time(on: id, of: start) }
            if let other = series.exceptions[time], other.sequence > event.sequence { continue }
            series.exceptions[time] = event
        }
        series.following = series.exceptions.filter(\.value.isOfFollowing).map { ($0.key, $0.value) }
            .sorted { $0.from < $1.from }
        return series
    }

    /// When an event begins on a day that is written without a time.
    private static func time(on day: FeedTime, of start: FeedTime) -> Int {
        start.zone.utc(LocalTime(day: day.local.day, second: start.local.secondOfDay))
    }

    private static func text(_ seconds: Int) -> String { LocalTime(seconds: seconds).basic + "Z" }

    // MARK: A recurring event

    private func add(
        _ master: FeedEvent, _ series: Series, uid: String, to found: inout Found
    ) throws(FeedError) {
        guard master.isRecurring else {
            if series.exceptions[master.start.utc] == nil {
                try add(master, nil, at: master.start.utc, id: "", uid: uid, to: &found)
            }
            return
        }
        // What is moved may come from outside of the window.
        let moves = series.following.map { abs($0.event.start.utc - $0.from) }.max() ?? 0
        let longest = max(master.duration, series.following.map(\.event.duration).max() ?? 0)
        let margin = min(moves, 366 * 86_400) + 2 * 86_400
        let zone = master.start.zone
        let span =
            LocalTime(
                seconds: window.lowerBound - min(longest, 366 * 86_400) - margin)...LocalTime(
                seconds: window.upperBound + margin)
        let excluded = try excluded(master, span)
        var following = series.following[...]
        var change: (from: Int, event: FeedEvent)?
        for time in try times(of: master, span).sorted() {
            try budget.spend(20)
            while let next = following.first, next.from <= time { change = following.popFirst() }
            guard !excluded.times.contains(time), !excluded.days.contains(zone.local(time).day),
                series.exceptions[time] == nil
            else { continue }
            guard let change else {
                try add(master, nil, at: time, id: Self.text(time), uid: uid, to: &found)
                continue
            }
            let event = change.event
            let moved = zone.local(time).seconds + zone.local(event.start.utc).seconds - zone.local(change.from).seconds
            try add(
                event, change.from, at: zone.utc(LocalTime(seconds: moved)), id: Self.text(time), uid: uid, to: &found)
        }
    }

    /// The times of an event by its rules and dates that may lie in a span, in seconds since 1970.
    private func times(
        of event: FeedEvent, _ span: ClosedRange<LocalTime>
    ) throws(FeedError) -> Set<Int> {
        // In UTC: the span is so much longer than what is wanted that a zone's offset is no matter.
        let wanted = span.lowerBound.seconds...span.upperBound.seconds
        // Its beginning counts, also where the rule does not hit it (section 3.8.5.3).
        var times: Set<Int> = wanted.contains(event.start.utc) ? [event.start.utc] : []
        for rule in event.rules {
            try walk(rule, of: event, span) { times.insert($0) }
        }
        for property in event.component.all("RDATE") {
            for date in try self.times.list(property) {
                let time = date.isDate ? Self.time(on: date, of: event.start) : date.utc
                if wanted.contains(time) { times.insert(time) }
            }
        }
        guard times.count <= FeedLimits.occurrencesOfEvent else { throw Self.tooOften }
        return times
    }

    private func excluded(
        _ event: FeedEvent, _ span: ClosedRange<LocalTime>
    ) throws(FeedError) -> (times: Set<Int>, days: Set<Int>) {
        var (times, days): (Set<Int>, Set<Int>) = ([], [])
        for property in event.component.all("EXDATE") {
            for date in try self.times.list(property) {
                if date.isDate { days.insert(date.local.day) } else { times.insert(date.utc) }
            }
        }
        for rule in event.excludedRules { try walk(rule, of: event, span) { times.insert($0) } }
        return (times, days)
    }

    /// Nobody meets every few minutes.
    private static let tooOften = FeedError(reason: "has a rule that recurs too often")

    private func walk(
        _ rule: RecurrenceRule, of event: FeedEvent, _ span: ClosedRange<LocalTime>, take: (Int) -> Void
    ) throws(FeedError) {
        var last = span.upperBound
        if let until = rule.until {
            let end = try times.time(FeedProperty(name: "UNTIL", parameters: [:], value: until))
            // A day is meant with its end; what is not in UTC, as it should be, is in the event's zone.
            last =
                end.isDate
                ? LocalTime(day: end.local.day, second: 86_399)
                : until.utf8.last == UInt8(ascii: "Z") ? event.start.zone.local(end.utc) : end.local
        }
        var count = 0
        guard min(last, span.upperBound) >= span.lowerBound else { return }
        var walk = RecurrenceWalk(
            rule, from: event.start.local, within: span.lowerBound...min(last, span.upperBound), budget)
        try walk.walk { time in
            count += 1
            guard count <= FeedLimits.occurrencesOfEvent else { return false }
            take(event.start.zone.utc(time))
            return true
        }
        guard count <= FeedLimits.occurrencesOfEvent else { throw Self.tooOften }
    }

    // MARK: One time

    private func skip(_ event: FeedEvent) -> CalendarFeed.Skip? {
        if event.isCancelled { return .cancelled }
        if event.start.isDate { return .allDay }
        return event.isDeclined(by: owners) ? .declined : nil
    }

    private func said(_ event: FeedEvent, _ from: Int?, _ found: inout Found) throws(FeedError) -> Said {
        if let said = found.said[from] { return said }
        try budget.spend(10 + event.component.properties.count)
        var said = Said(skip: skip(event))
        if said.skip == nil {
            said.link = MeetingLinkSearch.link(in: event.component)
            said.title = event.component.first("SUMMARY").flatMap { FeedText.title($0.value) }
        }
        found.said[from] = said
        return said
    }

    /// - Parameters:
    ///   - from: from when on the event counts; nil: it is the master.
    ///   - start: seconds since 1970.
    private func add(
        _ event: FeedEvent, _ from: Int?, at start: Int, id: String, uid: String, to found: inout Found
    ) throws(FeedError) {
        // What is over is passed by; what begins at once without a length is not.
        guard start < window.upperBound, start + event.duration > window.lowerBound || start >= window.lowerBound else {
            return
        }
        let said = try said(event, from, &found)
        if let skip = said.skip {
            found.skipped.insert(skip)
            return
        }
        guard let link = said.link else {
            found.skipped.insert(.withoutLink)
            return
        }
        guard found.occurrences.count < FeedLimits.occurrencesOfEvent else { throw Self.tooOften }
        found.occurrences.append(
            Occurrence(
                uid: uid, recurrenceID: id, start: start * 1_000, end: (start + event.duration) * 1_000,
                title: said.title, link: link))
    }
}
