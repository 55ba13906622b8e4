import EventLoop
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

/// Changes that count only once a replica has them, on a real primary and a real replica.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct ReplicaWaitTests {
    /// Returns 1 if the key was not there, else 0.
    static let create = Script(name: "create", text: "return redis.call('SETNX', KEYS[1], ARGV[1])")

    let primary: RedisServer
    let replica: RedisServer

    init() throws {
        var options = RedisServer.Options()
        options.listensOnPort = true
        options.arguments = ["--repl-diskless-sync-delay", "0"]
        primary = try RedisServer(options)
        replica = try Self.replica(of: primary)
    }

    static func replica(of primary: RedisServer) throws -> RedisServer {
        var options = RedisServer.Options()
        options.arguments = ["--replicaof", "127.0.0.1 \(primary.port!)"]
        return try RedisServer(options)
    }

    func configuration(waitMilliseconds: Int, replicas: Int = 1) -> ClientConfiguration {
        var configuration = ClientConfiguration(url: primary.url, name: "usher-test", scripts: [Self.create])
        configuration.replicaWait = ReplicaWait(replicas: replicas, milliseconds: waitMilliseconds)
        // No test may take a loaded machine for a stuck Redis.
        configuration.silenceLimitMilliseconds = 60_000
        return configuration
    }

    func waitForReplica() async throws {
        try await waitFor("the replica has its data") { [replica] in
            try replica.ask("INFO replication").contains("master_link_status:up")
        }
    }

    static func waitForBoth(of primary: RedisServer) async throws {
        try await waitFor("both replicas are there") {
            try primary.ask("INFO replication").split(separator: ",").count { $0 == "state=online" } == 2
        }
    }

    static func create(_ key: String, with client: Client) async throws -> Value {
        try await client.run(
            create, keys: [key], arguments: ["x"], isChange: { $0 == .integer(1) }, deadline: Client.soon)
    }

    /// False if it was not on enough replicas in time.
    static func isCreated(_ key: String, with client: Client) async throws -> Bool {
        do {
            return try await create(key, with: client) == .integer(1)
        } catch RedisError.notReplicated {
            return false
        }
    }

    func waits() throws -> Int {
        let statistics = try primary.ask("INFO commandstats")
        guard let line = statistics.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("cmdstat_wait:") })
        else { return 0 }
        return Int(line.split(separator: "=")[1].prefix { $0.isNumber })!
    }

    @Test func aChangeIsOnTheReplicaWhenItIsAnswered() async throws {
        try await waitForReplica()
        try await withClient(configuration(waitMilliseconds: 60_000)) { [self] client throws in
            _ = await client.firstLogin()
            for number in 1...20 {
                #expect(try await Self.create("key\(number)", with: client) == .integer(1))
                #expect(try replica.ask("GET key\(number)") == "x")
            }
            #expect(try waits() == 20)
        }
    }

    @Test func aChangeThatNoReplicaConfirmsIsToldSo() async throws {
        try await waitForReplica()
        replica.pause()
        defer { replica.resume() }
        try await withClient(configuration(waitMilliseconds: 20)) { [self] client throws in
            _ = await client.firstLogin()
            await #expect(throws: RedisError.notReplicated(replicas: 0)) {
                try await Self.create("key", with: client)
            }
            #expect(RedisError.notReplicated(replicas: 0).mayHaveRun)
            #expect(try primary.ask("GET key") == "x")
            // It changes nothing this time, so there is nothing to be confirmed.
            #expect(try await Self.create("key", with: client) == .integer(0))
            // This one has not asked to wait.
            #expect(
                try await client.run(Self.create, keys: ["other"], arguments: ["x"], deadline: Client.soon)
                    == .integer(1))
        }
    }

    /// One has it, and two are wanted.
    @Test func fewerReplicasThanAreWantedAreNotEnough() async throws {
        try await waitForReplica()
        // On a machine where not even that one has it in time, it is given more.
        for milliseconds in [300, 3_000, 30_000] {
            let error = try await withClient(configuration(waitMilliseconds: milliseconds, replicas: 2)) {
                client throws in
                _ = await client.firstLogin()
                return await #expect(throws: RedisError.self) { try await Self.create("\(milliseconds)", with: client) }
            }
            if error == .notReplicated(replicas: 1) { break }
            #expect(error == .notReplicated(replicas: 0))
        }
        let second = try Self.replica(of: primary)
        try await withClient(configuration(waitMilliseconds: 60_000, replicas: 2)) { [self] client throws in
            _ = await client.firstLogin()
            for number in 1...20 {
                #expect(try await Self.create("key\(number)", with: client) == .integer(1))
                for server in [replica, second] { #expect(try server.ask("GET key\(number)") == "x") }
            }
        }
    }

    /// Of three servers one is gone: once it has been away for long, changes are made without it, and wait for it again as
    /// soon as it is back.
    @Test func oneThatIsGoneForLongIsNotWaitedFor() async throws {
        let gone = try Self.replica(of: primary)
        try await waitForReplica()
        try await Self.waitForBoth(of: primary)
        var configuration = configuration(waitMilliseconds: 500, replicas: 2)
        configuration.replicaWait?.awayMilliseconds = 10_000
        try await withClient(configuration) { [self] client throws in
            _ = await client.firstLogin()
            gone.stop()
            await #expect(throws: RedisError.self) { try await Self.create("refused", with: client) }
            var tries = 0
            repeat { tries += 1 } while try await !Self.isCreated("try\(tries)", with: client) && tries < 1_000
            #expect(try tries < 1_000 && replica.ask("GET try\(tries)") == "x")
            let back = try Self.replica(of: primary)
            try await Self.waitForBoth(of: primary)
            var held = 0
            for number in 1...20 where try await Self.isCreated("key\(number)", with: client) {
                held += 1
                for server in [replica, back] { #expect(try server.ask("GET key\(number)") == "x") }
            }
            #expect(held > 0)
        }
    }

    /// The first has its reply, and its WAIT none; the second has not left, as Redis would not run it before.
    @Test func aChangeWaitsForReplicasNoLongerThanItsDeadline() async throws {
        try await waitForReplica()
        replica.pause()
        defer { replica.resume() }
        try await withClient(configuration(waitMilliseconds: 600_000)) { [self] client throws in
            _ = await client.firstLogin()
            for key in ["first", "second"] {
                let deadline = MonotonicTime.now().advanced(byMilliseconds: 200)
                await #expect(throws: RedisError.deadlinePassed) {
                    try await client.run(
                        Self.create, keys: [key], arguments: ["x"], isChange: { _ in true }, deadline: deadline)
                }
            }
            replica.resume()
            #expect(try await Self.create("third", with: client) == .integer(1))
            #expect(try replica.ask("GET third") == "x")
        }
    }

    /// They share a WAIT, which must not be over before both are.
    @Test func aChangeThatIsGivenUpLeavesNoneThatHasMoreTimeUnanswered() async throws {
        try await waitForReplica()
        try await withClient(configuration(waitMilliseconds: 200)) { [self] client throws in
            _ = await client.firstLogin()
            primary.pause()
            defer { primary.resume() }
            @Sendable func change(_ key: String, milliseconds: Int) -> Task<Value, Error> {
                Task(executorPreference: client.loop) {
                    try await client.run(
                        Self.create, keys: [key], arguments: ["x"], isChange: { _ in true },
                        deadline: .now().advanced(byMilliseconds: milliseconds))
                }
            }
            let (patient, hasty) = await Task(executorPreference: client.loop) {
                (change("patient", milliseconds: 60_000), change("hasty", milliseconds: 300))
            }.value
            await #expect(throws: RedisError.deadlinePassed) { try await hasty.value }
            primary.resume()
            do {
                #expect(try await patient.value == .integer(1))
            } catch {
                // On a machine that is too slow for the replica.
                #expect(error as? RedisError == .notReplicated(replicas: 0))
            }
        }
    }

    /// Redis runs nothing of a connection while that waits: a WAIT for each would make each wait for all before it.
    @Test func changesThatComeWhileOneIsConfirmedShareTheNextConfirmation() async throws {
        try await waitForReplica()
        replica.pause()
        defer { replica.resume() }
        try await withClient(configuration(waitMilliseconds: 120_000)) { [self] client throws in
            _ = await client.firstLogin()
            var tasks: [Task<Value, Error>] = []
            for number in 1...20 {
                let key = "key\(number)"
                tasks.append(Task(executorPreference: client.loop) { try await Self.create(key, with: client) })
                await client.loop.wait(milliseconds: 1)
            }
            try await client.waitUntil("the first change is made") { (try? primary.ask("EXISTS key1")) == "1" }
            #expect(try primary.ask("EXISTS key20") == "0")
            replica.resume()
            for task in tasks { #expect(try await task.value == .integer(1)) }
            #expect(try replica.ask("GET key20") == "x")
            #expect(try waits() == 2)
        }
    }

    @Test func aConnectionThatIsLostMeanwhileLeavesTheOutcomeUnknown() async throws {
        try await waitForReplica()
        replica.pause()
        defer { replica.resume() }
        try await withClient(configuration(waitMilliseconds: 60_000)) { [self] client throws in
            _ = await client.firstLogin()
            let change = Task(executorPreference: client.loop) { try await Self.create("key", with: client) }
            try await client.waitUntil("the change is made") { (try? primary.ask("EXISTS key")) == "1" }
            primary.stop()
            await #expect(throws: RedisError.connectionLost) { try await change.value }
        }
    }

    @Test func aClusterWaitsForTheReplicaOfTheKeysPrimary() async throws {
        let cluster = try await RedisCluster.start(primaries: 3, withReplicas: true)
        var configuration = ClusterTests.configuration(cluster)
        configuration.scripts = [Self.create]
        configuration.replicaWait = ReplicaWait(replicas: 1, milliseconds: 100)
        configuration.silenceLimitMilliseconds = 60_000
        try await withClient(configuration) { client throws in
            _ = await client.firstLogin()
            cluster.replicas[1].pause()
            defer { cluster.replicas[1].resume() }
            await #expect(throws: RedisError.notReplicated(replicas: 0)) {
                try await Self.create(ClusterTests.key(on: 1), with: client)
            }
        }
        configuration.replicaWait = ReplicaWait(replicas: 1, milliseconds: 600_000)
        try await withClient(configuration) { client throws in
            _ = await client.firstLogin()
            for primary in 0..<3 {
                #expect(try await Self.create(ClusterTests.key(on: primary), with: client) == .integer(1))
            }
            // Changes for several primaries, each of which waits for its own replicas.
            let sets = (0..<3).map { Command("SET", ClusterTests.key(on: $0), "changed") }
            #expect(
                try await client.change(sets, deadline: Client.soon) == Array(repeating: .string("OK"), count: 3))
            cluster.replicas[2].pause()
            defer { cluster.replicas[2].resume() }
            let soon = MonotonicTime.now().advanced(byMilliseconds: 300)
            await #expect(throws: RedisError.deadlinePassed) { try await client.change(sets, deadline: soon) }
        }
    }
}
