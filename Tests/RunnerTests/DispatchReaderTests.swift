import EventLoop
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Runner
@testable import Usher

/// What a runner's reader makes of the entries that it is given, one read at a time.
@Suite(.takesTurns) struct DispatchReaderTests {
    private static let runner = "the-runner"

    private func reader(_ fixture: RunnerFixture, of partitions: [Partition]? = nil) throws -> DispatchReader {
        var configuration = RunnerConfiguration(
            redis: fixture.server.url, botRedisURL: "redis://redis", apiURL: "http://nodes", capacity: 1,
            launch: try LaunchCommand("true"), supervisor: Binary.supervisor, host: "test")
        configuration.blockMilliseconds = 20
        configuration.redisTimeoutMilliseconds = 30_000
        // So long that nothing is taken over meanwhile.
        configuration.leaseTimeToLiveMilliseconds = 600_000
        return DispatchReader(
            blocking: fixture.client, store: fixture.store, partitions: partitions ?? [partition(fixture)],
            runnerID: Self.runner, configuration: configuration, logger: Logger(minimum: .error))
    }

    private func partition(_ fixture: RunnerFixture) -> Partition { Partition(workspace: fixture.caller.workspaceID) }

    /// Gives out all that is new to the reader's consumer, which never gets to know.
    private func loseAnswer(_ fixture: RunnerFixture) async throws {
        let reply = try await fixture.client.send(
            "XREADGROUP", "GROUP", "runners", Self.runner, "STREAMS", partition(fixture).dispatch, ">")
        #expect(reply.array?.count == 1)
    }

    @Test func itKeepsNoMoreThanItWasAskedForAndGivesTheRestBack() async throws {
        try await RunnerFixture.use { fixture in
            let reader = try self.reader(fixture)
            #expect(try await reader.read(upTo: 3) { _ in false }.isEmpty)
            let meetings = try await fixture.requests(3)
            try await self.loseAnswer(fixture)
            reader.readOwnAgain()
            let entries = try await reader.read(upTo: 1) { _ in false }
            #expect(entries.map(\.place.meetingID) == [meetings[0].id])
            #expect(try await fixture.pending() == [Self.runner: 1, DispatchReader.returned: 2])
        }
    }

    /// Redis may have given out entries in the answer that failed.
    @Test func aReadThatFailsIsFollowedByALookAtItsOwn() async throws {
        try await RunnerFixture.use { fixture in
            let reader = try self.reader(fixture)
            #expect(try await reader.read(upTo: 1) { _ in false }.isEmpty)
            let meeting = try await fixture.request()
            try await self.loseAnswer(fixture)
            // It is not looked for while nothing has failed.
            #expect(try await reader.read(upTo: 1) { _ in false }.isEmpty)
            let stream = self.partition(fixture).dispatch
            _ = try await fixture.client.send("RENAME", stream, "elsewhere")
            _ = try await fixture.client.send("SET", stream, "no stream")
            await #expect(throws: RedisError.self) { _ = try await reader.read(upTo: 1) { _ in false } }
            _ = try await fixture.client.send("DEL", stream)
            _ = try await fixture.client.send("RENAME", "elsewhere", stream)
            let entries = try await reader.read(upTo: 1) { _ in false }
            #expect(entries.map(\.place.meetingID) == [meeting.id])
        }
    }

    @Test func aKeyThatIsNoStreamKeepsNoOtherPartitionWaiting() async throws {
        try await RunnerFixture.use { fixture in
            let own = self.partition(fixture)
            let spoilt = Partition.all[(own.number + 1) % 16].dispatch
            let reader = try self.reader(fixture, of: Partition.all)
            #expect(try await reader.read(upTo: 1) { _ in false }.isEmpty)
            _ = try await fixture.client.send("DEL", spoilt)
            _ = try await fixture.client.send("SET", spoilt, "no stream")
            await #expect(throws: RedisError.self) { _ = try await reader.read(upTo: 1) { _ in false } }
            let meeting = try await fixture.request()
            let entries = try await reader.read(upTo: 1) { _ in false }
            #expect(entries.map(\.place.meetingID) == [meeting.id])
        }
    }

    /// An entry names its workspace and its bot, and both tell a partition.
    @Test(arguments: [true, false]) func anEntryOfAnotherPartitionIsRemoved(_ isWorkspaceOfAnother: Bool) async throws {
        try await RunnerFixture.use { fixture in
            let reader = try self.reader(fixture)
            let partition = self.partition(fixture)
            let other = Partition.all[(partition.number + 1) % 16]
            var workspace = fixture.caller.workspaceID
            while isWorkspaceOfAnother, Partition(workspace: workspace) == partition { workspace = Identifier.uuid() }
            _ = try await fixture.client.send(
                "XADD", partition.dispatch, "*", "meeting_id", Identifier.hex(), "workspace_id", workspace, "bot_id",
                fixture.store.botIdentifiers.next(in: isWorkspaceOfAnother ? partition : other), "epoch", "1", "room",
                "google_meet:abc-defg-hij", "dispatched_at", "1", "traceparent", "")
            #expect(try await reader.read(upTo: 1) { _ in false }.isEmpty)
            #expect(try await fixture.waiting() == 0)
        }
    }
}
