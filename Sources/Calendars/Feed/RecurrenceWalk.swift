/// The times of a day, or of a shorter period, in seconds from its beginning: each hour with each minute with each second.
/// They may be 86,400, and are not all made.
private struct Times {
    let hours: [Int]
    let minutes: [Int]
    let seconds: [Int]

    var count: Int { hours.count * minutes.count * seconds.count }

    subscript(index: Int) -> Int {
        let (minute, second) = (index / seconds.count, index % seconds.count)
        return hours[minute / minutes.count] * 3_600 + minutes[minute % minutes.count] * 60 + seconds[second]
    }
}

/// Walks over the times of a rule, period by period (a year, a month, ... of its frequency), within a span. It spends a
/// step for each day and time that it looks at.
struct RecurrenceWalk {
    private let rule: RecurrenceRule
    /// When the recurrence begins.
    private let first: LocalTime
    private let span: ClosedRange<LocalTime>
    /// What of the rule the beginning says, where the rule does not.
    private let months: Set<Int>
    private let monthDays: Set<Int>
    private let days: Set<RecurrenceRule.Weekday>
    /// Those of `days`, without their numbers.
    private let weekdays: Set<Int>
    private let times: Times
    private var counted = 0
    private let budget: FeedBudget

    /// - Parameters:
    ///   - span: of which times are wanted.
    init(_ rule: RecurrenceRule, from first: LocalTime, within span: ClosedRange<LocalTime>, _ budget: FeedBudget) {
        self.rule = rule
        self.first = first
        self.span = span
        self.budget = budget
        let begin = CivilDate(day: first.day)
        let saysDay = !rule.days.isEmpty || !rule.monthDays.isEmpty || !rule.yearDays.isEmpty || !rule.weeks.isEmpty
        var (months, monthDays, days) = (rule.months, rule.monthDays, Set(rule.days))
        let weekday = RecurrenceRule.Weekday(number: 0, weekday: begin.weekday)
        switch rule.frequency {
        case .yearly where !saysDay:
            if months.isEmpty { months = [begin.month] }
            monthDays = [begin.dayOfMonth]
        case .yearly where !rule.weeks.isEmpty && days.isEmpty && monthDays.isEmpty && rule.yearDays.isEmpty:
            days = [weekday]
        case .monthly where !saysDay: monthDays = [begin.dayOfMonth]
        case .weekly where !saysDay: days = [weekday]
        default: break
        }
        (self.months, self.monthDays, self.days) = (months, monthDays, days)
        weekdays = Set(days.map(\.weekday))
        let second = first.secondOfDay
        let frequency = rule.frequency
        let hours = frequency.seconds == nil ? (rule.hours.isEmpty ? [second / 3_600] : rule.hours) : [0]
        let minutes =
            (frequency.seconds ?? 3_600) == 3_600
            ? (rule.minutes.isEmpty ? [second / 60 % 60] : rule.minutes) : [0]
        let seconds = frequency != .secondly ? (rule.seconds.isEmpty ? [second % 60] : rule.seconds) : [0]
        times = Times(hours: hours, minutes: minutes, seconds: seconds)
    }

    /// - Parameter take: is given each time of the span, and says whether to go on.
    /// - Throws: `FeedError` where the budget ends.
    mutating func walk(_ take: (LocalTime) -> Bool) throws(FeedError) {
        guard span.upperBound >= first else { return }
        if let unit = rule.frequency.seconds {
            try walkTimes(unit * rule.interval, unit, take)
        } else {
            try walkDays(take)
        }
    }

    /// What is counted has to be walked over from the beginning.
    private var begin: LocalTime { rule.count == nil ? max(first, span.lowerBound) : first }

    // MARK: Days and longer

    private mutating func walkDays(_ take: (LocalTime) -> Bool) throws(FeedError) {
        var index = firstIndex
        while true {
            let period = self.period(index)
            index += 1
            guard period.lowerBound <= span.upperBound.day else { return }
            try budget.spend()
            var days: [Int] = []
            for range in parts(of: period) {
                try budget.spend(range.count)
                for day in range where fits(CivilDate(day: day)) { days.append(day) }
            }
            let times = self.times
            let goesOn = try give(
                days.count * times.count,
                { LocalTime(day: days[$0 / times.count], second: times[$0 % times.count]) }, take)
            guard goesOn else { return }
        }
    }

    /// The days of a period among which those of the rule are: of a year only the months that it names.
    private func parts(of period: Range<Int>) -> [Range<Int>] {
        guard rule.frequency == .yearly, !months.isEmpty else { return [period] }
        let year = CivilDate(day: period.lowerBound).year
        return months.sorted().map { month in
            CivilDate.day(
                year: year, month: month, day: 1)..<CivilDate.day(
                    year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1)
        }
    }

    /// The period, counted from that of the beginning on, in which the walk begins.
    private var firstIndex: Int {
        let (begun, begins) = (CivilDate(day: first.day), CivilDate(day: begin.day))
        let distance =
            switch rule.frequency {
            case .yearly: begins.year - begun.year
            case .monthly: (begins.year - begun.year) * 12 + begins.month - begun.month
            case .weekly: (begins.day - begun.week(from: rule.weekStart)) / 7
            default: begins.day - begun.day
            }
        return distance / rule.interval
    }

