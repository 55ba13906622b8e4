import Calendars
import Usher

extension Target {
    /// Feeds of calendars: what is made of one lies in the span that was asked for, in order, and each once.
    static let calendars: Target = {
        var target = Target(name: "ical", maximumBytes: 16_384, tokens: tokens, violation: violation)
        // They are read on a thread of their own.
        target.maximumNanoseconds = 2_000_000_000
        return target
    }()

    private static let tokens = [
        "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n", "BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "BEGIN:VTIMEZONE\r\n",
        "BEGIN:STANDARD\r\n", "END:STANDARD\r\n", "BEGIN:DAYLIGHT\r\n", "END:VTIMEZONE\r\n", "\r\n ", "\n\t", "\r\n",
        "UID:1\r\n", "DTSTART:20261201T090000Z\r\n", "DTSTART;TZID=Europe/Berlin:20261201T090000\r\n",
        "DTSTART;VALUE=DATE:20261201\r\n", "DTEND:", "DURATION:P1DT2H\r\n", "RRULE:FREQ=", "EXRULE:FREQ=", "SECONDLY",
        "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", ";INTERVAL=", ";COUNT=",
        ";UNTIL=20261210T000000Z",
        ";BYDAY=MO,-1FR", ";BYMONTHDAY=-1,31", ";BYMONTH=2", ";BYSETPOS=-1", ";BYWEEKNO=53", ";BYYEARDAY=-366",
        ";BYHOUR=0,12", ";BYMINUTE=0", ";BYSECOND=60", ";WKST=SA", "RDATE:20261202T090000Z,20261203T090000Z/PT1H\r\n",
        "EXDATE:20261201T090000Z\r\n", "EXDATE;VALUE=DATE:20261201\r\n", "RECURRENCE-ID:20261202T090000Z\r\n",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20261202T090000Z\r\n", "STATUS:CANCELLED\r\n", "SEQUENCE:9\r\n",
        "LOCATION:https://meet.google.com/abc-defg-hij\r\n", "DESCRIPTION:", "&amp;", "\\n", "\\,", "\\",
        "TZID:W. Europe Standard Time\r\n", "TZOFFSETFROM:+0100\r\n", "TZOFFSETTO:-235959\r\n",
        "X-WR-TIMEZONE:America/New_York\r\n", "99991231T235959", "00010101T000000", "999999999", "-", "+", ",", ";",
        ":",
        "=", "\"", "\0", "\u{e4}",
    ]

    private static func violation(_ input: [UInt8], _: inout Mutator) -> String? {
        // 2026-11-30, and two weeks.
        let span = 1_796_000_000_000...(1_796_000_000_000 + CalendarFeed.aheadMilliseconds)
        guard let feed = try? CalendarFeed(input, span: span, owners: ["anna@example.com"]) else { return nil }
        var known: Set<[String]> = []
        var last = Int.min
        for occurrence in feed.occurrences {
            guard occurrence.start < span.upperBound, occurrence.end >= span.lowerBound,
                occurrence.end >= occurrence.start
            else { return "\(occurrence) is out of the span" }
            guard occurrence.start >= last else { return "\(occurrence) is out of order" }
            guard known.insert([occurrence.uid, occurrence.recurrenceID]).inserted else {
                return "\(occurrence) is there twice"
            }
            guard (occurrence.title ?? "").utf8.count <= 200 else { return "a title is too long" }
            last = occurrence.start
        }
        return feed.occurrences.count <= 500 ? nil : "there are too many"
    }
}
