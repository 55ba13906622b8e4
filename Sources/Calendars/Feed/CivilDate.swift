/// A day, by its number since 1970-01-01, and what the calendar says of it.
struct CivilDate {
    let day: Int
    let year: Int
    let month: Int
    let dayOfMonth: Int

    /// Days are counted in eras of 400 years that begin in March, so that the leap day comes last.
    init(day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        self.day = day
        dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
        self.month = month < 10 ? month + 3 : month - 9
        year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    /// The number of a day; one beyond the month's end is one of the next month.
    static func day(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// 0: Monday.
    var weekday: Int { ((day + 3) % 7 + 7) % 7 }

    private var firstOfYear: Int { Self.day(year: year, month: 1, day: 1) }
    /// From 1 on.
    var dayOfYear: Int { day - firstOfYear + 1 }
    var daysOfYear: Int { Self.day(year: year + 1, month: 1, day: 1) - firstOfYear }
    private var firstOfMonth: Int { day - dayOfMonth + 1 }
    var daysOfMonth: Int { Self.day(year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1) - firstOfMonth }

    /// The first day of its week, if weeks begin with a weekday.
    func week(from first: Int) -> Int { day - (weekday - first + 7) % 7 }

    /// The number of its week, and the same counted from the end of the year. The first one is that with four days in the
    /// year (RFC 5545, section 3.3.10, "BYWEEKNO").
    func weekNumbers(from first: Int) -> (number: Int, fromEnd: Int) {
        let middle = CivilDate(day: week(from: first) + 3)
        let number = (middle.dayOfYear - 1) / 7 + 1
        let weeks = number + (middle.daysOfYear - middle.dayOfYear) / 7
        return (number, number - weeks - 1)
    }
}
