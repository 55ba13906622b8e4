import FoundationEssentials

/// Times as the documents write them, from milliseconds since 1970.
enum Timestamp {
    /// `2026-05-21T03:42:11.482`: UTC, without a time zone (Re-invite API, "dispatched_at").
    static func withoutZone(_ milliseconds: Int) -> String {
        let (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        let (year, month, day) = civilDate(daysSince1970: days)
        var text = ""
        text.reserveCapacity(24)
        append(year, 4, to: &text)
        text += "-"
        append(month, 2, to: &text)
        text += "-"
        append(day, 2, to: &text)
        text += "T"
        append(rest / 3_600_000, 2, to: &text)
        text += ":"
        append(rest / 60_000 % 60, 2, to: &text)
        text += ":"
        append(rest / 1_000 % 60, 2, to: &text)
        text += "."
        append(rest % 1_000, 3, to: &text)
        return text
    }

    /// RFC 3339 in UTC: `2026-05-21T03:42:11.482Z`.
    static func withZone(_ milliseconds: Int) -> String {
        withoutZone(milliseconds) + "Z"
    }

    /// Milliseconds since 1970 of an RFC 3339 time with a zone, with or without a fraction; nil if it is none.
    static func milliseconds(rfc3339 text: String) -> Int? {
        let style = Date.ISO8601FormatStyle()
        guard
            let date = (try? style.parse(text))
                ?? (try? style.year().month().day().timeZone(separator: .omitted).time(includingFractionalSeconds: true)
                    .parse(text))
        else { return nil }
        return Int((date.timeIntervalSince1970 * 1_000).rounded())
    }

    private static func append(_ number: Int, _ digits: Int, to text: inout String) {
        let digitsOfNumber = String(number)
        for _ in digitsOfNumber.utf8.count..<max(digits, digitsOfNumber.utf8.count) { text += "0" }
        text += digitsOfNumber
    }

    /// The proleptic Gregorian date of a day, counted in eras of 400 years that begin on the first of March, so that
    /// the leap day comes last.
    private static func civilDate(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468  // days from 0000-03-01 to 1970-01-01
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }
}
