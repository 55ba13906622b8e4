import Testing

@testable import Calendars

/// What feeds may have that are made to be read for ever.
@Suite struct FeedBudgetTests {
    private static let start = LocalTime(basic: "20261130T000000"[...].utf8)!.seconds * 1_000
    private static let span = start...(start + CalendarFeed.aheadMilliseconds)
    private static let link = "LOCATION:https://meet.google.com/abc-defg-hij"
    private static let spent = FeedError(reason: "takes too much work to read")

    private static func read(_ lines: [String], _ budget: FeedBudget) throws(FeedError) -> CalendarFeed {
        let text = (["BEGIN:VCALENDAR"] + lines + ["END:VCALENDAR", ""]).joined(separator: "\n")
        return try CalendarFeed(Array(text.utf8), span: span, owners: [], budget)
    }

    private static func event(_ lines: [String], uid: String = "1") -> [String] {
        ["BEGIN:VEVENT", "UID:\(uid)", link] + lines + ["END:VEVENT"]
    }

    private static func zone(_ observances: [[String]]) -> [String] {
        ["BEGIN:VTIMEZONE", "TZID:Europe/Berlin"]
            + observances.flatMap { ["BEGIN:STANDARD"] + $0 + ["END:STANDARD"] } + ["END:VTIMEZONE"]
    }

    private static func list(_ range: Range<Int>) -> String { range.map(String.init).joined(separator: ",") }

    private static let everySecond = "BYHOUR=\(list(0..<24));BYMINUTE=\(list(0..<60));BYSECOND=\(list(0..<60))"
    private static let dates = (0..<2_000).map { "19\(10 + $0 % 90)0101T000000Z" }.joined(separator: ",")

    @Test func twoMegabytesOfMeetingsOfEveryDayAreRead() throws {
        let events = (0..<12_500).flatMap { number in
            Self.event(
                [
                    "DTSTART;TZID=Europe/Berlin:20200101T090000", "DURATION:PT30M", "RRULE:FREQ=DAILY",
                    "SUMMARY:Every day",
                ], uid: "\(number)")
        }
        #expect(events.reduce(0) { $0 + $1.utf8.count + 1 } > 2_000_000)
        let feed = try Self.read(events, FeedBudget(clock: { 0 }))
        #expect(feed.problem == nil && feed.occurrences.count == 500 && feed.hasMore)
    }

    /// Each takes more steps than lines: none is cheap that is counted where the work is done.
    @Test(
        arguments: [
            ("counted from the first year", event(["DTSTART:00010101T000000Z", "RRULE:FREQ=DAILY;COUNT=1000000"])),
            (
                "times before the first",
                event(["DTSTART:20261201T235959Z", "RRULE:FREQ=DAILY;\(everySecond)"])
            ),
            (
                "places of each minute",
                event(["DTSTART:20261130T000000Z", "RRULE:FREQ=MINUTELY;BYSECOND=1;BYSETPOS=\(list(2..<367))"])
            ),
            (
                "days that never come",
                event(["DTSTART:00010101T000000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1;\(everySecond)"])
            ),
            ("dates", event(["DTSTART:20261201T090000Z", "RDATE:\(dates)"])),
            ("dates that are left out", event(["DTSTART:20261201T090000Z", "RRULE:FREQ=DAILY", "EXDATE:\(dates)"])),
            (
                "times of many changes",
                event(["DTSTART:20200101T000000Z", "RRULE:FREQ=HOURLY", "DURATION:P60D"])
                    + (10..<30).flatMap { number in
                        event([
                            "DTSTART:202611\(number)T000000Z",
                            "RECURRENCE-ID;RANGE=THISANDFUTURE:202611\(number)T000000Z", "DURATION:P60D",
                        ])
                    }
            ),
            (
                "zones",
                zone(
                    Array(
                        repeating: [
                            "DTSTART:16010101T000000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
                            "RRULE:FREQ=YEARLY;BYMONTHDAY=1,2,3,4,5,6,7",
                        ], count: 20))
            ),
            ("names of zones", (0..<20).flatMap { event(["DTSTART;TZID=x\($0):20261201T090000"], uid: "\($0)") }),
        ])
    func workIsCountedWhereItIsDone(_ name: String, _ lines: [String]) {
        #expect(throws: Self.spent) { try Self.read(lines, FeedBudget(30_000) { 0 }) }
    }

    @Test func oneEventCannotTakeAllOfIt() throws {
        let endless = Self.event(["DTSTART:00010101T000000Z", "RRULE:FREQ=DAILY;COUNT=1000000"], uid: "2")
        let other = Self.event(["DTSTART:20261201T090000Z"])
        let feed = try Self.read(endless + other, FeedBudget(FeedLimits.steps) { 0 })
        #expect(feed.occurrences.map(\.uid) == ["1"])
        #expect(feed.unreadable == ["2"])
        #expect(feed.problem == "recurs too often to be looked at")
    }

