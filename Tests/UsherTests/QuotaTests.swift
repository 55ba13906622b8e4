import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// What a workspace may have, and that it gets back what it gives up.
@Suite(.takesTurns) struct QuotaTests {
    private static func number(_ key: String, _ field: String, _ world: World) async throws -> Int {
        Int(try await world.snapshot()[key]?.hash?[field] ?? "0") ?? -1
    }

    /// The sum in the workspace's hash, after a look that it is that of its meetings.
    private static func bytes(_ world: World) async throws -> Int {
        let snapshot = try await world.snapshot()
        let ids = snapshot[world.keys.meetings]?.sortedSet?.keys.map { $0 } ?? []
        let parts = ids.map { Int(snapshot[world.keys.partition.meeting($0)]?.hash?["bytes"] ?? "0") ?? -1 }
        let sum = Int(snapshot[world.keys.workspace]?.hash?["bytes"] ?? "0")
        #expect(sum == parts.reduce(0, +))
        return sum ?? -1
    }

    private static func plan(_ code: String, _ world: World) async throws -> MeetingCreation {
        let link = try MeetingLink(platform: .googleMeet, nativeID: code)
        return try await world.session.meetings.create(NewMeeting(link: link), by: world.owner)
    }

    private static func send(_ code: String, _ world: World) async throws -> Result<String, BotRefusal> {
        let request = BotRequest(link: try MeetingLink(platform: .googleMeet, nativeID: code))
        do throws(BotRefusal) {
            let sent = try await world.session.bots.request(request, by: world.owner, trace: World.trace)
            return .success(sent.meeting.id)
        } catch {
            return .failure(error)
        }
    }

    private static func limit(_ world: World, _ changes: WorkspaceChanges) async throws {
        _ = try await world.session.workspaces.update(workspace: world.workspaceID, changes)
    }

    // MARK: Meetings

    /// A workspace's own limit goes before that of the settings, in both directions.
    @Test(arguments: [(settings: 2, own: nil), (settings: 9, own: 2), (settings: 1, own: 2)])
    func noMoreMeetingsThanTheLimit(settings: Int, own: Int?) async throws {
        var configuration = World.patient
        configuration.defaultMaximumMeetings = settings
        try await World.make(configuration: configuration) { world in
            if let own { try await Self.limit(world, WorkspaceChanges(maximumMeetings: .at(own))) }
            let first = try #require(try await Self.plan("aaa-aaaa-aaa", world).made)
            _ = try await Self.send("bbb-bbbb-bbb", world).get()
            let before = try await world.snapshot()
            guard case .refused(.meetings(limit: 2)) = try await Self.plan("ccc-cccc-ccc", world) else {
                Issue.record("a third meeting was planned")
                return
            }
            #expect(try await Self.send("ddd-dddd-ddd", world) == .failure(.quota(.meetings(limit: 2))))
            #expect(try await world.snapshot().changes(since: before) == [Keys.meetingSequence])

            // A bot for a meeting that is there is none more; and one that goes makes room.
            #expect(try await Self.send("aaa-aaaa-aaa", world) == .success(first.id))
            try await Self.limit(world, WorkspaceChanges(maximumMeetings: .at(3)))
            let third = try #require(try await Self.plan("ccc-cccc-ccc", world).made)
            #expect(try await world.session.meetings.removePlan(third) == .removed)
            #expect(try await Self.plan("ddd-dddd-ddd", world).made != nil)
            try await Self.limit(world, WorkspaceChanges(maximumMeetings: .byDefault))
            #expect(try await Self.number(world.keys.workspace, "max_meetings", world) == 0)
        }
    }

    // MARK: Bytes

    private static func refusal(_ creation: MeetingCreation) -> QuotaRefusal? {
        if case .refused(let refusal) = creation { refusal } else { nil }
    }

    /// What a request for a bot writes into the meeting that was planned counts, as does what it replaces.
    @Test func aPlanThatGetsItsBotGrows() async throws {
        try await World.make { world in
            let planned = try #require(try await Self.plan("aaa-aaaa-aaa", world).made)
            let before = try await Self.bytes(world)
            let name = String(repeating: "n", count: 4_000)
            func request(_ name: String) async throws -> Value {
                try await world.request(
                    planned.id, bot: Identifier.bot(in: world.keys.partition), number: nil, latest: planned.id,
                    in: planned.room, mostBytes: before + 4_000, "bot_name", name)
            }
            try await world.expectNoChange {
                let refusal = try await request(name + "n")
                #expect(refusal == .parts("workspace_full", before + 4_000))
            }
            #expect(try await request(name).array?.first == .string("accepted"))
            #expect(try await Self.bytes(world) == before + 4_000)
        }
    }

