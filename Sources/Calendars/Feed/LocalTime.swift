/// A time on a wall clock, without its zone: seconds since 1970 as if it were UTC. Years are 1 to 9999, so that no
/// arithmetic on what a feed says can overflow.
struct LocalTime: Hashable, Comparable {
    let seconds: Int

    static let range = -62_135_596_800...253_402_300_799

    init(seconds: Int) {
        self.seconds = min(max(seconds, Self.range.lowerBound), Self.range.upperBound)
    }

    static func < (left: LocalTime, right: LocalTime) -> Bool { left.seconds < right.seconds }

    /// `20261201T090000` (RFC 5545, section 3.3.5), without the `Z`. A leap second counts as the one before.
    init?(basic text: Substring.UTF8View) {
        let digits = Array(text)
        guard digits.count == 15, digits[8] == UInt8(ascii: "T"), let midnight = Self(date: text.prefix(8)),
            let hour = Self.number(digits[9..<11]), let minute = Self.number(digits[11..<13]),
            let second = Self.number(digits[13..<15]), hour < 24, minute < 60, second <= 60
        else { return nil }
        self.init(seconds: midnight.seconds + hour * 3_600 + minute * 60 + min(second, 59))
    }

    /// The beginning of a day: `20261201`.
    init?(date text: Substring.UTF8View) {
        let digits = Array(text)
        guard digits.count == 8, let year = Self.number(digits[..<4]), let month = Self.number(digits[4..<6]),
            let day = Self.number(digits[6...]), year >= 1, (1...12).contains(month), day >= 1
        else { return nil }
        let number = CivilDate.day(year: year, month: month, day: day)
        // A day that the month does not have comes back as one of the next.
        guard CivilDate(day: number).month == month else { return nil }
        self.init(day: number)
    }

    init(day: Int, second: Int = 0) {
        self.init(seconds: day * 86_400 + second)
    }

    var secondOfDay: Int { (seconds % 86_400 + 86_400) % 86_400 }
    /// The number of its day since 1970-01-01.
    var day: Int { (seconds - secondOfDay) / 86_400 }

    /// Year, month, day, hour, minute, second: as libical takes them.
    var numbers: [Int32] {
        let (date, rest) = (CivilDate(day: day), secondOfDay)
        return [date.year, date.month, date.dayOfMonth, rest / 3_600, rest / 60 % 60, rest % 60].map { Int32($0) }
    }

    /// `20261201T090000`.
    var basic: String {
        let numbers = self.numbers
        func padded(_ number: Int32, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return padded(numbers[0], 4) + padded(numbers[1], 2) + padded(numbers[2], 2) + "T"
            + padded(numbers[3], 2) + padded(numbers[4], 2) + padded(numbers[5], 2)
    }

    /// Digits alone: no sign.
    static func number(_ digits: some Collection<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }
}

/// Seconds of a duration (RFC 5545, section 3.3.6): `PT1H30M`, `P1D`, `P2W`; nil for what is none, is negative or longer
/// than a year.
func durationSeconds(_ text: String) -> Int? {
    var rest = Array(text.utf8)[...]
    if rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    guard rest.popFirst() == UInt8(ascii: "P"), !rest.isEmpty else { return nil }
    var (sum, isTime) = (0, false)
    while !rest.isEmpty {
        if rest.first == UInt8(ascii: "T") {
            isTime = true
            rest.removeFirst()
            continue
        }
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest.dropFirst(digits.count)
        guard digits.count <= 8, let number = LocalTime.number(digits), let unit = rest.popFirst() else { return nil }
        switch (unit, isTime) {
        case (UInt8(ascii: "W"), false): sum += number * 604_800
        case (UInt8(ascii: "D"), false): sum += number * 86_400
        case (UInt8(ascii: "H"), true): sum += number * 3_600
        case (UInt8(ascii: "M"), true): sum += number * 60
        case (UInt8(ascii: "S"), true): sum += number
        default: return nil
        }
    }
    return sum <= 366 * 86_400 ? sum : nil
}
