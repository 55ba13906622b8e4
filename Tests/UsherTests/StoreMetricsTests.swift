import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// What a store counts, and what it reads for a scrape.
@Suite(.takesTurns) struct StoreMetricsTests {
    /// A script that finds the lock gone although it was taken before it, as one does whose lock has expired; then the
    /// request finds the lock held, by itself as it happens, until it gives up.
    @Test func locksThatExpireAreWaitedForAndRefused() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            var configuration = world.clientConfiguration
            configuration.scripts.removeAll { $0.name == Scripts.Dispatch.script.name }
            configuration.scripts.append(Script(name: Scripts.Dispatch.script.name, text: "return {'not_yours'}"))
            let owner = world.owner
            try await withClient(configuration) { client in
                try await client.waitUntilConnected()
                var bounds = World.patient
                bounds.lockWaitMilliseconds = 1_000
                let store = Store(client: client, configuration: bounds)
                let reinvitation = Reinvitation(
                    in: store.session(until: Client.soon),
                    visitor: Reinvitation.Visitor(caller: owner, meetingID: meeting),
                    forceRestart: false, trace: World.trace)
                await #expect(throws: ReinviteRefusal.locked) { try await reinvitation.perform() }
                #expect(store.metrics.lockExpiries == 1)
                #expect(store.metrics.lockWaits == 1 && store.metrics.lockRefusals == 1)
            }
            #expect(await world.reinvite(meeting).refusal == .locked)
            #expect(world.store.metrics.lockExpiries == 0 && world.store.metrics.lockWaits == 1)
        }
    }

    @Test func theWayIntoTheRoomIsMeasuredOnce() async throws {
        try await World.make { world in
            let place = try await world.bot(at: try await world.meeting(), .joining)
            #expect(world.store.metrics.dispatchToLive.count == 0)
            for _ in 0..<2 {
                _ = try await world.session.bots.report(BotReport(status: .active), from: place)
            }
            #expect(world.store.metrics.dispatchToLive.count == 1)
        }
    }

    @Test func whatASweepEndsIsCounted() async throws {
        try await World.make { world in
            let sweeper = Sweeper(store: world.store, logger: Logger(minimum: .error))
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining)
            try await world.endLease(of: bot)
            try await sweeper.sweep(world.session)
            #expect(world.store.metrics.leasesReplaced == 1 && world.store.metrics.leasesEnded == 0)
            // The one in its place is not claimed in its time.
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            try await sweeper.sweep(world.session)
            #expect(world.store.metrics.dispatchesExpired == 1 && world.store.metrics.leasesReplaced == 1)
        }
    }

    @Test func theQueueOfAllPartitions() async throws {
        try await World.make { world in
            #expect(try await world.session.installation.readQueue() == QueueReading())
            _ = try await world.bot(at: try await world.meeting())
            let room = Room(platform: .googleMeet, nativeID: "xyz-abcd-efg")
            _ = try await world.reinvite(try await world.meeting(in: room)).get()
            // In another partition, and old: as an entry's id has it.
            let other = try #require(Partition.all.first { $0 != world.keys.partition })
            _ = try await world.client.send("XADD", other.dispatch, "1000-0", "a", "b")
            let reading = try await world.session.installation.readQueue()
            #expect(reading.waiting == 2 && reading.leased == 1)
            #expect(reading.oldestMilliseconds > 1_000_000_000_000)
        }
    }
}
