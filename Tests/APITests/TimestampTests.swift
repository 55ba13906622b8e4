import Foundation
import Log
import TestTurns
import Testing
import Usher

@Suite(.takesTurns) struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000"), (1, "1970-01-01T00:00:00.001"), (1_779_334_931_482, "2026-05-21T03:42:11.482"),
        (86_399_999, "1970-01-01T23:59:59.999"), (86_400_000, "1970-01-02T00:00:00.000"),
        (951_782_399_999, "2000-02-28T23:59:59.999"), (951_782_400_000, "2000-02-29T00:00:00.000"),
        (951_868_800_000, "2000-03-01T00:00:00.000"), (1_709_164_800_000, "2024-02-29T00:00:00.000"),
        (1_735_689_599_999, "2024-12-31T23:59:59.999"), (4_107_542_399_999, "2100-02-28T23:59:59.999"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000"), (253_402_300_799_999, "9999-12-31T23:59:59.999"),
    ])
    func aTimeIsWrittenAsTheDocumentWritesIt(_ milliseconds: Int, _ text: String) {
        #expect(Timestamp.withoutZone(milliseconds) == text)
        #expect(Timestamp.withZone(milliseconds) == text + "Z")
        #expect(Timestamp.milliseconds(rfc3339: text + "Z") == milliseconds)
    }

    /// 100,000 times from 1970 to 9999, against the calendar of Foundation.
    @Test func writingAndReadingAgreeWithFoundation() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        var generator = SystemRandomNumberGenerator()
        var wrong: [Int] = []
        for _ in 0..<100_000 {
            let milliseconds = Int.random(in: 0...253_402_300_799_999, using: &generator)
            let date = Date(timeIntervalSince1970: Double(milliseconds / 1_000))
            let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
            let numbers = [parts.year!, parts.month!, parts.day!, parts.hour!, parts.minute!, parts.second!]
            let text = Timestamp.withoutZone(milliseconds)
            let written = text.split { "-T:.".contains($0) }.compactMap { Int($0) }
            if written != numbers + [milliseconds % 1_000] || text.utf8.count != 23
                || Timestamp.milliseconds(rfc3339: text + "Z") != milliseconds
            {
                wrong.append(milliseconds)
            }
        }
        #expect(wrong == [])
    }

    /// RFC 3339, section 5.6, and its examples (section 5.8).
    @Test(arguments: [
        ("2027-01-31T12:00:00Z", 1_801_396_800_000), ("2027-01-31t12:00:00z", 1_801_396_800_000),
        ("2027-01-31T12:00:00.5Z", 1_801_396_800_500), ("2027-01-31T12:00:00.123456789Z", 1_801_396_800_123),
        ("2027-01-31T12:00:00+00:00", 1_801_396_800_000), ("2027-01-31T14:00:00+02:00", 1_801_396_800_000),
        ("2027-01-31T06:30:00.25-05:30", 1_801_396_800_250), ("2027-02-01T11:59:00+23:59", 1_801_396_800_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("1990-12-31T23:59:60Z", 662_688_000_000),
        ("1985-04-12T23:20:50.52Z", 482_196_050_520), ("1969-12-31T23:59:59Z", -1_000),
        ("1970-01-01T00:00:00Z", 0), ("0001-01-01T00:00:00Z", -62_135_596_800_000),
    ])
    func aTimeWithAZoneIsRead(_ text: String, _ milliseconds: Int) {
        #expect(Timestamp.milliseconds(rfc3339: text) == milliseconds)
    }

    @Test(arguments: [
        "", "now", "2027", "2027-01-31", "2027-01-31T12:00:00", "2027-01-31 12:00:00Z", "2027-01-31T12:00Z",
        "2027-1-31T12:00:00Z", "2027-01-31T12:00:00ZZ", "2027-01-31T12:00:00Z ", " 2027-01-31T12:00:00Z",
        "2027-01-31T12:00:00.Z", "2027-01-31T12:00:00,5Z", "2027-01-31T12:00:00.1234567890Z", "2027-02-29T12:00:00Z",
        "2027-02-30T12:00:00Z", "2100-02-29T12:00:00Z", "2027-04-31T12:00:00Z", "2027-00-10T12:00:00Z",
        "2027-13-10T12:00:00Z", "2027-01-00T12:00:00Z", "2027-01-32T12:00:00Z", "2027-01-31T24:00:00Z",
        "2027-01-31T12:60:00Z", "2027-01-31T12:00:61Z", "2027-01-31T12:00:00+0200", "2027-01-31T12:00:00+02",
        "2027-01-31T12:00:00+24:00", "2027-01-31T12:00:00+02:60", "0000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
        "+2027-01-31T12:00:00Z", "20270131T120000Z", "1801396800", "99999-01-01T00:00:00Z",
        "\u{662}\u{660}27-01-31T12:00:00Z", "2027-01-31T12:00:00\u{0}",
    ])
    func anythingElseIsRefused(_ text: String) {
        #expect(Timestamp.milliseconds(rfc3339: text) == nil)
    }
}
