import EventLoop
import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// The bucket in Redis, and requests with a key over several loops that share it.
@Suite(.takesTurns) struct RateLimitTests {
    /// Such a bucket does not fill during a test.
    private static let tenForAnHour = ["0.001", "10"]

    private static func take(
        _ count: Int, _ limit: [String], _ world: World, key: String? = nil
    ) async throws -> Value {
        let keys = key.map { [Keys.bucket(apiKeyHash: $0), Keys.apiKey(hash: $0)] } ?? ["usher:rate:address:::1"]
        // By its text, since no setting allows so slow a rate.
        return try await world.client.run(
            Scripts.TakeTokens.script, keys: keys, arguments: limit + [String(count)], deadline: Client.soon)
    }

    @Test func aBucketGivesWhatItHasAndIsGoneWhenItIsFull() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            #expect(try await Self.take(4, Self.tenForAnHour, world) == .parts("taken", 4))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == ["usher:rate:address:::1"])
            // Full again when the four are made good, and then no key is left.
            let life = try #require(after.timeToLive["usher:rate:address:::1"])
            #expect((3_900_000...4_000_000).contains(life))
            #expect(try await Self.take(9, Self.tenForAnHour, world) == .parts("taken", 6))
            try await world.expectNoChange {
                let answer = try await Self.take(1, Self.tenForAnHour, world).array
                #expect(answer?.first == .string("empty"))
                #expect((900_000...1_000_000).contains(answer?.last?.integer ?? 0))
            }
            // Faster than one command: full again at once.
            for _ in 0..<3 { #expect(try await Self.take(10, ["1000000000", "10"], world) == .parts("taken", 10)) }
        }
    }

    @Test func aBucketFillsByTheClockOfRedis() async throws {
        try await World.make { world in
            // A token in a hundred seconds, so that none comes while the test runs.
            let limit = ["0.01", "10"]
            #expect(try await Self.take(10, limit, world) == .parts("taken", 10))
            try await Self.letPass(seconds: 50, world)
            let answer = try await Self.take(1, limit, world).array
            #expect(answer?.first == .string("empty"))
            #expect((1...50_000).contains(answer?.last?.integer ?? 0))
            try await Self.letPass(seconds: 50, world)
            #expect(try await Self.take(5, limit, world) == .parts("taken", 1))
            // No more than it holds, however long it is left alone.
            try await Self.letPass(seconds: 100_000, world)
            #expect(try await Self.take(20, limit, world) == .parts("taken", 10))
        }
    }

    /// Has a bucket hold what it would after a while: it keeps no more than when it is full again, in microseconds.
    private static func letPass(seconds: Int, _ world: World) async throws {
        let bucket = "usher:rate:address:::1"
        let full = try #require(try await world.client.send("GET", bucket).string.flatMap { Int($0) })
        _ = try await world.client.send("SET", bucket, String(full - seconds * 1_000_000), "KEEPTTL")
    }

    /// A clock that was set back by more than a moment, and a key of another hand's.
    @Test func whatTheBucketHoldsIsNotBelieved() async throws {
        try await World.make { world in
            let now = try await world.now()
            _ = try await world.client.send("SET", "usher:rate:address:::1", "\(now * 1_000 + 999_999_999_999)")
            let before = try await world.snapshot()
            #expect(try await Self.take(4, Self.tenForAnHour, world) == .parts("taken", 4))
            // It is written, so that the next one is given what is left.
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == ["usher:rate:address:::1"])
            #expect((3_900_000...4_000_000).contains(after.timeToLive["usher:rate:address:::1"] ?? 0))
            #expect(try await Self.take(9, Self.tenForAnHour, world) == .parts("taken", 6))
            // Clocks are a little wrong always: that fills no bucket.
            let ahead = try await world.now() + 10_000_500
            _ = try await world.client.send("SET", "usher:rate:address:::1", "\(ahead * 1_000)")
            #expect(try await Self.take(1, Self.tenForAnHour, world).array?.first == .string("empty"))
            _ = try await world.client.send("DEL", "usher:rate:address:::1")
            _ = try await world.client.send("HSET", "usher:rate:address:::1", "a", "b")
            await #expect(throws: RedisError.self) { try await Self.take(1, ["1", "10"], world) }
        }
    }

    @Test func thereIsNoBucketOfAKeyThatIsNotThere() async throws {
        try await World.make { world in
            try await world.expectNoChange {
                let answer = try await Self.take(1, ["1", "10"], world, key: "hash")
                #expect(answer == .parts("unknown_key"))
            }
        }
    }

    // MARK: Requests

    /// Whatever the nodes do at once, a key gets no more than its bucket gives; what it may get less is a share a loop.
    @Test func nodesTogetherLetThroughWhatTheBucketGives() async throws {
        let limit = RateLimit(perSecond: 40, burst: 200)
        try await Self.withNodes(4, limit) { world, nodes, key in
            let began = try await world.now()
            let passed = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<600 {
                    let store = nodes[number % nodes.count]
                    group.addTask(executorPreference: store.client.loop) {
                        try await store.session(until: Client.soon).callers.recognise(apiKey: key, from: { nil }).found
                            != nil
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            let seconds = try await (world.now() - began) / 1_000 + 1
            #expect(passed <= limit.burst + limit.perSecond * seconds)
            #expect(passed >= limit.burst - nodes.count * limit.largestShare)
        }
    }

    @Test func anotherKeyIsNotHurtAndAnUnknownOneLeavesNothing() async throws {
        let limit = RateLimit(perSecond: 1, burst: 2)
        try await World.make(configuration: Self.limited(limit)) { world in
            let key = try await world.ownersKey()
            var bound = Bound(limit)
            var last = try await world.ask(key)
            while last.found != nil {
                try bound.notePassed()
                last = try await world.ask(key)
            }
            guard case .overLimit(let milliseconds) = last else {
                Issue.record("another refusal than that of the limit")
                return
            }
            #expect((1...1_000).contains(milliseconds))
            let another = try await world.ask(world.ownersKey())
            #expect(another.found != nil)
            guard case .unknown = try await world.ask("usher_unknown") else {
                Issue.record("another answer than that the key is unknown")
                return
            }
            let bucket = Keys.bucket(apiKeyHash: Digest.sha256("usher_unknown"))
            #expect(try await world.client.send("EXISTS", bucket) == .integer(0))
        }
    }

    /// After a restart of Redis that has lost its scripts, a request makes the script known again; and a bucket that
    /// cannot be used limits nobody. On a server of its own: other tests rest on scripts that stay.
    @Test func troubleWithTheBucketRefusesNobody() async throws {
        try await World.make(on: try RedisServer(), configuration: Self.limited(RateLimit(perSecond: 1, burst: 40))) {
            world in
            let key = try await world.ownersKey()
            _ = try await world.client.send("SCRIPT", "FLUSH")
            // A token is made good in a second, so that the bucket is not full again, and gone, at once.
            for _ in 0..<10 {
                let answer = try await world.ask(key)
                #expect(answer.found != nil)
            }
            let bucket = Keys.bucket(apiKeyHash: Digest.sha256(key))
            #expect(try await world.client.send("EXISTS", bucket) == .integer(1))
            _ = try await world.client.send("DEL", bucket)
            _ = try await world.client.send("HSET", bucket, "a", "b")
            for _ in 0..<100 {
                let answer = try await world.ask(key)
                #expect(answer.found != nil)
            }
        }
    }

    @Test func anAddressIsCountedWithoutWaiting() async throws {
        var configuration = World.patient
        configuration.addressRateLimit = RateLimit(perSecond: 1, burst: 20)
        try await World.make(configuration: configuration) { world in
            let address = try #require(IPAddress("2001:db8::1"))
            let neighbour = try #require(IPAddress("2001:db8::ffff:2"))
            let other = try #require(IPAddress("2001:db8:0:1::1"))
            let key = try await world.ownersKey()
            let invalid = world.store.invalidRequests
            var pause: Int?
            // Each question lets an answer to another one be read. What comes meanwhile is let through, and counts.
            var bound = Bound(RateLimit(perSecond: 1, burst: 20), meanwhile: 4 * 10)
            while pause == nil {
                _ = try await world.client.send("PING")
                for _ in 0..<10 where pause == nil {
                    pause = invalid.count(from: address)
                    if pause == nil { try bound.notePassed() }
                }
            }
            #expect(invalid.pause(of: neighbour) != nil)
            #expect(invalid.pause(of: other) == nil && invalid.count(from: other) == nil)
            /// Has it pause for most of a second.
            func exhaust() async throws {
                while (invalid.pause(of: address) ?? 0) < 700 {
                    _ = try await world.client.send("PING")
                    _ = invalid.count(from: address)
                }
            }
            // A key that is new to this loop is not asked about meanwhile.
            try await exhaust()
            guard case .notAsked = try await world.ask(key, from: address) else {
                Issue.record("Redis was asked")
                return
            }
            #expect(try await world.client.send("EXISTS", "usher:rate:address:2001:db8::") == .integer(1))
            // One that it has seen is, wherever it comes from.
            for place in [other, address] {
                let answer = try await world.ask(key, from: place)
                #expect(answer.found != nil)
            }
            // Until Redis has said that it is none any more.
            _ = try await world.client.send("DEL", Keys.apiKey(hash: Digest.sha256(key)))
            guard case .unknown = try await world.ask(key, from: address) else {
                Issue.record("a key that is gone is known")
                return
            }
            try await exhaust()
            guard case .notAsked = try await world.ask(key, from: address) else {
                Issue.record("a key that is gone is asked about again and again")
                return
            }
        }
    }

    private static func limited(_ limit: RateLimit) -> StoreConfiguration {
        var configuration = World.patient
        configuration.keyRateLimit = limit
        return configuration
    }

    /// Several loops of a node's kind on one database, and the owner's key.
    private static func withNodes(
        _ count: Int, _ limit: RateLimit, _ body: @escaping @Sendable (World, [Store], String) async throws -> Void
    ) async throws {
        let configuration = limited(limit)
        try await World.make(configuration: configuration) { world in
            var stores: [Store] = []
            defer {
                for store in stores {
                    store.client.loop.execute { store.client.shutDown() }
                    store.client.loop.stop()
                    store.client.loop.join()
                }
            }
            for number in 0..<count {
                let loop = try EventLoop(name: "node \(number)")
                try loop.start()
                let client = Client(
                    loop: loop, configuration: world.clientConfiguration, logger: Logger(minimum: .error))
                stores.append(Store(client: client, configuration: configuration))
                try await Task(executorPreference: loop) {
                    client.start()
                    try await client.waitUntilConnected()
                }.value
            }
            try await body(world, stores, try await world.ownersKey())
        }
    }
}

/// How many requests may pass: what a full bucket holds, and what comes into it meanwhile.
private struct Bound {
    private let limit: RateLimit
    private let meanwhile: Int
    private let began = MonotonicTime.now()
    private var passed = 0

    /// - Parameter meanwhile: how many more may be let through while Redis is asked.
    init(_ limit: RateLimit, meanwhile: Int = 0) {
        self.limit = limit
        self.meanwhile = meanwhile
    }

    /// - Throws: if it is more than may.
    mutating func notePassed() throws {
        passed += 1
        let seconds = MonotonicTime.now().milliseconds(since: began) / 1_000 + 1
        guard passed <= limit.burst + limit.perSecond * seconds + meanwhile else {
            throw TestServerError("\(passed) requests passed in \(seconds) s")
        }
    }
}

extension World {
    fileprivate func ask(_ key: String, from address: IPAddress? = nil) async throws -> Recognition<Caller> {
        try await session.callers.recognise(apiKey: key, from: { address })
    }
}
