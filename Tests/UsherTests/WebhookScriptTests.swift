import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// The scripts of webhooks: for each result, every raw key before and after.
@Suite(.takesTurns) struct WebhookScriptTests {
    private static let id = "wh_" + String(repeating: "0", count: 32)

    /// A webhook of the world's workspace.
    private struct Hook: Sendable {
        let world: World
        var own: WebhookKeys { world.keys.webhook(id) }
        var member: String { "\(world.workspaceID) \(id)" }
        var pending: String { world.keys.partition.deliveries }

        func file(_ event: String = "e1", most: Int = 10) async throws -> Value {
            try await world.run(
                Scripts.FileEvent(
                    webhookKey: own.webhook, dueKey: own.due, historyKey: own.events, pendingKey: pending,
                    eventID: event, body: "body of \(event)", member: member, mostWaiting: most,
                    keepMilliseconds: 600_000))
        }

        /// - Returns: of each its id, the end of its lease, and how often it was tried.
        func claim(_ count: Int = 10, failing: Int = 1) async throws -> [[String]] {
            let reply = try await world.run(
                Scripts.ClaimDeliveries(
                    pendingKey: pending, webhookKey: own.webhook, dueKey: own.due, historyKey: own.events,
                    member: member, leaseMilliseconds: 60_000, most: count, mostFailing: failing,
                    turnMilliseconds: 0))
            guard case .claimed(_, let events) = try Scripts.ClaimDeliveries.reply(reply) else { return [["none"]] }
            return try events.map { try $0.arrayOrThrow().prefix(3).map { try $0.stringOrThrow() } }
        }

        func settle(
            _ event: String, lease: String, _ outcome: String, after: Int = 5_000, failing: Int = 432_000_000,
            history: Int = 10
        ) async throws -> Value {
            try await world.run(
                Scripts.SettleDelivery(
                    pendingKey: pending, webhookKey: own.webhook, dueKey: own.due, historyKey: own.events,
                    doneKey: own.done, member: member, eventID: event, leaseEnd: lease, outcome: outcome,
                    pauseMilliseconds: after, attempt: "{\"outcome\":\"\(outcome)\"}", answer: "answer",
                    failingMilliseconds: failing, mostHistory: history, keepMilliseconds: 600_000))
        }

        func redeliver(_ event: String) async throws -> Value {
            try await world.run(
                Scripts.Redeliver(
                    pendingKey: pending, webhookKey: own.webhook, dueKey: own.due, historyKey: own.events,
                    doneKey: own.done, member: member, eventID: event, keepMilliseconds: 600_000))
        }

        func create(
            first: Bool = false, most: Int = 10, workspace: String? = nil, webhook: String = id
        ) async throws -> Value {
            try await world.run(
                Scripts.CreateWebhook(
                    workspaceKey: workspace ?? world.keys.workspace, webhooksKey: world.keys.webhooks,
                    webhookKey: world.keys.webhook(webhook).webhook, webhookID: webhook, most: most,
                    asFirst: first, fields: ["url", "https://a.example/", "enabled", "1"]))
        }

        func update(
            enables: Bool = false, secret: String? = nil, overlap: Int = 0, _ fields: String...
        ) async throws -> Value {
            try await world.run(
                Scripts.UpdateWebhook(
                    webhookKey: own.webhook, dueKey: own.due, pendingKey: pending, member: member, enables: enables,
                    secret: secret, overlapMilliseconds: overlap, fields: fields))
        }

        func fields() async throws -> [String: String] { try await world.snapshot()[own.webhook]?.hash ?? [:] }
        func set(_ fields: [String: String]) async throws { try await world.set(own.webhook, fields) }
    }

    private static func with(_ body: @escaping @Sendable (Hook) async throws -> Void) async throws {
        try await World.make { world in
            let hook = Hook(world: world)
            #expect(try await hook.create() == .string("created"))
            try await body(hook)
        }
    }