    /// What is refused for its bytes changes nothing; what is given up is there for others.
    @Test func noMoreBytesThanTheLimit() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let planned = try #require(try await Self.plan("aaa-aaaa-aaa", world).made)
            let limit = try await Self.bytes(world) + 5_000
            try await Self.limit(world, WorkspaceChanges(maximumBytes: .at(limit)))
            #expect(
                try await world.ingest(one("s", String(repeating: "x", count: 4_000)), for: place.meetingID)
                    == .stored(changed: 1))
            let taken = try await Self.bytes(world)
            #expect(taken > limit - 1_000)

            let before = try await world.snapshot()
            #expect(Self.refusal(try await Self.plan("bbb-bbbb-bbb", world)) == .bytes(limit: limit))
            #expect(try await Self.send("ccc-cccc-ccc", world) == .failure(.quota(.bytes(limit: limit))))
            let note = ["notes": String(repeating: "n", count: 1_001)]
            guard case .workspaceFull = try await world.session.meetings.update(planned, fields: note)
            else {
                Issue.record("notes were taken beyond the limit")
                return
            }
            #expect(
                try await world.ingest(one("t", String(repeating: "y", count: 1_000)), for: place.meetingID)
                    == .workspaceFull)
            let changes = try await world.snapshot().changes(since: before)
            #expect(changes.subtracting([Keys.meetingSequence]) == [])

            // What replaces something longer makes room, and is never refused.
            #expect(try await world.ingest(one("s", "short"), for: place.meetingID) == .stored(changed: 1))
            #expect(try await Self.bytes(world) < taken - 3_900)
            guard case .changed = try await world.session.meetings.update(planned, fields: note),
                case .changed = try await world.session.meetings.update(planned, fields: ["notes": ""])
            else {
                Issue.record("notes were not taken")
                return
            }
            #expect(try await Self.bytes(world) < taken - 3_900)
        }
    }

    /// Bots report, are stopped and end in a workspace that is full.
    @Test func whatRunsEndsInAFullWorkspace() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .awaitingAdmission)
            try await Self.limit(world, WorkspaceChanges(maximumMeetings: .at(0), maximumBytes: .at(0)))
            #expect(try await world.report(place, "active").arrayOrThrow().first == .string("accepted"))
            #expect(
                try await world.report(place, "completed", reason: "left_alone").arrayOrThrow().first
                    == .string("accepted"))
            try await world.expectFree()
        }
    }

    // MARK: Giving back

    @Test func whatIsRemovedIsGivenBack() async throws {
        try await World.make { world in
            let start = try await Self.bytes(world)
            let plan = try #require(try await Self.plan("aaa-aaaa-aaa", world).made)
            #expect(try await Self.bytes(world) > start + 1_000)
            #expect(try await world.session.meetings.removePlan(plan) == .removed)
            #expect(try await Self.bytes(world) == start)

            let place = try await world.bot(at: .active)
            let bare = try await Self.bytes(world)
            for number in 1...20 {
                _ = try await world.ingest(one("s\(number)", String(repeating: "x", count: 500)), for: place.meetingID)
            }
            #expect(try await Self.bytes(world) > bare + 10_000)
            _ = try await world.report(place, "completed", reason: "left_alone")
            _ = try await world.client.send("ZADD", world.keys.partition.analyzing, "1", place.meetingID)
            let meeting = try #require(
                try await world.session.meetings.meeting(id: place.meetingID, workspace: world.workspaceID))
            try await world.set(world.keys.partition.meeting(meeting.id), ["status": "OFFLINE"])
            #expect(try await world.session.meetings.removeContents(of: meeting) == .removed)
            #expect(try await Self.bytes(world) == start + 1_000)
        }
    }

    /// Records of versions that did not count have no bytes, and give none back.
    @Test func whatWasNotCountedIsNotGivenBack() async throws {
        try await World.make { world in
            let old = try #require(try await Self.plan("aaa-aaaa-aaa", world).made)
            _ = try await world.client.send("HDEL", world.keys.partition.meeting(old.id), "bytes")
            _ = try await world.client.send("HDEL", world.keys.workspace, "bytes")
            let new = try #require(try await Self.plan("bbb-bbbb-bbb", world).made)
            let bytes = try await Self.bytes(world)
            #expect(bytes > 1_000)
            #expect(try await world.session.meetings.removePlan(old) == .removed)
            #expect(try await Self.bytes(world) == bytes)
            #expect(try await world.session.meetings.removePlan(new) == .removed)
            #expect(try await Self.bytes(world) == 0)
        }
    }

    /// Who spoke, and in what language, is collected of what counts already.
    @Test func whatWasCollectedIsNotGivenBack() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let more = #","speaker":"\#(String(repeating: "s", count: 100))","language":"en""#
            _ = try await world.ingest(one("s", "x", more: more), for: place.meetingID)
            _ = try await world.report(place, "completed", reason: "left_alone")
            _ = try await world.session.transcripts.finalise(meeting: place.meetingID, workspace: world.workspaceID)
            let meeting = try #require(
                try await world.session.meetings.meeting(id: place.meetingID, workspace: world.workspaceID))
            #expect(meeting.fields["participants"]?.utf8.count == 104 && meeting.fields["languages"] == #"["en"]"#)
            func bytes(after fields: [String: String]) async throws -> Int {
                guard case .changed = try await world.session.meetings.update(meeting, fields: fields) else {
                    return -1
                }
                return try await Self.bytes(world)
            }
            let before = try await Self.bytes(world)
            #expect(try await bytes(after: ["notes": "n"]) == before + 1)
            #expect(try await bytes(after: ["participants": "[]"]) == before + 1 + "[]user".utf8.count)
            #expect(try await bytes(after: ["participants": "[1]", "notes": ""]) == before + "[1]user".utf8.count)
            #expect(try await bytes(after: ["languages": "[]"]) == before + "[1]user[]user".utf8.count)
        }
    }

    /// What others' meetings take stays counted, however little of a meeting's own is.
    @Test func aMeetingGivesBackNoMoreThanItHas() async throws {
        try await World.make { world in
            let plan = try #require(try await Self.plan("aaa-aaaa-aaa", world).made)
            _ = try #require(try await Self.plan("bbb-bbbb-bbb", world).made)
            let key = world.keys.partition.meeting(plan.id)
            let others = try await Self.bytes(world) - Self.number(key, "bytes", world)
            try await world.set(key, ["notes": String(repeating: "n", count: 9_000)])
            _ = try await world.session.meetings.update(plan, fields: ["notes": ""])
            #expect(try await Self.bytes(world) == others)
        }
    }

    /// What another hand wrote there stops nobody: it counts as nothing.
    @Test(arguments: ["", "x", "1e400", "nan", "-5", "12 "])
    func aSpoiltCounterStopsNothing(_ text: String) async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            for key in [world.keys.workspace, world.keys.partition.meeting(place.meetingID)] {
                try await world.set(key, ["bytes": text])
            }
            if text != "1e400" {
                #expect(try await world.ingest(one("s", "x"), for: place.meetingID) == .stored(changed: 1))
                #expect(try await Self.plan("aaa-aaaa-aaa", world).made != nil)
                #expect(try await Self.number(world.keys.workspace, "bytes", world) > 1_000)
            } else {
                #expect(Self.refusal(try await Self.plan("aaa-aaaa-aaa", world)) != nil)
            }
            let meeting = try #require(
                try await world.session.meetings.meeting(id: place.meetingID, workspace: world.workspaceID))
            guard
                case .changed = try await world.session.meetings.update(meeting, fields: ["title": ""])
            else {
                Issue.record("the record was not changed")
                return
            }
        }
    }

    /// One meeting cannot take all of it.
    @Test func aMeetingHasABoundOfItsOwn() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            try await world.set(
                world.keys.partition.meeting(place.meetingID),
                ["bytes": String(Transcripts.maximumBytesOfMeeting - 100)])
            let before = try await world.snapshot()
            #expect(try await world.ingest(one("s", "x"), for: place.meetingID) == .full)
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }
}
