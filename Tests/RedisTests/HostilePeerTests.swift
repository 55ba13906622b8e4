import EventLoop
import Foundation
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

/// The client on a peer that is no Redis, or a broken one. Each peer misbehaves on its first connection (or first few)
/// and is sane on the next: the client must be there then.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct HostilePeerTests {
    static func configuration(_ peer: FakePeer) throws -> ClientConfiguration {
        var configuration = ClientConfiguration(url: try RedisURL("redis+unix://\(peer.path)"), name: "usher-test")
        configuration.backoffMilliseconds = 1...50
        configuration.silenceLimitMilliseconds = 60_000
        configuration.connectTimeoutMilliseconds = 60_000
        return configuration
    }

    /// Logs a client in and answers its calls with `+OK` until it goes.
    static func behave(_ socket: BlockingSocket) {
        socket.answerLogin()
        while socket.readCommand() != nil { socket.write("+OK\r\n") }
    }

    static func becomesReady(_ peer: FakePeer, _ configuration: ClientConfiguration) async throws {
        try await withClient(configuration) { client in
            #expect(await client.firstLogin() == .ready)
            try await client.waitUntilConnected()
            #expect(try await client.send("PING") == .string("OK"))
        }
    }

    @Test func silenceEndsWithTheConnectTimeout() async throws {
        let peer = try FakePeer { socket, number in
            if number < 3 { socket.readToEnd() } else { Self.behave(socket) }
        }
        var configuration = try Self.configuration(peer)
        configuration.connectTimeoutMilliseconds = 500
        try await Self.becomesReady(peer, configuration)
        #expect(peer.connectionCount >= 4)
    }

    static let greetings = [
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\r\n", "\0\0\0\0",
        "$-5\r\n", "*-2\r\n",
        // As many good replies as the login has, and more: hiredis knows none that wait for them.
        "+OK ready\r\n+OK\r\n+OK\r\n+OK\r\n", String(repeating: "+OK\r\n", count: 10_000),
        String(repeating: "-ERR no\r\n", count: 4), "-ERR max number of clients reached\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n-LOADING x\r\n",
        // Deeper than hiredis can nest, longer than it can count.
        String(repeating: "*1\r\n", count: 100), "*99999999999999999999\r\n", "*4294967295\r\n",
        "$99999999999999999999\r\n", ":x\r\n", "+OK\r\n$3\r\nabcdef\r\n", "*2\r\n+OK\r\n",
    ]

    @Test(arguments: greetings) func garbageIsNotTakenForALogin(_ greeting: String) async throws {
        let peer = try FakePeer { socket, number in
            if number > 0 { return Self.behave(socket) }
            socket.write(greeting)
            // Long enough for the client to read all of it before it sees the end.
            _ = socket.readCommand()
        }
        let configuration = try Self.configuration(peer)
        try await withClient(configuration) { client in
            // Error replies are refusals, which end the wait; the client goes on trying all the same.
            _ = await client.firstLogin()
            try await client.waitUntil("the client is on the second connection") {
                client.isConnected && peer.connectionCount > 1
            }
            _ = try await client.send("PING")
        }
    }

    static let unasked = [
        "+OK\r\n", "-ERR x\r\n", "$-1\r\n", "*0\r\n", "+OK\r\n+OK\r\n+OK\r\n", "$100\r\nabc", "garbage\r\n", "+",
    ]

    /// After the login, while nobody waits for anything.
    @Test(arguments: unasked) func anUnaskedReplyEndsTheConnection(_ reply: String) async throws {
        let peer = try FakePeer { socket, number in
            if number > 0 { return Self.behave(socket) }
            socket.answerLogin()
            socket.write(reply)
            socket.readToEnd()
        }
        try await Self.secondConnectionWorks(peer)
    }

    /// In the same read as the reply that was asked for.
    @Test(arguments: unasked) func oneReplyTooManyEndsTheConnection(_ reply: String) async throws {
        let peer = try FakePeer { socket, number in
            if number > 0 { return Self.behave(socket) }
            socket.answerLogin()
            guard socket.readCommand() != nil else { return }
            socket.write("+OK\r\n" + reply)
            socket.readToEnd()
        }
        try await withClient(Self.configuration(peer)) { client in
            try await client.waitUntilConnected()
            #expect(try await client.send("PING") == .string("OK"))
            try await client.waitUntil("the client is on the second connection") {
                client.isConnected && peer.connectionCount > 1
            }
            #expect(try await client.send("PING") == .string("OK"))
        }
    }

    /// A reply that has begun would be taken for that to the next command.
    @Test(arguments: [":1", "$", "+OK", "*2\r\n+OK\r\n"]) func anUnaskedReplyThatHasBegunEndsTheConnection(
        _ reply: String
    ) async throws {
        let peer = try FakePeer { socket, number in
            if number > 0 { return Self.behave(socket) }
            socket.answerLogin()
            socket.write(reply)
            socket.readToEnd()
        }
        try await withClient(Self.configuration(peer)) { client throws in
            _ = await client.firstLogin()
            try await client.waitUntil("another connection is there") { peer.connectionCount == 2 }
            try await client.waitUntilConnected()
            #expect(try await client.send("PING") == .string("OK"))
        }
    }

    /// As Redis before 7.0 says it of a script, which began when this was a primary.
    @Test func aScriptsErrorOfAReplicaEndsTheConnection() async throws {
        let peer = try FakePeer { socket, number in
            if number > 0 { return Self.behave(socket) }
            socket.answerLogin()
            while socket.readCommand() != nil {
                socket.write("-ERR Error running script (call to f_0): @user_script:1: -READONLY You can't write\r\n")
            }
        }
        try await withClient(Self.configuration(peer)) { client throws in
            _ = await client.firstLogin()
            await #expect(throws: RedisError.self) { try await client.send("PING") }
            try await client.waitUntil("another connection is there") { peer.connectionCount == 2 }
            try await client.waitUntilConnected()
        }
    }

    /// It may be busy with a slow script: another connection would not make it faster.
    @Test func aReplyThatIsLateLeavesTheConnection() async throws {
        let mayAnswer = Mutex(false)
        let peer = try FakePeer { socket, _ in
            socket.answerLogin()
            while let command = socket.readCommand() {
                while command == ["LATE"], !mayAnswer.withLock({ $0 }) { usleep(1_000) }
                socket.write("+\(command[0])\r\n")
            }
        }
        defer { mayAnswer.withLock { $0 = true } }
        try await withClient(Self.configuration(peer)) { client throws in
            _ = await client.firstLogin()
            await #expect(throws: RedisError.deadlinePassed) {
                try await client.send(Command("LATE"), deadline: .now().advanced(byMilliseconds: 50))
            }
            // A while in which no timer of the connection may end it.
            await client.loop.wait(milliseconds: 100)
            mayAnswer.withLock { $0 = true }
            #expect(try await client.send("NEXT") == .string("NEXT"))
            #expect(peer.connectionCount == 1)
        }
    }

    private static func secondConnectionWorks(_ peer: FakePeer) async throws {
        try await withClient(configuration(peer)) { client in
            try await client.waitUntil("the client is on the second connection") {
                client.isConnected && peer.connectionCount > 1
            }
            let reply = try await client.send("PING")
            #expect(reply == .string("OK"))
        }
    }

    static let broken = ["", "$10\r\nabc", "*3\r\n+OK\r\n", "+O", "$5\r\nabcdefgh\r\n", "?\r\n"]

    /// A pipeline of three of which the second reply is cut short, or wrong: its outcome is unknown, as a whole.
    @Test(arguments: broken) func aReplyCutShortIsALostConnection(_ reply: String) async throws {
        let peer = try FakePeer { socket, number in
            if number > 0 { return Self.behave(socket) }
            socket.answerLogin()
            for _ in 0..<3 { _ = socket.readCommand() }
            socket.write("+OK\r\n" + reply)
        }
        try await withClient(Self.configuration(peer)) { client in
            try await client.waitUntilConnected()
            await #expect(throws: RedisError.connectionLost) {
                try await client.pipeline([Command("A"), Command("B"), Command("C")], deadline: Client.soon)
            }
            try await client.waitUntilConnected()
            #expect(try await client.send("PING") == .string("OK"))
        }
    }

    @Test func repliesByteByByteAreReplies() async throws {
        let peer = try FakePeer { socket, _ in
            socket.answerLogin()
            while let words = socket.readCommand() {
                for byte in "*3\r\n$\(words[0].utf8.count)\r\n\(words[0])\r\n*1\r\n:-42\r\n-ERR own\r\n" {
                    // A Character is "\r\n" too: two bytes in one write now and then do no harm.
                    socket.write(String(byte))
                }
            }
        }
        try await withClient(Self.configuration(peer)) { client in
            try await client.waitUntilConnected()
            for word in ["ONE", "TWO"] {
                let reply = try await client.send(word)
                #expect(reply == .array([.string(word), .array([.integer(-42)]), .error("ERR own")]))
            }
        }
    }

    @Test func aPeerThatReadsNothingFillsNoMemory() async throws {
        let peer = try FakePeer { socket, number in
            socket.answerLogin()
            if number > 0 { return Self.behave(socket) }
            // Silent until the client gives up.
            while socket.isOpen() {}
        }
        var configuration = try Self.configuration(peer)
        configuration.maximumUnsentBytes = 1 << 20
        configuration.silenceLimitMilliseconds = 100
        try await withClient(configuration) { client in
            try await client.waitUntilConnected()
            let padding = String(repeating: "x", count: 64 << 10)
            // Long enough for a loaded machine to make all calls; that long the test takes.
            let deadline = MonotonicTime.now().advanced(byMilliseconds: 5_000)
            var calls: [Task<RedisError?, Never>] = []
            for _ in 0..<200 {
                calls.append(
                    Task(executorPreference: client.loop) {
                        do throws(RedisError) {
                            _ = try await client.send(Command("ECHO", padding), deadline: deadline)
                            return nil
                        } catch { return error }
                    })
            }
            var outcomes: [RedisError?] = []
            for call in calls { outcomes.append(await call.value) }
            #expect(outcomes.contains(.overloaded))
            #expect(!outcomes.contains(nil))
            try await client.waitUntil("the client is on the second connection") {
                client.isConnected && peer.connectionCount > 1
            }
            _ = try await client.send("PING")
        }
    }

    @Test func anEndlessReplyFillsNoMemory() async throws {
        let peer = try FakePeer { socket, number in
            socket.answerLogin()
            if number > 0 { return Self.behave(socket) }
            _ = socket.readCommand()
            socket.write("$500000000\r\n")
            let piece = String(repeating: "x", count: 1 << 20)
            while socket.write(piece) {}
        }
        try await withClient(Self.configuration(peer)) { client in
            try await client.waitUntilConnected()
            await #expect(throws: RedisError.connectionLost) { try await client.send("GET", "x") }
            try await client.waitUntilConnected()
        }
    }

    /// A peer that drops each client right after its login must not get it back at once every time.
    @Test func aLoginThatDoesNotLastBacksOff() async throws {
        let peer = try FakePeer { socket, number in
            if number < 6 { socket.answerLogin() } else { Self.behave(socket) }
        }
        var configuration = try Self.configuration(peer)
        configuration.backoffMilliseconds = 16...60_000
        let start = MonotonicTime.now()
        try await withClient(configuration) { client in
            try await client.waitUntil("the client is on the last connection") {
                client.isConnected && peer.connectionCount > 6
            }
        }
        // Half of 16, 32, 64, 128, 256 and 512.
        #expect(MonotonicTime.now().milliseconds(since: start) >= 504)
    }

    @Test func aClientThatIsShutDownAtAnyMomentComesToAnEnd() async throws {
        let peer = try FakePeer { socket, number in
            if number % 2 == 0 { socket.readToEnd() } else { Self.behave(socket) }
        }
        let configuration = try Self.configuration(peer)
        for turns in 0..<20 {
            let outcome = try await withClient(configuration) { client in
                let login = Task(executorPreference: client.loop) { await client.firstLogin() }
                for _ in 0..<turns { await Task.yield() }
                client.shutDown()
                return await login.value
            }
            #expect(outcome == .ready || outcome == .refused("the client was shut down"))
        }
    }
}
