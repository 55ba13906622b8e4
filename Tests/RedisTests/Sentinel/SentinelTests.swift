import EventLoop
import Foundation
import Log
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

/// The client behind real Sentinels.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct SentinelTests {
    static func configuration(_ url: RedisURL) -> ClientConfiguration {
        var configuration = ClientConfiguration(url: url, name: "usher-test", scripts: [FaultTests.ping])
        configuration.backoffMilliseconds = 1...50
        configuration.connectTimeoutMilliseconds = 1_000
        return configuration
    }

    /// Writes until it is done, with as many attempts as it takes. Returns how many were refused as READONLY.
    @discardableResult
    static func write(_ key: String, with client: Client) async throws -> Int {
        let end = MonotonicTime.now().advanced(byMilliseconds: 60_000)
        var refusals = 0
        while MonotonicTime.now() < end {
            do throws(RedisError) {
                let deadline = MonotonicTime.now().advanced(byMilliseconds: 1_000)
                _ = try await client.send(Command("SET", key, "x"), deadline: deadline)
                return refusals
            } catch {
                if "\(error)".contains("READONLY") { refusals += 1 }
                await client.loop.wait(milliseconds: 5)
            }
        }
        throw TestServerError("nothing could be written for 60 s")
    }

    @Test func aFailoverThatIsAskedForIsFollowed() async throws {
        let deployment = try await SentinelDeployment.start()
        try await withClient(Self.configuration(deployment.url)) { client throws in
            #expect(await client.firstLogin() == .ready)
            try await Self.write("before", with: client)
            #expect(try deployment.servers[0].ask("GET before") == "x")
            try deployment.sentinels[1].ask("SENTINEL FAILOVER \(SentinelDeployment.service)")
            let primary = try await deployment.newPrimary(among: Array(deployment.servers.dropFirst()))
            try await client.waitUntil("the client is connected to the new primary") {
                (try? primary.connections(named: "usher-test")) == 1
            }
            try await Self.write("after", with: client)
            #expect(try primary.ask("GET after") == "x")
            #expect(try primary.ask("GET before") == "x")
            #expect(
                try await client.run(FaultTests.ping, keys: [], arguments: [], deadline: Client.soon) == .string("PONG")
            )
        }
    }

    @Test func aKilledPrimaryIsReplaced() async throws {
        let deployment = try await SentinelDeployment.start()
        try await withClient(Self.configuration(deployment.url)) { client throws in
            _ = await client.firstLogin()
            try await Self.write("before", with: client)
            deployment.servers[0].stop()
            try await Self.write("after", with: client)
            let primary = try await deployment.newPrimary(among: Array(deployment.servers.dropFirst()))
            #expect(try primary.ask("GET after") == "x")
        }
    }

    /// It still takes itself for the primary when it comes back.
    @Test func aPrimaryThatComesBackIsNotWrittenTo() async throws {
        let deployment = try await SentinelDeployment.start()
        try await withClient(Self.configuration(deployment.url)) { client throws in
            _ = await client.firstLogin()
            try await Self.write("before", with: client)
            let former = deployment.servers[0]
            former.pause()
            let primary = try await deployment.newPrimary(among: Array(deployment.servers.dropFirst()))
            try await client.waitUntil("the client is connected to the new primary") {
                (try? primary.connections(named: "usher-test")) == 1
            }
            try await Self.write("meanwhile", with: client)
            for sentinel in deployment.sentinels { sentinel.pause() }
            former.resume()
            try await client.waitUntil("the former primary has noticed that its client is gone") {
                (try? former.connections(named: "usher-test")) == 0
            }
            #expect(try former.isPrimary)
            // With no Sentinel to ask, the client keeps to what it knows.
            for number in 1...20 { try await Self.write("after\(number)", with: client) }
            #expect(try former.ask("EXISTS meanwhile") == "0")
            #expect(try former.ask("EXISTS after1") == "0")
            for number in 1...20 { #expect(try primary.ask("GET after\(number)") == "x") }
            for sentinel in deployment.sentinels { sentinel.resume() }
        }
    }

    @Test func withoutSentinelsAConnectionGoesOnAndNoneIsMade() async throws {
        let deployment = try await SentinelDeployment.start()
        try await withClient(Self.configuration(deployment.url)) { client throws in
            _ = await client.firstLogin()
            for sentinel in deployment.sentinels { sentinel.stop() }
            try await Self.write("one", with: client)
            try deployment.servers[0].ask("CLIENT KILL TYPE normal SKIPME yes")
            try await client.waitUntil("the connection is lost") { !client.isConnected }
            await client.loop.wait(milliseconds: 100)
            #expect(!client.isConnected)
            try deployment.sentinels[2].start()
            try await Self.write("two", with: client)
            #expect(try deployment.servers[0].ask("GET two") == "x")
        }
    }

    @Test func subscribersFollowToo() async throws {
        let deployment = try await SentinelDeployment.start()
        try await SubscriberTests.withSubscriber(deployment.url, channels: ["channel"]) { _, loop, record in
            func hears(_ payload: String, from server: RedisServer) async throws {
                try await waitFor("\(payload) is heard") {
                    try server.ask("PUBLISH channel \(payload)")
                    return record.count(.message(channel: "channel", payload: payload)) > 0
                }
            }
            try await hears("one", from: deployment.servers[0])
            try deployment.sentinels[0].ask("SENTINEL FAILOVER \(SentinelDeployment.service)")
            let primary = try await deployment.newPrimary(among: Array(deployment.servers.dropFirst()))
            try await hears("two", from: primary)
            try await waitFor("the subscription is the new primary's alone") {
                try deployment.servers[0].connections(named: "usher-test-subscriber") == 0
                    && primary.connections(named: "usher-test-subscriber") == 1
            }
        }
    }

    /// Such as behind a name that leads to another server by now.
    @Test func aRedisThatHasBecomeAReplicaIsLeft() async throws {
        var options = RedisServer.Options()
        options.listensOnPort = true
        let (server, other) = (try RedisServer(options), try RedisServer(options))
        try await withClient(FaultTests.configuration(server)) { client throws in
            _ = await client.firstLogin()
            for words in [["SET", "key", "x"], ["EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "key"]] {
                guard let id = try await client.send("CLIENT", "ID").integer else { throw TestServerError("no id") }
                try server.ask("REPLICAOF 127.0.0.1 \(other.port!)")
                await #expect(throws: RedisError.self) {
                    try await client.send(Command(words: words), deadline: Client.soon)
                }
                try await client.waitUntil("the connection is left") {
                    (try? server.ask("CLIENT LIST").contains("id=\(id) ")) == false
                }
                try server.ask("REPLICAOF NO ONE")
                try await Self.write("key", with: client)
            }
        }
    }

    @Test func aServiceThatTheSentinelsDoNotKnowIsSaid() async throws {
        let deployment = try await SentinelDeployment.start()
        var text = deployment.url.redacted
        text.replace("/\(SentinelDeployment.service)/", with: "/nothing/")
        try await withClient(Self.configuration(try RedisURL(text))) { client throws in
            #expect(await client.firstLogin(withinMilliseconds: 500) == nil)
            try await client.waitUntil("the Sentinels' words are told") {
                client.problem?.hasSuffix("ERR No such master with that name") == true
            }
            #expect(client.problem?.hasPrefix("no Sentinel tells of nothing: ") == true)
            await #expect(throws: RedisError.notConnected) { try await client.send("PING") }
        }
    }

    /// Sentinels often watch several services, and here another one has the same primary.
    @Test func whatIsSaidOfAnotherServiceIsNotObeyed() async throws {
        var options = RedisServer.Options()
        options.listensOnPort = true
        let server = try RedisServer(options)
        let primary = "127.0.0.1 \(server.port!)"
        let subscriptions = Mutex(0)
        let messages = Mutex<[String]>([])
        let sentinel = try FakePeer(onPort: true) { socket, _ in
            while let words = socket.readCommand() {
                switch words.first {
                case "PING": socket.write("+PONG\r\n")
                case "SENTINEL" where words[1] == "MASTER": socket.write("*2\r\n$12\r\nconfig-epoch\r\n$1\r\n1\r\n")
                case "SENTINEL":
                    let parts = primary.split(separator: " ")
                    socket.write("*2\r\n" + parts.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined())
                case "SUBSCRIBE":
                    socket.write("*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n")
                    let number = subscriptions.withLock { count in
                        count += 1
                        return count
                    }
                    // One message for each subscription, which ends behind it.
                    while messages.withLock({ $0.count < number }) { usleep(1_000) }
                    let text = messages.withLock { $0[number - 1] }
                    socket.write(
                        "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$\(text.utf8.count)\r\n\(text)\r\n")
                    return
                default: socket.write("+OK\r\n")
                }
            }
        }
        defer { messages.withLock { $0 = Array(repeating: "", count: 1_000) } }
        let url = try RedisURL("redis+sentinel://127.0.0.1:\(sentinel.port!)/ours")
        try await withClient(Self.configuration(url)) { client throws in
            #expect(await client.firstLogin() == .ready)
            let connection = try await client.send("CLIENT", "ID")
            messages.withLock { $0.append("theirs \(primary) 127.0.0.1 1") }
            try await client.waitUntil("the message has been taken") { subscriptions.withLock { $0 } == 2 }
            #expect(client.isConnected)
            #expect(try await client.send("CLIENT", "ID") == connection)
            // Of its own service it is obeyed.
            messages.withLock { $0.append("ours \(primary) 127.0.0.1 1") }
            try await client.waitUntil("the connection is left") { !client.isConnected }
            try await client.waitUntilConnected()
            #expect(try await client.send("CLIENT", "ID") != connection)
        }
    }
}
