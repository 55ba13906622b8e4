import EventLoop
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// What nodes do by themselves for the workspaces of the other primaries while one of a Cluster is away, and has no replica.
@Suite(.takesTurns) struct PartOfClusterTests {
    @Test func theOthersGoOn() async throws {
        let cluster = try await RedisCluster.start(primaries: 3)
        try await World.make(at: cluster.url) { world in
            let own = world.keys.partition
            let late = try await world.now() + world.store.configuration.joinLeadMilliseconds - 1
            let meeting = try #require(
                try await world.session.meetings.create(
                    NewMeeting(
                        link: try MeetingLink(platform: .googleMeet, nativeID: "abc-defg-hij"), scheduledAt: late),
                    by: world.owner
                ).made)
            func primary(of partition: Partition) -> Int {
                min(HashSlot.of(partition.plans) / (HashSlot.count / 3), 2)
            }
            let other = try #require(Partition.all.first { primary(of: $0) != primary(of: own) })
            cluster.primaries[primary(of: other)].stop()
            let session = world.session
            func isAway() async -> Bool {
                do throws(RedisError) {
                    _ = try await session.send(Command("ZCARD", other.plans))
                    return false
                } catch {
                    return error == .notConnected
                }
            }
            let end = Client.soon
            while await !isAway() {
                try #require(MonotonicTime.now() < end, "the client has not noticed")
                await world.client.loop.wait(milliseconds: 1)
            }
            try await PlannedBots(store: world.store, logger: Logger(minimum: .error)).sendAll(session)
            #expect(try await world.fields(meeting.id)["bot_status"] == "requested")
            _ = try await session.deliveries.fileOutboxes(node: "n") { _, _, _ in "" }
            #expect(try await session.deliveries.due(in: .webhooks).isEmpty)
            #expect(try await session.calendars.due(most: 1_000, places: 1, room: { _ in 1 }).isEmpty)
            #expect(try await session.moves.due(after: 0).isEmpty)
            #expect(try await session.moves.removals().isEmpty)
        }
    }
}