    /// Its days.
    private func period(_ index: Int) -> Range<Int> {
        let begun = CivilDate(day: first.day)
        let distance = index * rule.interval
        let start: Int
        let end: Int
        switch rule.frequency {
        case .yearly:
            start = CivilDate.day(year: begun.year + distance, month: 1, day: 1)
            end = CivilDate.day(year: begun.year + distance + 1, month: 1, day: 1)
        case .monthly:
            let month = begun.year * 12 + begun.month - 1 + distance
            start = CivilDate.day(year: month / 12, month: month % 12 + 1, day: 1)
            end = CivilDate.day(year: (month + 1) / 12, month: (month + 1) % 12 + 1, day: 1)
        case .weekly:
            start = begun.week(from: rule.weekStart) + distance * 7
            end = start + 7
        default:
            start = begun.day + distance
            end = start + 1
        }
        return start..<end
    }

    /// Whether a day is one of the rule's.
    private func fits(_ date: CivilDate) -> Bool {
        if !months.isEmpty, !months.contains(date.month) { return false }
        if !rule.weeks.isEmpty, rule.frequency == .yearly {
            let numbers = date.weekNumbers(from: rule.weekStart)
            guard rule.weeks.contains(numbers.number) || rule.weeks.contains(numbers.fromEnd) else { return false }
        }
        if !rule.yearDays.isEmpty {
            let fromEnd = date.dayOfYear - date.daysOfYear - 1
            guard rule.yearDays.contains(date.dayOfYear) || rule.yearDays.contains(fromEnd) else { return false }
        }
        if !monthDays.isEmpty {
            let fromEnd = date.dayOfMonth - date.daysOfMonth - 1
            guard monthDays.contains(date.dayOfMonth) || monthDays.contains(fromEnd) else { return false }
        }
        return days.isEmpty || fitsWeekday(date)
    }

    private func fitsWeekday(_ date: CivilDate) -> Bool {
        // Of the year only where the rule names no months; a number means nothing in shorter periods.
        let isOfYear = rule.frequency == .yearly && rule.months.isEmpty
        let isNumbered = [.yearly, .monthly].contains(rule.frequency)
        let (place, all) = isOfYear ? (date.dayOfYear, date.daysOfYear) : (date.dayOfMonth, date.daysOfMonth)
        let candidates = [0, (place - 1) / 7 + 1, -((all - place) / 7 + 1)]
        if isNumbered {
            return candidates.contains {
                days.contains(RecurrenceRule.Weekday(number: $0, weekday: date.weekday))
            }
        }
        return weekdays.contains(date.weekday)
    }

    // MARK: Shorter than a day

    /// - Parameters:
    ///   - beat: from one period to the next, in seconds.
    ///   - unit: how long a period is.
    private mutating func walkTimes(_ beat: Int, _ unit: Int, _ take: (LocalTime) -> Bool) throws(FeedError) {
        // Periods begin with their unit: at the full hour, the full minute.
        let origin = first.seconds - (first.secondOfDay % unit)
        var index = max(0, (begin.seconds - origin) / beat)
        while true {
            let time = LocalTime(seconds: origin + index * beat)
            guard time <= span.upperBound, time.seconds < LocalTime.range.upperBound else { return }
            try budget.spend()
            guard fits(CivilDate(day: time.day)) else {
                // On to the next day.
                let next = (time.day + 1) * 86_400
                index = max(index + 1, (next - origin + beat - 1) / beat)
                continue
            }
            index += 1
            let second = time.secondOfDay
            if !rule.hours.isEmpty, !rule.hours.contains(second / 3_600) { continue }
            if unit < 3_600, !rule.minutes.isEmpty, !rule.minutes.contains(second / 60 % 60) { continue }
            if unit < 60, !rule.seconds.isEmpty, !rule.seconds.contains(second % 60) { continue }
            let times = self.times
            let goesOn = try give(times.count, { LocalTime(seconds: time.seconds + times[$0]) }, take)
            guard goesOn else { return }
        }
    }

    // MARK: The times of a period

    /// - Parameters:
    ///   - count: how many times a period has.
    ///   - time: each of them, in their order.
    /// - Returns: whether to go on.
    private mutating func give(
        _ count: Int, _ time: (Int) -> LocalTime, _ take: (LocalTime) -> Bool
    ) throws(FeedError) -> Bool {
        if rule.positions.isEmpty {
            for index in 0..<count { guard try give(time(index), take) else { return false } }
            return true
        }
        try budget.spend(rule.positions.count)
        let places = Set(rule.positions.map { $0 > 0 ? $0 - 1 : count + $0 }).filter { (0..<count).contains($0) }
        for index in places.sorted() { guard try give(time(index), take) else { return false } }
        return true
    }

    private mutating func give(_ time: LocalTime, _ take: (LocalTime) -> Bool) throws(FeedError) -> Bool {
        try budget.spend()
        guard time >= first else { return true }
        guard time <= span.upperBound else { return false }
        counted += 1
        if time >= span.lowerBound, !take(time) { return false }
        return counted != rule.count
    }
}
