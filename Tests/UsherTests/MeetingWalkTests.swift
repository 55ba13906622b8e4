import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// Lists of meetings: which are in them, and what one may cost.
@Suite(.takesTurns) struct MeetingWalkTests {
    /// Follows cursors from page to page.
    private static func pages(
        _ world: World, _ conditions: MeetingConditions = MeetingConditions(), limit: Int = 50, offset: Int = 0,
        between: () async throws -> Void = {}
    ) async throws -> [[Int]] {
        var pages: [[Int]] = []
        var cursor: MeetingCursor?
        repeat {
            var walk = MeetingWalk(
                in: world.session, workspace: world.workspaceID, conditions: conditions, from: cursor,
                offset: cursor == nil ? offset : 0)
            var page: [Int] = []
            while page.count < limit {
                let meetings = try await walk.read(count: limit - page.count, bytes: 10_000)
                if meetings.isEmpty { break }
                page += meetings.map(\.number)
            }
            #expect(page.count <= limit)
            pages.append(page)
            cursor = try await walk.next()
            if let text = cursor?.description { #expect(MeetingCursor(text) == cursor) }
            try await between()
        } while cursor != nil
        return pages
    }

    @Test(arguments: [1, 7, 50, 1_000]) func eachMeetingIsOnOnePageThoughOthersAreMade(_ limit: Int) async throws {
        try await World.make { world in
            try await world.addMeetings(1...333)
            var made = 333
            let pages = try await Self.pages(world, limit: limit) {
                made += 1
                try await world.addMeetings(made...made)
            }
            #expect(pages.flatMap(\.self) == Array((1...333).reversed()))
            #expect(pages.count == (333 + limit - 1) / limit)
            // By offsets too, while none are made.
            let later = try await Self.pages(world, limit: limit, offset: made - 100)
            #expect(later.flatMap(\.self).last == 1)
        }
    }

    @Test func conditionsChooseAmongThem() async throws {
        try await World.make { world in
            try await world.addMeetings(1...10)
            try await world.addMeetings(11...20, ["bot_status": "failed", "status": "OFFLINE"])
            try await world.addMeetings(21...30, ["bot_status": "requested", "platform": "zoom"])
            func numbers(_ change: (inout MeetingConditions) -> Void) async throws -> [Int] {
                var conditions = MeetingConditions()
                change(&conditions)
                return try await Self.pages(world, conditions, limit: 4).flatMap(\.self)
            }
            #expect(try await numbers { $0.shownStatus = "failed" } == Array((11...20).reversed()))
            // As it is shown, one without a bot is requested.
            #expect(
                try await numbers { $0.shownStatus = "requested" }
                    == Array(((1...10).map { $0 } + (21...30)).reversed()))
            #expect(
                try await numbers {
                    $0.shownStatus = "requested"
                    $0.excludesPlanned = true
                } == Array((21...30).reversed()))
            #expect(try await numbers { $0.platform = .zoom } == Array((21...30).reversed()))
            #expect(try await numbers { $0.status = .offline } == Array((11...20).reversed()))
            #expect(try await numbers { $0.status = .live } == [])
        }
    }

    /// What few meetings have must not have a request read them all: its cursor leads on, offsets included.
    @Test func aWalkThatFindsLittleEndsEarlyAndLeadsOn() async throws {
        try await World.make { world in
            let count = 2 * MeetingWalk.maximumLooked + 100
            try await world.addMeetings(1...5, ["bot_status": "failed"])
            try await world.addMeetings(6...count)
            var conditions = MeetingConditions()
            conditions.shownStatus = "failed"
            #expect(try await Self.pages(world, conditions, limit: 3) == [[], [], [5, 4, 3], [2, 1]])
            #expect(try await Self.pages(world, conditions, limit: 3, offset: 2) == [[], [], [3, 2, 1]])
            #expect(MeetingCursor("0-7")?.skip == 7)
            for text in ["", "-", "1-", "-1", "1-2-3", "+1", "1-+2", "a", "99999999999999999999", "1 "] {
                #expect(MeetingCursor(text) == nil, "\(text)")
            }
        }
    }

    @Test func aBrokenOrRemovedRecordIsLeftOut() async throws {
        try await World.make { world in
            try await world.addMeetings(1...5)
            _ = try await world.client.send("HDEL", world.keys.partition.meeting("m2"), "created_at")
            for id in ["m3", "m5"] { _ = try await world.client.send("DEL", world.keys.partition.meeting(id)) }
            _ = try await world.client.send("SET", world.keys.partition.meeting("m5"), "no record")
            var walk = MeetingWalk(
                in: world.session, workspace: world.workspaceID, conditions: MeetingConditions(), from: nil, offset: 0)
            let read = try await walk.read(count: 10, bytes: 10_000)
            #expect(read.map(\.number) == [4, 1])
            let next = try await walk.next()
            #expect(next == nil)
            // Nor does one that cannot be read spoil a search.
            var conditions = MeetingConditions()
            conditions.platform = .googleMeet
            #expect(try await Self.pages(world, conditions, limit: 10) == [[4, 1]])
        }
    }

    /// However much is in them, a reply has about the bytes that were asked for, and one record in any case.
    @Test func recordsAreReadUntilTheyHaveSoManyBytes() async throws {
        try await World.make { world in
            try await world.addMeetings(1...3, ["notes": String(repeating: "n", count: 1_000)])
            let ids = ["m1", "m2", "none", "m3"]
            let keys = ids.map { world.keys.partition.meeting($0) }
            try await world.expectNoChange { () async throws in
                for (bytes, expected) in [(1, ["m1"]), (1_500, ["m1", "m2"]), (9_999, ["m1", "m2", nil, "m3"])] {
                    let reply = try await world.run(
                        Scripts.ReadMeetings(meetingKeys: keys, maxBytes: bytes, meetingIDs: ids)
                    ).arrayOrThrow()
                    let places = stride(from: 0, to: reply.count, by: 2)
                    #expect(try places.map { try reply[$0].stringOrThrow() } == Array(ids.prefix(expected.count)))
                    #expect(try places.map { try reply[$0 + 1].hash()["id"] } == expected)
                }
            }
        }
    }
}

extension World {
    /// Records as they are after meetings have been made, `m<number>` each, in one write.
    func addMeetings(_ numbers: ClosedRange<Int>, _ fields: [String: String] = [:]) async throws {
        let extra = fields.filter { $0.key != "platform" }.flatMap { [$0.key, $0.value] }
        let commands = numbers.flatMap { number in
            [
                Command(
                    words: [
                        "HSET", keys.partition.meeting("m\(number)"), "id", "m\(number)", "number", "\(number)",
                        "workspace_id", workspaceID, "platform", fields["platform"] ?? "google_meet",
                        "native_meeting_id", "abc-defg-hij", "created_at", "1",
                    ] + (fields["status"] == nil ? ["status", "INITIAL"] : []) + extra),
                Command("ZADD", keys.meetings, "\(number)", "m\(number)"),
            ]
        }
        _ = try await client.pipeline(commands, deadline: Client.soon)
    }
}
