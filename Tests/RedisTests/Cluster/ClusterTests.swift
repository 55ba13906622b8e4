import EventLoop
import Foundation
import RedisTestSupport
import TestTurns
import Testing

@testable import Redis

/// The client on a real Redis Cluster.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct ClusterTests {
    static let store = Script(
        name: "store", text: "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1]) .. #KEYS")

    static func configuration(_ cluster: RedisCluster) -> ClientConfiguration {
        ClientConfiguration(url: cluster.url, name: "usher-test", scripts: [store])
    }

    /// A key whose slot is the given primary's, of three.
    static func key(on primary: Int) -> String {
        while true {
            let key = "test:\(UUID().uuidString)"
            if min(HashSlot.of(key) / (HashSlot.count / 3), 2) == primary { return key }
        }
    }

    @Test func eachCommandReachesItsNode() async throws {
        let cluster = try await RedisCluster.ofThree()
        try await withClient(Self.configuration(cluster)) { client in
            #expect(await client.firstLogin() == .ready)
            #expect(client.isConnected)
            let keys = (0..<30).map { Self.key(on: $0 % 3) }
            let replies = try await client.pipeline(
                keys.map { Command("SET", $0, "value of \($0)") } + keys.map { Command("GET", $0) } + [Command("PING")],
                deadline: Client.soon)
            #expect(replies.prefix(30).allSatisfy { $0 == .string("OK") })
            #expect(replies[30..<60].elementsEqual(keys.map { .string("value of \($0)") }))
            #expect(replies[60] == .string("PONG"))
            for (index, key) in keys.enumerated() {
                #expect(try cluster.primaries[index % 3].ask("GET \(key)") == "value of \(key)")
            }
        }
    }

    @Test func errorsAreEachCommandsOwn() async throws {
        try await withClient(Self.configuration(try await RedisCluster.ofThree())) { client in
            _ = await client.firstLogin()
            let keys = (0..<3).map { Self.key(on: $0) }
            let replies = try await client.pipeline(
                [
                    Command("SET", keys[0], "x"), Command("INCR", keys[0]), Command("INCR", keys[1]),
                    Command("NOSUCH", "x"),
                ],
                deadline: Client.soon)
            #expect(replies[0] == .string("OK"))
            #expect(replies[2] == .integer(1))
            guard case .error(let first) = replies[1], case .error(let second) = replies[3] else {
                Issue.record("no errors: \(replies)")
                return
            }
            #expect(first.hasPrefix("ERR value is not an integer"))
            #expect(second.hasPrefix("ERR unknown command"))
            #expect(try await client.pipeline([], deadline: Client.soon) == [])
        }
    }

    @Test func scriptsRunWhereTheirKeysAre() async throws {
        let cluster = try await RedisCluster.ofThree()
        try await withClient(Self.configuration(cluster)) { client in
            _ = await client.firstLogin()
            for primary in 0..<3 {
                let key = Self.key(on: primary)
                let first = try await client.run(Self.store, keys: [key], arguments: ["a"], deadline: Client.soon)
                #expect(first == .string("a1"))
                try cluster.primaries[primary].ask("SCRIPT FLUSH")
                let again = try await client.run(
                    Self.store, keys: [key], arguments: ["b"], after: Command("SET", key, "c"), deadline: Client.soon)
                #expect(again.script == .string("b1"))
            }
            let apart = [Self.key(on: 0), Self.key(on: 1)]
            await #expect(throws: RedisError.self) {
                try await client.run(Self.store, keys: apart, arguments: ["a"], deadline: Client.soon)
            }
        }
    }

    /// The slot of `foo`, which is 1, on its way from one primary to the other.
    struct Move: Sendable {
        let cluster: RedisCluster
        let slot = HashSlot.of("foo")

        private var sourceIndex: Int { slot * 2 / HashSlot.count }
        var source: RedisServer { cluster.primaries[sourceIndex] }
        var target: RedisServer { cluster.primaries[1 - sourceIndex] }

        func moveKey() throws { try cluster.move(key: "foo", from: source, to: target) }

        func end() throws { try cluster.endMove(of: slot, from: source, to: target) }
    }

    static func whileASlotMoves(_ body: @escaping @Sendable (Client, Move) async throws -> Void) async throws {
        let move = Move(cluster: try await RedisCluster.start(primaries: 2))
        try await withClient(configuration(move.cluster)) { client in
            _ = await client.firstLogin()
            #expect(try await client.send("SET", "foo", "1") == .string("OK"))
            try move.cluster.beginMove(of: move.slot, from: move.source, to: move.target)
            try await body(client, move)
        }
    }

    @Test func aSlotThatHasMovedIsFollowed() async throws {
        try await Self.whileASlotMoves { client, move in
            // The key is still there; a new one of the slot would be at the target.
            #expect(try await client.send("INCR", "foo") == .integer(2))
            #expect(try await client.send("INCR", "{foo}new") == .integer(1))
            #expect(try move.target.ask("CLUSTER COUNTKEYSINSLOT \(move.slot)") == "1")
            try move.moveKey()
            #expect(try await client.send("INCR", "foo") == .integer(3))
            let replies = try await client.pipeline(
                [Command("INCR", "foo"), Command("INCR", "{foo}new"), Command("INCR", "foo")], deadline: Client.soon)
            #expect(replies == [.integer(4), .integer(2), .integer(5)])
            try move.end()
            #expect(try await client.send("INCR", "foo") == .integer(6))
            #expect(
                try await client.run(Self.store, keys: ["foo"], arguments: ["7"], deadline: Client.soon)
                    == .string("71"))
        }
    }

    /// Keys of one script on both sides: nobody can run it until the move has ended.
    @Test func aScriptWaitsForTheEndOfAMove() async throws {
        try await Self.whileASlotMoves { client, move in
            let soon = MonotonicTime.now().advanced(byMilliseconds: 100)
            do {
                _ = try await client.run(Self.store, keys: ["foo", "{foo}new"], arguments: ["2"], deadline: soon)
                Issue.record("the script ran")
            } catch { #expect("\(error)".contains("TRYAGAIN") || "\(error)".contains("deadline"), "\(error)") }
            async let reply = client.run(
                Self.store, keys: ["foo", "{foo}new"], arguments: ["3"], after: Command("SET", "{foo}lock", "token"),
                deadline: Client.soon)
            await client.loop.wait(milliseconds: 50)
            #expect(try await client.send("GET", "foo") == .string("1"))
            try move.moveKey()
            try move.end()
            #expect(try await reply.script == .string("32"))
            #expect(try move.target.ask("GET {foo}lock") == "token")
        }
    }

    @Test func aPrimaryThatIsKilledIsReplacedByItsReplica() async throws {
        let cluster = try await RedisCluster.start(primaries: 3, withReplicas: true, nodeTimeoutMilliseconds: 3_000)
        try await withClient(Self.configuration(cluster)) { client in
            _ = await client.firstLogin()
            // The node that the URL names, too.
            for lost in [1, 0] {
                let key = Self.key(on: lost)
                #expect(try await client.send("SET", key, "x") == .string("OK"))
                try await waitFor("the replica has the key") {
                    try cluster.replicas[lost].ask("CLUSTER COUNTKEYSINSLOT \(HashSlot.of(key))") == "1"
                }
                cluster.primaries[lost].stop()
                try await waitFor("the replica is asked") { (try? await client.send("GET", key)) == .string("x") }
                #expect(
                    try await client.run(Self.store, keys: [key], arguments: ["y"], deadline: Client.soon)
                        == .string("y1"))
            }
        }
    }

    @Test func aNodeThatIsNotThereHoldsUpNobodyElse() async throws {
        let cluster = try await RedisCluster.start(primaries: 3)
        try await withClient(Self.configuration(cluster)) { client in
            _ = await client.firstLogin()
            for primary in 0..<3 { _ = try await client.send("SET", Self.key(on: primary), "x") }
            cluster.primaries[2].stop()
            try await client.waitUntil("its loss is seen") { client.isConnected }
            try await waitFor("its loss is seen") { (try? await client.send("GET", Self.key(on: 2))) == nil }
            #expect(try await client.send("SET", Self.key(on: 0), "x") == .string("OK"))
            await #expect(throws: RedisError.notConnected) {
                try await client.pipeline(
                    [Command("SET", Self.key(on: 0), "x"), Command("SET", Self.key(on: 2), "x")], deadline: Client.soon)
            }
        }
    }

    @Test func aRedisThatIsNoClusterIsRefused() async throws {
        var options = RedisServer.Options()
        options.listensOnPort = true
        let server = try RedisServer(options)
        let url = try RedisURL("redis+cluster://127.0.0.1:\(server.port!)")
        try await withClient(ClientConfiguration(url: url, name: "test")) { client in
            guard case .refused(let reason) = await client.firstLogin() else {
                Issue.record("it was taken")
                return
            }
            #expect(reason.contains("cluster support disabled"))
            #expect(!client.isConnected)
        }
    }
}
