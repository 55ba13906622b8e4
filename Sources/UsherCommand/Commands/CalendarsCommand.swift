import Calendars
import EventLoop
import Glibc
import Log
import Redis
import Usher

/// `usher calendars`: what nodes make of calendars.
enum CalendarsCommand {
    private struct Report: Encodable {
        struct Entry: Encodable {
            let uid: String
            let recurrenceID: String
            let start: String
            let end: String
            let title: String?
            let meetingURL: String

            enum CodingKeys: String, CodingKey {
                case uid, start, end, title
                case recurrenceID = "recurrence_id"
                case meetingURL = "meeting_url"
            }
        }

        let occurrences: [Entry]
        let skipped: [String: Int]
        let problem: String?
        let hasMore: Bool

        enum CodingKeys: String, CodingKey {
            case occurrences, skipped, problem
            case hasMore = "has_more"
        }

        init(_ feed: CalendarFeed) {
            occurrences = feed.occurrences.map { occurrence in
                Entry(
                    uid: occurrence.uid, recurrenceID: occurrence.recurrenceID,
                    start: Timestamp.withZone(occurrence.start), end: Timestamp.withZone(occurrence.end),
                    title: occurrence.title, meetingURL: occurrence.link.url)
            }
            skipped = Dictionary(uniqueKeysWithValues: feed.skipped.map { ($0.key.rawValue, $0.value) })
            problem = feed.problem
            hasMore = feed.hasMore
        }
    }

    /// How many of a calendar's plans are shown.
    private static let next = 5

    /// Shows the calendars of a workspace.
    /// - Returns: 0, or 1 if Redis does not answer.
    static func run(_ settings: Settings, workspace: String) -> Int32 {
        do {
            let found = try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                var found: [(calendar: FeedCalendar, next: [PlannedOccurrence])] = []
                for calendar in try await session.calendars.all(workspace: workspace) {
                    found.append((calendar, try await session.calendars.next(next, of: calendar)))
                }
                return found
            }
            if found.isEmpty { Terminal.say("no calendars") }
            for (calendar, next) in found {
                for line in lines(calendar, next) { Terminal.say(line) }
            }
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private static func lines(_ calendar: FeedCalendar, _ next: [PlannedOccurrence]) -> [String] {
        var words = ["user \(calendar.userID)", calendar.maskedURL]
        if !calendar.isEnabled { words.append("disabled") }
        words.append(calendar.syncedAt.map { "read \(Timestamp.withZone($0))" } ?? "not read yet")
        if let problem = calendar.problem { words.append(problem) }
        let rows = next.map { [Timestamp.withZone($0.start), $0.meetingID, $0.isShared ? "of others" : ""] }
        return ["\(calendar.id)  \(calendar.name.jsonEscaped)  \(words.joined(separator: ", "))"]
            + OverviewText.table(["start", "meeting", ""], rows)
    }

    /// Reads a file as nodes read feeds.
    /// - Returns: 0, or 1 if it cannot be read or is none.
    static func check(file: String, now: Int?, asJSON: Bool) -> Int32 {
        do {
            let now = now ?? WallClock.milliseconds
            let end = now.addingClamped(CalendarFeed.aheadMilliseconds)
            let feed = try CalendarFeed(try contents(of: file), span: now...end)
            if asJSON {
                Terminal.say(try PrettyJSON.text(Report(feed)))
            } else {
                for line in lines(feed) { Terminal.say(line) }
            }
            return 0
        } catch let error as FeedError {
            Terminal.complain("\(file) \(error.reason).")
        } catch {
            Terminal.complain("\(file) cannot be read: \(error)")
        }
        return 1
    }

    private static func lines(_ feed: CalendarFeed) -> [String] {
        var lines = OverviewText.table(
            ["start", "room", "title"],
            feed.occurrences.map { [Timestamp.withZone($0.start), $0.link.room.description, $0.title ?? ""] })
        if lines.isEmpty { lines.append("no meetings in the next two weeks") }
        for skip in CalendarFeed.Skip.allCases {
            if let count = feed.skipped[skip] { lines.append("\(count) left out: \(skip.meaning)") }
        }
        if let problem = feed.problem { lines.append("the first that could not be read \(problem)") }
        if feed.hasMore { lines.append("there are more: these are the first") }
        return lines
    }

    /// - Throws: `SystemError`.
    private static func contents(of path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece: [UInt8] = Array(repeating: 0, count: 65_536)
        // One more than there may be, so that it is refused for that.
        while bytes.count <= CalendarFeed.maximumBytes {
            let count = read(descriptor, &piece, piece.count)
            if count == 0 { break }
            guard count > 0 else { throw SystemError("read") }
            bytes += piece[..<count]
        }
        return bytes
    }
}

extension CalendarFeed.Skip {
    fileprivate var meaning: String {
        switch self {
        case .allDay: "all day"
        case .cancelled: "cancelled"
        case .declined: "declined by the calendar's owner"
        case .withoutLink: "no link to a meeting in them"
        case .unreadable: "could not be read"
        }
    }
}
