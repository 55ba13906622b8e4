import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// The operator's endpoint, which is told what happens in all workspaces.
@Suite(.takesTurns) struct OperatorEndpointTests {
    private static func endpoint(_ events: Set<Webhook.Event>? = nil) -> OperatorEndpoint {
        OperatorEndpoint(url: "https://o.example/?key=1", secret: "its secret", events: events)
    }

    private static func file(_ world: World) async throws -> FiledEvents {
        try await world.session.deliveries.fileOutboxes(node: "n") { change, event, namesWorkspace in
            "\(event.rawValue) \(namesWorkspace)"
        }
    }

    private static func claim(_ world: World, of workspace: String? = nil) async throws -> [ClaimedDelivery] {
        try await world.session.deliveries.claim(
            workspace: workspace ?? world.workspaceID, webhook: Webhook.operatorID, count: 10, failingCount: 1,
            operatorEndpoint: endpoint())
    }

    /// A meeting is planned: one event.
    private static func plan(_ world: World, in workspace: String? = nil) async throws {
        let caller = Caller(
            keyID: "k", workspaceID: workspace ?? world.workspaceID, userID: world.owner.userID, scopes: [])
        let link = try MeetingLink(platform: .googleMeet, nativeID: "pla-nned-mee")
        let new = NewMeeting(link: link, scheduledAt: try await world.now() + 3_600_000)
        _ = try #require(try await world.session.meetings.create(new, by: caller).made)
    }

