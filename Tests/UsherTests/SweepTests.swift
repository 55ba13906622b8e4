import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// What nobody else ends (docs/architecture.md, "Leases"): every kind, and that a second sweep changes nothing.
@Suite(.takesTurns) struct SweepTests {
    /// Sweeps twice: the second time changes nothing.
    private static func sweep(_ world: World) async throws {
        let sweeper = Sweeper(store: world.store, logger: Logger(minimum: .error))
        try await sweeper.sweep(world.session)
        let before = try await world.snapshot()
        try await sweeper.sweep(world.session)
        #expect(try await world.snapshot().changes(since: before) == [])
    }

    private static func expectFree(_ world: World, _ comment: Comment? = nil) async throws {
        let after = try await world.snapshot()
        for key in [world.keys.holder(World.room), world.keys.inFlight(World.room), world.keys.bots] {
            #expect(after[key] == nil, comment)
        }
        #expect(after[world.keys.partition.leases] == nil, comment)
        #expect(after[world.keys.partition.dispatch] == .stream([]), comment)
    }

    @Test func aLeaseThatHasNotRunOutIsLeftAlone() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining, .active)
            let before = try await world.snapshot()
            try await Self.sweep(world)
            #expect(try await world.snapshot().changes(since: before) == [])
            // Nor does a sweep that looked too early, as a paused one has.
            let loss = BotLoss(reason: "lease_expired", mayBeReplaced: true, runnerID: nil)
            #expect(try await world.session.bots.lose(bot, loss) == .refused)
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    /// A replica that was promoted, or a server that was started anew, may lack the last renewal; nor does it hear of
    /// those that a former primary still grants.
    @Test func noLeaseRunsOutOnAPrimaryThatIsNewerThanALease() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            let bot = try await world.bot(at: try await world.meeting(), .joining, .active)
            try await world.endLease(of: bot)
            // As another server has written.
            try await world.set(partition.primary, ["replication_id": "cafe"])
            let sweeper = Sweeper(store: world.store, logger: Logger(minimum: .error))
            try await sweeper.sweep(world.session)
            let noted = try await world.client.send("HGETALL", partition.primary).hash()
            #expect(noted["replication_id"] != "cafe" && noted["since"] != "1")
            let before = try await world.snapshot()
            try await sweeper.sweep(world.session)
            #expect(try await world.snapshot().changes(since: before) == [])
            #expect(try await world.fields(bot.meetingID)["status"] == "LIVE")

            // A clock that was set back begins anew, and keeps nothing for longer.
            try await world.setPrimary(of: partition, since: 9_999_999_999_999)
            try await sweeper.sweep(world.session)
            let again = try await world.client.send("HGETALL", partition.primary).hash()
            #expect(Int(again["since"] ?? "") ?? .max < 9_999_999_999_999)

            let lease = world.store.configuration.leaseTimeToLiveMilliseconds
            let time = try await world.client.send("TIME").array?.first?.string.flatMap { Int($0) }
            try await world.setPrimary(of: partition, since: try #require(time) * 1_000 - lease)
            try await sweeper.sweep(world.session)
            #expect(try await world.fields(bot.meetingID)["status"] == "OFFLINE")
        }
    }

    /// A runner may grant longer leases than the node that sweeps knows of.
    @Test func whatTheBotsOwnLeaseLastsCounts() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            let bot = try await world.bot(at: try await world.meeting(), .joining, .active)
            try await world.set(partition.bot(bot.botID), ["lease_ms": "500000"])
            try await world.endLease(of: bot)
            try await world.setPrimary(of: partition, since: try await world.now() - 200_000)
            try await Self.sweep(world)
            #expect(try await world.fields(bot.meetingID)["status"] == "LIVE")
            try await world.setPrimary(of: partition, since: try await world.now() - 500_000)
            try await Self.sweep(world)
            #expect(try await world.fields(bot.meetingID)["status"] == "OFFLINE")
        }
    }

    /// What was seen of the clock last lies a minute back.
    @Test func noLeaseRunsOutByAClockThatLeapt() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            let bot = try await world.bot(at: try await world.meeting(), .joining, .active)
            try await world.endLease(of: bot)
            try await world.set(partition.primary, ["seen": String(try await world.now() - 60_000)])
            try await Self.sweep(world)
            #expect(try await world.fields(bot.meetingID)["status"] == "LIVE")
            #expect(
                try await world.session.bots.renew(bots: [bot.botID], in: partition, runner: "runner") != [.refused])

            // If nobody renews it, it runs out a lease later.
            try await world.endLease(of: bot)
            let lease = world.store.configuration.leaseTimeToLiveMilliseconds
            try await world.set(partition.primary, ["since": String(try await world.now() - lease)])
            try await Self.sweep(world)
            #expect(try await world.fields(bot.meetingID)["status"] == "OFFLINE")
        }
    }

    /// Nor is a round that takes long taken for such a leap, where a partition waits for others to be done.
    @Test func theClockOfEachPartitionIsLookedAtWhileARoundGoesOn() async throws {
        let server = try RedisServer()
        try await World.make(on: server) { world in
            // Each takes two questions, one after the other.
            let analyzing = world.keys.partition.analyzing
            for number in 0..<50 { _ = try await world.client.send("ZADD", analyzing, "0", "m\(number)") }
            var sweeper = Sweeper(store: world.store, logger: Logger(minimum: .error))
            sweeper.lookMilliseconds = 0
            let monitor = try CommandMonitor(server)
            try await sweeper.sweep(world.session)
            let commands = try await monitor.entries().map(\.words)
            let end = try #require(commands.lastIndex { $0.first == "ZREM" && $0.contains(analyzing) })
            for partition in Partition.all {
                #expect(commands[..<end].count { $0[0] == "EVALSHA" && $0.contains(partition.primary) } > 1)
            }
        }
    }

    @Test(
        arguments: [[], [.joining], [.joining, .awaitingAdmission], [.joining, .awaitingAdmission, .needsHelp]]
            as [[BotStatus]])
    func aBotLostOnItsWayIsReplacedThreeTimesInAll(_ statuses: [BotStatus]) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            var bot = try await world.bot(at: meeting)
            var seen: Set<String> = []
            for attempt in 1...3 {
                if attempt > 1 { try await world.claim(bot) }
                try await world.tell(bot, statuses)
                seen.insert(bot.botID)
                let record = try await world.client.send("HGETALL", world.keys.partition.bot(bot.botID)).hash()
                #expect(record["attempts"] == String(attempt) && record["epoch"] == String(attempt))
                try await world.endLease(of: bot)
                try await Self.sweep(world)
                let fields = try await world.fields(meeting)
                bot = world.place(meeting, try #require(fields["bot_id"]))
                #expect(fields["status"] == "INITIAL" && fields["epoch"] == String(min(attempt + 1, 3)))
                if attempt == 3 {
                    #expect(fields["bot_status"] == "failed" && fields["completion_reason"] == "lease_expired")
                    let stage = statuses.last == .needsHelp ? .awaitingAdmission : statuses.last ?? .requested
                    #expect(fields["failure_stage"] == stage.rawValue)
                    #expect(seen.contains(bot.botID))
                    try await Self.expectFree(world)
                } else {
                    #expect(fields["bot_status"] == "requested" && !seen.contains(bot.botID))
                    let room = World.room
                    #expect(try await world.client.send("GET", world.keys.inFlight(room)) == .string(bot.botID))
                    #expect(try await world.client.send("GET", world.keys.holder(room)) == .string(meeting))
                    #expect(
                        try await world.client.send("ZRANGE", world.keys.bots, "0", "-1")
                            == .array([.string(bot.botID)]))
                }
            }
        }
    }

    @Test func aReplacementLivesNoLongerThanItsDispatch() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining)
            _ = try await world.client.send("PEXPIRE", world.keys.inFlight(World.room), "50000")
            try await world.endLease(of: bot)
            try await Self.sweep(world)
            let left = try await world.client.send("PTTL", world.keys.inFlight(World.room)).integerOrThrow()
            #expect((1...50_000).contains(left))
            // The dispatch's time is over: the next one is not replaced.
            let next = world.place(meeting, try #require(try await world.fields(meeting)["bot_id"]))
            try await world.claim(next)
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            try await world.endLease(of: next)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["bot_status"] == "failed")
            try await Self.expectFree(world)
        }
    }

    @Test func aBotLostInTheRoomEndsAsFailedAndItsTranscriptIsCollected() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining, .active)
            _ = try await world.ingest(one("s", "x", more: #","speaker":"Anna""#), for: meeting)
            try await world.endLease(of: bot)
            try await Self.sweep(world)
            let fields = try await world.fields(meeting)
            #expect(fields["status"] == "OFFLINE" && fields["bot_status"] == "failed")
            #expect(fields["failure_stage"] == "active" && fields["end_time"] != nil && fields["duration"] != nil)
            try await Self.expectFree(world)
            _ = try await world.client.send("ZADD", world.keys.partition.analyzing, "1", meeting)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["participants"] == #"["Anna"]"#)
            #expect(try await world.fields(meeting)["bot_status"] == "failed")
        }
    }

    @Test(arguments: [[], [.joining], [.joining, .active]] as [[BotStatus]])
    func aStoppedBotWhoseRunnerIsDeadEndsAsCompleted(_ statuses: [BotStatus]) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting)
            try await world.tell(bot, statuses)
            _ = try await world.session.bots.stop(in: World.room, by: world.owner)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["status"] == "STOPPING")
            try await world.endLease(of: bot)
            try await Self.sweep(world)
            let fields = try await world.fields(meeting)
            #expect(fields["status"] == "OFFLINE" && fields["bot_status"] == "completed")
            #expect(fields["completion_reason"] == "stopped" && fields["failure_stage"] == nil)
            #expect((fields["end_time"] != nil) == statuses.contains(.active))
            try await Self.expectFree(world)
        }
    }

    @Test func aDispatchThatNobodyClaimedEndsWithItsInFlightKey() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            _ = try await world.send(to: meeting)
            let before = try await world.snapshot()
            try await Self.sweep(world)
            #expect(try await world.snapshot().changes(since: before) == [])
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            try await Self.sweep(world)
            let fields = try await world.fields(meeting)
            #expect(fields["status"] == "INITIAL" && fields["bot_status"] == "failed")
            #expect(fields["completion_reason"] == "dispatch_expired")
            try await Self.expectFree(world)
            _ = try await world.send(to: meeting)
        }
    }

    @Test func aDispatchThatARunnerReadTooLateEndsToo() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let place = try await world.send(to: meeting)
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            await #expect(throws: TestServerError.self) { try await world.claim(place) }
            #expect(try await world.client.send("XLEN", world.keys.partition.dispatch) == .integer(1))
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["bot_status"] == "failed")
            try await Self.expectFree(world)
        }
    }

    @Test func whatIsNoDispatchDoesNotStandInTheWay() async throws {
        try await World.make { world in
            _ = try await world.client.send("XADD", world.keys.partition.dispatch, "*", "hello", "world")
            let meeting = try await world.meeting()
            _ = try await world.send(to: meeting)
            // An entry whose bot is not the meeting's current one.
            _ = try await world.client.send(
                "XADD", world.keys.partition.dispatch, "*", "meeting_id", meeting, "workspace_id", world.workspaceID,
                "bot_id", Identifier.bot(in: world.keys.partition), "epoch", "9", "room", "zoom:123456789",
                "dispatched_at", "1")
            try await Self.sweep(world)
            #expect(try await world.client.send("XLEN", world.keys.partition.dispatch) == .integer(1))
        }
    }

    /// Something of each kind is left over in each partition, for one sweep.
    @Test func noPartitionIsLeftOut() async throws {
        try await World.make { world in
            for partition in Partition.all {
                for key in [partition.leases, partition.analyzing, partition.ended] {
                    _ = try await world.client.send("ZADD", key, "1", "nobody")
                }
                _ = try await world.client.send("XADD", partition.dispatch, "*", "hello", "world")
            }
            var configuration = World.patient
            configuration.retentionMilliseconds = 1
            let store = Store(client: world.client, configuration: configuration)
            try await Sweeper(store: store, logger: Logger(minimum: .error)).sweep(store.session(until: Client.soon))
            let after = try await world.snapshot()
            for partition in Partition.all {
                #expect(after[partition.leases] == nil, "\(partition)")
                #expect(after[partition.analyzing] == nil, "\(partition)")
                #expect(after[partition.ended] == nil, "\(partition)")
                #expect(after[partition.dispatch] == .stream([]), "\(partition)")
            }
        }
    }

    @Test func anItemThatFailsKeepsNoOtherWaiting() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            let spoilt = Identifier.bot(in: partition)
            _ = try await world.client.send("ZADD", partition.leases, "0", spoilt)
            _ = try await world.client.send("SET", partition.bot(spoilt), "not a hash")
            _ = try await world.client.send("ZADD", partition.leases, "0", "nonsense")
            _ = try await world.client.send("ZADD", partition.analyzing, "0", "nonsense")
            let meeting = try await world.meeting()
            let bot = try await world.bot(at: meeting, .joining, .active)
            try await world.endLease(of: bot)
            try await Self.sweep(world)
            #expect(try await world.fields(meeting)["bot_status"] == "failed")
            #expect(try await world.snapshot()[partition.leases] == .sortedSet([spoilt: "0"]))
        }
    }
}
