import API
import Foundation
import Redis
import TestTurns
import Testing

@testable import Usher
@testable import UsherCommand

/// What `usher status` and `usher watch` print.
@Suite(.takesTurns) struct StatusTests {
    private static func peer(_ id: String, _ fields: [String: String]) throws -> Peer {
        let all = [
            "id": id, "host": "a", "process": "7", "version": "0.1.0", "state": "running", "started_at": "1000",
            "seen_at": "3599000",
        ].merging(fields) { $1 }
        return try #require(Peer(all))
    }

    private static func overview() throws -> Overview {
        var overview = Overview()
        overview.at = 3_600_000
        overview.nodes = [
            try peer("a-1", ["address": "127.0.0.1:8080"]),
            try peer("a-long-2", ["address": "10.0.0.2:80", "state": "stop\nping", "process": "12345"]),
        ]
        overview.runners = [try peer("a-3", ["capacity": "10", "running": "2", "problem": "no node\n"])]
        overview.queue.waiting = 1
        overview.queue.oldestMilliseconds = 61_500
        overview.queue.leased = 3
        overview.overdue = 1
        overview.planned = 4
        overview.queue.waitingWebhooks = 2
        overview.queue.overdueMilliseconds = 1_500
        overview.queue.unfiledChanges = 3
        overview.statuses = [.requested: 1, .active: 2]
        return overview
    }

    @Test func theColumnsStandOneBelowTheOther() throws {
        #expect(
            OverviewText.lines(try Self.overview()) == [
                "nodes     2",
                "  ID        HOST  PROCESS  VERSION  ADDRESS         STATE       UP           SEEN",
                "  a-1       a     7        0.1.0    127.0.0.1:8080  running     59 min 59 s  1.0 s ago",
                "  a-long-2  a     12345    0.1.0    10.0.0.2:80     stop\\nping  59 min 59 s  1.0 s ago",
                "runners   1, with 2 of 10 places taken",
                "  ID   HOST  PROCESS  VERSION  BOTS  STATE    UP           SEEN",
                "  a-3  a     7        0.1.0    2/10  running  59 min 59 s  1.0 s ago",
                "  a-3: no node\\n",
                "rooms     4 held: 1 requested, 2 active (of the first 3)",
                "queue     1 waiting, the oldest for 1 min 1 s",
                "leases    2 live, 1 overdue",
                "plans     4 within the hour",
                "webhooks  2 wait to be told, the first for 1.5 s; 3 changes not filed yet",
            ])
    }

    @Test func theOperatorsEndpointHasALineIfThereIsOne() {
        var overview = Overview()
        func line() -> String? { OverviewText.lines(overview).first { $0.hasPrefix("operator") } }
        #expect(line() == nil)
        overview.queue.operatorEndpoint.isThere = true
        #expect(line() == "operator  nothing waits")
        overview.queue.operatorEndpoint.waiting = 3
        overview.queue.operatorEndpoint.failingMilliseconds = 61_500
        overview.queue.operatorEndpoint.dropped = 7
        #expect(line() == "operator  something waits of 3 workspaces, failing for 1 min 1 s, 7 events dropped")
    }

    @Test func nothingAtAllIsSaidToo() {
        #expect(
            OverviewText.lines(Overview()) == [
                "nodes     none", "runners   none", "rooms     none held", "queue     empty",
                "leases    0 live, 0 overdue", "plans     none within the hour", "webhooks  nothing waits",
            ])
    }

    @Test func whatTheArchiveHasIsSaidWhereThereIsOne() {
        var overview = Overview()
        overview.archive = (moved: 3, removals: 1, problem: "its store answers 503\n")
        #expect(
            OverviewText.lines(overview).last
                == "archive   3 meetings moved, 1 objects to be removed; it cannot be used: its store answers 503\\n")
    }

    @Test(arguments: [
        (-5, "0.0 s"), (-1_500, "0.0 s"), (0, "0.0 s"), (59_999, "59.9 s"), (60_000, "1 min 0 s"),
        (3_599_999, "59 min 59 s"),
        (7_500_000, "2 h 5 min"), (86_400_000, "1 d 0 h"), (273_600_000, "3 d 4 h"),
    ])
    func durationsHaveTheirTwoLargestUnits(_ milliseconds: Int, _ text: String) {
        #expect(OverviewText.duration(milliseconds) == text)
    }

    @Test func theObjectHasTheSame() throws {
        let text = try PrettyJSON.text(OverviewObject(try Self.overview()))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == ["at", "nodes", "runners", "rooms", "queue", "leases", "plans", "webhooks", "archive"])
        #expect(object["plans"] as? [String: Int] == ["within_hour": 4])
        #expect(object["queue"] as? [String: Int] == ["waiting": 1, "oldest_ms": 61_500])
        #expect(object["leases"] as? [String: Int] == ["live": 2, "overdue": 1])
        let rooms = try #require(object["rooms"] as? [String: Any])
        #expect(rooms["held"] as? Int == 4 && rooms["by_status"] as? [String: Int] == ["requested": 1, "active": 2])
        let runner = try #require((object["runners"] as? [[String: Any]])?.first)
        #expect(runner["problem"] as? String == "no node\n")
        #expect(runner["capacity"] as? Int == 10 && runner["started_at"] as? String == "1970-01-01T00:00:01.000Z")
    }

    private static let entry = Value.array([
        .string("5000-0"),
        .array(
            [
                "what", "active", "meeting_id", "m1", "bot_id", "b1", "from", "INITIAL/joining", "to", "LIVE/active",
                "why",
                "a \"b\"\n", "at", "5001", "trace_id", "t1", "unknown", "x",
            ].map { .string($0) }),
    ])

    @Test func anEventIsALineInEitherForm() throws {
        let event = try #require(MeetingEvent(Self.entry))
        let place = EventWatch.Place(workspaceID: "w1", room: "zoom:12345678901")
        let people = EventLine.text(event, place, .people)
        #expect(people.split(separator: " ").first == "1970-01-01T00:00:05.001Z" && !people.contains("\n"))
        for part in [
            "INITIAL/joining -> LIVE/active ", "workspace=w1", "room=zoom:12345678901", "meeting=m1", "bot=b1",
            "trace=t1",
        ] {
            #expect(people.contains(part))
        }
        let json = Data(EventLine.text(event, place, .json).utf8)
        #expect(
            try JSONSerialization.jsonObject(with: json) as? [String: String] == [
                "time": "1970-01-01T00:00:05.001Z", "what": "active", "workspace_id": "w1",
                "room": "zoom:12345678901", "meeting_id": "m1", "bot_id": "b1",
                "from": "INITIAL/joining", "to": "LIVE/active", "why": "a \"b\"\n", "trace_id": "t1", "id": "5000-0",
            ])
    }

    @Test func whatIsNoEventIsNone() {
        #expect(MeetingEvent(.array([.string("1-0"), .array([.string("a"), .string("b")])])) == nil)
        #expect(MeetingEvent(.null) == nil)
    }
}
