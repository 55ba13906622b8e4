import EventLoop
import Foundation
import Log
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

@testable import Redis

/// What hiredis' rules make delicate: callbacks that send or close, and the end of a connection's life.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct ConnectionTests {
    /// What happened, in order; on the loop's thread.
    final class Log {
        var entries: [String] = []

        func batch(_ name: String, _ count: Int = 1, then: @escaping () -> Void = {}) -> Batch {
            let now = MonotonicTime.now()
            return Batch(count: count, sentAt: now, deadline: now.advanced(byMilliseconds: 60_000)) { result in
                switch result {
                case .success(let replies): self.entries.append("\(name) \(replies.count)")
                case .failure(let error): self.entries.append("\(name) \(error == .connectionLost ? "lost" : "unsent")")
                }
                then()
            }
        }
    }

    /// Runs `body` with a connection that is about to connect to the shared server, waits until the connection has told
    /// its end, and returns what was logged. The connection must be gone then.
    static func entries(
        of body: @escaping @Sendable (Connection, Log, EventLoop) -> Void, to target: Target? = nil
    ) async throws -> [String] {
        let target = try target ?? .unix(path: RedisServer.shared().socketPath)
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        return try await Task(executorPreference: loop) {
            let log = Log()
            weak var observed: Connection?
            func run() {
                let connection = Connection(loop: loop, silenceLimitMilliseconds: 60_000)
                observed = connection
                connection.onClose = { reason in log.entries.append("closed: \(reason)") }
                body(connection, log, loop)
                connection.connect(to: target)
            }
            run()
            let deadline = MonotonicTime.now().advanced(byMilliseconds: 60_000)
            while observed != nil {
                guard MonotonicTime.now() < deadline else {
                    throw TestServerError("the connection is still there after 60 s: \(log.entries)")
                }
                await loop.wait(milliseconds: 1)
            }
            return log.entries
        }.value
    }

    @Test func aReplyMayCloseTheConnection() async throws {
        let entries = try await Self.entries { connection, log, _ in
            connection.onConnect = { [unowned connection] in
                let close = { [unowned connection] in
                    connection.close(because: "enough")
                    connection.send([Command("PING")], log.batch("C"))
                    connection.close(because: "again")
                }
                connection.send([Command("PING")], log.batch("A", then: close))
                connection.send([Command("PING"), Command("PING")], log.batch("B", 2))
            }
        }
        #expect(entries == ["A 1", "B lost", "closed: enough", "C unsent"])
    }

    @Test func aReplyMaySendTheNextCommand() async throws {
        let entries = try await Self.entries { connection, log, _ in
            connection.onConnect = { [unowned connection] in
                connection.send(
                    [Command("PING")],
                    log.batch("A") { [unowned connection] in
                        connection.send(
                            [Command("PING"), Command("PING")],
                            log.batch("B", 2) { [unowned connection] in connection.close(because: "done") })
                    })
            }
        }
        #expect(entries == ["A 1", "B 2", "closed: done"])
    }

    @Test func aLostBatchMaySendAndClose() async throws {
        let entries = try await Self.entries { connection, log, _ in
            connection.onConnect = { [unowned connection] in
                connection.send(
                    [Command("BLPOP", "nothing", "0")],
                    log.batch("A") { [unowned connection] in
                        connection.send([Command("PING")], log.batch("C"))
                        connection.close(because: "again")
                    })
                connection.send([Command("PING")], log.batch("B"))
                connection.close(because: "enough")
            }
        }
        #expect(entries == ["A lost", "C unsent", "B lost", "closed: enough"])
    }

    /// The moments at which hiredis holds the context in different states.
    @Test func aConnectionMayBeClosedAtAnyMoment() async throws {
        let atOnce = try await Self.entries { connection, log, loop in
            loop.atEndOfTurn { connection.close(because: "before it is connected") }
        }
        #expect(atOnce == ["closed: before it is connected"])
        let onConnect = try await Self.entries { connection, log, _ in
            connection.onConnect = { [unowned connection] in connection.close(because: "as soon as it is connected") }
        }
        #expect(onConnect == ["closed: as soon as it is connected"])
        let unflushed = try await Self.entries { connection, log, loop in
            connection.onConnect = { [unowned connection] in
                loop.schedule(afterMilliseconds: 0) { [connection] in
                    connection.send([Command("PING")], log.batch("A"))
                    connection.close(because: "before the write")
                }
            }
        }
        #expect(unflushed == ["A lost", "closed: before the write"])
        let flushed = try await Self.entries { connection, log, loop in
            connection.onConnect = { [unowned connection] in
                loop.schedule(afterMilliseconds: 0) { [connection] in
                    connection.send([Command("PING")], log.batch("A"))
                    loop.atEndOfTurn { connection.close(because: "after the write") }
                }
            }
        }
        #expect(flushed == ["A lost", "closed: after the write"])
    }

    static let unreachable: [Target] = [
        .unix(path: "/nonexistent/redis.sock"), .unix(path: "/dev/null"), .address("127.0.0.1", port: 1),
        .address("not an address", port: 1),
    ]

    @Test(arguments: unreachable) func aFailedConnectIsToldOnce(_ target: Target) async throws {
        let entries = try await Self.entries(
            of: { connection, log, _ in connection.onConnect = { log.entries.append("connected") } }, to: target)
        #expect(entries.count == 1)
        #expect(entries.first?.hasPrefix("closed: ") == true, "\(entries)")
    }

    /// hiredis leaves the flag out that closes a descriptor in programs.
    @Test func noProgramInheritsAConnection() async throws {
        let peer = try FakePeer { socket, _ in socket.readToEnd() }
        let flags = Mutex<[Int32]>([])
        _ = try await Self.entries(
            of: { [path = peer.path] connection, _, _ in
                connection.onConnect = { [unowned connection] in
                    flags.withLock { $0 = Self.descriptors(to: path).map { fcntl($0, F_GETFD) } }
                    connection.close(because: "done")
                }
            }, to: .unix(path: peer.path))
        #expect(flags.withLock { $0 } == [FD_CLOEXEC])
    }

    /// The descriptors of this process that are connected to the Unix socket of this path.
    private static func descriptors(to path: String) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return all.compactMap { Int32($0) }.filter { descriptor in
            var address = sockaddr_un()
            var length = socklen_t(MemoryLayout<sockaddr_un>.size)
            let result = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
            }
            return result == 0
                && withUnsafeBytes(of: address.sun_path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                    == path
        }
    }

    @Test func theServersEndIsToldOnce() async throws {
        let peer = try FakePeer { socket, _ in _ = socket.readCommand() }
        let entries = try await Self.entries(
            of: { connection, log, _ in
                connection.onConnect = { [unowned connection] in connection.send([Command("PING")], log.batch("A")) }
            }, to: .unix(path: peer.path))
        #expect(entries.count == 2)
        #expect(entries.first == "A lost")
        #expect(entries.last?.hasPrefix("closed: ") == true)
    }

    /// Asked for or not: it is why Redis closes, and the log should say so.
    @Test func aConnectionTooManyIsToldInRedisWords() async throws {
        let reason = "ERR max number of clients reached"
        let peer = try FakePeer { socket, number in
            if number == 0 { _ = socket.readCommand() }
            socket.write("-\(reason)\r\n")
        }
        let asked = try await Self.entries(
            of: { connection, log, _ in
                connection.onConnect = { [unowned connection] in connection.send([Command("PING")], log.batch("A")) }
            }, to: .unix(path: peer.path))
        #expect(asked == ["A lost", "closed: \(reason)"])
        #expect(try await Self.entries(of: { _, _, _ in }, to: .unix(path: peer.path)) == ["closed: \(reason)"])
    }

    /// A name's addresses are tried in turn, until one takes the login.
    @Test func theNextTargetIsTriedWhenOneFails() async throws {
        let dropping = try FakePeer { _, _ in }
        let server = try RedisServer.shared()
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let outcome = await Task(executorPreference: loop) {
            var configuration = ClientConfiguration(url: server.url, name: "n")
            configuration.backoffMilliseconds = 1_000_000...1_000_000
            let link = Link(loop: loop, configuration: configuration, logger: Logger(minimum: .error))
            defer { link.shutDown() }
            return await withUnsafeContinuation { continuation in
                link.onLogin = { continuation.resume(returning: $0) }
                link.open([
                    .unix(path: "/nonexistent"), .address("127.0.0.1", port: 1), .unix(path: dropping.path),
                    .unix(path: server.socketPath),
                ])
            }
        }.value
        #expect(outcome == .ready)
    }

    /// While requests overlap the line is never empty, so that what stays in it would stay for hours.
    @Test func aBatchGoesOnceItIsDoneAlsoWhileAnotherWaits() async throws {
        let entries = try await Self.entries { connection, log, _ in
            weak var first: Batch?
            let isGone = { log.entries.append(first == nil ? "A is gone" : "A is still kept") }
            connection.onConnect = { [unowned connection] in
                let batch = log.batch("A")
                first = batch
                connection.send([Command("PING")], batch)
                connection.send([Command("PING")], log.batch("B", then: isGone))
                let close = { [unowned connection] in connection.close(because: "enough") }
                connection.send([Command("PING")], log.batch("C", then: close))
            }
        }
        #expect(entries == ["A 1", "B 1", "A is gone", "C 1", "closed: enough"])
    }

    @Test func theLineOfBatchesKeepsItsOrderHoweverLongItGrows() {
        let now = MonotonicTime.now()
        var line = PendingBatches()
        var expected: [Int] = []
        for number in 1...5_000 {
            line.append(Batch(count: number, sentAt: now, deadline: now) { _ in })
            expected.append(number)
            if number % 3 != 0 {
                #expect(line.first?.count == expected.removeFirst())
                line.removeFirst()
            }
            #expect(line.count == expected.count)
        }
        #expect(line.all.map(\.count) == expected)
    }
}