    @Test func itIsKnownForADayAfterTheLastWord() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            #expect(try await world.session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            let after = try await world.snapshot()
            let keys = Partition.all.map(\.operatorEndpoint)
            #expect(after.changes(since: before) == Set(keys))
            for key in keys {
                #expect(after[key] == .hash(["enabled": "1", "events": "*"]))
                #expect((86_000_000...86_400_000).contains(after.timeToLive[key] ?? 0))
            }
            // What came of it stays, and what it is told of is by the last word.
            try await world.set(keys[0], ["failing_since": "1"])
            _ = try await world.client.send("PEXPIRE", keys[0], "1000")
            #expect(try await world.session.deliveries.keep(Self.endpoint([.completed]), tookMilliseconds: nil) == nil)
            let again = try await world.snapshot()
            #expect(again[keys[0]] == .hash(["enabled": "1", "events": "meeting.completed", "failing_since": "1"]))
            #expect(again.timeToLive[keys[0]] ?? 0 > 1_000)
        }
    }

    @Test func aWorkspaceWithoutWebhooksIsToldOf() async throws {
        try await World.make { world in
            #expect(try await world.session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            let bot = try await world.bot(at: .active)
            _ = try await world.report(bot, "completed")
            #expect(try await Self.file(world).filed == 7)
            let session = world.session
            #expect(try await session.deliveries.due(in: .webhooks).isEmpty)
            let due = try await session.deliveries.due(in: .operatorEndpoint)
            #expect(due.map(\.workspace) == [world.workspaceID] && due.map(\.id) == [Webhook.operatorID])
            let claimed = try await Self.claim(world)
            #expect(claimed.count == 7 && claimed.allSatisfy { $0.body.hasSuffix(" true") })
            let webhook = try #require(claimed.first?.webhook)
            #expect(webhook.url == "https://o.example/?key=1" && webhook.secret == "its secret")
            #expect(webhook.isOperators && webhook.workspaceID == world.workspaceID)
            for delivery in claimed {
                #expect(try await session.deliveries.settle(delivery, .delivered, attempt: "{}", answer: "") == .noted)
            }
            let own = world.keys.webhook(Webhook.operatorID)
            let after = try await world.snapshot()
            #expect(after[own.done]?.sortedSet?.count == 7 && after[own.due] == nil && after[own.pending] == nil)
            #expect(Set(after.timeToLive.keys).isSuperset(of: [own.done, own.events]))
            // Nothing of the setting is kept but what it wants.
            #expect(!after.stored.values.contains { $0.description.contains("o.example") })
            #expect(!after.stored.values.contains { $0.description.contains("its secret") })
        }
    }

    @Test func bothAreToldOfAWorkspaceThatHasAWebhook() async throws {
        try await World.make { world in
            let hook = try await world.session.webhooks.create(
                WebhookChange(url: "https://a.example/", events: .some(nil), isEnabled: true),
                workspace: world.workspaceID
            ).get()
            #expect(
                try await world.session.deliveries.keep(Self.endpoint([.missed, .scheduled]), tookMilliseconds: nil)
                    == nil)
            try await Self.plan(world)
            _ = try await world.send(to: try await world.meeting())
            #expect(try await Self.file(world).filed == 3)
            let after = try await world.snapshot()
            // Beside each, when it was filed.
            func history(_ webhook: String) throws -> [String: String] {
                try #require(after[world.keys.webhook(webhook).events]?.hash).filter { !$0.key.hasSuffix(" filed") }
            }
            let (theirs, ours) = (try history(hook), try history(Webhook.operatorID))
            #expect(theirs.values.sorted() == ["meeting.scheduled false", "meeting.status_change false"])
            #expect(ours.values.sorted() == ["meeting.scheduled true"])
            #expect(Set(ours.keys).isSubset(of: theirs.keys))
        }
    }

    @Test func whatASettingAsksForIsNotDisabled() async throws {
        try await World.make { world in
            #expect(try await world.session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            try await Self.plan(world)
            _ = try await Self.file(world)
            let key = world.keys.partition.operatorEndpoint
            try await world.set(key, ["failing_since": "1"])
            let delivery = try #require(try await Self.claim(world).first)
            #expect(try await world.session.deliveries.settle(delivery, .gone, attempt: "{}", answer: "") == .noted)
            #expect(
                try await world.snapshot()[key] == .hash(["enabled": "1", "events": "*", "failing_since": "1"]))
            let reading = try await world.session.installation.readQueue().operatorEndpoint
            #expect(reading.isThere && reading.failingMilliseconds ?? 0 > 1_000_000 && reading.waiting == 0)
        }
    }

    @Test func whatItTookSinceEndsItsFailing() async throws {
        try await World.make { world in
            let (deliveries, key) = (world.session.deliveries, world.keys.partition.operatorEndpoint)
            #expect(try await deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            let now = try await world.now()
            try await world.set(key, ["failing_since": String(now - 60_000)])
            for took in [nil, 3_600_000] {
                #expect(try await deliveries.keep(Self.endpoint(), tookMilliseconds: took) == nil)
                #expect(try await world.snapshot()[key]?.hash?["failing_since"] != nil)
            }
            #expect(try await deliveries.keep(Self.endpoint(), tookMilliseconds: 1_000) == nil)
            #expect(try await world.snapshot()[key] == .hash(["enabled": "1", "events": "*"]))
        }
    }

    @Test func noWorkspaceTakesTheRoomOfAnother() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            #expect(try await world.session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            let owner = try #require(Int(world.owner.userID))
            var other = ""
            repeat {
                other = try await world.session.workspaces.create(name: "W", owner: owner, maximumConcurrentBots: nil)
                    .id
            } while Partition(workspace: other) != partition
            let own = world.keys.webhook(Webhook.operatorID)
            let many = (1...5_000).flatMap { ["9e15", "e\($0)"] }
            _ = try await world.client.send(
                Command(words: ["ZADD", own.due] + many), deadline: Client.soon)
            try await Self.plan(world)
            try await Self.plan(world, in: other)
            let filed = try await Self.file(world)
            #expect(filed.filed == 1 && filed.dropped == 1 && filed.overflowing.count == 1)
            #expect(filed.overflowing.first?.contains(world.workspaceID) == true)
            #expect(try await Self.claim(world, of: other).count == 1)
            let reading = try await world.session.installation.readQueue().operatorEndpoint
            #expect(reading.dropped == 1)
        }
    }

    @Test func whatWaitsWaitsOnWhileThereIsNoSetting() async throws {
        try await World.make { world in
            let (session, own) = (world.session, world.keys.webhook(Webhook.operatorID))
            #expect(try await session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            try await Self.plan(world)
            _ = try await Self.file(world)
            for partition in Partition.all {
                _ = try await world.client.send("DEL", partition.operatorEndpoint)
            }
            let after = try await world.snapshot()
            for key in [own.pending, own.due, own.events] {
                #expect((600_000_000...604_800_000).contains(after.timeToLive[key] ?? 0), "\(key)")
            }
            let reading = try await session.installation.readQueue().operatorEndpoint
            #expect(!reading.isThere && reading.waiting == 1)
            // What happens then is nobody's.
            _ = try await world.send(to: try await world.meeting())
            #expect(try await world.snapshot()[world.keys.partition.outbox]?.stream == [])
            #expect(try await session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            #expect(try await Self.claim(world).map(\.body) == ["meeting.scheduled true"])
        }
    }

    @Test func whatWasRecordedOfARemovedWorkspaceIsTold() async throws {
        try await World.make { world in
            #expect(try await world.session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) == nil)
            try await Self.plan(world)
            #expect(try await world.session.workspaces.remove(workspace: world.workspaceID))
            try await WorkspaceRemovals(store: world.store, logger: Logger(minimum: .error)).removeAll(world.session)
            let filed = try await Self.file(world)
            #expect(filed.filed == 1 && filed.dropped == 0)
            #expect(try await Self.claim(world).map(\.body) == ["meeting.scheduled true"])
        }
    }

    @Test func whatWaitsComesForwardWhenTheClockWasSetBack() async throws {
        try await World.make { world in
            let own = world.keys.webhook(Webhook.operatorID)
            let ahead = String(try await world.now() + 7_200_000)
            _ = try await world.client.send("ZADD", own.due, ahead, "e1")
            _ = try await world.client.send("ZADD", own.pending, ahead, own.member, ahead, "odd")
            #expect(try await world.session.deliveries.bringForward(in: world.keys.partition, by: 7_300_000))
            #expect(
                try await world.session.deliveries.due(in: .operatorEndpoint).map(\.workspace) == [world.workspaceID])
        }
    }

    @Test func aSpoiltRecordHoldsUpNoWebhook() async throws {
        try await World.make { world in
            let hook = try await world.session.webhooks.create(
                WebhookChange(url: "https://a.example/", events: .some(nil), isEnabled: true),
                workspace: world.workspaceID
            ).get()
            let own = world.keys.webhook(Webhook.operatorID)
            _ = try await world.client.send("SET", own.webhook, "x")
            // Of a webhook in the wrong list.
            _ = try await world.client.send("ZADD", own.pending, "1", world.keys.member(hook))
            #expect(try await world.session.deliveries.keep(Self.endpoint(), tookMilliseconds: nil) != nil)
            try await Self.plan(world)
            let filed = try await Self.file(world)
            #expect(filed.filed == 1 && filed.dropped == 0)
            #expect(try await world.session.deliveries.due(in: .operatorEndpoint).isEmpty)
            #expect(try await world.snapshot()[own.pending] == nil)
        }
    }
}
