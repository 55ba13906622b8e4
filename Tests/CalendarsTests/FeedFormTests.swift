import Foundation
import Testing
import Usher

@testable import Calendars

/// Feeds as programs write them: Google's, Outlook's, Apple's, Nextcloud's and Fastmail's.
@Suite struct FeedFormTests {
    private static let start = LocalTime(basic: "20261130T000000"[...].utf8)!.seconds * 1_000
    private static let span = start...(start + CalendarFeed.aheadMilliseconds)

    private static func feed(_ name: String) throws -> CalendarFeed {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appendingPathComponent("FuzzTests/Corpus/ical/\(name).ics")
        return try CalendarFeed(Array(try Data(contentsOf: file)), span: span)
    }

    private static func lines(_ feed: CalendarFeed) -> [String] {
        feed.occurrences.map { occurrence in
            let (start, end) = (
                LocalTime(seconds: occurrence.start / 1_000), LocalTime(seconds: occurrence.end / 1_000)
            )
            return "\(start.basic)-\(end.basic.suffix(6)) \(occurrence.link.room.nativeID) \(occurrence.title ?? "")"
        }
    }

    @Test(
        arguments: [
            (
                "google",
                [
                    "20261130T083000-090000 abc-defg-hij Weekly, all of us",
                    "20261207T130000-133000 abc-defg-hij Weekly, later today",
                    "20261209T083000-090000 abc-defg-hij Weekly, all of us",
                ]
            ),
            (
                "outlook-desktop",
                [
                    "20261201T090000-100000 19:meeting_NjAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAw@thread.v2 Planung"
                ]
            ),
            ("outlook-web", ["20261201T170000-173000 19:meeting_BOARD@thread.v2 Board"]),
            ("nextcloud", ["20261130T150000-154500 nex-tclo-udd Sprechstunde f\u{fc}r alle"]),
            (
                "fastmail",
                ["01T160000-170000", "03T160000-170000", "08T170000-180000"]
                    .map { "202612\($0) fas-tmai-lll Call with New York" }
            ),
            ("floating", ["20261201T160000-163000 123456789 Where people are"]),
            (
                "apple",
                ["1130", "1202", "1204", "1206", "1208", "1210", "1212"]
                    .map { "2026\($0)T073000-074500 85123456789 Stand-up" }
            ),
        ])
    func aFeedIsUnderstood(_ name: String, _ expected: [String]) throws {
        #expect(Self.lines(try Self.feed(name)) == expected)
    }

    @Test(arguments: MeetingLink.teamsHosts)
    func aLinkToAnyHostOfTeamsIsFound(_ host: String) throws {
        let lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:1", "DTSTART:20261201T090000Z",
            "DTEND:20261201T100000Z", "DESCRIPTION:Join: https://\(host)/meet/9398850880426?p=Ab1", "END:VEVENT",
            "END:VCALENDAR", "",
        ]
        let feed = try CalendarFeed(Array(lines.joined(separator: "\r\n").utf8), span: Self.span)
        #expect(feed.occurrences.map(\.link.room.nativeID) == ["9398850880426"])
    }

    @Test func whatIsNoMeetingIsCountedByReason() throws {
        #expect(try Self.feed("google").skipped == [.allDay: 1, .declined: 1])
        #expect(try Self.feed("outlook-web").skipped == [.cancelled: 1])
    }

    @Test func aRecurrenceIDStaysWhenAnOccurrenceMoves() throws {
        let moved = try #require(try Self.feed("google").occurrences.first { $0.title == "Weekly, later today" })
        #expect(moved.recurrenceID == "20261207T083000Z")
        let single = try #require(try Self.feed("nextcloud").occurrences.first)
        #expect(single.recurrenceID == "")
    }

    @Test func whatFollowsAChangedOccurrenceChangesToo() throws {
        let feed = try Self.feed("following")
        let times = feed.occurrences.map { LocalTime(seconds: $0.start / 1_000).basic.suffix(6) }
        #expect(times == ["090000", "090000"] + Array(repeating: "100000", count: 12))
        #expect(feed.occurrences.map(\.title) == ["Before", "Before"] + Array(repeating: "After", count: 12))
        #expect(feed.occurrences[5].recurrenceID == "20261205T090000Z")
        #expect(feed.occurrences[5].end - feed.occurrences[5].start == 900_000)
    }

    @Test func rulesWithoutAnEndEnd() throws {
        let feed = try Self.feed("endless")
        #expect(feed.occurrences.isEmpty)
        #expect(feed.unreadable == ["endless", "counted"])
        #expect(feed.problem == "has a rule that recurs too often")
    }
}
