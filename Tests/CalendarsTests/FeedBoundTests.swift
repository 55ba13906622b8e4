import Testing
import Usher

@testable import Calendars

/// What a feed may not be, and what is left out of one that is sound.
@Suite struct FeedBoundTests {
    private static let start = LocalTime(basic: "20261130T000000"[...].utf8)!.seconds * 1_000
    private static let span = start...(start + CalendarFeed.aheadMilliseconds)
    private static let link = "LOCATION:https://meet.google.com/abc-defg-hij"

    private static func read(_ lines: String, owners: Set<String> = []) throws(FeedError) -> CalendarFeed {
        try CalendarFeed(
            Array("BEGIN:VCALENDAR\n\(lines)\nEND:VCALENDAR\n".utf8), span: span, owners: owners)
    }

    /// Those of the system alone.
    private static func noZones() throws -> FeedZones {
        let budget = FeedBudget()
        return try FeedZones(try FeedComponents(Array("BEGIN:VCALENDAR\nEND:VCALENDAR".utf8), budget), budget)
    }

    private static func event(_ lines: String...) -> String {
        (["BEGIN:VEVENT", "UID:1", link] + lines + ["END:VEVENT"]).joined(separator: "\n")
    }

    private static func starts(_ lines: String...) throws -> [String] {
        let event = (["BEGIN:VEVENT", "UID:1", link] + lines + ["END:VEVENT"]).joined(separator: "\n")
        let feed = try read(event)
        try #require(feed.problem == nil)
        return feed.occurrences.map { LocalTime(seconds: $0.start / 1_000).basic }
    }