    @Test func theTimeOfTheThreadEndsItToo() {
        let rule = ["DTSTART:20161201T090000Z", "RRULE:FREQ=DAILY;COUNT=5000"]
        var time = 0
        #expect(throws: Self.spent) {
            try Self.read(
                Self.event(rule),
                FeedBudget {
                    time += FeedLimits.threadMilliseconds
                    return time
                })
        }
        #expect(throws: Never.self) { try Self.read(Self.event(rule), FeedBudget { 0 }) }
        #expect(FeedBudget.threadMilliseconds() >= 0)
    }

    @Test func anEventHasOnlySoManyTimes() throws {
        let often = Self.event(["DTSTART:20260101T000000Z", "RRULE:FREQ=MINUTELY;INTERVAL=15", "DURATION:P30D"])
        #expect(try Self.read(often, FeedBudget { 0 }).problem == "has a rule that recurs too often")
        let many = (0..<2_001).map { number in
            let time = LocalTime(seconds: Self.start / 1_000 + number).basic
            return Self.event(["DTSTART:20261201T090000Z", "RECURRENCE-ID:\(time)Z"])
        }
        #expect(try Self.read(many.flatMap { $0 }, FeedBudget { 0 }).problem == "has a rule that recurs too often")
    }

    /// Text that is not ASCII is short where it is compared or hashed.
    @Test func whatIsComparedIsShort() throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 3_000)
        var lines = ContentLines(Array("DTSTART;TZID=a\(marks);X=\(marks);\(marks)=1:b\(marks)".utf8))
        let parts = try #require(lines.next()?.parts(most: FeedLimits.wordBytes))
        #expect(parts.parameters.keys.sorted() == ["TZID"])
        #expect(parts.parameters["TZID"]?.utf8.count ?? 1_000 <= 258)
        #expect(parts.value.utf8.count <= FeedLimits.wordBytes + 2)
        let feed = try Self.read(Self.event(["DTSTART:20261201T090000Z"], uid: marks), FeedBudget { 0 })
        #expect(feed.problem == "has no UID, or a longer one than can be")
        #expect(RecurrenceRule("FREQ=DAILY;\(marks)=1") == nil)
    }

    // MARK: Zones

    private static func start(_ observances: [[String]], _ time: String = "20261201T090000") throws -> String? {
        let lines = zone(observances) + event(["DTSTART;TZID=Europe/Berlin:\(time)"])
        return try read(lines, FeedBudget { 0 }).occurrences.first.map { LocalTime(seconds: $0.start / 1_000).basic }
    }

    /// An odd one counts as if it were not there: then the system's of its name is taken.
    @Test(
        arguments: [
            "RRULE:FREQ=SECONDLY;UNTIL=99991231T235959Z", "RRULE:FREQ=YEARLY;BYDAY=MO,TU", "RRULE:FREQ=DAILY",
            "RRULE:FREQ=YEARLY;UNTIL=never", "RDATE:tomorrow",
            "TZOFFSETTO:+2500",
        ])
    func aZoneOfAnOddKindIsTheSystems(_ line: String) throws {
        let first = line.hasPrefix("TZOFFSETTO") ? [] : ["TZOFFSETTO:+0500"]
        let observance = ["DTSTART:00010101T000000", "TZOFFSETFROM:+0500"] + first + [line]
        #expect(try Self.start([observance]) == "20261201T080000")
    }

    @Test func aZoneIsAsItIsDefined() throws {
        let always = ["DTSTART:16010101T000000", "TZOFFSETFROM:+0500", "TZOFFSETTO:+0530"]
        #expect(try Self.start([always]) == "20261201T033000")
        let summer = ["TZOFFSETFROM:+0200", "TZOFFSETTO:+0300", "RRULE:FREQ=YEARLY;BYMONTH=12;BYDAY=1TU"]
        let winter = ["DTSTART:20000101T000000", "TZOFFSETFROM:+0300", "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY"]
        // It begins on that day, at eight by the clock before.
        let changing = [winter, ["DTSTART:20011204T080000"] + summer]
        #expect(try Self.start(changing, "20261201T070000") == "20261201T050000")
        #expect(try Self.start(changing, "20261201T093000") == "20261201T063000")
        // By UNTIL, in UTC, it was the last time, or was not.
        func until(_ text: String) -> [[String]] {
            [
                winter,
                ["DTSTART:20011204T080000"] + summer.map { $0 + ($0.hasPrefix("R") ? text : "") },
            ]
        }
        #expect(try Self.start(until(";UNTIL=20261201T060000Z"), "20261201T093000") == "20261201T063000")
        #expect(try Self.start(until(";UNTIL=20261201T055959Z"), "20261201T093000") == "20261201T073000")
        #expect(try Self.start([always, winter + ["RDATE:20261201T080000"]], "20261201T093000") == "20261201T073000")
    }
}
