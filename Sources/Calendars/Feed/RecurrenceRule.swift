/// A rule of a recurrence (RFC 5545, section 3.3.10).
///
/// Read and walked over by ourselves: libical 3.0 gets weeks that begin on a Saturday, hours on the last days of a month
/// and positions among several times of a day wrong, and takes as long as it likes for a rule that no time ever fits.
struct RecurrenceRule {
    enum Frequency: String {
        case secondly = "SECONDLY"
        case minutely = "MINUTELY"
        case hourly = "HOURLY"
        case daily = "DAILY"
        case weekly = "WEEKLY"
        case monthly = "MONTHLY"
        case yearly = "YEARLY"

        /// Of those that are shorter than a day, in seconds.
        var seconds: Int? {
            switch self {
            case .secondly: 1
            case .minutely: 60
            case .hourly: 3_600
            case .daily, .weekly, .monthly, .yearly: nil
            }
        }
    }

    /// A weekday (0: Monday), and which one of the month or year it is, from its end if negative; 0: each.
    struct Weekday: Hashable {
        let number: Int
        let weekday: Int
    }

    private static let weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    private static let longestList = 800

    let frequency: Frequency
    private(set) var interval = 1
    private(set) var count: Int?
    /// As it stands there.
    private(set) var until: String?
    /// On which weekday weeks begin.
    private(set) var weekStart = 0
    private(set) var seconds: [Int] = []
    private(set) var minutes: [Int] = []
    private(set) var hours: [Int] = []
    private(set) var days: [Weekday] = []
    private(set) var monthDays: Set<Int> = []
    private(set) var yearDays: Set<Int> = []
    private(set) var weeks: Set<Int> = []
    private(set) var months: Set<Int> = []
    private(set) var positions: [Int] = []

    /// Nil for what is no rule, or one of a kind that is not known here.
    init?(_ text: String) {
        guard text.utf8.count <= FeedLimits.ruleBytes, text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        var parts: [String: String] = [:]
        for part in text.uppercased().split(separator: ";", maxSplits: 20) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, parts.count < 20,
                parts.updateValue(String(sides[1]), forKey: String(sides[0])) == nil
            else { return nil }
        }
        guard let frequency = parts.removeValue(forKey: "FREQ").flatMap(Frequency.init) else { return nil }
        self.frequency = frequency
        for (name, value) in parts { guard take(name, value) else { return nil } }
        guard until == nil || count == nil else { return nil }
    }

    private mutating func take(_ name: String, _ value: String) -> Bool {
        func numbers(_ range: ClosedRange<Int>, isSigned: Bool = false) -> [Int] {
            Self.numbers(value, range, isSigned: isSigned)
        }
        var taken: [Int] = []
        switch name {
        case "UNTIL":
            until = value
            return true
        case "COUNT":
            taken = numbers(1...1_000_000)
            count = taken.first
            return taken.count == 1
        case "INTERVAL":
            taken = numbers(1...100_000)
            interval = taken.first ?? 1
            return taken.count == 1
        case "WKST":
            weekStart = Self.weekdays.firstIndex(of: value) ?? -1
            return weekStart >= 0
        case "BYDAY":
            days = Self.days(value)
            return !days.isEmpty
        case "BYSECOND":
            // There are no leap seconds here.
            taken = Array(Set(numbers(0...60).map { min($0, 59) })).sorted()
            seconds = taken
        case "BYMINUTE":
            taken = numbers(0...59)
            minutes = taken
        case "BYHOUR":
            taken = numbers(0...23)
            hours = taken
        case "BYMONTHDAY":
            taken = numbers(1...31, isSigned: true)
            monthDays = Set(taken)
        case "BYYEARDAY":
            taken = numbers(1...366, isSigned: true)
            yearDays = Set(taken)
        case "BYWEEKNO":
            taken = numbers(1...53, isSigned: true)
            weeks = Set(taken)
        case "BYMONTH":
            taken = numbers(1...12)
            months = Set(taken)
        case "BYSETPOS":
            taken = numbers(1...366, isSigned: true)
            positions = taken
        default: return false
        }
        return !taken.isEmpty
    }

    /// The numbers of a list, in their order, each once; none if one of them is none, or out of its range.
    private static func numbers(_ text: String, _ range: ClosedRange<Int>, isSigned: Bool) -> [Int] {
        var numbers: Set<Int> = []
        let entries = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard entries.count <= longestList else { return [] }
        for entry in entries {
            guard let number = number(entry, range, isSigned: isSigned) else { return [] }
            numbers.insert(number)
        }
        return numbers.sorted()
    }

    private static func number(_ text: Substring.UTF8View, _ range: ClosedRange<Int>, isSigned: Bool) -> Int? {
        let isNegative = isSigned && text.first == UInt8(ascii: "-")
        let hasSign = isNegative || isSigned && text.first == UInt8(ascii: "+")
        guard let number = LocalTime.number(hasSign ? text.dropFirst() : text), range.contains(number) else {
            return nil
        }
        return isNegative ? -number : number
    }

    private static func days(_ text: String) -> [Weekday] {
        let entries = text.split(separator: ",", omittingEmptySubsequences: false)
        guard entries.count <= longestList else { return [] }
        var days: [Weekday] = []
        for entry in entries {
            guard entry.utf8.count >= 2, let weekday = weekdays.firstIndex(of: String(entry.suffix(2))) else {
                return []
            }
            let digits = entry.dropLast(2).utf8
            if digits.isEmpty {
                days.append(Weekday(number: 0, weekday: weekday))
            } else if let number = number(digits, 1...53, isSigned: true) {
                days.append(Weekday(number: number, weekday: weekday))
            } else {
                return []
            }
        }
        return days
    }

    /// Whether it is one of those by which zones change their offsets: some day of some month of each year.
    var isOfZones: Bool {
        frequency == .yearly && months.count <= 1 && days.count <= 1 && monthDays.count <= 7 && seconds.isEmpty
            && minutes.isEmpty && hours.isEmpty && yearDays.isEmpty && weeks.isEmpty && positions.isEmpty
    }
}
