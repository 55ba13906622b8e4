import EventLoop
import Foundation
import Redis
import RedisTestSupport
import TestTurns
import Testing

/// The client on a real Redis that behaves.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct ClientTests {
    static func configuration(scripts: [Script] = []) throws -> ClientConfiguration {
        ClientConfiguration(url: try RedisServer.shared().url, name: "usher-test", scripts: scripts)
    }

    static func key() -> String { "test:\(UUID().uuidString)" }

    @Test func commandsAreAnsweredByType() async throws {
        try await withClient(Self.configuration()) { client in
            #expect(await client.firstLogin() == .ready)
            #expect(client.isConnected)
            try await client.waitUntilConnected()
            let key = Self.key()
            #expect(try await client.send("SET", key, "a\0ü\r\n") == .string("OK"))
            #expect(try await client.send("GET", key) == .string("a\0ü\r\n"))
            #expect(try await client.send("GET", key + "x") == .null)
            #expect(try await client.send("SET", key, "") == .string("OK"))
            #expect(try await client.send("GET", key) == .string(""))
            #expect(try await client.send("DEL", key) == .integer(1))
            #expect(try await client.send("HSET", key, "f", "1", "g", "2") == .integer(2))
            #expect(try await client.send("HGETALL", key).hash() == ["f": "1", "g": "2"])
            #expect(try await client.send("CLIENT", "GETNAME") == .string("usher-test"))
            await #expect(throws: RedisError.self) { try await client.send("NOSUCHCOMMAND") }
            do {
                _ = try await client.send("INCR", key)
                Issue.record("INCR of a hash was not refused")
            } catch { #expect("\(error)".contains("WRONGTYPE")) }
        }
    }

    @Test func errorsInsideAPipelineAreItsOwn() async throws {
        try await withClient(Self.configuration()) { client in
            _ = await client.firstLogin()
            let key = Self.key()
            let replies = try await client.pipeline(
                [Command("SET", key, "x"), Command("INCR", key), Command("NOSUCH"), Command("GET", key)],
                deadline: Client.soon)
            #expect(replies.count == 4)
            #expect(replies[0] == .string("OK"))
            guard case .error = replies[1], case .error = replies[2] else {
                Issue.record("no errors: \(replies)")
                return
            }
            #expect(replies[3] == .string("x"))
            #expect(try await client.pipeline([], deadline: Client.soon) == [])
            #expect(try await client.send("PING") == .string("PONG"))
        }
    }

    /// Far more than the socket's buffers hold, both ways: written in parts, and read in many.
    @Test func aPipelineLargerThanAllBuffersIsAnsweredInOrder() async throws {
        try await withClient(Self.configuration()) { client in
            _ = await client.firstLogin()
            let padding = String(repeating: "x", count: 100_000)
            let commands = (0..<200).map { Command("ECHO", "\($0) \(padding)") }
            let replies = try await client.pipeline(commands, deadline: Client.soon)
            #expect(replies == (0..<200).map { .string("\($0) \(padding)") })
        }
    }

    @Test func callsOfManyTasksGetTheirOwnReplies() async throws {
        try await withClient(Self.configuration()) { client in
            _ = await client.firstLogin()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<3_000 {
                    group.addTask {
                        let (first, second) = ("\(number)", "\(number) again")
                        let replies = try await client.pipeline(
                            [Command("ECHO", first), Command("ECHO", second)], deadline: Client.soon)
                        #expect(replies == [.string(first), .string(second)])
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    static let incrementTwice = Script(
        name: "increment_twice", text: "redis.call('INCR', KEYS[1]); return redis.call('INCRBY', KEYS[1], ARGV[1])")
    static let failing = Script(name: "failing", text: "return redis.error_reply('OWN it is so')")

    /// After SCRIPT FLUSH, and whichever way the script becomes known again, it runs once a call.
    @Test func aForgottenScriptRunsOnceACall() async throws {
        let server = try RedisServer()
        let configuration = ClientConfiguration(
            url: server.url, name: "n", scripts: [Self.incrementTwice, Self.failing])
        try await withClient(configuration) { client in
            #expect(await client.firstLogin() == .ready)
            let key = Self.key()
            for round in 1...20 {
                _ = try await client.send("SCRIPT", "FLUSH")
                let reply = try await client.run(
                    Self.incrementTwice, keys: [key], arguments: ["10"], after: Command("INCR", key + ":lock"),
                    deadline: Client.soon)
                #expect(reply == (.integer(round), .integer(round * 11)))
                #expect(try await client.send("GET", key + ":lock") == .string("\(round)"), "sent once only")
            }
            await #expect(throws: RedisError.refused("OWN it is so")) {
                try await client.run(Self.failing, keys: [], arguments: [], deadline: Client.soon)
            }
        }
    }

    @Test func theDatabaseOfTheURLIsSelected() async throws {
        var configuration = try Self.configuration()
        configuration.url.database = 3
        try await withClient(configuration) { client in
            #expect(await client.firstLogin() == .ready)
            let info = try await client.send("CLIENT", "INFO").string ?? ""
            #expect(info.contains(" db=3 "))
        }
    }

    @Test func aScriptThatDoesNotCompileIsRefusedByName() async throws {
        let configuration = try Self.configuration(scripts: [Script(name: "broken", text: "return (")])
        try await withClient(configuration) { client in
            guard case .refused(let text) = await client.firstLogin() else {
                Issue.record("logged in with a broken script")
                return
            }
            #expect(text.hasPrefix("script broken: ERR"))
            #expect(!client.isConnected)
        }
    }

    @Test func aPasswordIsAskedForAndChecked() async throws {
        var options = RedisServer.Options()
        options.arguments = ["--requirepass", "open sesame", "--user", "worker", "on", ">pass:word@/", "~*", "+@all"]
        let server = try RedisServer(options)
        func outcome(_ credentials: String) async throws -> Client.LoginOutcome? {
            let url = try RedisURL("redis+unix://\(credentials)\(server.socketPath)")
            return try await withClient(ClientConfiguration(url: url, name: "n")) { await $0.firstLogin() }
        }
        #expect(try await outcome(":open%20sesame@") == .ready)
        #expect(try await outcome("worker:pass%3Aword%40%2F@") == .ready)
        for credentials in ["", ":wrong@", "worker:wrong@", "nobody:wrong@"] {
            guard case .refused(let text) = try await outcome(credentials) else {
                Issue.record("logged in as \(credentials)")
                continue
            }
            #expect(text.hasPrefix(credentials.isEmpty ? "NOAUTH" : "WRONGPASS"))
        }
    }

    @Test func aUserWhoMayNotNameItsConnectionIsToldSo() async throws {
        var options = RedisServer.Options()
        options.arguments = ["--user", "worker", "on", ">pass", "~*", "+ping"]
        let server = try RedisServer(options)
        let url = try RedisURL("redis+unix://worker:pass@\(server.socketPath)")
        try await withClient(ClientConfiguration(url: url, name: "n")) { client in
            guard case .refused(let text) = await client.firstLogin() else {
                Issue.record("logged in")
                return
            }
            #expect(text.hasPrefix("NOPERM"))
        }
    }

    /// `localhost` is also ::1, where this Redis does not listen.
    @Test(arguments: ["127.0.0.1", "localhost"]) func aPortIsReachedByAddressAndByName(_ host: String) async throws {
        var options = RedisServer.Options()
        options.listensOnPort = true
        let server = try RedisServer(options)
        let url = try RedisURL("redis://\(host):\(try #require(server.port))")
        try await withClient(ClientConfiguration(url: url, name: "n")) { client in
            #expect(await client.firstLogin() == .ready)
            try await client.waitUntilConnected()
            #expect(try await client.send("PING") == .string("PONG"))
        }
    }

    @Test func aClientThatWasShutDownTakesNoMoreCalls() async throws {
        try await withClient(Self.configuration()) { client in
            _ = await client.firstLogin()
            let call = Task(executorPreference: client.loop) { try await client.send("BLPOP", Self.key(), "0") }
            let other = Task(executorPreference: client.loop) { await client.firstLogin() }
            #expect(await other.value == .ready)
            await client.loop.wait(milliseconds: 1)
            client.shutDown()
            client.shutDown()
            await #expect(throws: RedisError.connectionLost) { try await call.value }
            await #expect(throws: RedisError.notConnected) { try await client.send("PING") }
            guard case .refused = await client.firstLogin() else {
                Issue.record("ready after it was shut down")
                return
            }
        }
    }
}