    // MARK: The webhook itself

    @Test func theyAreInTheOrderInWhichTheyWereMade() async throws {
        try await World.make { world in
            let hook = Hook(world: world)
            // Each id comes before the last one's, and some of them in its millisecond.
            let ids = (1...9).map { "wh_" + String(repeating: String(10 - $0), count: 32) }
            for id in ids { #expect(try await hook.create(webhook: id) == .string("created")) }
            let reply = try await world.client.send("ZRANGE", world.keys.webhooks, "0", "-1")
            #expect(try reply.arrayOrThrow().map { try $0.stringOrThrow() } == ids)
            // Also where the clock was set back since.
            let later = String(try await world.now() + 3_600_000)
            _ = try await world.client.send("ZADD", world.keys.webhooks, later, ids[8])
            #expect(try await hook.create(webhook: Self.id) == .string("created"))
            #expect(try await world.client.send("ZRANK", world.keys.webhooks, Self.id).integerOrThrow() == 9)
        }
    }

    @Test func oneIsMadeUpToALimit() async throws {
        try await World.make { world in
            let hook = Hook(world: world)
            try await world.expectNoChange {
                let reply = try await hook.create(workspace: world.keys.partition.workspace("none"))
                #expect(reply == .string("unknown_workspace"))
            }
            let before = try await world.snapshot()
            #expect(try await hook.create(first: true) == .string("created"))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [world.keys.workspace, world.keys.webhooks, hook.own.webhook])
            let fields = try await hook.fields()
            let at = try #require(fields["created_at"])
            #expect(
                fields == [
                    "id": Self.id, "created_at": at, "updated_at": at, "url": "https://a.example/", "enabled": "1",
                ])
            #expect(after[world.keys.webhooks] == .sortedSet([Self.id: at]))
            let other = "wh_" + String(repeating: "1", count: 32)
            try await world.expectNoChange { () async throws in
                #expect(try await hook.create(first: true, webhook: other) == .string("too_many"))
                #expect(try await hook.create(most: 1, webhook: other) == .string("too_many"))
            }
            #expect(try await hook.create(most: 2, webhook: other) == .string("created"))
        }
    }

