import EventLoop
import Foundation
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

/// The client on a real Redis that goes away, stands still, or throws it out.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct FaultTests {
    static func configuration(_ server: RedisServer) -> ClientConfiguration {
        var configuration = ClientConfiguration(url: server.url, name: "usher-test", scripts: [ping])
        configuration.backoffMilliseconds = 1...50
        // No test may take a loaded machine for a stuck Redis.
        configuration.silenceLimitMilliseconds = 60_000
        return configuration
    }

    static let ping = Script(name: "ping", text: "return redis.call('PING')")

    /// Calls until one works; the others must say that Redis was not there.
    static func callUntilItWorks(_ client: Client) async throws {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: 60_000)
        while MonotonicTime.now() < deadline {
            do throws(RedisError) {
                _ = try await client.run(ping, keys: [], arguments: [], deadline: Client.soon)
                return
            } catch {
                #expect(error == .notConnected || error == .connectionLost)
                await client.loop.wait(milliseconds: 1)
            }
        }
        throw TestServerError("no call worked for 60 s")
    }

    @Test func aClientIsBackAfterEachRestart() async throws {
        var options = RedisServer.Options()
        options.isPersistent = true
        let server = try RedisServer(options)
        try await withClient(Self.configuration(server)) { client in
            try await client.waitUntilConnected()
            for round in 1...5 {
                #expect(try await client.send("INCR", "count") == .integer(round))
                server.stop()
                try await client.waitUntil("the connection is lost") { !client.isConnected }
                await #expect(throws: RedisError.notConnected) { try await client.send("PING") }
                try server.start()
                try await Self.callUntilItWorks(client)
            }
        }
    }

    @Test func aClientThatStartsFirstWaitsForItsRedis() async throws {
        let server = try RedisServer()
        server.stop()
        try await withClient(Self.configuration(server)) { client in
            let login = Task(executorPreference: client.loop) { await client.firstLogin() }
            await #expect(throws: RedisError.notConnected) { try await client.send("PING") }
            try server.start()
            #expect(await login.value == .ready)
        }
    }

    @Test func aCallOfALostConnectionIsReportedAsSuch() async throws {
        let server = try RedisServer()
        try await withClient(Self.configuration(server)) { client in
            try await client.waitUntilConnected()
            let calls = (0..<100).map { _ in
                Task(executorPreference: client.loop) { try await client.send("BLPOP", "nothing", "0") }
            }
            let admin = try BlockingSocket(path: server.socketPath)
            try await waitFor("Redis has the first call") {
                admin.write("INFO clients\r\n")
                return admin.readBulk()?.contains("blocked_clients:1") ?? false
            }
            admin.write("CLIENT KILL TYPE normal SKIPME yes\r\n")
            for call in calls {
                await #expect(throws: RedisError.connectionLost) { try await call.value }
            }
            try await Self.callUntilItWorks(client)
        }
    }

    @Test func aClientThatKillsItselfIsBack() async throws {
        let server = try RedisServer()
        try await withClient(Self.configuration(server)) { client in
            try await client.waitUntilConnected()
            for _ in 0..<10 {
                // Redis answers, and then closes; what comes after that is lost or was never sent.
                _ = try? await client.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
                try await Self.callUntilItWorks(client)
            }
        }
    }

    @Test func aStuckRedisFailsCallsAtTheirDeadlinesAndIsLeft() async throws {
        let server = try RedisServer()
        var configuration = Self.configuration(server)
        configuration.silenceLimitMilliseconds = 3_000
        configuration.connectTimeoutMilliseconds = 3_000
        try await withClient(configuration) { client in
            try await client.waitUntilConnected()
            server.pause()
            await #expect(throws: RedisError.deadlinePassed) {
                try await client.send(Command("PING"), deadline: client.loop.now.advanced(byMilliseconds: 20))
            }
            // Nobody calls any more: the silence alone must end the connection.
            try await client.waitUntil("the connection is given up") { !client.isConnected }
            server.resume()
            try await Self.callUntilItWorks(client)
        }
    }

    /// A deadline is its call's own: neither put off by a later one that was there first, nor the end of other calls.
    @Test func aShortDeadlineBehindALongOnePassesAlone() async throws {
        let server = try RedisServer()
        var configuration = Self.configuration(server)
        // The login's deadline is the first, and must put off no other.
        configuration.connectTimeoutMilliseconds = 3_600_000
        try await withClient(configuration) { client in
            try await client.waitUntilConnected()
            let identifier = try await client.send("CLIENT", "ID")
            let never = client.loop.now.advanced(byMilliseconds: 3_600_000)
            let blocked = Task(executorPreference: client.loop) {
                try await client.send(Command("BLPOP", "list", "0"), deadline: never)
            }
            await Task.yield()
            let isOver = Atomic<Bool>(false)
            let short = Task(executorPreference: client.loop) {
                defer { isOver.store(true, ordering: .relaxed) }
                return try await client.send(
                    Command("INCR", "n"), deadline: client.loop.now.advanced(byMilliseconds: 20))
            }
            try await client.waitUntil("the short deadline passes") { isOver.load(ordering: .relaxed) }
            await #expect(throws: RedisError.deadlinePassed) { try await short.value }
            await #expect(throws: RedisError.deadlinePassed) {
                try await client.send(Command("INCR", "never"), deadline: client.loop.now)
            }
            let admin = try BlockingSocket(path: server.socketPath)
            admin.write("RPUSH list x\r\n")
            #expect(try await blocked.value == .array([.string("list"), .string("x")]))
            // The late reply was taken in: later calls get their own. What was late at once was never sent.
            #expect(try await client.send("CLIENT", "ID") == identifier)
            #expect(try await client.send("GET", "n") == .string("1"))
            #expect(try await client.send("GET", "never") == .null)
        }
    }

    @Test func moreCallsThanAllowedAreRefusedUnsent() async throws {
        let server = try RedisServer()
        var configuration = Self.configuration(server)
        configuration.maximumPendingCalls = 10
        try await withClient(configuration) { client in
            try await client.waitUntilConnected()
            let calls = (0..<10).map { _ in
                Task(executorPreference: client.loop) { try await client.send("BLPOP", "list", "0") }
            }
            await Task.yield()
            await #expect(throws: RedisError.overloaded) { try await client.send("INCR", "n") }
            let admin = try BlockingSocket(path: server.socketPath)
            admin.write("RPUSH list 0 1 2 3 4 5 6 7 8 9\r\n")
            for call in calls { _ = try await call.value }
            #expect(try await client.send("GET", "n") == .null)
        }
    }

    @Test func aRedisWithoutRoomIsTriedAgain() async throws {
        var options = RedisServer.Options()
        options.arguments = ["--maxclients", "1"]
        let server = try RedisServer(options)
        let only = Held()
        try await waitFor("the test has the only connection") {
            let socket = try BlockingSocket(path: server.socketPath)
            socket.write("PING\r\n")
            guard socket.readLine() == "+PONG" else { return false }
            only.socket = socket
            return true
        }
        try await withClient(Self.configuration(server)) { client in
            let login = Task(executorPreference: client.loop) { await client.firstLogin() }
            try await waitFor("Redis has sent the client away twice") {
                only.socket?.write("INFO stats\r\n")
                let info = only.socket?.readBulk() ?? ""
                let line = info.split(separator: "\r\n").first { $0.hasPrefix("rejected_connections:") }
                return line.flatMap { Int($0.dropFirst("rejected_connections:".count)) } ?? 0 >= 2
            }
            only.socket?.disconnect()
            #expect(await login.value == .ready)
        }
    }

    /// Used by one task at a time.
    final class Held: @unchecked Sendable {
        var socket: BlockingSocket?
    }
}
