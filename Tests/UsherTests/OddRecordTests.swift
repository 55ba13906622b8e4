import EventLoop
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// Records as another hand, or a broken one, may leave them: no number in them stops the process, and one that cannot be
/// read is left out of what it is a part of.
@Suite(.takesTurns) struct OddRecordTests {
    private static let numbers = [String(Int.max), String(Int.min), "-1", "1e400", "nan", "", "x"]

    @Test func timesOfATranscriptMayBeAnything() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let place = try await world.bot(at: meeting, .joining, .active)
            let segments = world.keys.partition.segments(ofMeeting: meeting)
            for number in Self.numbers {
                try await world.set(world.keys.partition.meeting(meeting), ["sessions": "\(place.botID)=\(number)"])
                for other in Self.numbers {
                    let value = "\(other)-0 c \(other) \(number) - {\"segment_id\":\"s\"}"
                    try await world.set(segments, ["\(place.botID):s": value])
                    let found = try #require(
                        try await world.session.meetings.meeting(id: meeting, workspace: world.workspaceID))
                    for json in try await world.transcriptObjects(of: found) {
                        #expect(json.hasPrefix("{\"segment_id\":\"s\","))
                    }
                }
            }
        }
    }

    /// A meeting may be restarted for ever, and its record is read whole with each list.
    @Test func ofManySessionsTheLastOnesAreKnown() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = world.keys.partition.meeting(meeting)
            let old = (0..<1_000).map { "\(Identifier.uuid())=\($0)" }
            try await world.set(key, ["sessions": old.joined(separator: " ")])
            let place = try await world.bot(at: meeting, .joining, .active)
            let sessions = try #require(try await world.snapshot()[key]?.hash?["sessions"])
            #expect(sessions.utf8.count < 20_100)
            #expect(sessions.contains("\(old.last!) \(place.botID)=") && !sessions.contains(old.first!))
            #expect(sessions.split(separator: " ").dropLast().allSatisfy { old.contains(String($0)) })
        }
    }

    @Test func whatNodesAndRunnersSayMayBeAnything() async throws {
        try await World.make { world in
            for (index, number) in Self.numbers.enumerated() {
                _ = try await world.client.send("ZADD", Keys.peers(.runners), "+inf", "r\(index)")
                try await world.set(
                    Keys.peer(.runners, "r\(index)"),
                    [
                        "id": "r\(index)", "started_at": number, "seen_at": number, "capacity": number,
                        "running": number, "process": number,
                    ])
            }
            _ = try await world.client.send("ZADD", Keys.peers(.runners), "+inf", "typeless")
            _ = try await world.client.send("SET", Keys.peer(.runners, "typeless"), "x")
            let overview = try await world.session.installation.overview()
            #expect(overview.runners.map(\.startedAt).sorted() == [.min, -1, .max])
            #expect(overview.capacity == -1 && overview.running == -1)

            // Nor do keys of another type hide the rest.
            _ = try await world.client.send("DEL", Keys.peers(.nodes), world.keys.partition.leases)
            for key in [Keys.peers(.nodes), world.keys.partition.leases, world.keys.partition.dispatch] {
                _ = try await world.client.send("SET", key, "x")
            }
            let spoilt = try await world.session.installation.overview()
            #expect(spoilt.runners.count == 3 && spoilt.nodes.isEmpty && spoilt.queue == QueueReading())
            #expect(try await world.session.installation.readQueue() == QueueReading())
        }
    }

    @Test func anEntryOfAQueueMayBeOfAnyTime() async throws {
        try await World.make { world in
            let place = try await world.send(to: try await world.meeting())
            let entry = try await world.entry()
            for number in [String(Int.max), String(Int.min)] {
                let fields = entry.merging(["dispatched_at": number]) { $1 }.flatMap { [$0.key, $0.value] }
                let reply: Value = .array([.string("1-0"), .array(fields.map { .string($0) })])
                let claim = try await world.session.bots.claim(
                    try #require(DispatchEntry(reply)), runner: "runner", secret: "secret", container: "c")
                guard case .claimed(_, _, let waited) = claim else {
                    Issue.record("\(place) is not claimed")
                    continue
                }
                #expect(number.hasPrefix("-") ? waited == .max : waited < 0)
            }
        }
    }

    // MARK: Lists

    /// Makes a key's record odd in each way in turn, and looks at what is left of a list.
    private static func spoil(
        _ key: String, without field: String, in world: World, _ body: () async throws -> Void
    ) async throws {
        let dump = try await world.snapshot()[key]?.hash ?? [:]
        _ = try await world.client.send("HDEL", key, field)
        try await body()
        _ = try await world.client.send("HSET", key, field, "x")
        try await body()
        _ = try await world.client.send("DEL", key)
        _ = try await world.client.send("SET", key, "x")
        try await body()
        _ = try await world.client.send("DEL", key)
        try await world.set(key, dump)
    }

    @Test func anOddMeetingIsLeftOutOfTheList() async throws {
        try await World.make { world in
            let ids = [try await world.meeting(), try await world.meeting(), try await world.meeting()]
            try await Self.spoil(world.keys.partition.meeting(ids[1]), without: "created_at", in: world) {
                var walk = MeetingWalk(
                    in: world.session, workspace: world.workspaceID, conditions: MeetingConditions(), from: nil,
                    offset: 0)
                let meetings = try await walk.read(count: 10, bytes: 100_000)
                #expect(meetings.map(\.id) == [ids[2], ids[0]])
            }
        }
    }

    @Test func anOddUserIsLeftOutOfTheList() async throws {
        try await World.make { world in
            let (user, _) = try await world.session.users.create(NewUser(email: "b@example.com"))
            let workspace = WorkspaceKeys(workspace: user.workspaceID).workspace
            for key in [Keys.user(user.id), workspace] {
                try await Self.spoil(key, without: "created_at", in: world) {
                    let (users, hasMore) = try await world.session.users.page(offset: 0, limit: 10)
                    #expect(users.map(\.email) == ["owner@example.com"] && !hasMore)
                }
            }
            #expect(try await world.session.users.page(offset: 0, limit: 10).users.count == 2)
            #expect(try await world.session.users.page(offset: .max, limit: 10).users.isEmpty)
        }
    }

    @Test func anOddKeyIsLeftOutOfTheList() async throws {
        try await World.make { world in
            let owner = try #require(Int(world.owner.userID))
            let new = NewAPIKey(workspaceID: world.workspaceID, userID: owner, scopes: [.bots])
            let first = try #require(try await world.session.apiKeys.create(new).made)
            let second = try #require(try await world.session.apiKeys.create(new).made)
            let record = Keys.apiKey(hash: Digest.sha256(first.key))
            try await Self.spoil(record, without: "created_at", in: world) {
                let keys = try await world.session.apiKeys.all(workspace: world.workspaceID)
                #expect(keys.map(\.id) == [second.record.id])
            }
            #expect(try await world.session.apiKeys.all(workspace: world.workspaceID).count == 2)
        }
    }

    @Test func anOddCalendarIsLeftOutOfTheList() async throws {
        try await World.make { world in
            let calendars = world.session.calendars
            func create() async throws -> String {
                try await calendars.create(
                    CalendarChange(name: "Work", url: "https://a.example/"), of: world.owner.userID,
                    workspace: world.workspaceID
                ).get()
            }
            let (odd, other) = (try await create(), try await create())
            try await Self.spoil(world.keys.calendar(odd).calendar, without: "id", in: world) {
                let all = try await calendars.all(workspace: world.workspaceID)
                #expect(all.map(\.id) == [other])
            }
            let of = world.keys.calendars(of: world.owner.userID)
            _ = try await world.client.send("DEL", of)
            _ = try await world.client.send("SET", of, "x")
            #expect(try await calendars.all(workspace: world.workspaceID).isEmpty)
        }
    }

    @Test func anOddBotIsLeftOutOfThoseThatRun() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            for (key, field) in [
                (world.keys.partition.bot(place.botID), "meeting_id"),
                (world.keys.partition.meeting(place.meetingID), "number"),
            ] {
                try await Self.spoil(key, without: field, in: world) {
                    let (bots, _) = try await world.session.bots.page(
                        ofWorkspace: world.workspaceID, from: nil, limit: 10)
                    #expect(bots.isEmpty)
                }
            }
            for score in ["0.5", "inf", "1e300"] {
                _ = try await world.client.send("ZADD", world.keys.bots, score, "odd \(score)")
            }
            let (bots, _) = try await world.session.bots.page(
                ofWorkspace: world.workspaceID, from: nil, limit: 10)
            #expect(bots.map(\.botID) == [place.botID])
        }
    }
}
