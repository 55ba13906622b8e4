import Usher

/// A calendar as it is shown, and what came of its feed.
enum CalendarObject {
    static func json(_ calendar: FeedCalendar) -> JSONText {
        var object = JSONText(capacity: 512)
        object.add("id", calendar.id)
        object.add("name", calendar.name)
        object.add("ics_url_set", json: "true")
        object.add("ics_url_masked", calendar.maskedURL)
        object.add("auto_join", json: String(calendar.autoJoin))
        object.add("bot_name", calendar.botName)
        object.add("enabled", json: String(calendar.isEnabled))
        object.add("last_sync", time: calendar.syncedAt)
        object.add("last_error", calendar.problem)
        return object
    }

    /// How many of the meetings that are planned are shown with a reading.
    static let shownMeetings = 5

    static func reading(_ calendar: FeedCalendar, next: [Meeting], isUnderWay: Bool? = nil) -> JSONText {
        var counts = JSONText()
        counts.add("created", calendar.counts.created)
        counts.add("updated", calendar.counts.updated)
        counts.add("cancelled", calendar.counts.cancelled)
        var skipped = JSONText()
        let found = Dictionary(
            calendar.skipped.split(separator: " ").map { part in
                let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(sides[0]), sides.count == 2 ? Int(sides[1]) ?? 0 : 0)
            }, uniquingKeysWith: { first, _ in first })
        skipped.add("all_day", found["all_day"] ?? 0)
        skipped.add("cancelled", found["cancelled"] ?? 0)
        skipped.add("declined", found["declined"] ?? 0)
        skipped.add("without_link", found["without_link"] ?? 0)
        skipped.add("unreadable", found["unreadable"] ?? 0)
        var object = JSONText(capacity: 512)
        object.add("calendar_id", calendar.id)
        object.add("calendar_name", calendar.name)
        object.add("last_sync", time: calendar.syncedAt)
        object.add("last_error", calendar.problem)
        object.add("is_syncing", json: String(isUnderWay ?? calendar.isSyncing))
        object.add("counts", counts)
        object.add("skipped", skipped)
        object.add(
            "next",
            next.map { meeting in
                var object = JSONText()
                object.add("meeting_id", meeting.number)
                object.add("name", meeting.title)
                object.add("scheduled_at", time: meeting.scheduledAt)
                return object
            })
        return object
    }

    // MARK: What is said of it

    static let schema = NamedSchema(
        "Calendar", "A calendar of whose meetings bots are planned.",
        .object(
            .required("id", .string), .required("name", .string), .required("ics_url_set", .boolean),
            .required("ics_url_masked", .string, "Its host alone: the rest is a secret."),
            .required("auto_join", .boolean), .required("bot_name", Schema.string.orNull),
            .required("enabled", .boolean), .required("last_sync", Schema.time.orNull),
            .required("last_error", Schema.string.orNull, "Why it was not read, or not all of it was planned.")))

    static let example: OrderedJSON = [
        "id": .string(CalendarEndpoints.exampleID), "name": "Work", "ics_url_set": true,
        "ics_url_masked": "https://calendar.example.com/********", "auto_join": true, "bot_name": nil, "enabled": true,
        "last_sync": .string(Sample.time), "last_error": nil,
    ]

    private static let count = Schema.integer(0...)

    static let readingSchema = NamedSchema(
        "CalendarReading", "What came of the last reading of a calendar's feed.",
        .object(
            .required("calendar_id", .string), .required("calendar_name", .string),
            .required("last_sync", Schema.time.orNull), .required("last_error", Schema.string.orNull),
            .required("is_syncing", .boolean, "Whether it is being read, or is to be at once."),
            .required(
                "counts",
                .object(.required("created", count), .required("updated", count), .required("cancelled", count)),
                "What it changed among the plans."),
            .required(
                "skipped",
                .object(
                    .required("all_day", count), .required("cancelled", count), .required("declined", count),
                    .required("without_link", count), .required("unreadable", count)),
                "How many events were left out, by reason."),
            .required(
                "next",
                .list(
                    of: .object(
                        .required("meeting_id", .integer(1...), "The meeting's `id`."),
                        .required("name", Schema.string.orNull),
                        .required("scheduled_at", Schema.time.orNull))),
                "The first \(shownMeetings) meetings that are planned of it and have had no bot yet.")))

    static let readingExample: OrderedJSON = [
        "calendar_id": .string(CalendarEndpoints.exampleID), "calendar_name": "Work",
        "last_sync": .string(Sample.time), "last_error": nil, "is_syncing": false,
        "counts": ["created": 3, "updated": 0, "cancelled": 1],
        "skipped": ["all_day": 1, "cancelled": 0, "declined": 0, "without_link": 4, "unreadable": 0],
        "next": [["meeting_id": 123, "name": "Weekly", "scheduled_at": .string(Sample.time)]],
    ]
}
