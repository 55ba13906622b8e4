/// Times as the documents write them, from milliseconds since 1970. One outside of the years 1970 to 9999, as an odd
/// record can have, is written as the nearest one inside: the others have no form in RFC 3339, or none here.
public enum Timestamp {
    private static let range = 0...253_402_300_799_999

    /// `2026-05-21T03:42:11.482`: UTC, without a time zone (Re-invite API, "dispatched_at").
    public static func withoutZone(_ milliseconds: Int) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(24)
        append(milliseconds, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends a time as `withoutZone` gives it, for answers that hold many.
    public static func append(_ milliseconds: Int, to text: inout [UInt8]) {
        let (days, rest) = min(max(milliseconds, range.lowerBound), range.upperBound)
            .quotientAndRemainder(dividingBy: 86_400_000)
        let (year, month, day) = civilDate(daysSince1970: days)
        append(year, 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(month, 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(day, 2, to: &text)
        text.append(UInt8(ascii: "T"))
        append(rest / 3_600_000, 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(rest / 60_000 % 60, 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(rest / 1_000 % 60, 2, to: &text)
        text.append(UInt8(ascii: "."))
        append(rest % 1_000, 3, to: &text)
    }

    /// RFC 3339 in UTC: `2026-05-21T03:42:11.482Z`.
    public static func withZone(_ milliseconds: Int) -> String {
        withoutZone(milliseconds) + "Z"
    }

    /// Milliseconds since 1970 of an RFC 3339 time (section 5.6): with a zone, with or without a fraction, of which
    /// three digits count. Nil if it is none. A leap second, which Unix time does not have, counts as the next one.
    public static func milliseconds(rfc3339 text: String) -> Int? {
        var rest = Array(text.utf8)[...]
        guard let year = number(4, &rest), skip("-", &rest), let month = number(2, &rest), skip("-", &rest),
            let day = number(2, &rest), skip("Tt", &rest), let hour = number(2, &rest), skip(":", &rest),
            let minute = number(2, &rest), skip(":", &rest), let second = number(2, &rest),
            year >= 1, (1...12).contains(month), day >= 1, hour < 24, minute < 60, second <= 60
        else { return nil }
        let midnight = days(untilYear: year, month: month, day: day)
        // A day that the month does not have comes back as one of the next month.
        guard civilDate(daysSince1970: midnight) == (year, month, day) else { return nil }
        var fraction = 0
        if skip(".", &rest) {
            let digits = rest.prefix { isDigit($0) }
            guard (1...9).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            for place in digits.startIndex..<digits.startIndex + 3 {
                fraction = fraction * 10 + (place < digits.endIndex ? value(digits[place]) : 0)
            }
        }
        guard let zone = zoneMinutes(&rest), rest.isEmpty else { return nil }
        return ((midnight * 24 + hour) * 60 + minute - zone) * 60_000 + second * 1_000 + fraction
    }

    /// The same of a time as clients write it, who may leave out the seconds, or the zone, which then is UTC (ISO 8601).
    public static func milliseconds(iso8601 text: String) -> Int? {
        // `2026-12-01T09:00` has 16 characters.
        let withSeconds = text.utf8.count >= 16 ? "\(text.prefix(16)):00\(text.dropFirst(16))" : text
        return [text, text + "Z", withSeconds, withSeconds + "Z"].lazy.compactMap { milliseconds(rfc3339: $0) }.first
    }

    /// Minutes that a zone is ahead of UTC: `Z`, or hours and minutes after a sign.
    private static func zoneMinutes(_ rest: inout ArraySlice<UInt8>) -> Int? {
        if skip("Zz", &rest) { return 0 }
        let isBehind = rest.first == UInt8(ascii: "-")
        guard skip("+-", &rest), let hours = number(2, &rest), skip(":", &rest), let minutes = number(2, &rest),
            hours < 24, minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (isBehind ? -1 : 1)
    }

    private static func number(_ digits: Int, _ rest: inout ArraySlice<UInt8>) -> Int? {
        let found = rest.prefix(digits)
        guard found.count == digits, found.allSatisfy(isDigit) else { return nil }
        rest = rest.dropFirst(digits)
        return found.reduce(0) { $0 * 10 + value($1) }
    }

    /// Whether one of `characters` comes next, which is then taken.
    private static func skip(_ characters: StaticString, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let next = rest.first, characters.withUTF8Buffer({ $0.contains(next) }) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func value(_ digit: UInt8) -> Int {
        Int(digit - UInt8(ascii: "0"))
    }

    /// Appends at least `digits` digits of a number that is not negative.
    private static func append(_ number: Int, _ digits: Int, to text: inout [UInt8]) {
        if digits > 1 || number.magnitude > 9 { append(number / 10, digits - 1, to: &text) }
        text.append(UInt8(ascii: "0") + UInt8(number.magnitude % 10))
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

    /// The reverse of `civilDate`: days from 1970-01-01 to a date of the year 1 or later.
    private static func days(untilYear year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month > 2 ? year : year - 1
        let shiftedMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        let (era, yearOfEra) = shiftedYear.quotientAndRemainder(dividingBy: 400)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