    @Test(
        arguments: [
            ("", "is no iCalendar feed: it does not begin with BEGIN:VCALENDAR"),
            ("<!DOCTYPE html><html>: sign in", "is no iCalendar feed: it does not begin with BEGIN:VCALENDAR"),
            ("BEGIN:VEVENT\nEND:VEVENT", "is no iCalendar feed: it does not begin with BEGIN:VCALENDAR"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", "ends early"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "has an END that fits no BEGIN"),
            (
                "BEGIN:VCALENDAR\n" + String(repeating: "BEGIN:X\n", count: 100_000),
                "has components that are nested too deep"
            ),
            (
                "BEGIN:VCALENDAR\n" + String(repeating: "BEGIN:VEVENT\nEND:VEVENT\n", count: 20_001),
                "has more than 20000 events"
            ),
            (
                "BEGIN:VCALENDAR\n" + String(repeating: "BEGIN:VTIMEZONE\nEND:VTIMEZONE\n", count: 101),
                "has more than 100 time zones"
            ),
            (
                "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\n"
                    + String(repeating: "BEGIN:STANDARD\nEND:STANDARD\n", count: 201),
                "has time zones with more than 200 observances"
            ),
            ("BEGIN:VCALENDAR\n" + String(repeating: "x", count: 10_485_760), "has more than 10485760 bytes"),
        ])
    func whatIsNoFeedIsRefused(_ text: String, _ reason: String) {
        #expect(throws: FeedError(reason: reason)) { try CalendarFeed(Array(text.utf8), span: Self.span) }
    }

    @Test(
        arguments: [
            (["DTSTART:tomorrow"], "DTSTART is no time"),
            ([], "has no DTSTART"),
            (["DTSTART:20261301T090000Z"], "DTSTART is no time"),
            (["DTSTART:20270229T090000Z"], "DTSTART is no time"),
            (["DTSTART;TZID=Nowhere/Else:20261201T090000"], "DTSTART is in an unknown time zone"),
            (["DTSTART;TZID=../../etc/passwd:20261201T090000"], "DTSTART is in an unknown time zone"),
            (["DTSTART:20261201T090000Z", "RRULE:FREQ=FORTNIGHTLY"], "has a rule that is none, or one of an odd kind"),
            (
                ["DTSTART:20261201T090000Z", "RRULE:FREQ=DAILY;BYDAY=99999999999999999999MO"],
                "has a rule that is none, or one of an odd kind"
            ),
            (["DTSTART:20261201T090000Z", "DURATION:P99999999W"], "DURATION is none"),
            (["DTSTART:20261130T090000Z", "RRULE:FREQ=MINUTELY"], "has a rule that recurs too often"),
            (["DTSTART:00010101T000000Z", "RRULE:FREQ=HOURLY;COUNT=1000000"], "recurs too often to be looked at"),
            (
                ["DTSTART:20261201T090000Z"] + Array(repeating: "ATTENDEE:mailto:a@example.com", count: 1_000),
                "has more than 1000 properties"
            ),
        ])
    func oneEventThatCannotBeReadIsLeftOut(_ lines: [String], _ problem: String) throws {
        let other = "BEGIN:VEVENT\nUID:2\n\(Self.link)\nDTSTART:20261201T090000Z\nEND:VEVENT\n"
        let feed = try Self.read(
            other + (["BEGIN:VEVENT", "UID:1", Self.link] + lines + ["END:VEVENT"]).joined(separator: "\n"))
        #expect(feed.occurrences.map(\.uid) == ["2"])
        #expect(feed.problem == problem)
        #expect(feed.unreadable == ["1"])
    }

    @Test func anEventIsInTheSpanWhileItLasts() throws {
        #expect(try Self.starts("DTSTART:20261129T230000Z", "DTEND:20261130T003000Z") == ["20261129T230000"])
        #expect(try Self.starts("DTSTART:20261129T230000Z", "DTEND:20261130T000000Z") == [])
        #expect(try Self.starts("DTSTART:20261130T000000Z") == ["20261130T000000"])
        #expect(try Self.starts("DTSTART:20261213T235959Z") == ["20261213T235959"])
        #expect(try Self.starts("DTSTART:20261214T000000Z") == [])
    }

    /// A time that comes twice is the first one; one that is skipped counts by the offset before.
    @Test(
        arguments: [
            ("20261025T023000", "20261025T003000"), ("20260329T023000", "20260329T013000"),
            ("20261025T013000", "20261024T233000"), ("20261025T033000", "20261025T023000"),
        ])
    func clocksThatChange(_ local: String, _ utc: String) throws {
        let zones = try Self.noZones()
        let berlin = try #require(try zones.rules("W. Europe Standard Time"))
        let time = try #require(LocalTime(basic: local[...].utf8))
        #expect(LocalTime(seconds: berlin.utc(time)).basic == utc)
    }

    @Test(
        arguments: [
            "/freeassociation.sourceforge.net/Europe/Berlin", "/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin",
            "Romance Standard Time", "ROMANCE STANDARD TIME",
        ])
    func aZoneHasManyNames(_ name: String) throws {
        #expect(try Self.starts("DTSTART;TZID=\(name):20261201T090000") == ["20261201T080000"])
    }

    @Test func theListOfWindowsZonesIsOfZonesThatThereAre() throws {
        for name in WindowsZones.all { #expect(try Self.noZones().rules(name) != nil, "\(name)") }
        #expect(WindowsZones.all.count > 130)
    }

    @Test func whoseCalendarItIsMayBeSaid() throws {
        let event = Self.event("DTSTART:20261201T090000Z", "ATTENDEE;PARTSTAT=DECLINED:mailto:Bo@Example.com")
        #expect(try Self.read(event).occurrences.count == 1)
        #expect(try Self.read(event, owners: ["bo@example.com"]).occurrences.isEmpty)
        #expect(try Self.read("X-WR-CALNAME:bo@example.com\n" + event).skipped == [.declined: 1])
    }

    @Test func ofManyOccurrencesTheFirstAreKept() throws {
        let events = (0..<2_600).reversed().map { number in
            let start = LocalTime(seconds: Self.start / 1_000 + 60 * number).basic
            return "BEGIN:VEVENT\nUID:\(number)\n\(Self.link)\nDTSTART:\(start)Z\nEND:VEVENT"
        }
        let feed = try Self.read(events.joined(separator: "\n"))
        #expect(feed.hasMore)
        #expect(feed.occurrences.map(\.uid) == (0..<500).map { "\($0)" })
    }

    @Test(
        arguments: [
            ("LOCATION:Room 5 / https://meet.google.com/abc-defg-hij", "abc-defg-hij"),
            ("DESCRIPTION:Join:https://meet.google.com/abc-\n defg-hij.", "abc-defg-hij"),
            ("DESCRIPTION:<a href=\"https://zoom.us/j/123456789?pwd=x&amp;y=z\">Join</a>", "123456789"),
            (
                "DESCRIPTION:https://www.google.com/url?q=https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij&sa=D",
                "abc-defg-hij"
            ),
            ("LOCATION:https://example.com/meet.google.com", nil),
            // Nobody gets in there without a passcode.
            ("LOCATION:https://teams.live.com/meet/9398850880426", nil),
            ("LOCATION:https://teams.live.com/meet/9398850880426?p=Secret1", "9398850880426"),
        ] as [(String, String?)])
    func aLinkIsFound(_ line: String, _ room: String?) throws {
        let feed = try Self.read("BEGIN:VEVENT\nUID:1\nDTSTART:20261201T090000Z\n\(line)\nEND:VEVENT")
        #expect(feed.occurrences.map(\.link.room.nativeID) == (room.map { [$0] } ?? []))
        #expect(feed.skipped == (room == nil ? [.withoutLink: 1] : [:]))
    }

    @Test func aTitleIsOneShortLine() throws {
        #expect(FeedText.title(" a\\nb\\, c\u{7} ") == "a b, c")
        #expect(FeedText.title(String(repeating: "\u{1F600}", count: 100))?.utf8.count == 200)
        #expect(FeedText.title(" \u{1} ") == nil)
    }
}
