import EventLoop
import Log
import Redis
import RedisTestSupport
import Scripts
import Synchronization
import TestTurns
import Testing

@testable import Usher

/// `beat.lua`, what `usher status` reads, and what `usher watch` follows.
@Suite(.takesTurns) struct OverviewTests {
    private static func beat(_ world: World, _ id: String, lifetime: Int = 60_000) async throws {
        try await world.session.installation.beat(
            .runners, id: id, lifetime: lifetime, uptime: 5_000,
            fields: ["host": "a", "capacity": "10", "running": "1"])
    }

    @Test func aBeatWritesItsRecordAndTakesTheDeadOffTheList() async throws {
        try await World.make { world in
            let list = Keys.peers(.runners)
            _ = try await world.client.send("ZADD", list, "1", "dead", "2", "dead too")
            let before = try await world.snapshot()
            try await Self.beat(world, "r1")
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [list, Keys.peer(.runners, "r1")])
            let fields = try #require(after[Keys.peer(.runners, "r1")]?.hash)
            let seen = try #require(fields["seen_at"].flatMap { Int($0) })
            #expect(
                fields == [
                    "id": "r1", "host": "a", "capacity": "10", "running": "1", "seen_at": String(seen),
                    "started_at": String(seen - 5_000),
                ])
            #expect(after[list] == .sortedSet(["r1": String(seen + 60_000)]))
            #expect((1...60_000).contains(try #require(after.timeToLive[Keys.peer(.runners, "r1")])))

            try await world.session.installation.endBeat(.runners, id: "r1")
            #expect(try await world.snapshot().changes(since: before) == [list])
            #expect(try await world.snapshot()[list] == nil)
        }
    }

    @Test func theOverviewCountsWhatIsThere() async throws {
        try await World.make { world in
            let empty = try await world.session.installation.overview()
            #expect(empty.nodes.isEmpty && empty.runners.isEmpty && empty.roomsHeld == 0 && empty.statuses == [:])
            try await Self.beat(world, "r1")
            try await Self.beat(world, "r2")
            try await Self.beat(world, "gone", lifetime: 1)
            // Its time is over; nobody has taken it off the list yet.
            try await waitFor("the end of a short life") {
                try await world.client.send("EXISTS", Keys.peer(.runners, "gone")) == .integer(0)
            }
            let rooms = try ["aaa-aaaa-aaa", "bbb-bbbb-bbb", "ccc-cccc-ccc"].map {
                try MeetingLink(platform: .googleMeet, nativeID: $0)
            }
            for link in rooms {
                _ = try await world.session.bots.request(BotRequest(link: link), by: world.owner, trace: World.trace)
            }
            var places: [BotPlace] = []
            for reply in try await world.client.send("XRANGE", world.keys.partition.dispatch, "-", "+").arrayOrThrow() {
                places.append(try #require(DispatchEntry(reply)).place)
            }
            try await world.claim(places[0])
            try await world.tell(places[0], [.joining, .active])
            try await world.claim(places[1])
            try await world.tell(places[1], [.joining])
            try await world.endLease(of: places[1])
            _ = try await world.stop(places[0])

            let overview = try await world.session.installation.overview()
            #expect(overview.runners.map(\.id).sorted() == ["r1", "r2"] && overview.nodes.isEmpty)
            #expect(overview.capacity == 20 && overview.running == 2)
            #expect(
                overview.queue.waiting == 1 && overview.queue.leased == 2 && overview.overdue == 1
                    && overview.roomsHeld == 3)
            #expect(overview.statuses == [.stopping: 1, .joining: 1, .requested: 1])
            #expect((0...60_000).contains(overview.queue.oldestMilliseconds))
        }
    }

    /// From where it was after the connection was lost.
    @Test func aWatchMissesNothingAndRepeatsNothing() async throws {
        try await World.make(on: try RedisServer()) { world in
            var configuration = world.clientConfiguration
            configuration.isForBlockingReads = true
            let blocking = Client(
                loop: world.client.loop, configuration: configuration, logger: Logger(minimum: .error))
            blocking.start()
            defer { blocking.shutDown() }
            try await blocking.waitUntilConnected()
            // What was there before does not come.
            _ = try await world.meeting()
            let seen = Mutex<[String]>([])
            let watch = EventWatch(
                store: world.store, blocking: blocking, isCluster: false,
                filter: EventWatch.Filter(workspace: world.workspaceID), logger: Logger(minimum: .error))
            let watching = Task(executorPreference: world.client.loop) {
                try await watch.run { event, _ in
                    seen.withLock { $0.append(event.meetingID) }
                    return true
                }
            }
            func waitForARead() async throws {
                try await waitFor("a read that blocks") {
                    try await world.client.send("CLIENT", "LIST").stringOrThrow().contains("cmd=xread")
                }
            }
            try await waitForARead()
            var made: [String] = []
            for number in 0..<3 {
                // One that is none, and one of another workspace, keep nothing from coming.
                _ = try await world.client.send("XADD", world.keys.partition.events, "*", "a", "b")
                _ = try await world.client.send(
                    "XADD", world.keys.partition.events, "*", "what", "created", "meeting_id", "another's")
                made.append(try await world.meeting(in: Room(platform: .zoom, nativeID: "10000000\(number)")))
                _ = try await world.client.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                // While nobody reads.
                made.append(try await world.meeting(in: Room(platform: .zoom, nativeID: "20000000\(number)")))
                try await waitForARead()
            }
            let expected = made
            try await waitFor("all events") { seen.withLock { $0.count } >= expected.count }
            #expect(seen.withLock(\.self) == expected)
            watching.cancel()
            _ = await watching.result
        }
    }

    @Test func whoAsksSinceWhenIsToldOfThePastWithItsPlaces() async throws {
        try await World.make(on: try RedisServer()) { world in
            var configuration = world.clientConfiguration
            configuration.isForBlockingReads = true
            let blocking = Client(
                loop: world.client.loop, configuration: configuration, logger: Logger(minimum: .error))
            blocking.start()
            defer { blocking.shutDown() }
            try await blocking.waitUntilConnected()
            let room = Room(platform: .zoom, nativeID: "12345678901")
            let meeting = try await world.meeting(in: room)
            let key = world.keys.partition.events
            _ = try await world.client.send("DEL", key)
            for (id, meeting) in [("5-0", "old"), ("5000-0", meeting), ("5000-1", "gone"), ("9000-0", meeting)] {
                _ = try await world.client.send("XADD", key, id, "what", "created", "meeting_id", meeting)
            }
            // Since the beginning, a moment that has two, after both, and long before now by Redis' clock.
            for (since, expected) in [
                (EventWatch.Since.time(0), 4), (.time(5_000), 3), (.time(5_001), 1), (.ago(1_000_000_000_000_000), 4),
            ] {
                let seen = Mutex<[(MeetingEvent, EventWatch.Place)]>([])
                let watch = EventWatch(
                    store: world.store, blocking: blocking, isCluster: false,
                    filter: EventWatch.Filter(since: since), logger: Logger(minimum: .error))
                try await watch.run { event, place in
                    seen.withLock {
                        $0.append((event, place))
                        return $0.count < expected
                    }
                }
                for (event, place) in seen.withLock(\.self) {
                    let isKnown = event.meetingID == meeting
                    #expect(place.workspaceID == (isKnown ? world.workspaceID : ""))
                    #expect(place.room == (isKnown ? room.description : ""))
                }
                #expect(seen.withLock { $0.map(\.0.id) } == ["5-0", "5000-0", "5000-1", "9000-0"].suffix(expected))
            }
        }
    }
}