    @Test func itIsChangedAndGoesOnWhenItIsEnabled() async throws {
        try await Self.with { hook in
            #expect(try await hook.file() == .string("filed"))
            #expect(try await hook.update("enabled", "0") == .string("changed"))
            #expect(try await hook.claim() == [["none"]])
            #expect(try await hook.world.snapshot()[hook.pending] == nil)
            try await hook.set(["failing_since": "1", "disabled_at": "2", "disabled_because": "failing"])
            #expect(
                try await hook.update(enables: true, "enabled", "1", "url", "https://b.example/") == .string("changed"))
            let fields = try await hook.fields()
            #expect(fields["url"] == "https://b.example/" && fields["enabled"] == "1")
            #expect(fields.keys.filter { $0.hasPrefix("disabled") || $0.hasPrefix("failing") } == [])
            #expect(try await hook.world.snapshot()[hook.pending]?.sortedSet?.keys.first == hook.member)
            #expect(try await hook.claim().map { $0[0] } == ["e1"])
        }
    }

    @Test func aReplacedSecretCountsForATime() async throws {
        try await Self.with { hook in
            #expect(try await hook.update(secret: "s1") == .string("changed"))
            #expect(try await hook.fields()["old_secrets"] == "")
            for secret in ["s2 b", "s3"] {
                #expect(try await hook.update(secret: secret, overlap: 60_000) == .string("changed"))
            }
            let webhook = try #require(Webhook(try await hook.fields(), workspace: hook.world.workspaceID))
            #expect(webhook.secret == "s3" && webhook.oldSecrets.map(\.secret) == ["s2 b", "s1"])
            // What has run out goes.
            let old = webhook.oldSecrets[0]
            try await hook.set(["old_secrets": "\(old.ends):s2\n1:s1"])
            #expect(try await hook.update(secret: "s4", overlap: 60_000) == .string("changed"))
            let later = try #require(Webhook(try await hook.fields(), workspace: hook.world.workspaceID))
            #expect(later.oldSecrets.map(\.secret) == ["s3", "s2"])
        }
    }

    @Test func whatIsNotThereIsNotChangedOrRemoved() async throws {
        try await World.make { world in
            let hook = Hook(world: world)
            try await world.expectNoChange { () async throws in
                #expect(try await hook.update("url", "x") == .string("unknown_webhook"))
                #expect(try await hook.file() == .string("not_enabled"))
                #expect(try await hook.redeliver("e1") == .string("not_enabled"))
                #expect(try await !world.session.webhooks.delete(Self.id, workspace: world.workspaceID))
            }
        }
    }

    @Test func aRemovedOneLeavesNothing() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            let hook = Hook(world: world)
            #expect(try await hook.create() == .string("created"))
            for event in ["e1", "e2"] { #expect(try await hook.file(event) == .string("filed")) }
            let claimed = try await hook.claim(1)
            #expect(try await hook.settle("e1", lease: claimed[0][1], "delivered") == .string("noted"))
            #expect(try await world.snapshot().changes(since: before).count == 6)
            #expect(try await world.session.webhooks.delete(Self.id, workspace: world.workspaceID))
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    // MARK: Events

    @Test func anEventIsFiledOnce() async throws {
        try await Self.with { hook in
            let before = try await hook.world.snapshot()
            #expect(try await hook.file() == .string("filed"))
            let after = try await hook.world.snapshot()
            #expect(after.changes(since: before) == [hook.own.due, hook.own.events, hook.pending])
            let at = try #require(after[hook.own.due]?.sortedSet?["e1"])
            #expect(after[hook.pending] == .sortedSet([hook.member: at]))
            #expect(after[hook.own.events] == .hash(["e1": "body of e1", "e1 filed": at]))
            #expect(Set(after.timeToLive.keys).isSuperset(of: [hook.own.due, hook.own.events]))
            try await hook.world.expectNoChange {
                let reply = try await hook.file()
                #expect(reply == .string("known"))
            }
            #expect(try await hook.file("e2", most: 1) == .string("dropped"))
            let full = try await hook.world.snapshot()
            #expect(full.changes(since: after) == [hook.own.webhook])
            #expect(try await hook.fields()["dropped"] == "1")
            try await hook.set(["enabled": "0"])
            try await hook.world.expectNoChange {
                let reply = try await hook.file("e3")
                #expect(reply == .string("not_enabled"))
            }
        }
    }

    @Test func whatIsClaimedIsNobodyElses() async throws {
        try await Self.with { hook in
            for event in ["e1", "e2", "e3"] { _ = try await hook.file(event) }
            let first = try await hook.claim(2)
            #expect(first.map { $0[0] } == ["e1", "e2"] && first.map { $0[2] } == ["0", "0"])
            let held = try await hook.world.snapshot()
            #expect(held[hook.own.due]?.sortedSet?["e1"] == first[0][1])
            #expect(try await hook.claim(0) == [])
            #expect(try await hook.claim().map { $0[0] } == ["e3"])
            #expect(try await hook.claim() == [])
            // A lease that has run out is given to the next.
            _ = try await hook.world.client.send("ZADD", hook.own.due, "1", "e1")
            let again = try await hook.claim()
            #expect(again.map { $0[0] } == ["e1"])
            try await hook.world.expectNoChange {
                let reply = try await hook.settle("e1", lease: first[0][1] + "1", "delivered")
                #expect(reply == .string("not_yours"))
            }
            #expect(try await hook.settle("e1", lease: again[0][1], "delivered") == .string("noted"))
        }
    }

    @Test func oneThatFailsIsAskedForLess() async throws {
        try await Self.with { hook in
            for event in ["e1", "e2", "e3"] { _ = try await hook.file(event) }
            try await hook.set(["failing_since": "1"])
            #expect(try await hook.claim(10, failing: 1).count == 1)
        }
    }

    @Test func anEventWithoutItsBodyGoes() async throws {
        try await Self.with { hook in
            _ = try await hook.file()
            _ = try await hook.world.client.send("HDEL", hook.own.events, "e1")
            #expect(try await hook.claim() == [])
            let after = try await hook.world.snapshot()
            #expect(after[hook.own.due] == nil && after[hook.pending] == nil)
        }
    }

    @Test func whatWasDeliveredIsInTheHistory() async throws {
        try await Self.with { hook in
            _ = try await hook.file()
            let lease = try await hook.claim()[0][1]
            let before = try await hook.world.snapshot()
            let filed = try #require(before[hook.own.events]?.hash?["e1 filed"])
            #expect(try await hook.settle("e1", lease: lease, "delivered") == .string("noted"))
            let after = try await hook.world.snapshot()
            #expect(
                after.changes(since: before) == [hook.own.due, hook.own.events, hook.own.done, hook.pending])
            #expect(after[hook.own.due] == nil && after[hook.pending] == nil)
            #expect(after[hook.own.done]?.sortedSet?.keys.first == "e1")
            #expect(
                after[hook.own.events]
                    == .hash([
                        "e1": "body of e1", "e1 filed": filed, "e1 tries": "1",
                        "e1 attempts": "{\"outcome\":\"delivered\"}\n",
                        "e1 answer": "answer",
                    ]))
            try await hook.world.expectNoChange { () async throws in
                #expect(try await hook.settle("e1", lease: lease, "delivered") == .string("not_yours"))
                #expect(try await hook.redeliver("e9") == .string("unknown_event"))
            }
            #expect(try await hook.redeliver("e1") == .string("due"))
            let again = try await hook.world.snapshot()
            #expect(again[hook.own.done] == nil)
            #expect(again[hook.own.events]?.hash?["e1 tries"] == "0")
            #expect(again[hook.pending]?.sortedSet?[hook.member] == again[hook.own.due]?.sortedSet?["e1"])
            try await hook.world.expectNoChange {
                let reply = try await hook.redeliver("e1")
                #expect(reply == .string("waiting"))
            }
            #expect(try await hook.claim().map { $0[0] } == ["e1"])
        }
    }

    @Test func whatFailedIsDueAgainLater() async throws {
        try await Self.with { hook in
            _ = try await hook.file()
            let lease = try await hook.claim()[0][1]
            #expect(try await hook.settle("e1", lease: lease, "retry", after: 50_000) == .string("noted"))
            let after = try await hook.world.snapshot()
            let due = try #require(after[hook.own.due]?.sortedSet?["e1"])
            #expect(after[hook.pending] == .sortedSet([hook.member: due]))
            let since = try #require(try await hook.fields()["failing_since"].flatMap { Int($0) })
            #expect(Int(due)! - since == 50_000)
            #expect(after[hook.own.done] == nil)
            // Once one is delivered, it fails no more.
            _ = try await hook.world.client.send("ZADD", hook.own.due, "1", "e1")
            let next = try await hook.claim()[0]
            #expect(next[2] == "1")
            #expect(try await hook.settle("e1", lease: next[1], "delivered") == .string("noted"))
            #expect(try await hook.fields()["failing_since"] == nil)
        }
    }

    @Test(arguments: [("gone", "gone", 432_000_000), ("failed", "failing", 1_000), ("retry", "failing", 1_000)])
    func oneThatIsGoneOrFailsForLongIsDisabled(_ outcome: String, _ because: String, _ failing: Int) async throws {
        try await Self.with { hook in
            _ = try await hook.file()
            try await hook.set(["failing_since": "1"])
            let lease = try await hook.claim()[0][1]
            #expect(try await hook.settle("e1", lease: lease, outcome, failing: failing) == .string("disabled"))
            let fields = try await hook.fields()
            #expect(fields["enabled"] == "0" && fields["disabled_because"] == because)
            #expect(fields["disabled_at"] != nil)
            #expect(try await hook.world.snapshot()[hook.pending] == nil)
            #expect(try await hook.redeliver("e1") == .string("not_enabled"))
        }
    }

    /// Whenever the next attempt is due, and whenever the last one was.
    @Test func theNewestAreThoseThatWereFiledLast() async throws {
        try await Self.with { hook in
            let (client, own) = (hook.world.client, hook.own)
            let webhook = try #require(
                try await hook.world.session.webhooks.all(workspace: hook.world.workspaceID).first)
            for (number, due) in [9_000, 8_000, 1_000, 7_000].enumerated() {
                _ = try await hook.file("e\(number)")
                _ = try await client.send("ZADD", own.due, String(due), "e\(number)")
                _ = try await client.send("HSET", own.events, "e\(number) filed", String(number))
            }
            // It was sent once more, long after.
            _ = try await client.send("ZREM", own.due, "e1")
            _ = try await client.send("ZADD", own.done, "10000", "e1")
            func newest(_ limit: Int) async throws -> Set<String> {
                Set(try await hook.world.session.deliveries.newest(of: webhook, limit: limit).map(\.id))
            }
            #expect(try await newest(1) == ["e3"])
            #expect(try await newest(2) == ["e2", "e3"])
            #expect(try await newest(4) == ["e0", "e1", "e2", "e3"])
            #expect(try await newest(5).count == 4)
            // A node of the version before has not noted when.
            _ = try await client.send("HDEL", own.events, "e0 filed")
            #expect(try await newest(1) == ["e0"])
        }
    }

    /// However many there are: their times are read some at a time.
    @Test func theNewestOfManyAreFound() async throws {
        try await Self.with { hook in
            let webhook = try #require(
                try await hook.world.session.webhooks.all(workspace: hook.world.workspaceID).first)
            // Those that are due first were filed last.
            let numbers = 1...2_500
            let due = numbers.flatMap { [String($0), "e\($0)"] }
            let filed = numbers.flatMap { ["e\($0) filed", String(9_000 - $0)] }
            for words in [["ZADD", hook.own.due] + due, ["HSET", hook.own.events] + filed] {
                _ = try await hook.world.client.send(Command(words: words), deadline: Client.soon)
            }
            let newest = try await hook.world.session.deliveries.newest(of: webhook, limit: 500)
            #expect(newest.map(\.id) == (1...500).map { "e\($0)" })
            #expect(newest.compactMap(\.due) == Array(1...500))
        }
    }

    @Test func theHistoryIsBounded() async throws {
        try await Self.with { hook in
            for number in 1...4 {
                _ = try await hook.file("e\(number)")
                let lease = try await hook.claim()[0][1]
                #expect(try await hook.settle("e\(number)", lease: lease, "delivered", history: 2) == .string("noted"))
            }
            let after = try await hook.world.snapshot()
            #expect(after[hook.own.done]?.sortedSet?.keys.sorted() == ["e3", "e4"])
            #expect(after[hook.own.events]?.hash?.keys.contains { $0.hasPrefix("e1") || $0.hasPrefix("e2") } == false)
            // By age too.
            _ = try await hook.world.client.send("ZADD", hook.own.done, "1", "e3")
            _ = try await hook.file("e5")
            let lease = try await hook.claim()[0][1]
            #expect(try await hook.settle("e5", lease: lease, "delivered") == .string("noted"))
            #expect(try await hook.world.snapshot()[hook.own.done]?.sortedSet?.keys.sorted() == ["e4", "e5"])
        }
    }
}