@Suite(.takesTurns, .timeLimit(.minutes(14))) struct ResolverTests {
    static func resolve(_ host: String) async throws -> Result<[String], Resolver.Failure> {
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        return await Task(executorPreference: loop) {
            await withUnsafeContinuation { continuation in
                Resolver.resolve(host, on: loop) { result in
                    loop.preconditionCurrent()
                    continuation.resume(returning: result)
                }
            }
        }.value
    }

    @Test(arguments: ["127.0.0.1", "::1"]) func anAddressIsItself(_ host: String) async throws {
        #expect(try await Self.resolve(host).get() == [host])
    }

    @Test func aNameHasNumericAddressesEachOnce() async throws {
        let addresses = try await Self.resolve("localhost").get()
        #expect(!addresses.isEmpty)
        #expect(addresses.allSatisfy(Resolver.isNumeric))
        #expect(Set(addresses).count == addresses.count)
    }

    @Test func aNameThatIsNoneSaysWhy() async throws {
        guard case .failure(let failure) = try await Self.resolve("no-such-host.invalid") else {
            Issue.record("a name under .invalid was found")
            return
        }
        #expect(!failure.reason.isEmpty)
    }

    @Test func aClientWhoseHostHasNoAddressStaysUnconnected() async throws {
        var configuration = ClientConfiguration(url: try RedisURL("redis://no-such-host.invalid"), name: "n")
        configuration.backoffMilliseconds = 1...2
        try await withClient(configuration) { client in
            for _ in 0..<10 {
                await #expect(throws: RedisError.notConnected) { try await client.send("PING") }
                await client.loop.wait(milliseconds: 1)
            }
        }
    }
}
